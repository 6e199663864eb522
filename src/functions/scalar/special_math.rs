//! The error, gamma and beta functions, and Welch's t-test.

use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::signature::{Accepts, Kernel, Overload, Param, ResultName, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type};

use super::beta::{inverse_regularized_beta, ln_beta, regularized_beta};

/// Accepts anything that converts to real.
const NUMBER: Accepts = Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]);
const X: Param = Param::of("x", NUMBER, "a number");
const ALPHA: Param = Param::of("alpha", NUMBER, "the first parameter of the distribution");
const BETA: Param = Param::of("beta", NUMBER, "the second parameter of the distribution");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "erf",
        summary: "Returns the error function of the number.",
        overloads: &[unary(|args| Ok(map(args, libm::erf)))],
        examples: &[Example::new("erf(0)", "0.0"), Example::new("round(erf(1), 6)", "0.842701")],
        result_name: ResultName::FirstArgument,
        ..MATH
    },
    ScalarFunction {
        name: "erfc",
        summary: "Returns the complementary error function of the number, 1 - erf(x).",
        overloads: &[unary(|args| Ok(map(args, libm::erfc)))],
        examples: &[Example::new("erfc(0)", "1.0")],
        result_name: ResultName::FirstArgument,
        ..MATH
    },
    ScalarFunction {
        name: "gamma",
        summary: "Returns the gamma function of the number.",
        overloads: &[unary(|args| Ok(map(args, libm::tgamma)))],
        examples: &[Example::new("gamma(5)", "24.0")],
        result_name: ResultName::FirstArgument,
        ..MATH
    },
    ScalarFunction {
        name: "loggamma",
        summary: "Returns the natural logarithm of the absolute value of the gamma function of the number.",
        overloads: &[unary(|args| Ok(map(args, libm::lgamma)))],
        examples: &[Example::new("loggamma(1)", "0.0")],
        result_name: ResultName::FirstArgument,
        ..MATH
    },
    ScalarFunction {
        name: "beta_cdf",
        summary: "Returns the cumulative distribution function of the beta distribution: NaN if x is not between 0 \
                  and 1, and 1 if alpha is not positive, as the engine does.",
        overloads: &[ternary(|args| Ok(map3(args, |x, alpha, beta| Some(cdf(x, alpha, beta)))))],
        examples: &[
            Example::new("round(beta_cdf(0.5, 2, 1), 6)", "0.25"),
            Example::new("isnan(beta_cdf(1.5, 2, 2))", "true"),
        ],
        ..MATH
    },
    ScalarFunction {
        name: "beta_inv",
        summary: "Returns the x for which beta_cdf(x, alpha, beta) is the probability: null if the probability is \
                  not between 0 and 1, NaN if alpha or beta is not positive.",
        overloads: &[ternary(|args| Ok(map3(args, inverse)))],
        examples: &[
            Example::new("round(beta_inv(0.1, 10.0, 20.0), 6)", "0.226415"),
            Example::new("beta_inv(1.5, 10.0, 20.0)", "real(null)"),
        ],
        ..MATH
    },
    ScalarFunction {
        name: "beta_pdf",
        summary: "Returns the density of the beta distribution: NaN if x is not between 0 and 1, or if alpha or beta \
                  is not positive.",
        overloads: &[ternary(|args| Ok(map3(args, |x, alpha, beta| Some(density(x, alpha, beta)))))],
        examples: &[Example::new("beta_pdf(0.5, 2, 2)", "1.5"), Example::new("isnan(beta_pdf(0.5, -1, 2))", "true")],
        ..MATH
    },
    ScalarFunction {
        name: "welch_test",
        summary: "Returns the two-sided p-value of Welch's t-test: the probability that two series with equal means \
                  differ at least as much as these.",
        overloads: &[Overload {
            params: &[
                Param::of("mean1", NUMBER, "the mean of the first series"),
                Param::of("variance1", NUMBER, "its variance"),
                Param::of("count1", NUMBER, "the number of its values"),
                Param::of("mean2", NUMBER, "the mean of the second series"),
                Param::of("variance2", NUMBER, "its variance"),
                Param::of("count2", NUMBER, "the number of its values"),
            ],
            returns: Returns::Type(Type::Real),
            kernel: |args| Ok(welch(args)),
        }],
        examples: &[Example::new("round(welch_test(20.1, 4.2, 15, 22.4, 5.3, 15), 4)", "0.0074")],
        ..MATH
    },
];

