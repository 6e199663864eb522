//! `coldcase convert`: exports of any shape -> an archive.

mod reading;

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use self::reading::Reading;
use super::args::{ConvertArgs, PartitionBy, SourceArgs};
use super::progress::{self, size};
use super::session::{self, Session};
use super::sources::Input;
use super::talk::line;
use super::target::check_excel_safe;
use super::{Outcome, manifest, overwrite, stop};
use crate::convert::{
    self, ArchiveWriter, GatheredRows, KnownIds, Partition, Place, Progress, RealDisk, Rows, Sink, SortedTable, Staging,
};
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Prepared};
use crate::output::{self, Format};
use crate::source::remark::number_of_files;
use crate::source::shape::known_table;
use crate::source::{FileCatalogBuilder, ScanReport};

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;
/// Bytes of memory that rows take unless asked otherwise: sorted runs that are longer make it no faster.
const MEMORY: u64 = 1 << 30;
/// The table that every export of sign-ins has.
const SIGNINS: &str = "SigninLogs";

pub(super) fn run(args: &ConvertArgs) -> Result<Outcome> {
    let started = Instant::now();
    let target = Target::new(args)?;
    let session = session::of_text(&args.source, String::new(), "convert", &args.source.call(&args.paths))?;
    overwrite::refuse(&session, &[("-O", Some(&args.destination)), ("--manifest", args.manifest.as_deref())])?;
    let staging = Staging::new(&args.destination, args.source.temp_dir.as_deref())?;
    if staging.had_remains {
        session.talk.say("note: removed the remains of a conversion that was stopped before its end");
    }
    let mut work = Work { args, session: &session, target: &target, staging: &staging, done: Done::default() };
    work.tables()?;
    let Work { mut done, .. } = work;
    session.finish()?;
    if session.strict && done.damaged {
        line("error: some records could not be read, and --strict was asked for: nothing was written");
        return Ok(Outcome::Damaged);
    }
    if done.rows == 0 && done.known == 0 {
        let reason = "no row of a known table was found; bind other records to a name with -t NAME=PATH".to_owned();
        let file = args.paths.first().map_or("the input".to_owned(), |path| path.display().to_string());
        return Err(Error::Data { file, place: None, reason });
    }
    stop::check()?;
    let request = request(args, &session)?;
    if staging.was_added(&request) {
        session.talk.say(
            "note: an earlier run of this conversion had added these rows before it was stopped: nothing is added again",
        );
        done = Done { known: done.rows + done.known, ..Done::default() };
    } else {
        publish(&staging, &target, &done, &request)?;
    }
    if let Some(path) = &args.manifest {
        manifest::write(path, &session, done.facts(&args.destination, &target)?)?;
    }
    if matches!(target, Target::Archive { .. }) {
        staging.acknowledge()?;
    }
    session.talk.say(&done.summary(started));
    Ok(Outcome::Success)
}

fn publish(staging: &Staging, target: &Target, done: &Done, request: &Json) -> Result<()> {
    match target {
        Target::Archive { existing: None, .. } => staging.publish(request),
        // Nothing new: the archive stays as it is.
        Target::Archive { existing: Some(_), .. } if done.files.is_empty() => Ok(()),
        Target::Archive { existing: Some(_), .. } => staging.publish_files(&done.files, request, &RealDisk),
        Target::File(_) => staging.publish_file(FILE),
    }
}

/// What is to be converted, as a run of the same command over the same files would say it again.
fn request(args: &ConvertArgs, session: &Session) -> Result<Json> {
    let file = |Input { table, file }: Input| {
        let modified = file.local_path().and_then(|path| std::fs::metadata(path).ok()?.modified().ok());
        let modified = modified.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_nanos().to_string()));
        // Nothing but its bytes tells one stream from another.
        let hash = file.is_copy().then(|| manifest::sha256(&file)).transpose()?;
        let path = file.local_path().and_then(|path| std::path::absolute(path).ok());
        let name = path.map_or(file.name.clone(), |path| path.display().to_string());
        Ok(json!({"file": name, "table": table, "bytes": file.bytes, "modified": modified, "sha256": hash}))
    };
    let files = session.catalog.inputs().into_iter().map(file).collect::<Result<Vec<_>>>()?;
    let SourceArgs { from, to, last, time_column, dedup, .. } = &args.source;
    Ok(json!({"files": files, "from": from, "to": to, "last": last, "timeColumn": time_column, "dedup": dedup}))
}

