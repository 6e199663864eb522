//! The rows that a run of a rule sees: from memory if the query allows that, else from the files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Assumptions;
use crate::diagnostic::{Error, Result};
use crate::engine::{
    ArrivalRange, ArrivalTime, Engine, RecordColumns, RuleRun, Settings, TimeRange, VisibleTimes, WindowedQuery,
    WindowedRows,
};
use crate::rules::schedule::{RowWindow, WindowEdges};
use crate::rules::{AlertRule, RuleKind};
use crate::scan::ScanReport;
use crate::types::{Batch, Schema};

/// The rows of the run before, and of this one.
#[derive(Default)]
pub(super) struct RunRows {
    /// The rows.
    pub batches: Vec<Batch>,
    /// What the run saw.
    seen: Option<Vec<[usize; 2]>>,
}

/// Returns the rows of the query of a rule, for one run after the other.
pub(super) struct RunSource<'a> {
    rule: &'a AlertRule,
    assumptions: &'a Assumptions,
    engine: Engine,
    /// The query over rows in memory; None if files are read at every run.
    windowed: Option<WindowedQuery>,
    schema: Schema,
    report: &'a Arc<ScanReport>,
}

impl<'a> RunSource<'a> {
    /// Prepares the query, and reads what it needs.
    pub fn new(
        rule: &'a AlertRule,
        engine: &'a Engine,
        assumptions: &'a Assumptions,
        report: &'a Arc<ScanReport>,
    ) -> Result<Self> {
        let engine = engine.with_settings(Settings {
            rule_run: Some(rule_run(rule, assumptions)),
            arrivals: Some(assumptions.times.clone()),
            ..engine.settings().clone()
        });
        let windowed = match assumptions.rescans {
            true => None,
            false => match engine.windowed(&rule.query.text, &assumptions.times, report) {
                // What does not fit in memory is read again and again.
                Err(Error::Limit(_)) => None,
                other => other?,
            },
        };
        let schema = match &windowed {
            Some(query) => query.schema(),
            None => {
                // Subqueries that this runs have another clock than that of any run.
                let prepared = engine.prepare_with(&rule.query.text, engine.report())?;
                prepared.schema().clone()
            }
        };
        Ok(Self { rule, assumptions, engine, windowed, schema, report })
    }

    /// The columns of the query.
    pub fn schema(&self) -> Schema {
        self.schema.clone()
    }

    /// The tables that the query reads; None if it is bound at every run.
    pub fn read_tables(&self) -> Option<BTreeSet<String>> {
        self.windowed.as_ref().map(WindowedQuery::tables)
    }

    /// The tables that the query reads; if it is bound at every run, the known tables of the rows that were read.
    pub fn tables(&self) -> Vec<String> {
        self.read_tables().map_or_else(|| self.report.tables(), |tables| tables.into_iter().collect())
    }

    /// The position of the first column that tells which record a row is; None if rows are not records.
    pub fn record_column(&self) -> Option<usize> {
        self.windowed.as_ref().filter(|query| query.has_records()).map(|_| self.schema.len())
    }

    /// The number of rows that runs read from memory; None if they read the files.
    pub fn rows_in_memory(&self) -> Option<usize> {
        self.windowed.as_ref().map(WindowedQuery::rows_in_memory)
    }

    /// By table, the number of rows whose time of arrival is not known.
    pub fn without_arrival(&self) -> BTreeMap<String, usize> {
        self.windowed.as_ref().map(|query| query.without_arrival.clone()).unwrap_or_default()
    }

    /// The latest arrival of rows in memory.
    pub fn latest(&self) -> Option<i64> {
        self.windowed.as_ref().and_then(WindowedQuery::latest)
    }

    /// When a record of a table arrived, by its time and by the value of its column.
    pub fn arrived(&self, table: &str, time: i64, column: Option<i64>) -> Option<i64> {
        let delay = self.windowed.as_ref().and_then(|query| query.delays.get(table));
        delay.map(|delay| time.saturating_add(*delay)).or(column).or(Some(time))
    }

