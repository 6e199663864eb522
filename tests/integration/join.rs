//! Compares the hash join with a nested loop on random tables: each kind, keys of each type, one and two keys.

use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::plan::JOIN_KINDS;
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::{plain, value};
use crate::wire;

const SEEDS: u64 = 60;

/// Two keys and the number of the row.
type Row = [Value; 3];

fn rows(rng: &mut impl Rng, types: [Type; 2]) -> Vec<Row> {
    let count = rng.random_range(0..30);
    (0..count).map(|row| [value(rng, types[0]), value(rng, types[1]), Value::Long(row)]).collect()
}

/// The rows in small batches.
fn table(rng: &mut impl Rng, types: [Type; 2], rows: &[Row], names: [&str; 3]) -> MemoryTable {
    let types = [types[0], types[1], Type::Long];
    let size = rng.random_range(1..12);
    let batches = rows.chunks(size).map(|rows| {
        let column = |index: usize| {
            let values: Vec<Value> = rows.iter().map(|row| row[index].clone()).collect();
            plain(types[index], &values)
        };
        Batch::new((0..3).map(column).collect(), rows.len())
    });
    MemoryTable::new(
        Schema::new(names.into_iter().zip(types).map(|(name, ty)| Field::new(name, ty))),
        batches.collect(),
    )
}

fn same(left: &Value, right: &Value) -> bool {
    left.is_null() && right.is_null() || left == right
}

/// The result of a kind, each row as a string.
fn nested_loop(kind: &str, left: &[Row], right: &[Row], keys: usize) -> Vec<String> {
    let same_keys = |a: &Row, b: &Row| (0..keys).all(|key| same(&a[key], &b[key]));
    let nulls = |row: &Row| row.clone().map(|value| Value::null(value.ty()));
    let null_of = |rows: &[Row], types: &[Row]| rows.first().or(types.first()).map(nulls);
    let mut first: Vec<Row> = left.to_vec();
    if kind == "innerunique" {
        first = Vec::new();
        for row in left {
            if !first.iter().any(|kept| same_keys(kept, row)) {
                first.push(row.clone());
            }
        }
    }
    let pairs = first.iter().flat_map(|l| right.iter().filter(|r| same_keys(l, r)).map(|r| text(&[l, r])));
    let left_with = |wanted: bool| left.iter().filter(move |l| right.iter().any(|r| same_keys(l, r)) == wanted);
    let right_with = |wanted: bool| right.iter().filter(move |r| left.iter().any(|l| same_keys(l, r)) == wanted);
    let pad_right = || left_with(false).map(|l| text(&[l, &null_of(right, left).expect("a row")]));
    let pad_left = || right_with(false).map(|r| text(&[&null_of(left, right).expect("a row"), r]));
    let mut rows: Vec<String> = match kind {
        "innerunique" | "inner" => pairs.collect(),
        "leftouter" => pairs.chain(pad_right()).collect(),
        "rightouter" => pairs.chain(pad_left()).collect(),
        "fullouter" => pairs.chain(pad_right()).chain(pad_left()).collect(),
        "leftsemi" => left_with(true).map(|row| text(&[row])).collect(),
        "leftanti" | "anti" | "leftantisemi" => left_with(false).map(|row| text(&[row])).collect(),
        "rightsemi" => right_with(true).map(|row| text(&[row])).collect(),
        "rightanti" | "rightantisemi" => right_with(false).map(|row| text(&[row])).collect(),
        other => panic!("the slow twin does not know {other}"),
    };
    rows.sort();
    rows
}

fn text(rows: &[&Row]) -> String {
    let cells: Vec<String> = rows.iter().flat_map(|row| row.iter().map(wire::cell)).collect();
    format!("[{}]", cells.join(","))
}

#[test]
fn the_hash_join_equals_a_nested_loop() {
    let mut matched = 0;
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let types: Vec<Type> = Type::ALL.into_iter().filter(|ty| *ty != Type::Dynamic).collect();
        let types = [0, 1].map(|_| types[rng.random_range(0..types.len())]);
        let (left, right) = (rows(&mut rng, types), rows(&mut rng, types));
        let catalog = MemoryCatalog::default()
            .with("L", Arc::new(table(&mut rng, types, &left, ["a", "b", "l"])))
            .with("R", Arc::new(table(&mut rng, types, &right, ["a", "b", "r"])));
        let threads = rng.random_range(1..4);
        let settings = Settings { threads, batch_rows: 5, ..Settings::new(datetime::UNIX_EPOCH) };
        let engine = Engine::new(Arc::new(catalog), settings);
        for (kind, _) in JOIN_KINDS {
            for (on, keys) in [("a", 1), ("a, b", 2)] {
                let query = format!("L | join kind={kind} R on {on}");
                let result = engine.query(&query).expect("the query is right");
                let mut actual = wire::rows(&result);
                actual.sort();
                matched += actual.len();
                assert_eq!(actual, nested_loop(kind, &left, &right, keys), "seed {seed}, {types:?}: {query}");
            }
        }
    }
    assert!(matched > 10_000, "only {matched} rows: the tables hardly ever match");
}
