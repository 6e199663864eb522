//! Numbers of rows by the minute.

use std::collections::HashMap;

/// The length of a bin in ticks: a minute.
const MINUTE: i64 = 600_000_000;
/// The maximum number of bins: four years of minutes, each with rows. Beyond it, bins become twice as long.
const MAX_BINS: usize = 1 << 21;

/// Counts rows by their time.
#[derive(Debug)]
pub struct TimeCounts {
    /// The length of a bin in ticks.
    length: i64,
    /// The numbers of rows by the number of the bin.
    bins: HashMap<i64, u64>,
    /// The bin that was counted last, and what is to be added to it.
    last: (i64, u64),
    /// The number of rows, also of those without a time.
    rows: u64,
}

impl Default for TimeCounts {
    fn default() -> Self {
        Self { length: MINUTE, bins: HashMap::new(), last: (0, 0), rows: 0 }
    }
}

impl TimeCounts {
    /// Counts a row.
    pub fn add(&mut self, time: Option<i64>) {
        self.rows += 1;
        let Some(time) = time else { return };
        let bin = time.div_euclid(self.length);
        // Rows that lie side by side often have times that do so, too.
        if bin == self.last.0 {
            self.last.1 += 1;
            return;
        }
        self.flush();
        self.last = (time.div_euclid(self.length), 1);
    }

    /// The number of rows, also of those without a time.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the counts for windows of time.
    #[must_use]
    pub fn finish(mut self) -> WindowCounts {
        self.flush();
        let mut bins: Vec<(i64, u64)> = self.bins.into_iter().collect();
        bins.sort_unstable();
        let mut sum = 0;
        for (_, rows) in &mut bins {
            sum += *rows;
            *rows = sum;
        }
        WindowCounts { length: self.length, sums: bins }
    }

    fn flush(&mut self) {
        let (bin, rows) = std::mem::take(&mut self.last);
        if rows > 0 {
            *self.bins.entry(bin).or_default() += rows;
        }
        if self.bins.len() > MAX_BINS {
            self.length = self.length.saturating_mul(2);
            let mut merged = HashMap::new();
            for (bin, rows) in self.bins.drain() {
                *merged.entry(bin.div_euclid(2)).or_default() += rows;
            }
            self.bins = merged;
        }
    }
}

/// The numbers of rows in windows of time, to the minute: a row counts in as many windows side by side as cover it.
#[derive(Debug)]
pub struct WindowCounts {
    length: i64,
    /// For each bin with rows, its number and the number of rows in it and before.
    sums: Vec<(i64, u64)>,
}

impl WindowCounts {
    /// The number of rows from `from` until before `to`, both rounded down to the minute.
    #[must_use]
    pub fn within(&self, [from, to]: [i64; 2]) -> u64 {
        self.before(to).saturating_sub(self.before(from))
    }

    fn before(&self, time: i64) -> u64 {
        let bin = time.div_euclid(self.length);
        let end = self.sums.partition_point(|(number, _)| *number < bin);
        end.checked_sub(1).map_or(0, |last| self.sums[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_count_rows_to_the_minute() {
        let mut counts = TimeCounts::default();
        for seconds in [0, 1, 59, 60, -1, 61, 3600, 3600, 30] {
            counts.add(Some(seconds * MINUTE / 60));
        }
        counts.add(None);
        assert_eq!(counts.rows(), 10);
        let counts = counts.finish();
        let within = |from: i64, to: i64| counts.within([from * MINUTE, to * MINUTE]);
        assert_eq!([within(-1, 0), within(0, 1), within(1, 2), within(2, 60), within(60, 61)], [1, 4, 2, 0, 2]);
        assert_eq!(within(-100, 100), 9);
        assert_eq!(counts.within([i64::MIN, i64::MAX]), 9);
        assert_eq!(within(5, 1), 0);
    }

    #[test]
    fn too_many_minutes_become_longer() {
        let mut counts = TimeCounts::default();
        let most = i64::try_from(MAX_BINS).expect("a small number") + 10;
        (0..most).for_each(|minute| counts.add(Some(minute * MINUTE)));
        let counts = counts.finish();
        assert_eq!(counts.length, 2 * MINUTE);
        assert_eq!(counts.within([0, i64::MAX]), most.unsigned_abs());
        assert_eq!(counts.within([10 * MINUTE, 20 * MINUTE]), 10);
    }
}
