//! A table over many files of any format.
//!
//! Partitions follow the order of the files. Many small files share a partition, so that thousands of them cost little
//! more than their bytes; a big file of lines is cut between records, so that several threads read it.

mod beyond;
mod dates;
mod parts;
mod reading;
mod scan;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use self::dates::FileDates;
use self::parts::Part;
use self::reading::FilePartition;
use self::scan::Scan;
use super::originals::Originals;
use super::overlap;
use crate::diagnostic::Result;
use crate::entra::numeric_dates::DateOrders;
use crate::parquet::{FileRows, ParquetFile};
use crate::scan::Overlap;
use crate::scan::completion::CompletionTracker;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{Partition, Predicate, ScanRequest, TableProvider, Wildcard};
use crate::source::text::{Rows, ScanPlan};
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;
use crate::storage::listing::DiscoveryNote;
use crate::types::{Field, Schema};

/// The rows of a table in files.
#[derive(Clone, Debug)]
pub struct FileTable {
    name: String,
    files: Arc<[DataFile]>,
    rows: Rows,
    origins: ProvenanceColumns,
    limits: ReadLimits,
    /// The order of dates in numbers, by file.
    dates: Arc<dyn DateOrders>,
    /// What there was to say when the files were listed.
    notes: Arc<[DiscoveryNote]>,
    /// Columns of its records that the known table does not have.
    added: Arc<[Field]>,
    /// The wildcard that stands for it, if it was not asked for by its name.
    wildcard: Option<Arc<Wildcard>>,
    /// Two files with the same record, once they were looked for.
    overlap: Arc<OnceLock<Option<Overlap>>>,
}

impl FileTable {
    /// The table `name`, whose rows are those of `files` that `rows` names.
    #[must_use]
    pub fn new(name: impl Into<String>, files: Arc<[DataFile]>, rows: Rows, limits: ReadLimits) -> Self {
        let origins = ProvenanceColumns::none(rows.schema());
        let dates = Arc::new(FileDates::new(Arc::clone(&files), rows.clone(), limits));
        Self {
            name: name.into(),
            files,
            origins,
            rows,
            limits,
            dates,
            notes: Arc::default(),
            added: Arc::default(),
            wildcard: None,
            overlap: Arc::default(),
        }
    }

    /// The same table, with this to say in every scan.
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
        let plan = Arc::new(ScanPlan::new(self.rows.clone(), &self.origins, request, Arc::clone(&self.dates)));
        let parts = self.parts(plan.wants_lines, request)?;
        self.notes.iter().for_each(|note| request.report.discovered(note));
        for Field { name, ty } in &*self.added {
            request.report.notice_once(format!(
                "{} has no column {name}; it is read from the key of that name, as {ty}",
                self.name
            ));
        }
        let scan = Arc::new(Scan {
            name: self.name.clone(),
            wildcard: self.wildcard.clone(),
            files: Arc::clone(&self.files),
            origins: self.origins.clone(),
            limits: self.limits,
            unread: AtomicUsize::new(parts.iter().filter(|part| matches!(part, Part::Text(_))).count()),
            records: self.files.iter().map(|_| AtomicU64::new(0)).collect(),
            foreign: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            first_refused: Mutex::new(None),
            left: Arc::new(CompletionTracker::new(&self.files, &request.counters, &request.report)),
            plan,
            request: request.clone(),
        });
        let mut partitions: Vec<Arc<dyn Partition>> = Vec::new();
        for part in parts {
            match part {
                Part::Text(pieces) => {
                    pieces.iter().for_each(|piece| scan.left.expect(piece.file));
                    partitions.push(Arc::new(FilePartition { scan: Arc::clone(&scan), pieces }));
                }
                Part::Columns(index) => {
                    scan.foreign.fetch_add(1, Ordering::Relaxed);
                    partitions.extend(scan.left.watch(index, self.files[index].bytes, scan.columns(index)?));
                }
            }
        }
        if scan.unread.load(Ordering::Acquire) == 0 && scan.foreign.load(Ordering::Acquire) > 0 {
            scan.check_any_read()?;
            scan.say_tables();
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

    fn left_out(&self, prune: &[Predicate]) -> Option<String> {
        let mut columns: Vec<&str> = Vec::new();
        let mut count = 0;
        for (index, file) in self.files.iter().enumerate().filter(|_| !prune.is_empty()) {
            // What is wrong with a file, the scan will say.
            let Ok(FileFormat::Parquet) = file.format() else { continue };
            let Ok(opened) = ParquetFile::of(file) else { continue };
            // Statistics of columns that are replaced rule nothing out.
            if Originals::of(&opened.columns(), &self.origins).is_some() {
                continue;
            }
            let rows = FileRows { origins: self.origins.clone(), index };
            let Some(by) = opened.ruled_out_by(&rows, prune) else { continue };
            count += 1;
            let names = by.iter().flat_map(|&at| prune[at].columns()).map(|at| self.schema().field(at).name.as_str());
            columns.extend(names);
        }
        columns.sort_unstable();
        columns.dedup();
        let files = self.files.len();
        (count > 0).then(|| format!("{count} of {files} files left out: {}", columns.join(", ")))
    }

    fn with_columns(&self, names: &BTreeSet<String>, exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.extended(names, exist)?.map(|table| Arc::new(table) as _))
    }

    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        let origins = ProvenanceColumns::all(self.rows.schema());
        Some(Arc::new(Self { origins, ..self.clone() }))
    }

    fn overlap(&self) -> Option<Overlap> {
        let one = |file: &DataFile| Self::new(&self.name, Arc::new([file.clone()]), self.rows.clone(), self.limits);
        self.overlap.get_or_init(|| overlap::find(&self.files, self.limits, one)).clone()
    }

    fn matched_by_wildcard(&self, wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        Some(Arc::new(Self { wildcard: Some(Arc::clone(wildcard)), ..self.clone() }))
    }
}
