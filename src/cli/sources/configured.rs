//! Tables and watchlists of the catalog file, overridden by the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::configuration::{Table, Watchlist};
use super::bindings::watchlist_bindings;
use crate::diagnostic::Result;
use crate::storage::text_settings::TextSettings;

/// A table of the catalog file.
#[derive(Debug)]
pub(super) struct ConfiguredTable {
    pub paths: Vec<PathBuf>,
    pub text: TextSettings,
}

/// Converts the tables of the catalog file. `text`, as the command line specifies it, overrides the file.
pub(super) fn configured_tables(
    tables: BTreeMap<String, Table>,
    text: TextSettings,
) -> BTreeMap<String, ConfiguredTable> {
    let table = |table: Table| ConfiguredTable { text: text.or(table.text_settings()), paths: table.paths };
    tables.into_iter().map(|(name, own)| (name, table(own))).collect()
}

/// Files and search-key columns of watchlists, by alias: of the catalog file, and of `--watchlist`, which overrides it.
pub(super) fn bound_watchlists(
    configured: &BTreeMap<String, Watchlist>,
    flags: &[String],
) -> Result<BTreeMap<String, (PathBuf, Option<String>)>> {
    let listed = configured.iter().map(|(alias, list)| (alias.as_str(), list.parts()));
    let mut bound: BTreeMap<String, (PathBuf, Option<String>)> =
        listed.map(|(alias, (path, key))| (alias.to_owned(), (path.to_owned(), key.map(str::to_owned)))).collect();
    for (alias, key, path) in watchlist_bindings(flags)? {
        bound.insert(alias.to_owned(), (path.into(), key.map(str::to_owned)));
    }
    Ok(bound)
}
