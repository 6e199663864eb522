//! A catalog that remembers which of its tables a query names.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Catalog, CatalogOverlay, TableProvider};
use crate::diagnostic::Result;

/// The tables of a catalog, and the names of those that were looked up.
#[derive(Debug)]
pub struct RecordedCatalog {
    catalog: Arc<dyn Catalog>,
    names: Mutex<BTreeSet<String>>,
}

impl RecordedCatalog {
    /// A catalog in which nothing was looked up yet.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, names: Mutex::default() }
    }

    /// True if the table of this name was looked up.
    pub fn has(&self, name: &str) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

impl CatalogOverlay for RecordedCatalog {
    fn below(&self) -> &dyn Catalog {
        self.catalog.as_ref()
    }

    fn overlaid(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = self.catalog.table(name)?;
        if table.is_some() {
            self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        Ok(table)
    }
}
