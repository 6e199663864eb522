//! The regularized incomplete beta function, and its inverse.
//!
//! Source: the continued fraction of DLMF 8.17.22, evaluated with the modified method of Lentz.

/// Maximum number of steps of a continued fraction, which then counts as converged. For parameters up to 10,000 it
/// needs some hundreds.
const MAX_STEPS: usize = 10_000;
const TINY: f64 = 1e-300;
const EPSILON: f64 = 1e-16;

/// Returns the natural logarithm of the beta function; the parameters must be positive.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// Returns I_x(a, b) for x between 0 and 1 and positive parameters; NaN if any argument is NaN.
pub(super) fn regularized_beta(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return x;
    }
    let factor = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    // The fraction converges fast below the mean; above it, the symmetric value is computed.
    if x < (a + 1.0) / (a + b + 2.0) {
        factor * continued_fraction(x, a, b) / a
    } else {
        1.0 - factor * continued_fraction(1.0 - x, b, a) / b
    }
}

fn continued_fraction(x: f64, alpha: f64, beta: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut numerator = 1.0;
    let mut denominator = away_from_zero(1.0 - (alpha + beta) * x / (alpha + 1.0)).recip();
    let mut fraction = denominator;
    let mut step = 0.0;
    for _ in 0..MAX_STEPS {
        step += 1.0;
        let start = alpha + 2.0 * step;
        let even = step * (beta - step) * x / ((start - 1.0) * start);
        let odd = -(alpha + step) * (alpha + beta + step) * x / (start * (start + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            denominator = away_from_zero(1.0 + term * denominator).recip();
            numerator = away_from_zero(1.0 + term / numerator);
            change = numerator * denominator;
            fraction *= change;
        }
        if (change - 1.0).abs() < EPSILON {
            break;
        }
    }
    fraction
}

/// Returns the x for which I_x(a, b) is `probability`, which is between 0 and 1; the parameters must be positive.
pub(super) fn inverse_regularized_beta(probability: f64, a: f64, b: f64) -> f64 {
    if probability <= 0.0 || probability >= 1.0 {
        return probability;
    }
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    // Newton's method, and bisection where a step would leave the bracket.
    for _ in 0..200 {
        let error = regularized_beta(x, a, b) - probability;
        if error > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let slope = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta(a, b)).exp();
        let step = x - error / slope;
        let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
        if (next - x).abs() <= f64::EPSILON * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::{inverse_regularized_beta, regularized_beta};

    #[test]
    fn known_values() {
        // I_x(1, b) = 1 - (1 - x)^b, and I_x(a, 1) = x^a.
        for x in [0.01_f64, 0.3, 0.7, 0.99] {
            assert!((regularized_beta(x, 1.0, 7.0) - (1.0 - (1.0 - x).powi(7))).abs() < 1e-14);
            assert!((regularized_beta(x, 5.0, 1.0) - x.powi(5)).abs() < 1e-14);
        }
        assert!((regularized_beta(0.5, 3_000.0, 3_000.0) - 0.5).abs() < 1e-10);
    }

    #[test]
    fn extreme_parameters_end() {
        for (a, b) in [(1e-10, 1e-10), (1e12, 1e12), (1e300, 1.0), (f64::INFINITY, 1.0)] {
            let _ = inverse_regularized_beta(0.3, a, b);
        }
    }
}
