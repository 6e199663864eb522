//! The tabular operators, with their parameters as written.

use super::{Argument, Name, ParsedExpr, Pipeline, ScanOperator};
use crate::diagnostic::Span;
use crate::types::Type;

/// An operator of a pipeline: the part after a `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// The kind of the operator, with its parameters.
    pub kind: OperatorKind,
    /// The position of its keyword, such as `where`.
    pub keyword: Span,
    /// The position of the whole operator.
    pub span: Span,
}

/// The kinds of operator.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// `where predicate`, `filter predicate`.
    Where(ParsedExpr),
    /// `project a, b = f(c)`.
    Project(Vec<Assignment>),
    /// `project-away a, b*`.
    ProjectAway(Vec<ColumnPattern>),
    /// `project-by-names "a", dynamic(["b", "c*"])`.
    ProjectByNames(Vec<ParsedExpr>),
    /// `project-keep a, b*`.
    ProjectKeep(Vec<ColumnPattern>),
    /// `project-rename new = old`; the value of each assignment is a name.
    ProjectRename(Vec<Assignment>),
    /// `project-reorder a, b* asc`.
    ProjectReorder(Vec<ReorderItem>),
    /// `evaluate plugin(...)` after a `|`.
    Evaluate(Evaluate),
    /// `extend a = f(b)`.
    Extend(Vec<Assignment>),
    /// `summarize a = count() by b`.
    Summarize {
        /// Hints, such as `hint.strategy=shuffle`.
        parameters: Vec<Parameter>,
        /// The aggregates before `by`; empty if only keys are given.
        aggregates: Vec<Assignment>,
        /// The keys after `by`; None if there is no `by`.
        by: Option<Vec<Assignment>>,
    },
    /// `consume decodeblocks=true`.
    Consume(Vec<Parameter>),
    /// `count`, `count as name`.
    Count(Option<Name>),
    /// `distinct a, b` or `distinct *`.
    Distinct(Vec<Assignment>),
    /// `take n`, `limit n`.
    Take(ParsedExpr),
    /// `sample n`.
    Sample(ParsedExpr),
    /// `sample-distinct n of a`.
    SampleDistinct {
        /// The number of values.
        count: ParsedExpr,
        /// The column whose values are sampled.
        of: ParsedExpr,
    },
    /// `sort by a desc nulls last`.
    Sort(Vec<SortExpr>),
    /// `top n by a desc nulls last`.
    Top {
        /// The number of rows.
        count: ParsedExpr,
        /// The key that orders the rows.
        by: SortExpr,
    },
    /// `top-hitters n of a by b`.
    TopHitters {
        /// The number of values.
        count: ParsedExpr,
        /// The column whose values are counted.
        of: ParsedExpr,
        /// The numbers that are summed; None if rows are counted.
        by: Option<Assignment>,
    },
    /// `top-nested n of a with others = b by sum(c) desc, top-nested ...`.
    TopNested(Vec<TopNestedLevel>),
    /// `getschema`.
    Getschema,
    /// `render timechart with (title = "x")`: a hint for the client.
    Render {
        /// The kind of chart, such as `timechart`.
        chart: Name,
        /// The properties `name = value`, as the query writes them.
        properties: Vec<Parameter>,
    },
    /// `mv-expand a, b = c to typeof(string) limit 10`.
    MvExpand {
        /// The parameters `bagexpansion`, `kind` and `with_itemindex`.
        parameters: Vec<Parameter>,
        /// The values to expand. The elements of several values are combined in parallel.
        items: Vec<MvExpandItem>,
        /// The number after `limit`: the maximum number of rows for each input row.
        limit: Option<ParsedExpr>,
    },
    /// `parse kind=regex text with * "a=" a:long`, `parse-where ...`.
    Parse {
        /// True for `parse-where`, which drops the rows that do not match.
        drops_unmatched: bool,
        /// The parameters `kind` and `flags`.
        parameters: Vec<Parameter>,
        /// The value to parse.
        value: ParsedExpr,
        /// The parts of the pattern, in order.
        pattern: Vec<PatternPart>,
    },
    /// `parse-kv text as (a:long, b:string) with (pair_delimiter=",", kv_delimiter="=")`.
    ParseKv {
        /// The value to parse.
        value: ParsedExpr,
        /// The keys whose values become columns.
        keys: Vec<DatatableColumn>,
        /// The properties `pair_delimiter`, `kv_delimiter`, `quote`, `escape`, `greedy` and `regex`.
        properties: Vec<Parameter>,
    },
    /// `make-series a = count() default=0 on t from b to c step d by e`.
    MakeSeries(Box<MakeSeries>),
    /// `mv-apply a, b = c to typeof(string) limit 10 on (top 2 by a)`.
    MvApply {
        /// The parameters `bagexpansion`, `kind` and `with_itemindex`.
        parameters: Vec<Parameter>,
        /// The values to expand. The elements of several values are combined in parallel.
        items: Vec<MvExpandItem>,
        /// The number after `limit`: the maximum number of elements of each input row.
        limit: Option<ParsedExpr>,
        /// The operators that run once for each input row, over its elements.
        body: Vec<Operator>,
    },
    /// `partition hint.strategy=native by a (top 2 by b)`.
    Partition {
        /// Hints, such as `hint.strategy=native`.
        parameters: Vec<Parameter>,
        /// The column whose values divide the rows.
        key: Name,
        /// The operators or pipeline that run for each value of the column.
        body: PartitionBody,
    },
    /// `fork name=(operators) (operators)`: a result for each branch.
    Fork(Vec<ForkBranch>),
    /// `facet by a, b with (operators)`: a result for each column.
    Facet {
        /// The columns whose values are counted.
        columns: Vec<Name>,
        /// The operators after `with`, which return one more result; None if there are none.
        with: Option<Vec<Operator>>,
    },
    /// `union ...` after a `|`.
    Union {
        /// The parameters `kind`, `withsource`, `isfuzzy`, and hints.
        parameters: Vec<Parameter>,
        /// The tables that are added to the input rows.
        tables: Vec<Pipeline>,
    },
    /// `invoke function(argument, ...)`: a call whose first argument are the input rows.
    Invoke {
        /// The name of the function.
        function: Name,
        /// The arguments after the first one.
        arguments: Vec<Argument>,
    },
    /// `join kind=inner (right) on a, $left.b == $right.c`.
    Join {
        /// The parameter `kind`, and hints.
        parameters: Vec<Parameter>,
        /// The table to the right of the operator.
        right: Box<Pipeline>,
        /// The conditions after `on`.
        on: Vec<JoinCondition>,
    },
    /// `lookup kind=leftouter (right) on a`.
    Lookup {
        /// The parameter `kind`.
        parameters: Vec<Parameter>,
        /// The table to the right of the operator.
        right: Box<Pipeline>,
        /// The conditions after `on`.
        on: Vec<JoinCondition>,
    },
    /// `as hint.materialized=true name`.
    As {
        /// Hints, such as `hint.materialized=true`.
        parameters: Vec<Parameter>,
        /// The name that the rows get.
        name: Name,
    },
    /// `reduce kind=source by a with threshold=0.1, characters="X"`.
    Reduce {
        /// The parameter `kind=source`, if it is given.
        kind: Option<Parameter>,
        /// The string that is grouped; a name before it has no effect.
        value: Assignment,
        /// The properties `threshold` and `characters`.
        properties: Vec<Parameter>,
    },
    /// `scan declare (a:long) with (step s: condition => a = b;)`.
    Scan(Box<ScanOperator>),
    /// `search kind=case_sensitive "term"` after a `|`.
    Search {
        /// The parameter `kind`.
        parameters: Vec<Parameter>,
        /// The search predicate.
        predicate: ParsedExpr,
    },
    /// `serialize a = row_number()`.
    Serialize(Vec<Assignment>),
}

