//! Looks up tables, watchlists and stored functions by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use super::{ExternalSource, ExternalTarget, TableProvider};
use crate::diagnostic::Result;
use crate::syntax::Definition;

/// The name of the table that is read from stdin.
pub const STDIN: &str = "stdin";

/// The tables, watchlists and functions that a query can name.
pub trait Catalog: Debug + Send + Sync {
    /// Returns the table of this name (case-sensitive); None if there is none. An error if its files cannot be read.
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>>;

    /// Returns the names of all tables, sorted; they are used for suggestions.
    fn names(&self) -> Vec<String>;

    /// Returns the names of the tables that `union *` and `search` read, sorted. An error if they cannot be
    /// determined.
    fn readable(&self) -> Result<Vec<String>> {
        Ok(self.names())
    }

    /// Returns the watchlist of this alias (case-sensitive); None if there is none. An error if its file cannot be
    /// read.
    fn watchlist(&self, _alias: &str) -> Result<Option<Watchlist>> {
        Ok(None)
    }

    /// Returns the aliases of all watchlists, sorted.
    fn watchlists(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the table that an `externaldata` operator declares. An error if its files cannot be read.
    fn external(&self, _source: &ExternalSource) -> Result<ExternalTarget> {
        Ok(ExternalTarget::Unmapped("no files are given"))
    }

    /// Returns the stored function of this name (case-sensitive); None if there is none. An error if the files with
    /// stored functions cannot be read.
    fn function(&self, _name: &str) -> Result<Option<Definition>> {
        Ok(None)
    }

    /// Returns all stored functions, by name. An error if their files cannot be read.
    fn functions(&self) -> Result<Vec<Definition>> {
        Ok(Vec::new())
    }
}

/// A catalog that is laid over another one and replaces some of its tables; everything else is looked up below.
pub trait CatalogOverlay: Debug + Send + Sync {
    /// Returns the catalog below.
    fn below(&self) -> &dyn Catalog;

    /// Returns the table of this name, as [`Catalog::table`] does.
    fn overlaid(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>>;
}

impl<T: CatalogOverlay> Catalog for T {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.overlaid(name)
    }

    fn names(&self) -> Vec<String> {
        self.below().names()
    }

    fn readable(&self) -> Result<Vec<String>> {
        self.below().readable()
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Watchlist>> {
        self.below().watchlist(alias)
    }

    fn watchlists(&self) -> Vec<String> {
        self.below().watchlists()
    }

    fn external(&self, source: &ExternalSource) -> Result<ExternalTarget> {
        self.below().external(source)
    }

    fn function(&self, name: &str) -> Result<Option<Definition>> {
        self.below().function(name)
    }

    fn functions(&self) -> Result<Vec<Definition>> {
        self.below().functions()
    }
}

/// A watchlist, as Microsoft Sentinel has them.
#[derive(Clone, Debug)]
pub struct Watchlist {
    /// The items of the watchlist, in string columns.
    pub table: Arc<dyn TableProvider>,
    /// The name of the column that has the search keys; None if there is none, or if the watchlist has a column
    /// `SearchKey`.
    pub search_key: Option<String>,
}

/// A catalog whose tables get additional columns, if their records have keys of these names.
#[derive(Debug)]
pub struct WithColumns {
    /// The catalog to which columns are added.
    pub catalog: Arc<dyn Catalog>,
    /// The names of the additional columns.
    pub names: BTreeSet<String>,
    /// True if the caller knows that records have keys of these names. A column whose type cannot be inferred is then
    /// a string.
    pub exist: bool,
}

impl CatalogOverlay for WithColumns {
    fn below(&self) -> &dyn Catalog {
        self.catalog.as_ref()
    }

    fn overlaid(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(table) = self.catalog.table(name)? else { return Ok(None) };
        let extended = table.with_columns(&self.names, self.exist)?;
        Ok(Some(extended.unwrap_or(table)))
    }
}

/// Tables in memory, by name.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl MemoryCatalog {
    /// Returns the catalog with `table` added under `name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, table: Arc<dyn TableProvider>) -> Self {
        self.tables.insert(name.into(), table);
        self
    }
}

impl Catalog for MemoryCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.tables.get(name).cloned())
    }

    fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }
}
