//! Presents tokens as input of nom, with the state that all parsers of a query share.
//!
//! nom's `opt` and `many0` discard failures, so the best message is lost by the time the whole parser fails. The
//! [`ParserState`] therefore keeps the furthest token that no parser accepted, and what each parser expected there.
//! This becomes the message.

use std::cell::{Cell, RefCell};

use nom::error::{ErrorKind, ParseError};
use nom::{Input, Needed};

pub(super) use super::mismatch::Expected;
use super::mismatch::unexpected;
use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Maximum height of a tree. Walking a higher one could overflow the stack.
const MAX_HEIGHT: u32 = 256;

/// Maximum number of brackets that are open at once. It is lower, because parsing takes more stack than walking the
/// tree.
const MAX_BRACKETS: usize = 100;

/// Maximum number of operators in all pipelines of a query.
const MAX_OPERATORS: usize = 2_000;

/// Maximum number of messages about one text.
pub(super) const MAX_DIAGNOSTICS: usize = 100;

/// The tokens that are still to be parsed.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    start: usize,
    end: usize,
    context: &'a ParserState<'a>,
}

/// The state shared by all parsers of a query.
pub(super) struct ParserState<'a> {
    /// All tokens; the last one is [`TokenKind::End`].
    all: &'a [Token<'a>],
    /// For each opening bracket, by index, the index of its closing bracket; for other tokens, their own index.
    closing: Vec<usize>,
    furthest: RefCell<Furthest>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// The height of the last tree that was built; see [`Tokens::nested`].
    height: Cell<u32>,
    /// The greatest height since the last opening bracket.
    peak: Cell<u32>,
    /// The number of pipeline operators parsed so far.
    operators: Cell<usize>,
    /// The closing bracket of the innermost open bracket.
    closer: Cell<Option<&'static str>>,
}

/// The furthest token that no parser accepted, and what was expected there.
#[derive(Default)]
struct Furthest {
    index: usize,
    expected: Vec<Expected>,
}

/// The error of a parser that does not match. The [`ParserState`] has what was expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch;

/// The result of a parser: the rest of the tokens, and what was parsed.
pub(super) type ParseResult<'a, T> = nom::IResult<Tokens<'a>, T, Mismatch>;

impl<'a> ParseError<Tokens<'a>> for Mismatch {
    fn from_error_kind(_: Tokens<'a>, _: ErrorKind) -> Self {
        Self
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl<'a> ParserState<'a> {
    /// Creates the state for the tokens of a query.
    ///
    /// # Errors
    /// A bracket has no partner, or too many are open at once.
    pub(super) fn new(all: &'a [Token<'a>]) -> Result<Self, Diagnostic> {
        Ok(Self {
            all,
            closing: match_brackets(all)?,
            furthest: RefCell::default(),
            diagnostics: RefCell::default(),
            height: Cell::new(0),
            peak: Cell::new(0),
            operators: Cell::new(0),
            closer: Cell::new(None),
        })
    }

    /// Returns all messages in the order of the text, at most one of each kind for a position.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.take_diagnostics()
    }
}

impl ParserState<'_> {
    /// Returns the messages since the last call in the order of the text, at most one of each kind for a position.
    pub(super) fn take_diagnostics(&self) -> Vec<Diagnostic> {
        let mut list = self.diagnostics.take();
        list.sort_by_key(|diagnostic| diagnostic.span.start);
        list.dedup_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
        list
    }
}

impl<'a> Tokens<'a> {
    /// Returns all tokens of `context`, except the final [`TokenKind::End`].
    pub(super) fn new(context: &'a ParserState<'a>) -> Self {
        Self { start: 0, end: context.all.len() - 1, context }
    }

