//! Property bags: their keys, and bags made from others. Anything but a bag gives null.

use super::array_elements::{JsonArgument, array_of, written};
use super::json_path;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::{BagWriter, Kind, entries, kind, to_text, unescape, unique_entries};
use crate::types::{Column, Type, Value};

const BAG: Param = Param::new("bag", Type::Dynamic, "the bag");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "bag_pack",
        aliases: &["pack", "pack_dictionary"],
        category: Category::Dynamic,
        summary: "Returns a property bag of alternating keys and values; the last value of a duplicate key is kept.",
        overloads: &[Overload {
            params: &[
                Param::new("key", Type::String, "a key"),
                Param::of("value", Accepts::Any, "its value"),
                Param::of("more", Accepts::Any, "further keys, each followed by its value").any_number(),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: pack,
        }],
        examples: &[
            Example::new("bag_pack('level', 'info', 'count', 3)", r#"{"level":"info","count":3}"#),
            Example::new("bag_pack('a', long(null))", r#"{"a":null}"#),
        ],
        nulls: Nulls::Handled,
        validate: |arguments| match arguments.len() % 2 {
            0 => Ok(()),
            _ => Err(Error::query(Code::ArgumentCount, Span::default(), "the last key has no value")),
        },
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_keys",
        category: Category::Dynamic,
        summary: "Returns an array of the keys of a property bag, or null if it is not a bag.",
        overloads: &[Overload {
            params: &[BAG],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                Ok(args.map_text(0, |json| {
                    is_bag(json).then(|| written(unique_entries(json).iter().map(|entry| entry.key.json())))
                }))
            },
        }],
        examples: &[
            Example::new("bag_keys(dynamic({'a': 'b', 'c': {'d': 1}}))", r#"["a","c"]"#),
            Example::new("bag_keys(dynamic([1]))", "dynamic(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_merge",
        category: Category::Dynamic,
        summary: "Returns a property bag with the entries of all bags; the leftmost value of a duplicate key is \
                  kept, and other values are ignored.",
        overloads: &[Overload {
            params: &[BAG, Param::new("other", Type::Dynamic, "a bag").repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: merge,
        }],
        examples: &[
            Example::new("bag_merge(dynamic({'a': 1}), dynamic({'a': 2, 'b': 3}))", r#"{"a":1,"b":3}"#),
            Example::new("bag_merge(dynamic(null), dynamic({'a': 2}))", r#"{"a":2}"#),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_has_key",
        category: Category::Dynamic,
        summary: "Returns true if the property bag has the key or path of keys.",
        overloads: &[Overload {
            params: &[BAG, Param::new("key", Type::String, "a key, or a path such as '$.outer.inner'")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map_texts(0, 1, |json, key| keys(key).is_some_and(|keys| has(json, &keys)))),
        }],
        examples: &[
            Example::new("bag_has_key(dynamic({'a': 1}), 'a')", "true"),
            Example::new("bag_has_key(dynamic({'a': {'b': 1}}), '$.a.c')", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_remove_keys",
        category: Category::Dynamic,
        summary: "Returns the property bag without the given keys.",
        overloads: &[Overload {
            params: &[BAG, Param::new("keys", Type::Dynamic, "an array of keys, or of paths such as '$.outer.inner'")],
            returns: Returns::Type(Type::Dynamic),
            kernel: remove,
        }],
        examples: &[Example::new(
            "bag_remove_keys(dynamic({'a': 1, 'b': {'c': 2, 'd': 3}}), dynamic(['a', '$.b.c', 'x']))",
            r#"{"b":{"d":3}}"#,
        )],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_set_key",
        category: Category::Dynamic,
        summary: "Returns the property bag with the value of a key set; the entry moves to the end.",
        overloads: &[Overload {
            params: &[
                BAG,
                Param::new("key", Type::String, "a key, or a path such as '$.outer.inner'").constant(),
                Param::of("value", Accepts::Any, "its value"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                let values = JsonArgument::of(args, 2);
                args.try_map(|row| {
                    let (json, key) = (args.column(0).text_at(row), args.column(1).text_at(row));
                    let keys = key.and_then(keys).filter(|_| json.is_some_and(is_bag));
                    Ok(keys.map(|keys| set(json.unwrap_or(""), &keys, &values.get(row))))
                })
            },
        }],
        examples: &[
            Example::new("bag_set_key(dynamic({'a': 1}), 'b', 'x')", r#"{"a":1,"b":"x"}"#),
            Example::new("bag_set_key(dynamic({'a': 1}), '$.b.c', 2)", r#"{"a":1,"b":{"c":2}}"#),
        ],
        nulls: Nulls::Handled,
        validate: |arguments| match arguments.get(1).copied().flatten().and_then(Value::as_str).map(keys) {
            Some(None) => {
                let message = "the path must consist of keys, such as `$.outer.inner`, without indexes";
                Err(Error::query(Code::InvalidValue, Span::default(), message))
            }
            _ => Ok(()),
        },
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "bag_zip",
        category: Category::Dynamic,
        summary: "Returns a property bag of an array of keys and an array of values; keys that are not strings are \
                  skipped, missing values are null.",
        overloads: &[Overload {
            params: &[
                Param::new("keys", Type::Dynamic, "an array of keys"),
                Param::new("values", Type::Dynamic, "an array of values"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                Ok(args.map(|row| {
                    let keys = array_of(args.column(0), row)?;
                    let values = array_of(args.column(1), row).unwrap_or_default().into_iter();
                    Some(zip(&keys, values.chain(std::iter::repeat("null"))))
                }))
            },
        }],
        examples: &[
            Example::new("bag_zip(dynamic(['a', 8, 'b']), dynamic([1, '2', 2.5]))", r#"{"a":1,"b":2.5}"#),
            Example::new("bag_zip(dynamic(['a', 'b']), dynamic([1]))", r#"{"a":1,"b":null}"#),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

/// Computes `pack_all(true)`: like `bag_pack`, without null values and empty strings.
pub(crate) static PACK_NOT_EMPTY: ScalarFunction = ScalarFunction {
    name: "pack_all",
    category: Category::Dynamic,
    overloads: &[Overload {
        params: &[Param::of("column", Accepts::Any, "the names and values of columns, in turn").any_number()],
        returns: Returns::Type(Type::Dynamic),
        kernel: pack_not_empty,
    }],
    nulls: Nulls::Handled,
    ..ScalarFunction::DEFAULT
};

fn pack_not_empty(args: &Args<'_>) -> Result<Column> {
    let pairs: Vec<_> =
        (0..args.len()).step_by(2).map(|at| (args.to_texts(at), JsonArgument::of(args, at + 1))).collect();
    args.try_map(|row| {
        let mut bag = BagWriter::new();
        for (key, value) in &pairs {
            let value = value.get(row);
            if !matches!(&*value, "null" | "\"\"") {
                bag.push_json(&key.get(row), &value);
            }
        }
        Ok(bag.finish())
    })
}

fn is_bag(json: &str) -> bool {
    kind(json) == Kind::Bag
}

/// Returns the keys of a path; see [`json_path::keys`].
fn keys(text: &str) -> Option<Vec<String>> {
    json_path::keys(text)
}

/// Removes duplicate keys from a bag: the last value stays, at the position of the first.
fn unique(json: String) -> String {
    let all = entries(&json).count();
    let entries = unique_entries(&json);
    if entries.len() == all {
        return json;
    }
    let mut bag = BagWriter::new();
    entries.iter().for_each(|entry| bag.push_json(&entry.key.text(), entry.value));
    bag.finish()
}

fn pack(args: &Args<'_>) -> Result<Column> {
    let keys: Vec<_> = (0..args.len()).step_by(2).map(|index| args.to_texts(index)).collect();
    let values: Vec<_> = (1..args.len()).step_by(2).map(|index| JsonArgument::of(args, index)).collect();
    let texts = (0..args.len()).step_by(2).all(|index| args.column(index).ty().is_text());
    if !texts {
        return Err(Error::query(Code::ArgumentType, Span::default(), "a key of a bag is a string"));
    }
    args.try_map(|row| {
        let mut bag = BagWriter::new();
        for (key, value) in keys.iter().zip(&values) {
            bag.push_json(&key.get(row), &value.get(row));
        }
        Ok(unique(bag.finish()))
    })
}

fn merge(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let bags: Vec<_> =
            args.columns().iter().filter_map(|column| column.text_at(row).filter(|json| is_bag(json))).collect();
        if bags.iter().map(|bag| bag.len()).sum::<usize>() > MAX_VALUE_BYTES {
            return Err(too_long("the merged bag"));
        }
        let mut seen = std::collections::HashSet::new();
        let mut merged = BagWriter::new();
        for entry in bags.iter().flat_map(|bag| unique_entries(bag)) {
            let key = entry.key.text();
            if !seen.contains(&key) {
                merged.push_json(&key, entry.value);
                seen.insert(key);
            }
        }
        Ok((!bags.is_empty()).then(|| merged.finish()))
    })
}

fn has(json: &str, keys: &[String]) -> bool {
    let found = keys.iter().try_fold(json, |json, key| crate::types::dynamic::get_member(json, key));
    found.is_some()
}

fn remove(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let (Some(json), Some(paths)) = (args.column(0).text_at(row), array_of(args.column(1), row)) else {
            return Ok(None);
        };
        let texts = paths.into_iter().filter(|path| kind(path) == Kind::String);
        let paths: Vec<_> = texts.filter_map(|path| keys(&unescape(path))).collect();
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        Ok(is_bag(json).then(|| without(json, &paths)))
    })
}

/// Returns the bag without the values at `paths`. Recurses as deep as the longest path, which is bounded.
fn without(json: &str, paths: &[&[String]]) -> String {
    let mut by_key: std::collections::HashMap<&str, Vec<&[String]>> = std::collections::HashMap::new();
    for path in paths {
        if let Some((key, rest)) = path.split_first() {
            by_key.entry(key).or_default().push(rest);
        }
    }
    let mut bag = BagWriter::new();
    for entry in unique_entries(json) {
        let key = entry.key.text();
        match by_key.get(&*key) {
            Some(rests) if rests.iter().any(|rest| rest.is_empty()) => {}
            Some(rests) if is_bag(entry.value) => bag.push_json(&key, &without(entry.value, rests)),
            _ => bag.push_json(&key, entry.value),
        }
    }
    bag.finish()
}

/// Returns the bag with `value` at the end of the path `keys`. Anything but a bag on that path is replaced with a bag.
fn set(json: &str, keys: &[String], value: &str) -> String {
    let Some((key, rest)) = keys.split_first() else { return value.to_owned() };
    let mut bag = BagWriter::new();
    let mut inner = "{}";
    for entry in unique_entries(json) {
        if entry.key.is(key) { inner = entry.value } else { bag.push_json(&entry.key.text(), entry.value) }
    }
    bag.push_json(key, &set(inner, rest, value));
    bag.finish()
}

fn zip<'a>(keys: &[&str], values: impl Iterator<Item = &'a str>) -> String {
    let mut bag = BagWriter::new();
    for (key, value) in keys.iter().zip(values).filter(|(key, _)| kind(key) == Kind::String) {
        bag.push_json(&to_text(key), value);
    }
    unique(bag.finish())
}

#[cfg(test)]
mod tests {
    use super::{set, unique, without};

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn keys_are_set_and_removed_along_a_path() {
        let json = r#"{"a":{"b":1,"c":2},"d":[3]}"#;
        assert_eq!(set(json, &path(&["a", "b"]), "9"), r#"{"d":[3],"a":{"c":2,"b":9}}"#);
        assert_eq!(set(json, &path(&["d", "x"]), "9"), r#"{"a":{"b":1,"c":2},"d":{"x":9}}"#);
        let (ab, d, x) = (path(&["a", "b"]), path(&["d"]), path(&["x", "y"]));
        assert_eq!(without(json, &[&ab, &d, &x]), r#"{"a":{"c":2}}"#);
    }

    #[test]
    fn of_a_key_given_twice_the_last_value_counts() {
        assert_eq!(unique(r#"{"a":1,"b":2,"a":3}"#.to_owned()), r#"{"a":3,"b":2}"#);
    }
}
