//! Runs over rows in memory do what runs over all rows of the tables do.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Assumptions, Backtest, BacktestError, run};
use crate::engine::{ArrivalTime, Engine, Settings};
use crate::rules::schedule::WindowEdges;
use crate::rules::{AlertRule, RuleFormat, read_alerts};
use crate::scan::{MemoryCatalog, MemoryTable};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

const MINUTE: i64 = 600_000_000;
/// 2026-03-01T00:00:00Z.
const START: i64 = 639_079_200_000_000_000;

/// Queries whose windows matter, with each kind of dependence on the clock.
const QUERIES: &[&str] = &[
    "T | where Result == 0",
    "T | where User == 'a' and TimeGenerated > ago(7m) | project User",
    "let start = ago(10m); T | where TimeGenerated between (start .. now()) | summarize N = count() by User",
    "T | summarize N = count(), Users = make_list(User)",
    "T | extend Age = now() - TimeGenerated | where Age < 4m | sort by User asc | take 3",
    "T | where Result == 1 | join kind=inner (T | where Result == 0 | project User, Other = TimeGenerated) on User",
    "T | where User in (datatable(User:string)['a', 'c'])",
    "T | where User in ((T | where Result == 0 | project User))",
    "T | make-series N = count() on TimeGenerated from ago(20m) to now() step 5m",
    "union T, (T | where Result == 2 | extend User = 'x') | summarize make_set(User), max(TimeGenerated)",
    "T | where _IngestionTime > ago(9m) or Result < 2 | summarize arg_max(TimeGenerated, *) by User | count",
    "T | where Result > toscalar(T | summarize min(Result))",
    "print Time = now() | where hourofday(Time) == 1",
    "T | summarize N = count(), Users = make_set(User) by bin(TimeGenerated, 5m)",
    "T | where ingestion_time() > ago(9m)",
    "T | extend Late = ingestion_time() - TimeGenerated | summarize max(Late), Last = max(ingestion_time()) by User",
    "let Since = (Start:datetime) { T | where ingestion_time() > Start }; Since(ago(7m)) | project User, ingestion_time()",
    "T | join kind=leftouter (T | where ingestion_time() > ago(12m) | summarize N = count() by User) on User",
    "union (T | where Result == 0), (T | where Result == 1) | where ingestion_time() between (ago(15m) .. now())",
    "T | where User in ((T | where ingestion_time() > ago(10m) | project User))",
    "T | where bin(TimeGenerated, 10m) > ago(20m) | extend Bin = bin(TimeGenerated, 7m), Result = bin(Result, 2)",
];

fn table(random: &mut ChaCha8Rng) -> Arc<MemoryTable> {
    let fields = [
        ("TimeGenerated", Type::Datetime),
        ("_IngestionTime", Type::Datetime),
        ("User", Type::String),
        ("Result", Type::Long),
    ];
    let schema = Schema::new(fields.map(|(name, ty)| Field::new(name, ty)));
    let mut columns = fields.map(|(_, ty)| ColumnBuilder::new(ty));
    let count = random.random_range(0..60);
    for _ in 0..count {
        // Whole minutes, so that rows lie on the edges of windows.
        let time = START + random.random_range(0..240) * MINUTE;
        let arrived = time + random.random_range(0..25) * MINUTE;
        let missing = random.random_bool(0.05);
        columns[0].append(&if missing { Value::null(Type::Datetime) } else { Value::Datetime(time) });
        let unknown = random.random_bool(0.1);
        columns[1].append(&if unknown { Value::null(Type::Datetime) } else { Value::Datetime(arrived) });
        columns[2].append(&Value::string(["a", "b", "c"][random.random_range(0..3)]));
        columns[3].append(&Value::Long(random.random_range(0..3)));
    }
    let batch = Batch::new(columns.iter_mut().map(ColumnBuilder::finish).collect(), count);
    Arc::new(MemoryTable::new(schema, vec![batch]))
}