    /// Returns an error if the run was stopped.
    pub fn check_cancelled(&self) -> Result<()> {
        match self.engine.settings().cancelled.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// Replaces `rows` by those of the run at `time`, which sees `window`.
    pub fn run(&self, time: i64, window: RowWindow, rows: &mut RunRows) -> Result<()> {
        let RowWindow { generated, arrived } = window;
        let Some(query) = &self.windowed else {
            rows.batches = self.rescanned(time, window)?;
            return Ok(());
        };
        match query.run(time, VisibleTimes { generated, arrived }, &mut rows.seen)? {
            WindowedRows::Nothing => rows.batches = Vec::new(),
            WindowedRows::Unchanged => {}
            WindowedRows::Rows(batches) => rows.batches = batches,
        }
        Ok(())
    }

    /// The records that the query looks for; None if its rows are not records.
    pub fn records(&self, now: i64) -> Result<Option<Vec<Batch>>> {
        self.windowed.as_ref().map_or(Ok(None), |query| query.records(now))
    }

    /// Reads everything that runs read from the files, once, so that what the files lack is reported once.
    pub fn report_files(&self, now: i64) -> Result<()> {
        if self.windowed.is_some() {
            return Ok(());
        }
        let engine = self.engine.with_settings(Settings { now, ..self.engine.settings().clone() });
        let prepared = engine.prepare_with(&self.rule.query.text, Arc::clone(self.report))?;
        prepared.run(&mut |_| Ok(crate::engine::Flow::Continue(()))).map(drop)
    }

    /// Runs the query over the files.
    fn rescanned(&self, time: i64, window: RowWindow) -> Result<Vec<Batch>> {
        let RowWindow { mut generated, arrived } = window;
        let mut settings = self.engine.settings().clone();
        settings.now = time;
        settings.arrival_range = match &self.assumptions.times.arrival {
            _ if !self.assumptions.times.arrivals.is_empty() => {
                let name = &self.rule.name;
                return Err(Error::Limit(format!(
                    "the query of `{name}` cannot run over rows in memory, so delays by table are not possible"
                )));
            }
            ArrivalTime::After(delay) => {
                let [first, last] = arrived.map(|time| time.saturating_sub(*delay));
                generated = [generated[0].max(first), generated[1].min(last)];
                None
            }
            ArrivalTime::Percentile(_) => {
                let name = &self.rule.name;
                return Err(Error::Limit(format!(
                    "the query of `{name}` cannot run over rows in memory, so p99 is not possible: give a fixed delay"
                )));
            }
            ArrivalTime::Column(column) => Some(arrival_range(Some(column.clone()), arrived)),
            ArrivalTime::Recorded => Some(arrival_range(None, arrived)),
        };
        let column = settings.time_column.clone();
        let [from, through] = generated;
        settings.time_range = Some(TimeRange { column, from: Some(from), to: None, through: Some(through) });
        let engine = self.engine.with_settings(settings);
        let prepared = engine.prepare_with(&self.rule.query.text, engine.report())?;
        let mut batches = Vec::new();
        prepared.run(&mut |batch| {
            batches.push(batch);
            Ok(crate::engine::Flow::Continue(()))
        })?;
        Ok(batches)
    }
}

/// How the query is bound. Azure Monitor replaces `bin()` by `bin_at()`, so that bins meet at the end of the window; if
/// windows exclude their first moment, bins do so, too.
fn rule_run(rule: &AlertRule, assumptions: &Assumptions) -> RuleRun {
    let point = i64::from(assumptions.edges == WindowEdges::HalfOpen);
    RuleRun { bin_point: (rule.kind == RuleKind::LogAlert).then_some(point) }
}

fn arrival_range(column: Option<String>, [from, through]: [i64; 2]) -> ArrivalRange {
    ArrivalRange { column, from, through }
}

/// The values of the record columns of a row.
pub(super) struct RecordRow<'b> {
    pub batch: &'b Batch,
    pub row: usize,
    /// The position of the first record column.
    pub first: usize,
}

impl RecordRow<'_> {
    fn index(&self, column: RecordColumns) -> usize {
        self.first + RecordColumns::ALL.iter().position(|known| *known == column).unwrap_or(0)
    }

    /// A datetime or long.
    pub fn number(&self, column: RecordColumns) -> Option<i64> {
        self.batch.column(self.index(column)).i64_at(self.row)
    }

    /// A string.
    pub fn text(&self, column: RecordColumns) -> &str {
        self.batch.column(self.index(column)).text_at(self.row).unwrap_or_default()
    }
}
