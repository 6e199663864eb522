//! One row for each element of dynamic columns: `mv-expand`.
//!
//! Source: the reference's page on the mv-expand operator, and the engine's answers where the page is silent: an empty
//! array drops the row, a null keeps one row with a null, a bag gives one bag of one key for each key.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, StringArray, StringBuilder,
    UInt32Array,
};
use arrow::datatypes::Int32Type;

use super::Operator;
use crate::diagnostic::Result;
use crate::exec::ExecContext;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::{self, UnnestOutput};
use crate::types::dynamic::{self, Kind};
use crate::types::{Batch, Column, ColumnBuilder, Type, cast, repeats};

/// Rows of an output batch, beyond which another one is begun.
const MAX_ROWS: usize = 65_536;

/// Bytes of distinct values that are taken apart together: their elements must have 32-bit places.
const MAX_VALUES: usize = 1 << 30;

/// Takes dynamic columns apart, side by side.
#[derive(Debug)]
pub struct Unnest {
    plan: plan::Unnest,
    context: EvalContext,
}

impl Unnest {
    /// As `plan` says; its input is not looked at.
    #[must_use]
    pub fn new(plan: plan::Unnest, context: &ExecContext) -> Self {
        Self { plan, context: context.eval.clone() }
    }
}

impl Operator for Unnest {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        if let [item] = &self.plan.items[..]
            && let Some((arguments, step)) = item.as_range()
        {
            return self.process_range(arguments, step, &batch);
        }
        let item = |item: &plan::UnnestItem| repeats::coded(evaluate(&item.expr, &batch, &self.context)?);
        let items = self.plan.items.iter().map(item);
        let items = items.collect::<Result<Vec<_>>>()?;
        if let Some(items) = items.iter().map(|item| self.expand_values(item)).collect::<Option<Vec<_>>>() {
            return self.process_values(&items, &batch);
        }
        let mut outputs = Vec::new();
        let mut chunk = self.chunk();
        for row in 0..batch.rows() {
            let elements: Vec<Vec<Cow<'_, str>>> = items.iter().map(|item| self.elements(item.text_at(row))).collect();
            chunk.push(row, &elements, self.limit());
            if Self::is_full(chunk.rows.len()) {
                outputs.push(self.emit(std::mem::replace(&mut chunk, self.chunk()), &batch)?);
            }
        }
        outputs.push(self.emit(chunk, &batch)?);
        Ok(outputs)
    }
}

impl Unnest {
    pub(super) fn context(&self) -> &EvalContext {
        &self.context
    }

    /// What the elements of an item are converted to.
    pub(super) fn type_of(&self, item: usize) -> Type {
        self.plan.items[item].ty
    }

    /// Most rows of one row.
    pub(super) fn limit(&self) -> usize {
        self.plan.limit.unwrap_or(usize::MAX)
    }

    /// True where another output batch is to be begun.
    pub(super) fn is_full(rows: usize) -> bool {
        rows >= MAX_ROWS
    }

    fn chunk(&self) -> Chunk {
        let items = self.plan.items.iter().map(|_| ColumnBuilder::new(Type::Dynamic)).collect();
        Chunk { rows: Vec::new(), positions: Vec::new(), items }
    }

