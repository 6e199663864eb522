//! project, extend: columns computed from columns. Within one operator every expression sees the old columns.

use crate::binder::naming::{Names, spelled};
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::{Expr, fold};
use crate::functions::{self, ScalarFunction};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, Argument, Assignment, Name};
use crate::types::Schema;
use crate::types::dynamic::{Path, Step};

impl Binder<'_> {
    pub(super) fn project(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let input = self.windowed(input, items.iter().map(|item| &item.value))?;
        self.spelled_once(items.iter().filter_map(spelled))?;
        let mut names = Names::default().past_written(items);
        let columns = self.all(items, |binder, item| {
            let mut columns = Vec::new();
            for (label, expr) in binder.labelled(item, &schema)? {
                let name = match label {
                    // If an earlier unnamed column has taken the name, it gets a number.
                    ColumnLabel::Written(name) => names.unique(&name.text),
                    ColumnLabel::Made(name) => names.unique_or_numbered(name.as_deref()),
                };
                columns.push((name, expr));
            }
            Ok(columns)
        })?;
        Ok(input.project(columns.into_iter().flatten()))
    }

    pub(super) fn extend(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        if items.is_empty() {
            return Ok(input);
        }
        let schema = input.schema().clone();
        let input = self.windowed(input, items.iter().map(|item| &item.value))?;
        let mut columns = identity(&schema);
        let mut made = Names::default();
        let mut numbers = Names::default().past_input(&schema);
        let new = self.all(items, |binder, item| {
            let mut columns = Vec::new();
            for (label, expr) in binder.labelled(item, &schema)? {
                let (name, span) = match label {
                    ColumnLabel::Written(name) => (name.text.clone(), name.span),
                    ColumnLabel::Made(name) => (name.unwrap_or_else(|| numbers.numbered()), item.value.span),
                };
                // Two columns of the same name would be one column with two values.
                if !made.claim(&name) {
                    return Err(binder.duplicate_column(&Name { text: name, span }));
                }
                columns.push((name, expr));
            }
            Ok(columns)
        })?;
        for (name, expr) in new.into_iter().flatten() {
            match columns.iter_mut().find(|(existing, _)| *existing == name) {
                Some(column) => column.1 = expr,
                None => columns.push((name, expr)),
            }
        }
        Ok(input.project(columns))
    }

    /// Reports a name that is written twice.
    pub(super) fn spelled_once<'i>(&mut self, mut spelled: impl Iterator<Item = &'i Name>) -> Bind<()> {
        let mut names = Names::default();
        match spelled.find(|name| !names.claim(&name.text)) {
            Some(again) => Err(self.duplicate_column(again)),
            None => Ok(()),
        }
    }

    /// The columns that an item produces: one, or several if a function returns several.
    pub(in crate::binder) fn labelled<'i>(
        &mut self,
        item: &'i Assignment,
        schema: &Schema,
    ) -> Bind<Vec<(ColumnLabel<'i>, Expr)>> {
        if let Some((function, name, arguments)) = several_columns(&item.value) {
            return self.several_columns(function, name, arguments, item, schema);
        }
        if let Some(columns) = self.sorted_arrays(item, schema)? {
            return Ok(columns);
        }
        let expr = self.expr(&item.value, schema)?;
        match item.names.as_slice() {
            [] => Ok(vec![(ColumnLabel::Made(self.name_over(&item.value, schema)), expr)]),
            [name] => Ok(vec![(ColumnLabel::Written(name), expr)]),
            [_, second, ..] => self.error(Code::InvalidValue, second.span, "one value cannot have two names"),
        }
    }

    fn several_columns<'i>(
        &mut self,
        function: &'static ScalarFunction,
        name: &Name,
        arguments: &[Argument],
        item: &'i Assignment,
        schema: &Schema,
    ) -> Bind<Vec<(ColumnLabel<'i>, Expr)>> {
        let span = item.value.span;
        let bound = self.all(arguments, |binder, argument| binder.expr(&argument.value, schema))?;
        let tuple = self.function_call(function, name, bound, span)?;
        let count = function.columns.len();
        if let Some(name) = item.names.get(count) {
            let message = format!("`{}` returns {count} columns, fewer than it has names", function.name);
            return self.error(Code::InvalidValue, name.span, message);
        }
        if item.names.is_empty() && count == 1 {
            let message = format!(
                "name the result of `{}`: the name that Kusto would give its column is not known",
                function.name
            );
            return self.error(Code::UnsupportedSyntax, span, message);
        }
        let first = arguments.first().and_then(|argument| Self::own_name(&argument.value)).unwrap_or_default();
        let columns = function.columns.iter().enumerate().map(|(position, (column, ty))| {
            let made = || ColumnLabel::Made(Some(format!("{}_{first}_{column}", function.name)));
            let label = item.names.get(position).map_or_else(made, ColumnLabel::Written);
            let step = Step::Index(i64::try_from(position).unwrap_or(i64::MAX));
            (label, tuple.clone().path(Path::new(vec![step]), span).cast(*ty))
        });
        columns.map(|(label, expr)| Ok((label, fold::fold(expr, &self.context)?))).collect()
    }
}

/// The name of a column.
#[derive(Debug)]
pub(in crate::binder) enum ColumnLabel<'i> {
    /// Written in the query.
    Written(&'i Name),
    /// Derived from the value; None if it is numbered.
    Made(Option<String>),
}

/// A call of a function that returns several columns.
fn several_columns(value: &ast::ParsedExpr) -> Option<(&'static ScalarFunction, &Name, &[Argument])> {
    match &value.kind {
        ast::ParsedExprKind::Parenthesised(inner) => several_columns(inner),
        ast::ParsedExprKind::Call { function: name, arguments } => {
            let function = functions::scalar_function(&name.text).filter(|function| !function.columns.is_empty())?;
            Some((function, name, arguments))
        }
        _ => None,
    }
}

/// All columns unchanged, as a projection.
pub(in crate::binder) fn identity(schema: &Schema) -> Vec<(String, Expr)> {
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.clone(), Expr::column(index, field.ty, crate::diagnostic::Span::default())))
        .collect()
}
