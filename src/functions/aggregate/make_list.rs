//! make_list, make_list_if, make_list_with_nulls: an array of the values of a group, in the order of the rows.
//! Deprecated name: makelist.
//!
//! Arrays are expanded into their elements, as the engine does.

use std::any::Any;

use super::conditional::conditional;
use super::{Accumulator, AggregateCall, AggregateFunction, downcast, take_states, value_too_long};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, ColumnBuilder, Type, Value, dynamic};

/// Maximum number of elements in an array or bag, as on the engine.
pub const MAX_SIZE: usize = 1_048_576;
/// The default maximum number of elements of the deprecated `makelist`, `makeset` and `make_dictionary`.
pub const OLD_MAX_SIZE: usize = 128;

/// The optional last parameter of `make_list`, `make_set` and `make_bag`.
pub const MAX_SIZE_PARAM: Param = Param::new(
    "maxSize",
    Type::Long,
    "the maximum number of elements, the first ones; 1,048,576 at most and by default",
)
.optional()
.constant();
/// The optional last parameter of the deprecated `makelist`, `makeset` and `make_dictionary`.
pub const OLD_MAX_SIZE_PARAM: Param =
    Param::new("maxSize", Type::Long, "the maximum number of elements, the first ones; 128 by default")
        .optional()
        .constant();
const EXPR: Param = Param::of("expr", Accepts::Any, "the values to collect; arrays are expanded into their elements");
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "make_list",
        summary: "Returns an array of the values, ignoring nulls, in the order of the rows.",
        params: &[EXPR, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| list(call, MAX_SIZE, ListNulls::Skip),
        examples: &[
            Example::new("datatable(x:long) [3, 1, long(null), 3] | summarize make_list(x)", "[3,1,3]"),
            Example::new("range x from 1 to 5 step 1 | summarize make_list(x, 2)", "[1,2]"),
        ],
        ..LIST
    },
    AggregateFunction {
        name: "make_list_if",
        summary: "Returns an array of the values in rows for which a condition is true, in the order of the rows.",
        params: &[EXPR, PREDICATE, MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 2),
        accumulator: |call| conditional(call, 1, |call| list(call, MAX_SIZE, ListNulls::Skip)),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize make_list_if(x, x > 3)", "[4,5]")],
        ..LIST
    },
    AggregateFunction {
        name: "make_list_with_nulls",
        summary: "Returns an array of the values, nulls included, in the order of the rows.",
        params: &[EXPR],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| list(call, MAX_SIZE, ListNulls::Keep),
        examples: &[Example::new("datatable(x:long) [3, long(null)] | summarize make_list_with_nulls(x)", "[3,null]")],
        ..LIST
    },
    AggregateFunction {
        name: "makelist",
        summary: "Returns the same as make_list(), but keeps 128 elements by default (deprecated).",
        params: &[EXPR, OLD_MAX_SIZE_PARAM],
        validate: |constants| check_max_size(constants, 1),
        accumulator: |call| list(call, OLD_MAX_SIZE, ListNulls::Skip),
        examples: &[
            Example::new("range x from 1 to 3 step 1 | summarize makelist(x)", "[1,2,3]"),
            Example::new("range x from 1 to 200 step 1 | summarize array_length(makelist(x))", "128"),
        ],
        ..LIST
    },
];

const LIST: AggregateFunction = AggregateFunction {
    category: Category::Dynamic,
    returns: Returns::Type(Type::Dynamic),
    result_name: ResultName::Prefix("list_"),
    ..AggregateFunction::DEFAULT
};

/// Returns the maximum number of elements that the argument at `position` sets, or `default` if there is no such
/// argument.
pub fn max_size(call: &AggregateCall, position: usize, default: usize) -> Result<usize> {
    match call.constants.get(position).and_then(Option::as_ref) {
        None => Ok(default),
        Some(constant) => valid_max_size(constant),
    }
}

/// Rejects a `maxSize` argument at `position` that is not positive.
pub fn check_max_size(constants: &[Option<&Value>], position: usize) -> Result<()> {
    match constants.get(position).copied().flatten() {
        None => Ok(()),
        Some(constant) => valid_max_size(constant).map(|_| ()),
    }
}

