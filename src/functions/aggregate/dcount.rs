//! dcount, dcountif, count_distinct, count_distinctif: the number of distinct values.
//!
//! `dcount` is exact up to [`EXACT`] distinct values per group and estimated (HyperLogLog) beyond, so that counting
//! half a billion request ids takes kilobytes. Which of the two applies depends only on the number of distinct values,
//! and the estimate only on the set of values, not on threads, batches or the order of the rows.
//! `count_distinct` is always exact.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashTable;

use super::conditional::conditional;
use super::element::{Element, EntryValues, GroupedRows, for_each_text_of_groups};
use super::sketch::Sketch;
use super::{Accumulator, AggregateCall, AggregateFunction, downcast, take_states};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::distinct_set::PRECISIONS;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName};
use crate::types::{Column, ColumnBuilder, Type, Value, dynamic};

/// `dcount` is exact up to this many distinct values per group. Kusto documents 1,000 at its default accuracy.
pub const EXACT: usize = 1 << 16;

pub(super) const ACCURACY: Param = Param::new(
    "accuracy",
    Type::Long,
    "0 to 4, the error of an estimate: 1.6, 0.8 (the default), 0.4, 0.28 or 0.2 percent",
)
.optional()
.constant();
pub(super) const PREDICATE: Param = Param::new("predicate", Type::Bool, "the condition on the rows");
pub(super) const EXPR: Param =
    Param::of("expr", Accepts::Any, "the values to count; nulls are ignored, empty strings are not");
/// A parameter of any type but dynamic, as on the engine.
const SCALAR: Param = Param::of(
    "expr",
    Accepts::Only(&[
        Type::Long,
        Type::Int,
        Type::Real,
        Type::Decimal,
        Type::Datetime,
        Type::Timespan,
        Type::String,
        Type::Bool,
        Type::Guid,
    ]),
    "the values to count; nulls are ignored, empty strings are not",
);

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "dcount",
        summary: "Returns the number of distinct values, ignoring nulls: exact up to 65,536 per group, estimated \
                  beyond.",
        params: &[EXPR, ACCURACY],
        result_name: ResultName::Prefix("dcount_"),
        validate: |constants| check_accuracy(constants, 1),
        accumulator: |call| estimated(call, 1),
        examples: &[
            Example::new("datatable(x:long) [1, 2, 2, long(null)] | summarize dcount(x)", "2"),
            Example::new("datatable(x:string) ['', 'a', 'a'] | summarize dcount(x, 2)", "2"),
        ],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "dcountif",
        summary: "Returns the number of distinct values in rows for which a condition is true: exact up to 65,536 \
                  per group, estimated beyond.",
        params: &[EXPR, PREDICATE, ACCURACY],
        result_name: ResultName::Prefix("dcountif_"),
        validate: |constants| check_accuracy(constants, 2),
        accumulator: |call| conditional(call, 1, |call| estimated(call, 1)),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize dcountif(x % 2, x > 1)", "2")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "count_distinct",
        summary: "Returns the exact number of distinct values, ignoring nulls.",
        params: &[SCALAR],
        result_name: ResultName::Prefix("count_distinct_"),
        accumulator: exact,
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize count_distinct(x % 2)", "2")],
        ..AggregateFunction::DEFAULT
    },
    AggregateFunction {
        name: "count_distinctif",
        summary: "Returns the exact number of distinct values in rows for which a condition is true.",
        params: &[SCALAR, PREDICATE],
        result_name: ResultName::Prefix("count_distinctif_"),
        accumulator: |call| conditional(call, 1, exact),
        examples: &[Example::new("range x from 1 to 5 step 1 | summarize count_distinctif(x, x > 1)", "4")],
        ..AggregateFunction::DEFAULT
    },
];

/// Returns the initial state of a count that becomes an estimate. The argument at `position` is the accuracy, which
/// sets the precision of the estimate.
fn estimated(call: &AggregateCall, position: usize) -> Result<Box<dyn Accumulator>> {
    let accuracy = call.constants.get(position).and_then(Option::as_ref);
    let precision = precision(accuracy.unwrap_or(&Value::Long(1)))?;
    Ok(Box::new(DistinctCount {
        groups: Vec::new(),
        precision: Some(precision),
        bytes: 0,
        hashes: EntryValues::default(),
    }))
}

