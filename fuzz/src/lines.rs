//! Records of the samples, of which files are made, with one damaged line among them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::{fs, iter};

use arbitrary::Arbitrary;
use coldcase::storage::files::{Compression, FileFormat};
use serde_json::value::RawValue;

use super::scan::{self, Found};

/// The samples that have a record a line.
const SAMPLES: [&str; 6] =
    ["diag-variants", "diag-storage-legacy", "eventhub", "graph-ndjson", "la-data-export", "diag-other-categories"];

/// The table whose rows are compared.
const TABLE: &str = "SigninLogs";

/// A line of a sample.
#[derive(Debug)]
pub struct Line {
    /// Its bytes, without the end of the line.
    pub bytes: Vec<u8>,
    /// Its rows, read alone.
    pub rows: Vec<Vec<String>>,
}

/// What happens to a line.
#[derive(Arbitrary, Debug)]
pub enum Damage {
    /// The bytes from here on are missing.
    Cut(u16),
    /// A bit is another one.
    Flip(u16, u8),
    /// There is more.
    Insert(u16, Vec<u8>),
    /// There is something else.
    Overwrite(u16, Vec<u8>),
    /// Something is missing.
    Delete(u16, u16),
    /// A part stands there twice.
    Repeat(u16, u16),
    /// The line is another one.
    Replace(Vec<u8>),
}

impl Damage {
    /// The bytes after the damage.
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let place = |at: u16| usize::from(at) % (bytes.len() + 1);
        let splice = |from: usize, to: usize, new: &[u8]| [&bytes[..from], new, &bytes[to..]].concat();
        match self {
            Self::Cut(at) => bytes[..place(*at)].to_vec(),
            Self::Flip(at, bit) => {
                let mut bytes = bytes.to_vec();
                if let Some(byte) = bytes.get_mut(place(*at)) {
                    *byte ^= 1 << (bit % 8);
                }
                bytes
            }
            Self::Insert(at, new) => splice(place(*at), place(*at), new),
            Self::Overwrite(at, new) => splice(place(*at), (place(*at) + new.len()).min(bytes.len()), new),
            Self::Delete(at, length) => splice(place(*at), (place(*at) + usize::from(*length)).min(bytes.len()), b""),
            Self::Repeat(at, length) => {
                let part = place(*at)..(place(*at) + usize::from(*length)).min(bytes.len());
                splice(part.start, part.start, &bytes[part.clone()])
            }
            Self::Replace(new) => new.clone(),
        }
    }
}

/// The lines of the samples; each is whole JSON.
pub fn lines() -> &'static [Line] {
    static LINES: OnceLock<Vec<Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let root = scan::testdata().join("shapes");
        let mut lines: Vec<Vec<u8>> = SAMPLES.iter().flat_map(|sample| read(root.join(sample))).collect();
        lines.sort();
        lines.dedup();
        let alone = |bytes: Vec<u8>| Line { rows: scan("alone.json", &bytes).expect("a sample").rows, bytes };
        lines.into_iter().map(alone).collect()
    })
}

/// The lines of the files in a folder that are JSON.
fn read(folder: PathBuf) -> Vec<Vec<u8>> {
    let mut folders = vec![folder];
    let mut lines = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = fs::read(entry).expect("a file");
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).to_vec();
            let whole = |line: &&[u8]| line.starts_with(b"{") && is_json(line);
            lines.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(whole).map(<[u8]>::to_vec));
        }
    }
    lines
}

/// True for one JSON value in UTF-8.
pub fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(bytes).is_ok()
}

/// The rows in a file of these bytes, and what was said of it.
pub fn scan(name: &str, bytes: &[u8]) -> Result<Found, String> {
    let catalog = scan::catalog(&scan::write(name, bytes)).expect("a file");
    scan::ask(&catalog, TABLE, scan::PLAIN)
}

/// A file of lines, one of which is damaged.
#[derive(Arbitrary, Debug)]
pub struct DamagedLine {
    before: Vec<u8>,
    line: u8,
    damage: Damage,
    after: Vec<u8>,
    carriage_return: bool,
    final_newline: bool,
    byte_order_mark: bool,
}

/// True for first bytes that make a file another one: packed, in another encoding, or garbage further than is looked.
fn is_misleading(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8)];
    FileFormat::of(bytes) != FileFormat::Text(Compression::None)
        || head.contains(&0)
        || [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| head.starts_with(*mark))
        || bytes.iter().filter(|byte| **byte == b'\n').count() > 1
}

/// Lines around the damaged one that are used of a case.
const MAX_AROUND: usize = 6;

impl DamagedLine {
    /// The other lines have their rows, whatever became of this one; and if it cannot be read, that is told.
    ///
    /// # Panics
    /// Where it is not so.
    pub fn check(&self) {
        let pool = lines();
        let choose = |numbers: &[u8]| -> Vec<&Line> {
            numbers.iter().take(MAX_AROUND).map(|number| &pool[usize::from(*number) % pool.len()]).collect()
        };
        let (before, after) = (choose(&self.before), choose(&self.after));
        let original = &pool[usize::from(self.line) % pool.len()];
        let damaged = self.damage.apply(&original.bytes);
        if before.is_empty() && after.is_empty() {
            return;
        }
        let texts = before.iter().map(|line| &line.bytes[..]).chain(iter::once(&damaged[..]));
        let texts: Vec<&[u8]> = texts.chain(after.iter().map(|line| &line.bytes[..])).collect();
        let end = if self.carriage_return { &b"\r\n"[..] } else { b"\n" };
        let mut file = if self.byte_order_mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        file.extend(texts.join(end));
        if self.final_newline {
            file.extend(end);
        }
        let leads = before.is_empty();
        let found = match scan("lines.json", &file) {
            Ok(found) => found,
            Err(_) if leads && is_misleading(&damaged) => return,
            Err(why) => panic!("refused: {why}"),
        };
        let rows = |lines: &[&Line]| -> Vec<Vec<String>> { lines.iter().flat_map(|line| line.rows.clone()).collect() };
        let (first, last) = (rows(&before), rows(&after));
        // An array is followed to its end, wherever that is.
        if leads && damaged.trim_ascii().starts_with(b"[") {
            let missing = found.rows.len() < last.len();
            assert!(!missing || found.told, "{} rows, and not a word", found.rows.len());
            return;
        }
        assert!(found.rows.len() >= first.len() + last.len(), "{} rows of other lines: {found:?}", found.rows.len());
        scan::assert_rows(&first, &found.rows[..first.len()], "the lines before");
        let end = found.rows.len() - last.len();
        scan::assert_rows(&last, &found.rows[end..], "the lines after");
        let rows_of_line = end - first.len();
        // Commas between lines and separators of records hold nothing.
        let blank = damaged.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | 0x1e));
        if rows_of_line < original.rows.len() && !blank && !is_json(&damaged) {
            assert!(found.told, "{rows_of_line} rows of the line, and not a word");
        }
    }
}
