//! Functions that a query defines.

use super::{DatatableColumn, LetValue, Name, ParsedExpr, Statement};
use crate::diagnostic::Span;
use crate::types::Type;

/// `view (a:long, b:string = "") { let c = a; c + 1 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// `view`: patterns of table names find it.
    pub view: bool,
    /// The parameters, in order.
    pub parameters: Vec<FunctionParameter>,
    /// The body, which replaces a call.
    pub body: FunctionBody,
    /// The whole function.
    pub span: Span,
}

/// The content of a function's braces.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionBody {
    /// The `let` statements before the result.
    pub lets: Vec<Statement>,
    /// A value or a table; never a [`LetValue::Function`].
    pub result: LetValue,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// The name.
    pub name: Name,
    /// The kind of argument.
    pub kind: ParameterKind,
}

/// The kind of argument that a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// `name:type`, `name:type = default`.
    Scalar {
        /// The type.
        ty: Type,
        /// A literal, if the argument is optional.
        default: Option<ParsedExpr>,
    },
    /// `name:(column:type, ...)`, or `name:(*)` without columns: a table that has at least these columns.
    Tabular(Vec<DatatableColumn>),
}
