//! The node of `parse`, `parse-where` and `parse-kv`.

use std::sync::Arc;

use super::LogicalPlan;
use crate::expr::Expr;
use crate::functions::parse::TextPattern;
use crate::types::{Schema, Type};

/// Adds columns whose values a pattern finds in a string.
#[derive(Clone, Debug)]
pub struct Parse {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The string in which the pattern is searched, as an expression over the columns of the input.
    pub source: Expr,
    /// The pattern, which takes the string apart.
    pub pattern: Arc<TextPattern>,
    /// The types of the columns of the pattern, in its order.
    pub captures: Vec<Type>,
    /// True if a row in which a value cannot be converted does not match; false if only that value is null.
    pub is_strict: bool,
    /// True if rows that do not match are dropped; false if they stay, with null or "" in the columns of the pattern.
    pub drops_unmatched: bool,
    /// What each output column contains.
    pub output: Vec<ParseOutput>,
    /// The output columns.
    pub schema: Schema,
}

/// What an output column of a [`Parse`] contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseOutput {
    /// The input column at this position.
    Input(usize),
    /// The column of the pattern at this position.
    Capture(usize),
}

impl ParseOutput {
    /// Returns the position of the input column; None for a column of the pattern.
    #[must_use]
    pub fn as_input(self) -> Option<usize> {
        match self {
            Self::Input(index) => Some(index),
            Self::Capture(_) => None,
        }
    }

    /// Returns the position in the pattern; None for a column of the input.
    #[must_use]
    pub fn as_capture(self) -> Option<usize> {
        match self {
            Self::Input(_) => None,
            Self::Capture(index) => Some(index),
        }
    }
}
