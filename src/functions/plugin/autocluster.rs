//! autocluster: a few segments of rows that share many values.
//!
//! Source: the reference's page on the plugin. A segment is good if it has many rows and they share many values: its
//! score is the weighted geometric mean of both fractions. As in the algorithm that the page names (Seed-Expand), a row
//! is generalised step by step. Kusto selects the first rows at random; here they are evenly spaced, so that results
//! are repeatable.

use std::collections::HashMap;

use super::segments::{SegmentInput, counts, ids, reals, with_input};
use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Field, Type, dynamic};

/// Maximum number of values that are compared in one call.
const MAX_COMPARISONS: usize = 1 << 34;

/// The plugin autocluster, which finds segments of rows. The arguments are the columns of the input.
#[derive(Debug)]
pub struct AutoCluster {
    /// The weight, between 0 and 1, that the number of rows of a segment has in its score. The rest of the weight
    /// belongs to the number of values that these rows share.
    pub size_weight: f64,
    /// The number of rows from which the search begins.
    pub seeds: usize,
    /// The columns of the input.
    pub input: SegmentInput,
}

/// The rows of the input, in which equal values of a column have the same number.
struct EncodedRows {
    /// The columns of the input that segments may share.
    columns: Vec<usize>,
    /// The number of the value of each row in each of `columns`, row after row.
    codes: Vec<u32>,
    weights: Vec<f64>,
    total: f64,
}

/// A segment: the rows that have the same values as the row `seed` in some columns.
struct Segment {
    seed: usize,
    /// The columns with equal values, as positions in [`EncodedRows::columns`], ascending.
    shared: Vec<usize>,
    score: f64,
    weight: f64,
}

impl EncodedRows {
    fn new(batch: &Batch, input: &SegmentInput) -> Self {
        let columns = input.attributes(None);
        let mut codes = vec![0; batch.rows() * columns.len()];
        for (position, column) in columns.iter().enumerate() {
            let mut numbers: HashMap<String, u32> = HashMap::new();
            for row in 0..batch.rows() {
                let mut key = String::new();
                dynamic::write_row(batch.column(*column), row, &mut key);
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                codes[row * columns.len() + position] = *numbers.entry(key).or_insert(next);
            }
        }
        let weights: Vec<f64> = (0..batch.rows()).map(|row| input.weight_at(batch, row)).collect();
        Self { columns, codes, total: weights.iter().sum(), weights }
    }

    fn row(&self, row: usize) -> &[u32] {
        &self.codes[row * self.columns.len()..][..self.columns.len()]
    }

    /// Returns about `count` rows that are evenly spaced, where each row counts by its weight.
    fn seeds(&self, count: usize) -> Vec<usize> {
        #[expect(clippy::cast_precision_loss, reason = "few seeds")]
        let distance = self.total / count as f64;
        let (mut passed, mut next, mut seeds) = (0.0, distance / 2.0, Vec::new());
        for (row, weight) in self.weights.iter().enumerate() {
            passed += weight;
            if passed > next {
                seeds.push(row);
                next += ((passed - next) / distance).ceil() * distance;
            }
        }
        seeds
    }

    /// Returns the best segment that arises when the row `seed` is generalised column by column. Each step drops the
    /// column that admits most further rows, or else the one with the rarest value.
    fn expand(&self, seed: usize, score: impl Fn(f64, usize) -> f64) -> Segment {
        let width = self.columns.len();
        let seed_row = self.row(seed).to_vec();
        // For each row the number of columns that differ, and their positions combined: of one column its position.
        let mut differing: Vec<(usize, usize)> = vec![(0, 0); self.weights.len()];
        let mut frequency = vec![0.0; width];
        for (row, differs) in differing.iter_mut().enumerate() {
            for (column, (code, seed_code)) in self.row(row).iter().zip(&seed_row).enumerate() {
                if code == seed_code {
                    frequency[column] += self.weights[row];
                } else {
                    *differs = (differs.0 + 1, differs.1 ^ column);
                }
            }
        }
        let mut shared: Vec<usize> = (0..width).collect();
        let mut best: Option<Segment> = None;
        loop {
            let (mut weight, mut gains) = (0.0, vec![0.0; width]);
            for ((count, column), row_weight) in differing.iter().zip(&self.weights) {
                match count {
                    0 => weight += row_weight,
                    1 => gains[*column] += row_weight,
                    _ => {}
                }
            }
            let found = Segment { seed, shared: shared.clone(), score: score(weight, shared.len()), weight };
            if best.as_ref().is_none_or(|best| found.score > best.score) {
                best = Some(found);
            }
            let by_gain = |a: &&usize, b: &&usize| {
                gains[**a].total_cmp(&gains[**b]).then(frequency[**b].total_cmp(&frequency[**a]))
            };
            match shared.iter().max_by(by_gain).copied() {
                Some(dropped) if shared.len() > 1 => {
                    shared.retain(|column| *column != dropped);
                    for (row, differs) in differing.iter_mut().enumerate() {
                        if self.row(row)[dropped] != seed_row[dropped] {
                            *differs = (differs.0 - 1, differs.1 ^ dropped);
                        }
                    }
                }
                _ => break,
            }
        }
        self.close(best.unwrap_or(Segment { seed, shared, score: 0.0, weight: 0.0 }))
    }