    /// Returns the next token; at the end, this is always [`TokenKind::End`].
    pub(super) fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    /// Returns the token `distance` tokens after the next one.
    pub(super) fn peek_at(&self, distance: usize) -> Token<'a> {
        let index = self.start + distance;
        self.context.all[if index < self.end { index } else { self.context.all.len() - 1 }]
    }

    /// Returns the token after the bracket that closes the next one.
    pub(super) fn peek_after_brackets(&self) -> Token<'a> {
        self.peek_at(self.context.closing[self.start] + 1 - self.start)
    }

    /// Skips a function: the word `view`, the parameters and the body.
    pub(super) fn after_function(self) -> Self {
        let list = self.advance(usize::from(self.peek().is_word("view")));
        let body = Self { start: self.context.closing[list.start] + 1, ..self };
        Self { start: self.context.closing[body.start] + 1, ..self }
    }

    /// Skips `count` tokens, or fewer if the tokens end.
    pub(super) fn advance(self, count: usize) -> Self {
        Self { start: self.start.saturating_add(count).min(self.end), ..self }
    }

    /// Returns the position of the next token.
    pub(super) fn span(&self) -> Span {
        self.peek().span
    }

    /// Returns the span from the start of `first` to the end of the last consumed token.
    pub(super) fn span_since(&self, first: Span) -> Span {
        let last = self.start.checked_sub(1).map_or(first, |index| self.context.all[index].span);
        Span { start: first.start, end: last.end.max(first.start) }
    }

    /// Returns the bracket that closes the innermost open bracket; None outside brackets.
    pub(super) fn closer(&self) -> Option<&'static str> {
        self.context.closer.get()
    }

    /// Returns the error that the next token is not what was `expected`.
    pub(super) fn mismatch<T>(self, expected: Expected) -> ParseResult<'a, T> {
        self.note(expected);
        Err(nom::Err::Error(Mismatch))
    }

    /// Records that `expected` would have been accepted here, too.
    pub(super) fn note(&self, expected: Expected) {
        let index = self.start;
        let mut furthest = self.context.furthest.borrow_mut();
        if index > furthest.index {
            *furthest = Furthest { index, expected: Vec::new() };
        }
        if index == furthest.index && !furthest.expected.contains(&expected) {
            furthest.expected.push(expected);
        }
    }

    /// Reports a diagnostic; parsing continues.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.context.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Reports a diagnostic, and returns the error that ends the construct.
    pub(super) fn refuse<T>(self, diagnostic: Diagnostic) -> ParseResult<'a, T> {
        self.report(diagnostic);
        // This diagnostic is the message: what was expected elsewhere no longer matters.
        self.context.furthest.borrow_mut().index = usize::MAX;
        Err(nom::Err::Failure(Mismatch))
    }

    /// Reports the furthest mismatch, unless a diagnostic was reported in its place. Then skips to the next of
    /// `stops` outside brackets, or to the end of the surrounding construct.
    pub(super) fn recover(self, stops: &[&str]) -> Self {
        let furthest = self.context.furthest.take();
        if furthest.index != usize::MAX {
            self.report(unexpected(self.context.all[furthest.index.max(self.start)], &furthest.expected));
        }
        if self.context.diagnostics.borrow().len() >= MAX_DIAGNOSTICS {
            return self.advance(usize::MAX);
        }
        self.skip_to(stops)
    }

    /// Skips to the next of `stops` outside brackets, to a `;`, to a closing bracket, or to the end.
    pub(super) fn skip_to(self, stops: &[&str]) -> Self {
        let mut index = self.start;
        loop {
            let token = self.context.all[index];
            let stop = token.kind == TokenKind::Symbol && (stops.contains(&token.text) || is_closing(token.text));
            if stop || token.kind == TokenKind::End || token.is_symbol(";") {
                return Self { start: index, ..self };
            }
            index = self.context.closing[index] + 1;
        }
    }

    /// Returns the height of the tree that was built last.
    pub(super) fn height(&self) -> u32 {
        self.context.height.get()
    }

    /// Begins a tree: the height of trees before it does not count for it.
    pub(super) fn begun(self) -> Self {
        self.context.height.set(0);
        self
    }

    /// Records that a tree of this height was built.
    ///
    /// # Errors
    /// The tree is too high.
    pub(super) fn built(self, height: u32, span: Span) -> ParseResult<'a, ()> {
        self.context.height.set(height);
        self.context.peak.set(self.context.peak.get().max(height));
        if height <= MAX_HEIGHT {
            return Ok((self, ()));
        }
        self.refuse(too_deep(span))
    }

    /// Counts an operator of a pipeline.
    ///
    /// # Errors
    /// The query has too many operators. They are limited, because a plan is as deep as its pipelines are long.
    pub(super) fn counted_operator(self, span: Span) -> ParseResult<'a, ()> {
        let operators = self.context.operators.get() + 1;
        self.context.operators.set(operators);
        if operators <= MAX_OPERATORS {
            return Ok((self, ()));
        }
        let message = format!("more than {MAX_OPERATORS} operators in one query");
        self.refuse(Diagnostic::new(Code::TooDeep, span, message).help("split the query"))
    }

    /// Parses the content of brackets up to `close`. Its height is one more than that of the highest tree inside.
    pub(super) fn nested<T>(
        self,
        close: &'static str,
        inside: impl FnOnce(Self) -> ParseResult<'a, T>,
    ) -> ParseResult<'a, T> {
        let span = self.span();
        let outside = self.context.peak.replace(0);
        let closer = self.context.closer.replace(Some(close));
        let result = inside(self);
        self.context.closer.set(closer);
        let peak = self.context.peak.replace(outside);
        let (rest, value) = result?;
        let (rest, ()) = rest.built(peak + 1, span)?;
        Ok((rest, value))
    }
}

