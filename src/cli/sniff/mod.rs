//! `coldcase sniff`: identifies files before they are queried.

mod summary;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use self::summary::SniffSummary;
use super::args::{SniffArgs, VolumeArgs};
use super::configuration::Defaults;
use super::progress::{self, ProgressLine, ProgressMode};
use super::reporter::Message;
use super::sources::{InputSource, InputSources, SourceOptions, Stdin};
use super::{Outcome, inspection, memory, rows, session, stop};
use crate::diagnostic::{Error, Result};
use crate::engine::Settings;
use crate::engine::inspect::{FileInspection, InspectedFiles, TableSummary, for_each_file, inspect, inspect_days};
use crate::messages;
use crate::scan::ResultPages;
use crate::source::sniff::FileKind;
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::listing::Listing;
use crate::types::{Type, Value};

const COLUMNS: [(&str, Type); 15] = [
    ("File", Type::String),
    ("Table", Type::String),
    ("Shape", Type::String),
    ("Rows", Type::Long),
    ("FirstTimeGenerated", Type::Datetime),
    ("LastTimeGenerated", Type::Datetime),
    ("FirstCreatedDateTime", Type::Datetime),
    ("LastCreatedDateTime", Type::Datetime),
    ("Repeated", Type::Long),
    ("IngestionColumn", Type::String),
    ("Format", Type::String),
    ("Encoding", Type::String),
    ("Compression", Type::String),
    ("Bytes", Type::Long),
    ("Problems", Type::String),
];

pub(super) fn run(args: &SniffArgs) -> Result<Outcome> {
    let sources = InputSources::resolve(&SourceOptions {
        paths: &args.paths,
        follow_links: args.follow_links,
        ..SourceOptions::default()
    })?;
    sources.report();
    let defaults = &sources.configuration.defaults;
    let limits = defaults.limits(args.max_decompressed);
    let mut settings = Settings::new(0);
    settings.threads = session::threads(args.threads.or(defaults.threads));
    settings.max_memory = memory::requested(None, defaults)?.unwrap_or_else(memory::default_limit);
    settings.cancelled = stop::flag();
    let Listing { files, notes, .. } =
        unique_files(files(sources.named, sources.stdin)?).with_text_settings(args.text.settings());
    for note in &notes {
        match note.is_damage() {
            true => Message::Warning(note.to_string()).print(),
            false if args.volume.quiet => {}
            false => Message::Note(note.to_string()).print(),
        }
    }
    let together = InspectedFiles::new(files.clone(), limits);
    let run = SniffRun { progress: SniffProgress::start(args.volume, &files), files, together, settings };
    if args.summary { summarize(args, defaults, &run) } else { list(args, defaults, &run) }
}

/// The files to identify, with the settings for reading them.
struct SniffRun {
    files: Vec<DataFile>,
    together: InspectedFiles,
    settings: Settings,
    progress: SniffProgress,
}

/// Writes one row per file, table and shape.
fn list(args: &SniffArgs, defaults: &Defaults, run: &SniffRun) -> Result<Outcome> {
    let (mut rows, mut pages) = (Vec::new(), ResultPages::default());
    let look = |file: &DataFile, settings: &Settings| {
        let found = inspect(file, &run.together, settings)?;
        run.progress.done(file, found.summaries.iter().map(|part| part.rows).sum());
        of_file(file, found)
    };
    for_each_file(&run.files, &run.settings, &look, &mut |(found, found_pages)| {
        rows.extend(found);
        pages.extend(found_pages);
        Ok(())
    })?;
    run.progress.line.end();
    add_missing_pages(&mut rows, &pages);
    rows::write(&args.output, defaults, &COLUMNS, rows)?;
    Ok(Outcome::Success)
}