    /// Returns the segment with all columns in which its rows share a value.
    fn close(&self, mut segment: Segment) -> Segment {
        let seed_row = self.row(segment.seed);
        let mut common = vec![true; self.columns.len()];
        for row in (0..self.weights.len()).filter(|row| self.weights[*row] > 0.0 && self.is_in(&segment, *row)) {
            let equal = self.row(row).iter().zip(seed_row).map(|(code, seed)| code == seed);
            common.iter_mut().zip(equal).for_each(|(common, equal)| *common &= equal);
        }
        segment.shared = (0..self.columns.len()).filter(|column| common[*column]).collect();
        segment
    }

    fn is_in(&self, segment: &Segment, row: usize) -> bool {
        let (row, seed) = (self.row(row), self.row(segment.seed));
        segment.shared.iter().all(|column| row[*column] == seed[*column])
    }

    /// Returns the segments, the best first. A segment is left out if better ones already have half of its rows or
    /// more.
    fn select(&self, mut segments: Vec<Segment>) -> Vec<Segment> {
        segments.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.seed.cmp(&b.seed)));
        let mut covered = vec![false; self.weights.len()];
        let mut selected = Vec::new();
        for segment in segments {
            let rows: Vec<usize> = (0..self.weights.len()).filter(|row| self.is_in(&segment, *row)).collect();
            let new: f64 = rows.iter().filter(|row| !covered[**row]).map(|row| self.weights[*row]).sum();
            if new > segment.weight / 2.0 && segment.weight > self.weights[segment.seed] {
                rows.into_iter().for_each(|row| covered[row] = true);
                selected.push(segment);
            }
        }
        selected
    }
}

impl AutoCluster {
    fn score(&self, rows: &EncodedRows, weight: f64, shared: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "few columns")]
        let part = shared as f64 / rows.columns.len() as f64;
        (weight / rows.total).powf(self.size_weight) * part.powf(1.0 - self.size_weight)
    }
}

impl TableFunction for AutoCluster {
    fn name(&self) -> &'static str {
        "autocluster"
    }

    fn fields(&self) -> Vec<Field> {
        with_input([("SegmentId", Type::Long), ("Count", Type::Long), ("Percent", Type::Real)], &self.input)
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let rows = EncodedRows::new(arguments, &self.input);
        if rows.codes.len().saturating_mul(2 * self.seeds) > MAX_COMPARISONS {
            let message = "autocluster compares too many values; project fewer columns or begin with fewer seeds";
            return Err(Error::Limit(message.to_owned()));
        }
        let seeds = if rows.columns.is_empty() { Vec::new() } else { rows.seeds(self.seeds) };
        let expand = |seed: usize| rows.expand(seed, |weight, shared| self.score(&rows, weight, shared));
        let segments = rows.select(seeds.into_iter().map(expand).collect());
        let weights = || segments.iter().map(|segment| segment.weight);
        let own = [ids(segments.len()), counts(weights()), reals(weights().map(|weight| 100.0 * weight / rows.total))];
        let values = self.input.value_columns(&segments, |segment, column| {
            let position = rows.columns.binary_search(&column).ok()?;
            segment.shared.binary_search(&position).ok()?;
            Some(arguments.column(column).value(segment.seed))
        });
        Ok(TableOutput::of_columns(own.into_iter().chain(values).collect()))
    }
}
