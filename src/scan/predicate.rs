//! Predicates that providers use to skip rows.

use crate::types::Value;

/// A condition on columns of the table, used only to *skip*: a provider may skip a file, row group, page or line for
/// which the condition is certainly false. The exact filter is the scan's [`super::RowFilter`].
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `column <comparison> value`; the value has the column's type and is not null.
    Compare {
        /// Position in the table's schema.
        column: usize,
        /// The operator.
        comparison: Comparison,
        /// The literal.
        value: Value,
    },
    /// `column in (values)`, or several equalities on one column joined with `or`.
    OneOf {
        /// Position in the table's schema.
        column: usize,
        /// The values, of the column's type, none null.
        values: Vec<Value>,
        /// False for `in~` and `=~`.
        case_sensitive: bool,
    },
    /// The column's string contains `needle`: implied by `has`, `contains`, `startswith` and similar operators.
    Contains {
        /// Position in the table's schema; a string or dynamic column.
        column: usize,
        /// The string that must occur.
        needle: String,
        /// False for operators without `_cs`.
        case_sensitive: bool,
    },
    /// All predicates are true.
    All(Vec<Predicate>),
    /// At least one predicate is true.
    Any(Vec<Predicate>),
}

/// Comparisons of a [`Predicate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Predicate {
    /// The columns in order of appearance, with duplicates.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Compare { column, .. } | Self::OneOf { column, .. } | Self::Contains { column, .. } => vec![*column],
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::columns).collect(),
        }
    }
}
