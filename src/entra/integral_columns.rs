//! String columns of integers.
//!
//! Exports write their values as strings or integers. A tool that encounters a missing value converts such a column to
//! floating point, and 50126 becomes `50126.0`, which no query looks for.

/// In other columns, strings such as `1.0` are kept: they may be versions.
const COLUMNS: [&str; 5] =
    ["ResultType", "Level", "AutonomousSystemNumber", "ProcessingTimeInMilliseconds", "ProcessingTimeInMs"];

/// True for a string column of a known table that contains integers.
#[must_use]
pub fn holds_whole_numbers(column: &str) -> bool {
    COLUMNS.contains(&column)
}

/// Returns an integer without a decimal point and zeros after it; any other number unchanged.
#[must_use]
pub fn without_point(number: &str) -> &str {
    let is = |digits: &str, allowed: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(allowed);
    match number.split_once('.') {
        Some((whole, rest)) if is(whole, u8::is_ascii_digit) && is(rest, |digit| *digit == b'0') => whole,
        _ => number,
    }
}

/// Returns a valid JSON number, or string of a number, without a decimal point and zeros after it; any other value
/// unchanged. Cells of CSV are strings, whatever they contain.
#[must_use]
pub fn json_without_point(json: &str) -> &str {
    let Some(text) = json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return without_point(json) };
    let whole = without_point(text);
    if whole.len() < text.len() { whole } else { json }
}

#[cfg(test)]
mod tests {
    use super::{holds_whole_numbers, json_without_point, without_point};
    use crate::entra::known_tables;
    use crate::types::Type;

    #[test]
    fn only_a_whole_number_loses_its_point() {
        for (number, text) in [("50126.0", "50126"), ("0.00", "0"), ("5", "5")] {
            assert_eq!(without_point(number), text);
        }
        for other in ["0.5", "1.", ".0", "1e5", "-1.0", "1.0.0", "\"5.0\"", "", "."] {
            assert_eq!(without_point(other), other);
        }
        for (json, whole) in
            [("5.0", "5"), ("\"5.0\"", "5"), ("\"5\"", "\"5\""), ("\"1.0.0\"", "\"1.0.0\""), ("\"", "\"")]
        {
            assert_eq!(json_without_point(json), whole);
        }
    }

    #[test]
    fn they_are_string_columns() {
        let fields = || known_tables().flat_map(|table| table.schema.fields());
        assert!(fields().all(|field| !holds_whole_numbers(&field.name) || field.ty == Type::String));
        for column in super::COLUMNS {
            assert!(fields().any(|field| field.name == column), "{column}");
        }
    }
}
