//! The alerts of a custom detection: a row that leads to an alert equal to an earlier one joins it.
//!
//! Alerts are equal if their entities, custom details and dynamic texts are. The service documents no time after which
//! they are not joined any more, so there is none here.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::alert::{Alert, AlertMaker};
use super::condition::RowIndex;
use super::rule_state::{ContentHash, RuleState};
use crate::rules::{AlertEntity, AlertGrouping, AlertRule, RuleKind};
use crate::types::Batch;

/// The alerts that were made so far.
pub(super) struct JoinedAlerts {
    /// The maximum number of new alerts of a run.
    limit: usize,
    /// The rows that alerts have, by their values and their record, and the time of the last run that saw them.
    rows: HashMap<ContentHash, i64>,
    /// The positions of alerts; None for those of earlier backtests.
    by_key: HashMap<ContentHash, Option<usize>>,
}

/// What a run adds.
pub(super) struct AddedRows {
    /// The rows that no alert had before.
    pub rows: Vec<RowIndex>,
    /// The number of new alerts.
    pub alerts: usize,
}

impl JoinedAlerts {
    /// No alerts yet. None if alerts of `rule` are not joined.
    pub fn of(rule: &AlertRule) -> Option<Self> {
        let AlertGrouping::AlertPerResult { limit } = rule.grouping else { return None };
        let (rows, by_key) = Default::default();
        (rule.kind == RuleKind::CustomDetection).then_some(Self { limit, rows, by_key })
    }

    /// Goes on after an earlier backtest.
    pub fn resume(&mut self, state: &RuleState) {
        self.rows.extend(state.rows.iter().copied());
        self.by_key.extend(state.alerts.iter().map(|key| (*key, None)));
    }

    /// Adds the alerts, and the rows that runs saw at `since` or later, to `state`.
    pub fn save(&self, since: i64, state: &mut RuleState) {
        state.alerts = self.by_key.keys().copied().collect();
        state.rows = self.rows.iter().filter(|(_, seen)| **seen >= since).map(|(row, seen)| (*row, *seen)).collect();
        state.alerts.sort_unstable();
        state.rows.sort_unstable();
    }

    /// Adds the rows of a run to `alerts`, with at most `limit` new ones: the last of them stands for all rows that are
    /// left. New alerts are like `like`.
    pub fn add(
        &mut self,
        maker: &AlertMaker<'_>,
        like: &Alert,
        batches: &[Batch],
        rows: &[RowIndex],
        alerts: &mut Vec<Alert>,
    ) -> AddedRows {
        let fresh = |row: &&RowIndex| self.rows.insert(row_hash(&batches[row.batch], row.row), like.time).is_none();
        let rows: Vec<RowIndex> = rows.iter().filter(fresh).copied().collect();
        let mut made = 0;
        for (index, row) in rows.iter().enumerate() {
            let new = maker.alert(like, batches, std::slice::from_ref(row));
            match self.by_key.get(&key(&new)) {
                Some(Some(known)) => join(&mut alerts[*known], new),
                // The alert was handed on by an earlier backtest.
                Some(None) => {}
                None if made + 1 == self.limit && index + 1 < rows.len() => {
                    made += 1;
                    alerts.push(maker.alert(like, batches, &rows[index..]));
                    break;
                }
                None => {
                    made += 1;
                    self.by_key.insert(key(&new), Some(alerts.len()));
                    alerts.push(new);
                }
            }
        }
        AddedRows { rows, alerts: made }
    }
}

/// Hashes what equal alerts have in common.
fn key(alert: &Alert) -> ContentHash {
    let details = alert.details.iter().flat_map(|(name, value)| [name.clone(), value.to_string()]);
    let fields = |entity: &AlertEntity| {
        let fields = entity.fields.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
        std::iter::once(entity.entity.clone()).chain(fields).collect::<Vec<_>>()
    };
    let texts = [alert.name.clone(), alert.description.clone().unwrap_or_default()];
    hash(texts.into_iter().chain(details).chain([String::new()]).chain(alert.entities.iter().flat_map(fields)))
}

fn row_hash(batch: &Batch, row: usize) -> ContentHash {
    hash(batch.columns().iter().map(|column| column.value(row).to_text()))
}

fn hash(texts: impl Iterator<Item = String>) -> ContentHash {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut hash = ContentHash::default();
    hash.iter_mut().zip(hasher.finalize()).for_each(|(byte, digest)| *byte = digest);
    hash
}

/// Adds the rows of `new` to an equal alert.
fn join(known: &mut Alert, new: Alert) {
    known.rows += new.rows;
    let room = super::alert::SHOWN_ROWS.saturating_sub(known.results.len());
    known.results.extend(new.results.into_iter().take(room));
    known.events = match (known.events, new.events) {
        (Some([first, last]), Some([new_first, new_last])) => Some([first.min(new_first), last.max(new_last)]),
        (known, new) => known.or(new),
    };
}
