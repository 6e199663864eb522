//! A join whose held side does not fit the memory: the rows of both sides are divided by the hash of their keys among
//! temporary files, and the parts are joined one after the other. A part that is still too large is divided again.
//!
//! Each row carries its position, so that the rows come out in the order in which one join in memory gives them.

use std::sync::Arc;

use super::Part;
use super::join_build::{Held, JoinBuild};
use super::sort::Sorter;
use crate::diagnostic::{Result, Span};
use crate::exec::context::ExecContext;
use crate::exec::operator::{Filter, JoinedColumn, Operator, ProbeJoin};
use crate::exec::physical::Pipeline;
use crate::exec::pipeline::Flow;
use crate::exec::spill::SpillFile;
use crate::exec::spill::partition::{DividedRows, MOST_DIVISIONS, numbered};
use crate::expr::{Expr, evaluate};
use crate::plan::{Join, JoinKind, SortKey};
use crate::types::{Batch, Type};

/// A part of the rows of one side; None where there are none.
type Rows = Option<Arc<SpillFile>>;

/// The rows of `plan`. `held` are the rows of its held side: their keys, the columns that are named with them, their
/// position. `input` is the other side. Rows for which `wanted`, a condition that is tested above, is not true may be left
/// out: most pairs of a join on few keys are, and putting them in order is what takes the time.
pub fn divided_join(
    plan: &Join,
    (columns, held): (&[(usize, Type)], DividedRows),
    input: &Pipeline,
    wanted: Option<&Expr>,
    context: &ExecContext,
) -> Result<Pipeline> {
    let layout = Layout::new(plan, columns);
    let streamed = layout.divide_streamed(plan, input, context)?;
    let by_position = layout.by_position(plan);
    let types: Vec<Type> = plan.schema.fields().iter().map(|field| field.ty).collect();
    let types = [types, vec![Type::Long; by_position.len()]].concat();
    let mut sorter = Sorter::new(&types, &by_position, context).hiding(by_position.len());
    let wanted = wanted.map(|predicate| Filter::new(predicate.clone(), context));
    let mut work = Work { plan, layout: &layout, context, wanted, sorter: &mut sorter };
    let parts = held.finish(context)?.into_iter().zip(streamed.finish(context)?);
    parts.into_iter().try_for_each(|(held, streamed)| work.join(held, streamed, 1))?;
    sorter.finish()
}

/// Where what is in the files: the keys, then the columns that come out, then the position of the row.
struct Layout {
    keys: Vec<Type>,
    held: Vec<Type>,
    /// The columns of the side that streams, and their types.
    streamed: Vec<(usize, Type)>,
    /// What comes out, and the positions behind it.
    output: Vec<JoinedColumn>,
}

impl Layout {
    fn new(plan: &Join, held: &[(usize, Type)]) -> Self {
        let keys: Vec<Type> = plan.keys.iter().map(|key| key.left.ty).collect();
        let (mut streamed, mut output) = (Vec::new(), Vec::new());
        for (column, field) in plan.output.iter().zip(plan.schema.fields()) {
            if column.side == plan.build {
                let place = held.iter().position(|(index, _)| *index == column.column);
                output.push(JoinedColumn::Held(place.unwrap_or_default()));
            } else {
                output.push(JoinedColumn::Streamed(keys.len() + streamed.len(), field.ty));
                streamed.push((column.column, field.ty));
            }
        }
        output.push(JoinedColumn::Streamed(keys.len() + streamed.len(), Type::Long));
        if plan.kind.only().is_none() {
            output.push(JoinedColumn::Held(held.len()));
        }
        Self { keys, held: held.iter().map(|(_, ty)| *ty).collect(), streamed, output }
    }

    /// What the rows come out in the order of: first by the position of the row that streams past, those without one
    /// last, then by that of the held one.
    fn by_position(&self, plan: &Join) -> Vec<SortKey> {
        let width = plan.schema.len();
        let key = |column| SortKey {
            expr: Expr::column(column, Type::Long, Span::default()),
            descending: false,
            nulls_first: false,
        };
        (width..self.output.len()).map(key).collect()
    }

