//! All rows of a table, with the columns that only its records have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::{Target, Work, how_far};
use crate::cli::progress::ProgressLine;
use crate::cli::talk::Message;
use crate::convert::{self, GatheredRows, KnownIds, Progress};
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Prepared};
use crate::source::{Catalog, Damage, WithColumns};
use crate::types::Batch;

/// Columns that an archive has beyond those of a table.
const MAX_COLUMNS: usize = 250;

/// Names in a message about keys beyond the columns of a table.
const NAMED: usize = 20;

/// The rows of a table, which were read and are not yet written.
pub(super) struct Reading {
    pub prepared: Prepared,
    pub rows: GatheredRows,
    pub known_ids: Option<KnownIds>,
    pub options: convert::Options,
    /// Says how far the conversion of the table has come.
    pub line: Arc<ProgressLine>,
}

impl Work<'_> {
    /// Reads the rows of a table. Which keys its records have beyond the columns of the table, only reading them tells:
    /// where there are some, the rows are read again, with columns for these.
    pub(super) fn read(&mut self, table: &str) -> Result<Reading> {
        let first = self.read_with(table, None)?;
        let beyond = first.prepared.report().beyond();
        if beyond.is_empty() {
            return Ok(first);
        }
        first.line.end();
        drop(first);
        // A query cannot name a column without a name.
        let names: BTreeSet<String> = beyond.into_iter().filter(|name| !name.is_empty()).take(MAX_COLUMNS).collect();
        let reading = self.read_with(table, Some(names.clone()))?;
        let (kept, left_out) = (list(&names), list(&reading.prepared.report().beyond()));
        match left_out {
            None => self.note_kept(table, kept),
            // Too many, or keys of records whose table is not known.
            Some(names) => reading.prepared.report().damaged(Damage::NotConverted(names), "", 1),
        }
        Ok(reading)
    }

    fn note_kept(&self, table: &str, names: Option<String>) {
        let Some(names) = names else { return };
        let text =
            format!("records of {table} have keys that the table has no column for; each is a column here: {names}");
        self.session.talk.message(&Message::Note(text));
    }

    /// Reads the rows with `columns` beyond those of the table. Without any, no row is kept once records have some.
    fn read_with(&mut self, table: &str, columns: Option<BTreeSet<String>>) -> Result<Reading> {
        let talk = &self.session.talk;
        let started = Instant::now();
        let is_first = columns.is_none();
        let prepared = self.prepare(table, columns, started).map_err(|error| talk.query_error(error))?;
        let mut known_ids = self.known_ids(table, &prepared)?;
        let progress = Arc::new(Progress::default());
        let options = self.options(table, &progress);
        let report = Arc::clone(prepared.report());
        let line = ProgressLine::start(talk.manner(), started, move |elapsed| how_far(&progress, &report, elapsed));
        let second = matches!(self.target, Target::File(_)).then(|| self.done.tables.first().cloned()).flatten();
        let mut keep = |batch: Batch| match (&mut known_ids, &second) {
            (_, Some(first)) if batch.rows() > 0 => {
                let text = format!("the files hold rows of {first} and {table}: name a folder, not a file");
                Err(Error::Usage(text))
            }
            _ if is_first && !prepared.report().beyond().is_empty() => Ok(batch.slice(0, 0)),
            (Some(ids), _) => ids.only_new(&batch),
            _ => Ok(batch),
        };
        match convert::gather(&prepared, &options, &mut keep) {
            Ok(rows) => Ok(Reading { prepared, rows, known_ids, options, line }),
            Err(error) => {
                line.end();
                talk.report_news(prepared.report(), &mut self.done.said);
                Err(talk.query_error(error))
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

    fn options(&self, table: &str, progress: &Arc<Progress>) -> convert::Options {
        convert::Options {
            time_column: self.session.time_column(table),
            max_memory: self.max_memory(),
            threads: self.session.engine.settings().threads,
            temporary: self.staging.temporary().to_owned(),
            progress: Arc::clone(progress),
        }
    }
}

/// The first of some names, quoted; None if there are none.
fn list(names: &BTreeSet<String>) -> Option<String> {
    let mut first: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    if names.len() > NAMED {
        first.push("and others".to_owned());
    }
    (!first.is_empty()).then(|| first.join(", "))
}
