//! What a query means, as a tree of about a dozen nodes. KQL's many operators are sugar and end in the binder.

pub mod explain;
mod join;
pub mod named;
mod node;
pub mod verify;
pub mod visit;

use std::sync::Arc;

pub use join::{JOIN_KINDS, Join, JoinColumn, JoinKey, JoinKind, Side};
pub use node::{NodeId, PlanNode, node_count};

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::AggregateFunction;
use crate::functions::scalar::dynamic_series;
use crate::scan::{Predicate, ScanColumn, TableProvider};
use crate::types::{Field, Schema, Type};

/// A node and the nodes below it; rows flow upwards.
#[derive(Clone, Debug)]
pub enum LogicalPlan {
    /// Rows of a table.
    Scan(Scan),
    /// The rows for which `predicate` is true; null counts as false.
    Filter {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// A bool over the input.
        predicate: Expr,
    },
    /// One row a row: each column computed over the input.
    Project {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// One for each column of the schema.
        expressions: Vec<Expr>,
        /// The columns that come out.
        schema: Schema,
    },
    /// One row a group; keys first, then aggregates.
    Aggregate {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// What makes a group; none means one group, even of no rows.
        keys: Vec<Expr>,
        /// What is computed for each group.
        aggregates: Vec<AggregateExpr>,
        /// The columns that come out.
        schema: Schema,
    },
    /// The same rows, ordered; rows that tie keep their order.
    Sort {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// By what.
        keys: Vec<SortKey>,
    },
    /// The first rows.
    Limit {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// How many.
        count: usize,
    },
    /// The first rows of the ordered input.
    Top {
        /// Where rows come from.
        input: Box<LogicalPlan>,
        /// By what.
        keys: Vec<SortKey>,
        /// How many.
        count: usize,
    },
    /// The rows of all inputs, one after the other; all have the schema.
    Union {
        /// At least one.
        inputs: Vec<LogicalPlan>,
        /// The columns of each.
        schema: Schema,
    },
    /// One row for each element of dynamic columns.
    Unnest(Unnest),
    /// Rows of two inputs that agree in their keys.
    Join(Join),
}

/// Rows of a table.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The name in the query.
    pub name: String,
    /// The table.
    pub table: Arc<dyn TableProvider>,
    /// What each output column reads.
    pub columns: Vec<ScanColumn>,
    /// The columns that come out.
    pub schema: Schema,
    /// The test of a row.
    pub filter: Option<ScanFilter>,
    /// What follows from the filter, for skipping.
    pub prune: Vec<Predicate>,
    /// Rows wanted in all, where few are.
    pub limit: Option<usize>,
}

/// The test of a row, on columns of its own.
#[derive(Clone, Debug)]
pub struct ScanFilter {
    /// What the predicate's columns read.
    pub columns: Vec<ScanColumn>,
    /// A bool over `columns`.
    pub predicate: Expr,
}

/// One aggregate of an [`LogicalPlan::Aggregate`].
#[derive(Clone, Debug)]
pub struct AggregateExpr {
    /// Which.
    pub function: &'static AggregateFunction,
    /// On what, cast to what the function takes.
    pub arguments: Vec<Expr>,
    /// How many columns come out: one, or one an argument.
    pub fields: Vec<Field>,
    /// The words it came from.
    pub span: Span,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// By what.
    pub expr: Expr,
    /// From great to small.
    pub descending: bool,
    /// Nulls before everything else.
    pub nulls_first: bool,
}

/// One row for each element of dynamic columns, side by side.
#[derive(Clone, Debug)]
pub struct Unnest {
    /// Where rows come from.
    pub input: Box<LogicalPlan>,
    /// What is taken apart.
    pub items: Vec<UnnestItem>,
    /// True where the elements of a bag are `[key, value]` arrays, false for bags of one key.
    pub bags_as_arrays: bool,
    /// At most so many rows of one row.
    pub limit: Option<usize>,
    /// For each output column: an input column, an item, or the position of the element.
    pub output: Vec<UnnestOutput>,
    /// The columns that come out.
    pub schema: Schema,
}

/// One expression that is taken apart.
#[derive(Clone, Debug)]
pub struct UnnestItem {
    /// A dynamic over the input.
    pub expr: Expr,
    /// What each element is converted to.
    pub ty: Type,
}

/// One output column of an [`Unnest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnnestOutput {
    /// The input's column, repeated.
    Input(usize),
    /// The element of an item.
    Item(usize),
    /// The element's position, a long.
    Position,
}

impl UnnestItem {
    /// The arguments and the step of a `range()` whose elements are converted to what they are: they need not be
    /// written as JSON.
    #[must_use]
    pub fn as_range(&self) -> Option<(&[Expr], i64)> {
        let ("range", arguments) = self.expr.as_call()? else { return None };
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        let (ty, step) = dynamic_series::whole_range_of(&types)?;
        (ty == self.ty).then_some((arguments, step))
    }
}

impl LogicalPlan {
    /// The columns that come out.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        match self {
            Self::Scan(scan) => &scan.schema,
            Self::Filter { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Top { input, .. } => input.schema(),
            Self::Project { schema, .. } | Self::Aggregate { schema, .. } | Self::Union { schema, .. } => schema,
            Self::Unnest(unnest) => &unnest.schema,
            Self::Join(join) => &join.schema,
        }
    }

    /// All columns of a table.
    #[must_use]
    pub fn scan(name: impl Into<String>, table: Arc<dyn TableProvider>) -> Self {
        let schema = table.schema().clone();
        let columns = (0..schema.len()).map(ScanColumn::Column).collect();
        Self::Scan(Scan { name: name.into(), table, columns, schema, filter: None, prune: Vec::new(), limit: None })
    }

    /// The rows for which `predicate` is true.
    #[must_use]
    pub fn filter(self, predicate: Expr) -> Self {
        Self::Filter { input: Box::new(self), predicate }
    }

    /// Each of `columns` computed over these rows.
    #[must_use]
    pub fn project(self, columns: impl IntoIterator<Item = (String, Expr)>) -> Self {
        let (fields, expressions): (Vec<_>, Vec<_>) =
            columns.into_iter().map(|(name, expr)| (Field::new(name, expr.ty), expr)).unzip();
        Self::Project { input: Box::new(self), expressions, schema: Schema::new(fields) }
    }
}
