//! Rows of two tables that agree in their keys: the node behind `join` and `lookup`.

use super::LogicalPlan;
use crate::expr::Expr;
use crate::types::Schema;

/// Rows of two inputs, matched by keys. Nulls are keys like any other: a null matches a null.
///
/// One side is built (held in memory), the rows of the other stream past it. The rows come out in the order of the
/// streamed side, those that match one row in the order of the built side; rows of the built side without a match come
/// last.
#[derive(Clone, Debug)]
pub struct Join {
    /// The left input.
    pub left: Box<LogicalPlan>,
    /// The right input.
    pub right: Box<LogicalPlan>,
    /// Which rows come out.
    pub kind: JoinKind,
    /// What must be the same; at least one.
    pub keys: Vec<JoinKey>,
    /// The side that is held in memory.
    pub build: Side,
    /// For each output column, where it comes from.
    pub output: Vec<JoinColumn>,
    /// The columns that come out.
    pub schema: Schema,
}

/// What must be the same: two expressions of one type.
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
    /// The input that has it.
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

/// Which rows come out.
/// Source: the reference's page on the join operator and those on its kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs; of left rows with the same keys only the first has a part.
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

/// Every word behind `join kind=`, with its kind. The first word of a kind is its name.
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
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        JOIN_KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// The one side whose columns come out, where it is only one.
    #[must_use]
    pub fn only(self) -> Option<Side> {
        match self {
            Self::LeftSemi | Self::LeftAnti => Some(Side::Left),
            Self::RightSemi | Self::RightAnti => Some(Side::Right),
            Self::InnerUnique | Self::Inner | Self::LeftOuter | Self::RightOuter | Self::FullOuter => None,
        }
    }

    /// True where rows of `side` come out without a match, beside nulls.
    #[must_use]
    pub fn pads(self, side: Side) -> bool {
        match self {
            Self::LeftOuter => side == Side::Left,
            Self::RightOuter => side == Side::Right,
            Self::FullOuter => true,
            _ => false,
        }
    }

    /// The side to hold in memory; None where either will do.
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
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// Its name in conditions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "$left",
            Self::Right => "$right",
        }
    }
}

impl Join {
    /// The input on `side`.
    #[must_use]
    pub fn input(&self, side: Side) -> &LogicalPlan {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The keys of `side`.
    pub fn side_keys(&self, side: Side) -> impl Iterator<Item = &Expr> {
        self.keys.iter().map(move |key| match side {
            Side::Left => &key.left,
            Side::Right => &key.right,
        })
    }
}
