//! Reads the tables of a plan into memory, applying those conditions that do not depend on the clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::clock::uses_clock;
use super::{ArrivalTime, ORIGINS, WindowTimes, text};
use crate::binder::{INGESTED, RECEIVED, with_arrival_columns};
use crate::diagnostic::{Error, Result, Span};
use crate::engine::Engine;
use crate::exec::{self, ExecContext};
use crate::expr::Expr;
use crate::optimizer::{conjunction, conjuncts};
use crate::plan::{LogicalPlan, Scan, ScanFilter, visit};
use crate::scan::{RecordedCatalog, ScanColumn, SharedSlice, SliceRows, SliceTable};
use crate::types::{Batch, Column, Field, Schema, Type, Value};

/// The tables that were read into memory.
#[derive(Default)]
pub(super) struct Gathered {
    /// The scans that were read, with their rows.
    known: Vec<(Scan, Arc<SliceTable>)>,
    /// The number of rows whose time of arrival is not known, by table.
    pub without_arrival: BTreeMap<String, usize>,
    /// The delays in ticks of tables whose rows all arrive equally late, by table.
    pub delays: BTreeMap<String, i64>,
}

/// Reads the tables of a query into memory.
pub(super) struct Gatherer<'a> {
    pub engine: &'a Engine,
    pub catalog: &'a RecordedCatalog,
    pub times: &'a WindowTimes,
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
            let Some(time) = self.time_of(&scan) else {
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
        let time = self.time_of(&scan)?;
        let arrived = match self.arrival_of(&scan).ok()? {
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
        let named = self.engine.settings().ingestion_columns.get(&scan.name).map(String::as_str);
        let names: Vec<&str> = match self.times.of(&scan.name) {
            ArrivalTime::After(_) => return Ok(scan),
            ArrivalTime::Column(name) => vec![name.as_str()],
            ArrivalTime::Recorded | ArrivalTime::Percentile(_) => named.into_iter().chain([INGESTED]).collect(),
        };
        Ok(Scan { table: with_arrival_columns(Arc::clone(&scan.table), names)?, ..scan })
    }

    /// Returns the position of the time column of a table; None if it has none.
    fn time_of(&self, scan: &Scan) -> Option<usize> {
        let settings = self.engine.settings();
        let name = settings.time_columns.get(&scan.name).unwrap_or(&settings.time_column);
        datetime_column(scan, name)
    }

    fn arrival_of(&self, scan: &Scan) -> Result<Arrival> {
        match self.times.of(&scan.name) {
            ArrivalTime::After(delay) => Ok(Arrival::After { delay: *delay, is_known: true }),
            ArrivalTime::Column(name) => datetime_column(scan, name).map(Arrival::Column).ok_or_else(|| {
                Error::Usage(format!("the table {} has no datetime column {name} for the time of arrival", scan.name))
            }),
            ArrivalTime::Recorded | ArrivalTime::Percentile(_) => {
                let named = self.engine.settings().ingestion_columns.get(&scan.name).map(String::as_str);
                let column = named.into_iter().chain([INGESTED, RECEIVED]).find_map(|name| datetime_column(scan, name));
                Ok(column.map_or(Arrival::After { delay: 0, is_known: false }, Arrival::Column))
            }
        }
    }

    /// Returns when the rows of a table arrive. A percentile is converted to a delay that is the same for all rows;
    /// such a delay is recorded in `gathered`.
    fn delayed(&self, scan: &Scan, time: usize, arrival: Arrival, gathered: &mut Gathered) -> Result<Arrival> {
        let delay = match (self.times.of(&scan.name), arrival) {
            (ArrivalTime::Percentile(percent), Arrival::Column(column)) => match gathered.delays.get(&scan.name) {
                Some(delay) => *delay,
                None => self.percentile(scan, [time, column], *percent)?,
            },
            (ArrivalTime::Percentile(_), Arrival::After { .. }) => {
                let name = &scan.name;
                return Err(Error::Usage(format!("{name} has no ingestion time: give its delay as fixed:SPAN")));
            }
            (ArrivalTime::After(delay), _) => *delay,
            _ => return Ok(arrival),
        };
        gathered.delays.insert(scan.name.clone(), delay);
        Ok(Arrival::After { delay, is_known: true })
    }

    /// Returns the delay in ticks that `percent` percent of the rows of a table do not exceed.
    fn percentile(&self, scan: &Scan, columns: [usize; 2], percent: u8) -> Result<i64> {
        let columns = columns.map(ScanColumn::Column).to_vec();
        let fields = ["Time", "Arrived"].map(|name| Field::new(name, Type::Datetime));
        let all =
            Scan { columns, schema: Schema::new(fields), filter: None, prune: Vec::new(), limit: None, ..scan.clone() };
        let mut delays = Vec::new();
        for batch in exec::collect(&LogicalPlan::Scan(all), self.context)? {
            let [generated, arrived] = [0, 1].map(|column| times(batch.column(column)));
            let delay =
                |(generated, arrived): (&Option<i64>, &Option<i64>)| Some((*arrived)?.saturating_sub((*generated)?));
            delays.extend(generated.iter().zip(&arrived).filter_map(delay));
        }
        delays.sort_unstable();
        let rank = (delays.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
        delays.get(rank).copied().ok_or_else(|| {
            Error::Usage(format!("no row of {} has an ingestion time: give the delay as fixed:SPAN", scan.name))
        })
    }

    fn slice(&self, scan: &Scan, time: usize, gathered: &mut Gathered) -> Result<Arc<SliceTable>> {
        let arrival = self.delayed(scan, time, self.arrival_of(scan)?, gathered)?;
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
        let arrived =
            arrived.iter().zip(&generated).map(|(arrived, time)| arrived.or(*time).unwrap_or(NEVER)).collect();
        let generated = generated.into_iter().map(|time| time.unwrap_or(NEVER)).collect();
        let (keys, others): (Vec<i64>, Vec<i64>) =
            if self.times.by_arrival { (arrived, generated) } else { (generated, arrived) };
        let (table, columns) = (scan.table.schema().clone(), scan.columns.clone());
        SliceTable::new(table, SliceRows { columns, rows, keys, others })
    }
}

/// The time of a row that has none. The times of a run never reach it, so such a row is never visible.
const NEVER: i64 = i64::MAX;

/// When the rows of a table arrive, in terms of its columns.
#[derive(Clone, Copy)]
enum Arrival {
    /// At the time in the column at this position.
    Column(usize),
    /// The given number of ticks after the time of the row.
    After { delay: i64, is_known: bool },
}

fn datetime_column(scan: &Scan, name: &str) -> Option<usize> {
    let schema = scan.table.schema();
    schema.index_of(name).filter(|index| schema.field(*index).ty == Type::Datetime)
}

fn times(column: &Column) -> Vec<Option<i64>> {
    (0..column.rows()).map(|row| column.i64_at(row)).collect()
}

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
    let kept = filter.and_then(|filter| {
        let parts = conjuncts(filter.predicate.clone()).into_iter().filter(|part| !uses_clock(part)).collect();
        conjunction(parts).map(|predicate| ScanFilter { columns: filter.columns.clone(), predicate })
    });
    Scan { columns, schema, filter: kept, limit: None, ..scan.clone() }
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
