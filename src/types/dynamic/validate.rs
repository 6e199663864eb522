//! Checks that strings are valid JSON for dynamic values.

use std::borrow::Cow;

use super::quote;
use crate::json::cursor::{self, Cursor};
use crate::json::validated_cache::ValidatedCache;

/// Why a string is not valid JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The position of the first byte with which the JSON is no longer valid.
    pub offset: usize,
    /// True if the JSON is nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH); apart from that it may be valid.
    pub too_deep: bool,
}

/// Returns what `parse_json()` returns: valid JSON is unchanged, and the empty string becomes `null`. Anything else
/// becomes a JSON string, and so does JSON that is nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
#[must_use]
pub fn from_text(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed("null");
    }
    if validate_text(text.as_bytes()).is_ok() {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quote(text, &mut quoted);
    Cow::Owned(quoted)
}

/// Checks that `json` is one JSON value in UTF-8, with optional whitespace around it.
///
/// A `\u` escape of an unpaired surrogate is accepted: the grammar of JSON allows it.
///
/// # Errors
/// [`Invalid`] with the position of the first error.
pub fn validate(json: &[u8]) -> Result<(), Invalid> {
    if let Err(error) = std::str::from_utf8(json) {
        return Err(Invalid { offset: error.valid_up_to(), too_deep: false });
    }
    validate_text(json)
}

/// Returns whether `text` is one JSON value, as [`validate`] does, and looks up the elements of an array in `elements`.
pub(crate) fn is_valid(text: &str, elements: &mut ValidatedCache) -> bool {
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.skip_whitespace();
    elements.value(&mut cursor, 0).is_ok() && cursor.end().is_ok()
}

fn validate_text(json: &[u8]) -> Result<(), Invalid> {
    cursor::validate(json)
        .map_err(|error| Invalid { offset: error.first_wrong_byte(json), too_deep: error.reason == cursor::TOO_DEEP })
}
