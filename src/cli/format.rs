//! `coldcase fmt`: formats queries.

use std::path::{Path, PathBuf};

use super::args::FmtArgs;
use super::query_files::{QUERY_EXTENSIONS, TextFile, find_files, is_stdin};
use super::reporter::Reporter;
use super::{Outcome, documents, stop};
use crate::diagnostic::{Error, Result};
use crate::syntax;

pub(super) fn run(args: &FmtArgs) -> Result<Outcome> {
    let stdin = [PathBuf::from("-")];
    let paths = if args.paths.is_empty() { &stdin[..] } else { &args.paths };
    if args.write && paths.iter().any(|path| is_stdin(path)) {
        return Err(Error::Usage("--write needs files: stdin cannot be written to".to_owned()));
    }
    let files = find_files(paths, QUERY_EXTENSIONS)?;
    if files.len() > 1 && !args.check && !args.write {
        let text = "several files: add --write to rewrite them, or --check to list those that differ";
        return Err(Error::Usage(text.to_owned()));
    }
    let (mut differ, mut failed) = (false, None);
    for path in &files {
        stop::check()?;
        match one(args, path) {
            Ok(changed) => differ |= changed,
            // The other files are formatted all the same. A mistake in a query outranks KQL that is not supported.
            Err(Error::Reported(code)) => failed = Some(failed.map_or(code, |before: u8| before.min(code))),
            Err(error) => return Err(error),
        }
    }
    match failed {
        Some(code) => Err(Error::Reported(code)),
        None if args.check && differ => Ok(Outcome::Negative),
        None => Ok(Outcome::Success),
    }
}

/// Formats the query in the file at `path`. Returns true if that changes it.
fn one(args: &FmtArgs, path: &Path) -> Result<bool> {
    let file = TextFile::read(path)?;
    let reporter = Reporter::new(&args.messages, &path.display().to_string(), &file.text);
    let formatted = syntax::format(&file.text).map_err(|error| match error {
        Error::Internal(reason) => Error::Internal(format!("{}: {reason}", path.display())),
        error => reporter.query_error(error),
    })?;
    let changed = formatted != file.text;
    if args.check {
        if changed {
            documents::print(format!("{}\n", path.display()).as_bytes())?;
        }
    } else if !args.write {
        documents::print(&file.encoded(&formatted))?;
    } else if changed {
        file.write(&formatted)?;
        reporter.info(&format!("formatted {}", path.display()));
    }
    Ok(changed)
}
