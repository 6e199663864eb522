//! What an alert rule would have done over an archive: its query runs at every tick, over the rows that the service would
//! have seen then, and the results become alerts as they would have there.
//!
//! [`crate::rules`] has the arithmetic of ticks and windows and the states of alerts; here are the rows.

mod alert;
mod backtester;
mod condition;
mod cost;
mod coverage;
mod event;
mod joined_alerts;
mod lifecycles;
mod rows;
mod rule_state;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use alert::Alert;
pub use cost::RunCost;
pub use coverage::DataRange;
pub use event::{EventOutcome, MissReason, SoughtEvent};
pub use rule_state::{ContentHash, RuleState};

use backtester::Backtester;
use condition::ConditionTest;
use cost::TableRows;
use event::EventRuns;
use rows::{RunRows, RunSource};

use crate::diagnostic::{Error, Result};
use crate::engine::{ArrivalTime, Engine, WindowTimes};
use crate::entra::{INGESTED, RECEIVED};
use crate::rules::alert_state::AlertState;
use crate::rules::schedule::{RowWindow, RunRange, TickGrid, WindowEdges};
use crate::rules::{
    AlertRule, AlertSchedule, RuleFileError, ThresholdOperator, WindowClock, allows_lookback, validate,
};
use crate::scan::ScanReport;
use crate::types::{Batch, Schema, datetime, timespan};

/// The maximum number of runs of a backtest: a run a minute for nineteen years.
const MAX_RUNS: u64 = 10_000_000;
/// The maximum number of combinations of dimension values whose alerts are followed.
const MAX_COMBINATIONS: usize = 100_000;

/// What a backtest assumes about the service and the data.
#[derive(Clone, Debug)]
pub struct Assumptions {
    /// The first moment of the backtest; None for the first time of the data.
    pub from: Option<i64>,
    /// The moment after the last one; None for the last time of the data.
    pub to: Option<i64>,
    /// A time at which the rule runs; None for the midnight before the first moment.
    pub anchor: Option<i64>,
    /// The number of anchors to compare, spread over the frequency, at least 1.
    pub anchors: u32,
    /// Whether a window includes its first moment.
    pub edges: WindowEdges,
    /// The time between the end of a window and the run; None for that of the service.
    pub grace: Option<i64>,
    /// When rows arrive, by table.
    pub times: WindowTimes,
    /// The lookback of a custom detection that names none; None for the longest that its service allows.
    pub lookback: Option<i64>,
    /// True if another backtest goes on after this one: runs wait until all rows that they see may have arrived, and what
    /// becomes of events is not followed. The end must be given.
    pub keeps_state: bool,
    /// The state after an earlier backtest, with which this one goes on.
    pub resumed: Option<RuleState>,
    /// True if the rows that runs would read are counted.
    pub counts_rows: bool,
    /// True if files are read again at every run: slow, and returns the same.
    pub rescans: bool,
}

/// Why a backtest has no result.
#[derive(Debug)]
pub enum BacktestError {
    /// The rule cannot work with the results of its query.
    Rule(Vec<RuleFileError>),
    /// The tables that the rule reads have no rows with times.
    NoRows,
    /// Anything else.
    Other(Error),
}

impl From<Error> for BacktestError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The result of a backtest.
#[derive(Debug)]
pub struct Backtest {
    /// The schedule, with the assumed grace.
    pub schedule: AlertSchedule,
    /// The times of the runs.
    pub grid: TickGrid,
    /// The runs.
    pub runs: RunRange,
    /// The first moment and the moment after the last one.
    pub range: [i64; 2],
    /// The times of the rows of the tables that the rule reads; None if they have none.
    pub data: Option<DataRange>,
    /// True if the condition is met by a lack of rows: no event causes an alert.
    pub is_about_absence: bool,
    /// The alerts, in order.
    pub alerts: Vec<Alert>,
    /// Evaluations whose state is not [`AlertState::NoAlert`], in order.
    pub states: Vec<StateChange>,
    /// The number of runs that suppression prevented.
    pub suppressed: u64,
    /// What became of each record that the query looks for; None if the rows of the query are not records.
    pub events: Option<Vec<EventOutcome>>,
    /// What comes out with each anchor; the first one is that of this result.
    pub anchors: Vec<AnchorOutcome>,
    /// The columns of the query.
    pub schema: Schema,
    /// The tables that the query reads.
    pub tables: Vec<String>,
    /// The state after the last run; None if none was evaluated.
    pub state: Option<RuleState>,
    /// The number of rows that runs read from memory; None if they read the files.
    pub rows_in_memory: Option<usize>,
    /// By table, the number of rows whose time of arrival is not known: they count as arriving at their time.
    pub without_arrival: BTreeMap<String, usize>,
    /// What the runs would read; None unless that was to be counted, or if the tables are not known.
    pub cost: Option<RunCost>,
}

