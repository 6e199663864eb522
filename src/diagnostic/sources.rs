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
    texts: Vec<Source>,
}

/// One source text.
#[derive(Clone, Debug)]
pub(super) struct Source {
    base: u32,
    /// The file or other origin of the text.
    pub origin: String,
    pub text: Arc<str>,
}

impl Sources {
    /// Creates the sources of a query; `origin` says where it came from.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>, origin: impl Into<String>) -> Self {
        Self { texts: vec![Source { base: 0, origin: origin.into(), text: text.into() }] }
    }

    /// Appends a text whose first byte has the offset `base`, which must be after all other texts.
    pub fn add(&mut self, base: u32, text: Arc<str>, origin: impl Into<String>) {
        self.texts.push(Source { base, origin: origin.into(), text });
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

    pub(super) fn get(&self, number: usize) -> &Source {
        &self.texts[number]
    }
}

impl Source {
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
