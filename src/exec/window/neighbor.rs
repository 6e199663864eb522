//! Window functions that look at one other row: `prev` and `next`.

use std::collections::VecDeque;
use std::ops::Range;

use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::plan::{Window, WindowFunction};
use crate::types::{Batch, Column, ColumnBuilder, Type, Value};

/// The calls of `prev` and `next` in one plan node, and the rows that these calls can still look at.
///
/// Rows are numbered from the first row of the input. They stay in the batches in which they arrived, so that each row
/// is copied once, however far a call looks.
#[derive(Debug)]
pub struct Neighbors {
    calls: Vec<NeighborCall>,
    /// The batches that are still needed. Each has the number of its first row, and the columns that the calls look at,
    /// followed by the segment.
    batches: VecDeque<(i64, Batch)>,
    /// The number after that of the last row.
    end: i64,
    /// The number of the next row to be returned by [`Self::take`].
    taken: i64,
    /// The number of the last row's segment.
    segment: i64,
    /// Number of bytes of the batches.
    bytes: usize,
}

#[derive(Debug)]
struct NeighborCall {
    term: Expr,
    offset: i64,
    default: Value,
}

impl Neighbors {
    /// Returns the calls of `plan`, without rows.
    pub fn new(plan: &Window) -> Self {
        let call = |call: &crate::plan::WindowCall| match (&call.function, &call.term) {
            (WindowFunction::Neighbor { offset, default }, Some(term)) => {
                Some(NeighborCall { term: term.clone(), offset: *offset, default: default.clone() })
            }
            _ => None,
        };
        let calls = plan.calls.iter().filter_map(call).collect();
        Self { calls, batches: VecDeque::new(), end: 0, taken: 0, segment: 0, bytes: 0 }
    }

    /// Returns how many rows after the current one the calls look at, at most.
    pub fn ahead(&self) -> usize {
        self.calls.iter().map(|call| usize::try_from(call.offset).unwrap_or(0)).max().unwrap_or(0)
    }

    /// Returns how many rows before the current one the calls look at, at most.
    fn behind(&self) -> i64 {
        self.calls.iter().map(|call| call.offset.saturating_neg()).max().unwrap_or(0).max(0)
    }

    /// Returns the number of bytes of the rows that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the rows of `batch`. `begins` is true for each row where a segment begins; it is empty if there are no
    /// segments.
    pub fn push(&mut self, batch: &Batch, begins: &[bool], context: &ExecContext) -> Result<()> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(self.calls.len() + 1);
        for call in &self.calls {
            columns.push(evaluate(&call.term, batch, &context.eval)?);
        }
        columns.push(self.segments(begins, batch.rows()));
        let new = Batch::new(columns, batch.rows()).compacted();
        self.bytes += new.bytes();
        self.batches.push_back((self.end, new));
        self.end += count(batch.rows());
        Ok(())
    }

    /// Returns the number of the segment of each row.
    fn segments(&mut self, begins: &[bool], rows: usize) -> Column {
        if begins.is_empty() {
            return Column::constant(Value::Long(self.segment), rows);
        }
        let mut numbers = ColumnBuilder::with_capacity(Type::Long, rows);
        for begins in begins {
            self.segment = self.segment.wrapping_add(i64::from(*begins));
            numbers.append_i64(self.segment);
        }
        numbers.finish()
    }

    /// Returns the columns of the calls for the next `ready` rows.
    pub fn take(&mut self, ready: usize) -> Result<Vec<Column>> {
        let rows = self.taken..self.taken + count(ready);
        let columns = (0..self.calls.len()).map(|call| self.column(call, &rows)).collect::<Result<_>>()?;
        self.taken = rows.end;
        let first = self.taken - self.behind();
        while let Some((start, batch)) = self.batches.front()
            && start + count(batch.rows()) <= first
        {
            self.bytes -= batch.bytes();
            self.batches.pop_front();
        }
        Ok(columns)
    }

    /// Returns the values of a call for `rows`.
    fn column(&self, call: usize, rows: &Range<i64>) -> Result<Column> {
        let NeighborCall { term, offset, default } = &self.calls[call];
        let first = self.batches.front().map_or(self.end, |(start, _)| *start);
        let others = (rows.start + offset).max(first)..(rows.end + offset).min(self.end);
        if others.is_empty() {
            return Ok(Column::constant(default.clone(), length(rows)));
        }
        let values = self.values(call, term.ty, &others)?;
        let segment = |rows: &Range<i64>| self.values(self.calls.len(), Type::Long, rows);
        let (own, other) = (segment(&(others.start - offset..others.end - offset))?, segment(&others)?);
        let is_same = |at: usize| own.i64_at(at) == other.i64_at(at);
        let is_one_segment = own.as_constant().is_some() && own.as_constant() == other.as_constant();
        if length(&others) == length(rows) && (is_one_segment || (0..length(rows)).all(is_same)) {
            return Ok(values);
        }
        let mut column = ColumnBuilder::with_capacity(term.ty, length(rows));
        for row in rows.clone() {
            let at = usize::try_from(row + offset - others.start).ok().filter(|at| *at < length(&others));
            match at.filter(|at| is_same(*at)) {
                Some(at) => column.append(&values.value(at)),
                None => column.append(default),
            }
        }
        Ok(column.finish())
    }

    /// Returns the values of the column at `index` for `rows`, which must all be kept.
    fn values(&self, index: usize, ty: Type, rows: &Range<i64>) -> Result<Column> {
        let mut parts = Vec::new();
        let first = self.batches.partition_point(|(start, _)| *start <= rows.start).saturating_sub(1);
        for (start, batch) in self.batches.range(first..).take_while(|(start, _)| *start < rows.end) {
            let part = rows.start.max(*start) - start..rows.end.min(start + count(batch.rows())) - start;
            parts.push(batch.column(index).slice(length(&(0..part.start)), length(&part)));
        }
        Column::concat(ty, &parts.iter().collect::<Vec<_>>())
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Returns the number of rows in a range.
fn length(rows: &Range<i64>) -> usize {
    usize::try_from(rows.end - rows.start).unwrap_or(0)
}
