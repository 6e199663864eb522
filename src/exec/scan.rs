//! Scans of tables: the partitions of a table, with the filter of the scan and the range of times that its rows cover.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute;
use arrow::datatypes::Int64Type;

use super::context::ExecContext;
use super::metrics;
use super::operator::evaluate_mask;
use crate::diagnostic::Result;
use crate::expr::search::ColumnUses;
use crate::functions::EvalContext;
use crate::plan::{Scan, ScanFilter};
use crate::scan::{Partition, RowFilter, ScanColumn, ScanRequest, TimeCoverage, on_completion};
use crate::types::Batch;

/// Returns the partitions of a scan, with the dynamic filter of `context` applied.
pub(super) fn partitions(scan: &Scan, context: &ExecContext) -> Result<Vec<Arc<dyn Partition>>> {
    // Rows that the query lists itself, as with `datatable`, cover no period.
    let is_of_files = !scan.table.is_in_memory();
    let requested = || TimeCoverage::requested(&scan.name, scan.table.schema(), &scan.prune);
    let coverage = is_of_files.then(requested).flatten().map(Arc::new);
    let filtered = context.dynamic_filter.as_ref().map(|filter| filter.apply(scan));
    let scan = filtered.as_ref().unwrap_or(scan);
    let filter = scan.filter.as_ref().map(|filter| {
        let (filter, coverage, uses) = (filter.clone(), coverage.clone(), ColumnUses::of(&filter.predicate));
        Arc::new(PredicateFilter { filter, uses, context: context.eval.clone(), coverage }) as Arc<dyn RowFilter>
    });
    let request = context.scan_request(scan.columns.clone());
    let request = ScanRequest { prune: scan.prune.clone(), filter, limit: scan.limit, ..request };
    if let Some(node) = metrics::current() {
        node.set_scan(&request.counters);
    }
    Ok(watched(scan.table.scan(&request)?, coverage.as_slice(), context))
}

/// Registers the requested time ranges, and lets `partitions` tell them when they were read to the end.
pub(super) fn watched(
    partitions: Vec<Arc<dyn Partition>>,
    coverages: &[Arc<TimeCoverage>],
    context: &ExecContext,
) -> Vec<Arc<dyn Partition>> {
    if coverages.is_empty() {
        return partitions;
    }
    for coverage in coverages {
        coverage.expect(partitions.len());
        context.report.watch(Arc::clone(coverage));
    }
    let covered = |inner| {
        let coverages = coverages.to_vec();
        on_completion(inner, move || coverages.iter().for_each(|coverage| coverage.end_partition()))
    };
    partitions.into_iter().map(covered).collect()
}

/// Extends `coverages`, which are of one column, by the times of rows that have `columns`.
pub(super) fn note_times<'a>(
    coverages: impl IntoIterator<Item = &'a TimeCoverage>,
    columns: &[ScanColumn],
    rows: &Batch,
) {
    let mut coverages = coverages.into_iter().peekable();
    let Some(column) = coverages.peek().map(|coverage| ScanColumn::Column(coverage.column())) else { return };
    let Some(index) = columns.iter().position(|held| *held == column) else { return };
    let times = rows.column(index).to_array();
    let Some(times) = times.as_primitive_opt::<Int64Type>() else { return };
    if let (Some(first), Some(last)) = (compute::min(times), compute::max(times)) {
        coverages.for_each(|coverage| coverage.record(first, last));
    }
}

/// The predicate of a scan, as a filter that a source applies to its rows.
#[derive(Debug)]
struct PredicateFilter {
    filter: ScanFilter,
    uses: ColumnUses,
    context: EvalContext,
    coverage: Option<Arc<TimeCoverage>>,
}

impl RowFilter for PredicateFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.filter.columns
    }

    fn searched_strings(&self, index: usize) -> Option<&[String]> {
        self.uses.searched_strings(index)
    }

    fn time_coverages(&self) -> &[Arc<TimeCoverage>] {
        self.coverage.as_slice()
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        note_times(self.coverage.as_deref(), &self.filter.columns, columns);
        evaluate_mask(&self.filter.predicate, columns, &self.context)
    }
}
