//! Aggregates whose result is a summary of a group that later queries can merge: `hll()`, `tdigest()`, `buildschema()`.

use std::any::Any;
use std::fmt::Debug;

use super::element::GroupedRows;
use super::{Accumulator, AggregateCall, downcast, take_states, value_too_long};
use crate::diagnostic::Result;
use crate::types::{Column, ColumnBuilder, Type};

/// A callback for one value: takes the row of the value, and a function that adds the value to the summary of a group.
pub(super) type AddValue<'e, S> = dyn FnMut(usize, &mut dyn FnMut(&mut S)) + 'e;

/// The summary of one group. The result must not depend on how the rows are divided into parts.
pub(super) trait GroupSummary: Debug + Default + Send + 'static {
    /// The options of the call, read from its constant arguments.
    type Options: Clone + Debug + Send + 'static;

    /// Calls `each` with the row of every value and a function that adds the value to a summary.
    fn for_each(
        options: &Self::Options,
        rows: GroupedRows<'_>,
        arguments: &[Column],
        each: &mut AddValue<'_, Self>,
    ) -> Result<()>;

    /// Adds the summary of later rows.
    fn merge(&mut self, later: Self);

    /// Returns the heap memory of the summary in bytes.
    fn bytes(&self) -> usize;

    /// Returns the result as JSON; None if there were no values.
    fn json(&mut self, options: &Self::Options) -> Option<String>;
}

/// Calls `each` with the row and the JSON of every dynamic that is not null.
pub(super) fn for_each_json(
    column: &Column,
    rows: GroupedRows<'_>,
    mut each: impl FnMut(usize, &str) -> Result<()>,
) -> Result<()> {
    (0..rows.groups.len())
        .filter_map(|row| Some((row, column.text_at(row)?)))
        .try_for_each(|(row, json)| each(row, json))
}

/// Returns the initial state of a call.
pub(super) fn summaries<S: GroupSummary>(call: &AggregateCall, options: S::Options) -> Box<dyn Accumulator> {
    Box::new(Summaries::<S> { groups: Vec::new(), options, bytes: 0, max_value: call.max_value })
}

#[derive(Debug)]
struct Summaries<S: GroupSummary> {
    groups: Vec<S>,
    options: S::Options,
    /// Memory of the groups in bytes.
    bytes: usize,
    max_value: usize,
}

impl<S: GroupSummary> Summaries<S> {
    fn change(&mut self, group: u32, change: impl FnOnce(&mut S)) -> Result<()> {
        let summary = &mut self.groups[group as usize];
        let before = summary.bytes();
        change(summary);
        let after = summary.bytes();
        self.bytes = self.bytes + after - before;
        if after > self.max_value { Err(value_too_long(self.max_value)) } else { Ok(()) }
    }
}

impl<S: GroupSummary> Accumulator for Summaries<S> {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize_with(groups, S::default);
        let options = self.options.clone();
        let mut outcome = Ok(());
        S::for_each(&options, GroupedRows { groups: rows, count: groups }, arguments, &mut |row, add| {
            if outcome.is_ok() {
                outcome = self.change(rows[row], add);
            }
        })?;
        outcome
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize_with(groups, S::default);
        for (later, group) in downcast::<Self>(later)?.groups.into_iter().zip(map) {
            self.change(*group, |summary| summary.merge(later))?;
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize_with(groups, S::default);
        let mut builder = ColumnBuilder::with_capacity(Type::Dynamic, groups);
        // Summaries are freed one by one, so that there are never two copies of all of them.
        for mut summary in std::mem::take(&mut self.groups) {
            match summary.json(&self.options) {
                Some(json) => builder.append_text(&json),
                None => builder.append_null(),
            }
        }
        self.bytes = 0;
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let taken = take_states(&mut self.groups, groups);
        let bytes = taken.iter().map(S::bytes).sum();
        self.bytes -= bytes;
        Ok(Box::new(Self { groups: taken, options: self.options.clone(), bytes, max_value: self.max_value }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<S>() + self.bytes
    }
}
