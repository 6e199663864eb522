//! The text cases of `testdata/kql` and `testdata/plans`: reads, runs, compares and updates them.
//! `testdata/kql/README.md` describes the format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::diagnostic::Error;
use coldcase::engine::{Engine, Flow, Prepared, QueryResult, Settings};
use coldcase::scan::{Catalog, MemoryCatalog};
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::syntax;
use coldcase::types::{Schema, Type, datetime};

use super::diff::line_diff;
use super::wire;

/// The value of `now()` in every case.
const NOW: &str = "2026-03-03T12:00:00Z";

/// The settings that a file of cases runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// True if plans are optimized.
    pub optimize: bool,
    /// The number of threads.
    pub threads: usize,
    /// Maximum rows of a batch.
    pub batch_rows: usize,
    /// The memory limit in bytes.
    pub max_memory: u64,
}

impl Configuration {
    /// The configuration whose results are expected; `UPDATE=1` records them.
    pub const DEFAULT: Self =
        Self { optimize: true, threads: 1, batch_rows: coldcase::engine::DEFAULT_BATCH_ROWS, max_memory: u64::MAX };
    /// Spills everything that can be spilled to temporary files.
    const SPILLED: Self = Self { threads: 3, batch_rows: 7, max_memory: 1, ..Self::DEFAULT };

    /// Every configuration besides the default: results do not depend on any of these choices.
    pub fn all() -> Vec<Self> {
        let choices = [true, false].into_iter().flat_map(|optimize| [1, 4].map(|threads| (optimize, threads)));
        let batches = [1, 7, 8_192];
        let each = choices.flat_map(|(optimize, threads)| {
            batches.map(|batch_rows| Self { optimize, threads, batch_rows, ..Self::DEFAULT })
        });
        each.filter(|configuration| *configuration != Self::DEFAULT).chain([Self::SPILLED]).collect()
    }

    /// A few configurations that differ from each other in everything, for cases that run over many folders.
    pub fn few() -> Vec<Self> {
        let choices = [(true, 4, 7), (false, 4, 1), (false, 1, 8_192)];
        let each =
            choices.map(|(optimize, threads, batch_rows)| Self { optimize, threads, batch_rows, ..Self::DEFAULT });
        each.into_iter().chain([Self::SPILLED]).collect()
    }

    /// A short name for failures.
    pub fn name(self) -> String {
        let plan = if self.optimize { "optimized" } else { "as-bound" };
        let memory = if self.max_memory == u64::MAX { "" } else { "-spilled" };
        format!("{plan}-{}-threads-{}-rows{memory}", self.threads, self.batch_rows)
    }
}

