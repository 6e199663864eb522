//! project, extend: columns computed from columns. Within one operator every expression sees the old columns.

use crate::binder::naming::Names;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast::Assignment;
use crate::types::Schema;

impl Binder<'_> {
    pub(super) fn project(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let mut written = Names::default();
        let mut names = Names::default().past_written(items);
        let columns = self.all(items, |binder, item| {
            let expr = binder.expr(&item.value, &schema)?;
            let name = match binder.explicit_name(item)? {
                Some(name) if !written.claim(&name.text) => return Err(binder.duplicate_column(name)),
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
                Some(name) => {
                    if !made.claim(&name.text) {
                        return Err(binder.duplicate_column(name));
                    }
                    name.text.clone()
                }
                None => match Self::own_name(&item.value) {
                    Some(name) => made.unique(&name),
                    None => made.unique(&numbers.numbered()),
                },
            };
            Ok((name, expr))
        })?;
        for (name, expr) in new {
            match columns.iter_mut().find(|(existing, _)| *existing == name) {
                Some(column) => column.1 = expr,
                None => columns.push((name, expr)),
            }
        }
        Ok(input.project(columns))
    }

    fn explicit_name<'i>(&mut self, item: &'i Assignment) -> Bind<Option<&'i crate::syntax::ast::Name>> {
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
pub(super) fn identity(schema: &Schema) -> Vec<(String, Expr)> {
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.clone(), Expr::column(index, field.ty, crate::diagnostic::Span::default())))
        .collect()
}
