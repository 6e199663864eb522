//! count, countif: the number of rows.

use std::any::Any;

use super::{Accumulator, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, ColumnBuilder, Type};

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "count",
        summary: "Returns the number of rows; an argument is ignored, so that nulls are counted.",
        params: &[Param::of("column", Accepts::Any, "ignored").optional()],
        result_name: ResultName::Prefix("count_"),
        accumulator: rows,
        examples: &[
            Example::new("range x from 1 to 5 step 1 | summarize count()", "5"),
            Example::new("datatable(x:long) [1, long(null)] | summarize count(x)", "2"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "countif",
        summary: "Returns the number of rows for which a condition is true.",
        params: &[Param::new("predicate", Type::Bool, "the condition")],
        returns: Returns::Type(Type::Long),
        result_name: ResultName::Prefix("countif_"),
        accumulator: rows_where,
        examples: &[
            Example::new("range x from 1 to 5 step 1 | summarize countif(x > 3)", "2"),
            Example::new("datatable(x:long) [1, long(null)] | summarize countif(x > 0)", "1"),
        ],
        ..AggregateFunction::DEFAULT
    },
];

/// Returns the initial state of `count()`.
pub fn rows(_: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Count { counts: Vec::new(), conditional: false }))
}

fn rows_where(_: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Count { counts: Vec::new(), conditional: true }))
}

#[derive(Debug)]
struct Count {
    counts: Vec<i64>,
    conditional: bool,
}

impl Accumulator for Count {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.counts.resize(groups, 0);
        for (row, group) in rows.iter().enumerate() {
            let counted = !self.conditional || arguments[0].bool_at(row) == Some(true);
            self.counts[*group as usize] += i64::from(counted);
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.counts.resize(groups, 0);
        for (count, group) in downcast::<Self>(later)?.counts.iter().zip(map) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.counts.resize(groups, 0);
        let mut builder = ColumnBuilder::with_capacity(Type::Long, groups);
        self.counts.iter().for_each(|count| builder.append_i64(*count));
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { counts: take_states(&mut self.counts, groups), conditional: self.conditional }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
