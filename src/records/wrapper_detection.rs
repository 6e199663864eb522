//! What an object is that has an array among its members: a record, or what stands around records or tables.
//!
//! A wrapper is an object whose array is its content. Services and those who save their answers write other keys beside
//! it, in any order; so the keys decide, and the first of what the array holds.

use std::borrow::Cow;

use super::object_keys::{NextKey, ObjectKeys, RecordKeys, is_error_key, is_filled, unescaped};
use super::value_scan::{ScanStop, ValueScan};

/// Bytes of an object that are waited for, so that the keys behind its array are known.
const MAX_WAIT: usize = 64 << 10;

/// Bytes of the first element of an array that are waited for.
const MAX_ELEMENT: usize = 1 << 20;

/// Keys that a wrapping object may have in front of its records whatever these are, apart from those with an `@`.
const HEADER_KEYS: [&[u8]; 5] = [b"odata.metadata", b"odata.nextLink", b"nextLink", b"count", b"total"];

/// Keys of an answer that may stand in front of its tables; their values may be anything.
const ANSWER_KEYS: [&[u8]; 4] = [b"error", b"statistics", b"render", b"Exceptions"];

/// What an object with an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// The array holds records.
    Wrapper,
    /// The array holds tables; true where the answer speaks of an error in front of it.
    Response(bool),
    /// The array holds nothing: the object is a wrapper if nothing in it is of a record.
    EmptyWrapper,
    /// It may be a frame of an answer.
    Frame,
    /// A record, as far as this array tells.
    Record,
    /// It takes more bytes to tell.
    Unclear,
}

/// What is known of an object in front of an array.
struct PrefixKeys {
    marks: RecordKeys,
    /// True where wrappers have just these keys.
    usual: bool,
    error: bool,
}

/// What the object is whose array begins at `at`. `is_first` if nothing stands before it in the file: then the array may
/// hold the records of the file under any key.
pub(super) fn classify_object(object: &[u8], at: usize, more: bool, is_first: bool) -> ObjectKind {
    let Some(key) = key_of(object, at) else { return ObjectKind::Record };
    let answer = key.eq_ignore_ascii_case(b"tables");
    if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) {
        return ObjectKind::Frame;
    }
    if !answer && !is_holder(&key) {
        return if is_first { under_any_key(object, at, more) } else { ObjectKind::Record };
    }
    let front = PrefixKeys::of(object, at);
    let elements = object[at + 1..].trim_ascii_start();
    match elements.first() {
        None if more => ObjectKind::Unclear,
        Some(b']') if front.usual => ObjectKind::EmptyWrapper,
        Some(b'{') if answer => of_tables(&front, elements, more),
        Some(b'{') => of_records(object, at, &front, elements, more),
        _ => ObjectKind::Record,
    }
}

/// True for a line that is an array or, as its first key says, may be an object around others, and is one.
pub(crate) fn is_wrapped(line: &[u8]) -> bool {
    if line.starts_with(b"[") {
        return true;
    }
    let NextKey::Key(key) = ObjectKeys::of(line).next() else { return false };
    &*key == b"FrameType" || ((is_usual(&key) || ANSWER_KEYS.contains(&&*key)) && holds_records(line))
}

/// True for an object around records or tables.
pub(crate) fn holds_records(object: &[u8]) -> bool {
    let mut scan = ValueScan::halting();
    let mut hollow = false;
    loop {
        match scan.go_on(object) {
            ScanStop::Array(at) => match classify_object(object, at, false, false) {
                ObjectKind::Wrapper | ObjectKind::Response(_) => return true,
                found => hollow |= found == ObjectKind::EmptyWrapper,
            },
            ScanStop::End(_) => return hollow && !RecordKeys::of(object).is_record(),
            ScanStop::Invalid(_) | ScanStop::More => return false,
        }
    }
}

fn is_holder(key: &[u8]) -> bool {
    key == b"records" || key == b"value"
}

fn is_usual(key: &[u8]) -> bool {
    is_holder(key) || key.eq_ignore_ascii_case(b"tables") || key.starts_with(b"@") || HEADER_KEYS.contains(&key)
}