const MATH: ScalarFunction = ScalarFunction { category: Category::Math, ..ScalarFunction::DEFAULT };

const fn unary(kernel: Kernel) -> Overload {
    Overload { params: const { &[X] }, returns: Returns::Type(Type::Real), kernel }
}

const fn ternary(kernel: fn(&Args<'_>) -> Result<Column>) -> Overload {
    Overload { params: const { &[X, ALPHA, BETA] }, returns: Returns::Type(Type::Real), kernel }
}

fn map(args: &Args<'_>, of: impl Fn(f64) -> f64) -> Column {
    let numbers = reals(args.column(0));
    args.map(|row| of(numbers.get(row)))
}

fn map3(args: &Args<'_>, of: impl Fn(f64, f64, f64) -> Option<f64>) -> Column {
    let (a, b, c) = (reals(args.column(0)), reals(args.column(1)), reals(args.column(2)));
    args.map(|row| of(a.get(row), b.get(row), c.get(row)))
}

/// Computes `beta_cdf`. The engine returns 1 for a negative alpha; the rest follows the reference's page.
fn cdf(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) || beta.is_nan() || beta <= 0.0 || alpha.is_nan() {
        f64::NAN
    } else if alpha <= 0.0 {
        1.0
    } else {
        regularized_beta(x, alpha, beta)
    }
}

fn inverse(probability: f64, alpha: f64, beta: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&probability) {
        return None;
    }
    let is_valid = alpha > 0.0 && beta > 0.0;
    Some(if is_valid { inverse_regularized_beta(probability, alpha, beta) } else { f64::NAN })
}

fn density(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) || alpha.is_nan() || beta.is_nan() || alpha <= 0.0 || beta <= 0.0 {
        return f64::NAN;
    }
    let power = |base: f64, exponent: f64| if exponent == 0.0 { 0.0 } else { exponent * base.ln() };
    (power(x, alpha - 1.0) + power(1.0 - x, beta - 1.0) - ln_beta(alpha, beta)).exp()
}

fn welch(args: &Args<'_>) -> Column {
    let numbers: Vec<_> = args.columns().iter().map(reals).collect();
    args.map(|row| {
        let n = |index: usize| numbers[index].get(row);
        let (first, second) = (n(1) / n(2), n(4) / n(5));
        let t = (n(0) - n(3)) / (first + second).sqrt();
        let parts = first * first / (n(2) - 1.0) + second * second / (n(5) - 1.0);
        let freedom = (first + second).powi(2) / parts;
        regularized_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
    })
}

#[cfg(test)]
mod tests {
    use super::{cdf, density, inverse};

    #[test]
    fn the_inverse_undoes_the_distribution() {
        for (alpha, beta) in [(0.5, 0.5), (1.0, 3.0), (10.0, 20.0), (200.0, 3.0)] {
            for probability in [0.001, 0.1, 0.5, 0.9, 0.999] {
                let x = inverse(probability, alpha, beta).expect("a value");
                assert!((cdf(x, alpha, beta) - probability).abs() < 1e-12, "{alpha} {beta} {probability}");
            }
        }
    }

    #[test]
    fn densities_at_the_ends() {
        assert!((density(0.0, 1.0, 3.0) - 3.0).abs() < 1e-12);
        assert!(density(0.0, 2.0, 2.0).abs() < 1e-300);
        assert!(density(1.0, 0.5, 0.5).is_infinite());
    }
}
