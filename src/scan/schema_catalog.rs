//! A catalog whose tables have columns but no rows; queries are checked with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Catalog, ExternalSource, ExternalTarget, MemoryTable, Partition, ScanRequest, TableProvider, Watchlist, Wildcard,
};
use crate::diagnostic::Result;
use crate::entra::{known_table, known_tables};
use crate::syntax::Definition;
use crate::types::Schema;

/// The tables of a catalog and all known tables, without their rows.
#[derive(Debug)]
pub struct SchemaCatalog {
    catalog: Arc<dyn Catalog>,
}

impl SchemaCatalog {
    /// Creates the catalog. A table of `catalog` hides a known table of the same name.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog }
    }
}

impl Catalog for SchemaCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let known = || known_table(name).map(|known| empty(known.schema.clone()));
        Ok(self.catalog.table(name)?.map(without_rows).or_else(known))
    }

    fn names(&self) -> Vec<String> {
        self.catalog.names()
    }

    fn readable(&self) -> Result<Vec<String>> {
        let mut names = self.catalog.readable()?;
        names.extend(known_tables().filter(|table| !table.by_name).map(|table| table.name.to_owned()));
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Watchlist>> {
        let list = self.catalog.watchlist(alias)?;
        Ok(list.map(|list| Watchlist { table: without_rows(list.table), ..list }))
    }

    fn watchlists(&self) -> Vec<String> {
        self.catalog.watchlists()
    }

    fn external(&self, source: &ExternalSource) -> Result<ExternalTarget> {
        // The query declares the columns.
        Ok(ExternalTarget::Table(empty(source.columns.clone())))
    }

    fn function(&self, name: &str) -> Result<Option<Definition>> {
        self.catalog.function(name)
    }

    fn functions(&self) -> Result<Vec<Definition>> {
        self.catalog.functions()
    }
}

fn empty(schema: Schema) -> Arc<dyn TableProvider> {
    Arc::new(MemoryTable::new(schema, Vec::new()))
}

fn without_rows(table: Arc<dyn TableProvider>) -> Arc<dyn TableProvider> {
    Arc::new(TableWithoutRows { table })
}

/// A table with the columns of another one and without rows.
#[derive(Debug)]
struct TableWithoutRows {
    table: Arc<dyn TableProvider>,
}

impl TableProvider for TableWithoutRows {
    fn schema(&self) -> &Schema {
        self.table.schema()
    }

    fn scan(&self, _: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        Ok(Vec::new())
    }

    fn describe(&self) -> String {
        format!("columns of {}", self.table.describe())
    }

    fn with_columns(&self, names: &BTreeSet<String>, exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.table.with_columns(names, exist)?.map(without_rows))
    }

    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        self.table.with_provenance().map(without_rows)
    }

    fn matched_by_wildcard(&self, wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        self.table.matched_by_wildcard(wildcard).map(without_rows)
    }
}
