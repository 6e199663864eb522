//! A session: the engine, the text of the query, the tables and the settings that the arguments ask for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::args::{QueryFileArgs, QueryInputArgs, SourceArgs};
use super::configuration::{BacktestDefaults, Configuration};
use super::progress::{self, ProgressLine};
use super::rejects::Rejects;
use super::reporter::Reporter;
use super::sources::{InputSources, SessionCatalog, SourceOptions};
use super::stop;
use super::{lone_word, memory, results};
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Prepared, Settings, TimeRange};
use crate::functions::LocationDatabase;
use crate::messages::CommandWarning;
use crate::scan::{Catalog, RejectSink};
use crate::storage::spooled_copy::CopySettings;
use crate::syntax::{self, decode_text};
use crate::types::datetime::{self, UnixUnit};
use crate::types::timespan;

/// The name of a query that is an argument, in messages.
const ARGUMENT: &str = "query";

/// The engine, catalogue and settings with which a command runs queries.
pub(super) struct Session {
    /// Runs queries.
    pub engine: Engine,
    /// The text of the query.
    pub text: String,
    /// True if the text is the first argument of the program, which could also be a misspelt command.
    takes_commands: bool,
    /// Prints messages.
    pub reporter: Reporter,
    /// The tables.
    pub catalog: Arc<SessionCatalog>,
    /// Collects unreadable records, with `--rejects`.
    pub rejects: Option<Arc<Rejects>>,
    /// True if unreadable data ends the run with exit code 5.
    pub strict: bool,
    /// The only result to return of a query that returns several.
    pub result: Option<String>,
    /// The default output format.
    pub format: Option<String>,
    /// The default of `--excel-safe`.
    pub excel_safe: bool,
    /// The memory limit in bytes, if one was given.
    pub max_memory: Option<u64>,
    /// What backtests assume.
    pub backtest: BacktestDefaults,
}

impl Session {
    /// The column that holds the time of a table.
    pub fn time_column(&self, table: &str) -> String {
        self.engine.settings().time_columns.get(table).unwrap_or(&self.engine.settings().time_column).clone()
    }

    /// Reports the sources on the command line that no query has read.
    pub fn report_unread(&self) {
        self.catalog.unread().iter().for_each(|message| self.reporter.message(message));
    }

    /// Plans a query for `engine`, in a run that began at `started`. Shows progress, since planning may have to read
    /// files.
    pub fn prepare(&self, engine: &Engine, text: &str, started: Instant) -> Result<Prepared> {
        let mut results = self.prepare_results(engine, text, started)?;
        match results.len() {
            1 => Ok(results.remove(0)),
            _ => Err(results::choose_one(&results)),
        }
    }

    /// As [`Self::prepare`], for all results of the query, or for the one that `--result` names.
    pub fn prepare_results(&self, engine: &Engine, text: &str, started: Instant) -> Result<Vec<Prepared>> {
        let report = engine.report();
        let (scans, catalog) = (Arc::clone(&report), Arc::clone(&self.catalog));
        let _line = ProgressLine::start(self.reporter.progress_mode(), started, move |elapsed| {
            catalog.stdin_progress().unwrap_or_else(|| progress::scans(&scans.counters, elapsed))
        });
        let prepared = engine.prepare_results(text, report)?;
        results::chosen(prepared, self.result.as_deref())
    }

    /// Plans the results of the query of the session, and prints its errors.
    pub fn prepare_query(&self, started: Instant) -> Result<Vec<Prepared>> {
        let prepared = self.prepare_results(&self.engine, &self.text, started);
        let prepared = prepared.map_err(|error| match self.takes_commands {
            true => lone_word::explain(&self.text, &self.catalog.names(), error),
            false => error,
        });
        prepared.map_err(|error| self.reporter.query_error(error))
    }

    /// Shows the progress of a running query.
    pub fn progress(&self, prepared: &Prepared, started: Instant) -> Arc<ProgressLine> {
        let report = Arc::clone(prepared.report());
        ProgressLine::start(self.reporter.progress_mode(), started, move |elapsed| {
            progress::scans(&report.counters, elapsed)
        })
    }

    /// Writes the file of `--rejects`. Also called after a failed run.
    pub fn finish(&self) -> Result<()> {
        if let Some(rejects) = &self.rejects {
            let left_out = rejects.finish()?;
            if left_out > 0 {
                self.reporter.warn(CommandWarning::RejectsFull(left_out));
            }
        }
        Ok(())
    }
}

