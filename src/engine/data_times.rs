//! The times of the rows of tables: the first and the last one, and the numbers of rows by the minute.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::time_counts::TimeCounts;
use super::{ArrivalTime, Engine, Settings, WindowTimes};
use crate::binder::with_arrival_columns;
use crate::diagnostic::{Error, Result};
use crate::entra::{INGESTED, RECEIVED};
use crate::exec::{self, Flow};
use crate::functions::EvalContext;
use crate::plan::LogicalPlan;
use crate::scan::{MemoryCatalog, ScanReport, TableProvider};
use crate::syntax::{TokenKind, tokens};
use crate::types::{Batch, Type};

/// The times of the rows of a table.
#[derive(Debug)]
pub struct TableTimes {
    /// The name of the table.
    pub table: String,
    /// The size of its files in bytes.
    pub bytes: u64,
    /// The first and the last time; None if no row has one.
    pub range: Option<[i64; 2]>,
    /// The numbers of rows by the time by which runs select them.
    pub counts: TimeCounts,
}

/// The tables that a query names.
#[derive(Debug)]
struct NamedTables {
    /// Their names, or those of all tables if the query names none.
    names: Vec<String>,
    /// False if the query names none.
    are_named: bool,
}

/// A table and its column of the time.
struct TimedTable {
    table: Arc<dyn TableProvider>,
    column: String,
}

impl Engine {
    /// Returns the first and the last time in the tables that `text` names, or in all tables if it names none.
    pub(crate) fn range_of_data(&self, text: &str, report: &Arc<ScanReport>) -> Result<[Option<i64>; 2]> {
        let (mut first, mut last) = (None, None);
        for name in self.tables_of(text)?.names {
            let Some(timed) = self.timed(&name)? else { continue };
            let Some([earliest, latest]) = self.extremes(&timed, report)? else { continue };
            first = first.into_iter().chain([earliest]).min();
            last = last.max(Some(latest));
        }
        Ok([first, last])
    }

    /// Reads the times of all rows of the tables that `text` names, or of all tables if it names none. True if it names
    /// some.
    ///
    /// # Errors
    /// Errors of reading the files.
    pub fn times_of_data(
        &self,
        text: &str,
        times: &WindowTimes,
        report: &Arc<ScanReport>,
    ) -> Result<(Vec<TableTimes>, bool)> {
        let NamedTables { names, are_named } = self.tables_of(text)?;
        let mut tables = Vec::new();
        for name in names {
            let Some(timed) = self.timed(&name)? else { continue };
            let (_, bytes) = timed.table.extent();
            let (table, arrival) = match times.by_arrival {
                true => self.with_arrival(&name, timed.table, times)?,
                false => (timed.table, None),
            };
            let timed = TimedTable { table, column: timed.column };
            let mut of_table = TableTimes { table: name, bytes, range: None, counts: TimeCounts::default() };
            self.read_times(&timed, arrival, report, &mut of_table)?;
            tables.push(of_table);
        }
        Ok((tables, are_named))
    }

    fn tables_of(&self, text: &str) -> Result<NamedTables> {
        let readable = self.catalog.readable()?;
        let all = tokens(text);
        let is_name = |kind| matches!(kind, TokenKind::Word | TokenKind::String);
        let words: BTreeSet<&str> =
            all.iter().filter(|token| is_name(token.kind)).map(|token| token.text.trim_matches(['\'', '"'])).collect();
        let named: Vec<String> = readable.iter().filter(|name| words.contains(name.as_str())).cloned().collect();
        let are_named = !named.is_empty();
        Ok(NamedTables { names: if are_named { named } else { readable }, are_named })
    }

    /// The table of this name; None if it has no column of the time.
    fn timed(&self, name: &str) -> Result<Option<TimedTable>> {
        let Some(table) = self.catalog.table(name)? else { return Ok(None) };
        let column = self.settings.time_columns.get(name).unwrap_or(&self.settings.time_column);
        Ok(is_datetime(&table, column).then(|| TimedTable { column: column.clone(), table }))
    }

