//! Binds pivot, which makes one column of each value of a column.
//!
//! Source: the reference's page on the plugin. A cell that has no rows gets the aggregate over no rows.

use std::sync::Arc;

use super::arguments::PluginCall;
use super::pivoted::{DeclaredPivot, Pivoted};
use super::{all_columns, table_call};
use crate::binder::expr::Aggregates;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::scan::MemoryTable;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Batch, Field, Schema, Type, Value};

/// The arguments of a pivot.
struct PivotCall<'c> {
    pivot: Expr,
    aggregate: ast::ParsedExpr,
    groups: Vec<Expr>,
    schema: Option<&'c ast::OutputSchema>,
}

impl Binder<'_> {
    pub(super) fn pivot(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        if call.call.schema.is_none() {
            self.known_while_binding(&input, "pivot", call.call.plugin.span)?;
        }
        let parts = self.pivot_call(input.schema(), call)?;
        let nothing = MemoryTable::new(input.schema().clone(), Vec::new());
        let nothing = LogicalPlan::scan("nothing", Arc::new(nothing));
        let cells = self.pivot_cells(input, &parts)?;
        let default = self.pivot_cells(nothing, &without_keys(&parts))?;
        let default = match self.evaluate(&default)?.iter().find(|batch| batch.rows() > 0) {
            Some(batch) => batch.column(batch.columns().len() - 1).value(0),
            None => Value::null(cells.schema().field(cells.schema().len() - 1).ty),
        };
        if let Some(declared) = parts.schema {
            return self.declared_pivot(cells, default, declared);
        }
        let batches = self.evaluate(&cells)?;
        let types: Vec<Type> = cells.schema().fields().iter().map(|field| field.ty).collect();
        let (schema, batch) = Pivoted::new(&Batch::concat(&types, &batches)?, cells.schema(), default)?.all();
        Ok(LogicalPlan::scan("pivot", Arc::new(MemoryTable::new(schema, vec![batch]))))
    }

    fn pivot_call<'c>(&mut self, schema: &Schema, call: &PluginCall<'c>) -> Bind<PivotCall<'c>> {
        let arguments = &call.call.arguments;
        let Some(first) = arguments.first() else { return Err(self.plugin_count(call)) };
        let pivot = self.plugin_dimensions(&[&first.value], schema)?.remove(0);
        let is_aggregate = |argument: &&ast::Argument| !matches!(argument.value.kind, ParsedExprKind::Name(_));
        let written = arguments.get(1).filter(is_aggregate);
        let count = || {
            let function = ast::Name { text: "count".to_owned(), span: call.call.plugin.span };
            ast::ParsedExpr { span: function.span, kind: ParsedExprKind::Call { function, arguments: Vec::new() } }
        };
        let aggregate = written.map_or_else(count, |argument| argument.value.clone());
        let named: Vec<&ast::ParsedExpr> =
            arguments.iter().skip(1 + usize::from(written.is_some())).map(|argument| &argument.value).collect();
        let groups = match named.is_empty() {
            false => self.plugin_dimensions(&named, schema)?,
            true => {
                let mut used = Vec::new();
                names_in(&aggregate, &mut used);
                let is_other = |field: &&Field| !used.contains(&field.name);
                let others = schema.fields().iter().filter(is_other).filter_map(|field| schema.index_of(&field.name));
                let others = others.filter(|index| Some(*index) != pivot.as_column());
                others.map(|index| Expr::column(index, schema.field(index).ty, call.call.plugin.span)).collect()
            }
        };
        if let Some(group) = groups.iter().find(|group| group.ty == Type::Dynamic) {
            let column = group.as_column().map_or("", |index| &schema.field(index).name);
            let message = format!("the dynamic column `{column}` cannot be a group key");
            let help = "name the columns to group by after the aggregate";
            return Err(self.report(Diagnostic::new(Code::DynamicNotAllowed, group.span, message).help(help)));
        }
        Ok(PivotCall { pivot, aggregate, groups, schema: call.call.schema.as_ref() })
    }

    /// Returns a plan whose rows have the groups, the value, and the aggregate of one combination of these.
    fn pivot_cells(&mut self, input: LogicalPlan, parts: &PivotCall<'_>) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let is_whole = parts.pivot.as_column().is_none();
        let mut keys = parts.groups.clone();
        keys.extend((!is_whole).then(|| parts.pivot.clone()));
        let mut aggregates = Aggregates { keys: keys.len(), ..Aggregates::default() };
        let value = self.aggregate_expr(&parts.aggregate, &schema, &mut aggregates)?;
        if aggregates.found.is_empty() {
            let message = "the second argument of `pivot` must be a call of an aggregate";
            return self.error(Code::NotAllowedHere, parts.aggregate.span, message);
        }
        let mut fields: Vec<Field> =
            keys.iter().filter_map(Expr::as_column).map(|column| schema.field(column).clone()).collect();
        let mut columns: Vec<(String, Expr)> = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            columns.push((field.name.clone(), Expr::column(index, field.ty, parts.pivot.span)));
        }
        columns.push(("value".to_owned(), value));
        fields.extend(aggregates.found.iter().flat_map(|aggregate| aggregate.fields.clone()));
        let (input, schema) = (Box::new(input), Schema::new(fields));
        Ok(LogicalPlan::Aggregate { input, keys, aggregates: aggregates.found, schema }.project(columns))
    }

    /// Returns a call that makes the declared columns of `cells`.
    fn declared_pivot(
        &mut self,
        cells: LogicalPlan,
        default: Value,
        declared: &ast::OutputSchema,
    ) -> Bind<LogicalPlan> {
        let schema = cells.schema().clone();
        let mut columns: Vec<Field> = Vec::new();
        if declared.keeps_input {
            columns.extend(schema.fields()[..schema.len() - 2].iter().cloned());
        }
        for ast::DatatableColumn { name, ty } in &declared.columns {
            if columns.iter().any(|field| field.name == name.text) {
                return Err(self.duplicate_column(name));
            }
            columns.push(Field::new(&name.text, *ty));
        }
        let arguments = all_columns(&schema);
        Ok(table_call(cells, DeclaredPivot { cells: schema, default, columns }, arguments, Vec::new()))
    }
}