fn too_deep(span: Span) -> Diagnostic {
    let message = format!("nested more than {MAX_BRACKETS} brackets or {MAX_HEIGHT} operators deep");
    Diagnostic::new(Code::TooDeep, span, message)
        .help("name a part with `let`, or put values into a list: `x in (...)`")
}

fn is_closing(symbol: &str) -> bool {
    matches!(symbol, ")" | "]" | "}")
}

/// Returns for each opening bracket the index of its partner, and for each other token its own index.
pub(super) fn match_brackets(tokens: &[Token<'_>]) -> Result<Vec<usize>, Diagnostic> {
    let mut closing: Vec<usize> = (0..tokens.len()).collect();
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Symbol) {
        match token.text {
            "(" | "[" | "{" if open.len() >= MAX_BRACKETS => return Err(too_deep(token.span)),
            "(" | "[" | "{" => open.push(index),
            ")" | "]" | "}" => {
                let partner = open.pop().ok_or_else(|| never_opened(token))?;
                if partner_of(tokens[partner].text) != token.text {
                    return Err(wrong_partner(&tokens[partner], token));
                }
                closing[partner] = index;
            }
            _ => {}
        }
    }
    open.last().map_or(Ok(closing), |last| Err(never_closed(&tokens[*last])))
}

fn partner_of(opening: &str) -> &'static str {
    match opening {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

fn never_opened(token: &Token<'_>) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, token.span, format!("`{}` has no opening bracket", token.text))
}

fn never_closed(token: &Token<'_>) -> Diagnostic {
    let missing = partner_of(token.text);
    Diagnostic::new(Code::UnexpectedToken, token.span, format!("`{}` is not closed by `{missing}`", token.text))
}

fn wrong_partner(opening: &Token<'_>, closing: &Token<'_>) -> Diagnostic {
    let missing = partner_of(opening.text);
    let message = format!("expected `{missing}`, found `{}`", closing.text);
    Diagnostic::new(Code::UnexpectedToken, closing.span, message)
        .label(opening.span, format!("this `{}` is not closed", opening.text))
}

/// Makes the tokens a sequence for nom; [`TokenKind::End`] is not part of it.
impl<'a> Input for Tokens<'a> {
    type Item = Token<'a>;
    type Iter = std::iter::Copied<std::slice::Iter<'a, Token<'a>>>;
    type IterIndices = std::iter::Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.end - self.start
    }

    fn take(&self, index: usize) -> Self {
        Self { end: self.start + index, ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        self.advance(index)
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.context.all[self.start..self.end].iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.input_len() { Ok(count) } else { Err(Needed::new(count - self.input_len())) }
    }
}
