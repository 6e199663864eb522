//! Reads the tables of a plan into memory, applying those conditions that do not depend on the clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrivals::{Arrival, Arrivals, times};
use super::clock::uses_clock;
use super::{ORIGINS, text};
use crate::diagnostic::{Error, Result, Span};
use crate::exec::{self, ExecContext};
use crate::expr::{Expr, visit as expr_visit};
use crate::optimizer::{conjunction, conjuncts};
use crate::plan::{LogicalPlan, Scan, ScanFilter, visit};
use crate::scan::{RecordedCatalog, ScanColumn, SharedSlice, SliceRows, SliceTable};
use crate::types::{Batch, Field, Schema, Type, Value};

/// The tables that were read into memory.
#[derive(Default)]
pub(super) struct Gathered {
    /// The scans that were read, with their rows.
    known: Vec<(Scan, Arc<SliceTable>)>,
    /// The number of rows whose time of arrival is not known, by table.
    pub without_arrival: BTreeMap<String, usize>,
}

/// Reads the tables of a query into memory.
pub(super) struct Gatherer<'a> {
    pub catalog: &'a RecordedCatalog,
    pub arrivals: &'a Arrivals<'a>,
    pub context: &'a ExecContext,
}

impl Gatherer<'_> {
    /// Replaces each table of the catalog with its rows in memory; also returns these tables. None if a table has no
    /// time.
    pub fn gather(
        &self,
        plan: LogicalPlan,
        gathered: &mut Gathered,
    ) -> Result<Option<(LogicalPlan, Vec<Arc<SliceTable>>)>> {
        let (mut slices, mut all_have_time) = (Vec::new(), true);
        let plan = visit::transform_up(plan, &mut |node| {
            let LogicalPlan::Scan(scan) = node else { return Ok(node) };
            if !self.catalog.has(&scan.name) || !all_have_time {
                return Ok(LogicalPlan::Scan(scan));
            }
            let scan = self.with_arrival(scan)?;
            let Some(time) = self.arrivals.time_of(&scan.name, scan.table.schema()) else {
                all_have_time = false;
                return Ok(LogicalPlan::Scan(scan));
            };
            let slice = self.slice(&scan, time, gathered)?;
            slices.push(Arc::clone(&slice));
            let table = Arc::new(SharedSlice(slice));
            Ok(LogicalPlan::Scan(Scan { table, prune: Vec::new(), limit: None, ..scan }))
        })?;
        Ok(all_have_time.then_some((plan, slices)))
    }

    /// Returns a scan of all columns of a table, with the columns of [`RecordColumns`](super::RecordColumns) at the
    /// end; None if the table cannot have them.
    pub fn with_record_columns(&self, plan: LogicalPlan) -> Option<LogicalPlan> {
        let LogicalPlan::Scan(scan) = plan else { return None };
        let scan = self.with_arrival(scan).ok().filter(|scan| self.catalog.has(&scan.name))?;
        let time = self.arrivals.time_of(&scan.name, scan.table.schema())?;
        let arrived = match self.arrivals.of(&scan.name, &scan.table).ok()? {
            Arrival::Column(index) => Expr::column(index, Type::Datetime, Span::default()),
            Arrival::After { .. } => Expr::literal(Value::null(Type::Datetime), Span::default()),
        };
        let table = scan.table.with_provenance()?;
        let schema = table.schema().clone();
        let origins = ORIGINS.map(|origin| {
            let index = schema.index_of(origin.name()).filter(|index| schema.field(*index).ty == origin.ty())?;
            Some(Expr::column(index, origin.ty(), Span::default()))
        });
        let [Some(position), Some(file), Some(line)] = origins else { return None };
        let column =
            |(index, field): (usize, &Field)| (field.name.clone(), Expr::column(index, field.ty, Span::default()));
        let own = scan.schema.fields().iter().enumerate().map(column);
        let time = Expr::column(time, Type::Datetime, Span::default());
        let record = [time, arrived, position, text(&scan.name), file, line];
        let record = super::RecordColumns::ALL.into_iter().map(|column| column.field().name).zip(record);
        let columns: Vec<(String, Expr)> = own.chain(record).collect();
        Some(LogicalPlan::scan(scan.name, table).project(columns))
    }

    /// Returns the same scan of a table with the column of the time of arrival, if its records have that.
    fn with_arrival(&self, scan: Scan) -> Result<Scan> {
        Ok(Scan { table: self.arrivals.with_column(&scan.name, Arc::clone(&scan.table))?, ..scan })
    }

    fn slice(&self, scan: &Scan, time: usize, gathered: &mut Gathered) -> Result<Arc<SliceTable>> {
        let arrival = self.arrivals.of(&scan.name, &scan.table)?;
        let scan = without_clock(scan, time, arrival);
        let known = gathered.known.iter().find(|(known, _)| holds(known, &scan));
        if let Some((_, slice)) = known {
            return Ok(Arc::clone(slice));
        }
        let types: Vec<Type> = scan.schema.fields().iter().map(|field| field.ty).collect();
        let batches = exec::collect(&LogicalPlan::Scan(scan.clone()), self.context)?;
        let rows = Batch::concat(&types, &batches)?;
        drop(batches);
        let slice = Arc::new(self.sorted(&scan, rows, time, arrival, &mut gathered.without_arrival)?);
        gathered.known.push((scan, Arc::clone(&slice)));
        Ok(slice)
    }

    /// Returns the rows sorted by the time by which runs select them. A row without a time of arrival counts as
    /// arriving at its own time; `unknown` counts these rows, by table.
    fn sorted(
        &self,
        scan: &Scan,
        rows: Batch,
        time: usize,
        arrival: Arrival,
        unknown: &mut BTreeMap<String, usize>,
    ) -> Result<SliceTable> {
        let position = |column: usize| scan.columns.iter().position(|held| *held == ScanColumn::Column(column));
        let missing = || Error::internal("a time column was not read");
        let generated = times(rows.column(position(time).ok_or_else(missing)?));
        let (arrived, is_known): (Vec<Option<i64>>, bool) = match arrival {
            Arrival::Column(column) => (times(rows.column(position(column).ok_or_else(missing)?)), true),
            Arrival::After { delay, is_known } => {
                (generated.iter().map(|time| Some(time.as_ref()?.saturating_add(delay))).collect(), is_known)
            }
        };
        let without = if is_known { arrived.iter().filter(|time| time.is_none()).count() } else { rows.rows() };
        if without > 0 {
            let known = unknown.entry(scan.name.clone()).or_default();
            *known = (*known).max(without);
        }
        let arrived = arrived.iter().zip(&generated);
        let arrived = arrived.map(|(arrived, time)| time.map_or(NEVER, |time| arrived.unwrap_or(time))).collect();
        let generated = generated.into_iter().map(|time| time.unwrap_or(NEVER)).collect();
        let (keys, others): (Vec<i64>, Vec<i64>) =
            if self.arrivals.times.by_arrival { (arrived, generated) } else { (generated, arrived) };
        let (table, columns) = (scan.table.schema().clone(), scan.columns.clone());
        SliceTable::new(table, SliceRows { columns, rows, keys, others })
    }
}