fn valid_max_size(constant: &Value) -> Result<usize> {
    let size = constant.as_i64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    let invalid = || Error::query(Code::InvalidValue, Span::default(), "maxSize must be a whole number greater than 0");
    size.map(|size| size.min(MAX_SIZE)).ok_or_else(invalid)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListNulls {
    Skip,
    Keep,
}

fn list(call: &AggregateCall, default: usize, nulls: ListNulls) -> Result<Box<dyn Accumulator>> {
    let max_size = max_size(call, 1, default)?;
    Ok(Box::new(Lists { groups: Vec::new(), max_size, max_value: call.max_value, nulls, bytes: 0 }))
}

/// The array of one group so far: its elements, separated by commas.
#[derive(Clone, Debug, Default)]
struct ListText {
    text: String,
    length: usize,
}

impl ListText {
    /// Appends one element; `write` appends its JSON.
    fn push(&mut self, write: impl FnOnce(&mut String)) {
        if self.length > 0 {
            self.text.push(',');
        }
        write(&mut self.text);
        self.length += 1;
    }

    /// Appends the elements if `json` is an array, otherwise `json` itself, up to `max_size` elements in the list.
    fn push_dynamic(&mut self, json: &str, nulls: ListNulls, max_size: usize) {
        let wanted = |element: &&str| nulls == ListNulls::Keep || *element != "null";
        if dynamic::kind(json) == dynamic::Kind::Array {
            let room = max_size - self.length;
            for element in dynamic::elements(json).filter(wanted).take(room) {
                self.push(|out| out.push_str(&dynamic::compact(element)));
            }
        } else if self.length < max_size {
            self.push(|out| out.push_str(&dynamic::compact(json)));
        }
    }

    fn check_length(&self, max_value: usize) -> Result<()> {
        if self.text.len() > max_value { Err(value_too_long(max_value)) } else { Ok(()) }
    }

    fn append(&mut self, later: &Self, max_size: usize) {
        let room = max_size - self.length;
        if later.length == 0 || room == 0 {
            return;
        }
        if later.length <= room {
            self.push(|out| out.push_str(&later.text));
            self.length += later.length - 1;
            return;
        }
        for element in dynamic::elements(&format!("[{}]", later.text)).take(room) {
            self.push(|out| out.push_str(element));
        }
    }
}

#[derive(Debug)]
struct Lists {
    groups: Vec<ListText>,
    max_size: usize,
    max_value: usize,
    nulls: ListNulls,
    /// Memory of the groups in bytes.
    bytes: usize,
}

impl Accumulator for Lists {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize(groups, ListText::default());
        let column = &arguments[0];
        for (row, group) in rows.iter().enumerate() {
            let list = &mut self.groups[*group as usize];
            if list.length >= self.max_size {
                continue;
            }
            self.bytes -= list.text.capacity();
            match column.is_null(row) {
                true if self.nulls == ListNulls::Keep => list.push(|out| out.push_str("null")),
                true => {}
                false if column.ty() == Type::Dynamic => {
                    list.push_dynamic(column.text_at(row).unwrap_or("null"), self.nulls, self.max_size);
                }
                false => list.push(|out| dynamic::write_row(column, row, out)),
            }
            self.bytes += list.text.capacity();
            list.check_length(self.max_value)?;
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize(groups, ListText::default());
        for (later, group) in downcast::<Self>(later)?.groups.iter().zip(map) {
            let list = &mut self.groups[*group as usize];
            self.bytes -= list.text.capacity();
            list.append(later, self.max_size);
            self.bytes += list.text.capacity();
            list.check_length(self.max_value)?;
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize(groups, ListText::default());
        let mut builder = ColumnBuilder::with_capacity(Type::Dynamic, groups);
        // Lists are freed one by one, so that there are never two copies of all of them.
        for list in std::mem::take(&mut self.groups) {
            let mut text = list.text;
            text.insert(0, '[');
            text.push(']');
            builder.append_text(&text);
        }
        self.bytes = 0;
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let taken = take_states(&mut self.groups, groups);
        let bytes = taken.iter().map(|list| list.text.capacity()).sum();
        self.bytes -= bytes;
        Ok(Box::new(Self {
            groups: taken,
            max_size: self.max_size,
            max_value: self.max_value,
            nulls: self.nulls,
            bytes,
        }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<ListText>() + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_elements() {
        let mut list = ListText::default();
        let mut later = ListText::default();
        list.push(|out| out.push('1'));
        later.push_dynamic(r#"["a,]", {"b": [1, 2]}, null, 3]"#, ListNulls::Skip, 10);
        assert_eq!(later.length, 3);
        list.append(&later, 3);
        assert_eq!(list.text, r#"1,"a,]",{"b":[1,2]}"#);
        list.append(&later, 3);
        assert_eq!(list.length, 3);
    }
}
