//! The result of a backtest as tables.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::super::rule_files::FiledRule;
use crate::backtest::{Alert, AnchorOutcome, Backtest, EventOutcome, MissReason};
use crate::messages::counted;
use crate::rules::{AlertEntity, AlertRule, WindowClock};
use crate::types::{Type, Value, datetime};

/// A rule and what it would have done.
pub(super) struct RuleBacktest {
    pub rule: AlertRule,
    /// The path of the file of the rule.
    pub file: String,
    pub backtest: Backtest,
}

type Columns = &'static [(&'static str, Type)];

pub(super) const ALERTS: Columns = &[
    ("Rule", Type::String),
    ("Severity", Type::String),
    ("Detected", Type::Datetime),
    ("WindowStart", Type::Datetime),
    ("WindowEnd", Type::Datetime),
    ("Rows", Type::Long),
    ("Value", Type::Real),
    ("Muted", Type::Bool),
    ("BeyondData", Type::Bool),
    ("Dimensions", Type::Dynamic),
    ("Entities", Type::Dynamic),
    ("Details", Type::Dynamic),
    ("Results", Type::Dynamic),
    ("RuleId", Type::String),
    ("RuleFile", Type::String),
];

pub(super) const EVENTS: Columns = &[
    ("Rule", Type::String),
    ("TimeGenerated", Type::Datetime),
    ("Arrived", Type::Datetime),
    ("Outcome", Type::String),
    ("Reason", Type::String),
    ("Detected", Type::Datetime),
    ("Latency", Type::Timespan),
    ("Alerts", Type::Long),
    ("Table", Type::String),
    ("File", Type::String),
    ("Line", Type::Long),
    ("RuleId", Type::String),
    ("RuleFile", Type::String),
];

pub(super) const RULES: Columns = &[
    ("Rule", Type::String),
    ("Severity", Type::String),
    ("Runs", Type::Long),
    ("Suppressed", Type::Long),
    ("Alerts", Type::Long),
    ("Muted", Type::Long),
    ("Events", Type::Long),
    ("Caught", Type::Long),
    ("Missed", Type::Long),
    ("RowsRead", Type::Long),
    ("RowsPerRun", Type::Real),
    ("MaxRows", Type::Long),
    ("BytesRead", Type::Long),
    ("BytesPerRun", Type::Real),
    ("MaxBytes", Type::Long),
    ("RuleId", Type::String),
    ("RuleFile", Type::String),
];

pub(super) const DAYS: Columns = &[
    ("Rule", Type::String),
    ("Day", Type::Datetime),
    ("Alerts", Type::Long),
    ("Events", Type::Long),
    ("Caught", Type::Long),
    ("Missed", Type::Long),
];

pub(super) const STATES: Columns = &[
    ("Rule", Type::String),
    ("Time", Type::Datetime),
    ("State", Type::String),
    ("Value", Type::Real),
    ("Dimensions", Type::Dynamic),
    ("RuleId", Type::String),
    ("RuleFile", Type::String),
];

pub(super) fn alerts(tested: &[RuleBacktest]) -> Vec<Vec<Value>> {
    let alerts = |tested: &RuleBacktest| tested.backtest.alerts.iter().map(|alert| tested.alert(alert)).collect();
    labelled(tested, alerts)
}

pub(super) fn events(tested: &[RuleBacktest]) -> Vec<Vec<Value>> {
    labelled(tested, |tested| tested.events().collect())
}

pub(super) fn rules(tested: &[RuleBacktest]) -> Vec<Vec<Value>> {
    labelled(tested, |tested| vec![tested.totals()])
}

pub(super) fn days(tested: &[RuleBacktest]) -> Vec<Vec<Value>> {
    tested.iter().flat_map(RuleBacktest::days).collect()
}

pub(super) fn states(tested: &[RuleBacktest]) -> Vec<Vec<Value>> {
    labelled(tested, |tested| tested.states().collect())
}

/// What each rule would have done, in a line. Rules of one name are told apart by their files.
pub(super) fn summaries(tested: &[RuleBacktest]) -> impl Iterator<Item = String> {
    tested.iter().map(|one| one.summary(&name_among(one, tested)))
}

/// The name of a rule, with its file if another one has the same name.
pub(super) fn name_among(one: &RuleBacktest, tested: &[RuleBacktest]) -> String {
    let name = &one.rule.name;
    match tested.iter().filter(|other| other.rule.name == *name).count() {
        1 => name.clone(),
        _ => format!("{name} ({})", one.file),
    }
}

