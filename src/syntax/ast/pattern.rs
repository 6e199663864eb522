//! Patterns: named tables that a query selects by strings.

use super::{FunctionBody, Name};
use crate::diagnostic::Span;
use crate::types::Type;

/// `declare pattern name = (argument:string)[path:string] { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternDeclaration {
    /// The name.
    pub name: Name,
    /// The cases of the pattern; None if it is only declared.
    pub mapping: Option<PatternMapping>,
}

/// The parameters and the cases of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternMapping {
    /// The parameters; only strings are valid.
    pub parameters: Vec<(Name, Type)>,
    /// The parameter after the dot of a call.
    pub path: Option<(Name, Type)>,
    /// The cases.
    pub cases: Vec<PatternCase>,
}

/// `("a", "b").["path"] = { body };`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternCase {
    /// The arguments of the calls that it matches.
    pub arguments: Vec<String>,
    /// The path of these calls.
    pub path: Option<String>,
    /// A table or a value.
    pub body: FunctionBody,
    /// The whole case.
    pub span: Span,
}
