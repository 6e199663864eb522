//! A catalog that records which of its tables a query looks up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Catalog, CatalogOverlay, TableProvider};
use crate::diagnostic::Result;

/// A catalog, and the names of the tables that were looked up in it.
#[derive(Debug)]
pub struct RecordedCatalog {
    catalog: Arc<dyn Catalog>,
    names: Mutex<BTreeSet<String>>,
}

impl RecordedCatalog {
    /// Creates the catalog; nothing was looked up in it yet.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, names: Mutex::default() }
    }

    /// True if a table of this name was looked up.
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
