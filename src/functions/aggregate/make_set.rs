//! make_set, make_set_if: an array of the distinct values of a group, in order of first appearance. Deprecated name:
//! makeset.
//!
//! Arrays are expanded into their elements, as the engine does.

use std::any::Any;

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::conditional::conditional;
use super::element::{EntryValues, GroupedRows, for_each_text_of_groups};
use super::make_list::{MAX_SIZE, MAX_SIZE_PARAM, OLD_MAX_SIZE, OLD_MAX_SIZE_PARAM, check_max_size, max_size};
use super::members::GroupMembers;
use super::{Accumulator, AggregateCall, AggregateFunction, downcast, value_too_long};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::dynamic::{ArrayWriter, Kind};
use crate::types::interner::{ConcatenatedStrings, Interner, InternerFull};
use crate::types::{Column, ColumnBuilder, Type, dynamic};

/// The results of all groups together may take this many times the size limit of a single value.
const RESULTS: usize = 4;

const EXPR: Param = Param::of("expr", Accepts::Any, "the values to collect; arrays are expanded into their elements");
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "make_set",
        summary: "Returns an array of the distinct values, ignoring nulls, in order of first appearance.",
        params: &[EXPR, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| set(call, MAX_SIZE),
        examples: &[
            Example::new("datatable(x:long) [3, 1, long(null), 3] | summarize make_set(x)", "[3,1]"),
            Example::new("print x = dynamic([1, 2, 1]) | summarize make_set(x)", "[1,2]"),
        ],
        ..SET
    },
    AggregateFunction {
        name: "make_set_if",
        summary: "Returns an array of the distinct values in rows for which a condition is true, in order of first \
                  appearance.",
        params: &[EXPR, PREDICATE, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 2),
        accumulator: |call| conditional(call, 1, |call| set(call, MAX_SIZE)),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize make_set_if(x % 2, x > 1)", "[0,1]")],
        ..SET
    },
    AggregateFunction {
        name: "makeset",
        summary: "Returns the same as make_set(), but keeps 128 elements by default (deprecated).",
        params: &[EXPR, OLD_MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| set(call, OLD_MAX_SIZE),
        examples: &[
            Example::new("range x from 1 to 5 step 1 | summarize makeset(x % 2)", "[1,0]"),
            Example::new("range x from 1 to 200 step 1 | summarize array_length(makeset(x))", "128"),
        ],
        ..SET
    },
];

const SET: AggregateFunction = AggregateFunction {
    category: Category::Dynamic,
    returns: Returns::Type(Type::Dynamic),
    result_name: ResultName::Prefix("set_"),
    ..AggregateFunction::DEFAULT
};

fn set(call: &AggregateCall, default: usize) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Sets {
        max_size: max_size(call, 1, default)?,
        max_value: call.max_value,
        text: call.arguments.first() == Some(&Type::String),
        values: Interner::new(ConcatenatedStrings::default(), call.seed),
        shown: HashMap::with_hasher(FixedState::with_seed(call.seed)),
        shown_bytes: 0,
        members: GroupMembers::new(call.seed),
        ids: EntryValues::default(),
    }))
}

#[derive(Debug)]
struct Sets {
    max_size: usize,
    max_value: usize,
    /// True if the values are strings, false if they are JSON.
    text: bool,
    /// The distinct values: strings, or canonical JSON.
    values: Interner<ConcatenatedStrings>,
    /// For the id of a value that did not first occur in canonical form, the form in which it occurred.
    shown: HashMap<u32, String, FixedState>,
    shown_bytes: usize,
    members: GroupMembers,
    /// The ids of the last long strings.
    ids: EntryValues<Result<u32, InternerFull>>,
}

impl Sets {
    fn add(&mut self, group: u32, value: u32) {
        if self.members.count(group) < self.max_size {
            self.members.insert(group, value);
        }
    }

    /// Interns a dynamic value by its canonical JSON, and returns its id.
    fn intern_json(&mut self, json: &str) -> Result<u32, InternerFull> {
        let compact = dynamic::compact(json);
        if matches!(dynamic::kind(json), Kind::String | Kind::Bool) {
            return self.values.intern(&compact);
        }
        let canonical = dynamic::canonical(json);
        let number = self.values.intern(&canonical)?;
        if compact != canonical {
            self.show(number, &compact);
        }
        Ok(number)
    }

