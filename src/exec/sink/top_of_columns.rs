//! The first rows of a wide table that lies in columns: the first key alone tells which rows can be among them, and of
//! all other columns only those rows are read.

use std::sync::Arc;

use super::{FirstRows, top};
use crate::diagnostic::Result;
use crate::exec::bound::ScanBound;
use crate::exec::context::ExecContext;
use crate::exec::memory::Reservation;
use crate::exec::metrics;
use crate::exec::physical::Pipeline;
use crate::expr::Expr;
use crate::plan::{LogicalPlan, Scan, SortKey};
use crate::scan::{ScanColumn, ScanReport};
use crate::storage::counters::Count;
use crate::types::{Batch, Field, Schema, Type, Value};

/// With fewer columns than this, reading the key twice is dearer than reading the others once.
const WIDE: usize = 4;

/// The first `count` rows of `input` in the order of `keys`; None where they are to be found in the plain way.
pub fn top_of_columns(
    input: &LogicalPlan,
    keys: &[SortKey],
    count: usize,
    context: &ExecContext,
) -> Result<Option<(Vec<Batch>, Reservation)>> {
    let Some((scan, key)) = wide_scan(input, keys).filter(|_| !context.report.is_thorough()) else { return Ok(None) };
    let first = Arc::new(ScanReport::default());
    let Some(bound) = key.bound(scan, count, &telling(&first, context))? else { return Ok(None) };
    let rest = Arc::new(ScanReport::counting_with(&context.report));
    let within = ExecContext { bound: Some(Arc::new(key.at(bound))), ..telling(&rest, context) };
    let rows = top(&Pipeline::new(input, &within)?, input.schema(), keys, count, &within)?;
    // Rows that do not fit the memory are found in the plain way, too.
    let FirstRows::Held(rows, held) = rows else { return Ok(None) };
    // Rows that cannot be read would leave places to rows behind the bound.
    let is_whole = rows.iter().map(Batch::rows).sum::<usize>() == count;
    if !is_whole || !first.problems().is_empty() || !rest.problems().is_empty() {
        return Ok(None);
    }
    for count in [Count::Bytes, Count::Rows] {
        context.report.counters.add(count, first.counters.get(count));
    }
    // The second scan leaves out rows that the table has: it tells nothing of the times that are covered.
    context.report.absorb(&first);
    context.report.absorb(&rest);
    context.report.watch_what(&first);
    Ok(Some((rows, held)))
}

fn telling(report: &Arc<ScanReport>, context: &ExecContext) -> ExecContext {
    ExecContext { report: Arc::clone(report), ..context.clone() }
}

/// The scan below projections, and the first key as one of its columns.
fn wide_scan<'a>(input: &'a LogicalPlan, keys: &[SortKey]) -> Option<(&'a Scan, Key)> {
    let (mut node, first) = (input, keys.first()?);
    let mut column = first.expr.as_column()?;
    let scan = loop {
        match node {
            LogicalPlan::Scan(scan) => break scan,
            LogicalPlan::Project { input, expressions, .. } => {
                column = expressions.get(column)?.as_column()?;
                node = input;
            }
            _ => return None,
        }
    };
    let is_repeatable = scan.filter.as_ref().is_none_or(|filter| filter.predicate.is_repeatable());
    let ScanColumn::Column(column) = *scan.columns.get(column)? else { return None };
    let field = scan.table.schema().fields().get(column)?.clone();
    let is_ordered = matches!(field.ty, Type::Long | Type::Datetime | Type::Timespan);
    let is_worth_it = scan.columns.len() >= WIDE && scan.table.reads_columns_apart();
    let key = Key { column, field, order: first.clone() };
    (is_repeatable && is_ordered && is_worth_it).then_some((scan, key))
}

/// The first key of an order.
struct Key {
    /// Where it is in the table.
    column: usize,
    field: Field,
    order: SortKey,
}

impl Key {
    /// The key of the last of the first `count` rows; None where there are fewer, or one has none.
    fn bound(&self, scan: &Scan, count: usize, context: &ExecContext) -> Result<Option<Value>> {
        let narrow = LogicalPlan::Scan(Scan {
            columns: vec![ScanColumn::Column(self.column)],
            schema: Schema::new(vec![self.field.clone()]),
            ..scan.clone()
        });
        let order = SortKey { expr: Expr::column(0, self.field.ty, self.order.expr.span), ..self.order.clone() };
        // Its work is not that of any node of the plan.
        let _nobody = metrics::work_for(None);
        let first = top(&Pipeline::new(&narrow, context)?, narrow.schema(), &[order], count, context)?;
        let FirstRows::Held(first, _held) = first else { return Ok(None) };
        let rows: usize = first.iter().map(Batch::rows).sum();
        let has_null = first.iter().any(|batch| (0..batch.rows()).any(|row| batch.column(0).is_null(row)));
        let last = first.iter().rfind(|batch| batch.rows() > 0);
        Ok(last.filter(|_| rows == count && !has_null).map(|batch| batch.column(0).value(batch.rows() - 1)))
    }

    /// As a bound of a scan. Null is behind every bound, or there is none.
    fn at(&self, bound: Value) -> ScanBound {
        ScanBound { column: self.column, at: bound, from_above: self.order.descending }
    }
}
