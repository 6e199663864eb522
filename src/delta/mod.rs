//! Delta tables: reads the transaction log, which determines the files that belong to the table.
//!
//! Source: the Delta transaction log protocol. Each commit is a file of actions, one JSON object per line. The table
//! consists of the files that were added and not removed later. A checkpoint stands for earlier commits that were
//! deleted. Tables that use other features (sidecars, deletion vectors, column mapping) are refused.

mod checkpoint;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path};

use self::checkpoint::CheckpointPart;
use crate::diagnostic::Result;
use crate::entra::known_tables;
use crate::storage::files::DataFile;
use crate::storage::percent;
use crate::types::dynamic;

/// Maximum size of a commit file in bytes.
const MAX_COMMIT_BYTES: u64 = 256 << 20;

/// Protocol features that make no difference to a reader of whole files.
const HARMLESS_FEATURES: [&str; 3] = ["timestampNtz", "vacuumProtocolCheck", "v2Checkpoint"];

/// The refusal of a table whose log is invalid.
const DAMAGED: Refusal = "a Delta table with a damaged log";

/// The reason why a table is not read, for messages.
pub(crate) type Refusal = &'static str;

/// Returns the files of the table with this log, in the order in which they were added. They are paths below the folder
/// of the table. The inner error is the reason why the log cannot be used.
pub(crate) fn files(log: &[DataFile]) -> Result<Result<Vec<String>, Refusal>> {
    let (checkpoint, commits) = match commits(log) {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut state = TableState::default();
    for part in checkpoint {
        if let Err(reason) = checkpoint::read(part, &mut |action| state.act(action))? {
            return Ok(Err(reason));
        }
    }
    for commit in commits {
        if commit.bytes > MAX_COMMIT_BYTES {
            return Ok(Err("a Delta table with a commit that is too large"));
        }
        let mut bytes = Vec::new();
        let read = commit.open()?.take(MAX_COMMIT_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| commit.failed(error))?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Ok(Err(DAMAGED));
        };
        for action in text.lines().filter(|line| !line.trim().is_empty()) {
            if let Err(reason) = state.act(action) {
                return Ok(Err(reason));
            }
        }
    }
    let mut files: Vec<(u64, String)> = state.files.into_iter().map(|(path, order)| (order, path)).collect();
    files.sort();
    Ok(Ok(files.into_iter().map(|(_, path)| path).collect()))
}

/// Returns the parts of the last complete checkpoint, if commits before it are missing, and the commits after it in
/// order. None of these commits may be missing.
fn commits(log: &[DataFile]) -> Result<(Vec<&DataFile>, Vec<&DataFile>), Refusal> {
    let name = |file: &'_ DataFile| file.name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let version = |file: &DataFile| name(file).strip_suffix(".json")?.parse::<u64>().ok();
    let commits: BTreeMap<u64, &DataFile> = log.iter().filter_map(|file| Some((version(file)?, file))).collect();
    let follow = |first: u64| {
        let versions = commits.range(first..).map(|(version, _)| *version);
        versions.zip(first..).all(|(version, expected)| version == expected)
    };
    if commits.contains_key(&0) && follow(0) {
        return Ok((Vec::new(), commits.into_values().collect()));
    }
    let mut checkpoints: BTreeMap<(u64, u32), BTreeMap<u32, &DataFile>> = BTreeMap::new();
    for file in log {
        if let Some(CheckpointPart { version, number, parts }) = checkpoint::part(&name(file)) {
            checkpoints.entry((version, parts)).or_default().insert(number, file);
        }
    }
    let whole = checkpoints.into_iter().rev().find(|((_, parts), found)| found.len() == *parts as usize);
    match whole {
        Some(((version, _), parts)) if version < u64::MAX && follow(version + 1) => {
            let later = commits.range(version + 1..).map(|(_, commit)| *commit);
            Ok((parts.into_values().collect(), later.collect()))
        }
        _ => Err("a Delta table whose log lacks commits, without a checkpoint that replaces them"),
    }
}

#[derive(Default)]
struct TableState {
    /// The files of the table, by their path below its folder, with the number of the action that added each.
    files: BTreeMap<String, u64>,
    actions: u64,
}

