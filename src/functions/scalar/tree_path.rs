//! treepath: the paths of the values inside a dynamic.
//!
//! Source: the reference's page on treepath(). All elements of an array have the path of the first one.

use std::collections::HashSet;

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind, unique_entries};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "treepath",
    category: Category::Dynamic,
    summary: "Returns an array of the paths of all values inside a dynamic; the elements of an array share one path.",
    overloads: &[Overload {
        params: &[Param::new("object", Type::Dynamic, "the value")],
        returns: Returns::Type(Type::Dynamic),
        kernel: tree_path,
    }],
    examples: &[
        Example::new("treepath(dynamic({'a': 'b', 'c': 5}))", r#"["['a']","['c']"]"#),
        Example::new("treepath(dynamic({'a': [1, {'b': 2}]}))", r#"["['a']","['a'][0]","['a'][0]['b']"]"#),
    ],
    result_name: ResultName::Prefix("tree_"),
    ..ScalarFunction::DEFAULT
}];

/// Maximum number of bytes in the paths of all values together; a path that several values share counts for each.
const MAX_WORK: usize = 4 * MAX_VALUE_BYTES;

fn tree_path(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| {
        let Some(json) = texts.get(row) else { return Ok(None) };
        let mut paths = Paths::default();
        paths.collect(json, "")?;
        Ok(Some(paths.array.finish()))
    })
}

#[derive(Default)]
struct Paths {
    array: ArrayWriter,
    seen: HashSet<String>,
    /// The number of bytes in the paths so far. The paths of deeply nested values are longer than the values.
    work: usize,
}

impl Paths {
    /// Adds the paths inside a value at `path`. Recurses as deep as a dynamic is nested, which is limited.
    fn collect(&mut self, json: &str, path: &str) -> Result<()> {
        match kind(json) {
            Kind::Bag => unique_entries(json)
                .iter()
                .try_for_each(|entry| self.add(format!("{path}['{}']", entry.key.text()), entry.value)),
            Kind::Array => elements(json).try_for_each(|element| self.add(format!("{path}[0]"), element)),
            _ => Ok(()),
        }
    }

    fn add(&mut self, path: String, value: &str) -> Result<()> {
        self.work += path.len();
        if self.work > MAX_WORK {
            return Err(too_long("the array of paths"));
        }
        if !self.seen.contains(&path) {
            self.array.push_text(&path);
            self.seen.insert(path.clone());
        }
        self.collect(value, &path)
    }
}
