//! The polynomial that best fits a series.
//!
//! Source: the reference's page on `series_fit_poly`. The powers of x, scaled to -1..1, are made orthogonal by the
//! modified Gram-Schmidt method, applied twice, which is accurate for high degrees, too.

use super::series::{SERIES, SeriesResult, count, invalid, map_series, numbers, reals, variance};
use super::series_fit::{STATISTIC, real};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::Example;
use crate::functions::signature::{Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// Maximum degree: coefficients of higher powers would have no correct digits.
const MAX_DEGREE: usize = 20;

/// The minimum length of the part of a power of x that is orthogonal to all lower powers. If it is shorter, the power
/// depends on them.
const DEPENDENT: f64 = 1e-13;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "series_fit_poly",
    summary: "Returns the polynomial of a given degree that best fits a series, by polynomial regression.",
    overloads: &[Overload { params: PARAMS, returns: Returns::Type(Type::Dynamic), kernel: fit_poly }],
    examples: &[Example::new("series_fit_poly(dynamic([1, 4, 9, 16]), dynamic([1, 2, 3, 4]), 2)", "1.0")],
    columns: &[
        ("rsquare", Type::Real),
        ("coefficients", Type::Dynamic),
        ("variance", Type::Real),
        ("rvariance", Type::Real),
        ("poly_fit", Type::Dynamic),
    ],
    validate: |constants| match constants.get(2).copied().flatten().and_then(Value::as_i64) {
        Some(given) if degree(given).is_none() => Err(invalid(format!("the degree must be from 1 to {MAX_DEGREE}"))),
        _ => Ok(()),
    },
    ..STATISTIC
}];

static PARAMS: &[Param] = &[
    SERIES,
    Param::new("x_series", Type::Dynamic, "the positions of the points; 1, 2, 3, ... by default").optional(),
    Param::new("degree", Type::Long, "the degree of the polynomial; 1 by default").optional(),
];

/// Returns `given` if a polynomial of that degree can be computed, otherwise None.
fn degree(given: i64) -> Option<usize> {
    usize::try_from(given).ok().filter(|degree| (1..=MAX_DEGREE).contains(degree))
}

fn fit_poly(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let Some(y) = numbers(args.column(0), row)? else { return Ok(None) };
        let x = match args.columns().get(1) {
            Some(column) => numbers(column, row)?,
            None => Some((1..=y.len()).map(count).collect()),
        };
        let Some(x) = x else { return Ok(None) };
        let given = args.columns().get(2).map_or(Some(1), |column| column.i64_at(row));
        let Some(given) = given else { return Ok(None) };
        let fit = fit(&x, &y, degree(given).ok_or(Doubt::SeriesUndefined)?)?;
        let mut array = ArrayWriter::new();
        [
            fit.rsquare.map_or_else(|| "null".to_owned(), real),
            reals(fit.coefficients),
            real(fit.variance),
            real(fit.residual_variance),
            reals(fit.values),
        ]
        .iter()
        .for_each(|json| array.push_json(json));
        Ok(Some(array.finish()))
    })
}

/// A fitted polynomial, and how well it fits.
struct Polynomial {
    /// The quality of the fit, from 0 to 1; None for equal values.
    rsquare: Option<f64>,
    /// The coefficients, that of the highest power first.
    coefficients: Vec<f64>,
    variance: f64,
    residual_variance: f64,
    /// The value of the polynomial at each position.
    values: Vec<f64>,
}

/// Returns the polynomial that fits best; a doubt if there are not more points at different positions than `degree`.
fn fit(x: &[f64], y: &[f64], degree: usize) -> SeriesResult<Polynomial> {
    if x.len() != y.len() || y.len() <= degree {
        return Err(Doubt::SeriesUndefined);
    }
    let spread = variance(y);
    let (least, greatest) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let scale = Scale { center: f64::midpoint(least, greatest), half: (greatest - least) / 2.0 };
    let basis = Basis::new(&x.iter().map(|x| (x - scale.center) / scale.half).collect::<Vec<_>>(), degree)
        .ok_or(Doubt::SeriesUndefined)?;
    let weights: Vec<f64> = basis.columns.iter().map(|column| dot(column, y)).collect();
    let value = |row: usize| basis.columns.iter().zip(&weights).map(|(column, weight)| column[row] * weight).sum();
    let values: Vec<f64> = (0..y.len()).map(value).collect();
    let residuals: Vec<f64> = y.iter().zip(&values).map(|(y, value)| y - value).collect();
    let residual_variance = variance(&residuals);
    Ok(Polynomial {
        rsquare: (spread != 0.0).then(|| 1.0 - residual_variance / spread),
        coefficients: scale.unscaled(&basis.solve(&weights)),
        variance: spread,
        residual_variance,
        values,
    })
}

