//! Divides the rows of a table into chunks, so that any part can be generated without the rest.

use std::ops::Range;

use super::SynthOptions;
use super::calendar::Rhythm;
use super::random::{Purpose, Random};

/// The number of rows in a chunk, not counting those that are due at fixed times.
pub const CHUNK: u64 = 128;

/// The rows of a table over time. A chunk consists of [`CHUNK`] rows that follow each other in time, and has its own
/// random stream.
pub struct Timeline {
    /// The distribution of the rows over time.
    pub rhythm: Rhythm,
    /// The number of rows, at least 1.
    pub rows: u64,
    seed: u64,
    purpose: Purpose,
}

impl Timeline {
    /// Divides `rows` rows, which are distributed by `rhythm`. `purpose` gives each table of a seed its own random
    /// streams.
    pub fn new(rhythm: Rhythm, rows: u64, seed: u64, purpose: Purpose) -> Self {
        Self { rhythm, rows, seed, purpose }
    }

    /// Divides all rows that `options` ask for, without a noisy hour.
    pub fn of_table(options: &SynthOptions, purpose: Purpose) -> Self {
        Self::new(Rhythm::new(options.rows, options.days, None), options.rows, options.seed, purpose)
    }

    /// Draws the rows of chunk `index` in order. `draw` gets the random stream, and the time at which a row arrives.
    pub fn draw<R>(&self, index: u64, mut draw: impl FnMut(&mut Random, i64) -> R) -> Vec<R> {
        let mut random = self.random(index);
        self.rows_of(index)
            .map(|row| {
                let arrival = self.time_of(row, &mut random);
                draw(&mut random, arrival)
            })
            .collect()
    }

    /// Returns the number of chunks.
    pub fn chunks(&self) -> u64 {
        self.rows.div_ceil(CHUNK)
    }

    /// Returns the chunks that may contain rows of hour `hour`.
    pub fn chunks_near_hour(&self, hour: usize) -> Range<u64> {
        let rows = self.rhythm.rows_near_hour(hour);
        rows.start / CHUNK..rows.end.div_ceil(CHUNK)
    }

    /// Returns the rows of chunk `index`.
    pub fn rows_of(&self, index: u64) -> Range<u64> {
        index * CHUNK..((index + 1) * CHUNK).min(self.rows)
    }

    /// Returns the span of time of chunk `index`; it begins where that of the previous chunk ends.
    pub fn span(&self, index: u64) -> Range<i64> {
        let rows = self.rows_of(index);
        self.begin_of(rows.start)..self.begin_of(rows.end)
    }

    /// Returns the random stream of chunk `index`.
    pub fn random(&self, index: u64) -> Random {
        Random::new(self.seed, self.purpose, index)
    }

    /// Draws the time of row `row`, within the share of the axis that belongs to it.
    pub fn time_of(&self, row: u64, random: &mut Random) -> i64 {
        let begin = self.rhythm.position(row);
        self.rhythm.time_at(begin + random.below(self.rhythm.position(row + 1) - begin))
    }

    fn begin_of(&self, row: u64) -> i64 {
        self.rhythm.time_at(self.rhythm.position(row))
    }
}
