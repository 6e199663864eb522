//! Binds the operator `as`, which names its input.

use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{LogicalPlan, visit};
use crate::scan::MemoryTable;
use crate::syntax::ast::{self, Parameter, ParsedExprKind};
use crate::types::Value;

impl Binder<'_> {
    /// Makes `name` refer to these rows from here on. If the query asks to keep the rows, and they would differ each
    /// time that they are computed, they are computed now.
    /// Source: the reference's page on the as operator.
    pub(super) fn name_rows(
        &mut self,
        input: LogicalPlan,
        parameters: &[Parameter],
        name: &ast::Name,
    ) -> Bind<LogicalPlan> {
        let mut keep = false;
        for parameter in parameters {
            match (parameter.name.text.as_str(), &parameter.value.kind) {
                ("hint.materialized", ParsedExprKind::Literal(Value::Bool(truth))) => keep = *truth,
                (other, _) => {
                    let message = format!("unsupported value of the as parameter `{other}`");
                    let span = parameter.name.span.to(parameter.value.span);
                    return Err(self.report(Diagnostic::new(Code::InvalidValue, span, message)));
                }
            }
        }
        let rows = if keep { self.repeatable(input, &name.text)? } else { input };
        self.scope.shadow(&name.text, Binding::Table(rows.clone(), Some(name.text.clone())), name.span);
        Ok(rows)
    }

    /// Returns a plan with the rows of `plan` that always returns the same rows: they are computed now if they would
    /// differ each time.
    pub(in crate::binder) fn repeatable(&self, plan: LogicalPlan, name: &str) -> Bind<LogicalPlan> {
        if is_repeatable(&plan) {
            return Ok(plan);
        }
        let table = MemoryTable::new(plan.schema().clone(), self.evaluate(&plan)?);
        Ok(LogicalPlan::scan(name, std::sync::Arc::new(table)))
    }
}

/// True if the plan returns the same rows each time.
pub(super) fn is_repeatable(plan: &LogicalPlan) -> bool {
    visit::expressions(plan).iter().all(|expr| expr.is_repeatable())
        && visit::inputs(plan).into_iter().all(is_repeatable)
}
