//! Binds tabular operators, with one method for each operator.

mod as_name;
mod by_names;
mod columns;
mod consume;
mod find;
mod getschema;
mod invoke;
mod join;
mod make_series;
mod mv_apply;
mod mv_expand;
mod order;
mod parse;
mod parse_kv;
mod parse_output;
mod partition;
pub(super) mod project;
mod reduce;
mod sample;
mod scan;
mod search;
mod summarize;
mod top_hitters;
mod top_nested;
mod union;

use mv_apply::MvApply;
pub(super) use scan::StepColumns;
pub(super) use search::{Searching, TABLE_COLUMN};
use union::Branch;

use super::{Bind, Binder, Failed, Render, window};
use crate::diagnostic::{Code, Diagnostic, Error};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, OperatorKind};
use crate::types::{Schema, Type};

/// The valid charts of `render`. Source: the parser of the KQL language service.
const CHARTS: &[&str] = &[
    "3Dchart",
    "anomalychart",
    "areachart",
    "barchart",
    "card",
    "columnchart",
    "graph",
    "ladderchart",
    "linechart",
    "list",
    "piechart",
    "pivotchart",
    "plotly",
    "sankey",
    "scatterchart",
    "stackedareachart",
    "table",
    "timechart",
    "timeline",
    "timepivot",
    "treemap",
];

