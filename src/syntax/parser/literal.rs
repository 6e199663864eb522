//! Parses literals: numbers, strings, `datetime(...)` and similar, `dynamic(...)`.

use nom::Parser;
use nom::combinator::cut;

use super::{
    Expected, ParseResult, Token, TokenKind, Tokens, brackets, comma_list, committed, literal_expr, string, symbol,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::syntax::ast::{Name, ParsedExpr, ParsedExprKind, UnaryOperator};
use crate::syntax::token::is_truth;
use crate::types::{Type, Value, datetime, decimal, dynamic, guid, number, timespan};

/// True if a literal without a sign begins with `token`.
pub(super) fn begins_literal(token: Token<'_>) -> bool {
    match token.kind {
        TokenKind::Word => is_truth(token.text) || token.text == "dynamic",
        TokenKind::String
        | TokenKind::Long
        | TokenKind::Real
        | TokenKind::Timespan
        | TokenKind::Typed
        | TokenKind::RawGuid => true,
        TokenKind::Symbol | TokenKind::Directive | TokenKind::End => false,
    }
}

/// Parses a literal without a sign.
pub(in crate::syntax) fn literal(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let token = input.peek();
    if token.kind == TokenKind::String {
        let (rest, text) = string_literal(input)?;
        return Ok((rest, literal_expr(Value::string(text), rest.span_since(token.span))));
    }
    if token.is_word("dynamic") {
        let (rest, json) = dynamic_literal(input)?;
        return Ok((rest, literal_expr(Value::dynamic(json), rest.span_since(token.span))));
    }
    let rest = input.advance(1);
    let invalid = |what: &str| {
        Diagnostic::new(Code::InvalidLiteral, token.span, format!("{} is not a valid {what}", token.describe()))
    };
    let value = match token.kind {
        TokenKind::Word => Ok(Value::Bool(token.text.eq_ignore_ascii_case("true"))),
        TokenKind::Long => number::parse_long(token.text).map(Value::Long).ok_or_else(|| invalid("long")),
        TokenKind::Real => number::parse_real(token.text).map(Value::Real).ok_or_else(|| invalid("real")),
        TokenKind::Timespan => timespan::parse_unit(token.text).map(Value::Timespan).ok_or_else(|| invalid("timespan")),
        TokenKind::RawGuid => {
            let message = "a guid literal is written guid(...)";
            Err(Diagnostic::new(Code::UnexpectedToken, token.span, message).help(format!("write guid({})", token.text)))
        }
        TokenKind::Typed if is_current_time(token.text) => return Ok((rest, current_time(token.span))),
        TokenKind::Typed => typed(token),
        _ => return input.mismatch(Expected::Kind("a value")),
    };
    // Parsing continues after a malformed value: the message is kept and a null replaces it.
    let value = value.unwrap_or_else(|diagnostic| {
        input.report(diagnostic);
        Value::Null(Type::Dynamic)
    });
    Ok((rest, literal_expr(value, token.span)))
}

/// Parses a literal with an optional sign, such as the default of a parameter or a cell of a `datatable`.
pub(super) fn signed_literal(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let sign = input.peek();
    let operator = match sign.text {
        "-" if sign.kind == TokenKind::Symbol => UnaryOperator::Minus,
        "+" if sign.kind == TokenKind::Symbol => UnaryOperator::Plus,
        _ if begins_literal(sign) => return literal(input),
        _ => return input.mismatch(Expected::Kind("a literal")),
    };
    if let Some(smallest) = smallest_long(&input) {
        return Ok((input.advance(2), literal_expr(smallest, input.advance(2).span_since(sign.span))));
    }
    let number = input.advance(1);
    if !matches!(number.peek().kind, TokenKind::Long | TokenKind::Real | TokenKind::Timespan) {
        return committed(number.mismatch(Expected::Kind("a number")));
    }
    let (rest, operand) = literal(number)?;
    let span = rest.span_since(sign.span);
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Unary { operator, operand: Box::new(operand) }, span }))
}

