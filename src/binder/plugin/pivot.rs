//! Binds pivot, which makes one column of each value of a column.
//!
//! Source: the reference's page on the plugin. A cell that has no rows gets the aggregate over no rows.

use std::collections::HashMap;
use std::sync::Arc;

use super::MAX_COLUMNS;
use super::arguments::PluginCall;
use crate::binder::expr::Aggregates;
use crate::binder::naming::Names;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::functions::plugin::dimension_keys::DimensionKeys;
use crate::plan::LogicalPlan;
use crate::scan::MemoryTable;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value, cast};

/// The arguments of a pivot.
struct PivotCall<'c> {
    pivot: Expr,
    aggregate: ast::ParsedExpr,
    groups: Vec<Expr>,
    schema: Option<&'c ast::OutputSchema>,
}

impl Binder<'_> {
    pub(super) fn pivot(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        self.known_while_binding(&input, "pivot", call.call.plugin.span)?;
        let parts = self.pivot_call(input.schema(), call)?;
        let empty = LogicalPlan::Limit { input: Box::new(input.clone()), count: 0 };
        let cells = self.pivot_cells(input, &parts)?;
        let default = self.pivot_cells(empty, &without_keys(&parts))?;
        let default = match self.evaluate(&default)?.iter().find(|batch| batch.rows() > 0) {
            Some(batch) => batch.column(batch.columns().len() - 1).value(0),
            None => Value::null(cells.schema().field(cells.schema().len() - 1).ty),
        };
        let batches = self.evaluate(&cells)?;
        let types: Vec<Type> = cells.schema().fields().iter().map(|field| field.ty).collect();
        let pivoted = Pivoted::new(&Batch::concat(&types, &batches)?, cells.schema(), default)?;
        let (schema, batch) = match parts.schema {
            Some(declared) => self.declared_pivot(&pivoted, declared)?,
            None => pivoted.all(),
        };
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

    /// Returns the declared columns: groups are found by their names, and all other names are values.
    fn declared_pivot(&mut self, pivoted: &Pivoted, declared: &ast::OutputSchema) -> Bind<(Schema, Batch)> {
        let (schema, all) = pivoted.all();
        let mut columns = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        if declared.keeps_input {
            fields.extend(schema.fields()[..pivoted.groups.len()].iter().cloned());
            columns.extend(all.columns()[..pivoted.groups.len()].iter().cloned());
        }
        for ast::DatatableColumn { name, ty } in &declared.columns {
            if fields.iter().any(|field| field.name == name.text) {
                return Err(self.duplicate_column(name));
            }
            let mut builder = ColumnBuilder::new(*ty);
            let found = schema.index_of(&name.text);
            for row in 0..all.rows() {
                let value = found.map_or_else(|| pivoted.default.clone(), |index| all.column(index).value(row));
                builder.append(&cast::cast(&value, *ty).map_err(Error::from)?);
            }
            fields.push(Field::new(&name.text, *ty));
            columns.push(builder.finish());
        }
        Ok((Schema::new(fields), Batch::new(columns, all.rows())))
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

/// A table after pivoting.
struct Pivoted {
    groups: Vec<Field>,
    rows: DimensionKeys,
    /// The name of each new column, and its cells, by the index of the group.
    columns: Vec<(String, HashMap<usize, Value>)>,
    ty: Type,
    /// The value of cells that have no rows.
    default: Value,
}

impl Pivoted {
    /// Rotates `cells`, whose columns are the groups, the value, and the aggregate. Groups and values keep the order
    /// in which they first occur.
    fn new(cells: &Batch, schema: &Schema, default: Value) -> Bind<Self> {
        let groups = schema.fields()[..schema.len() - 2].to_vec();
        let group_columns: Vec<usize> = (0..groups.len()).collect();
        let mut names = Names::taken(groups.iter().map(|field| field.name.as_str()));
        let (mut rows, mut values) = (DimensionKeys::default(), DimensionKeys::default());
        let mut columns = Vec::<(String, HashMap<usize, Value>)>::new();
        for row in 0..cells.rows() {
            let column = values.number(cells, &[groups.len()], row);
            if column == MAX_COLUMNS {
                let message = format!("pivot would make more than {MAX_COLUMNS} columns");
                return Err(Error::Limit(message).into());
            }
            if column == columns.len() {
                let text = cast::cast(&values.values(column)[0], Type::String).map_err(Error::from)?;
                columns.push((names.unique_or_numbered(text.as_str()), HashMap::new()));
            }
            let group = rows.number(cells, &group_columns, row);
            columns[column].1.insert(group, cells.column(groups.len() + 1).value(row));
        }
        let ty = schema.field(schema.len() - 1).ty;
        Ok(Self { groups, rows, columns, ty, default })
    }

    /// Returns all columns with their schema.
    fn all(&self) -> (Schema, Batch) {
        let mut columns = self.rows.columns(&self.groups, 0..self.rows.len());
        let mut fields = self.groups.clone();
        for (name, cells) in &self.columns {
            let mut builder = ColumnBuilder::new(self.ty);
            (0..self.rows.len()).for_each(|row| builder.append(cells.get(&row).unwrap_or(&self.default)));
            columns.push(builder.finish());
            fields.push(Field::new(name, self.ty));
        }
        (Schema::new(fields), Batch::new(columns, self.rows.len()))
    }
}
