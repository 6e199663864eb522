//! The tokens of query text.
//!
//! The keywords of KQL depend on the context: `count` is an operator after a `|`, and a column elsewhere. So keywords
//! are plain words here. Only the words in [`RESERVED`], without which the grammar would be ambiguous, cannot be
//! names.

use crate::diagnostic::Span;

/// A token: a slice of the query text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The kind of the token.
    pub kind: TokenKind,
    /// The text as written, quotes included.
    pub text: &'a str,
    /// The position of the token.
    pub span: Span,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An identifier or keyword, including `project-away`, `!has` and `in~`.
    Word,
    /// A string literal of any form.
    String,
    /// Digits, or `0x` and hexadecimal digits.
    Long,
    /// A number with a fraction or an exponent.
    Real,
    /// A number with a unit: `1d`.
    Timespan,
    /// A type and its literal in parentheses: `datetime(2024-01-01)`.
    Typed,
    /// A guid without `guid(...)`, valid only inside `dynamic(...)`.
    RawGuid,
    /// Punctuation, such as `(` or `==`.
    Symbol,
    /// A line that begins with `#`.
    Directive,
    /// The end of the query.
    End,
}

impl Token<'_> {
    /// True for the word `word`.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }

    /// True for the punctuation `symbol`.
    #[must_use]
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// True for a word that is neither a literal nor contains `!`, `-` or `~`. Where only a name is possible, it is a
    /// name.
    #[must_use]
    pub fn is_plain_word(&self) -> bool {
        let is_literal = is_truth(self.text) || self.text == "dynamic";
        self.kind == TokenKind::Word && !self.text.contains(['!', '-', '~']) && !is_literal
    }

    /// True for a word that may be a name.
    #[must_use]
    pub fn is_name(&self) -> bool {
        self.kind == TokenKind::Word && !is_reserved(self.text)
    }

    /// Returns the description of the token in messages.
    pub(super) fn describe(&self) -> String {
        if self.kind == TokenKind::End {
            return "the end of the query".to_owned();
        }
        let first_line = self.text.lines().next().unwrap_or("");
        match first_line.char_indices().nth(40) {
            Some((cut, _)) => format!("`{}...`", &first_line[..cut]),
            None => format!("`{first_line}`"),
        }
    }
}

/// True for a boolean literal, in the spellings of Kusto.
#[must_use]
pub fn is_truth(word: &str) -> bool {
    matches!(word, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

/// True for a word that can be a name only in brackets and quotes.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    word.starts_with('!') || word.contains(['-', '~']) || is_truth(word) || RESERVED.contains(&word)
}

/// Words that cannot be names: operators, literals, and words that start a source or a clause.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "by",
    "in",
    "between",
    "has",
    "has_cs",
    "has_any",
    "has_all",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "contains",
    "contains_cs",
    "startswith",
    "startswith_cs",
    "endswith",
    "endswith_cs",
    "matches",
    "datatable",
    "dynamic",
    "external_data",
    "externaldata",
    "find",
    "inline_external_table",
    "print",
    "search",
    "set",
    "union",
];

/// Words that have a dash; without this list they would be read as a subtraction.
pub(super) const DASHED: &[&str] = &[
    "assert-schema",
    "granny-asc",
    "granny-desc",
    "graph-mark-components",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-where-edges",
    "graph-where-nodes",
    "macro-expand",
    "make-graph",
    "make-series",
    "mv-apply",
    "mv-expand",
    "parse-kv",
    "parse-where",
    "project-away",
    "project-by-names",
    "project-keep",
    "project-rename",
    "project-reorder",
    "project-smart",
    "sample-distinct",
    "top-hitters",
    "top-nested",
];