/// What comes out with an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorOutcome {
    /// The number of alerts.
    pub alerts: usize,
    /// The number of events that no alert includes; None if that is not known.
    pub missed: Option<usize>,
}

/// The state of a combination of dimension values after a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    /// The time of the run.
    pub time: i64,
    /// The state.
    pub state: AlertState,
    /// The names and values of the dimensions.
    pub dimensions: Vec<(String, String)>,
    /// The value that was compared.
    pub value: f64,
    /// The value of each period, the latest first; None if a period has none.
    pub periods: Vec<Option<f64>>,
}

/// Runs `rule` over the tables of `engine`.
///
/// # Errors
/// The query is wrong, the rule does not fit its results, data cannot be read or are missing, or a limit is exceeded.
pub fn run(
    rule: &AlertRule,
    engine: &Engine,
    assumptions: &Assumptions,
    report: &Arc<ScanReport>,
) -> std::result::Result<Backtest, BacktestError> {
    let schedule = assumed_schedule(rule, assumptions)?;
    let (table_rows, data) = match assumptions.counts_rows {
        true => TableRows::read(rule, engine, assumptions, report).map(|(rows, data)| (Some(rows), data))?,
        false => (None, DataRange::of(rule, engine, report)?),
    };
    let source = RunSource::new(rule, engine, assumptions, report)?;
    let problems = validate::result(rule, &source.schema());
    if !problems.is_empty() {
        return Err(BacktestError::Rule(problems));
    }
    let range = coverage::range(data, assumptions)?;
    if assumptions.to.is_none() && source.rows_in_memory().is_none() && schedule.clock == WindowClock::Ingested {
        // Only rows in memory tell when the last one arrived.
        let text = format!(
            "the query of the rule `{}` reads the files at every run, and the rule runs by the time of arrival: give the \
             end of the runs with --to",
            rule.name
        );
        return Err(Error::Usage(text).into());
    }
    source.report_files(range[1])?;
    // The rule itself does not read these columns.
    for name in [INGESTED, RECEIVED].into_iter().filter(|name| !rule.query.text.contains(name)) {
        report.forget_empty_column(name);
    }
    let condition = ConditionTest::new(&rule.condition, schedule.lookback, assumptions.edges, &source.schema())?;
    let is_about_absence = is_about_absence(rule, &source, &condition, range[0])?;
    let records = match (is_about_absence, assumptions.keeps_state) {
        (_, true) => None,
        (true, false) => Some(Vec::new()),
        (false, false) => source.records(range[1])?,
    };
    let latest = |data: DataRange| DataRange {
        latest: source.latest().map_or(data.latest, |latest| latest.max(data.latest)),
        ..data
    };
    let data = data.map(latest);
    let records = records.as_deref();
    let table_rows = table_rows.and_then(|rows| rows.of_query(source.read_tables().as_ref()));
    let test = AnchorTest {
        rule,
        schedule,
        source: &source,
        assumptions,
        range,
        data,
        condition,
        is_about_absence,
        records,
        table_rows,
    };
    let resumed = assumptions.resumed.as_ref().map(|state| state.anchor);
    let anchor = resumed.or(assumptions.anchor).unwrap_or_else(|| midnight_before(range[0]));
    let mut first = test.run(anchor)?;
    for number in 1..i64::from(assumptions.anchors) {
        let shift = i128::from(schedule.frequency) * i128::from(number) / i128::from(assumptions.anchors);
        let other = test.run(anchor.saturating_add(i64::try_from(shift).unwrap_or(0)))?;
        first.anchors.extend(other.anchors);
    }
    Ok(first)
}

/// The schedule of a rule, with what is assumed about it.
///
/// # Errors
/// No service allows the lookback that is assumed.
fn assumed_schedule(rule: &AlertRule, assumptions: &Assumptions) -> Result<AlertSchedule> {
    let mut schedule = rule.schedule;
    schedule.delay = assumptions.grace.unwrap_or(schedule.delay);
    if let Some(lookback) = assumptions.lookback.filter(|_| rule.assumes_lookback) {
        if !allows_lookback(schedule.frequency, lookback) {
            let frequency = timespan::to_text(schedule.frequency);
            let text = format!("--lookback must be from the frequency of the rule, {frequency}, to 30 days");
            return Err(Error::Usage(text));
        }
        schedule.lookback = lookback;
    }
    Ok(schedule)
}

