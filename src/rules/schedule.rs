//! When a rule runs, which rows each run sees, and when a row is seen: arithmetic without rows.
//!
//! A scheduled rule runs at `anchor + k * frequency`. A run at time `T` reads the rows with
//! `T - lookback <= TimeGenerated <= T` that arrived until `T + delay`. A rule that selects rows by ingestion time reads
//! those that arrived after `T - delay - lookback`, until `T - delay`. The anchor of a service is not known: it is the
//! time at which the rule was created or enabled.
//!
//! Sources: Microsoft's pages on scheduled and near-real-time rules of Sentinel, on log search alert rules of Azure
//! Monitor and on custom detections, and alerts that these services made.

use super::{AlertSchedule, WindowClock};

/// The times at which a rule may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickGrid {
    /// One of the times.
    pub anchor: i64,
    /// The ticks of 100 ns between two of them, at least 1.
    pub frequency: i64,
}

/// Numbers of runs, from `first` to `last`; none if `last` is less than `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunRange {
    /// The first run.
    pub first: i64,
    /// The last run.
    pub last: i64,
}

impl RunRange {
    /// The number of runs.
    #[must_use]
    pub fn count(self) -> u64 {
        u64::try_from(i128::from(self.last) - i128::from(self.first) + 1).unwrap_or(0)
    }

    /// The runs that are in both ranges.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// The runs in order.
    pub fn runs(self) -> impl Iterator<Item = i64> {
        self.first..=self.last
    }
}

impl TickGrid {
    /// The time of run `number`.
    #[must_use]
    pub fn time(self, number: i64) -> i64 {
        self.anchor.saturating_add(number.saturating_mul(self.frequency))
    }

    /// The runs at times from `from` to `through`, both included.
    #[must_use]
    pub fn between(self, from: i64, through: i64) -> RunRange {
        let distance = |time: i64| i128::from(time) - i128::from(self.anchor);
        let frequency = i128::from(self.frequency.max(1));
        let number = |number: i128| i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
        let first = -(-distance(from)).div_euclid(frequency);
        RunRange { first: number(first), last: number(distance(through).div_euclid(frequency)) }
    }
}

/// Whether a window includes its first moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowEdges {
    /// Both ends belong to the window, as `between` has it.
    #[default]
    Inclusive,
    /// The first moment does not belong to the window, so that windows side by side share none.
    HalfOpen,
}

/// The rows that a run sees. All bounds are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowWindow {
    /// The first and the last `TimeGenerated`.
    pub generated: [i64; 2],
    /// The first and the last time of arrival.
    pub arrived: [i64; 2],
}

/// When an event happened, and when its row arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTimes {
    /// `TimeGenerated`.
    pub generated: i64,
    /// The time of arrival; None if it is not known, so that no run sees the row.
    pub arrived: Option<i64>,
}

impl RowWindow {
    /// True if the run sees the row.
    #[must_use]
    pub fn holds(&self, event: EventTimes) -> bool {
        let within = |[first, last]: [i64; 2], time: i64| first <= time && time <= last;
        within(self.generated, event.generated) && event.arrived.is_some_and(|time| within(self.arrived, time))
    }
}

impl AlertSchedule {
    /// The rows that the run at `time` sees.
    #[must_use]
    pub fn window(&self, time: i64, edges: WindowEdges) -> RowWindow {
        let open = i64::from(edges == WindowEdges::HalfOpen);
        match self.clock {
            WindowClock::Generated => RowWindow {
                generated: [time.saturating_sub(self.lookback).saturating_add(open), time],
                arrived: [i64::MIN, time.saturating_add(self.delay)],
            },
            WindowClock::Ingested => {
                let end = time.saturating_sub(self.delay);
                let start = end.saturating_sub(self.lookback).saturating_add(1);
                RowWindow { generated: [i64::MIN, i64::MAX], arrived: [start, end] }
            }
        }
    }

    /// The time at which the alert of the run at `time` appears.
    #[must_use]
    pub fn detected(&self, time: i64) -> i64 {
        match self.clock {
            WindowClock::Generated => time.saturating_add(self.delay),
            WindowClock::Ingested => time,
        }
    }

    /// The runs whose windows include the event, whether or not its row has arrived.
    #[must_use]
    pub fn runs_about(&self, grid: TickGrid, event: EventTimes, edges: WindowEdges) -> RunRange {
        let open = i64::from(edges == WindowEdges::HalfOpen);
        match (self.clock, event.arrived) {
            (WindowClock::Generated, _) => {
                grid.between(event.generated, event.generated.saturating_add(self.lookback).saturating_sub(open))
            }
            (WindowClock::Ingested, Some(arrived)) => {
                let first = arrived.saturating_add(self.delay);
                grid.between(first, first.saturating_add(self.lookback).saturating_sub(1))
            }
            (WindowClock::Ingested, None) => RunRange { first: 0, last: -1 },
        }
    }

