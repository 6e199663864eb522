//! Binds operators as calls of the function whose name is the symbol of the operator.

use super::ExprContext;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::{Expr, ExprKind};
use crate::functions::{operator, signature};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, BinaryOperator, MembershipOperator, UnaryOperator};
use crate::types::{Type, Value};

/// Maximum number of values in a table after `in`.
const MAX_MEMBERS: usize = 1_000_000;

/// An operator, and its position in the query.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenOperator<T> {
    pub operator: T,
    pub span: Span,
}

impl Binder<'_> {
    pub(super) fn bind_unary(
        &mut self,
        operator: UnaryOperator,
        operand: &ast::ParsedExpr,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let operand = self.bind_expr(operand, context)?;
        let symbol = match operator {
            UnaryOperator::Minus => "unary -",
            UnaryOperator::Plus => "unary +",
        };
        self.operator_call(symbol, span, vec![operand], span)
    }

    /// Binds a binary operator. Chains of operators are walked in a loop, because a query may have thousands of
    /// `or`s.
    pub(super) fn bind_binary(
        &mut self,
        operator: WrittenOperator<BinaryOperator>,
        left: &ast::ParsedExpr,
        right: &ast::ParsedExpr,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        if matches!(left.kind, ast::ParsedExprKind::Star) {
            return self.bind_star(operator, right, span, context);
        }
        let WrittenOperator { operator: symbol, span: at } = operator;
        if symbol == BinaryOperator::Colon {
            return self.bind_colon(at, left, right, span, context);
        }
        let symbol = self.case_of(symbol, at)?;
        let operands = self.all([left, right], |binder, part| binder.bind_expr(part, context))?;
        self.operator_call(symbol, at, operands, span)
    }

    pub(super) fn bind_membership(
        &mut self,
        operator: WrittenOperator<MembershipOperator>,
        left: &ast::ParsedExpr,
        list: &[ast::ParsedExpr],
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let WrittenOperator { operator: symbol, span: at } = operator;
        if !matches!(symbol, MembershipOperator::In | MembershipOperator::NotIn) {
            self.caseless_operator(symbol.symbol(), at)?;
        }
        let mut operands = vec![self.bind_expr(left, context)?];
        for element in list {
            match self.table_or_value(element, context)? {
                Some(Binding::Table(plan, _)) => operands.extend(self.members(&plan, element.span)?),
                Some(Binding::Value(value) | Binding::RowValue(value, _)) => operands.push(value),
                _ => operands.push(self.bind_expr(element, context)?),
            }
        }
        self.operator_call(symbol.symbol(), at, operands, span)
    }

    /// Computes a table, and returns the values of its first column as literals.
    fn members(&mut self, plan: &LogicalPlan, span: Span) -> Bind<Vec<Expr>> {
        self.known_first_column(plan, span)?;
        let Some(ty) = plan.schema().fields().first().map(|field| field.ty) else {
            return self.error(Code::InvalidValue, span, "`in` requires a table with at least one column");
        };
        let mut values = Vec::new();
        for batch in self.evaluate(plan)? {
            if values.len() + batch.rows() > MAX_MEMBERS {
                return Err(Error::Limit(format!("more than {MAX_MEMBERS} values after `in`")).into());
            }
            values.extend((0..batch.rows()).map(|row| Expr::literal(batch.column(0).value(row), span)));
        }
        if values.is_empty() {
            // An empty list matches nothing; a list with an empty array does so for every type.
            values.push(Expr::literal(Value::Dynamic("[]".into()), span).cast(Type::Dynamic));
        }
        debug_assert!(values.iter().all(|value| value.ty == ty || value.ty == Type::Dynamic));
        Ok(values)
    }

    /// Binds the operator `symbol`, whose operands are already bound.
    pub(in crate::binder) fn operator_call(
        &mut self,
        symbol: &str,
        at: Span,
        operands: Vec<Expr>,
        span: Span,
    ) -> Bind<Expr> {
        let Some(function) = operator::operator(symbol) else {
            return self.error(
                Code::UnsupportedOperator,
                at,
                format!("`{symbol}` is a KQL operator, but not supported yet"),
            );
        };
        let types: Vec<Type> = operands.iter().map(|operand| operand.ty).collect();
        let Some((overload, casts)) = signature::choose(function.overloads, &types) else {
            return Err(self.operand_types(symbol, at, &operands));
        };
        self.check_constants(function.checks(), &operands, at)?;
        let ty = overload.returns.resolve(&casts);
        let arguments = operands.into_iter().zip(&casts).map(|(operand, ty)| operand.cast(*ty)).collect();
        Ok(Expr { kind: ExprKind::Call { function, overload, arguments }, ty, span })
    }

    fn operand_types(&mut self, symbol: &str, at: Span, operands: &[Expr]) -> Failed {
        let names: Vec<&str> = operands.iter().map(|operand| operand.ty.name()).collect();
        let symbol = symbol.trim_start_matches("unary ");
        let message = match names.as_slice() {
            [one] => format!("`{symbol}` is not defined for {one}"),
            [first, second] => format!("`{symbol}` is not defined between {first} and {second}"),
            [first, rest @ ..] => format!("`{symbol}` is not defined between {first} and ({})", rest.join(", ")),
            [] => format!("`{symbol}` needs operands"),
        };
        let mut diagnostic = Diagnostic::new(Code::OperandTypes, at, message);
        for operand in operands.iter().take(2) {
            diagnostic = diagnostic.label(operand.span, format!("type {}", operand.ty));
        }
        if let [left, right] = operands
            && (left.ty == Type::String) != (right.ty == Type::String)
        {
            let (text, other) = if left.ty == Type::String { ("left", right.ty) } else { ("right", left.ty) };
            diagnostic = diagnostic.help(format!("convert the {text} side with to{other}(...)"));
        }
        self.report(diagnostic)
    }
}
