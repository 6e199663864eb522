//! Finds the next record after one that cannot be read.
//!
//! A lost bracket or quote changes the meaning of everything after it, so the next record cannot be found by counting
//! brackets. It is recognised instead: as a whole object whose first keys are those of other records of the file, or
//! that has the keys of a known shape; or as a whole row with as many cells as its table has columns. If no record is
//! certain, the rest is not read, and that is reported.

use super::effort::Effort;
use super::encoding::{ENCODING_BYTES, Encoding, utf16_in};
use super::object_keys::{FirstKeys, RecordKeys};
use super::value_scan::{ScanStop, ValueScan};
use crate::types::dynamic;

/// Maximum number of bytes of a skipped range that are kept.
const RAW_BYTES: usize = 4 << 10;

/// Number of bytes before a candidate that are examined to decide whether a record may begin there.
const CONTEXT_BYTES: usize = 64;

/// Maximum number of objects inside a record whose first keys are compared with those of the record.
const MAX_INNER_OBJECTS: usize = 1_000;

/// Minimum number of cells of a row that can be recognised.
const MIN_CELLS: usize = 3;

/// Maximum number of different record prefixes that are kept.
const MAX_PREFIXES: usize = 16;

/// Number of records at the start of a file whose first keys are all learnt.
const LEARNT_RECORDS: u64 = 64;
/// After these, the first keys of one record in this many are learnt.
const LEARNT_INTERVAL: u64 = 16;

/// The first keys of the records of a file.
#[derive(Debug, Default)]
pub(super) struct RecordPrefixes {
    /// The prefixes. The bool is true if objects inside records have the same first keys: then the prefix does not
    /// identify records.
    known: Vec<(FirstKeys, bool)>,
    seen: u64,
}

/// A skipped range between two records, relative to the start of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelativeSkip {
    /// The position at which the JSON becomes invalid.
    pub position: i64,
    /// The position of the next record; None if no record was found.
    pub end: Option<i64>,
    /// The first bytes of the range.
    pub raw: Vec<u8>,
}

/// A search for the next record, which continues from block to block. Positions are relative to the position of the
/// splitter.
#[derive(Debug)]
pub(super) struct Resync {
    /// The position at which the JSON becomes invalid.
    position: i64,
    /// The position at which the damaged record begins. `raw` has its first bytes.
    start: i64,
    raw: Vec<u8>,
    /// The position at which the search continues.
    from: usize,
    /// The scan of the candidate at `from`, if more bytes are needed to decide whether it is a record.
    pending: Option<ValueScan>,
}

/// What a search looks for.
#[derive(Clone, Copy)]
pub(super) enum ResyncTarget<'a> {
    Records(&'a RecordPrefixes),
    /// A row with this number of cells.
    Cells(usize),
    /// Nothing, because the rows cannot be recognised.
    Nothing,
}

/// The result of a search in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResyncOutcome {
    /// A record begins at this byte.
    Record(usize),
    /// The text continues in UTF-16 at this byte.
    Utf16(usize, Encoding),
    /// No record was found so far; this many bytes are not needed any more.
    Nothing(usize),
}

/// Tells whether a candidate is a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CandidateVerdict {
    Yes,
    No,
    Unclear,
}

impl RecordPrefixes {
    /// Learns the first keys of a whole record.
    pub(super) fn learn(&mut self, record: &[u8]) {
        self.seen += 1;
        if self.seen > LEARNT_RECORDS && !self.seen.is_multiple_of(LEARNT_INTERVAL) {
            return;
        }
        let first_keys = FirstKeys::of(record);
        let inner = || memchr::memchr_iter(b'{', record).skip(1).take(MAX_INNER_OBJECTS);
        let inside = || inner().any(|at| first_keys.fits(&FirstKeys::of(&record[at..])));
        match self.known.iter().position(|(known, _)| known.is_same(&first_keys)) {
            Some(index) => self.known[index].1 |= self.seen <= LEARNT_RECORDS && inside(),
            None if self.known.len() < MAX_PREFIXES => {
                let inside = inside();
                self.known.push((first_keys, inside));
            }
            None => {}
        }
    }

    /// Learns the first keys of a record that is valid up to the end of `record`, if no other record is known.
    fn learn_damaged(&mut self, record: &[u8]) {
        let first_keys = FirstKeys::of(record);
        if self.known.is_empty() && first_keys.is_distinctive() {
            self.known.push((first_keys, false));
        }
    }

