//! A join whose build side does not fit in memory (a Grace hash join). The rows of both sides are partitioned by the
//! hash of their keys into temporary files, and the partitions are joined one after the other. A partition that is
//! still too large is partitioned again by another hash.
//!
//! Each row carries its position, so that the rows are returned in the same order as by a join in memory.

use std::sync::Arc;

use super::build::{BuildState, InputColumn};
use super::probe::{JoinedColumn, ProbeJoin};
use super::{build_columns, build_spec, position_of};
use crate::diagnostic::{Result, Span};
use crate::exec::context::ExecContext;
use crate::exec::fold::PartialState;
use crate::exec::operator::{Filter, RowOperator};
use crate::exec::pipeline::ExecPipeline;
use crate::exec::scheduler::Flow;
use crate::exec::sort::Sorter;
use crate::exec::spill::SpillFile;
use crate::exec::spill::partition::{MAX_PASSES, PartitionedRows, append_positions};
use crate::expr::{Expr, evaluate};
use crate::plan::{Join, SortKey};
use crate::types::{Batch, Type};

/// Returns the rows of `join`, given the partitioned rows of its build side and the pipeline of its probe side. Pairs
/// for which `residual`, a condition that a filter above tests again, is not true are left out before the rows are
/// sorted: few pairs often meet it, and sorting takes most of the time.
pub fn partitioned_join(
    join: &Join,
    build: PartitionedRows,
    probe_input: &ExecPipeline,
    residual: Option<&Expr>,
    context: &ExecContext,
) -> Result<ExecPipeline> {
    let layout = FileLayout::new(join, &build_columns(join));
    let probe = layout.partition_probe_side(join, probe_input, context)?;
    let by_position = layout.position_keys(join);
    let types: Vec<Type> = join.schema.fields().iter().map(|field| field.ty).collect();
    let types = [types, vec![Type::Long; by_position.len()]].concat();
    let mut sorter = Sorter::new(&types, &by_position, context).hiding(by_position.len());
    let residual = residual.map(|predicate| Filter::new(predicate.clone(), context));
    let mut work = PartitionedJoin { join, layout: &layout, context, residual, sorter: &mut sorter };
    let partitions = build.finish()?.into_iter().zip(probe.finish()?);
    partitions.into_iter().try_for_each(|(build, probe)| work.join(&JoinPartition { build, probe, passes: 1 }))?;
    sorter.finish()
}

/// The columns of the rows in temporary files: the keys, then the columns that the output needs, then the position of
/// the row.
struct FileLayout {
    keys: Vec<Type>,
    /// The types of the columns of the build side.
    build: Vec<Type>,
    /// The columns of the probe side, as positions in its input.
    probe: Vec<InputColumn>,
    /// The output columns, then the positions of the rows of both sides.
    output: Vec<JoinedColumn>,
}

impl FileLayout {
    fn new(join: &Join, build: &[InputColumn]) -> Self {
        let keys: Vec<Type> = join.keys.iter().map(|key| key.left.ty).collect();
        let (mut probe, mut output) = (Vec::new(), Vec::new());
        for (column, field) in join.output.iter().zip(join.schema.fields()) {
            if column.side == join.build {
                output.push(JoinedColumn::Build(position_of(build, column.column)));
            } else {
                output.push(JoinedColumn::Probe(InputColumn { index: keys.len() + probe.len(), ty: field.ty }));
                probe.push(InputColumn { index: column.column, ty: field.ty });
            }
        }
        output.push(JoinedColumn::Probe(InputColumn { index: keys.len() + probe.len(), ty: Type::Long }));
        if join.kind.only().is_none() {
            output.push(JoinedColumn::Build(build.len()));
        }
        Self { keys, build: build.iter().map(|column| column.ty).collect(), probe, output }
    }

    /// Returns the sort keys of the output: by probe row (rows without one last), then by build row.
    fn position_keys(&self, join: &Join) -> Vec<SortKey> {
        let key = |column| SortKey {
            expr: Expr::column(column, Type::Long, Span::default()),
            descending: false,
            nulls_first: false,
        };
        (join.schema.len()..self.output.len()).map(key).collect()
    }

    fn build_types(&self) -> Vec<Type> {
        [self.keys.as_slice(), &self.build, &[Type::Long]].concat()
    }

