//! buildschema: the types that the dynamics of a group have, by path.
//!
//! Source: the reference's page on buildschema(). Types are listed in the order in which they first occur. How the
//! engine shows nulls and empty arrays is not documented; they add no type.

use std::collections::HashMap;

use super::AggregateFunction;
use super::element::GroupedRows;
use super::summary::{AddValue, GroupSummary, for_each_json, summaries};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Param, ResultName, Returns};
use crate::types::dynamic::{BagWriter, Kind, elements, kind, unique_entries};
use crate::types::{Column, Type};

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[AggregateFunction {
    name: "buildschema",
    category: Category::Dynamic,
    summary: "Returns the smallest schema that admits all values: for each key its type or types, and the key \
              `indexer` (in backquotes) for the elements of arrays.",
    params: &[Param::new("expr", Type::Dynamic, "the values; nulls are ignored")],
    returns: Returns::Type(Type::Dynamic),
    result_name: ResultName::Prefix("schema_"),
    accumulator: |call| Ok(summaries::<ValueSchema>(call, ())),
    examples: &[Example::new(
        "datatable(x:dynamic) [dynamic({'a': 1}), dynamic({'a': 'x', 'b': [1.5]})] | summarize buildschema(x)",
        r#"{"a":["long","string"],"b":{"`indexer`":"double"}}"#,
    )],
    ..AggregateFunction::DEFAULT
}];

/// The key under which a schema describes the elements of an array.
const INDEXER: &str = "`indexer`";

/// The types of the values at one path, and the schemas of what these values contain.
#[derive(Debug, Default)]
struct ValueSchema {
    /// The types that occurred, in the order of their first occurrence.
    types: Vec<ValueType>,
    /// The schema of each key of bags, and of the elements of arrays under [`INDEXER`], in the order of first
    /// occurrence.
    members: Vec<(String, ValueSchema)>,
    positions: HashMap<String, usize>,
    /// Memory of `members` in bytes.
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    Primitive(Kind),
    /// A bag or array, whose contents are described in `members`.
    Container,
}

impl ValueSchema {
    fn add_type(&mut self, ty: ValueType) {
        if !self.types.contains(&ty) {
            self.types.push(ty);
        }
    }

    fn member(&mut self, key: &str) -> &mut Self {
        let position = *self.positions.entry(key.to_owned()).or_insert(self.members.len());
        if position == self.members.len() {
            self.members.push((key.to_owned(), Self::default()));
            self.bytes += 3 * key.len() + 2 * size_of::<(String, Self)>();
        }
        &mut self.members[position].1
    }

    /// Calls `change` with the schema of `key`, and adds the memory by which that grew to `bytes`.
    fn change(&mut self, key: &str, change: impl FnOnce(&mut Self)) {
        let member = self.member(key);
        let before = member.bytes;
        change(member);
        let grown = member.bytes - before;
        self.bytes += grown;
    }

    /// Adds the types of a value, given as JSON. Recurses as deep as a dynamic is nested, which is limited.
    fn add(&mut self, json: &str) {
        match kind(json) {
            Kind::Null => {}
            Kind::Bag => {
                self.add_type(ValueType::Container);
                for entry in unique_entries(json) {
                    self.change(&entry.key.text(), |member| member.add(entry.value));
                }
            }
            Kind::Array => {
                self.add_type(ValueType::Container);
                self.change(INDEXER, |inner| elements(json).for_each(|element| inner.add(element)));
            }
            primitive => self.add_type(ValueType::Primitive(primitive)),
        }
    }

    fn write(&self) -> String {
        let mut types: Vec<String> = self.types.iter().map(|ty| self.write_type(*ty)).collect();
        match types.as_slice() {
            [_] => types.swap_remove(0),
            _ => format!("[{}]", types.join(",")),
        }
    }

    fn write_type(&self, ty: ValueType) -> String {
        match ty {
            ValueType::Primitive(kind) => format!("\"{}\"", kind.name()),
            ValueType::Container => {
                let mut bag = BagWriter::new();
                self.members.iter().for_each(|(key, schema)| bag.push_json(key, &schema.write()));
                bag.finish()
            }
        }
    }
}

impl GroupSummary for ValueSchema {
    type Options = ();

    fn for_each((): &(), rows: GroupedRows<'_>, arguments: &[Column], each: &mut AddValue<'_, Self>) -> Result<()> {
        for_each_json(&arguments[0], rows, |row, json| {
            each(row, &mut |schema| schema.add(json));
            Ok(())
        })
    }

    fn merge(&mut self, later: Self) {
        later.types.into_iter().for_each(|ty| self.add_type(ty));
        for (key, schema) in later.members {
            self.change(&key, |member| member.merge(schema));
        }
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn json(&mut self, (): &()) -> Option<String> {
        (!self.types.is_empty()).then(|| self.write())
    }
}
