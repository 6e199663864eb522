//! Binds `partition`, which runs a subquery for each value of a column.
//!
//! Source: the reference's page on the partition operator. Its strategies differ only in how a cluster runs the
//! subquery, not in the result, so they are ignored. The rows are returned in the order of the values.

use std::sync::Arc;

use crate::binder::scope::Binding;
use crate::binder::segments::Segments;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::{LogicalPlan, RowColumns, SortKey, Window, WindowCall, WindowFunction, per_row::replace_rows};
use crate::scan::MemoryTable;
use crate::syntax::ast::{self, Parameter, ParsedExprKind, PartitionBody};
use crate::types::{Field, Schema, Type, Value};

/// The strategies in the reference.
const STRATEGIES: [&str; 3] = ["legacy", "native", "shuffle"];

/// Maximum number of values for which a pipeline with its own source runs, as in Kusto.
const MAX_PIPELINES: usize = 64;

impl Binder<'_> {
    pub(super) fn partition(
        &mut self,
        input: LogicalPlan,
        parameters: &[Parameter],
        key: &ast::Name,
        body: &PartitionBody,
        span: Span,
    ) -> Bind<LogicalPlan> {
        self.check_strategy(parameters)?;
        let Some(index) = input.schema().index_of(&key.text) else {
            return Err(self.unknown_column(key, &input.schema().clone()));
        };
        let column = Expr::column(index, input.schema().field(index).ty, key.span);
        self.not_dynamic(&column, "a key of partition")?;
        match body {
            PartitionBody::Operators(operators) => self.partition_rows(input, column, operators, span),
            PartitionBody::Pipeline(pipeline) => self.partition_values(input, column, key, pipeline),
        }
    }

    fn check_strategy(&mut self, parameters: &[Parameter]) -> Bind<()> {
        let strategy = parameters.iter().find(|parameter| parameter.name.text == "hint.strategy");
        let Some(Parameter { value, .. }) = strategy else { return Ok(()) };
        let word = match &value.kind {
            ParsedExprKind::Name(name) => name.text.as_str(),
            ParsedExprKind::Literal(literal) => literal.as_str().unwrap_or_default(),
            _ => "",
        };
        if STRATEGIES.contains(&word) {
            return Ok(());
        }
        let message = "the strategies of partition are `legacy`, `native` and `shuffle`";
        self.error(Code::InvalidValue, value.span, message)
    }

    /// Runs `operators` over the rows of each value of `key`.
    fn partition_rows(
        &mut self,
        input: LogicalPlan,
        key: Expr,
        operators: &[ast::Operator],
        span: Span,
    ) -> Bind<LogicalPlan> {
        let leaf = LogicalPlan::Rows(RowColumns::all(input.schema()));
        // Names that `as` gives to rows of the subquery mean nothing outside.
        let hidden = self.scope.enter(self.scope.here());
        let body = self.nested(span, |binder| binder.operators(leaf.clone(), None, operators));
        self.scope.leave(hidden);
        let body = body?;
        let schema = body.schema().clone();
        let rows = numbered_by(input, key);
        let numbered_leaf = self.segmented(leaf.clone(), &Segments { rows: &leaf })?;
        let body = self.segmented(body, &Segments { rows: &numbered_leaf })?;
        let body = replace_rows(body, &rows)?;
        Ok(body.project(super::project::identity(&schema)))
    }

    /// Runs `pipeline` once for each value of `key`, which is a constant in it.
    fn partition_values(
        &mut self,
        input: LogicalPlan,
        key: Expr,
        name: &ast::Name,
        pipeline: &ast::Pipeline,
    ) -> Bind<LogicalPlan> {
        let ty = key.ty;
        let keys = LogicalPlan::Aggregate {
            input: Box::new(input),
            keys: vec![key],
            aggregates: Vec::new(),
            schema: Schema::new([Field::new(name.text.as_str(), ty)]),
        };
        let first = LogicalPlan::Limit { input: Box::new(keys), count: MAX_PIPELINES + 1 };
        let rows = self.evaluate_at(&first, name.span)?;
        let values: Vec<Value> =
            rows.iter().flat_map(|batch| (0..batch.rows()).map(|row| batch.column(0).value(row))).collect();
        if values.len() > MAX_PIPELINES {
            let message = format!("`{}` has more than {MAX_PIPELINES} values", name.text);
            let diagnostic = Diagnostic::new(Code::InvalidValue, name.span, message);
            return Err(self.report(diagnostic.help("use operators in parentheses instead of a pipeline in braces")));
        }
        let mut inputs = Vec::with_capacity(values.len());
        for value in values {
            inputs.push(self.with_value(name, value, pipeline)?);
        }
        if let Some(first) = inputs.first() {
            let schema = first.schema().clone();
            return Ok(LogicalPlan::Union { inputs, schema });
        }
        // The columns are known even if there is no value.
        let schema = self.with_value(name, Value::null(ty), pipeline)?.schema().clone();
        Ok(LogicalPlan::scan("partition", Arc::new(MemoryTable::new(schema, Vec::new()))))
    }

    fn with_value(&mut self, name: &ast::Name, value: Value, pipeline: &ast::Pipeline) -> Bind<LogicalPlan> {
        let value = Expr::literal(value, name.span);
        let hidden = self.scope.enter(self.scope.here());
        self.scope.shadow(&name.text, Binding::Value(value.clone()), name.span);
        let outer = self.partition_key.replace((name.text.clone(), value));
        let plan = self.pipeline(pipeline);
        self.partition_key = outer;
        self.scope.leave(hidden);
        let plan = plan?;
        self.reuse_table(&plan, name.span)?;
        Ok(plan)
    }
}

/// Returns the rows sorted by `key`, with an additional last column that numbers its values.
fn numbered_by(input: LogicalPlan, key: Expr) -> LogicalPlan {
    let order = SortKey { expr: key.clone(), descending: false, nulls_first: true };
    let sorted = LogicalPlan::Sort { input: Box::new(input), keys: vec![order] };
    let span = key.span;
    let call = WindowCall { function: WindowFunction::RankDense, term: Some(key), restart: None, span };
    debug_assert_eq!(call.ty(), Type::Long);
    LogicalPlan::Window(Window::new(sorted, vec![call], Vec::new()))
}
