//! The elements of the values of a batch: read from JSON, looked up where values repeat, or counted up for a `range()`
//! of numbers or times, which is never written as JSON.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, StringArray, StringBuilder,
};
use arrow::datatypes::Int32Type;

use crate::diagnostic::Result;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::functions::scalar::dynamic_series::whole_range;
use crate::plan;
use crate::types::dynamic::{self, Kind};
use crate::types::{Batch, Column, ColumnBuilder, Type, dictionary_encode};

/// The items of an unnest over one batch. Elements are pushed for the row that was opened last, and then taken
/// together.
pub(super) enum Items {
    Json(Vec<JsonItem>),
    Entries(Vec<EntryItem>),
    Range(RangeItem),
}

impl Items {
    /// Those of `plan`; distinct values are expanded together where they take at most `max_bytes`.
    pub fn of(plan: &plan::Unnest, batch: &Batch, context: &EvalContext, max_bytes: usize) -> Result<Self> {
        if let [item] = &plan.items[..]
            && let Some((arguments, step)) = item.as_range()
        {
            return RangeItem::new(arguments, (step, item.ty), batch, context).map(Self::Range);
        }
        let column = |item: &plan::UnnestItem| dictionary_encode::encode_column(evaluate(&item.expr, batch, context)?);
        let columns = plan.items.iter().map(column).collect::<Result<Vec<_>>>()?;
        let as_arrays = plan.bags_as_arrays;
        let entries = columns.iter().map(|column| EntryItem::new(column, as_arrays, max_bytes));
        Ok(match entries.collect::<Option<Vec<_>>>() {
            Some(entries) => Self::Entries(entries),
            None => Self::Json(columns.into_iter().map(|column| JsonItem::new(column, as_arrays)).collect()),
        })
    }

    /// Goes on to a row; returns how many elements the longest of its values has.
    pub fn open(&mut self, row: usize) -> usize {
        match self {
            Self::Json(items) => items.iter_mut().map(|item| item.open(row)).max().unwrap_or(0),
            Self::Entries(items) => items.iter_mut().map(|item| item.open(row)).max().unwrap_or(0),
            Self::Range(item) => item.open(row),
        }
    }

    /// Appends the elements of the open row at these positions, null where there is none; returns their bytes.
    pub fn push(&mut self, positions: Range<usize>) -> usize {
        match self {
            Self::Json(items) => items.iter_mut().map(|item| item.push(positions.clone())).sum(),
            Self::Entries(items) => items.iter_mut().map(|item| item.push(positions.clone())).sum(),
            Self::Range(item) => item.push(positions),
        }
    }

    /// The elements that were appended since the last call, a column for each item.
    pub fn finish(&mut self) -> Result<Vec<Column>> {
        match self {
            Self::Json(items) => Ok(items.iter_mut().map(|item| item.builder.finish()).collect()),
            Self::Entries(items) => items.iter_mut().map(EntryItem::finish).collect(),
            Self::Range(item) => Ok(vec![item.finish()]),
        }
    }
}

/// Calls `each` with the elements of a value: one null for a null, the value itself for what is neither array nor bag.
fn for_each_element<'a>(json: Option<&'a str>, as_arrays: bool, mut each: impl FnMut(Element<'a>)) {
    let Some(json) = json else { return each(Element::Value("null")) };
    match dynamic::kind(json) {
        Kind::Array => dynamic::elements(json).for_each(|element| each(Element::Value(element))),
        Kind::Bag => {
            let entries = dynamic::unique_entries(json).into_iter();
            entries.for_each(|entry| each(Element::Entry { key: entry.key.json(), value: entry.value, as_arrays }));
        }
        _ => each(Element::Value(json)),
    }
}

/// One element.
#[derive(Clone, Copy)]
enum Element<'a> {
    Value(&'a str),
    Entry { key: &'a str, value: &'a str, as_arrays: bool },
}

impl<'a> Element<'a> {
    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Value(json) => Cow::Borrowed(json),
            Self::Entry { key, value, as_arrays: true } => Cow::Owned(format!("[{key},{value}]")),
            Self::Entry { key, value, as_arrays: false } => Cow::Owned(format!("{{{key}:{value}}}")),
        }
    }
}

