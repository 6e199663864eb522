//! Functions that a query defines.

use super::{DatatableColumn, Expr, LetValue, Name, Statement};
use crate::diagnostic::Span;
use crate::types::Type;

/// `view (a:long, b:string = "") { let c = a; c + 1 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// `view`: found by patterns of tables.
    pub view: bool,
    /// In order.
    pub parameters: Vec<FunctionParameter>,
    /// What a call stands for.
    pub body: FunctionBody,
    /// All of its words.
    pub span: Span,
}

/// What stands in the braces of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionBody {
    /// The `let` statements before the result.
    pub lets: Vec<Statement>,
    /// A value or a table; never a [`LetValue::Function`].
    pub result: LetValue,
}

/// One parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// Its name.
    pub name: Name,
    /// What it takes.
    pub kind: ParameterKind,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// `name:type`, `name:type = default`.
    Scalar {
        /// The type.
        ty: Type,
        /// A literal, where the argument may be left out.
        default: Option<Expr>,
    },
    /// `name:(column:type, ...)`, or `name:(*)` without columns: a table that has at least these columns.
    Tabular(Vec<DatatableColumn>),
}
