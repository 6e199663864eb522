//! funnel_sequence_completion: how far users get in a sequence of states.
//!
//! Source: the reference's page on the plugin. The time limit applies between two steps, as its parameter says. Both
//! ends of the range of times are inclusive, as in the other plugins for users.

use std::collections::BTreeMap;

use super::activity::MAX_WINDOWS;
use super::dimension_keys::DimensionKeys;
use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Type};

/// The plugin funnel_sequence_completion, which counts the users who reach each state. The arguments are the user, the
/// time and the state.
#[derive(Debug)]
pub struct FunnelCompletion {
    /// The start of the range of times, inclusive.
    pub from: i64,
    /// The end of the range of times, inclusive.
    pub to: i64,
    /// The length of the windows that are counted separately; the first begins with the range.
    pub step: i64,
    /// The sequence of states.
    pub states: Vec<String>,
    /// The maximum times between two steps; users are counted for each of them.
    pub periods: Vec<i64>,
    /// The output column with the start of the window.
    pub timeline: Field,
    /// The output column with the state.
    pub state: Field,
    /// The type of the periods.
    pub period_type: Type,
}

/// A row of the input whose state is in the sequence.
#[derive(Clone, Copy)]
struct Event {
    time: i64,
    /// The position of the row's state in the sequence; the first position if that state occurs several times.
    state: usize,
}

/// The events, by the start of the window in which they occur and then by the user.
type Windows = BTreeMap<i64, BTreeMap<usize, Vec<Event>>>;

impl FunnelCompletion {
    fn windows(&self, arguments: &Batch) -> Result<Windows> {
        let (mut keys, mut windows) = (DimensionKeys::default(), Windows::new());
        for row in 0..arguments.rows() {
            let text = arguments.column(2).text_at(row).unwrap_or_default();
            let Some(state) = self.states.iter().position(|state| state == text) else { continue };
            let Some(time) = arguments.column(1).i64_at(row).filter(|time| (self.from..=self.to).contains(time)) else {
                continue;
            };
            let start = self.start_of(time);
            let user = keys.number(arguments, &[0], row);
            windows.entry(start).or_default().entry(user).or_default().push(Event { time, state });
            if i64::try_from(windows.len()).unwrap_or(i64::MAX) > MAX_WINDOWS {
                let message = format!("{} has more than {MAX_WINDOWS} windows; use longer windows", self.name());
                return Err(Error::Limit(message));
            }
        }
        windows.values_mut().flat_map(BTreeMap::values_mut).for_each(|events| {
            events.sort_by_key(|event| (event.time, event.state));
        });
        Ok(windows)
    }

    /// Returns the start of the window of a time in range.
    fn start_of(&self, time: i64) -> i64 {
        let passed = (i128::from(time) - i128::from(self.from)) % i128::from(self.step);
        i64::try_from(i128::from(time) - passed).unwrap_or(self.from)
    }

    /// Returns how many states of the sequence a user with these events reaches.
    fn reached(&self, events: &[Event], period: i64) -> usize {
        // For each state, the last time at which a sequence reached it: a later one can always be continued for longer.
        let mut last: Vec<Option<i64>> = vec![None; self.states.len()];
        for event in events {
            // From the last state back: one event is not two steps.
            for state in (0..self.states.len()).rev() {
                let is_reached =
                    state == 0 || last[state - 1].is_some_and(|earlier| event.time.saturating_sub(earlier) <= period);
                if self.states[state] == self.states[event.state] && is_reached {
                    last[state] = Some(event.time);
                }
            }
        }
        last.iter().take_while(|time| time.is_some()).count()
    }
}

impl TableFunction for FunnelCompletion {
    fn name(&self) -> &'static str {
        "funnel_sequence_completion"
    }

    fn fields(&self) -> Vec<Field> {
        let measures = [Field::new("Period", self.period_type), Field::new("dcount", Type::Long)];
        [self.timeline.clone(), self.state.clone()].into_iter().chain(measures).collect()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let types = [self.timeline.ty, self.state.ty, self.period_type, Type::Long];
        let [mut times, mut states, mut periods, mut counts] = types.map(ColumnBuilder::new);
        for (start, users) in &self.windows(arguments)? {
            for period in &self.periods {
                let reached: Vec<usize> = users.values().map(|events| self.reached(events, *period)).collect();
                for (index, state) in self.states.iter().enumerate() {
                    let count = reached.iter().filter(|reached| **reached > index).count();
                    times.append_i64(*start);
                    states.append_text(state);
                    periods.append_i64(*period);
                    counts.append_i64(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
        }
        let columns = [times, states, periods, counts].map(|mut builder| builder.finish());
        Ok(TableOutput::of_columns(columns.into()))
    }
}
