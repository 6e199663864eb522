//! The shape of the values of each type, as a regular expression. A typed column takes what matches its shape if no
//! literal string follows it in the pattern, and always with kind=regex.
//!
//! Source: results of the engine, which differ between the kinds of `parse`. With kind=regex, a bool is not a number
//! and a real has no point at its start or end. No shape has an exponent, or the unit of a timespan (`1d`).

use crate::types::Type;

const INTEGER: &str = r"\s*[-+]?[0-9]+";
const GUID: &str = concat!(
    r"\s*(?:\{[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}",
    r"|[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})"
);
const DATETIME: &str = concat!(
    r"\s*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,4})",
    r"(?:[Tt\x20]\s*[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]*)?)?)?",
    r"(?:[Zz]|[-+][0-9]{1,2}(?::[0-9]{1,2})?)?"
);
const TIMESPAN: &str = concat!(
    r"\s*-?(?:[0-9]+\.[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}|[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?)",
    r"(?:\.[0-9]*)?"
);

/// The kinds of `parse` for which the shapes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shapes {
    /// The shapes of kind=simple and kind=relaxed.
    Plain,
    /// The shapes of kind=regex.
    Regex,
}

/// Returns the shape of a type as a regular expression without groups; None for string and dynamic, which may be
/// anything.
pub(super) fn shape(ty: Type, shapes: Shapes) -> Option<&'static str> {
    Some(match (ty, shapes) {
        (Type::Int | Type::Long, _) => INTEGER,
        (Type::Real | Type::Decimal, Shapes::Plain) => r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)",
        (Type::Real | Type::Decimal, Shapes::Regex) => r"\s*[-+]?[0-9]+(?:\.[0-9]+)?",
        (Type::Bool, Shapes::Plain) => r"\s*(?:(?i:true|false)|[-+]?[0-9]+)",
        (Type::Bool, Shapes::Regex) => r"\s*(?i:true|false)",
        (Type::Guid, _) => GUID,
        (Type::Datetime, _) => DATETIME,
        (Type::Timespan, _) => TIMESPAN,
        (Type::String | Type::Dynamic, _) => return None,
    })
}
