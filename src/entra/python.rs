//! Converts dicts and lists in Python's notation to JSON.
//!
//! Programs that write a dynamic value with `str()`, as pandas does in CSV files, write `{'browser': 'Firefox',
//! 'isManaged': None}`. Only literals are converted. JSON has no value for anything else, such as a call.

use crate::types::dynamic;

/// Maximum nesting depth that is read.
const MAX_DEPTH: usize = 64;

/// Words of Python, each with its JSON.
const WORDS: [(&str, &str); 4] = [("True", "true"), ("False", "false"), ("None", "null"), ("nan", "null")];

/// Returns the JSON of a dict or list in Python's notation; None for any other text.
pub(crate) fn to_json(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text.trim(), out: String::with_capacity(text.len()) };
    if !reader.rest.starts_with(['{', '[']) {
        return None;
    }
    reader.value(0)?;
    reader.rest.trim().is_empty().then_some(reader.out)
}

/// Reads the rest of the text, and writes it as JSON to `out`.
struct Reader<'a> {
    rest: &'a str,
    out: String,
}

impl Reader<'_> {
    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Skips whitespace and the token; returns false if the token is not next.
    fn take(&mut self, token: &str) -> bool {
        self.skip_whitespace();
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("{") {
            return self.items('{', "}", depth);
        }
        if self.take("[") {
            return self.items('[', "]", depth);
        }
        if self.take("(") {
            return self.items('[', ")", depth);
        }
        // An array of numpy, as pandas writes a list inside a cell.
        if self.take("array(") {
            self.value(depth + 1)?;
            if self.take(", dtype=") {
                self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            }
            return self.take(")").then_some(());
        }
        if self.rest.starts_with(['\'', '"']) || self.rest.starts_with("u'") {
            return self.string();
        }
        if let Some((word, json)) = WORDS.iter().find(|(word, _)| self.rest.starts_with(word)) {
            self.rest = &self.rest[word.len()..];
            self.out.push_str(json);
            return Some(());
        }
        self.number()
    }

    /// Reads the rest of a dict, list or tuple up to its closing bracket `close`.
    fn items(&mut self, open: char, close: &str, depth: usize) -> Option<()> {
        self.out.push(open);
        let mut first = true;
        while !self.take(close) {
            if !std::mem::take(&mut first) {
                if !self.take(",") {
                    return None;
                }
                // A comma may stand after the last item.
                if self.take(close) {
                    break;
                }
                self.out.push(',');
            }
            if open == '{' {
                self.skip_whitespace();
                self.string()?;
                if !self.take(":") {
                    return None;
                }
                self.out.push(':');
            }
            self.value(depth + 1)?;
        }
        self.out.push(if open == '{' { '}' } else { ']' });
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let rest = self.rest.strip_prefix('u').unwrap_or(self.rest);
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut characters = rest[1..].chars();
        let mut text = String::new();
        loop {
            match characters.next()? {
                c if c == quote => break,
                '\\' => escaped(&mut characters, &mut text)?,
                c => text.push(c),
            }
        }
        self.rest = characters.as_str();
        dynamic::quote(&text, &mut self.out);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let length = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(length);
        // numpy writes 1. for 1.0.
        let zero = if number.ends_with('.') { "0" } else { "" };
        let json = format!("{number}{zero}");
        dynamic::validate(json.as_bytes()).ok()?;
        self.out.push_str(&json);
        self.rest = rest;
        Some(())
    }
}

/// Reads what follows a backslash, and appends the character that it stands for to `text`. A line end stands for
/// nothing. Returns None for anything that is not an escape.
fn escaped(characters: &mut std::str::Chars<'_>, text: &mut String) -> Option<()> {
    let digits = match characters.next()? {
        '\n' => return Some(()),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c => {
            text.push(named_escape(c)?);
            return Some(());
        }
    };
    let code = characters.as_str().get(..digits).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    *characters = characters.as_str()[digits..].chars();
    text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
    Some(())
}

/// Returns the character that an escape of one letter stands for; None if there is no such escape.
fn named_escape(letter: char) -> Option<char> {
    Some(match letter {
        '\\' | '\'' | '"' => letter,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::to_json;
    use crate::types::dynamic;

    #[test]
    fn dicts_and_lists_are_read() {
        for (python, json) in [
            ("{'browser': 'Firefox', 'isManaged': None}", r#"{"browser":"Firefox","isManaged":null}"#),
            (
                "[{'a': True, 'b': False, 'c': -1.5e+3}, (1, 2.), [],]",
                r#"[{"a":true,"b":false,"c":-1.5e+3},[1,2.0],[]]"#,
            ),
            (r#"{"O'Brien": 'say "hi"', 'x': 'it\'s \x41\u00e9 \\'}"#, r#"{"O'Brien":"say \"hi\"","x":"it's Aé \\"}"#),
            ("{'p': array(['a', 'b'], dtype=object), 'n': nan}", r#"{"p":["a","b"],"n":null}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(to_json(python).as_deref(), Some(json), "{python}");
            assert!(dynamic::validate(json.as_bytes()).is_ok());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "'a'",
            "{'a'",
            "{'a': }",
            "{'a': 1} x",
            "['a' 'b']",
            "{1: 2}",
            "{'a': datetime.datetime(2026, 3, 2)}",
            "{a=1}",
            "[object Object]",
            "{'a': 01}",
            "{'a': inf}",
            r"['\q']",
            r"['\x4']",
            "[1,,2]",
            &deep,
        ] {
            assert_eq!(to_json(text), None, "{:?}", &text[..text.len().min(40)]);
        }
    }
}
