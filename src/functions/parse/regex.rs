//! `parse kind=regex`: the whole pattern is one regular expression with a group for each column.
//!
//! Source: the reference's page on the parse operator, and results of the engine. The pattern may match anywhere. A `*`
//! takes as little as possible, and a string column as much as possible; the flag `U` swaps the two. A column of any
//! other type takes what has the shape of its type.

use std::fmt::Write;
use std::rc::Rc;

use regex::{CaptureLocations, Regex};

use super::fragment::escape_unpaired;
use super::shape::{Shapes, shape};
use super::{Capture, PatternElement, TextMatcher};
use crate::diagnostic::Result;
use crate::functions::pattern;

/// The prefix of the names of the groups for columns; a number follows. Names tell them from groups in the query's own
/// regular expressions.
const GROUP: &str = "coldcase_column_";

/// A regular expression, and for each column the number of its group in that.
pub(super) struct RegexMatcher {
    regex: Rc<Regex>,
    groups: Vec<usize>,
    locations: CaptureLocations,
}

impl RegexMatcher {
    /// Prepares the search for a pattern.
    ///
    /// # Errors
    /// As [`pattern::compile`].
    pub(super) fn new(elements: &[PatternElement], flags: &str) -> Result<Self> {
        let regex = pattern::compile(&expression(elements, flags))?;
        let names = regex.capture_names().enumerate();
        let groups = names.filter(|(_, name)| name.is_some_and(|name| name.starts_with(GROUP)));
        let groups = groups.map(|(group, _)| group).collect();
        let locations = regex.capture_locations();
        Ok(Self { regex, groups, locations })
    }
}

impl TextMatcher for RegexMatcher {
    fn captures<'t>(&mut self, text: &'t str, captures: &mut [Capture<'t>]) -> bool {
        if self.regex.captures_read(&mut self.locations, text).is_none() {
            return false;
        }
        for (capture, group) in captures.iter_mut().zip(&self.groups) {
            *capture = self.locations.get(*group).map(|(start, end)| text[start..end].into());
        }
        true
    }
}

/// Checks a string of a pattern with kind=regex, which is a regular expression.
///
/// # Errors
/// As [`pattern::compile`].
pub fn check_fragment(fragment: &str, flags: &str) -> Result<()> {
    pattern::compile(&expression(&[PatternElement::Text(fragment.to_owned())], flags)).map(|_| ())
}

/// Returns the whole pattern as one regular expression.
fn expression(elements: &[PatternElement], flags: &str) -> String {
    let mut expression = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
    let mut columns = 0;
    for element in elements {
        match element {
            PatternElement::Star => expression.push_str(".*?"),
            PatternElement::Text(fragment) => expression.push_str(&escape_unpaired(fragment)),
            PatternElement::Column(ty) => {
                let inside = shape(*ty, Shapes::Regex).unwrap_or(".*");
                // Writing to a String cannot fail.
                let _ = write!(expression, "(?P<{GROUP}{columns}>{inside})");
                columns += 1;
            }
        }
    }
    expression
}
