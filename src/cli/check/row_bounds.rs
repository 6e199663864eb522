//! How many rows a query returns, as far as its operators tell.

use crate::rules::ThresholdOperator;
use crate::syntax::ast::{OperatorKind, ParsedExpr, ParsedExprKind, Pipeline};
use crate::types::Value;

/// The number of rows of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowBounds {
    /// At least.
    min: u32,
    /// At most; None if there is no bound.
    max: Option<u32>,
}

/// Returns the number of rows of a pipeline. Its source may return any number.
pub(super) fn of(pipeline: &Pipeline) -> RowBounds {
    let any = RowBounds { min: 0, max: None };
    pipeline.operators.iter().fold(any, |bounds, operator| bounds.after(&operator.kind))
}

/// True for operators that return some of the records that they get, each at most once.
pub(super) fn keeps_records(operator: &OperatorKind) -> bool {
    keeps_number(operator)
        || matches!(operator, OperatorKind::Where(_) | OperatorKind::Take(_) | OperatorKind::Top { .. })
}

/// True for operators that return no rows if they get none.
pub(super) fn is_empty_of_empty(operator: &OperatorKind) -> bool {
    match operator {
        OperatorKind::Summarize { by, .. } => by.is_some(),
        OperatorKind::Join { parameters, .. } => {
            let kind = parameters.iter().find(|parameter| parameter.name.text == "kind");
            kind.is_none_or(|kind| {
                let ParsedExprKind::Name(name) = &kind.value.kind else { return false };
                ["inner", "innerunique", "leftouter", "leftsemi", "leftanti", "leftantisemi"].contains(&&*name.text)
            })
        }
        OperatorKind::Lookup { .. }
        | OperatorKind::Distinct(_)
        | OperatorKind::MvExpand { .. }
        | OperatorKind::Parse { .. }
        | OperatorKind::ParseKv { .. }
        | OperatorKind::As { .. }
        | OperatorKind::Sample(_) => true,
        other => keeps_records(other),
    }
}

fn keeps_number(operator: &OperatorKind) -> bool {
    matches!(
        operator,
        OperatorKind::Project(_)
            | OperatorKind::ProjectAway(_)
            | OperatorKind::ProjectKeep(_)
            | OperatorKind::ProjectRename(_)
            | OperatorKind::ProjectReorder(_)
            | OperatorKind::Extend(_)
            | OperatorKind::Sort(_)
            | OperatorKind::Serialize(_)
            | OperatorKind::Render { .. }
    )
}

impl RowBounds {
    fn after(self, operator: &OperatorKind) -> Self {
        match operator {
            OperatorKind::Count(_) | OperatorKind::Summarize { by: None, .. } => Self { min: 1, max: Some(1) },
            OperatorKind::Where(_) => Self { min: 0, ..self },
            OperatorKind::Take(count) | OperatorKind::Top { count, .. } => match literal(count) {
                Some(count) => {
                    Self { min: self.min.min(count), max: Some(self.max.map_or(count, |max| max.min(count))) }
                }
                None => Self { min: 0, ..self },
            },
            other if keeps_number(other) => self,
            _ => Self { min: 0, max: None },
        }
    }

    /// Whether a comparison of the number of rows is true, false, or both, depending on the rows.
    pub fn outcomes(self, operator: ThresholdOperator, threshold: f64) -> Vec<bool> {
        // A comparison changes only at the threshold.
        let near = [threshold.floor() - 1.0, threshold.floor(), threshold.floor() + 1.0];
        let (min, max) = (f64::from(self.min), self.max.map_or(f64::INFINITY, f64::from));
        let counts = near.into_iter().chain([min, max.min(threshold.abs() + f64::from(self.min) + 2.0)]);
        let mut outcomes: Vec<bool> =
            counts.filter(|count| (min..=max).contains(count)).map(|count| operator.holds(count, threshold)).collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        outcomes
    }

    /// The number of rows in words.
    pub fn text(self) -> String {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => format!("exactly {min} {}", rows(min)),
            (0, Some(max)) => format!("at most {max} {}", rows(max)),
            (min, Some(max)) => format!("{min} to {max} rows"),
            (0, None) => "any number of rows".to_owned(),
            (min, None) => format!("at least {min} {}", rows(min)),
        }
    }
}

fn rows(count: u32) -> &'static str {
    if count == 1 { "row" } else { "rows" }
}

fn literal(count: &ParsedExpr) -> Option<u32> {
    match &count.kind {
        ParsedExprKind::Literal(Value::Long(number)) => u32::try_from(*number).ok(),
        ParsedExprKind::Literal(Value::Int(number)) => u32::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::rules::ThresholdOperator::{self, Equal, GreaterThan, GreaterThanOrEqual, LessThan, NotEqual};
    use crate::syntax::{only_pipeline, parse};

    #[test]
    fn conditions_are_decided_by_the_number_of_rows() {
        let cases: &[(&str, ThresholdOperator, f64, &[bool])] = &[
            ("T", GreaterThan, 0.0, &[false, true]),
            ("T | count", GreaterThan, 0.0, &[true]),
            ("T | count", GreaterThan, 1.0, &[false]),
            ("T | count | where Count > 5", GreaterThan, 0.0, &[false, true]),
            ("T | count | where Count > 5", GreaterThan, 1.0, &[false]),
            ("T | summarize max(A)", Equal, 0.0, &[false]),
            ("T | summarize max(A) by B", Equal, 0.0, &[false, true]),
            ("T | take 5", GreaterThan, 5.0, &[false]),
            ("T | take 5 | extend a = 1", GreaterThanOrEqual, 5.0, &[false, true]),
            ("T | top 3 by A", NotEqual, 7.0, &[true]),
            ("T | take 5 | mv-expand A", GreaterThan, 5.0, &[false, true]),
            ("T", LessThan, 0.0, &[false]),
            ("T", GreaterThanOrEqual, 0.0, &[true]),
        ];
        for (query, operator, threshold, expected) in cases {
            let parsed = parse(query).query;
            let bounds = of(only_pipeline(&parsed).expect(query));
            assert_eq!(bounds.outcomes(*operator, *threshold), *expected, "{query} {operator:?} {threshold}");
        }
    }
}
