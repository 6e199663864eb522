//! Calls a table function with all rows of its input at once.

use super::Flow;
use super::context::ExecContext;
use super::operator::TableCallInput;
use super::pipeline::ExecPipeline;
use crate::diagnostic::Result;
use crate::plan::TableCall;
use crate::types::{Batch, SharedMemory, Type};

/// Number of copies of the rows that are in memory for a moment, while they are joined into one batch.
const COPIES: usize = 2;

/// Returns the output of `plan.function` for all rows of `input`.
///
/// # Errors
/// Errors of the input and of the function, and [`Error::Limit`](crate::diagnostic::Error::Limit) if the rows do not
/// fit in memory.
pub(super) fn call_with_all_rows(
    input: &ExecPipeline,
    plan: &TableCall,
    context: &ExecContext,
) -> Result<ExecPipeline> {
    let function = TableCallInput::new(plan.clone(), context);
    let (mut batches, mut memory) = (Vec::new(), SharedMemory::default());
    let mut reservation = context.memory.reservation();
    input.run(context, &mut |batch| {
        let columns = function.columns(&batch)?.compacted();
        reservation.grow(COPIES * memory.add(&columns));
        if reservation.exceeds_alone() {
            return Err(context.memory.exceeded(plan.function.name(), reservation.bytes()));
        }
        batches.push(columns);
        Ok(Flow::Continue(()))
    })?;
    context.check_cancelled()?;
    let kept = plan.kept.iter().map(|column| plan.input.schema().field(*column).ty);
    let types: Vec<Type> = plan.arguments.iter().map(|argument| argument.ty).chain(kept).collect();
    let output = function.apply(&Batch::concat(&types, &batches)?)?;
    drop(batches);
    reservation.set(output.bytes());
    if reservation.exceeds_alone() {
        return Err(context.memory.exceeded(plan.function.name(), reservation.bytes()));
    }
    Ok(ExecPipeline::in_memory(&plan.schema, vec![output], context)?.holding(reservation))
}
