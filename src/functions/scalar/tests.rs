//! Properties of every scalar function, tested on hostile values and on edge cases that occur in logs.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::diagnostic::Error;
use crate::functions::signature::{Arity, Overload, Param, arity, expand};
use crate::functions::{Accepts, Args, EvalContext, ScalarFunction, scalar_functions};
use crate::types::{Column, Decimal, Type, Value, datetime};

/// Number of random calls of each overload.
const CALLS: usize = 40;

const LONGS: [i64; 9] = [0, 1, -1, 2, 7, -8, 1025, i64::MAX, i64::MIN];

/// Edge-case strings, such as some that are cut inside a number, an escape or a bracket.
const TEXTS: [&str; 18] = [
    "",
    " ",
    "a",
    "aaaa",
    "héllo wörld",
    "\u{10FFFF}é\u{301}",
    "(a",
    "a.b.c.",
    "\\",
    "%é",
    "1.2.3.4/0",
    "::1/é",
    "x://[é:1@:/?=&#",
    "99999999.1",
    "\"a,\"\"b",
    "$.a['é']",
    "-0.0",
    "2024-02-30T25:61:61.é",
];

const JSON: [&str; 14] = [
    "[]",
    "{}",
    "[[[]]]",
    "1e400",
    "-9223372036854775809",
    "\"\"",
    "\"\\ud800\"",
    "\"héllo\"",
    "true",
    "[1,\"é\",null,{\"a\":[]},1.5,-9223372036854775808]",
    "{\"a\":{\"b\":{}},\"a\":1,\"é\":null}",
    " [ 1 , 2 ] ",
    "[\"1.2.3.4\",\"::\",\"a\"]",
    "[9223372036854775807,-1,2]",
];

fn value(ty: Type, rng: &mut ChaCha8Rng) -> Value {
    let long = LONGS[rng.random_range(0..LONGS.len())];
    if ty != Type::String && rng.random_bool(0.1) {
        return Value::Null(ty);
    }
    match ty {
        Type::Bool => Value::Bool(rng.random()),
        Type::Int => Value::Int([0, 1, -1, i32::MIN, i32::MAX][rng.random_range(0..5)]),
        Type::Long => Value::Long(long),
        Type::Real => {
            Value::Real([0.0, -0.5, 1e308, f64::NAN, f64::INFINITY, f64::NEG_INFINITY][rng.random_range(0..6)])
        }
        Type::Decimal => Value::Decimal([Decimal::ZERO, Decimal::MAX, Decimal::MIN][rng.random_range(0..3)]),
        Type::String => Value::string(TEXTS[rng.random_range(0..TEXTS.len())]),
        Type::Datetime => Value::Datetime([0, datetime::UNIX_EPOCH, datetime::MAX][rng.random_range(0..3)]),
        Type::Timespan => Value::Timespan(long),
        Type::Guid => Value::Guid(rng.random()),
        Type::Dynamic => Value::dynamic(JSON[rng.random_range(0..JSON.len())]),
    }
}

/// Returns a random argument; `same` selects the type that a type variable stands for in this call.
fn argument(param: &Param, same: usize, rng: &mut ChaCha8Rng) -> Value {
    let ty = match param.accepts {
        Accepts::Same(variable) => variable.types[same % variable.types.len()],
        Accepts::Table | Accepts::Column => panic!("{} is a parameter of a special form", param.name),
        Accepts::Type(ty) => ty,
        Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) => {
            types[rng.random_range(0..types.len())]
        }
        Accepts::Any => Type::ALL[rng.random_range(0..Type::ALL.len())],
    };
    value(ty, rng)
}

/// Returns the results of a call with constants and of one with arrays; None if the arguments are rejected.
fn answers(function: &ScalarFunction, overload: &Overload, arguments: &[Value]) -> Option<[Value; 2]> {
    let constants: Vec<Option<&Value>> = arguments.iter().map(Some).collect();
    (function.validate)(&constants).ok()?;
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    let returns = overload.returns.resolve_with(&types, &constants);
    let params = expand(overload.params, arguments.len())?;
    let answer = |rows: usize| {
        let column = |(value, param): (&Value, &&Param)| {
            let column = Column::constant(value.clone(), rows);
            if rows == 1 || param.constant { column } else { Column::array(value.ty(), column.to_array()) }
        };
        let columns: Vec<Column> = arguments.iter().zip(&params).map(column).collect();
        let context = EvalContext::new(datetime::UNIX_EPOCH, 1);
        match (overload.kernel)(&Args::new(&columns, rows, returns, function.nulls, &context)) {
            Ok(column) => {
                assert_eq!((column.rows(), column.ty()), (rows, returns), "{} {arguments:?}", function.name);
                Some(column.value(rows - 1))
            }
            Err(Error::Internal(message)) => panic!("{} {arguments:?}: {message}", function.name),
            Err(_) => None,
        }
    };
    Some([answer(1)?, answer(2)?])
}

#[test]
fn no_value_makes_a_function_fail_and_constants_answer_as_arrays_do() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    for function in scalar_functions() {
        for overload in function.overloads {
            let Arity { least, most } = arity(overload.params);
            // A range to the end of all numbers has a million elements.
            let calls = if function.name == "range" { 2 } else { CALLS };
            for _ in 0..calls {
                let count = rng.random_range(least..=most.unwrap_or(least + 2));
                let params = expand(overload.params, count).unwrap_or_default();
                let same = rng.random_range(0..Type::ALL.len());
                let arguments: Vec<Value> = params.iter().map(|param| argument(param, same, rng)).collect();
                if let Some([constant, array]) = answers(function, overload, &arguments)
                    && function.volatility == crate::functions::Volatility::Pure
                {
                    // NaN does not equal itself, but its string does.
                    assert_eq!(constant.to_text(), array.to_text(), "{} {arguments:?}", function.name);
                }
            }
        }
    }
}

#[test]
fn names_are_lower_case_and_each_is_taken_once() {
    let mut names: Vec<&str> = scalar_functions()
        .flat_map(|function| std::iter::once(&function.name).chain(function.aliases))
        .copied()
        .collect();
    assert!(names.iter().all(|name| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
