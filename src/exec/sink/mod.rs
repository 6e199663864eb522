//! What must see all rows before the first one comes out.

mod aggregate;
mod divided_groups;
mod divided_join;
mod join_build;
mod order;
mod sort;
mod top_of_columns;

pub use aggregate::{Grouping, aggregate};
pub use divided_join::divided_join;
pub use join_build::{JoinBuild, JoinSide, JoinTable, join_build};
pub use order::{FirstRows, top};
pub use sort::{Sorter, sort};
pub use top_of_columns::top_of_columns;

use super::context::ExecContext;
use super::physical::Pipeline;
use super::pipeline::{self, Flow};
use crate::diagnostic::{Error, Result};
use crate::exec::operator::halves;
use crate::types::Batch;

/// What is computed over a part of the input.
trait Part: Send {
    /// Takes in rows; nothing of them where this fails.
    fn push(&mut self, batch: Batch) -> Result<()>;

    /// True where the part should be combined with those before it now, and the next row begin another one.
    fn is_full(&self) -> bool {
        false
    }
}

/// Lets a part take in rows, half of them at a time where what is computed of all of them is too large.
fn push<S: Part>(part: &mut S, batch: Batch) -> Result<()> {
    match part.push(batch.clone()) {
        Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
            halves(&batch).into_iter().try_for_each(|half| push(part, half))
        }
        outcome => outcome,
    }
}

/// Computes parts over each partition of `input` and combines them in the order of the rows. A part is a partition,
/// unless it gets full before; where rows must pass the caller's thread first, it is all of them.
fn fold<S: Part>(
    input: &Pipeline,
    context: &ExecContext,
    new: &(dyn Fn() -> Result<S> + Sync),
    combine: &mut dyn FnMut(S) -> Result<()>,
) -> Result<()> {
    match input.parallel_partitions() {
        Some(partitions) => {
            let local = |batches: &mut dyn Iterator<Item = Result<Batch>>, emit: &mut dyn FnMut(S) -> Flow| {
                let mut part = new()?;
                for batch in batches {
                    push(&mut part, batch?)?;
                    if part.is_full() && emit(std::mem::replace(&mut part, new()?)).is_break() {
                        return Ok(());
                    }
                }
                let _ = emit(part);
                Ok(())
            };
            pipeline::for_each_partition(&partitions, context, &local, combine)
        }
        None => {
            let mut part = new()?;
            input.run(context, &mut |batch| {
                push(&mut part, batch)?;
                if part.is_full() {
                    combine(std::mem::replace(&mut part, new()?))?;
                }
                Ok(Flow::Continue(()))
            })?;
            combine(part)
        }
    }
}
