//! Optimizes plans: the same rows for less work. Rules keep the schema, and the plan is verified after each rule.

mod rule;

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, verify};

/// An optimizer rule.
pub struct Rule {
    /// The name of the rule and of its file.
    pub name: &'static str,
    /// A description for `explain` and the documentation.
    pub summary: &'static str,
    apply: fn(LogicalPlan, &EvalContext) -> Result<LogicalPlan>,
}

/// All rules, in the order in which they run.
pub static RULES: &[Rule] = &[
    Rule {
        name: "fold_constants",
        summary: "computes what is the same for all rows",
        apply: rule::fold_constants::apply,
    },
    Rule {
        name: "push_down_filter",
        summary: "moves conditions towards the tables",
        apply: rule::push_down_filter::apply,
    },
    // Predicates that were pushed through projections of constants can be folded now.
    Rule {
        name: "fold_constants",
        summary: "computes what is the same for all rows",
        apply: rule::fold_constants::apply,
    },
    Rule {
        name: "sort_limit_to_top",
        summary: "keeps only the first rows of an order instead of ordering all",
        apply: rule::sort_limit_to_top::apply,
    },
    Rule {
        name: "push_down_limit",
        summary: "tells tables how few rows are wanted",
        apply: rule::push_down_limit::apply,
    },
    Rule {
        name: "prune_columns",
        summary: "reads only the columns and paths that are used",
        apply: rule::prune_columns::apply,
    },
    Rule {
        name: "push_predicate_into_scan",
        summary: "gives tables the conditions to test and to skip by",
        apply: rule::push_predicate_into_scan::apply,
    },
    // Columns that only a filter needed are not needed above the scan any more.
    Rule {
        name: "prune_columns",
        summary: "reads only the columns and paths that are used",
        apply: rule::prune_columns::apply,
    },
    Rule {
        name: "merge_projections",
        summary: "makes one projection of two that follow each other",
        apply: rule::merge_projections::apply,
    },
    Rule {
        name: "range_into_unnest",
        summary: "counts elements of range() up where they are taken apart",
        apply: rule::range_into_unnest::apply,
    },
];

/// Applies all rules to `plan`.
pub fn optimize(plan: LogicalPlan, context: &EvalContext) -> Result<LogicalPlan> {
    RULES.iter().try_fold(plan, |plan, rule| {
        let schema = plan.schema().clone();
        let plan = (rule.apply)(plan, context)?;
        verify::verify(&plan, rule.name)?;
        if *plan.schema() == schema {
            Ok(plan)
        } else {
            Err(crate::diagnostic::Error::internal(format!("rule {} changed the schema", rule.name)))
        }
    })
}