/// Rejects an accuracy at `position` that is not 0 to 4.
pub(super) fn check_accuracy(constants: &[Option<&Value>], position: usize) -> Result<()> {
    constants.get(position).copied().flatten().map_or(Ok(()), |accuracy| precision(accuracy).map(|_| ()))
}

/// Returns the precision of a sketch, in bits, for an accuracy from 0 to 4. Source: the reference's page on dcount,
/// "estimation accuracy".
pub(super) fn precision(accuracy: &Value) -> Result<u8> {
    let accuracy = accuracy.as_i64().and_then(|number| usize::try_from(number).ok());
    let precision = accuracy.and_then(|accuracy| PRECISIONS.get(accuracy)).copied();
    precision.ok_or_else(|| {
        Error::query(Code::InvalidValue, Span::default(), "the accuracy of dcount must be a number from 0 to 4")
    })
}

fn exact(_: &AggregateCall) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(DistinctCount { groups: Vec::new(), precision: None, bytes: 0, hashes: EntryValues::default() }))
}

/// The distinct values of one group, as hashes.
#[derive(Clone, Debug)]
enum Distinct {
    /// Up to [`FEW`] hashes, stored inline, and how many there are. Most groups have few values.
    Few([u64; FEW], usize),
    Set(HashTable<u64>),
    Sketch(Sketch),
}

/// Maximum number of hashes that are stored inline. This many take no more memory than an empty set.
const FEW: usize = 3;

impl Default for Distinct {
    fn default() -> Self {
        Self::Few([0; FEW], 0)
    }
}

impl Distinct {
    fn insert(&mut self, hash: u64, precision: Option<u8>) {
        match self {
            Self::Few(hashes, count) if hashes[..*count].contains(&hash) => {}
            Self::Few(hashes, count) if *count < FEW => {
                hashes[*count] = hash;
                *count += 1;
            }
            Self::Few(hashes, _) => {
                let mut set = HashTable::with_capacity(FEW + 1);
                for hash in hashes.iter().chain([&hash]) {
                    set.insert_unique(*hash, *hash, |hash| *hash);
                }
                *self = Self::Set(set);
            }
            Self::Sketch(sketch) => sketch.insert(hash),
            Self::Set(set) => {
                set.entry(hash, |other| *other == hash, |hash| *hash).or_insert(hash);
                if let Some(precision) = precision.filter(|_| set.len() > EXACT) {
                    let mut sketch = Sketch::new(precision);
                    set.iter().for_each(|hash| sketch.insert(*hash));
                    *self = Self::Sketch(sketch);
                }
            }
        }
    }

    fn merge(&mut self, mut later: Self, precision: Option<u8>) {
        if let (Self::Sketch(sketch), Self::Sketch(later)) = (&mut *self, &later) {
            return sketch.merge(later);
        }
        // The smaller one is merged into the larger one: the count does not depend on the order.
        if self.size() < later.size() {
            std::mem::swap(self, &mut later);
        }
        match later {
            Self::Few(hashes, count) => hashes[..count].iter().for_each(|hash| self.insert(*hash, precision)),
            Self::Set(set) => set.iter().for_each(|hash| self.insert(*hash, precision)),
            Self::Sketch(_) => debug_assert!(false, "a sketch is the larger one"),
        }
    }

    /// Returns the number of hashes; `usize::MAX` for a sketch, which does not know it exactly.
    fn size(&self) -> usize {
        match self {
            Self::Few(_, count) => *count,
            Self::Set(set) => set.len(),
            Self::Sketch(_) => usize::MAX,
        }
    }

    fn count(&self) -> i64 {
        let count = match self {
            Self::Sketch(sketch) => sketch.estimate(),
            known => known.size() as u64,
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Few(..) => 0,
            Self::Set(set) => set.allocation_size(),
            Self::Sketch(sketch) => sketch.bytes(),
        }
    }
}

#[derive(Debug)]
struct DistinctCount {
    groups: Vec<Distinct>,
    /// The precision of sketches; None if counts must be exact.
    precision: Option<u8>,
    /// Memory of the groups in bytes.
    bytes: usize,
    /// The hashes of the last long strings.
    hashes: EntryValues<u64>,
}

impl DistinctCount {
    fn change(&mut self, group: u32, change: impl FnOnce(&mut Distinct, Option<u8>)) {
        let distinct = &mut self.groups[group as usize];
        self.bytes -= distinct.bytes();
        change(distinct, self.precision);
        self.bytes += distinct.bytes();
    }
}