/// Writes one row per table, shape and day.
fn summarize(args: &SniffArgs, defaults: &Defaults, run: &SniffRun) -> Result<Outcome> {
    let mut summary = SniffSummary::default();
    let look = |file: &DataFile, settings: &Settings| {
        let found = inspect_days(file, &run.together, settings)?;
        run.progress.done(file, found.summaries.iter().map(|part| part.rows).sum());
        Ok((file.name.clone(), found))
    };
    for_each_file(&run.files, &run.settings, &look, &mut |(name, found)| {
        summary.add(&name, found);
        Ok(())
    })?;
    run.progress.line.end();
    summary.warnings().into_iter().for_each(|warning| Message::Warning(warning).print());
    rows::write(&args.output, defaults, &summary::COLUMNS, summary.rows())?;
    Ok(Outcome::Success)
}

/// The progress of reading the files.
struct SniffProgress {
    counters: Arc<ScanCounters>,
    line: Arc<ProgressLine>,
}

impl SniffProgress {
    fn start(volume: VolumeArgs, files: &[DataFile]) -> Self {
        let counters = Arc::new(ScanCounters::default());
        counters.add(ScanCount::FilesExpected, files.len() as u64);
        counters.add(ScanCount::BytesExpected, files.iter().map(|file| file.bytes).fold(0, u64::saturating_add));
        let shown = Arc::clone(&counters);
        let mode = ProgressMode::of(volume.quiet, volume.verbose);
        let line = ProgressLine::start(mode, Instant::now(), move |elapsed| progress::scans(&shown, elapsed));
        Self { counters, line }
    }

    /// Counts a file with `rows` rows.
    fn done(&self, file: &DataFile, rows: i64) {
        self.counters.add(ScanCount::FilesDone, 1);
        self.counters.add(ScanCount::BytesDone, file.bytes);
        self.counters.add(ScanCount::Rows, u64::try_from(rows).unwrap_or(0));
    }
}

/// The files given on the command line, stdin last.
fn files(named: Vec<InputSource>, stdin: Stdin) -> Result<Listing> {
    let mut listing = Listing::default();
    for source in named {
        listing.extend(source.listing?);
    }
    if stdin == Stdin::Named {
        listing.files.push(DataFile::stream(&mut io::stdin().lock(), "stdin")?);
    }
    Ok(listing)
}

/// One row per table and shape in the file; for a file without rows, one row without them.
fn of_file(file: &DataFile, inspection: FileInspection) -> Result<(Vec<Vec<Value>>, ResultPages)> {
    // Why a file cannot be opened is among its problems.
    let kind = match FileKind::of(file) {
        Err(Error::Io { .. } | Error::Data { .. }) if inspection.unread.is_some() => FileKind::UNREADABLE,
        kind => kind?,
    };
    let problems = inspection::problems(&inspection).join("; ");
    let none = TableSummary {
        table: String::new(),
        shape: String::new(),
        rows: 0,
        generated: [Value::null(Type::Datetime), Value::null(Type::Datetime)],
        created: [Value::null(Type::Datetime), Value::null(Type::Datetime)],
        ingestion: String::new(),
        duplicates: 0,
    };
    let parts = if inspection.summaries.is_empty() { vec![none] } else { inspection.summaries };
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let row = |part: TableSummary| {
        let [first_generated, last_generated] = part.generated;
        let [first_created, last_created] = part.created;
        vec![
            Value::string(file.name.as_str()),
            Value::string(part.table),
            Value::string(part.shape),
            Value::Long(part.rows),
            first_generated,
            last_generated,
            first_created,
            last_created,
            Value::Long(part.duplicates),
            Value::string(part.ingestion),
            Value::string(kind.format),
            Value::string(kind.encoding),
            Value::string(kind.compression),
            Value::Long(bytes),
            Value::string(problems.as_str()),
        ]
    };
    Ok((parts.into_iter().map(row).collect(), inspection.report.pages()))
}

/// Adds the pages that are missing after the last page of each file to its problems.
fn add_missing_pages(rows: &mut [Vec<Value>], pages: &ResultPages) {
    for (damage, file) in pages.missing() {
        for row in rows.iter_mut().filter(|row| row[0].as_str() == Some(file)) {
            let Some(problems) = row.last_mut() else { continue };
            let before =
                problems.as_str().filter(|text| !text.is_empty()).map_or(String::new(), |text| format!("{text}; "));
            *problems = Value::string(format!("{before}{}", messages::damage(&damage, 1)));
        }
    }
}
