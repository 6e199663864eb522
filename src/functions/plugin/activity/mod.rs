//! Plugins that count the users who are active in windows of time.
//!
//! Source: the reference's pages on the plugins, and results of the engine for the alignment of windows and the ends of
//! lookback windows. Kusto estimates distinct counts; these are exact.

mod cohorts;
mod windows;

use super::dimension_keys::DimensionKeys;
use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::datetime::{self, Period};
use crate::types::{Batch, ColumnBuilder, Field, Type, Value};

/// The maximum number of windows of a call.
pub(super) const MAX_WINDOWS: i64 = 1_000_000;

/// A plugin that counts users. The arguments are the user, the time, and the dimensions.
#[derive(Debug)]
pub struct Activity {
    /// The name of the plugin.
    pub name: &'static str,
    /// The plugin, with its parameters.
    pub kind: ActivityKind,
    /// The start of the range of times, inclusive; times are ticks or whole numbers, as in the timeline.
    pub from: i64,
    /// The end of the range of times, inclusive.
    pub to: i64,
    /// A time at which a window begins; the others are aligned with it.
    pub origin: i64,
    /// The output column with the time of the window.
    pub timeline: Field,
    /// The output columns with the dimensions.
    pub dimensions: Vec<Field>,
    /// One column with the users who appeared before the range, and so do not count as new.
    pub known: Batch,
}

/// Windows of equal length, or periods of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityWindow {
    /// Windows of this length, in the unit of the timeline.
    Fixed(i64),
    /// Weeks, months or years.
    Calendar(Period),
}

/// The plugin, and the lengths of its windows in the unit of the timeline.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named like the parameters of its plugin")]
pub enum ActivityKind {
    ActiveUsers { lookback: i64, period: i64, active_periods: i64, bin: i64 },
    CountsMetrics { window: ActivityWindow },
    Engagement { inner: i64, outer: i64 },
    Metrics { window: ActivityWindow },
    NewMetrics { window: ActivityWindow, cohort: Option<i64> },
    Sessions { bin: i64, lookback: i64 },
    SlidingWindow { lookback: i64, bin: ActivityWindow },
}

/// A row of the input: a user, by number, appears at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Appearance {
    time: i64,
    user: usize,
}

/// An output row without its dimensions: the times, and the counts and rates.
struct ActivityRow {
    times: Vec<i64>,
    measures: Vec<Value>,
}

impl Activity {
    /// Returns the start of the window that contains `time`.
    fn window_of(&self, time: i64, window: ActivityWindow) -> i64 {
        let size = match window {
            ActivityWindow::Fixed(size) => size,
            ActivityWindow::Calendar(period) => return datetime::start_of(time, period, 0).unwrap_or(time),
        };
        let distance = i128::from(time) - i128::from(self.origin);
        let start = i128::from(self.origin) + distance.div_euclid(i128::from(size)) * i128::from(size);
        i64::try_from(start).unwrap_or(time)
    }

    /// Returns the start of the window that is `count` windows after the one that starts at `start`; the greatest time
    /// if there is no such window.
    fn window_after(start: i64, window: ActivityWindow, count: i64) -> i64 {
        match window {
            ActivityWindow::Fixed(size) => start.saturating_add(size.saturating_mul(count)),
            ActivityWindow::Calendar(period) => datetime::start_of(start, period, count).unwrap_or(i64::MAX),
        }
    }

    fn is_in_range(&self, appearance: Appearance) -> bool {
        (self.from..=self.to).contains(&appearance.time)
    }

    /// Returns the combinations of dimensions, and the appearances of each, sorted by time. Known users appear before
    /// all times.
    fn appearances(&self, arguments: &Batch) -> (DimensionKeys, Vec<Vec<Appearance>>) {
        let columns: Vec<usize> = (2..arguments.columns().len()).collect();
        let (mut users, mut keys) = (DimensionKeys::default(), DimensionKeys::default());
        for row in 0..self.known.rows() {
            users.number(&self.known, &[0], row);
        }
        let known = users.len();
        let mut groups: Vec<Vec<Appearance>> = Vec::new();
        for row in 0..arguments.rows() {
            let Some(time) = arguments.column(1).i64_at(row).filter(|_| !arguments.column(0).is_null(row)) else {
                continue;
            };
            let number = keys.number(arguments, &columns, row);
            let before = |user| Appearance { time: i64::MIN, user };
            groups.resize_with(keys.len(), || (0..known).map(before).collect());
            groups[number].push(Appearance { time, user: users.number(arguments, &[0], row) });
        }
        groups.iter_mut().for_each(|group| group.sort_unstable());
        (keys, groups)
    }

