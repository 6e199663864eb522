//! dynamic: JSON text that is taken apart without being parsed as a whole.
//!
//! A value is a slice of the text it came from: looking up a member, an element or a path skips over the rest. Every
//! function takes well-formed JSON, as [`validate()`] checks it; anything else gives some answer, but never a panic
//! and never more than linear work. Nothing recurses on the depth of the text.
//!
//! Of a key that stands in a bag more than once the last one counts, as for most readers of JSON; the reference only
//! says that keys are unique. Key order and the text of numbers are kept.

mod path;
mod print;
mod skip;
mod validate;
mod write;

pub use path::{Path, PathSet, Step, extract};
pub use print::{canonical, compact, quote, to_text, unescape};
pub use skip::{Elements, Entries, Entry, Key, elements, entries, unique_entries};
pub use validate::{Invalid, MAX_DEPTH, from_text, validate};
pub use write::{ArrayWriter, BagWriter, write_row, write_value};

/// What a dynamic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number that fits 64 bits.
    Long,
    /// Any other number.
    Double,
    /// A text.
    String,
    /// `[...]`.
    Array,
    /// `{...}`.
    Bag,
}

impl Kind {
    /// The name that `gettype()` answers.
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

/// What `json` holds, told by its first character, and for a number by its digits.
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

/// The value of `key` in the bag that `json` is; None where it is no bag or has no such key. A JSON `null` is Some.
#[must_use]
pub fn get_member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    entries(json).filter(|entry| entry.key.is(key)).last().map(|entry| entry.value)
}

/// The element at `index` of the array that `json` is, counted from the end where negative; None where it is no array
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
