//! Hash joins. The build side is held in memory as a hash table, and the rows of the probe side stream past it. A build
//! side that does not fit in memory is partitioned into temporary files, together with its probe side.

mod build;
mod partitioned;
mod probe;

use std::sync::Arc;

pub(super) use build::BuildSide;
use build::{BuildSpec, InputColumn, build_table};
use partitioned::partitioned_join;
use probe::{JoinedColumn, ProbeJoin};

use super::context::ExecContext;
use super::pipeline::ExecPipeline;
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::plan::{Join, JoinColumn, JoinKind};
use crate::types::Field;

/// Reads the whole build side of `join`.
pub(super) fn build_side(input: &ExecPipeline, join: &Join, context: &ExecContext) -> Result<BuildSide> {
    let keys: Vec<Expr> = join.side_keys(join.build).cloned().collect();
    let columns = build_columns(join);
    build_table(input, &build_spec(join, &keys, &columns), context)
}

/// Returns the rows of `join`, given its build side and the pipeline of its probe side. Pairs for which `residual` is
/// not true may be left out: a filter above tests that condition again.
pub(super) fn join(
    join: &Join,
    build_side: BuildSide,
    probe_input: ExecPipeline,
    residual: Option<&Expr>,
    context: &ExecContext,
) -> Result<ExecPipeline> {
    let (table, mut reservation) = match build_side {
        BuildSide::InMemory(table, reservation) => (table, reservation),
        BuildSide::Partitioned(rows) => return partitioned_join(join, rows, &probe_input, residual, context),
    };
    let columns = build_columns(join);
    let column = |(output, field): (&JoinColumn, &Field)| match output.side == join.build {
        true => JoinedColumn::Build(position_of(&columns, output.column)),
        false => JoinedColumn::Probe(InputColumn { index: output.column, ty: field.ty }),
    };
    let output = join.output.iter().zip(join.schema.fields()).map(column).collect();
    let keys = join.side_keys(join.build.other()).cloned().collect();
    let probe = Arc::new(ProbeJoin::new(join, table, keys, output, context));
    reservation.grow(probe.window_bytes());
    let pipeline = probe_input.then(Arc::clone(&probe) as _).holding(reservation);
    Ok(if probe.has_unmatched_rows() { pipeline.then_flush(probe) } else { pipeline })
}

/// Returns the columns of the build side that are in the output.
fn build_columns(join: &Join) -> Vec<InputColumn> {
    let schema = join.input(join.build).schema();
    let outputs = join.output.iter().filter(|output| output.side == join.build);
    let column = |output: &JoinColumn| InputColumn { index: output.column, ty: schema.field(output.column).ty };
    let mut columns: Vec<InputColumn> = outputs.map(column).collect();
    columns.dedup();
    columns
}

/// Returns the position, among the columns that are kept, of the column at `index` of the build side.
fn position_of(columns: &[InputColumn], index: usize) -> usize {
    columns.iter().position(|column| column.index == index).unwrap_or_default()
}

/// Returns what to keep of the build side. Semi and anti joins need no columns, only the keys.
fn build_spec<'a>(join: &Join, keys: &'a [Expr], columns: &'a [InputColumn]) -> BuildSpec<'a> {
    BuildSpec {
        keys,
        columns: join.kind.only().is_none().then_some(columns),
        unique: join.kind == JoinKind::InnerUnique,
    }
}
