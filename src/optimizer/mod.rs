//! Optimizes plans, so that they return the same rows for less work. Rules keep the schema of a plan, and the plan is
//! verified after each rule.

mod rule;

pub use rule::push_down_filter::{conjunction, conjuncts};

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, verify};

/// A rule of the optimizer.
pub struct Rule {
    /// The name of the rule, which is also the name of its file.
    pub name: &'static str,
    /// A description for `explain` and the documentation.
    pub summary: &'static str,
    apply: fn(LogicalPlan, &EvalContext) -> Result<LogicalPlan>,
}

static FOLD_CONSTANTS: Rule =
    Rule { name: "fold_constants", summary: "evaluates constant expressions once", apply: rule::fold_constants::apply };
static PUSH_DOWN_FILTER: Rule = Rule {
    name: "push_down_filter",
    summary: "moves filters towards the tables",
    apply: rule::push_down_filter::apply,
};
static SORT_LIMIT_TO_TOP: Rule = Rule {
    name: "sort_limit_to_top",
    summary: "keeps only the first rows of an order instead of sorting all rows",
    apply: rule::sort_limit_to_top::apply,
};
static PUSH_DOWN_LIMIT: Rule =
    Rule { name: "push_down_limit", summary: "limits the rows that tables read", apply: rule::push_down_limit::apply };
static PRUNE_COLUMNS: Rule = Rule {
    name: "prune_columns",
    summary: "reads only the columns and paths that are used",
    apply: rule::prune_columns::apply,
};
static PUSH_PREDICATE_INTO_SCAN: Rule = Rule {
    name: "push_predicate_into_scan",
    summary: "filters and skips rows while tables are read",
    apply: rule::push_predicate_into_scan::apply,
};
static MERGE_PROJECTIONS: Rule = Rule {
    name: "merge_projections",
    summary: "merges consecutive projections",
    apply: rule::merge_projections::apply,
};
static RANGE_INTO_UNNEST: Rule = Rule {
    name: "range_into_unnest",
    summary: "generates the elements of range() while they are expanded",
    apply: rule::range_into_unnest::apply,
};

static BOUND_JOIN: Rule = Rule {
    name: "bound_join",
    summary: "makes no pairs outside the window of time that a filter demands",
    apply: rule::bound_join::apply,
};

static PACK_MEMBERS: Rule = Rule {
    name: "pack_members",
    summary: "packs long lists of literals into arrays, which are prepared once",
    apply: rule::pack_members::apply,
};

/// All rules, in the order in which they run.
pub static RULES: &[&Rule] = &[
    &FOLD_CONSTANTS,
    &PUSH_DOWN_FILTER,
    // Predicates that were pushed through projections of constants can be folded now.
    &FOLD_CONSTANTS,
    &SORT_LIMIT_TO_TOP,
    &PUSH_DOWN_LIMIT,
    &PRUNE_COLUMNS,
    &PUSH_PREDICATE_INTO_SCAN,
    // Columns that only a filter needed are not needed above the scan any more.
    &PRUNE_COLUMNS,
    &MERGE_PROJECTIONS,
    &RANGE_INTO_UNNEST,
    &BOUND_JOIN,
    // Scans have been told the members of lists by now.
    &PACK_MEMBERS,
];

/// Applies all rules to `plan`, one after the other. A rule that breaks the plan or changes its schema is an internal
/// error.
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
