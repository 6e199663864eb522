//! Decimal arithmetic: a sum, difference or product with more digits than a decimal holds is an error that ends the
//! query, and is never rounded. A quotient is rounded to the digits of a decimal.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::Args;
use crate::functions::operand::decimals;
use crate::types::{Column, ColumnBuilder, Decimal, Value};

/// Applies `of` to the two decimal arguments of each row; None becomes null.
pub(in crate::functions) fn compute(
    args: &Args<'_>,
    of: fn(Decimal, Decimal) -> Result<Option<Decimal>>,
) -> Result<Column> {
    let (a, b, nulls) = (decimals(args.column(0)), decimals(args.column(1)), args.nulls_anywhere());
    let mut builder = ColumnBuilder::with_capacity(args.returns(), args.distinct_rows());
    for row in 0..args.distinct_rows() {
        let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        match if null { None } else { of(a.get(row), b.get(row))? } {
            Some(value) => builder.append(&Value::Decimal(value)),
            None => builder.append_null(),
        }
    }
    Ok(args.spread(builder.finish()))
}

/// Applies `of` to the decimal argument of each row.
pub(in crate::functions) fn compute_one(args: &Args<'_>, of: fn(Decimal) -> Decimal) -> Result<Column> {
    let values = decimals(args.column(0));
    Ok(args.map(|row| Value::Decimal(of(values.get(row)))))
}

pub(super) fn add(a: Decimal, b: Decimal) -> Result<Option<Decimal>> {
    exact(a.checked_add(b))
}

pub(super) fn subtract(a: Decimal, b: Decimal) -> Result<Option<Decimal>> {
    exact(a.checked_sub(b))
}

pub(super) fn multiply(a: Decimal, b: Decimal) -> Result<Option<Decimal>> {
    exact(a.checked_mul(b))
}

/// Divides, and rounds to 34 digits; None if `b` is zero.
pub(super) fn divide(a: Decimal, b: Decimal) -> Result<Option<Decimal>> {
    if b.is_zero() { Ok(None) } else { exact(a.rounded_div(b)) }
}

/// Returns the remainder, which is not negative; None if `b` is zero.
pub(super) fn modulo(a: Decimal, b: Decimal) -> Result<Option<Decimal>> {
    match a.checked_rem(b) {
        Some(rest) if rest.is_negative() => add(rest, b.abs()),
        rest => Ok(rest),
    }
}

fn exact(result: Option<Decimal>) -> Result<Option<Decimal>> {
    result.map(Some).ok_or_else(too_many_digits)
}

pub(in crate::functions) fn too_many_digits() -> Error {
    Error::query(Code::ValueOutOfRange, Span::default(), "a decimal result has more than 34 digits")
}
