//! What must see all rows before the first one comes out.

mod aggregate;
mod join_build;
mod order;
mod sort;

pub use aggregate::aggregate;
pub use join_build::{JoinBuild, JoinTable, join_build};
pub use order::top;
pub use sort::{Sorter, sort};

use super::context::ExecContext;
use super::physical::Pipeline;
use super::pipeline::{self, Flow};
use crate::diagnostic::Result;
use crate::types::Batch;

/// Computes `local` over each partition of `input` and combines the results in the order of the rows. Where rows must
/// pass the caller's thread first there is one part: all of them.
fn fold<S: Send>(
    input: &Pipeline,
    context: &ExecContext,
    new: &(dyn Fn() -> Result<S> + Sync),
    add: &(dyn Fn(&mut S, Batch) -> Result<()> + Sync),
    combine: &mut dyn FnMut(S) -> Result<()>,
) -> Result<()> {
    match input.parallel_partitions() {
        Some(partitions) => {
            let local = |batches: &mut dyn Iterator<Item = Result<Batch>>| {
                let mut state = new()?;
                for batch in batches {
                    add(&mut state, batch?)?;
                }
                Ok(state)
            };
            pipeline::for_each_partition(partitions, context, &local, combine)
        }
        None => {
            let mut state = new()?;
            input.run(context, &mut |batch| add(&mut state, batch).map(|()| Flow::Continue(())))?;
            combine(state)
        }
    }
}
