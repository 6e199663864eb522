//! The items of an `in` list, prepared once for lookups of many rows.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::equality::equal_values;
use crate::functions::Args;
use crate::types::{Column, Type, Value, datetime, dynamic, guid, number, timespan};

/// The positions of the arguments that are list items: of the constant ones, and of those that vary by row.
#[derive(Debug)]
pub(super) struct Items {
    fixed: Vec<usize>,
    pub(super) varying: Vec<usize>,
}

impl Items {
    /// Returns the items of a call: all arguments after the first, which is compared with them.
    pub(super) fn of(args: &Args<'_>) -> Self {
        let (fixed, varying) = (1..args.len()).partition(|&index| args.constant(index).is_some());
        Self { fixed, varying }
    }

    /// Returns the constant items; an array is replaced by its elements.
    pub(super) fn fixed(&self, args: &Args<'_>) -> Vec<Value> {
        let mut items = Vec::new();
        for value in self.fixed.iter().filter_map(|&index| args.constant(index)) {
            push_items(value, &mut items);
        }
        items
    }

    /// Returns the items of one row that are not constant; an array is replaced by its elements.
    pub(super) fn of_row(&self, args: &Args<'_>, row: usize) -> Vec<Value> {
        let mut items = Vec::new();
        for &index in &self.varying {
            push_items(&args.column(index).value(row), &mut items);
        }
        items
    }
}

/// Appends `value` to `items`, or its elements if it is an array; JSON becomes a typed value.
fn push_items(value: &Value, items: &mut Vec<Value>) {
    match value {
        Value::Dynamic(json) if dynamic::kind(json) == dynamic::Kind::Array => {
            items.extend(dynamic::elements(json).map(held_value));
        }
        Value::Dynamic(json) => items.push(held_value(json)),
        other => items.push(other.clone()),
    }
}

/// Converts JSON to a typed value; arrays and bags stay dynamic.
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

/// A set that is searched linearly while it is small. Hashes are seeded, because attackers write the strings.
#[derive(Debug)]
pub(super) enum Set<T> {
    Few(Vec<T>),
    Many(HashSet<T, RandomState>),
}

impl<T: Eq + Hash> Set<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        /// Maximum size up to which a linear search is faster than hashing.
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

/// The constant items of a list, grouped by how values of one type are compared with them.
#[derive(Debug)]
pub(super) struct ListMembers {
    texts: Set<Box<str>>,
    integers: Set<i64>,
    guids: Set<[u8; 16]>,
    /// Items that are compared one by one.
    others: Vec<Value>,
    /// True if an item is null.
    has_null: bool,
}

/// Maximum number of long lists cached per thread; the least recently used one is evicted.
const MOST_KEPT: usize = 4;
/// Minimum length in bytes of a list that is cached; a shorter one is prepared for each batch.
const LONG_LIST: usize = 1024;

/// A list that was prepared once per thread.
struct KeptList {
    /// The array of the items.
    array: Arc<str>,
    /// The type of the values that are compared with the items.
    ty: Type,
    prepared: Rc<dyn Any>,
}

thread_local! {
    /// The cached lists, most recently used first.
    static KEPT: RefCell<Vec<KeptList>> = const { RefCell::new(Vec::new()) };
}

/// Returns what `prepare` makes of the items of a call. A single long array, such as the values of a table, is prepared
/// once per thread instead of once per batch. `prepare` gets the number of searches to expect.
pub(super) fn prepared<T: Any>(args: &Args<'_>, prepare: impl FnOnce(usize) -> T) -> Rc<T> {
    let ty = args.column(0).ty();
    let array = match (args.len(), args.constant(1)) {
        (2, Some(Value::Dynamic(array))) if array.len() >= LONG_LIST => array,
        _ => return Rc::new(prepare(args.distinct_rows())),
    };
    let found = KEPT.with_borrow_mut(|kept| {
        let is_same = |list: &KeptList| Arc::ptr_eq(&list.array, array) && list.ty == ty && list.prepared.is::<T>();
        let list = kept.remove(kept.iter().position(is_same)?);
        let found = Rc::clone(&list.prepared).downcast().ok();
        kept.insert(0, list);
        found
    });
    found.unwrap_or_else(|| {
        let new = Rc::new(prepare(usize::MAX));
        KEPT.with_borrow_mut(|kept| {
            kept.truncate(MOST_KEPT - 1);
            kept.insert(0, KeptList { array: Arc::clone(array), ty, prepared: Rc::<T>::clone(&new) });
        });
        new
    })
}

