//! One scan for several: reads the rows that any of them needs, with the columns of all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use arrow::compute;

use super::context::ExecContext;
use super::operator::evaluate_mask;
use super::scan::{note_times, watched};
use super::scheduler::{Flow, for_each_batch};
use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::memory::Reservation;
use crate::plan::{Scan, ScanFilter};
use crate::scan::{NamedColumns, Predicate, RowFilter, ScanColumn, ScanRequest, TableProvider, TimeCoverage};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, SharedMemory};

/// One of the scans of a table.
#[derive(Clone, Copy, Debug)]
pub struct SharingScan<'a> {
    /// The scan.
    pub scan: &'a Scan,
    /// The context of its query.
    pub context: &'a ExecContext,
}

/// The rows that several scans of a table need.
#[derive(Debug)]
pub struct SharedRows {
    /// What the columns of the batches hold.
    pub columns: Vec<ScanColumn>,
    /// The rows, in the order of the table.
    pub batches: Vec<Batch>,
}

/// Reads the rows that any of `scans` needs from `table`, of which they are. The bytes of the rows are added to
/// `memory`.
///
/// # Errors
/// Errors of the table, and `Error::Limit` if `memory` alone exceeds its budget.
pub fn read_shared(
    scans: &[SharingScan<'_>],
    table: &Arc<dyn TableProvider>,
    context: &ExecContext,
    memory: &mut Reservation,
) -> Result<SharedRows> {
    let (files, bytes) = table.extent();
    context.report.counters.add(ScanCount::FilesExpected, files);
    context.report.counters.add(ScanCount::BytesExpected, bytes);
    let mut context = context.clone();
    context.named_columns = Arc::new(named_columns(scans));
    let filter = SharedFilter::new(scans);
    let columns = columns(scans);
    let coverages = filter.coverages.clone();
    let is_needed = !filter.members.is_empty() || !coverages.is_empty();
    let request = ScanRequest {
        prune: prune(scans),
        filter: is_needed.then(|| Arc::new(filter) as Arc<dyn RowFilter>),
        ..context.scan_request(columns.clone())
    };
    let partitions = watched(table.scan(&request)?, &coverages, &context);
    let (mut batches, mut shared) = (Vec::new(), SharedMemory::default());
    for_each_batch(&partitions, &context, &mut |batch| {
        let batch = batch.compacted();
        memory.grow(shared.add(&batch));
        if memory.exceeds_alone() {
            return Err(context.memory.exceeded("a shared scan", memory.bytes()));
        }
        batches.push(batch);
        Ok(Flow::Continue(()))
    })?;
    Ok(SharedRows { columns, batches })
}

/// The columns of the results and of the filters of all scans.
fn columns(scans: &[SharingScan<'_>]) -> Vec<ScanColumn> {
    let of_filter = |scan: &Scan| scan.filter.iter().flat_map(|filter| filter.columns.clone()).collect::<Vec<_>>();
    union(scans.iter().flat_map(|member| [member.scan.columns.clone(), of_filter(member.scan)].concat()))
}

fn union(columns: impl IntoIterator<Item = ScanColumn>) -> Vec<ScanColumn> {
    let mut all = Vec::new();
    for column in columns {
        if !all.contains(&column) {
            all.push(column);
        }
    }
    all
}

/// The columns that any of the queries names.
fn named_columns(scans: &[SharingScan<'_>]) -> NamedColumns {
    let mut all = NamedColumns::default();
    for member in scans {
        all.columns.extend(member.context.named_columns.columns.iter().cloned());
        all.paths.extend(member.context.named_columns.paths.iter().cloned());
    }
    all
}

/// What every row fulfils that any of the scans needs.
fn prune(scans: &[SharingScan<'_>]) -> Vec<Predicate> {
    let mut any = Vec::new();
    for member in scans {
        let all = Predicate::All(member.scan.prune.clone());
        match member.scan.prune.is_empty() {
            true => return Vec::new(),
            false if any.contains(&all) => {}
            false => any.push(all),
        }
    }
    match any.len() {
        1 => scans.first().map(|member| member.scan.prune.clone()).unwrap_or_default(),
        _ => vec![Predicate::Any(any)],
    }
}

/// Passes the rows that pass any of several filters.
#[derive(Debug)]
struct SharedFilter {
    columns: Vec<ScanColumn>,
    /// The filters; none if some scan has none, so that all rows pass.
    members: Vec<MemberFilter>,
    /// The time ranges that the scans request.
    coverages: Vec<Arc<TimeCoverage>>,
}

/// The filter of one of the scans.
#[derive(Debug)]
struct MemberFilter {
    filter: ScanFilter,
    /// The positions of its columns among those of all filters.
    positions: Vec<usize>,
    context: EvalContext,
}

impl SharedFilter {
    fn new(scans: &[SharingScan<'_>]) -> Self {
        let coverage = |member: &SharingScan<'_>| {
            let scan = member.scan;
            TimeCoverage::requested(&scan.name, scan.table.schema(), &scan.prune).map(Arc::new)
        };
        let coverages: Vec<Arc<TimeCoverage>> = scans.iter().filter_map(coverage).collect();
        // A filter that is not the same each time it is evaluated passes all rows here.
        let filter_of = |member: &SharingScan<'_>| {
            let filter = member.scan.filter.clone().filter(|filter| filter.predicate.is_repeatable())?;
            Some((filter, member.context.eval.clone()))
        };
        let filters: Vec<(ScanFilter, EvalContext)> =
            scans.iter().map(filter_of).collect::<Option<_>>().unwrap_or_default();
        let times = coverages.iter().map(|coverage| ScanColumn::Column(coverage.column()));
        let columns = union(filters.iter().flat_map(|(filter, _)| filter.columns.clone()).chain(times));
        let mut members: Vec<MemberFilter> = Vec::new();
        for (filter, context) in filters {
            let is_same = |known: &MemberFilter| {
                known.filter.columns == filter.columns && known.filter.predicate == filter.predicate
            };
            if !members.iter().any(is_same) {
                let position = |column: &ScanColumn| columns.iter().position(|known| known == column);
                let positions = filter.columns.iter().filter_map(position).collect();
                members.push(MemberFilter { filter, positions, context });
            }
        }
        Self { columns, members, coverages }
    }

    /// Extends the coverages by the times of the rows.
    fn note_times(&self, columns: &Batch) {
        let times: BTreeSet<usize> = self.coverages.iter().map(|coverage| coverage.column()).collect();
        for time in times {
            let of_column = self.coverages.iter().filter(|coverage| coverage.column() == time);
            note_times(of_column.map(AsRef::as_ref), &self.columns, columns);
        }
    }
}

impl RowFilter for SharedFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn time_coverages(&self) -> &[Arc<TimeCoverage>] {
        &self.coverages
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        self.note_times(columns);
        if self.members.is_empty() {
            return Ok(BooleanArray::from(vec![true; columns.rows()]));
        }
        let mut passes = BooleanArray::from(vec![false; columns.rows()]);
        for MemberFilter { filter, positions, context } in &self.members {
            let mask = evaluate_mask(&filter.predicate, &columns.project(positions), context)?;
            // A condition that is null is not true.
            let mask = if mask.null_count() > 0 { compute::prep_null_mask_filter(&mask) } else { mask };
            passes = compute::or(&passes, &mask)?;
            if passes.true_count() == passes.len() {
                break;
            }
        }
        Ok(passes)
    }
}