/// A column whose values are read anew for each row.
pub(super) struct JsonItem {
    column: Column,
    as_arrays: bool,
    row: usize,
    /// Where the parts of each element lie in the value of the row: the element, or the key and the value of an entry.
    elements: Vec<(Range<u32>, Option<Range<u32>>)>,
    builder: ColumnBuilder,
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
        // Values are shorter than 4 GiB: their lengths have 32 bits in a view.
        let place = |part: &str| {
            let from = u32::try_from(part.as_ptr().addr().saturating_sub(start)).unwrap_or(u32::MAX);
            from..from.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX))
        };
        for_each_element(json, self.as_arrays, |element| match element {
            Element::Value(_) if json.is_none() => elements.push((0..0, None)),
            Element::Value(value) => elements.push((place(value), None)),
            Element::Entry { key, value, .. } => elements.push((place(key), Some(place(value)))),
        });
        self.elements.len()
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let json = self.column.text_at(self.row).unwrap_or("null");
        let part = |place: &Range<u32>| json.get(place.start as usize..place.end as usize).unwrap_or("null");
        let mut bytes = 0;
        for position in positions {
            let element = match self.elements.get(position) {
                Some((key, Some(value))) => {
                    Element::Entry { key: part(key), value: part(value), as_arrays: self.as_arrays }
                }
                Some((value, None)) if !value.is_empty() => Element::Value(part(value)),
                _ => {
                    self.builder.append_null();
                    continue;
                }
            };
            let text = element.text();
            bytes += text.len();
            self.builder.append_text(&text);
        }
        bytes
    }
}

/// A dictionary-encoded column, whose distinct values were taken apart once.
pub(super) struct EntryItem {
    /// The value of each row.
    codes: Int32Array,
    /// Where the elements of each value end; those of the next one begin there.
    ends: Vec<usize>,
    /// Where the element of a row without a value is.
    null: usize,
    texts: Arc<StringArray>,
    elements: Range<usize>,
    pushed: Vec<Option<i32>>,
}

impl EntryItem {
    /// None for a column of another kind, and where there are fewer rows than values, or these take too much.
    fn new(column: &Column, as_arrays: bool, max_bytes: usize) -> Option<Self> {
        let dictionary = column.as_array()?.as_dictionary_opt::<Int32Type>()?;
        let values = dictionary.values().as_string_opt::<i32>()?;
        if values.len() > dictionary.len() || values.value_data().len() > max_bytes {
            return None;
        }
        let (mut texts, mut ends) = (StringBuilder::new(), Vec::with_capacity(values.len()));
        for value in values {
            for_each_element(value, as_arrays, |element| {
                let text = element.text();
                texts.append_option((text != "null").then_some(text));
            });
            ends.push(texts.len());
        }
        let null = texts.len();
        texts.append_null();
        let (codes, texts) = (dictionary.keys().clone(), Arc::new(texts.finish()));
        Some(Self { codes, ends, null, texts, elements: 0..0, pushed: Vec::new() })
    }

    fn open(&mut self, row: usize) -> usize {
        let code = if self.codes.is_null(row) { None } else { usize::try_from(self.codes.value(row)).ok() };
        self.elements = match code.and_then(|code| Some((code, *self.ends.get(code)?))) {
            Some((0, end)) => 0..end,
            Some((code, end)) => self.ends[code - 1]..end,
            None => self.null..self.null + 1,
        };
        self.elements.len()
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let mut bytes = 0;
        for position in positions {
            let place = Some(self.elements.start + position).filter(|place| *place < self.elements.end);
            bytes += place.map_or(0, |place| usize::try_from(self.texts.value_length(place)).unwrap_or(0));
            self.pushed.push(place.and_then(|place| i32::try_from(place).ok()));
        }
        bytes
    }

    fn finish(&mut self) -> Result<Column> {
        let codes = Int32Array::from(std::mem::take(&mut self.pushed));
        let texts = DictionaryArray::try_new(codes, Arc::clone(&self.texts) as ArrayRef)?;
        Ok(Column::array(Type::Dynamic, Arc::new(texts)))
    }
}

/// A `range()` of numbers or times.
pub(super) struct RangeItem {
    arguments: Vec<Column>,
    /// The step where none is given.
    step: i64,
    ty: Type,
    /// Start and step of the open row; None for a null, which keeps one row.
    open: Option<(i64, i64)>,
    pushed: Vec<Option<i64>>,
}

impl RangeItem {
    fn new(arguments: &[Expr], (step, ty): (i64, Type), batch: &Batch, context: &EvalContext) -> Result<Self> {
        let arguments = arguments.iter().map(|argument| evaluate(argument, batch, context)).collect::<Result<_>>()?;
        Ok(Self { arguments, step, ty, open: None, pushed: Vec::new() })
    }

    fn open(&mut self, row: usize) -> usize {
        let argument = |index: usize| self.arguments.get(index).map_or(Some(self.step), |column| column.i64_at(row));
        let bounds = argument(0).zip(argument(1)).zip(argument(2));
        let range =
            bounds.and_then(|((start, stop), step)| Some((start, step, whole_range(start, stop, step)?.count())));
        self.open = range.map(|(start, step, _)| (start, step));
        range.map_or(1, |(.., count)| count)
    }

    fn push(&mut self, positions: Range<usize>) -> usize {
        let element = |position: usize| {
            let (start, step) = self.open?;
            start.checked_add(step.checked_mul(i64::try_from(position).ok()?)?)
        };
        self.pushed.extend(positions.map(element));
        0
    }

    fn finish(&mut self) -> Column {
        Column::array(self.ty, Arc::new(Int64Array::from(std::mem::take(&mut self.pushed))))
    }
}
