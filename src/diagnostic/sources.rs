//! The source texts to which spans refer: the query, and the files of the stored functions that it calls.
//!
//! Each text has its own range of offsets, one after the other, so that a [`Span`] also shows which text it is in.

use std::ops::Range;
use std::sync::Arc;

use super::Span;

/// The source texts of a query.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The texts, sorted by the offset of their first byte.
    texts: Vec<SourceText>,
}

/// A source text, with the offset of its first byte.
#[derive(Clone, Debug)]
pub(super) struct SourceText {
    base: u32,
    /// The file or other origin of the text.
    pub origin: String,
    pub text: Arc<str>,
}

/// A part of a source text, by line and column. Both are counted from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The file or other origin of the text.
    pub file: String,
    /// The line of the first character.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the last character.
    pub end_line: usize,
    /// The column after the last one.
    pub end_column: usize,
    /// The text of the region.
    pub text: String,
}

impl Sources {
    /// Returns the sources of a query. `origin` says where the query came from, such as its file.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>, origin: impl Into<String>) -> Self {
        Self { texts: vec![SourceText { base: 0, origin: origin.into(), text: text.into() }] }
    }

    /// Appends a text whose first byte has the offset `base`, which must be after all other texts.
    pub fn add(&mut self, base: u32, text: Arc<str>, origin: impl Into<String>) {
        self.texts.push(SourceText { base, origin: origin.into(), text });
    }

    /// Returns the index of the text that contains the start of `span`.
    pub(super) fn number(&self, span: Span) -> usize {
        self.texts.partition_point(|source| source.base <= span.start).saturating_sub(1)
    }

    /// True if the span is in the query itself.
    #[must_use]
    pub fn is_query(&self, span: Span) -> bool {
        self.number(span) == 0
    }

    /// Returns the lines and columns of `span`.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        let source = self.get(self.number(span));
        let range = source.visible(span);
        let (line, column) = line_and_column(&source.text, range.start);
        let (end_line, end_column) = line_and_column(&source.text, range.end);
        let text = source.text[range].to_owned();
        Region { file: source.origin.clone(), line, column, end_line, end_column, text }
    }

    pub(super) fn get(&self, number: usize) -> &SourceText {
        &self.texts[number]
    }
}

impl SourceText {
    /// Returns the span as a byte range of this text, limited to whole characters.
    pub fn visible(&self, span: Span) -> Range<usize> {
        let inside = |at: u32| {
            let mut at = (at.saturating_sub(self.base) as usize).min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        inside(span.start)..inside(span.end).max(inside(span.start))
    }
}

/// Returns the line and the column of the byte offset `at`. Both are counted from 1, columns in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}