/// An orthonormal basis of the powers of x: each power is a combination of the columns up to its own.
struct Basis {
    columns: Vec<Vec<f64>>,
    /// The coordinates of each power in the basis. A power uses only the columns up to its own, so this is a triangular
    /// matrix.
    triangle: Vec<Vec<f64>>,
}

impl Basis {
    /// Builds the basis for the powers up to `degree`; None if the powers depend on each other.
    fn new(x: &[f64], degree: usize) -> Option<Self> {
        let mut basis = Self { columns: Vec::new(), triangle: Vec::new() };
        let mut power = vec![1.0; x.len()];
        for _ in 0..=degree {
            let (mut column, mut components) = (power.clone(), vec![0.0; basis.columns.len()]);
            for _ in 0..2 {
                for (other, component) in basis.columns.iter().zip(&mut components) {
                    let along = dot(other, &column);
                    *component += along;
                    column.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
                }
            }
            let length = dot(&column, &column).sqrt();
            // False for a NaN, too.
            let is_independent = length > DEPENDENT * dot(&power, &power).sqrt();
            if !is_independent {
                return None;
            }
            column.iter_mut().for_each(|value| *value /= length);
            components.push(length);
            basis.columns.push(column);
            basis.triangle.push(components);
            power.iter_mut().zip(x).for_each(|(power, x)| *power *= x);
        }
        Some(basis)
    }

    /// Converts the weights of the columns to coefficients of the powers, the lowest first.
    fn solve(&self, weights: &[f64]) -> Vec<f64> {
        let mut coefficients = weights.to_vec();
        for power in (0..coefficients.len()).rev() {
            coefficients[power] /= self.triangle[power][power];
            for lower in 0..power {
                coefficients[lower] -= self.triangle[power][lower] * coefficients[power];
            }
        }
        coefficients
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// The mapping of positions to -1..1: subtract `center` and divide by `half`.
struct Scale {
    center: f64,
    half: f64,
}

impl Scale {
    /// Converts the coefficients of a polynomial over -1..1, the lowest power first, to those of one over the
    /// positions, the highest power first.
    fn unscaled(&self, scaled: &[f64]) -> Vec<f64> {
        let mut result = vec![0.0; scaled.len()];
        // Horner's scheme, with polynomials instead of numbers.
        for coefficient in scaled.iter().rev() {
            for power in (0..result.len()).rev() {
                let lower = if power > 0 { result[power - 1] } else { 0.0 };
                result[power] = (lower - self.center * result[power]) / self.half;
            }
            result[0] += coefficient;
        }
        result.reverse();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn polynomials_are_found_again() {
        let x: Vec<f64> = (0..60).map(|n| f64::from(n) / 7.0 + 3.0).collect();
        let wanted = [0.5, -2.0, 0.0, 1.25, 7.0];
        let y: Vec<f64> = x.iter().map(|x| wanted.iter().fold(0.0, |sum, c| sum * x + c)).collect();
        let found = fit(&x, &y, 4).expect("enough points");
        assert!(found.coefficients.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", found.coefficients);
        assert!(found.rsquare.is_some_and(|rsquare| (rsquare - 1.0).abs() < 1e-12));
    }

    #[test]
    fn equal_positions_have_no_polynomial() {
        assert!(fit(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 1).is_err());
        assert!(fit(&[1.0, 2.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 5.0], 2).is_err());
        assert!(fit(&[1.0, 2.0], &[1.0, 2.0], 2).is_err());
    }
}
