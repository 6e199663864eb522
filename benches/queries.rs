//! Whole queries over archives, one per file of `testdata/bench`.

#![allow(clippy::pedantic, clippy::print_stderr, reason = "tests and benchmarks say what they mean in few words")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use coldcase::synth::{Shape, SynthCompression};

mod support;

fn queries(criterion: &mut Criterion) {
    for (name, shape) in [("la_export", Shape::LaExport), ("parquet", Shape::Parquet)] {
        let (folder, _) = support::archive(shape, SynthCompression::None);
        let engine = support::engine_over(&folder);
        let mut group = criterion.benchmark_group(format!("queries/{name}"));
        group.sample_size(10).throughput(Throughput::Elements(support::ROWS));
        for (query, text) in support::queries() {
            if support::is_answered(&engine, &query, &text) {
                group.bench_function(&query, |bencher| bencher.iter(|| support::run(&engine, &text)));
            }
        }
        group.finish();
    }
}

criterion_group!(benches, queries);
criterion_main!(benches);
