//! Compares kernels over whole columns with row-by-row definitions, for all types, arrays, constants and nulls.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::equality::equal_values;
use super::json_number::Number;
use super::operator;
use crate::diagnostic::Error;
use crate::functions::signature::choose;
use crate::functions::{Args, EvalContext, ScalarFunction, scalar_function};
use crate::types::{Column, ColumnBuilder, Type, Value, cast};

const ROWS: usize = 40;

/// Returns the result of a call as the binder makes it; None if no overload fits, or a decimal has too many digits.
fn call(function: &ScalarFunction, columns: &[Column]) -> Option<Column> {
    let types: Vec<Type> = columns.iter().map(Column::ty).collect();
    let (overload, casts) = choose(function.overloads, &types)?;
    let columns: Vec<Column> =
        columns.iter().zip(&casts).map(|(column, ty)| cast::cast_column(column, *ty).unwrap()).collect();
    let context = EvalContext::new(0, 0);
    let returns = overload.returns.resolve(&casts);
    let args = Args::new(&columns, columns[0].rows(), returns, function.nulls, &context);
    let result = match (overload.kernel)(&args) {
        Ok(result) => result,
        Err(Error::Query(_)) => return None,
        Err(other) => panic!("{}: {other}", function.name),
    };
    assert_eq!((result.ty(), result.rows()), (returns, columns[0].rows()), "{}", function.name);
    Some(result)
}

/// Returns a random value from a small set, nulls included, so that equal values occur.
fn random_value(ty: Type, random: &mut ChaCha8Rng) -> Value {
    let pick = random.random_range(0..6_u8);
    let number = i64::from(random.random_range(-2..3_i8));
    if pick == 0 {
        return Value::null(ty);
    }
    let texts = ["0", "1", "true", "True", "a", "A", "1.5", "-1", "00:00:00", "0001-01-01", ""];
    let text = texts[random.random_range(0..texts.len())];
    match ty {
        Type::Bool => Value::Bool(number > 0),
        Type::Int => Value::Int(i32::try_from(number).unwrap()),
        Type::Long => Value::Long(if pick == 1 { i64::MAX - number.abs() } else { number }),
        Type::Real => Value::Real([f64::NAN, -0.0, 0.0, 1.0, 1.5, f64::INFINITY][usize::from(pick)]),
        Type::Decimal => {
            Value::Decimal(crate::types::Decimal::from_parts(number.into(), -i32::from(pick % 2)).unwrap())
        }
        Type::String => Value::string(text),
        Type::Datetime => Value::Datetime(number.abs()),
        Type::Timespan => Value::Timespan(number),
        Type::Guid => Value::Guid([u8::try_from(number.abs()).unwrap(); 16]),
        Type::Dynamic => {
            let values =
                ["0", "1", " 1.0", "1.5", "true", "\"a\"", "\"\\u0061\"", "\"1\"", "\"\"", "[1]", "{\"a\": 1}"];
            Value::dynamic(values[random.random_range(0..values.len())])
        }
    }
}

fn random_column(ty: Type, constant: bool, random: &mut ChaCha8Rng) -> Column {
    if constant {
        return Column::constant(random_value(ty, random), ROWS);
    }
    let mut builder = ColumnBuilder::new(ty);
    for _ in 0..ROWS {
        builder.append(&random_value(ty, random));
    }
    builder.finish()
}

/// Calls `function` on random columns of every pair of types and compares each row with `expected`, which returns
/// None for rows that it does not define. Returns the number of compared rows.
fn compare_pairs(function: &ScalarFunction, expected: impl Fn(&Value, &Value) -> Option<Value>) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut compared = 0;
    for left in Type::ALL {
        for right in Type::ALL {
            for shape in 0..12 {
                let a = random_column(left, shape & 1 == 1, &mut random);
                let b = random_column(right, shape & 2 == 2, &mut random);
                let Some(result) = call(function, &[a.clone(), b.clone()]) else { continue };
                for row in 0..ROWS {
                    let (a, b) = (a.value(row), b.value(row));
                    let Some(value) = expected(&a, &b) else { continue };
                    assert_eq!(result.value(row), value, "{a:?} {} {b:?}", function.name);
                    compared += 1;
                }
            }
        }
    }
    compared
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null(Type::Bool), Value::Bool)
}

