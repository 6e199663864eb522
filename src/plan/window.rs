//! The window node, for functions whose value depends on other rows: `row_number`, `prev` and their kin.

use super::LogicalPlan;
use crate::diagnostic::{Result, Span};
use crate::expr::Expr;
use crate::types::{Field, Schema, Type, Value};

/// Adds columns that depend on the order of the rows.
///
/// Without calls it only marks the order of its input as the one that the query asks for (`serialize`).
#[derive(Clone, Debug)]
pub struct Window {
    /// The input.
    pub input: Box<LogicalPlan>,
    /// The values computed for each row, from the first row to the last.
    pub calls: Vec<WindowCall>,
    /// All calls restart, as if at the first row, whenever this value changes from one row to the next.
    pub segment: Option<Expr>,
    /// The input columns, then a column for each call.
    pub schema: Schema,
}

/// A call of a window function.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// The function with its constant arguments.
    pub function: WindowFunction,
    /// The value it looks at; None for `row_number`.
    pub term: Option<Expr>,
    /// A bool that is true where the function begins anew.
    pub restart: Option<Expr>,
    /// Its position in the query.
    pub span: Span,
}

/// A window function with its constant arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowFunction {
    /// The value of the term in another row.
    Neighbor {
        /// The position of the other row relative to this one.
        offset: i64,
        /// The value where there is no such row.
        default: Value,
    },
    /// The sum of the term so far; nulls add nothing.
    CumulativeSum,
    /// The position of the row, counted from `start`.
    RowNumber {
        /// The first number.
        start: i64,
    },
    /// The number of different runs of the term so far.
    RankDense,
    /// The position, counted from 1, of the first row of the run of the term.
    RankMin,
    /// The first time of the session that the row belongs to.
    Session {
        /// A row this many ticks or more after the first row of a session begins another one.
        max_from_first: i64,
        /// A row this many ticks or more after the previous row begins one, too.
        max_between: i64,
    },
}

impl WindowFunction {
    /// The name of the function in queries.
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
    /// The type of its column.
    #[must_use]
    pub fn ty(&self) -> Type {
        match (&self.function, &self.term) {
            (WindowFunction::RowNumber { .. } | WindowFunction::RankDense | WindowFunction::RankMin, _) => Type::Long,
            (WindowFunction::Session { .. }, _) | (_, None) => Type::Datetime,
            (WindowFunction::Neighbor { .. } | WindowFunction::CumulativeSum, Some(term)) => term.ty,
        }
    }

    /// Its expressions, over the input of the node.
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
    /// Adds the columns of `calls` to `input`.
    #[must_use]
    pub fn new(input: LogicalPlan, calls: Vec<WindowCall>, segment: Option<Expr>) -> Self {
        let own = calls.iter().map(|call| Field::new(call.function.name(), call.ty()));
        let schema = Schema::new(input.schema().fields().iter().cloned().chain(own));
        Self { input: Box::new(input), calls, segment, schema }
    }

    /// Its expressions, over the input.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.calls.iter().flat_map(WindowCall::expressions).chain(&self.segment)
    }

    /// Replaces each of its expressions by the result of `replace`.
    pub(super) fn map_expressions(self, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Self> {
        let calls = self.calls.into_iter().map(|call| call.map_expressions(replace)).collect::<Result<_>>()?;
        let segment = self.segment.map(replace).transpose()?;
        Ok(Self { calls, segment, ..self })
    }
}
