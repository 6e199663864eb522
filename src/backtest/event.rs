//! What became of each record that the query of a rule looks for: caught by an alert, or missed, and why.

use std::collections::{BTreeSet, HashMap};

use super::condition::RowIndex;
use super::rows::RecordRow;
use crate::engine::RecordColumns;
use crate::rules::AlertSchedule;
use crate::rules::alert_state::{AlertState, AlertTransition};
use crate::rules::schedule::{EventTimes, RunRange, TickGrid, WindowEdges};
use crate::types::Batch;

/// Tells records apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct RecordId {
    /// The number of the table among those that were met.
    table: usize,
    /// The position in the table.
    position: i64,
}

/// A record that the query of a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoughtEvent {
    /// The table.
    pub table: String,
    /// When it happened and arrived.
    pub times: EventTimes,
    /// The file.
    pub file: String,
    /// The line in the file.
    pub line: Option<i64>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventOutcome {
    /// The record.
    pub event: SoughtEvent,
    /// The time of the first run whose alert includes it; else the reason.
    pub caught: Result<i64, MissReason>,
    /// The number of alerts that include it.
    pub alerts: u64,
}

/// Why no alert includes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissReason {
    /// It arrived after every run that reads its time.
    Delay,
    /// No run reads its time: windows have gaps.
    Gap,
    /// A run returned it, but the condition of the rule was false.
    Condition,
    /// The query did not run, after an earlier alert; the run would have made an alert of it.
    Suppressed,
    /// A run returned it while an earlier alert lasted.
    Firing,
    /// Its alert was made, but the actions were muted.
    Muted,
    /// A run saw it, but the query excludes it by its conditions on the clock.
    Query,
    /// The backtest ends before the runs that would see it.
    End,
}

impl MissReason {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Gap => "gap",
            Self::Suppressed => "suppressed",
            Self::Condition => "condition",
            Self::Firing => "firing",
            Self::Muted => "muted",
            Self::Query => "query",
            Self::End => "end",
        }
    }

    /// True if a longer backtest may find that an alert includes the record.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        self == Self::End
    }
}

/// What runs said about records so far.
#[derive(Default)]
pub(super) struct RecordLog {
    /// The names of the tables that were met.
    tables: Vec<String>,
    known: HashMap<RecordId, SeenRecord>,
}

/// Returns the reason why the rows of a run are in no alert; Ok if they are in one.
pub(super) fn outcome_of(transition: AlertTransition) -> Result<(), MissReason> {
    match transition {
        AlertTransition { state: AlertState::Fired, is_muted: false } => Ok(()),
        AlertTransition { state: AlertState::Fired, .. } => Err(MissReason::Muted),
        AlertTransition { state: AlertState::Firing, .. } => Err(MissReason::Firing),
        _ => Err(MissReason::Condition),
    }
}

/// A record that some run returned.
#[derive(Clone, Copy)]
struct SeenRecord {
    /// The first run whose alert includes it; else the reason.
    caught: Result<i64, MissReason>,
    alerts: u64,
}

impl RecordLog {
    /// Takes note of the rows that a run returned, and of what they led to.
    pub fn seen(
        &mut self,
        batches: &[Batch],
        rows: &[RowIndex],
        first: Option<usize>,
        run: i64,
        outcome: Result<(), MissReason>,
    ) {
        let Some(first) = first else { return };
        let reason = outcome.err();
        for at in rows {
            let record = RecordRow { batch: &batches[at.batch], row: at.row, first };
            let Some(position) = record.number(RecordColumns::Position) else { continue };
            let table = self.table(record.text(RecordColumns::Table));
            let id = RecordId { table, position };
            let fresh = SeenRecord { caught: Err(reason.unwrap_or(MissReason::Condition)), alerts: 0 };
            let seen = self.known.entry(id).or_insert(fresh);
            match (reason, seen.caught) {
                (None, caught) => {
                    seen.alerts += 1;
                    seen.caught = Ok(caught.map_or(run, |first| first.min(run)));
                }
                (Some(reason), Err(known)) => seen.caught = Err(known.max(reason)),
                (Some(_), Ok(_)) => {}
            }
        }
    }

    /// The number of a table.
    fn table(&mut self, name: &str) -> usize {
        self.tables.iter().position(|known| known == name).unwrap_or_else(|| {
            self.tables.push(name.to_owned());
            self.tables.len() - 1
        })
    }

    /// Returns the outcome of each record within the range.
    pub fn outcomes(
        &mut self,
        batches: &[Batch],
        first: Option<usize>,
        [from, to]: [i64; 2],
        runs: &EventRuns<'_>,
    ) -> Vec<EventOutcome> {
        let (mut outcomes, mut known) = (Vec::new(), BTreeSet::new());
        let Some(first) = first else { return outcomes };
        for batch in batches {
            for row in 0..batch.rows() {
                let record = RecordRow { batch, row, first };
                let (Some(position), Some(generated)) =
                    (record.number(RecordColumns::Position), record.number(RecordColumns::Time))
                else {
                    continue;
                };
                let table = record.text(RecordColumns::Table).to_owned();
                let id = RecordId { table: self.table(&table), position };
                // The rule does not look for rows that its dimensions exclude. One record may be several rows, after
                // `mv-expand`.
                if !(runs.admits)(batch, row) || !(from..to).contains(&generated) || !known.insert(id) {
                    continue;
                }
                let arrived = (runs.arrived)(&table, generated, record.number(RecordColumns::Arrived));
                let (file, line) = (record.text(RecordColumns::File).to_owned(), record.number(RecordColumns::Line));
                let event = SoughtEvent { table, times: EventTimes { generated, arrived }, file, line };
                outcomes.push(self.outcome(event, id, runs));
            }
        }
        outcomes.sort_by_key(|outcome| outcome.event.times.generated);
        outcomes
    }

    fn outcome(&self, event: SoughtEvent, id: RecordId, runs: &EventRuns<'_>) -> EventOutcome {
        match self.known.get(&id) {
            Some(SeenRecord { caught, alerts }) => {
                let caught = caught.map(|run| runs.grid.time(run));
                EventOutcome { event, caught, alerts: *alerts }
            }
            None => {
                let caught = Err(reason(event.times, runs));
                EventOutcome { event, caught, alerts: 0 }
            }
        }
    }
}

/// The reason why no run returned an event.
fn reason(times: EventTimes, runs: &EventRuns<'_>) -> MissReason {
    let EventRuns { schedule, grid, runs: all, edges, .. } = *runs;
    let (about, seeing) = (schedule.runs_about(grid, times, edges), schedule.runs_seeing(grid, times, edges));
    if about.count() == 0 {
        return MissReason::Gap;
    }
    if seeing.count() == 0 {
        return MissReason::Delay;
    }
    match seeing.and(all).count() {
        0 => MissReason::End,
        _ => MissReason::Query,
    }
}

/// When a record of a table arrived, by its time and by the value of its column.
pub(super) type ArrivalOf<'a> = dyn Fn(&str, i64, Option<i64>) -> Option<i64> + 'a;

/// True if the dimensions of a rule admit a row.
pub(super) type AdmitsRow<'a> = dyn Fn(&Batch, usize) -> bool + 'a;

/// The runs of a backtest, as far as events need them.
pub(super) struct EventRuns<'a> {
    pub schedule: &'a AlertSchedule,
    pub grid: TickGrid,
    pub runs: RunRange,
    pub edges: WindowEdges,
    pub arrived: &'a ArrivalOf<'a>,
    pub admits: &'a AdmitsRow<'a>,
}