#[test]
fn equality_of_columns_is_that_of_values() {
    let equal = operator("==").unwrap();
    let compared = compare_pairs(equal, |a, b| Some(truth(equal_values(a, b))));
    assert!(compared > 20_000, "{compared}");
    compare_pairs(operator("!=").unwrap(), |a, b| Some(truth(equal_values(a, b).map(|same| !same))));
}

#[test]
fn order_of_columns_is_that_of_values() {
    fn number(value: &Value) -> Option<Number> {
        match value {
            Value::Dynamic(json) => Number::read_json(json),
            Value::Datetime(ticks) | Value::Timespan(ticks) => Some(Number::Long(*ticks)),
            other => Number::from_value(other),
        }
    }
    type Relation = (&'static str, fn(Number, Number) -> bool);
    let relations: [Relation; 4] =
        [("<", |a, b| a < b), ("<=", |a, b| a <= b), (">", |a, b| a > b), (">=", |a, b| a >= b)];
    for (symbol, holds) in relations {
        let expected = |a: &Value, b: &Value| Some(truth(number(a).zip(number(b)).map(|(a, b)| holds(a, b))));
        assert!(compare_pairs(operator(symbol).unwrap(), expected) > 10_000);
    }
}

#[test]
fn sums_and_products_of_columns_are_those_of_values() {
    type Operation = (&'static str, fn(i64, i64) -> Option<i64>, fn(f64, f64) -> f64);
    let operations: [Operation; 4] = [
        ("+", |a, b| Some(a.wrapping_add(b)), |a, b| a + b),
        ("-", |a, b| Some(a.wrapping_sub(b)), |a, b| a - b),
        ("*", |a, b| Some(a.wrapping_mul(b)), |a, b| a * b),
        ("/", |a, b| a.checked_div(b), |a, b| a / b),
    ];
    for (symbol, whole, real) in operations {
        let expected = |a: &Value, b: &Value| match (a, b) {
            (Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => {
                Some(whole(a.as_i64()?, b.as_i64()?).map_or(Value::Null(Type::Long), Value::Long))
            }
            // NaN is not equal to itself.
            (Value::Real(a), Value::Real(b)) => Some(Value::Real(real(*a, *b))).filter(|value| value == value),
            _ => None,
        };
        assert!(compare_pairs(operator(symbol).unwrap(), expected) > 1_000);
    }
}

#[test]
fn a_list_holds_a_value_that_is_the_same_as_an_item() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut found = 0;
    for round in 0..2_000 {
        let ty = Type::ALL[round % Type::ALL.len()];
        let mut columns = vec![random_column(ty, random.random_bool(0.1), &mut random)];
        for _ in 0..random.random_range(1..8) {
            let item = Type::ALL[random.random_range(0..Type::ALL.len())];
            columns.push(random_column(item, random.random_bool(0.8), &mut random));
        }
        let Some(result) = call(operator("in").unwrap(), &columns) else { continue };
        let negated = call(operator("!in").unwrap(), &columns).unwrap();
        for row in 0..ROWS {
            let value = columns[0].value(row);
            let items: Vec<Value> = columns[1..].iter().flat_map(|column| elements(&column.value(row))).collect();
            let expected = any_same(&value, &items);
            assert_eq!(result.value(row), truth(expected), "{value:?} in {items:?}");
            assert_eq!(negated.value(row), truth(expected.map(|found| !found)), "{value:?} !in {items:?}");
            found += usize::from(expected == Some(true));
        }
    }
    assert!(found > 1_000, "{found}");
}

/// Returns the list items that an argument stands for.
fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::Dynamic(json) if json.starts_with('[') => vec![Value::Long(1)],
        Value::Dynamic(json) if json.starts_with('"') => vec![Value::string(crate::types::dynamic::to_text(json))],
        Value::Dynamic(json) if json.trim() == "true" => vec![Value::Bool(true)],
        Value::Dynamic(json) => {
            let number = json.trim().parse().map(Value::Long).or_else(|_| json.trim().parse().map(Value::Real));
            vec![number.unwrap_or_else(|_| value.clone())]
        }
        other => vec![other.clone()],
    }
}

fn any_same(value: &Value, items: &[Value]) -> Option<bool> {
    let answers: Vec<_> = items.iter().map(|item| equal_values(value, item)).collect();
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    if answers.contains(&None) { None } else { Some(false) }
}

