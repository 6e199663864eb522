//! Window functions that look at one other row: `prev` and `next`.

use arrow::array::UInt32Array;

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::plan::{Window, WindowFunction};
use crate::types::{Batch, Column, ColumnBuilder, Type, Value};

/// The calls of `prev` and `next` of one node, and the rows that they can still look at.
#[derive(Debug)]
pub struct Neighbors {
    calls: Vec<Call>,
    /// The columns that the calls look at, then the number of the segment: the last rows that were taken, then all
    /// rows that were not taken.
    rows: Option<Batch>,
    /// How many of the rows were taken.
    taken: usize,
    /// The number of the last segment.
    segment: i64,
}

#[derive(Debug)]
struct Call {
    term: Expr,
    offset: i64,
    default: Value,
}

impl Neighbors {
    /// The calls of `plan`, before the first row.
    pub fn new(plan: &Window) -> Self {
        let call = |call: &crate::plan::WindowCall| match (&call.function, &call.term) {
            (WindowFunction::Neighbor { offset, default }, Some(term)) => {
                Some(Call { term: term.clone(), offset: *offset, default: default.clone() })
            }
            _ => None,
        };
        Self { calls: plan.calls.iter().filter_map(call).collect(), rows: None, taken: 0, segment: 0 }
    }

    /// How many rows after the current one a call looks at.
    pub fn ahead(&self) -> usize {
        self.calls.iter().map(|call| usize::try_from(call.offset).unwrap_or(0)).max().unwrap_or(0)
    }

    /// How many rows before the current one a call looks at.
    fn behind(&self) -> usize {
        let behind = |call: &Call| usize::try_from(call.offset.saturating_neg()).unwrap_or(0);
        self.calls.iter().map(behind).max().unwrap_or(0)
    }

    /// The bytes of the rows that are kept.
    pub fn bytes(&self) -> usize {
        self.rows.as_ref().map_or(0, Batch::bytes)
    }

    /// Adds the rows of `batch`; `begins` is true where a segment begins, and empty without segments.
    pub fn push(&mut self, batch: &Batch, begins: &[bool], context: &ExecContext) -> Result<()> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(self.calls.len() + 1);
        for call in &self.calls {
            columns.push(evaluate(&call.term, batch, &context.eval)?);
        }
        columns.push(self.segments(begins, batch.rows()));
        let new = Batch::new(columns, batch.rows());
        let types: Vec<Type> = self.calls.iter().map(|call| call.term.ty).chain([Type::Long]).collect();
        self.rows = Some(match self.rows.take() {
            Some(rows) => Batch::concat(&types, &[rows, new])?,
            None => new,
        });
        Ok(())
    }

    /// The number of the segment of each row.
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
        let Some(rows) = &self.rows else { return Ok(Vec::new()) };
        let column = |(index, call): (usize, &Call)| values(rows, self.taken..self.taken + ready, index, call);
        let columns = self.calls.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
        let taken = self.taken + ready;
        let kept = taken.min(self.behind());
        let first = taken - kept;
        self.rows = Some(rows.slice(first, rows.rows() - first).compacted());
        self.taken = kept;
        Ok(columns)
    }
}

/// The value of a call for each of `range`, which are positions in `rows`.
fn values(rows: &Batch, range: std::ops::Range<usize>, index: usize, call: &Call) -> Result<Column> {
    let (terms, segments) = (rows.column(index), rows.column(rows.columns().len() - 1));
    let one_segment = segments.as_constant().is_some();
    let other = |row: usize| {
        let other = i64::try_from(row).ok()?.checked_add(call.offset)?;
        let other = usize::try_from(other).ok().filter(|other| *other < rows.rows())?;
        (one_segment || segments.i64_at(row) == segments.i64_at(other)).then_some(other)
    };
    let others: Vec<Option<usize>> = range.map(other).collect();
    // In the middle of a segment, the values are a run of the column.
    if let (Some(Some(first)), Some(Some(last))) = (others.first(), others.last())
        && last - first + 1 == others.len()
        && (one_segment || others.iter().all(Option::is_some))
    {
        return Ok(terms.slice(*first, others.len()));
    }
    if others.iter().all(Option::is_some) {
        let position = |other: &Option<usize>| u32::try_from(other.unwrap_or_default());
        let positions = others.iter().map(position).collect::<Result<Vec<u32>, _>>();
        return terms.take(&UInt32Array::from(positions.map_err(|_| Error::internal("a batch has too many rows"))?));
    }
    let mut values = ColumnBuilder::with_capacity(terms.ty(), others.len());
    for other in others {
        values.append(&other.map_or_else(|| call.default.clone(), |other| terms.value(other)));
    }
    Ok(values.finish())
}
