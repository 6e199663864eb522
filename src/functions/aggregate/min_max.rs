//! min, max, minif, maxif: the least and the greatest value of a group.

use std::any::Any;
use std::cmp::Ordering;

use super::conditional::conditional;
use super::element::Element;
use super::{Accumulator, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, ColumnBuilder, Decimal, Type};

/// Accepts the types whose values have an order: all but guid and dynamic, as on the engine.
pub const ORDERED: Accepts = Accepts::Only(&[
    Type::Long,
    Type::Int,
    Type::Real,
    Type::Decimal,
    Type::Datetime,
    Type::Timespan,
    Type::String,
    Type::Bool,
]);
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "min",
        summary: "Returns the minimum value, or null if there are none; strings are ordered by code points.",
        params: &[Param::of("expr", ORDERED, "the values to compare")],
        returns: Returns::Argument(0),
        result_name: ResultName::Prefix("min_"),
        accumulator: min,
        examples: &[
            Example::new("datatable(x:int) [3, 1, int(null)] | summarize min(x)", "1"),
            Example::new("datatable(x:string) ['b', 'a'] | summarize min(x)", "a"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "max",
        summary: "Returns the maximum value, or null if there are none; strings are ordered by code points.",
        params: &[Param::of("expr", ORDERED, "the values to compare")],
        returns: Returns::Argument(0),
        result_name: ResultName::Prefix("max_"),
        accumulator: max,
        examples: &[
            Example::new("datatable(x:int) [3, 1, int(null)] | summarize max(x)", "3"),
            Example::new("datatable(x:int) [] | summarize isnull(max(x))", "True"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "minif",
        summary: "Returns the minimum value in rows for which a condition is true.",
        params: &[Param::of("expr", ORDERED, "the values to compare"), PREDICATE],
        returns: Returns::Argument(0),
        result_name: ResultName::Prefix("minif_"),
        accumulator: |call| conditional(call, 1, min),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize minif(x, x > 2)", "3")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "maxif",
        summary: "Returns the maximum value in rows for which a condition is true.",
        params: &[Param::of("expr", ORDERED, "the values to compare"), PREDICATE],
        returns: Returns::Argument(0),
        result_name: ResultName::Prefix("maxif_"),
        accumulator: |call| conditional(call, 1, max),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize maxif(x, x < 4)", "3")],
        ..AggregateFunction::DEFAULT
    },
];

fn min(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(extreme(call, Ordering::Less))
}

fn max(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(extreme(call, Ordering::Greater))
}

fn extreme(call: &AggregateCall, wanted: Ordering) -> Box<dyn Accumulator> {
    fn of<T: Element>(returns: Type, wanted: Ordering) -> Box<dyn Accumulator> {
        Box::new(Extreme::<T> { best: Vec::new(), wanted, returns, heap: 0 })
    }
    match call.returns {
        Type::Bool => of::<bool>(Type::Bool, wanted),
        Type::Real => of::<f64>(Type::Real, wanted),
        Type::Decimal => of::<Decimal>(Type::Decimal, wanted),
        Type::String => of::<String>(Type::String, wanted),
        ty => of::<i64>(ty, wanted),
    }
}

/// The least or the greatest value of each group; None before the first value. NaN is the result only if a group has no
/// other value, so that the result does not depend on the order of the rows.
#[derive(Debug)]
struct Extreme<T> {
    best: Vec<Option<T>>,
    wanted: Ordering,
    returns: Type,
    /// Heap memory of the values in `best`, in bytes.
    heap: usize,
}

impl<T: Element> Extreme<T> {
    fn offer(&mut self, group: u32, value: T::Ref<'_>) {
        let slot = &mut self.best[group as usize];
        if slot.as_ref().is_none_or(|best| T::beats(value, best.borrowed(), self.wanted)) {
            self.heap -= slot.as_ref().map_or(0, T::heap);
            T::store(slot, value);
            self.heap += slot.as_ref().map_or(0, T::heap);
        }
    }
}

impl<T: Element> Accumulator for Extreme<T> {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.best.resize(groups, None);
        T::for_each(&arguments[0], |row, value| self.offer(rows[row], value));
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.best.resize(groups, None);
        for (value, group) in downcast::<Self>(later)?.best.iter().zip(map) {
            if let Some(value) = value {
                self.offer(*group, value.borrowed());
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.best.resize(groups, None);
        let mut builder = ColumnBuilder::with_capacity(self.returns, groups);
        for value in &self.best {
            match value {
                Some(value) => value.append(&mut builder),
                None => builder.append_null(),
            }
        }
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let best = take_states(&mut self.best, groups);
        let heap = best.iter().flatten().map(T::heap).sum();
        self.heap -= heap;
        Ok(Box::new(Self { best, wanted: self.wanted, returns: self.returns, heap }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.best.capacity() * size_of::<Option<T>>() + self.heap
    }
}
