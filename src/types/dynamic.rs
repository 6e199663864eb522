//! dynamic: JSON text; parse, path access, print.
use std::borrow::Cow;

/// What `tostring()` answers: the bare text of a JSON string, compact JSON of anything else.
#[must_use]
pub fn to_text(json: &str) -> Cow<'_, str> {
    Cow::Borrowed(json)
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// `.key` or `["key"]`.
    Member(String),
    /// `[n]`; negative counts from the end.
    Index(i64),
}

/// Steps into a dynamic value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Path(pub Vec<Step>);

/// The JSON text that `path` finds in `json`.
#[must_use]
pub fn extract<'a>(_json: &'a str, _path: &Path) -> Option<&'a str> {
    None
}
