//! The results of a query text: one for each query in it, but several for a query that ends in `fork` or `facet`.
//!
//! Source: the reference's pages on batches, fork and facet, and the analyzer for the operators inside `fork`.

use super::naming::Names;
use super::{Bind, Binder, Failed, Render};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, OperatorKind, SourceKind};

/// The name of the result of a query that gives it no name, as in responses of the service.
const PRIMARY: &str = "PrimaryResult";

/// The name of the result of a branch that has no name.
const GENERIC: &str = "GenericResult";

/// A result of a query text.
#[derive(Debug)]
pub struct BoundResult {
    /// The name of the result, which no other result of the text has.
    pub name: String,
    /// The plan that computes the result.
    pub plan: LogicalPlan,
    /// The `render` operator; None if the query has none.
    pub render: Option<Render>,
}

/// Collects results under unique names.
#[derive(Default)]
pub(super) struct Results {
    names: Names,
    pub bound: Vec<BoundResult>,
}

impl Results {
    fn add(&mut self, name: &str, plan: LogicalPlan, render: Option<Render>) {
        self.bound.push(BoundResult { name: self.names.unique(name), plan, render });
    }
}

impl Binder<'_> {
    /// Binds a query and adds its results.
    pub(super) fn query_results(&mut self, pipeline: &ast::Pipeline, results: &mut Results) -> Bind<()> {
        match pipeline.operators.split_last() {
            Some((ast::Operator { kind: OperatorKind::Fork(branches), .. }, before)) => {
                self.fork(pipeline, before, branches, results)
            }
            Some((ast::Operator { kind: OperatorKind::Facet { columns, with }, .. }, before)) => {
                self.facet(pipeline, before, columns, with.as_deref(), results)
            }
            _ => {
                let plan = self.pipeline(pipeline)?;
                let render = self.render.take();
                results.add(given_name(&pipeline.operators).unwrap_or(PRIMARY), self.limited(plan), render);
                Ok(())
            }
        }
    }

    /// Returns the rows that all branches read. Rows that would differ each time they are computed are computed now.
    fn shared_rows(&mut self, pipeline: &ast::Pipeline, operators: &[ast::Operator]) -> Bind<LogicalPlan> {
        let plan = self.rows_of(&pipeline.source, operators, pipeline.span)?;
        let name = match &pipeline.source.kind {
            SourceKind::Name(name) => name.text.as_str(),
            _ => "shared",
        };
        self.repeatable(plan, name)
    }

    fn fork(
        &mut self,
        pipeline: &ast::Pipeline,
        before: &[ast::Operator],
        branches: &[ast::ForkBranch],
        results: &mut Results,
    ) -> Bind<()> {
        let input = self.shared_rows(pipeline, before)?;
        self.all(branches, |binder, branch| {
            binder.check_branch(&branch.operators)?;
            binder.reuse_table(&input, pipeline.span)?;
            let plan = binder.operators(input.clone(), None, &branch.operators)?;
            let name = branch.name.as_ref().map(|name| name.text.as_str());
            let plan = binder.limited(plan);
            results.add(name.or_else(|| given_name(&branch.operators)).unwrap_or(GENERIC), plan, None);
            Ok(())
        })
        .map(|_| ())
    }

    /// Reports operators that `fork` does not allow, as Kusto does.
    fn check_branch(&mut self, operators: &[ast::Operator]) -> Bind<()> {
        use OperatorKind as K;
        self.all(operators, |binder, operator| match &operator.kind {
            K::Consume(_)
            | K::Evaluate(_)
            | K::Facet { .. }
            | K::Fork(_)
            | K::Getschema
            | K::Join { .. }
            | K::Lookup { .. }
            | K::MakeSeries(_)
            | K::MvApply { .. }
            | K::Partition { .. }
            | K::Render { .. }
            | K::Search { .. }
            | K::Serialize(_)
            | K::Union { .. } => {
                let message = "this operator is not allowed inside `fork`";
                binder.error(Code::NotAllowedHere, operator.keyword, message)
            }
            _ => Ok(()),
        })
        .map(|_| ())
    }

    fn facet(
        &mut self,
        pipeline: &ast::Pipeline,
        before: &[ast::Operator],
        columns: &[ast::Name],
        with: Option<&[ast::Operator]>,
        results: &mut Results,
    ) -> Bind<()> {
        let input = self.shared_rows(pipeline, before)?;
        if let Some(operators) = with {
            let plan = self.operators(input.clone(), None, operators)?;
            let render = self.render.take();
            results.add(given_name(operators).unwrap_or(GENERIC), self.limited(plan), render);
        }
        self.all(columns, |binder, column| {
            binder.reuse_table(&input, pipeline.span)?;
            let plan = binder.facet_of(input.clone(), column)?;
            results.add(&column.text, binder.limited(plan), None);
            Ok(())
        })
        .map(|_| ())
    }

    /// Returns the values of a column, each with its number of rows.
    fn facet_of(&mut self, input: LogicalPlan, column: &ast::Name) -> Bind<LogicalPlan> {
        let span = column.span;
        let named = |name: &str| ast::Name { text: name.to_owned(), span };
        let expr = |kind| ast::ParsedExpr { kind, span };
        let count = ast::ParsedExprKind::Call { function: named("count"), arguments: Vec::new() };
        let aggregates =
            vec![ast::Assignment { names: vec![named(&format!("count_{}", column.text))], value: expr(count) }];
        let by = vec![ast::Assignment { names: Vec::new(), value: expr(ast::ParsedExprKind::Name(column.clone())) }];
        if input.schema().index_of(&column.text).is_none() {
            return Err(self.unknown_column(column, &input.schema().clone()));
        }
        let kind = OperatorKind::Summarize { parameters: Vec::new(), aggregates, by: Some(by) };
        self.operators(input, None, &[ast::Operator { kind, keyword: span, span }])
    }

    /// Reports `fork` or `facet` in a position where several results cannot be returned.
    pub(super) fn several_results(&mut self, operator: &ast::Operator) -> Failed {
        let message = "an operator that returns several results is supported only at the end of a query";
        self.report(Diagnostic::new(Code::UnsupportedSyntax, operator.keyword, message))
    }
}

/// Returns the name that an `as` at the end gives to the rows; None if there is none.
fn given_name(operators: &[ast::Operator]) -> Option<&str> {
    match operators.last().map(|last| &last.kind) {
        Some(OperatorKind::As { name, .. }) => Some(&name.text),
        _ => None,
    }
}
