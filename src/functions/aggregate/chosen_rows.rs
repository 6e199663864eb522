//! One row per group, stored in columns: the state of `arg_max` and `take_any`.
//!
//! A chosen row is copied once per batch, not each time a better one is found, and never value by value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, interleave};

use crate::diagnostic::Result;
use crate::types::{Batch, Column, ColumnBuilder, Type};

/// Memory overhead of one chunk, expressed as a number of rows. It is used to decide whether compaction is worthwhile.
const CHUNK_COST: usize = 64;
/// Number of obsolete rows, beyond twice the chosen ones, that triggers compaction.
const SLACK: usize = 4096;

/// Where a kept row is: its chunk, and its row in that chunk.
#[derive(Clone, Copy, Debug)]
struct RowLocation {
    chunk: u32,
    row: u32,
}

/// For each group the row that an aggregate has chosen so far, or none.
#[derive(Debug)]
pub struct ChosenRows {
    types: Vec<Type>,
    chunks: Vec<Batch>,
    places: Vec<Option<RowLocation>>,
    /// Number of rows in all chunks, including those that are no longer chosen.
    kept: usize,
    /// Memory of the chunks in bytes.
    bytes: usize,
}

impl ChosenRows {
    /// Returns a state without groups, for rows with columns of these types.
    #[must_use]
    pub fn new(types: &[Type]) -> Self {
        Self { types: types.to_vec(), chunks: Vec::new(), places: Vec::new(), kept: 0, bytes: 0 }
    }

    /// Sets the number of groups; a new group has no row.
    pub fn resize(&mut self, groups: usize) {
        self.places.resize(groups, None);
    }

    /// True if a row is chosen for the group.
    #[must_use]
    pub fn has(&self, group: u32) -> bool {
        self.places[group as usize].is_some()
    }

    /// Chooses the row `row` of `columns` for each `(group, row)` of `picks`, in place of the row chosen before.
    pub fn choose(&mut self, picks: &[(u32, u32)], columns: &[Column], rows: usize) -> Result<()> {
        if picks.is_empty() {
            return Ok(());
        }
        let indices: UInt32Array = picks.iter().map(|(_, row)| *row).collect::<Vec<_>>().into();
        let taken = Batch::new(columns.to_vec(), rows).take(&indices)?;
        let chunk = Batch::new(taken.columns().iter().map(detach).collect::<Result<_>>()?, picks.len());
        self.add_chunk(chunk);
        let number = self.chunks.len() - 1;
        for (row, (group, _)) in picks.iter().enumerate() {
            self.places[*group as usize] = Some(place(number, row));
        }
        self.compact_if_worth()
    }

    /// Chooses for the group in each `(group, later_group)` of `picks` the row that `later` chose for `later_group`.
    pub fn choose_from(&mut self, later: Self, picks: &[(u32, u32)]) -> Result<()> {
        let first = self.chunks.len();
        later.chunks.into_iter().for_each(|chunk| self.add_chunk(chunk));
        for (group, later_group) in picks {
            let found = later.places[*later_group as usize];
            self.places[*group as usize] = found.map(|at| place(first + at.chunk as usize, at.row as usize));
        }
        self.compact_if_worth()
    }

    /// Copies the rows of some groups out: group `i` of the result is `groups[i]`.
    pub fn select(&self, groups: &[u32]) -> Result<Self> {
        let places: Vec<_> = groups.iter().map(|group| self.places.get(*group as usize).copied().flatten()).collect();
        let wanted: Vec<_> = places.iter().flatten().map(|place| Some(*place)).collect();
        let column = |index: usize| detach(&self.gather(index, &wanted)?);
        let columns = (0..self.types.len()).map(column).collect::<Result<_>>()?;
        let mut selected = Self::new(&self.types);
        selected.add_chunk(Batch::new(columns, wanted.len()));
        let mut rows = 0..wanted.len();
        selected.places = places.iter().map(|slot| slot.and_then(|_| rows.next()).map(|row| place(0, row))).collect();
        Ok(selected)
    }

    /// Returns the columns of the chosen rows, one row per group; the row of a group without a choice is null.
    pub fn finish(&self) -> Result<Vec<Column>> {
        (0..self.types.len()).map(|index| self.gather(index, &self.places)).collect()
    }

