//! Patterns of KQL: tables that a query selects by strings.

use super::{FunctionBody, Name};
use crate::diagnostic::Span;
use crate::types::Type;

/// A declaration: `declare pattern name = (argument:string)[path:string] { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternDeclaration {
    /// The name of the pattern.
    pub name: Name,
    /// The parameters and cases; None if the pattern is declared without them.
    pub mapping: Option<PatternMapping>,
}

/// The parameters and the cases of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternMapping {
    /// The parameters. Only the type string is valid.
    pub parameters: Vec<(Name, Type)>,
    /// The parameter after the dot of a call; None if calls have none.
    pub path: Option<(Name, Type)>,
    /// The cases, in order.
    pub cases: Vec<PatternCase>,
}

/// A case: `("a", "b").["path"] = { body };`
#[derive(Clone, Debug, PartialEq)]
pub struct PatternCase {
    /// The arguments of the calls to which the case applies.
    pub arguments: Vec<String>,
    /// The path of these calls; None if they have none.
    pub path: Option<String>,
    /// The result: a table or a value.
    pub body: FunctionBody,
    /// The position of the whole case.
    pub span: Span,
}
