//! Binds queries that name columns which only the records of a table have.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::binder::{self, Bound, Environment};
use crate::diagnostic::Result;
use crate::scan::{Catalog, WithColumns};
use crate::syntax::ast::Query;

/// Maximum number of times that a query is bound again.
const MAX_ROUNDS: usize = 16;

/// Binds `query` over `catalog`. Names that were not found are then added to the tables whose records have them, and
/// the query is bound again. Operators after an error are not bound, so a round may find further names.
pub(super) fn bind(query: &Query, environment: &Environment<'_>, catalog: &Arc<dyn Catalog>) -> Result<Bound> {
    let mut names = BTreeSet::new();
    let mut bound = binder::bind(query, environment);
    for _ in 0..MAX_ROUNDS {
        let searched = names.len();
        names.append(&mut environment.missing.take());
        if names.len() == searched {
            break;
        }
        let extended = WithColumns { catalog: Arc::clone(catalog), names: names.clone(), exist: false };
        bound = binder::bind(query, &Environment { catalog: &extended, ..environment.clone() });
    }
    bound
}
