//! Evaluates expressions over batches.

use arrow::array::{Array, DictionaryArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use super::long_entries::{LongEntries, entries_with_null, keys_with_null};
use super::{Expr, ExprKind, SharedId};
use crate::diagnostic::{Error, Result};
use crate::functions::entry_cache::EntryOperation;
use crate::functions::{Args, EvalContext, Overload, ScalarFunction, Volatility};
use crate::types::dictionary::spread;
use crate::types::{Batch, Column, Type, cast, extract};

/// Returns the value of `expr` for each row of `batch`.
pub fn evaluate(expr: &Expr, batch: &Batch, context: &EvalContext) -> Result<Column> {
    evaluate_within(expr, batch, &Surroundings { context, shared: &[], outer: None })
}

/// What the value of an expression depends on besides its rows.
struct Surroundings<'a> {
    context: &'a EvalContext,
    /// The shared values that were computed so far.
    shared: &'a [(SharedId, Column)],
    /// What the enclosing expression depends on, for an expression inside an [`ExprKind::Shared`].
    outer: Option<&'a Surroundings<'a>>,
}

impl Surroundings<'_> {
    fn shared(&self, id: SharedId) -> Result<Column> {
        let found = self.shared.iter().rev().find(|(known, _)| *known == id);
        match (found, self.outer) {
            (Some((_, column)), _) => Ok(column.clone()),
            (None, Some(outer)) => outer.shared(id),
            (None, None) => Err(Error::internal("a shared value is used outside of the expression that shares it")),
        }
    }
}

fn evaluate_within(expr: &Expr, batch: &Batch, within: &Surroundings<'_>) -> Result<Column> {
    match &expr.kind {
        ExprKind::Column(index) => Ok(batch.column(*index).clone()),
        ExprKind::Literal(value) => Ok(Column::constant(value.clone(), batch.rows())),
        ExprKind::Path { input, path } => {
            let column = evaluate_within(input, batch, within)?;
            let operation = || EntryOperation::Path(path.clone());
            let extract = |column: &Column| Ok(extract::extract_column(column, path));
            on_entries_or_rows(&column, operation, Type::Dynamic, within.context, extract)
        }
        ExprKind::Cast(input) => {
            let column = evaluate_within(input, batch, within)?;
            let cast = |column: &Column| cast::cast_column(column, expr.ty).map_err(|error| error.placed(expr.span));
            on_entries_or_rows(&column, || EntryOperation::Cast, expr.ty, within.context, cast)
        }
        ExprKind::Call { function, overload, arguments } => {
            let columns = arguments.iter().map(|argument| evaluate_within(argument, batch, within));
            let columns = columns.collect::<Result<_>>()?;
            let call = FunctionCall { function, overload, returns: expr.ty, context: within.context };
            self::call(call, columns, batch.rows()).map_err(|error| error.placed(expr.span))
        }
        ExprKind::Shared { values, body } => {
            let mut shared: Vec<(SharedId, Column)> = Vec::with_capacity(values.len());
            for (id, value) in values {
                let inside = Surroundings { context: within.context, shared: &shared, outer: Some(within) };
                let column = evaluate_within(value, batch, &inside)?;
                shared.push((*id, column));
            }
            evaluate_within(
                body,
                batch,
                &Surroundings { context: within.context, shared: &shared, outer: Some(within) },
            )
        }
        ExprKind::Reference(id) => within.shared(*id),
    }
}

/// Computes an operation once for each entry if `column` is a dictionary of long strings, otherwise for its rows.
fn on_entries_or_rows(
    column: &Column,
    operation: impl FnOnce() -> EntryOperation,
    to: Type,
    context: &EvalContext,
    compute: impl Fn(&Column) -> Result<Column>,
) -> Result<Column> {
    let long = LongEntries::of(column);
    let result = long.and_then(|entries| entries.result(operation(), to, context.entry_cache(), &compute));
    result.unwrap_or_else(|| compute(column))
}

#[derive(Clone, Copy)]
struct FunctionCall<'a> {
    function: &'static ScalarFunction,
    overload: &'static Overload,
    returns: Type,
    context: &'a EvalContext,
}

