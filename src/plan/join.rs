//! The join node, for the operators `join` and `lookup`.

use super::LogicalPlan;
use crate::expr::Expr;
use crate::types::Schema;

/// Matches the rows of two inputs by keys. Nulls are keys like any other: a null matches a null.
///
/// The build side is held in memory, the rows of the probe side stream past it. The output is in the order of the probe
/// side; the matches of a probe row are in the order of the build side. Unmatched rows of the build side come last.
#[derive(Clone, Debug)]
pub struct Join {
    /// The left input.
    pub left: Box<LogicalPlan>,
    /// The right input.
    pub right: Box<LogicalPlan>,
    /// The kind, which decides the rows of the output.
    pub kind: JoinKind,
    /// The keys that must be equal; at least one.
    pub keys: Vec<JoinKey>,
    /// The build side.
    pub build: Side,
    /// The source of each output column.
    pub output: Vec<JoinColumn>,
    /// The output columns.
    pub schema: Schema,
    /// Pairs outside this window need not come out: a filter above rejects them. Set by the optimizer.
    pub window: Option<JoinWindow>,
}

/// Bounds of the difference of two datetimes, one of each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinWindow {
    /// The output column of the probe side.
    pub from: usize,
    /// The output column of the build side.
    pub to: usize,
    /// The least value of `to` - `from`, in ticks.
    pub min: i64,
    /// The greatest value of `to` - `from`, in ticks.
    pub max: i64,
}

/// Two expressions of one type that must be equal.
#[derive(Clone, Debug)]
pub struct JoinKey {
    /// Over the left input.
    pub left: Expr,
    /// Over the right input.
    pub right: Expr,
}

/// An output column of a [`Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinColumn {
    /// The input that has the column.
    pub side: Side,
    /// Its position there.
    pub column: usize,
}

/// One of the two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `$left`.
    Left,
    /// `$right`.
    Right,
}

/// The kinds of join, which differ in the rows of the output.
///
/// Source: the reference's page on the join operator and those on its kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs; of the left rows with the same keys, only the first is joined.
    InnerUnique,
    /// Pairs.
    Inner,
    /// Pairs, and left rows without a match.
    LeftOuter,
    /// Pairs, and right rows without a match.
    RightOuter,
    /// Pairs, and rows of both sides without a match.
    FullOuter,
    /// Left rows with a match.
    LeftSemi,
    /// Left rows without a match.
    LeftAnti,
    /// Right rows with a match.
    RightSemi,
    /// Right rows without a match.
    RightAnti,
}

/// The words after `join kind=` with their kinds. The first word of a kind is its name.
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
    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        JOIN_KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Returns the only side whose columns come out; None if both do.
    #[must_use]
    pub fn only(self) -> Option<Side> {
        match self {
            Self::LeftSemi | Self::LeftAnti => Some(Side::Left),
            Self::RightSemi | Self::RightAnti => Some(Side::Right),
            Self::InnerUnique | Self::Inner | Self::LeftOuter | Self::RightOuter | Self::FullOuter => None,
        }
    }

    /// True if unmatched rows of `side` come out, with nulls for the other side.
    #[must_use]
    pub fn pads(self, side: Side) -> bool {
        match self {
            Self::LeftOuter => side == Side::Left,
            Self::RightOuter => side == Side::Right,
            Self::FullOuter => true,
            _ => false,
        }
    }

    /// Returns the side that must be the build side; None if either may be.
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
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// The name of the side in conditions.
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
