//! Compares joins with a window of time with the same joins without the optimizer, which make every pair, over random
//! rows and random conditions.

use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::plain;
use crate::wire;

const SEEDS: u64 = 300;
const KINDS: [&str; 5] = ["inner", "innerunique", "leftouter", "rightouter", "fullouter"];

/// A table of `rows` users, times within `minutes` minutes, and numbers. Some users and times are null.
fn table(rng: &mut impl Rng, rows: usize, users: i64, minutes: i64) -> MemoryTable {
    const HALF_MINUTE: i64 = 300_000_000;
    let mut user = Vec::new();
    let mut time = Vec::new();
    for _ in 0..rows {
        let half_minutes = rng.random_range(0..=2 * minutes);
        user.push(if rng.random_bool(0.05) {
            Value::Null(Type::Long)
        } else {
            Value::Long(rng.random_range(0..users))
        });
        time.push(match rng.random_range(0..20) {
            0 => Value::Null(Type::Datetime),
            1 => Value::Datetime(datetime::UNIX_EPOCH + half_minutes * HALF_MINUTE + rng.random_range(-1..=1)),
            _ => Value::Datetime(datetime::UNIX_EPOCH + half_minutes * HALF_MINUTE),
        });
    }
    let number: Vec<Value> = (0..).map(Value::Long).take(rows).collect();
    let chunk = rng.random_range(1..=rows.max(1));
    let batches = (0..rows).step_by(chunk).map(|start| {
        let end = (start + chunk).min(rows);
        let columns = [(Type::Long, &user), (Type::Datetime, &time), (Type::Long, &number)];
        Batch::new(columns.map(|(ty, values)| plain(ty, &values[start..end])).to_vec(), end - start)
    });
    let fields = [("user", Type::Long), ("time", Type::Datetime), ("n", Type::Long)];
    MemoryTable::new(Schema::new(fields.map(|(name, ty)| Field::new(name, ty))), batches.collect())
}

/// A condition on `time` and `time1`, the columns of the two sides.
fn condition(rng: &mut impl Rng) -> String {
    let (first, second) = if rng.random_bool(0.5) { ("time", "time1") } else { ("time1", "time") };
    let (low, width) = (rng.random_range(-3..4), rng.random_range(0..6));
    let high = low + width;
    let [less, more] = [["<", ">"], ["<=", ">="]][rng.random_range(0..2)];
    match rng.random_range(0..9) {
        0 => format!("{first} - {second} between ({low}m .. {high}m)"),
        1 => format!("{first} {more} {second} and {first} - {second} {less} {width}m"),
        2 => format!("{first} between ({second} + {low}m .. {second} + {high}m)"),
        3 => format!("{second} + {low}m {less} {first} and {first} - {high}m {less} {second}"),
        4 => format!("abs({first} - {second}) {less} {width}m"),
        5 => format!("datetime_diff('minute', {first}, {second}) {less} {high} and {first} {more} {second}"),
        6 => format!("{low} {less} datetime_diff('second', {first}, {second}) and {first} {less} {second} + {high}m"),
        7 => format!("{first} == {second} + {low}m"),
        _ => format!("datetime_diff('minute', {first}, {second}) between ({low} .. {high}) and n != n1"),
    }
}

fn rows(catalog: &Arc<MemoryCatalog>, query: &str, settings: Settings) -> Vec<String> {
    let result = Engine::new(Arc::clone(catalog) as _, settings).query(query);
    wire::rows(&result.unwrap_or_else(|error| panic!("{query}: {error}")))
}

fn settings(optimize: bool, batch_rows: usize, max_memory: u64) -> Settings {
    Settings { optimize, batch_rows, max_memory, ..Settings::new(datetime::UNIX_EPOCH) }
}

#[test]
fn pairs_are_those_of_the_join_without_a_window() {
    let mut returned = 0;
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let users = rng.random_range(1..4);
        let mut side = || {
            let count = rng.random_range(0..60);
            Arc::new(table(&mut rng, count, users, 12))
        };
        let catalog = Arc::new(MemoryCatalog::default().with("A", side()).with("B", side()));
        let (kind, condition) = (KINDS[rng.random_range(0..KINDS.len())], condition(&mut rng));
        let query = format!("A | join kind={kind} B on user | extend gap = time1 - time | where {condition}");
        let expected = rows(&catalog, &query, settings(false, 8_192, u64::MAX));
        returned += expected.len();
        for batch_rows in [1, 5, 8_192] {
            let found = rows(&catalog, &query, settings(true, batch_rows, u64::MAX));
            assert_eq!(found, expected, "seed {seed}, {batch_rows} rows a batch: {query}");
        }
    }
    assert!(returned > 10_000, "only {returned} pairs");
}

#[test]
fn pairs_of_a_join_in_files_are_the_same() {
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let [left, right] = [6_000, 5_000].map(|count| Arc::new(table(&mut rng, count, 900, 600)));
        let catalog = Arc::new(MemoryCatalog::default().with("A", left).with("B", right));
        let (kind, condition) = (KINDS[rng.random_range(0..KINDS.len())], condition(&mut rng));
        let query = format!("A | join kind={kind} B on user | where {condition}");
        let expected = rows(&catalog, &query, settings(false, 8_192, u64::MAX));
        assert_eq!(rows(&catalog, &query, settings(true, 1_000, 1 << 18)), expected, "seed {seed}: {query}");
    }
}

/// All rows have one key: without a window there would be 10,000,000,000 pairs.
#[test]
fn pairs_outside_the_window_are_not_made() {
    let times = "range n from 1 to 100000 step 1 | project user = 'a', time = datetime(2026-03-01) + n * 1s";
    let query = format!("{times} | join kind=inner ({times}) on user | where time1 - time between (0s .. 2s) | count");
    assert_eq!(rows(&Arc::default(), &query, settings(true, 8_192, u64::MAX)), ["[299997]"]);
}
