//! Determines whether an object that has an array is a record, or a wrapper around records or tables.
//!
//! The purpose of a wrapper is its array. Services and tools that save responses write other keys beside the array,
//! in any order, so the decision depends on the keys and on the first element of the array.

use std::borrow::Cow;

use super::object_keys::{KeyReader, NextKey, RecordKeys, is_error_key, is_filled, unescaped};
use super::page::says_partial;
use super::value_scan::{ScanStop, ValueScan};

/// Maximum number of bytes to wait for so that the keys after the array are known.
const MAX_OBJECT_BYTES: usize = 64 << 10;

/// Maximum number of bytes to wait for so that the first element of the array is whole.
const MAX_ELEMENT_BYTES: usize = 1 << 20;

/// Keys that a wrapper may have before its records, with any values. Keys that contain `@` are allowed, too.
const HEADER_KEYS: [&[u8]; 5] = [b"odata.metadata", b"odata.nextLink", b"nextLink", b"count", b"total"];

/// Keys that a query response may have before its tables, with any values.
const RESPONSE_KEYS: [&[u8]; 4] = [b"error", b"statistics", b"render", b"Exceptions"];

/// The kind of an object that has an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// The array has records.
    Wrapper,
    /// The array has tables. The bool is true if the response reports an error before it.
    Response(bool),
    /// The array is empty. The object is a wrapper if it has no key of a record.
    EmptyWrapper,
    /// The object may be a frame of a query response.
    Frame,
    /// The object is a record, as far as this array shows.
    Record,
    /// More bytes are needed.
    Unclear,
}

/// What is known about the keys of an object before its array.
struct PrefixKeys {
    record_keys: RecordKeys,
    /// True if all of these keys are usual in wrappers.
    usual: bool,
    error: bool,
}

/// Classifies the object whose array begins at `at`. `is_first` is true if it is the first value of the file: its
/// array may then have records under any key. `more` is true if bytes follow.
pub(super) fn classify_object(object: &[u8], at: usize, more: bool, is_first: bool) -> ObjectKind {
    let Some(key) = key_of(object, at) else { return ObjectKind::Record };
    let is_response = key.eq_ignore_ascii_case(b"tables");
    if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) {
        return ObjectKind::Frame;
    }
    if !is_response && !is_holder(&key) {
        return if is_first { under_any_key(object, at, more) } else { ObjectKind::Record };
    }
    let prefix = PrefixKeys::of(object, at);
    let elements = object[at + 1..].trim_ascii_start();
    match elements.first() {
        None if more => ObjectKind::Unclear,
        Some(b']') if prefix.usual => ObjectKind::EmptyWrapper,
        Some(b'{') if is_response => of_tables(&prefix, elements, more),
        Some(b'{') => of_records(object, at, &prefix, elements, more),
        _ => ObjectKind::Record,
    }
}

/// True for a line that is an array or a wrapper. The first key of an object is checked first, because it excludes
/// most records.
pub(crate) fn is_wrapped(line: &[u8]) -> bool {
    if line.starts_with(b"[") {
        return true;
    }
    let NextKey::Key(key) = KeyReader::of(line).next() else { return false };
    &*key == b"FrameType" || ((is_usual(&key) || RESPONSE_KEYS.contains(&&*key)) && holds_records(line))
}

