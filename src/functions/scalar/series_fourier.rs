//! The discrete Fourier transform of series, and its inverse.
//!
//! Source: the reference's pages on `series_fft` and `series_ifft`. The inverse divides by the number of points, so
//! that it restores the series.

use super::series::{SERIES, count, map_series, numbers, reals};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type};

/// Maximum length of a series whose length is not a power of two, because the work is quadratic.
const MAX_ODD_LENGTH: usize = 16_384;

/// A complex number: its real and its imaginary part.
type Complex = (f64, f64);

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_fft",
        summary: "Returns the discrete Fourier transform of a series, as its real and imaginary components.",
        overloads: &[Overload {
            params: PARAMS,
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| transformed(args, false),
        }],
        examples: &[Example::new("series_fft(dynamic([1, 2, 3, 4]))", "[10.0,-2.0,-2.0,-2.0]")],
        ..TRANSFORM
    },
    ScalarFunction {
        name: "series_ifft",
        summary: "Returns the series with a discrete Fourier transform, as its real and imaginary components.",
        overloads: &[Overload {
            params: PARAMS,
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| transformed(args, true),
        }],
        examples: &[Example::new(
            "series_ifft(dynamic([10, -2, -2, -2]), dynamic([0, 2, 0, -2]))",
            "[1.0,2.0,3.0,4.0]",
        )],
        ..TRANSFORM
    },
];

const TRANSFORM: ScalarFunction = ScalarFunction {
    category: Category::Series,
    result_name: ResultName::Numbered,
    columns: &[("real", Type::Dynamic), ("imag", Type::Dynamic)],
    ..ScalarFunction::DEFAULT
};

static PARAMS: &[Param] = &[
    SERIES,
    Param::new(
        "series_imaginary",
        Type::Dynamic,
        "the imaginary components, an array of the same length; 0 by default",
    )
    .optional(),
];

fn transformed(args: &Args<'_>, inverse: bool) -> Result<Column> {
    map_series(args, |row| {
        let Some(real) = numbers(args.column(0), row)? else { return Ok(None) };
        let imaginary = match args.columns().get(1) {
            Some(column) => numbers(column, row)?,
            None => Some(vec![0.0; real.len()]),
        };
        let Some(imaginary) = imaginary else { return Ok(None) };
        if real.len() != imaginary.len() {
            return Err(Doubt::SeriesUndefined);
        }
        let points: Vec<Complex> = real.into_iter().zip(imaginary).collect();
        if !points.len().is_power_of_two() && points.len() > MAX_ODD_LENGTH {
            return Err(Doubt::SeriesTooLarge);
        }
        let scale = if inverse { count(points.len()) } else { 1.0 };
        let output = transform(&points, inverse);
        let mut array = ArrayWriter::new();
        array.push_json(&reals(output.iter().map(|(real, _)| real / scale)));
        array.push_json(&reals(output.iter().map(|(_, imaginary)| imaginary / scale)));
        Ok(Some(array.finish()))
    })
}

/// Returns the transform of `points`, not divided by their number.
pub(super) fn transform(points: &[Complex], inverse: bool) -> Vec<Complex> {
    let n = points.len();
    let roots: Vec<Complex> = (0..n).map(|index| root(index, n, inverse)).collect();
    if n.is_power_of_two() { fast(points, &roots) } else { direct(points, &roots) }
}

/// Returns the root of unity with the angle of `index / n` turns, exact for multiples of a quarter.
fn root(index: usize, n: usize, inverse: bool) -> Complex {
    let (real, imaginary) = match (4 * index % n, 4 * index / n) {
        (0, 0) => (1.0, 0.0),
        (0, 1) => (0.0, 1.0),
        (0, 2) => (-1.0, 0.0),
        (0, 3) => (0.0, -1.0),
        _ => {
            let (sin, cos) = (std::f64::consts::TAU * count(index) / count(n)).sin_cos();
            (cos, sin)
        }
    };
    (real, if inverse { imaginary } else { -imaginary })
}

fn product(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn direct(points: &[Complex], roots: &[Complex]) -> Vec<Complex> {
    let n = points.len();
    let term = |frequency: usize| {
        points.iter().enumerate().fold((0.0, 0.0), |sum: Complex, (index, point)| {
            let term = product(*point, roots[frequency * index % n]);
            (sum.0 + term.0, sum.1 + term.1)
        })
    };
    (0..n).map(term).collect()
}

/// Computes the transform with the algorithm of Cooley and Tukey; the number of points must be a power of two.
fn fast(points: &[Complex], roots: &[Complex]) -> Vec<Complex> {
    let n = points.len();
    let shift = usize::BITS - n.trailing_zeros();
    let reversed = |index: usize| if n == 1 { index } else { index.reverse_bits() >> shift };
    let mut output: Vec<Complex> = (0..n).map(|index| points[reversed(index)]).collect();
    let mut half = 1;
    while half < n {
        for block in output.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (index, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let term = product(*b, roots[index * (n / (2 * half))]);
                let sum = (a.0 + term.0, a.1 + term.1);
                *b = (a.0 - term.0, a.1 - term.1);
                *a = sum;
            }
        }
        half *= 2;
    }
    output
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{Complex, count, direct, fast, root, transform};

    #[test]
    fn the_fast_transform_equals_the_direct_one_and_the_inverse_restores_the_points() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for n in [1_usize, 2, 3, 4, 7, 8, 12, 64, 100, 256] {
            let points: Vec<Complex> =
                (0..n).map(|_| (random.random_range(-9.0..9.0), random.random_range(-9.0..9.0))).collect();
            let close = |a: &[Complex], b: &[Complex]| {
                a.iter().zip(b).all(|(a, b)| (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9)
            };
            if n.is_power_of_two() {
                let roots: Vec<Complex> = (0..n).map(|index| root(index, n, false)).collect();
                assert!(close(&fast(&points, &roots), &direct(&points, &roots)), "{n}");
            }
            let back = transform(&transform(&points, false), true);
            let back: Vec<Complex> = back.into_iter().map(|(a, b)| (a / count(n), b / count(n))).collect();
            assert!(close(&back, &points), "{n}");
        }
    }
}
