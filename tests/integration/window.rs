//! Compares `prev` and `next` with looking at the other row, for near and far rows, with and without segments.

use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::plain;
use crate::wire;

/// A user and a value, None for null.
type Row = (&'static str, Option<i64>);

fn rows(rng: &mut impl Rng) -> Vec<Row> {
    let row = |rng: &mut dyn Rng| (["ann", "bob", "cid"][rng.random_range(0..3)], Some(rng.random_range(0..90)));
    let null = |rng: &mut dyn Rng| rng.random_range(0..9) == 0;
    let count = rng.random_range(0..60);
    (0..count).map(|_| if null(rng) { ("ann", None) } else { row(rng) }).collect()
}

fn engine(rng: &mut impl Rng, rows: &[Row], batch_rows: usize) -> Engine {
    let mut batches = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rng.random_range(1..=rest.len().min(9)));
        let users: Vec<Value> = part.iter().map(|(user, _)| Value::string(*user)).collect();
        let values: Vec<Value> =
            part.iter().map(|(_, value)| value.map_or(Value::Null(Type::Long), Value::Long)).collect();
        batches.push(Batch::new(vec![plain(Type::String, &users), plain(Type::Long, &values)], part.len()));
        rest = after;
    }
    let schema = Schema::new([Field::new("u", Type::String), Field::new("v", Type::Long)]);
    let catalog = MemoryCatalog::default().with("T", Arc::new(MemoryTable::new(schema, batches)));
    Engine::new(Arc::new(catalog), Settings { batch_rows, ..Settings::new(datetime::UNIX_EPOCH) })
}

/// The rows with the values of the other rows, as they are written.
fn expected(rows: &[Row], before: i64, after: i64) -> Vec<String> {
    let text = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
    let other = |at: usize, offset: i64, default: Option<i64>| {
        let other = usize::try_from(at as i64 + offset).ok().and_then(|other| rows.get(other));
        text(other.map_or(default, |(_, value)| *value))
    };
    let line = |(at, (user, value)): (usize, &Row)| {
        format!("[\"{user}\",{},{},{}]", text(*value), other(at, -before, Some(-1)), other(at, after, None))
    };
    rows.iter().enumerate().map(line).collect()
}

#[test]
fn prev_and_next_look_at_the_other_row() {
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(&mut rng);
        let (before, after) = (rng.random_range(0..25), rng.random_range(0..70));
        let calls = format!("extend p = prev(v, {before}, -1), n = next(v, {after})");
        let (query, expected) = if rng.random_bool(0.5) {
            let of = |user: &str| rows.iter().filter(|row| row.0 == user).copied().collect::<Vec<_>>();
            let users = ["ann", "bob", "cid"].iter().flat_map(|user| expected(&of(user), before, after));
            (format!("T | serialize | partition by u ({calls})"), users.collect())
        } else {
            (format!("T | serialize | {calls}"), expected(&rows, before, after))
        };
        for batch_rows in [1, 4, 8_192] {
            let result = engine(&mut rng, &rows, batch_rows).query(&query).expect("it runs");
            assert_eq!(wire::rows(&result), expected, "seed {seed}, {batch_rows} rows a batch: {query}");
        }
    }
}
