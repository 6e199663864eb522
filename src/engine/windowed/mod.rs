//! Queries that run again and again over windows of time, as those of alert rules do.
//!
//! The part of a plan that does not depend on the window runs once: each table is read with the conditions that do not
//! mention the clock, and its rows are kept in memory. Each run then sees a slice of these rows, and has its own
//! `now()`. Queries whose plan itself depends on the clock are not supported here, for example with `in (...)` over a
//! table, for which the binder runs a subquery.

mod arrivals;
mod carry;
mod clock;
mod emptiness;
mod gather;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use arrivals::Arrivals;
use carry::Carrier;
use clock::plan_uses_clock;
use gather::Gatherer;

use super::{Engine, Settings};
use crate::diagnostic::{Result, Span};
use crate::exec::{self, ExecContext, Flow};
use crate::expr::Expr;
use crate::plan::{LogicalPlan, verify, visit};
use crate::scan::{Catalog, Provenance, RecordedCatalog, ScanReport, SliceBounds, SliceTable};
use crate::types::{Batch, Field, Schema, Type, Value};

/// How the time of arrival of the rows of a table is determined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArrivalTime {
    /// The given number of ticks after the time of the row.
    After(i64),
    /// The time in the column of this name.
    Column(String),
    /// The time in the ingestion column of the table, if it has one; otherwise the time of the row.
    Recorded,
    /// The delay that this percentage of the rows do not exceed, by the ingestion column; every row is delayed that
    /// long.
    Percentile(u8),
}

/// When rows arrive, and which of their times decide whether a run sees them.
#[derive(Clone, Debug)]
pub struct WindowTimes {
    /// How the time of arrival is determined, by table.
    pub arrivals: BTreeMap<String, ArrivalTime>,
    /// How the time of arrival is determined for all other tables.
    pub arrival: ArrivalTime,
    /// True if runs select rows by their time of arrival; rows are then sorted by it.
    pub by_arrival: bool,
}

impl WindowTimes {
    /// Returns how the time of arrival of the rows of `table` is determined.
    #[must_use]
    pub fn of(&self, table: &str) -> &ArrivalTime {
        self.arrivals.get(table).unwrap_or(&self.arrival)
    }
}

/// Which rows a run sees, by their times and their times of arrival. All limits are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisibleTimes {
    /// The first and the last time of the rows.
    pub generated: [i64; 2],
    /// The first and the last time of arrival of the rows.
    pub arrived: [i64; 2],
}

/// A query that is ready to run over windows of time.
#[derive(Debug)]
pub struct WindowedQuery {
    plan: LogicalPlan,
    /// The plan without its conditions on the clock; None unless each row of the result comes from a single record.
    records: Option<LogicalPlan>,
    /// The number of columns of the result; the columns of [`RecordColumns`] follow them.
    columns: usize,
    slices: Vec<Arc<SliceTable>>,
    /// The tables in memory that `records` reads.
    record_slices: Vec<Arc<SliceTable>>,
    context: ExecContext,
    /// The value of `now()` that the query sets for every run; None if it sets none.
    pinned: Option<i64>,
    uses_clock: bool,
    by_arrival: bool,
    /// The number of rows whose time of arrival is not known, by table. They count as arriving at their own time.
    pub without_arrival: BTreeMap<String, usize>,
    /// The delays in ticks of tables whose rows all arrive equally late, by table.
    pub delays: BTreeMap<String, i64>,
}

/// The columns that show which record a row of the result comes from.
///
/// These columns follow those of the result, in the order below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordColumns {
    /// The time of the record, a datetime.
    Time,
    /// The time of arrival, a datetime; null if the table has no column for it.
    Arrived,
    /// The position of the record in the table, a long.
    Position,
    /// The name of the table of the record, a string.
    Table,
    /// The name of the file of the record, a string.
    File,
    /// The line of the record in its file, a long.
    Line,
}

impl RecordColumns {
    /// All columns, in their order.
    pub const ALL: [Self; 6] = [Self::Time, Self::Arrived, Self::Position, Self::Table, Self::File, Self::Line];

    fn field(self) -> Field {
        let (name, ty) = match self {
            Self::Time => ("$Time", Type::Datetime),
            Self::Arrived => ("$Arrived", Type::Datetime),
            Self::Position => ("$Position", Type::Long),
            Self::Table => ("$Table", Type::String),
            Self::File => ("$File", Type::String),
            Self::Line => ("$Line", Type::Long),
        };
        Field::new(name, ty)
    }
}

/// The result of one run.
#[derive(Clone, Debug)]
pub enum WindowedRows {
    /// No rows: nothing was visible, and the query then returns no rows.
    Nothing,
    /// The same rows as in the previous run, because the run saw the same input and does not depend on the clock.
    Unchanged,
    /// The rows, which may differ from those of the previous run.
    Rows(Vec<Batch>),
}

