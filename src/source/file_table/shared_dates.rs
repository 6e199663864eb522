//! The order of day and month for files that are described one by one, by `sniff` and in manifests. The dates of
//! one file may prove the order in another, so all files are compared: the result then agrees with a query over
//! all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::FileTable;
use super::dates::FileDates;
use crate::entra::numeric_dates::{DateOrderVerdict, DateOrders, NumericDate};
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::zip_archive;

/// Files whose dates are compared. As in a query, the files of each known table are compared with each other.
#[derive(Debug)]
pub struct SharedDates {
    named: Vec<DataFile>,
    limits: ReadLimits,
    listed: OnceLock<ListedByName>,
    tables: Mutex<BTreeMap<&'static str, Arc<FileDates>>>,
}

/// The named files and the entries of archives, and the position of each by its name; empty if an archive cannot
/// be opened.
#[derive(Debug)]
struct ListedByName {
    files: Arc<[DataFile]>,
    positions: BTreeMap<String, usize>,
}

impl SharedDates {
    /// Creates the state; no file is read yet.
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

    /// Returns the dates of all shared files, read as the known table of `own`, and the positions of the files of
    /// `own` among them. Returns None if the table is not known or a file is not shared; then the files of `own`
    /// are compared on their own.
    fn including(&self, own: &FileDates) -> Option<(Arc<FileDates>, Vec<usize>)> {
        let table = own.selection.known()?.name;
        let ListedByName { files, positions } = self.listed();
        let positions = own.files.iter().map(|file| positions.get(&file.name).copied()).collect::<Option<_>>()?;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let create = || Arc::new(FileDates::new(Arc::clone(files), own.selection.clone(), self.limits));
        Some((Arc::clone(tables.entry(table).or_insert_with(create)), positions))
    }
}

/// The date orders of a table whose files are some of the shared files.
#[derive(Debug)]
struct SharedOrders {
    shared: Arc<SharedDates>,
    own: FileDates,
    /// The result of [`SharedDates::including`].
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
    /// Returns the table with the dates of all `shared` files as evidence for the order of day and month in its
    /// own files.
    #[must_use]
    pub(crate) fn with_shared_dates(self, shared: &Arc<SharedDates>) -> Self {
        let own = FileDates::new(Arc::clone(&self.files), self.selection.clone(), self.limits);
        Self { dates: Arc::new(SharedOrders { shared: Arc::clone(shared), own, all: OnceLock::new() }), ..self }
    }
}
