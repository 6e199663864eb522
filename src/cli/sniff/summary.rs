//! `coldcase sniff --summary`: the rows of the files by table, shape and day, with the days that have none.

use std::collections::BTreeMap;

use super::super::inspection;
use crate::engine::inspect::{DaySummary, FileInspection};
use crate::messages::{self, CommandWarning};
use crate::scan::ResultPages;
use crate::types::datetime::{self, TICKS_PER_DAY};
use crate::types::{Type, Value};

pub(super) const COLUMNS: [(&str, Type); 8] = [
    ("Table", Type::String),
    ("Shape", Type::String),
    ("Day", Type::String),
    ("Rows", Type::Long),
    ("Files", Type::Long),
    ("FirstTimeGenerated", Type::Datetime),
    ("LastTimeGenerated", Type::Datetime),
    ("Gap", Type::String),
];

/// The number of damaged files that are named; the others are summed up in one line.
const MAX_FILES_NAMED: usize = 10;

/// The contents of all files.
#[derive(Debug, Default)]
pub(super) struct SniffSummary {
    days: BTreeMap<DayKey, Day>,
    /// The number of damaged files.
    damaged_files: usize,
    /// The damage of the first of them.
    damage: Vec<String>,
    /// Pages of query results, some of which may be missing.
    pages: ResultPages,
}

/// The table, the shape and the day, in ticks; None for rows without a time.
type DayKey = (String, String, Option<i64>);

/// The rows of one day.
#[derive(Debug, Default)]
struct Day {
    rows: i64,
    files: i64,
    /// The first and the last time, in ticks.
    times: Option<[i64; 2]>,
}

impl Day {
    fn add(&mut self, part: &DaySummary) {
        self.rows += part.rows;
        self.files += 1;
        if let Some([first, last]) = part.times {
            let [earliest, latest] = self.times.unwrap_or([first, last]);
            self.times = Some([earliest.min(first), latest.max(last)]);
        }
    }
}

impl SniffSummary {
    /// Adds the contents of the file `name`.
    pub fn add(&mut self, name: &str, inspection: FileInspection<DaySummary>) {
        let damage = inspection::damage(&inspection);
        if !damage.is_empty() {
            self.damaged_files += 1;
            if self.damage.len() < MAX_FILES_NAMED {
                self.damage.push(format!("{name}: {}", damage.join("; ")));
            }
        }
        self.pages.extend(inspection.report.pages());
        if inspection.summaries.is_empty() {
            self.days.entry(DayKey::default()).or_default().files += 1;
        }
        for part in inspection.summaries {
            let day = part.times.map(|[first, _]| first - first.rem_euclid(TICKS_PER_DAY));
            self.days.entry((part.table.clone(), part.shape.clone(), day)).or_default().add(&part);
        }
    }

    /// Returns warnings: the first damaged files, the number of the others, and missing pages.
    pub fn warnings(&self) -> Vec<String> {
        let more = self.damaged_files - self.damage.len();
        let rest = (more > 0).then(|| CommandWarning::MoreDamaged(more).to_string());
        let pages = self.pages.missing().map(|(damage, file)| format!("{file}: {}", messages::damage(&damage, 1)));
        self.damage.iter().cloned().chain(rest).chain(pages).collect()
    }

    /// Returns one row per table, shape and day.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let before = std::iter::once(None).chain(self.days.keys().map(Some));
        let row = |((key, day), before): ((&DayKey, &Day), Option<&DayKey>)| {
            let (table, shape, start) = key;
            let previous = before.filter(|other| other.0 == *table && other.1 == *shape);
            let time =
                |index: usize| day.times.map_or(Value::null(Type::Datetime), |times| Value::Datetime(times[index]));
            vec![
                Value::string(table.as_str()),
                Value::string(shape.as_str()),
                Value::string(start.map_or(String::new(), date)),
                Value::Long(day.rows),
                Value::Long(day.files),
                time(0),
                time(1),
                Value::string(gap(previous.and_then(|key| key.2), *start)),
            ]
        };
        self.days.iter().zip(before).map(row).collect()
    }
}

/// Describes the days between two days; "" if there are none.
fn gap(earlier: Option<i64>, day: Option<i64>) -> String {
    let Some((earlier, day)) = earlier.zip(day) else { return String::new() };
    let (first, last) = (earlier + TICKS_PER_DAY, day - TICKS_PER_DAY);
    match (last - first) / TICKS_PER_DAY + 1 {
        ..=0 => String::new(),
        1 => format!("no rows on {}", date(first)),
        days => format!("no rows on {days} days, {} to {}", date(first), date(last)),
    }
}

/// The date, as YYYY-MM-DD, of a day that begins at `ticks`.
fn date(ticks: i64) -> String {
    datetime::to_text(ticks).chars().take_while(|character| *character != 'T').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_described() {
        let day = |number: i64| Some(number * TICKS_PER_DAY);
        assert_eq!(gap(day(4), day(5)), "");
        assert_eq!(gap(None, day(5)), "");
        assert_eq!(gap(day(4), day(6)), "no rows on 0001-01-06");
        assert_eq!(gap(day(4), day(34)), "no rows on 29 days, 0001-01-06 to 0001-02-03");
    }
}
