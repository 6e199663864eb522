//! What is said on stderr: errors, warnings, what was skipped. Never data.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use super::args::{Colour, ErrorFormat, TalkArgs};
use super::progress::Manner;
use crate::diagnostic::{Diagnostic, Error, Sources, Style, render, render_json, render_line};
use crate::source::{FunctionLibrary, ScanReport};

/// Files with damage that are named one by one; the rest is summed up.
const FILES_NAMED: usize = 10;

/// The error that ends the command, where it is not about the words of a query.
pub(super) fn error(error: &Error) {
    if !matches!(error, Error::Reported(_)) {
        line(&format!("error: {error}"));
    }
}

/// True where the reader of stdout has gone: no reason to complain.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// One line on stderr; a closed stderr is ignored.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what a run has to say, as loudly as asked.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    quiet: bool,
    verbose: bool,
    style: Style,
    format: ErrorFormat,
    /// Where the text of the query came from.
    origin: String,
    text: String,
    /// Functions that messages may point into.
    library: Arc<FunctionLibrary>,
}

impl Talk {
    pub fn new(args: &TalkArgs, origin: &str, text: &str) -> Self {
        let coloured = match args.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self {
            quiet: args.quiet,
            verbose: args.verbose,
            style: if coloured { Style::Coloured } else { Style::Plain },
            format: args.error_format,
            origin: origin.to_owned(),
            text: text.to_owned(),
            library: Arc::default(),
        }
    }

    /// How the progress of long runs is shown.
    pub fn manner(&self) -> Option<Manner> {
        Manner::of(self.quiet, self.verbose)
    }

    /// The same, where messages may point into files of functions, too.
    pub fn with_library(mut self, library: Arc<FunctionLibrary>) -> Self {
        self.library = library;
        self
    }

    /// Says the diagnostics of a query error, and hands the error on for its exit code.
    pub fn query_error(&self, error: Error) -> Error {
        let Error::Query(diagnostics) = error else { return error };
        self.diagnostics(&diagnostics);
        if self.format == ErrorFormat::Text && diagnostics.len() > 1 {
            line(&format!("{} errors", diagnostics.len()));
        }
        Error::Reported(Error::Query(diagnostics).exit_code())
    }

    /// An error in words, a line each; what is wrong in a file of functions with its place there.
    pub fn words(&self, error: &Error) -> String {
        let Error::Query(diagnostics) = error else { return error.to_string() };
        let sources = self.sources();
        let words = |diagnostic: &Diagnostic| match sources.is_query(diagnostic.span) {
            true => diagnostic.to_string(),
            false => render_line(diagnostic, &sources),
        };
        diagnostics.iter().map(words).collect::<Vec<_>>().join("\n")
    }

    fn sources(&self) -> Sources {
        let mut sources = Sources::new(self.text.as_str(), &self.origin);
        self.library.add_to(&mut sources);
        sources
    }

    /// Warnings about the query.
    pub fn warnings(&self, warnings: &[Diagnostic]) {
        if !self.quiet {
            self.diagnostics(warnings);
        }
    }

    fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let sources = self.sources();
        for diagnostic in diagnostics {
            line(&match self.format {
                ErrorFormat::Text => render(diagnostic, &sources, self.style),
                ErrorFormat::Json => render_json(diagnostic, &sources),
            });
        }
    }

    /// What scans skipped and noticed.
    pub fn report(&self, report: &ScanReport) {
        self.report_news(report, &mut BTreeSet::new());
    }

    /// The same, without what was `said` already of other scans of the same files.
    pub fn report_news(&self, report: &ScanReport, said: &mut BTreeSet<String>) {
        for text in lines(report) {
            if !self.quiet && !said.contains(&text) {
                line(&text);
                said.insert(text);
            }
        }
    }

    /// Something that `-q` silences.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            line(text);
        }
    }

    /// Something that only `-v` asks for.
    pub fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            line(&text());
        }
    }
}

/// What scans skipped and noticed, a line each.
fn lines(report: &ScanReport) -> Vec<String> {
    let warnings =
        report.warnings().into_iter().chain(report.damage().messages()).map(|text| format!("warning: {text}"));
    let notices = report.notices().into_iter().map(|(text, count)| match count {
        1 => format!("note: {text}"),
        _ => format!("note: {text} ({count} times)"),
    });
    let problems = report.problems();
    let named = problems.iter().take(FILES_NAMED).map(|(file, damage)| format!("warning: {file}: {damage}"));
    let rest: u64 = problems.values().skip(FILES_NAMED).map(|damage| damage.lost).sum();
    let more = problems.len().saturating_sub(FILES_NAMED);
    let summary = (more > 0).then(|| format!("warning: {more} more files with {rest} records that were not read"));
    warnings.chain(notices).chain(named).chain(summary).collect()
}
