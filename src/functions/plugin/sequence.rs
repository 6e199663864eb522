//! sequence_detect: sequences of rows that satisfy one condition after the other.
//!
//! Source: the reference's page on the plugin. Its example shows that every combination of the distinct times of the
//! steps is a sequence.

use std::collections::BTreeMap;

use super::dimension_keys::DimensionKeys;
use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field};

/// The maximum number of sequences: the number of combinations can grow exponentially with the steps.
const MAX_SEQUENCES: usize = 10_000_000;

/// The plugin sequence_detect. The arguments are the time, the condition of each step, and the dimensions.
#[derive(Debug)]
pub struct SequenceDetect {
    /// The maximum time between two steps, in the unit of the timeline.
    pub step_window: i64,
    /// The maximum time between the first and the last step, in the unit of the timeline.
    pub span: i64,
    /// The output columns with the dimensions.
    pub dimensions: Vec<Field>,
    /// The output columns with the times of the steps.
    pub steps: Vec<Field>,
    /// The output column with the duration of the sequence.
    pub duration: Field,
}

/// The rows that satisfy the condition of a step at one time: the first of them, and whether there are more.
#[derive(Clone, Copy)]
struct RowsAtTime {
    first: usize,
    several: bool,
}

/// For each step, the times at which its condition is true, with the rows at that time.
type StepTimes = Vec<BTreeMap<i64, RowsAtTime>>;

impl SequenceDetect {
    fn times(&self, arguments: &Batch) -> (DimensionKeys, Vec<StepTimes>) {
        let steps = self.steps.len();
        let dimensions: Vec<usize> = (1 + steps..arguments.columns().len()).collect();
        let (mut keys, mut times) = (DimensionKeys::default(), Vec::<StepTimes>::new());
        for row in 0..arguments.rows() {
            let Some(time) = arguments.column(0).i64_at(row) else { continue };
            for step in (0..steps).filter(|step| arguments.column(1 + step).bool_at(row) == Some(true)) {
                let number = keys.number(arguments, &dimensions, row);
                if number == times.len() {
                    times.push(vec![BTreeMap::new(); steps]);
                }
                let at = times[number][step].entry(time);
                at.and_modify(|rows| rows.several = true).or_insert(RowsAtTime { first: row, several: false });
            }
        }
        (keys, times)
    }

    /// Appends to `found` all sequences that begin with the steps in `begun`. A sequence is the times of its steps.
    fn follow(&self, times: &StepTimes, begun: &mut Vec<(i64, RowsAtTime)>, found: &mut Vec<Vec<i64>>) -> Result<()> {
        if begun.len() == times.len() {
            if found.len() == MAX_SEQUENCES {
                let message = format!("sequence_detect found more than {MAX_SEQUENCES} sequences; narrow the query");
                return Err(Error::Limit(message));
            }
            found.push(begun.iter().map(|(time, _)| *time).collect());
            return Ok(());
        }
        let (first, last) = match (begun.first(), begun.last()) {
            (Some((first, _)), Some(last)) => (Some(*first), Some(*last)),
            _ => (None, None),
        };
        let from = last.map_or(i64::MIN, |(time, _)| time);
        let to = match (first, last) {
            (Some(first), Some((time, _))) => {
                first.saturating_add(self.span).min(time.saturating_add(self.step_window))
            }
            _ => i64::MAX,
        };
        if from > to {
            return Ok(());
        }
        for (time, rows) in times[begun.len()].range(from..=to) {
            // One row is not two steps.
            let is_same = |(earlier, other): (i64, RowsAtTime)| {
                earlier == *time && other.first == rows.first && !other.several && !rows.several
            };
            if !last.is_some_and(is_same) {
                begun.push((*time, *rows));
                self.follow(times, begun, found)?;
                begun.pop();
            }
        }
        Ok(())
    }
}

impl TableFunction for SequenceDetect {
    fn name(&self) -> &'static str {
        "sequence_detect"
    }

    fn fields(&self) -> Vec<Field> {
        self.dimensions.iter().chain(&self.steps).chain([&self.duration]).cloned().collect()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let (keys, times) = self.times(arguments);
        let (mut numbers, mut sequences) = (Vec::new(), Vec::new());
        for (number, times) in times.iter().enumerate() {
            self.follow(times, &mut Vec::new(), &mut sequences)?;
            numbers.resize(sequences.len(), number);
        }
        let mut columns = keys.columns(&self.dimensions, numbers.iter().copied());
        for (step, field) in self.steps.iter().enumerate() {
            let mut builder = ColumnBuilder::new(field.ty);
            sequences.iter().for_each(|sequence| builder.append_i64(sequence[step]));
            columns.push(builder.finish());
        }
        let mut durations = ColumnBuilder::new(self.duration.ty);
        for sequence in &sequences {
            let (first, last) = (sequence.first().copied(), sequence.last().copied());
            durations.append_i64(last.unwrap_or_default().saturating_sub(first.unwrap_or_default()));
        }
        columns.push(durations.finish());
        Ok(TableOutput::of_columns(columns))
    }
}
