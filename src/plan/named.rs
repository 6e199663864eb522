//! The columns that a query uses, by name.

use std::collections::BTreeSet;

use super::{LogicalPlan, visit};
use crate::expr::{self, Expr};

/// Returns the names of the columns that rows are filtered, sorted, grouped or joined by, or that
/// something is computed of. Columns that are only passed on, as all are by `*`, do not count.
#[must_use]
pub fn named_columns(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    add(plan, &mut names);
    names
}

fn add(plan: &LogicalPlan, names: &mut BTreeSet<String>) {
    let inputs = visit::inputs(plan);
    let mut name = |expr: &Expr, input: &LogicalPlan| {
        let columns = expr::visit::columns(expr).into_iter();
        names.extend(columns.filter_map(|column| input.schema().fields().get(column)).map(|field| field.name.clone()));
    };
    match (plan, &inputs[..]) {
        // Each half of a key refers to its own side.
        (LogicalPlan::Join(join), _) => {
            for key in &join.keys {
                name(&key.left, &join.left);
                name(&key.right, &join.right);
            }
        }
        (LogicalPlan::Aggregate { keys, aggregates, .. }, [input]) => {
            let computed = aggregates.iter().flat_map(|aggregate| &aggregate.arguments);
            keys.iter().chain(computed.filter(|argument| !is_passed_on(argument))).for_each(|expr| name(expr, input));
        }
        (LogicalPlan::Project { expressions, .. }, [input]) => {
            expressions.iter().filter(|expr| !is_passed_on(expr)).for_each(|expr| name(expr, input));
        }
        (_, [input]) => visit::expressions(plan).into_iter().for_each(|expr| name(expr, input)),
        // A scan knows the columns of its own filter.
        _ => {}
    }
    inputs.into_iter().for_each(|input| add(input, names));
}

fn is_passed_on(expr: &Expr) -> bool {
    expr.as_column().is_some()
}
