//! dcount_intersect: the number of values that sets of `hll()` have in common.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::aggregate::hll::not_a_set;
use crate::functions::distinct_set::DistinctSet;
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Type};

/// The maximum number of sets in an estimate; the work doubles with each set.
const MAX_ESTIMATES: usize = 8;

/// The plugin dcount_intersect. For each row it counts the values of the first set, those that the first two sets have
/// in common, and so on. The arguments are the sets.
#[derive(Debug)]
pub struct DcountIntersect {
    /// The number of sets.
    pub sets: usize,
    /// The position of the call in the query.
    pub span: Span,
}

impl TableFunction for DcountIntersect {
    fn name(&self) -> &'static str {
        "dcount_intersect"
    }

    fn fields(&self) -> Vec<Field> {
        (0..self.sets).map(|index| Field::new(format!("s{index}"), Type::Long)).collect()
    }

    fn is_row_wise(&self) -> bool {
        true
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let mut builders: Vec<ColumnBuilder> = (0..self.sets).map(|_| ColumnBuilder::new(Type::Long)).collect();
        for row in 0..arguments.rows() {
            let counts = sets(arguments, row).and_then(|sets| counts(&sets));
            let mut counts = counts.map_err(|error| error.placed(self.span))?.into_iter();
            for builder in &mut builders {
                match counts.next() {
                    Some(count) => builder.append_i64(count),
                    None => builder.append_null(),
                }
            }
        }
        let rows = (0..arguments.rows()).filter_map(|row| u32::try_from(row).ok()).collect();
        Ok(TableOutput::of_rows(rows, builders.iter_mut().map(ColumnBuilder::finish).collect()))
    }
}

/// Returns the sets of a row, up to the first null.
fn sets(arguments: &Batch, row: usize) -> Result<Vec<DistinctSet>> {
    let values = arguments.columns().iter().map_while(|column| column.text_at(row));
    values.map(|json| DistinctSet::from_json(json).ok_or_else(not_a_set)).collect()
}

/// Returns the number of values of the first set, the number that the first two have in common, and so on. A number is
/// exact as long as all of its sets are exact.
fn counts(sets: &[DistinctSet]) -> Result<Vec<i64>> {
    let mut common = sets.first().and_then(DistinctSet::as_hashes).cloned();
    let mut counts: Vec<i64> = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        common = common.zip(set.as_hashes()).map(|(common, hashes)| common.intersection(hashes).copied().collect());
        let count = match &common {
            Some(common) => i64::try_from(common.len()).unwrap_or(i64::MAX),
            None => estimate(&sets[..=index])?,
        };
        counts.push(counts.last().map_or(count, |fewer| count.min(*fewer)));
    }
    Ok(counts)
}

/// Estimates the number of values that all sets have in common, by inclusion and exclusion: from the counts of their
/// unions.
fn estimate(sets: &[DistinctSet]) -> Result<i64> {
    if sets.len() > MAX_ESTIMATES {
        let message = format!("at most {MAX_ESTIMATES} sets are intersected if one has more than 2,048 values");
        return Err(Error::query(Code::ValueOutOfRange, Span::default(), message));
    }
    Ok(signed_unions(sets, None).max(0))
}

/// Adds up the counts of all unions of `union` with some of `sets`; the count for an even number of sets is negative.
fn signed_unions(sets: &[DistinctSet], union: Option<&DistinctSet>) -> i64 {
    let Some((first, rest)) = sets.split_first() else { return union.map_or(0, DistinctSet::count) };
    let with_first = match union {
        Some(union) => {
            let mut union = union.clone();
            union.merge(first.clone());
            union
        }
        None => first.clone(),
    };
    signed_unions(rest, union).saturating_sub(if union.is_some() {
        signed_unions(rest, Some(&with_first))
    } else {
        signed_unions(rest, Some(&with_first)).saturating_neg()
    })
}

#[cfg(test)]
mod tests {
    use super::{DistinctSet, counts};
    use crate::functions::distinct_set::tests::hash;

    fn multiples(of: usize, below: u64) -> DistinctSet {
        let mut set = DistinctSet::new(18);
        (0..below).step_by(of).for_each(|index| set.insert(hash(index)));
        set
    }

    #[test]
    fn small_sets_are_exact() {
        let sets = [multiples(2, 1_000), multiples(3, 1_000), multiples(5, 1_000)];
        assert_eq!(counts(&sets).unwrap(), [500, 167, 34]);
    }

    #[test]
    fn large_sets_are_estimated() {
        let sets = [multiples(2, 60_000), multiples(3, 60_000), multiples(5, 60_000)];
        for (count, exact) in counts(&sets).unwrap().into_iter().zip([30_000, 10_000, 2_000]) {
            assert!(count.abs_diff(exact) < 400, "{count} instead of {exact}");
        }
    }

    #[test]
    fn many_large_sets_are_refused() {
        let sets: Vec<_> = (0..9).map(|_| multiples(1, 3_000)).collect();
        assert!(counts(&sets).is_err());
    }
}
