//! From arguments to an engine: the query's text, the tables, the settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::SourceArgs;
use super::talk::Talk;
use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Settings, TimeRange};
use crate::source::{Catalog, FileCatalog, FileCatalogBuilder, TableProvider};
use crate::types::datetime::{self, UnixUnit};
use crate::types::timespan;

/// A query ready to be asked.
pub(super) struct Session {
    /// Runs it.
    pub engine: Engine,
    /// Its text.
    pub text: String,
    /// Says what there is to say.
    pub talk: Talk,
}

/// The session of a command whose first argument is the query, unless `-f` names a file that holds it.
pub(super) fn of_query(source: &SourceArgs, arguments: &[OsString]) -> Result<Session> {
    let (text, origin, paths) = match &source.query_file {
        Some(file) => (read_query(file)?, file.display().to_string(), arguments),
        None => {
            let Some((query, paths)) = arguments.split_first() else {
                return Err(Error::Usage("a query is needed: as the first argument, or in a file with -f".to_owned()));
            };
            let text = query.to_str().ok_or_else(|| Error::Usage("the query is not valid UTF-8".to_owned()))?;
            (text.to_owned(), "query".to_owned(), paths)
        }
    };
    of_text(source, text, &origin, paths)
}

/// The session of a query that is known already.
pub(super) fn of_text(source: &SourceArgs, text: String, origin: &str, paths: &[OsString]) -> Result<Session> {
    let talk = Talk::new(&source.talk, origin, &text);
    // Everything that can be wrong in the call is found before a file is opened.
    let settings = settings(source)?;
    let engine = Engine::new(catalog(source, paths)?, settings);
    Ok(Session { engine, text, talk })
}

fn read_query(file: &Path) -> Result<String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| Error::io(file, error))?;
    String::from_utf8(bytes).map_err(|_| Error::Usage(format!("{}: the query is not valid UTF-8", file.display())))
}

fn settings(source: &SourceArgs) -> Result<Settings> {
    let now = match &source.now {
        Some(text) => time("--now", text)?,
        None => clock(),
    };
    let mut settings = Settings::new(now);
    settings.seed = seed();
    settings.threads = threads(source.threads);
    settings.parameters = pairs("--param", &source.parameters)?;
    settings.time_range = time_range(source, now)?;
    settings.provenance = source.provenance;
    settings.dedup.clone_from(&source.dedup);
    settings.cancelled = cancelled()?;
    Ok(settings)
}

/// The number of threads: as asked, or one for each processor.
pub(super) fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).ok();
    micros.and_then(|micros| datetime::from_unix(micros, UnixUnit::Microseconds)).unwrap_or_default()
}

/// A seed that nobody who wrote a log can know.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

fn time(flag: &str, text: &str) -> Result<i64> {
    datetime::parse(text)
        .ok_or_else(|| Error::Usage(format!("{flag} {text}: not a datetime; write 2026-03-01 or 2026-03-01T09:00:00Z")))
}

fn span(flag: &str, text: &str) -> Result<i64> {
    timespan::parse(text)
        .filter(|ticks| *ticks > 0)
        .ok_or_else(|| Error::Usage(format!("{flag} {text}: not a timespan; write 7d, 36h or 90m")))
}

/// A datetime, or a timespan back from `now`.
fn time_or_span(flag: &str, text: &str, now: i64) -> Result<i64> {
    match timespan::parse(text).filter(|_| text.ends_with(|c: char| c.is_ascii_alphabetic())) {
        Some(back) if back > 0 => Ok(now.saturating_sub(back)),
        _ => time(flag, text),
    }
}

fn time_range(source: &SourceArgs, now: i64) -> Result<Option<TimeRange>> {
    let bound = |flag, text: &Option<String>| text.as_ref().map(|text| time_or_span(flag, text, now)).transpose();
    let (from, to) = match &source.last {
        Some(last) => (Some(now.saturating_sub(span("--last", last)?)), Some(now.saturating_add(1))),
        None => (bound("--from", &source.from)?, bound("--to", &source.to)?),
    };
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Error::Usage("--from is not before --to".to_owned()));
    }
    let cut = from.is_some() || to.is_some();
    Ok(cut.then(|| TimeRange { column: source.time_column.clone(), from, to }))
}

fn pairs(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Error::Usage(format!("{flag} {text}: write NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

fn catalog(source: &SourceArgs, paths: &[OsString]) -> Result<Arc<dyn Catalog>> {
    let mut builder = FileCatalogBuilder::default();
    for text in &source.tables {
        let (name, path) = text
            .split_once('=')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| Error::Usage(format!("-t {text}: write NAME=PATH")))?;
        if path == "-" {
            return Err(Error::Usage("stdin is the table `stdin`; name it so in the query".to_owned()));
        }
        builder.bind(name, path)?;
    }
    let mut stdin = paths.is_empty() && source.tables.is_empty() && !io::stdin().is_terminal();
    for path in paths {
        if path == "-" { stdin = true } else { builder.add(path.clone())? }
    }
    if source.query_file.as_deref() == Some(Path::new("-")) {
        stdin = false;
    }
    if stdin { Ok(Arc::new(LazyStdin::new(builder))) } else { Ok(Arc::new(builder.build())) }
}

/// A catalog that reads stdin only when a query names a table: `print 1` does not wait for a pipe.
#[derive(Debug)]
struct LazyStdin {
    builder: FileCatalogBuilder,
    catalog: OnceLock<FileCatalog>,
}

impl LazyStdin {
    fn new(builder: FileCatalogBuilder) -> Self {
        Self { builder, catalog: OnceLock::new() }
    }

    fn catalog(&self) -> Result<&FileCatalog> {
        if let Some(catalog) = self.catalog.get() {
            return Ok(catalog);
        }
        let mut builder = self.builder.clone();
        builder.add_stdin(&mut io::stdin().lock())?;
        Ok(self.catalog.get_or_init(|| builder.build()))
    }
}

impl Catalog for LazyStdin {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.catalog()?.table(name)
    }

    fn names(&self) -> Vec<String> {
        self.catalog().map(Catalog::names).unwrap_or_default()
    }
}

/// A flag that Ctrl+C sets: the run ends after what is complete; a second Ctrl+C ends the process.
fn cancelled() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|error| Error::internal(format!("no handler for Ctrl+C: {error}")))?;
    Ok(flag)
}