/// The rows of each rule, followed by what tells it from others of its name.
fn labelled(tested: &[RuleBacktest], rows: impl Fn(&RuleBacktest) -> Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let of_rule = |tested: &RuleBacktest| {
        let label = [Value::string(tested.rule.id.as_deref().unwrap_or_default()), Value::string(&*tested.file)];
        rows(tested).into_iter().map(|row| row.into_iter().chain(label.clone()).collect()).collect::<Vec<_>>()
    };
    tested.iter().flat_map(of_rule).collect()
}

impl RuleBacktest {
    pub fn new(rule: FiledRule, backtest: Backtest) -> Self {
        Self { file: rule.file.path.display().to_string(), rule: rule.rule, backtest }
    }

    /// The number of events that no alert includes, with the worst anchor; None if that is not known.
    pub fn missed(&self) -> Option<usize> {
        self.backtest.anchors.iter().map(|anchor| anchor.missed).max().flatten()
    }

    /// The window of the run that made the alert.
    pub fn window(&self, alert: &Alert) -> [i64; 2] {
        match self.backtest.schedule.clock {
            WindowClock::Generated => alert.window.generated,
            WindowClock::Ingested => alert.window.arrived,
        }
    }

    fn name(&self) -> Value {
        Value::string(&*self.rule.name)
    }

    fn alert(&self, alert: &Alert) -> Vec<Value> {
        let [start, end] = self.window(alert);
        let entities = alert.entities.iter().map(entity).collect::<Json>();
        vec![
            self.name(),
            Value::string(&*alert.severity),
            Value::Datetime(alert.detected),
            Value::Datetime(start),
            Value::Datetime(end),
            count(alert.rows),
            Value::Real(alert.value),
            Value::Bool(alert.is_muted),
            Value::Bool(alert.is_beyond_data),
            pairs(&alert.dimensions),
            dynamic(&entities),
            dynamic(&Json::Object(alert.details.iter().cloned().collect())),
            dynamic(&Json::Array(alert.results.clone())),
        ]
    }

    fn events(&self) -> impl Iterator<Item = Vec<Value>> {
        let schedule = self.backtest.schedule;
        self.backtest.events.iter().flatten().map(move |outcome| {
            let event = &outcome.event;
            let detected = outcome.caught.ok().map(|time| schedule.detected(time));
            let latency = detected.map(|time| time.saturating_sub(event.times.generated));
            let (result, reason) = match outcome.caught {
                Ok(_) => ("caught", ""),
                Err(reason) if reason.is_undecided() => ("undecided", reason.name()),
                Err(reason) => ("missed", reason.name()),
            };
            vec![
                self.name(),
                Value::Datetime(event.times.generated),
                time(event.times.arrived),
                Value::string(result),
                Value::string(reason),
                time(detected),
                latency.map_or(Value::null(Type::Timespan), Value::Timespan),
                Value::Long(i64::try_from(outcome.alerts).unwrap_or(i64::MAX)),
                Value::string(&*event.table),
                Value::string(&*event.file),
                event.line.map_or(Value::null(Type::Long), Value::Long),
            ]
        })
    }

    /// The totals of the rule, and what its runs would read.
    fn totals(&self) -> Vec<Value> {
        let Backtest { runs, suppressed, alerts, events, cost, .. } = &self.backtest;
        let of_events = |counts: &dyn Fn(&EventOutcome) -> bool| match events {
            Some(events) => count(events.iter().filter(|event| counts(event)).count()),
            None => Value::null(Type::Long),
        };
        let long = |number: u64| Value::Long(i64::try_from(number).unwrap_or(i64::MAX));
        let mut row = vec![
            self.name(),
            Value::string(&*self.rule.severity),
            long(runs.count() - suppressed),
            long(*suppressed),
            count(alerts.len()),
            count(alerts.iter().filter(|alert| alert.is_muted).count()),
            of_events(&|_| true),
            of_events(&|event| event.caught.is_ok()),
            of_events(&|event| event.caught.is_err_and(|reason| !reason.is_undecided())),
        ];
        row.extend(match cost {
            Some(cost) => [
                long(cost.rows),
                Value::Real(cost.rows_per_run()),
                long(cost.most_rows),
                whole(cost.bytes),
                Value::Real(cost.bytes_per_run().round()),
                whole(cost.most_bytes),
            ],
            None => [Type::Long, Type::Real, Type::Long, Type::Long, Type::Real, Type::Long].map(Value::null),
        });
        row
    }

