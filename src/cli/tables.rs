//! `coldcase tables`: which files each table is bound to.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::args::TablesArgs;
use super::catalog::bindings;
use super::configuration::Configuration;
use super::{Outcome, rows};
use crate::diagnostic::{Diagnostic, Result, Sources, render_line};
use crate::source::FunctionLibrary;
use crate::source::files::{DataFile, expand};
use crate::source::remark::Listing;
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
    let access = configuration.access(args.follow_links);
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
    rows.extend(functions(FunctionLibrary::new(configuration.functions.paths, Arc::new(access)), &file));
    rows::write(&args.output, &COLUMNS, rows)?;
    Ok(Outcome::Success)
}

/// Stored functions with their files, and files that hold none.
fn functions(library: FunctionLibrary, from: &str) -> Vec<Vec<Value>> {
    let row = |name: &str, file: Option<&DataFile>, problem: String| {
        let bytes = file.map_or(0, |file| i64::try_from(file.bytes).unwrap_or(i64::MAX));
        vec![
            Value::string(name),
            Value::string(file.map_or("", |file| &file.name)),
            Value::string(from),
            Value::Long(file.is_some().into()),
            Value::Long(bytes),
            Value::string(problem),
        ]
    };
    let (files, functions) = match (library.files(), library.functions()) {
        (Ok(files), Ok(functions)) => (files, functions),
        (Err(error), _) | (_, Err(error)) => return vec![row("[functions]", None, error.to_string())],
    };
    let mut sources = Sources::new("", "");
    library.add_to(&mut sources);
    let first = |list: &[Diagnostic]| list.first().map_or(String::new(), |first| render_line(first, &sources));
    let defined = functions.map(|function| {
        let problem = function.definition.function.as_ref().err().map_or(String::new(), |list| first(list));
        let name = format!("{}()", function.definition.name.text);
        row(&name, library.file_of(function).map(|of| &of.file), problem)
    });
    let wrong = files.iter().filter(|file| !file.mistakes.is_empty());
    defined.chain(wrong.map(|of| row("[functions]", Some(&of.file), first(&of.mistakes)))).collect()
}

/// What a pattern matches. One that names no table stands for every known table that is found in its files.
fn row(table: &str, pattern: &OsStr, from: &str, access: &Access) -> Vec<Value> {
    let (files, bytes, problem) = match expand(pattern, access) {
        Ok(Listing { files, .. }) => {
            (files.len(), files.iter().map(|file| file.bytes).fold(0, u64::saturating_add), String::new())
        }
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
