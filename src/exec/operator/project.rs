//! Columns computed from columns.

use super::Operator;
use crate::diagnostic::Result;
use crate::exec::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::types::Batch;

/// Computes each output column over the input.
#[derive(Debug)]
pub struct Project {
    expressions: Vec<Expr>,
    context: EvalContext,
}

impl Project {
    /// One output column for each expression.
    #[must_use]
    pub fn new(expressions: Vec<Expr>, context: &ExecContext) -> Self {
        Self { expressions, context: context.eval.clone() }
    }
}

impl Operator for Project {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let columns = self.expressions.iter().map(|expr| evaluate(expr, &batch, &self.context));
        Ok(vec![Batch::new(columns.collect::<Result<_>>()?, batch.rows())])
    }
}
