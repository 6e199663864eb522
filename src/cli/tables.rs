//! `coldcase tables`: which files each table is read from.

use std::path::Path;
use std::sync::Arc;

use super::args::TablesArgs;
use super::sources::{InputSources, SourceOptions, external_name};
use super::{Outcome, rows};
use crate::diagnostic::{Diagnostic, Result, Sources, render_line};
use crate::entra::known_table;
use crate::scan::FunctionLibrary;
use crate::source::listing::expand;
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::listing::Listing;
use crate::storage::remote::redacted;
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
    let call = SourceOptions {
        catalog: args.catalog.as_deref(),
        no_catalog: args.no_catalog,
        tables: &args.tables,
        paths: &args.paths,
        follow_links: args.follow_links,
        stdin_taken: None,
    };
    let sources = InputSources::resolve(&call)?;
    sources.report();
    let uses_catalog_tables = sources.uses_catalog_tables();
    let InputSources { configuration, catalog, named, .. } = sources;
    let access = configuration.access(args.follow_links);
    let is_bound = |name: &str| named.iter().any(|source| source.table.as_deref() == Some(name));
    let file = catalog.file.as_deref().unwrap_or(Path::new("")).display().to_string();
    let mut catalog_paths = Vec::new();
    for (name, table) in configuration.tables.iter().filter(|(name, _)| uses_catalog_tables && !is_bound(name)) {
        catalog_paths.extend(table.paths.iter().map(|path| (name.clone(), path.clone())));
    }
    let watchlists = configuration.watchlists.iter().map(|(alias, list)| (format!("_GetWatchlist('{alias}')"), list));
    let external = configuration.externaldata.iter().map(|(url, list)| (external_name(url), list));
    catalog_paths.extend(watchlists.chain(external).map(|(name, list)| (name, list.path().to_owned())));
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for source in named {
        let (table, shown, from) = (source.table.clone().unwrap_or_default(), source.shown(), source.origin.name());
        rows.push(row(&table, &shown, from, source.listing));
    }
    for (table, path) in catalog_paths {
        let shown = redacted(&path.to_string_lossy());
        rows.push(row(&table, &shown, &file, expand(path.as_os_str(), &access)));
    }
    rows.extend(functions(FunctionLibrary::new(configuration.functions.paths, Arc::new(access)), &file));
    rows::write(&args.output, &configuration.defaults, &COLUMNS, rows)?;
    Ok(Outcome::Success)
}

/// Rows for stored functions, and for files that cannot be read as functions.
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
        let name = &function.definition.name.text;
        let problem = match &function.definition.function {
            Err(list) => first(list),
            Ok(_) if known_table(name).is_some() => format!("it is used instead of the table {name}"),
            Ok(_) => String::new(),
        };
        let name = format!("{name}()");
        row(&name, library.file_of(function).map(|of| &of.file), problem)
    });
    let wrong = files.iter().filter(|file| !file.errors.is_empty());
    defined.chain(wrong.map(|of| row("[functions]", Some(&of.file), first(&of.errors)))).collect()
}

/// A row for a pattern, with the files that it matches. Without a table, every known table is looked for in its files.
fn row(table: &str, pattern: &str, from: &str, listing: Result<Listing>) -> Vec<Value> {
    let (files, bytes, problem) = match listing.map(unique_files) {
        Ok(Listing { files, notes, .. }) => {
            let bytes = files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
            let problems = notes.iter().filter(|note| note.is_damage()).map(ToString::to_string);
            (files.len(), bytes, problems.collect::<Vec<_>>().join("; "))
        }
        Err(error) => (0, 0, error.to_string()),
    };
    vec![
        Value::string(table),
        Value::string(pattern),
        Value::string(from),
        Value::Long(i64::try_from(files).unwrap_or(i64::MAX)),
        Value::Long(i64::try_from(bytes).unwrap_or(i64::MAX)),
        Value::string(problem),
    ]
}
