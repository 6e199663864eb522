//! The value of `hll()`: a set of values that can be merged and counted, as a dynamic.
//!
//! A small set is stored as the hashes of its values, so that its count is exact; a larger one is a HyperLogLog sketch.
//! The format is that of this program: `[[precision, form], "base64"]`. Kusto does not document its own.

use std::collections::BTreeSet;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;

use super::aggregate::sketch::Sketch;
use crate::types::dynamic::{Kind, elements, kind, unescape};

/// Maximum number of hashes; a larger set becomes a sketch. They take as much memory as the second smallest sketch.
const MAX_HASHES: usize = 1 << 11;
/// The precisions of sketches, by the accuracy that `hll()` takes.
pub(crate) const PRECISIONS: [u8; 5] = [12, 14, 16, 17, 18];
const HASHES: &str = "0";
const REGISTERS: &str = "1";

/// A set of values, represented by their hashes or by a sketch.
#[derive(Clone, Debug)]
pub(crate) struct DistinctSet {
    precision: u8,
    form: SetForm,
}

#[derive(Clone, Debug)]
enum SetForm {
    Hashes(BTreeSet<u64>),
    Sketch(Sketch),
}

impl DistinctSet {
    /// Returns the empty set.
    pub(crate) fn new(precision: u8) -> Self {
        Self { precision, form: SetForm::Hashes(BTreeSet::new()) }
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        match &mut self.form {
            SetForm::Sketch(sketch) => sketch.insert(hash),
            SetForm::Hashes(hashes) => {
                hashes.insert(hash);
                if hashes.len() > MAX_HASHES {
                    let mut sketch = Sketch::new(self.precision);
                    hashes.iter().for_each(|hash| sketch.insert(*hash));
                    self.form = SetForm::Sketch(sketch);
                }
            }
        }
    }

    /// Adds another set; the result has the lower precision of the two.
    pub(crate) fn merge(&mut self, mut other: Self) {
        let precision = self.precision.min(other.precision);
        self.reduce(precision);
        other.reduce(precision);
        if matches!(other.form, SetForm::Sketch(_)) && matches!(self.form, SetForm::Hashes(_)) {
            std::mem::swap(self, &mut other);
        }
        match (&mut self.form, other.form) {
            (SetForm::Sketch(sketch), SetForm::Sketch(other)) => sketch.merge(&other),
            (_, SetForm::Hashes(hashes)) => hashes.into_iter().for_each(|hash| self.insert(hash)),
            (SetForm::Hashes(_), SetForm::Sketch(_)) => debug_assert!(false, "the sketch is merged into"),
        }
    }

    fn reduce(&mut self, precision: u8) {
        self.precision = precision;
        if let SetForm::Sketch(sketch) = &mut self.form {
            *sketch = sketch.reduced(precision);
        }
    }

    /// Returns the hashes of the values; None for a sketch.
    pub(crate) fn as_hashes(&self) -> Option<&BTreeSet<u64>> {
        match &self.form {
            SetForm::Hashes(hashes) => Some(hashes),
            SetForm::Sketch(_) => None,
        }
    }

    /// Returns the number of values: exact for a small set, otherwise estimated.
    pub(crate) fn count(&self) -> i64 {
        let count = match &self.form {
            SetForm::Hashes(hashes) => hashes.len() as u64,
            SetForm::Sketch(sketch) => sketch.estimate(),
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Returns the memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            SetForm::Hashes(hashes) => 2 * size_of::<u64>() * hashes.len(),
            SetForm::Sketch(sketch) => sketch.bytes(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let (form, bytes) = match &self.form {
            SetForm::Hashes(hashes) => (HASHES, hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect()),
            SetForm::Sketch(sketch) => (REGISTERS, sketch.registers().to_vec()),
        };
        format!("[[{},{form}],\"{}\"]", self.precision, STANDARD.encode(bytes))
    }

    /// Reads the result of [`Self::to_json`]; None for anything else.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let parts: Vec<&str> = elements(json).take(3).collect();
        let [head, data] = parts.as_slice() else { return None };
        let head: Vec<&str> = elements(head).take(3).collect();
        let [precision, form] = head.as_slice() else { return None };
        let precision = precision.parse().ok().filter(|precision| PRECISIONS.contains(precision))?;
        let bytes = STANDARD.decode(&*unescape((kind(data) == Kind::String).then_some(data)?)).ok()?;
        let form = match *form {
            HASHES if bytes.len() <= MAX_HASHES * size_of::<u64>() => {
                let hashes = bytes.chunks_exact(size_of::<u64>());
                hashes.remainder().is_empty().then_some(())?;
                SetForm::Hashes(
                    hashes.map(|hash| hash.try_into().map(u64::from_le_bytes)).collect::<Result<_, _>>().ok()?,
                )
            }
            REGISTERS => SetForm::Sketch(Sketch::from_registers(precision, bytes)?),
            _ => return None,
        };
        Some(Self { precision, form })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{DistinctSet, MAX_HASHES};

    /// Returns a well-mixed number for each index.
    pub(in crate::functions) fn hash(index: u64) -> u64 {
        let mut z = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 31)
    }

    fn set(precision: u8, range: std::ops::Range<u64>) -> DistinctSet {
        let mut set = DistinctSet::new(precision);
        range.for_each(|index| set.insert(hash(index)));
        set
    }

    #[test]
    fn sets_come_back_from_json() {
        for count in [0, 1, MAX_HASHES as u64, 50_000] {
            let set = set(14, 0..count);
            let back = DistinctSet::from_json(&set.to_json()).expect("a set");
            assert_eq!(back.count(), set.count());
            assert_eq!(back.to_json(), set.to_json());
        }
    }

    #[test]
    fn the_union_does_not_depend_on_the_order() {
        for (a, b) in [
            (set(14, 0..10), set(14, 5..20)),
            (set(18, 0..9_000), set(12, 0..90)),
            (set(12, 0..9_000), set(18, 0..9_999)),
        ] {
            let (mut first, mut second) = (a.clone(), b.clone());
            first.merge(b);
            second.merge(a);
            assert_eq!(first.to_json(), second.to_json());
        }
    }

    #[test]
    fn a_lower_precision_is_that_of_a_new_sketch() {
        let mut reduced = set(18, 0..30_000);
        reduced.reduce(12);
        assert_eq!(reduced.to_json(), set(12, 0..30_000).to_json());
    }

    #[test]
    fn what_is_not_a_set_is_none() {
        let long = format!("[[12,1],\"{}\"]", "A".repeat(1_000));
        for json in
            ["null", "[]", "{}", "[[12,0]]", "[[13,0],\"\"]", "[[12,2],\"\"]", "[[12,0],\"AA==\"]", "[[12,0],5]", &long]
        {
            assert!(DistinctSet::from_json(json).is_none(), "{json}");
        }
    }
}
