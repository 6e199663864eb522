//! Binds `summarize`, `distinct` and `count`.

use super::project::ColumnLabel;
use crate::binder::expr::{Aggregates, ExprContext};
use crate::binder::naming::{CallNames, Names, name_of, spelled};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions;
use crate::plan::{AggregateExpr, LogicalPlan};
use crate::syntax::ast::{self, Assignment};
use crate::types::{Field, Schema, Type};

impl Binder<'_> {
    pub(super) fn count(&mut self, input: LogicalPlan, name: Option<&ast::Name>, span: Span) -> Bind<LogicalPlan> {
        let Some(function) = functions::aggregate_function("count") else {
            return self.error(Code::UnsupportedOperator, span, "`count` is not supported here");
        };
        let fields = vec![Field::new(name.map_or("Count", |name| name.text.as_str()), Type::Long)];
        let aggregate = AggregateExpr { function, arguments: Vec::new(), fields: fields.clone(), span };
        Ok(LogicalPlan::Aggregate {
            input: Box::new(input),
            keys: Vec::new(),
            aggregates: vec![aggregate],
            schema: Schema::new(fields),
        })
    }

    pub(super) fn distinct(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        if let [Assignment { value: ast::ParsedExpr { kind: ast::ParsedExprKind::Star, span }, .. }] = items {
            let all = schema.fields().iter().enumerate();
            let keys: Vec<Expr> = all.map(|(index, field)| Expr::column(index, field.ty, *span)).collect();
            self.all(&keys, |binder, key| binder.not_dynamic(key, "told apart"))?;
            return Ok(LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates: Vec::new(), schema });
        }
        let input = self.windowed(input, items.iter().map(|item| &item.value))?;
        self.spelled_once(items.iter().flat_map(spelled))?;
        let mut names = Names::default().past_written(items).past_input(&schema);
        // Measured on the engine: gettype names its column everywhere but in distinct.
        let key_name =
            |expr: &ast::ParsedExpr, calls: &CallNames| if names_by_type(expr) { None } else { name_of(expr, calls) };
        let GroupKeys { values: keys, fields } = self.keys(items, &schema, &mut names, key_name)?;
        let schema = Schema::new(fields);
        Ok(LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates: Vec::new(), schema })
    }

    pub(super) fn summarize(
        &mut self,
        input: LogicalPlan,
        items: &[Assignment],
        by: Option<&[Assignment]>,
    ) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let written = || items.iter().chain(by.unwrap_or_default());
        let input = self.windowed(input, written().map(|item| &item.value))?;
        let keys_spelled = by.unwrap_or_default().iter().flat_map(spelled);
        self.spelled_once(items.iter().flat_map(|item| &item.names).chain(keys_spelled))?;
        let mut names = Names::default().past_written(written()).past_input(&schema);
        // A let as a key gets a numbered name, although it names its column elsewhere.
        let key_name = |expr: &ast::ParsedExpr, calls: &CallNames| match &expr.kind {
            ast::ParsedExprKind::Name(name) if schema.index_of(&name.text).is_none() => None,
            _ => name_of(expr, calls),
        };
        let keys = self.keys(by.unwrap_or_default(), &schema, &mut names, key_name);
        let key_columns = keys.iter().flat_map(|keys| keys.values.iter().filter_map(Expr::as_column)).collect();
        let key_count = keys.as_ref().map_or(0, |keys| keys.values.len());
        let mut aggregates = Aggregates { keys: key_count, key_columns, ..Aggregates::default() };
        let outputs = self.all(items, |binder, item| binder.summarize_item(item, &schema, &mut aggregates));
        let (keys, outputs) = (keys?, outputs?);
        let outputs: Vec<Output> = outputs.into_iter().flatten().collect();
        Ok(assemble(input, keys, aggregates.found, outputs, &mut names))
    }

    /// Binds one item. Returns its columns: several if its aggregate returns several.
    fn summarize_item(&mut self, item: &Assignment, schema: &Schema, aggregates: &mut Aggregates) -> Bind<Vec<Output>> {
        let before = aggregates.found.len();
        let outputs = self.aggregate_outputs(item, schema, aggregates)?;
        match outputs.first() {
            Some(output) if aggregates.found.len() == before => {
                let message = "an expression of summarize contains no aggregate";
                let help = "summarize returns one row per group; take_any(...) returns the value of one of its rows";
                let diagnostic = Diagnostic::new(Code::NotAllowedHere, output.expr.span, message).help(help);
                Err(self.report(diagnostic))
            }
            _ => Ok(outputs),
        }
    }

    /// Binds an expression that may have aggregates. Returns its columns; an expression without aggregates has one
    /// column.
    pub(super) fn aggregate_outputs(
        &mut self,
        item: &Assignment,
        schema: &Schema,
        aggregates: &mut Aggregates,
    ) -> Bind<Vec<Output>> {
        let mut context = ExprContext { schema, aggregates: Some(aggregates) };
        if let Some(columns) = self.result_columns(&item.value, &mut context)? {
            let columns = self.spread(item, columns)?.into_iter();
            return Ok(columns.map(|(label, expr)| Output::labelled(label, expr)).collect());
        }
        let before = aggregates.found.len();
        let expr = self.aggregate_expr(&item.value, schema, aggregates)?;
        let written = |position: usize| item.names.get(position).map(|name| name.text.clone());
        let found = aggregates.found[before..].last();
        let direct = expr.as_column().and(found);
        if let Some(aggregate) = direct {
            let first = expr.as_column().unwrap_or_default();
            if item.names.len() > aggregate.fields.len() {
                let message = "more names than columns";
                return self.error(Code::InvalidValue, item.names[aggregate.fields.len()].span, message);
            }
            let column = |(position, field): (usize, &Field)| Output {
                written: written(position),
                wanted: Some(field.name.clone()),
                expr: Expr::column(first + position, field.ty, aggregate.span),
            };
            return Ok(aggregate.fields.iter().enumerate().map(column).collect());
        }
        let wanted = name_of(&item.value, &aggregates.names);
        Ok(vec![Output { written: written(0), wanted, expr }])
    }

    /// Binds the keys of groups.
    pub(super) fn keys(
        &mut self,
        items: &[Assignment],
        schema: &Schema,
        names: &mut Names,
        name_of: impl Fn(&ast::ParsedExpr, &CallNames) -> Option<String>,
    ) -> Bind<GroupKeys> {
        let keys = self.all(items, |binder, item| {
            let mut keys = Vec::new();
            for (label, key) in binder.labelled(item, schema)? {
                binder.not_dynamic(&key, "a group key")?;
                let name = match label {
                    ColumnLabel::Written(name) => names.unique(&name.text),
                    ColumnLabel::Spread(name) => names.unique(&name),
                    ColumnLabel::Made(_) => {
                        let name = name_of(&item.value, &CallNames::new());
                        names.unique_or_numbered(name.or_else(|| binder.looked_up(&item.value, schema)).as_deref())
                    }
                };
                keys.push((Field::new(name, key.ty), key));
            }
            Ok(keys)
        })?;
        let (fields, values) = keys.into_iter().flatten().unzip();
        Ok(GroupKeys { values, fields })
    }
}

