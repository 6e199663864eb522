//! Predicates that providers use to skip rows.

use crate::types::Value;

/// A condition on columns of the table that is used only to *skip* rows: a provider may skip a file, row group, page
/// or line if the condition is certainly false for all of its rows. The exact filter is the [`super::RowFilter`] of
/// the scan.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// A comparison of a column with a value of its type, which is not null.
    Compare {
        /// The position of the column in the schema of the table.
        column: usize,
        /// The operator of the comparison.
        comparison: Comparison,
        /// The value with which the column is compared.
        value: Value,
    },
    /// The column has one of some values: `column in (values)`, or several equalities joined with `or`.
    OneOf {
        /// The position of the column in the schema of the table.
        column: usize,
        /// The values, which have the type of the column and are not null.
        values: Vec<Value>,
        /// False for `in~` and `=~`.
        case_sensitive: bool,
    },
    /// The string of the column contains `needle`, as `has`, `contains`, `startswith` and similar operators imply.
    Contains {
        /// The position of the column in the schema of the table; it is a string or dynamic column.
        column: usize,
        /// The string that must occur.
        needle: String,
        /// False for operators that ignore case.
        case_sensitive: bool,
    },
    /// All predicates are true.
    All(Vec<Predicate>),
    /// At least one predicate is true.
    Any(Vec<Predicate>),
}

/// The comparison operators of a [`Predicate`].
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
    /// Returns the positions of the columns in order of appearance, with duplicates.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Compare { column, .. } | Self::OneOf { column, .. } | Self::Contains { column, .. } => vec![*column],
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::columns).collect(),
        }
    }
}
