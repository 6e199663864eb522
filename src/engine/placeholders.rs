//! Fills the placeholders `{{StartTimeISO}}` and `{{EndTimeISO}}` of hunting queries, as Microsoft Sentinel does.
//!
//! The values come from the time range of the call, or else from the times of the data. A limit of the time range that
//! goes into the query this way is not applied to the tables, too: hunting queries look back to times before the start,
//! to find what is new since then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Engine, Settings};
use crate::binder::TimeRange;
use crate::diagnostic::{Error, Result};
use crate::exec;
use crate::scan::events::BoundOrigin;
use crate::scan::{MemoryCatalog, Note, ScanReport, TableProvider};
use crate::syntax::{Placeholder, TokenKind, placeholders, tokens};
use crate::types::{Type, Value, datetime};

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

    /// Returns the first and the last time in the tables that `text` names, or in all tables if it names none.
    pub(crate) fn range_of_data(&self, text: &str, report: &Arc<ScanReport>) -> Result<[Option<i64>; 2]> {
        let readable = self.catalog.readable()?;
        let all = tokens(text);
        let is_name = |kind| matches!(kind, TokenKind::Word | TokenKind::String);
        let words: BTreeSet<&str> =
            all.iter().filter(|token| is_name(token.kind)).map(|token| token.text.trim_matches(['\'', '"'])).collect();
        let named: Vec<&String> = readable.iter().filter(|name| words.contains(name.as_str())).collect();
        let tables = if named.is_empty() { readable.iter().collect() } else { named };
        let (mut first, mut last) = (None, None);
        for name in tables {
            let Some(table) = self.catalog.table(name)? else { continue };
            let column = self.settings.time_columns.get(name).unwrap_or(&self.settings.time_column);
            let schema = table.schema();
            if schema.index_of(column).is_none_or(|index| schema.field(index).ty != Type::Datetime) {
                continue;
            }
            let [earliest, latest] = self.extremes(&table, column, report)?;
            first = first.into_iter().chain(earliest).min();
            last = last.max(latest);
        }
        Ok([first, last])
    }

    /// Returns the first and the last time in the column `column` of a table; None if there are no times.
    fn extremes(
        &self,
        table: &Arc<dyn TableProvider>,
        column: &str,
        report: &Arc<ScanReport>,
    ) -> Result<[Option<i64>; 2]> {
        let catalog = MemoryCatalog::default().with("T", Arc::clone(table));
        let settings = Settings { time_range: None, dedup: None, provenance: false, ..self.settings.clone() };
        let engine = Self::new(Arc::new(catalog), settings);
        let column = column.replace('\\', "\\\\").replace('\'', "\\'");
        let text = format!("T | summarize min(['{column}']), max(['{column}'])");
        // The query itself will report the notes about the files.
        let batches = report.without_notes(|| {
            let bound = engine.bind(&text, report)?;
            let [result] =
                <[_; 1]>::try_from(bound.results).map_err(|_| Error::internal("an internal query has one result"))?;
            let plan = engine.optimize(result.plan, &bound.context)?;
            exec::collect(&plan, &engine.context(bound.context, Arc::clone(report)))
        })?;
        let value = |column: usize| match batches.iter().find(|batch| batch.rows() > 0)?.column(column).value(0) {
            Value::Datetime(ticks) => Some(ticks),
            _ => None,
        };
        Ok([value(0), value(1)])
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
