//! The join node, for the operators `join` and `lookup`.

use super::LogicalPlan;
use crate::expr::Expr;
use crate::types::Schema;

/// Matches the rows of two inputs by keys. A null is a key like any other: it matches a null.
///
/// The build side is held in memory, and the rows of the probe side stream past it. The output has the order of the
/// probe side, and the matches of a probe row have the order of the build side. Unmatched rows of the build side come
/// last.
#[derive(Clone, Debug)]
pub struct Join {
    /// The left input.
    pub left: Box<LogicalPlan>,
    /// The right input.
    pub right: Box<LogicalPlan>,
    /// The kind of the join, which determines which rows it returns.
    pub kind: JoinKind,
    /// The pairs of keys that must be equal; at least one pair.
    pub keys: Vec<JoinKey>,
    /// Which input is the build side.
    pub build: Side,
    /// The input column of each output column.
    pub output: Vec<JoinColumn>,
    /// The output columns.
    pub schema: Schema,
    /// Pairs outside this window may be left out, because a filter above rejects them. The optimizer sets it.
    pub window: Option<JoinWindow>,
}

/// Limits of the difference of two datetimes, one from each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinWindow {
    /// The position of the output column with the datetime of the probe side.
    pub from: usize,
    /// The position of the output column with the datetime of the build side.
    pub to: usize,
    /// The least value of `to` minus `from`, in ticks.
    pub min: i64,
    /// The greatest value of `to` minus `from`, in ticks.
    pub max: i64,
}

/// Two expressions of the same type, one for each input, that must be equal.
#[derive(Clone, Debug)]
pub struct JoinKey {
    /// An expression over the columns of the left input.
    pub left: Expr,
    /// An expression over the columns of the right input.
    pub right: Expr,
}

/// The source of an output column of a [`Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinColumn {
    /// The input that the column comes from.
    pub side: Side,
    /// The position of the column in that input.
    pub column: usize,
}

/// One of the two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left input, `$left` in queries.
    Left,
    /// The right input, `$right` in queries.
    Right,
}

/// The kinds of join, which differ in the rows that they return.
///
/// Source: the reference's page on the join operator and those on its kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs of rows with equal keys; of several left rows with the same key, only the first is joined.
    InnerUnique,
    /// Pairs of rows with equal keys.
    Inner,
    /// Pairs of rows with equal keys, and left rows without a match.
    LeftOuter,
    /// Pairs of rows with equal keys, and right rows without a match.
    RightOuter,
    /// Pairs of rows with equal keys, and rows of both sides without a match.
    FullOuter,
    /// Left rows that have a match, without columns of the right input.
    LeftSemi,
    /// Left rows that have no match.
    LeftAnti,
    /// Right rows that have a match, without columns of the left input.
    RightSemi,
    /// Right rows that have no match.
    RightAnti,
}

/// The words that may follow `join kind=`, with their kinds. The first word of a kind is its name.
pub static JOIN_KINDS: &[(&str, JoinKind)] = &[
    ("innerunique", JoinKind::InnerUnique),
    ("inner", JoinKind::Inner),
    ("leftouter", JoinKind::LeftOuter),
    ("rightouter", JoinKind::RightOuter),
    ("fullouter", JoinKind::FullOuter),
    ("leftsemi", JoinKind::LeftSemi),
    ("leftanti", JoinKind::LeftAnti),
    ("anti", JoinKind::LeftAnti),
    ("leftantisemi", JoinKind::LeftAnti),
    ("rightsemi", JoinKind::RightSemi),
    ("rightanti", JoinKind::RightAnti),
    ("rightantisemi", JoinKind::RightAnti),
];

impl JoinKind {
    /// Returns the name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        JOIN_KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Returns the only side whose columns are in the output; None if those of both sides are.
    #[must_use]
    pub fn only(self) -> Option<Side> {
        match self {
            Self::LeftSemi | Self::LeftAnti => Some(Side::Left),
            Self::RightSemi | Self::RightAnti => Some(Side::Right),
            Self::InnerUnique | Self::Inner | Self::LeftOuter | Self::RightOuter | Self::FullOuter => None,
        }
    }

    /// True if unmatched rows of `side` are returned, with nulls for the columns of the other side.
    #[must_use]
    pub fn pads(self, side: Side) -> bool {
        match self {
            Self::LeftOuter => side == Side::Left,
            Self::RightOuter => side == Side::Right,
            Self::FullOuter => true,
            _ => false,
        }
    }

    /// Returns the side that must be the build side; None if either side may be.
    #[must_use]
    pub fn build(self) -> Option<Side> {
        match self {
            Self::Inner => None,
            Self::InnerUnique | Self::RightOuter | Self::RightSemi | Self::RightAnti => Some(Side::Left),
            Self::LeftOuter | Self::FullOuter | Self::LeftSemi | Self::LeftAnti => Some(Side::Right),
        }
    }
}

impl Side {
    /// Returns the other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// Returns the name of the side in conditions of a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "$left",
            Self::Right => "$right",
        }
    }
}

impl Join {
    /// Returns the input on `side`.
    #[must_use]
    pub fn input(&self, side: Side) -> &LogicalPlan {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Returns the key expressions of `side`.
    pub fn side_keys(&self, side: Side) -> impl Iterator<Item = &Expr> {
        self.keys.iter().map(move |key| match side {
            Side::Left => &key.left,
            Side::Right => &key.right,
        })
    }
}
