//! The expressions of templates: text in square brackets.

use super::node::{Node, NodeContent};

/// The maximum depth of an expression.
const MAX_DEPTH: usize = 32;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateExpression {
    /// A string.
    String(String),
    /// A whole number, as written.
    Number(String),
    /// A call of a function.
    Call {
        /// The name.
        function: String,
        /// The arguments.
        arguments: Vec<TemplateExpression>,
    },
    /// A property of a value.
    Property(Box<TemplateExpression>, String),
}

/// What a string of a template is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateString<'a> {
    /// A string that is not an expression, without the escape of its first bracket.
    Literal(&'a str),
    /// An expression.
    Expression(TemplateExpression),
    /// An expression whose syntax is not supported.
    Unknown,
}

/// True if a string of a template is an expression. A second bracket at the beginning is an escape.
pub(super) fn is_expression(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[")
}

/// Parses a string of a template.
pub(super) fn parse(text: &str) -> TemplateString<'_> {
    if !is_expression(text) {
        let is_escaped = text.starts_with("[[") && text.ends_with(']');
        return TemplateString::Literal(&text[usize::from(is_escaped)..]);
    }
    let mut parser = ExpressionParser { rest: text.get(1..text.len() - 1).unwrap_or_default() };
    match parser.expression(0) {
        Some(expression) if parser.rest.trim_start().is_empty() => TemplateString::Expression(expression),
        _ => TemplateString::Unknown,
    }
}

/// Returns the string that a function returns for strings, numbers, truth values and lists of them; None if the function
/// is not supported. A result longer than `limit` bytes may be cut off at any byte after the limit.
pub(super) fn call(function: &str, arguments: &[Node], limit: usize) -> Option<String> {
    if let ("join", [Node { content: NodeContent::Sequence(elements), .. }, delimiter]) = (function, arguments) {
        return joined(elements, delimiter.text()?, limit);
    }
    let texts: Vec<&str> = arguments.iter().map(Node::text).collect::<Option<_>>()?;
    match (function, texts.as_slice()) {
        ("concat", [_, ..]) => Some(texts.concat()),
        ("string", [text]) => Some((*text).to_owned()),
        ("tolower", [text]) => Some(text.to_lowercase()),
        ("toupper", [text]) => Some(text.to_uppercase()),
        ("true" | "false", []) => Some(function.to_owned()),
        ("format", [format, values @ ..]) => formatted(format, values, limit),
        _ => None,
    }
}

/// Returns the elements with the delimiter between them; None if an element is not a string, number or truth value.
fn joined(elements: &[Node], delimiter: &str, limit: usize) -> Option<String> {
    let mut string = String::new();
    for (index, element) in elements.iter().enumerate() {
        string.push_str(if index > 0 { delimiter } else { "" });
        string.push_str(element.text()?);
        if string.len() > limit {
            break;
        }
    }
    Some(string)
}

/// The format with its `{0}` replaced by values; None if it has items of another form.
fn formatted(format: &str, values: &[&str], limit: usize) -> Option<String> {
    let (mut text, mut rest) = (String::new(), format);
    while let Some(at) = rest.find(['{', '}']).filter(|_| text.len() <= limit) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        match rest.strip_prefix(brace) {
            Some(after) => {
                text.push_str(brace);
                rest = after;
            }
            None => {
                let (number, after) = rest.split_once('}').filter(|_| brace == "{")?;
                text.push_str(values.get(number.parse::<usize>().ok()?)?);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Some(text)
}

struct ExpressionParser<'a> {
    rest: &'a str,
}

impl ExpressionParser<'_> {
    fn expression(&mut self, depth: usize) -> Option<TemplateExpression> {
        let mut value = self.primary(depth)?;
        while self.takes('.') {
            value = TemplateExpression::Property(Box::new(value), self.name()?);
        }
        Some(value)
    }

    fn primary(&mut self, depth: usize) -> Option<TemplateExpression> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.takes('\'') {
            return self.string().map(TemplateExpression::String);
        }
        let digits = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            let (number, rest) = self.rest.split_at(self.rest.len() - digits.len() + count);
            self.rest = rest;
            return Some(TemplateExpression::Number(number.to_owned()));
        }
        let function = self.name()?;
        self.takes('(').then_some(())?;
        let mut arguments = Vec::new();
        while !self.takes(')') {
            if !arguments.is_empty() {
                self.takes(',').then_some(())?;
            }
            arguments.push(self.expression(depth + 1)?);
        }
        Some(TemplateExpression::Call { function, arguments })
    }

    /// The rest of a string after its quote; a quote in it is doubled.
    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let (before, after) = self.rest.split_once('\'')?;
            text.push_str(before);
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    self.rest = after;
                }
                None => {
                    self.rest = after;
                    return Some(text);
                }
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = self.rest.find(|c| !is_letter(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// True if the next character, after whitespace, is `symbol`, which is then skipped.
    fn takes(&mut self, symbol: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(symbol);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{TemplateExpression, TemplateString, formatted, parse};

    #[test]
    fn expressions_are_parsed_or_left_alone() {
        let call = |function: &str, argument: &str| TemplateExpression::Call {
            function: function.to_owned(),
            arguments: vec![TemplateExpression::String(argument.to_owned())],
        };
        assert_eq!(parse("[parameters('it''s')]"), TemplateString::Expression(call("parameters", "it's")));
        let property = TemplateExpression::Property(Box::new(call("variables", "a")), "b".to_owned());
        assert_eq!(parse("[ variables( 'a' ).b ]"), TemplateString::Expression(property));
        for (text, literal) in [("a", "a"), ("[[a]", "[a]"), ("['a", "['a"), ("[[a", "[[a"), ("", ""), ("[", "[")] {
            assert_eq!(parse(text), TemplateString::Literal(literal), "{text}");
        }
        for text in ["[a]", "[a(]", "[a('b]", "[a('b') c]", "[]", "[a(,)]", "[resourceId('a'):x]", "[a()[0]]"] {
            assert_eq!(parse(text), TemplateString::Unknown, "{text}");
        }
        let deep = format!("[{}{}]", "a(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep), TemplateString::Unknown);
    }

    #[test]
    fn formats_are_filled() {
        assert_eq!(formatted("{0}-{1}{{x}}{0}", &["a", "b"], 100).as_deref(), Some("a-b{x}a"));
        for format in ["{2}", "{", "}", "{0:N}", "{a}"] {
            assert_eq!(formatted(format, &["a", "b"], 100), None, "{format}");
        }
    }
}