/// True for `gettype(x)`, also inside functions that take over the name of their argument.
fn names_by_type(expr: &ast::ParsedExpr) -> bool {
    let ast::ParsedExprKind::Call { function, arguments } = &expr.kind else { return false };
    let hands_on = functions::scalar_function(&function.text)
        .is_some_and(|entry| entry.result_name == functions::ResultName::FirstArgument);
    function.text == "gettype" || (hands_on && arguments.first().is_some_and(|first| names_by_type(&first.value)))
}

/// The keys of an aggregation.
pub(super) struct GroupKeys {
    pub values: Vec<Expr>,
    /// The columns that have the keys.
    pub fields: Vec<Field>,
}

/// An output column after the keys.
pub(super) struct Output {
    /// The name in the query; None if there is none.
    written: Option<String>,
    /// The derived name; None or empty if the column is numbered.
    wanted: Option<String>,
    /// The value: an expression over the keys and the results of the aggregates.
    pub expr: Expr,
}

impl Output {
    fn labelled(label: ColumnLabel<'_>, expr: Expr) -> Self {
        match label {
            ColumnLabel::Written(name) => Self { written: Some(name.text.clone()), wanted: None, expr },
            ColumnLabel::Spread(name) => Self { written: None, wanted: Some(name), expr },
            ColumnLabel::Made(wanted) => Self { written: None, wanted, expr },
        }
    }
}

/// Returns an aggregation whose output has the keys, then the outputs. If expressions contain its aggregates, a
/// projection is added.
pub(super) fn assemble(
    input: LogicalPlan,
    GroupKeys { values: keys, fields: key_fields }: GroupKeys,
    mut aggregates: Vec<AggregateExpr>,
    outputs: Vec<Output>,
    names: &mut Names,
) -> LogicalPlan {
    let mut columns = Vec::new();
    for (index, field) in key_fields.iter().enumerate() {
        columns.push((field.name.clone(), Expr::column(index, field.ty, keys[index].span)));
    }
    for output in outputs {
        let name = match output.written {
            Some(name) => names.unique(&name),
            None => names.unique_or_numbered(output.wanted.as_deref()),
        };
        columns.push((name, output.expr));
    }
    let count = key_fields.len() + aggregates.iter().map(|aggregate| aggregate.fields.len()).sum::<usize>();
    let in_order = columns.len() == count
        && columns.iter().enumerate().all(|(position, (_, expr))| expr.as_column() == Some(position));
    if in_order {
        // No expression wraps the aggregates, so they carry the final names themselves.
        let mut rest = columns.iter().skip(key_fields.len());
        for field in aggregates.iter_mut().flat_map(|aggregate| &mut aggregate.fields) {
            if let Some((name, _)) = rest.next() {
                field.name.clone_from(name);
            }
        }
    }
    let fields = key_fields.into_iter().chain(aggregates.iter().flat_map(|aggregate| aggregate.fields.clone()));
    let schema = Schema::new(fields);
    let plan = LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, schema };
    if in_order { plan } else { plan.project(columns) }
}