fn rule(random: &mut ChaCha8Rng, query: &str) -> AlertRule {
    let frequency = [5, 10, 15][random.random_range(0..3)];
    let (mut format, periods) = (RuleFormat::Yaml, random.random_range(1..4));
    let text = match random.random_range(0..4) {
        0 => {
            let period = frequency + random.random_range(0..20);
            let operator = ["gt", "lt", "eq", "ne"][random.random_range(0..4)];
            let (threshold, suppresses) = (random.random_range(0..3), random.random_bool(0.3));
            format!(
                "id: a\nname: b\nkind: Scheduled\nseverity: Low\nqueryFrequency: {frequency}m\nqueryPeriod: {period}m\n\
                 triggerOperator: {operator}\ntriggerThreshold: {threshold}\nsuppressionEnabled: {suppresses}\n\
                 suppressionDuration: 30m\nquery: \"{query}\"\n"
            )
        }
        1 => format!("id: a\nname: b\nkind: NRT\nseverity: Low\nquery: \"{query}\"\n"),
        2 => {
            format = RuleFormat::Json;
            let lookback = frequency + random.random_range(0..40);
            format!(
                r#"{{"displayName": "b", "queryCondition": {{"queryText": "{query}"}},
                "schedule": {{"frequency": "PT{frequency}M", "lookback": "PT{lookback}M"}},
                "detectionAction": {{"alertTemplate": {{"title": "b", "severity": "low",
                    "entityMappings": {{"accounts": [{{"nameColumn": "User"}}]}}}}}}}}"#
            )
        }
        _ => format!(
            "type: x/scheduledQueryRules\nname: b\nproperties:\n  severity: 1\n  evaluationFrequency: PT{frequency}M\n  \
             windowSize: PT10M\n  autoMitigate: {}\n  criteria:\n    allOf:\n      - query: \"{query}\"\n        \
             timeAggregation: Count\n        operator: GreaterThan\n        threshold: 0\n        failingPeriods:\n          \
             numberOfEvaluationPeriods: {periods}\n          minFailingPeriodsToAlert: 1\n",
            random.random_bool(0.5)
        ),
    };
    read_alerts(&text, format).expect(&text).remove(0).expect(&text)
}

fn outcome(backtest: &Backtest) -> String {
    format!("{:?}\n{:?}\n{}", backtest.alerts, backtest.states, backtest.suppressed)
}

#[test]
fn rows_in_memory_give_the_alerts_of_all_rows() {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let mut in_memory = BTreeMap::new();
    for round in 0..6 * QUERIES.len() {
        let query = QUERIES[round % QUERIES.len()];
        let catalog = MemoryCatalog::default().with("T", table(&mut random));
        let engine = Engine::new(Arc::new(catalog), Settings::new(START));
        let rule = rule(&mut random, query);
        let mut assumptions = Assumptions::new(&rule);
        (assumptions.from, assumptions.to) = (Some(START), Some(START + 280 * MINUTE));
        assumptions.anchor = Some(START + random.random_range(0..7) * MINUTE);
        assumptions.grace = random.random_bool(0.5).then(|| random.random_range(0..9) * MINUTE);
        assumptions.edges = if random.random_bool(0.5) { WindowEdges::Inclusive } else { WindowEdges::HalfOpen };
        assumptions.times.arrival = match random.random_range(0..3) {
            0 => ArrivalTime::After(random.random_range(0..20) * MINUTE),
            1 => ArrivalTime::Column("_IngestionTime".to_owned()),
            _ => ArrivalTime::Recorded,
        };
        // The reference takes a run for each tick, so minutes are too many of them.
        if rule.schedule.frequency == MINUTE {
            assumptions.to = Some(START + 60 * MINUTE);
        }
        let fast = run(&rule, &engine, &assumptions, &engine.report());
        let slow = run(&rule, &engine, &Assumptions { rescans: true, ..assumptions.clone() }, &engine.report());
        match (fast, slow) {
            (Ok(fast), Ok(slow)) => {
                *in_memory.entry(query).or_insert(0) += usize::from(fast.rows_in_memory.is_some());
                assert_eq!(outcome(&fast), outcome(&slow), "{query}\n{rule:#?}\n{assumptions:?}");
            }
            // Custom detections must return the time, and several periods need one.
            (Err(BacktestError::Rule(fast)), Err(BacktestError::Rule(slow))) => assert_eq!(fast, slow),
            (fast, slow) => panic!("{query}: {fast:?}\n{slow:?}"),
        }
    }
    let rescanned = in_memory.values().filter(|count| **count == 0).count();
    assert_eq!(rescanned, 4, "queries that bind other queries, or a series, are read again: {in_memory:?}");
}
