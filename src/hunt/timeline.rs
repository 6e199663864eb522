//! Rows of results as entries of a timeline.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::rules::{AlertEntity, HuntRule};
use crate::types::dynamic::row_json;
use crate::types::{Batch, Schema, Type};

/// The columns that are the time of a row, the first of them that it has; else the first datetime counts.
const TIME_COLUMNS: &[&str] = &["TimeGenerated", "Timestamp"];

/// A row of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    /// The time of the row; None if it has none.
    pub time: Option<i64>,
    /// The column of the time; empty without a time.
    pub time_column: Arc<str>,
    /// The position of the rule in the hunt.
    pub rule: usize,
    /// The entities of the row.
    pub entities: Vec<AlertEntity>,
    /// The row as a JSON object, without columns that are null or empty.
    pub row: String,
}

impl TimelineEntry {
    /// The row as JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.row).unwrap_or_default()
    }

    /// The bytes that the entry takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let text = |entity: &AlertEntity| {
            let fields = entity.fields.iter().map(|(name, value)| name.len() + value.len() + 2 * size_of::<String>());
            entity.entity.len() + size_of::<AlertEntity>() + fields.sum::<usize>()
        };
        size_of::<Self>() + self.row.len() + self.entities.iter().map(text).sum::<usize>()
    }
}

/// Makes the entries of a result.
pub(super) struct EntryMaker<'a> {
    index: usize,
    rule: &'a HuntRule,
    schema: &'a Schema,
    /// The columns with times, the best one first, and their names.
    times: Vec<(usize, Arc<str>)>,
}

impl<'a> EntryMaker<'a> {
    /// For the result of the rule at `index` with these columns.
    pub fn new(index: usize, rule: &'a HuntRule, schema: &'a Schema) -> Self {
        let fields = schema.fields().iter().enumerate().filter(|(_, field)| field.ty == Type::Datetime);
        let mut times: Vec<(usize, Arc<str>)> =
            fields.map(|(index, field)| (index, Arc::from(field.name.as_str()))).collect();
        let rank = |name: &str| TIME_COLUMNS.iter().position(|known| known.eq_ignore_ascii_case(name));
        times.sort_by_key(|(index, name)| (rank(name).unwrap_or(TIME_COLUMNS.len()), *index));
        Self { index, rule, schema, times }
    }

    /// The entry of a row.
    pub fn entry(&self, batch: &Batch, row: usize) -> TimelineEntry {
        let time = |(column, name): &(usize, Arc<str>)| Some((batch.column(*column).i64_at(row)?, Arc::clone(name)));
        let (time, time_column) = self.times.iter().find_map(time).unzip();
        let text = |column: &str| Some(batch.column(self.schema.index_of(column)?).value(row).to_text());
        TimelineEntry {
            time,
            time_column: time_column.unwrap_or_default(),
            rule: self.index,
            entities: self.rule.entities.iter().filter_map(|mapping| mapping.entity_of(text)).collect(),
            row: row_json(self.schema, batch, row).to_string(),
        }
    }
}
