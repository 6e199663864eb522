//! The parts of the operator `scan`.

use super::{Assignment, Name, Parameter, ParsedExpr};
use crate::diagnostic::Span;
use crate::types::Type;

/// `scan with_match_id=m declare (a:long = 0) with (step s output=last: condition => a = b; ...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanOperator {
    /// The parameter `with_match_id`, if given.
    pub parameters: Vec<Parameter>,
    /// The columns that the steps compute.
    pub declared: Vec<ScanColumnDeclaration>,
    /// The steps; there is at least one.
    pub steps: Vec<ScanStep>,
}

/// A declared column: `name:type`, or `name:type = default`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanColumnDeclaration {
    /// The name of the column.
    pub name: Name,
    /// The type of the column.
    pub ty: Type,
    /// The default, a literal; None if the query gives none.
    pub default: Option<ParsedExpr>,
}

/// A step: `step name optional output=last: condition => a = b, ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    /// The name of the step.
    pub name: Name,
    /// The position of the word `optional`; None if the step is not optional.
    pub optional: Option<Span>,
    /// Which records are returned; None, the default, means all.
    pub output: Option<ScanStepOutput>,
    /// The condition that a record must meet to match the step.
    pub condition: ParsedExpr,
    /// The values that are assigned to declared columns; each has exactly one name.
    pub assignments: Vec<Assignment>,
}

/// Tells which of the records that match a step are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanStepOutput {
    /// Every record.
    All,
    /// The last record of a series of records that match the step.
    Last,
    /// No record.
    None,
}

impl ScanStepOutput {
    /// Returns the word after `output=` in a query.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Last => "last",
            Self::None => "none",
        }
    }
}
