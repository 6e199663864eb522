//! Binds functions that return several columns, such as `series_fit_line(y)`, and `array_sort_asc(a, b)` of several
//! arrays. Where an operator makes columns, the results become several columns. Elsewhere, an index selects one of
//! them: `series_fit_line(y)[1]`.

use super::ExprContext;
use crate::binder::naming::{CallNames, column_of_several};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, fold};
use crate::functions::scalar::array_sort::{SORT_BY_ASC, SORT_BY_DESC};
use crate::functions::{self, ResultName, ScalarFunction};
use crate::syntax::ast::{self, Argument, Name};
use crate::types::dynamic::{Path, Step};
use crate::types::{Type, Value};

/// One of the columns that a function returns.
pub(in crate::binder) struct ResultColumn {
    /// The name of the column if the query gives none.
    pub name: String,
    pub value: Expr,
}

impl Binder<'_> {
    /// Binds a call that returns several columns; None for an expression that has one value.
    pub(in crate::binder) fn result_columns(
        &mut self,
        value: &ast::ParsedExpr,
        context: &mut ExprContext<'_>,
    ) -> Bind<Option<Vec<ResultColumn>>> {
        let Some((function, name, arguments)) = call_of_several(value) else { return Ok(None) };
        if self.user_function(name)?.is_some() {
            return Ok(None);
        }
        let before = context.aggregates.as_deref().map(|aggregates| (aggregates.found.len(), aggregates.names.len()));
        let bound = self.all(arguments, |binder, argument| {
            let bound = binder.bind_expr(&argument.value, context)?;
            Ok(fold::fold(bound, &binder.context)?)
        })?;
        let values = match function.result_name {
            ResultName::Sorted => self.sorted_arrays(name, bound, value)?,
            _ => Some(self.tuple_elements(function, name, bound, value)?),
        };
        let Some(values) = values else {
            // The arguments are bound again.
            if let (Some(aggregates), Some((found, names))) = (context.aggregates.as_deref_mut(), before) {
                aggregates.found.truncate(found);
                aggregates.names.truncate(names);
            }
            return Ok(None);
        };
        let none = CallNames::new();
        let calls = context.aggregates.as_deref().map_or(&none, |aggregates| &aggregates.names);
        let columns = values.into_iter().enumerate().map(|(position, value)| {
            let name = column_of_several(function, arguments, position, calls).unwrap_or_default();
            Ok(ResultColumn { name, value: fold::fold(value, &self.context)? })
        });
        columns.collect::<Bind<Vec<_>>>().map(Some)
    }

    /// Returns the elements of the array that a function with several columns computes, each cast to the type of its
    /// column.
    fn tuple_elements(
        &mut self,
        function: &'static ScalarFunction,
        name: &Name,
        arguments: Vec<Expr>,
        value: &ast::ParsedExpr,
    ) -> Bind<Vec<Expr>> {
        let tuple = self.function_call(function, name, arguments, value.span)?;
        let element = |(position, (_, ty)): (usize, &(&str, Type))| {
            let step = Step::Index(i64::try_from(position).unwrap_or(i64::MAX));
            tuple.clone().path(Path::new(vec![step]), value.span).cast(*ty)
        };
        Ok(function.columns.iter().enumerate().map(element).collect())
    }

    /// Returns each of several arrays, in the order that sorting the first one gives. Returns None for a single
    /// array.
    fn sorted_arrays(
        &mut self,
        name: &Name,
        mut arrays: Vec<Expr>,
        value: &ast::ParsedExpr,
    ) -> Bind<Option<Vec<Expr>>> {
        let nulls_last = arrays.pop_if(|last| last.ty == Type::Bool);
        if arrays.len() < 2 {
            return Ok(None);
        }
        let function = if name.text == SORT_BY_ASC.name { &SORT_BY_ASC } else { &SORT_BY_DESC };
        let nulls_last = nulls_last.unwrap_or_else(|| Expr::literal(Value::Bool(true), value.span));
        let keys = arrays[0].clone();
        let sorted = arrays.into_iter().map(|array| {
            let arguments = vec![keys.clone(), array, nulls_last.clone()];
            self.function_call(function, name, arguments, value.span)
        });
        sorted.collect::<Bind<Vec<_>>>().map(Some)
    }

    /// Binds an index on a call that returns several columns, and returns the column that it selects; None for any
    /// other base.
    pub(super) fn indexed_column(
        &mut self,
        base: &ast::ParsedExpr,
        index: &ast::ParsedExpr,
        context: &mut ExprContext<'_>,
    ) -> Bind<Option<Expr>> {
        let Some(mut columns) = self.result_columns(base, context)? else { return Ok(None) };
        if columns.len() == 1 {
            let message = "an index of this result is not supported here: assign it to a column first";
            return self.error(Code::UnsupportedSyntax, index.span, message);
        }
        let position = self.bind_expr(index, context)?;
        let position = fold::fold(position, &self.context)?.as_literal().and_then(Value::as_i64);
        match position.and_then(|position| usize::try_from(position).ok()).filter(|at| *at < columns.len()) {
            Some(position) => Ok(Some(columns.swap_remove(position).value)),
            None => {
                let message = format!("the index of a result with several columns is 0 to {}", columns.len() - 1);
                self.error(Code::UnsupportedSyntax, index.span, message)
            }
        }
    }

    /// Reports a call that returns several columns in a position where a single value is required.
    pub(super) fn several_for_one<T>(&mut self, name: &Name) -> Bind<T> {
        let message = format!("`{}` returns several columns where a single value is required", name.text);
        let help = "assign them to columns first, | extend (a, b, ...) = ..., or select one with an index";
        Err(self.report(Diagnostic::new(Code::NotAllowedHere, name.span, message).help(help)))
    }
}

/// Returns the function, its name and the arguments of a call that may return several columns; None for other
/// expressions.
fn call_of_several(value: &ast::ParsedExpr) -> Option<(&'static ScalarFunction, &Name, &[Argument])> {
    match &value.kind {
        ast::ParsedExprKind::Parenthesised(inner) => call_of_several(inner),
        ast::ParsedExprKind::Call { function: name, arguments } => {
            let function = functions::scalar_function(&name.text)?;
            let sorts_several = function.result_name == ResultName::Sorted && arguments.len() > 1;
            (sorts_several || !function.columns.is_empty()).then_some((function, name, arguments))
        }
        _ => None,
    }
}
