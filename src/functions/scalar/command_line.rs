//! parse_command_line: the arguments of a command line of Windows.
//!
//! Source: Microsoft's page on `CommandLineToArgvW`, which the reference's page on parse_command_line() refers to.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "parse_command_line",
    category: Category::Parse,
    summary: "Returns an array of the arguments of a command line.",
    overloads: &[Overload {
        params: &[
            Param::new("command_line", Type::String, "the command line"),
            Param::new("parser_type", Type::String, "'windows': as the function CommandLineToArgvW").constant(),
        ],
        returns: Returns::Type(Type::Dynamic),
        kernel: |args| Ok(args.map_text(0, arguments)),
    }],
    examples: &[
        Example::new(
            r#"parse_command_line(@'net.exe user "Kim A" /add', 'windows')"#,
            r#"["net.exe","user","Kim A","/add"]"#,
        ),
        Example::new("parse_command_line('', 'windows')", "[]"),
    ],
    validate: check_parser,
    ..ScalarFunction::DEFAULT
}];

fn check_parser(constants: &[Option<&Value>]) -> Result<()> {
    match constants.get(1).copied().flatten().and_then(Value::as_str) {
        Some("windows") | None => Ok(()),
        Some(_) => Err(Error::query(Code::InvalidValue, Span::default(), "the parser type must be 'windows'")),
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn arguments(line: &str) -> String {
    let mut array = ArrayWriter::new();
    let mut rest = line;
    if !line.is_empty() {
        let (program, after) = program(line);
        array.push_text(program);
        rest = after.trim_start_matches(is_blank);
    }
    while !rest.is_empty() {
        let (argument, after) = argument(rest);
        array.push_text(&argument);
        rest = after.trim_start_matches(is_blank);
    }
    array.finish()
}

/// Returns the name of the program, and the rest of the line. Backslashes have no special meaning in the name.
fn program(line: &str) -> (&str, &str) {
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => line.find(is_blank).map_or((line, ""), |at| line.split_at(at)),
    }
}

/// Returns the next argument, and the rest of the line. Before a quotation mark, two backslashes are one, and a single
/// one escapes the mark. Two quotation marks inside quotation marks are one.
fn argument(line: &str) -> (String, &str) {
    let (mut argument, mut is_quoted) = (String::new(), false);
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let after_backslashes = rest.trim_start_matches('\\');
        let backslashes = rest.len() - after_backslashes.len();
        if backslashes > 0 {
            let escapes = after_backslashes.starts_with('"');
            argument.extend(std::iter::repeat_n('\\', if escapes { backslashes / 2 } else { backslashes }));
            rest = after_backslashes;
            if escapes && backslashes % 2 == 1 {
                argument.push('"');
                rest = &rest[1..];
            }
        } else if character == '"' {
            rest = &rest[1..];
            if is_quoted && rest.starts_with('"') {
                argument.push('"');
                rest = &rest[1..];
            } else {
                is_quoted = !is_quoted;
            }
        } else if is_blank(character) && !is_quoted {
            break;
        } else {
            argument.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    (argument, rest)
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn quotation_marks_and_backslashes() {
        let table = [
            (r#"a "b c" d"#, r#"["a","b c","d"]"#),
            (r#""C:\Program Files\x.exe"  /a"#, r#"["C:\\Program Files\\x.exe","/a"]"#),
            (r#"x "ab\"c" "\\" d"#, r#"["x","ab\"c","\\","d"]"#),
            (r#"x a\\b d"e f"g h"#, r#"["x","a\\\\b","de fg","h"]"#),
            (r#"x a\\\"b c d"#, r#"["x","a\\\"b","c","d"]"#),
            (r#"x a\\"b c" d"#, r#"["x","a\\b c","d"]"#),
            (r#"x "a""b""#, r#"["x","a\"b"]"#),
            (r#"x "open"#, r#"["x","open"]"#),
            (r#"x """#, r#"["x",""]"#),
            ("x ü\té ", r#"["x","ü","é"]"#),
        ];
        for (line, expected) in table {
            assert_eq!(arguments(line), expected, "{line}");
        }
    }
}
