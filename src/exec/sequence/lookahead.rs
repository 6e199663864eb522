//! Conditions that depend on a state: they are evaluated for more and more rows ahead, as long as the state stays the
//! same.

use arrow::array::BooleanArray;

use crate::diagnostic::Result;

/// The results of a condition for the next rows, under one state.
#[derive(Debug)]
pub struct Lookahead {
    /// The row of the first result in the mask.
    first: usize,
    mask: Option<BooleanArray>,
    /// The number of rows to evaluate next. It doubles while the state stays the same, so that the results that a
    /// change of the state makes useless are at most as many as those that were used.
    rows: usize,
}

impl Default for Lookahead {
    fn default() -> Self {
        Self { first: 0, mask: None, rows: 1 }
    }
}

impl Lookahead {
    /// Drops all results, because the state changed.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Drops the results for a batch whose rows are all done.
    pub fn end_batch(&mut self) {
        self.mask = None;
    }

    /// True if the condition holds for `row` of a batch of `end` rows. `evaluate` takes a first row and a number of
    /// rows, and returns their results, at least one.
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
