//! The value of `tdigest()`: the distribution of numbers or times, as a dynamic.
//!
//! Its JSON is `[[7], [values], [weights]]`, as in the examples of the reference. With up to [`MAX_EXACT`] distinct
//! values it is exact. With more, neighbouring values are averaged, but fewer of them near both ends (Dunning and Ertl,
//! "Computing extremely accurate quantiles using t-digests", 2019).

use super::aggregate::percentile::{key, nearest, real_of, weighted};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind, to_text};
use crate::types::{Type, Value, datetime, number};

/// Maximum number of distinct values of an exact digest; one with more is compressed.
const MAX_EXACT: usize = 4_096;
/// The compression parameter of the t-digest. A compressed digest has about half as many entries.
const COMPRESSION: f64 = 2_000.0;
/// Maximum number of entries; JSON with more is not accepted as a result of tdigest().
const MAX_ENTRIES: usize = 1 << 20;
/// The first element of a digest, as in the reference's examples.
const HEADER: &str = "[7]";

/// Values with weights. Each value is stored as an integer that sorts in the same order; see [`key`].
#[derive(Clone, Debug)]
pub(crate) struct TDigest {
    /// The type of the values: long, real, datetime or timespan.
    ty: Type,
    entries: Vec<(i64, u64)>,
}

impl TDigest {
    pub(crate) fn new(ty: Type) -> Self {
        Self { ty, entries: Vec::new() }
    }

    pub(crate) fn push(&mut self, key: i64, weight: u64) {
        self.entries.push((key, weight));
    }

    /// Adds another digest; false if the types of the values do not fit.
    pub(crate) fn merge(&mut self, mut other: Self) -> bool {
        match (self.ty, other.ty) {
            (a, b) if a == b => {}
            (Type::Long, Type::Real) => self.widen(),
            (Type::Real, Type::Long) => other.widen(),
            _ => return false,
        }
        self.entries.extend(other.entries);
        true
    }

    fn widen(&mut self) {
        self.ty = Type::Real;
        self.entries.iter_mut().for_each(|(value, _)| *value = key(number::long_to_real(*value)));
    }

    /// Sorts the values, and merges equal ones into one with the sum of their weights.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup_by(|later, kept| {
            let is_equal = later.0 == kept.0;
            if is_equal {
                kept.1 = kept.1.saturating_add(later.1);
            }
            is_equal
        });
    }

    /// Returns the memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(i64, u64)>()
    }

    fn total(&self) -> u64 {
        self.entries.iter().fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
    }

    /// Returns the value at or below which `rank` percent of the values are, as JSON. The digest must be sorted.
    pub(crate) fn percentile(&self, rank: f64) -> Option<String> {
        let position = nearest(rank, self.total())?;
        weighted(&self.entries, position).map(|key| self.json(key))
    }

    /// Returns the number of values that are at most `value`; None if it cannot be compared with them.
    pub(crate) fn rank(&self, value: &Value) -> Option<f64> {
        let limit = match (self.ty, value) {
            (Type::Datetime, Value::Datetime(ticks)) | (Type::Timespan, Value::Timespan(ticks)) => *ticks,
            (Type::Long, Value::Real(value)) => {
                let sum = |(key, _): &&(i64, u64)| number::long_to_real(*key) <= *value;
                return Some(total_of(self.entries.iter().filter(sum)));
            }
            (Type::Real, Value::Real(value)) => key(*value),
            (Type::Real, _) => key(number::long_to_real(value.as_i64()?)),
            (Type::Long, _) => value.as_i64()?,
            _ => return None,
        };
        Some(total_of(self.entries.iter().filter(|(key, _)| *key <= limit)))
    }

    /// Like [`Self::rank`], in percent of all values.
    pub(crate) fn percent_rank(&self, value: &Value) -> Option<f64> {
        self.rank(value).map(|rank| rank * 100.0 / total_of(self.entries.iter()))
    }

    /// Averages neighbours of a sorted digest with many values.
    fn compress(&mut self) {
        if self.entries.len() <= MAX_EXACT {
            return;
        }
        let total = total_of(self.entries.iter());
        let scale = |weight: f64| COMPRESSION / std::f64::consts::TAU * (2.0 * (weight / total).min(1.0) - 1.0).asin();
        let mut compressed = Vec::new();
        let (mut group, mut before) = (vec![self.entries[0]], 0.0);
        for entry in &self.entries[1..] {
            let with = before + total_of(group.iter()) + number::long_to_real(entry.1.cast_signed());
            if scale(with) - scale(before) > 1.0 {
                before += total_of(group.iter());
                compressed.push(self.average(&group));
                group.clear();
            }
            group.push(*entry);
        }
        compressed.push(self.average(&group));
        self.entries = compressed;
        self.sort();
    }

    #[expect(clippy::cast_possible_truncation, reason = "an average lies between the values")]
    fn average(&self, group: &[(i64, u64)]) -> (i64, u64) {
        let weight = group.iter().fold(0_u64, |sum, (_, weight)| sum.saturating_add(*weight));
        if let [(value, _)] = group {
            return (*value, weight);
        }
        let mean = if self.ty == Type::Real {
            let sum: f64 =
                group.iter().map(|(value, weight)| real_of(*value) * number::long_to_real(weight.cast_signed())).sum();
            key(sum / total_of(group.iter()))
        } else {
            let first = i128::from(group[0].0);
            let sum: i128 = group
                .iter()
                .map(|(value, weight)| (i128::from(*value) - first) * i128::from(*weight))
                .fold(0, i128::saturating_add);
            (first + sum / i128::from(weight.max(1))) as i64
        };
        (mean, weight)
    }

    fn json(&self, key: i64) -> String {
        let value = match self.ty {
            Type::Real => Value::Real(real_of(key)),
            Type::Datetime => Value::Datetime(key),
            Type::Timespan => Value::Timespan(key),
            _ => Value::Long(key),
        };
        let mut json = String::new();
        crate::types::dynamic::write_value(&value, &mut json);
        json
    }

    /// Returns the digest as JSON.
    pub(crate) fn into_json(mut self) -> String {
        self.sort();
        self.compress();
        let (mut values, mut weights) = (ArrayWriter::new(), ArrayWriter::new());
        for (key, weight) in &self.entries {
            values.push_json(&self.json(*key));
            weights.push_json(&weight.to_string());
        }
        format!("[{HEADER},{},{}]", values.finish(), weights.finish())
    }

    /// Reads the result of `tdigest()`, sorted; None for anything else.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let parts: Vec<&str> = elements(json).take(4).collect();
        let [_, values, weights] = parts.as_slice() else { return None };
        let values: Vec<&str> = elements(values).take(MAX_ENTRIES + 1).collect();
        let weights: Vec<u64> =
            elements(weights).take(MAX_ENTRIES + 1).map(|text| text.parse().ok()).collect::<Option<_>>()?;
        if values.is_empty() || values.len() != weights.len() || values.len() > MAX_ENTRIES {
            return None;
        }
        let ty = value_type(&values);
        let keys = values.iter().map(|text| parse(text, ty)).collect::<Option<Vec<_>>>()?;
        let mut digest = Self { ty, entries: keys.into_iter().zip(weights).collect() };
        digest.sort();
        Some(digest)
    }
}

