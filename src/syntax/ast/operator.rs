//! The tabular operators, with their parameters as written.

use super::{Argument, Expr, Name, Pipeline};
use crate::diagnostic::Span;
use crate::types::Type;

/// One step of a pipeline: what stands after a `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// What it is.
    pub kind: OperatorKind,
    /// The operator's word, `where` for example.
    pub keyword: Span,
    /// All of its words.
    pub span: Span,
}

/// The kinds of operator.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// `where predicate`, `filter predicate`.
    Where(Expr),
    /// `project a, b = f(c)`.
    Project(Vec<Assignment>),
    /// `project-away a, b*`.
    ProjectAway(Vec<ColumnPattern>),
    /// `project-keep a, b*`.
    ProjectKeep(Vec<ColumnPattern>),
    /// `project-rename new = old`; each assignment's value is a name.
    ProjectRename(Vec<Assignment>),
    /// `project-reorder a, b* asc`.
    ProjectReorder(Vec<ReorderItem>),
    /// `extend a = f(b)`.
    Extend(Vec<Assignment>),
    /// `summarize a = count() by b`.
    Summarize {
        /// `hint.strategy=...` and their kin.
        parameters: Vec<Parameter>,
        /// Aggregates.
        aggregates: Vec<Assignment>,
        /// Keys; None where there is no `by`.
        by: Option<Vec<Assignment>>,
    },
    /// `count`.
    Count,
    /// `distinct a, b` or `distinct *`.
    Distinct(Vec<Assignment>),
    /// `take n`, `limit n`.
    Take(Expr),
    /// `sort by a desc nulls last`.
    Sort(Vec<SortKey>),
    /// `top n by a desc nulls last`.
    Top {
        /// How many rows.
        count: Expr,
        /// By what.
        by: Vec<SortKey>,
    },
    /// `getschema`.
    Getschema,
    /// `render timechart with (title = "x")`: a hint for the output.
    Render {
        /// The chart.
        chart: Name,
        /// `name = value`, kept as written.
        properties: Vec<Parameter>,
    },
    /// `mv-expand a, b = c to typeof(string) limit 10`.
    MvExpand {
        /// `bagexpansion=`, `kind=`, `with_itemindex=`.
        parameters: Vec<Parameter>,
        /// What is expanded, side by side.
        items: Vec<MvExpandItem>,
        /// `limit n`: at most so many rows of one row.
        limit: Option<Expr>,
    },
    /// `union ...` after a `|`.
    Union {
        /// `kind`, `withsource`, `isfuzzy`, hints.
        parameters: Vec<Parameter>,
        /// The other tables.
        tables: Vec<Pipeline>,
    },
    /// `invoke function(argument, ...)`: the rows are the function's first argument.
    Invoke {
        /// The function.
        function: Name,
        /// Its other arguments.
        arguments: Vec<Argument>,
    },
    /// `join kind=inner (right) on a, $left.b == $right.c`.
    Join {
        /// `kind` and hints.
        parameters: Vec<Parameter>,
        /// The other table.
        right: Box<Pipeline>,
        /// On what.
        on: Vec<JoinKey>,
    },
    /// `lookup kind=leftouter (right) on a`.
    Lookup {
        /// `kind`.
        parameters: Vec<Parameter>,
        /// The other table.
        right: Box<Pipeline>,
        /// On what.
        on: Vec<JoinKey>,
    },
    /// `as hint.materialized=true name`.
    As {
        /// Hints.
        parameters: Vec<Parameter>,
        /// The name.
        name: Name,
    },
    /// `search kind=case_sensitive "term"` after a `|`.
    Search {
        /// `kind`.
        parameters: Vec<Parameter>,
        /// What is looked for.
        predicate: Expr,
    },
    /// `serialize a = row_number()`.
    Serialize(Vec<Assignment>),
}

/// `name = value`, `(a, b) = value`, or a value alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The names, none where the value stands alone, several in the `(a, b) = f()` form.
    pub names: Vec<Name>,
    /// The value.
    pub value: Expr,
}

/// A column, or several by a pattern with `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPattern {
    /// The text, `*` standing for any run of characters unless the name was in brackets.
    pub name: Name,
    /// True where `*` is a wildcard.
    pub wildcard: bool,
}

/// One entry of `project-reorder`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReorderItem {
    /// Which columns.
    pub pattern: ColumnPattern,
    /// In which order, where a pattern matches several.
    pub order: Option<ReorderOrder>,
}

/// Orders of `project-reorder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReorderOrder {
    /// By name.
    Ascending,
    /// By name, backwards.
    Descending,
    /// By name, runs of digits by their value.
    GrannyAscending,
    /// The same backwards.
    GrannyDescending,
}

/// One key of `sort` and `top`.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// By what.
    pub value: Expr,
    /// None where not written: descending.
    pub order: Option<SortOrder>,
    /// None where not written: last if descending, first if ascending.
    pub nulls: Option<NullsOrder>,
}

/// `asc` or `desc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum SortOrder {
    Ascending,
    Descending,
}

/// `nulls first` or `nulls last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum NullsOrder {
    First,
    Last,
}

/// `name = value` of an operator, `hint.strategy = shuffle` and `kind = inner` among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name; dots are part of it.
    pub name: Name,
    /// Its value: a literal, or a bare word as a name.
    pub value: Expr,
}

/// One column of a `datatable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatatableColumn {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}

/// One entry of `mv-expand`.
#[derive(Clone, Debug, PartialEq)]
pub struct MvExpandItem {
    /// `name = value` or a value alone.
    pub assignment: Assignment,
    /// `to typeof(type)`.
    pub to: Option<Type>,
}

/// One condition of `join`: a name on both sides, or `$left.a == $right.b`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinKey {
    /// The condition as an expression; `$left` and `$right` are names in it.
    pub condition: Expr,
}