fn call(call: FunctionCall<'_>, columns: Vec<Column>, rows: usize) -> Result<Column> {
    let chosen = (call.function.chosen)(&columns).and_then(|argument| columns.get(argument));
    if let Some(column) = chosen.filter(|column| column.ty() == call.returns) {
        return Ok(column.clone());
    }
    if let Some(result) = call_on_long_entries(call, &columns) {
        return result;
    }
    if call.function.volatility != Volatility::Row
        && let Some(position) = only_dictionary(&columns, rows)
    {
        return call_on_dictionary(call, &columns, position);
    }
    let plain = columns.iter().map(plain_texts).collect::<Result<Vec<_>>>()?;
    run(call, &plain, rows)
}

fn run(call: FunctionCall<'_>, columns: &[Column], rows: usize) -> Result<Column> {
    let args = Args::new(columns, rows, call.returns, call.function.nulls, call.context);
    let column = (call.overload.kernel)(&args).map_err(|error| match error {
        Error::Limit(message) => Error::Limit(format!("`{}`: {message}", call.function.name)),
        other => other,
    })?;
    if args.has_overflowed() {
        return Err(Error::BatchTooLarge(call.function.name));
    }
    let fits = column.rows() == rows && column.ty() == call.returns;
    fits.then_some(column)
        .ok_or_else(|| Error::internal(format!("`{}` returned a column of another type or length", call.function.name)))
}

fn dictionary(column: &Column) -> Option<&DictionaryArray<Int32Type>> {
    column.as_array()?.as_any().downcast_ref()
}

/// Returns the position of the only non-constant argument, if it is a dictionary with no more values than rows.
fn only_dictionary(columns: &[Column], rows: usize) -> Option<usize> {
    only_varying(columns)
        .filter(|position| dictionary(&columns[*position]).is_some_and(|dictionary| dictionary.values().len() <= rows))
}

/// Returns the position of the only non-constant argument.
fn only_varying(columns: &[Column]) -> Option<usize> {
    let mut varying = columns.iter().enumerate().filter(|(_, column)| column.as_constant().is_none());
    let (position, _) = varying.next()?;
    varying.next().is_none().then_some(position)
}

/// Evaluates a call once per distinct value of the dictionary at `position`, and expands the results to the rows.
fn call_on_dictionary(call: FunctionCall<'_>, columns: &[Column], position: usize) -> Result<Column> {
    let dictionary = dictionary(&columns[position]).ok_or_else(|| Error::internal("the argument is a dictionary"))?;
    let with_null = dictionary.keys().null_count() > 0;
    let entries = entries_with_null(columns[position].ty(), dictionary.values(), with_null)?;
    spread(&call_on_entries(call, columns, position, &entries)?, &keys_with_null(dictionary)?)
}

/// Evaluates a call with the entries of a dictionary in place of the argument at `position`; the others are constants.
fn call_on_entries(call: FunctionCall<'_>, columns: &[Column], position: usize, entries: &Column) -> Result<Column> {
    let distinct = entries.rows();
    let argument = |(index, column): (usize, &Column)| {
        if index == position { entries.clone() } else { column.resized(distinct) }
    };
    let arguments: Vec<Column> = columns.iter().enumerate().map(argument).collect();
    run(call, &arguments, distinct)
}

/// Evaluates a call of a pure function whose only varying argument is a dictionary of long strings; otherwise, None.
fn call_on_long_entries(call: FunctionCall<'_>, columns: &[Column]) -> Option<Result<Column>> {
    let position = only_varying(columns).filter(|_| call.function.volatility == Volatility::Pure)?;
    let entries = LongEntries::of(&columns[position])?;
    let constants = columns.iter().map(|column| column.as_constant().cloned()).collect();
    let operation = EntryOperation::Call(call.function, call.overload, constants);
    entries.result(operation, call.returns, call.context.entry_cache(), |entries| {
        call_on_entries(call, columns, position, entries)
    })
}

/// Decodes a dictionary column to string views, because kernels never get dictionaries; returns any other column
/// unchanged.
pub fn plain_texts(column: &Column) -> Result<Column> {
    match column.as_array() {
        Some(array) if matches!(array.data_type(), DataType::Dictionary(..)) => {
            Ok(Column::array(column.ty(), compute::cast(array, &DataType::Utf8View)?))
        }
        _ => Ok(column.clone()),
    }
}
