//! arg_max, arg_min: the row with the greatest or least value. Deprecated names: argmax, argmin.
//!
//! The binder expands a `*` into arguments; the result has a column for each argument.

use std::any::Any;
use std::cmp::Ordering;

use super::chosen_rows::ChosenRows;
use super::element::Element;
use super::min_max::ORDERED;
use super::{Accumulator, AggregateArgument, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, Returns};
use crate::types::{Column, Decimal, Field, Type};

const RETURNED: Param =
    Param::of("returned", Accepts::Any, "the value to return from that row; `*` for all other columns");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "arg_max",
        summary: "Returns values of the row that maximizes an expression, the first of several; a row with null only \
                  if there is no other.",
        params: &[Param::of("maximized", ORDERED, "the values to compare"), RETURNED.any_number()],
        columns: |_, arguments| columns("max_", arguments),
        accumulator: |call| Ok(arg_extreme(call, Ordering::Greater)),
        examples: &[
            Example::new(
                "datatable(t:long, s:string) [1, 'a', 3, 'b', 2, 'c'] | summarize arg_max(t, s) | project s",
                "b",
            ),
            Example::new("datatable(t:long, s:string) [1, 'a', 3, 'b'] | summarize arg_max(t, *) | project s", "b"),
            Example::new(
                "datatable(t:long, s:string) [long(null), 'a', 1, 'b'] | summarize arg_max(t, s) | project s",
                "b",
            ),
        ],
        ..ROW
    },
    AggregateFunction {
        name: "arg_min",
        summary: "Returns values of the row that minimizes an expression, the first of several; a row with null only \
                  if there is no other.",
        params: &[Param::of("minimized", ORDERED, "the values to compare"), RETURNED.any_number()],
        columns: |_, arguments| columns("min_", arguments),
        accumulator: |call| Ok(arg_extreme(call, Ordering::Less)),
        examples: &[Example::new(
            "datatable(t:long, s:string) [2, 'a', 1, 'b'] | summarize arg_min(t, s) | project s",
            "b",
        )],
        ..ROW
    },
    AggregateFunction {
        name: "argmax",
        summary: "Returns the same as arg_max(), but names its columns `max_x` and `max_x_y` (deprecated).",
        params: &[Param::of("maximized", ORDERED, "the values to compare"), RETURNED.any_number()],
        columns: |_, arguments| prefixed_columns("max_", arguments),
        accumulator: |call| Ok(arg_extreme(call, Ordering::Greater)),
        examples: &[Example::new(
            "datatable(t:long, s:string) [1, 'a', 2, 'b'] | summarize argmax(t, s) | project max_t_s",
            "b",
        )],
        ..ROW
    },
    AggregateFunction {
        name: "argmin",
        summary: "Returns the same as arg_min(), but names its columns `min_x` and `min_x_y` (deprecated).",
        params: &[Param::of("minimized", ORDERED, "the values to compare"), RETURNED.any_number()],
        columns: |_, arguments| prefixed_columns("min_", arguments),
        accumulator: |call| Ok(arg_extreme(call, Ordering::Less)),
        examples: &[Example::new(
            "datatable(t:long, s:string) [1, 'a', 2, 'b'] | summarize argmin(t, s) | project min_t_s",
            "a",
        )],
        ..ROW
    },
];

const ROW: AggregateFunction = AggregateFunction {
    category: Category::RowSelector,
    returns_arguments: true,
    deciding_arguments: Some(1),
    returns: Returns::Argument(0),
    ..AggregateFunction::DEFAULT
};

/// Returns one result column per argument, with the argument's name. Without a name, the first column is `max_` and a
/// later one `max_x_arg1`, in which `x` is the first argument. Source: the published analyzer.
fn columns(prefix: &str, arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let mut fields = prefixed_columns(prefix, arguments);
    for (field, argument) in fields.iter_mut().zip(arguments) {
        if let Some(name) = argument.name {
            name.clone_into(&mut field.name);
        }
    }
    fields
}