/// The name of the one file while it is not whole.
const FILE: &str = "answer";

/// What is to be written.
enum Target {
    /// A folder of Parquet files; the archive that is added to, where there is one.
    Archive { existing: Option<PathBuf>, partition: Partition },
    /// One file.
    File(&'static Format),
}

impl Target {
    /// Everything that can be wrong in the call is found before a file is opened.
    fn new(args: &ConvertArgs) -> Result<Self> {
        let destination = &args.destination;
        if args.paths.is_empty() && args.source.tables.is_empty() {
            return Err(Error::Usage("name the files to convert: files, folders, globs, or - for stdin".to_owned()));
        }
        if args.source.query_file.is_some() || !args.source.parameters.is_empty() {
            return Err(Error::Usage("convert takes whole tables: -f and --param have no place in it".to_owned()));
        }
        if args.source.provenance {
            let text = "--provenance: an archive has the columns of its tables, and nothing would read the others";
            return Err(Error::Usage(text.to_owned()));
        }
        let extension = destination.extension().and_then(|extension| extension.to_str());
        let by_extension = extension.and_then(output::format_for_extension);
        let named = args.format.as_deref().and_then(output::format);
        let is_folder = destination.is_dir() || (by_extension.is_none() && named.is_none_or(is_parquet));
        match named.or(by_extension) {
            Some(format) if !is_folder => Self::file(args, format),
            Some(format) if !is_parquet(format) => {
                Err(Error::Usage(format!("-o {}: one file, not a folder; name a new file with -O", format.name)))
            }
            _ => Self::archive(args),
        }
    }

    fn file(args: &ConvertArgs, format: &'static Format) -> Result<Self> {
        check_excel_safe(args.spreadsheet.excel_safe, format)?;
        if args.append {
            return Err(Error::Usage("--append adds to an archive in a folder, not to a file".to_owned()));
        }
        if args.destination.exists() {
            return Err(Error::Usage(format!("{}: the file exists already", args.destination.display())));
        }
        Ok(Self::File(format))
    }

    fn archive(args: &ConvertArgs) -> Result<Self> {
        if args.spreadsheet.excel_safe {
            return Err(Error::Usage("--excel-safe: an archive is no CSV file; name one with -O FILE.csv".to_owned()));
        }
        let destination = &args.destination;
        let empty = convert::is_empty(destination)?;
        if !empty && !args.append {
            let text = "the folder is not empty; add to an archive with --append, or name a new folder";
            return Err(Error::Usage(format!("{}: {text}", destination.display())));
        }
        let partition = match args.partition_by {
            PartitionBy::None => Partition::None,
            PartitionBy::Hour => Partition::Hour,
            PartitionBy::Day => Partition::Day,
            PartitionBy::Month => Partition::Month,
        };
        Ok(Self::Archive { existing: (!empty).then(|| destination.clone()), partition })
    }
}

fn is_parquet(format: &'static Format) -> bool {
    format.name == "parquet"
}

/// What has been converted so far.
#[derive(Default)]
struct Done {
    tables: Vec<String>,
    rows: u64,
    /// Rows that the archive had.
    known: u64,
    /// Rows without an `Id` that were added to an archive.
    without: u64,
    damaged: bool,
    files: Vec<PathBuf>,
    bytes: u64,
    /// What a manifest says of each table.
    facts: Vec<Json>,
    /// The notes and warnings that were given.
    said: BTreeSet<String>,
}

impl Done {
    /// What a manifest says of the archive, which is at its place already.
    fn facts(&self, destination: &Path, target: &Target) -> Result<Json> {
        let path = |file: &PathBuf| match target {
            Target::Archive { .. } => destination.join(file),
            Target::File(_) => destination.to_owned(),
        };
        let files = self.files.iter().map(|file| manifest::written(&path(file))).collect::<Result<Vec<_>>>()?;
        let destination = destination.display().to_string();
        Ok(json!({"archive": {"place": destination, "tables": self.facts, "files": files}}))
    }

