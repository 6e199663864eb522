//! dynamic: JSON that is read where it is, without parsing all of it.
//!
//! A value is a slice of its JSON; looking up a member, an element or a path skips the rest. Every function expects
//! well-formed JSON, as [`validate()`] checks it. For malformed JSON the result is arbitrary, but no function panics or
//! does more than linear work. No function recurses as deep as values are nested.
//!
//! If a bag contains a key more than once, the last entry counts, as in most JSON readers; the reference only says that
//! keys are unique. The order of keys and the digits of numbers are kept.

mod path;
mod path_lookup;
mod print;
mod row_json;
mod skip;
mod validate;
mod write;

pub use crate::json::MAX_DEPTH;
pub use path::{Path, Step, extract};
pub use path_lookup::PathLookup;
pub use print::{canonical, compact, quote, to_text, unescape};
pub use row_json::{row_json, value_json};
pub use skip::{Elements, Entries, Entry, Key, elements, entries, unique_entries};
pub(crate) use validate::is_valid;
pub use validate::{Invalid, from_text, validate};
pub use write::{ArrayWriter, BagWriter, write_row, write_value};

/// The kind of value in a dynamic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// An integer that fits 64 bits.
    Long,
    /// Any other number.
    Double,
    /// A string.
    String,
    /// An array, `[...]`.
    Array,
    /// A property bag, `{...}`.
    Bag,
}

impl Kind {
    /// Returns the name that `gettype()` returns.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Long => "long",
            Self::Double => "double",
            Self::String => "string",
            Self::Array => "array",
            Self::Bag => "dictionary",
        }
    }
}

/// Returns the kind of `json`, which its first character shows, and for a number its digits.
#[must_use]
pub fn kind(json: &str) -> Kind {
    let json = json.trim_ascii();
    match json.as_bytes().first() {
        None | Some(b'n') => Kind::Null,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'"') => Kind::String,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Bag,
        Some(_) => match json.parse::<i64>() {
            Ok(_) => Kind::Long,
            Err(_) => Kind::Double,
        },
    }
}

/// Returns the value of `key` in the bag `json`; None if `json` is not a bag or lacks the key. A JSON `null` is Some.
#[must_use]
pub fn get_member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    entries(json).filter(|entry| entry.key.is(key)).last().map(|entry| entry.value)
}

/// Returns the element at `index` of the array `json`, counted from the end if negative; None if `json` is not an array
/// or too short. A JSON `null` is Some.
#[must_use]
pub fn get_index(json: &str, index: i64) -> Option<&str> {
    let from_start = if index < 0 {
        let length = i64::try_from(elements(json).count()).ok()?;
        length.checked_add(index)?
    } else {
        index
    };
    elements(json).nth(usize::try_from(from_start).ok()?)
}

#[cfg(test)]
mod tests;
