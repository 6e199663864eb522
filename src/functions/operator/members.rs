//! The items of a list, looked at once and asked about many rows.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::equality::equal_values;
use crate::functions::Args;
use crate::types::{Column, Type, Value, datetime, dynamic, guid, number, timespan};

/// The positions of the arguments that hold items: those that are the same for all rows, and the others.
#[derive(Debug)]
pub(super) struct Items {
    fixed: Vec<usize>,
    pub(super) varying: Vec<usize>,
}

impl Items {
    /// The items of a call whose first argument is what they are compared with.
    pub(super) fn of(args: &Args<'_>) -> Self {
        let (fixed, varying) = (1..args.len()).partition(|&index| args.constant(index).is_some());
        Self { fixed, varying }
    }

    /// The items that are the same for all rows; elements of arrays are items of their own.
    pub(super) fn fixed(&self, args: &Args<'_>) -> Vec<Value> {
        let mut items = Vec::new();
        for value in self.fixed.iter().filter_map(|&index| args.constant(index)) {
            push_items(value, &mut items);
        }
        items
    }

    /// The items that differ from row to row, of one row.
    pub(super) fn of_row(&self, args: &Args<'_>, row: usize) -> Vec<Value> {
        let mut items = Vec::new();
        for &index in &self.varying {
            push_items(&args.column(index).value(row), &mut items);
        }
        items
    }
}

/// `value`, or its elements where it is an array, as values of the types they hold.
fn push_items(value: &Value, items: &mut Vec<Value>) {
    match value {
        Value::Dynamic(json) if dynamic::kind(json) == dynamic::Kind::Array => {
            items.extend(dynamic::elements(json).map(held_value));
        }
        Value::Dynamic(json) => items.push(held_value(json)),
        other => items.push(other.clone()),
    }
}

/// What `json` holds, as a value of that type.
fn held_value(json: &str) -> Value {
    let digits = json.trim_ascii();
    match dynamic::kind(json) {
        dynamic::Kind::Null => Value::Null(Type::Dynamic),
        dynamic::Kind::Bool => Value::Bool(digits == "true"),
        dynamic::Kind::Long => digits.parse().map_or(Value::Null(Type::Long), Value::Long),
        dynamic::Kind::Double => digits.parse().map_or(Value::Null(Type::Real), Value::Real),
        dynamic::Kind::String => Value::string(dynamic::unescape(digits)),
        dynamic::Kind::Array | dynamic::Kind::Bag => Value::dynamic(json),
    }
}

/// A set that is searched from end to end while it is small. Hashes are seeded: texts come from whoever wrote the log.
#[derive(Debug)]
pub(super) enum Set<T> {
    Few(Vec<T>),
    Many(HashSet<T, RandomState>),
}

impl<T: Eq + Hash> Set<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        /// Up to here comparing beats hashing.
        const FEW: usize = 4;
        if items.len() <= FEW { Self::Few(items) } else { Self::Many(items.into_iter().collect()) }
    }

    pub(super) fn contains<Q: Eq + Hash + ?Sized>(&self, item: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::Few(items) => items.iter().any(|own| own.borrow() == item),
            Self::Many(items) => items.contains(item),
        }
    }
}

/// Items sorted by how values of one type are compared with them.
#[derive(Debug)]
pub(super) struct Members {
    texts: Set<Box<str>>,
    integers: Set<i64>,
    guids: Set<[u8; 16]>,
    /// Compared one by one.
    others: Vec<Value>,
    /// A null is among the items.
    has_null: bool,
}

/// How many long lists a thread keeps ready; the one longest out of use makes way for a new one.
const MOST_KEPT: usize = 4;
/// A list shorter than this many bytes is taken apart for each batch anew.
const LONG_LIST: usize = 1024;

/// An array, the type of the values compared with it, and its members.
type Kept = (Arc<str>, Type, Rc<Members>);

