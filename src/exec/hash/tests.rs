//! Compares the table with a reference implementation, a linear search in a list of keys, on random columns of each
//! type and encoding.

use std::sync::Arc;

use arrow::array::DictionaryArray;
use arrow::datatypes::Int32Type;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{GroupTable, hashes};
use crate::types::{Column, ColumnBuilder, Decimal, Type, Value};

const SEED: u64 = 3;

fn value(random: &mut ChaCha8Rng, ty: Type) -> Value {
    let number = random.random_range(0..4_u8);
    let long = i64::from(number) - 1;
    match ty {
        Type::String => Value::String("ab".repeat(number.into()).into()),
        _ if number == 0 => Value::null(ty),
        Type::Dynamic => Value::Dynamic(long.to_string().into()),
        Type::Bool => Value::Bool(number == 1),
        Type::Int => Value::Int(number.into()),
        Type::Long => Value::Long(long),
        Type::Datetime => Value::Datetime(long),
        Type::Timespan => Value::Timespan(long),
        Type::Real => Value::Real([0.0, -0.0, f64::NAN, 1.5][usize::from(number)]),
        Type::Decimal => Value::Decimal(Decimal::from_parts(long.into(), -1).unwrap()),
        Type::Guid => Value::Guid([number; 16]),
    }
}

/// Returns a random column: an array, a dictionary of strings, or a constant.
fn column(random: &mut ChaCha8Rng, ty: Type, rows: usize) -> Column {
    if random.random_range(0..5) == 0 {
        return Column::constant(value(random, ty), rows);
    }
    let mut builder = ColumnBuilder::new(ty);
    (0..rows).for_each(|_| builder.append(&value(random, ty)));
    let column = builder.finish();
    if !ty.is_text() || random.random_range(0..3) == 0 {
        return column;
    }
    let texts: DictionaryArray<Int32Type> = (0..rows).map(|row| column.text_at(row)).collect();
    Column::array(ty, Arc::new(texts))
}

/// Returns the key of each row as a string.
fn keys(columns: &[Column], rows: usize) -> Vec<String> {
    let text = |value: Value| match value {
        Value::Real(value) => format!("{}", if value == 0.0 { 0.0 } else { value }),
        Value::Decimal(value) => crate::types::decimal::to_text(value),
        value => format!("{value:?}"),
    };
    (0..rows).map(|row| columns.iter().map(|column| text(column.value(row)) + "|").collect()).collect()
}

fn groups(known: &mut Vec<String>, keys: &[String]) -> Vec<u32> {
    let mut group = |key: &String| {
        let found = known.iter().position(|other| other == key);
        u32::try_from(found.unwrap_or_else(|| {
            known.push(key.clone());
            known.len() - 1
        }))
    };
    keys.iter().map(|key| group(key).unwrap()).collect()
}

#[test]
fn groups_are_those_of_a_linear_search() {
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let types: Vec<Type> =
            (0..random.random_range(0..4)).map(|_| Type::ALL[random.random_range(0..Type::ALL.len())]).collect();
        let mut tables = [0, 1].map(|_| (GroupTable::new(types.clone(), SEED), Vec::new()));
        let mut ids = Vec::new();
        for (table, known) in &mut tables {
            for _ in 0..3 {
                let rows = random.random_range(1..100);
                let whole: Vec<Column> = types.iter().map(|ty| column(&mut random, *ty, rows)).collect();
                // Batches that are parts of one column share its dictionary.
                let step = random.random_range(1..=rows);
                for start in (0..rows).step_by(step) {
                    let rows = step.min(rows - start);
                    let columns: Vec<Column> = whole.iter().map(|column| column.slice(start, rows)).collect();
                    let keys = keys(&columns, rows);
                    let found = |key: &String| known.iter().position(|other: &String| other == key);
                    let expected: Vec<Option<usize>> = keys.iter().map(found).collect();
                    table.find(&columns, rows, &mut ids).unwrap();
                    let group = |number: &u32| (*number != GroupTable::NONE).then_some(*number as usize);
                    assert_eq!(ids.iter().map(group).collect::<Vec<_>>(), expected, "seed {seed}: {types:?}");
                    table.assign(&columns, rows, &mut ids).unwrap();
                    assert_eq!(ids, groups(known, &keys), "seed {seed}: {types:?}");
                    let by_row = hashes(&columns, rows, SEED, 1);
                    let by_group: Vec<u64> = table.hashes(SEED, 1).collect();
                    assert!(by_row.iter().zip(&ids).all(|(hash, group)| *hash == by_group[*group as usize]));
                }
            }
            assert_eq!(self::keys(&table.columns(), table.len()), *known, "seed {seed}: {types:?}");
        }
        let [(mut table, mut known), (later, others)] = tables;
        assert_eq!(table.merge(&later).unwrap(), groups(&mut known, &others), "seed {seed}: {types:?}");
        assert_eq!(keys(&table.columns(), table.len()), known);
        let mut some: Vec<u32> = table.ids_from(0).filter(|group| group % 3 != 1).collect();
        some.reverse();
        let selected = table.select(&some).unwrap();
        let expected: Vec<String> = some.iter().map(|group| known[*group as usize].clone()).collect();
        assert_eq!(keys(&selected.columns(), selected.len()), expected);
    }
}
