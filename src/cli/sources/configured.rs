//! Tables and watchlists of the catalog file, overridden by the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::configuration::{ListFile, Table};
use super::bindings::{external_bindings, watchlist_bindings};
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

/// The file of a watchlist or of external data, and how it is read.
#[derive(Clone, Debug)]
pub(super) struct BoundList {
    pub path: PathBuf,
    pub search_key: Option<String>,
    pub text: TextSettings,
    /// True if the command line gives it.
    pub is_flag: bool,
}

impl BoundList {
    fn of_file(list: &ListFile, text: TextSettings) -> Self {
        let search_key = list.search_key().map(str::to_owned);
        Self { path: list.path().to_owned(), search_key, text: text.or(list.text_settings()), is_flag: false }
    }
}

/// Watchlists by alias: of the catalog file, and of `--watchlist`, which overrides it. `text`, as the command line
/// specifies it, overrides the file.
pub(super) fn bound_watchlists(
    configured: &BTreeMap<String, ListFile>,
    flags: &[String],
    text: TextSettings,
) -> Result<BTreeMap<String, BoundList>> {
    let listed = configured.iter().map(|(alias, list)| (alias.clone(), BoundList::of_file(list, text)));
    let mut bound: BTreeMap<String, BoundList> = listed.collect();
    for (alias, key, path) in watchlist_bindings(flags)? {
        let search_key = key.map(str::to_owned);
        bound.insert(alias.to_owned(), BoundList { path: path.into(), search_key, text, is_flag: true });
    }
    Ok(bound)
}

/// The files of external data by URL or path, likewise.
pub(super) fn bound_external(
    configured: &BTreeMap<String, ListFile>,
    flags: &[String],
    text: TextSettings,
) -> Result<BTreeMap<String, BoundList>> {
    let listed = configured.iter().map(|(url, list)| (url.clone(), BoundList::of_file(list, text)));
    let mut bound: BTreeMap<String, BoundList> = listed.collect();
    for (url, path) in external_bindings(flags)? {
        bound.insert(url.to_owned(), BoundList { path: path.into(), search_key: None, text, is_flag: true });
    }
    Ok(bound)
}
