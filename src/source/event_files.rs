//! Finds files without Ids all of whose records occur in other files, too: exports without that column, and saved
//! results of earlier queries that lie beside the evidence. Records are compared by their time and account.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use crate::types::datetime;

/// Names that the export shapes give to the time of a record.
const TIMES: [&str; 4] = ["TimeGenerated", "time", "createdDateTime", "CreatedDateTime"];

/// Names that the export shapes give to the account of a record.
const ACCOUNTS: [&str; 4] = ["UserPrincipalName", "userPrincipalName", "ServicePrincipalId", "servicePrincipalId"];

/// A time of a record, in ticks, and the account in lower case.
type TimeAndAccount = (i64, String);

/// The times of a record, each with the account. A record may have several times; a saved result has one of them,
/// and which one depends on the export shape that was queried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordEvent(Vec<TimeAndAccount>);

impl RecordEvent {
    /// Returns the times and accounts in a record of any export shape.
    pub(super) fn of_json(record: &Json) -> Self {
        let texts = |names: &'static [&'static str]| {
            let objects = [Some(record), record.get("properties")];
            objects
                .into_iter()
                .flatten()
                .flat_map(move |object| names.iter().filter_map(|name| object.get(*name)?.as_str()))
        };
        let account = texts(&ACCOUNTS).find(|account| !account.is_empty());
        let times = texts(&TIMES).filter_map(datetime::parse);
        account.map_or_else(Self::default, |account| Self::new(times, account))
    }

    /// Returns the event of `account` at `times`, which are ticks.
    pub(super) fn new(times: impl Iterator<Item = i64>, account: &str) -> Self {
        let account = account.to_lowercase();
        Self(times.map(|time| (time, account.clone())).collect())
    }
}

/// The times and accounts that occur in several files, and in which of them.
#[derive(Debug, Default)]
pub(super) struct EventFiles {
    /// The first two files in which a time and account occur.
    files: HashMap<TimeAndAccount, (usize, Option<usize>)>,
    /// The records of each file; None for a file in which a record has an Id.
    without_id: BTreeMap<usize, Option<Vec<RecordEvent>>>,
}

impl EventFiles {
    /// Adds a record of the file at position `file`.
    pub(super) fn add(&mut self, file: usize, event: RecordEvent, has_id: bool) {
        for key in &event.0 {
            let (first, second) = self.files.entry(key.clone()).or_insert((file, None));
            if *first != file {
                second.get_or_insert(file);
            }
        }
        let records = self.without_id.entry(file).or_insert_with(|| Some(Vec::new()));
        match records {
            Some(records) if !has_id => records.push(event),
            records => *records = None,
        }
    }

    /// Returns the positions of two files: no record of the second has an Id, and each of its records is in some
    /// other file, one of which is the first.
    pub(super) fn contained(&self) -> Option<[usize; 2]> {
        self.without_id.iter().find_map(|(&file, records)| {
            let elsewhere = |event: &RecordEvent| {
                let files = event.0.iter().filter_map(|key| self.files.get(key));
                files.flat_map(|(first, second)| std::iter::once(*first).chain(*second)).find(|other| *other != file)
            };
            let others: Option<Vec<usize>> = records.as_ref()?.iter().map(elsewhere).collect();
            others?.first().map(|other| [*other, file])
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_without_ids_is_contained_if_all_of_its_records_are_elsewhere() {
        let row = |minute: u32, user: &str| {
            let time = format!("2026-03-02T09:{minute:02}:00.0000000Z");
            RecordEvent::of_json(&json!({"TimeGenerated": time, "UserPrincipalName": user}))
        };
        let graph = |minute: u32| {
            let time = format!("2026-03-02T09:{minute:02}:00Z");
            let properties = json!({"createdDateTime": time, "userPrincipalName": "Priya@contoso.com"});
            RecordEvent::of_json(&json!({"properties": properties}))
        };
        let contained = |rows: &[RecordEvent], have_ids: bool| {
            let mut events = EventFiles::default();
            rows.iter().for_each(|row| events.add(0, row.clone(), have_ids));
            (1..4).for_each(|minute| events.add(1, graph(minute), true));
            events.contained()
        };
        let user = "priya@contoso.com";
        assert_eq!(contained(&[row(1, user), row(3, user)], false), Some([1, 0]));
        assert_eq!(contained(&[row(1, user)], true), None);
        assert_eq!(contained(&[row(1, user), row(4, user)], false), None);
        assert_eq!(contained(&[row(1, "tomas@contoso.com")], false), None);
        assert_eq!(contained(&[RecordEvent::default()], false), None);
        assert_eq!(contained(&[], false), None);
    }
}
