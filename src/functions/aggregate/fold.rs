//! Aggregates whose state for a group is one small value: sums, averages, bits.

use std::any::Any;
use std::fmt::Debug;

use super::element::Element;
use super::{Accumulator, AggregateCall, downcast, take_states};
use crate::diagnostic::Result;
use crate::types::{Column, ColumnBuilder, Type};

/// The state of an aggregate for one group, to which the values are added one by one.
pub trait Fold: Clone + Default + Debug + Send + 'static {
    /// The type of the values that are added.
    type Input: Element;

    /// Adds a value, which is not null, to the state.
    fn take(&mut self, value: <Self::Input as Element>::Ref<'_>);

    /// Merges the state of later rows.
    fn merge(&mut self, later: &Self);

    /// Appends the result to a column; an error if the column's type cannot hold it.
    fn append(&self, builder: &mut ColumnBuilder) -> Result<()>;
}

/// Returns the initial state of an aggregate that folds the first argument of a call with `F`.
pub fn fold<F: Fold>(call: &AggregateCall) -> Box<dyn Accumulator> {
    Box::new(Folding::<F> { states: Vec::new(), returns: call.returns })
}

#[derive(Debug)]
struct Folding<F> {
    states: Vec<F>,
    returns: Type,
}

impl<F: Fold> Accumulator for Folding<F> {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.states.resize(groups, F::default());
        let states = &mut self.states;
        F::Input::for_each(&arguments[0], |row, value| states[rows[row] as usize].take(value));
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.states.resize(groups, F::default());
        for (state, group) in downcast::<Self>(later)?.states.iter().zip(map) {
            self.states[*group as usize].merge(state);
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.states.resize(groups, F::default());
        let mut builder = ColumnBuilder::with_capacity(self.returns, groups);
        self.states.iter().try_for_each(|state| state.append(&mut builder))?;
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { states: take_states(&mut self.states, groups), returns: self.returns }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.states.capacity() * size_of::<F>()
    }
}
