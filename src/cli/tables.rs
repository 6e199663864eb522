//! `coldcase tables`: which files each table is bound to.

use std::ffi::OsStr;
use std::path::Path;

use super::args::TablesArgs;
use super::catalog::bindings;
use super::configuration::Configuration;
use super::{Outcome, rows};
use crate::diagnostic::Result;
use crate::source::files::expand;
use crate::source::remote::{Access, redacted};
use crate::types::{Type, Value};

const COLUMNS: [(&str, Type); 6] = [
    ("Table", Type::String),
    ("Pattern", Type::String),
    ("From", Type::String),
    ("Files", Type::Long),
    ("Bytes", Type::Long),
    ("Problem", Type::String),
];

pub(super) fn run(args: &TablesArgs) -> Result<Outcome> {
    let configuration = Configuration::load(args.catalog.as_deref())?;
    let bound = bindings(&args.tables)?;
    let access = configuration.access();
    let mut rows = Vec::new();
    for (name, path) in &bound {
        rows.push(row(name, OsStr::new(path), "-t", &access));
    }
    for path in &args.paths {
        rows.push(row("", path, "argument", &access));
    }
    let file = configuration.file.as_deref().unwrap_or(Path::new("")).display().to_string();
    for (name, table) in configuration.tables.iter().filter(|_| args.paths.is_empty()) {
        if !bound.iter().any(|(other, _)| other == name) {
            rows.extend(table.paths.iter().map(|path| row(name, path.as_os_str(), &file, &access)));
        }
    }
    for (alias, (path, _)) in configuration.watchlists.iter().map(|(alias, list)| (alias, list.parts())) {
        rows.push(row(&format!("_GetWatchlist('{alias}')"), path.as_os_str(), &file, &access));
    }
    rows::write(&args.output, &COLUMNS, rows)?;
    Ok(Outcome::Success)
}

/// What a pattern matches. One that names no table stands for every known table that is found in its files.
fn row(table: &str, pattern: &OsStr, from: &str, access: &Access) -> Vec<Value> {
    let (files, bytes, problem) = match expand(pattern, access) {
        Ok(files) => (files.len(), files.iter().map(|file| file.bytes).fold(0, u64::saturating_add), String::new()),
        Err(error) => (0, 0, error.to_string()),
    };
    vec![
        Value::string(table),
        Value::string(redacted(&pattern.to_string_lossy())),
        Value::string(from),
        Value::Long(i64::try_from(files).unwrap_or(i64::MAX)),
        Value::Long(i64::try_from(bytes).unwrap_or(i64::MAX)),
        Value::string(problem),
    ]
}
