//! The node of `parse`, `parse-where` and `parse-kv`.

use std::sync::Arc;

use super::LogicalPlan;
use crate::expr::Expr;
use crate::functions::parse::TextPattern;
use crate::types::{Schema, Type};

/// Adds columns whose values a pattern finds in a string.
#[derive(Clone, Debug)]
pub struct Parse {
    /// The input.
    pub input: Box<LogicalPlan>,
    /// A string over the input.
    pub source: Expr,
    /// The pattern.
    pub pattern: Arc<TextPattern>,
    /// The types of the columns of the pattern, in its order.
    pub captures: Vec<Type>,
    /// True if a row does not match if one of its values cannot be converted; false if only that value is null.
    pub is_strict: bool,
    /// True if rows that do not match are dropped; false if the columns of the pattern are null or "" there.
    pub drops_unmatched: bool,
    /// The source of each output column.
    pub output: Vec<ParseOutput>,
    /// The output columns.
    pub schema: Schema,
}

/// One output column of a [`Parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseOutput {
    /// The input's column.
    Input(usize),
    /// The column of the pattern.
    Capture(usize),
}

impl ParseOutput {
    /// The input's column; None for a column of the pattern.
    #[must_use]
    pub fn as_input(self) -> Option<usize> {
        match self {
            Self::Input(index) => Some(index),
            Self::Capture(_) => None,
        }
    }

    /// The position in the pattern; None for a column of the input.
    #[must_use]
    pub fn as_capture(self) -> Option<usize> {
        match self {
            Self::Input(_) => None,
            Self::Capture(index) => Some(index),
        }
    }
}
