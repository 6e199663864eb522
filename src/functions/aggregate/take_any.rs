//! take_any, take_anyif: a row of each group, always the first. Deprecated names: any, anyif.

use std::any::Any;

use super::chosen_rows::ChosenRows;
use super::conditional::conditional;
use super::{Accumulator, AggregateArgument, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, Field};

const EXPR: Param = Param::of("expr", Accepts::Any, "the value to return from the row; `*` for all other columns");
const ONE: Param = Param::of("expr", Accepts::Any, "the value to return from the row");
const PREDICATE: Param = Param::new("predicate", crate::types::Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        category: Category::RowSelector,
        name: "take_any",
        summary: "Returns values of the first row of the group; a single argument is taken from the first row in \
                  which it is neither null nor empty.",
        params: &[EXPR.repeated()],
        returns: Returns::Argument(0),
        returns_arguments: true,
        deciding_arguments: Some(0),
        columns: |_, arguments| columns(arguments),
        accumulator: first_row,
        examples: &[
            Example::new("datatable(x:string) ['', 'a', 'b'] | summarize take_any(x)", "a"),
            Example::new("datatable(x:long, y:long) [1, 2, 3, 4] | summarize take_any(x, y) | project y", "2"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        category: Category::RowSelector,
        name: "take_anyif",
        summary: "Returns the first value in rows for which a condition is true, preferring values that are neither \
                  null nor empty.",
        params: &[ONE, PREDICATE],
        returns: Returns::Argument(0),
        result_name: ResultName::FirstArgument,
        accumulator: |call| conditional(call, 1, first_row),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize take_anyif(x, x > 2)", "3")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        category: Category::RowSelector,
        name: "any",
        summary: "Returns the same as take_any(), but names its columns `any_x` (deprecated).",
        params: &[EXPR.repeated()],
        returns: Returns::Argument(0),
        returns_arguments: true,
        deciding_arguments: Some(0),
        columns: |_, arguments| prefixed_columns(arguments),
        accumulator: first_row,
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize any(x) | project any_x", "1")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        category: Category::RowSelector,
        name: "anyif",
        summary: "Returns the same as take_anyif(), but names its column `anyif_x` (deprecated).",
        params: &[ONE, PREDICATE],
        returns: Returns::Argument(0),
        result_name: ResultName::Prefix("anyif_"),
        accumulator: |call| conditional(call, 1, first_row),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize anyif(x, x > 2) | project anyif_x", "3")],
        ..AggregateFunction::DEFAULT
    },
];

/// Returns one result column per argument, with the argument's name, or `any_arg1` if it has none. Source: the
/// published analyzer.
fn columns(arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let name = |(index, argument): (usize, &AggregateArgument<'_>)| {
        argument.name.map_or_else(|| format!("any_arg{index}"), str::to_owned)
    };
    arguments.iter().enumerate().map(|pair| Field::new(name(pair), pair.1.ty)).collect()
}

/// Returns one result column per argument: `any_x` for the argument x. Without a name it is `any_` for a single
/// argument, and `any_arg1` for one of several.
fn prefixed_columns(arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let single = arguments.len() == 1;
    let name = |(index, argument): (usize, &AggregateArgument<'_>)| match argument.name {
        None if !single => format!("any_arg{index}"),
        _ => format!("any_{}", argument.label()),
    };
    arguments.iter().enumerate().map(|pair| Field::new(name(pair), pair.1.ty)).collect()
}

fn first_row(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(FirstRow { rows: ChosenRows::new(&call.arguments), settled: Vec::new() }))
}

#[derive(Debug)]
struct FirstRow {
    rows: ChosenRows,
    /// For each group, true if no later row can replace the chosen one.
    settled: Vec<bool>,
}

/// True if a later row is preferred to this one, because its single argument is null or empty. The reference promises a
/// value "if such value is present", for a single argument only.
fn is_blank(arguments: &[Column], row: usize) -> bool {
    match arguments {
        [column] => column.is_null(row) || column.text_at(row) == Some(""),
        _ => false,
    }
}

impl Accumulator for FirstRow {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.rows.resize(groups);
        self.settled.resize(groups, false);
        let mut picks = Vec::new();
        let mut undecided = Vec::new();
        for (row, group) in (0u32..).zip(rows) {
            let settled = &mut self.settled[*group as usize];
            if *settled {
                continue;
            }
            *settled = !is_blank(arguments, row as usize);
            if *settled { picks.push((*group, row)) } else { undecided.push((*group, row)) }
        }
        // An empty row is kept only if a group has no other; all of them are equal then, so any will do.
        undecided.retain(|(group, _)| !self.settled[*group as usize] && !self.rows.has(*group));
        picks.extend(undecided);
        self.rows.choose(&picks, arguments, rows.len())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.rows.resize(groups);
        self.settled.resize(groups, false);
        let later = downcast::<Self>(later)?;
        let mut picks = Vec::new();
        for (later_group, (settled, group)) in (0u32..).zip(later.settled.iter().zip(map)) {
            let slot = &mut self.settled[*group as usize];
            if !*slot && (*settled || !self.rows.has(*group)) {
                *slot = *settled;
                picks.push((*group, later_group));
            }
        }
        self.rows.choose_from(later.rows, &picks)
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.rows.resize(groups);
        self.rows.finish()
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { rows: self.rows.select(groups)?, settled: take_states(&mut self.settled, groups) }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.settled.capacity() + self.rows.memory()
    }
}
