//! Two-phase top-N (late materialisation) over a wide columnar table. The first phase reads only the first key, and
//! finds the limit within which the needed rows are. The second phase reads the other columns, but only of these rows.

use std::sync::Arc;

use super::top::{TopRows, TopSpec, top};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::dynamic_filter::DynamicFilter;
use crate::exec::metrics;
use crate::exec::pipeline::ExecPipeline;
use crate::exec::scan;
use crate::expr::Expr;
use crate::plan::{LogicalPlan, Scan, SortKey};
use crate::scan::{ScanColumn, ScanReport};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, Field, Schema, Type, Value};

/// Minimum number of columns; with fewer, reading the key twice costs more than it saves.
const MIN_COLUMNS: usize = 4;

/// Returns the first rows of `input`; None if two phases are not worthwhile, so that [`top`] must find them. `plan`
/// returns the pipeline of `input`.
pub fn two_phase_top(
    input: &LogicalPlan,
    spec: TopSpec<'_>,
    plan: &dyn Fn(&ExecContext) -> Result<ExecPipeline>,
    context: &ExecContext,
) -> Result<Option<TopRows>> {
    let scan = wide_scan(input, spec.keys).filter(|_| !context.report.is_thorough());
    let Some((scan, key)) = scan else { return Ok(None) };
    let first_report = Arc::new(ScanReport::default());
    let Some(bound) = key.bound(scan, spec.count, &with_report(&first_report, context))? else { return Ok(None) };
    let second_report = Arc::new(ScanReport::counting_with(&context.report));
    let filter = Some(Arc::new(key.filter(bound)));
    let filtered = ExecContext { dynamic_filter: filter, ..with_report(&second_report, context) };
    // Rows that do not fit in memory are left to a plain top, too.
    let TopRows::InMemory(rows, reservation) = top(&plan(&filtered)?, spec, &filtered)? else { return Ok(None) };
    // If some rows could not be read, rows beyond the bound are needed instead.
    let is_complete = rows.iter().map(Batch::rows).sum::<usize>() == spec.count;
    if !is_complete || !first_report.problems().is_empty() || !second_report.problems().is_empty() {
        return Ok(None);
    }
    for count in [ScanCount::Bytes, ScanCount::Rows] {
        context.report.counters.add(count, first_report.counters.get(count));
    }
    // The second scan skips rows of the table, so only the first one knows which times the files cover.
    context.report.absorb(&first_report);
    context.report.absorb(&second_report);
    context.report.watch_coverages_of(&first_report);
    Ok(Some(TopRows::InMemory(rows, reservation)))
}

fn with_report(report: &Arc<ScanReport>, context: &ExecContext) -> ExecContext {
    ExecContext { report: Arc::clone(report), ..context.clone() }
}

/// Returns the scan below any projections, and the first key as one of its columns; None if two phases do not apply.
fn wide_scan<'a>(input: &'a LogicalPlan, keys: &[SortKey]) -> Option<(&'a Scan, FirstKey)> {
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
    let is_worthwhile = scan.columns.len() >= MIN_COLUMNS && scan.table.is_columnar();
    let key = FirstKey { column, field, order: first.clone() };
    (is_repeatable && is_ordered && is_worthwhile).then_some((scan, key))
}

/// The first key of the order, as a column of the table.
struct FirstKey {
    /// The position of the column in the table.
    column: usize,
    field: Field,
    order: SortKey,
}

impl FirstKey {
    /// Returns the key of the last of the first `count` rows; None if there are fewer rows, or if one of them has a
    /// null.
    fn bound(&self, scan: &Scan, count: usize, context: &ExecContext) -> Result<Option<Value>> {
        let schema = Schema::new(vec![self.field.clone()]);
        let columns = vec![ScanColumn::Column(self.column)];
        let key_only = Scan { columns, schema: schema.clone(), ..scan.clone() };
        let order = SortKey { expr: Expr::column(0, self.field.ty, self.order.expr.span), ..self.order.clone() };
        // This scan is not a node of the plan.
        let _unmeasured = metrics::enter(None);
        let input = ExecPipeline::of(scan::partitions(&key_only, context)?);
        let first = top(&input, TopSpec { schema: &schema, keys: &[order], count }, context)?;
        let TopRows::InMemory(first, _reservation) = first else { return Ok(None) };
        let rows: usize = first.iter().map(Batch::rows).sum();
        let has_null = first.iter().any(|batch| (0..batch.rows()).any(|row| batch.column(0).is_null(row)));
        let last = first.iter().rfind(|batch| batch.rows() > 0);
        Ok(last.filter(|_| rows == count && !has_null).map(|batch| batch.column(0).value(batch.rows() - 1)))
    }

    /// Returns the filter for rows within `bound`. It drops nulls, which sort after the bound: none of them is among
    /// the first rows.
    fn filter(&self, bound: Value) -> DynamicFilter {
        DynamicFilter { column: self.column, bound, keeps_greater: self.order.descending }
    }
}
