//! dynamic: JSON text; parse, path access, print.
use std::borrow::Cow;

/// What `tostring()` answers: the bare text of a JSON string, compact JSON of anything else.
#[must_use]
pub fn to_text(json: &str) -> Cow<'_, str> {
    Cow::Borrowed(json)
}
