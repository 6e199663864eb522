//! ParseRows: adds columns whose values a pattern finds in a string (`parse`, `parse-where`, `parse-kv`).
//!
//! Works column by column: it first finds the substrings of all columns in all rows, and then converts them, so that
//! each Arrow array is built once. Each distinct string of a dictionary is parsed once.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, DictionaryArray, StringViewBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{self, nullif};
use arrow::datatypes::{DataType, Int32Type};

use super::{RowOperator, halves};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::functions::parse::Capture;
use crate::plan::{self, ParseOutput};
use crate::scan::BatchIterator;
use crate::types::dictionary::{spread, spread_truths};
use crate::types::{Batch, Column, Type, cast};

/// Adds the columns of a parse pattern to the rows.
#[derive(Debug)]
pub struct ParseRows {
    plan: plan::Parse,
    /// For each column of the pattern, true if it is in the output.
    is_output: Vec<bool>,
    /// The positions in the output of those columns of the pattern that are in the output.
    made: Vec<usize>,
    context: EvalContext,
    batch_bytes: usize,
}

/// The result of parsing some strings.
struct ParsedStrings {
    /// The values for each column of the pattern; None if the column is not in the output.
    columns: Vec<Option<Column>>,
    /// Marks the strings that match the pattern.
    matched: BooleanBuffer,
}

impl ParseRows {
    /// Returns the operator for `plan`; the input of `plan` is not used.
    #[must_use]
    pub fn new(plan: plan::Parse, context: &ExecContext) -> Self {
        let is_output = |capture| plan.output.contains(&ParseOutput::Capture(capture));
        let is_output = (0..plan.captures.len()).map(is_output).collect();
        let made = (0..plan.output.len()).filter(|index| plan.output[*index].as_capture().is_some()).collect();
        Self { plan, is_output, made, context: context.eval.clone(), batch_bytes: context.memory.batch_bytes() }
    }

    fn parse(&self, batch: &Batch) -> Result<Batch> {
        let parsed = self.parse_column(&evaluate(&self.plan.source, batch, &self.context)?)?;
        let column = |output: &ParseOutput| match output {
            ParseOutput::Input(index) => Ok(batch.column(*index).clone()),
            ParseOutput::Capture(index) => {
                parsed.columns[*index].clone().ok_or_else(|| Error::internal("a column that is output is computed"))
            }
        };
        let columns = self.plan.output.iter().map(column).collect::<Result<_>>()?;
        let output = Batch::new(columns, batch.rows());
        if self.plan.drops_unmatched { output.filter(&BooleanArray::from(parsed.matched)) } else { Ok(output) }
    }