    /// The elements of one value; one null for what is null or holds a single value that is not there.
    fn elements<'a>(&self, json: Option<&'a str>) -> Vec<Cow<'a, str>> {
        let Some(json) = json else { return vec![Cow::Borrowed("null")] };
        match dynamic::kind(json) {
            Kind::Array => dynamic::elements(json).map(Cow::Borrowed).collect(),
            Kind::Bag => dynamic::unique_entries(json)
                .into_iter()
                .map(|entry| {
                    let (open, middle, close) =
                        if self.plan.bags_as_arrays { ('[', ',', ']') } else { ('{', ':', '}') };
                    Cow::Owned(format!("{open}{}{middle}{}{close}", entry.key.json(), entry.value))
                })
                .collect(),
            _ => vec![Cow::Borrowed(json)],
        }
    }

    /// The elements of each distinct value of a dictionary-encoded column; None for another one, and where fewer rows
    /// than values are there.
    fn expand_values(&self, column: &Column) -> Option<Expanded> {
        let dictionary = column.as_array()?.as_dictionary_opt::<Int32Type>()?;
        let values = dictionary.values().as_string_opt::<i32>()?;
        if values.len() > dictionary.len() || values.value_data().len() > MAX_VALUES {
            return None;
        }
        let (mut texts, mut ends) = (StringBuilder::new(), Vec::with_capacity(values.len()));
        for value in values {
            for element in self.elements(value) {
                texts.append_option((element != "null").then_some(element));
            }
            ends.push(texts.len());
        }
        let null = texts.len();
        texts.append_null();
        Some(Expanded { keys: dictionary.keys().clone(), ends, null, texts: Arc::new(texts.finish()) })
    }

    /// As [`Self::process`], without looking at any value twice.
    fn process_values(&self, items: &[Expanded], batch: &Batch) -> Result<Vec<Batch>> {
        let mut outputs = Vec::new();
        let mut chunk = Places::new(items.len());
        for row in 0..batch.rows() {
            let elements: Vec<Range<usize>> = items.iter().map(|item| item.elements(row)).collect();
            let longest = elements.iter().map(Range::len).max().unwrap_or(0);
            chunk.push(row, longest.min(self.limit()), &elements);
            if Self::is_full(chunk.rows.len()) {
                outputs.push(self.emit_values(
                    std::mem::replace(&mut chunk, Places::new(items.len())),
                    items,
                    batch,
                )?);
            }
        }
        outputs.push(self.emit_values(chunk, items, batch)?);
        Ok(outputs)
    }

    fn emit_values(&self, chunk: Places, items: &[Expanded], batch: &Batch) -> Result<Batch> {
        let column = |(keys, item): (Vec<Option<i32>>, &Expanded)| {
            let texts = DictionaryArray::try_new(Int32Array::from(keys), Arc::clone(&item.texts) as ArrayRef)?;
            Ok(Column::array(Type::Dynamic, Arc::new(texts)))
        };
        let columns = chunk.keys.into_iter().zip(items).map(column).collect::<Result<Vec<_>>>()?;
        self.output(chunk.rows, chunk.positions, &columns, batch)
    }

    fn emit(&self, mut chunk: Chunk, batch: &Batch) -> Result<Batch> {
        let items: Vec<Column> = chunk.items.iter_mut().map(ColumnBuilder::finish).collect();
        self.output(chunk.rows, chunk.positions, &items, batch)
    }

    /// The rows of the input at `rows`, beside their elements and the positions of these.
    pub(super) fn output(&self, rows: Vec<u32>, positions: Vec<i64>, items: &[Column], batch: &Batch) -> Result<Batch> {
        let indices = UInt32Array::from(rows);
        let rows = indices.len();
        let positions = Column::array(Type::Long, Arc::new(Int64Array::from(positions)));
        let column = |output: &UnnestOutput| match output {
            UnnestOutput::Input(index) => batch.column(*index).take(&indices),
            UnnestOutput::Item(index) => cast::cast_elements(&items[*index], self.plan.items[*index].ty),
            UnnestOutput::Position => Ok(positions.clone()),
        };
        Ok(Batch::new(self.plan.output.iter().map(column).collect::<Result<_>>()?, rows))
    }
}

/// Rows of the output so far: which input row each repeats, and its elements.
struct Chunk {
    rows: Vec<u32>,
    positions: Vec<i64>,
    items: Vec<ColumnBuilder>,
}

impl Chunk {
    fn push(&mut self, row: usize, elements: &[Vec<Cow<'_, str>>], limit: usize) {
        let longest = elements.iter().map(Vec::len).max().unwrap_or(0).min(limit);
        for position in 0..longest {
            self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            self.positions.push(i64::try_from(position).unwrap_or(i64::MAX));
            for (builder, values) in self.items.iter_mut().zip(elements) {
                match values.get(position) {
                    Some(json) => builder.append_text(json),
                    None => builder.append_null(),
                }
            }
        }
    }
}

/// The distinct values of a column, taken apart.
struct Expanded {
    /// The value of each row.
    keys: Int32Array,
    /// Where the elements of each value end; those of the next one begin there.
    ends: Vec<usize>,
    /// Where the element of a row without a value is.
    null: usize,
    texts: Arc<StringArray>,
}

impl Expanded {
    /// Where the elements of a row are.
    fn elements(&self, row: usize) -> Range<usize> {
        let key = if self.keys.is_null(row) { None } else { usize::try_from(self.keys.value(row)).ok() };
        match key.and_then(|key| Some((key, *self.ends.get(key)?))) {
            Some((0, end)) => 0..end,
            Some((key, end)) => self.ends[key - 1]..end,
            None => self.null..self.null + 1,
        }
    }
}

/// Rows of the output so far: which input row each repeats, and where its elements are.
struct Places {
    rows: Vec<u32>,
    positions: Vec<i64>,
    keys: Vec<Vec<Option<i32>>>,
}

impl Places {
    fn new(items: usize) -> Self {
        Self { rows: Vec::new(), positions: Vec::new(), keys: vec![Vec::new(); items] }
    }

    fn push(&mut self, row: usize, longest: usize, elements: &[Range<usize>]) {
        self.rows.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), longest));
        self.positions.extend((0..longest).map(|position| i64::try_from(position).unwrap_or(i64::MAX)));
        for (keys, elements) in self.keys.iter_mut().zip(elements) {
            let key = |position: usize| elements.clone().nth(position).and_then(|place| i32::try_from(place).ok());
            keys.extend((0..longest).map(key));
        }
    }
}
