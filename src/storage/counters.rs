//! How much a scan read and what it left out, in numbers: counted a block, batch or file at a time, never a row.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanCount {
    /// Files that all scans of a run are going to list; counted for runs only.
    FilesExpected,
    /// Their bytes.
    BytesExpected,
    /// Files that the table has.
    FilesListed,
    /// Files opened for their rows.
    Files,
    /// Files that were not read, because their statistics rule every row out.
    FilesPruned,
    /// Those of them that are ruled out by their times alone.
    FilesPrunedByTime,
    /// Parquet files that were not read, because they hold rows of other tables only.
    FilesOfOtherTables,
    /// Files that are done with, read or not.
    FilesDone,
    /// Bytes read, as they lie in files; of Parquet the share of the wanted rows in the wanted columns.
    Bytes,
    /// Bytes of files, or of parts of them, that are done with, read or not.
    BytesDone,
    /// Rows decoded, in full or as far as the filter needs them.
    Rows,
    /// JSON records that were skipped unparsed, because they cannot match.
    RecordsSkipped,
    /// Parquet row groups that were read.
    RowGroups,
    /// Parquet row groups of files that were read, which were not, because they cannot match.
    RowGroupsPruned,
    /// Rows of Parquet pages that were not read, because their statistics rule every row out.
    PageRowsPruned,
}

/// How many counts there are.
const COUNTS: usize = ScanCount::PageRowsPruned as usize + 1;

/// The counts of one scan, or of all scans of a run.
#[derive(Debug, Default)]
pub struct ScanCounters {
    counts: [AtomicU64; COUNTS],
    /// Where a scan counts besides.
    run: Option<Arc<Self>>,
}

impl ScanCounters {
    /// The counters of one scan of a run: what is added here is added there.
    #[must_use]
    pub fn of_run(run: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { run: Some(Arc::clone(run)), ..Self::default() })
    }

    /// Adds to a count.
    pub fn add(&self, count: ScanCount, amount: u64) {
        self.counts[count as usize].fetch_add(amount, Ordering::Relaxed);
        if let Some(run) = &self.run {
            run.add(count, amount);
        }
    }

    /// Takes back what was added for nothing.
    pub fn take_back(&self, count: ScanCount, amount: u64) {
        self.counts[count as usize].fetch_sub(amount, Ordering::Relaxed);
        if let Some(run) = &self.run {
            run.take_back(count, amount);
        }
    }

    /// A count so far.
    #[must_use]
    pub fn get(&self, count: ScanCount) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }
}

/// Counts the bytes of a file as they are read from the first to the last.
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
