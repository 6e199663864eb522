//! Properties of every aggregate, tested on seeded random rows of every type that it accepts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray};
use arrow::datatypes::Int32Type;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Accumulator, AggregateCall, AggregateFunction, FAMILIES};
use crate::functions::distinct_set::DistinctSet;
use crate::functions::signature::{Accepts, Arity, Param, Returns, arity, expand};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// A call of an aggregate, the group of each row, and the arguments.
struct RandomCall {
    function: &'static AggregateFunction,
    call: AggregateCall,
    groups: Vec<u32>,
    arguments: Vec<Column>,
}

#[test]
fn merging_any_split_equals_one_pass() {
    for_each_case(|case, rng| {
        let whole = one_pass(case);
        for _ in 0..4 {
            assert_same(case, &whole, &split(case, rng));
        }
    });
}

#[test]
fn the_seed_of_the_hash_tables_does_not_show() {
    for_each_case(|case, _| {
        let whole = one_pass(case);
        case.call.seed ^= 0x5555;
        assert_same(case, &whole, &one_pass(case));
    });
}

#[test]
fn encodings_do_not_show() {
    for_each_case(|case, _| {
        let whole = one_pass(case);
        case.arguments = case.arguments.iter().map(encoded).collect();
        assert_same(case, &whole, &one_pass(case));
    });
}

#[test]
fn groups_without_rows_are_like_no_rows() {
    for_each_case(|case, _| {
        let mut fresh = state(case);
        let none = fresh.finish(1).unwrap();
        let groups = case.groups.iter().max().map_or(0, |group| *group as usize + 1);
        let mut used = state(case);
        used.update(&case.groups, groups, &case.arguments).unwrap();
        let all = used.finish(groups + 1).unwrap();
        for (empty, column) in none.iter().zip(&all) {
            assert!(equal(&empty.value(0), &column.value(groups)), "{}", case.function.name);
        }
    });
}

#[test]
fn a_call_answers_the_columns_it_names() {
    for_each_case(|case, _| {
        let arguments: Vec<super::AggregateArgument> = (case.call.arguments.iter().zip(&case.call.constants))
            .map(|(ty, constant)| super::AggregateArgument { name: Some("x"), ty: *ty, constant: constant.as_ref() })
            .collect();
        let fields = case.function.result_columns(&arguments);
        let columns = one_pass(case);
        let types = |columns: &[Column]| columns.iter().map(Column::ty).collect::<Vec<_>>();
        assert_eq!(fields.iter().map(|field| field.ty).collect::<Vec<_>>(), types(&columns), "{}", case.function.name);
        assert_eq!(fields[0].ty, case.call.returns, "{}", case.function.name);
        assert!(fields.iter().all(|field| !field.name.is_empty()), "{}", case.function.name);
    });
}

#[test]
fn memory_grows_with_what_is_held() {
    for_each_case(|case, _| {
        let mut state = state(case);
        let before = state.memory();
        state.update(&case.groups, 4096, &case.arguments).unwrap();
        assert!(state.memory() >= before + 4096, "{}: {}", case.function.name, state.memory());
    });
}

/// Calls `check` with a random call of every aggregate for every type that it accepts.
fn for_each_case(mut check: impl FnMut(&mut RandomCall, &mut ChaCha8Rng)) {
    for function in FAMILIES.iter().copied().flatten() {
        for ty in Type::ALL {
            for optional in [false, true] {
                let rng = &mut ChaCha8Rng::seed_from_u64(u64::from(ty as u8) + 97 * u64::from(optional));
                if let Some(mut case) = case(function, ty, optional, rng) {
                    check(&mut case, rng);
                }
            }
        }
    }
}