/// An item in the form in which values of one type are looked up.
enum MemberKey {
    Text(Box<str>),
    Integer(i64),
    Guid([u8; 16]),
    Other(Value),
    Null,
    /// An item that equals no value of the type.
    Nothing,
}

impl ListMembers {
    /// Prepares `items` for the comparison with values of type `ty`.
    pub(super) fn new(ty: Type, items: Vec<Value>) -> Self {
        let (mut texts, mut integers, mut guids) = (Vec::new(), Vec::new(), Vec::new());
        let (mut others, mut has_null) = (Vec::new(), false);
        for item in items {
            match form(ty, item) {
                MemberKey::Text(text) => texts.push(text),
                MemberKey::Integer(integer) => integers.push(integer),
                MemberKey::Guid(bytes) => guids.push(bytes),
                MemberKey::Other(value) => others.push(value),
                MemberKey::Null => has_null = true,
                MemberKey::Nothing => {}
            }
        }
        Self { texts: Set::new(texts), integers: Set::new(integers), guids: Set::new(guids), others, has_null }
    }

    /// Returns the items as a set of strings; None if an item is anything else.
    pub(super) fn as_texts(&self) -> Option<&Set<Box<str>>> {
        (self.others.is_empty() && !self.has_null).then_some(&self.texts)
    }

    /// True if an item is null.
    pub(super) fn has_null(&self) -> bool {
        self.has_null
    }

    /// True if the value of `row` equals an item. None if no item equals it, and both the value and an item are null.
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

/// Returns the form in which a value of type `ty` is compared with `item`. It must agree with [`equal_values`].
fn form(ty: Type, item: Value) -> MemberKey {
    match (ty, item) {
        (Type::String, Value::Null(Type::Dynamic)) => MemberKey::Text("".into()),
        (_, Value::Null(_)) => MemberKey::Null,
        (Type::String | Type::Dynamic, Value::String(text)) => MemberKey::Text((*text).into()),
        (Type::String, item) if item.ty().is_numeric() => MemberKey::Text(item.to_text().into()),
        (Type::Int | Type::Long, Value::Int(n)) => MemberKey::Integer(n.into()),
        (Type::Int | Type::Long, Value::Long(n)) => MemberKey::Integer(n),
        (Type::Int | Type::Long, Value::String(text)) => {
            let canonical = number::parse_long(&text).filter(|n| n.to_string() == *text);
            canonical.map_or(MemberKey::Nothing, MemberKey::Integer)
        }
        (Type::Datetime, Value::Datetime(ticks)) | (Type::Timespan, Value::Timespan(ticks) | Value::Long(ticks)) => {
            MemberKey::Integer(ticks)
        }
        (Type::Datetime, Value::String(text)) => datetime::parse(&text).map_or(MemberKey::Nothing, MemberKey::Integer),
        (Type::Timespan, Value::String(text)) => timespan::parse(&text).map_or(MemberKey::Nothing, MemberKey::Integer),
        (Type::Guid, Value::Guid(bytes)) => MemberKey::Guid(bytes),
        (Type::Guid, Value::String(text)) => guid::parse(&text).map_or(MemberKey::Nothing, MemberKey::Guid),
        (_, item) => MemberKey::Other(item),
    }
}