/// A parsed file of cases.
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
    /// Parses a file of cases.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a file of cases is readable");
        let mut file = Self { path: path.to_owned(), preamble: Vec::new(), cases: Vec::new() };
        // A case consists of titles, the query and the expected lines; each part ends where the next one begins.
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

    /// The folders of `testdata` that the cases run over, one at a time, or several together if joined by `+`; empty if
    /// they need no files.
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
        let Configuration { optimize, threads, batch_rows, max_memory } = configuration;
        let settings = Settings { optimize, threads, batch_rows, max_memory, parameters, ..Settings::new(now) };
        Engine::new(catalog(folder), settings)
    }

    /// Runs every case in the default configuration, then in `others`. Returns the failures: each difference once.
    pub fn check(&self, others: &[Configuration], folder: Option<&str>) -> Result<(), String> {
        let engine = self.engine(Configuration::DEFAULT, folder);
        let others: Vec<_> = others.iter().map(|other| (other.name(), self.engine(*other, folder))).collect();
        all(self.cases.iter().flat_map(|case| {
            let outcome = self.run(&engine, &case.query);
            let differing = self.compare_others(case, &outcome, &others);
            std::iter::once(self.compare(case, &case.query, &outcome)).chain(differing)
        }))
    }

    /// Compares the results in other configurations with that in the default one.
    fn compare_others(&self, case: &Case, default: &Outcome, others: &[(String, Engine)]) -> Vec<Result<(), String>> {
        let mut differing: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
        for (name, engine) in others {
            let outcome = self.run(engine, &case.query);
            if !outcome.is_as(&default.lines) && !outcome.is_as(&case.expected) {
                differing.entry(outcome.lines).or_default().push(name);
            }
        }
        let failure = |(lines, names): (Vec<String>, Vec<&str>)| {
            let diff = line_diff(&default.text(), &text(&lines));
            Err(format!(
                "{}\n{}\ndiffers from default in {}\n{diff}",
                self.location(case),
                case.query,
                names.join(", ")
            ))
        };
        differing.into_iter().map(failure).collect()
    }

    /// Formats every query that parses. The text is then in its final form and means the same.
    pub fn check_formatted(&self) -> Result<(), String> {
        all(self.cases.iter().filter(|case| syntax::parse(&case.query).diagnostics.is_empty()).map(|case| {
            let format =
                |text: &str| syntax::format(text).map_err(|error| format!("{}: {error}\n{text}", self.location(case)));
            let once = format(&case.query)?;
            let twice = format(&once)?;
            let tree = |text: &str| syntax::print(&syntax::parse(text).query);
            match once == twice && tree(&once) == tree(&case.query) {
                true => Ok(()),
                false => Err(format!("{}: formatted as\n{once}\nand again as\n{twice}", self.location(case))),
            }
        }))
    }

    /// Prints every query from its tree: the printed query has the same result and prints as itself.
    pub fn check_printed(&self) -> Result<(), String> {
        let engine = self.engine(Configuration::DEFAULT, self.folders().first().copied());
        all(self.cases.iter().map(|case| {
            let parsed = syntax::parse(&case.query);
            if !parsed.diagnostics.is_empty() {
                return Ok(());
            }
            let printed = syntax::print(&parsed.query);
            let again = syntax::print(&syntax::parse(&printed).query);
            if again != printed {
                let location = self.location(case);
                return Err(format!("{location}: printed as\n{printed}\nand, read and printed again, as\n{again}"));
            }
            // Diagnostics quote words, which may be spelled differently when printed.
            let is_error = case.expected.first().is_some_and(|line| line.starts_with("error"));
            if is_error { Ok(()) } else { self.compare(case, &printed, &self.run(&engine, &printed)) }
        }))
    }

    fn location(&self, case: &Case) -> String {
        format!("{}:{}: {}", self.path.display(), case.line, case.titles.join(" "))
    }

    fn compare(&self, case: &Case, query: &str, outcome: &Outcome) -> Result<(), String> {
        let location = self.location(case);
        if case.expected.is_empty() {
            return Err(format!("{location}: nothing is expected; write it down with UPDATE=1"));
        }
        if outcome.is_as(&case.expected) {
            return Ok(());
        }
        let diff = line_diff(&text(&case.expected), &outcome.text());
        Err(format!("{location}\n{query}\n{diff}"))
    }

    /// Writes the results of the default configuration into the file.
    pub fn update(&self) {
        let engine = self.engine(Configuration::DEFAULT, self.folders().first().copied());
        let mut text: String = self.preamble.iter().map(|line| format!("{line}\n")).collect();
        for (index, case) in self.cases.iter().enumerate() {
            text.push_str(if index > 0 { "\n" } else { "" });
            case.titles.iter().for_each(|title| text.push_str(&format!("# {title}\n")));
            text.push_str(&format!("{}\n----\n", case.query));
            let outcome = self.run(&engine, &case.query);
            // Numbers within the tolerance stay as written.
            let kept = if outcome.is_as(&case.expected) { &case.expected } else { &outcome.lines };
            kept.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        std::fs::write(&self.path, text).expect("a file of cases is writable");
    }

    /// Returns the result of the query; for a file of plans, its plans.
    fn run(&self, engine: &Engine, query: &str) -> Outcome {
        if self.path.extension().is_some_and(|extension| extension == "plan") {
            plans(engine, query)
        } else {
            rows(engine, query)
        }
    }
}