impl Binder<'_> {
    /// Applies `operators` to `input`, a source that is called `name`.
    pub(super) fn operators(
        &mut self,
        input: LogicalPlan,
        name: Option<&ast::Name>,
        operators: &[ast::Operator],
    ) -> Bind<LogicalPlan> {
        let mut plan = input;
        let mut failed = false;
        for (position, operator) in operators.iter().enumerate() {
            self.inputs.push(plan.clone());
            let label = self.label(name, &operators[..position]);
            let bound = self.tabular(plan, operator, label);
            let before = self.inputs.pop().ok_or_else(|| Error::internal("an operator has one input"))?;
            plan = match bound {
                Ok(plan) => plan,
                // If an operator that keeps the columns fails, binding goes on without it to find more errors.
                Err(Failed::Reported) if keeps_columns(&operator.kind) => {
                    failed = true;
                    before
                }
                Err(other) => return Err(other),
            };
        }
        if failed { Err(Failed::Reported) } else { Ok(plan) }
    }

    /// Returns the name of the rows that these operators return.
    fn label<'n>(&self, source: Option<&'n ast::Name>, operators: &'n [ast::Operator]) -> InputLabel<'n> {
        let named = |operator: &'n ast::Operator| match &operator.kind {
            OperatorKind::As { name, .. } => Some(name.text.as_str()),
            _ => None,
        };
        let any = match operators.iter().rev().find(|operator| !keeps_columns(&operator.kind)) {
            Some(operator) => named(operator),
            None => source.map(|name| name.text.as_str()),
        };
        let given = match operators.last() {
            Some(operator) => named(operator).map(str::to_owned),
            None => source.and_then(|name| self.label_of_name(name)),
        };
        InputLabel { given, any }
    }

    fn tabular(&mut self, input: LogicalPlan, operator: &ast::Operator, label: InputLabel<'_>) -> Bind<LogicalPlan> {
        match &operator.kind {
            OperatorKind::Invoke { function, arguments } => self.invoke(input, function, arguments, operator.span),
            OperatorKind::Where(predicate) => self.filter(input, predicate),
            OperatorKind::Project(items) => self.project(input, items),
            OperatorKind::ProjectAway(patterns) => self.project_away(input, patterns),
            OperatorKind::ProjectByNames(names) => self.project_by_names(input, names),
            OperatorKind::ProjectKeep(patterns) => self.project_keep(input, patterns),
            OperatorKind::ProjectRename(items) => self.project_rename(input, items),
            OperatorKind::ProjectReorder(items) => self.project_reorder(input, items),
            OperatorKind::Evaluate(call) => self.evaluate_plugin(Some(input), call, operator.span),
            OperatorKind::Extend(items) => self.extend(input, items),
            OperatorKind::Serialize(items) => self.extend(window::ordered(input), items),
            OperatorKind::Summarize { parameters, aggregates, by } => {
                self.hints(parameters)?;
                self.summarize(input, aggregates, by.as_deref())
            }
            OperatorKind::Consume(parameters) => self.consume(input, parameters, operator.span),
            OperatorKind::Count(name) => self.count(input, name.as_ref(), operator.span),
            OperatorKind::Distinct(items) => self.distinct(input, items),
            OperatorKind::Take(count) => self.take(input, count),
            OperatorKind::Sample(count) => self.sample(input, count, operator.keyword),
            OperatorKind::SampleDistinct { count, of } => self.sample_distinct(input, count, of),
            OperatorKind::TopHitters { count, of, by } => {
                self.top_hitters(input, count, of, by.as_ref().ok_or(operator.keyword))
            }
            OperatorKind::TopNested(levels) => self.top_nested(input, levels, operator.keyword),
            OperatorKind::Sort(keys) => self.sort(input, keys),
            OperatorKind::Top { count, by } => self.top(input, count, by),
            OperatorKind::Getschema => Self::getschema(&input),
            OperatorKind::Render { chart, properties } => self.render(input, chart, properties),
            OperatorKind::MvExpand { parameters, items, limit } => {
                self.mv_expand(input, parameters, items, limit.as_ref())
            }
            OperatorKind::Parse { drops_unmatched, parameters, value, pattern } => {
                self.parse(input, *drops_unmatched, parameters, value, pattern)
            }
            OperatorKind::ParseKv { value, keys, properties } => self.parse_kv(input, value, keys, properties),
            OperatorKind::MakeSeries(series) => self.make_series(input, series),
            OperatorKind::Partition { parameters, key, body } => {
                self.partition(input, parameters, key, body, operator.span)
            }
            OperatorKind::MvApply { parameters, items, limit, body } => {
                let limit = limit.as_ref();
                self.mv_apply(input, MvApply { parameters, items, limit, body, span: operator.span })
            }
            OperatorKind::Union { parameters, tables } => {
                let input = Branch { plan: input, label: label.given };
                self.union(Some(input), parameters, tables, operator.span)
            }
            OperatorKind::Join { parameters, right, on } => self.join(input, parameters, right, on),
            OperatorKind::Lookup { parameters, right, on } => self.lookup(input, parameters, right, on),
            OperatorKind::Fork(_) | OperatorKind::Facet { .. } => Err(self.several_results(operator)),
            OperatorKind::As { parameters, name } => self.name_rows(input, parameters, name),
            OperatorKind::Reduce { kind, value, properties } => self.reduce(input, kind.as_ref(), value, properties),
            OperatorKind::Scan(scan) => self.scan(input, scan, operator.keyword),
            OperatorKind::Search { parameters, predicate } => {
                self.search_rows(input, label.any, parameters, predicate, operator.span)
            }
        }
    }

    fn filter(&mut self, input: LogicalPlan, predicate: &ast::ParsedExpr) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let input = self.windowed(input, [predicate])?;
        let predicate = self.expr(predicate, &schema)?;
        match predicate.ty {
            Type::Bool => Ok(without_windows(join::filtered(input, predicate), &schema)),
            ty => {
                let message = format!("the condition must be a bool, not a value of type {ty}");
                let diagnostic = Diagnostic::new(Code::OperandTypes, predicate.span, message);
                let help = "convert it with tobool(...), or compare it with a value";
                Err(self.report(if ty == Type::Dynamic { diagnostic.help(help) } else { diagnostic }))
            }
        }
    }

    /// Checks hints, which have no effect, because they control how a cluster distributes work.
    fn hints(&mut self, parameters: &[ast::Parameter]) -> Bind<()> {
        let is_shuffle = |value: &ast::ParsedExpr| match &value.kind {
            ast::ParsedExprKind::Name(name) => name.text.eq_ignore_ascii_case("shuffle"),
            ast::ParsedExprKind::Literal(crate::types::Value::String(text)) => text.eq_ignore_ascii_case("shuffle"),
            _ => false,
        };
        self.all(parameters, |binder, parameter| match parameter.name.text.as_str() {
            "hint.strategy" if !is_shuffle(&parameter.value) => {
                let message = "the only supported strategy of summarize is `shuffle`";
                binder.error(Code::InvalidValue, parameter.value.span, message)
            }
            name if name.starts_with("hint.") => Ok(()),
            name => {
                let message = format!("the parameter `{name}` is not supported here");
                binder.error(Code::UnsupportedSyntax, parameter.name.span, message)
            }
        })
        .map(|_| ())
    }

    fn render(&mut self, input: LogicalPlan, chart: &ast::Name, properties: &[ast::Parameter]) -> Bind<LogicalPlan> {
        if !CHARTS.contains(&chart.text.as_str()) {
            let diagnostic = Diagnostic::new(Code::InvalidValue, chart.span, format!("unknown chart `{}`", chart.text));
            let help = format!("the charts are {}", CHARTS.join(", "));
            return Err(self.report(diagnostic.suggest(&chart.text, CHARTS.iter().copied()).help(help)));
        }
        let mut bound = Vec::new();
        for property in properties {
            let value = match &property.value.kind {
                ast::ParsedExprKind::Name(name) => crate::types::Value::string(name.text.as_str()),
                _ => self.constant(&property.value)?,
            };
            bound.push((property.name.text.clone(), value));
        }
        self.render = Some(Render { chart: chart.text.clone(), properties: bound });
        Ok(input)
    }
}

/// Drops the columns of window functions, which come after those of `schema`.
fn without_windows(plan: LogicalPlan, schema: &Schema) -> LogicalPlan {
    if plan.schema().len() == schema.len() { plan } else { plan.project(project::identity(schema)) }
}

/// The name of the input of an operator.
struct InputLabel<'n> {
    /// The name that an `as` directly before gives, or the name of a source table if there are no operators.
    given: Option<String>,
    /// Like `given`, but operators that keep the columns, such as `where`, may follow the `as` or the source table.
    any: Option<&'n str>,
}

fn keeps_columns(kind: &OperatorKind) -> bool {
    use OperatorKind as K;
    matches!(kind, K::Where(_) | K::Take(_) | K::Sort(_) | K::Top { .. } | K::Render { .. })
}
