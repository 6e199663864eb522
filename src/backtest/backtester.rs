//! Evaluates one run after the other: the condition, the states of alerts, suppression.

use std::collections::BTreeSet;

use super::StateChange;
use super::alert::{Alert, AlertMaker};
use super::condition::{ConditionTest, TestedRows};
use super::cost::{RunCost, TableRows};
use super::coverage::DataRange;
use super::event::{MissReason, RecordLog, outcome_of};
use super::joined_alerts::JoinedAlerts;
use super::lifecycles::Lifecycles;
use super::rows::{RunRows, RunSource};
use super::rule_state::RuleState;
use crate::diagnostic::Result;
use crate::rules::alert_state::{AlertState, AlertTransition};
use crate::rules::schedule::WindowEdges;
use crate::rules::{AlertRule, AlertSchedule};

/// The state of a backtest between two runs.
pub(super) struct Backtester<'a> {
    rule: &'a AlertRule,
    schedule: AlertSchedule,
    source: &'a RunSource<'a>,
    edges: WindowEdges,
    data: Option<DataRange>,
    test: &'a ConditionTest<'a>,
    /// True if a run without rows meets the condition.
    fires_without_rows: bool,
    maker: AlertMaker<'a>,
    lifecycles: Lifecycles,
    /// The alerts of custom detections, which later rows join.
    joined: Option<JoinedAlerts>,
    suppressed_until: Option<i64>,
    /// The alerts so far.
    pub alerts: Vec<Alert>,
    /// The states so far.
    pub states: Vec<StateChange>,
    /// The number of runs that did not happen.
    pub suppressed: u64,
    /// What runs returned.
    pub events: RecordLog,
    /// The rows of tables, if what runs read is counted.
    pub table_rows: Option<&'a TableRows>,
    /// What the runs so far would read.
    pub cost: RunCost,
    rows: RunRows,
}

/// A run.
#[derive(Clone, Copy)]
struct RunAt {
    number: i64,
    time: i64,
    /// The number of rows that it returned.
    rows: usize,
}

impl<'a> Backtester<'a> {
    pub fn new(
        rule: &'a AlertRule,
        schedule: AlertSchedule,
        source: &'a RunSource<'a>,
        test: &'a ConditionTest<'a>,
        edges: WindowEdges,
        data: Option<DataRange>,
    ) -> Self {
        Self {
            rule,
            schedule,
            source,
            edges,
            data,
            test,
            fires_without_rows: test.is_met_without_rows(),
            maker: AlertMaker::new(rule, &source.schema()),
            lifecycles: Lifecycles::new(rule),
            joined: JoinedAlerts::of(rule),
            suppressed_until: None,
            alerts: Vec::new(),
            states: Vec::new(),
            suppressed: 0,
            events: RecordLog::default(),
            table_rows: None,
            cost: RunCost::default(),
            rows: RunRows::default(),
        }
    }

    /// Goes on after an earlier backtest.
    pub fn resume(&mut self, state: &RuleState) {
        self.suppressed_until = state.suppressed_until;
        self.lifecycles.resume(&state.lifecycles);
        if let Some(joined) = &mut self.joined {
            joined.resume(state);
        }
    }

    /// The state after the run at `last_run`.
    pub fn state(&self, anchor: i64, last_run: i64) -> RuleState {
        let (suppressed_until, lifecycles) = (self.suppressed_until, self.lifecycles.memories());
        let mut state = RuleState { anchor, last_run, suppressed_until, lifecycles, ..RuleState::default() };
        if let Some(joined) = &self.joined {
            // Runs see a row at most so long.
            let longest = self.schedule.lookback.saturating_add(self.schedule.frequency);
            joined.save(last_run.saturating_sub(longest), &mut state);
        }
        state
    }

