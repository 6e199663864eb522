//! Binds `invoke`, which calls a function with the input as its first argument.

use crate::binder::function::Call;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Span;
use crate::plan::LogicalPlan;
use crate::syntax::ast;

impl Binder<'_> {
    pub(super) fn invoke(
        &mut self,
        input: LogicalPlan,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Bind<LogicalPlan> {
        match self.user_function(name)? {
            Some(function) => self.called_table(&function, &Call { name, arguments, span }, Some(input)),
            None => Err(self.unknown_function(name)),
        }
    }
}
