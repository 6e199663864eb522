//! The text cases of `testdata/kql`: read, run, compared, rewritten. `testdata/kql/README.md` says how they look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::diagnostic::{Error, Span};
use coldcase::engine::{Engine, QueryResult, Settings};
use coldcase::source::{Catalog, FileCatalogBuilder, MemoryCatalog};
use coldcase::types::{Type, datetime};

use super::wire;

/// What `now()` answers in every case.
const NOW: &str = "2026-03-03T12:00:00Z";

/// How a file of cases is run.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// Whether plans are improved.
    pub optimize: bool,
    /// How many threads work.
    pub threads: usize,
    /// Rows a batch has at most.
    pub batch_rows: usize,
}

impl Configuration {
    /// How a query runs unless asked otherwise; `UPDATE=1` writes down what it answers.
    pub const DEFAULT: Self = Self { optimize: true, threads: 1, batch_rows: coldcase::engine::DEFAULT_BATCH_ROWS };

    /// Every configuration: an answer depends on none of these choices.
    pub fn all() -> impl Iterator<Item = Self> {
        let choices = [true, false].into_iter().flat_map(|optimize| [1, 4].map(|threads| (optimize, threads)));
        choices.flat_map(|(optimize, threads)| [1, 7, 8_192].map(|batch_rows| Self { optimize, threads, batch_rows }))
    }

    /// A few that differ from each other in everything, for cases that run over many folders.
    pub fn few() -> impl Iterator<Item = Self> {
        [(true, 1, 8_192), (true, 4, 7), (false, 4, 1), (false, 1, 8_192)]
            .into_iter()
            .map(|(optimize, threads, batch_rows)| Self { optimize, threads, batch_rows })
    }

    /// A short name.
    pub fn name(self) -> String {
        let plan = if self.optimize { "optimized" } else { "as-bound" };
        format!("{plan}-{}-threads-{}-rows", self.threads, self.batch_rows)
    }
}

/// A file of cases.
#[derive(Debug)]
pub struct CaseFile {
    path: PathBuf,
    /// The lines before the first case.
    preamble: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    line: usize,
    titles: Vec<String>,
    query: String,
    expected: Vec<String>,
}

