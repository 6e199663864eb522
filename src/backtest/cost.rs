//! What the runs of a rule would read in the service: the rows of its tables in each window, whether or not its query
//! looks for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Assumptions;
use super::coverage::DataRange;
use crate::diagnostic::Result;
use crate::engine::{Engine, TableTimes, WindowCounts};
use crate::rules::schedule::RowWindow;
use crate::rules::{AlertRule, WindowClock};
use crate::scan::ScanReport;

/// What runs would read. Rows count to the minute, whether or not they had arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunCost {
    /// The number of runs that were evaluated.
    pub runs: u64,
    /// The rows of all runs together.
    pub rows: u64,
    /// The rows of the run that reads the most.
    pub most_rows: u64,
    /// The bytes of all runs together: the share of the rows in the size of the files.
    pub bytes: f64,
    /// The bytes of the run that reads the most.
    pub most_bytes: f64,
}

impl RunCost {
    /// The mean of the rows of a run; 0 without runs.
    #[must_use]
    pub fn rows_per_run(&self) -> f64 {
        as_number(self.rows) / as_number(self.runs.max(1))
    }

    /// The mean of the bytes of a run; 0 without runs.
    #[must_use]
    pub fn bytes_per_run(&self) -> f64 {
        self.bytes / as_number(self.runs.max(1))
    }
}

/// The rows of a table by their time.
#[derive(Debug)]
struct CountedTable {
    name: String,
    counts: WindowCounts,
    bytes_of_row: f64,
}

/// The rows of tables by their time.
#[derive(Debug)]
pub(super) struct TableRows {
    tables: Vec<CountedTable>,
    /// True if the text of the query names the tables.
    are_named: bool,
}

impl TableRows {
    /// Reads the times of the rows of the tables that a rule reads, and returns their range, too.
    pub fn read(
        rule: &AlertRule,
        engine: &Engine,
        assumptions: &Assumptions,
        report: &Arc<ScanReport>,
    ) -> Result<(Self, Option<DataRange>)> {
        let (tables, are_named) = engine.times_of_data(&rule.query.text, &assumptions.times, report)?;
        let ranges = tables.iter().filter_map(|table| table.range);
        let range = ranges.reduce(|one, other| [one[0].min(other[0]), one[1].max(other[1])]);
        let data = range.map(|generated| DataRange { generated, latest: generated[1] });
        Ok((Self { tables: tables.into_iter().map(CountedTable::new).collect(), are_named }, data))
    }

    /// Keeps the tables that the plan of the query reads. None if these are not known: the query is bound at every run,
    /// and its text names none.
    pub fn of_query(mut self, tables: Option<&BTreeSet<String>>) -> Option<Self> {
        if let Some(tables) = tables {
            self.tables.retain(|table| tables.contains(&table.name));
            self.are_named = true;
        }
        self.are_named.then_some(self)
    }

    /// Adds a run over `window`.
    pub fn add(&self, clock: WindowClock, window: RowWindow, cost: &mut RunCost) {
        let window = match clock {
            WindowClock::Generated => window.generated,
            WindowClock::Ingested => window.arrived,
        };
        let (mut rows, mut bytes) = (0, 0.0);
        for table in &self.tables {
            let count = table.counts.within(window);
            rows += count;
            bytes += as_number(count) * table.bytes_of_row;
        }
        cost.runs += 1;
        cost.rows += rows;
        cost.bytes += bytes;
        cost.most_rows = cost.most_rows.max(rows);
        cost.most_bytes = cost.most_bytes.max(bytes);
    }
}

impl CountedTable {
    fn new(table: TableTimes) -> Self {
        let bytes_of_row = as_number(table.bytes) / as_number(table.counts.rows().max(1));
        Self { name: table.table, counts: table.counts.finish(), bytes_of_row }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows and bytes stay below 2^53")]
fn as_number(count: u64) -> f64 {
    count as f64
}
