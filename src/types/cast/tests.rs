//! Casts over whole columns: plain, dictionary-encoded and constant.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::types::{Column, ColumnBuilder};

fn text(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { value.to_text() }
}

#[track_caller]
fn check(value: &Value, to: Type, expected: &str) {
    assert_eq!(text(&cast(value, to).unwrap()), expected, "{value:?} to {to}");
}

#[test]
fn measured_conversions() {
    for (value, to, expected) in [
        (Value::Timespan(864_000_000_000), Type::Long, "864000000000"),
        (Value::Timespan(864_000_000_000), Type::Int, "711573504"),
        (Value::Timespan(15_000_000), Type::Real, "15000000.0"),
        (Value::Datetime(637_134_336_000_000_000), Type::Int, "-1954807808"),
        (Value::Datetime(621_355_968_000_000_000), Type::Timespan, "719162.00:00:00"),
        (Value::Real(1e10), Type::Int, "2147483647"),
        (Value::Real(-1e10), Type::Int, "-2147483648"),
        (Value::Real(1e30), Type::Long, "9223372036854775807"),
        (Value::Real(f64::NAN), Type::Long, "null"),
        (Value::Real(f64::INFINITY), Type::Timespan, "null"),
        (Value::Real(10.0), Type::Timespan, "00:00:00.0000010"),
        (Value::Real(0.0), Type::Bool, "False"),
        (Value::Real(1.5), Type::Bool, "True"),
        (Value::Long(-1), Type::Bool, "True"),
        (Value::string(" 2 "), Type::Bool, "True"),
        (Value::string("1.5"), Type::Bool, "null"),
        (Value::string("5.7"), Type::Long, "null"),
        (Value::string("5.7"), Type::Real, "5.7"),
        (Value::string("9999999999"), Type::Int, "null"),
        (Value::string("123.45678"), Type::Decimal, "123.45678"),
        (Value::Guid([0; 16]), Type::Timespan, "null"),
        (Value::Bool(true), Type::String, "True"),
        (Value::Null(Type::Bool), Type::String, ""),
        (Value::Null(Type::Dynamic), Type::String, ""),
        (Value::dynamic("true"), Type::String, "true"),
        (Value::dynamic("\"x\""), Type::String, "x"),
        (Value::dynamic("[1, 2]"), Type::String, "[1,2]"),
        (Value::dynamic("true"), Type::Long, "1"),
        (Value::dynamic("\"5.7\""), Type::Long, "null"),
        (Value::dynamic("\"5.7\""), Type::Real, "5.7"),
        (Value::dynamic("[1]"), Type::Long, "null"),
        (Value::dynamic("[1]"), Type::Timespan, "null"),
        (Value::dynamic("10"), Type::Timespan, "00:00:00.0000010"),
        (Value::dynamic("false"), Type::Timespan, "00:00:00"),
        (Value::dynamic("\" 1.00:00:00 \""), Type::Timespan, "1.00:00:00"),
        (Value::dynamic("\"2020-01-02T03:04:05.6000000Z\""), Type::Datetime, "2020-01-02T03:04:05.6000000Z"),
        (Value::dynamic("1"), Type::Bool, "True"),
        (Value::dynamic("\"true\""), Type::Bool, "True"),
        (Value::dynamic("12345678901234567890.5"), Type::Decimal, "12345678901234567890.5"),
        (Value::string("{\"a\":1}"), Type::Dynamic, "{\"a\":1}"),
        (Value::string("plain"), Type::Dynamic, "plain"),
        (Value::string(""), Type::Dynamic, "null"),
        (Value::string("null"), Type::Dynamic, "null"),
        (Value::Long(i64::MAX), Type::Datetime, "null"),
        (Value::Long(0), Type::Datetime, "0001-01-01T00:00:00.0000000Z"),
    ] {
        check(&value, to, expected);
    }
    assert_eq!(cast(&Value::Real(1e300), Type::Decimal), Err(OutOfRange));
}

#[test]
fn elements_convert_strictly() {
    for (json, int, real, string) in [
        ("1", "1", "1.0", "1"),
        ("2.5", "2", "2.5", "2.5"),
        ("-2.5", "-2", "-2.5", "-2.5"),
        ("\"2\"", "null", "null", "2"),
        ("true", "null", "null", "true"),
        ("null", "null", "null", ""),
    ] {
        for (to, expected) in [(Type::Int, int), (Type::Real, real), (Type::String, string)] {
            assert_eq!(text(&cast_element(json, to).unwrap()), expected, "{json} to {to}");
        }
    }
    for json in ["1", "2.5", "true", "[1]", "{}", "null"] {
        for to in [Type::Datetime, Type::Timespan, Type::Guid] {
            assert!(cast_element(json, to).unwrap().is_null(), "{json} to {to}");
        }
    }
    for (json, to, expected) in [
        ("\"2026-03-01\"", Type::Datetime, "2026-03-01T00:00:00.0000000Z"),
        ("\"00:00:05\"", Type::Timespan, "00:00:05"),
        ("true", Type::Bool, "True"),
        ("1", Type::Bool, "null"),
        ("\"true\"", Type::Bool, "null"),
        ("1.5", Type::Decimal, "1.5"),
        ("\"1.5\"", Type::Decimal, "null"),
    ] {
        assert_eq!(text(&cast_element(json, to).unwrap()), expected, "{json} to {to}");
    }
    let column = Column::constant(Value::dynamic("\"2\""), 2);
    assert!(cast_elements(&column, Type::Long).unwrap().is_null(1));
}

