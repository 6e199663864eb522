//! diffpatterns: the values that are more frequent in one of two sets of rows than in the other.
//!
//! Source: the reference's page on the plugin, which does not say how patterns are selected. Here they are all closed
//! patterns that differ enough, the most different first, without those that only generalise or specialise another one.

use super::frequent_sets::{FrequentSets, ItemSet, Weights};
use super::segments::{SegmentInput, counts, ids, reals, with_input};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Field, Type};

/// The plugin diffpatterns, which finds patterns. The arguments are the columns of the input.
#[derive(Debug)]
pub struct DiffPatterns {
    /// The position of the column that divides the rows into the two sets.
    pub split: usize,
    /// The values of that column in the rows of the first and of the second set.
    pub values: [SplitValue; 2],
    /// The smallest difference between the fraction of the first set and that of the second set that have a pattern.
    pub threshold: f64,
    /// The maximum number of values that determine a pattern.
    pub max_dimensions: usize,
    /// The columns of the input.
    pub input: SegmentInput,
}

/// The value of the split column in one of the sets.
#[derive(Debug)]
pub struct SplitValue {
    /// The value as a string.
    pub text: String,
    /// The position of the value in the query, for errors.
    pub span: Span,
}

impl DiffPatterns {
    /// Returns the weight of each row in each of the two sets.
    fn weights(&self, arguments: &Batch) -> Vec<Weights> {
        let weights = |row: usize| {
            let text = arguments.column(self.split).value(row).to_text();
            let weight = self.input.weight_at(arguments, row);
            [&self.values[0], &self.values[1]].map(|value| if value.text == text { weight } else { 0.0 })
        };
        (0..arguments.rows()).map(weights).collect()
    }

    /// Returns the total weight of each set; an error if a set is empty.
    fn totals(&self, weights: &[Weights]) -> Result<Weights> {
        let mut totals = [0.0; 2];
        for (set, total) in totals.iter_mut().enumerate() {
            *total = weights.iter().map(|weights| weights[set]).sum();
            if *total <= 0.0 {
                let column = &self.input.columns[self.split].name;
                let value = &self.values[set];
                let message = format!("no row has the value `{}` in the column `{column}`", value.text);
                return Err(Error::query(Code::ValueOutOfRange, value.span, message));
            }
        }
        Ok(totals)
    }

    /// Returns the patterns that differ enough, the most different first. No pattern contains another one.
    fn select(&self, mut patterns: Vec<ItemSet>, totals: Weights) -> Vec<ItemSet> {
        patterns.retain(|pattern| difference(pattern, totals) >= 100.0 * self.threshold);
        patterns.sort_by(|a, b| {
            difference(b, totals).total_cmp(&difference(a, totals)).then_with(|| a.items.cmp(&b.items))
        });
        let mut selected: Vec<ItemSet> = Vec::new();
        for pattern in patterns {
            if !selected.iter().any(|other| contains(other, &pattern) || contains(&pattern, other)) {
                selected.push(pattern);
            }
        }
        selected
    }
}

fn contains(pattern: &ItemSet, other: &ItemSet) -> bool {
    other.items.iter().all(|item| pattern.items.binary_search(item).is_ok())
}

fn percents(pattern: &ItemSet, totals: Weights) -> Weights {
    [0, 1].map(|set| 100.0 * pattern.weights[set] / totals[set])
}

fn difference(pattern: &ItemSet, totals: Weights) -> f64 {
    let [a, b] = percents(pattern, totals);
    (a - b).abs()
}

impl TableFunction for DiffPatterns {
    fn name(&self) -> &'static str {
        "diffpatterns"
    }

    fn fields(&self) -> Vec<Field> {
        let own = [
            ("SegmentId", Type::Long),
            ("CountA", Type::Long),
            ("CountB", Type::Long),
            ("PercentA", Type::Real),
            ("PercentB", Type::Real),
            ("PercentDiffAB", Type::Real),
        ];
        with_input(own, &self.input)
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let weights = self.weights(arguments);
        let totals = self.totals(&weights)?;
        let least = totals.map(|total| (self.threshold * total).max(f64::MIN_POSITIVE));
        let columns = self.input.attributes(Some(self.split));
        let sets = FrequentSets::collect(arguments, &columns, |row| weights[row], least);
        let patterns = self.select(sets.patterns(self.max_dimensions, "diffpatterns")?, totals);
        let own = [
            ids(patterns.len()),
            counts(patterns.iter().map(|pattern| pattern.weights[0])),
            counts(patterns.iter().map(|pattern| pattern.weights[1])),
            reals(patterns.iter().map(|pattern| percents(pattern, totals)[0])),
            reals(patterns.iter().map(|pattern| percents(pattern, totals)[1])),
            reals(patterns.iter().map(|pattern| difference(pattern, totals))),
        ];
        let values = self.input.value_columns(&patterns, |pattern, column| sets.value(pattern, column));
        Ok(TableOutput::of_columns(own.into_iter().chain(values).collect()))
    }
}
