//! `--rejects FILE`: what could not be read, a JSON object a line, in the order of files and places.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use super::target::write_file;
use crate::diagnostic::Result;
use crate::source::{Reject, RejectSink};

/// Bytes of a record that are kept.
const MAX_RAW: usize = 4 << 10;

/// Bytes that are kept in all; what comes after is counted.
const MAX_KEPT: usize = 256 << 20;

/// Keeps rejects until the run is over.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// File, offset and line of output.
    lines: BTreeSet<(String, u64, String)>,
    bytes: usize,
    /// Those for which there was no room.
    left_out: u64,
}

impl Rejects {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), kept: Mutex::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file, also where nothing was rejected; it has its name only when it is whole. Answers how many
    /// were left out because there were too many.
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
        if kept.bytes > MAX_KEPT {
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
    // The files are no evidence: by this a later search of their folder tells.
    object.insert("program".to_owned(), "coldcase".into());
    object.insert("file".to_owned(), reject.file.into());
    object.insert("place".to_owned(), reject.place.into());
    object.insert("reason".to_owned(), reject.reason.into());
    if let Some(raw) = reject.raw {
        let shown = &raw[..raw.len().min(MAX_RAW)];
        object.insert("raw".to_owned(), String::from_utf8_lossy(shown).into());
        object.insert("bytes".to_owned(), raw.len().into());
    }
    Json::Object(object).to_string()
}