/// The session of a command whose first argument is the query, unless `-f` names a file that holds it.
pub(super) fn of_query(
    QueryFileArgs { query_file }: &QueryFileArgs,
    arguments: &[OsString],
    source: &SourceArgs,
    inputs: &QueryInputArgs,
) -> Result<Session> {
    let Some(file) = query_file else {
        let Some((query, paths)) = arguments.split_first() else {
            return Err(Error::Usage("no query: give it as the first argument, or in a file with -f".to_owned()));
        };
        let text = query.to_str().ok_or_else(|| Error::Usage("the query is not valid UTF-8".to_owned()))?;
        let session =
            of_text(QueryText { text: text.to_owned(), origin: ARGUMENT }, source, inputs, &source.call(paths));
        return session.map_err(|error| lone_word::explain(text, &[], error));
    };
    let stdin_taken = (file == Path::new("-")).then_some("the query");
    let call = SourceOptions { stdin_taken, ..source.call(arguments) };
    let text = QueryText { text: read_query(file)?, origin: &file.display().to_string() };
    of_text(text, source, inputs, &call)
}

/// The text of a query, and its name in messages.
pub(super) struct QueryText<'a> {
    pub text: String,
    pub origin: &'a str,
}

impl<'a> QueryText<'a> {
    /// No query yet, for the command `name`.
    pub fn none(name: &'a str) -> Self {
        Self { text: String::new(), origin: name }
    }
}

/// The session of a query whose text is known, over the sources of `call`.
pub(super) fn of_text(
    QueryText { text, origin }: QueryText<'_>,
    source: &SourceArgs,
    inputs: &QueryInputArgs,
    call: &SourceOptions<'_>,
) -> Result<Session> {
    let reporter = Reporter::new(&source.messages, origin, &text);
    // All usage errors are found before a file is opened.
    limit_run(source)?;
    let sources = InputSources::resolve(call)?;
    let configuration = &sources.configuration;
    let rejects = source.rejects.as_deref().map(|path| Arc::new(Rejects::new(path)));
    let mut settings = settings(source, inputs, configuration)?;
    settings.rejects = rejects.clone().map(|rejects| rejects as Arc<dyn RejectSink>);
    let strict = source.strict || configuration.defaults.strict == Some(true);
    settings.thorough = strict;
    let max_memory = memory::requested(source.max_memory, &configuration.defaults)?;
    settings.max_memory = max_memory.unwrap_or_else(memory::default_limit);
    settings.temp_dir.clone_from(&source.temp_dir);
    settings.locations =
        source.geoip.as_ref().or(configuration.geoip.as_ref()).map(|file| locations(file)).transpose()?;
    let format = configuration.defaults.output.clone();
    let excel_safe = configuration.defaults.excel_safe == Some(true);
    let backtest = configuration.backtest.clone();
    sources.messages().iter().for_each(|message| reporter.message(message));
    let catalog = Arc::new(SessionCatalog::new(sources, source, inputs)?);
    for named in &catalog.named {
        reporter.detail(|| named.to_string());
    }
    let reporter = reporter.with_library(catalog.library());
    let engine = Engine::new(Arc::clone(&catalog) as Arc<dyn Catalog>, settings);
    let takes_commands = origin == ARGUMENT;
    let session = Session {
        engine,
        text,
        takes_commands,
        reporter,
        catalog,
        rejects,
        strict,
        result: None,
        format,
        excel_safe,
        max_memory,
        backtest,
    };
    Ok(session)
}

/// The database of the locations of addresses in `file`. It is read as a whole, once a run.
fn locations(file: &Path) -> Result<Arc<LocationDatabase>> {
    /// Databases of all addresses have some hundred megabytes.
    const MAX_BYTES: u64 = 2 << 30;
    let size = std::fs::metadata(file).map_err(|error| Error::io(file, error))?.len();
    if size > MAX_BYTES {
        let text = format!("{}: a database of locations has at most {} GiB", file.display(), MAX_BYTES >> 30);
        return Err(Error::Limit(text));
    }
    let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
    LocationDatabase::new(file.display().to_string(), bytes).map(Arc::new)
}

/// Applies the limits of the whole run: its time, and the size of the copies of stdin and pipes.
fn limit_run(source: &SourceArgs) -> Result<()> {
    if let Some(text) = &source.timeout {
        // A tick is 100 ns.
        stop::after(Duration::from_nanos(span("--timeout", text)?.unsigned_abs().saturating_mul(100)))?;
    }
    if let Some(folder) = source.temp_dir.as_deref().filter(|folder| !folder.is_dir()) {
        let text = format!("--temp-dir {}: the folder does not exist", folder.display());
        return Err(Error::Usage(text));
    }
    CopySettings { folder: source.temp_dir.clone(), max_stream_bytes: source.max_stdin }.apply();
    Ok(())
}

