//! Reads the keys of an object that may be incomplete, and recognises records by them.

use std::borrow::Cow;

use super::value_scan::value_end;
use crate::types::dynamic;

/// Keys by which records are recognised: those of diagnostic settings, of table rows, of Microsoft Graph objects and
/// of the objects of its cmdlets.
const RECORD_KEYS: [&[u8]; 8] = [
    b"time",
    b"category",
    b"properties",
    b"TimeGenerated",
    b"createdDateTime",
    b"CreatedDateTime",
    b"activityDateTime",
    b"ActivityDateTime",
];

/// Number of bytes of an object in which its first keys are searched.
const FIRST_KEYS_BYTES: usize = 1 << 10;

/// Number of first keys that are compared; they distinguish one kind of object from another.
const MAX_FIRST_KEYS: usize = 3;

/// Reads the members of an object one after the other.
pub(super) struct KeyReader<'a> {
    bytes: &'a [u8],
    pub position: usize,
}

/// The next key, or the reason why there is none.
pub(super) enum NextKey<'a> {
    /// A key; the reader is at its value.
    Key(Cow<'a, [u8]>),
    /// The object has ended; the reader is after it.
    End,
    /// The bytes end before the next key.
    Truncated,
    /// The bytes are not valid JSON.
    Invalid,
}

impl<'a> KeyReader<'a> {
    /// Creates a reader of the object at the start of `bytes`.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 1 }
    }

    /// Returns the next key. The caller must have skipped the value of the key before it.
    pub(super) fn next(&mut self) -> NextKey<'a> {
        if self.skip_whitespace() == Some(b',') {
            self.position += 1;
        }
        match self.skip_whitespace() {
            Some(b'"') => {}
            Some(b'}') => {
                self.position += 1;
                return NextKey::End;
            }
            Some(_) => return NextKey::Invalid,
            None => return NextKey::Truncated,
        }
        let start = self.position;
        if !self.pass_value() {
            return NextKey::Truncated;
        }
        let key = unescaped(&self.bytes[start + 1..self.position - 1]);
        match self.skip_whitespace() {
            Some(b':') => self.position += 1,
            Some(_) => return NextKey::Invalid,
            None => return NextKey::Truncated,
        }
        if self.skip_whitespace().is_none() { NextKey::Truncated } else { NextKey::Key(key) }
    }

    /// Skips the value at the position; returns false if it is incomplete.
    pub(super) fn pass_value(&mut self) -> bool {
        let length = value_end(self.bytes.get(self.position..).unwrap_or_default());
        self.position += length.unwrap_or(0);
        length.is_some()
    }

    /// Returns the first byte of the value at the position; None at the end of the bytes.
    pub(super) fn first(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Returns the bytes from the value at the position on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn skip_whitespace(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.position..)?;
        let whitespace = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.position += whitespace;
        rest.get(whitespace).copied()
    }
}

/// Returns the keys of the object at the start of `bytes`, at most `count` of them, up to the first incomplete member.
pub(crate) fn object_keys(bytes: &[u8], count: usize) -> Vec<Cow<'_, [u8]>> {
    let mut members = KeyReader::of(bytes);
    let mut keys = Vec::new();
    while let NextKey::Key(key) = members.next() {
        keys.push(key);
        if keys.len() == count || !members.pass_value() {
            break;
        }
    }
    keys
}

/// Returns the key between its quotes, with escapes decoded.
pub(super) fn unescaped(key: &[u8]) -> Cow<'_, [u8]> {
    if !key.contains(&b'\\') {
        return Cow::Borrowed(key);
    }
    let quoted = format!("\"{}\"", String::from_utf8_lossy(key));
    Cow::Owned(dynamic::to_text(&quoted).into_owned().into_bytes())
}