    /// The runs that see the event.
    #[must_use]
    pub fn runs_seeing(&self, grid: TickGrid, event: EventTimes, edges: WindowEdges) -> RunRange {
        let about = self.runs_about(grid, event, edges);
        let Some(arrived) = event.arrived else { return RunRange { first: 0, last: -1 } };
        match self.clock {
            WindowClock::Generated => about.and(grid.between(arrived.saturating_sub(self.delay), i64::MAX)),
            WindowClock::Ingested => about,
        }
    }

    /// How late a row may arrive so that it is seen whatever the anchor; None if even a row without delay may be missed,
    /// because rows are read less often than they must be.
    #[must_use]
    pub fn safe_delay(&self) -> Option<i64> {
        let safe = match self.clock {
            WindowClock::Generated => self.lookback.saturating_sub(self.frequency).saturating_add(self.delay),
            WindowClock::Ingested => i64::MAX,
        };
        (self.lookback >= self.frequency).then_some(safe)
    }

    /// The lookback with which rows that arrive `delay` late are seen whatever the anchor.
    #[must_use]
    pub fn lookback_for(&self, delay: i64) -> i64 {
        self.frequency.saturating_add(delay).saturating_sub(self.delay).max(self.frequency)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{EventTimes, TickGrid, WindowEdges};
    use crate::rules::{AlertSchedule, WindowClock};

    /// A schedule, a grid and an event in small numbers, so that every edge is hit.
    fn random(random: &mut ChaCha8Rng) -> (AlertSchedule, TickGrid, EventTimes, WindowEdges) {
        let clock = if random.random_bool(0.5) { WindowClock::Generated } else { WindowClock::Ingested };
        let frequency = random.random_range(1..12);
        let (lookback, delay) = (random.random_range(1..20), random.random_range(0..8));
        let grid = TickGrid { anchor: random.random_range(-20..20), frequency };
        let generated = random.random_range(-30..30);
        let arrived = random.random_bool(0.95).then(|| generated + random.random_range(0..30));
        let edges = if random.random_bool(0.5) { WindowEdges::Inclusive } else { WindowEdges::HalfOpen };
        (AlertSchedule { frequency, lookback, clock, delay }, grid, EventTimes { generated, arrived }, edges)
    }

    #[test]
    fn runs_see_the_rows_of_their_windows() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20_000 {
            let (schedule, grid, event, edges) = random(&mut generator);
            let seeing = schedule.runs_seeing(grid, event, edges);
            for run in -120..120 {
                let holds = schedule.window(grid.time(run), edges).holds(event);
                let is_listed = (seeing.first..=seeing.last).contains(&run);
                assert_eq!(holds, is_listed, "run {run} of {schedule:?} on {grid:?}: {event:?}, {edges:?}");
            }
        }
    }

    #[test]
    fn the_number_of_windows_differs_by_one_at_most() {
        let mut generator = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..20_000 {
            let (schedule, grid, event, _) = random(&mut generator);
            let about = schedule.runs_about(grid, event, WindowEdges::HalfOpen).count();
            let event_is_known = event.arrived.is_some() || schedule.clock == WindowClock::Generated;
            let (lookback, frequency) = (schedule.lookback.unsigned_abs(), schedule.frequency.unsigned_abs());
            let expected = [lookback / frequency, lookback.div_ceil(frequency)];
            assert!(!event_is_known || expected.contains(&about), "{about} of {schedule:?}");
        }
    }

    #[test]
    fn safe_delays_are_safe_for_every_anchor_and_others_are_not() {
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..5_000 {
            let (schedule, grid, _, _) = random(&mut generator);
            for delay in 0..40 {
                let event = EventTimes { generated: 0, arrived: Some(delay) };
                let seen: Vec<bool> = (0..schedule.frequency)
                    .map(|anchor| TickGrid { anchor, ..grid })
                    .map(|grid| schedule.runs_seeing(grid, event, WindowEdges::HalfOpen).count() > 0)
                    .collect();
                let is_safe = schedule.safe_delay().is_some_and(|safe| delay <= safe);
                assert_eq!(seen.iter().all(|seen| *seen), is_safe, "{schedule:?}, {delay}");
                let is_lost = schedule.clock == WindowClock::Generated
                    && delay > schedule.lookback.saturating_add(schedule.delay).saturating_sub(1);
                assert!(!is_lost || seen.iter().all(|seen| !seen), "{schedule:?}, {delay}");
            }
        }
    }

    #[test]
    fn the_suggested_lookback_is_the_shortest_safe_one() {
        let mut generator = ChaCha8Rng::seed_from_u64(4);
        for _ in 0..5_000 {
            let (schedule, _, _, _) = random(&mut generator);
            let schedule = AlertSchedule { clock: WindowClock::Generated, ..schedule };
            let delay = generator.random_range(0..40);
            let lookback = schedule.lookback_for(delay);
            let with = |lookback| AlertSchedule { lookback, ..schedule }.safe_delay().is_some_and(|safe| delay <= safe);
            assert!(with(lookback), "{schedule:?}");
            assert!(lookback == schedule.frequency || !with(lookback - 1), "{schedule:?}");
        }
    }
}
