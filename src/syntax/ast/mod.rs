//! The syntax tree of a query; every node has its position.
//!
//! Nothing here is resolved or checked against a schema: a [`Name`] may be a column, a `let`, a table or a mistake. The
//! binder decides that.

mod function;
mod operator;
mod pattern;
mod scan;
pub mod visit;

pub use function::{Function, FunctionBody, FunctionParameter, ParameterKind};
pub use operator::{
    Assignment, AxisBounds, ColumnPattern, DatatableColumn, Evaluate, Find, FindColumn, ForkBranch, JoinCondition,
    MakeSeries, MakeSeriesItem, MvExpandItem, NullsOrder, Operator, OperatorKind, OutputSchema, Parameter,
    PartitionBody, PatternPart, PatternPartKind, ReorderItem, ReorderOrder, SortExpr, SortOrder, TopNestedLevel,
};
pub use scan::{ScanColumnDeclaration, ScanOperator, ScanStep, ScanStepOutput};

pub use pattern::{PatternCase, PatternDeclaration, PatternMapping};

use std::sync::Arc;

use crate::diagnostic::Span;
use crate::types::{Type, Value};

/// A whole query text: statements separated by `;`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// In the order written. Each [`StatementKind::Query`] returns results; the parser reports a text without one.
    pub statements: Vec<Statement>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The kind.
    pub kind: StatementKind,
    /// The whole statement.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let name = value`.
    Let {
        /// The name.
        name: Name,
        /// The value it names.
        value: LetValue,
    },
    /// `set option` or `set option = value`.
    Set {
        /// The option, for example `query_now`.
        option: Name,
        /// The value: a literal, or a bare word read as a string.
        value: Option<ParsedExpr>,
    },
    /// `declare query_parameters(name:type = default, ...)`.
    DeclareParameters(Vec<ParameterDeclaration>),
    /// `declare pattern name = ...`.
    DeclarePattern(Arc<PatternDeclaration>),
    /// A query.
    Query(Pipeline),
}

/// The right side of a `let`.
#[derive(Clone, Debug, PartialEq)]
pub enum LetValue {
    /// A value, or a bare name or call that the binder may resolve to a table.
    Expr(ParsedExpr),
    /// A table: a source with operators, or a source that is more than a name.
    Pipeline(Pipeline),
    /// `(parameter:type) { ... }`; shared by its calls.
    Function(Arc<Function>),
}

/// A declared query parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDeclaration {
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: Type,
    /// The default, a literal.
    pub default: Option<ParsedExpr>,
}

/// An identifier as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name, without brackets and quotes.
    pub text: String,
    /// The position, brackets included.
    pub span: Span,
}

/// A source and the operators that its rows flow through.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The source of the rows.
    pub source: Source,
    /// The operators, in order.
    pub operators: Vec<Operator>,
    /// The whole pipeline.
    pub span: Span,
}

/// A source of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The kind.
    pub kind: SourceKind,
    /// The whole source.
    pub span: Span,
}

/// The kinds of source.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// A table, or a `let` that names one.
    Name(Name),
    /// A call that returns a table: `table("x")`, `materialize(...)`.
    Call {
        /// The function.
        function: Name,
        /// The arguments.
        arguments: Vec<Argument>,
    },
    /// `pattern("argument").path`: a call of a pattern.
    PatternCall {
        /// The pattern.
        pattern: Name,
        /// The arguments.
        arguments: Vec<Argument>,
        /// The path.
        path: Name,
    },
    /// A table outside the default database. Its name is the normal spelling: `workspace('w').T`.
    Remote(Name),
    /// `print name = value, ...`: one row.
    Print(Vec<Assignment>),
    /// `datatable(name:type, ...) [value, ...]`.
    Datatable {
        /// The columns.
        columns: Vec<DatatableColumn>,
        /// The cells, row by row; each a constant.
        cells: Vec<ParsedExpr>,
    },
    /// `externaldata(name:type, ...) [address, ...] with (property = value, ...)`.
    External(Box<ExternalData>),
    /// `range name from start to stop step step`.
    Range {
        /// The column.
        column: Name,
        /// The first value.
        from: Box<ParsedExpr>,
        /// The last value, included if a step reaches it.
        to: Box<ParsedExpr>,
        /// The step.
        step: Box<ParsedExpr>,
    },
    /// `union kind=... withsource=... isfuzzy=... A, (B | where ...)` at the start of a pipeline.
    Union {
        /// `kind`, `withsource`, `isfuzzy`, hints.
        parameters: Vec<Parameter>,
        /// The tables; a name may contain `*`.
        tables: Vec<Pipeline>,
    },
    /// `search kind=... in (A, B) "term"` at the start of a pipeline.
    Search {
        /// `kind`.
        parameters: Vec<Parameter>,
        /// The tables, empty for all; a name may contain `*`.
        tables: Vec<Pipeline>,
        /// The search predicate.
        predicate: Box<ParsedExpr>,
    },
    /// `find in (A, B) where predicate project a` at the start of a pipeline.
    Find(Box<Find>),
    /// `evaluate plugin(...)` at the start of a pipeline.
    Evaluate(Box<Evaluate>),
    /// `( pipeline )`.
    Parenthesised(Box<Pipeline>),
}

/// Rows of files that the query names by address.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalData {
    /// The declared columns.
    pub columns: Vec<DatatableColumn>,
    /// URLs and paths.
    pub addresses: Vec<ParsedExpr>,
    /// `format`, `ignoreFirstRecord`, ...
    pub properties: Vec<Parameter>,
}

