//! variance, stdev and covariance: of a sample, of a population (`p`), and with a condition (`if`).
//!
//! The variance of x is the covariance of x with itself, so one state serves all of them.

use std::any::Any;

use super::conditional::conditional;
use super::double_double::DoubleDouble;
use super::element::Element;
use super::{Accumulator, AggregateArgument, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::Result;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, ColumnBuilder, Field, Type};

const NUMBERS: Accepts = Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]);
const EXPR: Param = Param::of("expr", NUMBERS, "the numbers; nulls are ignored");
const OTHER: Param = Param::of("other", NUMBERS, "the other numbers; rows with a null in either column are ignored");
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "variance",
        summary: "Returns the sample variance, or 0 for fewer than two values.",
        params: &[EXPR],
        result_name: ResultName::Prefix("variance_"),
        accumulator: |call| moments(call, SAMPLE_VARIANCE),
        examples: &[
            Example::new("range x from 1 to 5 step 1 | summarize variance(x)", "2.5"),
            Example::new("datatable(x:int) [int(null)] | summarize variance(x)", "0.0"),
        ],
        ..MOMENTS
    },
    AggregateFunction {
        name: "varianceif",
        summary: "Returns the sample variance of the rows for which a condition is true.",
        params: &[EXPR, PREDICATE],
        result_name: ResultName::Prefix("varianceif_"),
        accumulator: |call| conditional(call, 1, |call| moments(call, SAMPLE_VARIANCE)),
        examples: &[Example::new("range x from 1 to 100 step 1 | summarize varianceif(x, x % 2 == 0)", "850.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "variancep",
        summary: "Returns the population variance.",
        params: &[EXPR],
        result_name: ResultName::Prefix("variancep_"),
        accumulator: |call| moments(call, POPULATION_VARIANCE),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize variancep(x)", "2.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "variancepif",
        summary: "Returns the population variance of the rows for which a condition is true.",
        params: &[EXPR, PREDICATE],
        result_name: ResultName::Prefix("variancepif_"),
        accumulator: |call| conditional(call, 1, |call| moments(call, POPULATION_VARIANCE)),
        examples: &[Example::new("range x from 1 to 100 step 1 | summarize variancepif(x, x % 2 == 0)", "833.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "stdev",
        summary: "Returns the sample standard deviation, or 0 for fewer than two values.",
        params: &[EXPR],
        result_name: ResultName::Prefix("stdev_"),
        accumulator: |call| moments(call, Measure { root: true, ..SAMPLE_VARIANCE }),
        examples: &[Example::new("datatable(x:long) [1, 2, 3] | summarize stdev(x)", "1.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "stdevif",
        summary: "Returns the sample standard deviation of the rows for which a condition is true.",
        params: &[EXPR, PREDICATE],
        result_name: ResultName::Prefix("stdevif_"),
        accumulator: |call| conditional(call, 1, |call| moments(call, Measure { root: true, ..SAMPLE_VARIANCE })),
        examples: &[Example::new("range x from 1 to 9 step 1 | summarize stdevif(x, x <= 3)", "1.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "stdevp",
        summary: "Returns the population standard deviation.",
        params: &[EXPR],
        result_name: ResultName::Prefix("stdevp_"),
        accumulator: |call| moments(call, Measure { root: true, ..POPULATION_VARIANCE }),
        examples: &[Example::new("datatable(x:long) [1, 3] | summarize stdevp(x)", "1.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "covariance",
        summary: "Returns the sample covariance of two columns, or 0 for fewer than two pairs.",
        params: &[EXPR, OTHER],
        result_name: ResultName::Prefix("covariance_"),
        columns: pair_column,
        accumulator: |call| moments(call, Measure { pairs: true, ..SAMPLE_VARIANCE }),
        examples: &[Example::new("datatable(x:long, y:long) [1, 2, 3, 6] | summarize covariance(x, y)", "4.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "covarianceif",
        summary: "Returns the sample covariance of two columns in the rows for which a condition is true.",
        params: &[EXPR, OTHER, PREDICATE],
        result_name: ResultName::Prefix("covarianceif_"),
        columns: pair_column,
        accumulator: |call| conditional(call, 2, |call| moments(call, Measure { pairs: true, ..SAMPLE_VARIANCE })),
        examples: &[Example::new("range x from 1 to 9 step 1 | summarize covarianceif(x, 2 * x, x <= 3)", "2.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "covariancep",
        summary: "Returns the population covariance of two columns.",
        params: &[EXPR, OTHER],
        result_name: ResultName::Prefix("covariancep_"),
        columns: pair_column,
        accumulator: |call| moments(call, Measure { pairs: true, ..POPULATION_VARIANCE }),
        examples: &[Example::new("datatable(x:long, y:long) [1, 2, 3, 6] | summarize covariancep(x, y)", "2.0")],
        ..MOMENTS
    },
    AggregateFunction {
        name: "covariancepif",
        summary: "Returns the population covariance of two columns in the rows for which a condition is true.",
        params: &[EXPR, OTHER, PREDICATE],
        result_name: ResultName::Prefix("covariancepif_"),
        columns: pair_column,
        accumulator: |call| conditional(call, 2, |call| moments(call, Measure { pairs: true, ..POPULATION_VARIANCE })),
        examples: &[Example::new("range x from 1 to 9 step 1 | summarize covariancepif(x, 3 * x, x <= 3)", "2.0")],
        ..MOMENTS
    },
];

const MOMENTS: AggregateFunction =
    AggregateFunction { returns: Returns::Type(Type::Real), ..AggregateFunction::DEFAULT };

/// Returns the result column, named `covariance_x_y`. Source: the engine; the published analyzer omits the second name.
fn pair_column(function: &AggregateFunction, arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let prefix = function.name;
    let label = |index: usize| arguments.get(index).map_or("", AggregateArgument::label);
    vec![Field::new(format!("{prefix}_{}_{}", label(0), label(1)), Type::Real)]
}

/// The statistic that is computed from the sums.
#[derive(Clone, Copy, Debug)]
struct Measure {
    /// True for a sample: the sum of squares is divided by the count minus one.
    sample: bool,
    /// True if the result is the square root, as for a standard deviation.
    root: bool,
    /// True if two columns are used, as for the covariance.
    pairs: bool,
}

const SAMPLE_VARIANCE: Measure = Measure { sample: true, root: false, pairs: false };
const POPULATION_VARIANCE: Measure = Measure { sample: false, root: false, pairs: false };

#[expect(clippy::unnecessary_wraps, reason = "the shape that entries need")]
fn moments(_: &AggregateCall, measure: Measure) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Moments { groups: Vec::new(), measure }))
}

/// The sums from which the statistics are computed: the count, and the sums of x, y and their product.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: u64,
    x: DoubleDouble,
    y: DoubleDouble,
    product: DoubleDouble,
}

impl Sums {
    fn take(&mut self, x: f64, y: f64) {
        self.count += 1;
        self.x.add(x);
        self.y.add(y);
        self.product.add_product(x, y);
    }

    fn merge(&mut self, later: &Self) {
        self.count += later.count;
        self.x.add_sum(later.x);
        self.y.add_sum(later.y);
        self.product.add_sum(later.product);
    }

    /// Returns `(n * sum(xy) - sum(x) * sum(y)) / (n * (n - 1))`; for a population the divisor is `n * n`.
    #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
    fn result(&self, measure: Measure) -> f64 {
        /// A difference smaller than this fraction of its terms is rounding error.
        const NOISE: f64 = 1e-29;
        if self.count == 0 || measure.sample && self.count == 1 {
            return 0.0;
        }
        let count = self.count as f64;
        let product = self.product.times(count.into());
        let mut difference = product;
        difference.add_sum(self.x.times(self.y).negated());
        let difference = difference.value();
        if difference.abs() <= product.value().abs() * NOISE {
            return 0.0;
        }
        let result = difference / count / if measure.sample { count - 1.0 } else { count };
        if measure.root { result.sqrt() } else { result }
    }
}

#[derive(Debug)]
struct Moments {
    groups: Vec<Sums>,
    measure: Measure,
}

impl Accumulator for Moments {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize(groups, Sums::default());
        let groups = &mut self.groups;
        if self.measure.pairs {
            let mut others = vec![None; rows.len()];
            f64::for_each(&arguments[1], |row, y| others[row] = Some(y));
            f64::for_each(&arguments[0], |row, x| {
                if let Some(y) = others[row] {
                    groups[rows[row] as usize].take(x, y);
                }
            });
        } else {
            f64::for_each(&arguments[0], |row, x| groups[rows[row] as usize].take(x, x));
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize(groups, Sums::default());
        for (sums, group) in downcast::<Self>(later)?.groups.iter().zip(map) {
            self.groups[*group as usize].merge(sums);
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize(groups, Sums::default());
        let mut builder = ColumnBuilder::with_capacity(Type::Real, groups);
        self.groups.iter().for_each(|sums| builder.append_f64(sums.result(self.measure)));
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { groups: take_states(&mut self.groups, groups), measure: self.measure }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Sums>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut sums = Sums::default();
        values.into_iter().for_each(|value| sums.take(value, value));
        sums.result(SAMPLE_VARIANCE)
    }

    #[test]
    fn equal_values_have_none() {
        assert_eq!(variance([0.1; 1001]), 0.0);
    }

    #[test]
    fn small_differences_of_large_values_survive() {
        assert_eq!(variance([1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]), 1.0);
        assert!((variance([1e-9, 2e-9, 3e-9]) - 1e-18).abs() < 1e-33);
    }

    #[test]
    fn the_deviation_of_the_even_numbers() {
        let mut sums = Sums::default();
        (1..=50).for_each(|n| sums.take(f64::from(2 * n), f64::from(2 * n)));
        assert_eq!(sums.result(Measure { root: true, ..SAMPLE_VARIANCE }), 29.154759474226502);
    }

    #[test]
    fn what_is_not_a_number_stays() {
        assert!(variance([1.0, f64::NAN]).is_nan());
        assert!(variance([1.0, f64::INFINITY]).is_nan());
    }
}