    fn contains(&self, first_keys: &FirstKeys) -> bool {
        self.known.iter().any(|(known, inside)| !inside && known.fits(first_keys))
    }
}

impl Resync {
    /// Begins a search after the damaged record at the start of `bytes`; the scan of the record failed at `at`.
    pub(super) fn new(bytes: &[u8], at: usize, prefixes: &mut RecordPrefixes) -> Self {
        let damaged = &bytes[..bytes.len().min(at + 1)];
        let valid_bytes = dynamic::validate(damaged).err().map_or(at, |invalid| invalid.offset.min(at));
        prefixes.learn_damaged(&bytes[..valid_bytes]);
        let raw = bytes[..bytes.len().min(RAW_BYTES)].to_vec();
        let position = i64::try_from(valid_bytes).unwrap_or(i64::MAX);
        Self { position, start: 0, raw, from: usize::from(bytes.starts_with(b"{") || at > 0), pending: None }
    }

    /// Begins a search at the start of a file whose beginning is missing.
    pub(super) fn at_start() -> Self {
        Self { position: 0, start: 0, raw: Vec::new(), from: 0, pending: None }
    }

    /// Searches for the next record in `bytes`, which begin at the position of the splitter. `more` is true if bytes
    /// follow.
    pub(super) fn search(
        &mut self,
        bytes: &[u8],
        target: ResyncTarget<'_>,
        more: bool,
        effort: &mut Effort,
    ) -> ResyncOutcome {
        if self.raw.is_empty() {
            self.raw = bytes[..bytes.len().min(RAW_BYTES)].to_vec();
        }
        let bracket = match target {
            ResyncTarget::Cells(cells) if cells >= MIN_CELLS => Some(b'['),
            ResyncTarget::Records(_) => Some(b'{'),
            ResyncTarget::Cells(_) | ResyncTarget::Nothing => None,
        };
        let mut at = self.from.min(bytes.len());
        while let Some(found) = bracket.and_then(|bracket| memchr::memchr(bracket, &bytes[at..])) {
            if let Some((at, encoding)) = utf16_between(bytes, at, at + found) {
                return ResyncOutcome::Utf16(at, encoding);
            }
            effort.pass(found + 1);
            at += found;
            match judge_candidate(bytes, at, target, more, effort, &mut self.pending) {
                CandidateVerdict::Yes => return ResyncOutcome::Record(at),
                CandidateVerdict::Unclear if more => {
                    return ResyncOutcome::Nothing(self.go_on(at, at.saturating_sub(CONTEXT_BYTES)));
                }
                CandidateVerdict::No | CandidateVerdict::Unclear => at += 1,
            }
        }
        if let Some((at, encoding)) = utf16_between(bytes, at, bytes.len()) {
            return ResyncOutcome::Utf16(at, encoding);
        }
        effort.pass(bytes.len() - at);
        let kept = if more { CONTEXT_BYTES } else { 0 };
        ResyncOutcome::Nothing(self.go_on(bytes.len(), bytes.len().saturating_sub(kept)))
    }

    /// Makes the search continue at `from`, after the first `done` bytes are dropped. Returns `done`.
    fn go_on(&mut self, from: usize, done: usize) -> usize {
        self.from = from - done;
        self.position = self.position.saturating_sub(signed(done));
        self.start = self.start.saturating_sub(signed(done));
        done
    }

    /// Returns the skipped range up to the next record at `end`. The positions in it are relative to a point that is
    /// `position` bytes before the splitter.
    pub(super) fn into_skip(mut self, position: usize, end: Option<usize>) -> RelativeSkip {
        if let Some(end) = end {
            let length = signed(end).saturating_sub(self.start);
            self.raw.truncate(usize::try_from(length).unwrap_or(0));
            self.raw.shrink_to_fit();
        }
        let end = end.map(|end| signed(position).saturating_add(signed(end)));
        RelativeSkip { position: self.position.saturating_add(signed(position)), end, raw: self.raw }
    }
}

