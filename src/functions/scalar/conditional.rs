//! Choosing between values, and asking whether there is one.
//!
//! All branches are computed for all rows: nothing a branch can do has an effect.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, Scalar};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{not, prep_null_mask_filter};

use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{Operand, decimals, integers, reals, valid_rows};
use crate::functions::signature::{Accepts, Kernel, Nulls, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::cast::cast_column;
use crate::types::{Column, Type, Value, dynamic};

/// The branch of `iff` that all rows take.
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

/// The functions of this family.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "iff",
        aliases: &["iif"],
        summary: "The second argument where the first is true, else the third.",
        overloads: &[
            choice(&BRANCHES.boolean, Type::Bool),
            choice(&BRANCHES.int, Type::Int),
            choice(&BRANCHES.long, Type::Long),
            choice(&BRANCHES.real, Type::Real),
            choice(&BRANCHES.decimal, Type::Decimal),
            choice(&BRANCHES.string, Type::String),
            choice(&BRANCHES.datetime, Type::Datetime),
            choice(&BRANCHES.timespan, Type::Timespan),
            choice(&BRANCHES.guid, Type::Guid),
            choice(&BRANCHES.json, Type::Dynamic),
        ],
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
        summary: "The value after the first condition that is true, the last argument where none is.",
        overloads: &[
            choice(&CASES.boolean, Type::Bool),
            choice(&CASES.int, Type::Int),
            choice(&CASES.long, Type::Long),
            choice(&CASES.real, Type::Real),
            choice(&CASES.decimal, Type::Decimal),
            choice(&CASES.string, Type::String),
            choice(&CASES.datetime, Type::Datetime),
            choice(&CASES.timespan, Type::Timespan),
            choice(&CASES.guid, Type::Guid),
            choice(&CASES.json, Type::Dynamic),
        ],
        examples: &[
            Example::new("case(7 <= 3, 'small', 7 <= 10, 'medium', 'large')", "medium"),
            Example::new("case(bool(null), 1, 2)", "2"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "coalesce",
        summary: "The first argument that is neither null nor an empty text.",
        overloads: &[
            uniform(&LISTS.boolean, Returns::Argument(0), coalesce),
            uniform(&LISTS.int, Returns::Argument(0), coalesce),
            uniform(&LISTS.integer, Returns::Type(Type::Long), coalesce),
            uniform(&LISTS.real, Returns::Argument(0), coalesce),
            uniform(&LISTS.decimal, Returns::Argument(0), coalesce),
            uniform(&LISTS.string, Returns::Argument(0), coalesce),
            uniform(&LISTS.datetime, Returns::Argument(0), coalesce),
            uniform(&LISTS.timespan, Returns::Argument(0), coalesce),
            uniform(&LISTS.guid, Returns::Argument(0), coalesce),
            uniform(&LISTS.json, Returns::Type(Type::Dynamic), coalesce),
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
        summary: "The greatest of the arguments that are not null.",
        overloads: &[
            uniform(&LISTS.boolean, Returns::Argument(0), greatest),
            uniform(&LISTS.int, Returns::Argument(0), greatest),
            uniform(&LISTS.integer, Returns::Type(Type::Long), greatest),
            uniform(&LISTS.number, Returns::Type(Type::Real), greatest),
            uniform(&LISTS.exact_number, Returns::Type(Type::Decimal), greatest),
            uniform(&LISTS.string, Returns::Argument(0), greatest),
            uniform(&LISTS.datetime, Returns::Argument(0), greatest),
            uniform(&LISTS.timespan, Returns::Argument(0), greatest),
        ],
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
        summary: "The least of the arguments that are not null.",
        overloads: &[
            uniform(&LISTS.boolean, Returns::Argument(0), least),
            uniform(&LISTS.int, Returns::Argument(0), least),
            uniform(&LISTS.integer, Returns::Type(Type::Long), least),
            uniform(&LISTS.number, Returns::Type(Type::Real), least),
            uniform(&LISTS.exact_number, Returns::Type(Type::Decimal), least),
            uniform(&LISTS.string, Returns::Argument(0), least),
            uniform(&LISTS.datetime, Returns::Argument(0), least),
            uniform(&LISTS.timespan, Returns::Argument(0), least),
        ],
        examples: &[
            Example::new("min_of(10, 1, -3, 17)", "-3"),
            Example::new("min_of(1h, 30m)", "timespan(00:30:00)"),
            Example::new("min_of(long(null), 2)", "2"),
        ],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "not",
        summary: "The opposite of a truth value; null of null.",
        overloads: &[Overload {
            params: &[Param::of("expression", BOOL, "the truth value")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.spread(Column::array(Type::Bool, Arc::new(not(truths(args, 0).as_boolean())?)))),
        }],
        examples: &[Example::new("not(true)", "false"), Example::new("not(bool(null))", "bool(null)")],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isnull",
        summary: "True where the argument is null; a text never is.",
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
        summary: "True where the argument is not null; a text never is.",
        overloads: &[question(|args| Ok(whether(args, null_rows(args), true)))],
        examples: &[Example::new("isnotnull(42)", "true"), Example::new("isnotnull(long(null))", "false")],
        ..CONDITIONAL
    },
    ScalarFunction {
        name: "isempty",
        summary: "True where the argument is null or its text is empty.",
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
        summary: "True where the argument is not null and its text is not empty.",
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

/// A dynamic has to be converted by the query.
const BOOL: Accepts = Accepts::Exactly(&[Type::Bool]);

/// The parameters of a family of forms, a list for each type.
struct Forms<const N: usize> {
    boolean: [Param; N],
    int: [Param; N],
    long: [Param; N],
    real: [Param; N],
    decimal: [Param; N],
    string: [Param; N],
    datetime: [Param; N],
    timespan: [Param; N],
    guid: [Param; N],
    json: [Param; N],
}

static BRANCHES: Forms<3> = Forms {
    boolean: branches(Type::Bool),
    int: branches(Type::Int),
    long: branches(Type::Long),
    real: branches(Type::Real),
    decimal: branches(Type::Decimal),
    string: branches(Type::String),
    datetime: branches(Type::Datetime),
    timespan: branches(Type::Timespan),
    guid: branches(Type::Guid),
    json: branches(Type::Dynamic),
};

const fn branches(ty: Type) -> [Param; 3] {
    [
        Param::of("if", BOOL, "the condition"),
        Param::new("then", ty, "the value where the condition is true"),
        Param::new("else", ty, "the value where it is false or null"),
    ]
}

static CASES: Forms<3> = Forms {
    boolean: cases(Type::Bool),
    int: cases(Type::Int),
    long: cases(Type::Long),
    real: cases(Type::Real),
    decimal: cases(Type::Decimal),
    string: cases(Type::String),
    datetime: cases(Type::Datetime),
    timespan: cases(Type::Timespan),
    guid: cases(Type::Guid),
    json: cases(Type::Dynamic),
};

const fn cases(ty: Type) -> [Param; 3] {
    [
        Param::of("predicate", BOOL, "a condition").grouped(),
        Param::new("then", ty, "the value where the condition before it is the first true one").grouped(),
        Param::new("else", ty, "the value where no condition is true"),
    ]
}

struct Lists {
    boolean: [Param; 2],
    int: [Param; 2],
    integer: [Param; 2],
    real: [Param; 2],
    number: [Param; 2],
    decimal: [Param; 2],
    exact_number: [Param; 2],
    string: [Param; 2],
    datetime: [Param; 2],
    timespan: [Param; 2],
    guid: [Param; 2],
    json: [Param; 2],
}

static LISTS: Lists = Lists {
    boolean: list(&[Type::Bool]),
    int: list(&[Type::Int]),
    integer: list(&[Type::Long, Type::Int]),
    real: list(&[Type::Real]),
    number: list(&[Type::Real, Type::Long, Type::Int]),
    decimal: list(&[Type::Decimal]),
    exact_number: list(&[Type::Decimal, Type::Long, Type::Int]),
    string: list(&[Type::String]),
    datetime: list(&[Type::Datetime]),
    timespan: list(&[Type::Timespan]),
    guid: list(&[Type::Guid]),
    json: [
        Param::of("arg", Accepts::Exactly(&[Type::Dynamic]), "a value"),
        Param::of("more", Accepts::Any, "further values").repeated(),
    ],
};

const fn list(types: &'static [Type]) -> [Param; 2] {
    [
        Param::of("arg", Accepts::Exactly(types), "a value"),
        Param::of("more", Accepts::Exactly(types), "further values").repeated(),
    ]
}

const fn choice(params: &'static [Param], ty: Type) -> Overload {
    Overload { params, returns: Returns::Type(ty), kernel: choose }
}

const fn uniform(params: &'static [Param], returns: Returns, kernel: Kernel) -> Overload {
    Overload { params, returns, kernel }
}

const fn question(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::of("value", Accepts::Any, "what to look at")] },
        returns: Returns::Type(Type::Bool),
        kernel,
    }
}

/// A column as an operand of Arrow's kernels: an array of [`Args::distinct_rows`], or one value for all of them.
fn datum(column: &Column) -> Box<dyn Datum> {
    match column.as_array() {
        Some(array) => Box::new(ArrayRef::clone(array)),
        None => Box::new(Scalar::new(column.resized(1).to_array())),
    }
}

/// The bool argument at `index` as an array of [`Args::distinct_rows`].
fn truths(args: &Args<'_>, index: usize) -> ArrayRef {
    let column = args.column(index);
    if column.as_array().is_some() { column.to_array() } else { column.resized(args.distinct_rows()).to_array() }
}

/// `then` where `mask` is true, `otherwise` elsewhere.
fn select(args: &Args<'_>, mask: &BooleanArray, then: &Column, otherwise: &Column) -> Result<Column> {
    let array = zip(mask, datum(then).as_ref(), datum(otherwise).as_ref())?;
    Ok(Column::array(args.returns(), array))
}

/// `if, then, if, then, ..., else`.
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

/// The arguments as the type of the result.
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

/// The rows that are null or an empty text; None where there is none. An empty text inside a dynamic is a value.
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

/// The value that no other goes before, as `before` has it; a null goes after every value.
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

/// Where `a` is less than `b`, both of one type; rows with a null hold anything.
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

/// The rows in which the first argument is null; None where there is none.
fn null_rows(args: &Args<'_>) -> Option<BooleanBuffer> {
    valid_rows(args.column(0), args.distinct_rows()).map(|valid| !&valid)
}

/// The rows that are null or whose text is empty; None where there is none.
fn empty_rows(column: &Column, rows: usize) -> Option<BooleanBuffer> {
    let is_empty = |row| column.text_at(row).is_none_or(|json| dynamic::to_text(json).is_empty());
    match column.ty() {
        Type::Dynamic => Some(BooleanBuffer::collect_bool(rows, is_empty)),
        _ => absent_rows(column, rows),
    }
}

/// Whether a row is one of `rows`, or with `negated` none.
fn whether(args: &Args<'_>, rows: Option<BooleanBuffer>, negated: bool) -> Column {
    let rows = rows.unwrap_or_else(|| BooleanBuffer::new_unset(args.distinct_rows()));
    args.truths(if negated { !&rows } else { rows }, None)
}