    fn summary(&self, started: Instant) -> String {
        let tables = self.tables.join(", ");
        let mut text =
            format!("{} rows of {tables} in {}, {}", self.rows, number_of_files(self.files.len()), size(self.bytes));
        if self.rows == 0 {
            "no new rows".clone_into(&mut text);
        }
        if self.known > 0 {
            let _ = write!(text, "; {} rows were in the archive already", self.known);
        }
        if self.without > 0 {
            let _ = write!(text, "; {} rows without an Id were added without a look", self.without);
        }
        let _ = write!(text, "; {:.1} s", started.elapsed().as_secs_f64());
        text
    }
}

/// A conversion on its way.
struct Work<'a> {
    args: &'a ConvertArgs,
    session: &'a Session,
    target: &'a Target,
    staging: &'a Staging,
    done: Done,
}

impl Work<'_> {
    /// Converts what is bound to a name, and every known table of the other files.
    fn tables(&mut self) -> Result<()> {
        let named = &self.session.catalog.named;
        let mut waiting: VecDeque<String> =
            named.iter().filter(|source| source.is_of_call()).filter_map(|source| source.table.clone()).collect();
        let looks_around = !self.args.paths.is_empty();
        waiting.extend(looks_around.then(|| SIGNINS.to_owned()));
        let mut taken: Vec<String> = Vec::new();
        let mut unknown = BTreeSet::new();
        while let Some(table) = waiting.pop_front() {
            if taken.contains(&table) {
                continue;
            }
            // Only a reading tells which tables the files hold.
            let met = self.table(&table)?;
            taken.push(table);
            let (known, others): (Vec<_>, Vec<_>) =
                met.into_iter().filter(|_| looks_around).partition(|name| known_table(name).is_some());
            waiting.extend(known);
            unknown.extend(others);
        }
        unknown.retain(|name| !taken.contains(name));
        if !unknown.is_empty() {
            self.done.damaged = true;
            let names: Vec<String> = unknown.iter().map(|name| format!("{name:?}")).collect();
            self.session.talk.warn(format!(
                "the archive has no records of {}: no known tables; bind their files to the name with -t NAME=PATH",
                names.join(", ")
            ));
        }
        Ok(())
    }

    /// Converts one table; answers the tables that its files hold besides.
    fn table(&mut self, table: &str) -> Result<Vec<String>> {
        let Reading { prepared, rows, known_ids, options, line } = self.read(table)?;
        let sorted = match self.target {
            Target::Archive { existing, partition } => {
                let (folder, existing) = (self.staging.archive(), existing.clone());
                let place = Place { folder, existing, partition: *partition, single: None };
                self.write(table, rows, &options, place)
            }
            Target::File(format) if is_parquet(format) => {
                let folder = self.staging.archive();
                let place = Place { folder, existing: None, partition: Partition::None, single: Some(FILE.to_owned()) };
                self.write(table, rows, &options, place)
            }
            Target::File(format) => {
                let mut sink = FileSink::new(format, self.staging.archive().join(FILE), self.output_options());
                rows.write(table, &options, &mut sink)
            }
        };
        line.end();
        // Every table is found by reading the same files: what there is to say of them is said once.
        self.session.talk.report_news(prepared.report(), &mut self.done.said);
        let sorted = sorted.map_err(|error| self.session.talk.query_error(error))?;
        self.count(&sorted, &prepared, known_ids.as_ref())?;
        Ok(prepared.report().tables())
    }

    fn output_options(&self) -> output::Options {
        let excel_safe = self.args.spreadsheet.excel_safe || self.session.excel_safe;
        output::Options { excel_safe, is_evidence: true, ..output::Options::default() }
    }

    fn max_memory(&self) -> u64 {
        self.session.max_memory.unwrap_or(MEMORY)
    }

    fn write(
        &mut self,
        table: &str,
        rows: GatheredRows,
        options: &convert::Options,
        place: Place,
    ) -> Result<SortedTable> {
        let mut writer = ArchiveWriter::new(place, options.threads);
        let sorted = rows.write(table, options, &mut writer)?;
        self.done.files.append(&mut writer.files);
        self.done.bytes += writer.bytes;
        Ok(sorted)
    }

    fn count(&mut self, sorted: &SortedTable, prepared: &Prepared, ids: Option<&KnownIds>) -> Result<()> {
        let done = &mut self.done;
        done.damaged |= prepared.report().is_incomplete();
        done.known += ids.map_or(0, |ids| ids.known);
        done.without += ids.map_or(0, |ids| ids.without);
        let known = ids.map_or(0, |ids| ids.known);
        let facts = json!({"table": sorted.name, "rows": sorted.rows, "rowsInTheArchiveAlready": known});
        done.facts.push(manifest::merged(facts, manifest::said(prepared.report())));
        if sorted.rows == 0 {
            return Ok(());
        }
        if matches!(self.target, Target::File(format) if !is_parquet(format)) {
            let path = self.staging.archive().join(FILE);
            done.bytes = std::fs::metadata(&path).map_err(|error| Error::io(&path, error))?.len();
            done.files.push(PathBuf::from(FILE));
        }
        done.rows += sorted.rows;
        done.tables.push(sorted.name.clone());
        Ok(())
    }

    /// The Ids of the archive that is added to.
    fn known_ids(&self, table: &str, prepared: &Prepared) -> Result<Option<KnownIds>> {
        let Target::Archive { existing: Some(existing), .. } = self.target else { return Ok(None) };
        let folder = existing.join(convert::folder_of(table));
        if convert::is_empty(&folder)? {
            return Ok(None);
        }
        let mut builder = FileCatalogBuilder::default();
        builder.bind(table, &folder)?;
        // All that it has, whatever the time range of the new rows.
        let mut settings = self.session.engine.settings().clone();
        settings.time_range = None;
        settings.dedup = None;
        let archive = Engine::new(Arc::new(builder.build()), settings);
        KnownIds::read(&archive, table, prepared.schema(), self.max_memory() / 4).map(Some)
    }
}

