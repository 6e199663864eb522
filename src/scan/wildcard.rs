//! Tables that are asked for together, by a wildcard: `union *`, `union AAD*`, `search`.
//!
//! Nobody expects an archive to hold every known table, so one that is missing is no damage here. It is damage if none
//! of them is there: finding no rows is not evidence of absence then.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::Damage;

/// The tables that one wildcard stands for, and those of them that the files turned out not to hold.
#[derive(Debug)]
pub struct Wildcard {
    pattern: String,
    /// The number of tables.
    tables: usize,
    absent: Mutex<AbsentTables>,
}

/// Tables that are not in the files, and those that are there instead.
#[derive(Debug, Default)]
struct AbsentTables {
    tables: BTreeSet<String>,
    found: String,
}

impl Wildcard {
    /// A pattern that stands for so many tables.
    #[must_use]
    pub fn new(pattern: impl Into<String>, tables: usize) -> Self {
        Self { pattern: pattern.into(), tables, absent: Mutex::default() }
    }

    /// The files do not hold `table`; they hold the tables `found`.
    pub(crate) fn lacks(&self, table: &str, found: String) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.tables.insert(table.to_owned());
        absent.found = found;
    }

    /// The damage that none of the tables is in the files.
    pub(crate) fn damage(&self) -> Option<Damage> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.tables > 0 && absent.tables.len() == self.tables;
        all.then(|| Damage::MissingTables(self.pattern.clone(), absent.found.clone()))
    }
}