/// True if the object is a wrapper around records or tables.
pub(crate) fn holds_records(object: &[u8]) -> bool {
    let mut scan = ValueScan::halting();
    let mut is_empty_wrapper = false;
    loop {
        match scan.resume(object) {
            ScanStop::Array(at) => match classify_object(object, at, false, false) {
                ObjectKind::Wrapper | ObjectKind::Response(_) => return true,
                found => is_empty_wrapper |= found == ObjectKind::EmptyWrapper,
            },
            ScanStop::End(_) => return is_empty_wrapper && !RecordKeys::of(object).is_record(),
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

/// Returns the key of the member whose value begins at `at`; None if it cannot be found.
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
        let mut prefix = Self { record_keys: RecordKeys::default(), usual: true, error: false };
        let mut members = KeyReader::of(object);
        while let NextKey::Key(key) = members.next() {
            if members.position >= at {
                break;
            }
            let nested = matches!(members.first(), Some(b'{' | b'['));
            let of_response = RESPONSE_KEYS.contains(&&*key);
            let empty = nested && (is_holder(&key) || key.eq_ignore_ascii_case(b"tables"));
            prefix.usual &= of_response || (is_usual(&key) && (!nested || empty));
            prefix.error |= is_error_key(&key) && is_filled(members.rest());
            prefix.record_keys.note(&key);
            let start = members.position;
            if !members.pass_value() {
                break;
            }
            prefix.error |= says_partial(&key, &object[start..members.position]);
        }
        prefix
    }
}

/// Classifies an object with an array under an unusual key. It is a wrapper only if the elements have keys that
/// nothing inside a record has.
fn under_any_key(object: &[u8], at: usize, more: bool) -> ObjectKind {
    let elements = object[at + 1..].trim_ascii_start();
    if elements.is_empty() && more {
        return ObjectKind::Unclear;
    }
    if !elements.starts_with(b"{") || PrefixKeys::of(object, at).record_keys.is_record() {
        return ObjectKind::Record;
    }
    match ValueScan::strict().resume(elements) {
        ScanStop::More if more && elements.len() < MAX_ELEMENT_BYTES => ObjectKind::Unclear,
        ScanStop::End(length) if RecordKeys::of(&elements[..length]).is_certain() => ObjectKind::Wrapper,
        _ => ObjectKind::Record,
    }
}

/// Classifies an object that may have tables: these are recognised by their columns and rows.
fn of_tables(prefix: &PrefixKeys, elements: &[u8], more: bool) -> ObjectKind {
    let mut members = KeyReader::of(elements);
    loop {
        match members.next() {
            NextKey::Key(key) if [&b"rows"[..], b"columns"].iter().any(|name| key.eq_ignore_ascii_case(name)) => {
                return ObjectKind::Response(prefix.error);
            }
            NextKey::Key(_) if members.pass_value() => {}
            NextKey::Key(_) | NextKey::Truncated if more && elements.len() < MAX_ELEMENT_BYTES => {
                return ObjectKind::Unclear;
            }
            NextKey::Key(_) | NextKey::Truncated if prefix.usual => return ObjectKind::Response(prefix.error),
            _ => return ObjectKind::Record,
        }
    }
}

/// Classifies an object that may have records: these are recognised by their keys. An element of unknown shape counts
/// as a record if the object has only usual keys.
fn of_records(object: &[u8], at: usize, prefix: &PrefixKeys, elements: &[u8], more: bool) -> ObjectKind {
    let whole = match ValueScan::strict().resume(elements) {
        ScanStop::More if more && elements.len() < MAX_ELEMENT_BYTES => return ObjectKind::Unclear,
        ScanStop::End(length) => &elements[..length],
        _ => elements,
    };
    if RecordKeys::of(whole).is_record() {
        return if prefix.record_keys.is_envelope() { ObjectKind::Record } else { ObjectKind::Wrapper };
    }
    if !prefix.usual {
        return ObjectKind::Record;
    }
    let mut members = KeyReader::of(object);
    members.position = at;
    let mut record_keys = prefix.record_keys;
    if !members.pass_value() {
        return if more && object.len() < MAX_OBJECT_BYTES { ObjectKind::Unclear } else { ObjectKind::Wrapper };
    }
    loop {
        match members.next() {
            NextKey::Key(key) => record_keys.note(&key),
            NextKey::Truncated if more && object.len() < MAX_OBJECT_BYTES => return ObjectKind::Unclear,
            _ => break,
        }
        if !members.pass_value() && more && object.len() < MAX_OBJECT_BYTES {
            return ObjectKind::Unclear;
        }
    }
    if record_keys.is_record() { ObjectKind::Record } else { ObjectKind::Wrapper }
}