thread_local! {
    /// The last ones used, most recent first.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// The fixed items of a call as members for values of type `ty`. One long array, such as the values of a table, is
/// taken apart once a thread instead of once a batch.
pub(super) fn prepared(args: &Args<'_>, items: &Items) -> Rc<Members> {
    let ty = args.column(0).ty();
    let new = || Rc::new(Members::new(ty, items.fixed(args)));
    let array = match (args.len(), args.constant(1)) {
        (2, Some(Value::Dynamic(array))) if array.len() >= LONG_LIST => array,
        _ => return new(),
    };
    KEPT.with_borrow_mut(|kept| {
        let entry = match kept.iter().position(|(own, of, _)| Arc::ptr_eq(own, array) && *of == ty) {
            Some(index) => kept.remove(index),
            None => (Arc::clone(array), ty, new()),
        };
        let members = Rc::clone(&entry.2);
        kept.truncate(MOST_KEPT - 1);
        kept.insert(0, entry);
        members
    })
}

/// An item in the form that values of one type are looked up by.
enum Form {
    Text(Box<str>),
    Integer(i64),
    Guid([u8; 16]),
    Other(Value),
    Null,
    /// The same as no value of the type.
    Nothing,
}

impl Members {
    /// The items, for values of type `ty`.
    pub(super) fn new(ty: Type, items: Vec<Value>) -> Self {
        let (mut texts, mut integers, mut guids) = (Vec::new(), Vec::new(), Vec::new());
        let (mut others, mut has_null) = (Vec::new(), false);
        for item in items {
            match form(ty, item) {
                Form::Text(text) => texts.push(text),
                Form::Integer(integer) => integers.push(integer),
                Form::Guid(bytes) => guids.push(bytes),
                Form::Other(value) => others.push(value),
                Form::Null => has_null = true,
                Form::Nothing => {}
            }
        }
        Self { texts: Set::new(texts), integers: Set::new(integers), guids: Set::new(guids), others, has_null }
    }

    /// The items, where values of their type are texts and nothing but texts is to be looked for.
    pub(super) fn as_texts(&self) -> Option<&Set<Box<str>>> {
        (self.others.is_empty() && !self.has_null).then_some(&self.texts)
    }

    /// True where a null is among the items.
    pub(super) fn has_null(&self) -> bool {
        self.has_null
    }

    /// True where the value of `row` is the same as an item; None where it is null and so is an item.
    pub(super) fn contain(&self, column: &Column, row: usize) -> Option<bool> {
        let found = match column.ty() {
            Type::String => column.text_at(row).is_some_and(|text| self.texts.contains(text)),
            Type::Dynamic => {
                let text = column.text_at(row).map(dynamic::to_text);
                self.texts.contains(text.as_deref().unwrap_or(""))
            }
            Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
                column.i64_at(row).is_some_and(|integer| self.integers.contains(&integer))
            }
            Type::Guid => column.bytes_at(row).is_some_and(|bytes| self.guids.contains(&bytes)),
            Type::Bool | Type::Real | Type::Decimal => false,
        };
        if found {
            return Some(true);
        }
        let value = if self.others.is_empty() { None } else { Some(column.value(row)) };
        if value.is_some_and(|value| self.others.iter().any(|item| equal_values(&value, item) == Some(true))) {
            return Some(true);
        }
        if self.has_null && column.is_null(row) { None } else { Some(false) }
    }
}

/// How a value of type `ty` finds `item`; what this decides has to agree with [`equal_values`].
fn form(ty: Type, item: Value) -> Form {
    match (ty, item) {
        (Type::String, Value::Null(Type::Dynamic)) => Form::Text("".into()),
        (_, Value::Null(_)) => Form::Null,
        (Type::String | Type::Dynamic, Value::String(text)) => Form::Text((*text).into()),
        (Type::String, item) if item.ty().is_numeric() => Form::Text(item.to_text().into()),
        (Type::Int | Type::Long, Value::Int(n)) => Form::Integer(n.into()),
        (Type::Int | Type::Long, Value::Long(n)) => Form::Integer(n),
        (Type::Int | Type::Long, Value::String(text)) => {
            let canonical = number::parse_long(&text).filter(|n| n.to_string() == *text);
            canonical.map_or(Form::Nothing, Form::Integer)
        }
        (Type::Datetime, Value::Datetime(ticks)) | (Type::Timespan, Value::Timespan(ticks) | Value::Long(ticks)) => {
            Form::Integer(ticks)
        }
        (Type::Datetime, Value::String(text)) => datetime::parse(&text).map_or(Form::Nothing, Form::Integer),
        (Type::Timespan, Value::String(text)) => timespan::parse(&text).map_or(Form::Nothing, Form::Integer),
        (Type::Guid, Value::Guid(bytes)) => Form::Guid(bytes),
        (Type::Guid, Value::String(text)) => guid::parse(&text).map_or(Form::Nothing, Form::Guid),
        (_, item) => Form::Other(item),
    }
}
