//! Two-phase aggregation: `arg_max` and other aggregates that choose a row of each group. The first phase reads the
//! columns that decide, and returns the position of the chosen row. The second phase reads the other columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::narrow::{NarrowPlan, without_filters};
use crate::diagnostic::{Result, Span};
use crate::exec::aggregate::{Grouping, aggregate};
use crate::exec::context::ExecContext;
use crate::exec::operator::Project;
use crate::exec::pipeline::ExecPipeline;
use crate::expr::{Expr, visit};
use crate::plan::{AggregateExpr, LogicalPlan};
use crate::types::{Field, Schema, Type, Value};

/// Minimum number of columns that are read late; with fewer, the second phase costs more than it saves.
const MIN_COLUMNS: usize = 4;

/// A column that the second phase reads.
#[derive(Clone, Debug)]
pub struct LateColumn {
    /// The column of positions, counted from the first one, that tells which row the value is from.
    pub source: usize,
    /// The value, over the columns of [`TwoPhaseAggregate::late`].
    pub value: Expr,
}

/// An aggregation of which some columns are read late.
#[derive(Debug)]
pub struct TwoPhaseAggregate {
    /// The input of the first phase.
    pub early: NarrowPlan,
    keys: Vec<Expr>,
    aggregates: Vec<AggregateExpr>,
    /// The columns of the first phase.
    schema: Schema,
    /// The columns of the aggregation over those of the first phase, with nulls for late columns; then the positions.
    layout: Vec<Expr>,
    /// Number of columns of positions.
    pub sources: usize,
    /// For each column of the aggregation, how it is read late; None if the first phase returns it.
    pub columns: Vec<Option<LateColumn>>,
    /// The plan of the rows that the second phase reads.
    pub late: NarrowPlan,
}

/// Returns how many of the arguments decide which row a call chooses, if all others can be read late.
fn deciding(call: &AggregateExpr) -> Option<usize> {
    call.function.deciding_arguments.filter(|deciding| call.arguments.len() > deciding + 1)
}

impl TwoPhaseAggregate {
    /// Returns the two phases of an aggregation; None if they do not apply, or are not worthwhile.
    pub fn of(plan: &LogicalPlan) -> Option<Self> {
        let LogicalPlan::Aggregate { input, keys, aggregates, schema } = plan else { return None };
        let split = |call: &'_ AggregateExpr| deciding(call).unwrap_or(call.arguments.len());
        let early = aggregates.iter().flat_map(|call| &call.arguments[..split(call)]).chain(keys);
        let early: BTreeSet<usize> = early.flat_map(visit::columns).collect();
        let late = || aggregates.iter().flat_map(|call| &call.arguments[split(call)..]);
        let late_columns: BTreeSet<usize> = late().flat_map(visit::columns).collect();
        let is_worthwhile = late_columns.difference(&early).count() >= MIN_COLUMNS;
        if !is_worthwhile || !late().chain(keys).all(Expr::is_repeatable) {
            return None;
        }
        let late = NarrowPlan::of(&without_filters(input), &late_columns)?;
        let early = NarrowPlan::of(input, &early)?;
        let keys = keys.iter().map(|key| early.rewrite(key)).collect::<Vec<_>>();
        let mut phases = Self {
            keys,
            aggregates: Vec::new(),
            schema: Schema::new(Vec::new()),
            layout: Vec::new(),
            sources: 0,
            columns: Vec::new(),
            early,
            late,
        };
        phases.lay_out(aggregates, schema);
        Some(phases)
    }

    /// Divides each of `calls` into the two phases. `schema` has the columns of the aggregation.
    fn lay_out(&mut self, calls: &[AggregateExpr], schema: &Schema) {
        let mut fields = schema.fields()[..self.keys.len()].to_vec();
        let mut positions = Vec::new();
        let early = |index: usize, ty: Type| Expr::column(index, ty, Span::default());
        self.layout = fields.iter().enumerate().map(|(index, field)| early(index, field.ty)).collect();
        self.columns = vec![None; fields.len()];
        for call in calls {
            let kept = deciding(call).unwrap_or(call.fields.len());
            let mut arguments: Vec<Expr> = call.arguments.iter().map(|argument| self.early.rewrite(argument)).collect();
            for field in &call.fields[..kept] {
                self.layout.push(early(fields.len(), field.ty));
                self.columns.push(None);
                fields.push(field.clone());
            }
            let mut call_fields = call.fields[..kept].to_vec();
            if kept < call.fields.len() {
                for (field, argument) in call.fields[kept..].iter().zip(&call.arguments[kept..]) {
                    self.layout.push(Expr::literal(Value::null(field.ty), Span::default()));
                    self.columns.push(Some(LateColumn { source: positions.len(), value: self.late.rewrite(argument) }));
                }
                arguments.truncate(kept);
                arguments.push(self.early.position());
                positions.push(early(fields.len(), Type::Long));
                call_fields.push(Field::new("", Type::Long));
                fields.push(Field::new("", Type::Long));
            }
            self.aggregates.push(AggregateExpr { arguments, fields: call_fields, ..call.clone() });
        }
        self.sources = positions.len();
        self.layout.extend(positions);
        self.schema = Schema::new(fields);
    }

    /// Returns the columns of the aggregation, with nulls for late columns, and then the positions. `input` is the
    /// pipeline of [`Self::early`]. Groups for which `residual`, which reads no late columns, is not true may be left
    /// out.
    pub fn first_phase(
        &self,
        input: &ExecPipeline,
        residual: Option<&Expr>,
        context: &ExecContext,
    ) -> Result<ExecPipeline> {
        let residual = residual.map(|residual| visit::substitute(residual.clone(), &self.layout));
        let grouping = Grouping { keys: &self.keys, aggregates: &self.aggregates, residual: residual.as_ref() };
        let groups = aggregate(input, &self.schema, grouping, context)?;
        Ok(groups.then(Arc::new(Project::new(self.layout.clone(), context))))
    }
}
