//! Splits query text into tokens, with nom over `&str`.
//!
//! Lexing never fails as a whole: malformed input is reported and skipped, so that one run finds all mistakes. The
//! forms of tokens are those in the pages of the language reference on scalar data types and entity names.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::{char, digit1, none_of, one_of, satisfy};
use nom::combinator::{not, opt, peek, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::token::{DASHED, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Span};

type ScanResult<'a, T = &'a str> = IResult<&'a str, T>;

/// Names of types after which a literal may follow in parentheses.
pub(super) const TYPED: &[&str] = &[
    "bool", "date", "datetime", "decimal", "double", "guid", "int", "int32", "int64", "long", "real", "time",
    "timespan",
];

/// The units of a timespan literal; [`crate::types::timespan`] defines their lengths.
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

/// Punctuation; a symbol comes before those with which it begins.
const SYMBOLS: &[&str] = &[
    "..", "<=", "<>", "<|", "<", ">=", ">", "==", "=>", "=~", "=", "!=", "!~", "(", ")", "[", "]", "{", "}", "|", ".",
    "+", "-", "*", "/", "%", ":", ";", ",", "@", "?",
];

/// Returns the tokens of `text`, of which the last is [`TokenKind::End`], and the mistakes.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<Diagnostic>) {
    tokens_from(text, 0)
}

/// Like [`tokens`]; the first byte of `text` has the offset `base`.
pub(super) fn tokens_from(text: &str, base: usize) -> (Vec<Token<'_>>, Vec<Diagnostic>) {
    let (mut tokens, mut diagnostics) = (Vec::new(), Vec::new());
    let mut rest = skip_whitespace(text);
    while !rest.is_empty() {
        let start = base + text.len() - rest.len();
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
        rest = skip_whitespace(rest);
    }
    // Messages about the end point at the end of the query, not at the empty line below it.
    let end = tokens.last().map_or(Span::new(base, base).end, |last: &Token<'_>| last.span.end);
    tokens.push(Token { kind: TokenKind::End, text: "", span: Span { start: end, end } });
    (tokens, diagnostics)
}

/// Skips whitespace and comments.
fn skip_whitespace(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(is_blank);
        match text.strip_prefix("//") {
            Some(comment) => text = comment.trim_start_matches(|c| !is_line_break(c)),
            None => return text,
        }
    }
}

/// True for whitespace. The no-break space, the zero-width space and the byte order mark count, too, because queries
/// are copied from web pages.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\u{b}' || matches!(c, '\u{180e}' | '\u{200b}' | '\u{feff}')
}

pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}')
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads one token. The order of the alternatives matters: `1d` is not a number, and `h'x'` is not a name.
fn token(text: &str) -> ScanResult<'_, (TokenKind, &str)> {
    let first = text.chars().next().unwrap_or(' ');
    if first.is_ascii_digit() {
        return alt((
            raw_guid.map(|text| (TokenKind::RawGuid, text)),
            real.map(|text| (TokenKind::Real, text)),
            timespan.map(|text| (TokenKind::Timespan, text)),
            long.map(|text| (TokenKind::Long, text)),
            word.map(|text| (TokenKind::Word, text)),
        ))
        .parse(text);
    }
    if is_name_start(first) {
        return alt((
            string.map(|text| (TokenKind::String, text)),
            raw_guid.map(|text| (TokenKind::RawGuid, text)),
            typed.map(|text| (TokenKind::Typed, text)),
            word.map(|text| (TokenKind::Word, text)),
        ))
        .parse(text);
    }
    match first {
        '\'' | '"' | '`' | '~' | '@' => string.map(|text| (TokenKind::String, text)).or(punctuation).parse(text),
        '!' => punctuation.or(word.map(|text| (TokenKind::Word, text))).parse(text),
        '#' => directive.map(|text| (TokenKind::Directive, text)).parse(text),
        _ => punctuation(text),
    }
}

/// Reads a string: `'...'`, `"..."`, `@'...'`, ```` ```...``` ```` or `~~~...~~~`, with an optional `h` before it.
fn string(text: &str) -> ScanResult<'_> {
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

