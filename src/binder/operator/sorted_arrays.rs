//! `array_sort_asc(a, b, ...)`: several arrays in the order of the first, each in a column of its own.

use super::project::ColumnLabel;
use crate::binder::naming::column;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::Expr;
use crate::functions::scalar::array_sort::{SORT_BY_ASC, SORT_BY_DESC};
use crate::functions::{self, ResultName};
use crate::syntax::ast::{self, Argument, Assignment, Name};
use crate::types::{Schema, Type, Value};

impl Binder<'_> {
    /// The columns of an item that sorts several arrays; None for any other item.
    pub(super) fn sorted_arrays<'i>(
        &mut self,
        item: &'i Assignment,
        schema: &Schema,
    ) -> Bind<Option<Vec<(ColumnLabel<'i>, Expr)>>> {
        let Some((name, arguments)) = sorting(&item.value) else { return Ok(None) };
        let mut bound = self.all(arguments, |binder, argument| binder.expr(&argument.value, schema))?;
        let nulls_last = bound.pop_if(|last| last.ty == Type::Bool);
        if bound.len() < 2 {
            return Ok(None);
        }
        if let Some(unused) = item.names.get(bound.len()) {
            let message = format!("`{}` returns {} columns here", name.text, bound.len());
            return self.error(Code::InvalidValue, unused.span, message);
        }
        let span = item.value.span;
        let function = if name.text == SORT_BY_ASC.name { &SORT_BY_ASC } else { &SORT_BY_DESC };
        let nulls_last = nulls_last.unwrap_or_else(|| Expr::literal(Value::Bool(true), span));
        let keys = bound[0].clone();
        let columns = bound.into_iter().enumerate().map(|(position, array)| {
            let default = format!("array{position}");
            let made = format!("{}_sorted", column(arguments.get(position)).unwrap_or(&default));
            let label = item.names.get(position).map_or(ColumnLabel::Made(Some(made)), ColumnLabel::Written);
            let sorted = self.function_call(function, name, vec![keys.clone(), array, nulls_last.clone()], span)?;
            Ok((label, sorted))
        });
        columns.collect::<Bind<Vec<_>>>().map(Some)
    }
}

/// The name and the arguments of a call that may sort several arrays.
fn sorting(value: &ast::ParsedExpr) -> Option<(&Name, &[Argument])> {
    match &value.kind {
        ast::ParsedExprKind::Parenthesised(inner) => sorting(inner),
        ast::ParsedExprKind::Call { function, arguments } if arguments.len() > 1 => {
            let entry = functions::scalar_function(&function.text)?;
            (entry.result_name == ResultName::Sorted).then_some((function, arguments))
        }
        _ => None,
    }
}
