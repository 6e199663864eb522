//! Lays out operators: the keyword, the parameters, the operands and the clauses.

use std::ops::Range;

use super::super::OPERATORS;
use super::super::token::{Token, TokenKind};
use super::Formatter;
use super::layout::Document;
use super::spacing::is_infix;

/// Operators for which a function of the same name exists.
const ALSO_FUNCTIONS: &[&str] = &["count", "range"];

/// Operators that may begin a pipeline.
const SOURCES: &[&str] = &["evaluate", "find", "print", "range", "search", "union"];

/// Tells whether `word` begins a clause of the operator `keyword`: Some(true) if the clause begins a new line when
/// the operator is broken, Some(false) if it stays on the line, None if `word` begins no clause.
fn begins_clause(keyword: &str, word: &Token<'_>) -> Option<bool> {
    if word.kind != TokenKind::Word {
        return None;
    }
    match (keyword, word.text) {
        ("summarize", "by") | ("make-series", "on" | "by") | ("find", "where" | "project") => Some(true),
        ("join" | "lookup" | "mv-apply", "on") | ("facet", "by" | "with") => Some(false),
        _ => None,
    }
}

/// True if `name = value` after the keyword is a parameter of the operator, and not a column.
fn is_parameter_of(keyword: &str, name: &str) -> bool {
    match keyword {
        "as" | "consume" | "evaluate" | "find" | "getschema" | "join" | "lookup" | "parse" | "parse-where"
        | "partition" | "reduce" | "scan" | "search" | "union" => true,
        "mv-apply" | "mv-expand" => matches!(name, "bagexpansion" | "hint" | "kind" | "with_itemindex"),
        "make-series" => matches!(name, "hint" | "kind"),
        _ => name == "hint",
    }
}

impl<'a> Formatter<'a> {
    /// Lays out an operator without its `|`, the source of a pipeline, or a list. `after_bar` is true if a `|`
    /// precedes it.
    pub(super) fn operator(&self, range: Range<usize>, after_bar: bool) -> Document<'a> {
        if range.is_empty() {
            return Document::nothing();
        }
        if !(after_bar || self.is_keyword(range.start) && self.begins_operator(&range)) {
            return Document::group(vec![self.list(range, true)]);
        }
        let keyword = self.tokens[range.start].text;
        let outer = self.keyword.replace(keyword);
        let document = self.clauses(keyword, range);
        self.keyword.set(outer);
        document
    }

    /// True if the token is spelled like the keyword of an operator.
    pub(super) fn is_keyword(&self, index: usize) -> bool {
        let token = &self.tokens[index];
        let is = |word: &str| word == token.text;
        token.kind == TokenKind::Word
            && (SOURCES.contains(&token.text)
                || OPERATORS.iter().any(|info| is(info.keyword) || info.aliases.iter().copied().any(is)))
    }

    /// True if the token after the keyword cannot follow a name, so that an operator begins.
    fn begins_operator(&self, range: &Range<usize>) -> bool {
        let Some(next) = range.clone().nth(1).map(|next| &self.tokens[next]) else { return false };
        let keyword = self.tokens[range.start].text;
        match next.kind {
            TokenKind::Word if next.text == "in" => matches!(keyword, "find" | "search"),
            TokenKind::Word => !is_infix(next.text),
            TokenKind::Symbol if next.text == "(" => !ALSO_FUNCTIONS.contains(&keyword),
            TokenKind::Symbol => next.text == "*",
            _ => true,
        }
    }

    fn clauses(&self, keyword: &'a str, range: Range<usize>) -> Document<'a> {
        let mut documents = vec![Document::Text(keyword)];
        let mut at = range.start + 1;
        if matches!(keyword, "order" | "sort") && at < range.end && self.tokens[at].is_word("by") {
            documents.extend([self.before_indented(at, Document::Text(" ")), self.token(at)]);
            at += 1;
        }
        while let Some(end) = self.parameter_end(keyword, at..range.end) {
            documents.push(self.before_indented(at, Document::Text(" ")));
            documents.push(self.tight(at..end));
            at = end;
        }
        let clauses = self.split(at..range.end, |token| begins_clause(keyword, token).is_some());
        for (number, clause) in clauses.into_iter().enumerate() {
            if number > 0 {
                let word = clause.start - 1;
                let breaks = begins_clause(keyword, &self.tokens[word]) == Some(true);
                let separator = if breaks { Document::Space } else { Document::Text(" ") };
                documents.extend([self.before_indented(word, separator), self.token(word)]);
                documents.push(if breaks {
                    Document::indented(self.operands(keyword, clause))
                } else {
                    self.operands(keyword, clause)
                });
            } else {
                documents.push(self.operands(keyword, clause));
            }
        }
        Document::group(documents)
    }

    /// Lays out a space, and the operands after a keyword. If several operands do not fit on the line, each gets its
    /// own.
    fn operands(&self, keyword: &str, range: Range<usize>) -> Document<'a> {
        if range.is_empty() {
            return Document::nothing();
        }
        let is_list = self.contains(range.clone(), ",");
        if !is_list || keyword == "top-nested" {
            let space = self.before_indented(range.start, Document::Text(" "));
            return Document::Sequence(vec![space, self.list(range, true)]);
        }
        let list = vec![self.before(range.start, Document::Space), self.list(range, false)];
        Document::group(vec![Document::indented(Document::Sequence(list))])
    }

    /// Returns the end of the parameter with which `range` begins: a name with dots, `=`, and a literal or name.
    /// Returns None if no parameter begins there.
    fn parameter_end(&self, keyword: &str, range: Range<usize>) -> Option<usize> {
        let is = |at: usize, symbol: &str| at < range.end && self.tokens[at].is_symbol(symbol);
        let mut at = range.start + 1;
        while is(at, ".") {
            at += 2;
        }
        let begins = range.start < range.end && self.tokens[range.start].kind == TokenKind::Word;
        let is_parameter = begins && is(at, "=") && is_parameter_of(keyword, self.tokens[range.start].text);
        let value = at + 1 + usize::from(is(at + 1, "-"));
        (is_parameter && value < range.end).then(|| self.closing[value] + 1)
    }

    /// Lays out tokens without spaces between them.
    fn tight(&self, range: Range<usize>) -> Document<'a> {
        let mut documents = Vec::new();
        for index in range.clone() {
            if index > range.start {
                documents.push(self.before_indented(index, Document::nothing()));
            }
            documents.push(self.token(index));
        }
        Document::Sequence(documents)
    }
}