/// `evaluate plugin(argument, ...) : (column:type, ...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluate {
    /// Hints, such as `hint.distribution=single`.
    pub parameters: Vec<Parameter>,
    /// The name of the plugin.
    pub plugin: Name,
    /// The arguments of the plugin.
    pub arguments: Vec<Argument>,
    /// The output columns that the query declares; None if it declares none.
    pub schema: Option<OutputSchema>,
}

/// The output columns that a query declares for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSchema {
    /// True for `*`: the columns of the input come first.
    pub keeps_input: bool,
    /// The declared columns, without `*`.
    pub columns: Vec<DatatableColumn>,
    /// The position, including the parentheses.
    pub span: Span,
}

/// A level of `top-nested`.
#[derive(Clone, Debug, PartialEq)]
pub struct TopNestedLevel {
    /// The number of values; None for all values.
    pub count: Option<ParsedExpr>,
    /// The expression whose values are counted, and its name.
    pub of: Assignment,
    /// The constant after `with others =`: the value in the row for all other values; None if there is no such row.
    pub others: Option<ParsedExpr>,
    /// The aggregate that orders the values.
    pub by: Assignment,
    /// The order; None if the query gives none, which means descending.
    pub order: Option<SortOrder>,
}

/// `find in (A, B) where predicate project a, b:long`.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// The parameter `withsource`, if it is given.
    pub parameters: Vec<Parameter>,
    /// The tables; empty for all tables. A name may contain `*`.
    pub tables: Vec<Pipeline>,
    /// The condition. A string on its own in it is a search term.
    pub predicate: ParsedExpr,
    /// The output columns; None for `project-smart`, which is the default.
    pub columns: Option<Vec<FindColumn>>,
}

/// An output column of `find`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindColumn {
    /// A column `a`, or `a:long` with a type.
    Named(Name, Option<Type>),
    /// `pack_all()` or `pack(*)`: a bag of all columns that are not named.
    Pack(Span),
}