/// Strings that some cast can read, and some that none can.
const TEXTS: &[&str] = &[
    "",
    "1",
    "-7",
    " 12 ",
    "0x1F",
    "2.5",
    "1e3",
    "true",
    "FALSE",
    "null",
    "nan",
    "-inf",
    "2024-02-29",
    "1.02:03:04.5",
    "03/02/2026 10:20:30 AM",
    "74be27de-1e4e-49d9-b579-fe0b331d3642",
    "{\"a\": [1, 2]}",
    "[ ]",
    "\"quoted\"",
    "{broken",
    "9223372036854775807",
    "99999999999999999999",
    "é😀",
    "0.1",
];

fn random_value(random: &mut ChaCha8Rng, ty: Type) -> Value {
    if random.random_range(0..6) == 0 {
        return Value::null(ty);
    }
    let long = random.random::<i64>() >> random.random_range(0..64);
    let text = TEXTS[random.random_range(0..TEXTS.len())];
    match ty {
        Type::Bool => Value::Bool(random.random()),
        Type::Int => Value::Int(number::wrap_to_int(long)),
        Type::Long => Value::Long(long),
        Type::Real => Value::Real([f64::NAN, f64::INFINITY, 0.0, -2.5, 1e30, 0.1, 7.0][random.random_range(0..7)]),
        Type::Decimal => Value::Decimal(Decimal::from_parts((long >> 34).into(), -random.random_range(0..4)).unwrap()),
        Type::String => Value::string(text),
        Type::Datetime => Value::Datetime(long.rem_euclid(datetime::MAX)),
        Type::Timespan => Value::Timespan(long),
        Type::Guid => Value::Guid(random.random()),
        Type::Dynamic => Value::dynamic(dynamic::from_text(text)),
    }
}

/// Returns a dictionary-encoded array of the values, with keys out of order, some of them null, and `spare` unused
/// entries.
fn dictionary(values: &[Value], spare: usize) -> ArrayRef {
    let text = |value: &Value| match value {
        Value::String(text) | Value::Dynamic(text) => Some(text.to_string()),
        _ => None,
    };
    let texts: StringArray = values.iter().map(text).chain((0..spare).map(|n| Some(n.to_string()))).rev().collect();
    let last = i32::try_from(texts.len()).unwrap() - 1;
    let keys: Int32Array =
        (0..values.len()).map(|at| text(&values[at]).map(|_| last - i32::try_from(at).unwrap())).collect();
    Arc::new(DictionaryArray::try_new(keys, Arc::new(texts)).unwrap())
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Real(a), Value::Real(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// Compares column casts with casts of single values, for every pair of types and every encoding.
#[test]
fn columns_convert_as_values_do() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for from in Type::ALL {
        for to in Type::ALL {
            let mut values: Vec<_> = (0..60).map(|_| random_value(&mut random, from)).collect();
            // A value that does not fit fails the whole column: tested separately.
            values.retain(|value| cast(value, to).is_ok());
            let mut builder = ColumnBuilder::new(from);
            values.iter().for_each(|value| builder.append(value));
            let mut columns = vec![builder.finish()];
            if from.is_text() {
                columns.push(Column::array(from, dictionary(&values, 0)));
                columns.push(Column::array(from, dictionary(&values, 100)));
            }
            for column in columns {
                let converted = cast_column(&column, to).unwrap();
                assert_eq!((converted.ty(), converted.rows()), (to, values.len()));
                for (row, value) in values.iter().enumerate() {
                    let expected = cast(value, to).unwrap();
                    assert!(equal(&converted.value(row), &expected), "{value:?} to {to}: {:?}", converted.value(row));
                    assert_eq!(converted.is_null(row), expected.is_null(), "{value:?} to {to}");
                }
            }
            if let Some(value) = values.first() {
                let converted = cast_column(&Column::constant(value.clone(), 3), to).unwrap();
                assert!(equal(converted.as_constant().unwrap(), &cast(value, to).unwrap()));
            }
        }
    }
}

#[test]
fn what_does_not_fit_stops_the_column() {
    let mut builder = ColumnBuilder::new(Type::Real);
    builder.append(&Value::Real(1.0));
    builder.append(&Value::Real(1e300));
    let error = cast_column(&builder.finish(), Type::Decimal).unwrap_err();
    assert!(error.to_string().starts_with("KQL4001"), "{error}");
}

#[test]
fn nothing_is_copied_where_nothing_changes() {
    let json = Column::array(Type::String, Arc::new(arrow::array::StringViewArray::from(vec!["{}", "[1, 2]"])));
    let parsed = cast_column(&json, Type::Dynamic).unwrap();
    assert!(Arc::ptr_eq(parsed.as_array().unwrap(), json.as_array().unwrap()));
}