/// Returns a random call of `function`, in which parameters that accept several types get `ty`, with or without
/// optional parameters. None if a parameter does not accept `ty`.
fn case(function: &'static AggregateFunction, ty: Type, optional: bool, rng: &mut ChaCha8Rng) -> Option<RandomCall> {
    const ROWS: usize = 200;
    let Arity { least, most } = arity(function.params);
    let params = expand(function.params, if optional { most.unwrap_or(least + 2) } else { least })?;
    let types: Vec<Type> = params.iter().map(|param| argument_type(param, ty)).collect::<Option<_>>()?;
    let constants: Vec<Option<Value>> = params.iter().map(|param| constant(param)).collect();
    let arguments = (types.iter().zip(&constants).zip(&params))
        .map(|((ty, constant), param)| match constant {
            Some(value) => Column::constant(value.clone(), ROWS),
            None => results_of(param.name, ROWS, rng).unwrap_or_else(|| random_column(*ty, ROWS, rng)),
        })
        .collect();
    let returns = match function.returns {
        Returns::Type(ty) => ty,
        other => other.resolve(&types),
    };
    let call = AggregateCall { arguments: types, constants, returns, seed: 42, max_value: usize::MAX };
    let groups = (0..ROWS).map(|_| rng.random_range(0..7)).collect();
    Some(RandomCall { function, call, groups, arguments })
}

fn argument_type(param: &Param, ty: Type) -> Option<Type> {
    match param.accepts {
        Accepts::Type(fixed) => Some(fixed),
        Accepts::Same(_) | Accepts::Table | Accepts::Column => None,
        Accepts::Any => Some(ty),
        Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) if param.constant => {
            types.first().copied()
        }
        Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) => types.contains(&ty).then_some(ty),
    }
}

fn constant(param: &Param) -> Option<Value> {
    param.constant.then(|| match param.accepts {
        Accepts::Type(Type::Real) => Value::Real(37.5),
        Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) if types[0] == Type::Real => {
            Value::Real(37.5)
        }
        _ => Value::Long(3),
    })
}

/// Returns random results of the aggregate `name`, to be merged; None if they cannot be merged.
fn results_of(name: &str, rows: usize, rng: &mut ChaCha8Rng) -> Option<Column> {
    if !matches!(name, "hll" | "tdigest") {
        return None;
    }
    let result = |rng: &mut ChaCha8Rng| {
        let n: i64 = rng.random_range(-6..7);
        match name {
            _ if n == -6 => Value::null(Type::Dynamic),
            "tdigest" => Value::dynamic(format!("[[7],[{n},{n}.5],[1,2]]")),
            _ => {
                let mut set = DistinctSet::new(12);
                (0..n).for_each(|hash| set.insert(hash.unsigned_abs()));
                Value::dynamic(set.to_json())
            }
        }
    };
    let mut builder = ColumnBuilder::new(Type::Dynamic);
    for _ in 0..rows {
        builder.append(&result(rng));
    }
    Some(builder.finish())
}

