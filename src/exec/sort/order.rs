//! The order of the rows of several batches, by key columns.

use std::cmp::Ordering;
use std::sync::Arc;

use super::comparator::{Comparator, sorted_positions};
use crate::diagnostic::Result;
use crate::exec::spill::Keys;
use crate::types::{Batch, Column, Type};

/// The position of a row in several batches; there are fewer than 2^32 batches and rows.
#[derive(Clone, Copy, Debug)]
pub struct RowPosition {
    /// The position of the batch.
    pub batch: u32,
    /// The position of the row in that batch.
    pub row: u32,
}

/// Converts positions to the pairs of batch and row that `interleave` takes.
pub fn interleave_indices(positions: &[RowPosition]) -> Vec<(usize, usize)> {
    positions.iter().map(|position| (position.batch as usize, position.row as usize)).collect()
}

/// A key column, by position, and how it is sorted.
#[derive(Clone, Copy, Debug)]
pub struct KeyColumn {
    pub column: usize,
    pub descending: bool,
    pub nulls_first: bool,
}

/// The key columns of rows, and how many of the columns are returned.
#[derive(Clone, Debug)]
pub struct RowOrder {
    pub keys: Arc<[KeyColumn]>,
    /// The number of columns that are returned, the first ones; the others are only keys.
    pub width: usize,
}

/// The sort keys of the rows of a batch.
pub struct RowKeys(Vec<Comparator>);

impl Keys for RowKeys {
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs.map(|(a, b)| a.compare(row, b, other_row)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl RowOrder {
    /// Returns the keys of the rows of `batch`.
    pub fn keys_of(&self, batch: &Batch) -> Result<RowKeys> {
        let comparator = |key: &KeyColumn| Comparator::new(batch.column(key.column), key.descending, key.nulls_first);
        self.keys.iter().map(comparator).collect::<Result<_>>().map(RowKeys)
    }

    /// Returns the positions of all rows of `batches`, in sorted order.
    pub fn sorted(&self, batches: &[&Batch]) -> Result<Vec<RowPosition>> {
        let comparator = |key: &KeyColumn| {
            let chunks: Vec<&Column> = batches.iter().map(|batch| batch.column(key.column)).collect();
            let ty = chunks.first().map_or(Type::Long, |chunk| chunk.ty());
            Comparator::new(&Column::concat(ty, &chunks)?, key.descending, key.nulls_first)
        };
        let comparators = self.keys.iter().map(comparator).collect::<Result<Vec<_>>>()?;
        let rows = batches.iter().map(|batch| batch.rows()).sum();
        let rows_of =
            |(batch, rows): (u32, &&Batch)| (0..).take(rows.rows()).map(move |row| RowPosition { batch, row });
        let all: Vec<RowPosition> = (0..).zip(batches).flat_map(rows_of).collect();
        let order = sorted_positions(&comparators, rows, usize::MAX)?;
        Ok(order.into_iter().map(|index| all[index as usize]).collect())
    }

    /// Removes the columns that are only keys from a batch.
    pub fn output(&self, batch: Batch) -> Batch {
        if batch.columns().len() == self.width { batch } else { batch.project(&(0..self.width).collect::<Vec<_>>()) }
    }
}
