//! Element-wise arithmetic on series, and sums over them.
//!
//! An element is null in the result if it is not a number or has no counterpart in the other series. The result has
//! whole numbers if the operation preserves them and all elements are whole. Division by zero follows the rules for
//! reals: 2/0 is infinite.

use std::cmp::Ordering;

use super::array_elements::written;
use super::series::{SERIES, SeriesResult, elements, invalid, map_series, mean, number, real_in};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Kernel, Nulls, Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::write_value;
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_abs",
        summary: "Returns the absolute value of each element.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, Some(i64::checked_abs), f64::abs))],
        examples: &[
            Example::new("series_abs(dynamic([-6.5, 0, 8.2]))", "[6.5,0.0,8.2]"),
            Example::new("series_abs(dynamic([-6, 'a']))", "[6,null]"),
        ],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_acos",
        summary: "Returns the arc cosine of each element, in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::acos))],
        examples: &[Example::new("series_acos(dynamic([1]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_asin",
        summary: "Returns the arc sine of each element, in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::asin))],
        examples: &[Example::new("series_asin(dynamic([0]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_atan",
        summary: "Returns the arc tangent of each element, in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::atan))],
        examples: &[Example::new("series_atan(dynamic([0]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_ceiling",
        summary: "Returns the ceiling of each element, as a real.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::ceil))],
        examples: &[Example::new("series_ceiling(dynamic([-1.5, 1, 2.5]))", "[-1.0,1.0,3.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_cos",
        summary: "Returns the cosine of each element, an angle in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::cos))],
        examples: &[Example::new("series_cos(dynamic([0]))", "[1.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_exp",
        summary: "Returns e to the power of each element.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::exp))],
        examples: &[Example::new("series_exp(dynamic([0]))", "[1.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_floor",
        summary: "Returns the floor of each element, as a real.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::floor))],
        examples: &[Example::new("series_floor(dynamic([-1.5, 1, 2.5]))", "[-2.0,1.0,2.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_log",
        summary: "Returns the natural logarithm of each element.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::ln))],
        examples: &[Example::new("series_log(dynamic([1]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_sign",
        summary: "Returns the sign of each element: -1, 0 or 1.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, Some(|n| Some(n.signum())), sign))],
        examples: &[Example::new("series_sign(dynamic([-6, 0, 8]))", "[-1,0,1]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_sin",
        summary: "Returns the sine of each element, an angle in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::sin))],
        examples: &[Example::new("series_sin(dynamic([0]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_tan",
        summary: "Returns the tangent of each element, an angle in radians.",
        overloads: &[form(ONE, Type::Dynamic, |args| map(args, None, f64::tan))],
        examples: &[Example::new("series_tan(dynamic([0]))", "[0.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_add",
        summary: "Returns the element-wise sum of two series.",
        overloads: &[form(TWO, Type::Dynamic, |args| pairs(args, Some(i64::checked_add), |a, b| a + b))],
        examples: &[Example::new("series_add(dynamic([1, 2, 4]), dynamic([4, 2]))", "[5,4,null]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_subtract",
        summary: "Returns the element-wise difference of two series.",
        overloads: &[form(TWO, Type::Dynamic, |args| pairs(args, Some(i64::checked_sub), |a, b| a - b))],
        examples: &[Example::new("series_subtract(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "[-3,0,3]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_multiply",
        summary: "Returns the element-wise product of two series.",
        overloads: &[form(TWO, Type::Dynamic, |args| pairs(args, Some(i64::checked_mul), |a, b| a * b))],
        examples: &[Example::new("series_multiply(10, dynamic([4, 2.5]))", "[40.0,25.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_divide",
        summary: "Returns the element-wise quotient of two series, as reals.",
        overloads: &[form(TWO, Type::Dynamic, |args| pairs(args, None, |a, b| a / b))],
        examples: &[
            Example::new("series_divide(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "[0.25,1.0,4.0]"),
            Example::new("series_divide(dynamic([0, 2]), 0)", r#"["NaN","Infinity"]"#),
        ],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_pow",
        summary: "Returns the elements of the first series raised to the power of those of the second.",
        overloads: &[form(TWO, Type::Dynamic, |args| pairs(args, None, f64::powf))],
        examples: &[Example::new("series_pow(dynamic([1, 2, 3, 4]), dynamic([1, 2, 3, 0.5]))", "[1.0,4.0,27.0,2.0]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_equals",
        summary: "Returns for each element of two series whether they are equal.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_eq))],
        examples: &[Example::new("series_equals(dynamic([1, 2]), dynamic([1.0, 3]))", "[true,false]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_not_equals",
        summary: "Returns for each element of two series whether they differ.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_ne))],
        examples: &[Example::new("series_not_equals(dynamic([1, 2]), dynamic([1, 3]))", "[false,true]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_greater",
        summary: "Returns for each element of two series whether the first is greater.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_gt))],
        examples: &[Example::new("series_greater(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "[false,false,true]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_greater_equals",
        summary: "Returns for each element of two series whether the first is greater or equal.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_ge))],
        examples: &[Example::new("series_greater_equals(dynamic([1, 2, 4]), 2)", "[false,true,true]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_less",
        summary: "Returns for each element of two series whether the first is less.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_lt))],
        examples: &[Example::new("series_less(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "[true,false,false]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_less_equals",
        summary: "Returns for each element of two series whether the first is less or equal.",
        overloads: &[form(TWO, Type::Dynamic, |args| compare(args, Ordering::is_le))],
        examples: &[Example::new("series_less_equals(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "[true,true,false]")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_sum",
        summary: "Returns the sum of the elements of a series.",
        overloads: &[form(ONE, Type::Real, |args| over(args, |series| series.iter().sum()))],
        examples: &[Example::new("series_sum(dynamic([1, 2, 3, 4]))", "10.0")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_product",
        summary: "Returns the product of the elements of a series.",
        overloads: &[form(ONE, Type::Real, |args| over(args, |series| series.iter().product()))],
        examples: &[Example::new("series_product(dynamic([1, 2, 3, 4]))", "24.0")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_magnitude",
        summary: "Returns the magnitude of a series: the square root of the sum of the squared elements.",
        overloads: &[form(ONE, Type::Real, |args| {
            over(args, |series| series.iter().map(|n| n * n).sum::<f64>().sqrt())
        })],
        examples: &[Example::new("series_magnitude(dynamic([3, 4]))", "5.0")],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_dot_product",
        summary: "Returns the dot product of two series up to the length of the shorter one, ignoring elements that \
                  are not numbers.",
        overloads: &[Overload { params: &[FIRST, SECOND], returns: Returns::Type(Type::Real), kernel: dot_product }],
        examples: &[
            Example::new("series_dot_product(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", "12.0"),
            Example::new("series_dot_product(dynamic([1, 2, 4]), 1)", "7.0"),
        ],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_cosine_similarity",
        summary: "Returns the cosine similarity of two series up to the length of the shorter one, ignoring positions \
                  where either element is not a number, or null if one is empty.",
        overloads: &[Overload {
            params: &[
                SERIES,
                Param::new("other", Type::Dynamic, "an array of numbers"),
                Param::new("magnitude", Type::Real, "the magnitude of the first series, if it is known").optional(),
                Param::new("other_magnitude", Type::Real, "the magnitude of the other series, if it is known")
                    .optional(),
            ],
            returns: Returns::Type(Type::Real),
            kernel: cosine_similarity,
        }],
        examples: &[
            Example::new("series_cosine_similarity(dynamic([3, 4]), dynamic([6, 8, 1]))", "1.0"),
            Example::new("series_cosine_similarity(dynamic([3, 4]), dynamic([4, 3]), 5.0, 5.0)", "0.96"),
            Example::new("series_cosine_similarity(dynamic([]), dynamic([4, 3]))", "real(null)"),
        ],
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_pearson_correlation",
        summary: "Returns the Pearson correlation of two series, or null if they differ in length or contain \
                  anything but numbers.",
        overloads: &[Overload {
            params: &[SERIES, Param::new("other", Type::Dynamic, "an array of numbers")],
            returns: Returns::Type(Type::Real),
            kernel: correlation,
        }],
        examples: &[Example::new("series_pearson_correlation(dynamic([1, 2, 3]), dynamic([2, 4, 6]))", "1.0")],
        ..SERIES_FUNCTION
    },
];

const SERIES_FUNCTION: ScalarFunction =
    ScalarFunction { category: Category::Series, nulls: Nulls::Propagate, ..ScalarFunction::DEFAULT };

/// The parameter for an array, or for one number that is used for all elements.
const FIRST: Param = Param::of("series", EITHER, "an array of numbers, or one number for all");
const SECOND: Param = Param::of("other", EITHER, "an array of numbers, or one number for all");
const EITHER: Accepts = Accepts::Exactly(&[Type::Dynamic, Type::Long, Type::Int, Type::Real]);

const ONE: &[Param] = &[SERIES];
const TWO: &[Param] = &[FIRST, SECOND];

const fn form(params: &'static [Param], returns: Type, kernel: Kernel) -> Overload {
    Overload { params, returns: Returns::Type(returns), kernel }
}

fn sign(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number.signum() }
}

/// An operand of an element-wise operation.
enum SeriesOperand<'a> {
    Series(Vec<&'a str>),
    /// A number, as JSON, that is used for every element.
    One(String),
}

impl SeriesOperand<'_> {
    /// Reads the operand in `row`; None if it is null.
    fn of(column: &Column, row: usize) -> SeriesResult<Option<SeriesOperand<'_>>> {
        if column.ty() != Type::Dynamic {
            let mut text = String::new();
            write_value(&column.value(row), &mut text);
            return Ok(Some(SeriesOperand::One(text)));
        }
        Ok(elements(column, row)?.map(SeriesOperand::Series))
    }

    fn get(&self, index: usize) -> Option<&str> {
        match self {
            Self::Series(elements) => elements.get(index).copied(),
            Self::One(number) => Some(number),
        }
    }

    fn len(&self) -> Option<usize> {
        match self {
            Self::Series(elements) => Some(elements.len()),
            Self::One(_) => None,
        }
    }
}

/// Returns both operands of `row`; None if either is null.
fn operands<'a>(args: &Args<'a>, row: usize) -> SeriesResult<Option<(SeriesOperand<'a>, SeriesOperand<'a>)>> {
    let (left, right) = (SeriesOperand::of(args.column(0), row)?, SeriesOperand::of(args.column(1), row)?);
    Ok(left.zip(right))
}

/// True if an element is a whole number or no number at all: only numbers count.
fn is_whole(element: &str) -> bool {
    real_in(element).is_none() || element.parse::<i64>().is_ok()
}

fn real(value: f64) -> String {
    let mut text = String::new();
    write_value(&Value::Real(value), &mut text);
    text
}

fn long(value: Option<i64>) -> SeriesResult<String> {
    value.map(|value| value.to_string()).ok_or(Doubt::SeriesTooLarge)
}

fn map(args: &Args<'_>, whole: Option<fn(i64) -> Option<i64>>, of: fn(f64) -> f64) -> Result<Column> {
    map_series(args, |row| {
        let Some(series) = elements(args.column(0), row)? else { return Ok(None) };
        let whole = whole.filter(|_| series.iter().all(|element| is_whole(element)));
        let element = |element: &&str| match (real_in(element), whole, element.parse()) {
            (None, ..) => Ok("null".to_owned()),
            (Some(_), Some(whole), Ok(number)) => long(whole(number)),
            (Some(number), ..) => Ok(real(of(number))),
        };
        Ok(Some(written(series.iter().map(element).collect::<SeriesResult<Vec<_>>>()?)))
    })
}

/// Returns the pairs of elements up to the end of the longer series; a pair is None if either element is not a number.
fn matched<'a>(
    left: &'a SeriesOperand<'_>,
    right: &'a SeriesOperand<'_>,
) -> impl Iterator<Item = Option<(&'a str, &'a str)>> {
    let longest = left.len().max(right.len()).unwrap_or(0);
    let numeric = |element: &&str| real_in(element).is_some();
    (0..longest).map(move |index| Some((left.get(index).filter(numeric)?, right.get(index).filter(numeric)?)))
}

/// Returns the pairs of numbers up to the end of the shorter series, without the pairs in which either element is not a
/// number. None if the shorter series is empty.
fn common_pairs(left: &SeriesOperand<'_>, right: &SeriesOperand<'_>) -> Option<Vec<(f64, f64)>> {
    let shortest = [left.len(), right.len()].into_iter().flatten().min().filter(|shortest| *shortest > 0)?;
    let pairs = matched(left, right).take(shortest).flatten();
    Some(pairs.filter_map(|(a, b)| Some((real_in(a)?, real_in(b)?))).collect())
}

fn pairs(
    args: &Args<'_>,
    whole: Option<fn(i64, i64) -> Option<i64>>,
    of: impl Fn(f64, f64) -> f64 + Copy,
) -> Result<Column> {
    map_series(args, |row| {
        let Some((left, right)) = operands(args, row)? else { return Ok(None) };
        let all_whole = matched(&left, &right).flatten().all(|(a, b)| is_whole(a) && is_whole(b));
        let whole = whole.filter(|_| all_whole);
        let element = |pair: Option<(&str, &str)>| {
            let Some((a, b)) = pair else { return Ok("null".to_owned()) };
            match (whole, a.parse(), b.parse()) {
                (Some(whole), Ok(a), Ok(b)) => long(whole(a, b)),
                _ => Ok(real(of(real_in(a).unwrap_or(f64::NAN), real_in(b).unwrap_or(f64::NAN)))),
            }
        };
        Ok(Some(written(matched(&left, &right).map(element).collect::<SeriesResult<Vec<_>>>()?)))
    })
}

fn compare(args: &Args<'_>, holds: fn(Ordering) -> bool) -> Result<Column> {
    // NaN differs from every number, itself included.
    let unordered = !holds(Ordering::Equal) && holds(Ordering::Less) && holds(Ordering::Greater);
    map_series(args, |row| {
        let Some((left, right)) = operands(args, row)? else { return Ok(None) };
        let element = |pair: Option<(&str, &str)>| {
            let Some((a, b)) = pair.and_then(|(a, b)| real_in(a).zip(real_in(b))) else { return "null" };
            if a.partial_cmp(&b).map_or(unordered, holds) { "true" } else { "false" }
        };
        Ok(Some(written(matched(&left, &right).map(element))))
    })
}

fn over(args: &Args<'_>, of: impl Fn(&[f64]) -> f64 + Copy) -> Result<Column> {
    map_series(args, |row| {
        let Some(elements) = elements(args.column(0), row)? else { return Ok(None) };
        let series: Option<Vec<f64>> = elements.into_iter().map(real_in).collect();
        let series = series.ok_or(Doubt::SeriesElements)?;
        if series.is_empty() { Err(Doubt::SeriesUndefined) } else { Ok(Some(of(&series))) }
    })
}

fn dot_product(args: &Args<'_>) -> Result<Column> {
    if args.columns().iter().all(|column| column.ty() != Type::Dynamic) {
        return Err(invalid("the product of two numbers is not supported here: one side is a series"));
    }
    map_series(args, |row| {
        let Some((left, right)) = operands(args, row)? else { return Ok(None) };
        Ok(common_pairs(&left, &right).map(|pairs| pairs.iter().map(|(a, b)| a * b).sum::<f64>()))
    })
}

fn cosine_similarity(args: &Args<'_>) -> Result<Column> {
    let given = |index: usize, row: usize| args.columns().get(index).and_then(|column| column.f64_at(row));
    map_series(args, |row| {
        let Some((left, right)) = operands(args, row)? else { return Ok(None) };
        let Some(pairs) = common_pairs(&left, &right) else { return Ok(None) };
        let product: f64 = pairs.iter().map(|(a, b)| a * b).sum();
        let left = given(2, row).unwrap_or_else(|| pairs.iter().map(|(a, _)| a * a).sum::<f64>().sqrt());
        let right = given(3, row).unwrap_or_else(|| pairs.iter().map(|(_, b)| b * b).sum::<f64>().sqrt());
        Ok(Some(product / (left * right)))
    })
}

fn correlation(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let series = |index: usize| {
            let elements = elements(args.column(index), row)?;
            Ok(elements.and_then(|elements| elements.into_iter().map(number).collect::<Option<Vec<f64>>>()))
        };
        let (Some(left), Some(right)) = (series(0)?, series(1)?) else { return Ok(None) };
        if left.len() != right.len() {
            return Ok(None);
        }
        let averages = (mean(&left), mean(&right));
        let (mut products, mut squares) = (0.0, (0.0, 0.0));
        for (a, b) in left.iter().zip(&right) {
            let (a, b) = (a - averages.0, b - averages.1);
            products += a * b;
            squares = (squares.0 + a * a, squares.1 + b * b);
        }
        if squares.0 == 0.0 || squares.1 == 0.0 {
            return Err(Doubt::SeriesUndefined);
        }
        Ok(Some(products / (squares.0 * squares.1).sqrt()))
    })
}
