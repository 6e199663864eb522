//! JSON strings and dynamics: parsing, printing and types.

use std::sync::Arc;

use arrow::array::{Array, StringViewArray};
use arrow::buffer::NullBuffer;

use super::json_path;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::{Args, Texts};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::functions::{ScalarFunction, TypeArgument};
use crate::types::dynamic::{Path, canonical, extract, from_text, kind, to_text, validate};
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "parse_json",
        aliases: &["todynamic", "parsejson", "toobject"],
        category: Category::Dynamic,
        summary: "Returns the dynamic value of a JSON string; anything that is not JSON stays a string, and \"\" is \
                  null.",
        overloads: &[
            Overload {
                params: &[Param::new("json", Type::String, "the string")],
                returns: Returns::Type(Type::Dynamic),
                kernel: parse_json,
            },
            Overload {
                params: &[Param::new("value", Type::Dynamic, "a dynamic, which is returned unchanged")],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| Ok(args.column(0).clone()),
            },
        ],
        examples: &[
            Example::new(r#"parse_json('{"a": [1, 2]}')"#, r#"{"a":[1,2]}"#),
            Example::new("parse_json('{not json')", "{not json"),
            Example::new("parse_json('')", "dynamic(null)"),
            Example::new("parse_json(dynamic('[1]'))", "[1]"),
        ],
        result_name: ResultName::FirstArgument,
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "dynamic_to_json",
        category: Category::Dynamic,
        summary: "Returns the dynamic as a JSON string with sorted keys, so that equal values give equal strings.",
        overloads: &[Overload {
            params: &[Param::new("value", Type::Dynamic, "the dynamic")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, canonical)),
        }],
        examples: &[Example::new("dynamic_to_json(dynamic({'b': 1, 'a': [2]}))", r#"{"a":[2],"b":1}"#)],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "gettype",
        category: Category::Conversion,
        summary: "Returns the name of the value's type; for a dynamic array, dictionary, long, double, string, bool \
                  or null.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the value")],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let column = args.column(0);
                match column.ty() {
                    Type::Dynamic => Ok(args.map_text(0, |json| kind(json).name())),
                    ty => Ok(Column::constant(Value::string(ty.name()), args.rows())),
                }
            },
        }],
        examples: &[
            Example::new("gettype(1)", "long"),
            Example::new("gettype(dynamic({'a': 1}))", "dictionary"),
            Example::new("gettype(dynamic(1.5))", "double"),
            Example::new("gettype(dynamic(null))", "null"),
            Example::new("gettype(long(null))", "long"),
        ],
        result_name: ResultName::Prefix("type_"),
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "extract_json",
        aliases: &["extractjson"],
        category: Category::Dynamic,
        summary: "Returns the value at a path in a JSON string, as a string, or \"\" if there is none or the string \
                  is not JSON.",
        overloads: &[Overload {
            params: &[
                Param::new("path", Type::String, "a JSONPath such as '$.a.b[0]'").constant(),
                Param::new("json", Type::String, "the JSON string"),
            ],
            returns: Returns::Type(Type::String),
            kernel: extract_json,
        }],
        examples: &[
            Example::new(r#"extract_json('$.name', '{"name": "Ann", "age": 30}')"#, "Ann"),
            Example::new(r#"extract_json("$.hosts[1]['ip']", '{"hosts": [{}, {"ip": "10.0.0.1"}]}')"#, "10.0.0.1"),
            Example::new("extract_json('$.name', '[]')", ""),
        ],
        type_argument: TypeArgument::CastsJson,
        validate: |arguments| match arguments.first().copied().flatten().and_then(Value::as_str).map(json_path::parse) {
            Some(None) => {
                let message = "not a JSONPath of members and indexes, such as `$.a.b[0]`";
                Err(Error::query(Code::InvalidValue, Span::default(), message))
            }
            _ => Ok(()),
        },
        ..ScalarFunction::DEFAULT
    },
];

fn parse_json(args: &Args<'_>) -> Result<Column> {
    if let Texts::Views(texts) = args.texts(0)
        && let Some(column) = shared(texts)
    {
        return Ok(column);
    }
    Ok(args.map_text(0, |text| from_text(text).into_owned()))
}

/// Turns strings into a column of dynamics without copying them; None if any of them is not JSON.
fn shared(texts: &StringViewArray) -> Option<Column> {
    let mut valid = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let text = texts.value(row);
        let null = text.is_empty() || text.trim_ascii() == "null";
        if !null && validate(text.as_bytes()).is_err() {
            return None;
        }
        valid.push(!null);
    }
    let (views, buffers, _) = texts.clone().into_parts();
    let array = StringViewArray::try_new(views, buffers, Some(NullBuffer::from(valid))).ok()?;
    Some(Column::array(Type::Dynamic, Arc::new(array)))
}

fn extract_json(args: &Args<'_>) -> Result<Column> {
    let steps = args.constant(0).and_then(Value::as_str).and_then(json_path::parse);
    let path = Path::new(steps.ok_or_else(|| Error::internal("the path was checked"))?);
    Ok(args.map_text(1, |json| {
        let found = validate(json.as_bytes()).is_ok().then(|| extract(json, &path)).flatten();
        found.map(|found| to_text(found).into_owned())
    }))
}

#[cfg(test)]
mod tests {
    use arrow::array::StringViewArray;

    use super::shared;
    use crate::types::{Type, Value};

    #[test]
    fn valid_texts_are_shared_with_nulls_where_they_are_empty() {
        let texts = StringViewArray::from(vec!["[1, 2, 3, 4, 5, 6, 7]", "", " null ", "1"]);
        let column = shared(&texts).unwrap();
        let values: Vec<_> = (0..4).map(|row| column.value(row)).collect();
        let null = Value::Null(Type::Dynamic);
        assert_eq!(values, [Value::dynamic("[1, 2, 3, 4, 5, 6, 7]"), null.clone(), null, Value::dynamic("1")]);
        assert!(shared(&StringViewArray::from(vec!["1", "x"])).is_none());
    }
}
