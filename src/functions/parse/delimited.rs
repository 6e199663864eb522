//! `parse` with kind=simple or kind=relaxed: the literal strings of the pattern are searched one after the other, and
//! the text between them is the value of a column.
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

/// A parse pattern, prepared for the search.
pub(super) struct DelimitedMatcher<'p> {
    /// The column before the first literal string, if there is one.
    first: PatternSlot,
    delimiters: Vec<Delimiter<'p>>,
    /// True if the pattern ends with a `*`.
    is_open: bool,
}

/// A literal string of the pattern, and the column after it.
struct Delimiter<'p> {
    finder: Finder<'p>,
    slot: PatternSlot,
}

/// What stands in the pattern after a literal string.
enum PatternSlot {
    /// Nothing that captures a value.
    Empty,
    /// A column that ends where the next literal string begins.
    UpToNext(Type),
    /// A column before a `*`; its value has the shape of its type.
    Shaped(Rc<Regex>),
    /// A column before the `*` that ends the pattern; empty if the shape of its type does not match.
    OptionalShaped(Rc<Regex>),
}

/// An occurrence of a literal string, and the end of the value after it if the shape of its type determines that. All
/// are byte offsets.
struct Occurrence {
    start: usize,
    end: usize,
    value_end: usize,
}

impl<'p> DelimitedMatcher<'p> {
    /// Prepares the search for a pattern.
    ///
    /// # Errors
    /// Those of [`pattern::compile`], which does not fail for the shapes of types.
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

    /// Finds the delimiter at `index`, from `at` on. The column `before` it has its value between `at` and the
    /// delimiter.
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
    /// Finds the first occurrence from `from` on after which the shape of the column matches.
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

    /// Returns the occurrence at the end of `text`, unless it begins before `from`.
    fn find_at_end(&self, text: &str, from: usize) -> Option<Occurrence> {
        let start = text.len().checked_sub(self.finder.needle().len()).filter(|start| *start >= from)?;
        let occurs = text.as_bytes()[start..] == *self.finder.needle();
        occurs.then_some(Occurrence { start, end: text.len(), value_end: text.len() })
    }

    /// Finds the first occurrence after a value of type `ty`. The value begins after the whitespace at `at`.
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

    /// Returns the end of the value that begins at `at`; `at` itself if the shape does not determine it, and None if
    /// the shape does not match.
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
