//! Parsing, in bytes per second.

#![allow(clippy::pedantic, clippy::print_stderr, reason = "tests and benchmarks say what they mean in few words")]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod support;

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    let mut texts = support::queries();
    texts.push(("long_condition".to_owned(), long_condition()));
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| coldcase::syntax::parse(black_box(text))));
    }
    group.finish();
}

/// A thousand comparisons, as written by tools that turn lists of indicators into queries.
fn long_condition() -> String {
    let mut text = "SigninLogs | where IPAddress == '198.18.0.0'".to_owned();
    for number in 1..1000 {
        write!(text, " or IPAddress == '198.18.{}.{}'", number / 256, number % 256).expect("text grows");
    }
    text
}

criterion_group!(benches, parse);
criterion_main!(benches);