/// The key of the member whose value begins at `at`.
fn key_of(object: &[u8], at: usize) -> Option<Cow<'_, [u8]>> {
    let before = object[..at].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let mut end = before.len();
    loop {
        let quote = memchr::memrchr(b'"', &before[..end])?;
        if !before[..quote].ends_with(b"\\") {
            return Some(unescaped(&before[quote + 1..]));
        }
        end = quote;
    }
}

impl PrefixKeys {
    fn of(object: &[u8], at: usize) -> Self {
        let mut front = Self { marks: RecordKeys::default(), usual: true, error: false };
        let mut members = ObjectKeys::of(object);
        while let NextKey::Key(key) = members.next() {
            if members.position >= at {
                break;
            }
            let nested = matches!(members.first(), Some(b'{' | b'['));
            let of_answer = ANSWER_KEYS.contains(&&*key);
            let empty = nested && (is_holder(&key) || key.eq_ignore_ascii_case(b"tables"));
            front.usual &= of_answer || (is_usual(&key) && (!nested || empty));
            front.error |= is_error_key(&key) && is_filled(members.rest());
            front.marks.note(&key);
            if !members.pass_value() {
                break;
            }
        }
        front
    }
}

/// Under another key than those that services use, records are known by keys that nothing inside a record has.
fn under_any_key(object: &[u8], at: usize, more: bool) -> ObjectKind {
    let elements = object[at + 1..].trim_ascii_start();
    if elements.is_empty() && more {
        return ObjectKind::Unclear;
    }
    if !elements.starts_with(b"{") || PrefixKeys::of(object, at).marks.is_record() {
        return ObjectKind::Record;
    }
    match ValueScan::strict().go_on(elements) {
        ScanStop::More if more && elements.len() < MAX_ELEMENT => ObjectKind::Unclear,
        ScanStop::End(length) if RecordKeys::of(&elements[..length]).is_certain() => ObjectKind::Wrapper,
        _ => ObjectKind::Record,
    }
}

/// Tables are known by their columns and rows.
fn of_tables(front: &PrefixKeys, elements: &[u8], more: bool) -> ObjectKind {
    let mut members = ObjectKeys::of(elements);
    loop {
        match members.next() {
            NextKey::Key(key) if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) => {
                return ObjectKind::Response(front.error);
            }
            NextKey::Key(_) if members.pass_value() => {}
            NextKey::Key(_) | NextKey::Truncated if more && elements.len() < MAX_ELEMENT => return ObjectKind::Unclear,
            NextKey::Key(_) | NextKey::Truncated if front.usual => return ObjectKind::Response(front.error),
            _ => return ObjectKind::Record,
        }
    }
}

/// Records are known by their keys; what is not known is a record where nothing else speaks against it.
fn of_records(object: &[u8], at: usize, front: &PrefixKeys, elements: &[u8], more: bool) -> ObjectKind {
    let whole = match ValueScan::strict().go_on(elements) {
        ScanStop::More if more && elements.len() < MAX_ELEMENT => return ObjectKind::Unclear,
        ScanStop::End(length) => &elements[..length],
        _ => elements,
    };
    if RecordKeys::of(whole).is_record() {
        return if front.marks.is_envelope() { ObjectKind::Record } else { ObjectKind::Wrapper };
    }
    if !front.usual {
        return ObjectKind::Record;
    }
    let mut members = ObjectKeys::of(object);
    members.position = at;
    let mut marks = front.marks;
    if !members.pass_value() {
        return if more && object.len() < MAX_WAIT { ObjectKind::Unclear } else { ObjectKind::Wrapper };
    }
    loop {
        match members.next() {
            NextKey::Key(key) => marks.note(&key),
            NextKey::Truncated if more && object.len() < MAX_WAIT => return ObjectKind::Unclear,
            _ => break,
        }
        if !members.pass_value() && more && object.len() < MAX_WAIT {
            return ObjectKind::Unclear;
        }
    }
    if marks.is_record() { ObjectKind::Record } else { ObjectKind::Wrapper }
}