fn all(outcomes: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let complaints: Vec<String> = outcomes.filter_map(Result::err).collect();
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n\n")) }
}

/// Creates the tables of a folder.
pub fn catalog(folder: Option<&str>) -> Arc<dyn Catalog> {
    let Some(folder) = folder else { return Arc::new(MemoryCatalog::default()) };
    let mut builder = FileCatalogBuilder::default();
    for folder in folder.split('+') {
        builder.add(format!("testdata/{folder}")).expect("the folder holds files");
    }
    Arc::new(builder.build())
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The lines below the query of a case.
struct Outcome {
    lines: Vec<String>,
    /// The types of the columns, if the lines are a header and rows.
    types: Option<Vec<Type>>,
}

impl Outcome {
    fn text(&self) -> String {
        text(&self.lines)
    }

    /// True if the lines are the expected ones; reals may differ as [`wire::same_row`] allows.
    fn is_as(&self, expected: &[String]) -> bool {
        let (Some(types), [header, rows @ ..]) = (&self.types, expected) else { return self.lines == expected };
        let mut pairs = rows.iter().zip(&self.lines[1..]);
        *header == self.lines[0]
            && expected.len() == self.lines.len()
            && pairs.all(|(expected, actual)| wire::same_row(types, expected, actual))
    }
}

/// Returns a header and rows, or errors; of several results, each below a line with its name.
fn rows(engine: &Engine, query: &str) -> Outcome {
    match results(engine, query) {
        Ok(results) => match results.as_slice() {
            [(_, result)] => {
                let types = result.schema.fields().iter().map(|field| field.ty).collect();
                Outcome { lines: result_lines(result), types: Some(types) }
            }
            several => {
                let named = several.iter().map(|(name, result)| [vec![format!("== {name}")], result_lines(result)]);
                Outcome { lines: named.flatten().flatten().collect(), types: None }
            }
        },
        Err(error) => errors(&error, query),
    }
}

fn result_lines(result: &QueryResult) -> Vec<String> {
    std::iter::once(header(&result.schema)).chain(wire::rows(result)).collect()
}

/// Runs the query and returns its results with their names.
fn results(engine: &Engine, query: &str) -> Result<Vec<(String, QueryResult)>, Error> {
    let prepared = engine.prepare_results(query, engine.report())?;
    let run = |prepared: &Prepared| {
        let mut batches = Vec::new();
        prepared.run(&mut |batch| {
            batches.push(batch);
            Ok(Flow::Continue(()))
        })?;
        Ok((prepared.name.clone(), QueryResult { schema: prepared.schema().clone(), batches }))
    };
    prepared.iter().map(run).collect()
}

/// Returns the bound plan, a separator, and the optimized plan.
fn plans(engine: &Engine, query: &str) -> Outcome {
    match engine.prepare(query) {
        Ok(prepared) => {
            let text = format!("{}----\n{}", prepared.explain_bound(), prepared.explain());
            Outcome { lines: text.lines().map(str::to_owned).collect(), types: None }
        }
        Err(error) => errors(&error, query),
    }
}

/// Returns a line for each diagnostic, with the words that it points at.
fn errors(error: &Error, query: &str) -> Outcome {
    let lines = match error {
        Error::Query(diagnostics) => diagnostics
            .iter()
            .map(|diagnostic| {
                let words = diagnostic.span.text(query).replace('\n', "\\n");
                format!("error {} at `{words}`", diagnostic.code.info().id)
            })
            .collect(),
        error => error.to_string().lines().map(|line| format!("error: {line}")).collect(),
    };
    Outcome { lines, types: None }
}

/// Formats the columns as `name:type, name:type`.
fn header(schema: &Schema) -> String {
    if schema.is_empty() {
        return "(no columns)".to_owned();
    }
    let columns: Vec<String> = schema.fields().iter().map(|field| format!("{}:{}", field.name, field.ty)).collect();
    columns.join(", ")
}
