//! Calls that the binder itself expands: they look at names or at tables, not at values.

use super::Context;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions;
use crate::syntax::ast;
use crate::types::Value;

type Form = for<'b> fn(&mut Binder<'b>, &ast::Name, &[ast::Argument], Span, &mut Context<'_>) -> Bind<Expr>;

/// The expansion of a special form.
pub(super) fn form(name: &str) -> Option<Form> {
    match name {
        "toscalar" => Some(toscalar),
        "column_ifexists" | "columnifexists" => Some(column_ifexists),
        "pack_all" => Some(pack_all),
        "extract" => Some(super::typed::extract),
        "extract_json" | "extractjson" => Some(super::typed::extract_json),
        "ingestion_time" => Some(ingestion_time),
        "bag_pack_columns" => Some(bag_pack_columns),
        "materialize" | "table" | "_GetWatchlist" => Some(not_a_value),
        _ => None,
    }
}

/// `toscalar(table)`: the first column of the first row, known before the query runs; a typed null of no rows.
/// `toscalar(value)` is the value.
fn toscalar(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let [argument] = arguments else {
        return Err(binder.wrong_count(name, arguments.len(), (1, Some(1)), "toscalar(table)"));
    };
    let plan = match binder.table_or_value(&argument.value, context)? {
        Some(Binding::Table(plan)) => plan,
        Some(Binding::Value(value) | Binding::RowValue(value, _)) => return Ok(value),
        _ => match &argument.value.kind {
            ast::ExprKind::Name(name) if binder.is_unknown(name, context) => return Err(binder.unknown_table(name)),
            _ => return binder.bind_expr(&argument.value, context),
        },
    };
    binder.known_first_column(&plan, argument.value.span)?;
    let Some(ty) = plan.schema().fields().first().map(|field| field.ty) else {
        return binder.error(Code::InvalidValue, span, "a table without columns has no value");
    };
    let first = crate::plan::LogicalPlan::Limit { input: Box::new(plan), count: 1 };
    let rows = binder.evaluate(&first)?;
    let value = rows.iter().find(|batch| batch.rows() > 0).map_or(Value::null(ty), |batch| batch.column(0).value(0));
    Ok(Expr::literal(value, span))
}

/// `column_ifexists(name, default)`: the column where the rows have it, else the default.
fn column_ifexists(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let [column, default] = arguments else {
        return Err(binder.wrong_count(name, arguments.len(), (2, Some(2)), "column_ifexists(name, default)"));
    };
    let wanted = binder.constant(&column.value)?;
    let Some(wanted) = wanted.as_str() else {
        return binder.error(Code::ArgumentType, column.value.span, "the name of a column is a string");
    };
    match context.schema.index_of(wanted) {
        Some(index) => Ok(Expr::column(index, context.schema.field(index).ty, span)),
        None => {
            binder.miss(wanted);
            binder.bind_expr(&default.value, context)
        }
    }
}

/// `pack_all([ignore_null_empty])`: all columns as one bag.
fn pack_all(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let ignore = match arguments {
        [] => false,
        [argument] => binder.constant(&argument.value)? == Value::Bool(true),
        _ => return Err(binder.wrong_count(name, arguments.len(), (0, Some(1)), "pack_all([ignore_null_empty])")),
    };
    if ignore {
        let message = "`pack_all(true)` is KQL, but not supported here yet";
        return binder.error(Code::UnsupportedSyntax, span, message);
    }
    let columns: Vec<usize> = (0..context.schema.len()).collect();
    pack(binder, name, &columns, span, context)
}

/// `bag_pack_columns(a, b, ...)`: columns as one bag, each under its name.
fn bag_pack_columns(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let columns = binder.all(arguments, |binder, argument| match &argument.value.kind {
        ast::ExprKind::Name(column) => match context.schema.index_of(&column.text) {
            Some(index) => Ok(index),
            None => Err(binder.unknown_column(column, context.schema)),
        },
        _ => binder.error(Code::ArgumentType, argument.value.span, "a column is needed"),
    })?;
    pack(binder, name, &columns, span, context)
}

fn pack(binder: &mut Binder<'_>, name: &ast::Name, columns: &[usize], span: Span, context: &Context<'_>) -> Bind<Expr> {
    let Some(function) = functions::scalar_function("bag_pack") else {
        return Err(binder.unknown_function(name));
    };
    let pair = |index: &usize| {
        let field = context.schema.field(*index);
        [Expr::literal(Value::string(field.name.as_str()), span), Expr::column(*index, field.ty, span)]
    };
    binder.function_call(function, name, columns.iter().flat_map(pair).collect(), span)
}

/// `ingestion_time()`: when the record was ingested, as far as the table has a column that says so.
fn ingestion_time(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    if !arguments.is_empty() {
        return Err(binder.wrong_count(name, arguments.len(), (0, Some(0)), "ingestion_time()"));
    }
    if context.aggregates.is_some() {
        let message = "`ingestion_time()` outside of an aggregate";
        let help = "a summarize answers one row a group: put it behind `by`, or an aggregate around it";
        return Err(binder.report(Diagnostic::new(Code::NotAllowedHere, span, message).help(help)));
    }
    binder.ingestion_time(context.schema, span)
}

fn not_a_value(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    _: &[ast::Argument],
    span: Span,
    _: &mut Context<'_>,
) -> Bind<Expr> {
    let message = format!("`{}` answers a table, and a value is needed", name.text);
    binder.error(Code::ExpectedTable, span, message)
}
