//! project, extend: columns computed from columns. Within one operator every expression sees the old columns.

use crate::binder::naming::{Names, spelled};
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{Assignment, Name};
use crate::types::Schema;

impl Binder<'_> {
    pub(super) fn project(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        self.spelled_once(items.iter().filter_map(spelled))?;
        let mut names = Names::default().past_written(items);
        let columns = self.all(items, |binder, item| {
            let expr = binder.expr(&item.value, &schema)?;
            let name = match binder.explicit_name(item)? {
                // A name that an unnamed column before it has taken gives way.
                Some(name) => names.unique(&name.text),
                None => names.unique_or_numbered(Self::own_name(&item.value).as_deref()),
            };
            Ok((name, expr))
        })?;
        Ok(input.project(columns))
    }

    pub(super) fn extend(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        if items.is_empty() {
            return Ok(input);
        }
        let schema = input.schema().clone();
        let mut columns = identity(&schema);
        let mut made = Names::default();
        let mut numbers = Names::default().past_input(&schema);
        let new = self.all(items, |binder, item| {
            let expr = binder.expr(&item.value, &schema)?;
            let name = match binder.explicit_name(item)? {
                Some(name) => name.text.clone(),
                None => Self::own_name(&item.value).unwrap_or_else(|| numbers.numbered()),
            };
            // Two columns of one name would be one column with two values.
            if made.claim(&name) {
                return Ok((name, expr));
            }
            let span = item.names.first().map_or(item.value.span, |name| name.span);
            Err(binder.duplicate_column(&Name { text: name, span }))
        })?;
        for (name, expr) in new {
            match columns.iter_mut().find(|(existing, _)| *existing == name) {
                Some(column) => column.1 = expr,
                None => columns.push((name, expr)),
            }
        }
        Ok(input.project(columns))
    }

    /// An error where one name is spelled twice.
    pub(super) fn spelled_once<'i>(&mut self, mut spelled: impl Iterator<Item = &'i Name>) -> Bind<()> {
        let mut names = Names::default();
        match spelled.find(|name| !names.claim(&name.text)) {
            Some(again) => Err(self.duplicate_column(again)),
            None => Ok(()),
        }
    }

    fn explicit_name<'i>(&mut self, item: &'i Assignment) -> Bind<Option<&'i Name>> {
        match item.names.as_slice() {
            [] => Ok(None),
            [name] => Ok(Some(name)),
            [_, second, ..] => self.error(
                Code::UnsupportedSyntax,
                second.span,
                "several names for one value are not supported here yet",
            ),
        }
    }
}

/// Every column as it is.
pub(in crate::binder) fn identity(schema: &Schema) -> Vec<(String, Expr)> {
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.clone(), Expr::column(index, field.ty, crate::diagnostic::Span::default())))
        .collect()
}
