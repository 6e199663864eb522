//! What an object is that has an array among its members: a record, or what stands around records or tables.
//!
//! A wrapper is an object whose array is its content. Services and those who save their answers write other keys beside
//! it, in any order; so the keys decide, and the first of what the array holds.

use std::borrow::Cow;

use super::members::{Marks, Member, Members, is_error_key, is_filled, unescaped};
use super::scan::{Found, Scan};

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
pub(super) enum Opening {
    /// The array holds records.
    Wrapper,
    /// The array holds tables; true where the answer speaks of an error in front of it.
    Answer(bool),
    /// The array holds nothing: the object is a wrapper if nothing in it is of a record.
    Hollow,
    /// It may be a frame of an answer.
    Frame,
    /// A record, as far as this array tells.
    Record,
    /// It takes more bytes to tell.
    Unclear,
}

/// What is known of an object in front of an array.
struct Front {
    marks: Marks,
    /// True where wrappers have just these keys.
    usual: bool,
    error: bool,
}

/// What the object is whose array begins at `at`. `is_first` if nothing stands before it in the file: then the array may
/// hold the records of the file under any key.
pub(super) fn opening(object: &[u8], at: usize, more: bool, is_first: bool) -> Opening {
    let Some(key) = key_of(object, at) else { return Opening::Record };
    let answer = key.eq_ignore_ascii_case(b"tables");
    if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) {
        return Opening::Frame;
    }
    if !answer && !is_holder(&key) {
        return if is_first { under_any_key(object, at, more) } else { Opening::Record };
    }
    let front = Front::of(object, at);
    let elements = object[at + 1..].trim_ascii_start();
    match elements.first() {
        None if more => Opening::Unclear,
        Some(b']') if front.usual => Opening::Hollow,
        Some(b'{') if answer => of_tables(&front, elements, more),
        Some(b'{') => of_records(object, at, &front, elements, more),
        _ => Opening::Record,
    }
}

/// True for a line that is an array or, as its first key says, may be an object around others, and is one.
pub(crate) fn is_wrapped(line: &[u8]) -> bool {
    if line.starts_with(b"[") {
        return true;
    }
    let Member::Key(key) = Members::of(line).next() else { return false };
    &*key == b"FrameType" || ((is_usual(&key) || ANSWER_KEYS.contains(&&*key)) && holds_records(line))
}

/// True for an object around records or tables.
pub(crate) fn holds_records(object: &[u8]) -> bool {
    let mut scan = Scan::halting();
    let mut hollow = false;
    loop {
        match scan.go_on(object) {
            Found::Array(at) => match opening(object, at, false, false) {
                Opening::Wrapper | Opening::Answer(_) => return true,
                found => hollow |= found == Opening::Hollow,
            },
            Found::End(_) => return hollow && !Marks::of(object).is_record(),
            Found::Flaw(_) | Found::More => return false,
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

impl Front {
    fn of(object: &[u8], at: usize) -> Self {
        let mut front = Self { marks: Marks::default(), usual: true, error: false };
        let mut members = Members::of(object);
        while let Member::Key(key) = members.next() {
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
fn under_any_key(object: &[u8], at: usize, more: bool) -> Opening {
    let elements = object[at + 1..].trim_ascii_start();
    if elements.is_empty() && more {
        return Opening::Unclear;
    }
    if !elements.starts_with(b"{") || Front::of(object, at).marks.is_record() {
        return Opening::Record;
    }
    match Scan::strict().go_on(elements) {
        Found::More if more && elements.len() < MAX_ELEMENT => Opening::Unclear,
        Found::End(length) if Marks::of(&elements[..length]).is_certain() => Opening::Wrapper,
        _ => Opening::Record,
    }
}

/// Tables are known by their columns and rows.
fn of_tables(front: &Front, elements: &[u8], more: bool) -> Opening {
    let mut members = Members::of(elements);
    loop {
        match members.next() {
            Member::Key(key) if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) => {
                return Opening::Answer(front.error);
            }
            Member::Key(_) if members.pass_value() => {}
            Member::Key(_) | Member::Cut if more && elements.len() < MAX_ELEMENT => return Opening::Unclear,
            Member::Key(_) | Member::Cut if front.usual => return Opening::Answer(front.error),
            _ => return Opening::Record,
        }
    }
}

/// Records are known by their keys; what is not known is a record where nothing else speaks against it.
fn of_records(object: &[u8], at: usize, front: &Front, elements: &[u8], more: bool) -> Opening {
    let whole = match Scan::strict().go_on(elements) {
        Found::More if more && elements.len() < MAX_ELEMENT => return Opening::Unclear,
        Found::End(length) => &elements[..length],
        _ => elements,
    };
    if Marks::of(whole).is_record() {
        return if front.marks.is_envelope() { Opening::Record } else { Opening::Wrapper };
    }
    if !front.usual {
        return Opening::Record;
    }
    let mut members = Members::of(object);
    members.position = at;
    let mut marks = front.marks;
    if !members.pass_value() {
        return if more && object.len() < MAX_WAIT { Opening::Unclear } else { Opening::Wrapper };
    }
    loop {
        match members.next() {
            Member::Key(key) => marks.note(&key),
            Member::Cut if more && object.len() < MAX_WAIT => return Opening::Unclear,
            _ => break,
        }
        if !members.pass_value() && more && object.len() < MAX_WAIT {
            return Opening::Unclear;
        }
    }
    if marks.is_record() { Opening::Record } else { Opening::Wrapper }
}