/// Reads a string on one line with backslash escapes. The escapes are checked when it is decoded.
fn quoted(quote: char, text: &str) -> ScanResult<'_> {
    let plain = take_while1(move |c| c != quote && c != '\\' && !matches!(c, '\r' | '\n'));
    let piece = alt((plain, recognize(pair(char('\\'), none_of("\r\n")))));
    recognize(delimited(char(quote), many0_count(piece), char(quote))).parse(text)
}

/// Reads a string on one line in which only the quote is special: two quotes stand for one.
fn verbatim_quoted(quote: char, text: &str) -> ScanResult<'_> {
    let plain = take_while1(move |c| c != quote && !matches!(c, '\r' | '\n'));
    let piece = alt((plain, recognize(pair(char(quote), char(quote)))));
    recognize(delimited(char(quote), many0_count(piece), char(quote))).parse(text)
}

/// Reads a string on several lines in which no character is special, up to the next `fence`.
fn block<'a>(fence: &'static str, text: &'a str) -> ScanResult<'a> {
    recognize((tag(fence), nom::bytes::complete::take_until(fence), tag(fence))).parse(text)
}

fn raw_guid(text: &str) -> ScanResult<'_> {
    let hex =
        |count: usize| verify(take_while(|c: char| c.is_ascii_hexdigit()), move |digits: &str| digits.len() == count);
    let dash = || char('-');
    whole(recognize((hex(8), dash(), hex(4), dash(), hex(4), dash(), hex(4), dash(), hex(12)))).parse(text)
}

fn real(text: &str) -> ScanResult<'_> {
    let exponent = || (one_of("eE"), opt(one_of("+-")), digit1);
    // In `1..5` the dots belong to the range; `1...5` is `1.` and `..5`.
    let dot = terminated(char('.'), not(pair(char('.'), not(char('.')))));
    let fraction = (dot, opt(digit1), opt(exponent()));
    whole(recognize((digit1, alt((recognize(fraction), recognize(exponent())))))).parse(text)
}

fn timespan(text: &str) -> ScanResult<'_> {
    let unit = verify(take_while1(is_name_part), |unit: &str| UNITS.contains(&unit));
    let fraction = pair(char('.'), digit1);
    recognize((digit1, opt(fraction), unit)).parse(text)
}

fn long(text: &str) -> ScanResult<'_> {
    let hex = preceded(pair(char('0'), one_of("xX")), take_while1(|c: char| c.is_ascii_hexdigit()));
    whole(alt((recognize(hex), digit1))).parse(text)
}

/// Reads `type(anything)` on one line, up to the `)`. No literal of these types contains a bracket.
fn typed(text: &str) -> ScanResult<'_> {
    let name = verify(take_while1(is_name_part), |name: &str| TYPED.contains(&name));
    let inside = take_till(|c| matches!(c, '(' | ')') || is_line_break(c));
    recognize((name, char('('), inside, char(')'))).parse(text)
}

/// Reads a name, a word with a dash from [`DASHED`], an operator such as `!has`, or `in~`. A name may begin with
/// digits.
fn word(text: &str) -> ScanResult<'_> {
    let name = || recognize(pair(satisfy(|c| is_name_start(c) || c.is_ascii_digit()), take_while(is_name_part)));
    let tilde = |text| recognize(pair(alt((tag("!in"), tag("in"))), char('~'))).parse(text);
    let negated = preceded(char('!'), name());
    alt((dashed, tilde, recognize(negated), name())).parse(text)
}

fn dashed(text: &str) -> ScanResult<'_> {
    let found = DASHED.iter().filter(|word| text.starts_with(**word)).max_by_key(|word| word.len());
    let longest = found.map_or("", |word| *word);
    whole(verify(tag(longest), |word: &str| !word.is_empty())).parse(text)
}

fn punctuation(text: &str) -> ScanResult<'_, (TokenKind, &str)> {
    let found = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol));
    let symbol = verify(tag(found.map_or("", |symbol| *symbol)), |symbol: &str| !symbol.is_empty());
    symbol.map(|text| (TokenKind::Symbol, text)).parse(text)
}

fn directive(text: &str) -> ScanResult<'_> {
    recognize(pair(char('#'), take_till(is_line_break))).parse(text)
}

/// Returns a parser like `scan` that fails if a letter or digit follows.
fn whole<'a>(
    scan: impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>>,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    terminated(scan, peek(not(satisfy(is_name_part))))
}