    fn show(&mut self, number: u32, json: &str) {
        if let Entry::Vacant(slot) = self.shown.entry(number) {
            self.shown_bytes += json.len();
            slot.insert(json.to_owned());
        }
    }

    fn add_dynamic(&mut self, group: u32, json: &str) -> Result<(), InternerFull> {
        if dynamic::kind(json) == Kind::Array {
            for element in dynamic::elements(json).filter(|element| *element != "null") {
                let number = self.intern_json(element)?;
                self.add(group, number);
            }
        } else {
            let number = self.intern_json(json)?;
            self.add(group, number);
        }
        Ok(())
    }

    fn update_texts(&mut self, rows: &[u32], column: &Column) -> Result<(), InternerFull> {
        let mut numbers = Vec::new();
        let groups = GroupedRows { groups: rows, count: self.members.groups() };
        let values = &mut self.values;
        for_each_text_of_groups(
            column,
            groups,
            &mut self.ids,
            |text| values.intern(text),
            |row, number| numbers.push((rows[row], number)),
        );
        for (group, number) in numbers {
            self.add(group, number?);
        }
        Ok(())
    }

    fn update_others(&mut self, rows: &[u32], column: &Column) -> Result<(), InternerFull> {
        let mut scratch = String::new();
        for (row, group) in rows.iter().enumerate().filter(|(row, _)| !column.is_null(*row)) {
            scratch.clear();
            dynamic::write_row(column, row, &mut scratch);
            let number = self.values.intern(&scratch)?;
            self.add(*group, number);
        }
        Ok(())
    }

    /// Appends the value with the id `value` to `array`, as JSON.
    fn write(&self, value: u32, array: &mut ArrayWriter) {
        let text = self.values.strings().text(value as usize);
        match self.shown.get(&value) {
            Some(shown) => array.push_json(shown),
            None if self.text => array.push_text(text),
            None => array.push_json(text),
        }
    }
}

impl Accumulator for Sets {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.members.resize(groups);
        let column = &arguments[0];
        match column.ty() {
            Type::String => self.update_texts(rows, column)?,
            Type::Dynamic => {
                for (row, group) in rows.iter().enumerate() {
                    column.text_at(row).map_or(Ok(()), |json| self.add_dynamic(*group, json))?;
                }
            }
            _ => self.update_others(rows, column)?,
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.members.resize(groups);
        let later = downcast::<Self>(later)?;
        let texts = later.values.strings().texts();
        let numbers = texts.map(|text| self.values.intern(text)).collect::<Result<Vec<u32>, _>>()?;
        for (number, shown) in &later.shown {
            self.show(numbers[*number as usize], shown);
        }
        for (group, part) in map.iter().zip(0..) {
            later.members.values(part).for_each(|value| self.add(*group, numbers[value as usize]));
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.members.resize(groups);
        let mut builder = ColumnBuilder::with_capacity(Type::Dynamic, groups);
        let mut bytes = 0_usize;
        for group in (0..).take(groups) {
            let mut array = ArrayWriter::new();
            for value in self.members.values(group) {
                self.write(value, &mut array);
                // Groups share their values up to this point, at which each gets copies.
                if array.len() > self.max_value || bytes / RESULTS > self.max_value {
                    return Err(value_too_long(self.max_value));
                }
            }
            bytes += array.len();
            builder.append_text(&array.finish());
        }
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let mut selected = Self {
            max_size: self.max_size,
            max_value: self.max_value,
            text: self.text,
            values: self.values.empty_with_same_seed(),
            shown: HashMap::with_hasher(self.shown.hasher().clone()),
            shown_bytes: 0,
            members: self.members.none(),
            ids: EntryValues::default(),
        };
        selected.members.resize(groups.len());
        for (group, own) in (0..).zip(groups) {
            for value in self.members.values(*own) {
                let number = selected.values.intern(self.values.strings().text(value as usize))?;
                if let Some(shown) = self.shown.get(&value) {
                    selected.show(number, shown);
                }
                selected.members.insert(group, number);
            }
        }
        Ok(Box::new(selected))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        let shown = self.shown.capacity() * size_of::<(u32, String)>() + self.shown_bytes;
        shown + self.values.memory() + self.members.memory()
    }
}