    fn rows(&self, group: &[Appearance]) -> Result<Vec<ActivityRow>> {
        match self.kind {
            ActivityKind::ActiveUsers { lookback, period, active_periods, bin } => {
                Ok(self.active_users(group, [lookback, period, active_periods, bin]))
            }
            ActivityKind::CountsMetrics { window } => Ok(self.counts_metrics(group, window)),
            ActivityKind::Engagement { inner, outer } => Ok(self.engagement(group, inner, outer)),
            ActivityKind::Metrics { window } => Ok(self.metrics(group, window)),
            ActivityKind::NewMetrics { window, cohort } => self.new_metrics(group, window, cohort),
            ActivityKind::Sessions { bin, lookback } => Ok(self.sessions(group, bin, lookback)),
            ActivityKind::SlidingWindow { lookback, bin } => self.sliding_window(group, lookback, bin),
        }
    }

    fn time_fields(&self) -> Vec<Field> {
        let field = |prefix: &str| Field::new(format!("{prefix}{}", self.timeline.name), self.timeline.ty);
        match self.kind {
            ActivityKind::NewMetrics { .. } => vec![field("from_"), field("to_")],
            _ => vec![field("")],
        }
    }

    fn measure_fields(&self) -> Vec<Field> {
        let (longs, reals): (&[&str], &[&str]) = match self.kind {
            ActivityKind::ActiveUsers { .. } => (&["dcount"], &[]),
            ActivityKind::CountsMetrics { .. } => (&["count", "dcount", "new_dcount", "aggregated_dcount"], &[]),
            ActivityKind::Engagement { .. } => {
                (&["dcount_activities_inner", "dcount_activities_outer"], &["activity_ratio"])
            }
            ActivityKind::Metrics { .. } => (&["dcount_values", "dcount_newvalues"], &["retention_rate", "churn_rate"]),
            ActivityKind::NewMetrics { .. } => (
                &["dcount_new_values", "dcount_retained_values", "dcount_churn_values"],
                &["retention_rate", "churn_rate"],
            ),
            ActivityKind::Sessions { .. } => (&["count_sessions"], &[]),
            ActivityKind::SlidingWindow { .. } => (&["Count", "Dcount"], &[]),
        };
        let longs = longs.iter().map(|name| Field::new(*name, Type::Long));
        longs.chain(reals.iter().map(|name| Field::new(*name, Type::Real))).collect()
    }

    fn too_many_windows(&self) -> Error {
        Error::Limit(format!("{} has more than {MAX_WINDOWS} windows; use longer windows", self.name))
    }
}

impl TableFunction for Activity {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fields(&self) -> Vec<Field> {
        [self.time_fields(), self.dimensions.clone(), self.measure_fields()].concat()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let (keys, groups) = self.appearances(arguments);
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        for (number, group) in groups.iter().enumerate() {
            rows.extend(self.rows(group)?);
            numbers.resize(rows.len(), number);
        }
        let mut columns = Vec::new();
        for (index, field) in self.time_fields().iter().enumerate() {
            let mut builder = ColumnBuilder::new(field.ty);
            rows.iter().for_each(|row| builder.append_i64(row.times[index]));
            columns.push(builder.finish());
        }
        columns.extend(keys.columns(&self.dimensions, numbers.iter().copied()));
        for (index, field) in self.measure_fields().iter().enumerate() {
            let mut builder = ColumnBuilder::new(field.ty);
            rows.iter().for_each(|row| builder.append(&row.measures[index]));
            columns.push(builder.finish());
        }
        Ok(TableOutput::of_columns(columns))
    }
}

/// Returns a number of users or rows as a value of the type long.
fn long(count: usize) -> Value {
    Value::Long(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Returns a number of users as a fraction of another; NaN if both are 0.
#[expect(clippy::cast_precision_loss, reason = "counts of rows in memory are exact as doubles")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
