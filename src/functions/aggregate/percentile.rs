//! percentile, percentiles and their weighted and array variants: exact, by nearest rank.
//!
//! The engine estimates with a t-digest; an exact result is within its documented error. All values are kept in memory:
//! 8 bytes each, 16 with a weight.

use std::any::Any;

use super::element::Element;
use super::{Accumulator, AggregateArgument, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::dynamic::{self, ArrayWriter, Kind};
use crate::types::{Column, ColumnBuilder, Field, Type, Value};

pub(super) const EXPR: Param = Param::of(
    "expr",
    Accepts::Only(&[Type::Long, Type::Real, Type::Decimal, Type::Datetime, Type::Timespan]),
    "the values; nulls are ignored",
);
pub(super) const WEIGHT: Param = Param::of(
    "weight",
    Accepts::Only(&[Type::Long]),
    "the weight of the value; rows without a weight above 0 are ignored",
);
const PERCENTILE: Param = Param::of(
    "percentile",
    Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]),
    "the percentage of rows at or below the result, 0 to 100",
)
.constant();
const PERCENTILES: Param = Param::of(
    "percentile",
    Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal, Type::Dynamic]),
    "percentages from 0 to 100, or one array of them",
)
.constant()
.repeated();

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "percentile",
        summary: "Returns the smallest value that the given percentage of the values does not exceed, or null if \
                  there are none.",
        params: &[EXPR, PERCENTILE],
        columns: |_, arguments| columns(arguments, 1),
        validate: |constants| check_ranks(constants, 1),
        accumulator: |call| percentiles(call, WeightColumn::None, PercentileResult::Columns),
        examples: &[
            Example::new("range x from 1 to 10 step 1 | summarize percentile(x, 50)", "5"),
            Example::new("datatable(x:real) [1.5, 2.25] | summarize percentile(x, 50)", "1.5"),
        ],
        ..PERCENTILE_OF
    },
    AggregateFunction {
        name: "percentiles",
        summary: "Returns several percentiles, each in a column of its own.",
        params: &[EXPR, PERCENTILE.repeated()],
        columns: |_, arguments| columns(arguments, 1),
        validate: |constants| check_ranks(constants, 1),
        accumulator: |call| percentiles(call, WeightColumn::None, PercentileResult::Columns),
        examples: &[Example::new(
            "range x from 1 to 10 step 1 | summarize percentiles(x, 50, 99.9) | project percentile_x_99_9",
            "10",
        )],
        ..PERCENTILE_OF
    },
    AggregateFunction {
        name: "percentiles_array",
        summary: "Returns an array of several percentiles.",
        params: &[EXPR, PERCENTILES],
        returns: Returns::Type(Type::Dynamic),
        result_name: ResultName::Prefix("percentiles_"),
        validate: |constants| check_ranks(constants, 1),
        accumulator: |call| percentiles(call, WeightColumn::None, PercentileResult::Array),
        examples: &[
            Example::new("range x from 1 to 10 step 1 | summarize percentiles_array(x, 10, 50)", "[1,5]"),
            Example::new("range x from 1 to 10 step 1 | summarize percentiles_array(x, dynamic([10, 50]))", "[1,5]"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "percentilew",
        summary: "Returns a percentile of weighted values.",
        params: &[EXPR, WEIGHT, PERCENTILE],
        columns: |_, arguments| columns(arguments, 2),
        validate: |constants| check_ranks(constants, 2),
        accumulator: |call| percentiles(call, WeightColumn::Second, PercentileResult::Columns),
        examples: &[Example::new("datatable(x:long, n:long) [10, 8, 20, 6] | summarize percentilew(x, n, 75)", "20")],
        ..PERCENTILE_OF
    },
    AggregateFunction {
        name: "percentilesw",
        summary: "Returns several percentiles of weighted values, each in a column of its own.",
        params: &[EXPR, WEIGHT, PERCENTILE.repeated()],
        columns: |_, arguments| columns(arguments, 2),
        validate: |constants| check_ranks(constants, 2),
        accumulator: |call| percentiles(call, WeightColumn::Second, PercentileResult::Columns),
        examples: &[Example::new(
            "datatable(x:long, n:long) [10, 8, 20, 6] | summarize percentilesw(x, n, 50, 75) | project percentile_x_50",
            "10",
        )],
        ..PERCENTILE_OF
    },
    AggregateFunction {
        name: "percentilesw_array",
        summary: "Returns an array of several percentiles of weighted values.",
        params: &[EXPR, WEIGHT, PERCENTILES],
        returns: Returns::Type(Type::Dynamic),
        result_name: ResultName::Prefix("percentiles_"),
        validate: |constants| check_ranks(constants, 2),
        accumulator: |call| percentiles(call, WeightColumn::Second, PercentileResult::Array),
        examples: &[Example::new(
            "datatable(x:long, n:long) [10, 8, 20, 6, 30, 3, 40, 1] | summarize percentilesw_array(x, n, 50, 75, 99.9)",
            "[20,20,40]",
        )],
        ..AggregateFunction::DEFAULT
    },
];

const PERCENTILE_OF: AggregateFunction =
    AggregateFunction { returns: Returns::By(percentile_type), ..AggregateFunction::DEFAULT };

/// Returns the type of a percentile: that of the values, but real for decimals. Source: the published analyzer.
pub(super) fn percentile_type(arguments: &[Type]) -> Type {
    match arguments.first() {
        Some(Type::Decimal) | None => Type::Real,
        Some(ty) => *ty,
    }
}

/// Returns a result column for each argument from `first` on, such as `percentile_x_50` or `percentile_x_99_9`.
fn columns(arguments: &[AggregateArgument<'_>], first: usize) -> Vec<Field> {
    let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
    let column = |argument: &AggregateArgument<'_>| {
        let number = argument.constant.map(number_text).unwrap_or_default();
        let name = format!("percentile_{}_{number}", arguments.first().map_or("", AggregateArgument::label));
        Field::new(name, percentile_type(&types))
    };
    arguments.iter().skip(first).map(column).collect()
}

/// Returns a percentile as a column name shows it: `99_9` for 99.9.
fn number_text(value: &Value) -> String {
    real(value).map(|number| number.to_string().replace('.', "_")).unwrap_or_default()
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Real(number) => Some(*number),
        Value::Decimal(number) => Some(crate::types::decimal::to_real(*number)),
        #[expect(clippy::cast_precision_loss, reason = "what is not between 0 and 100 is refused anyhow")]
        _ => value.as_i64().map(|number| number as f64),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WeightColumn {
    None,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PercentileResult {
    Columns,
    Array,
}

fn percentiles(call: &AggregateCall, weights: WeightColumn, shape: PercentileResult) -> Result<Box<dyn Accumulator>> {
    let first = if weights == WeightColumn::Second { 2 } else { 1 };
    let ranks = ranks(call.constants.iter().skip(first).flatten())?;
    let ty = percentile_type(&call.arguments);
    Ok(Box::new(Percentiles { groups: Vec::new(), weights, ranks, shape, ty, bytes: 0 }))
}

/// Rejects percentiles that are not numbers from 0 to 100. They are the arguments from position `first` on.
fn check_ranks(constants: &[Option<&Value>], first: usize) -> Result<()> {
    let mut given = constants.iter().skip(first).copied().flatten().peekable();
    if given.peek().is_none() { Ok(()) } else { ranks(given).map(|_| ()) }
}

/// Returns the percentiles in constant arguments; an error if there are none, or if one is not a number from 0 to 100.
fn ranks<'v>(constants: impl Iterator<Item = &'v Value>) -> Result<Vec<f64>> {
    let ranks: Vec<f64> = constants.map(numbers).collect::<Option<Vec<_>>>().unwrap_or_default().concat();
    if ranks.is_empty() || !ranks.iter().all(|rank| (0.0..=100.0).contains(rank)) {
        return Err(Error::query(Code::InvalidValue, Span::default(), "a percentile must be a number from 0 to 100"));
    }
    Ok(ranks)
}

/// Returns the numbers in a constant: the number itself, or the elements of an array. None if it is anything else.
fn numbers(constant: &Value) -> Option<Vec<f64>> {
    match constant {
        Value::Dynamic(json) if dynamic::kind(json) == Kind::Array => {
            dynamic::elements(json).map(|element| element.parse().ok()).collect()
        }
        value => real(value).map(|number| vec![number]),
    }
}

/// The values of one group, mapped to integers that sort in the same order (see [`key`]).
#[derive(Clone, Debug, Default)]
struct Values {
    keys: Vec<i64>,
    /// The weight of each key, by position; empty if all weights are 1.
    weights: Vec<u64>,
}

impl Values {
    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<i64>() + self.weights.capacity() * size_of::<u64>()
    }

    /// Returns the key at each of `ranks`, which are percentages; None for each if there are no values.
    fn at(&mut self, ranks: &[f64]) -> Vec<Option<i64>> {
        if self.weights.is_empty() {
            self.keys.sort_unstable();
            let count = self.keys.len() as u64;
            let key = |rank: &f64| self.keys.get(usize::try_from(nearest(*rank, count)?).ok()?).copied();
            return ranks.iter().map(key).collect();
        }
        let mut pairs: Vec<(i64, u64)> = self.keys.iter().copied().zip(self.weights.iter().copied()).collect();
        pairs.sort_unstable();
        let total = pairs.iter().fold(0_u64, |sum, (_, weight)| sum.saturating_add(*weight));
        ranks.iter().map(|rank| weighted(&pairs, nearest(*rank, total)?)).collect()
    }
}

/// Maps a double to an integer with the same order. NaN sorts first, so that it is never the greatest
/// value.
pub(crate) fn key(value: f64) -> i64 {
    if value.is_nan() { i64::MIN } else { flip((value + 0.0).to_bits().cast_signed()) }
}

/// Returns the inverse of [`key`].
pub(crate) fn real_of(key: i64) -> f64 {
    if key == i64::MIN { f64::NAN } else { f64::from_bits(flip(key).cast_unsigned()) }
}

/// Flips the bits of a negative double. Without that, negative doubles would sort in reverse.
fn flip(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// Returns the position in sorted order of a percentile: the first value such that `rank` percent of the `count` values
/// are at or before it. None if there are no values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0..=count")]
pub(crate) fn nearest(rank: f64, count: u64) -> Option<u64> {
    /// Tolerance for rounding errors: 99.9 percent of 1,000 must be 999, although no double is exactly 99.9.
    const ROUNDING: f64 = 1e-9;
    let ordinal = (rank * count as f64 / 100.0 - ROUNDING).ceil() as u64;
    Some(ordinal.saturating_sub(1).min(count.checked_sub(1)?))
}

/// Returns the key at `position` of the sorted list in which each key of `pairs` is repeated by its weight; the last
/// key if the list is shorter, and None if it is empty.
pub(crate) fn weighted(pairs: &[(i64, u64)], position: u64) -> Option<i64> {
    let mut passed = 0_u64;
    let found = pairs.iter().find(|(_, weight)| {
        passed = passed.saturating_add(*weight);
        passed > position
    });
    found.or(pairs.last()).map(|(key, _)| *key)
}

#[derive(Debug)]
struct Percentiles {
    groups: Vec<Values>,
    weights: WeightColumn,
    ranks: Vec<f64>,
    shape: PercentileResult,
    ty: Type,
    /// Memory of the groups in bytes.
    bytes: usize,
}

impl Percentiles {
    fn change(&mut self, group: u32, change: impl FnOnce(&mut Values)) {
        let values = &mut self.groups[group as usize];
        self.bytes -= values.bytes();
        change(values);
        self.bytes += values.bytes();
    }

    /// Calls `each` with every row that has a value, and the key of the value.
    fn for_each_key(&self, column: &Column, mut each: impl FnMut(usize, i64)) {
        if self.ty == Type::Real {
            f64::for_each(column, |row, value| each(row, key(value)));
        } else {
            i64::for_each(column, each);
        }
    }

    fn column(&self, keys: impl Iterator<Item = Option<i64>>) -> Column {
        let mut builder = ColumnBuilder::new(self.ty);
        for key in keys {
            match key {
                Some(key) if self.ty == Type::Real => builder.append_f64(real_of(key)),
                Some(key) => builder.append_i64(key),
                None => builder.append_null(),
            }
        }
        builder.finish()
    }

    /// Returns the percentiles of one group as an array; null if there are none.
    fn array(&self, keys: &[Option<i64>]) -> String {
        if keys.contains(&None) {
            return "null".to_owned();
        }
        let column = self.column(keys.iter().copied());
        let mut array = ArrayWriter::new();
        (0..keys.len()).for_each(|row| array.push(&column.value(row)));
        array.finish()
    }
}

impl Accumulator for Percentiles {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize(groups, Values::default());
        let mut weights = Vec::new();
        if self.weights == WeightColumn::Second {
            weights.resize(rows.len(), 0);
            i64::for_each(&arguments[1], |row, weight| weights[row] = u64::try_from(weight).unwrap_or(0));
        }
        let mut found = Vec::with_capacity(rows.len());
        self.for_each_key(&arguments[0], |row, key| found.push((row, key)));
        for (row, key) in found {
            let weight = weights.get(row).copied();
            if weight != Some(0) {
                self.change(rows[row], |group| {
                    group.keys.push(key);
                    group.weights.extend(weight);
                });
            }
        }
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize(groups, Values::default());
        for (later, group) in downcast::<Self>(later)?.groups.into_iter().zip(map) {
            self.change(*group, |values| {
                values.keys.extend(later.keys);
                values.weights.extend(later.weights);
            });
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize(groups, Values::default());
        let found: Vec<Vec<Option<i64>>> = self.groups.iter_mut().map(|values| values.at(&self.ranks)).collect();
        if self.shape == PercentileResult::Columns {
            let column = |rank: usize| self.column(found.iter().map(|keys| keys[rank]));
            return Ok((0..self.ranks.len()).map(column).collect());
        }
        let mut builder = ColumnBuilder::with_capacity(Type::Dynamic, groups);
        found.iter().for_each(|keys| builder.append_text(&self.array(keys)));
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let taken = take_states(&mut self.groups, groups);
        let bytes = taken.iter().map(Values::bytes).sum();
        self.bytes -= bytes;
        let ranks = self.ranks.clone();
        Ok(Box::new(Self { groups: taken, weights: self.weights, ranks, shape: self.shape, ty: self.ty, bytes }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Values>() + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank() {
        assert_eq!(nearest(50.0, 0), None);
        assert_eq!(nearest(0.0, 10), Some(0));
        assert_eq!(nearest(50.0, 10), Some(4));
        assert_eq!(nearest(51.0, 10), Some(5));
        assert_eq!(nearest(99.9, 1_000), Some(998));
        assert_eq!(nearest(100.0, 10), Some(9));
    }

    #[test]
    fn keys_are_ordered_as_doubles_are() {
        let ordered = [f64::NAN, f64::NEG_INFINITY, -1.5, -1e-300, 0.0, 1e-300, 2.0, f64::INFINITY];
        assert!(ordered.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(ordered[1..].iter().all(|value| real_of(key(*value)) == *value));
        assert!(real_of(key(f64::NAN)).is_nan());
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn what_is_no_percentile_is_refused() {
        let call = |value: Value| AggregateCall {
            arguments: vec![Type::Long, value.ty()],
            constants: vec![None, Some(value)],
            returns: Type::Long,
            seed: 1,
            max_value: usize::MAX,
        };
        let made = |value| percentiles(&call(value), WeightColumn::None, PercentileResult::Array).is_ok();
        assert!(made(Value::Real(99.9)) && made(Value::Int(0)) && made(Value::dynamic("[5, 50.5]")));
        assert!(!made(Value::Long(101)) && !made(Value::Real(f64::NAN)) && !made(Value::Null(Type::Long)));
        assert!(!made(Value::dynamic("[]")) && !made(Value::dynamic("[\"5\"]")) && !made(Value::dynamic("5")));
    }
}
