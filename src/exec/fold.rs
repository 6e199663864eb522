//! Computes a state over each partition of a pipeline, in parallel, and combines the states in the order of the rows.

use super::context::ExecContext;
use super::operator::halves;
use super::pipeline::ExecPipeline;
use super::scheduler::{self, Flow};
use crate::diagnostic::{Error, Result};
use crate::types::Batch;

/// The state of some consecutive rows of the input.
pub(super) trait PartialState: Send {
    /// Adds the rows of `batch`; if it returns an error, it has added none of them.
    fn push(&mut self, batch: Batch) -> Result<()>;

    /// True if the state should be combined with the earlier ones now, before its partition ends.
    fn is_full(&self) -> bool {
        false
    }
}

/// Adds the rows of `batch` to `state`; in halves, if the result for all of them is too large.
fn push<S: PartialState>(state: &mut S, batch: Batch) -> Result<()> {
    match state.push(batch.clone()) {
        Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
            halves(&batch).into_iter().try_for_each(|half| push(state, half))
        }
        outcome => outcome,
    }
}

/// Computes states over the partitions of `input` and calls `combine` with them in the order of the rows. A partition
/// has one state, or more if states become full. A pipeline with serial stages counts as one partition.
pub(super) fn fold<S: PartialState>(
    input: &ExecPipeline,
    context: &ExecContext,
    new: &(dyn Fn() -> Result<S> + Sync),
    combine: &mut dyn FnMut(S) -> Result<()>,
) -> Result<()> {
    match input.parallel_partitions() {
        Some(partitions) => {
            let local = |batches: &mut dyn Iterator<Item = Result<Batch>>, emit: &mut dyn FnMut(S) -> Flow| {
                let mut state = new()?;
                for batch in batches {
                    push(&mut state, batch?)?;
                    if state.is_full() && emit(std::mem::replace(&mut state, new()?)).is_break() {
                        return Ok(());
                    }
                }
                let _ = emit(state);
                Ok(())
            };
            scheduler::for_each_partition(&partitions, context, &local, combine)
        }
        None => {
            let mut state = new()?;
            input.run(context, &mut |batch| {
                push(&mut state, batch)?;
                if state.is_full() {
                    combine(std::mem::replace(&mut state, new()?))?;
                }
                Ok(Flow::Continue(()))
            })?;
            combine(state)
        }
    }
}
