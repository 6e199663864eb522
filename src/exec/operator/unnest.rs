//! One row for each element of dynamic columns: `mv-expand`.
//!
//! Source: the reference's page on the mv-expand operator, and the engine's answers where the page is silent: an empty
//! array drops the row, a null keeps one row with a null, a bag gives one bag of one key for each key.

use std::borrow::Cow;

use arrow::array::UInt32Array;

use super::Operator;
use crate::diagnostic::Result;
use crate::exec::ExecContext;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::{self, UnnestOutput};
use crate::types::dynamic::{self, Kind};
use crate::types::{Batch, Column, ColumnBuilder, Type, cast};

/// Rows of an output batch, beyond which another one is begun.
const MAX_ROWS: usize = 65_536;

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
        let items = self.plan.items.iter().map(|item| evaluate(&item.expr, &batch, &self.context));
        let items = items.collect::<Result<Vec<_>>>()?;
        let mut outputs = Vec::new();
        let mut chunk = self.chunk();
        for row in 0..batch.rows() {
            let elements: Vec<Vec<Cow<'_, str>>> = items.iter().map(|item| self.elements(item.text_at(row))).collect();
            chunk.push(row, &elements, self.plan.limit);
            if chunk.rows.len() >= MAX_ROWS {
                outputs.push(self.emit(std::mem::replace(&mut chunk, self.chunk()), &batch)?);
            }
        }
        outputs.push(self.emit(chunk, &batch)?);
        Ok(outputs)
    }
}

impl Unnest {
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

    fn emit(&self, mut chunk: Chunk, batch: &Batch) -> Result<Batch> {
        let rows = chunk.rows.len();
        let indices = UInt32Array::from(std::mem::take(&mut chunk.rows));
        let items: Vec<Column> = chunk.items.iter_mut().map(ColumnBuilder::finish).collect();
        let mut positions = ColumnBuilder::with_capacity(Type::Long, rows);
        chunk.positions.iter().for_each(|position| positions.append_i64(*position));
        let positions = positions.finish();
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
    fn push(&mut self, row: usize, elements: &[Vec<Cow<'_, str>>], limit: Option<usize>) {
        let longest = elements.iter().map(Vec::len).max().unwrap_or(0).min(limit.unwrap_or(usize::MAX));
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
