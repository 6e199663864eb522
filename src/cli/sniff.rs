//! `coldcase sniff`: what files are, before anything is asked of them.

mod summary;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use self::summary::Summary;
use super::args::{SniffArgs, VolumeArgs};
use super::configuration::Defaults;
use super::progress::{self, Manner, ProgressLine};
use super::sources::{Call, InputSources, Source, Stdin};
use super::talk::Message;
use super::{Outcome, memory, rows, session, stop};
use crate::diagnostic::Result;
use crate::engine::Settings;
use crate::engine::profile::{Part, Profile, for_each_file, profile, profile_days};
use crate::source::files::DataFile;
use crate::source::once::once;
use crate::source::remark::Listing;
use crate::source::sniff::FileKind;
use crate::source::{Count, Limits, Pages, ScanCounters};
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
    let sources =
        InputSources::settle(&Call { paths: &args.paths, follow_links: args.follow_links, ..Call::default() })?;
    sources.say();
    let defaults = &sources.configuration.defaults;
    let limits = defaults.limits(args.max_decompressed);
    let mut settings = Settings::new(0);
    settings.threads = session::threads(args.threads.or(defaults.threads));
    settings.max_memory = memory::asked(None, defaults)?.unwrap_or_else(memory::usual);
    settings.cancelled = stop::flag();
    let Listing { files, remarks } = once(files(sources.named, sources.stdin)?).with_date_order(args.date_order);
    for remark in &remarks {
        match remark.is_damage() {
            true => Message::Warning(remark.to_string()).print(),
            false if args.volume.quiet => {}
            false => Message::Note(remark.to_string()).print(),
        }
    }
    let work = Work { progress: Progress::start(args.volume, &files), files, limits, settings };
    if args.summary { summarize(args, defaults, &work) } else { list(args, defaults, &work) }
}

/// The files, and how they are looked at.
struct Work {
    files: Vec<DataFile>,
    limits: Limits,
    settings: Settings,
    progress: Progress,
}

/// Shows a row for each file, table and shape.
fn list(args: &SniffArgs, defaults: &Defaults, work: &Work) -> Result<Outcome> {
    let (mut rows, mut pages) = (Vec::new(), Pages::default());
    let look = |file: &DataFile, settings: &Settings| {
        let found = profile(file, work.limits, settings)?;
        work.progress.done(file, found.parts.iter().map(|part| part.rows).sum());
        of_file(file, found)
    };
    for_each_file(&work.files, &work.settings, &look, &mut |(found, found_pages)| {
        rows.extend(found);
        pages.extend(found_pages);
        Ok(())
    })?;
    work.progress.line.end();
    add_missing_pages(&mut rows, &pages);
    rows::write((&args.output, defaults), &COLUMNS, rows)?;
    Ok(Outcome::Success)
}

/// Shows a row for each table, shape and day.
fn summarize(args: &SniffArgs, defaults: &Defaults, work: &Work) -> Result<Outcome> {
    let mut summary = Summary::default();
    let look = |file: &DataFile, settings: &Settings| {
        let found = profile_days(file, work.limits, settings)?;
        work.progress.done(file, found.parts.iter().map(|part| part.rows).sum());
        Ok((file.name.clone(), found))
    };
    for_each_file(&work.files, &work.settings, &look, &mut |(name, found)| {
        summary.add(&name, found);
        Ok(())
    })?;
    work.progress.line.end();
    summary.warnings().into_iter().for_each(|warning| Message::Warning(warning).print());
    rows::write((&args.output, defaults), &summary::COLUMNS, summary.rows())?;
    Ok(Outcome::Success)
}

/// How many of the files have been looked at.
struct Progress {
    counters: Arc<ScanCounters>,
    line: Arc<ProgressLine>,
}

impl Progress {
    fn start(volume: VolumeArgs, files: &[DataFile]) -> Self {
        let counters = Arc::new(ScanCounters::default());
        counters.add(Count::FilesExpected, files.len() as u64);
        counters.add(Count::BytesExpected, files.iter().map(|file| file.bytes).fold(0, u64::saturating_add));
        let shown = Arc::clone(&counters);
        let manner = Manner::of(volume.quiet, volume.verbose);
        let line = ProgressLine::start(manner, Instant::now(), move |elapsed| progress::scans(&shown, elapsed));
        Self { counters, line }
    }

    /// Counts a file in which so many rows were found.
    fn done(&self, file: &DataFile, rows: i64) {
        self.counters.add(Count::FilesDone, 1);
        self.counters.add(Count::BytesDone, file.bytes);
        self.counters.add(Count::Rows, u64::try_from(rows).unwrap_or(0));
    }
}

/// The files that the call names, stdin last.
fn files(named: Vec<Source>, stdin: Stdin) -> Result<Listing> {
    let mut listing = Listing::default();
    for source in named {
        listing.extend(source.listing?);
    }
    if stdin == Stdin::Named {
        listing.files.push(DataFile::stream(&mut io::stdin().lock(), "stdin")?);
    }
    Ok(listing)
}

/// A row for each table and shape in the file, one without them for a file that holds no rows.
fn of_file(file: &DataFile, profile: Profile) -> Result<(Vec<Vec<Value>>, Pages)> {
    let kind = FileKind::of(file)?;
    let problems = profile.problems().join("; ");
    let none = Part {
        table: String::new(),
        shape: String::new(),
        rows: 0,
        generated: [Value::null(Type::Datetime), Value::null(Type::Datetime)],
        created: [Value::null(Type::Datetime), Value::null(Type::Datetime)],
        ingestion: String::new(),
        repeated: 0,
    };
    let parts = if profile.parts.is_empty() { vec![none] } else { profile.parts };
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let row = |part: Part| {
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
            Value::Long(part.repeated),
            Value::string(part.ingestion),
            Value::string(kind.format),
            Value::string(kind.encoding),
            Value::string(kind.compression),
            Value::Long(bytes),
            Value::string(problems.as_str()),
        ]
    };
    Ok((parts.into_iter().map(row).collect(), profile.pages))
}

/// Adds to the problems of each file the pages that are missing behind its last one.
fn add_missing_pages(rows: &mut [Vec<Value>], pages: &Pages) {
    for (damage, file) in pages.missing() {
        for row in rows.iter_mut().filter(|row| row[0].as_str() == Some(file)) {
            let Some(problems) = row.last_mut() else { continue };
            let before =
                problems.as_str().filter(|text| !text.is_empty()).map_or(String::new(), |text| format!("{text}; "));
            *problems = Value::string(format!("{before}{}", damage.describe(1)));
        }
    }
}