impl TableState {
    fn act(&mut self, action: &str) -> Result<(), Refusal> {
        if dynamic::validate(action.as_bytes()).is_err() {
            return Err(DAMAGED);
        }
        self.actions += 1;
        if let Some(add) = dynamic::get_member(action, "add") {
            if dynamic::get_member(add, "deletionVector").is_some_and(|vector| vector != "null") {
                return Err("a Delta table with deletion vectors, which are not supported");
            }
            self.files.insert(path_of(add)?, self.actions);
        }
        if let Some(remove) = dynamic::get_member(action, "remove") {
            self.files.remove(&path_of(remove)?);
        }
        if let Some(protocol) = dynamic::get_member(action, "protocol") {
            check_protocol(protocol)?;
        }
        if let Some(metadata) = dynamic::get_member(action, "metaData") {
            check_partitions(metadata)?;
        }
        Ok(())
    }
}

fn check_protocol(protocol: &str) -> Result<(), Refusal> {
    let version = dynamic::get_member(protocol, "minReaderVersion").and_then(|version| version.parse::<u64>().ok());
    let features = dynamic::elements(dynamic::get_member(protocol, "readerFeatures").unwrap_or("[]"));
    let harmless = |feature: &str| HARMLESS_FEATURES.contains(&&*dynamic::to_text(feature));
    match version {
        Some(0 | 1) => Ok(()),
        Some(3) if features.into_iter().all(harmless) => Ok(()),
        _ => Err("a Delta table that needs unsupported protocol features"),
    }
}

/// Refuses a table that is partitioned by a column of a known table, because the values of that column are only in the
/// log.
fn check_partitions(metadata: &str) -> Result<(), Refusal> {
    let columns = dynamic::elements(dynamic::get_member(metadata, "partitionColumns").unwrap_or("[]"));
    let is_wanted = |column: &str| {
        let name = dynamic::to_text(column);
        known_tables().any(|table| table.schema.index_of(&name).is_some())
    };
    match columns.into_iter().any(is_wanted) {
        true => Err("a Delta table that is partitioned by a column of the table, which is not supported"),
        false => Ok(()),
    }
}

/// Returns the path of a file of the table; a refusal unless it is below the folder of the table.
fn path_of(file: &str) -> Result<String, Refusal> {
    let path = dynamic::get_member(file, "path").map(dynamic::to_text).unwrap_or_default();
    let path = percent::decoded(&path).ok_or(DAMAGED)?;
    let below = !path.contains(':') && Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
    match below && !path.is_empty() {
        true => Ok(path),
        false => Err("a Delta table with files outside its folder, which are not read"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::files;
    use crate::storage::files::DataFile;

    /// Returns the files of a table with these commits, or the reason why it is refused.
    fn read(commits: &[(&str, &str)]) -> Result<Vec<String>, &'static str> {
        let folder = tempfile::tempdir().expect("a folder");
        let commit = |(name, text): &(&str, &str)| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            DataFile::new(&path).expect("a file")
        };
        files(&commits.iter().map(commit).collect::<Vec<_>>()).expect("readable")
    }

    #[test]
    fn what_was_removed_is_not_read() {
        let first = "{\"protocol\":{\"minReaderVersion\":1}}\n{\"add\":{\"path\":\"b.parquet\"}}\n{\"add\":{\"path\":\"a%20c.parquet\"}}";
        let second = "{\"remove\":{\"path\":\"b.parquet\"}}\r\n{\"add\":{\"path\":\"x/d.parquet\"}}\n";
        let commits =
            [("00.json", first), ("01.json", second), ("01.checkpoint.parquet", ""), ("_last_checkpoint", "")];
        assert_eq!(read(&commits), Ok(vec!["a c.parquet".to_owned(), "x/d.parquet".to_owned()]));
    }

    #[test]
    fn what_the_log_cannot_tell_is_refused() {
        let refused: [&[(&str, &str)]; 8] = [
            &[],
            &[("01.json", "{}")],
            &[("00.json", "{}"), ("02.json", "{}")],
            &[("00.json", "{\"add\":{\"path\":\"../a.parquet\"}}")],
            &[("00.json", "{\"add\":{\"path\":\"/etc/a.parquet\"}}")],
            &[("00.json", "{\"add\":{\"path\":\"a\",\"deletionVector\":{}}}")],
            &[("00.json", "{\"protocol\":{\"minReaderVersion\":2}}")],
            &[("00.json", "{\"metaData\":{\"partitionColumns\":[\"Type\"]}}")],
        ];
        for commits in refused {
            assert!(read(commits).is_err(), "{commits:?}");
        }
        assert!(read(&[("00.json", "{\"protocol\":{\"minReaderVersion\":3,\"readerFeatures\":[]}}")]).is_ok());
        assert!(read(&[("00.json", "{\"add\"")]).is_err());
    }
}
