//! Messages on stderr: errors, warnings and notes.
//!
//! Messages quote file names and values that an attacker may have chosen. All of them are escaped here, so that none
//! can control the terminal or look like several messages.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use clap::error::ContextValue;

use super::args::{ErrorFormat, MessageArgs};
use super::progress::ProgressMode;
use super::terminal;
use crate::diagnostic::{Diagnostic, Error, Sources, Style, render, render_json, render_line, visible, visible_lines};
use crate::messages::{self, CommandNote, CommandWarning};
use crate::scan::{FunctionLibrary, ScanReport};
use crate::storage::remote::redacted;

/// The number of damaged files that are named; the others are summed up in one line.
const MAX_FILES_NAMED: usize = 10;

/// Prints the error that ends the command, unless it was reported already.
pub(super) fn error(error: &Error) {
    if !matches!(error, Error::Reported(_)) {
        print_lines(&indented(&format!("error: {error}")));
    }
}

/// Prints a usage error. It quotes arguments, which may be file names that an attacker chose.
pub(super) fn usage_error(mut error: clap::Error) {
    let escaped = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(visible(text).into_owned())),
        ContextValue::Strings(texts) => {
            Some(ContextValue::Strings(texts.iter().map(|text| visible(text).into_owned()).collect()))
        }
        _ => None,
    };
    let context: Vec<_> = error.context().filter_map(|(kind, value)| Some((kind, escaped(value)?))).collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    print_lines(error.render().to_string().trim_end());
}

/// Indents all lines but the first, so that a file name with a line end in it cannot pass for a message of its own.
fn indented(message: &str) -> String {
    message.trim_end().replace('\n', "\n  ")
}

/// Makes panics look like other errors.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        print_line(&format!("error: internal error: {panic}; please report this bug"));
    }));
}

/// True if the reader of stdout has closed the pipe, as `head` does. This is not an error.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints a message on one line.
pub(super) fn print_line(text: &str) {
    write(&visible(text));
}

/// Prints a message that may have several lines.
pub(super) fn print_lines(text: &str) {
    write(&visible_lines(text));
}

/// Writes text that is escaped already, without the secrets of URLs in it; a closed stderr is ignored.
fn write(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", redacted(text));
}

/// A message that does not point into the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Affects what the result means. Shown with `-q`, too.
    Warning(String),
    /// Does not affect the result. Hidden by `-q`.
    Note(String),
}

/// Prints the messages of a run, as verbosely as requested.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    quiet: bool,
    verbose: bool,
    style: Style,
    format: ErrorFormat,
    /// The file of the query, or a name for it in messages.
    origin: String,
    text: String,
    /// Stored functions, into which messages may point.
    library: Arc<FunctionLibrary>,
}

impl Reporter {
    pub fn new(args: &MessageArgs, origin: &str, text: &str) -> Self {
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

    /// How progress is shown; None shows none.
    pub fn progress_mode(&self) -> Option<ProgressMode> {
        ProgressMode::of(self.quiet, self.verbose)
    }

    /// Lets messages point into the files of stored functions, too.
    pub fn with_library(mut self, library: Arc<FunctionLibrary>) -> Self {
        self.library = library;
        self
    }

    /// Prints the diagnostics of a query error. The returned error has its exit code and is not printed again.
    pub fn query_error(&self, error: Error) -> Error {
        let Error::Query(diagnostics) = error else { return error };
        self.diagnostics(&diagnostics);
        if self.format == ErrorFormat::Text && diagnostics.len() > 1 {
            print_line(&format!("{} errors", diagnostics.len()));
        }
        Error::Reported(Error::Query(diagnostics).exit_code())
    }

    /// The text of an error, one line per diagnostic. One in a file of stored functions has its position there.
    pub fn error_text(&self, error: &Error) -> String {
        let Error::Query(diagnostics) = error else { return redacted(&error.to_string()) };
        let sources = self.sources();
        let text = |diagnostic: &Diagnostic| match sources.is_query(diagnostic.span) {
            true => diagnostic.to_string(),
            false => render_line(diagnostic, &sources),
        };
        redacted(&diagnostics.iter().map(text).collect::<Vec<_>>().join("\n"))
    }

    fn sources(&self) -> Sources {
        let mut sources = Sources::new(self.text.as_str(), &self.origin);
        self.library.add_to(&mut sources);
        sources
    }

    /// Prints warnings about the query.
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

    /// Prints what scans skipped and noticed.
    pub fn report(&self, report: &ScanReport) {
        self.report_new(report, &mut BTreeSet::new());
    }

    /// As [`Self::report`], without the messages in `emitted`, to which the others are added.
    pub fn report_new(&self, report: &ScanReport, emitted: &mut BTreeSet<String>) {
        for message in messages_of(report) {
            let text = message.line();
            if !emitted.contains(&text) {
                self.message(&message);
                emitted.insert(text);
            }
        }
    }

    /// Prints a warning, or a note unless `-q` was given.
    pub fn message(&self, message: &Message) {
        match message {
            Message::Note(_) if self.quiet => {}
            Message::Warning(_) | Message::Note(_) => message.print(),
        }
    }

    /// Prints a warning.
    pub fn warn(&self, warning: CommandWarning) {
        self.message(&warning.into());
    }

    /// Prints a note unless `-q` was given.
    pub fn note(&self, note: CommandNote) {
        self.message(&note.into());
    }

    /// Prints a line unless `-q` was given.
    pub fn info(&self, text: &str) {
        if !self.quiet {
            print_line(text);
        }
    }

    /// Prints a line if `-v` was given.
    pub fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            print_line(&text());
        }
    }
}

impl From<CommandWarning> for Message {
    fn from(warning: CommandWarning) -> Self {
        Self::Warning(warning.to_string())
    }
}

impl From<CommandNote> for Message {
    fn from(note: CommandNote) -> Self {
        Self::Note(note.to_string())
    }
}

impl Message {
    /// Prints the message.
    pub fn print(&self) {
        print_line(&self.line());
    }

    /// The line as it is printed.
    pub fn line(&self) -> String {
        match self {
            Self::Warning(text) => format!("warning: {text}"),
            Self::Note(text) => format!("note: {text}"),
        }
    }
}

/// The messages of scans: warnings, notes, then damaged files.
pub(super) fn messages_of(report: &ScanReport) -> Vec<Message> {
    let warnings = messages::warnings(report).into_iter().chain(messages::all_damage(&report.damage()));
    let notes = messages::counted_notes(report).map(Message::Note);
    let problems = report.problems();
    let named = problems.iter().take(MAX_FILES_NAMED);
    let named = named.map(|(file, problems)| Message::Warning(format!("{file}: {}", messages::lost(problems))));
    let rest: u64 = problems.values().skip(MAX_FILES_NAMED).map(|damage| damage.lost).sum();
    let more = problems.len().saturating_sub(MAX_FILES_NAMED);
    let summary = (more > 0).then(|| CommandWarning::MoreUnreadable { files: more, records: rest }.into());
    warnings.map(Message::Warning).chain(notes).chain(named).chain(summary).collect()
}