impl Accumulator for DistinctCount {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        self.groups.resize(groups, Distinct::default());
        let mut hashes = std::mem::take(&mut self.hashes);
        for_each_hash(&arguments[0], GroupedRows { groups: rows, count: groups }, &mut hashes, |row, hash| {
            self.change(rows[row], |distinct, precision| distinct.insert(hash, precision));
        });
        self.hashes = hashes;
        Ok(())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.groups.resize(groups, Distinct::default());
        for (later, group) in downcast::<Self>(later)?.groups.into_iter().zip(map) {
            self.change(*group, |distinct, precision| distinct.merge(later, precision));
        }
        Ok(())
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.groups.resize(groups, Distinct::default());
        let mut builder = ColumnBuilder::with_capacity(Type::Long, groups);
        self.groups.iter().for_each(|distinct| builder.append_i64(distinct.count()));
        Ok(vec![builder.finish()])
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        let taken = take_states(&mut self.groups, groups);
        let bytes = taken.iter().map(Distinct::bytes).sum();
        self.bytes -= bytes;
        Ok(Box::new(Self { groups: taken, precision: self.precision, bytes, hashes: EntryValues::default() }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Distinct>() + self.bytes
    }
}

/// Returns the SipHash of a value with a fixed key, so that the estimate is the same in every run. Values with equal
/// hashes would count as one, but nobody can write many such values. Among ten million distinct values, the probability
/// of a collision of their 64-bit hashes is less than one in 300,000.
fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Calls `each` with the group and hash of every value that is not null. `hashes` are those of the last call.
pub(super) fn for_each_hash(
    column: &Column,
    rows: GroupedRows<'_>,
    hashes: &mut EntryValues<u64>,
    mut each: impl FnMut(usize, u64),
) {
    match column.ty() {
        Type::String => for_each_text_of_groups(column, rows, hashes, |text| hash_of(text), each),
        Type::Dynamic => for_each_text_of_groups(column, rows, hashes, |json| hash_of(dynamic::canonical(json)), each),
        Type::Bool => bool::for_each(column, |row, value| each(row, hash_of(value))),
        Type::Real => f64::for_each(column, |row, value| each(row, hash_of(real_bits(value)))),
        Type::Decimal | Type::Guid => (0..column.rows())
            .filter_map(|row| Some((row, column.bytes_at(row)?)))
            .for_each(|(row, bytes)| each(row, hash_of(bytes))),
        _ => i64::for_each(column, |row, value| each(row, hash_of(value))),
    }
}

/// Returns the bits of a double, equal for equal values: both zeros have the same bits, and so have all NaNs.
fn real_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::types::Value;

    #[test]
    fn exact_up_to_the_bound_and_close_beyond() {
        let mut distinct = Distinct::default();
        for value in 0..EXACT as u64 {
            distinct.insert(hash_of(value), Some(14));
        }
        assert_eq!(distinct.count(), EXACT as i64);
        for value in 0..2_000_000_u64 {
            distinct.insert(hash_of(value), Some(14));
        }
        let error = (distinct.count() as f64 / 2_000_000.0 - 1.0).abs();
        assert!(error < 3.0 * 0.008, "{error}");
    }

    #[test]
    fn merged_parts_count_what_all_have_together() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for most in [1, 3, 5, 40, 100_000] {
            for _ in 0..20 {
                let (mut merged, mut all) = (Distinct::default(), HashSet::new());
                for _ in 0..random.random_range(1..4) {
                    let mut part = Distinct::default();
                    for _ in 0..random.random_range(0..=most) {
                        let hash = hash_of(random.random_range(0..most));
                        part.insert(hash, None);
                        all.insert(hash);
                    }
                    merged.merge(part, None);
                }
                assert_eq!(merged.count(), all.len() as i64);
            }
        }
    }

    #[test]
    fn zeros_and_nans_are_one_each() {
        assert_eq!(real_bits(-0.0), real_bits(0.0));
        assert_eq!(real_bits(-f64::NAN), real_bits(f64::NAN));
    }

    #[test]
    fn an_accuracy_out_of_range_is_refused() {
        let call = |accuracy| AggregateCall {
            arguments: vec![Type::Long, Type::Long],
            constants: vec![None, Some(Value::Long(accuracy))],
            returns: Type::Long,
            seed: 1,
            max_value: usize::MAX,
        };
        assert!(estimated(&call(4), 1).is_ok());
        assert!(estimated(&call(5), 1).is_err());
        assert!(estimated(&call(-1), 1).is_err());
    }
}
