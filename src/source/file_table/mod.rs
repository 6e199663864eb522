//! A table over many files of any format.
//!
//! Partitions follow the order of the files. Many small files share a partition, so that thousands of them cost little
//! more than their bytes; a large file of lines is divided at record boundaries, so that several threads read it.

mod dates;
mod extra_columns;
mod file_partition;
mod partitioning;
mod record_partition;
mod shared_dates;
mod shared_scan;
mod written_files;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use self::dates::FileDates;
use self::file_partition::FilePartition;
use self::partitioning::{FileSlice, PlannedPartition};
pub use self::shared_dates::SharedDates;
use self::shared_scan::SharedScan;
use super::id_sketch::IdSketch;
use super::overlap;
use super::replaced_columns::ReplacedColumns;
use crate::diagnostic::Result;
use crate::entra::numeric_dates::DateOrders;
use crate::parquet::{FileInTable, ParquetFile};
use crate::scan::Overlap;
use crate::scan::completion::CompletionTracker;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{ColumnNote, Partition, Predicate, ScanRequest, TableProvider, Wildcard};
use crate::source::text::{RecordSelection, ScanEvents, ScanPlan, wants_places};
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;
use crate::storage::listing::DiscoveryNote;
use crate::types::{Field, Schema};

/// A table whose rows are read from files.
#[derive(Clone, Debug)]
pub struct FileTable {
    name: String,
    files: Arc<[DataFile]>,
    selection: RecordSelection,
    origins: ProvenanceColumns,
    limits: ReadLimits,
    /// The order of day and month in numeric dates, for each file.
    dates: Arc<dyn DateOrders>,
    /// Notes about the listing of the files, which every scan reports.
    notes: Arc<[DiscoveryNote]>,
    /// Columns that the records have and the known table lacks.
    added: Arc<[Field]>,
    /// The wildcard that matched the table; None if the query names the table.
    wildcard: Option<Arc<Wildcard>>,
    /// A sample of the Ids in the rows that scans returned, to find files that overlap.
    ids: Arc<IdSketch>,
    /// Two files that contain the same record; set once they were searched for.
    overlap: Arc<OnceLock<Option<Overlap>>>,
}

impl FileTable {
    /// Creates the table `name`, whose rows are the records of `files` that `selection` selects.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        files: Arc<[DataFile]>,
        selection: RecordSelection,
        limits: ReadLimits,
    ) -> Self {
        let origins = ProvenanceColumns::none(selection.schema());
        let dates = Arc::new(FileDates::new(Arc::clone(&files), selection.clone(), limits));
        Self {
            name: name.into(),
            files,
            origins,
            selection,
            limits,
            dates,
            notes: Arc::default(),
            added: Arc::default(),
            wildcard: None,
            ids: Arc::default(),
            overlap: Arc::default(),
        }
    }

    /// Returns the table with `notes` about the listing of its files, which every scan reports.
    #[must_use]
    pub fn with_notes(self, notes: Arc<[DiscoveryNote]>) -> Self {
        Self { notes, ..self }
    }
}

