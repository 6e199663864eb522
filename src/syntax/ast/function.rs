//! Functions that a query defines.

use super::{DatatableColumn, LetValue, Name, ParsedExpr, Statement};
use crate::diagnostic::Span;
use crate::types::Type;

/// A function: `view (a:long, b:string = "") { let c = a; c + 1 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// True for `view`: wildcards of table names then match the function, too.
    pub view: bool,
    /// The parameters, in order.
    pub parameters: Vec<FunctionParameter>,
    /// The body; a call is replaced by it.
    pub body: FunctionBody,
    /// The position of the whole function.
    pub span: Span,
}

/// The content of a function's braces.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionBody {
    /// The `let` statements before the result.
    pub lets: Vec<Statement>,
    /// The result: a value or a table, never a [`LetValue::Function`].
    pub result: LetValue,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// The name of the parameter.
    pub name: Name,
    /// The kind of argument that it takes.
    pub kind: ParameterKind,
}

/// The kind of argument that a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// A value: `name:type`, or `name:type = default`.
    Scalar {
        /// The type of the argument.
        ty: Type,
        /// The default, a literal; None if the argument is required.
        default: Option<ParsedExpr>,
    },
    /// A table that has at least these columns: `name:(column:type, ...)`, or `name:(*)` for any columns.
    Tabular(Vec<DatatableColumn>),
}
