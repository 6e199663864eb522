//! The source texts that spans refer to: the query, and the files of stored functions that it calls.
//!
//! The texts occupy consecutive offset ranges, so that a [`Span`] alone identifies its text.

use std::ops::Range;
use std::sync::Arc;

use super::Span;

/// Source texts, ordered by their base offsets.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Ordered by base offset.
    texts: Vec<SourceText>,
}

/// One source text.
#[derive(Clone, Debug)]
pub(super) struct SourceText {
    base: u32,
    /// The file or other origin of the text.
    pub origin: String,
    pub text: Arc<str>,
}

/// A part of a source text, in lines and columns. Both count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The file or other origin of the text.
    pub file: String,
    /// The first line.
    pub line: usize,
    /// The first column.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// One past the last column.
    pub end_column: usize,
    /// The words.
    pub text: String,
}

impl Sources {
    /// Creates the sources of a query; `origin` says where it came from.
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
    /// Returns the span as a range of whole characters relative to the text.
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

/// Returns line and column, counted from 1, in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}
