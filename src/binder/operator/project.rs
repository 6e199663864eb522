//! Binds `project` and `extend`, which compute columns. All expressions of one operator see the columns of its input.

use crate::binder::expr::{ExprContext, ResultColumn};
use crate::binder::naming::{Names, spelled};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{Assignment, Name};
use crate::types::Schema;

impl Binder<'_> {
    pub(super) fn project(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let input = self.windowed(input, items.iter().map(|item| &item.value))?;
        self.spelled_once(items.iter().flat_map(spelled))?;
        let mut names = Names::default().past_written(items);
        let columns = self.all(items, |binder, item| {
            let mut columns = Vec::new();
            for (label, expr) in binder.labelled(item, &schema)? {
                let name = match label {
                    ColumnLabel::Written(name) => names.unique(&name.text),
                    ColumnLabel::Spread(name) => names.unique(&name),
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
        self.spelled_once(items.iter().flat_map(spelled))?;
        let mut columns = identity(&schema);
        let (mut made, mut numbers) = (Names::default(), Names::default().past_input(&schema));
        let mut spread = Names::taken(schema.names());
        let new = self.all(items, |binder, item| {
            let mut columns = Vec::new();
            for (label, expr) in binder.labelled(item, &schema)? {
                let (name, span) = match label {
                    ColumnLabel::Written(name) => (name.text.clone(), name.span),
                    ColumnLabel::Spread(name) => (spread.unique(&name), item.value.span),
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
        // A column replaces the one of its name in the input.
        for (name, expr) in new.into_iter().flatten() {
            match columns.iter_mut().find(|(existing, _)| *existing == name) {
                Some(column) => column.1 = expr,
                None => columns.push((name, expr)),
            }
        }
        Ok(input.project(columns))
    }

    /// Reports a name that occurs twice among `spelled`.
    pub(in crate::binder) fn spelled_once<'i>(&mut self, mut spelled: impl Iterator<Item = &'i Name>) -> Bind<()> {
        let mut names = Names::default();
        match spelled.find(|name| !names.claim(&name.text)) {
            Some(again) => Err(self.duplicate_column(again)),
            None => Ok(()),
        }
    }

    /// Binds an item. Returns its columns: one, or several if a function returns several.
    pub(in crate::binder) fn labelled<'i>(
        &mut self,
        item: &'i Assignment,
        schema: &Schema,
    ) -> Bind<Vec<(ColumnLabel<'i>, Expr)>> {
        let mut context = ExprContext { schema, aggregates: None };
        if let Some(columns) = self.result_columns(&item.value, &mut context)? {
            return self.spread(item, columns);
        }
        let expr = self.expr(&item.value, schema)?;
        match item.names.as_slice() {
            [] => Ok(vec![(ColumnLabel::Made(self.name_over(&item.value, schema)), expr)]),
            [name] => Ok(vec![(ColumnLabel::Written(name), expr)]),
            [_, second, ..] => self.error(Code::InvalidValue, second.span, "one value cannot have two names"),
        }
    }

    /// Returns the columns of a function that returns several, with the names that `item` gives them.
    pub(super) fn spread<'i>(
        &mut self,
        item: &'i Assignment,
        columns: Vec<ResultColumn>,
    ) -> Bind<Vec<(ColumnLabel<'i>, Expr)>> {
        let count = columns.len();
        if let Some(name) = item.names.get(count) {
            let message = format!("the result has {count} columns, fewer than it has names");
            return self.error(Code::InvalidValue, name.span, message);
        }
        if item.names.is_empty() && count == 1 {
            let message = "name this result: the name that Kusto would give its column is not known";
            return self.error(Code::UnsupportedSyntax, item.value.span, message);
        }
        let labelled = columns.into_iter().enumerate().map(|(position, column)| {
            let label = item.names.get(position).map_or(ColumnLabel::Spread(column.name), ColumnLabel::Written);
            (label, column.value)
        });
        Ok(labelled.collect())
    }
}

/// The name of an output column, and where it comes from.
#[derive(Debug)]
pub(in crate::binder) enum ColumnLabel<'i> {
    /// The query writes the name.
    Written(&'i Name),
    /// The name is derived from the value; None if the column is numbered.
    Made(Option<String>),
    /// The name is derived for one of several columns of a function. Such a column replaces no other column.
    Spread(String),
}

/// Returns a projection that keeps all columns unchanged.
pub(in crate::binder) fn identity(schema: &Schema) -> Vec<(String, Expr)> {
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.clone(), Expr::column(index, field.ty, Span::default())))
        .collect()
}
