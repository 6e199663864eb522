//! `parse` with kind=simple or kind=relaxed: columns between strings, which are searched one after the other.
//!
//! Source: the reference's page on the parse operator, and results of the engine: the pattern may begin anywhere, but a
//! pattern that does not end with `*` extends to the end of the input. A column ends at the next occurrence of the
//! string after it. Before a `*`, a column takes what has the shape of its type, or nothing if the `*` ends the pattern
//! and the shape does not match.
//!
//! A value that is not a string may have whitespace before it. If the string after the column occurs in that
//! whitespace, as in `"got" count:long " "` over `got 2 items`, the column ends at its next occurrence, if the value
//! converts.

use std::borrow::Cow;
use std::rc::Rc;

use memchr::memmem::Finder;
use regex::Regex;

use super::shape::{Shapes, shape};
use super::{Capture, PatternElement, TextMatcher};
use crate::diagnostic::Result;
use crate::functions::pattern;
use crate::types::Type;
use crate::types::cast::Scalar;

/// A pattern, prepared for the search.
pub(super) struct DelimitedMatcher<'p> {
    /// The column before the first string.
    first: PatternSlot,
    delimiters: Vec<Delimiter<'p>>,
    /// True if the pattern ends with a `*`.
    is_open: bool,
}

/// A string of the pattern, and the column after it.
struct Delimiter<'p> {
    finder: Finder<'p>,
    slot: PatternSlot,
}

/// What follows a literal string of the pattern.
enum PatternSlot {
    /// No column.
    Empty,
    /// A column that ends where the next string begins.
    UpToNext(Type),
    /// A column before a `*`.
    Shaped(Rc<Regex>),
    /// A column before the `*` that ends the pattern.
    OptionalShaped(Rc<Regex>),
}

/// An occurrence of a string of the pattern, and the end of the value after it, if its shape determines it.
struct Occurrence {
    start: usize,
    end: usize,
    value_end: usize,
}

impl<'p> DelimitedMatcher<'p> {
    /// # Errors
    /// The errors of [`pattern::compile`], which the shapes do not cause.
    pub(super) fn new(elements: &'p [PatternElement]) -> Result<Self> {
        let mut matcher = Self { first: PatternSlot::Empty, delimiters: Vec::new(), is_open: false };
        for (index, element) in elements.iter().enumerate() {
            match element {
                PatternElement::Star => matcher.is_open = index + 1 == elements.len(),
                PatternElement::Text(text) => {
                    matcher
                        .delimiters
                        .push(Delimiter { finder: Finder::new(text.as_bytes()), slot: PatternSlot::Empty });
                }
                PatternElement::Column(ty) => {
                    let slot = PatternSlot::new(*ty, &elements[index + 1..])?;
                    *matcher.delimiters.last_mut().map_or(&mut matcher.first, |delimiter| &mut delimiter.slot) = slot;
                }
            }
        }
        Ok(matcher)
    }

    /// The occurrence of the delimiter at `index` from `at` on, where the value of the column before it begins.
    fn find(&self, index: usize, text: &str, at: usize, before: &PatternSlot) -> Option<Occurrence> {
        let delimiter = &self.delimiters[index];
        let is_last = index + 1 == self.delimiters.len();
        if is_last && !self.is_open && matches!(delimiter.slot, PatternSlot::Empty) {
            return delimiter.find_at_end(text, at);
        }
        let found = delimiter.find(text, at)?;
        match before {
            PatternSlot::UpToNext(ty) if *ty != Type::String && text[at..found.start].trim_start().is_empty() => {
                Some(delimiter.find_after_value(text, at, *ty).unwrap_or(found))
            }
            _ => Some(found),
        }
    }
}

impl TextMatcher for DelimitedMatcher<'_> {
    fn captures<'t>(&mut self, text: &'t str, captures: &mut [Capture<'t>]) -> bool {
        let mut captures = captures.iter_mut();
        let mut capture = |range: std::ops::Range<usize>| {
            if let Some(capture) = captures.next() {
                *capture = Some(Cow::Borrowed(&text[range]));
            }
        };
        let mut slot = &self.first;
        // The end of the last string, and of the value after it, if its shape determines it.
        let (mut at, Some(mut value_end)) = (0, slot.end(text, 0)) else { return false };
        for index in 0..self.delimiters.len() {
            let Some(found) = self.find(index, text, value_end, slot) else { return false };
            match slot {
                PatternSlot::Empty => {}
                PatternSlot::UpToNext(_) => capture(at..found.start),
                PatternSlot::Shaped(_) | PatternSlot::OptionalShaped(_) => capture(at..value_end),
            }
            (at, value_end) = (found.end, found.value_end);
            slot = &self.delimiters[index].slot;
        }
        match slot {
            PatternSlot::Empty => {}
            PatternSlot::UpToNext(_) => capture(at..text.len()),
            PatternSlot::Shaped(_) | PatternSlot::OptionalShaped(_) => capture(at..value_end),
        }
        true
    }
}

impl Delimiter<'_> {
    /// The first occurrence from `from` on, after which the shape of the column matches.
    fn find(&self, text: &str, mut from: usize) -> Option<Occurrence> {
        let length = self.finder.needle().len();
        loop {
            let start = from + self.finder.find(&text.as_bytes()[from..])?;
            let end = start + length;
            if let Some(value_end) = self.slot.end(text, end) {
                return Some(Occurrence { start, end, value_end });
            }
            // A shape that does not match after whitespace does not match inside it either. So even a text of many
            // spaces takes linear time.
            let whitespace_end = text.len() - text[end..].trim_start().len();
            from = (start + 1).max(whitespace_end + 1 - length);
        }
    }

    /// The occurrence at the end of `text`, if it does not begin before `from`.
    fn find_at_end(&self, text: &str, from: usize) -> Option<Occurrence> {
        let start = text.len().checked_sub(self.finder.needle().len()).filter(|start| *start >= from)?;
        let occurs = text.as_bytes()[start..] == *self.finder.needle();
        occurs.then_some(Occurrence { start, end: text.len(), value_end: text.len() })
    }

    /// The first occurrence after a value of type `ty`, which begins after the whitespace at `at`.
    fn find_after_value(&self, text: &str, at: usize, ty: Type) -> Option<Occurrence> {
        let value = text.len() - text[at..].trim_start().len();
        let found = self.find(text, value).filter(|_| value > at)?;
        let converted = Scalar::Text(&text[at..found.start]).to_value(ty);
        converted.is_ok_and(|value| !value.is_null()).then_some(found)
    }
}

impl PatternSlot {
    fn new(ty: Type, after: &[PatternElement]) -> Result<Self> {
        let shape = shape(ty, Shapes::Plain).filter(|_| after.first() == Some(&PatternElement::Star));
        let Some(shape) = shape else { return Ok(Self::UpToNext(ty)) };
        let regex = pattern::compile(&format!(r"\A(?:{shape})"))?;
        Ok(if after.len() == 1 { Self::OptionalShaped(regex) } else { Self::Shaped(regex) })
    }

    /// The end of the value that begins at `at`, if its shape determines it; None if the shape does not match.
    fn end(&self, text: &str, at: usize) -> Option<usize> {
        match self {
            Self::Empty | Self::UpToNext(_) => Some(at),
            Self::Shaped(shape) => Some(at + shape.find(&text[at..])?.end()),
            Self::OptionalShaped(shape) => Some(at + shape.find(&text[at..]).map_or(0, |found| found.end())),
        }
    }
}

#[cfg(test)]
mod tests;