    /// The table with its column of the time of arrival; no column if rows arrive at, or equally long after, their time.
    fn with_arrival(
        &self,
        name: &str,
        table: Arc<dyn TableProvider>,
        times: &WindowTimes,
    ) -> Result<(Arc<dyn TableProvider>, Option<String>)> {
        let named = self.settings.ingestion_columns.get(name).map(String::as_str);
        let columns: Vec<&str> = match times.of(name) {
            ArrivalTime::After(_) | ArrivalTime::Percentile(_) => return Ok((table, None)),
            ArrivalTime::Column(column) => vec![column],
            ArrivalTime::Recorded => named.into_iter().chain([INGESTED, RECEIVED]).collect(),
        };
        let added = columns.iter().copied().filter(|column| *column != RECEIVED);
        let table = with_arrival_columns(table, added)?;
        let column = columns.into_iter().find(|column| is_datetime(&table, column)).map(str::to_owned);
        Ok((table, column))
    }

    /// Reads the times of a table. Rows count at their time of arrival if its column is given and has a value.
    fn read_times(
        &self,
        timed: &TimedTable,
        arrival: Option<String>,
        report: &Arc<ScanReport>,
        found: &mut TableTimes,
    ) -> Result<()> {
        let columns: Vec<String> = std::iter::once(&timed.column).chain(&arrival).map(|name| quoted(name)).collect();
        // Two columns, also if they are the same one.
        let columns = columns.iter().enumerate().map(|(index, name)| format!("C{index} = {name}"));
        let text = format!("T | project {}", columns.collect::<Vec<_>>().join(", "));
        self.run_over(timed, &text, report, &mut |batch| {
            for row in 0..batch.rows() {
                let time = batch.column(0).i64_at(row);
                let counted = arrival.as_ref().and_then(|_| batch.column(1).i64_at(row)).or(time);
                if let Some(time) = time {
                    let [first, last] = found.range.unwrap_or([time, time]);
                    found.range = Some([first.min(time), last.max(time)]);
                }
                found.counts.add(counted);
            }
        })
    }

    /// Returns the first and the last time of a table; None if there are no times. Notes about the files are left to the
    /// query of the user.
    fn extremes(&self, timed: &TimedTable, report: &Arc<ScanReport>) -> Result<Option<[i64; 2]>> {
        let Some(column) = timed.table.schema().index_of(&timed.column) else { return Ok(None) };
        let context = EvalContext::new(self.settings.now, self.settings.seed);
        let context = self.context(context, Arc::clone(report));
        report.without_notes(|| exec::time_range(&*timed.table, column, &context))
    }

    /// Runs a query over a table, which it calls T. Notes about the files are left to the query of the user.
    fn run_over(
        &self,
        timed: &TimedTable,
        text: &str,
        report: &Arc<ScanReport>,
        consume: &mut dyn FnMut(Batch),
    ) -> Result<()> {
        let catalog = MemoryCatalog::default().with("T", Arc::clone(&timed.table));
        let settings = Settings { time_range: None, dedup: None, provenance: false, ..self.settings.clone() };
        let engine = Self::new(Arc::new(catalog), settings);
        report.without_notes(|| {
            let bound = engine.bind(text, report)?;
            let [result] =
                <[_; 1]>::try_from(bound.results).map_err(|_| Error::internal("an internal query has one result"))?;
            let plan: LogicalPlan = engine.optimize(result.plan, &bound.context)?;
            exec::execute(&plan, &engine.context(bound.context, Arc::clone(report)), &mut |batch| {
                consume(batch);
                Ok(Flow::Continue(()))
            })
        })
    }
}

fn is_datetime(table: &Arc<dyn TableProvider>, column: &str) -> bool {
    let schema = table.schema();
    schema.index_of(column).is_some_and(|index| schema.field(index).ty == Type::Datetime)
}

/// A column name in a query.
fn quoted(column: &str) -> String {
    format!("['{}']", column.replace('\\', "\\\\").replace('\'', "\\'"))
}
