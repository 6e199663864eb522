//! sum, sumif, avg, avgif: sums and averages.

use super::conditional::conditional;
use super::double_double::DoubleDouble;
use super::fold::{Fold, fold};
use super::{Accumulator, AggregateCall, AggregateFunction};
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{ColumnBuilder, Decimal, Type, Value};

/// The types that can be summed. The engine also sums datetimes, but the meaning is not documented.
const SUMMED: Accepts = Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Timespan]);
const AVERAGED: Accepts =
    Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Timespan, Type::Datetime]);
const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "sum",
        summary: "Returns the sum of the values, ignoring nulls, or 0 if there are none.",
        params: &[Param::of("expr", SUMMED, "the values to add")],
        returns: Returns::By(sum_type),
        result_name: ResultName::Prefix("sum_"),
        accumulator: sum,
        examples: &[
            Example::new("range x from 1 to 4 step 1 | summarize sum(x)", "10"),
            Example::new("datatable(x:timespan) [1d, 3h] | summarize sum(x)", "1.03:00:00"),
            Example::new("datatable(x:int) [int(null)] | summarize sum(x)", "0"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "sumif",
        summary: "Returns the sum of the values in rows for which a condition is true.",
        params: &[Param::of("expr", SUMMED, "the values to add"), PREDICATE],
        returns: Returns::By(sum_type),
        result_name: ResultName::Prefix("sumif_"),
        accumulator: |call| conditional(call, 1, sum),
        examples: &[Example::new("range x from 1 to 4 step 1 | summarize sumif(x, x > 2)", "7")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "avg",
        summary: "Returns the average of the values, ignoring nulls; without values it is NaN for numbers, null for \
                  other types.",
        params: &[Param::of("expr", AVERAGED, "the values to average")],
        returns: Returns::By(average_type),
        result_name: ResultName::Prefix("avg_"),
        accumulator: average,
        examples: &[
            Example::new("range x from 1 to 4 step 1 | summarize avg(x)", "2.5"),
            Example::new("datatable(x:timespan) [1m, 3m] | summarize avg(x)", "00:02:00"),
            Example::new("datatable(x:int) [int(null)] | summarize avg(x)", "NaN"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "avgif",
        summary: "Returns the average of the values in rows for which a condition is true.",
        params: &[Param::of("expr", AVERAGED, "the values to average"), PREDICATE],
        returns: Returns::By(average_type),
        result_name: ResultName::Prefix("avgif_"),
        accumulator: |call| conditional(call, 1, average),
        examples: &[Example::new("range x from 1 to 4 step 1 | summarize avgif(x, x > 2)", "3.5")],
        ..AggregateFunction::DEFAULT
    },
];

/// Returns the type of a sum: that of the values, but long for an int.
fn sum_type(arguments: &[Type]) -> Type {
    match arguments.first() {
        Some(ty @ (Type::Real | Type::Decimal | Type::Timespan)) => *ty,
        _ => Type::Long,
    }
}

/// Returns the type of an average: real for whole numbers, otherwise that of the values.
fn average_type(arguments: &[Type]) -> Type {
    match arguments.first() {
        Some(ty @ (Type::Decimal | Type::Timespan | Type::Datetime)) => *ty,
        _ => Type::Real,
    }
}

fn sum(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(match call.returns {
        Type::Real => fold::<RealSum>(call),
        Type::Decimal => fold::<DecimalSum>(call),
        _ => fold::<LongSum>(call),
    })
}

fn average(call: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(match call.arguments.first() {
        Some(Type::Real) => fold::<RealAverage>(call),
        Some(Type::Decimal) => fold::<DecimalAverage>(call),
        Some(Type::Datetime | Type::Timespan) => fold::<TickAverage>(call),
        _ => fold::<LongAverage>(call),
    })
}

/// Returns the error for a sum that its type cannot hold. The engine's result is not documented; wrapping would be
/// wrong.
fn overflow() -> Error {
    let message = "the sum does not fit its type";
    Diagnostic::new(Code::ValueOutOfRange, Span::default(), message)
        .help("sum reals instead: convert the values with toreal(...)")
        .into()
}

/// A sum of whole numbers or ticks. It has 128 bits, so that no intermediate sum overflows, in whatever order the rows
/// come.
#[derive(Clone, Copy, Debug, Default)]
struct LongSum(i128);

impl Fold for LongSum {
    type Input = i64;

    fn take(&mut self, value: i64) {
        self.0 += i128::from(value);
    }

    fn merge(&mut self, later: &Self) {
        self.0 += later.0;
    }

    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        builder.append_i64(i64::try_from(self.0).map_err(|_| overflow())?);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct RealSum(DoubleDouble);

impl Fold for RealSum {
    type Input = f64;

    fn take(&mut self, value: f64) {
        self.0.add(value);
    }

    fn merge(&mut self, later: &Self) {
        self.0.add_sum(later.0);
    }

    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        builder.append_f64(self.0.value());
        Ok(())
    }
}

/// A sum of decimals; None once it has overflowed.
#[derive(Clone, Copy, Debug)]
struct DecimalSum(Option<Decimal>);

impl Default for DecimalSum {
    fn default() -> Self {
        Self(Some(Decimal::ZERO))
    }
}

impl Fold for DecimalSum {
    type Input = Decimal;

    fn take(&mut self, value: Decimal) {
        self.0 = self.0.and_then(|sum| sum.checked_add(value));
    }

    fn merge(&mut self, later: &Self) {
        self.0 = self.0.zip(later.0).and_then(|(a, b)| a.checked_add(b));
    }

    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        builder.append(&Value::Decimal(self.0.ok_or_else(overflow)?));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct LongAverage {
    sum: i128,
    count: u64,
}

impl Fold for LongAverage {
    type Input = i64;

    fn take(&mut self, value: i64) {
        self.sum += i128::from(value);
        self.count += 1;
    }

    fn merge(&mut self, later: &Self) {
        self.sum += later.sum;
        self.count += later.count;
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean is a real")]
    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        builder.append_f64(self.sum as f64 / self.count as f64);
        Ok(())
    }
}

/// The average of datetimes or timespans in ticks, truncated to whole ticks.
#[derive(Clone, Copy, Debug, Default)]
struct TickAverage(LongAverage);

impl Fold for TickAverage {
    type Input = i64;

    fn take(&mut self, value: i64) {
        self.0.take(value);
    }

    fn merge(&mut self, later: &Self) {
        self.0.merge(&later.0);
    }

    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        let mean = self.0.sum.checked_div(i128::from(self.0.count)).and_then(|mean| i64::try_from(mean).ok());
        match mean {
            Some(ticks) => builder.append_i64(ticks),
            None => builder.append_null(),
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct RealAverage {
    sum: DoubleDouble,
    count: u64,
}

impl Fold for RealAverage {
    type Input = f64;

    fn take(&mut self, value: f64) {
        self.sum.add(value);
        self.count += 1;
    }

    fn merge(&mut self, later: &Self) {
        self.sum.add_sum(later.sum);
        self.count += later.count;
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        builder.append_f64(self.sum.value() / self.count as f64);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct DecimalAverage {
    sum: DecimalSum,
    count: u64,
}

impl Fold for DecimalAverage {
    type Input = Decimal;

    fn take(&mut self, value: Decimal) {
        self.sum.take(value);
        self.count += 1;
    }

    fn merge(&mut self, later: &Self) {
        self.sum.merge(&later.sum);
        self.count += later.count;
    }

    fn append(&self, builder: &mut ColumnBuilder) -> Result<()> {
        match self.sum.0.ok_or_else(overflow)?.rounded_div(Decimal::from(self.count)) {
            Some(mean) => builder.append(&Value::Decimal(mean)),
            None if self.count == 0 => builder.append_null(),
            None => return Err(overflow()),
        }
        Ok(())
    }
}
