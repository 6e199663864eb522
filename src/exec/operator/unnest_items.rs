//! The elements of the expanded columns of a batch. They are parsed from JSON, once per distinct value if the column is
//! a dictionary. If many elements are equal, they become a dictionary ([`super::unnest_elements`]). The elements of a
//! `range()` of numbers or times are generated without JSON.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::Int32Type;

use super::unnest_elements::{ElementDictionary, UnnestElement, for_each_element};
use crate::diagnostic::Result;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::functions::scalar::dynamic_series::whole_range;
use crate::plan;
use crate::types::{Batch, Column, ColumnBuilder, Type, dictionary_encode};

/// The expanded expressions of one batch. Elements are appended for the row that was opened last; `finish` returns all
/// appended elements.
pub(super) enum UnnestItems {
    Json(Vec<JsonItem>),
    Dictionary(Vec<DictionaryItem>),
    Range(RangeItem),
}

impl UnnestItems {
    /// Evaluates the expressions of `plan` for the rows of `batch`. Elements are encoded as a dictionary if many are
    /// equal and their codes take at most `max_bytes`.
    pub fn new(plan: &plan::Unnest, batch: &Batch, context: &EvalContext, max_bytes: usize) -> Result<Self> {
        if let [item] = &plan.items[..]
            && let Some((arguments, default_step)) = item.as_range()
        {
            let arguments = arguments.iter().map(|argument| evaluate(argument, batch, context));
            return Ok(Self::Range(RangeItem::new(arguments.collect::<Result<_>>()?, default_step, item.ty)));
        }
        let column = |item: &plan::UnnestItem| dictionary_encode::encode_column(evaluate(&item.expr, batch, context)?);
        let columns = plan.items.iter().map(column).collect::<Result<Vec<_>>>()?;
        let as_arrays = plan.bags_as_arrays;
        let dictionaries = columns.iter().map(|column| DictionaryItem::new(column, as_arrays, max_bytes));
        Ok(match dictionaries.collect::<Option<Vec<_>>>() {
            Some(dictionaries) => Self::Dictionary(dictionaries),
            None => Self::Json(columns.into_iter().map(|column| JsonItem::new(column, as_arrays)).collect()),
        })
    }

    /// Opens a row; returns the number of elements of its longest value.
    pub fn open(&mut self, row: usize) -> usize {
        match self {
            Self::Json(items) => items.iter_mut().map(|item| item.open(row)).max().unwrap_or(0),
            Self::Dictionary(items) => items.iter_mut().map(|item| item.open(row)).max().unwrap_or(0),
            Self::Range(item) => item.open(row),
        }
    }

    /// Appends the elements of the open row at these positions, or null beyond its last one; returns the number of
    /// bytes appended.
    pub fn push(&mut self, positions: Range<usize>) -> usize {
        match self {
            Self::Json(items) => items.iter_mut().map(|item| item.push(positions.clone())).sum(),
            Self::Dictionary(items) => items.iter_mut().map(|item| item.push(positions.clone())).sum(),
            Self::Range(item) => item.push(positions),
        }
    }

    /// Returns the elements that were appended since the last call, one column for each expression.
    pub fn finish(&mut self) -> Result<Vec<Column>> {
        match self {
            Self::Json(items) => Ok(items.iter_mut().map(|item| item.builder.finish()).collect()),
            Self::Dictionary(items) => items.iter_mut().map(DictionaryItem::finish).collect(),
            Self::Range(item) => Ok(vec![item.finish()]),
        }
    }
}

/// A column whose values are parsed row by row.
pub(super) struct JsonItem {
    column: Column,
    as_arrays: bool,
    row: usize,
    /// The elements of the open row.
    elements: Vec<ElementRange>,
    builder: ColumnBuilder,
}

/// The position of an element, as byte ranges in the value of the row. Values are shorter than 4 GiB, as their views
/// have 32-bit lengths.
enum ElementRange {
    Null,
    Value(Range<u32>),
    Entry { key: Range<u32>, value: Range<u32> },
}