/// True if a lack of rows meets the condition: few rows do, or a run that sees none.
fn is_about_absence(
    rule: &AlertRule,
    source: &RunSource<'_>,
    condition: &ConditionTest<'_>,
    time: i64,
) -> Result<bool> {
    if let ThresholdOperator::LessThan | ThresholdOperator::LessThanOrEqual = rule.condition.operator {
        return Ok(true);
    }
    let mut rows = RunRows::default();
    let nothing = [i64::MIN, i64::MIN];
    source.run(time, RowWindow { generated: nothing, arrived: nothing }, &mut rows)?;
    Ok(condition.combinations(&rows.batches, time).iter().any(|tested| tested.is_met))
}

/// Everything that does not depend on the anchor.
struct AnchorTest<'a> {
    rule: &'a AlertRule,
    schedule: AlertSchedule,
    source: &'a RunSource<'a>,
    assumptions: &'a Assumptions,
    range: [i64; 2],
    data: Option<DataRange>,
    condition: ConditionTest<'a>,
    is_about_absence: bool,
    records: Option<&'a [Batch]>,
    table_rows: Option<TableRows>,
}

impl AnchorTest<'_> {
    fn run(&self, anchor: i64) -> Result<Backtest> {
        let Self { rule, schedule, source, assumptions, range, data, records, .. } = *self;
        let grid = TickGrid { anchor, frequency: schedule.frequency };
        let latest = data.map_or(range[1], |data| data.latest.max(range[1]));
        let absence_in = data.filter(|_| self.is_about_absence);
        let runs = coverage::runs(&schedule, grid, [range[0], latest], assumptions, absence_in)?;
        let mut backtest = Backtester::new(rule, schedule, source, &self.condition, assumptions.edges, data);
        backtest.table_rows = self.table_rows.as_ref();
        if let Some(state) = &assumptions.resumed {
            backtest.resume(state);
        }
        for run in runs.runs() {
            source.check_cancelled()?;
            backtest.run(run, grid.time(run))?;
        }
        let state = (runs.count() > 0).then(|| backtest.state(anchor, grid.time(runs.last)));
        let arrived = |table: &str, time: i64, column: Option<i64>| source.arrived(table, time, column);
        let admits = |batch: &Batch, row: usize| self.condition.admits(batch, row);
        let edges = assumptions.edges;
        let event_runs = EventRuns { schedule: &schedule, grid, runs, edges, arrived: &arrived, admits: &admits };
        let mut log = backtest.events;
        let outcomes = |batches: &[Batch]| log.outcomes(batches, source.record_column(), range, &event_runs);
        let events = records.map(outcomes);
        let is_missed = |event: &&EventOutcome| event.caught.is_err_and(|reason| !reason.is_undecided());
        let missed = events.as_ref().map(|events| events.iter().filter(is_missed).count());
        let anchors = vec![AnchorOutcome { alerts: backtest.alerts.len(), missed }];
        Ok(Backtest {
            schedule,
            grid,
            runs,
            range,
            data,
            is_about_absence: self.is_about_absence,
            alerts: backtest.alerts,
            states: backtest.states,
            suppressed: backtest.suppressed,
            events,
            anchors,
            schema: source.schema(),
            tables: source.tables(),
            state,
            rows_in_memory: source.rows_in_memory(),
            without_arrival: source.without_arrival(),
            cost: self.table_rows.as_ref().map(|_| backtest.cost),
        })
    }
}

fn midnight_before(time: i64) -> i64 {
    datetime::start_of(time, datetime::Period::Day, 0).unwrap_or(time)
}

impl Assumptions {
    /// Rows arrive at their time, and the service behaves as observed.
    #[must_use]
    pub fn new(rule: &AlertRule) -> Self {
        let by_arrival = rule.schedule.clock == WindowClock::Ingested;
        let times = WindowTimes { arrivals: BTreeMap::new(), arrival: ArrivalTime::Recorded, by_arrival };
        Self {
            from: None,
            to: None,
            anchor: None,
            anchors: 1,
            edges: WindowEdges::Inclusive,
            grace: None,
            lookback: None,
            keeps_state: false,
            resumed: None,
            times,
            counts_rows: false,
            rescans: false,
        }
    }
}

#[cfg(test)]
mod tests;