impl Engine {
    /// Reads what the query needs into memory, and returns it ready to run over windows. None if its plan depends on
    /// the clock, or if it reads a table without a time; such a query must be prepared again for each run.
    ///
    /// # Errors
    /// Errors of preparing the query and of reading files, and `Error::Limit` if the rows do not fit in memory.
    pub fn windowed(&self, text: &str, times: &WindowTimes, report: &Arc<ScanReport>) -> Result<Option<WindowedQuery>> {
        let catalog = Arc::new(RecordedCatalog::new(Arc::clone(&self.catalog)));
        let settings = Settings { time_range: None, ..self.settings.clone() };
        let engine = Self::new(Arc::clone(&catalog) as Arc<dyn Catalog>, settings);
        let arrivals = Arrivals::new(&engine, times, report);
        let Some((bound, context)) = engine.bind_with_clock(text, &catalog, &arrivals, report)? else {
            return Ok(None);
        };
        let pinned = (context.now != self.settings.now).then_some(context.now);
        let exec = engine.context(context, Arc::clone(report));
        let columns = bound.schema().len();
        let gatherer = Gatherer { catalog: &catalog, arrivals: &arrivals, context: &exec };
        let records = engine.carried(&bound, &gatherer, true)?;
        let (plan, records) = match records {
            Some(records) => (engine.carried(&bound, &gatherer, false)?.unwrap_or(bound), Some(records)),
            None => (engine.optimize(bound, &exec.eval)?, None),
        };
        let mut gathered = gather::Gathered::default();
        let Some((plan, slices)) = gatherer.gather(plan, &mut gathered)? else { return Ok(None) };
        let records = records.map(|plan| gatherer.gather(plan, &mut gathered)).transpose()?.flatten();
        let (records, record_slices) = records.map_or((None, Vec::new()), |(plan, slices)| (Some(plan), slices));
        let uses_clock = pinned.is_none() && plan_uses_clock(&plan);
        let context = ExecContext { threads: 1, ..exec.clone() };
        let by_arrival = times.by_arrival;
        Ok(Some(WindowedQuery {
            plan,
            records,
            columns,
            slices,
            record_slices,
            context,
            pinned,
            uses_clock,
            by_arrival,
            without_arrival: gathered.without_arrival,
            delays: arrivals.delays(),
        }))
    }

    /// Adds the columns of [`RecordColumns`] to a plan, and optimizes it; None if a row may come from several records.
    fn carried(&self, plan: &LogicalPlan, gatherer: &Gatherer<'_>, drops_clock: bool) -> Result<Option<LogicalPlan>> {
        let fields = RecordColumns::ALL.map(RecordColumns::field);
        let mut source = |plan: LogicalPlan| gatherer.with_record_columns(plan);
        let carried = Carrier { source: &mut source, fields: &fields, drops_clock }.carry(plan.clone());
        let Some(carried) = carried else { return Ok(None) };
        verify::verify(&carried.plan, "carrying record columns")?;
        self.optimize(carried.plan, &gatherer.context.eval).map(Some)
    }
}

impl WindowedQuery {
    /// Returns the columns of the result, without those of [`RecordColumns`].
    #[must_use]
    pub fn schema(&self) -> Schema {
        let own: Vec<usize> = (0..self.columns).collect();
        self.plan.schema().project(&own)
    }

    /// True if each row of a result comes from one record, and so has the columns of [`RecordColumns`], too.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.records.is_some()
    }

    /// Returns the latest time of any row in memory, including times of arrival; None if there are no rows.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        self.slices.iter().chain(&self.record_slices).filter_map(|slice| slice.latest()).max()
    }

    /// Returns the names of the tables that the query reads.
    #[must_use]
    pub fn tables(&self) -> BTreeSet<String> {
        let mut tables = BTreeSet::new();
        add_tables(&self.plan, &mut tables);
        tables
    }

    /// Returns the number of rows in memory.
    #[must_use]
    pub fn rows_in_memory(&self) -> usize {
        self.slices.iter().map(|slice| slice.rows()).sum()
    }

    /// Runs the query over the rows within `times`, with `now` as its time. `before` is what the previous run saw; it
    /// is set to what this run saw.
    pub fn run(&self, now: i64, times: VisibleTimes, before: &mut Option<Vec<[usize; 2]>>) -> Result<WindowedRows> {
        self.show(&self.slices, times);
        if emptiness::returns_nothing(&self.plan) {
            *before = None;
            return Ok(WindowedRows::Nothing);
        }
        let seen: Option<Vec<[usize; 2]>> = self.slices.iter().map(|slice| slice.range()).collect();
        if !self.uses_clock && seen.is_some() && *before == seen {
            return Ok(WindowedRows::Unchanged);
        }
        *before = seen;
        self.rows(&self.plan, now).map(WindowedRows::Rows)
    }

    /// Returns all rows that the query looks for, no matter when it runs, among the rows of all times in memory; None
    /// if a row of its result may come from several records.
    pub fn records(&self, now: i64) -> Result<Option<Vec<Batch>>> {
        let Some(plan) = &self.records else { return Ok(None) };
        let all = [i64::MIN, i64::MAX];
        self.show(&self.record_slices, VisibleTimes { generated: all, arrived: all });
        self.rows(plan, now).map(Some)
    }

    fn show(&self, slices: &[Arc<SliceTable>], times: VisibleTimes) {
        let VisibleTimes { generated, arrived } = times;
        let bounds = match self.by_arrival {
            true => SliceBounds { key: arrived, other: generated },
            false => SliceBounds { key: generated, other: arrived },
        };
        slices.iter().for_each(|slice| slice.show(bounds));
    }

    fn rows(&self, plan: &LogicalPlan, now: i64) -> Result<Vec<Batch>> {
        let mut context = self.context.clone();
        context.eval.now = self.pinned.unwrap_or(now);
        let mut batches = Vec::new();
        exec::execute(plan, &context, &mut |batch| {
            if batch.rows() > 0 {
                batches.push(batch);
            }
            Ok(Flow::Continue(()))
        })?;
        Ok(batches)
    }
}

fn add_tables(plan: &LogicalPlan, tables: &mut BTreeSet<String>) {
    if let LogicalPlan::Scan(scan) = plan {
        tables.insert(scan.name.clone());
    }
    visit::inputs(plan).into_iter().for_each(|input| add_tables(input, tables));
}

/// The provenance columns by which records are distinguished.
const ORIGINS: [Provenance; 3] = [Provenance::Position, Provenance::File, Provenance::Line];

/// Returns a string literal.
fn text(value: &str) -> Expr {
    Expr::literal(Value::string(value), Span::default())
}