/// Returns the type that all values of a digest have, from their JSON.
fn value_type(values: &[&str]) -> Type {
    let is_time = |text: &&str| kind(text) == Kind::String && datetime::parse(&to_text(text)).is_some();
    let is_real = |text: &&str| kind(text) == Kind::Double || NOT_FINITE.contains(text);
    if values.iter().any(is_real) {
        Type::Real
    } else if values.iter().all(is_time) {
        Type::Datetime
    } else if values.iter().all(|text| kind(text) == Kind::Long) {
        Type::Long
    } else {
        Type::Timespan
    }
}

/// Reals that JSON has no numbers for, as the strings that stand for them.
const NOT_FINITE: [&str; 3] = ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""];

fn parse(json: &str, ty: Type) -> Option<i64> {
    match ty {
        Type::Real => match json {
            "\"NaN\"" => Some(key(f64::NAN)),
            "\"Infinity\"" => Some(key(f64::INFINITY)),
            "\"-Infinity\"" => Some(key(f64::NEG_INFINITY)),
            _ => json.parse().ok().map(key),
        },
        Type::Datetime => datetime::parse(&to_text(json)),
        Type::Long => json.parse().ok(),
        _ if kind(json) == Kind::String => {
            match crate::types::cast::cast(&Value::string(to_text(json)), Type::Timespan) {
                Ok(Value::Timespan(ticks)) => Some(ticks),
                _ => None,
            }
        }
        _ => None,
    }
}

fn total_of<'e>(entries: impl Iterator<Item = &'e (i64, u64)>) -> f64 {
    let total = entries.fold(0_u64, |sum, (_, weight)| sum.saturating_add(*weight));
    number::long_to_real(i64::try_from(total).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_come_back_from_json() {
        for (ty, values) in [
            (Type::Long, vec![3, 1, 2, 3]),
            (Type::Real, vec![key(1.5), key(2.0), key(f64::NAN), key(f64::INFINITY)]),
            (Type::Datetime, vec![0, 638_000_000_000_000_000]),
            (Type::Timespan, vec![-1, 36_000_000_000]),
        ] {
            let mut digest = TDigest::new(ty);
            values.iter().for_each(|value| digest.push(*value, 1));
            let json = digest.into_json();
            let back = TDigest::from_json(&json).expect("a digest");
            assert_eq!((back.ty, back.into_json()), (ty, json));
        }
    }

    #[test]
    fn a_compressed_digest_is_close() {
        let mut digest = TDigest::new(Type::Long);
        (0..200_000).for_each(|value| digest.push(value, 1));
        let json = digest.into_json();
        let digest = TDigest::from_json(&json).expect("a digest");
        assert!(digest.entries.len() < MAX_EXACT && digest.total() == 200_000);
        for rank in [0.1, 1.0, 25.0, 50.0, 99.0, 99.9] {
            let value: f64 = digest.percentile(rank).expect("a value").parse().expect("a number");
            assert!((value - rank * 2_000.0).abs() < 200.0, "{rank}: {value}");
        }
    }

    #[test]
    fn what_is_not_a_digest_is_none() {
        for json in
            ["null", "[]", "[[7],[],[]]", "[[7],[1],[1,2]]", "[[7],[1],[-1]]", "[[7],[\"x\"],[1]]", "[[7],[{}],[1]]"]
        {
            assert!(TDigest::from_json(json).is_none(), "{json}");
        }
    }
}