impl JsonItem {
    fn new(column: Column, as_arrays: bool) -> Self {
        Self { column, as_arrays, row: 0, elements: Vec::new(), builder: ColumnBuilder::new(Type::Dynamic) }
    }

    fn open(&mut self, row: usize) -> usize {
        self.row = row;
        let json = self.column.text_at(row);
        self.elements.clear();
        let (start, elements) = (json.map_or(0, |json| json.as_ptr().addr()), &mut self.elements);
        let range = |slice: &str| {
            let from = u32::try_from(slice.as_ptr().addr().saturating_sub(start)).unwrap_or(u32::MAX);
            from..from.saturating_add(u32::try_from(slice.len()).unwrap_or(u32::MAX))
        };
        for_each_element(json, self.as_arrays, |element| match element {
            UnnestElement::Value(_) if json.is_none() => elements.push(ElementRange::Null),
            UnnestElement::Value(value) => elements.push(ElementRange::Value(range(value))),
            UnnestElement::Entry { key, value, .. } => {
                elements.push(ElementRange::Entry { key: range(key), value: range(value) });
            }
        });
        self.elements.len()
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let json = self.column.text_at(self.row).unwrap_or("null");
        let slice = |range: &Range<u32>| json.get(range.start as usize..range.end as usize).unwrap_or("null");
        let mut bytes = 0;
        for position in positions {
            let element = match self.elements.get(position) {
                Some(ElementRange::Entry { key, value }) => {
                    UnnestElement::Entry { key: slice(key), value: slice(value), as_arrays: self.as_arrays }
                }
                Some(ElementRange::Value(value)) if !value.is_empty() => UnnestElement::Value(slice(value)),
                _ => {
                    self.builder.append_null();
                    continue;
                }
            };
            let text = element.to_json();
            bytes += text.len();
            self.builder.append_text(&text);
        }
        bytes
    }
}

/// A column whose elements are encoded; the distinct values of a dictionary are parsed once.
pub(super) struct DictionaryItem {
    /// The position of each row's value among the parsed values; None if each row has a value of its own.
    codes: Option<Int32Array>,
    /// For each value, the index in `elements` at which its elements end; those of the next value begin there.
    ends: Vec<usize>,
    /// The codes of the elements of all values.
    elements: Vec<Option<i32>>,
    /// The index in `elements` of a null, for rows without a value.
    null: usize,
    /// The distinct elements, by code.
    distinct: Arc<StringArray>,
    /// The range in `elements` of the open row.
    open: Range<usize>,
    /// The codes of the appended elements.
    pushed: Vec<Option<i32>>,
}

