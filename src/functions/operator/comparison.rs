//! `<`, `<=`, `>`, `>=`: null if either side is null. KQL does not order strings.

use arrow::buffer::BooleanBuffer;

use super::json_number::Number;
use super::{DATETIME, JSON, NUMBER, NUMBER_OR_BOOL, TIMESPAN, left, right};
use crate::diagnostic::{Error, Result};
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{decimals, integers, reals, valid_rows};
use crate::functions::signature::{Kernel, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type};

/// The operators `<`, `<=`, `>` and `>=`.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "<",
        category: Category::Operator,
        summary: "True if the left side is less.",
        overloads: LESS,
        examples: &[
            Example::new("1 < 1.5", "true"),
            Example::new("datetime(2024-01-01) < datetime(2024-01-02)", "true"),
            Example::new("1d < 24h", "false"),
            Example::new("dynamic(1) < 2", "true"),
            Example::new("1 < dynamic(1)", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "<=",
        category: Category::Operator,
        summary: "True if the left side is less or equal.",
        overloads: LESS_OR_EQUAL,
        examples: &[
            Example::new("2 <= 1.5", "false"),
            Example::new("datetime(2024-01-01) <= datetime(2024-01-02)", "true"),
            Example::new("1d <= 24h", "true"),
            Example::new("dynamic(1) <= 2", "true"),
            Example::new("1 <= dynamic(1)", "true"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: ">",
        category: Category::Operator,
        summary: "True if the left side is greater.",
        overloads: GREATER,
        examples: &[
            Example::new("2 > 1.5", "true"),
            Example::new("datetime(2024-01-01) > datetime(2024-01-02)", "false"),
            Example::new("1d > 23h", "true"),
            Example::new("dynamic(1) > 2", "false"),
            Example::new("2 > dynamic(1)", "true"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: ">=",
        category: Category::Operator,
        summary: "True if the left side is greater or equal.",
        overloads: GREATER_OR_EQUAL,
        examples: &[
            Example::new("2 >= 1.5", "true"),
            Example::new("datetime(2024-01-01) >= datetime(2024-01-02)", "false"),
            Example::new("1d >= 24h", "true"),
            Example::new("dynamic(1) >= 2", "false"),
            Example::new("2 >= dynamic(1)", "true"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

static LESS: &[Overload] = &overloads(|args| relational(args, Relation::Less));
static LESS_OR_EQUAL: &[Overload] = &overloads(|args| relational(args, Relation::LessOrEqual));
static GREATER: &[Overload] = &overloads(|args| relational(args, Relation::Greater));
static GREATER_OR_EQUAL: &[Overload] = &overloads(|args| relational(args, Relation::GreaterOrEqual));

static PAIRS: [[Param; 2]; 5] = [
    [left(NUMBER_OR_BOOL), right(NUMBER_OR_BOOL)],
    [left(DATETIME), right(DATETIME)],
    [left(TIMESPAN), right(TIMESPAN)],
    [left(JSON), right(NUMBER)],
    [left(NUMBER), right(JSON)],
];

const fn overloads(kernel: Kernel) -> [Overload; 5] {
    let returns = Returns::Type(Type::Bool);
    [
        Overload { params: &PAIRS[0], returns, kernel },
        Overload { params: &PAIRS[1], returns, kernel },
        Overload { params: &PAIRS[2], returns, kernel },
        Overload { params: &PAIRS[3], returns, kernel },
        Overload { params: &PAIRS[4], returns, kernel },
    ]
}

/// A comparison operator for two values that have an order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// True if the relation holds between `a` and `b`. Reals are compared as IEEE 754 does: no relation holds for NaN.
    pub(super) fn holds<T: PartialOrd>(self, a: T, b: T) -> bool {
        match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

fn relational(args: &Args<'_>, relation: Relation) -> Result<Column> {
    let (left, right, rows) = (args.column(0), args.column(1), args.distinct_rows());
    let values = relate(left, right, rows, relation)?;
    Ok(args.truths(values, comparable_rows(args.columns(), rows)))
}

/// Marks the rows in which `relation` holds between `left` and `right`. Rows that cannot be compared are undefined; see
/// [`comparable_rows`].
pub(super) fn relate(left: &Column, right: &Column, rows: usize, relation: Relation) -> Result<BooleanBuffer> {
    use Type::{Bool, Datetime, Decimal, Dynamic, Int, Long, Real, Timespan};
    Ok(match (left.ty(), right.ty()) {
        (Dynamic, _) | (_, Dynamic) => {
            let holds = |row| relation.holds(number_at(left, row), number_at(right, row));
            BooleanBuffer::collect_bool(rows, holds)
        }
        (Real, Bool | Int | Long | Real | Decimal) | (Bool | Int | Long | Decimal, Real) => {
            reals(left).pairwise(&reals(right), rows, |a, b| relation.holds(a, b))
        }
        (Decimal, Bool | Int | Long | Decimal) | (Bool | Int | Long, Decimal) => {
            decimals(left).pairwise(&decimals(right), rows, |a, b| relation.holds(a, b))
        }
        // One loop per relation, so that each is vectorized.
        (Bool | Int | Long, Bool | Int | Long) | (Datetime, Datetime) | (Timespan, Timespan) => {
            let (a, b) = (integers(left), integers(right));
            match relation {
                Relation::Less => a.pairwise(&b, rows, |a, b| a < b),
                Relation::LessOrEqual => a.pairwise(&b, rows, |a, b| a <= b),
                Relation::Greater => a.pairwise(&b, rows, |a, b| a > b),
                Relation::GreaterOrEqual => a.pairwise(&b, rows, |a, b| a >= b),
            }
        }
        (a, b) => return Err(Error::internal(format!("{a} {relation:?} {b} is not defined"))),
    })
}

/// Returns the number in a row, or the one that a dynamic or a string inside it spells; None if there is none.
fn number_at(column: &Column, row: usize) -> Option<Number> {
    if column.ty() == Type::Dynamic {
        return Number::read_json(column.text_at(row)?);
    }
    Number::from_value(&column.value(row))
}

/// Marks the rows that can be compared in every column: those without a null, and without a dynamic that is not a
/// number. None if all rows can be compared.
pub(super) fn comparable_rows(columns: &[Column], rows: usize) -> Option<BooleanBuffer> {
    let comparable = |column: &Column| match column.ty() {
        Type::Dynamic => Some(BooleanBuffer::collect_bool(rows, |row| number_at(column, row).is_some())),
        _ => valid_rows(column, rows),
    };
    columns.iter().filter_map(comparable).reduce(|a, b| &a & &b)
}
