//! Text -> tokens, with nom over `&str`.
//!
//! Nothing here fails as a whole: what is no token is reported and skipped, so that one run finds as many mistakes as
//! there are. The forms are those of the language reference's pages on scalar data types and entity names.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::{char, digit1, none_of, one_of, satisfy};
use nom::combinator::{not, opt, peek, recognize, value, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::token::{DASHED, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Span};

type Scan<'a, T = &'a str> = IResult<&'a str, T>;

/// Types whose literal may stand in parentheses straight after their name.
const TYPED: &[&str] = &[
    "bool", "date", "datetime", "decimal", "double", "guid", "int", "int32", "int64", "long", "real", "time",
    "timespan",
];

/// The units of a timespan literal; [`crate::types::timespan`] says what they are worth.
const UNITS: &[&str] = &[
    "d",
    "day",
    "days",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "m",
    "min",
    "minute",
    "minutes",
    "s",
    "sec",
    "second",
    "seconds",
    "ms",
    "milli",
    "millis",
    "millisec",
    "millisecond",
    "milliseconds",
    "micro",
    "micros",
    "microsec",
    "microsecond",
    "microseconds",
    "nano",
    "nanos",
    "nanosec",
    "nanosecond",
    "nanoseconds",
    "tick",
    "ticks",
];

/// Punctuation, longer before shorter.
const SYMBOLS: &[&str] = &[
    "..", "<=", "<>", "<|", "<", ">=", ">", "==", "=>", "=~", "=", "!=", "!~", "(", ")", "[", "]", "{", "}", "|", ".",
    "+", "-", "*", "/", "%", ":", ";", ",", "@", "?",
];

/// Every token of `text`, an [`TokenKind::End`] last, and what was wrong.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<Diagnostic>) {
    let (mut tokens, mut diagnostics) = (Vec::new(), Vec::new());
    let mut rest = skip_blanks(text);
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        match token(rest) {
            Ok((after, (kind, text))) => {
                tokens.push(Token { kind, text, span: Span::new(start, start + text.len()) });
                rest = after;
            }
            Err(_) => {
                let wrong = wrong_text(rest);
                diagnostics.push(explain(wrong, Span::new(start, start + wrong.len())));
                rest = &rest[wrong.len()..];
            }
        }
        rest = skip_blanks(rest);
    }
    tokens.push(Token { kind: TokenKind::End, text: "", span: Span::new(text.len(), text.len()) });
    (tokens, diagnostics)
}

/// The text after blanks and comments.
fn skip_blanks(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(is_blank);
        match text.strip_prefix("//") {
            Some(comment) => text = comment.trim_start_matches(|c| !is_line_break(c)),
            None => return text,
        }
    }
}

/// Blanks, no-break space, zero-width space and byte order mark among them, since texts come from web pages.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\u{b}' || matches!(c, '\u{180e}' | '\u{200b}' | '\u{feff}')
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}')
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// One token. The order matters: `1d` is no number, `1dx` no timespan, `h'x'` no name.
fn token(text: &str) -> Scan<'_, (TokenKind, &str)> {
    alt((
        string.map(|text| (TokenKind::String, text)),
        raw_guid.map(|text| (TokenKind::RawGuid, text)),
        real.map(|text| (TokenKind::Real, text)),
        timespan.map(|text| (TokenKind::Timespan, text)),
        long.map(|text| (TokenKind::Long, text)),
        typed.map(|text| (TokenKind::Typed, text)),
        word.map(|text| (TokenKind::Word, text)),
        symbol.map(|text| (TokenKind::Symbol, text)),
        directive.map(|text| (TokenKind::Directive, text)),
    ))
    .parse(text)
}

/// `'...'`, `"..."`, `@'...'`, ```` ```...``` ````, `~~~...~~~`, each with an `h` before it or not.
fn string(text: &str) -> Scan<'_> {
    let line = |quote: char| move |text| quoted(quote, text);
    let verbatim = |quote: char| move |text| verbatim_quoted(quote, text);
    let body = alt((
        line('\''),
        line('"'),
        preceded(char('@'), alt((verbatim('\''), verbatim('"')))),
        preceded(opt(char('@')), alt((|text| block("```", text), |text| block("~~~", text)))),
    ));
    recognize(preceded(opt(one_of("hH")), body)).parse(text)
}

/// A text of one line in which a backslash escapes; whether the escape exists is checked when it is decoded.
fn quoted(quote: char, text: &str) -> Scan<'_> {
    let plain = take_while1(move |c| c != quote && c != '\\' && !matches!(c, '\r' | '\n'));
    let piece = alt((plain, recognize(pair(char('\\'), none_of("\r\n")))));
    recognize(delimited(char(quote), many0_count(piece), char(quote))).parse(text)
}

/// A text of one line in which only the quote is special: doubled, it stands for itself.
fn verbatim_quoted(quote: char, text: &str) -> Scan<'_> {
    let plain = take_while1(move |c| c != quote && !matches!(c, '\r' | '\n'));
    let piece = alt((plain, recognize(pair(char(quote), char(quote)))));
    recognize(delimited(char(quote), many0_count(piece), char(quote))).parse(text)
}