    fn probe_types(&self) -> Vec<Type> {
        let columns = self.probe.iter().map(|column| column.ty);
        self.keys.iter().copied().chain(columns).chain([Type::Long]).collect()
    }

    fn partition_probe_side(
        &self,
        join: &Join,
        input: &ExecPipeline,
        context: &ExecContext,
    ) -> Result<PartitionedRows> {
        let keys: Vec<&Expr> = join.side_keys(join.build.other()).collect();
        let mut rows = PartitionedRows::new(self.probe_types(), self.keys.len(), 0, context);
        let mut next_position = 0;
        input.run(context, &mut |batch| {
            let keys = keys.iter().map(|key| evaluate(key, &batch, &context.eval));
            let columns = self.probe.iter().map(|column| Ok(batch.column(column.index).clone()));
            let columns = keys.chain(columns).collect::<Result<_>>()?;
            rows.push(&append_positions(&Batch::new(columns, batch.rows()), &mut next_position))?;
            Ok(Flow::Continue(()))
        })?;
        Ok(rows)
    }

    fn key_columns(&self) -> Vec<Expr> {
        self.keys.iter().enumerate().map(|(index, ty)| Expr::column(index, *ty, Span::default())).collect()
    }
}

/// One partition of both sides, as files; a side is None if it has no rows.
struct JoinPartition {
    build: Option<Arc<SpillFile>>,
    probe: Option<Arc<SpillFile>>,
    /// The number of times that the rows of the partition have been partitioned.
    passes: u32,
}

struct PartitionedJoin<'a, 'b> {
    join: &'a Join,
    layout: &'a FileLayout,
    context: &'a ExecContext,
    residual: Option<Filter>,
    sorter: &'a mut Sorter<'b>,
}

impl PartitionedJoin<'_, '_> {
    fn join(&mut self, partition: &JoinPartition) -> Result<()> {
        let (keys, context) = (self.layout.key_columns(), self.context);
        let types = self.layout.build.iter().copied().chain([Type::Long]);
        let columns: Vec<InputColumn> =
            (keys.len()..).zip(types).map(|(index, ty)| InputColumn { index, ty }).collect();
        let spec = build_spec(self.join, &keys, &columns);
        let mut table = BuildState::new(&spec, context);
        for batch in rows_of(partition.build.as_ref())? {
            context.check_cancelled()?;
            table.push(batch?)?;
            if table.should_spill() && table.keys() > 1 && partition.passes < MAX_PASSES {
                drop(table);
                return self.partition_again(partition);
            }
            table.check_size()?;
        }
        let (table, _reservation) = table.finish()?;
        let probe = ProbeJoin::new(self.join, table, keys, self.layout.output.clone(), context);
        for batch in rows_of(partition.probe.as_ref())? {
            context.check_cancelled()?;
            probe.stream(batch?).try_for_each(|rows| self.push(rows?))?;
        }
        probe.flush().try_for_each(|rows| self.push(rows?))
    }

    fn push(&mut self, rows: Batch) -> Result<()> {
        match &self.residual {
            Some(residual) => residual.process(rows)?.into_iter().try_for_each(|rows| self.sorter.push(rows)),
            None => self.sorter.push(rows),
        }
    }

    fn partition_again(&mut self, partition: &JoinPartition) -> Result<()> {
        let JoinPartition { build, probe, passes } = partition;
        let partitioned = |rows: &Option<Arc<SpillFile>>, types| {
            let mut partitioned = PartitionedRows::new(types, self.layout.keys.len(), *passes, self.context);
            rows_of(rows.as_ref())?.try_for_each(|batch| partitioned.push(&batch?))?;
            partitioned.finish()
        };
        let build = partitioned(build, self.layout.build_types())?;
        let probe = partitioned(probe, self.layout.probe_types())?;
        let mut partitions = build.into_iter().zip(probe);
        partitions.try_for_each(|(build, probe)| self.join(&JoinPartition { build, probe, passes: passes + 1 }))
    }
}

/// Returns the rows of a file; no rows if there is no file.
fn rows_of(file: Option<&Arc<SpillFile>>) -> Result<impl Iterator<Item = Result<Batch>> + use<>> {
    Ok(file.map(SpillFile::read).transpose()?.into_iter().flatten())
}