/// How far a conversion is.
fn how_far(progress: &Progress, report: &ScanReport, elapsed: Duration) -> String {
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    match of(&progress.rows_written) {
        0 => progress::scans(&report.counters, elapsed),
        written => format!("{written} of {} rows sorted and written", of(&progress.rows_read)),
    }
}

/// One file in any format of answers.
struct FileSink {
    format: &'static Format,
    path: PathBuf,
    options: output::Options,
    writer: Option<Box<dyn output::Writer>>,
}

impl FileSink {
    fn new(format: &'static Format, path: PathBuf, options: output::Options) -> Self {
        Self { format, path, options, writer: None }
    }

    fn writer(&mut self) -> Result<&mut Box<dyn output::Writer>> {
        self.writer.as_mut().ok_or_else(|| Error::internal("rows before columns"))
    }
}

impl Sink for FileSink {
    fn begin(&mut self, table: &SortedTable) -> Result<()> {
        let path: &Path = &self.path;
        let file = std::fs::File::create_new(path).map_err(|error| Error::io(path, error))?;
        let stream = Box::new(BufWriter::with_capacity(BUFFER, file));
        let mut writer = (self.format.writer)(stream, &self.options);
        writer.begin(&table.schema)?;
        self.writer = Some(writer);
        Ok(())
    }

    fn rows(&mut self, rows: &Rows) -> Result<()> {
        self.writer()?.batch(&rows.batch)
    }

    fn finish(&mut self) -> Result<()> {
        self.writer()?.finish()
    }
}