impl DictionaryItem {
    /// Encodes the elements of `column`; None if most of them are distinct, or their codes take more than `max_bytes`.
    fn new(column: &Column, as_arrays: bool, max_bytes: usize) -> Option<Self> {
        let array = column.as_array()?;
        let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
            return Self::of_values(array.as_string_view_opt()?.iter(), None, false, as_arrays, max_bytes);
        };
        let (keys, values) = (dictionary.keys(), dictionary.values().as_string_opt::<i32>()?);
        if values.len() <= keys.len() {
            // Each value is parsed once, whatever its elements.
            return Self::of_values(values.iter(), Some(keys.clone()), true, as_arrays, max_bytes);
        }
        // A large dictionary that several batches share: only some of its values occur in this one.
        let mut used: Vec<i32> = keys.iter().flatten().collect();
        used.sort_unstable();
        used.dedup();
        let position = |key: i32| used.binary_search(&key).ok().and_then(|position| i32::try_from(position).ok());
        let codes = keys.iter().map(|key| key.and_then(position)).collect();
        let at = |key: &i32| usize::try_from(*key).ok().filter(|key| values.is_valid(*key));
        let used = used.iter().map(|key| at(key).map(|key| values.value(key)));
        Self::of_values(used, Some(codes), false, as_arrays, max_bytes)
    }

    /// Encodes the elements of `values`; None if they are not `always` encoded and most of them are distinct.
    fn of_values<'a>(
        values: impl Iterator<Item = Option<&'a str>>,
        codes: Option<Int32Array>,
        always: bool,
        as_arrays: bool,
        max_bytes: usize,
    ) -> Option<Self> {
        let mut dictionary = ElementDictionary::new();
        let (mut elements, mut ends) = (Vec::new(), Vec::new());
        for value in values {
            dictionary.encode(value, as_arrays, &mut elements).ok()?;
            let is_wasteful = !always && dictionary.is_mostly_distinct();
            if is_wasteful || size_of_val(&elements[..]) > max_bytes {
                return None;
            }
            ends.push(elements.len());
        }
        let null = elements.len();
        elements.push(None);
        let distinct = Arc::new(dictionary.finish());
        Some(Self { codes, ends, elements, null, distinct, open: 0..0, pushed: Vec::new() })
    }

    fn open(&mut self, row: usize) -> usize {
        let code = match &self.codes {
            None => Some(row),
            Some(codes) if codes.is_null(row) => None,
            Some(codes) => usize::try_from(codes.value(row)).ok(),
        };
        self.open = match code.and_then(|code| Some((code, *self.ends.get(code)?))) {
            Some((0, end)) => 0..end,
            Some((code, end)) => self.ends[code - 1]..end,
            None => self.null..self.null + 1,
        };
        self.open.len()
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let mut bytes = 0;
        for position in positions {
            let index = Some(self.open.start + position).filter(|index| *index < self.open.end);
            let code = index.and_then(|index| self.elements[index]);
            let length = code.and_then(|code| Some(self.distinct.value_length(usize::try_from(code).ok()?)));
            bytes += length.map_or(0, |length| usize::try_from(length).unwrap_or(0));
            self.pushed.push(code);
        }
        bytes
    }

    fn finish(&mut self) -> Result<Column> {
        let codes = Int32Array::from(std::mem::take(&mut self.pushed));
        let elements = DictionaryArray::try_new(codes, Arc::clone(&self.distinct) as ArrayRef)?;
        Ok(Column::array(Type::Dynamic, Arc::new(elements)))
    }
}

/// A `range()` of numbers or times, generated without JSON.
pub(super) struct RangeItem {
    arguments: Vec<Column>,
    /// The step if the call has no third argument.
    default_step: i64,
    ty: Type,
    /// The range of the open row; None for a null, which becomes one row with a null.
    open: Option<OpenRange>,
    pushed: Vec<Option<i64>>,
}

/// The start and step of the range of an input row.
#[derive(Clone, Copy)]
struct OpenRange {
    start: i64,
    step: i64,
}

impl RangeItem {
    fn new(arguments: Vec<Column>, default_step: i64, ty: Type) -> Self {
        Self { arguments, default_step, ty, open: None, pushed: Vec::new() }
    }

    fn open(&mut self, row: usize) -> usize {
        let argument =
            |index: usize| self.arguments.get(index).map_or(Some(self.default_step), |column| column.i64_at(row));
        let bounds = argument(0).zip(argument(1)).zip(argument(2));
        let range =
            bounds.and_then(|((start, stop), step)| Some((start, step, whole_range(start, stop, step)?.count())));
        self.open = range.map(|(start, step, _)| OpenRange { start, step });
        range.map_or(1, |(.., count)| count)
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let element = |position: usize| {
            let OpenRange { start, step } = self.open?;
            start.checked_add(step.checked_mul(i64::try_from(position).ok()?)?)
        };
        self.pushed.extend(positions.map(element));
        0
    }

    fn finish(&mut self) -> Column {
        Column::array(self.ty, Arc::new(Int64Array::from(std::mem::take(&mut self.pushed))))
    }
}
