//! What the reports of several commands have in common as HTML pages: when they are asked for, the messages of the run,
//! and how it can be reproduced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{OutputArgs, REPORT_FORMAT};
use super::reporter::{Message, messages_of};
use super::session::Session;
use super::{destination, documents, manifest};
use crate::diagnostic::{Error, Result};
use crate::html::{self, PageCell, ReportPage};
use crate::scan::ScanReport;
use crate::storage::files::DataFile;
use crate::storage::remote::redacted;

/// The maximum number of rows of a table: longer pages are of no use in a browser.
const MAX_ROWS: usize = 2_000;

/// True if the options ask for a page.
pub(super) fn is_requested(output: &OutputArgs) -> bool {
    match (&output.format, &output.output_file) {
        (Some(format), _) => format == REPORT_FORMAT,
        (None, Some(file)) => file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(REPORT_FORMAT)),
        (None, None) => false,
    }
}

/// Refuses options that have no effect on a page.
pub(super) fn check(output: &OutputArgs) -> Result<()> {
    match output.spreadsheet.excel_safe && is_requested(output) {
        true => Err(Error::Usage(format!("--excel-safe has no effect on -o {REPORT_FORMAT}"))),
        false => Ok(()),
    }
}

/// Writes the page to the file of the options, or to stdout. Returns what was written.
pub(super) fn write(page: ReportPage, output: &OutputArgs) -> Result<String> {
    let html = page.finish();
    match &output.output_file {
        Some(path) => destination::write_file(path, |out| out.write_all(html.as_bytes()))?,
        None => documents::print(html.as_bytes()).map(drop)?,
    }
    Ok(html)
}

/// Adds a table of rows, of which long ones are cut, and says so.
pub(super) fn table(page: &mut ReportPage, columns: &[&str], rows: &[Vec<PageCell>]) {
    if rows.len() > MAX_ROWS {
        page.paragraph(&format!("The first {MAX_ROWS} of {} rows are shown; -o csv has all of them.", rows.len()));
    }
    page.table(columns, rows.iter().take(MAX_ROWS).cloned());
}

/// Adds the messages of the run, and `more` of the command, if there are any.
pub(super) fn messages(page: &mut ReportPage, reports: &[Arc<ScanReport>], more: impl IntoIterator<Item = Message>) {
    let of_scans = reports.iter().flat_map(|report| messages_of(report));
    let mut all: Vec<String> = Vec::new();
    for message in more.into_iter().chain(of_scans) {
        let line = message.line();
        if !all.contains(&line) {
            all.push(line);
        }
    }
    if !all.is_empty() {
        page.section("What limits this result");
        page.warnings(&all);
    }
}

/// Adds what is needed to get the same result again: the version, the call, the clock, and the files with their hashes.
/// `rules` are the files of rules.
///
/// # Errors
/// A file cannot be read again.
pub(super) fn reproduction(page: &mut ReportPage, session: &Session, rules: &[PathBuf]) -> Result<()> {
    let settings = session.engine.settings();
    page.section("How to reproduce this result");
    let version = env!("CARGO_PKG_VERSION").to_owned();
    page.facts(&[("Version of coldcase", version), ("Value of now()", html::time(settings.now))]);
    page.heading("Call");
    page.code(&call());
    let mut rows = Vec::new();
    for file in rules.iter().filter(|file| *file != Path::new("-")) {
        rows.push(file_row("rules", &DataFile::new(file)?)?);
    }
    for input in session.catalog.inputs_by_use().0 {
        rows.push(file_row(input.table.as_deref().unwrap_or("data"), &input.file)?);
    }
    page.heading("Files");
    page.table(&["File", "Used as", "Bytes", "SHA-256"], rows);
    Ok(())
}

fn file_row(usage: &str, file: &DataFile) -> Result<Vec<PageCell>> {
    let (bytes, sha256) = manifest::hashed(file)?;
    let changed = if file.has_changed() { " (changed during the run)" } else { "" };
    Ok(vec![
        PageCell::text(file.name.clone()),
        PageCell::text(usage),
        PageCell::Number(bytes.to_string()),
        PageCell::text(format!("{sha256}{changed}")),
    ])
}

/// The command line without the secrets of URLs, with quotes where a shell needs them.
fn call() -> String {
    let quoted = |argument: String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
        match !argument.is_empty() && argument.chars().all(is_plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', "'\\''")),
        }
    };
    let arguments = std::env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into_owned()));
    redacted(&format!("coldcase {}", arguments.collect::<Vec<_>>().join(" ")))
}