/// `name = value`, `(a, b) = value`, or a value without a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The names: none if the value has no name, several for a function that returns several columns.
    pub names: Vec<Name>,
    /// The value that gets the names.
    pub value: ParsedExpr,
}

/// A column, or a pattern with `*` for several columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPattern {
    /// The pattern. `*` matches any characters if `wildcard` is true.
    pub name: Name,
    /// True if `*` is a wildcard; false for a name in brackets.
    pub wildcard: bool,
}

/// An entry of `project-reorder`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReorderItem {
    /// The columns to place.
    pub pattern: ColumnPattern,
    /// The order of the columns that match the pattern, if there are several.
    pub order: Option<ReorderOrder>,
}

/// The column orders of `project-reorder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReorderOrder {
    /// Ascending by name.
    Ascending,
    /// Descending by name.
    Descending,
    /// Ascending by name, with runs of digits compared by value.
    GrannyAscending,
    /// Descending by name, with runs of digits compared by value.
    GrannyDescending,
}

/// A key of `sort` or `top`.
#[derive(Clone, Debug, PartialEq)]
pub struct SortExpr {
    /// The expression whose values order the rows.
    pub value: ParsedExpr,
    /// The order; None if the query gives none, which means descending.
    pub order: Option<SortOrder>,
    /// The position of nulls; None if the query gives none, which means last if descending, first if ascending.
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

/// A parameter `name = value` of an operator, such as `hint.strategy = shuffle` or `kind = inner`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name; dots are part of it.
    pub name: Name,
    /// The value: a literal, or a bare word, which is a name.
    pub value: ParsedExpr,
}

/// A part of the pattern of `parse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternPart {
    /// The kind of the part.
    pub kind: PatternPartKind,
    /// The position of the part.
    pub span: Span,
}

/// The kinds of parts of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternPartKind {
    /// `*`: any text.
    Star,
    /// A string that must occur in the text.
    Text(String),
    /// `name` or `name:type`: a column that receives the text at its place.
    Column {
        /// The name of the column.
        name: Name,
        /// The type of the column; None if the query gives none.
        ty: Option<Type>,
    },
}

/// A column of a `datatable`, or a key of `parse-kv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatatableColumn {
    /// The name of the column.
    pub name: Name,
    /// The type of the column.
    pub ty: Type,
}

/// An item of `mv-expand`.
#[derive(Clone, Debug, PartialEq)]
pub struct MvExpandItem {
    /// `name = value`, or a value alone.
    pub assignment: Assignment,
    /// The type in `to typeof(type)`; None if the query gives none.
    pub to: Option<Type>,
}

/// The parts of `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeries {
    /// The parameter `kind=nonempty`, and hints.
    pub parameters: Vec<Parameter>,
    /// The aggregates that are computed for each bin.
    pub items: Vec<MakeSeriesItem>,
    /// The axis: the column whose values order the elements of a series.
    pub axis: Assignment,
    /// The start, the end and the step of the axis.
    pub bounds: AxisBounds,
    /// The keys; empty if there is no `by`.
    pub by: Vec<Assignment>,
}

/// An aggregate of `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeriesItem {
    /// `name = aggregate`, or an aggregate alone.
    pub assignment: Assignment,
    /// The value after `default =`: the element of bins without rows; None if the query gives none.
    pub default: Option<ParsedExpr>,
}

/// The ends and the step of the axis of `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub enum AxisBounds {
    /// `from a to b step c`: `b` is excluded, and bins are counted from `a`.
    FromTo {
        /// The start of the first bin; None if the data decide it.
        from: Option<ParsedExpr>,
        /// The end, which is excluded; None if the data decide it.
        to: Option<ParsedExpr>,
        /// The distance between two elements.
        step: ParsedExpr,
    },
    /// `in range(a, b, c)`: `b` is included, and bins are multiples of `c`.
    InRange {
        /// The start of the first bin.
        start: ParsedExpr,
        /// The end, which is included.
        stop: ParsedExpr,
        /// The distance between two elements.
        step: ParsedExpr,
    },
}

/// The operators or pipeline that `partition` runs for each value of its key.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBody {
    /// `(operators)`, which run over the rows that have the value.
    Operators(Vec<Operator>),
    /// `{ pipeline }`, which has a source of its own. The key is a constant in it.
    Pipeline(Box<Pipeline>),
}

/// A branch of `fork`.
#[derive(Clone, Debug, PartialEq)]
pub struct ForkBranch {
    /// The name of the result; None if it has none.
    pub name: Option<Name>,
    /// The operators of the branch.
    pub operators: Vec<Operator>,
}

/// A condition of `join`: a name on both sides, or `$left.a == $right.b`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinCondition {
    /// The condition; `$left` and `$right` are names in it.
    pub condition: ParsedExpr,
}
