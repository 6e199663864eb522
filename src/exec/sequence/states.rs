//! The states of the steps of a `scan`: the values of the last records that matched them.

use super::output::text_bytes;
use crate::plan::Sequence;
use crate::types::Value;

/// The states of all steps.
#[derive(Debug)]
pub struct StepStates {
    /// The values of a step that has no sequence.
    empty: Vec<Value>,
    /// The state of each step; None if the step has no active sequence.
    active: Vec<Option<StepState>>,
    /// The number that the next sequence gets.
    next_match: i64,
    /// Number of bytes of the strings in all states.
    bytes: usize,
}

/// The state of a step that has an active sequence.
#[derive(Debug)]
struct StepState {
    /// A value for each [`Sequence::state`]; those of later steps are empty.
    values: Vec<Value>,
    match_id: i64,
}

impl StepStates {
    /// Returns the states before the first row.
    pub fn new(plan: &Sequence) -> Self {
        let active = plan.steps.iter().map(|_| None).collect();
        Self { empty: plan.empty_state(), active, next_match: 0, bytes: 0 }
    }

    /// True if the step has an active sequence.
    pub fn is_active(&self, step: usize) -> bool {
        self.active[step].is_some()
    }

    /// Returns the values of the state of a step; empty values if it has no sequence.
    pub fn values(&self, step: usize) -> &[Value] {
        self.active[step].as_ref().map_or(&self.empty, |state| &state.values)
    }

    /// Returns the number of the sequence of a step; 0 if it has none.
    pub fn match_id(&self, step: usize) -> i64 {
        self.active[step].as_ref().map_or(0, |state| state.match_id)
    }

    /// Returns the bytes of the strings of all states.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins a sequence in the first step, with a new number.
    pub fn begin(&mut self) {
        let match_id = self.next_match;
        self.next_match = self.next_match.wrapping_add(1);
        self.bytes += self.empty.iter().map(text_bytes).sum::<usize>();
        self.active[0] = Some(StepState { values: self.empty.clone(), match_id });
    }

    /// Moves the sequence of the previous step to `step`, whose own sequence ends.
    pub fn promote(&mut self, step: usize) {
        let ended = self.active[step].take();
        self.bytes -= ended.iter().flat_map(|state| &state.values).map(text_bytes).sum::<usize>();
        self.active[step] = self.active[step - 1].take();
    }

    /// Sets the value at `position` in the state of a step; does nothing if the step has no sequence.
    pub fn set(&mut self, step: usize, position: usize, value: Value) {
        if let Some(state) = &mut self.active[step] {
            self.bytes = self.bytes + text_bytes(&value) - text_bytes(&state.values[position]);
            state.values[position] = value;
        }
    }

    /// Ends all sequences; the next one gets the number 0.
    pub fn end_all(&mut self) {
        self.active.iter_mut().for_each(|state| *state = None);
        (self.next_match, self.bytes) = (0, 0);
    }
}
