//! basket: the values that occur together in many rows.
//!
//! Source: the reference's page on the plugin. Its example lists the patterns to which no value can be added without
//! losing rows (closed frequent item sets). Kusto estimates them from a sample; these are exact.

use super::frequent_sets::FrequentSets;
use super::segments::{SegmentInput, counts, ids, reals, with_input};
use crate::diagnostic::Result;
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Field, Type};

/// The plugin basket, which finds patterns. The arguments are the columns of the input.
#[derive(Debug)]
pub struct Basket {
    /// The smallest fraction of the rows that must have a pattern.
    pub threshold: f64,
    /// The maximum number of values that determine a pattern.
    pub max_dimensions: usize,
    /// The columns of the input.
    pub input: SegmentInput,
}

impl TableFunction for Basket {
    fn name(&self) -> &'static str {
        "basket"
    }

    fn fields(&self) -> Vec<Field> {
        with_input([("SegmentId", Type::Long), ("Count", Type::Long), ("Percent", Type::Real)], &self.input)
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let weight = |row| self.input.weight_at(arguments, row);
        let total: f64 = (0..arguments.rows()).map(weight).sum();
        let least = [(self.threshold * total).max(f64::MIN_POSITIVE), f64::INFINITY];
        let sets = FrequentSets::collect(arguments, &self.input.attributes(None), |row| [weight(row), 0.0], least);
        let mut patterns = sets.patterns(self.max_dimensions, "basket")?;
        patterns.sort_by(|a, b| b.weights[0].total_cmp(&a.weights[0]).then_with(|| a.items.cmp(&b.items)));
        let weights = || patterns.iter().map(|pattern| pattern.weights[0]);
        let own = [ids(patterns.len()), counts(weights()), reals(weights().map(|weight| 100.0 * weight / total))];
        let values = self.input.value_columns(&patterns, |pattern, column| sets.value(pattern, column));
        Ok(TableOutput::of_columns(own.into_iter().chain(values).collect()))
    }
}
