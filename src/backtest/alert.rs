//! Makes alerts of the rows of a run.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::condition::RowIndex;
use crate::rules::schedule::RowWindow;
use crate::rules::{AlertEntity, AlertGrouping, AlertRule, RuleKind};
use crate::types::dynamic::{row_json, value_json};
use crate::types::{Batch, Schema, Type};

/// The maximum number of rows that an alert shows.
const SHOWN_ROWS: usize = 10;
/// The maximum number of entities of an alert.
const MAX_ENTITIES: usize = 100;

/// An alert that a service would have made.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The scheduled time of the run.
    pub time: i64,
    /// When the alert appears.
    pub detected: i64,
    /// What the run saw.
    pub window: RowWindow,
    /// True if its actions are muted.
    pub is_muted: bool,
    /// The number of rows.
    pub rows: usize,
    /// The value that was compared with the threshold.
    pub value: f64,
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

impl Default for Alert {
    fn default() -> Self {
        Self {
            time: 0,
            detected: 0,
            window: RowWindow { generated: [0; 2], arrived: [0; 2] },
            is_muted: false,
            rows: 0,
            value: 0.0,
            dimensions: Vec::new(),
            entities: Vec::new(),
            details: Vec::new(),
            results: Vec::new(),
            events: None,
        }
    }
}

/// Makes the alerts of a rule.
pub(super) struct AlertMaker<'a> {
    rule: &'a AlertRule,
    schema: Schema,
    /// The column of the time.
    time: Option<usize>,
}

impl<'a> AlertMaker<'a> {
    pub fn new(rule: &'a AlertRule, schema: &Schema) -> Self {
        let is_time = |index: &usize| schema.field(*index).ty == Type::Datetime;
        Self { rule, schema: schema.clone(), time: schema.index_of("TimeGenerated").filter(is_time) }
    }

    /// Returns the alerts of a run that are like `alert` and stand for `rows`: one, or one for each row.
    pub fn alerts(&self, alert: Alert, batches: &[Batch], rows: &[RowIndex]) -> Vec<Alert> {
        let AlertGrouping::AlertPerResult { limit } = self.rule.grouping else {
            return vec![self.alert(&alert, batches, rows)];
        };
        let mut alerts = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if alerts.len() + 1 == limit && index + 1 < rows.len() {
                // The last alert stands for all rows that have none.
                alerts.push(self.alert(&alert, batches, &rows[index..]));
                break;
            }
            let new = self.alert(&alert, batches, std::slice::from_ref(row));
            let is_same = |known: &&mut Alert| known.entities == new.entities && known.details == new.details;
            match alerts.iter_mut().find(is_same).filter(|_| self.rule.kind == RuleKind::CustomDetection) {
                Some(known) => join(known, new),
                None => alerts.push(new),
            }
        }
        if rows.is_empty() {
            alerts.push(alert);
        }
        alerts
    }

    fn alert(&self, like: &Alert, batches: &[Batch], rows: &[RowIndex]) -> Alert {
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
            ..like.clone()
        }
    }

    fn entities(&self, batches: &[Batch], rows: &[RowIndex]) -> Vec<AlertEntity> {
        let mut known = BTreeSet::new();
        for at in rows {
            for mapping in &self.rule.entities {
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

/// Adds the rows of `new` to an alert with the same entities and details.
fn join(known: &mut Alert, new: Alert) {
    known.rows += new.rows;
    let room = SHOWN_ROWS.saturating_sub(known.results.len());
    known.results.extend(new.results.into_iter().take(room));
}
