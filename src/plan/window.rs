//! The node of window functions, whose value depends on other rows: `row_number`, `prev` and similar ones.

use super::LogicalPlan;
use crate::diagnostic::{Result, Span};
use crate::expr::Expr;
use crate::types::{Field, Schema, Type, Value};

/// Adds columns that depend on the order of the rows.
///
/// Without calls, it only says that the query asks for the order of the input rows (`serialize`).
#[derive(Clone, Debug)]
pub struct Window {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The window functions that are computed for each row, from the first row to the last.
    pub calls: Vec<WindowCall>,
    /// Numbers that are the same for all rows of a segment: all calls start again where one of them changes. Empty if
    /// there are no segments.
    pub segment: Vec<Expr>,
    /// The output columns: those of the input, and then one for each call.
    pub schema: Schema,
}

/// A call of a window function.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// The function, with its constant arguments.
    pub function: WindowFunction,
    /// The expression whose values the function gets; None for `row_number`.
    pub term: Option<Expr>,
    /// A bool expression that is true for rows at which the function starts again; None if it never does.
    pub restart: Option<Expr>,
    /// The position of the call in the query.
    pub span: Span,
}

/// A window function with its constant arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowFunction {
    /// The value of the term in another row.
    Neighbor {
        /// The position of the other row relative to this one.
        offset: i64,
        /// The value if there is no such row.
        default: Value,
    },
    /// The sum of the term up to this row; nulls add nothing.
    CumulativeSum,
    /// The number of the row, counted from `start`.
    RowNumber {
        /// The number of the first row.
        start: i64,
    },
    /// The number of runs of equal terms up to this row.
    RankDense,
    /// The number, from 1, of the first row of the run of equal terms that the row belongs to.
    RankMin,
    /// The time of the first row of the session that the row belongs to.
    Session {
        /// Number of ticks after the first row of a session; a row that far from it, or farther, begins another
        /// session.
        max_from_first: i64,
        /// Number of ticks after the previous row; a row that far from it, or farther, begins another session, too.
        max_between: i64,
    },
}

impl WindowFunction {
    /// Returns the name of the function in queries.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Neighbor { offset, .. } if *offset > 0 => "next",
            Self::Neighbor { .. } => "prev",
            Self::CumulativeSum => "row_cumsum",
            Self::RowNumber { .. } => "row_number",
            Self::RankDense => "row_rank_dense",
            Self::RankMin => "row_rank_min",
            Self::Session { .. } => "row_window_session",
        }
    }
}

impl WindowCall {
    /// Returns the type of the column of the call.
    #[must_use]
    pub fn ty(&self) -> Type {
        match (&self.function, &self.term) {
            (WindowFunction::RowNumber { .. } | WindowFunction::RankDense | WindowFunction::RankMin, _) => Type::Long,
            (WindowFunction::Session { .. }, _) | (_, None) => Type::Datetime,
            (WindowFunction::Neighbor { .. } | WindowFunction::CumulativeSum, Some(term)) => term.ty,
        }
    }

    /// Returns the expressions of the call, over the columns of the node's input.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.term.iter().chain(&self.restart)
    }

    fn map_expressions(self, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Self> {
        let term = self.term.map(&mut *replace).transpose()?;
        let restart = self.restart.map(replace).transpose()?;
        Ok(Self { term, restart, ..self })
    }
}

impl Window {
    /// Returns a node that adds the columns of `calls` to `input`.
    #[must_use]
    pub fn new(input: LogicalPlan, calls: Vec<WindowCall>, segment: Vec<Expr>) -> Self {
        let own = calls.iter().map(|call| Field::new(call.function.name(), call.ty()));
        let schema = Schema::new(input.schema().fields().iter().cloned().chain(own));
        Self { input: Box::new(input), calls, segment, schema }
    }

    /// Returns the expressions of the node, over the columns of its input.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.calls.iter().flat_map(WindowCall::expressions).chain(&self.segment)
    }

    /// Replaces each expression of the node with the result of `replace`.
    pub(super) fn map_expressions(self, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Self> {
        let calls = self.calls.into_iter().map(|call| call.map_expressions(replace)).collect::<Result<_>>()?;
        let segment = self.segment.into_iter().map(replace).collect::<Result<_>>()?;
        Ok(Self { calls, segment, ..self })
    }
}
