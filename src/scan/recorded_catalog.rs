//! A catalog that remembers which of its tables a query names.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Catalog, ExternalSource, ExternalTarget, TableProvider, Watchlist};
use crate::diagnostic::Result;
use crate::syntax::Definition;

/// The tables of a catalog, and the names of those that were asked for.
#[derive(Debug)]
pub struct RecordedCatalog {
    catalog: Arc<dyn Catalog>,
    names: Mutex<BTreeSet<String>>,
}

impl RecordedCatalog {
    /// Nothing was asked for yet.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, names: Mutex::default() }
    }

    /// True if the table of this name was asked for.
    pub fn has(&self, name: &str) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

impl Catalog for RecordedCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = self.catalog.table(name)?;
        if table.is_some() {
            self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        Ok(table)
    }

    fn names(&self) -> Vec<String> {
        self.catalog.names()
    }

    fn readable(&self) -> Result<Vec<String>> {
        self.catalog.readable()
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Watchlist>> {
        self.catalog.watchlist(alias)
    }

    fn watchlists(&self) -> Vec<String> {
        self.catalog.watchlists()
    }

    fn external(&self, source: &ExternalSource) -> Result<ExternalTarget> {
        self.catalog.external(source)
    }

    fn function(&self, name: &str) -> Result<Option<Definition>> {
        self.catalog.function(name)
    }

    fn functions(&self) -> Result<Vec<Definition>> {
        self.catalog.functions()
    }
}
