//! binary_all_and, binary_all_or, binary_all_xor: bitwise operations over the values of a group.

use std::any::Any;

use super::element::Element;
use super::{Accumulator, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, ColumnBuilder, Type};

const EXPR: Param = Param::of("expr", Accepts::Only(&[Type::Long]), "the numbers to combine");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "binary_all_and",
        summary: "Returns the bitwise AND of the values, ignoring nulls, or null if there are none.",
        accumulator: |_| Ok(bits(|a, b| a & b)),
        examples: &[Example::new("datatable(x:long) [7, 13] | summarize binary_all_and(x)", "5")],
        ..BITS
    },
    AggregateFunction {
        name: "binary_all_or",
        summary: "Returns the bitwise OR of the values, ignoring nulls, or null if there are none.",
        accumulator: |_| Ok(bits(|a, b| a | b)),
        examples: &[Example::new("datatable(x:long) [5, 8] | summarize binary_all_or(x)", "13")],
        ..BITS
    },
    AggregateFunction {
        name: "binary_all_xor",
        summary: "Returns the bitwise XOR of the values, ignoring nulls, or null if there are none.",
        accumulator: |_| Ok(bits(|a, b| a ^ b)),
        examples: &[Example::new("datatable(x:long) [7, 2] | summarize binary_all_xor(x)", "5")],
        ..BITS
    },
];

const BITS: AggregateFunction = AggregateFunction {
    category: Category::Binary,
    params: &[EXPR],
    returns: Returns::Type(Type::Long),
    result_name: ResultName::FirstArgument,
    ..AggregateFunction::DEFAULT
};

fn bits(combine: fn(i64, i64) -> i64) -> Box<dyn Accumulator> {
    Box::new(Bits { groups: Vec::new(), combine })
}

/// The combined bits of each group; None before the first value.
#[derive(Debug)]
struct Bits {
    groups: Vec<Option<i64>>,
    combine: fn(i64, i64) -> i64,
}

impl Bits {
    fn take(&mut self, group: u32, value: i64) {
        let slot = &mut self.groups[group as usize];
        *slot = Some(slot.map_or(value, |bits| (self.combine)(bits, value)));
    }
}

impl Accumulator for Bits {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize(groups, None);
        i64::for_each(&arguments[0], |row, value| self.take(rows[row], value));
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize(groups, None);
        for (bits, group) in downcast::<Self>(later)?.groups.iter().zip(map) {
            if let Some(bits) = bits {
                self.take(*group, *bits);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize(groups, None);
        let mut builder = ColumnBuilder::with_capacity(Type::Long, groups);
        for bits in &self.groups {
            match bits {
                Some(bits) => builder.append_i64(*bits),
                None => builder.append_null(),
            }
        }
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { groups: take_states(&mut self.groups, groups), combine: self.combine }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Option<i64>>()
    }
}
