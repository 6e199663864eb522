//! Makes alerts of the rows of a run.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::condition::RowIndex;
use crate::rules::convert::sentinel_entity;
use crate::rules::schedule::RowWindow;
use crate::rules::{AlertEntity, AlertGrouping, AlertRule, EntityMapping};
use crate::types::dynamic::{row_json, value_json};
use crate::types::{Batch, Schema, Type};

/// The maximum number of rows that an alert shows.
pub(super) const SHOWN_ROWS: usize = 10;
/// The maximum number of entities of an alert.
const MAX_ENTITIES: usize = 100;

/// An alert that a service would have made.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The name: that of the rule, unless the rule takes it from the rows.
    pub name: String,
    /// The description, likewise.
    pub description: Option<String>,
    /// The severity, likewise.
    pub severity: String,
    /// The tactics, likewise.
    pub tactics: Vec<String>,
    /// The scheduled time of the run.
    pub time: i64,
    /// When the alert appears.
    pub detected: i64,
    /// What the run saw.
    pub window: RowWindow,
    /// True if its actions are muted.
    pub is_muted: bool,
    /// True if the window is not wholly inside the range of the data, so that rows may be missing from it.
    pub is_beyond_data: bool,
    /// The number of rows.
    pub rows: usize,
    /// The number of rows of the run.
    pub run_rows: usize,
    /// The value that was compared with the threshold: of several periods, that of the latest one that violates it.
    pub value: f64,
    /// The value of each period, the latest first; None if a period has none.
    pub periods: Vec<Option<f64>>,
    /// The names and values of the dimensions.
    pub dimensions: Vec<(String, String)>,
    /// The entities.
    pub entities: Vec<AlertEntity>,
    /// The names and values of custom details.
    pub details: Vec<(String, Json)>,
    /// The first rows.
    pub results: Vec<Json>,
    /// The times of the first and the last event, if rows have a time.
    pub events: Option<[i64; 2]>,
}

/// Makes the alerts of a rule.
pub(super) struct AlertMaker<'a> {
    rule: &'a AlertRule,
    schema: Schema,
    /// The entities, with the names of their types.
    entities: Vec<EntityMapping>,
    /// The column of the time.
    time: Option<usize>,
}

impl<'a> AlertMaker<'a> {
    pub fn new(rule: &'a AlertRule, schema: &Schema) -> Self {
        let is_time = |index: &usize| schema.field(*index).ty == Type::Datetime;
        let entities = rule.entities.iter().map(sentinel_entity).collect();
        Self { rule, schema: schema.clone(), entities, time: schema.index_of("TimeGenerated").filter(is_time) }
    }

    /// Returns the alerts of a run that are like `alert` and stand for `rows`: one, or one for each row.
    pub fn alerts(&self, alert: Alert, batches: &[Batch], rows: &[RowIndex]) -> Vec<Alert> {
        let AlertGrouping::AlertPerResult { limit } = self.rule.grouping else {
            return vec![self.alert(&alert, batches, rows)];
        };
        let mut alerts = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if alerts.len() + 1 == limit && index + 1 < rows.len() {
                // The last alert is the one that a rule with one alert for all rows would make.
                alerts.push(self.alert(&alert, batches, rows));
                break;
            }
            alerts.push(self.alert(&alert, batches, std::slice::from_ref(row)));
        }
        if rows.is_empty() {
            alerts.push(alert);
        }
        alerts
    }

    /// The alert that stands for `rows`.
    pub fn alert(&self, like: &Alert, batches: &[Batch], rows: &[RowIndex]) -> Alert {
        let shown = rows.iter().take(SHOWN_ROWS).map(|at| row_json(&self.schema, &batches[at.batch], at.row));
        let times = || {
            let time = self.time?;
            rows.iter().map(|at| batches[at.batch].column(time).i64_at(at.row)).collect::<Option<Vec<i64>>>()
        };
        let times = times().unwrap_or_default();
        let events = times.iter().min().zip(times.iter().max()).map(|(first, last)| [*first, *last]);
        Alert {
            rows: rows.len(),
            events,
            results: shown.collect(),
            entities: self.entities(batches, rows),
            details: rows.first().map(|row| self.details(batches, *row)).unwrap_or_default(),
            ..rows.first().map_or_else(|| like.clone(), |row| self.overridden(like, batches, *row))
        }
    }

    /// An alert like `like` with the texts that it takes from a row.
    fn overridden(&self, like: &Alert, batches: &[Batch], at: RowIndex) -> Alert {
        let overrides = &self.rule.overrides;
        let value = |name: &str| {
            let index = self.schema.index_of(name.trim())?;
            Some(batches[at.batch].column(index).value(at.row).to_text()).filter(|text| !text.is_empty())
        };
        let filled = |format: &Option<String>| format.as_deref().map(|format| filled(format, &value));
        let column = |name: &Option<String>| name.as_deref().and_then(value);
        let tactics =
            column(&overrides.tactics_column).map(|text| text.split(',').map(|t| t.trim().to_owned()).collect());
        Alert {
            name: filled(&overrides.name).unwrap_or_else(|| like.name.clone()),
            description: filled(&overrides.description).or_else(|| like.description.clone()),
            severity: column(&overrides.severity_column).unwrap_or_else(|| like.severity.clone()),
            tactics: tactics.unwrap_or_else(|| like.tactics.clone()),
            ..like.clone()
        }
    }

    fn entities(&self, batches: &[Batch], rows: &[RowIndex]) -> Vec<AlertEntity> {
        let mut known = BTreeSet::new();
        for at in rows {
            for mapping in &self.entities {
                let entity = mapping.entity_of(|column| {
                    Some(batches[at.batch].column(self.schema.index_of(column)?).value(at.row).to_text())
                });
                known.extend(entity.filter(|_| known.len() < MAX_ENTITIES));
            }
        }
        known.into_iter().collect()
    }

    fn details(&self, batches: &[Batch], at: RowIndex) -> Vec<(String, Json)> {
        let detail = |(name, column): &(String, String)| {
            let value = batches[at.batch].column(self.schema.index_of(column)?).value(at.row);
            Some((name.clone(), value_json(&value)))
        };
        self.rule.custom_details.iter().filter_map(detail).collect()
    }
}

/// The format with the values of its columns; a column without value stays as it is written.
fn filled(format: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let (mut text, mut rest) = (String::new(), format);
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        match after.split_once("}}").and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                text.push_str(&value);
                rest = after;
            }
            None => {
                text.push_str("{{");
                rest = after;
            }
        }
    }
    text + rest
}
