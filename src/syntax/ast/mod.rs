//! The syntax tree of a query; every node has its position.
//!
//! Nothing is resolved or checked against a schema here: a [`Name`] may be a column, a `let`, a table or a mistake.
//! The binder decides what it is.

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

/// The text of a whole query: statements that `;` separates.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The statements, in order. Each [`StatementKind::Query`] returns results; the parser reports a text that has
    /// none.
    pub statements: Vec<Statement>,
}

/// A statement: the text up to a `;`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The kind of the statement, with its parts.
    pub kind: StatementKind,
    /// The position of the whole statement.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let name = value`.
    Let {
        /// The name that is defined.
        name: Name,
        /// The value that gets the name.
        value: LetValue,
    },
    /// `set option` or `set option = value`.
    Set {
        /// The option, for example `query_now`.
        option: Name,
        /// The value: a literal, or a bare word, which is read as a string; None if there is no `=`.
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
    /// A function: `(parameter:type) { ... }`. All of its calls share it.
    Function(Arc<Function>),
}

/// A declared query parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDeclaration {
    /// The name of the parameter.
    pub name: Name,
    /// The type of the parameter.
    pub ty: Type,
    /// The default, a literal; None if the parameter must be given.
    pub default: Option<ParsedExpr>,
}

/// An identifier in the query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name, without brackets and quotes.
    pub text: String,
    /// The position, including the brackets.
    pub span: Span,
}

/// A source of rows, and the operators that are applied to them one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The source of the rows.
    pub source: Source,
    /// The operators, in order.
    pub operators: Vec<Operator>,
    /// The position of the whole pipeline.
    pub span: Span,
}

/// A source of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The kind of the source, with its parts.
    pub kind: SourceKind,
    /// The position of the whole source.
    pub span: Span,
}

/// The kinds of source.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// A table, or a `let` that names one.
    Name(Name),
    /// A call that returns a table: `table("x")`, `materialize(...)`.
    Call {
        /// The name of the function.
        function: Name,
        /// The arguments of the call.
        arguments: Vec<Argument>,
    },
    /// `pattern("argument").path`: a call of a pattern.
    PatternCall {
        /// The name of the pattern.
        pattern: Name,
        /// The arguments in the parentheses.
        arguments: Vec<Argument>,
        /// The path after the `.`.
        path: Name,
    },
    /// A table outside the default database. The name is its canonical spelling, such as `workspace('w').T`.
    Remote(Name),
    /// `print name = value, ...`: one row.
    Print(Vec<Assignment>),
    /// `datatable(name:type, ...) [value, ...]`.
    Datatable {
        /// The declared columns.
        columns: Vec<DatatableColumn>,
        /// The cells, row by row; each is a constant.
        cells: Vec<ParsedExpr>,
    },
    /// `externaldata(name:type, ...) [address, ...] with (property = value, ...)`.
    External(Box<ExternalData>),
    /// `range name from start to stop step step`.
    Range {
        /// The name of the column.
        column: Name,
        /// The first value.
        from: Box<ParsedExpr>,
        /// The last value; it is included if a step reaches it exactly.
        to: Box<ParsedExpr>,
        /// The distance between two values.
        step: Box<ParsedExpr>,
    },
    /// `union kind=... withsource=... isfuzzy=... A, (B | where ...)` at the start of a pipeline.
    Union {
        /// The parameters `kind`, `withsource`, `isfuzzy`, and hints.
        parameters: Vec<Parameter>,
        /// The tables; a name may contain `*`.
        tables: Vec<Pipeline>,
    },
    /// `search kind=... in (A, B) "term"` at the start of a pipeline.
    Search {
        /// The parameter `kind`.
        parameters: Vec<Parameter>,
        /// The tables; empty for all tables. A name may contain `*`.
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

/// The parts of an `externaldata`: rows of files that the query names by their addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalData {
    /// The declared columns.
    pub columns: Vec<DatatableColumn>,
    /// The addresses: URLs and paths.
    pub addresses: Vec<ParsedExpr>,
    /// The properties, such as `format` and `ignoreFirstRecord`.
    pub properties: Vec<Parameter>,
}

/// A scalar expression of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedExpr {
    /// The kind of the expression, with its parts.
    pub kind: ParsedExprKind,
    /// The position of the whole expression.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedExprKind {
    /// A literal of any type, including typed nulls.
    Literal(Value),
    /// A column, `let` or query parameter.
    Name(Name),
    /// `*` for all columns, as in `arg_max(x, *)`, `* has "x"` and `search *`.
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
    /// A lookup in a list: `left in (a, b)`, `left has_any (...)` and similar operators.
    Membership {
        /// The operator before the list.
        operator: MembershipOperator,
        /// The position of the operator.
        operator_span: Span,
        /// The value that is looked up.
        left: Box<ParsedExpr>,
        /// The list; an element may be a dynamic array or a table ([`ParsedExprKind::Pipeline`]).
        list: Vec<ParsedExpr>,
    },
    /// `operand between (low .. high)`.
    Between {
        /// True for `!between`.
        negated: bool,
        /// The position of the operator.
        operator_span: Span,
        /// The value that is compared.
        operand: Box<ParsedExpr>,
        /// The lower bound, included.
        low: Box<ParsedExpr>,
        /// The upper bound, included.
        high: Box<ParsedExpr>,
    },
    /// `function(arguments)`.
    Call {
        /// The name of the function.
        function: Name,
        /// The arguments of the call.
        arguments: Vec<Argument>,
    },
    /// `base.name`.
    Member {
        /// A dynamic value.
        base: Box<ParsedExpr>,
        /// The key of the member.
        name: Name,
    },
    /// `base[index]`.
    Index {
        /// A dynamic value.
        base: Box<ParsedExpr>,
        /// The position of an element, or the key of a member.
        index: Box<ParsedExpr>,
    },
    /// `(inner)`.
    Parenthesised(Box<ParsedExpr>),
    /// A table where a value is required, inside `toscalar(...)` or `in (...)`.
    Pipeline(Box<Pipeline>),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The name in `name = value`; None if the argument has no name.
    pub name: Option<Name>,
    /// The value of the argument.
    pub value: ParsedExpr,
}

/// The operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// The operators between two operands.
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
    /// The operator of `column:term` in `search`.
    Colon,
}

impl BinaryOperator {
    /// Every operator with its spelling. Lexer, parser, printer and messages all read this table.
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

    /// Returns the spelling of the operator.
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

    /// Returns the spelling of the operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}
