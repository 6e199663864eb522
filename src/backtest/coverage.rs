//! The range of times for which the files hold rows, and the runs of a backtest.

use super::{Assumptions, BacktestError, MAX_RUNS};
use crate::diagnostic::{Error, Result};
use crate::engine::Engine;
use crate::rules::schedule::{RowWindow, RunRange, TickGrid};
use crate::rules::{AlertRule, AlertSchedule, WindowClock};
use crate::scan::ScanReport;
use crate::types::datetime;

use std::sync::Arc;

/// The times of the rows of the tables that a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataRange {
    /// The first and the last `TimeGenerated`.
    pub generated: [i64; 2],
    /// The latest time of any row, its arrival included.
    pub latest: i64,
}

impl DataRange {
    /// The range of the tables that a rule reads; None if they have no rows with times.
    pub fn of(rule: &AlertRule, engine: &Engine, report: &Arc<ScanReport>) -> Result<Option<Self>> {
        let [first, last] = engine.range_of_data(&rule.query.text, report)?;
        Ok(first.zip(last).map(|(first, last)| Self { generated: [first, last], latest: last }))
    }

    /// True if the data reach from the beginning to the end of a window.
    #[must_use]
    pub fn covers(&self, clock: WindowClock, window: RowWindow) -> bool {
        let [first, last] = self.generated;
        match clock {
            WindowClock::Generated => first <= window.generated[0] && window.generated[1] <= last,
            WindowClock::Ingested => first <= window.arrived[0] && window.arrived[1] <= self.latest,
        }
    }

    /// The first and the last run whose windows the data cover.
    fn covered_runs(&self, schedule: &AlertSchedule, grid: TickGrid) -> RunRange {
        let [first, last] = self.generated;
        match schedule.clock {
            WindowClock::Generated => grid.between(first.saturating_add(schedule.lookback), last),
            WindowClock::Ingested => {
                let first = first.saturating_add(schedule.lookback).saturating_add(schedule.delay);
                grid.between(first, self.latest.saturating_add(schedule.delay))
            }
        }
    }
}

/// The first moment of a backtest, and the moment after the last one.
pub(super) fn range(
    data: Option<DataRange>,
    assumptions: &Assumptions,
) -> std::result::Result<[i64; 2], BacktestError> {
    let [first, last] = data.map_or([None; 2], |data| data.generated.map(Some));
    let resumed = assumptions.resumed.as_ref().map(|state| state.last_run.saturating_add(1));
    let (from, to) =
        (resumed.or(assumptions.from).or(first), assumptions.to.or(last.map(|last| last.saturating_add(1))));
    let (Some(from), Some(to)) = (from, to) else { return Err(BacktestError::NoRows) };
    if from < to || assumptions.keeps_state {
        return Ok([from, to]);
    }
    let text = match (assumptions.from, assumptions.to, data) {
        (Some(_), Some(_), _) | (_, _, None) => {
            "the range of the backtest is empty: --from must be before --to".to_owned()
        }
        (_, _, Some(data)) => {
            let [first, last] = data.generated.map(datetime::to_text);
            format!(
                "the range of the backtest is empty: the files have rows from {first} to {last}; give --from and --to"
            )
        }
    };
    Err(Error::Usage(text).into())
}

/// The runs of a backtest: those in the range, and, if its end is not given, those that may still see its last events.
/// A rule about absence runs only while there are data, unless the range is given.
pub(super) fn runs(
    schedule: &AlertSchedule,
    grid: TickGrid,
    [from, to]: [i64; 2],
    assumptions: &Assumptions,
    absence_in: Option<DataRange>,
) -> Result<RunRange> {
    let end = match (assumptions.to, absence_in) {
        // A run that goes on later waits until rows have arrived.
        (Some(to), _) if assumptions.keeps_state && schedule.clock == WindowClock::Generated => {
            to.saturating_sub(schedule.delay)
        }
        (Some(to), _) => to,
        (None, Some(_)) => to,
        (None, None) => {
            to.saturating_add(schedule.lookback).saturating_add(schedule.delay).saturating_add(schedule.frequency)
        }
    };
    let mut runs = grid.between(from, end);
    if let Some(data) = absence_in {
        let covered = data.covered_runs(schedule, grid);
        if assumptions.from.is_none() {
            runs.first = runs.first.max(covered.first);
        }
        if assumptions.to.is_none() {
            runs.last = covered.last;
        }
    }
    if runs.count() > MAX_RUNS {
        return Err(Error::Limit(format!("{} runs; at most {MAX_RUNS} are possible: shorten the range", runs.count())));
    }
    Ok(runs)
}