/// The time of a row that has none, and of its arrival. The times of a run never reach it, so such a row is never
/// visible, however runs select rows.
const NEVER: i64 = i64::MAX;

/// Returns a scan of all columns that `scan` needs, with the conditions that do not depend on the clock.
fn without_clock(scan: &Scan, time: usize, arrival: Arrival) -> Scan {
    let mut columns = scan.columns.clone();
    let filter = scan.filter.as_ref();
    let times = [Some(time), if let Arrival::Column(index) = arrival { Some(index) } else { None }];
    let more = filter.into_iter().flat_map(|filter| filter.columns.clone());
    for column in more.chain(times.into_iter().flatten().map(ScanColumn::Column)) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let table = scan.table.schema();
    let schema =
        Schema::new(columns.iter().enumerate().map(|(index, column)| Field::new(index.to_string(), column.ty(table))));
    let kept = filter.and_then(|filter| filter_without_clock(filter, table));
    Scan { columns, schema, filter: kept, limit: None, ..scan.clone() }
}

/// Returns the part of a filter that does not depend on the clock, with its columns; None if there is none.
fn filter_without_clock(filter: &ScanFilter, table: &Schema) -> Option<ScanFilter> {
    let parts = conjuncts(filter.predicate.clone()).into_iter().filter(|part| !uses_clock(part)).collect();
    let predicate = conjunction(parts)?;
    let used = expr_visit::columns(&predicate);
    let moved = filter.columns.iter().enumerate().map(|(index, column)| {
        let position = used.partition_point(|used| *used < index);
        Expr::column(position, column.ty(table), Span::default())
    });
    let predicate = expr_visit::substitute(predicate, &moved.collect::<Vec<_>>());
    Some(ScanFilter { columns: used.into_iter().map(|index| filter.columns[index].clone()).collect(), predicate })
}

/// True if the rows that were read for `known` are those of `scan`, with all of its columns.
fn holds(known: &Scan, scan: &Scan) -> bool {
    let same_filter = match (&known.filter, &scan.filter) {
        (None, None) => true,
        (Some(known), Some(filter)) => known.columns == filter.columns && known.predicate == filter.predicate,
        _ => false,
    };
    known.name == scan.name
        && same_filter
        && known.table.schema() == scan.table.schema()
        && scan.columns.iter().all(|column| known.columns.contains(column))
}