    /// Parses the strings of a column. A constant is parsed once, and so is each entry of a dictionary that has no more
    /// entries than rows.
    fn parse_column(&self, source: &Column) -> Result<ParsedStrings> {
        let rows = source.rows();
        if source.as_constant().is_some() && rows > 0 {
            return self.parse_texts(&source.slice(0, 1)).map(|parsed| parsed.repeated(rows));
        }
        let array = source.to_array();
        match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
            Some(dictionary) if dictionary.values().len() <= rows => {
                let values = Column::array(Type::String, compute::cast(dictionary.values(), &DataType::Utf8View)?);
                self.parse_texts(&values)?.spread(dictionary)
            }
            _ => self.parse_texts(source),
        }
    }

    fn parse_texts(&self, source: &Column) -> Result<ParsedStrings> {
        let rows = source.rows();
        let types = &self.plan.captures;
        let (captures, mut matched) = self.captures(source)?;
        let mut columns: Vec<Option<Column>> = vec![None; types.len()];
        for (index, texts) in captures.iter().enumerate().filter(|(index, _)| types[*index] != Type::String) {
            if self.is_output[index] || self.plan.is_strict {
                let column = converted(texts, types[index])?;
                if self.plan.is_strict {
                    matched = &matched & &valid_rows(&column);
                }
                columns[index] = self.is_output[index].then_some(column);
            }
        }
        let is_partial = self.plan.is_strict && matched.count_set_bits() < rows;
        for (index, texts) in captures.iter().enumerate().filter(|(index, _)| self.is_output[*index]) {
            columns[index] = Some(match columns[index].take() {
                None => strings(texts, &matched),
                Some(column) if is_partial => without(&column, &matched)?,
                Some(column) => column,
            });
        }
        Ok(ParsedStrings { columns, matched })
    }

    /// Returns the substrings of each column in all rows, and marks the rows that match the pattern.
    fn captures<'t>(&self, source: &'t Column) -> Result<(Vec<Vec<Capture<'t>>>, BooleanBuffer)> {
        let mut matcher = self.plan.pattern.matcher()?;
        let mut columns: Vec<Vec<Capture<'t>>> = vec![Vec::with_capacity(source.rows()); self.plan.captures.len()];
        let mut captures = vec![None; columns.len()];
        let matched = BooleanBuffer::collect_bool(source.rows(), |row| {
            let matched = matcher.captures(source.text_at(row).unwrap_or(""), &mut captures);
            for (column, capture) in columns.iter_mut().zip(&mut captures) {
                column.push(capture.take().filter(|_| matched));
            }
            matched
        });
        Ok((columns, matched))
    }
}

impl ParsedStrings {
    /// Repeats the only row `rows` times.
    fn repeated(self, rows: usize) -> Self {
        let columns = self.columns.into_iter().map(|column| Some(Column::constant(column?.value(0), rows)));
        let matched = if self.matched.value(0) { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        Self { columns: columns.collect(), matched }
    }

    /// Returns the results for the rows of `dictionary`, given those for its entries.
    fn spread(self, dictionary: &DictionaryArray<Int32Type>) -> Result<Self> {
        let keys = dictionary.keys();
        let column = |column: Option<Column>| column.map(|column| spread(&column, keys)).transpose();
        let columns = self.columns.into_iter().map(column).collect::<Result<_>>()?;
        Ok(Self { columns, matched: spread_truths(keys, &self.matched) })
    }
}

/// Returns the substrings as a string column: "" for a row without one, or for which `kept` is false.
fn strings(texts: &[Capture<'_>], kept: &BooleanBuffer) -> Column {
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for (text, kept) in texts.iter().zip(kept) {
        builder.append_value(text.as_deref().filter(|_| kept).unwrap_or(""));
    }
    Column::array(Type::String, Arc::new(builder.finish()))
}

/// Returns the substrings as values of type `ty`: null for a row without one, or with one that cannot be converted.
fn converted(texts: &[Capture<'_>], ty: Type) -> Result<Column> {
    let present = BooleanBuffer::collect_bool(texts.len(), |row| texts[row].is_some());
    let column = cast::cast_column(&strings(texts, &present), ty)?;
    if present.count_set_bits() == texts.len() { Ok(column) } else { without(&column, &present) }
}

/// Returns the column with null in each row for which `kept` is false.
fn without(column: &Column, kept: &BooleanBuffer) -> Result<Column> {
    let array = nullif(&column.to_array(), &BooleanArray::from(!kept))?;
    Ok(Column::array(column.ty(), array))
}

fn valid_rows(column: &Column) -> BooleanBuffer {
    BooleanBuffer::collect_bool(column.rows(), |row| !column.is_null(row))
}

impl RowOperator for ParseRows {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.stream(batch).collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match self.parse(&batch) {
            // Columns of the input are not too large already, so only new ones are measured.
            Ok(output) if output.project(&self.made).may_exceed(self.batch_bytes) => {
                Box::new(output.pieces(self.batch_bytes).into_iter().map(Ok))
            }
            Ok(output) => Box::new(std::iter::once(Ok(output))),
            Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                Box::new(halves(&batch).into_iter().flat_map(|half| self.stream(half)))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}
