//! Evaluates one run after the other: the condition, the states of alerts, suppression.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::alert::{Alert, AlertMaker};
use super::condition::{ConditionTest, TestedRows};
use super::event::RecordLog;
use super::rows::{RunRows, RunSource};
use super::{MAX_COMBINATIONS, StateChange};
use crate::diagnostic::{Error, Result};
use crate::rules::alert_state::{AlertLifecycle, AlertState};
use crate::rules::schedule::WindowEdges;
use crate::rules::{AlertRule, AlertSchedule};

/// The state of a backtest between two runs.
pub(super) struct Backtester<'a> {
    rule: &'a AlertRule,
    schedule: AlertSchedule,
    source: &'a RunSource<'a>,
    edges: WindowEdges,
    test: ConditionTest<'a>,
    maker: AlertMaker<'a>,
    /// The alerts by the values of the dimensions.
    lifecycles: BTreeMap<Vec<String>, Lifecycle>,
    suppressed_until: Option<i64>,
    /// The alerts so far.
    pub alerts: Vec<Alert>,
    /// The states so far.
    pub states: Vec<StateChange>,
    /// The number of runs that did not happen.
    pub suppressed: u64,
    /// What runs returned.
    pub events: RecordLog,
    rows: RunRows,
}

impl<'a> Backtester<'a> {
    pub fn new(
        rule: &'a AlertRule,
        schedule: AlertSchedule,
        source: &'a RunSource<'a>,
        edges: WindowEdges,
    ) -> Result<Self> {
        let schema = source.schema();
        Ok(Self {
            rule,
            schedule,
            source,
            edges,
            test: ConditionTest::new(&rule.condition, schedule.lookback, &schema)?,
            maker: AlertMaker::new(rule, &schema),
            lifecycles: BTreeMap::new(),
            suppressed_until: None,
            alerts: Vec::new(),
            states: Vec::new(),
            suppressed: 0,
            events: RecordLog::default(),
            rows: RunRows::default(),
        })
    }

    /// Evaluates the run of this number at its time.
    pub fn run(&mut self, number: i64, time: i64) -> Result<()> {
        if self.suppressed_until.is_some_and(|until| until > time) {
            self.suppressed += 1;
            self.events.suppressed(number);
            return Ok(());
        }
        let window = self.schedule.window(time, self.edges);
        self.source.run(time, window, &mut self.rows)?;
        let tested = self.test.combinations(&self.rows.batches, time);
        let before = self.alerts.len();
        for combination in tested {
            self.step(time, number, combination)?;
        }
        self.calm_others(time);
        if let Some(suppression) = self.rule.suppression.filter(|_| self.alerts.len() > before) {
            self.suppressed_until = Some(time.saturating_add(suppression));
        }
        Ok(())
    }

    /// Takes the result of a run for one combination of dimension values.
    fn step(&mut self, time: i64, number: i64, tested: TestedRows) -> Result<()> {
        let TestedRows { values, value, rows, is_met } = tested;
        let lifecycles = self.lifecycles.len();
        let lifecycle = match self.lifecycles.entry(values.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if lifecycles >= MAX_COMBINATIONS => {
                return Err(Error::Limit(format!("more than {MAX_COMBINATIONS} combinations of dimension values")));
            }
            Entry::Vacant(new) => {
                let alerts = AlertLifecycle::new(self.rule.state, self.rule.muting);
                new.insert(Lifecycle { alerts, last_run: time })
            }
        };
        lifecycle.last_run = time;
        let transition = lifecycle.alerts.step(time, is_met);
        if transition.state != AlertState::NoAlert {
            let dimensions = self.test.named(&values);
            self.states.push(StateChange { time, state: transition.state, dimensions, value });
        }
        let records = self.source.record_column();
        self.events.seen(&self.rows.batches, &rows, records, number, transition);
        if transition.state == AlertState::Fired {
            let dimensions = self.test.named(&values);
            let alert = Alert {
                time,
                detected: self.schedule.detected(time),
                window: self.schedule.window(time, self.edges),
                is_muted: transition.is_muted,
                rows: rows.len(),
                value,
                dimensions,
                ..Alert::default()
            };
            let summaries = self.maker.alerts(alert, &self.rows.batches, &rows);
            self.alerts.extend(summaries);
        }
        Ok(())
    }

    /// The condition of combinations without rows is false.
    fn calm_others(&mut self, time: i64) {
        for (values, lifecycle) in &mut self.lifecycles {
            if lifecycle.last_run == time || !lifecycle.alerts.is_firing() {
                continue;
            }
            let state = lifecycle.alerts.step(time, false).state;
            let dimensions = self.test.named(values);
            self.states.push(StateChange { time, state, dimensions, value: 0.0 });
        }
    }
}

/// The alerts of one combination of dimension values.
struct Lifecycle {
    alerts: AlertLifecycle,
    /// The time of the last run that had rows with these values.
    last_run: i64,
}
