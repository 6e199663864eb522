//! The members of an object, as far as its bytes are there: what its keys say about it.

use std::borrow::Cow;

use super::value_scan::value_end;
use crate::types::dynamic;

/// Keys by which records are known: of diagnostic settings, of tables, of Graph and of its cmdlets.
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

/// Bytes of an object that are looked at for its first keys.
const FIRST_KEYS_BYTES: usize = 1 << 10;

/// Keys that tell one kind of objects from another.
const FIRST_KEYS: usize = 3;

/// Passes the members of an object one by one.
pub(super) struct ObjectKeys<'a> {
    bytes: &'a [u8],
    pub position: usize,
}

/// What comes next in an object.
pub(super) enum NextKey<'a> {
    /// A key; its value begins at the position.
    Key(Cow<'a, [u8]>),
    /// The object ends in front of the position.
    End,
    /// The bytes end first.
    Truncated,
    /// No JSON.
    Invalid,
}

impl<'a> ObjectKeys<'a> {
    /// Those of the object that `bytes` start with.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 1 }
    }

    /// The next key; the value before was passed.
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

    /// Passes the value at the position; false where it goes on behind the bytes.
    pub(super) fn pass_value(&mut self) -> bool {
        let length = value_end(self.bytes.get(self.position..).unwrap_or_default());
        self.position += length.unwrap_or(0);
        length.is_some()
    }

    /// The first byte of the value at the position.
    pub(super) fn first(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// The bytes from the value at the position on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn skip_whitespace(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.position..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.position += blanks;
        rest.get(blanks).copied()
    }
}

/// The key that stands between quotes.
pub(super) fn unescaped(key: &[u8]) -> Cow<'_, [u8]> {
    if !key.contains(&b'\\') {
        return Cow::Borrowed(key);
    }
    let quoted = format!("\"{}\"", String::from_utf8_lossy(key));
    Cow::Owned(dynamic::to_text(&quoted).into_owned().into_bytes())
}

/// True for the keys under which services put errors beside what they return.
pub(super) fn is_error_key(key: &[u8]) -> bool {
    const KEYS: [&[u8]; 6] = [b"error", b"errors", b"odata.error", b"PartialError", b"OneApiErrors", b"Exceptions"];
    KEYS.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// True for an object, array or string that `bytes` start with and that is not empty.
pub(super) fn is_filled(bytes: &[u8]) -> bool {
    let inside = |bytes: &[u8]| bytes.trim_ascii_start().first().copied();
    match bytes.split_first() {
        Some((b'{', rest)) => inside(rest).is_some_and(|byte| byte != b'}'),
        Some((b'[', rest)) => inside(rest).is_some_and(|byte| byte != b']'),
        Some((b'"', rest)) => rest.first().is_some_and(|byte| *byte != b'"'),
        _ => false,
    }
}

/// Which of the keys by which records are known an object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordKeys(u8);

impl RecordKeys {
    /// Those of the object that `bytes` start with, as far as they go.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut marks = Self::default();
        let mut members = ObjectKeys::of(bytes);
        while let NextKey::Key(key) = members.next() {
            marks.note(&key);
            if !members.pass_value() {
                break;
            }
        }
        marks
    }

    /// Adds a key.
    pub(super) fn note(&mut self, key: &[u8]) {
        // The envelope of diagnostic settings is written in any case.
        let is = |(index, mark): (usize, &&[u8])| if index < 3 { mark.eq_ignore_ascii_case(key) } else { *mark == key };
        if let Some(index) = RECORD_KEYS.iter().enumerate().position(is) {
            self.0 |= 1 << index;
        }
    }

    /// True for what has the keys of a record.
    pub(super) fn is_record(self) -> bool {
        self.0 & 0b11 == 0b11 || self.0 >> 3 != 0
    }

    /// True for what can be nothing but a record of diagnostic settings.
    pub(super) fn is_envelope(self) -> bool {
        self.0 & 0b111 == 0b111
    }

    /// True for a record of diagnostic settings or a row of a table: nothing inside of them looks so.
    pub(super) fn is_certain(self) -> bool {
        self.is_envelope() || self.0 & 0b1000 != 0
    }
}

/// The first keys of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstKeys {
    keys: Vec<Vec<u8>>,
    /// True where bytes that are not there yet may tell more.
    pub cut: bool,
    /// Bytes that were looked at.
    pub read: usize,
}

impl FirstKeys {
    /// Those of the object that `bytes` start with.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(FIRST_KEYS_BYTES)];
        let mut head = Self::default();
        let mut members = ObjectKeys::of(bytes);
        while head.keys.len() < FIRST_KEYS {
            match members.next() {
                NextKey::Key(key) => head.keys.push(key.into_owned()),
                NextKey::End | NextKey::Invalid => {
                    head.read = members.position;
                    return head;
                }
                NextKey::Truncated => break,
            }
            if head.keys.len() < FIRST_KEYS && !members.pass_value() {
                break;
            }
        }
        let whole = head.keys.len() == FIRST_KEYS;
        head.cut = !whole && bytes.len() < FIRST_KEYS_BYTES;
        head.read = if whole { members.position } else { bytes.len() };
        head
    }

    /// True if both have the same keys.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.keys == other.keys && self.cut == other.cut
    }

    /// True where so many keys are known that no other kind of objects has them.
    pub(super) fn is_telling(&self) -> bool {
        self.keys.len() == FIRST_KEYS
    }

    /// True where an object with these keys is of the same kind as one with those.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let common = self.keys.len().min(other.keys.len());
        let alike = self.keys[..common] == other.keys[..common];
        alike && (common > 1 || (common == 1 && self.keys.len() == other.keys.len()))
    }
}
