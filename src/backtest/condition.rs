//! Tests the condition of a rule on the rows of a run, for each combination of dimension values.

use std::collections::BTreeMap;

use crate::diagnostic::{Error, Result};
use crate::rules::schedule::WindowEdges;
use crate::rules::{AGGREGATED_VALUE, AlertCondition, AlertMeasure, BreachCount, FailingPeriods, TimeAggregation};
use crate::types::{Batch, Schema, Type};

/// A row of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowIndex {
    /// The number of its batch.
    pub batch: usize,
    /// The position there.
    pub row: usize,
}

/// The outcome for a combination of dimension values.
pub(super) struct TestedRows {
    /// The values, in the order of the dimensions.
    pub values: Vec<String>,
    /// The value of the latest period that violates the threshold, else of the last one.
    pub value: f64,
    /// The value of each period, the latest first; None if a period has none.
    pub periods: Vec<Option<f64>>,
    /// The rows.
    pub rows: Vec<RowIndex>,
    /// True if the condition is met.
    pub is_met: bool,
}

/// What is measured of rows, with the position of its column.
#[derive(Clone, Copy)]
enum RowMeasure {
    Count,
    Column(usize, TimeAggregation),
    Breaches(usize, BreachCount),
}

/// Tests a condition on results with the same columns.
pub(super) struct ConditionTest<'a> {
    condition: &'a AlertCondition,
    dimensions: Vec<usize>,
    measure: RowMeasure,
    time: Option<usize>,
    /// True if only the rows of the last periods count: there are several, or the query reads more than one.
    has_periods: bool,
    edges: WindowEdges,
}

impl<'a> ConditionTest<'a> {
    /// Tests rows of `schema`, which the query finds in a window of the length `lookback`.
    ///
    /// # Errors
    /// The result lacks a column that the condition needs, which [`crate::rules::validate::result`] says better.
    pub fn new(condition: &'a AlertCondition, lookback: i64, edges: WindowEdges, schema: &Schema) -> Result<Self> {
        let column = |name: &str| schema.index_of(name).ok_or_else(|| Error::internal("a column of the condition"));
        let dimensions = condition.dimensions.iter().map(|dimension| column(&dimension.name)).collect::<Result<_>>()?;
        let measure = match &condition.measure {
            AlertMeasure::Rows => RowMeasure::Count,
            AlertMeasure::Column { name, aggregation } => RowMeasure::Column(column(name)?, *aggregation),
            AlertMeasure::Breaches(breaches) => RowMeasure::Breaches(column(AGGREGATED_VALUE)?, *breaches),
        };
        let is_time = |index: &usize| schema.field(*index).ty == Type::Datetime;
        let time = schema.index_of("TimeGenerated").filter(is_time).or_else(|| (0..schema.len()).find(is_time));
        let FailingPeriods { length, evaluated, .. } = condition.periods;
        let has_periods = evaluated > 1 || (length > 0 && lookback > length && time.is_some());
        Ok(Self { condition, dimensions, measure, time, has_periods, edges })
    }

    /// True if the dimensions admit a row.
    pub fn admits(&self, batch: &Batch, row: usize) -> bool {
        let mut dimensions = self.condition.dimensions.iter().zip(&self.dimensions);
        dimensions.all(|(dimension, index)| dimension.admits(&batch.column(*index).value(row).to_text()))
    }

    /// The names and values of the dimensions of a combination.
    pub fn named(&self, values: &[String]) -> Vec<(String, String)> {
        let names = self.condition.dimensions.iter().map(|dimension| dimension.name.clone());
        names.zip(values.iter().cloned()).collect()
    }

    /// True if a run without rows meets the condition.
    pub fn is_met_without_rows(&self) -> bool {
        self.combinations(&[], 0).iter().any(|tested| tested.is_met)
    }

