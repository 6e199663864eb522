//! Reads strings in dynamic columns: some exports write objects and arrays as strings of JSON, or as Python prints
//! them.

use std::borrow::Cow;

use super::python;
use crate::json::cursor::Cursor;
use crate::types::dynamic;

/// Tells how a value fits the type of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// The value is kept unchanged.
    Whole,
    /// The value does not fit the type of the column, and became null.
    Misfit,
    /// The value is a number that counts this unit.
    Counted(&'static str),
    /// The value is in Python's notation.
    Python,
    /// The value is a string where an object or array is expected.
    NotJson,
    /// A string in the value has half of a surrogate pair.
    HalfPair,
}

/// Returns the JSON that a dynamic column gets for the JSON value of a record, and how it fits. Objects and arrays
/// are kept unchanged. A string that is itself a JSON array or object becomes this array or object, because some
/// exports write dynamic columns so; "" becomes no value; any other string remains a string. It does not fit if the
/// column is `nested`, that is, if it has only objects and arrays.
pub(crate) fn read_dynamic(json: &str, nested: bool) -> (Option<Cow<'_, str>>, Fit) {
    if !json.starts_with('"') {
        return ((json != "null").then_some(Cow::Borrowed(json)), Fit::Whole);
    }
    let (held, fit) = read_dynamic_string(&dynamic::unescape(json), nested);
    let value = match held {
        HeldJson::Nothing => None,
        HeldJson::Json(value) => Some(Cow::Owned(value)),
        HeldJson::String => Some(Cow::Borrowed(json)),
    };
    (value, fit)
}

/// True if a string or key in the JSON has an escape that is only half of a surrogate pair, which is no character.
pub(crate) fn has_unpaired_surrogate(json: &str) -> bool {
    let mut rest = json.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        rest = &rest[at..];
        let length = match (surrogate(rest), surrogate(rest.get(6..).unwrap_or_default())) {
            (Some(Surrogate::High), Some(Surrogate::Low)) => 12,
            (Some(_), _) => return true,
            (None, _) => 2,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

enum Surrogate {
    High,
    Low,
}

/// Returns the kind of surrogate for which `escape` stands; None if it does not begin with one.
fn surrogate(escape: &[u8]) -> Option<Surrogate> {
    let [b'\\', b'u', b'd' | b'D', second, ..] = escape else { return None };
    match second {
        b'8' | b'9' | b'a' | b'A' | b'b' | b'B' => Some(Surrogate::High),
        b'c'..=b'f' | b'C'..=b'F' => Some(Surrogate::Low),
        _ => None,
    }
}

/// The value that a string in a dynamic column stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeldJson {
    /// No value.
    Nothing,
    /// This JSON value.
    Json(String),
    /// The string itself.
    String,
}

/// Returns the value that the string `text` in a dynamic column stands for, by the rules of [`read_dynamic`].
pub(crate) fn read_dynamic_string(text: &str, nested: bool) -> (HeldJson, Fit) {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    if trimmed.is_empty() || trimmed == "null" {
        return (HeldJson::Nothing, Fit::Whole);
    }
    let begins_nested = trimmed.starts_with(['{', '[']);
    if begins_nested && is_json(trimmed) {
        return (HeldJson::Json(trimmed.to_owned()), Fit::Whole);
    }
    if let Some(read) = python::to_json(trimmed) {
        return (HeldJson::Json(read), Fit::Python);
    }
    if let Some(twice) = quoted_twice(trimmed).filter(|_| nested) {
        return (HeldJson::Json(twice), Fit::Whole);
    }
    match trimmed {
        // Python writes these words for a missing value.
        "None" | "nan" | "NaN" if nested => (HeldJson::Nothing, Fit::Whole),
        _ => (HeldJson::String, if nested || begins_nested { Fit::NotJson } else { Fit::Whole }),
    }
}

/// Returns the object or array in a text that was converted to a JSON string twice; None for other texts.
fn quoted_twice(text: &str) -> Option<String> {
    let is_string = text.starts_with('"') && is_json(text);
    let inner = is_string.then(|| dynamic::unescape(text).into_owned())?;
    (inner.starts_with(['{', '[']) && is_json(&inner)).then_some(inner)
}

fn is_json(text: &str) -> bool {
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.value().is_ok() && cursor.end().is_ok()
}

#[cfg(test)]
mod tests {
    use super::has_unpaired_surrogate;

    #[test]
    fn halves_of_pairs_are_found() {
        for (json, found) in [
            (r#"{"browser":"A\ud83d"}"#, true),
            (r#"["\uDE00"]"#, true),
            (r#"["\uD83D\uDE00"]"#, false),
            (r#"["\uD83D\uD83D\uDE00"]"#, true),
            (r#"["\\ud83d"]"#, false),
            (r#"["\ud7ff"]"#, false),
        ] {
            assert_eq!(has_unpaired_surrogate(json), found, "{json}");
        }
    }
}
