//! Behind a record that cannot be read: where do records begin again?
//!
//! A bracket or quote that was lost makes everything behind it look like something else. So the next record is not
//! counted to but recognised: a whole object whose first keys are those that records of the file begin with, or that has
//! the keys of a record of a known shape; a whole row with as many cells as its table has columns. Where nothing is
//! certain the rest is not read, and that is said.

use super::blocks::MAX_RECORD_BYTES;
use super::effort::Effort;
use super::encoding::{ENCODING_BYTES, Encoding, utf16_in};
use super::object_keys::{FirstKeys, RecordKeys};
use super::value_scan::{ScanStop, ValueScan};
use crate::types::dynamic;

/// Bytes of what was lost that are kept.
const RAW_BYTES: usize = 4 << 10;

/// Bytes in front of a place that tell what may stand there.
const CONTEXT: usize = 64;

/// A candidate that does not end within this many bytes is no record: those after it must be found.
const MAX_CANDIDATE_BYTES: usize = MAX_RECORD_BYTES / 2;

/// Objects inside of a record whose first keys are compared with those of the record.
const MAX_INNER_OBJECTS: usize = 1_000;

/// Rows with fewer cells could be anything.
const MIN_CELLS: usize = 3;

/// Beginnings of records that are remembered.
const MAX_HEADS: usize = 16;

/// Records that are looked at all, and every so many behind them.
const LOOKED_AT: u64 = 64;
const EVERY: u64 = 16;

/// What the records of a file begin with.
#[derive(Debug, Default)]
pub(super) struct RecordPrefixes {
    /// With those that objects inside of records begin with, too: they tell nothing.
    known: Vec<(FirstKeys, bool)>,
    seen: u64,
}

/// What could not be read, between two records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelativeSkip {
    /// Where JSON ends, from the start of the bytes at hand.
    pub place: i64,
    /// Where records begin again; None where they do not.
    pub end: Option<i64>,
    /// Its first bytes.
    pub raw: Vec<u8>,
}

/// A search for the next record, kept from block to block.
#[derive(Debug)]
pub(super) struct Resync {
    /// Where JSON ends, from the position of the splitter.
    place: i64,
    /// Where the damaged record begins, from the position of the splitter, and its first bytes.
    start: i64,
    raw: Vec<u8>,
    /// Where the search goes on, from the position of the splitter.
    from: usize,
    /// How far the candidate that begins there was looked at, if more bytes are to tell whether it is a record.
    pending: Option<ValueScan>,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) enum ResyncTarget<'a> {
    Records(&'a RecordPrefixes),
    /// A row with so many cells.
    Cells(usize),
    /// Nothing could be recognised.
    Nothing,
}

/// What a search comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResyncOutcome {
    /// A record begins at this byte.
    Record(usize),
    /// The text goes on in UTF-16 at this byte.
    Utf16(usize, Encoding),
    /// No record begins in the bytes, and this many of them are done with.
    Nothing(usize),
}

/// Whether a record begins at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CandidateVerdict {
    Yes,
    No,
    Unclear,
}

impl RecordPrefixes {
    /// Looks at a record that is whole.
    pub(super) fn learn(&mut self, record: &[u8]) {
        self.seen += 1;
        if self.seen > LOOKED_AT && !self.seen.is_multiple_of(EVERY) {
            return;
        }
        let head = FirstKeys::of(record);
        let inner = || memchr::memchr_iter(b'{', record).skip(1).take(MAX_INNER_OBJECTS);
        let inside = || inner().any(|at| head.fits(&FirstKeys::of(&record[at..])));
        match self.known.iter().position(|(known, _)| known.is_same(&head)) {
            Some(index) => self.known[index].1 |= self.seen <= LOOKED_AT && inside(),
            None if self.known.len() < MAX_HEADS => {
                let inside = inside();
                self.known.push((head, inside));
            }
            None => {}
        }
    }

    /// Looks at a record that is damaged behind these bytes; it counts where no other is known.
    fn learn_damaged(&mut self, record: &[u8]) {
        let head = FirstKeys::of(record);
        if self.known.is_empty() && head.is_telling() {
            self.known.push((head, false));
        }
    }

    fn know(&self, head: &FirstKeys) -> bool {
        self.known.iter().any(|(known, inside)| !inside && known.fits(head))
    }
}

impl Resync {
    /// The record that `bytes` begin with is damaged; what led astray stands at `at`.
    pub(super) fn new(bytes: &[u8], at: usize, heads: &mut RecordPrefixes) -> Self {
        let damaged = &bytes[..bytes.len().min(at + 1)];
        let flaw = dynamic::validate(damaged).err().map_or(at, |invalid| invalid.offset.min(at));
        heads.learn_damaged(&bytes[..flaw]);
        let raw = bytes[..bytes.len().min(RAW_BYTES)].to_vec();
        let place = i64::try_from(flaw).unwrap_or(i64::MAX);
        Self { place, start: 0, raw, from: usize::from(bytes.starts_with(b"{") || at > 0), pending: None }
    }

    /// A file whose beginning is missing.
    pub(super) fn at_start() -> Self {
        Self { place: 0, start: 0, raw: Vec::new(), from: 0, pending: None }
    }

