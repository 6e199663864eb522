//! Binds `consume`, which reads all rows for their side effects, such as warnings, and returns none.

use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Span};
use crate::plan::LogicalPlan;
use crate::syntax::ast::Parameter;

impl Binder<'_> {
    /// Returns an aggregation, because it reads all of its input even below a limit of zero rows.
    pub(super) fn consume(&mut self, input: LogicalPlan, parameters: &[Parameter], span: Span) -> Bind<LogicalPlan> {
        self.all(parameters, |binder, parameter| match parameter.name.text.as_str() {
            "decodeblocks" => Ok(()),
            name if name.starts_with("hint.") => Ok(()),
            name => {
                let message = format!("`{name}` is not a parameter of consume");
                binder.error(Code::InvalidValue, parameter.name.span, message)
            }
        })?;
        let counted = self.count(input, None, span)?;
        Ok(LogicalPlan::Limit { input: Box::new(counted), count: 0 }.project([]))
    }
}
