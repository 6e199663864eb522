//! What a source may know about the rows that are wanted, to read fewer of them.

use crate::types::Value;

/// A condition on columns of the table, as far as a source can use it. It is only ever used to *skip*: a source may
/// leave out a file, row group, page or line for which the condition is provably not true. The exact test is the
/// scan's [`super::RowFilter`].
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `column <comparison> value`; the value has the column's type and is not null.
    Compare {
        /// Position in the table's schema.
        column: usize,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
    /// `column in (values)`, also what an `or` of equalities on one column becomes.
    OneOf {
        /// Position in the table's schema.
        column: usize,
        /// The values, of the column's type, none null.
        values: Vec<Value>,
        /// False for `in~` and `=~`.
        case_sensitive: bool,
    },
    /// The column's text contains `needle`: implied by `has`, `contains`, `startswith` and their kin.
    Contains {
        /// Position in the table's schema; a string or dynamic column.
        column: usize,
        /// The text that must occur.
        needle: String,
        /// False for the forms without `_cs`.
        case_sensitive: bool,
    },
    /// All of them are true.
    All(Vec<Predicate>),
    /// At least one of them is true.
    Any(Vec<Predicate>),
}

/// Comparisons of a [`Predicate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Predicate {
    /// The columns it speaks of, in order of appearance, repeats included.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Compare { column, .. } | Self::OneOf { column, .. } | Self::Contains { column, .. } => vec![*column],
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::columns).collect(),
        }
    }
}