fn read_query(file: &Path) -> Result<String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| Error::io(file, error))?;
    decode_text(bytes).map_err(|reason| Error::Usage(format!("{}: the query cannot be read: {reason}", file.display())))
}

fn settings(source: &SourceArgs, inputs: &QueryInputArgs, configuration: &Configuration) -> Result<Settings> {
    let defaults = &configuration.defaults;
    let now = match &source.now {
        Some(text) => time("--now", text)?,
        None => clock(),
    };
    let mut settings = Settings::new(now);
    settings.seed = seed();
    settings.threads = threads(source.threads.or(defaults.threads));
    settings.parameters = pairs("--param", &inputs.parameters)?;
    settings.time_range = time_range(source, time_column(source, configuration), now)?;
    settings.time_column = time_column(source, configuration);
    if source.time_column.is_none() {
        let column =
            |(name, table): (&String, &super::configuration::Table)| Some((name.clone(), table.time_column.clone()?));
        settings.time_columns = configuration.tables.iter().filter_map(column).collect();
    }
    let column =
        |(name, table): (&String, &super::configuration::Table)| Some((name.clone(), table.ingestion_column.clone()?));
    settings.ingestion_columns = configuration.tables.iter().filter_map(column).collect();
    settings.aliases = aliases(&inputs.aliases, configuration)?;
    settings.provenance = inputs.provenance || defaults.provenance == Some(true);
    settings.dedup = source.dedup.clone().or_else(|| defaults.dedup.clone());
    settings.cancelled = stop::flag();
    Ok(settings)
}

/// The number of threads: as requested, or one per processor.
pub(super) fn threads(requested: Option<u16>) -> usize {
    requested.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).ok();
    micros.and_then(|micros| datetime::from_unix(micros, UnixUnit::Microseconds)).unwrap_or_default()
}

/// A random seed of hash tables: whoever writes into a log cannot predict collisions.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

pub(super) fn time(flag: &str, text: &str) -> Result<i64> {
    let wrong = || {
        let forms = "expected ISO 8601, such as 2026-03-01 or 2026-03-01T09:00:00Z";
        let more = if flag == "--now" { "" } else { ", or a timespan before now, such as 7d or 36h" };
        Error::Usage(format!("{flag} {text}: not a datetime; {forms}{more}"))
    };
    datetime::parse_iso8601(text).ok_or_else(wrong)
}

pub(super) fn span(flag: &str, text: &str) -> Result<i64> {
    timespan::parse(text)
        .filter(|ticks| *ticks > 0)
        .ok_or_else(|| Error::Usage(format!("{flag} {text}: not a timespan; expected one such as 7d, 36h or 90m")))
}

/// Parses a datetime, `now`, or a timespan before `now`, into ticks.
fn time_or_span(flag: &str, text: &str, now: i64) -> Result<i64> {
    if text == "now" {
        return Ok(now);
    }
    match timespan::parse(text).filter(|_| text.ends_with(|c: char| c.is_ascii_alphabetic())) {
        Some(back) if back > 0 => Ok(now.saturating_sub(back)),
        _ => time(flag, text),
    }
}

/// The time column of tables for which the catalog file names none.
fn time_column(source: &SourceArgs, configuration: &Configuration) -> String {
    let named = source.time_column.as_ref().or(configuration.defaults.time_column.as_ref());
    named.map_or("TimeGenerated", String::as_str).to_owned()
}

fn time_range(source: &SourceArgs, column: String, now: i64) -> Result<Option<TimeRange>> {
    let bound = |flag, text: &Option<String>| text.as_ref().map(|text| time_or_span(flag, text, now)).transpose();
    if let Some(last) = &source.last {
        let from = Some(now.saturating_sub(span("--last", last)?));
        return Ok(Some(TimeRange { column, from, to: None, through: Some(now) }));
    }
    let (from, to) = (bound("--from", &source.from)?, bound("--to", &source.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Error::Usage("--from must be before --to".to_owned()));
    }
    let cut = from.is_some() || to.is_some();
    Ok(cut.then_some(TimeRange { column, from, to, through: None }))
}

/// The local table by the normal spelling of each name; the command line overrides the catalog file.
fn aliases(given: &[String], configuration: &Configuration) -> Result<BTreeMap<String, String>> {
    let given = pairs("--alias", given)?;
    let named = |(name, table): (&String, &String)| match syntax::table_name(name) {
        Some(name) => Ok((name, table.clone())),
        None => Err(Error::Usage(format!(
            "the alias {name} is not the name of a table: expected a name, or one like workspace('w').SigninLogs"
        ))),
    };
    configuration.aliases.iter().chain(&given).map(named).collect()
}

fn pairs(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Error::Usage(format!("{flag} {text}: expected NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}
