//! Rows in order: `sort` and `top`.
//!
//! Texts compare byte by byte (ordinal), and rows that tie keep the order they came in.

use std::cmp::Ordering;

use arrow::array::{Array, UInt32Array};

use super::fold;
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::physical::Pipeline;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::plan::SortKey;
use crate::types::{Batch, Column, Schema, Type};

/// Rows kept beyond those wanted before a `top` cuts back.
const SLACK: usize = 16_384;

/// All rows of `input`, ordered by `keys`.
pub fn sort(input: &Pipeline, schema: &Schema, keys: &[SortKey], context: &ExecContext) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    let add = |part: &mut Vec<Batch>, batch| {
        part.push(batch);
        Ok(())
    };
    fold(input, context, &|| Ok(Vec::new()), &add, &mut |part: Vec<Batch>| {
        batches.extend(part);
        Ok(())
    })?;
    let whole = concat(schema, &batches)?;
    let ordered = order(&whole, keys, &context.eval, usize::MAX)?;
    let starts = (0..ordered.rows()).step_by(context.batch_rows.max(1));
    Ok(starts.map(|start| ordered.slice(start, context.batch_rows.min(ordered.rows() - start))).collect())
}

/// The first `count` rows of `input` in the order of `keys`.
pub fn top(
    input: &Pipeline,
    schema: &Schema,
    keys: &[SortKey],
    count: usize,
    context: &ExecContext,
) -> Result<Vec<Batch>> {
    let best = || Best { batches: Vec::new(), rows: 0 };
    let mut whole = best();
    let cut = Cut { schema, keys, count, context: &context.eval };
    let add = |part: &mut Best, batch| part.push(batch, &cut);
    fold(input, context, &|| Ok(best()), &add, &mut |mut part| {
        part.cut(&cut)?;
        part.batches.into_iter().try_for_each(|batch| whole.push(batch, &cut))
    })?;
    whole.cut(&cut)?;
    Ok(whole.batches)
}

struct Cut<'a> {
    schema: &'a Schema,
    keys: &'a [SortKey],
    count: usize,
    context: &'a EvalContext,
}

/// A few more rows than wanted, among them the wanted ones.
struct Best {
    batches: Vec<Batch>,
    rows: usize,
}

impl Best {
    fn push(&mut self, batch: Batch, cut: &Cut<'_>) -> Result<()> {
        self.rows += batch.rows();
        self.batches.push(batch);
        if self.rows > cut.count.saturating_add(SLACK) { self.cut(cut) } else { Ok(()) }
    }

    fn cut(&mut self, cut: &Cut<'_>) -> Result<()> {
        let whole = concat(cut.schema, &self.batches)?;
        let ordered = order(&whole, cut.keys, cut.context, cut.count)?;
        self.rows = ordered.rows();
        self.batches = vec![ordered];
        Ok(())
    }
}

fn concat(schema: &Schema, batches: &[Batch]) -> Result<Batch> {
    if let [one] = batches {
        return Ok(one.clone());
    }
    let column = |(index, field): (usize, &crate::types::Field)| {
        let parts: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
        Column::concat(field.ty, &parts)
    };
    let columns = schema.fields().iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(Batch::new(columns, batches.iter().map(Batch::rows).sum()))
}

/// The first `count` rows of `batch` in order.
fn order(batch: &Batch, keys: &[SortKey], context: &EvalContext, count: usize) -> Result<Batch> {
    let rows = u32::try_from(batch.rows())
        .map_err(|_| Error::Limit("more than 4,294,967,295 rows cannot be sorted in memory".to_owned()))?;
    let comparators = keys.iter().map(|key| Comparator::new(key, batch, context)).collect::<Result<Vec<_>>>()?;
    let compare = |a: &u32, b: &u32| {
        let unequal = comparators.iter().map(|key| key.compare(*a as usize, *b as usize)).find(|order| order.is_ne());
        // The position decides last: the order of rows that tie is the order they came in.
        unequal.unwrap_or_else(|| a.cmp(b))
    };
    let mut indices: Vec<u32> = (0..rows).collect();
    if count < indices.len() {
        if count == 0 {
            return Ok(batch.slice(0, 0));
        }
        indices.select_nth_unstable_by(count - 1, compare);
        indices.truncate(count);
    }
    indices.sort_unstable_by(compare);
    batch.take(&UInt32Array::from(indices))
}

/// Compares two rows by one key.
struct Comparator {
    column: Column,
    plain: Option<arrow::array::ArrayRef>,
    descending: bool,
    nulls_first: bool,
}

impl Comparator {
    fn new(key: &SortKey, batch: &Batch, context: &EvalContext) -> Result<Self> {
        let expr: &Expr = &key.expr;
        let column = crate::expr::eval::plain_texts(&evaluate(expr, batch, context)?)?;
        let plain = column.as_array().cloned();
        Ok(Self { column, plain, descending: key.descending, nulls_first: key.nulls_first })
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let nulls = match &self.plain {
            Some(array) if array.null_count() == 0 => (false, false),
            _ => (self.column.is_null(a), self.column.is_null(b)),
        };
        match nulls {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if self.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) => {
                let order = self.values(a, b);
                if self.descending { order.reverse() } else { order }
            }
        }
    }

    fn values(&self, a: usize, b: usize) -> Ordering {
        let column = &self.column;
        match column.ty() {
            Type::Bool => column.bool_at(a).cmp(&column.bool_at(b)),
            Type::Int | Type::Long | Type::Datetime | Type::Timespan => column.i64_at(a).cmp(&column.i64_at(b)),
            Type::Real => {
                let (a, b) = (column.f64_at(a).unwrap_or(f64::NAN), column.f64_at(b).unwrap_or(f64::NAN));
                // NaN is less than any number; both zeros are equal.
                a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
            }
            Type::Decimal => {
                let value = |row| column.bytes_at(row).map(|bytes| crate::types::column::decimal_from_bytes(&bytes));
                value(a).cmp(&value(b))
            }
            Type::Guid => column.bytes_at(a).cmp(&column.bytes_at(b)),
            Type::String | Type::Dynamic => column.text_at(a).cmp(&column.text_at(b)),
        }
    }
}
