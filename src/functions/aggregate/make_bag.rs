//! make_bag, make_bag_if: the property bags of a group merged into one. Deprecated name: make_dictionary.

use std::any::Any;

use super::conditional::conditional;
use super::make_list::{MAX_SIZE, MAX_SIZE_PARAM, OLD_MAX_SIZE, OLD_MAX_SIZE_PARAM, check_max_size, max_size};
use super::members::GroupMembers;
use super::{Accumulator, AggregateCall, AggregateFunction, downcast, take_states, value_too_long};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::interner::{ConcatenatedStrings, Interner};
use crate::types::{Column, ColumnBuilder, Type, dynamic};

const EXPR: Param = Param::of("expr", Accepts::Only(&[Type::Dynamic]), "the property bags; other values are ignored");
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "make_bag",
        summary: "Returns a property bag with the entries of all bags; the first value of a duplicate key is kept.",
        params: &[EXPR, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| bag(call, MAX_SIZE),
        examples: &[Example::new(
            "datatable(x:dynamic) [dynamic({'a': 1}), dynamic({'b': 2, 'a': 3})] | summarize make_bag(x)",
            r#"{"a":1,"b":2}"#,
        )],
        ..BAG
    },
    AggregateFunction {
        name: "make_bag_if",
        summary: "Returns a property bag with the entries of all bags in rows for which a condition is true.",
        params: &[EXPR, PREDICATE, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 2),
        accumulator: |call| conditional(call, 1, |call| bag(call, MAX_SIZE)),
        examples: &[Example::new(
            "datatable(x:dynamic) [dynamic({'a': 1}), dynamic({'b': 2})] | summarize make_bag_if(x, isnotnull(x.b))",
            r#"{"b":2}"#,
        )],
        ..BAG
    },
    AggregateFunction {
        name: "make_dictionary",
        summary: "Returns the same as make_bag(), but keeps 128 keys by default (deprecated).",
        params: &[EXPR, OLD_MAX_SIZE_PARAM],
        result_name: ResultName::Prefix("dictionary_"),
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| bag(call, OLD_MAX_SIZE),
        examples: &[Example::new("print x = dynamic({'a': 1}) | summarize make_dictionary(x)", r#"{"a":1}"#)],
        ..BAG
    },
];

const BAG: AggregateFunction = AggregateFunction {
    category: Category::Dynamic,
    returns: Returns::Type(Type::Dynamic),
    result_name: ResultName::Prefix("bag_"),
    ..AggregateFunction::DEFAULT
};

fn bag(call: &AggregateCall, default: usize) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Bags {
        max_size: max_size(call, 1, default)?,
        max_value: call.max_value,
        keys: Interner::new(ConcatenatedStrings::default(), call.seed),
        members: GroupMembers::new(call.seed),
        groups: Vec::new(),
        bytes: 0,
    }))
}

#[derive(Debug)]
struct Bags {
    max_size: usize,
    max_value: usize,
    keys: Interner<ConcatenatedStrings>,
    /// The keys in the bag of each group, as ids of interned strings.
    members: GroupMembers,
    /// The bag of each group so far: its entries, separated by commas.
    groups: Vec<String>,
    /// Memory of the groups in bytes.
    bytes: usize,
}

impl Bags {
    /// Adds the entries of the bag in `json` to the bag of `group`; ignores JSON that is not a bag.
    fn add(&mut self, group: u32, json: &str) -> Result<()> {
        let bag = &mut self.groups[group as usize];
        self.bytes -= bag.capacity();
        for entry in dynamic::unique_entries(json) {
            let key = entry.key.text();
            if self.members.count(group) >= self.max_size {
                break;
            }
            if !self.members.insert(group, self.keys.intern(&key)?) {
                continue;
            }
            if !bag.is_empty() {
                bag.push(',');
            }
            dynamic::quote(&key, bag);
            bag.push(':');
            bag.push_str(&dynamic::compact(entry.value));
        }
        self.bytes += bag.capacity();
        if bag.len() > self.max_value { Err(value_too_long(self.max_value)) } else { Ok(()) }
    }

    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, String::new());
        self.members.resize(groups);
    }
}

impl Accumulator for Bags {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.resize(groups);
        for (row, group) in rows.iter().enumerate() {
            if let Some(json) = arguments[0].text_at(row) {
                self.add(*group, json)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.resize(groups);
        for (later, group) in downcast::<Self>(later)?.groups.iter().zip(map) {
            self.add(*group, &format!("{{{later}}}"))?;
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.resize(groups);
        let mut builder = ColumnBuilder::with_capacity(Type::Dynamic, groups);
        // Bags are freed one by one, so that there are never two copies of all of them.
        for mut bag in std::mem::take(&mut self.groups) {
            bag.insert(0, '{');
            bag.push('}');
            builder.append_text(&bag);
        }
        self.bytes = 0;
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let taken = take_states(&mut self.groups, groups);
        self.bytes -= taken.iter().map(String::capacity).sum::<usize>();
        let mut selected = Self {
            max_size: self.max_size,
            max_value: self.max_value,
            keys: self.keys.empty_with_same_seed(),
            members: self.members.none(),
            groups: Vec::new(),
            bytes: 0,
        };
        selected.resize(groups.len());
        for (group, bag) in (0..).zip(&taken) {
            selected.add(group, &format!("{{{bag}}}"))?;
        }
        Ok(Box::new(selected))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        let groups = self.groups.capacity() * size_of::<String>();
        groups + self.bytes + self.keys.memory() + self.members.memory()
    }
}