/// Parses one or more adjacent strings, which are concatenated, as in `"a" 'b'`.
pub(super) fn string_literal(input: Tokens<'_>) -> ParseResult<'_, String> {
    if input.peek().kind != TokenKind::String {
        return input.mismatch(Expected::Kind("a string in quotes"));
    }
    let (mut rest, mut text) = (input, String::new());
    while rest.peek().kind == TokenKind::String {
        let (after, part) = single_string(rest)?;
        text += &part;
        rest = after;
    }
    Ok((rest, text))
}

/// Parses a single string.
pub(super) fn single_string(input: Tokens<'_>) -> ParseResult<'_, String> {
    let token = input.peek();
    if token.kind != TokenKind::String {
        return input.mismatch(Expected::Kind("a string in quotes"));
    }
    let text = string::decode(token.text, token.span.start).unwrap_or_else(|diagnostic| {
        input.report(diagnostic);
        String::new()
    });
    Ok((input.advance(1), text))
}

/// Returns the smallest long if it begins here: `-9223372036854775808`. Its digits without the sign are out of range.
pub(super) fn smallest_long(input: &Tokens<'_>) -> Option<Value> {
    let (sign, digits) = (input.peek(), input.peek_at(1));
    let is_smallest = sign.is_symbol("-") && digits.kind == TokenKind::Long && digits.text == "9223372036854775808";
    is_smallest.then_some(Value::Long(i64::MIN))
}

/// True for `datetime()`, which is the current time, like `now()`.
fn is_current_time(text: &str) -> bool {
    let inside = text.strip_prefix("datetime(").or_else(|| text.strip_prefix("date("));
    inside.is_some_and(|inside| inside.trim_end_matches(')').trim().is_empty())
}

fn current_time(span: Span) -> ParsedExpr {
    let function = Name { text: "now".to_owned(), span };
    ParsedExpr { kind: ParsedExprKind::Call { function, arguments: Vec::new() }, span }
}

/// Parses `type(text)`.
fn typed(token: Token<'_>) -> Result<Value, Diagnostic> {
    let (name, inside) = token.text.split_once('(').unwrap_or((token.text, ""));
    let text = inside.strip_suffix(')').unwrap_or(inside).trim();
    let ty = Type::from_name(name).unwrap_or(Type::Dynamic);
    if text == "null" {
        return Ok(Value::null(ty));
    }
    value_of(ty, text).ok_or_else(|| {
        let message = format!("`{text}` is not a valid {ty} literal");
        let invalid = Diagnostic::new(Code::InvalidLiteral, token.span, message);
        match text.starts_with(|c: char| c.is_alphabetic() || c == '_') && ty != Type::Guid {
            true => invalid.help(format!("to convert a value, write to{ty}({text})")),
            false => invalid,
        }
    })
}

/// Parses `text` as a literal of type `ty`; None if it is not one.
fn value_of(ty: Type, text: &str) -> Option<Value> {
    let nullable = |value: Option<Value>| value.unwrap_or(Value::Null(ty));
    match ty {
        Type::Bool => number::parse_bool(text).map(Value::Bool),
        Type::Int => number::parse_int(text).map(Value::Int),
        Type::Long => number::parse_long(text).map(Value::Long),
        Type::Real => number::parse_real(text).map(Value::Real),
        Type::Decimal => decimal::parse(text).ok().flatten().map(Value::Decimal),
        Type::Datetime => datetime::parse_literal(text).map(|ticks| nullable(ticks.map(Value::Datetime))),
        Type::Timespan => timespan::parse_literal(text).map(|ticks| nullable(ticks.map(Value::Timespan))),
        Type::Guid => guid::parse(text.trim_matches(['"', '\''])).map(Value::Guid),
        Type::String | Type::Dynamic => None,
    }
}

/// Parses `dynamic(json)` as JSON. Numbers and the order of keys stay as written.
fn dynamic_literal(input: Tokens<'_>) -> ParseResult<'_, String> {
    committed(brackets("(", json, ")")(input.advance(1)))
}

/// Parses a JSON value, or a KQL literal that JSON lacks.
fn json(input: Tokens<'_>) -> ParseResult<'_, String> {
    let token = input.peek();
    match token.text {
        "[" if token.kind == TokenKind::Symbol => json_array(input),
        "{" if token.kind == TokenKind::Symbol => json_bag(input),
        "-" if token.kind == TokenKind::Symbol => {
            let (rest, number) = cut(json_number).parse(input.advance(1))?;
            Ok((rest, format!("-{number}")))
        }
        "null" if token.kind == TokenKind::Word => Ok((input.advance(1), "null".to_owned())),
        "dynamic" if token.kind == TokenKind::Word => dynamic_literal(input),
        _ if matches!(token.kind, TokenKind::Long | TokenKind::Real) => json_number(input),
        _ if token.kind == TokenKind::String => string_literal(input).map(|(rest, text)| (rest, quoted(&text))),
        _ if begins_literal(token) => json_literal(input),
        _ => input.mismatch(Expected::Kind("a JSON value")),
    }
}

fn json_array(input: Tokens<'_>) -> ParseResult<'_, String> {
    let (rest, items) = brackets("[", |input| json_list(input, json, "]"), "]")(input)?;
    Ok((rest, format!("[{items}]")))
}

fn json_bag(input: Tokens<'_>) -> ParseResult<'_, String> {
    let (rest, pairs) = brackets("{", |input| json_list(input, json_pair, "}"), "}")(input)?;
    Ok((rest, format!("{{{pairs}}}")))
}

/// Parses the items of an array or bag up to `close`, possibly none. Returns them as one string.
fn json_list<'a>(
    input: Tokens<'a>,
    item: fn(Tokens<'a>) -> ParseResult<'a, String>,
    close: &str,
) -> ParseResult<'a, String> {
    if input.peek().is_symbol(close) {
        return Ok((input, String::new()));
    }
    comma_list(item)(input).map(|(rest, items)| (rest, items.join(",")))
}

/// Parses `"key": value`.
fn json_pair(input: Tokens<'_>) -> ParseResult<'_, String> {
    if input.peek().kind != TokenKind::String {
        return input.mismatch(Expected::Kind("a key in quotes"));
    }
    let (rest, key) = single_string(input)?;
    let (rest, _) = cut(symbol(":")).parse(rest)?;
    let (rest, value) = cut(json).parse(rest)?;
    Ok((rest, format!("{}:{value}", quoted(&key))))
}

/// Parses a number as JSON. KQL's `1.`, `007` and `0x1F`, which JSON does not allow, are rewritten.
fn json_number(input: Tokens<'_>) -> ParseResult<'_, String> {
    let token = input.peek();
    let (rest, text) = (input.advance(1), token.text);
    let has_leading_zero = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    match token.kind {
        TokenKind::Long if !has_leading_zero => Ok((rest, text.to_owned())),
        TokenKind::Real
            if !has_leading_zero && !text.contains(".e") && !text.contains(".E") && !text.ends_with('.') =>
        {
            Ok((rest, text.to_owned()))
        }
        TokenKind::Long | TokenKind::Real => {
            let (rest, value) = literal(input)?;
            literal_text(rest, &value)
        }
        _ => input.mismatch(Expected::Kind("a number")),
    }
}

/// Parses a KQL literal inside `dynamic(...)`: a datetime becomes its ISO string, a timespan its ticks, a guid a
/// string. Source: results of the real engine, which refuses `bool(...)` and `int(...)`.
fn json_literal(input: Tokens<'_>) -> ParseResult<'_, String> {
    let token = input.peek();
    if token.kind == TokenKind::RawGuid {
        return Ok((input.advance(1), quoted(&token.text.to_ascii_lowercase())));
    }
    let is_refused = ["bool(", "int(", "int32("].iter().any(|name| token.text.starts_with(name));
    if is_refused {
        let message = format!("{} is not valid inside dynamic(...)", token.describe());
        input.report(
            Diagnostic::new(Code::InvalidLiteral, token.span, message).help("write the value alone, without its type"),
        );
        return Ok((input.advance(1), "null".to_owned()));
    }
    let (rest, value) = literal(input)?;
    literal_text(rest, &value)
}

/// Returns the JSON of a literal.
fn literal_text<'a>(rest: Tokens<'a>, literal: &ParsedExpr) -> ParseResult<'a, String> {
    let text = match &literal.kind {
        ParsedExprKind::Literal(Value::Null(_)) => "null".to_owned(),
        ParsedExprKind::Literal(Value::Timespan(ticks)) => ticks.to_string(),
        ParsedExprKind::Literal(Value::Bool(truth)) => truth.to_string(),
        ParsedExprKind::Literal(value @ Value::Long(_)) => value.to_text(),
        ParsedExprKind::Literal(Value::Real(real)) if real.is_finite() => number::real_to_text(*real),
        ParsedExprKind::Literal(Value::Real(real)) if real.is_nan() => quoted("NaN"),
        ParsedExprKind::Literal(value @ (Value::Datetime(_) | Value::Guid(_))) => quoted(&value.to_text()),
        _ => {
            let message = "this value inside dynamic(...) is not supported yet";
            return rest.refuse(Diagnostic::new(Code::UnsupportedSyntax, literal.span, message));
        }
    };
    Ok((rest, text))
}

/// Returns `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::new();
    dynamic::quote(text, &mut json);
    json
}
