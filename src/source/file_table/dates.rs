//! Determines whether numeric dates such as 03/04/2026 put the day or the month first, for each file of a table. A
//! file is read completely before the first such date of it is interpreted.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::FileTable;
use crate::diagnostic::Result;
use crate::entra::numeric_dates::{
    DateOrderEvidence, DateOrderVerdict, DateOrders, DateStyle, FileDateEvidence, NumericDate,
};
use crate::records;
use crate::records::Opened;
use crate::scan::{ScanColumn, ScanReport, ScanRequest, TableProvider};
use crate::source::column_file::ColumnFile;
use crate::source::text::RecordSelection;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::types::{Type, dynamic};

/// Maximum number of other files that are examined if the dates of a file do not prove their order.
const MAX_OTHERS: usize = 2_000;

/// Maximum length of the first record of a file, in bytes. Files are alike if their first records have the same
/// keys.
const MAX_FIRST_RECORD: u64 = 1 << 20;

/// The order of numeric dates in the files of a table, determined on first use.
#[derive(Debug)]
pub(super) struct FileDates {
    pub(super) files: Arc<[DataFile]>,
    pub(super) selection: RecordSelection,
    limits: ReadLimits,
    verdicts: Vec<OnceLock<[DateOrderVerdict; DateStyle::COUNT]>>,
    evidence: Vec<OnceLock<FileDateEvidence>>,
    /// The merged evidence of all files with the same keys.
    alike: Mutex<BTreeMap<String, FileDateEvidence>>,
}

impl FileDates {
    /// Creates the state without reading a file.
    pub(super) fn new(files: Arc<[DataFile]>, selection: RecordSelection, limits: ReadLimits) -> Self {
        let verdicts = files.iter().map(|_| OnceLock::new()).collect();
        let evidence = files.iter().map(|_| OnceLock::new()).collect();
        Self { files, selection, limits, verdicts, evidence, alike: Mutex::default() }
    }

    /// Returns the order for each style of dates in a file, proven by its own dates, or else by those of files
    /// that are alike.
    fn verdicts(&self, file: usize) -> [DateOrderVerdict; DateStyle::COUNT] {
        let own = self.evidence(file).map(DateOrderEvidence::verdict);
        // American dates are never ambiguous.
        let is_certain = |(style, verdict): (usize, &DateOrderVerdict)| {
            *verdict != DateOrderVerdict::Unknown || style == DateStyle::American as usize
        };
        if own.iter().enumerate().all(is_certain) {
            return own;
        }
        let others = self.evidence_alike(file).map(DateOrderEvidence::verdict);
        let mut both = own.into_iter().zip(others);
        std::array::from_fn(|_| match both.next() {
            Some((DateOrderVerdict::Unknown, DateOrderVerdict::Proven(order))) => DateOrderVerdict::Proven(order),
            Some((own, _)) => own,
            None => DateOrderVerdict::Unknown,
        })
    }

    /// Returns what the dates of a file prove. Errors are ignored here; the scan reports them when it reads the
    /// file.
    fn evidence(&self, file: usize) -> FileDateEvidence {
        *self.evidence[file].get_or_init(|| {
            let collector = Arc::new(DateCollector::default());
            let _ = self.collect(file, &collector);
            *collector.0.lock().unwrap_or_else(PoisonError::into_inner)
        })
    }

    /// Reads all dates of a file, so that `collector` sees them.
    fn collect(&self, file: usize, collector: &Arc<DateCollector>) -> Result<()> {
        let files = [self.files[file].clone()].into();
        let table = FileTable::new("", files, self.selection.clone(), self.limits);
        let table = FileTable { dates: Arc::clone(collector) as Arc<dyn DateOrders>, ..table };
        let fields = table.schema().fields().iter().enumerate();
        let columns =
            fields.filter(|(_, field)| field.ty == Type::Datetime).map(|(index, _)| ScanColumn::Column(index));
        let request = ScanRequest {
            columns: columns.collect(),
            prune: Vec::new(),
            filter: None,
            limit: None,
            batch_rows: 4_096,
            memory: crate::scan::ScanMemory::default(),
            sizes: crate::scan::ScanSizes::default(),
            stated: None,
            named_columns: Arc::default(),
            report: Arc::default(),
            counters: Arc::default(),
        };
        for partition in table.scan(&request)? {
            for batch in partition.read()? {
                batch?;
            }
        }
        Ok(())
    }

    /// Returns the merged evidence of the files that are alike: they have the same extension, and their first
    /// records have the same keys.
    fn evidence_alike(&self, file: usize) -> FileDateEvidence {
        let Some(keys) = self.first_keys(file) else { return FileDateEvidence::default() };
        let known = |alike: &BTreeMap<String, FileDateEvidence>| alike.get(&keys).copied();
        if let Some(known) = known(&self.alike.lock().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let ending = |file: usize| self.files[file].ending();
        let others = (0..self.files.len()).filter(|other| *other != file && ending(*other) == ending(file));
        let mut all = FileDateEvidence::default();
        for other in others.take(MAX_OTHERS).filter(|other| self.first_keys(*other).as_ref() == Some(&keys)) {
            all.iter_mut().zip(self.evidence(other)).for_each(|(all, own)| all.merge(own));
        }
        all.iter_mut().zip(self.evidence(file)).for_each(|(all, own)| all.merge(own));
        self.alike.lock().unwrap_or_else(PoisonError::into_inner).insert(keys, all);
        all
    }

    /// Returns the keys of the first record of a JSON Lines or CSV file, or the columns of a columnar file; None
    /// for other files.
    fn first_keys(&self, file: usize) -> Option<String> {
        let file = &self.files[file];
        let unused_report = Arc::new(ScanReport::default());
        let input = file.open().ok()?;
        let text = match records::open(file, input, Vec::new(), self.limits, &unused_report).ok()? {
            Opened::Text(text) => text,
            Opened::Columns => {
                let columns = ColumnFile::of(file, self.limits).ok()?.columns();
                return Some(columns.names().collect::<Vec<_>>().join("\n"));
            }
            Opened::Refused(_) => return None,
        };
        let mut line = String::new();
        BufReader::new(text.input.take(MAX_FIRST_RECORD)).read_line(&mut line).ok()?;
        let record = records::without_byte_order_mark(line.as_bytes()).trim_ascii();
        let record = std::str::from_utf8(record).ok().filter(|record| dynamic::validate(record.as_bytes()).is_ok())?;
        let keys: Vec<String> = dynamic::entries(record).map(|entry| entry.key.text().into_owned()).collect();
        Some(keys.join("\n")).filter(|keys| !keys.is_empty())
    }
}

impl DateOrders for FileDates {
    fn verdict(&self, file: usize, date: &NumericDate) -> DateOrderVerdict {
        match self.files.get(file).map(|file| file.text_settings().date_order) {
            Some(Some(order)) => DateOrderVerdict::Asked(order),
            Some(None) => self.verdicts[file].get_or_init(|| self.verdicts(file))[date.style as usize],
            None => DateOrderVerdict::Unknown,
        }
    }
}

/// Collects the evidence in the dates of one file while it is read.
#[derive(Debug, Default)]
struct DateCollector(Mutex<FileDateEvidence>);

impl DateOrders for DateCollector {
    fn verdict(&self, _: usize, date: &NumericDate) -> DateOrderVerdict {
        let mut evidence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        evidence[date.style as usize].add(date);
        DateOrderVerdict::Unknown
    }
}