/// Returns random values from a small set, so that groups share some, with nulls and edge cases.
fn random_column(ty: Type, rows: usize, rng: &mut ChaCha8Rng) -> Column {
    let mut builder = ColumnBuilder::new(ty);
    for _ in 0..rows {
        let n: i64 = rng.random_range(-6..7);
        let value = match ty {
            _ if n == -6 => Value::null(ty),
            Type::Bool => Value::Bool(n > 0),
            Type::Int => Value::Int(n as i32),
            Type::Long => Value::Long(n * 1_000_000_007),
            Type::Real if n == -5 => Value::Real(f64::NAN),
            Type::Real => Value::Real(0.1 * n as f64 + 1e9 * (n % 2) as f64),
            Type::Decimal => Value::Decimal(crate::types::Decimal::from_parts(n.into(), -1).unwrap()),
            Type::String => Value::string(if n == -5 { String::new() } else { format!("é\"{n}") }),
            Type::Datetime => Value::Datetime(638_000_000_000_000_000 + n),
            Type::Timespan => Value::Timespan(n * 77),
            Type::Guid => Value::Guid([n as u8; 16]),
            Type::Dynamic => Value::dynamic(match n.rem_euclid(5) {
                0 => format!("[ {n}, \"a,]\", null ]"),
                1 => format!(r#"{{ "b": {n}, "a": [{n}] }}"#),
                2 => format!(r#"{{"a":[{n}],"b":{n}}}"#),
                3 => format!("\"t\\u00e9{n}\""),
                _ => n.to_string(),
            }),
        };
        builder.append(&value);
    }
    builder.finish()
}

fn state(case: &RandomCall) -> Box<dyn Accumulator> {
    (case.function.accumulator)(&case.call).unwrap()
}

fn one_pass(case: &RandomCall) -> Vec<Column> {
    let groups = *case.groups.iter().max().unwrap() as usize + 1;
    let mut state = state(case);
    state.update(&case.groups, groups, &case.arguments).unwrap();
    state.finish(groups).unwrap()
}

/// Aggregates the rows in parts with group numbers of their own, each part in batches, and merges the parts in order.
fn split(case: &RandomCall, rng: &mut ChaCha8Rng) -> Vec<Column> {
    let rows = case.groups.len();
    let mut parts: Vec<(Box<dyn Accumulator>, Vec<u32>)> = Vec::new();
    let mut start = 0;
    while start < rows {
        let end = rng.random_range(start + 1..=rows);
        parts.push(part(case, start, end, rng));
        start = end;
    }
    // The merged group numbers are in order of first appearance.
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut merged = state(case);
    for (later, groups) in parts {
        let map: Vec<u32> = groups
            .iter()
            .map(|group| {
                let next = numbers.len() as u32;
                *numbers.entry(*group).or_insert(next)
            })
            .collect();
        merged.merge(later, &map, numbers.len()).unwrap();
    }
    let columns = merged.finish(numbers.len()).unwrap();
    let order: Vec<u32> = (0..numbers.len() as u32).map(|group| numbers[&group]).collect();
    columns.iter().map(|column| column.take(&order.clone().into()).unwrap()).collect()
}

/// Returns the state of the rows `start..end`, and for each of its group numbers the group in `case`.
fn part(case: &RandomCall, start: usize, end: usize, rng: &mut ChaCha8Rng) -> (Box<dyn Accumulator>, Vec<u32>) {
    let mut state = state(case);
    let mut groups: Vec<u32> = Vec::new();
    let mut at = start;
    while at < end {
        let next = rng.random_range(at + 1..=end.min(at + 40));
        let numbers: Vec<u32> = case.groups[at..next]
            .iter()
            .map(|group| {
                let known = groups.iter().position(|other| other == group);
                known.unwrap_or_else(|| {
                    groups.push(*group);
                    groups.len() - 1
                }) as u32
            })
            .collect();
        let arguments: Vec<Column> = case.arguments.iter().map(|column| column.slice(at, next - at)).collect();
        state.update(&numbers, groups.len(), &arguments).unwrap();
        at = next;
    }
    (state, groups)
}

/// Encodes a string column as a dictionary, with dictionary values that no row uses.
fn encoded(column: &Column) -> Column {
    if !column.ty().is_text() || column.as_array().is_none() {
        return column.clone();
    }
    let texts = (0..column.rows()).map(|row| column.text_at(row));
    let dictionary: DictionaryArray<Int32Type> = [Some("unused")].into_iter().chain(texts).collect();
    let array: ArrayRef = Arc::new(dictionary);
    Column::array(column.ty(), array).slice(1, column.rows())
}

fn assert_same(case: &RandomCall, a: &[Column], b: &[Column]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!((a.ty(), a.rows()), (b.ty(), b.rows()));
        for row in 0..a.rows() {
            let (a, b) = (a.value(row), b.value(row));
            assert!(equal(&a, &b), "{} {:?}: {a:?}, {b:?}", case.function.name, case.call.arguments);
        }
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Real(a), Value::Real(b)) => a == b || a.is_nan() && b.is_nan(),
        _ => a == b,
    }
}
