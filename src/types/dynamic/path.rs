//! Paths into dynamics, such as `.a[0]["b c"]`.

use std::fmt;

use super::{get_index, get_member, quote};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The value of a key in a bag.
    Member(String),
    /// The element of an array at an index, which counts from the end if it is negative.
    Index(i64),
}

/// A path into a dynamic; without steps it is the whole dynamic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The steps, outermost first.
    pub steps: Vec<Step>,
}

impl Path {
    /// Creates a path of `steps`.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Returns the path with another step appended.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Path {
    /// Writes the path as a query has it after the name of the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Member(key) if is_name(key) => write!(f, ".{key}")?,
                Step::Member(key) => {
                    let mut quoted = String::new();
                    quote(key, &mut quoted);
                    write!(f, "[{quoted}]")?;
                }
            }
        }
        Ok(())
    }
}

fn is_name(key: &str) -> bool {
    !key.starts_with(|c: char| c.is_ascii_digit())
        && !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the value at `path` inside `json`; None if there is none. A JSON `null` is Some. [`PathLookup`] is faster for
/// many values.
///
/// [`PathLookup`]: super::PathLookup
#[must_use]
pub fn extract<'a>(json: &'a str, path: &Path) -> Option<&'a str> {
    path.steps.iter().try_fold(json, |json, step| match step {
        Step::Member(key) => get_member(json, key),
        Step::Index(index) => get_index(json, *index),
    })
}
