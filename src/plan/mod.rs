//! Logical plans: trees of seventeen kinds of nodes, into which the binder translates the many operators of KQL.

pub mod explain;
mod join;
pub mod named;
mod node;
mod parse;
pub mod per_row;
mod sequence;
pub mod series;
pub mod verify;
pub mod visit;
mod window;

use std::sync::Arc;

pub use join::{JOIN_KINDS, Join, JoinColumn, JoinKey, JoinKind, JoinWindow, Side};
pub use node::{NodeId, PlanNode, node_count};
pub use parse::{Parse, ParseOutput};
pub use per_row::{PerRow, PerRowOutput, RowColumns};
pub use sequence::{RecordColumn, Sequence, SequenceStep, StateColumn, StepAssignment, StepOutput};
pub use series::{Axis, AxisScale, Series};
pub use window::{Window, WindowCall, WindowFunction};

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions::scalar::dynamic_series;
use crate::functions::{AggregateFunction, TableFunction};
use crate::scan::{Predicate, ScanColumn, TableProvider};
use crate::types::{Field, Schema, Type};

/// A plan node with the nodes below it, from which its input rows come.
#[derive(Clone, Debug)]
pub enum LogicalPlan {
    /// Reads a table.
    Scan(Scan),
    /// Keeps the rows for which `predicate` is true, but not those for which it is false or null.
    Filter {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// A bool expression over the columns of the input.
        predicate: Expr,
    },
    /// Projection: computes each output column from the input row.
    Project {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// The expression of each output column, over the columns of the input.
        expressions: Vec<Expr>,
        /// The output columns.
        schema: Schema,
    },
    /// Aggregation: returns one row for each group, with the keys and then the aggregates.
    Aggregate {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// The expressions that have the same values for all rows of a group. Without any there is one group, even if
        /// there are no rows.
        keys: Vec<Expr>,
        /// The aggregates that are computed for each group.
        aggregates: Vec<AggregateExpr>,
        /// The output columns.
        schema: Schema,
    },
    /// Sorts the rows. Rows with equal keys keep their order.
    Sort {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// The sort keys, the most significant first.
        keys: Vec<SortKey>,
    },
    /// Returns the first rows of the input.
    Limit {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// The maximum number of rows to return.
        count: usize,
    },
    /// Returns the first rows of the input in sorted order.
    Top {
        /// The plan that returns the input rows.
        input: Box<LogicalPlan>,
        /// The sort keys, the most significant first.
        keys: Vec<SortKey>,
        /// The maximum number of rows to return.
        count: usize,
    },
    /// Returns the rows of all inputs, one after the other; all inputs have the same schema.
    Union {
        /// The plans whose rows are the inputs; at least one.
        inputs: Vec<LogicalPlan>,
        /// The columns, which are the same in every input.
        schema: Schema,
    },
    /// Returns one row for each element of dynamic columns.
    Unnest(Unnest),
    /// Adds columns whose values a pattern finds in a string.
    Parse(Parse),
    /// Matches the rows of two inputs by keys.
    Join(Join),
    /// Passes the rows to a table function, such as a plugin.
    TableCall(TableCall),
    /// Turns the bins of each group into arrays.
    Series(Series),
    /// Adds columns that depend on the order of the rows.
    Window(Window),
    /// Follows sequences of steps through the rows (`scan`).
    Sequence(Sequence),
    /// Runs a plan for each row (`mv-apply`).
    PerRow(PerRow),
    /// The rows with which the plan of a [`LogicalPlan::PerRow`] begins.
    Rows(RowColumns),
}

/// A scan of a table, with the columns that are read and the filter.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The name of the table in the query.
    pub name: String,
    /// The table, which provides the rows.
    pub table: Arc<dyn TableProvider>,
    /// What each output column is in the table.
    pub columns: Vec<ScanColumn>,
    /// The output columns.
    pub schema: Schema,
    /// The filter that decides exactly which rows are returned; None if all are.
    pub filter: Option<ScanFilter>,
    /// Predicates that follow from the filter, for skipping files and row groups.
    pub prune: Vec<Predicate>,
    /// The number of rows after which the scan may stop; None if all rows are needed.
    pub limit: Option<usize>,
}

/// A filter of rows, with the columns that it reads.
#[derive(Clone, Debug)]
pub struct ScanFilter {
    /// What each column that the predicate reads is in the table.
    pub columns: Vec<ScanColumn>,
    /// A bool expression over `columns`.
    pub predicate: Expr,
}