    /// Returns the memory use in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.places.capacity() * size_of::<Option<RowLocation>>() + self.bytes
    }

    fn add_chunk(&mut self, chunk: Batch) {
        self.kept += chunk.rows();
        self.bytes += chunk.columns().iter().map(bytes).sum::<usize>();
        self.chunks.push(chunk);
    }

    fn compact_if_worth(&mut self) -> Result<()> {
        let cost = self.kept + CHUNK_COST * self.chunks.len();
        if cost > 3 * self.places.len() + SLACK { self.compact() } else { Ok(()) }
    }

    /// Copies the chosen rows into a single chunk, and drops all other rows. Strings are copied, too: one of them would
    /// keep those of all rows of its chunk in memory.
    fn compact(&mut self) -> Result<()> {
        let wanted: Vec<_> = self.places.iter().flatten().map(|place| Some(*place)).collect();
        let column = |index: usize| detach(&self.gather(index, &wanted)?);
        let columns = (0..self.types.len()).map(column).collect::<Result<_>>()?;
        let chunk = Batch::new(columns, wanted.len());
        (self.chunks, self.kept, self.bytes) = (Vec::new(), 0, 0);
        self.add_chunk(chunk);
        for (row, slot) in self.places.iter_mut().flatten().enumerate() {
            *slot = place(0, row);
        }
        Ok(())
    }

    /// Returns the rows at `places` of the column at `index`; None gives a null.
    fn gather(&self, index: usize, places: &[Option<RowLocation>]) -> Result<Column> {
        let ty = self.types[index];
        let mut arrays = vec![null_row(ty)];
        for chunk in &self.chunks {
            arrays.push(chunk.column(index).to_array());
        }
        let sources: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        let source = |slot: &Option<RowLocation>| slot.map_or((0, 0), |at| (1 + at.chunk as usize, at.row as usize));
        let indices: Vec<(usize, usize)> = places.iter().map(source).collect();
        Ok(Column::array(ty, interleave(&sources, &indices)?))
    }
}

fn place(chunk: usize, row: usize) -> RowLocation {
    let narrow = |n: usize| u32::try_from(n).expect("kept rows are compacted long before there are four billion");
    RowLocation { chunk: narrow(chunk), row: narrow(row) }
}

/// Returns an array of one null, or of one empty string if the type is string.
fn null_row(ty: Type) -> ArrayRef {
    let mut builder = ColumnBuilder::new(ty);
    builder.append_null();
    builder.finish().to_array()
}

/// Copies the strings of a column into new buffers, so that those of the original batch can be freed.
fn detach(column: &Column) -> Result<Column> {
    let Some(array) = column.as_array() else {
        return Ok(column.clone());
    };
    Ok(match array.as_string_view_opt() {
        Some(views) => Column::array(column.ty(), Arc::new(views.gc())),
        None if *array.data_type() == column.ty().arrow() => column.clone(),
        None => detach(&Column::array(column.ty(), cast(array, &column.ty().arrow())?))?,
    })
}

fn bytes(column: &Column) -> usize {
    column.as_array().map_or(size_of::<Column>(), Array::get_array_memory_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;

    /// Chooses the value `n` for group `n % 3`, from a batch of its own.
    fn choose(rows: &mut ChosenRows, n: i64) {
        let text = format!("a text longer than what a view holds by itself: {n}");
        let columns = [Column::constant(Value::Long(n), 2), Column::constant(Value::string(text), 2)];
        let arrays: Vec<Column> = columns.iter().map(|column| Column::array(column.ty(), column.to_array())).collect();
        rows.choose(&[(u32::try_from(n % 3).expect("small"), 1)], &arrays, 2).expect("columns of the right types");
    }

    #[test]
    fn rows_that_were_beaten_are_thrown_out() {
        let mut rows = ChosenRows::new(&[Type::Long, Type::String]);
        rows.resize(4);
        (0..10).for_each(|n| choose(&mut rows, n));
        let before = rows.memory();
        (10..5_000).for_each(|n| choose(&mut rows, n));
        assert!(rows.chunks.len() < 100 && rows.kept < 100 && rows.memory() < 20 * before, "{}", rows.memory());
        let columns = rows.finish().expect("columns");
        let numbers: Vec<Option<i64>> = (0..4).map(|group| columns[0].i64_at(group)).collect();
        assert_eq!(numbers, [Some(4_998), Some(4_999), Some(4_997), None]);
        assert!(columns[1].text_at(1).is_some_and(|text| text.ends_with(": 4999")));
        assert_eq!(columns[1].text_at(3), Some(""));
    }

    #[test]
    fn strings_of_beaten_rows_are_freed() {
        let mut rows = ChosenRows::new(&[Type::String]);
        rows.resize(1_000);
        // Each batch replaces most rows; a few rows of each batch stay.
        for batch in 0..200_u32 {
            let mut builder = ColumnBuilder::new(Type::String);
            (0..1_000).for_each(|row| builder.append_text(&format!("{row} of batch {batch}").repeat(20)));
            let picks: Vec<(u32, u32)> = (batch..1_000).map(|row| (row, row)).collect();
            rows.choose(&picks, &[builder.finish()], 1_000).expect("a column of the right type");
        }
        let strings: usize = (0..1_000).map(|row: u32| format!("{row} of batch {}", row.min(199)).len() * 20).sum();
        assert!(rows.memory() < 10 * strings, "{} bytes for {strings}", rows.memory());
    }

    #[test]
    fn rows_of_a_later_part_follow() {
        let (mut rows, mut later) =
            (ChosenRows::new(&[Type::Long, Type::String]), ChosenRows::new(&[Type::Long, Type::String]));
        rows.resize(3);
        later.resize(3);
        (0..100).for_each(|n| choose(&mut rows, n));
        (100..300).for_each(|n| choose(&mut later, n));
        rows.choose_from(later, &[(2, 0)]).expect("one layout");
        let columns = rows.finish().expect("columns");
        let numbers: Vec<Option<i64>> = (0..3).map(|group| columns[0].i64_at(group)).collect();
        assert_eq!(numbers, [Some(99), Some(97), Some(297)]);
    }
}
