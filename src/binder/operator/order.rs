//! Binds `take`, `sort` and `top`.

use super::without_windows;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{self, LogicalPlan};
use crate::syntax::ast::{self, NullsOrder, SortOrder};
use crate::types::{Schema, Type};

impl Binder<'_> {
    pub(super) fn take(&mut self, input: LogicalPlan, count: &ast::ParsedExpr) -> Bind<LogicalPlan> {
        let count = self.row_count(count)?;
        Ok(LogicalPlan::Limit { input: Box::new(input), count })
    }

    pub(super) fn sort(&mut self, input: LogicalPlan, keys: &[ast::SortExpr]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let input = self.windowed(input, keys.iter().map(|key| &key.value))?;
        let keys = self.sort_keys(keys, &schema)?;
        Ok(without_windows(LogicalPlan::Sort { input: Box::new(input), keys }, &schema))
    }

    /// Binds `top`. A number of zero or less returns no rows.
    pub(super) fn top(&mut self, input: LogicalPlan, count: &ast::ParsedExpr, by: &ast::SortExpr) -> Bind<LogicalPlan> {
        let count = usize::try_from(self.constant_number(count)?).unwrap_or(0);
        let schema = input.schema().clone();
        let input = self.windowed(input, [&by.value])?;
        let keys = self.sort_keys(std::slice::from_ref(by), &schema)?;
        Ok(without_windows(LogicalPlan::Top { input: Box::new(input), keys, count }, &schema))
    }

    fn sort_keys(&mut self, keys: &[ast::SortExpr], schema: &Schema) -> Bind<Vec<plan::SortKey>> {
        self.all(keys, |binder, key| {
            let expr = binder.expr(&key.value, schema)?;
            binder.not_dynamic(&expr, "sorted by")?;
            let descending = key.order != Some(SortOrder::Ascending);
            let nulls_first = key.nulls.map_or(!descending, |nulls| nulls == NullsOrder::First);
            Ok(plan::SortKey { expr, descending, nulls_first })
        })
    }

    /// Reports a dynamic value, which can be neither sorted nor grouped. `what` says what is done with it.
    pub(in crate::binder) fn not_dynamic(&mut self, expr: &crate::expr::Expr, what: &str) -> Bind<()> {
        if expr.ty != Type::Dynamic {
            return Ok(());
        }
        let message = format!("a dynamic value cannot be {what}");
        let help = "convert it first, for example with tostring(...)";
        Err(self.report(Diagnostic::new(Code::DynamicNotAllowed, expr.span, message).help(help)))
    }
}