/// A scalar expression as written.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedExpr {
    /// The kind.
    pub kind: ParsedExprKind,
    /// The whole expression.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedExprKind {
    /// A literal of any type, typed nulls included.
    Literal(Value),
    /// A column, `let` or query parameter.
    Name(Name),
    /// `*` for all columns: `arg_max(x, *)`, `* has "x"`, `search *`.
    Star,
    /// `-x`, `+x`.
    Unary {
        /// The sign.
        operator: UnaryOperator,
        /// The operand.
        operand: Box<ParsedExpr>,
    },
    /// `left operator right`.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// The position of the operator.
        operator_span: Span,
        /// The left operand.
        left: Box<ParsedExpr>,
        /// The right operand.
        right: Box<ParsedExpr>,
    },
    /// `left in (a, b)`, `left has_any (...)` and their kin.
    Membership {
        /// The operator.
        operator: MembershipOperator,
        /// The position of the operator.
        operator_span: Span,
        /// The value to look up.
        left: Box<ParsedExpr>,
        /// The list; an element may be a dynamic array or a table ([`ParsedExprKind::Pipeline`]).
        list: Vec<ParsedExpr>,
    },
    /// `operand between (low .. high)`.
    Between {
        /// `!between`.
        negated: bool,
        /// The position of the operator.
        operator_span: Span,
        /// The value.
        operand: Box<ParsedExpr>,
        /// The lower bound, included.
        low: Box<ParsedExpr>,
        /// The upper bound, included.
        high: Box<ParsedExpr>,
    },
    /// `function(arguments)`.
    Call {
        /// The function.
        function: Name,
        /// The arguments.
        arguments: Vec<Argument>,
    },
    /// `base.name`.
    Member {
        /// A dynamic value.
        base: Box<ParsedExpr>,
        /// The key.
        name: Name,
    },
    /// `base[index]`.
    Index {
        /// A dynamic value.
        base: Box<ParsedExpr>,
        /// A position or a key.
        index: Box<ParsedExpr>,
    },
    /// `(inner)`.
    Parenthesised(Box<ParsedExpr>),
    /// A table where a value is required: inside `toscalar(...)` or `in (...)`.
    Pipeline(Box<Pipeline>),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name = value`.
    pub name: Option<Name>,
    /// The value.
    pub value: ParsedExpr,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is its own name; BinaryOperator::symbol spells it")]
pub enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    EqualTilde,
    NotEqualTilde,
    Has,
    NotHas,
    HasCs,
    NotHasCs,
    HasPrefix,
    NotHasPrefix,
    HasPrefixCs,
    NotHasPrefixCs,
    HasSuffix,
    NotHasSuffix,
    HasSuffixCs,
    NotHasSuffixCs,
    Contains,
    NotContains,
    ContainsCs,
    NotContainsCs,
    StartsWith,
    NotStartsWith,
    StartsWithCs,
    NotStartsWithCs,
    EndsWith,
    NotEndsWith,
    EndsWithCs,
    NotEndsWithCs,
    MatchesRegex,
    /// `column:term` of `search`.
    Colon,
}

impl BinaryOperator {
    /// Every operator with its spelling: the only such table; lexer, parser, printer and messages read it.
    pub const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("or", Self::Or),
        ("and", Self::And),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<>", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
        ("+", Self::Add),
        ("-", Self::Subtract),
        ("*", Self::Multiply),
        ("/", Self::Divide),
        ("%", Self::Modulo),
        ("=~", Self::EqualTilde),
        ("!~", Self::NotEqualTilde),
        ("has", Self::Has),
        ("!has", Self::NotHas),
        ("has_cs", Self::HasCs),
        ("!has_cs", Self::NotHasCs),
        ("hasprefix", Self::HasPrefix),
        ("!hasprefix", Self::NotHasPrefix),
        ("hasprefix_cs", Self::HasPrefixCs),
        ("!hasprefix_cs", Self::NotHasPrefixCs),
        ("hassuffix", Self::HasSuffix),
        ("!hassuffix", Self::NotHasSuffix),
        ("hassuffix_cs", Self::HasSuffixCs),
        ("!hassuffix_cs", Self::NotHasSuffixCs),
        ("contains", Self::Contains),
        ("!contains", Self::NotContains),
        ("contains_cs", Self::ContainsCs),
        ("!contains_cs", Self::NotContainsCs),
        ("startswith", Self::StartsWith),
        ("!startswith", Self::NotStartsWith),
        ("startswith_cs", Self::StartsWithCs),
        ("!startswith_cs", Self::NotStartsWithCs),
        ("endswith", Self::EndsWith),
        ("!endswith", Self::NotEndsWith),
        ("endswith_cs", Self::EndsWithCs),
        ("!endswith_cs", Self::NotEndsWithCs),
        ("matches regex", Self::MatchesRegex),
        // Old spellings, which the analyzer still accepts.
        ("containscs", Self::ContainsCs),
        ("notcontains", Self::NotContains),
        ("notcontainscs", Self::NotContainsCs),
        (":", Self::Colon),
    ];

    /// Returns the spelling.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}

/// Operators that look up a value in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is its own name; MembershipOperator::symbol spells it")]
pub enum MembershipOperator {
    In,
    NotIn,
    InTilde,
    NotInTilde,
    HasAny,
    HasAll,
}

impl MembershipOperator {
    /// Every operator with its spelling.
    pub const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("in", Self::In),
        ("!in", Self::NotIn),
        ("in~", Self::InTilde),
        ("!in~", Self::NotInTilde),
        ("has_any", Self::HasAny),
        ("has_all", Self::HasAll),
    ];

    /// Returns the spelling.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}