impl CaseFile {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a file of cases is readable");
        let mut file = Self { path: path.to_owned(), preamble: Vec::new(), cases: Vec::new() };
        // A case is titles, then the query, then what is expected; each part ends where the next one begins.
        let mut in_title = false;
        let mut in_query = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if let Some(title) = line.strip_prefix("# ") {
                if !in_title {
                    let case = Case { line: index + 1, titles: vec![], query: String::new(), expected: vec![] };
                    file.cases.push(case);
                }
                (in_title, in_query) = (true, true);
                file.cases.last_mut().expect("just pushed").titles.push(title.to_owned());
                continue;
            }
            in_title = false;
            match file.cases.last_mut() {
                None => file.preamble.push(line.to_owned()),
                Some(_) if in_query && line == "----" => in_query = false,
                Some(case) if in_query => case.query.push_str(&format!("{line}\n")),
                Some(case) if !line.is_empty() => case.expected.push(line.to_owned()),
                Some(_) => {}
            }
        }
        for case in &mut file.cases {
            case.query.truncate(case.query.trim_end().len());
        }
        file
    }

    /// The folders of `testdata` that the cases run over, one after the other, several together with `+` between them;
    /// none where they need no files.
    pub fn folders(&self) -> Vec<&str> {
        self.directive("@data").flat_map(str::split_whitespace).collect()
    }

    fn directive<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.preamble.iter().filter_map(move |line| line.strip_prefix(word))
    }

    fn engine(&self, configuration: Configuration, folder: Option<&str>) -> Engine {
        let now = datetime::parse(NOW).expect("an instant");
        let parameters: BTreeMap<String, String> = self
            .directive("@parameter ")
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        let Configuration { optimize, threads, batch_rows } = configuration;
        let settings = Settings { optimize, threads, batch_rows, parameters, ..Settings::new(now) };
        Engine::new(catalog(folder), settings)
    }

    /// Runs every case; the complaints, where there are any.
    pub fn check(&self, configuration: Configuration, folder: Option<&str>) -> Result<(), String> {
        let engine = self.engine(configuration, folder);
        let complaints: Vec<String> =
            self.cases.iter().filter_map(|case| self.complaint(&engine, case, &case.query)).collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n\n")) }
    }

    /// What is wrong with the answer to `query`, which stands for the case's own.
    fn complaint(&self, engine: &Engine, case: &Case, query: &str) -> Option<String> {
        let place = format!("{}:{}", self.path.display(), case.line);
        if case.expected.is_empty() {
            return Some(format!("{place}: {}: nothing is expected; write it down with UPDATE=1", case.titles[0]));
        }
        let outcome = engine.query(query);
        let actual = answer(&outcome, query);
        if same(&case.expected, &actual, &outcome) {
            return None;
        }
        let lines = |lines: &[String]| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
        let titles = case.titles.join(" ");
        let (expected, actual) = (lines(&case.expected), lines(&actual));
        Some(format!("{place}: {titles}\n{query}\n  expected\n{expected}  answered\n{actual}"))
    }

    /// Writes the answers of the default configuration into the file.
    pub fn update(&self) {
        let folders = self.folders();
        let engine = self.engine(Configuration::DEFAULT, folders.first().copied());
        let mut text: String = self.preamble.iter().map(|line| format!("{line}\n")).collect();
        for (index, case) in self.cases.iter().enumerate() {
            text.push_str(if index > 0 { "\n" } else { "" });
            case.titles.iter().for_each(|title| text.push_str(&format!("# {title}\n")));
            text.push_str(&format!("{}\n----\n", case.query));
            let outcome = engine.query(&case.query);
            let actual = answer(&outcome, &case.query);
            // What is within the tolerance stays as it is written.
            let kept = if same(&case.expected, &actual, &outcome) { &case.expected } else { &actual };
            kept.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        std::fs::write(&self.path, text).expect("a file of cases is writable");
    }
}

/// The tables that a query finds.
pub fn catalog(folder: Option<&str>) -> Arc<dyn Catalog> {
    let Some(folder) = folder else { return Arc::new(MemoryCatalog::default()) };
    let mut builder = FileCatalogBuilder::default();
    for folder in folder.split('+') {
        builder.add(format!("testdata/{folder}")).expect("the folder holds files");
    }
    Arc::new(builder.build())
}

/// The answer as lines: a header and rows, or errors.
fn answer(outcome: &Result<QueryResult, Error>, query: &str) -> Vec<String> {
    match outcome {
        Ok(result) => std::iter::once(wire::header(&result.schema)).chain(wire::rows(result)).collect(),
        Err(Error::Query(diagnostics)) => diagnostics
            .iter()
            .map(|diagnostic| format!("error {} at `{}`", diagnostic.code.info().id, words(diagnostic.span, query)))
            .collect(),
        Err(error) => error.to_string().lines().map(|line| format!("error: {line}")).collect(),
    }
}

/// The words that a span covers, on one line.
fn words(span: Span, query: &str) -> String {
    span.text(query).replace('\n', "\\n")
}

fn same(expected: &[String], actual: &[String], outcome: &Result<QueryResult, Error>) -> bool {
    let (Ok(result), [header, expected @ ..], [actual_header, actual @ ..]) = (outcome, expected, actual) else {
        return expected == actual;
    };
    let types: Vec<Type> = result.schema.fields().iter().map(|field| field.ty).collect();
    let same_row = |(expected, actual): (&String, &String)| wire::same_row(&types, expected, actual);
    header == actual_header && expected.len() == actual.len() && expected.iter().zip(actual).all(same_row)
}