/// Decides whether the candidate at `at` is a record.
fn judge_candidate(
    bytes: &[u8],
    at: usize,
    target: ResyncTarget<'_>,
    more: bool,
    effort: &mut Effort,
    pending: &mut Option<ValueScan>,
) -> CandidateVerdict {
    let begun = pending.take();
    if begun.is_none() && effort.is_exhausted() {
        return CandidateVerdict::No;
    }
    let rest = &bytes[at..];
    let mut certain = false;
    if let ResyncTarget::Records(prefixes) = target {
        let first_keys = FirstKeys::of(rest);
        effort.spend(first_keys.read);
        if first_keys.cut && more {
            return CandidateVerdict::Unclear;
        }
        certain = prefixes.contains(&first_keys);
        let distinctive = certain && first_keys.is_distinctive();
        if !distinctive && !may_begin(bytes, at) {
            return CandidateVerdict::No;
        }
    } else if !may_begin(bytes, at) {
        return CandidateVerdict::No;
    }
    let mut scan = begun.unwrap_or_else(ValueScan::strict);
    let from = scan.position();
    let found = scan.resume(rest);
    effort.spend(scan.position().saturating_sub(from));
    let is_open = more && rest.len() < effort.max_candidate_bytes;
    let after = match found {
        ScanStop::End(length) => rest[length..].trim_ascii_start().first(),
        ScanStop::More if is_open => None,
        ScanStop::More | ScanStop::Invalid(_) | ScanStop::Array(_) => return CandidateVerdict::No,
    };
    match (found, after) {
        (_, None) if is_open => {
            *pending = Some(scan);
            CandidateVerdict::Unclear
        }
        (ScanStop::End(length), None | Some(b',' | b']' | b'{' | b'[' | 0x1e)) => {
            let context = CandidateContext { certain, line: is_line(&bytes[..at], &rest[length..]) };
            let is_record = is_target(&rest[..length], target, context);
            effort.pass(if is_record { length } else { 0 });
            if is_record { CandidateVerdict::Yes } else { CandidateVerdict::No }
        }
        _ => CandidateVerdict::No,
    }
}

/// Returns the position at which UTF-16 begins between two bytes, or at the last of them; None if it does not.
fn utf16_between(bytes: &[u8], from: usize, to: usize) -> Option<(usize, Encoding)> {
    let start = from.saturating_sub(1);
    let (at, encoding) = utf16_in(&bytes[start..bytes.len().min(to + ENCODING_BYTES)])?;
    (start + at <= to).then_some((start + at, encoding))
}

/// What is known about the bytes around a candidate.
#[derive(Clone, Copy)]
struct CandidateContext {
    /// True if the first keys of the candidate are those of records, and not of objects inside records.
    certain: bool,
    /// True if the candidate is a whole line. Objects inside records are indented, or text follows them.
    line: bool,
}

/// True if a whole value is what the search looks for.
fn is_target(value: &[u8], target: ResyncTarget<'_>, CandidateContext { certain, line }: CandidateContext) -> bool {
    if dynamic::validate(value).is_err() {
        return false;
    }
    match target {
        ResyncTarget::Records(prefixes) => {
            let record_keys = RecordKeys::of(value);
            certain || record_keys.is_certain() || ((prefixes.known.is_empty() || line) && record_keys.is_record())
        }
        ResyncTarget::Cells(cells) => {
            std::str::from_utf8(value).is_ok_and(|row| dynamic::elements(row).count() == cells)
        }
        ResyncTarget::Nothing => false,
    }
}

/// True if a value is a whole line; `before` and `after` are the bytes around it.
fn is_line(before: &[u8], after: &[u8]) -> bool {
    let ends = matches!(after, [] | [b'\n', ..] | [b'\r', b'\n', ..]);
    ends && before.last().is_none_or(|byte| *byte == b'\n')
}

/// True if an array element may begin at `at`: after another element, at the start of the array, or on a line of its
/// own.
fn may_begin(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(CONTEXT_BYTES)..at];
    let text = before.trim_ascii_end();
    let own_line = before[text.len()..].contains(&b'\n');
    own_line || matches!(text.last(), Some(b',' | b'[' | b'}' | b']' | 0x1e | 0))
}

/// True if a text that begins inside a record continues with a whole record of a known shape.
pub(super) fn is_tail(text: &[u8]) -> bool {
    let prefixes = RecordPrefixes::default();
    let searched = Resync::at_start().search(text, ResyncTarget::Records(&prefixes), false, &mut Effort::default());
    matches!(searched, ResyncOutcome::Record(_))
}

pub(super) fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
