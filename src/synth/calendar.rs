//! When sign-ins happen: the rhythm of working days. Also writes times in the forms that logs have.
//!
//! Times are microseconds since 1970-01-01T00:00:00Z. This is the finest unit that every export shape can hold, so a
//! row has the same time in all of them.

use crate::types::datetime::{self, UnixUnit};

/// Number of microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Number of microseconds in five minutes, the period of one data export file.
pub const SLOT: i64 = 300 * SECOND;
/// Number of microseconds in an hour.
pub const HOUR: i64 = 3600 * SECOND;
/// Number of microseconds in a day.
pub const DAY: i64 = 24 * HOUR;
/// The first TimeGenerated of every archive, Monday 2026-03-02T00:00:00Z. It is fixed, so that no archive depends on a
/// clock.
pub const START: i64 = 20_514 * DAY;

/// The relative number of sign-ins in each hour of a working day in UTC. Nights are quiet, but never empty.
const HOURS: [u64; 24] = [3, 2, 2, 2, 3, 6, 14, 30, 44, 46, 42, 37, 30, 37, 42, 40, 34, 25, 18, 13, 10, 8, 6, 4];
/// The noisy hour has this many times as many sign-ins as usual.
const NOISE: u64 = 6;
const SLOTS_OF_HOUR: u64 = 12;
const SLOTS_OF_DAY: u64 = 24 * SLOTS_OF_HOUR;
/// The number of fractional bits of a position on the axis of weights; see [`Rhythm`].
const POINT: u32 = 32;

/// The distribution of rows over the days. Each slot of five minutes has a weight; the weights of all slots, one after
/// the other, form an axis on which the rows are spaced evenly.
pub struct Rhythm {
    /// For each slot, the sum of the weights before it; at the end the sum of all weights.
    before: Vec<u64>,
    rows: u64,
}

impl Rhythm {
    /// Distributes `rows` rows over `days` days from [`START`] on. The hour `noisy`, counted from there, has more rows
    /// than others.
    pub fn new(rows: u64, days: u32, noisy: Option<u64>) -> Self {
        let slots = u64::from(days) * SLOTS_OF_DAY;
        let mut total = 0;
        let mut before = vec![0];
        for slot in 0..slots {
            total += weight(slot) * if noisy == Some(slot / SLOTS_OF_HOUR) { NOISE } else { 1 };
            before.push(total);
        }
        Self { before, rows }
    }

    /// Returns the position on the axis at which row `row` begins; all rows have equal shares of the axis.
    pub fn position(&self, row: u64) -> u64 {
        (u128::from(row) * self.axis() / u128::from(self.rows)) as u64
    }

    /// Returns the time at a position on the axis.
    pub fn time_at(&self, position: u64) -> i64 {
        let slot = self.before.partition_point(|before| before << POINT <= position).max(1) - 1;
        let Some([before, after]) = self.before.get(slot..slot + 2) else {
            return START + slot as i64 * SLOT;
        };
        let into = u128::from(position - (before << POINT)) * SLOT as u128 / (u128::from(after - before) << POINT);
        START + slot as i64 * SLOT + into as i64
    }

    /// Returns the rows that may fall into hour `hour`: all that do, and possibly one more at either end.
    pub fn rows_near_hour(&self, hour: usize) -> std::ops::Range<u64> {
        let row_at = |slot: usize| {
            let position = u128::from(self.before.get(slot).copied().unwrap_or(u64::MAX >> POINT)) << POINT;
            (position * u128::from(self.rows) / self.axis()) as u64
        };
        let slot = hour * SLOTS_OF_HOUR as usize;
        row_at(slot).saturating_sub(1)..row_at(slot + SLOTS_OF_HOUR as usize).saturating_add(1).min(self.rows)
    }

    fn axis(&self) -> u128 {
        u128::from(self.before.last().copied().unwrap_or(0)) << POINT
    }
}