/// Returns one result column per argument: `max_x` for the first, `max_x_y` for a later one named y, and `max_x_arg2`
/// for one without a name.
fn prefixed_columns(prefix: &str, arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let first = arguments.first().map_or("", AggregateArgument::label);
    let name = |(index, argument): (usize, &AggregateArgument<'_>)| match (index, argument.name) {
        (0, _) => format!("{prefix}{first}"),
        (_, Some(name)) => format!("{prefix}{first}_{name}"),
        (_, None) => format!("{prefix}{first}_arg{index}"),
    };
    arguments.iter().enumerate().map(|pair| Field::new(name(pair), pair.1.ty)).collect()
}

fn arg_extreme(call: &AggregateCall, wanted: Ordering) -> Box<dyn Accumulator> {
    fn of<T: Element>(call: &AggregateCall, wanted: Ordering) -> Box<dyn Accumulator> {
        let rows = ChosenRows::new(&call.arguments);
        Box::new(ArgExtreme::<T> { best: Vec::new(), rows, wanted, pending: Vec::new(), heap: 0 })
    }
    match call.arguments.first() {
        Some(Type::Bool) => of::<bool>(call, wanted),
        Some(Type::Real) => of::<f64>(call, wanted),
        Some(Type::Decimal) => of::<Decimal>(call, wanted),
        Some(Type::String) => of::<String>(call, wanted),
        _ => of::<i64>(call, wanted),
    }
}

/// Marks a group for which no row of the current batch is chosen.
const NO_ROW: u32 = u32::MAX;

#[derive(Debug)]
struct ArgExtreme<T> {
    /// The best value of each group; None while it has only rows with null.
    best: Vec<Option<T>>,
    rows: ChosenRows,
    wanted: Ordering,
    /// For each group, the row chosen from the current batch; `NO_ROW` between batches.
    pending: Vec<u32>,
    /// Heap memory of the values in `best`, in bytes.
    heap: usize,
}

impl<T: Element> ArgExtreme<T> {
    fn resize(&mut self, groups: usize) {
        self.best.resize(groups, None);
        self.pending.resize(groups, NO_ROW);
        self.rows.resize(groups);
    }

    /// Replaces the best value of `group` if `value` is better; true if so.
    fn offer(&mut self, group: u32, value: T::Ref<'_>) -> bool {
        let slot = &mut self.best[group as usize];
        let better = slot.as_ref().is_none_or(|best| T::beats(value, best.borrowed(), self.wanted));
        if better {
            self.heap -= slot.as_ref().map_or(0, T::heap);
            T::store(slot, value);
            self.heap += slot.as_ref().map_or(0, T::heap);
        }
        better
    }
}

impl<T: Element> Accumulator for ArgExtreme<T> {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.resize(groups);
        let mut touched = Vec::new();
        let mut mark = |pending: &mut [u32], group: u32, row: usize| {
            let slot = &mut pending[group as usize];
            if *slot == NO_ROW {
                touched.push(group);
            }
            *slot = u32::try_from(row).expect("a batch has fewer rows than that");
        };
        T::for_each(&arguments[0], |row, value| {
            if self.offer(rows[row], value) {
                mark(&mut self.pending, rows[row], row);
            }
        });
        for (row, group) in rows.iter().enumerate() {
            if self.pending[*group as usize] == NO_ROW && !self.rows.has(*group) {
                mark(&mut self.pending, *group, row);
            }
        }
        let picks: Vec<(u32, u32)> = touched
            .iter()
            .map(|group| (*group, std::mem::replace(&mut self.pending[*group as usize], NO_ROW)))
            .collect();
        self.rows.choose(&picks, arguments, rows.len())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.resize(groups);
        let later = downcast::<Self>(later)?;
        let mut picks = Vec::new();
        for (later_group, (value, group)) in (0u32..).zip(later.best.iter().zip(map)) {
            let better = match value {
                Some(value) => self.offer(*group, value.borrowed()),
                None => !self.rows.has(*group),
            };
            if better {
                picks.push((*group, later_group));
            }
        }
        self.rows.choose_from(later.rows, &picks)
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.resize(groups);
        self.rows.finish()
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let best = take_states(&mut self.best, groups);
        let heap = best.iter().flatten().map(T::heap).sum();
        self.heap -= heap;
        let pending = vec![NO_ROW; groups.len()];
        Ok(Box::new(Self { best, rows: self.rows.select(groups)?, wanted: self.wanted, pending, heap }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        let slots = self.best.capacity() * size_of::<Option<T>>() + self.pending.capacity() * size_of::<u32>();
        slots + self.heap + self.rows.memory()
    }
}