    /// Tests each combination that has rows; without dimensions, all rows together, even if there are none.
    pub fn combinations(&self, batches: &[Batch], time: i64) -> Vec<TestedRows> {
        let mut groups: BTreeMap<Vec<String>, Vec<RowIndex>> = BTreeMap::new();
        if self.dimensions.is_empty() {
            groups.insert(Vec::new(), Vec::new());
        }
        for (number, batch) in batches.iter().enumerate() {
            for row in 0..batch.rows() {
                let values = self.dimensions.iter().map(|index| batch.column(*index).value(row).to_text());
                let values: Vec<String> = values.collect();
                let dimensions = self.condition.dimensions.iter().zip(&values);
                if dimensions.into_iter().all(|(dimension, value)| dimension.admits(value)) {
                    groups.entry(values).or_default().push(RowIndex { batch: number, row });
                }
            }
        }
        groups.into_iter().map(|(values, rows)| self.tested(batches, values, rows, time)).collect()
    }

    fn tested(&self, batches: &[Batch], values: Vec<String>, rows: Vec<RowIndex>, time: i64) -> TestedRows {
        let FailingPeriods { violations, .. } = self.condition.periods;
        let periods: Vec<Option<f64>> = match self.has_periods {
            false => vec![self.value(batches, &rows)],
            true => self.periods(batches, &rows, time).iter().map(|rows| self.value(batches, rows)).collect(),
        };
        let holds = |value: &&Option<f64>| {
            value.is_some_and(|value| self.condition.operator.holds(value, self.condition.threshold))
        };
        let is_met = periods.iter().filter(holds).count() >= violations as usize;
        let value = periods.iter().find(holds).or(periods.first()).copied().flatten().unwrap_or(0.0);
        TestedRows { values, value, periods, rows, is_met }
    }

    /// The time of a row; None if it has none.
    fn time(&self, batches: &[Batch], index: RowIndex) -> Option<i64> {
        batches[index.batch].column(self.time?).i64_at(index.row)
    }

    /// The rows of each period, the latest first. A period ends before the next one begins, and the last one includes its
    /// end, which is that of the window. If windows exclude their first moment, so do periods.
    fn periods(&self, batches: &[Batch], rows: &[RowIndex], time: i64) -> Vec<Vec<RowIndex>> {
        let FailingPeriods { length, evaluated, .. } = self.condition.periods;
        let mut periods = vec![Vec::new(); evaluated as usize];
        for index in rows {
            let Some(age) = self.time(batches, *index).map(|at| time.saturating_sub(at)).filter(|age| *age >= 0) else {
                continue;
            };
            let age = if self.edges == WindowEdges::HalfOpen { age } else { age.max(1) - 1 };
            let period = usize::try_from(age / length.max(1)).unwrap_or(usize::MAX);
            if let Some(period) = periods.get_mut(period) {
                period.push(*index);
            }
        }
        periods
    }

    /// The measure of some rows; None if it has no value.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows stay far below 2^53")]
    fn value(&self, batches: &[Batch], rows: &[RowIndex]) -> Option<f64> {
        let number = |index: &RowIndex, column: usize| -> Option<f64> {
            let column = batches[index.batch].column(column);
            column.f64_at(index.row).or_else(|| column.value(index.row).to_text().parse().ok())
        };
        let (column, aggregation) = match self.measure {
            RowMeasure::Count => return Some(rows.len() as f64),
            RowMeasure::Column(column, aggregation) => (column, aggregation),
            RowMeasure::Breaches(column, breaches) => {
                let row = |index: &RowIndex| Some((self.time(batches, *index), number(index, column)?));
                return Some(breaches.of(&rows.iter().filter_map(row).collect::<Vec<_>>()) as f64);
            }
        };
        let numbers: Vec<f64> = rows.iter().filter_map(|index| number(index, column)).collect();
        let total = || numbers.iter().sum::<f64>();
        match aggregation {
            TimeAggregation::Count => Some(numbers.len() as f64),
            TimeAggregation::Total => Some(total()),
            TimeAggregation::Average => (!numbers.is_empty()).then(|| total() / numbers.len() as f64),
            TimeAggregation::Minimum => numbers.iter().copied().reduce(f64::min),
            TimeAggregation::Maximum => numbers.iter().copied().reduce(f64::max),
        }
    }
}
