//! The texts that places point into: the query, and the files of functions that it calls.
//!
//! Texts stand one behind the other, each from a place of its own on, so that a [`Span`] alone says in which it is.

use std::ops::Range;
use std::sync::Arc;

use super::Span;

/// Texts by their places.
#[derive(Clone, Debug)]
pub struct Sources {
    /// By the place where they begin.
    texts: Vec<Source>,
}

/// One text.
#[derive(Clone, Debug)]
pub(super) struct Source {
    base: u32,
    /// Where it came from.
    pub origin: String,
    pub text: Arc<str>,
}

impl Sources {
    /// The query alone; `origin` names where it came from.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>, origin: impl Into<String>) -> Self {
        Self { texts: vec![Source { base: 0, origin: origin.into(), text: text.into() }] }
    }

    /// Adds a text whose first byte has the place `base`, behind all others.
    pub fn add(&mut self, base: u32, text: Arc<str>, origin: impl Into<String>) {
        self.texts.push(Source { base, origin: origin.into(), text });
    }

    /// The text that holds the beginning of `span`, by its number.
    pub(super) fn number(&self, span: Span) -> usize {
        self.texts.partition_point(|source| source.base <= span.start).saturating_sub(1)
    }

    /// True for a place in the query itself.
    #[must_use]
    pub fn is_query(&self, span: Span) -> bool {
        self.number(span) == 0
    }

    pub(super) fn get(&self, number: usize) -> &Source {
        &self.texts[number]
    }
}

impl Source {
    /// The span as a range of whole characters inside of the text.
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
