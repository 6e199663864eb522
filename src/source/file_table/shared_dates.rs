//! The order of numeric dates in files that are read one by one, although their dates may prove each other's order:
//! `sniff` and manifests describe each file by itself, and must agree with a query over all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::FileTable;
use super::dates::FileDates;
use crate::entra::numeric_dates::{DateOrderVerdict, DateOrders, NumericDate};
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::zip_archive;

/// Files whose dates are compared. Each known table has one `FileDates` over all of them, as in a query.
#[derive(Debug)]
pub struct SharedDates {
    named: Vec<DataFile>,
    limits: ReadLimits,
    listed: OnceLock<ListedByName>,
    tables: Mutex<BTreeMap<&'static str, Arc<FileDates>>>,
}

/// The files and the entries of archives, with their positions by name; none if an archive cannot be opened.
#[derive(Debug)]
struct ListedByName {
    files: Arc<[DataFile]>,
    positions: BTreeMap<String, usize>,
}

impl SharedDates {
    /// Creates the state without reading a file.
    #[must_use]
    pub fn new(named: Vec<DataFile>, limits: ReadLimits) -> Self {
        Self { named, limits, listed: OnceLock::new(), tables: Mutex::default() }
    }

    fn listed(&self) -> &ListedByName {
        self.listed.get_or_init(|| {
            let listing = zip_archive::expand(&self.named, self.limits).unwrap_or_default();
            let positions = listing.files.iter().enumerate().map(|(index, file)| (file.name.clone(), index)).collect();
            ListedByName { files: listing.files.into(), positions }
        })
    }

    /// Returns the orders in all files of the known table of `own`, and the positions of its files among them. None if
    /// they must be determined by themselves.
    fn including(&self, own: &FileDates) -> Option<(Arc<FileDates>, Vec<usize>)> {
        let table = own.selection.known()?.name;
        let ListedByName { files, positions } = self.listed();
        let positions = own.files.iter().map(|file| positions.get(&file.name).copied()).collect::<Option<_>>()?;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let create = || Arc::new(FileDates::new(Arc::clone(files), own.selection.clone(), self.limits));
        Some((Arc::clone(tables.entry(table).or_insert_with(create)), positions))
    }
}

/// The orders in the files of a table, which are some of the shared ones.
#[derive(Debug)]
struct SharedOrders {
    shared: Arc<SharedDates>,
    own: FileDates,
    /// The orders in all files, and the positions of those of the table among them.
    all: OnceLock<Option<(Arc<FileDates>, Vec<usize>)>>,
}

impl DateOrders for SharedOrders {
    fn verdict(&self, file: usize, date: &NumericDate) -> DateOrderVerdict {
        match self.all.get_or_init(|| self.shared.including(&self.own)) {
            Some((all, positions)) => {
                positions.get(file).map_or(DateOrderVerdict::Unknown, |file| all.verdict(*file, date))
            }
            None => self.own.verdict(file, date),
        }
    }
}

impl FileTable {
    /// Returns the same table; the order of day and month in its files is proven by the dates of all shared files.
    #[must_use]
    pub(crate) fn with_shared_dates(self, shared: &Arc<SharedDates>) -> Self {
        let own = FileDates::new(Arc::clone(&self.files), self.selection.clone(), self.limits);
        Self { dates: Arc::new(SharedOrders { shared: Arc::clone(shared), own, all: OnceLock::new() }), ..self }
    }
}