/// Returns the weight of a slot. It is interpolated between hours, and less than half as large on Saturdays and
/// Sundays.
fn weight(slot: u64) -> u64 {
    let (day, slot) = (slot / SLOTS_OF_DAY, slot % SLOTS_OF_DAY);
    let (hour, step) = ((slot / SLOTS_OF_HOUR) as usize, slot % SLOTS_OF_HOUR);
    let line = HOURS[hour] * (SLOTS_OF_HOUR - step) + HOURS[(hour + 1) % 24] * step;
    if day % 7 < 5 { line * 5 } else { line * 2 }
}

/// Converts a time to ticks, the unit of datetimes.
pub fn ticks(micros: i64) -> i64 {
    datetime::from_unix(micros, UnixUnit::Microseconds).unwrap_or(datetime::UNIX_EPOCH)
}

/// Writes a time as the envelope and data export have it, with seven digits and Z: `2026-03-02T09:07:43.5000000Z`.
pub fn write_fixed(out: &mut Vec<u8>, micros: i64) {
    out.extend_from_slice(&datetime::to_bytes(ticks(micros)));
}

/// Writes a time as `createdDateTime` has it, without trailing zeros: `2026-03-02T09:05:11.25+00:00`.
pub fn write_trimmed(out: &mut Vec<u8>, micros: i64) {
    write_fixed(out, micros);
    out.pop();
    while out.last() == Some(&b'0') {
        out.pop();
    }
    if out.last() == Some(&b'.') {
        out.pop();
    }
    out.extend_from_slice(b"+00:00");
}

#[cfg(test)]
mod tests {
    use super::{HOUR, Rhythm, SLOT, START, write_fixed, write_trimmed};

    fn text(write: fn(&mut Vec<u8>, i64), micros: i64) -> String {
        let mut out = Vec::new();
        write(&mut out, micros);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn spellings_of_a_time() {
        assert_eq!(text(write_fixed, START + 1), "2026-03-02T00:00:00.0000010Z");
        assert_eq!(text(write_trimmed, START + 250_000), "2026-03-02T00:00:00.25+00:00");
        assert_eq!(text(write_trimmed, START + 9 * HOUR), "2026-03-02T09:00:00+00:00");
    }

    #[test]
    fn rows_spread_over_all_days_in_order() {
        let rhythm = Rhythm::new(10_000, 14, None);
        let times: Vec<i64> = (0..=10_000).map(|row| rhythm.time_at(rhythm.position(row))).collect();
        assert!(times.is_sorted());
        assert_eq!((times[0], times[10_000]), (START, START + 14 * 24 * HOUR));
        let on_day = |day: i64| times.iter().filter(|time| (**time - START) / (24 * HOUR) == day).count();
        assert!((on_day(0)..=on_day(0) + 1).contains(&on_day(7)));
        assert!((on_day(0) * 2 / 5).abs_diff(on_day(6)) <= 1, "fewer on a Sunday");
        let nights = times.iter().filter(|time| (1..5).contains(&(**time / HOUR % 24))).count();
        assert!((100..300).contains(&nights), "{nights} in four hours of the night");
    }

    #[test]
    fn one_hour_may_be_noisy() {
        let rhythm = Rhythm::new(10_000, 7, Some(32));
        let times = (0..10_000).map(|row| rhythm.time_at(rhythm.position(row)));
        let hours: Vec<i64> = times.map(|time| (time - START) / HOUR).collect();
        let in_hour = |hour: i64| hours.iter().filter(|other| **other == hour).count();
        assert!(in_hour(32) > 5 * in_hour(8), "{} and {}", in_hour(32), in_hour(8));
    }

    #[test]
    fn an_hour_knows_its_rows() {
        for rows in [1, 7, 1000, 98_765] {
            let rhythm = Rhythm::new(rows, 3, Some(33));
            for row in 0..rows {
                let hour = (rhythm.time_at(rhythm.position(row)) - START) / HOUR;
                assert!(rhythm.rows_near_hour(hour as usize).contains(&row), "{row} of {rows}");
            }
        }
    }

    #[test]
    fn two_hundred_thousand_rows_fill_every_slot_of_a_month() {
        let rhythm = Rhythm::new(200_000, 30, None);
        let mut slots: Vec<i64> =
            (0..200_000).map(|row| (rhythm.time_at(rhythm.position(row)) - START) / SLOT).collect();
        slots.dedup();
        assert_eq!(slots.len(), 8640);
    }
}
