//! Scans of tables: the partitions of a table, with the filter of the scan and the range of times that its rows cover.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute;
use arrow::datatypes::Int64Type;

use super::context::ExecContext;
use super::metrics;
use super::operator::evaluate_mask;
use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{Scan, ScanFilter};
use crate::scan::{Partition, RowFilter, ScanColumn, ScanRequest, TimeCoverage, on_completion};
use crate::types::Batch;

/// Returns the partitions of a scan, with the dynamic filter of `context` applied.
pub(super) fn partitions(scan: &Scan, context: &ExecContext) -> Result<Vec<Arc<dyn Partition>>> {
    let coverage = TimeCoverage::requested(&scan.name, scan.table.schema(), &scan.prune).map(Arc::new);
    let filtered = context.dynamic_filter.as_ref().map(|filter| filter.apply(scan));
    let scan = filtered.as_ref().unwrap_or(scan);
    let filter = scan.filter.as_ref().map(|filter| {
        let (filter, coverage) = (filter.clone(), coverage.clone());
        Arc::new(PredicateFilter { filter, context: context.eval.clone(), coverage }) as Arc<dyn RowFilter>
    });
    let request = context.scan_request(scan.columns.clone());
    let request = ScanRequest { prune: scan.prune.clone(), filter, limit: scan.limit, ..request };
    if let Some(node) = metrics::current() {
        node.set_scan(&request.counters);
    }
    let partitions = scan.table.scan(&request)?;
    let Some(coverage) = coverage else { return Ok(partitions) };
    coverage.expect(partitions.len());
    context.report.watch(Arc::clone(&coverage));
    let covered = |inner| {
        let coverage = Arc::clone(&coverage);
        on_completion(inner, move || coverage.end_partition())
    };
    Ok(partitions.into_iter().map(covered).collect())
}

/// The predicate of a scan, as a filter that a source applies to its rows.
#[derive(Debug)]
struct PredicateFilter {
    filter: ScanFilter,
    context: EvalContext,
    coverage: Option<Arc<TimeCoverage>>,
}

impl PredicateFilter {
    /// Extends `coverage` to the times of the rows in `columns`, which are about to be tested.
    fn note_times(&self, coverage: &TimeCoverage, columns: &Batch) {
        let is_time = |column: &ScanColumn| *column == ScanColumn::Column(coverage.column());
        let Some(index) = self.filter.columns.iter().position(is_time) else { return };
        let times = columns.column(index).to_array();
        let Some(times) = times.as_primitive_opt::<Int64Type>() else { return };
        if let (Some(first), Some(last)) = (compute::min(times), compute::max(times)) {
            coverage.record(first, last);
        }
    }
}

impl RowFilter for PredicateFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.filter.columns
    }

    fn time_coverage(&self) -> Option<&TimeCoverage> {
        self.coverage.as_deref()
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        if let Some(coverage) = &self.coverage {
            self.note_times(coverage, columns);
        }
        evaluate_mask(&self.filter.predicate, columns, &self.context)
    }
}
