//! String columns whose values are integers.
//!
//! Exports write these values as strings or as integers. A tool that finds a missing value converts such a column to
//! floating point, so that 50126 becomes `50126.0`, for which no query searches.

/// The column with the result of a sign-in.
pub const RESULT: &str = "ResultType";

/// The names of these columns. In other columns, a string such as `1.0` is kept, because it may be a version.
const COLUMNS: [&str; 5] =
    [RESULT, "Level", "AutonomousSystemNumber", "ProcessingTimeInMilliseconds", "ProcessingTimeInMs"];

/// Words that tools write if there is no number.
const NO_NUMBER: [&str; 4] = ["NaN", "nan", "None", "<NA>"];

/// True for a word that tools write if there is no number.
#[must_use]
pub fn is_no_number(text: &str) -> bool {
    NO_NUMBER.contains(&text)
}

/// True for a string column of a known table whose values are integers.
#[must_use]
pub fn holds_whole_numbers(column: &str) -> bool {
    COLUMNS.contains(&column)
}

/// Returns an integer without a decimal point and the zeros after it, "" for the words of [`is_no_number`], and any
/// other text unchanged.
#[must_use]
pub fn without_point(number: &str) -> &str {
    let is = |digits: &str, allowed: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(allowed);
    match number.split_once('.') {
        Some((whole, rest)) if is(whole, u8::is_ascii_digit) && is(rest, |digit| *digit == b'0') => whole,
        None if is_no_number(number) => "",
        _ => number,
    }
}

/// Returns a JSON number, or a JSON string of a number, without a decimal point and the zeros after it; any other
/// value unchanged. Strings matter because all cells of CSV are strings.
#[must_use]
pub fn json_without_point(json: &str) -> &str {
    let Some(text) = json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return without_point(json) };
    match without_point(text) {
        "" => "\"\"",
        whole if whole.len() < text.len() => whole,
        _ => json,
    }
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
