//! The parts of `scan`.

use super::{Assignment, Name, Parameter, ParsedExpr};
use crate::diagnostic::Span;
use crate::types::Type;

/// `scan with_match_id=m declare (a:long = 0) with (step s output=last: condition => a = b; ...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanOperator {
    /// `with_match_id=`.
    pub parameters: Vec<Parameter>,
    /// The columns that the steps compute.
    pub declared: Vec<ScanColumnDeclaration>,
    /// At least one.
    pub steps: Vec<ScanStep>,
}

/// `name:type`, `name:type = default`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanColumnDeclaration {
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: Type,
    /// A literal.
    pub default: Option<ParsedExpr>,
}

/// `step name optional output=last: condition => a = b, ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    /// The name.
    pub name: Name,
    /// The position of `optional`.
    pub optional: Option<Span>,
    /// The records that are returned; None, the default, means all.
    pub output: Option<ScanStepOutput>,
    /// The condition.
    pub condition: ParsedExpr,
    /// The values of declared columns, each with one name.
    pub assignments: Vec<Assignment>,
}

/// Which of the records that match a step are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanStepOutput {
    /// Every one.
    All,
    /// The last one of a series.
    Last,
    /// None.
    None,
}

impl ScanStepOutput {
    /// The word that queries use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Last => "last",
            Self::None => "none",
        }
    }
}
