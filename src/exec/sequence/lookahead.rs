//! Conditions under a state: evaluated for more and more rows ahead, as long as the state stays the same.

use arrow::array::BooleanArray;

use crate::diagnostic::Result;

/// The values of a condition for the next rows, under one state.
#[derive(Debug)]
pub struct Lookahead {
    /// The first row of the mask.
    first: usize,
    mask: Option<BooleanArray>,
    /// The number of rows to evaluate next. It doubles while the state stays the same, so that at most as many rows are
    /// evaluated in vain as were passed.
    rows: usize,
}

impl Default for Lookahead {
    fn default() -> Self {
        Self { first: 0, mask: None, rows: 1 }
    }
}

impl Lookahead {
    /// Forgets everything: the state changed.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Forgets the rows of a batch that is done.
    pub fn end_batch(&mut self) {
        self.mask = None;
    }

    /// True if the condition is true for `row` of a batch of `end` rows. `evaluate` returns the mask of some rows, at
    /// least one, from a row on.
    pub fn at(
        &mut self,
        row: usize,
        end: usize,
        evaluate: &dyn Fn(usize, usize) -> Result<BooleanArray>,
    ) -> Result<bool> {
        if let Some(mask) = &self.mask
            && let Some(at) = row.checked_sub(self.first)
            && at < mask.len()
        {
            return Ok(mask.value(at));
        }
        let mask = evaluate(row, self.rows.min(end - row))?;
        let value = mask.value(0);
        (self.first, self.mask) = (row, Some(mask));
        self.rows = self.rows.saturating_mul(2);
        Ok(value)
    }
}
