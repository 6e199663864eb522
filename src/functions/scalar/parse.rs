//! parse_version and parse_csv: versions as numbers that can be compared, and the fields of a CSV record.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Decimal, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "parse_version",
        category: Category::Parse,
        summary: "Returns a comparable decimal for a version of up to four numbers, or null if the string is not a \
                  version.",
        overloads: &[Overload {
            params: &[Param::new(
                "version",
                Type::String,
                "one to four numbers of up to eight digits, with dots between them",
            )],
            returns: Returns::Type(Type::Decimal),
            kernel: parse_version,
        }],
        examples: &[
            Example::new("parse_version('0.0.0.5')", "5"),
            Example::new("parse_version('1.2.3.4')", "1000000020000000300000004"),
            Example::new("parse_version('1') == parse_version('1.0.0.0')", "true"),
            Example::new("parse_version('1.x')", "decimal(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "parse_csv",
        category: Category::Parse,
        summary: "Returns an array of the values of the first CSV record of the string.",
        overloads: &[Overload {
            params: &[Param::new("text", Type::String, "the CSV string")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(args.map_text(0, first_record)),
        }],
        examples: &[
            Example::new(r#"parse_csv('aa,"b,b",cc,"say ""hi"""')"#, r#"["aa","b,b","cc","say \"hi\""]"#),
            Example::new(r"parse_csv('record1,a\nrecord2,x')", r#"["record1","a"]"#),
        ],
        result_name: ResultName::FirstArgument,
        ..ScalarFunction::DEFAULT
    },
];

/// Maximum number of parts of a version. [`DIGITS`] limits the digits of each part. Source: the reference's page on
/// parse_version().
const PARTS: usize = 4;
const DIGITS: usize = 8;

fn parse_version(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| {
        let Some(number) = texts.get(row).and_then(version) else { return Ok(None) };
        let value = i128::try_from(number).ok().and_then(|number| Decimal::from_parts(number, 0).ok());
        let message = "the first number of a version is too large for the decimals of this program";
        value
            .map(|value| Some(Value::Decimal(value)))
            .ok_or_else(|| Error::query(Code::ValueOutOfRange, Span::default(), message))
    })
}

fn version(text: &str) -> Option<u128> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > PARTS {
        return None;
    }
    let padded = parts.iter().copied().chain(std::iter::repeat("0")).take(PARTS);
    padded.map(part).try_fold(0, |number, part| Some(number * 10_u128.pow(8) + part?))
}

fn part(digits: &str) -> Option<u128> {
    let valid = (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().ok()).flatten()
}

/// Returns the fields of the first CSV record as a JSON array. A quoted field may contain commas, line feeds and
/// doubled quotes.
fn first_record(text: &str) -> String {
    let mut fields = ArrayWriter::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push_text(&std::mem::take(&mut field)),
            '\n' if !quoted => break,
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            _ => field.push(character),
        }
    }
    fields.push_text(&field);
    fields.finish()
}

#[cfg(test)]
mod tests {
    use super::{first_record, version};

    #[test]
    fn versions() {
        assert_eq!(version("0.1.2.0"), Some(10_000_000_200_000_000));
        assert_eq!(version("99999999.99999999.99999999.99999999"), Some(10_u128.pow(32) - 1));
        for text in ["", ".", "1.", "1..2", "1.2.3.4.5", "123456789", "-1", "1.x", "١"] {
            assert_eq!(version(text), None, "{text}");
        }
    }

    #[test]
    fn records() {
        let table = [
            ("", r#"[""]"#),
            ("a,,b", r#"["a","","b"]"#),
            ("a,\"b\nc\"\r\nd", r#"["a","b\nc"]"#),
            ("a,\"b", r#"["a","b"]"#),
            ("a\"b\"", r#"["a\"b\""]"#),
        ];
        for (text, expected) in table {
            assert_eq!(first_record(text), expected, "{text}");
        }
    }
}
