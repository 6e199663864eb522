//! Binds calls of special forms, which take tables or names of columns, so that the binder must expand them.

use super::ExprContext;
use crate::binder::function::Call;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::{Expr, visit};
use crate::functions::scalar::{data_size, dynamic_bag};
use crate::functions::signature::{arity, expand};
use crate::functions::special::{Expansion, ScalarForm, SpecialForm};
use crate::functions::{self, docs};
use crate::plan::LogicalPlan;
use crate::syntax::ast;
use crate::types::dynamic::ArrayWriter;
use crate::types::{Batch, Field, Schema, Type, Value};

impl Binder<'_> {
    /// Expands a call of a special form in a position where a value is required.
    pub(super) fn special_value(
        &mut self,
        form: &'static SpecialForm,
        call: &Call<'_>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let scalar = match form.expansion {
            Expansion::Scalar(scalar) => scalar,
            Expansion::Window(_) if context.aggregates.is_some() => {
                return Err(self.outside_of_aggregate(&format!("`{}`", call.name.text), call.span));
            }
            Expansion::Window(_) => return self.window_column(call),
            Expansion::Table(_) => {
                let message = format!("`{}` returns a table where a value is required", call.name.text);
                return self.error(Code::ExpectedTable, call.span, message);
            }
        };
        self.check_count(form, call)?;
        match scalar {
            ScalarForm::BagPackColumns => self.bag_pack_columns(call, context),
            ScalarForm::BinAuto => self.bin_auto(call, context),
            ScalarForm::ColumnIfExists => self.column_if_exists(call, context),
            ScalarForm::IsColumnExists => self.is_column(call, context),
            ScalarForm::EstimateDataSize => self.estimate_data_size(call, context),
            ScalarForm::ColumnNamesOf => self.column_names_of(call),
            ScalarForm::IngestionTime => self.ingestion_time_call(call, context),
            ScalarForm::PackAll => self.pack_all(call, context),
            ScalarForm::ToScalar => self.toscalar(call, context),
        }
    }

    /// Reports a call that has too few or too many arguments.
    pub(in crate::binder) fn check_count(&mut self, form: &'static SpecialForm, call: &Call<'_>) -> Bind<()> {
        let given = call.arguments.len();
        match expand(form.params, given) {
            Some(_) => Ok(()),
            None => Err(self.wrong_count(call.name, given, arity(form.params), &docs::special_signature(form))),
        }
    }

    /// Binds `toscalar(table)`: the first value of the first row, which is computed now; a typed null if there are no
    /// rows. `toscalar(value)` is the value, which is computed only once, and so must not depend on the row.
    fn toscalar(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        if let Some(column) = self.row_scalar(call.span) {
            return match context.aggregates {
                Some(_) => Err(self.outside_of_aggregate("a value of rows of the subquery", call.span)),
                None => Ok(column),
            };
        }
        let argument = &call.arguments[0].value;
        // Inside the pipeline of `partition`, its key is a value here, even if there is a column of that name.
        if let (ast::ParsedExprKind::Name(name), Some((key, value))) = (&argument.kind, &self.partition_key)
            && name.text == *key
        {
            return Ok(value.clone());
        }
        let plan = match self.table_or_value(argument, context)? {
            Some(Binding::Table(plan, _)) => plan,
            Some(Binding::Value(value) | Binding::RowValue(value, _)) => return self.computed_once(value, call.span),
            _ => match &argument.kind {
                ast::ParsedExprKind::Name(name) if self.is_unknown(name, context) => {
                    return Err(self.unknown_table(name));
                }
                _ => {
                    let value = self.bind_expr(argument, context)?;
                    return self.computed_once(value, call.span);
                }
            },
        };
        self.known_first_column(&plan, argument.span)?;
        let Some(ty) = plan.schema().fields().first().map(|field| field.ty) else {
            return self.error(Code::InvalidValue, call.span, "`toscalar` requires a table with at least one column");
        };
        let first_row = LogicalPlan::Limit { input: Box::new(plan), count: 1 };
        let value = first_value(&self.evaluate_at(&first_row, call.span)?, ty);
        Ok(Expr::literal(value, call.span))
    }

    /// Computes a volatile value such as `rand()` now. If a function with the `toscalar` at `span` is called several
    /// times, equal calls have the same value. Reports a value that depends on the row.
    ///
    /// Source: the reference's pages on named expressions and on `toscalar`, section "Limitations".
    fn computed_once(&mut self, value: Expr, span: Span) -> Bind<Expr> {
        if !visit::columns(&value).is_empty() {
            let message = "the value for `toscalar` differs from row to row, but it is computed once";
            let help = "use the value without `toscalar`, or compute one value of a table: toscalar(T | summarize ...)";
            return Err(self.report(Diagnostic::new(Code::NotAllowedHere, value.span, message).help(help)));
        }
        if value.is_repeatable() {
            return Ok(value);
        }
        let is_same = |known: &&(Span, Expr, Value)| known.0 == span && known.1 == value;
        if let Some((.., known)) = self.computed.iter().find(is_same) {
            return Ok(Expr::literal(known.clone(), span));
        }
        let plan = Self::one_row().project([("value".to_owned(), value.clone())]);
        let computed = first_value(&self.evaluate_at(&plan, span)?, value.ty);
        self.computed.push((span, value, computed.clone()));
        Ok(Expr::literal(computed, span))
    }

    /// Binds `column_ifexists(name, default)`: the column if the input has it, otherwise the default.
    fn column_if_exists(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        let default = &call.arguments[1].value;
        let wanted = self.column_name(&call.arguments[0].value)?;
        match context.schema.index_of(&wanted) {
            Some(index) => Ok(Expr::column(index, context.schema.field(index).ty, call.span)),
            None => {
                self.miss(&wanted);
                self.bind_expr(default, context)
            }
        }
    }

    /// Binds `iscolumnexists(name)` as a constant.
    fn is_column(&mut self, call: &Call<'_>, context: &ExprContext<'_>) -> Bind<Expr> {
        let name = self.column_name(&call.arguments[0].value)?;
        Ok(Expr::literal(Value::Bool(context.schema.index_of(&name).is_some()), call.span))
    }

    /// Returns the name of a column that is given as a constant string.
    fn column_name(&mut self, name: &ast::ParsedExpr) -> Bind<String> {
        match self.constant(name)?.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => self.error(Code::ArgumentType, name.span, "the name of a column must be a string"),
        }
    }

    /// Binds `column_names_of(table)` as a constant array of strings.
    fn column_names_of(&mut self, call: &Call<'_>) -> Bind<Expr> {
        let plan = self.table_argument(&call.arguments[0].value)?;
        let mut names = ArrayWriter::new();
        plan.schema().names().for_each(|name| names.push_text(name));
        Ok(Expr::literal(Value::dynamic(names.finish()), call.span))
    }

    /// Binds `estimate_data_size(*)` or `estimate_data_size(a, b, ...)` as the sum of the sizes of the columns.
    fn estimate_data_size(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        let columns = self.all(call.arguments, |binder, argument| match &argument.value.kind {
            ast::ParsedExprKind::Star if context.aggregates.is_some() => {
                Err(binder.outside_of_aggregate("`*`", argument.value.span))
            }
            ast::ParsedExprKind::Star => {
                let column = |(index, field): (usize, &Field)| Expr::column(index, field.ty, argument.value.span);
                Ok(context.schema.fields().iter().enumerate().map(column).collect())
            }
            _ => Ok(vec![binder.bind_expr(&argument.value, context)?]),
        })?;
        self.function_call(&data_size::DATA_SIZE, call.name, columns.concat(), call.span)
    }

    /// Binds `bin_auto(value)` as `bin_at` with the size and the fixed point that two options of the query set.
    fn bin_auto(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        let Some(size) = self.options.bin_auto.size.clone() else {
            let help = "write, before the query: set query_bin_auto_size = 1h;";
            let message = "`bin_auto` needs the option query_bin_auto_size";
            return Err(self.report(Diagnostic::new(Code::InvalidValue, call.span, message).help(help)));
        };
        let mut arguments = vec![self.bind_expr(&call.arguments[0].value, context)?, Expr::literal(size, call.span)];
        let at = self.options.bin_auto.at.clone().map(|at| Expr::literal(at, call.span));
        let name = if at.is_some() { "bin_at" } else { "bin" };
        arguments.extend(at);
        match functions::scalar_function(name) {
            Some(function) => self.function_call(function, call.name, arguments, call.span),
            None => Err(self.unknown_function(call.name)),
        }
    }

    /// Binds `pack_all()` as a bag of all columns; `pack_all(true)` leaves out null values and empty strings.
    fn pack_all(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        let columns: Vec<usize> = (0..context.schema.len()).collect();
        let ignores_empty = match call.arguments.first() {
            Some(argument) => self.constant(&argument.value)? == Value::Bool(true),
            None => false,
        };
        if ignores_empty {
            let pairs = pairs(&columns, context.schema, call.span);
            return self.function_call(&dynamic_bag::PACK_NOT_EMPTY, call.name, pairs, call.span);
        }
        self.pack(call, &columns, context)
    }

    /// Binds `bag_pack_columns(a, b, ...)` as a bag of the given columns.
    fn bag_pack_columns(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        let columns = self.all(call.arguments, |binder, argument| match &argument.value.kind {
            ast::ParsedExprKind::Name(column) => match context.schema.index_of(&column.text) {
                Some(index) => Ok(index),
                None => Err(binder.unknown_column(column, context.schema)),
            },
            _ => binder.error(Code::ArgumentType, argument.value.span, "the argument must be the name of a column"),
        })?;
        self.pack(call, &columns, context)
    }

    fn pack(&mut self, call: &Call<'_>, columns: &[usize], context: &ExprContext<'_>) -> Bind<Expr> {
        self.bag_of(columns, context.schema, call.span)
    }

    /// Returns a bag of the columns at these positions, in which each column is under its name.
    pub(in crate::binder) fn bag_of(&mut self, columns: &[usize], schema: &Schema, span: Span) -> Bind<Expr> {
        let name = ast::Name { text: "bag_pack".to_owned(), span };
        let Some(function) = functions::scalar_function(&name.text).filter(|_| !columns.is_empty()) else {
            return Ok(Expr::literal(Value::dynamic("{}"), span));
        };
        self.function_call(function, &name, pairs(columns, schema, span), span)
    }

    /// Binds `ingestion_time()` as the column of the table that has the time of ingestion.
    fn ingestion_time_call(&mut self, call: &Call<'_>, context: &mut ExprContext<'_>) -> Bind<Expr> {
        if context.aggregates.is_some() {
            return Err(self.outside_of_aggregate("`ingestion_time()`", call.span));
        }
        self.ingestion_time(context.schema, call.span)
    }

    /// Reports something that depends on a row although it is neither a key of `summarize` nor inside an aggregate.
    pub(super) fn outside_of_aggregate(&mut self, what: &str, span: Span) -> crate::binder::Failed {
        let message = format!("{what} is used outside an aggregate");
        let help = "summarize returns one row per group: add it after `by` or wrap it in an aggregate";
        self.report(Diagnostic::new(Code::NotAllowedHere, span, message).help(help))
    }
}

/// Returns the name and the value of each of the columns, one after the other.
fn pairs(columns: &[usize], schema: &Schema, span: Span) -> Vec<Expr> {
    let pair = |index: &usize| {
        let field = schema.field(*index);
        [Expr::literal(Value::string(field.name.as_str()), span), Expr::column(*index, field.ty, span)]
    };
    columns.iter().flat_map(pair).collect()
}

/// Returns the first value of the first column; a null of type `ty` if there are no rows.
fn first_value(rows: &[Batch], ty: Type) -> Value {
    let first = rows.iter().find(|batch| batch.rows() > 0);
    first.map_or(Value::null(ty), |batch| batch.column(0).value(0))
}
