//! Dynamic columns whose values repeat are taken apart once a value: as columns of the same values, each by itself.

use std::sync::Arc;

use arrow::array::StringDictionaryBuilder;
use arrow::datatypes::Int32Type;
use coldcase::engine::{Engine, Settings};
use coldcase::source::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Column, Field, Schema, Type, Value, datetime};
use rand::SeedableRng;
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
fn values_that_repeat_are_taken_apart_as_each_by_itself() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut singly, mut together) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let values: [Vec<Value>; 2] =
                std::array::from_fn(|_| (0..40).map(|_| value(&mut rng, Type::Dynamic)).collect());
            let numbers = plain(Type::Long, &(0..40).map(Value::Long).collect::<Vec<_>>());
            let [a, b] = &values;
            singly.push(Batch::new(vec![plain(Type::Dynamic, a), plain(Type::Dynamic, b), numbers.clone()], 40));
            together.push(Batch::new(vec![coded(a), coded(b), numbers], 40));
        }
        for query in QUERIES {
            let expected = rows(singly.clone(), query);
            assert!(!expected.is_empty());
            assert_eq!(rows(together.clone(), query), expected, "seed {seed}: {query}");
        }
    }
}
