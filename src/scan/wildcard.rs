//! Tables that a query names by a wildcard: `union *`, `union AAD*`, `search`.
//!
//! Files need not contain every known table, so it is no damage if one of the tables is missing. It is damage if all
//! of them are missing, because then finding no rows is not evidence of absence.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::Damage;

/// A wildcard, and the tables matching it that the files do not contain.
#[derive(Debug)]
pub struct Wildcard {
    pattern: String,
    /// The number of tables that match.
    tables: usize,
    absent: Mutex<AbsentTables>,
}

/// The tables that the files do not contain, and the tables that they contain instead.
#[derive(Debug, Default)]
struct AbsentTables {
    tables: BTreeSet<String>,
    found: String,
}

impl Wildcard {
    /// Creates a wildcard that matches `tables` tables.
    #[must_use]
    pub fn new(pattern: impl Into<String>, tables: usize) -> Self {
        Self { pattern: pattern.into(), tables, absent: Mutex::default() }
    }

    /// Records that the files contain the tables `found`, but not `table`.
    pub(crate) fn lacks(&self, table: &str, found: String) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.tables.insert(table.to_owned());
        absent.found = found;
    }

    /// Returns the damage if the files contain none of the tables; None if they contain one.
    pub(crate) fn damage(&self) -> Option<Damage> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.tables > 0 && absent.tables.len() == self.tables;
        all.then(|| Damage::MissingTables(self.pattern.clone(), absent.found.clone()))
    }
}
