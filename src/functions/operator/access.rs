//! The operator `base[index]`, if the index differs from row to row. With a constant index it becomes a path instead.

use super::JSON;
use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Overload, Param, Returns};
use crate::types::{Type, dynamic};

const BASE: Param = Param::of("base", JSON, "an array or a bag");

/// Access to the values of bags and the elements of arrays.
///
/// Source: the reference's page on the dynamic data type, and results of the engine: a missing element is null.
pub(super) static OPERATORS: &[ScalarFunction] = &[ScalarFunction {
    name: "[]",
    category: Category::Dynamic,
    summary: "The element of an array at an index, counted from the end if negative, or the value of a key of a \
              property bag.",
    overloads: &[
        Overload {
            params: &[
                BASE,
                Param::of("index", Accepts::Only(&[Type::Long, Type::Int]), "the zero-based index of the element"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                let (base, index) = (args.texts(0), args.longs(1));
                Ok(args.map(|row| dynamic::get_index(base.get(row)?, index.get(row)?).map(str::to_owned)))
            },
        },
        Overload {
            params: &[BASE, Param::of("key", Accepts::Only(&[Type::String]), "a key")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                let (base, key) = (args.texts(0), args.texts(1));
                Ok(args.map(|row| dynamic::get_member(base.get(row)?, key.get(row)?).map(str::to_owned)))
            },
        },
    ],
    examples: &[
        Example::new("dynamic(['a', 'b'])[toint('1')]", "b"),
        Example::new("dynamic({'a': 1})[strcat('a', '')]", "1"),
        Example::new("dynamic({'a': 1})[toint('0')]", ""),
    ],
    ..ScalarFunction::DEFAULT
}];