/// True for the keys under which services return errors beside the records. They match in any case.
pub(super) fn is_error_key(key: &[u8]) -> bool {
    const KEYS: [&[u8]; 6] = [b"error", b"errors", b"odata.error", b"PartialError", b"OneApiErrors", b"Exceptions"];
    KEYS.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// True if `bytes` start with an object, array or string that is not empty.
pub(super) fn is_filled(bytes: &[u8]) -> bool {
    let inside = |bytes: &[u8]| bytes.trim_ascii_start().first().copied();
    match bytes.split_first() {
        Some((b'{', rest)) => inside(rest).is_some_and(|byte| byte != b'}'),
        Some((b'[', rest)) => inside(rest).is_some_and(|byte| byte != b']'),
        Some((b'"', rest)) => rest.first().is_some_and(|byte| *byte != b'"'),
        _ => false,
    }
}

/// The record keys that an object has, one bit for each of [`RECORD_KEYS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordKeys(u8);

impl RecordKeys {
    /// Reads the keys of the object at the start of `bytes`, up to the first incomplete member.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut record_keys = Self::default();
        let mut members = KeyReader::of(bytes);
        while let NextKey::Key(key) = members.next() {
            record_keys.note(&key);
            if !members.pass_value() {
                break;
            }
        }
        record_keys
    }

    /// Adds `key` if it is a record key.
    pub(super) fn note(&mut self, key: &[u8]) {
        // Services write the envelope of diagnostic settings in any case.
        let is = |(index, record_key): (usize, &&[u8])| {
            if index < 3 { record_key.eq_ignore_ascii_case(key) } else { *record_key == key }
        };
        if let Some(index) = RECORD_KEYS.iter().enumerate().position(is) {
            self.0 |= 1 << index;
        }
    }

    /// True if an object with these keys is a record.
    pub(super) fn is_record(self) -> bool {
        self.0 & 0b11 == 0b11 || self.0 >> 3 != 0
    }

    /// True if only a record of diagnostic settings has these keys.
    pub(super) fn is_envelope(self) -> bool {
        self.0 & 0b111 == 0b111
    }

    /// True for a record of diagnostic settings or a table row. No object that is nested in a record has these keys.
    pub(super) fn is_certain(self) -> bool {
        self.is_envelope() || self.0 & 0b1000 != 0
    }
}

/// The first keys of an object, by which records of the same kind are recognised.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstKeys {
    keys: Vec<Vec<u8>>,
    /// True if the object may have more keys in bytes that have not been read yet.
    pub cut: bool,
    /// Number of bytes that were examined.
    pub read: usize,
}

impl FirstKeys {
    /// Reads the first keys of the object at the start of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(FIRST_KEYS_BYTES)];
        let mut first_keys = Self::default();
        let mut members = KeyReader::of(bytes);
        while first_keys.keys.len() < MAX_FIRST_KEYS {
            match members.next() {
                NextKey::Key(key) => first_keys.keys.push(key.into_owned()),
                NextKey::End | NextKey::Invalid => {
                    first_keys.read = members.position;
                    return first_keys;
                }
                NextKey::Truncated => break,
            }
            if first_keys.keys.len() < MAX_FIRST_KEYS && !members.pass_value() {
                break;
            }
        }
        let whole = first_keys.keys.len() == MAX_FIRST_KEYS;
        first_keys.cut = !whole && bytes.len() < FIRST_KEYS_BYTES;
        first_keys.read = if whole { members.position } else { bytes.len() };
        first_keys
    }

    /// True if both objects have the same first keys.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.keys == other.keys && self.cut == other.cut
    }

    /// True if there are enough keys to distinguish the object from other kinds of objects.
    pub(super) fn is_distinctive(&self) -> bool {
        self.keys.len() == MAX_FIRST_KEYS
    }

    /// True if objects with these keys are of the same kind as objects with the keys `other`.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let common = self.keys.len().min(other.keys.len());
        let equal = self.keys[..common] == other.keys[..common];
        equal && (common > 1 || (common == 1 && self.keys.len() == other.keys.len()))
    }
}