/// A text of several lines in which nothing is special.
fn block<'a>(fence: &'static str, text: &'a str) -> Scan<'a> {
    recognize((tag(fence), nom::bytes::complete::take_until(fence), tag(fence))).parse(text)
}

fn raw_guid(text: &str) -> Scan<'_> {
    let hex =
        |count: usize| verify(take_while(|c: char| c.is_ascii_hexdigit()), move |digits: &str| digits.len() == count);
    let dash = || char('-');
    whole(recognize((hex(8), dash(), hex(4), dash(), hex(4), dash(), hex(4), dash(), hex(12)))).parse(text)
}

fn real(text: &str) -> Scan<'_> {
    let exponent = || (one_of("eE"), opt(one_of("+-")), digit1);
    // In `1..5` the dots are the range's; `1...5` is `1.` and `..5`.
    let dot = terminated(char('.'), not(pair(char('.'), not(char('.')))));
    let fraction = (dot, opt(digit1), opt(exponent()));
    whole(recognize((digit1, alt((recognize(fraction), recognize(exponent())))))).parse(text)
}

fn timespan(text: &str) -> Scan<'_> {
    let unit = verify(take_while1(is_name_part), |unit: &str| UNITS.contains(&unit));
    let fraction = pair(char('.'), digit1);
    recognize((digit1, opt(fraction), unit)).parse(text)
}

fn long(text: &str) -> Scan<'_> {
    let hex = preceded(pair(char('0'), one_of("xX")), take_while1(|c: char| c.is_ascii_hexdigit()));
    whole(alt((recognize(hex), digit1))).parse(text)
}

/// `type(anything)`: the text up to the first `)`, which no literal of these types holds.
fn typed(text: &str) -> Scan<'_> {
    let name = verify(take_while1(is_name_part), |name: &str| TYPED.contains(&name));
    recognize((name, char('('), take_till(|c| c == ')'), char(')'))).parse(text)
}

/// A name, a word with a dash from [`DASHED`], an operator as `!has`, or `in~`. Names may begin with digits.
fn word(text: &str) -> Scan<'_> {
    let name = || recognize(pair(satisfy(|c| is_name_start(c) || c.is_ascii_digit()), take_while(is_name_part)));
    let tilde = |text| recognize(pair(alt((tag("!in"), tag("in"))), char('~'))).parse(text);
    let negated = preceded(char('!'), name());
    alt((dashed, tilde, recognize(negated), name())).parse(text)
}

fn dashed(text: &str) -> Scan<'_> {
    let found = DASHED.iter().filter(|word| text.starts_with(**word)).max_by_key(|word| word.len());
    let longest = found.map_or("", |word| *word);
    whole(verify(tag(longest), |word: &str| !word.is_empty())).parse(text)
}

fn symbol(text: &str) -> Scan<'_> {
    let found = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol));
    verify(tag(found.map_or("", |symbol| *symbol)), |symbol: &str| !symbol.is_empty()).parse(text)
}

fn directive(text: &str) -> Scan<'_> {
    recognize(pair(char('#'), take_till(is_line_break))).parse(text)
}

/// `scan`, where no letter or digit follows.
fn whole<'a>(
    scan: impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>>,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    terminated(scan, peek(not(satisfy(is_name_part))))
}

/// The part of a text that begins with no token: an open quote with all of its line, or one character.
fn wrong_text(text: &str) -> &str {
    let open = recognize((opt(one_of::<_, _, nom::error::Error<&str>>("hH")), opt(char('@'))));
    let fence = alt((value(true, tag("```")), value(true, tag("~~~")), value(false, one_of("'\""))));
    match pair(open, fence).parse(text) {
        Ok((_, (_, true))) => text,
        Ok((rest, _)) => {
            let line = rest.find(is_line_break).unwrap_or(rest.len());
            &text[..text.len() - rest.len() + line]
        }
        Err(_) => text.chars().next().map_or("", |c| &text[..c.len_utf8()]),
    }
}

/// Why `wrong` is no token.
fn explain(wrong: &str, span: Span) -> Diagnostic {
    if wrong.chars().count() > 1 || wrong.starts_with(['\'', '"']) {
        let help = "close the text on the same line, or write ``` around a text of several lines";
        return Diagnostic::new(Code::UnterminatedString, span, "this text has no closing quote").help(help);
    }
    let unknown = Diagnostic::new(Code::UnknownCharacter, span, format!("`{wrong}` is not a character that KQL uses"));
    match wrong {
        "“" | "”" | "„" | "‟" | "«" | "»" => unknown.help("a typographic quote: write \" instead"),
        "‘" | "’" | "‚" | "‛" | "`" | "´" => unknown.help("a typographic quote: write ' instead"),
        "–" | "—" | "−" => unknown.help("a typographic dash: write - instead"),
        "…" => unknown.help("write .. for a range"),
        "!" => unknown.help("write not(...), !=, or an operator such as !has"),
        "&" => unknown.help("write `and`"),
        _ => unknown,
    }
}
