//! Moves a `range()` from a projection into the unnest that expands it, so that the elements are generated without
//! JSON. The projection computes the arguments of the `range()` instead.

use crate::diagnostic::Result;
use crate::expr::{Expr, ExprKind};
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, Unnest, UnnestItem, UnnestOutput, visit};
use crate::types::{Field, Schema};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Unnest(mut unnest) => {
                move_range(&mut unnest);
                LogicalPlan::Unnest(unnest)
            }
            other => other,
        })
    })
}

fn move_range(unnest: &mut Unnest) {
    let ([item], LogicalPlan::Project { expressions, schema, .. }) = (&mut unnest.items[..], &mut *unnest.input) else {
        return;
    };
    let Some(column) = item.expr.as_column().filter(|column| !unnest.output.contains(&UnnestOutput::Input(*column)))
    else {
        return;
    };
    let mut range = UnnestItem { expr: expressions[column].clone(), ty: item.ty };
    let is_range = range.as_range().is_some();
    let ExprKind::Call { arguments, .. } = &mut range.expr.kind else { return };
    if !is_range || arguments.iter().all(|argument| argument.as_literal().is_some()) {
        return;
    }
    let mut fields = schema.fields().to_vec();
    let mut free = Some(column);
    for argument in arguments.iter_mut().filter(|argument| argument.as_literal().is_none()) {
        let position = free.take().unwrap_or(expressions.len());
        let computed = std::mem::replace(argument, Expr::column(position, argument.ty, argument.span));
        if position == column {
            fields[position].ty = computed.ty;
            expressions[position] = computed;
        } else {
            fields.push(Field::new(unused(&fields, &fields[column].name), computed.ty));
            expressions.push(computed);
        }
    }
    *schema = Schema::new(fields);
    *item = range;
}

/// Returns `name` followed by a number, such that no field has that name.
fn unused(fields: &[Field], name: &str) -> String {
    let mut names = (1..=fields.len() + 1).map(|number| format!("{name}{number}"));
    names.find(|name| fields.iter().all(|field| field.name != *name)).unwrap_or_default()
}
