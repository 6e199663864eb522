//! `--rejects FILE`: unreadable records as JSON Lines, in the order of files and positions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use super::destination::write_file;
use crate::diagnostic::Result;
use crate::messages;
use crate::scan::{Reject, RejectSink};

/// Bytes of each record that are written.
const MAX_RAW_BYTES: usize = 4 << 10;

/// Bytes that are kept in memory; records after that are only counted.
const MAX_KEPT_BYTES: usize = 256 << 20;

/// Collects rejects until the end of the run.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    kept: Mutex<KeptRejects>,
}

#[derive(Debug, Default)]
struct KeptRejects {
    /// File, offset and output line, so that the order does not depend on threads.
    lines: BTreeSet<(String, u64, String)>,
    bytes: usize,
    /// The number of records for which there was no room.
    left_out: u64,
}

impl Rejects {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), kept: Mutex::default() }
    }

    /// The file to write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file, even if it is empty. Returns the number of records for which there was no room.
    pub fn finish(&self) -> Result<u64> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        write_file(&self.path, |file| kept.lines.iter().try_for_each(|(_, _, line)| writeln!(file, "{line}")))?;
        Ok(kept.left_out)
    }
}

impl RejectSink for Rejects {
    fn reject(&self, reject: &Reject<'_>) {
        let offset = reject.place.and_then(|place| place.rsplit("byte ").next()?.parse().ok()).unwrap_or(0);
        let line = line(reject);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes > MAX_KEPT_BYTES {
            kept.left_out += 1;
            return;
        }
        let bytes = line.len() + reject.file.len();
        if kept.lines.insert((reject.file.to_owned(), offset, line)) {
            kept.bytes += bytes;
        }
    }
}

fn line(reject: &Reject<'_>) -> String {
    let mut object = Map::new();
    // By this key, later runs recognise that the file is not evidence.
    object.insert("program".to_owned(), "coldcase".into());
    object.insert("file".to_owned(), reject.file.into());
    object.insert("place".to_owned(), reject.place.into());
    object.insert("reason".to_owned(), messages::reject_reason(&reject.reason).into());
    if let Some(raw) = reject.raw {
        let shown = &raw[..raw.len().min(MAX_RAW_BYTES)];
        object.insert("raw".to_owned(), String::from_utf8_lossy(shown).into());
        object.insert("bytes".to_owned(), raw.len().into());
    }
    Json::Object(object).to_string()
}
