//! rolling_percentile: the percentile of the values in a window of bins.

use std::collections::BTreeMap;

use super::dimension_keys::DimensionKeys;
use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Value};

/// The maximum number of bins from the first to the last.
const MAX_BINS: i64 = 10_000_000;

/// The plugin rolling_percentile. It returns a row for each bin up to the last one whose window has values. The
/// arguments are the bin, the value, and the dimensions.
#[derive(Debug)]
pub struct RollingPercentile {
    /// The percentile, from 0 to 100.
    pub percentile: f64,
    /// The size of a bin, in the unit of the column that is binned.
    pub bin_size: i64,
    /// The number of bins of a window.
    pub bins: i64,
    /// The output column with the bin.
    pub index: Field,
    /// The output columns with the dimensions.
    pub dimensions: Vec<Field>,
    /// The output column with the percentile.
    pub result: Field,
}

impl RollingPercentile {
    /// Sorts `values`, which must not be empty, and returns the number in the pair at the nearest rank. A pair is a
    /// value and that number.
    fn nearest(&self, values: &mut [(f64, usize)]) -> usize {
        values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank is between 0 and the number of values"
        )]
        let rank = (self.percentile / 100.0 * values.len() as f64).ceil() as usize;
        values[rank.clamp(1, values.len()) - 1].1
    }
}

impl TableFunction for RollingPercentile {
    fn name(&self) -> &'static str {
        "rolling_percentile"
    }

    fn fields(&self) -> Vec<Field> {
        [&self.index].into_iter().chain(&self.dimensions).chain([&self.result]).cloned().collect()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let dimensions: Vec<usize> = (2..arguments.columns().len()).collect();
        let (mut keys, mut bins) = (DimensionKeys::default(), Vec::<BTreeMap<i64, Vec<(f64, usize)>>>::new());
        for row in 0..arguments.rows() {
            let (Some(index), Some(value)) = (arguments.column(0).i64_at(row), arguments.column(1).f64_at(row)) else {
                continue;
            };
            let number = keys.number(arguments, &dimensions, row);
            bins.resize_with(keys.len(), BTreeMap::new);
            bins[number].entry(index.div_euclid(self.bin_size)).or_default().push((value, row));
        }
        let last = bins.iter().filter_map(|bins| bins.keys().next_back()).max().copied().unwrap_or_default();
        let (mut index, mut numbers, mut result) =
            (ColumnBuilder::new(self.index.ty), Vec::new(), ColumnBuilder::new(self.result.ty));
        for (number, bins) in bins.iter().enumerate() {
            let first = bins.keys().next().copied().unwrap_or(last);
            if last.saturating_sub(first) > MAX_BINS {
                return Err(Error::Limit(format!("rolling_percentile has more than {MAX_BINS} bins; use larger bins")));
            }
            for bin in first..=last {
                let window = bins.range(bin.saturating_sub(self.bins - 1)..=bin);
                let mut values: Vec<(f64, usize)> = window.flat_map(|(_, values)| values.iter().copied()).collect();
                if !values.is_empty() {
                    let value: Value = arguments.column(1).value(self.nearest(&mut values));
                    index.append_i64(bin.saturating_mul(self.bin_size));
                    numbers.push(number);
                    result.append(&value);
                }
            }
        }
        let mut columns = vec![index.finish()];
        columns.extend(keys.columns(&self.dimensions, numbers.iter().copied()));
        columns.push(result.finish());
        Ok(TableOutput::of_columns(columns))
    }
}
