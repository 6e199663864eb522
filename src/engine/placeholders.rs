//! Fills the placeholders `{{StartTimeISO}}` and `{{EndTimeISO}}` of hunting queries, as Microsoft Sentinel does.
//!
//! The values come from the time range of the call, or else from the times of the data. A limit of the time range that
//! goes into the query this way is not applied to the tables, too: hunting queries look back to times before the start,
//! to find what is new since then.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use crate::binder::TimeRange;
use crate::diagnostic::{Error, Result};
use crate::scan::events::BoundOrigin;
use crate::scan::{Note, ScanReport};
use crate::syntax::{Placeholder, placeholders};
use crate::types::datetime;

const START: &str = "StartTimeISO";
const END: &str = "EndTimeISO";

/// The values of the placeholders of a query.
#[derive(Debug, Default)]
pub(super) struct FilledPlaceholders {
    /// The values of the placeholders, by name.
    pub values: BTreeMap<String, String>,
    /// The time range by which tables are still filtered: without the limits that went into placeholders.
    pub time_range: Option<TimeRange>,
}

impl Engine {
    /// Determines the values of the placeholders in `text`, and adds a note about them to `report`.
    ///
    /// # Errors
    /// [`Error::Query`] if a placeholder is neither of the two, or if there is no time for it.
    pub(super) fn fill(&self, text: &str, report: &Arc<ScanReport>) -> Result<FilledPlaceholders> {
        let found = placeholders(text);
        let mut filled =
            FilledPlaceholders { time_range: self.settings.time_range.clone(), ..FilledPlaceholders::default() };
        if found.is_empty() {
            return Ok(filled);
        }
        let unknown = |found: &&Placeholder| found.name != START && found.name != END;
        let help = "only {{StartTimeISO}} and {{EndTimeISO}} are filled, from --from and --to; write the value instead";
        let wrong: Vec<_> = found.iter().filter(unknown).map(|found| found.unfilled(help)).collect();
        if !wrong.is_empty() {
            return Err(Error::Query(wrong));
        }
        let mut data = None;
        for name in [START, END] {
            let Some(placeholder) = found.iter().find(|found| found.name == name) else { continue };
            let (ticks, origin) = match self.bound_of_call(name) {
                Some(ticks) => (ticks, BoundOrigin::Call),
                None => {
                    let [first, last] = match data {
                        Some(known) => known,
                        None => *data.insert(self.range_of_data(text, report)?),
                    };
                    self.bound_of_data(name, if name == START { first } else { last }, placeholder)?
                }
            };
            report.note_once(Note::PlaceholderFilled { name, ticks, origin });
            filled.values.insert(name.to_owned(), datetime::to_text(ticks));
            filled.time_range = filled.time_range.and_then(|range| without(range, name));
        }
        Ok(filled)
    }

    fn bound_of_call(&self, name: &str) -> Option<i64> {
        let range = self.settings.time_range.as_ref()?;
        if name == START { range.from } else { range.to.or(range.through) }
    }

    /// Returns the value of a placeholder, taken from the first or last `time` of the data, and where it comes from. It
    /// is one tick before the first or after the last record, so that no comparison of the query excludes that record.
    fn bound_of_data(&self, name: &str, time: Option<i64>, placeholder: &Placeholder) -> Result<(i64, BoundOrigin)> {
        let column = &self.settings.time_column;
        match (time, name == START) {
            (Some(ticks), true) => Ok((ticks.saturating_sub(1), BoundOrigin::FirstTime(column.clone()))),
            (Some(ticks), false) => Ok((ticks.saturating_add(1), BoundOrigin::LastTime(column.clone()))),
            (None, _) => {
                let help = format!("the data has no {column} to take it from: give it with --from and --to");
                Err(placeholder.unfilled(help).into())
            }
        }
    }
}

/// Removes the limit that the placeholder `name` passes to the query from the range; None if no limit is left.
fn without(range: TimeRange, name: &str) -> Option<TimeRange> {
    let range = match name {
        START => TimeRange { from: None, ..range },
        _ => TimeRange { to: None, through: None, ..range },
    };
    (range.from.is_some() || range.to.is_some() || range.through.is_some()).then_some(range)
}
