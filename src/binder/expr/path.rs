//! Binds `base.name` and `base[index]`, which are paths into dynamic values.

use super::ExprContext;
use crate::binder::function::Call;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::{Expr, fold};
use crate::syntax::ast;
use crate::types::dynamic::{Path, Step};
use crate::types::{Type, Value};

impl Binder<'_> {
    pub(super) fn bind_member(
        &mut self,
        base: &ast::ParsedExpr,
        name: &ast::Name,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        if let Some(column) = self.step_column(span) {
            return Ok(column);
        }
        if let ast::ParsedExprKind::Call { function, arguments } = &base.kind
            && let Some(binding) = self.pattern_call(&Call { name: function, arguments, span }, Some(name), context)?
        {
            return self.value_of(binding, function, span);
        }
        let base = self.bind_expr(base, context)?;
        let base = self.dynamic_base(base, name.span)?;
        Ok(base.path(Path { steps: vec![Step::Member(name.text.clone())] }, span))
    }

    pub(super) fn bind_index(
        &mut self,
        base: &ast::ParsedExpr,
        index: &ast::ParsedExpr,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        if let Some(column) = self.indexed_column(base, index, context)? {
            return Ok(column);
        }
        let both = self.all([base, index], |binder, part| binder.bind_expr(part, context))?;
        let [base, index] = <[Expr; 2]>::try_from(both)
            .map_err(|_| crate::diagnostic::Error::internal("two expressions were bound"))?;
        let base = self.dynamic_base(base, index.span)?;
        let index = fold::fold(index, &self.context)?;
        let step = match index.as_literal() {
            Some(Value::String(key)) => Some(Step::Member(key.to_string())),
            Some(value) => value.as_i64().map(Step::Index),
            None => None,
        };
        match step {
            Some(step) => Ok(base.path(Path { steps: vec![step] }, span)),
            None => self.operator_call("[]", index.span, vec![base, index], span),
        }
    }

    fn dynamic_base(&mut self, base: Expr, at: Span) -> Bind<Expr> {
        if base.ty == Type::Dynamic {
            return Ok(base);
        }
        let message = format!("a value of type {} has no members", base.ty);
        let diagnostic = Diagnostic::new(Code::OperandTypes, at, message).label(base.span, format!("type {}", base.ty));
        let diagnostic = if base.ty == Type::String {
            diagnostic.help("convert a JSON string with parse_json(...) first")
        } else {
            diagnostic
        };
        Err(self.report(diagnostic))
    }
}
