//! What is said on stderr: errors, warnings, what was skipped. Never data.
//!
//! Messages quote names and values that others chose. All of them are written here, and none can drive the terminal or
//! look like two messages.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use clap::error::ContextValue;

use super::args::{ErrorFormat, TalkArgs};
use super::progress::Manner;
use super::terminal;
use crate::diagnostic::{Diagnostic, Error, Sources, Style, render, render_json, render_line, visible, visible_lines};
use crate::source::{FunctionLibrary, ScanReport};

/// Files with damage that are named one by one; the rest is summed up.
const FILES_NAMED: usize = 10;

/// The error that ends the command, where it is not about the words of a query.
pub(super) fn error(error: &Error) {
    if !matches!(error, Error::Reported(_)) {
        lines(&indented(&format!("error: {error}")));
    }
}

/// The error of a wrong call, which quotes arguments: names of files in them may come from others.
pub(super) fn wrong_call(mut error: clap::Error) {
    let shown = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(visible(text).into_owned())),
        ContextValue::Strings(texts) => {
            Some(ContextValue::Strings(texts.iter().map(|text| visible(text).into_owned()).collect()))
        }
        _ => None,
    };
    let context: Vec<_> = error.context().filter_map(|(kind, value)| Some((kind, shown(value)?))).collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    lines(error.render().to_string().trim_end());
}

/// A message with its second and further lines indented: a name with a line end in it begins no message of its own.
fn indented(message: &str) -> String {
    message.trim_end().replace('\n', "\n  ")
}

/// Has panics reported as other errors are.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| line(&format!("error: internal error: {panic}; please report this bug"))));
}

/// True if the reader of stdout has gone, as `head` does when it has enough: no reason to complain.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes a message on one line.
pub(super) fn line(text: &str) {
    write(&visible(text));
}

/// Writes a message that may have several lines.
pub(super) fn lines(text: &str) {
    write(&visible_lines(text));
}

/// Writes text that is safe to show; a closed stderr is ignored.
fn write(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Something to say that is not about the words of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Changes what the answer means, or what is done; `-q` keeps it.
    Warning(String),
    /// Changes no answer; `-q` hides it.
    Note(String),
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
        Self {
            quiet: args.volume.quiet,
            verbose: args.volume.verbose,
            style: terminal::style(args.color),
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
        self.diagnostics(warnings);
    }

    fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let sources = self.sources();
        for diagnostic in diagnostics {
            match (self.format, self.style) {
                (ErrorFormat::Json, _) => write(&render_json(diagnostic, &sources)),
                (ErrorFormat::Text, Style::Plain) => write(&render(diagnostic, &sources, Style::Plain)),
                (ErrorFormat::Text, Style::Coloured) => {
                    terminal::write_coloured(&render(diagnostic, &sources, Style::Coloured));
                }
            }
        }
    }

    /// What scans skipped and noticed.
    pub fn report(&self, report: &ScanReport) {
        self.report_news(report, &mut BTreeSet::new());
    }

    /// The same, without what was `said` already of other scans of the same files.
    pub fn report_news(&self, report: &ScanReport, said: &mut BTreeSet<String>) {
        for message in messages(report) {
            let text = message.line();
            if !said.contains(&text) {
                self.message(&message);
                said.insert(text);
            }
        }
    }

    /// A warning or a note.
    pub fn message(&self, message: &Message) {
        match message {
            Message::Note(_) if self.quiet => {}
            Message::Warning(_) | Message::Note(_) => message.print(),
        }
    }

    /// A warning, which `-q` keeps.
    pub fn warn(&self, text: impl Into<String>) {
        self.message(&Message::Warning(text.into()));
    }

    /// Something that `-q` hides.
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

impl Message {
    /// Writes it.
    pub fn print(&self) {
        line(&self.line());
    }

    /// The line on stderr.
    fn line(&self) -> String {
        match self {
            Self::Warning(text) => format!("warning: {text}"),
            Self::Note(text) => format!("note: {text}"),
        }
    }
}

/// What scans skipped and noticed, a line each.
fn messages(report: &ScanReport) -> Vec<Message> {
    let warnings = report.warnings().into_iter().chain(report.damage().messages()).map(Message::Warning);
    let notices = report.notices().into_iter().map(|(text, count)| match count {
        1 => Message::Note(text),
        _ => Message::Note(format!("{text} ({count} times)")),
    });
    let problems = report.problems();
    let named = problems.iter().take(FILES_NAMED).map(|(file, damage)| Message::Warning(format!("{file}: {damage}")));
    let rest: u64 = problems.values().skip(FILES_NAMED).map(|damage| damage.lost).sum();
    let more = problems.len().saturating_sub(FILES_NAMED);
    let summary =
        (more > 0).then(|| Message::Warning(format!("{more} more files with {rest} records that were not read")));
    warnings.chain(notices).chain(named).chain(summary).collect()
}
