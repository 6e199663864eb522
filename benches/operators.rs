//! Operators and sinks, one at a time, over rows in memory.

#![allow(clippy::pedantic, clippy::print_stderr, reason = "tests and benchmarks say what they mean in few words")]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::synth::{Shape, SynthCompression};

mod support;

/// The text after `T |`.
const OPERATORS: &[(&str, &str)] = &[
    ("where_equal", "where ResultType == '50126'"),
    ("where_has", "where UserAgent has 'Firefox'"),
    ("where_contains", "where UserPrincipalName contains 'mueller'"),
    ("where_regex", "where UserPrincipalName matches regex '^[a-m].*[0-9]@'"),
    ("where_in", "where IPAddress in ('198.51.100.10', '192.0.2.1', '203.0.113.71')"),
    ("extend_arithmetic", "extend Seconds = Milliseconds / 1000.0 + 1"),
    ("extend_text", "extend Domain = tostring(split(UserPrincipalName, '@')[1])"),
    ("extend_path", "extend City = tostring(LocationDetails.city)"),
    ("count", "count"),
    ("take", "take 100"),
    ("distinct", "distinct UserPrincipalName, AppDisplayName"),
    ("sort_datetime", "sort by CreatedDateTime desc"),
    ("sort_text", "sort by UserPrincipalName asc, CreatedDateTime asc"),
    ("top", "top 10 by Milliseconds desc"),
    ("summarize_few_groups", "summarize count(), avg(Milliseconds) by ResultType"),
    ("summarize_many_groups", "summarize count(), max(CreatedDateTime) by UserPrincipalName, IPAddress"),
    ("summarize_dcount", "summarize dcount(UserPrincipalName) by AppDisplayName"),
    ("summarize_arg_max", "summarize arg_max(CreatedDateTime, *) by UserPrincipalName"),
    ("summarize_make_set", "summarize make_set(IPAddress) by UserPrincipalName"),
    ("summarize_percentiles", "summarize percentiles(Milliseconds, 50, 95, 99)"),
    ("mv_expand", "mv-expand ConditionalAccessPolicies | count"),
    (
        "join",
        "where ResultType == '50126' | join kind=inner (T | where ResultType == '0') on UserPrincipalName | count",
    ),
    (
        "join_unique",
        "where ResultType == '50126' | join (T | where ResultType == '0') on UserPrincipalName, AppDisplayName | count",
    ),
    ("join_anti", "join kind=leftanti (T | where ResultType == '0') on UserPrincipalName | count"),
    ("lookup", "lookup (T | summarize Seen = count() by IPAddress) on IPAddress | summarize sum(Seen)"),
    ("search", "search 'Firefox' | count"),
    ("union", "union T | count"),
    ("serialize", "sort by CreatedDateTime asc | extend Before = prev(UserPrincipalName)"),
];

const TABLE: &str = "SigninLogs | project TimeGenerated, CreatedDateTime, UserPrincipalName, IPAddress, ResultType, \
     AppDisplayName, UserAgent, LocationDetails, ConditionalAccessPolicies, \
     Milliseconds = tolong(ProcessingTimeInMilliseconds)";

fn operators(criterion: &mut Criterion) {
    let (folder, _) = support::archive(Shape::Parquet, SynthCompression::None);
    let rows = support::engine_over(&folder).query(TABLE).expect("the columns can be read");
    let table = MemoryTable::new(rows.schema, rows.batches);
    let engine = support::engine(Arc::new(MemoryCatalog::default().with("T", Arc::new(table))));
    let mut group = criterion.benchmark_group("operators");
    group.sample_size(20).throughput(Throughput::Elements(support::ROWS));
    for (name, operator) in OPERATORS {
        let query = format!("T | {operator}");
        if support::is_answered(&engine, name, &query) {
            group.bench_function(*name, |bencher| bencher.iter(|| support::run(&engine, &query)));
        }
    }
    group.finish();
}

criterion_group!(benches, operators);
criterion_main!(benches);