/// Returns the malformed start of `text`: an unclosed string with the rest of its line, or one character.
fn wrong_text(text: &str) -> &str {
    if text.starts_with("```") || text.starts_with("~~~") {
        return text;
    }
    match text.chars().next() {
        Some('\'' | '"') => &text[..text.find(is_line_break).unwrap_or(text.len())],
        first => &text[..first.map_or(0, char::len_utf8)],
    }
}

/// Returns the message about `wrong`, which is not a token.
fn explain(wrong: &str, span: Span) -> Diagnostic {
    if wrong.chars().count() > 1 || wrong.starts_with(['\'', '"']) {
        let help = "close the string on the same line, or enclose a multi-line string in ```";
        return Diagnostic::new(Code::UnterminatedString, span, "this string has no closing quote").help(help);
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

#[cfg(test)]
mod tests {
    use super::{TokenKind, tokens};

    /// Returns the tokens of `text` as a string: for each the first letter of its kind, then its text.
    fn kinds(text: &str) -> String {
        let (tokens, diagnostics) = tokens(text);
        let show = |kind: TokenKind| format!("{kind:?}").chars().next().unwrap_or(' ');
        let shown = tokens.iter().map(|token| match token.kind {
            TokenKind::End => String::new(),
            TokenKind::Typed => format!("typed {} ", token.text),
            TokenKind::RawGuid => format!("guid {} ", token.text),
            kind => format!("{}:{} ", show(kind), token.text),
        });
        shown
            .chain(diagnostics.iter().map(|d| format!("{} {}", d.code.info().id, d.span.text(text))))
            .collect::<String>()
    }

    #[test]
    fn each_kind_of_token() {
        let cases = [
            ("a _b $left ä1 3Dchart", "W:a W:_b W:$left W:ä1 W:3Dchart "),
            ("mv-expand project-away a-b", "W:mv-expand W:project-away W:a S:- W:b "),
            ("project-awayx", "W:project S:- W:awayx "),
            ("!has !in !in~ in~ !between != !~ =~", "W:!has W:!in W:!in~ W:in~ W:!between S:!= S:!~ S:=~ "),
            ("1 0x1F 0X1f 12ab 0xg", "L:1 L:0x1F L:0X1f W:12ab W:0xg "),
            ("1.5 1. 1e5 1.5e-3 1.e3", "R:1.5 R:1. R:1e5 R:1.5e-3 R:1.e3 "),
            ("1..5 1...5", "L:1 S:.. L:5 R:1. S:.. L:5 "),
            ("1d 2.5h 100ms 3ticks 5microseconds 1dx", "T:1d T:2.5h T:100ms T:3ticks T:5microseconds W:1dx "),
            ("datetime(2024-01-01 10:00) long(5)", "typed datetime(2024-01-01 10:00) typed long(5) "),
            ("datetime (1) todatetime(1)", "W:datetime S:( L:1 S:) W:todatetime S:( L:1 S:) "),
            ("0a0b0c0d-1111-2222-3333-444455556666", "guid 0a0b0c0d-1111-2222-3333-444455556666 "),
            ("deadbeef-1", "W:deadbeef S:- L:1 "),
            ("a// b\n//\u{a0}c\n d", "W:a W:d "),
            ("\u{feff}a\u{a0}\u{200b}b\u{3000}c", "W:a W:b W:c "),
            (r#"'a"' "b'" @'c\' h"d" H@'e'"#, r#"S:'a"' S:"b'" S:@'c\' S:h"d" S:H@'e' "#),
            ("```a\n'``` ~~~b~~~ h + h", "S:```a\n'``` S:~~~b~~~ W:h S:+ W:h "),
            ("a<=b<>c<|", "W:a S:<= W:b S:<> W:c S:<| "),
            ("# x\ny", "D:# x W:y "),
        ];
        for (text, expected) in cases {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_reported_and_skipped() {
        let cases = [
            ("a 'b\nc", "W:a W:c KQL1002 'b"),
            ("h@\"b", "W:h S:@ KQL1002 \"b"),
            ("a ```b\nc", "W:a KQL1002 ```b\nc"),
            ("a “ b", "W:a W:b KQL1004 “"),
            ("a & b", "W:a W:b KQL1004 &"),
            ("a ~ !", "W:a KQL1004 ~KQL1004 !"),
        ];
        for (text, expected) in cases {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }
}
