//! The alerts of a custom detection: a row that leads to an alert equal to an earlier one joins it.
//!
//! Alerts are equal if their entities, custom details and dynamic texts are. The service documents no time after which
//! they are not joined any more, so there is none here.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::alert::{Alert, AlertMaker};
use super::condition::RowIndex;
use crate::rules::{AlertEntity, AlertGrouping, AlertRule, RuleKind};
use crate::types::Batch;

/// Tells rows apart, by their values and their record.
type RowHash = [u8; 16];

/// What equal alerts have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AlertKey {
    name: String,
    description: Option<String>,
    entities: Vec<AlertEntity>,
    details: Vec<String>,
}

/// The alerts that were made so far.
pub(super) struct JoinedAlerts {
    /// The maximum number of new alerts of a run.
    limit: usize,
    /// The rows that alerts have.
    rows: HashSet<RowHash>,
    /// The positions of alerts.
    by_key: HashMap<AlertKey, usize>,
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
        let fresh = |row: &&RowIndex| self.rows.insert(hash(&batches[row.batch], row.row));
        let rows: Vec<RowIndex> = rows.iter().filter(fresh).copied().collect();
        let mut made = 0;
        for (index, row) in rows.iter().enumerate() {
            let new = maker.alert(like, batches, std::slice::from_ref(row));
            match self.by_key.get(&key(&new)) {
                Some(known) => join(&mut alerts[*known], new),
                None if made + 1 == self.limit && index + 1 < rows.len() => {
                    made += 1;
                    alerts.push(maker.alert(like, batches, &rows[index..]));
                    break;
                }
                None => {
                    made += 1;
                    self.by_key.insert(key(&new), alerts.len());
                    alerts.push(new);
                }
            }
        }
        AddedRows { rows, alerts: made }
    }
}

fn key(alert: &Alert) -> AlertKey {
    let details: Vec<String> = alert.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (name, description) = (alert.name.clone(), alert.description.clone());
    AlertKey { name, description, entities: alert.entities.clone(), details }
}

fn hash(batch: &Batch, row: usize) -> RowHash {
    let mut hasher = Sha256::new();
    for column in batch.columns() {
        let text = column.value(row).to_text();
        hasher.update(text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let digest = hasher.finalize();
    let mut hash = RowHash::default();
    hash.iter_mut().zip(digest).for_each(|(byte, digest)| *byte = digest);
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
