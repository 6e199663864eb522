//! Reads all rows of a table, with columns for keys that the table does not have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::target::ConvertTarget;
use super::{Conversion, describe_progress};
use crate::cli::progress::ProgressLine;
use crate::convert::{self, GatheredRows, KnownIds, Progress};
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Prepared};
use crate::messages::CommandNote;
use crate::scan::{Catalog, Damage, WithColumns};
use crate::types::Batch;

/// The greatest number of columns that are added to those of a table.
const MAX_ADDED_COLUMNS: usize = 250;

/// The greatest number of keys that a message names.
const MAX_NAMED: usize = 20;

/// The rows of a table that were read but not written yet.
pub(super) struct TableRead {
    pub prepared: Prepared,
    pub rows: GatheredRows,
    pub known_ids: Option<KnownIds>,
    pub options: convert::SortOptions,
    /// Shows the progress of the conversion.
    pub line: Arc<ProgressLine>,
}

impl Conversion<'_> {
    /// Reads the rows of a table. If records turn out to have keys that the table has no column for, the rows are
    /// read a second time, with columns for these keys.
    pub(super) fn read(&mut self, table: &str) -> Result<TableRead> {
        let first = self.read_with(table, None)?;
        let beyond = first.prepared.report().extra_columns();
        if beyond.is_empty() {
            return Ok(first);
        }
        first.line.end();
        drop(first);
        // A query cannot refer to a column without a name.
        let names: BTreeSet<String> =
            beyond.into_iter().filter(|name| !name.is_empty()).take(MAX_ADDED_COLUMNS).collect();
        let reading = self.read_with(table, Some(names.clone()))?;
        let (kept, left_out) = (list(&names), list(&reading.prepared.report().take_extra_columns()));
        match left_out {
            None => self.note_kept(table, kept),
            // Too many, or keys of records whose table is not known.
            Some(names) => reading.prepared.report().damaged(Damage::NotConverted(names), "", 1),
        }
        Ok(reading)
    }

    fn note_kept(&self, table: &str, names: Option<String>) {
        let Some(names) = names else { return };
        let note = CommandNote::ColumnsAdded { table: table.to_owned(), names };
        self.session.reporter.note(note);
    }

    /// Reads the rows, with `columns` added to those of the table. With None, no more rows are kept once a record has
    /// other keys.
    fn read_with(&mut self, table: &str, columns: Option<BTreeSet<String>>) -> Result<TableRead> {
        let reporter = &self.session.reporter;
        let started = Instant::now();
        let is_first = columns.is_none();
        let prepared = self.prepare(table, columns, started).map_err(|error| reporter.query_error(error))?;
        let mut known_ids = self.known_ids(table, &prepared)?;
        let progress = Arc::new(Progress::default());
        let options = self.options(table, &progress);
        let report = Arc::clone(prepared.report());
        let line = ProgressLine::start(reporter.progress_mode(), started, move |elapsed| {
            describe_progress(&progress, &report, elapsed)
        });
        let first_table =
            matches!(self.target, ConvertTarget::File(_)).then(|| self.done.tables.first().cloned()).flatten();
        let mut keep = |batch: Batch| match (&mut known_ids, &first_table) {
            (_, Some(first)) if batch.rows() > 0 => {
                let text =
                    format!("the input contains several tables ({first}, {table}); give -O a folder instead of a file");
                Err(Error::Usage(text))
            }
            _ if is_first && !prepared.report().extra_columns().is_empty() => Ok(batch.slice(0, 0)),
            (Some(ids), _) => ids.only_new(&batch),
            _ => Ok(batch),
        };
        match convert::gather(&prepared, &options, &mut keep) {
            Ok(rows) => Ok(TableRead { prepared, rows, known_ids, options, line }),
            Err(error) => {
                line.end();
                // There is no query that could name them.
                drop(prepared.report().take_extra_columns());
                reporter.report_new(prepared.report(), &mut self.done.emitted);
                Err(reporter.query_error(error))
            }
        }
    }

    fn prepare(&self, table: &str, columns: Option<BTreeSet<String>>, started: Instant) -> Result<Prepared> {
        let (session, text) = (self.session, convert::quoted(table));
        let Some(names) = columns else { return session.prepare(&session.engine, &text, started) };
        let catalog = Arc::clone(&session.catalog) as Arc<dyn Catalog>;
        let catalog = WithColumns { catalog, names, exist: true };
        let engine = Engine::new(Arc::new(catalog), session.engine.settings().clone());
        session.prepare(&engine, &text, started)
    }

    fn options(&self, table: &str, progress: &Arc<Progress>) -> convert::SortOptions {
        convert::SortOptions {
            time_column: self.session.time_column(table),
            max_memory: self.max_memory(),
            threads: self.session.engine.settings().threads,
            temporary: self.staging.temporary().to_owned(),
            progress: Arc::clone(progress),
        }
    }
}

/// The first names, quoted and joined; None if there are none.
fn list(names: &BTreeSet<String>) -> Option<String> {
    let mut first: Vec<String> = names.iter().take(MAX_NAMED).map(|name| format!("{name:?}")).collect();
    if names.len() > MAX_NAMED {
        first.push("and others".to_owned());
    }
    (!first.is_empty()).then(|| first.join(", "))
}
