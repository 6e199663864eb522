//! Reading archives of every shape: everything, one column, and with a predicate that skips nearly everything.

#![allow(clippy::pedantic, clippy::print_stderr, reason = "tests and benchmarks say what they mean in few words")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use coldcase::synth::{Shape, SynthCompression};

mod support;

const SCANS: &[(&str, &str)] = &[
    ("count", "SigninLogs | count"),
    ("one_column", "SigninLogs | summarize dcount(UserPrincipalName)"),
    ("predicate", "SigninLogs | where UserPrincipalName == 'bg-admin-01@contoso.com' | project Id"),
    ("one_day", "SigninLogs | where TimeGenerated between (datetime(2026-03-10) .. 1d) | project Id"),
];

fn scan(criterion: &mut Criterion) {
    let archives = [
        ("la_export", Shape::LaExport, SynthCompression::None),
        ("diagnostic", Shape::Diagnostic, SynthCompression::None),
        ("diagnostic_gzip", Shape::Diagnostic, SynthCompression::Gzip),
        ("diagnostic_zstd", Shape::Diagnostic, SynthCompression::Zstd),
        ("parquet", Shape::Parquet, SynthCompression::None),
    ];
    for (name, shape, compression) in archives {
        let (folder, bytes) = support::archive(shape, compression);
        let engine = support::engine_over(&folder);
        let mut group = criterion.benchmark_group(format!("scan/{name}"));
        group.sample_size(10).throughput(Throughput::Bytes(bytes));
        for (scan, query) in SCANS {
            if support::is_answered(&engine, scan, query) {
                group.bench_function(*scan, |bencher| bencher.iter(|| support::run(&engine, query)));
            }
        }
        group.finish();
    }
}

criterion_group!(benches, scan);
criterion_main!(benches);
