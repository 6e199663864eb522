//! When the rows of a table arrive in the runs of a rule, by what a backtest assumes about that.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ArrivalTime, WindowTimes};
use crate::binder::{TableArrival, datetime_column, with_arrival_columns};
use crate::diagnostic::{Error, Result};
use crate::engine::Engine;
use crate::entra::{INGESTED, RECEIVED};
use crate::exec;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, Scan};
use crate::scan::{ScanColumn, ScanReport, TableProvider};
use crate::types::{Column, Field, Schema, Type};

/// When the rows of a table arrive, in terms of its columns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrival {
    /// At the time in the column at this position.
    Column(usize),
    /// The given number of ticks after the time of the row.
    After { delay: i64, is_known: bool },
}

/// The times of arrival of the tables of an engine.
pub(in crate::engine) struct Arrivals<'a> {
    engine: &'a Engine,
    /// The assumed times of arrival.
    pub(super) times: &'a WindowTimes,
    report: &'a Arc<ScanReport>,
    /// The delays in ticks of tables whose rows all arrive equally late, by table.
    delays: RefCell<BTreeMap<String, i64>>,
    /// The names of tables and of columns that their records lack.
    lacking: RefCell<BTreeSet<[String; 2]>>,
}

impl<'a> Arrivals<'a> {
    /// Nothing was read yet.
    pub fn new(engine: &'a Engine, times: &'a WindowTimes, report: &'a Arc<ScanReport>) -> Self {
        Self { engine, times, report, delays: RefCell::default(), lacking: RefCell::default() }
    }

    /// Returns when the rows of a table arrive, in terms of the names of its columns; None if it has no time.
    pub fn of_table(&self, name: &str, table: &Arc<dyn TableProvider>) -> Result<Option<TableArrival>> {
        let table = self.with_column(name, Arc::clone(table))?;
        let Some(time) = self.time_of(name, table.schema()) else { return Ok(None) };
        let name_of = |column: usize| table.schema().field(column).name.clone();
        let (column, delay) = match self.of(name, &table)? {
            Arrival::Column(column) => (Some(name_of(column)), 0),
            Arrival::After { delay, .. } => (None, delay),
        };
        Ok(Some(TableArrival { column, time: name_of(time), delay }))
    }

    /// Returns the table with the column of the time of arrival, if its records have that. Records are not searched again
    /// for a column that they lack.
    pub(super) fn with_column(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>> {
        let columns: Vec<&str> = match self.times.of(name) {
            ArrivalTime::After(_) => return Ok(table),
            ArrivalTime::Column(column) => vec![column.as_str()],
            ArrivalTime::Recorded | ArrivalTime::Percentile(_) => {
                self.named_column(name).into_iter().chain([INGESTED]).collect()
            }
        };
        let mut lacking = self.lacking.borrow_mut();
        let key = |column: &str| [name.to_owned(), column.to_owned()];
        let searched = columns.iter().copied().filter(|column| !lacking.contains(&key(column)));
        let table = with_arrival_columns(table, searched)?;
        lacking.extend(columns.iter().filter(|column| table.schema().index_of(column).is_none()).map(|c| key(c)));
        Ok(table)
    }

    /// Returns the position of the time column of a table; None if it has none.
    pub(super) fn time_of(&self, name: &str, schema: &Schema) -> Option<usize> {
        let settings = self.engine.settings();
        datetime_column(schema, settings.time_columns.get(name).unwrap_or(&settings.time_column))
    }

    /// Returns when the rows of a table arrive, given the table with the column of the time of arrival. A percentile is
    /// converted to a delay that is the same for all rows.
    pub(super) fn of(&self, name: &str, table: &Arc<dyn TableProvider>) -> Result<Arrival> {
        let recorded = || {
            let names = self.named_column(name).into_iter().chain([INGESTED, RECEIVED]);
            names.into_iter().find_map(|column| datetime_column(table.schema(), column))
        };
        let delay = match self.times.of(name) {
            ArrivalTime::After(delay) => *delay,
            ArrivalTime::Column(column) => {
                return datetime_column(table.schema(), column).map(Arrival::Column).ok_or_else(|| {
                    Error::Usage(format!("the table {name} has no datetime column {column} for the time of arrival"))
                });
            }
            ArrivalTime::Recorded => {
                return Ok(recorded().map_or(Arrival::After { delay: 0, is_known: false }, Arrival::Column));
            }
            ArrivalTime::Percentile(percent) => self.percentile(name, table, recorded(), *percent)?,
        };
        self.delays.borrow_mut().insert(name.to_owned(), delay);
        Ok(Arrival::After { delay, is_known: true })
    }

    /// Returns the delays in ticks of tables whose rows all arrive equally late, by table.
    pub(super) fn delays(self) -> BTreeMap<String, i64> {
        self.delays.into_inner()
    }

    /// Returns the ingestion column of a table that the user names.
    fn named_column(&self, name: &str) -> Option<&str> {
        self.engine.settings().ingestion_columns.get(name).map(String::as_str)
    }

    /// Returns the delay in ticks that `percent` percent of the rows of a table do not exceed.
    fn percentile(
        &self,
        name: &str,
        table: &Arc<dyn TableProvider>,
        arrival: Option<usize>,
        percent: u8,
    ) -> Result<i64> {
        if let Some(delay) = self.delays.borrow().get(name) {
            return Ok(*delay);
        }
        let (Some(arrival), Some(time)) = (arrival, self.time_of(name, table.schema())) else {
            return Err(Error::Usage(format!("{name} has no ingestion time: give its delay as fixed:SPAN")));
        };
        let mut delays = self.delays_of_rows(name, table, [time, arrival])?;
        delays.sort_unstable();
        let rank = (delays.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
        delays.get(rank).copied().ok_or_else(|| {
            Error::Usage(format!("no row of {name} has an ingestion time: give the delay as fixed:SPAN"))
        })
    }

    fn delays_of_rows(&self, name: &str, table: &Arc<dyn TableProvider>, columns: [usize; 2]) -> Result<Vec<i64>> {
        let schema = Schema::new(["Time", "Arrived"].map(|name| Field::new(name, Type::Datetime)));
        let columns = columns.map(ScanColumn::Column).to_vec();
        let (name, table) = (name.to_owned(), Arc::clone(table));
        let scan = Scan { name, table, columns, schema, filter: None, prune: Vec::new(), limit: None };
        let settings = self.engine.settings();
        let context = self.engine.context(EvalContext::new(settings.now, settings.seed), Arc::clone(self.report));
        let mut delays = Vec::new();
        for batch in exec::collect(&LogicalPlan::Scan(scan), &context)? {
            let [generated, arrived] = [0, 1].map(|column| times(batch.column(column)));
            let delay =
                |(generated, arrived): (&Option<i64>, &Option<i64>)| Some((*arrived)?.saturating_sub((*generated)?));
            delays.extend(generated.iter().zip(&arrived).filter_map(delay));
        }
        Ok(delays)
    }
}

/// Returns the datetimes of a column.
pub(super) fn times(column: &Column) -> Vec<Option<i64>> {
    (0..column.rows()).map(|row| column.i64_at(row)).collect()
}
