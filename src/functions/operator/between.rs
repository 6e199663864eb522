//! `between` and `!between`: both bounds are inclusive; null if any operand is null.

use super::comparison::{Relation, comparable_rows, relate};
use super::{DATETIME, JSON, NUMBER, TIMESPAN};
use crate::diagnostic::{Error, Result};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, ColumnBuilder, Type, datetime};

/// The operators `between` and `!between`.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "between",
        category: Category::Operator,
        summary: "True if the value is inside the inclusive range.",
        overloads: BETWEEN,
        examples: &[
            Example::new("3 between (2 .. 10)", "true"),
            Example::new("true between (false .. true)", "true"),
            Example::new("datetime(2024-01-02) between (datetime(2024-01-01) .. datetime(2024-01-02))", "true"),
            Example::new("7h between (2h .. 6h)", "false"),
            Example::new("datetime(2024-01-02) between (datetime(2024-01-01) .. 3d)", "true"),
            Example::new("dynamic(2.5) between (2 .. 3)", "true"),
            Example::new("2.5 between (dynamic(2) .. dynamic(3))", "true"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "!between",
        category: Category::Operator,
        summary: "True if the value is outside the inclusive range.",
        overloads: NOT_BETWEEN,
        examples: &[
            Example::new("3 !between (2 .. 10)", "false"),
            Example::new("true !between (false .. true)", "false"),
            Example::new("datetime(2024-01-03) !between (datetime(2024-01-01) .. datetime(2024-01-02))", "true"),
            Example::new("7h !between (2h .. 6h)", "true"),
            Example::new("datetime(2024-01-05) !between (datetime(2024-01-01) .. 3d)", "true"),
            Example::new("dynamic(2.5) !between (2 .. 3)", "false"),
            Example::new("2.5 !between (dynamic(2) .. dynamic(3))", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

static BETWEEN: &[Overload] = &overloads(|args| between(args, false), |args| within_duration(args, false));
static NOT_BETWEEN: &[Overload] = &overloads(|args| between(args, true), |args| within_duration(args, true));

const BOOL: Accepts = Accepts::Only(&[Type::Bool]);

const fn range(value: Accepts, low: Accepts, high: Accepts) -> [Param; 3] {
    [
        Param::of("value", value, "the value to test"),
        Param::of("low", low, "the lower bound, included"),
        Param::of("high", high, "the upper bound, included; a timespan counts from a lower datetime"),
    ]
}

static RANGES: [[Param; 3]; 7] = [
    range(NUMBER, NUMBER, NUMBER),
    range(BOOL, BOOL, BOOL),
    range(DATETIME, DATETIME, DATETIME),
    range(TIMESPAN, TIMESPAN, TIMESPAN),
    range(JSON, NUMBER, NUMBER),
    range(NUMBER, JSON, JSON),
    range(DATETIME, DATETIME, TIMESPAN),
];

const fn overloads(kernel: Kernel, within_duration: Kernel) -> [Overload; 7] {
    let returns = Returns::Type(Type::Bool);
    [
        Overload { params: &RANGES[0], returns, kernel },
        Overload { params: &RANGES[1], returns, kernel },
        Overload { params: &RANGES[2], returns, kernel },
        Overload { params: &RANGES[3], returns, kernel },
        Overload { params: &RANGES[4], returns, kernel },
        Overload { params: &RANGES[5], returns, kernel },
        Overload { params: &RANGES[6], returns, kernel: within_duration },
    ]
}

fn between(args: &Args<'_>, negated: bool) -> Result<Column> {
    in_range(args, args.columns(), negated)
}

/// Computes `between` with a timespan as its upper bound, which is added to the lower bound.
fn within_duration(args: &Args<'_>, negated: bool) -> Result<Column> {
    let (low, span, rows) = (args.column(1), args.column(2), args.distinct_rows());
    let constant = low.as_constant().is_some() && span.as_constant().is_some();
    let mut ends = ColumnBuilder::with_capacity(Type::Datetime, rows);
    for row in 0..if constant { rows.min(1) } else { rows } {
        match low.i64_at(row).zip(span.i64_at(row)).and_then(|(start, span)| datetime::add(start, span)) {
            Some(end) => ends.append_i64(end),
            None => ends.append_null(),
        }
    }
    let mut high = ends.finish();
    if constant && rows > 0 {
        high = Column::constant(high.value(0), args.rows());
    }
    in_range(args, &[args.column(0).clone(), low.clone(), high], negated)
}

fn in_range(args: &Args<'_>, columns: &[Column], negated: bool) -> Result<Column> {
    let rows = args.distinct_rows();
    let [value, low, high] = columns else {
        return Err(Error::internal("a range needs two bounds"));
    };
    let above = relate(value, low, rows, Relation::GreaterOrEqual)?;
    let within = &above & &relate(value, high, rows, Relation::LessOrEqual)?;
    Ok(args.truths(if negated { !&within } else { within }, comparable_rows(columns, rows)))
}