    fn divide_streamed(&self, plan: &Join, input: &Pipeline, context: &ExecContext) -> Result<DividedRows> {
        let keys: Vec<&Expr> = plan.side_keys(plan.build.other()).collect();
        let columns = self.streamed.iter().map(|(_, ty)| *ty);
        let types = self.keys.iter().copied().chain(columns).chain([Type::Long]).collect();
        let mut rows = DividedRows::new(types, self.keys.len(), 0);
        let mut next = 0;
        input.run(context, &mut |batch| {
            let keys = keys.iter().map(|key| evaluate(key, &batch, &context.eval));
            let columns = self.streamed.iter().map(|(column, _)| Ok(batch.column(*column).clone()));
            let columns = keys.chain(columns).collect::<Result<_>>()?;
            rows.push(&numbered(&Batch::new(columns, batch.rows()), &mut next), context)?;
            Ok(Flow::Continue(()))
        })?;
        Ok(rows)
    }

    fn key_columns(&self) -> Vec<Expr> {
        self.keys.iter().enumerate().map(|(index, ty)| Expr::column(index, *ty, Span::default())).collect()
    }
}

struct Work<'a, 'b> {
    plan: &'a Join,
    layout: &'a Layout,
    context: &'a ExecContext,
    wanted: Option<Filter>,
    sorter: &'a mut Sorter<'b>,
}

impl Work<'_, '_> {
    /// Joins a part, which came about by so many divisions.
    fn join(&mut self, held: Rows, streamed: Rows, divisions: u32) -> Result<()> {
        let (keys, context) = (self.layout.key_columns(), self.context);
        let positioned = self.layout.held.iter().copied().chain([Type::Long]);
        let columns: Vec<(usize, Type)> = (keys.len()..).zip(positioned).collect();
        let build = JoinBuild {
            keys: &keys,
            columns: self.plan.kind.only().is_none().then_some(columns.as_slice()),
            unique: self.plan.kind == JoinKind::InnerUnique,
        };
        let mut table = Held::new(&build, context);
        for batch in held.iter().map(SpillFile::read).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            context.check_cancelled()?;
            table.push(batch?)?;
            if table.is_too_much() && table.keys() > 1 && divisions < MOST_DIVISIONS {
                drop(table);
                return self.divide(held, streamed, divisions);
            }
            table.check_size()?;
        }
        let (table, _reservation) = table.finish()?;
        let probe = ProbeJoin::new(self.plan, table, keys, self.layout.output.clone(), context);
        for batch in streamed.iter().map(SpillFile::read).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            context.check_cancelled()?;
            probe.stream(batch?).try_for_each(|rows| self.push(rows?))?;
        }
        probe.rest().try_for_each(|rows| self.push(rows?))
    }

    fn push(&mut self, rows: Batch) -> Result<()> {
        match &self.wanted {
            Some(wanted) => wanted.process(rows)?.into_iter().try_for_each(|rows| self.sorter.push(rows)),
            None => self.sorter.push(rows),
        }
    }

    fn divide(&mut self, held: Rows, streamed: Rows, divisions: u32) -> Result<()> {
        let Layout { keys, held: columns, .. } = self.layout;
        let held_types = [keys.as_slice(), columns, &[Type::Long]].concat();
        let columns: Vec<Type> = self.layout.streamed.iter().map(|(_, ty)| *ty).collect();
        let streamed_types = [keys.as_slice(), &columns, &[Type::Long]].concat();
        let divided = |rows: Rows, types| -> Result<Vec<Rows>> {
            let mut divided = DividedRows::new(types, keys.len(), divisions);
            for batch in rows.iter().map(SpillFile::read).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
                divided.push(&batch?, self.context)?;
            }
            divided.finish(self.context)
        };
        let parts = divided(held, held_types)?.into_iter().zip(divided(streamed, streamed_types)?);
        parts.into_iter().try_for_each(|(held, streamed)| self.join(held, streamed, divisions + 1))
    }
}