/// A call of an aggregate function in a [`LogicalPlan::Aggregate`].
#[derive(Clone, Debug)]
pub struct AggregateExpr {
    /// The aggregate function that is called.
    pub function: &'static AggregateFunction,
    /// The arguments, cast to the types of the parameters.
    pub arguments: Vec<Expr>,
    /// The output columns: one column, or one for each argument.
    pub fields: Vec<Field>,
    /// The position of the call in the query.
    pub span: Span,
}

/// Passes the rows of the input to a table function: all at once, or batch by batch if it is row-wise.
#[derive(Clone, Debug)]
pub struct TableCall {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The table function that is called.
    pub function: Arc<dyn TableFunction>,
    /// The arguments of the function, as expressions over the columns of the input.
    pub arguments: Vec<Expr>,
    /// The positions of the input columns that the output rows keep.
    pub kept: Vec<usize>,
    /// The output columns: the kept columns, and then those of the function.
    pub schema: Schema,
}

/// A sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// The expression whose values are compared.
    pub expr: Expr,
    /// True for descending order.
    pub descending: bool,
    /// True if nulls come before all values.
    pub nulls_first: bool,
}

/// Returns one row for each element of dynamic columns: the nth output row of an input row has the nth element of each.
#[derive(Clone, Debug)]
pub struct Unnest {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The expressions whose elements are expanded.
    pub items: Vec<UnnestItem>,
    /// True if the elements of a bag are `[key, value]` arrays, false if they are bags of one key.
    pub bags_as_arrays: bool,
    /// The maximum number of output rows for an input row; None if there is no limit.
    pub limit: Option<usize>,
    /// What each output column contains.
    pub output: Vec<UnnestOutput>,
    /// The output columns.
    pub schema: Schema,
}

/// An expression whose elements are expanded.
#[derive(Clone, Debug)]
pub struct UnnestItem {
    /// A dynamic expression over the columns of the input.
    pub expr: Expr,
    /// The type to which the elements are converted.
    pub ty: Type,
}

/// What an output column of an [`Unnest`] contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnnestOutput {
    /// The input column at this position, repeated for each element.
    Input(usize),
    /// The element of the item at this position.
    Item(usize),
    /// The position of the element in its array, a long.
    Position,
}

impl UnnestOutput {
    /// Returns the position of the input column; None for an element or its position.
    #[must_use]
    pub fn as_input(self) -> Option<usize> {
        match self {
            Self::Input(index) => Some(index),
            Self::Item(_) | Self::Position => None,
        }
    }
}

impl UnnestItem {
    /// Returns the arguments and the default step, if the expression is a `range()` whose elements keep their type, so
    /// that they need not be written as JSON; None for any other expression.
    #[must_use]
    pub fn as_range(&self) -> Option<(&[Expr], i64)> {
        let ("range", arguments) = self.expr.as_call()? else { return None };
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        let (ty, step) = dynamic_series::whole_range_of(&types)?;
        (ty == self.ty).then_some((arguments, step))
    }
}

impl LogicalPlan {
    /// Returns the output columns of the node.
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
            Self::Parse(parse) => &parse.schema,
            Self::Join(join) => &join.schema,
            Self::TableCall(call) => &call.schema,
            Self::Series(series) => &series.schema,
            Self::Window(window) => &window.schema,
            Self::Sequence(sequence) => &sequence.schema,
            Self::PerRow(per_row) => &per_row.schema,
            Self::Rows(rows) => &rows.schema,
        }
    }

    /// Returns a scan of all columns of `table`.
    #[must_use]
    pub fn scan(name: impl Into<String>, table: Arc<dyn TableProvider>) -> Self {
        let schema = table.schema().clone();
        let columns = (0..schema.len()).map(ScanColumn::Column).collect();
        Self::Scan(Scan { name: name.into(), table, columns, schema, filter: None, prune: Vec::new(), limit: None })
    }

    /// Returns a plan that filters the rows of this plan.
    #[must_use]
    pub fn filter(self, predicate: Expr) -> Self {
        Self::Filter { input: Box::new(self), predicate }
    }

    /// Returns a plan that computes `columns`, by name, from the rows of this plan.
    #[must_use]
    pub fn project(self, columns: impl IntoIterator<Item = (String, Expr)>) -> Self {
        let (fields, expressions): (Vec<_>, Vec<_>) =
            columns.into_iter().map(|(name, expr)| (Field::new(name, expr.ty), expr)).unzip();
        Self::Project { input: Box::new(self), expressions, schema: Schema::new(fields) }
    }
}
