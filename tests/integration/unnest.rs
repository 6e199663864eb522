//! Dynamic columns with duplicate values are expanded once per distinct value, with the same result as one by one.
//! Ranges are expanded without building their JSON, with the same result.

use std::sync::Arc;

use arrow::array::StringDictionaryBuilder;
use arrow::datatypes::Int32Type;
use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Column, ColumnBuilder, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::{plain, value};
use crate::wire;

const QUERIES: [&str; 7] = [
    "T | mv-expand a",
    "T | mv-expand a, b",
    "T | mv-expand kind=array a",
    "T | mv-expand with_itemindex=i a to typeof(long), b to typeof(string) limit 2",
    "T | mv-expand x = a | mv-expand x",
    "T | mv-expand a | summarize count() by tostring(a.a), n",
    "T | mv-expand a = b.b | extend c = a.c",
];

fn coded(values: &[Value]) -> Column {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    values.iter().for_each(|value| builder.append_option(json(value)));
    Column::array(Type::Dynamic, Arc::new(builder.finish()))
}

/// Columns with the rows of each of `batches`, over one dictionary that all of them share, with values that no row has.
fn shared(batches: &[Vec<Value>]) -> Vec<Column> {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    batches.iter().flatten().for_each(|value| builder.append_option(json(value)));
    (0..40).for_each(|number| builder.append_value(format!("[\"unused\",{number}]")));
    let all = builder.finish();
    let mut from = 0;
    let mut column = |batch: &Vec<Value>| {
        let column = Column::array(Type::Dynamic, Arc::new(all.slice(from, batch.len())));
        from += batch.len();
        column
    };
    batches.iter().map(&mut column).collect()
}

fn json(value: &Value) -> Option<&str> {
    match value {
        Value::Dynamic(json) => Some(json),
        _ => None,
    }
}

fn rows(batches: Vec<Batch>, query: &str) -> Vec<String> {
    let schema = Schema::new(
        ["a", "b"].map(|name| Field::new(name, Type::Dynamic)).into_iter().chain([Field::new("n", Type::Long)]),
    );
    let catalog = MemoryCatalog::default().with("T", Arc::new(MemoryTable::new(schema, batches)));
    let engine = Engine::new(Arc::new(catalog), Settings::new(datetime::UNIX_EPOCH));
    wire::rows(&engine.query(query).expect("a query"))
}

#[test]
fn duplicate_values_expand_like_single_ones() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut singly, mut together, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            let values: [Vec<Value>; 2] =
                std::array::from_fn(|_| (0..40).map(|_| value(&mut rng, Type::Dynamic)).collect());
            let numbers = plain(Type::Long, &(0..40).map(Value::Long).collect::<Vec<_>>());
            let [a, b] = &values;
            singly.push(Batch::new(vec![plain(Type::Dynamic, a), plain(Type::Dynamic, b), numbers.clone()], 40));
            together.push(Batch::new(vec![coded(a), coded(b), numbers], 40));
            all.push(values);
        }
        let column = |index: usize| shared(&all.iter().map(|values| values[index].clone()).collect::<Vec<_>>());
        let sharing = column(0).into_iter().zip(column(1)).zip(&together);
        let sharing: Vec<Batch> =
            sharing.map(|((a, b), batch)| Batch::new(vec![a, b, batch.column(2).clone()], 40)).collect();
        for query in QUERIES {
            let expected = rows(singly.clone(), query);
            assert!(!expected.is_empty());
            assert_eq!(rows(together.clone(), query), expected, "seed {seed}: {query}");
            assert_eq!(rows(sharing.clone(), query), expected, "seed {seed}: {query}, one dictionary");
        }
    }
}

/// The bounds and the step of a range; sometimes null, a step of zero or away from the end, the last number.
fn range(rng: &mut impl Rng, unit: i64) -> [Option<i64>; 3] {
    let step = rng.random_range(-3..9) * unit;
    let length = rng.random_range(-2..8) * step + rng.random_range(-1..2);
    let start = rng.random_range(-100..100_000) * unit.max(7);
    let start = if unit == 1 && rng.random_range(0..8) == 0 { i64::MAX - length.max(0) } else { start };
    [start, start + length, step].map(|value| (rng.random_range(0..12) > 0).then_some(value))
}

#[test]
fn ranges_expand_like_their_json() {
    let types = [
        ("long", Type::Long, Type::Long, 1),
        ("datetime", Type::Datetime, Type::Timespan, 36_000_000_001),
        ("timespan", Type::Timespan, Type::Timespan, 36_000_000_001),
    ];
    for (seed, (name, ty, step, unit)) in (0..10).flat_map(|seed| types.map(|ty| (seed, ty))) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let base = if ty == Type::Datetime { datetime::UNIX_EPOCH } else { 0 };
        let rows: Vec<[Option<i64>; 3]> = (0..200).map(|_| range(&mut rng, unit)).collect();
        let column = |index: usize, ty, base| {
            let mut builder = ColumnBuilder::new(ty);
            rows.iter().for_each(|row| match row[index] {
                Some(value) => builder.append_i64(value + base),
                None => builder.append_null(),
            });
            builder.finish()
        };
        let columns = vec![column(0, ty, base), column(1, ty, base), column(2, step, 0)];
        let fields = [Field::new("start", ty), Field::new("stop", ty), Field::new("step", step)];
        let table = MemoryTable::new(Schema::new(fields), vec![Batch::new(columns, rows.len())]);
        let engine = Engine::new(
            Arc::new(MemoryCatalog::default().with("T", Arc::new(table))),
            Settings::new(datetime::UNIX_EPOCH),
        );
        let answer = |query: &str| wire::rows(&engine.query(query).expect("a query"));
        for (arguments, rest) in [
            ("start, stop, step", ""),
            ("start, stop, step", "limit 3"),
            ("stop, start, step", ""),
            ("start, start", ""),
        ] {
            let element = format!("to typeof({name}) {rest}");
            let json = answer(&format!(
                "T | mv-expand with_itemindex=i x = todynamic(tostring(range({arguments}))) {element}"
            ));
            assert!(!json.is_empty());
            let whole = answer(&format!("T | mv-expand with_itemindex=i x = range({arguments}) {element}"));
            assert_eq!(whole, json, "seed {seed}, {name}: {arguments}");
            let projected =
                answer(&format!("T | extend x = range({arguments}) | mv-expand with_itemindex=i x {element}"));
            assert_eq!(projected, json, "seed {seed}, {name}: {arguments}");
        }
    }
}