    /// Evaluates the run of this number at its time.
    pub fn run(&mut self, number: i64, time: i64) -> Result<()> {
        if self.suppressed_until.is_some_and(|until| until > time) {
            self.suppressed += 1;
            return self.skip(number, time);
        }
        let window = self.schedule.window(time, self.edges);
        if let Some(rows) = self.table_rows {
            rows.add(self.schedule.clock, window, &mut self.cost);
        }
        self.source.run(time, window, &mut self.rows)?;
        // Most runs of most rules see nothing.
        if self.rows.batches.is_empty() && !self.fires_without_rows && self.lifecycles.are_calm() {
            return Ok(());
        }
        let rows = self.rows.batches.iter().map(crate::types::Batch::rows).sum();
        let (before, run) = (self.alerts.len(), RunAt { number, time, rows });
        let mut tested = BTreeSet::new();
        for combination in self.test.combinations(&self.rows.batches, time) {
            tested.insert(combination.values.clone());
            self.step(run, combination)?;
        }
        for (values, state) in self.lifecycles.calm_others(&tested, time)? {
            let dimensions = self.test.named(&values);
            self.states.push(StateChange { time, state, dimensions, value: 0.0, periods: vec![None] });
        }
        if let Some(suppression) = self.rule.suppression.filter(|_| self.alerts.len() > before) {
            self.suppressed_until = Some(time.saturating_add(suppression));
        }
        Ok(())
    }

    /// Takes note of what the suppressed run of this number would have returned: an event is missed by suppression if the
    /// run would have made an alert of it.
    fn skip(&mut self, number: i64, time: i64) -> Result<()> {
        let Some(records) = self.source.record_column() else { return Ok(()) };
        self.source.run(time, self.schedule.window(time, self.edges), &mut self.rows)?;
        for tested in self.test.combinations(&self.rows.batches, time) {
            let reason = if tested.is_met { MissReason::Suppressed } else { MissReason::Condition };
            self.events.seen(&self.rows.batches, &tested.rows, Some(records), number, Err(reason));
        }
        Ok(())
    }

    /// Takes the result of a run for one combination of dimension values.
    fn step(&mut self, run: RunAt, tested: TestedRows) -> Result<()> {
        let mut transition = self.lifecycles.step(&tested.values, run.time, tested.is_met)?;
        let records = self.source.record_column();
        let mut rows = tested.rows.as_slice();
        let added;
        if transition.state == AlertState::Fired {
            let like = self.alert(run, &tested, transition);
            if let Some(joined) = &mut self.joined {
                added = joined.add(&self.maker, &like, &self.rows.batches, rows, &mut self.alerts);
                rows = &added.rows;
                // The rows of earlier runs are in alerts already.
                self.events.seen(&self.rows.batches, rows, records, run.number, outcome_of(transition));
                transition.state = if added.alerts > 0 { AlertState::Fired } else { AlertState::Firing };
                rows = &[];
            } else {
                self.alerts.extend(self.maker.alerts(like, &self.rows.batches, rows));
            }
        }
        if transition.state != AlertState::NoAlert {
            let dimensions = self.test.named(&tested.values);
            let (time, state, value) = (run.time, transition.state, tested.value);
            self.states.push(StateChange { time, state, dimensions, value, periods: tested.periods.clone() });
        }
        self.events.seen(&self.rows.batches, rows, records, run.number, outcome_of(transition));
        Ok(())
    }

    /// An alert of a run, without its rows.
    fn alert(&self, run: RunAt, tested: &TestedRows, transition: AlertTransition) -> Alert {
        let window = self.schedule.window(run.time, self.edges);
        Alert {
            name: self.rule.name.clone(),
            description: self.rule.description.clone(),
            severity: self.rule.severity.clone(),
            tactics: self.rule.tactics.clone(),
            time: run.time,
            detected: self.schedule.detected(run.time),
            window,
            is_muted: transition.is_muted,
            is_beyond_data: self.data.is_none_or(|data| !data.covers(self.schedule.clock, window)),
            rows: tested.rows.len(),
            run_rows: run.rows,
            value: tested.value,
            periods: tested.periods.clone(),
            dimensions: self.test.named(&tested.values),
            entities: Vec::new(),
            details: Vec::new(),
            results: Vec::new(),
            events: None,
        }
    }
}
