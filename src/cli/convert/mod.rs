//! `coldcase convert`: converts exports of any shape to an archive.

mod outcome;
mod reading;
mod single_file;
mod target;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use self::outcome::Converted;
use self::reading::TableRead;
use self::single_file::FileSink;
use self::target::{ConvertTarget, is_parquet};
use super::args::{ConvertArgs, QueryInputArgs, SourceArgs};
use super::progress;
use super::reporter::print_line;
use super::session::{self, QueryText, Session};
use super::sources::Input;
use super::{Outcome, manifest, overwrite, stop};
use crate::convert::{
    self, ArchiveTarget, ArchiveWriter, GatheredRows, KnownIds, PartitionPeriod, Progress, RealDisk, SortedTable,
    Staging,
};
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Prepared};
use crate::entra::{known_table, restored_from};
use crate::messages::{CommandNote, CommandWarning};
use crate::output;
use crate::scan::ScanReport;
use crate::source::FileCatalogBuilder;

/// The default memory limit for rows, in bytes. Longer sorted runs are not faster.
const DEFAULT_MEMORY: u64 = 1 << 30;
/// The table that is looked for first; reading it finds the other tables.
const FIRST_TABLE: &str = "SigninLogs";

pub(super) fn run(args: &ConvertArgs) -> Result<Outcome> {
    let started = Instant::now();
    let target = ConvertTarget::new(args)?;
    let (source, inputs) = (&args.source, QueryInputArgs::default());
    let session = session::of_text(QueryText::none("convert"), source, &inputs, &source.call(&args.paths))?;
    overwrite::refuse(&session, &[("-O", Some(&args.destination)), ("--manifest", args.manifest.as_deref())])?;
    let staging = Staging::new(&args.destination, args.source.temp_dir.as_deref())?;
    if staging.had_remains {
        session.reporter.note(CommandNote::RemainsRemoved);
    }
    let mut work =
        Conversion { args, session: &session, target: &target, staging: &staging, done: Converted::default() };
    work.tables()?;
    let Conversion { mut done, .. } = work;
    session.finish()?;
    if session.strict && done.damaged {
        print_line("error: some records could not be read: nothing was written, because of --strict");
        return Ok(Outcome::Damaged);
    }
    if done.rows == 0 && done.known == 0 {
        let reason = "it contains no rows of a known table; bind other records to a table with -t NAME=PATH".to_owned();
        let file = args.paths.first().map_or("the input".to_owned(), |path| path.display().to_string());
        return Err(Error::Data { file, place: None, reason });
    }
    stop::check()?;
    let request = request(args, &session)?;
    if staging.was_added(&request) {
        session.reporter.note(CommandNote::RowsAddedBefore);
        done = Converted { known: done.rows + done.known, ..Converted::default() };
    } else {
        publish(&staging, &target, &done, &request)?;
    }
    if let Some(path) = &args.manifest {
        manifest::write(path, &session, done.manifest(&args.destination, &target)?)?;
    }
    if matches!(target, ConvertTarget::Archive { .. }) {
        staging.acknowledge()?;
    }
    session.reporter.info(&done.summary(started));
    Ok(Outcome::Success)
}

fn publish(staging: &Staging, target: &ConvertTarget, done: &Converted, request: &Json) -> Result<()> {
    let files = || done.archive_files(&staging.archive());
    match target {
        ConvertTarget::Archive { existing: None, .. } => staging.publish(files()?, request),
        // Without new rows, the archive stays unchanged.
        ConvertTarget::Archive { existing: Some(_), .. } if done.files.is_empty() => Ok(()),
        ConvertTarget::Archive { existing: Some(_), .. } => staging.publish_files(&files()?, request, &RealDisk),
        ConvertTarget::File(_) => staging.publish_file(FILE),
    }
}

/// Identifies the conversion: a later run of the same command over the same files returns the same value.
fn request(args: &ConvertArgs, session: &Session) -> Result<Json> {
    let file = |Input { table, file, .. }: Input| {
        let modified = file.local_path().and_then(|path| std::fs::metadata(path).ok()?.modified().ok());
        let modified = modified.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_nanos().to_string()));
        // A stream can only be identified by its bytes.
        let hash = file.is_spooled().then(|| manifest::hashed(&file)).transpose()?.map(|(_, sha256)| sha256);
        let path = file.local_path().and_then(|path| std::path::absolute(path).ok());
        let name = path.map_or(file.name.clone(), |path| path.display().to_string());
        Ok(json!({"file": name, "table": table, "bytes": file.bytes, "modified": modified, "sha256": hash}))
    };
    let files = session.catalog.inputs().into_iter().map(file).collect::<Result<Vec<_>>>()?;
    let SourceArgs { from, to, last, time_column, dedup, .. } = &args.source;
    Ok(json!({"files": files, "from": from, "to": to, "last": last, "timeColumn": time_column, "dedup": dedup}))
}

/// The temporary name of a single file.
const FILE: &str = "result";

/// A running conversion.
struct Conversion<'a> {
    args: &'a ConvertArgs,
    session: &'a Session,
    target: &'a ConvertTarget,
    staging: &'a Staging,
    done: Converted,
}