/// Returns the call without groups and values, which aggregates all rows.
fn without_keys<'c>(parts: &PivotCall<'c>) -> PivotCall<'c> {
    let pivot = Expr::literal(Value::Bool(true), Span::default());
    PivotCall { pivot, aggregate: parts.aggregate.clone(), groups: Vec::new(), schema: parts.schema }
}

/// Appends the names in `expr`, which may be columns, to `names`.
fn names_in(expr: &ast::ParsedExpr, names: &mut Vec<String>) {
    match &expr.kind {
        ParsedExprKind::Name(name) => names.push(name.text.clone()),
        ParsedExprKind::Literal(_) | ParsedExprKind::Star | ParsedExprKind::Pipeline(_) => {}
        ParsedExprKind::Unary { operand, .. } | ParsedExprKind::Parenthesised(operand) => names_in(operand, names),
        ParsedExprKind::Member { base, .. } => names_in(base, names),
        ParsedExprKind::Binary { left, right, .. } | ParsedExprKind::Index { base: left, index: right } => {
            names_in(left, names);
            names_in(right, names);
        }
        ParsedExprKind::Membership { left, list, .. } => {
            names_in(left, names);
            list.iter().for_each(|value| names_in(value, names));
        }
        ParsedExprKind::Between { operand, low, high, .. } => {
            [operand, low, high].into_iter().for_each(|part| names_in(part, names));
        }
        ParsedExprKind::Call { arguments, .. } => {
            arguments.iter().for_each(|argument| names_in(&argument.value, names));
        }
    }
}