    /// Looks for the next record in `bytes`, which begin at the position of the splitter.
    pub(super) fn search(
        &mut self,
        bytes: &[u8],
        wanted: ResyncTarget<'_>,
        more: bool,
        effort: &mut Effort,
    ) -> ResyncOutcome {
        if self.raw.is_empty() {
            self.raw = bytes[..bytes.len().min(RAW_BYTES)].to_vec();
        }
        let bracket = match wanted {
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
            match verdict(bytes, at, wanted, more, effort, &mut self.pending) {
                CandidateVerdict::Yes => return ResyncOutcome::Record(at),
                CandidateVerdict::Unclear if more => {
                    return ResyncOutcome::Nothing(self.go_on(at, at.saturating_sub(CONTEXT)));
                }
                CandidateVerdict::No | CandidateVerdict::Unclear => at += 1,
            }
        }
        if let Some((at, encoding)) = utf16_between(bytes, at, bytes.len()) {
            return ResyncOutcome::Utf16(at, encoding);
        }
        effort.pass(bytes.len() - at);
        let kept = if more { CONTEXT } else { 0 };
        ResyncOutcome::Nothing(self.go_on(bytes.len(), bytes.len().saturating_sub(kept)))
    }

    /// The search goes on at `from`; the bytes up to `done` are not needed any more.
    fn go_on(&mut self, from: usize, done: usize) -> usize {
        self.from = from - done;
        self.place = self.place.saturating_sub(signed(done));
        self.start = self.start.saturating_sub(signed(done));
        done
    }

    /// What was lost, up to the next record; all places count from a start that lies `position` bytes back.
    pub(super) fn into_skip(mut self, position: usize, end: Option<usize>) -> RelativeSkip {
        if let Some(end) = end {
            let length = signed(end).saturating_sub(self.start);
            self.raw.truncate(usize::try_from(length).unwrap_or(0));
            self.raw.shrink_to_fit();
        }
        let end = end.map(|end| signed(position).saturating_add(signed(end)));
        RelativeSkip { place: self.place.saturating_add(signed(position)), end, raw: self.raw }
    }
}

/// Whether a record begins at `at`.
fn verdict(
    bytes: &[u8],
    at: usize,
    wanted: ResyncTarget<'_>,
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
    if let ResyncTarget::Records(heads) = wanted {
        let head = FirstKeys::of(rest);
        effort.spend(head.read);
        if head.cut && more {
            return CandidateVerdict::Unclear;
        }
        certain = heads.know(&head);
        let telling = certain && head.is_telling();
        if !telling && !may_begin(bytes, at) {
            return CandidateVerdict::No;
        }
    } else if !may_begin(bytes, at) {
        return CandidateVerdict::No;
    }
    let mut scan = begun.unwrap_or_else(ValueScan::strict);
    let from = scan.position();
    let found = scan.go_on(rest);
    effort.spend(scan.position().saturating_sub(from));
    let is_open = more && rest.len() < MAX_CANDIDATE_BYTES;
    let behind = match found {
        ScanStop::End(length) => rest[length..].trim_ascii_start().first(),
        ScanStop::More if is_open => None,
        ScanStop::More | ScanStop::Invalid(_) | ScanStop::Array(_) => return CandidateVerdict::No,
    };
    match (found, behind) {
        (_, None) if is_open => {
            *pending = Some(scan);
            CandidateVerdict::Unclear
        }
        (ScanStop::End(length), None | Some(b',' | b']' | b'{' | b'[' | 0x1e)) => {
            let place = CandidateContext { certain, line: is_line(&bytes[..at], &rest[length..]) };
            let is_record = is_wanted(&rest[..length], wanted, place);
            effort.pass(if is_record { length } else { 0 });
            if is_record { CandidateVerdict::Yes } else { CandidateVerdict::No }
        }
        _ => CandidateVerdict::No,
    }
}

/// Where UTF-16 begins between two bytes, or at the last of them.
fn utf16_between(bytes: &[u8], from: usize, to: usize) -> Option<(usize, Encoding)> {
    let start = from.saturating_sub(1);
    let (at, encoding) = utf16_in(&bytes[start..bytes.len().min(to + ENCODING_BYTES)])?;
    (start + at <= to).then_some((start + at, encoding))
}

/// What speaks for a value.
#[derive(Clone, Copy)]
struct CandidateContext {
    /// Records of the file begin so, and nothing inside of them.
    certain: bool,
    /// It is a line of its own, which objects inside of others are not: these have blanks in front, or something behind.
    line: bool,
}

/// True for a whole value that is a record or row, as far as can be told.
fn is_wanted(value: &[u8], wanted: ResyncTarget<'_>, CandidateContext { certain, line }: CandidateContext) -> bool {
    if dynamic::validate(value).is_err() {
        return false;
    }
    match wanted {
        ResyncTarget::Records(heads) => {
            let marks = RecordKeys::of(value);
            certain || marks.is_certain() || ((heads.known.is_empty() || line) && marks.is_record())
        }
        ResyncTarget::Cells(cells) => {
            std::str::from_utf8(value).is_ok_and(|row| dynamic::elements(row).count() == cells)
        }
        ResyncTarget::Nothing => false,
    }
}

/// True where a value that stands between these bytes has a line for itself.
fn is_line(before: &[u8], behind: &[u8]) -> bool {
    let ends = matches!(behind, [] | [b'\n', ..] | [b'\r', b'\n', ..]);
    ends && before.last().is_none_or(|byte| *byte == b'\n')
}

/// True where an element of an array may begin: behind another one, at its start, or on a line of its own.
fn may_begin(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(CONTEXT)..at];
    let text = before.trim_ascii_end();
    let own_line = before[text.len()..].contains(&b'\n');
    own_line || matches!(text.last(), Some(b',' | b'[' | b'}' | b']' | 0x1e | 0))
}

/// True where a text that begins inside of a record goes on with one that is whole and of a known shape.
pub(super) fn is_tail(head: &[u8]) -> bool {
    let heads = RecordPrefixes::default();
    let searched = Resync::at_start().search(head, ResyncTarget::Records(&heads), false, &mut Effort::default());
    matches!(searched, ResyncOutcome::Record(_))
}

pub(super) fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
