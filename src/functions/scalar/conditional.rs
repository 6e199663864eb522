//! Conditional functions: choices between values, and tests for null and empty values.
//!
//! Every branch is computed for every row, because expressions have no side effects.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, Scalar};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{not, prep_null_mask_filter};

use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{Operand, decimals, integers, reals, valid_rows};
use crate::functions::signature::{Accepts, Casts, Kernel, Nulls, Overload, Param, Returns, TypeVariable};
use crate::functions::{Args, ScalarFunction};
use crate::types::cast::cast_column;
use crate::types::{Column, Type, Value, dynamic};

/// Returns the position of the argument of `iff` that all rows select; None if rows differ.
fn chosen_branch(arguments: &[Column]) -> Option<usize> {
    let condition = arguments.first()?;
    let hits = match condition.as_array() {
        Some(array) => array.as_boolean_opt()?.true_count(),
        None => condition.rows() * usize::from(condition.as_constant() == Some(&Value::Bool(true))),
    };
    match hits {
        0 => Some(2),
        hits => (hits == condition.rows()).then_some(1),
    }
}

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "iff",
        aliases: &["iif"],
        summary: "Returns the second argument if the first is true, otherwise the third.",
        overloads: &[Overload { params: BRANCHES, returns: Returns::Argument(1), kernel: choose }],
        examples: &[
            Example::new("iff(1 > 0, 'yes', 'no')", "yes"),
            Example::new("iff(false, int(1), int(2))", "int(2)"),
            Example::new("iff(true, 1, 2.5)", "1.0"),
            Example::new("iff(bool(null), 1, 2)", "2"),
        ],
        chosen: chosen_branch,
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "case",
        summary: "Returns the value after the first condition that is true, or the last argument if no condition is \
                  true.",
        overloads: &[Overload { params: CASES, returns: Returns::Argument(1), kernel: choose }],
        examples: &[
            Example::new("case(7 <= 3, 'small', 7 <= 10, 'medium', 'large')", "medium"),
            Example::new("case(bool(null), 1, 2)", "2"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "coalesce",
        summary: "Returns the first argument that is neither null nor an empty string.",
        overloads: &[
            Overload { params: VALUES, returns: Returns::Argument(0), kernel: coalesce },
            Overload { params: DYNAMIC_VALUES, returns: Returns::Type(Type::Dynamic), kernel: coalesce },
        ],
        examples: &[
            Example::new("coalesce(int(null), 42)", "42"),
            Example::new("coalesce('', 'fallback')", "fallback"),
            Example::new("coalesce('', '')", ""),
            Example::new("coalesce(0.0, 5.0)", "0.0"),
            Example::new("coalesce(dynamic(null), 5)", "5"),
            Example::new("coalesce(long(null), long(null))", "long(null)"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "max_of",
        summary: "Returns the greatest of the arguments, ignoring nulls.",
        overloads: &[Overload { params: ORDERED_VALUES, returns: Returns::Argument(0), kernel: greatest }],
        examples: &[
            Example::new("max_of(10, 1, -3, 17)", "17"),
            Example::new("max_of(1, 2.5)", "2.5"),
            Example::new("max_of(long(null), 2)", "2"),
            Example::new("max_of(long(null), long(null))", "long(null)"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "min_of",
        summary: "Returns the least of the arguments, ignoring nulls.",
        overloads: &[Overload { params: ORDERED_VALUES, returns: Returns::Argument(0), kernel: least }],
        examples: &[
            Example::new("min_of(10, 1, -3, 17)", "-3"),
            Example::new("min_of(1h, 30m)", "timespan(00:30:00)"),
            Example::new("min_of(long(null), 2)", "2"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "not",
        summary: "Returns the logical negation of a bool; null stays null.",
        overloads: &[Overload {
            params: &[Param::of("expression", BOOL, "the bool to negate")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.spread(Column::array(Type::Bool, Arc::new(not(truths(args, 0).as_boolean())?)))),
        }],
        examples: &[Example::new("not(true)", "false"), Example::new("not(bool(null))", "bool(null)")],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isnull",
        summary: "Returns true if the argument is null; a string never is.",
        overloads: &[question(|args| Ok(whether(args, null_rows(args), false)))],
        examples: &[
            Example::new("isnull(long(null))", "true"),
            Example::new("isnull('')", "false"),
            Example::new("isnull(dynamic(null))", "true"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isnotnull",
        aliases: &["notnull"],
        summary: "Returns true if the argument is not null; a string never is null.",
        overloads: &[question(|args| Ok(whether(args, null_rows(args), true)))],
        examples: &[Example::new("isnotnull(42)", "true"), Example::new("isnotnull(long(null))", "false")],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isempty",
        summary: "Returns true if the argument is null or an empty string.",
        overloads: &[question(|args| Ok(whether(args, empty_rows(args.column(0), args.distinct_rows()), false)))],
        examples: &[
            Example::new("isempty('')", "true"),
            Example::new("isempty(' ')", "false"),
            Example::new("isempty(long(null))", "true"),
            Example::new("isempty(dynamic([]))", "false"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isnotempty",
        aliases: &["notempty"],
        summary: "Returns true if the argument is neither null nor an empty string.",
        overloads: &[question(|args| Ok(whether(args, empty_rows(args.column(0), args.distinct_rows()), true)))],
        examples: &[
            Example::new("isnotempty('abc')", "true"),
            Example::new("isnotempty('')", "false"),
            Example::new("isnotempty(datetime(null))", "false"),
        ],
        ..CONDITIONAL
    },
];

const CONDITIONAL: ScalarFunction =
    ScalarFunction { category: Category::Conditional, nulls: Nulls::Handled, ..ScalarFunction::DEFAULT };

/// Accepts bool only; the query must convert a dynamic itself.
const BOOL: Accepts = Accepts::Exactly(&[Type::Bool]);

/// Accepts any type; the branches of a choice are cast to a common type.
const BRANCH: Accepts = Accepts::Same(TypeVariable { types: &Type::ALL, casts: Casts::Implicit });

static BRANCHES: &[Param] = &[
    Param::of("if", BOOL, "the condition"),
    Param::of("then", BRANCH, "the value returned if the condition is true"),
    Param::of("else", BRANCH, "the value returned if the condition is false or null"),
];

static CASES: &[Param] = &[
    Param::of("predicate", BOOL, "a condition").grouped(),
    Param::of("then", BRANCH, "the value returned if the preceding condition is the first true one").grouped(),
    Param::of("else", BRANCH, "the value returned if no condition is true"),
];

/// Accepts any type but dynamic; arguments of int and long may be mixed.
const VALUE: Accepts = Accepts::Same(TypeVariable {
    types: &[
        Type::Bool,
        Type::Int,
        Type::Long,
        Type::Real,
        Type::Decimal,
        Type::String,
        Type::Datetime,
        Type::Timespan,
        Type::Guid,
    ],
    casts: Casts::IntToLong,
});

static VALUES: &[Param] = &[Param::of("arg", VALUE, "a value"), Param::of("more", VALUE, "further values").repeated()];

/// The parameters if the first value is a dynamic: any type may follow, and the result is a dynamic.
static DYNAMIC_VALUES: &[Param] = &[
    Param::of("arg", Accepts::Exactly(&[Type::Dynamic]), "a value"),
    Param::of("more", Accepts::Any, "further values").repeated(),
];

/// Accepts the types whose values have an order. Whole numbers may be mixed with each other, and with one wider type of
/// numbers.
const ORDERED: Accepts = Accepts::Same(TypeVariable {
    types: &[
        Type::Bool,
        Type::Int,
        Type::Long,
        Type::Real,
        Type::Decimal,
        Type::String,
        Type::Datetime,
        Type::Timespan,
    ],
    casts: Casts::IntegerToNumber,
});

static ORDERED_VALUES: &[Param] =
    &[Param::of("arg", ORDERED, "a value"), Param::of("more", ORDERED, "further values").repeated()];

const fn question(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::of("value", Accepts::Any, "the value to test")] },
        returns: Returns::Type(Type::Bool),
        kernel,
    }
}

/// Returns a column as an operand of Arrow's kernels: an array of [`Args::distinct_rows`] rows, or a scalar.
fn datum(column: &Column) -> Box<dyn Datum> {
    match column.as_array() {
        Some(array) => Box::new(ArrayRef::clone(array)),
        None => Box::new(Scalar::new(column.resized(1).to_array())),
    }
}

/// Returns the bool argument at `index` as an array of [`Args::distinct_rows`] rows.
fn truths(args: &Args<'_>, index: usize) -> ArrayRef {
    let column = args.column(index);
    if column.as_array().is_some() { column.to_array() } else { column.resized(args.distinct_rows()).to_array() }
}

/// Returns the value of `then` in the rows for which `mask` is true, and that of `otherwise` in the others.
fn select(args: &Args<'_>, mask: &BooleanArray, then: &Column, otherwise: &Column) -> Result<Column> {
    let array = zip(mask, datum(then).as_ref(), datum(otherwise).as_ref())?;
    Ok(Column::array(args.returns(), array))
}

/// Computes `iff` and `case`: the arguments are `if, then, if, then, ..., else`.
fn choose(args: &Args<'_>) -> Result<Column> {
    let last = args.len() - 1;
    let mut result = args.column(last).clone();
    for condition in (0..last).step_by(2).rev() {
        let holds = truths(args, condition);
        let holds = holds.as_boolean();
        let mask = if holds.null_count() > 0 { prep_null_mask_filter(holds) } else { holds.clone() };
        result = select(args, &mask, args.column(condition + 1), &result)?;
    }
    Ok(args.spread(result))
}

/// Returns the arguments cast to the result type.
fn converted(args: &Args<'_>) -> Result<Vec<Column>> {
    args.columns().iter().map(|column| cast_column(column, args.returns())).collect()
}

fn coalesce(args: &Args<'_>) -> Result<Column> {
    let mut columns = converted(args)?.into_iter().rev();
    let mut result = columns.next().unwrap_or_else(|| Column::constant(Value::null(args.returns()), args.rows()));
    for column in columns {
        result = match absent_rows(&column, args.distinct_rows()) {
            Some(absent) => select(args, &BooleanArray::new(!&absent, None), &column, &result)?,
            None => column,
        };
    }
    Ok(args.spread(result))
}

/// Marks the rows that are null or an empty string; None if there are none. A dynamic with an empty string counts as a
/// value.
fn absent_rows(column: &Column, rows: usize) -> Option<BooleanBuffer> {
    let absent = match column.ty() {
        Type::String => BooleanBuffer::collect_bool(rows, |row| column.text_at(row).is_none_or(str::is_empty)),
        _ => !&valid_rows(column, rows)?,
    };
    (absent.count_set_bits() > 0).then_some(absent)
}

fn greatest(args: &Args<'_>) -> Result<Column> {
    extreme(args, |a, b| is_less(b, a))
}

fn least(args: &Args<'_>) -> Result<Column> {
    extreme(args, is_less)
}

/// Returns in each row the argument that sorts first; nulls sort last. `before` marks the rows in which one column
/// sorts before another.
fn extreme(args: &Args<'_>, before: impl Fn(Rows<'_>, Rows<'_>) -> Result<BooleanBuffer>) -> Result<Column> {
    let rows = args.distinct_rows();
    let mut columns = converted(args)?.into_iter();
    let mut result = columns.next().unwrap_or_else(|| Column::constant(Value::null(args.returns()), args.rows()));
    for column in columns {
        let mut mask = before(Rows { column: &column, rows }, Rows { column: &result, rows })?;
        if let Some(valid) = valid_rows(&result, rows) {
            mask = &mask | &!&valid;
        }
        if let Some(valid) = valid_rows(&column, rows) {
            mask = &mask & &valid;
        }
        result = select(args, &BooleanArray::new(mask, None), &column, &result)?;
    }
    Ok(args.spread(result))
}

#[derive(Clone, Copy)]
struct Rows<'a> {
    column: &'a Column,
    rows: usize,
}

/// Marks the rows in which `a` is less than `b`. Both have the same type; rows with a null are undefined.
fn is_less(a: Rows<'_>, b: Rows<'_>) -> Result<BooleanBuffer> {
    fn less<T: Copy + PartialOrd>(a: &Operand<'_, T>, b: &Operand<'_, T>, rows: usize) -> BooleanBuffer {
        a.pairwise(b, rows, |a, b| a < b)
    }
    Ok(match a.column.ty() {
        Type::Real => less(&reals(a.column), &reals(b.column), a.rows),
        Type::Decimal => less(&decimals(a.column), &decimals(b.column), a.rows),
        Type::String => {
            let texts = cmp::lt(datum(a.column).as_ref(), datum(b.column).as_ref())?;
            let values = texts.values();
            // Two scalars are compared once.
            if values.len() == a.rows {
                values.clone()
            } else {
                BooleanBuffer::collect_bool(a.rows, |_| values.value(0))
            }
        }
        _ => less(&integers(a.column), &integers(b.column), a.rows),
    })
}

/// Marks the rows in which the first argument is null; None if there are none.
fn null_rows(args: &Args<'_>) -> Option<BooleanBuffer> {
    valid_rows(args.column(0), args.distinct_rows()).map(|valid| !&valid)
}

/// Marks the rows that are null or an empty string, in a dynamic, too; None if there are none.
fn empty_rows(column: &Column, rows: usize) -> Option<BooleanBuffer> {
    let is_empty = |row| column.text_at(row).is_none_or(|json| dynamic::to_text(json).is_empty());
    match column.ty() {
        Type::Dynamic => Some(BooleanBuffer::collect_bool(rows, is_empty)),
        _ => absent_rows(column, rows),
    }
}

/// Returns a bool column that is true for `rows`, or with `negated` for all other rows. None stands for no rows.
fn whether(args: &Args<'_>, rows: Option<BooleanBuffer>, negated: bool) -> Column {
    let rows = rows.unwrap_or_else(|| BooleanBuffer::new_unset(args.distinct_rows()));
    args.truths(if negated { !&rows } else { rows }, None)
}