    fn days(&self) -> impl Iterator<Item = Vec<Value>> {
        let day = |time: i64| datetime::start_of(time, datetime::Period::Day, 0).unwrap_or(time);
        let mut days: BTreeMap<i64, [usize; 4]> = BTreeMap::new();
        for alert in &self.backtest.alerts {
            days.entry(day(alert.detected)).or_default()[0] += 1;
        }
        for outcome in self.backtest.events.iter().flatten() {
            let counts = days.entry(day(outcome.event.times.generated)).or_default();
            counts[1] += 1;
            counts[2] += usize::from(outcome.caught.is_ok());
            counts[3] += usize::from(outcome.caught.is_err_and(|reason| !reason.is_undecided()));
        }
        days.into_iter().map(|(day, counts)| {
            let mut row = vec![self.name(), Value::Datetime(day)];
            row.extend(counts.map(count));
            row
        })
    }

    fn states(&self) -> impl Iterator<Item = Vec<Value>> {
        self.backtest.states.iter().map(|change| {
            let state = Value::string(change.state.name());
            vec![self.name(), Value::Datetime(change.time), state, Value::Real(change.value), pairs(&change.dimensions)]
        })
    }

    /// What the rule would have done, in a line that begins with `name`.
    pub fn summary(&self, name: &str) -> String {
        let Backtest { runs, alerts, suppressed, events, .. } = &self.backtest;
        let plural = |count: usize, noun: &str| counted(count as u64, noun);
        let run = counted(runs.count() - suppressed, "run");
        let run = if *suppressed > 0 { format!("{run} and {suppressed} suppressed") } else { run };
        let mut parts = vec![format!("{name}: {run}, {}", plural(alerts.len(), "alert"))];
        let events = events.as_ref().filter(|_| !self.backtest.is_about_absence);
        parts.extend(events.map(|events| {
            let mut missed: BTreeMap<MissReason, usize> = BTreeMap::new();
            let reasons = events.iter().filter_map(|event| event.caught.err());
            reasons.for_each(|reason| *missed.entry(reason).or_default() += 1);
            let undecided = missed.remove(&MissReason::End).unwrap_or(0);
            let all: usize = missed.values().sum();
            let caught = events.len() - all - undecided;
            let reasons: Vec<String> =
                missed.iter().map(|(reason, count)| format!("{} {count}", reason.name())).collect();
            let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
            let undecided = if undecided > 0 { format!(", {undecided} undecided") } else { String::new() };
            format!("{}: {caught} caught, {all} missed{reasons}{undecided}", plural(events.len(), "event"))
        }));
        parts.join("; ")
    }
}

/// An entity as an object with its type.
pub(super) fn entity(entity: &AlertEntity) -> Json {
    let mut object = Map::new();
    object.insert("Type".to_owned(), Json::String(entity.entity.clone()));
    object.extend(entity.fields.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))));
    Json::Object(object)
}

fn pairs(pairs: &[(String, String)]) -> Value {
    let object = pairs.iter().map(|(name, value)| (name.clone(), Json::String(value.clone())));
    dynamic(&Json::Object(object.collect()))
}

fn dynamic(json: &Json) -> Value {
    Value::dynamic(json.to_string())
}

fn time(ticks: Option<i64>) -> Value {
    ticks.map_or(Value::null(Type::Datetime), Value::Datetime)
}

/// The number without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "a conversion of floats saturates")]
fn whole(number: f64) -> Value {
    Value::Long(number.round() as i64)
}

fn count(number: usize) -> Value {
    Value::Long(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The alerts and missed events with different anchors, in a line.
pub(super) fn spread(name: String, anchors: &[AnchorOutcome]) -> String {
    let range = |mut numbers: Vec<usize>| {
        numbers.sort_unstable();
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        format!("{} to {} (median {})", at(0), at(numbers.len().saturating_sub(1)), at(numbers.len() / 2))
    };
    let alerts = range(anchors.iter().map(|anchor| anchor.alerts).collect());
    let missed: Option<Vec<usize>> = anchors.iter().map(|anchor| anchor.missed).collect();
    let missed = missed.map_or(String::new(), |missed| format!(", {} missed events", range(missed)));
    format!("{name}: with {} anchors, {alerts} alerts{missed}", anchors.len())
}