impl TableProvider for FileTable {
    fn schema(&self) -> &Schema {
        &self.origins.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let ids = (self.files.len() > 1).then_some(&self.ids);
        let parts = self.parts(wants_places(&self.origins, request), request)?;
        let texts = parts.iter().filter(|part| matches!(part, PlannedPartition::Text(_))).count();
        let may_be_text = |slice: &FileSlice| !self.files[slice.file].is_known_as_columnar();
        let has_text = parts.iter().any(|part| match part {
            PlannedPartition::Text(slices) => slices.iter().any(may_be_text),
            PlannedPartition::Columns(_) => false,
        });
        let (selection, dates) = (self.selection.clone(), Arc::clone(&self.dates));
        let plan = Arc::new(ScanPlan::new(selection, &self.origins, request, dates, ids, has_text));
        self.notes.iter().for_each(|note| request.report.discovered(note));
        for Field { name, ty } in &*self.added {
            let (table, column) = (self.name.clone(), name.clone());
            request.report.note_once(ColumnNote::ColumnAdded { table, column, ty: *ty });
        }
        let scan = Arc::new(SharedScan {
            name: self.name.clone(),
            wildcard: self.wildcard.clone(),
            files: Arc::clone(&self.files),
            origins: self.origins.clone(),
            limits: self.limits,
            unread: AtomicUsize::new(texts),
            records: self.files.iter().map(|_| AtomicU64::new(0)).collect(),
            foreign: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            first_refused: Mutex::new(None),
            left: Arc::new(CompletionTracker::new(&self.files, &request.counters, &request.report)),
            events: Arc::new(ScanEvents::new(&plan, &request.report)),
            plan,
            request: request.clone(),
        });
        let mut partitions: Vec<Arc<dyn Partition>> = Vec::new();
        for part in parts {
            match part {
                PlannedPartition::Text(slices) => {
                    slices.iter().for_each(|slice| scan.left.expect(slice.file));
                    partitions.push(Arc::new(FilePartition { scan: Arc::clone(&scan), slices }));
                }
                PlannedPartition::Columns(index) => {
                    partitions.extend(scan.left.track(index, self.files[index].bytes, scan.columns(index)?));
                }
            }
        }
        if scan.unread.load(Ordering::Acquire) == 0 && scan.foreign.load(Ordering::Acquire) > 0 {
            scan.check_any_read()?;
            scan.report_tables();
        }
        Ok(partitions)
    }

    fn describe(&self) -> String {
        let (files, bytes) = self.extent();
        format!("{files} files ({bytes} bytes)")
    }

    fn extent(&self) -> (u64, u64) {
        let bytes = self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
        (self.files.len() as u64, bytes)
    }

    fn is_columnar(&self) -> bool {
        self.files.iter().all(|file| matches!(file.format(), Ok(FileFormat::Parquet)))
    }

    fn describe_pruning(&self, prune: &[Predicate]) -> Option<String> {
        let mut columns: Vec<&str> = Vec::new();
        let mut count = 0;
        for (index, file) in self.files.iter().enumerate().filter(|_| !prune.is_empty()) {
            // Problems of a file are reported by the scan.
            let Ok(FileFormat::Parquet) = file.format() else { continue };
            let Ok(opened) = ParquetFile::of(file) else { continue };
            // Statistics of replaced columns cannot be used for pruning.
            if ReplacedColumns::of(&opened.columns(), &self.origins).is_some() {
                continue;
            }
            let rows = FileInTable::new(self.origins.clone(), index);
            let Some(by) = opened.ruled_out_by(&rows, prune) else { continue };
            count += 1;
            let names = by.iter().flat_map(|&at| prune[at].columns()).map(|at| self.schema().field(at).name.as_str());
            columns.extend(names);
        }
        columns.sort_unstable();
        columns.dedup();
        let files = self.files.len();
        (count > 0).then(|| format!("{count} of {files} files skipped: {}", columns.join(", ")))
    }

    fn with_columns(&self, names: &BTreeSet<String>, exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.extended(names, exist)?.map(|table| Arc::new(table) as _))
    }

    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        let origins = ProvenanceColumns::all(self.selection.schema());
        Some(Arc::new(Self { origins, ..self.clone() }))
    }

    fn overlap(&self) -> Option<Overlap> {
        let one =
            |file: &DataFile| Self::new(&self.name, Arc::new([file.clone()]), self.selection.clone(), self.limits);
        let elsewhere = || self.overlap.get_or_init(|| overlap::find(&self.files, &self.ids, self.limits, one)).clone();
        let unknown = || overlap::of_unknown(&self.files, &self.ids);
        overlap::among_rows(&self.files, &self.ids).or_else(elsewhere).or_else(unknown)
    }

    fn is_of_wildcard(&self) -> bool {
        self.wildcard.is_some()
    }

    fn matched_by_wildcard(&self, wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        Some(Arc::new(Self { wildcard: Some(Arc::clone(wildcard)), ..self.clone() }))
    }
}