impl Conversion<'_> {
    /// Converts the bound tables, and every known table in the other files.
    fn tables(&mut self) -> Result<()> {
        let named = &self.session.catalog.named;
        let mut waiting: VecDeque<String> =
            named.iter().filter(|given| given.is_on_command_line()).filter_map(|given| given.table.clone()).collect();
        let finds_tables = !self.args.paths.is_empty();
        waiting.extend(finds_tables.then(|| FIRST_TABLE.to_owned()));
        let mut converted: Vec<String> = Vec::new();
        let mut unknown = BTreeSet::new();
        while let Some(table) = waiting.pop_front() {
            if converted.contains(&table) {
                continue;
            }
            // Which tables the files contain is known only after reading them.
            let found = self.table(&table)?;
            converted.push(table);
            let (known, others): (Vec<_>, Vec<_>) =
                found.into_iter().filter(|_| finds_tables).partition(|name| is_known(name));
            waiting.extend(known);
            unknown.extend(others);
        }
        unknown.retain(|name| !converted.contains(name));
        if !unknown.is_empty() {
            self.done.damaged = true;
            let names = unknown.into_iter().collect();
            self.session.reporter.warn(CommandWarning::UnknownTables(names));
        }
        Ok(())
    }

    /// Converts one table. Returns the other tables in its files.
    fn table(&mut self, table: &str) -> Result<Vec<String>> {
        let TableRead { prepared, rows, known_ids, options, line } = self.read(table)?;
        let sorted = match self.target {
            ConvertTarget::Archive { existing, partition } => {
                let (folder, existing) = (self.staging.archive(), existing.clone());
                let target = ArchiveTarget { folder, existing, partition: *partition, single: None };
                self.write(table, rows, &options, target)
            }
            ConvertTarget::File(format) if is_parquet(format) => {
                let folder = self.staging.archive();
                let target = ArchiveTarget {
                    folder,
                    existing: None,
                    partition: PartitionPeriod::None,
                    single: Some(FILE.to_owned()),
                };
                self.write(table, rows, &options, target)
            }
            ConvertTarget::File(format) => {
                let mut sink = FileSink::new(format, self.staging.archive().join(FILE), self.output_options());
                rows.write(table, &options, &mut sink)
            }
        };
        line.end();
        // All tables are read from the same files: each message is printed once.
        let reporter = &self.session.reporter;
        reporter.report_new(prepared.report(), &mut self.done.emitted);
        let sorted = sorted.map_err(|error| reporter.query_error(error))?;
        self.count(&sorted, &prepared, known_ids.as_ref())?;
        Ok(prepared.report().tables())
    }

    fn output_options(&self) -> output::OutputOptions {
        let excel_safe = self.args.spreadsheet.excel_safe || self.session.excel_safe;
        output::OutputOptions { excel_safe, is_evidence: true, ..output::OutputOptions::default() }
    }

    fn max_memory(&self) -> u64 {
        self.session.max_memory.unwrap_or(DEFAULT_MEMORY)
    }

    fn write(
        &mut self,
        table: &str,
        rows: GatheredRows,
        options: &convert::SortOptions,
        target: ArchiveTarget,
    ) -> Result<SortedTable> {
        let mut writer = ArchiveWriter::new(target, options.threads);
        let sorted = rows.write(table, options, &mut writer)?;
        self.done.files.append(&mut writer.files);
        self.done.bytes += writer.bytes;
        Ok(sorted)
    }

    fn count(&mut self, sorted: &SortedTable, prepared: &Prepared, ids: Option<&KnownIds>) -> Result<()> {
        let done = &mut self.done;
        done.damaged |= prepared.report().is_incomplete();
        done.known += ids.map_or(0, |ids| ids.known);
        done.without_id += ids.map_or(0, |ids| ids.without);
        let known = ids.map_or(0, |ids| ids.known);
        let entry = json!({"table": sorted.name, "rows": sorted.rows, "rowsInTheArchiveAlready": known});
        done.entries.push(manifest::merged(entry, manifest::scan_messages(prepared.report())));
        if sorted.rows == 0 {
            return Ok(());
        }
        if matches!(self.target, ConvertTarget::File(format) if !is_parquet(format)) {
            let path = self.staging.archive().join(FILE);
            done.bytes = std::fs::metadata(&path).map_err(|error| Error::io(&path, error))?.len();
            done.files.push(PathBuf::from(FILE));
        }
        done.rows += sorted.rows;
        done.tables.push(sorted.name.clone());
        Ok(())
    }

    /// The Ids in the archive to which rows are added.
    fn known_ids(&self, table: &str, prepared: &Prepared) -> Result<Option<KnownIds>> {
        let ConvertTarget::Archive { existing: Some(existing), .. } = self.target else { return Ok(None) };
        let folder = existing.join(convert::folder_of(table));
        if convert::is_empty(&folder)? {
            return Ok(None);
        }
        let mut builder = FileCatalogBuilder::default();
        builder.bind(table, &folder)?;
        // All of its rows, even those outside the time range of the new rows.
        let mut settings = self.session.engine.settings().clone();
        settings.time_range = None;
        settings.dedup = None;
        let archive = Engine::new(Arc::new(builder.build()), settings);
        KnownIds::read(&archive, table, prepared.schema(), self.max_memory() / 4).map(Some)
    }
}

/// True for a known table, and for a restored copy of one.
fn is_known(table: &str) -> bool {
    known_table(table).is_some() || restored_from(table).is_some()
}

/// Describes the progress of a conversion.
fn describe_progress(progress: &Progress, report: &ScanReport, elapsed: Duration) -> String {
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    match of(&progress.rows_written) {
        0 => progress::scans(&report.counters, elapsed),
        written => format!("{written} of {} rows sorted and written", of(&progress.rows_read)),
    }
}
