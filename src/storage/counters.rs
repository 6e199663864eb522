//! Counters of the files, bytes and records that a scan reads and skips. They are updated once for each block, batch
//! or file, never for each row.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanCount {
    /// Files that all scans of a run will list. Only the counters of a run have this count.
    FilesExpected,
    /// Bytes of the expected files. Only the counters of a run have this count.
    BytesExpected,
    /// Files that were listed for the table.
    FilesListed,
    /// Files that were opened to read rows.
    Files,
    /// Files that were skipped because their statistics exclude every row.
    FilesPruned,
    /// Files among the skipped ones that the statistics of datetime columns alone exclude.
    FilesPrunedByTime,
    /// Files that were skipped because they only have rows of other tables, or because this program wrote them.
    FilesOfOtherTables,
    /// Files that were read to their end or skipped.
    FilesDone,
    /// Bytes that were read, before decompression. For Parquet, this is the size of the selected columns times the
    /// fraction of selected rows.
    Bytes,
    /// Bytes of files, or parts of files, that were read to their end or skipped.
    BytesDone,
    /// Rows of which at least the columns of the filter were decoded.
    Rows,
    /// JSON records that the prefilter skipped, so that they were not parsed.
    RecordsSkipped,
    /// Parquet row groups that were read.
    RowGroups,
    /// Parquet row groups that were skipped in files that were read.
    RowGroupsPruned,
    /// Rows of Parquet pages that the page index excluded.
    PageRowsPruned,
}

impl ScanCount {
    /// All counters.
    pub const ALL: [Self; COUNTS] = [
        Self::FilesExpected,
        Self::BytesExpected,
        Self::FilesListed,
        Self::Files,
        Self::FilesPruned,
        Self::FilesPrunedByTime,
        Self::FilesOfOtherTables,
        Self::FilesDone,
        Self::Bytes,
        Self::BytesDone,
        Self::Rows,
        Self::RecordsSkipped,
        Self::RowGroups,
        Self::RowGroupsPruned,
        Self::PageRowsPruned,
    ];
}

/// Number of counters.
const COUNTS: usize = ScanCount::PageRowsPruned as usize + 1;

/// The counters of one scan, or of all scans of a run.
#[derive(Debug, Default)]
pub struct ScanCounters {
    counts: [AtomicU64; COUNTS],
    /// The counters of the run, to which everything is added, too; None for the counters of a run themselves.
    run: Option<Arc<Self>>,
}

impl ScanCounters {
    /// Creates the counters of one scan. Everything that is added to them is added to those of `run`, too.
    #[must_use]
    pub fn of_run(run: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { run: Some(Arc::clone(run)), ..Self::default() })
    }

    /// Adds `amount` to a counter.
    pub fn add(&self, count: ScanCount, amount: u64) {
        self.counts[count as usize].fetch_add(amount, Ordering::Relaxed);
        if let Some(run) = &self.run {
            run.add(count, amount);
        }
    }

    /// Subtracts `amount`, which was added before something that then did not happen.
    pub fn take_back(&self, count: ScanCount, amount: u64) {
        self.counts[count as usize].fetch_sub(amount, Ordering::Relaxed);
        if let Some(run) = &self.run {
            run.take_back(count, amount);
        }
    }

    /// Returns the current value of a counter.
    #[must_use]
    pub fn get(&self, count: ScanCount) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }
}

/// A reader that counts the bytes that it reads from `input`.
pub(crate) struct CountedReader<R> {
    pub input: R,
    pub counters: Arc<ScanCounters>,
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.counters.add(ScanCount::Bytes, read as u64);
        self.counters.add(ScanCount::BytesDone, read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_counts_for_its_run() {
        let run = Arc::new(ScanCounters::default());
        let (one, other) = (ScanCounters::of_run(&run), ScanCounters::of_run(&run));
        one.add(ScanCount::Rows, 2);
        other.add(ScanCount::Rows, 3);
        other.add(ScanCount::PageRowsPruned, 1);
        let input = CountedReader { input: &b"abc"[..], counters: Arc::clone(&one) };
        assert_eq!(io::read_to_string(input).expect("text"), "abc");
        let counts = |counters: &ScanCounters| {
            [ScanCount::Rows, ScanCount::Bytes, ScanCount::BytesDone, ScanCount::PageRowsPruned]
                .map(|count| counters.get(count))
        };
        assert_eq!([counts(&one), counts(&other), counts(&run)], [[2, 3, 3, 0], [3, 0, 0, 1], [5, 3, 3, 1]]);
    }
}
