//! Bound expressions: names resolved to columns, types known.
//!
//! An expression never holds a plan: a subquery is computed before, and stands here as a literal.

pub mod display;
pub mod eval;
pub mod fold;
pub mod visit;

pub use eval::evaluate;

use crate::diagnostic::Span;
use crate::functions::{Overload, ScalarFunction, Volatility, operator, signature};
use crate::types::{Type, Value, dynamic};

/// A bound expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// The words it came from.
    pub span: Span,
}

/// The kinds of bound expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// The column of the input at this position.
    Column(usize),
    /// One value for every row.
    Literal(Value),
    /// A function or an operator; arguments have the types of the overload.
    Call {
        /// Which.
        function: &'static ScalarFunction,
        /// In which form.
        overload: &'static Overload,
        /// On what.
        arguments: Vec<Expr>,
    },
    /// The input converted to the expression's type as `to<type>()` does.
    Cast(Box<Expr>),
    /// What a path finds in a dynamic input.
    Path {
        /// A dynamic.
        input: Box<Expr>,
        /// Where to look.
        path: dynamic::Path,
    },
}

impl Expr {
    /// The column at `index`.
    #[must_use]
    pub fn column(index: usize, ty: Type, span: Span) -> Self {
        Self { kind: ExprKind::Column(index), ty, span }
    }

    /// One value.
    #[must_use]
    pub fn literal(value: Value, span: Span) -> Self {
        Self { ty: value.ty(), kind: ExprKind::Literal(value), span }
    }

    /// An operator on operands that have the types it is defined for.
    ///
    /// # Panics
    /// There is no such operator on these types.
    #[must_use]
    pub fn operator(symbol: &str, operands: Vec<Self>, span: Span) -> Self {
        let types: Vec<Type> = operands.iter().map(|operand| operand.ty).collect();
        let found = operator::operator(symbol).and_then(|function| {
            signature::choose(function.overloads, &types).map(|(overload, _)| (function, overload))
        });
        let (function, overload) = found.expect("the registry has the operator on these types");
        let ty = overload.returns.resolve(&types);
        Self { kind: ExprKind::Call { function, overload, arguments: operands }, ty, span }
    }

    /// `self` as `ty`; itself where it already is.
    #[must_use]
    pub fn cast(self, ty: Type) -> Self {
        if self.ty == ty {
            return self;
        }
        let span = self.span;
        Self { kind: ExprKind::Cast(Box::new(self)), ty, span }
    }

    /// A path into `self`; paths into paths become one.
    #[must_use]
    pub fn path(self, path: dynamic::Path, span: Span) -> Self {
        match self.kind {
            ExprKind::Path { input, path: mut outer } => {
                outer.steps.extend(path.steps);
                Self { kind: ExprKind::Path { input, path: outer }, ty: Type::Dynamic, span }
            }
            kind => {
                Self { kind: ExprKind::Path { input: Box::new(Self { kind, ..self }), path }, ty: Type::Dynamic, span }
            }
        }
    }

    /// The literal, where it is one.
    #[must_use]
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The position, where it is a bare column.
    #[must_use]
    pub fn as_column(&self) -> Option<usize> {
        match self.kind {
            ExprKind::Column(index) => Some(index),
            _ => None,
        }
    }

    /// The function's name and arguments, where it is a call.
    #[must_use]
    pub fn as_call(&self) -> Option<(&'static str, &[Self])> {
        match &self.kind {
            ExprKind::Call { function, arguments, .. } => Some((function.name, arguments)),
            _ => None,
        }
    }

    /// True where no part differs from row to row by itself (`rand()`, `new_guid()`).
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        let own = match &self.kind {
            ExprKind::Call { function, .. } => function.volatility != Volatility::Row,
            _ => true,
        };
        own && visit::children(self).iter().all(|child| child.is_repeatable())
    }
}

impl PartialEq for Expr {
    /// Equal in meaning; the place does not count.
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.kind == other.kind
    }
}

impl PartialEq for ExprKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Column(a), Self::Column(b)) => a == b,
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Cast(a), Self::Cast(b)) => a == b,
            (Self::Path { input: a, path: p }, Self::Path { input: b, path: q }) => a == b && p == q,
            (
                Self::Call { function, overload, arguments },
                Self::Call { function: other, overload: form, arguments: others },
            ) => std::ptr::eq(*function, *other) && std::ptr::eq(*overload, *form) && arguments == others,
            _ => false,
        }
    }
}