#[test]
fn many_needles_are_found_like_few() {
    let words = ["alpha", "beta", "gamma", "delta", "be", "a", "amma", "a b"];
    let texts = ["Alpha", "alphabet", "x-BETA", "be_ta", "gammas", "a b", "", "ab a", "delta.delta"];
    let mut builder = ColumnBuilder::new(Type::String);
    for row in 0..100 {
        builder.append_text(texts[row % texts.len()]);
    }
    let texts = builder.finish();
    let list = |words: &[&str]| {
        let constants = words.iter().map(|word| Column::constant(Value::string(*word), texts.rows()));
        [texts.clone()].into_iter().chain(constants).collect::<Vec<_>>()
    };
    let has_any = operator("has_any").unwrap();
    let all = call(has_any, &list(&words)).unwrap();
    let each: Vec<Column> = words.iter().map(|word| call(has_any, &list(&[*word])).unwrap()).collect();
    for row in 0..texts.rows() {
        let expected = each.iter().any(|found| found.bool_at(row) == Some(true));
        assert_eq!(all.bool_at(row), Some(expected), "{:?}", texts.value(row));
    }
}

#[test]
fn a_long_array_is_kept_and_still_its_own() {
    let array = |first: i64| {
        let items: Vec<String> = (first..first + 1_000).map(|n| n.to_string()).collect();
        Value::dynamic(format!("[{}]", items.join(",")))
    };
    let (low, high) = (array(0), array(1_000));
    for _ in 0..3 {
        for (list, expected) in [(&low, true), (&high, false)] {
            for value in [Value::Long(5), Value::string("5")] {
                let columns = [Column::constant(value, 3), Column::constant(list.clone(), 3)];
                let found = call(operator("in").unwrap(), &columns).unwrap();
                assert_eq!(found.bool_at(2), Some(expected));
            }
        }
    }
}

#[test]
fn choices_over_columns_are_those_over_values() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for round in 0..400 {
        let ty = Type::ALL[round % Type::ALL.len()];
        let mut column = |ty| {
            let constant = random.random_bool(0.3);
            random_column(ty, constant, &mut random)
        };
        let (condition, a, b) = (column(Type::Bool), column(ty), column(ty));
        let chosen = call(scalar_function("iff").unwrap(), &[condition.clone(), a.clone(), b.clone()]).unwrap();
        let first = call(scalar_function("coalesce").unwrap(), &[a.clone(), b.clone()]).unwrap();
        let empty = call(scalar_function("isempty").unwrap(), std::slice::from_ref(&a)).unwrap();
        let arguments = [condition.clone(), a.clone(), b.clone()];
        let whole = (scalar_function("iff").unwrap().chosen)(&arguments).map(|argument| &arguments[argument]);
        for row in 0..ROWS {
            assert!(whole.is_none_or(|whole| same(&whole.value(row), &chosen.value(row))));
            let (a, b) = (a.value(row), b.value(row));
            let expected = if condition.value(row) == Value::Bool(true) { &a } else { &b };
            assert!(same(&chosen.value(row), expected));
            let absent = a.is_null() || a.as_str() == Some("");
            assert!(same(&first.value(row), if absent { &b } else { &a }));
            assert_eq!(empty.value(row), Value::Bool(a.to_text().is_empty()));
        }
    }
}

#[test]
fn bins_of_one_size_are_those_of_sizes_row_by_row() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for round in 0..300 {
        let ty = [Type::Long, Type::Datetime, Type::Timespan][round % 3];
        let (size_type, least) = (if ty == Type::Datetime { Type::Timespan } else { ty }, [0, i64::MIN][round % 2]);
        let size = [1, 7, 3_600_000, i64::MAX][random.random_range(0..4)];
        let (mut values, mut sizes) = (ColumnBuilder::new(ty), ColumnBuilder::new(size_type));
        let mut value = random.random_range(least..1 << 60);
        for _ in 0..ROWS {
            value = if random.random_bool(0.2) { random.random_range(least..1 << 60) } else { value.saturating_add(1) };
            values.append_i64(value);
            sizes.append_i64(size);
        }
        let values = values.finish();
        let (sizes, bin) = (sizes.finish(), scalar_function("bin").unwrap());
        let one = Column::constant(sizes.value(0), ROWS);
        let (found, expected) = (call(bin, &[values.clone(), one]).unwrap(), call(bin, &[values, sizes]).unwrap());
        (0..ROWS).for_each(|row| assert!(same(&found.value(row), &expected.value(row))));
    }
}

/// True if the values are equal; unlike in KQL, NaN equals itself.
fn same(a: &Value, b: &Value) -> bool {
    a == b || format!("{a:?}") == format!("{b:?}")
}
