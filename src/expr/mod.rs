//! Bound expressions, in which names are resolved to columns, and types are known.
//!
//! An expression never contains a plan: subqueries are evaluated while binding and become literals.

pub mod display;
pub mod eval;
pub mod fold;
mod long_entries;
pub mod search;
pub mod visit;

pub use eval::evaluate;

use crate::diagnostic::Span;
use crate::functions::{Overload, ScalarFunction, Volatility, operator, signature};
use crate::types::{Type, Value, dynamic};

/// A bound expression, with its type.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What the expression computes, with its operands.
    pub kind: ExprKind,
    /// The type of the value.
    pub ty: Type,
    /// The position of the expression in the query.
    pub span: Span,
}

/// The kinds of bound expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// The column of the input at this position.
    Column(usize),
    /// The same value for every row.
    Literal(Value),
    /// A call of a function or operator. The arguments have the types of the overload's parameters.
    Call {
        /// The function that is called.
        function: &'static ScalarFunction,
        /// The overload of the function that fits the arguments.
        overload: &'static Overload,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// The operand converted to the type of this expression, as `to<type>()` converts it.
    Cast(Box<Expr>),
    /// The value at a path in a dynamic operand.
    Path {
        /// The dynamic operand.
        input: Box<Expr>,
        /// The path.
        path: dynamic::Path,
    },
    /// Values that `body` uses more than once, which are computed once.
    Shared {
        /// Each value with the number by which the body refers to it; a value may refer to earlier ones.
        values: Vec<(SharedId, Expr)>,
        /// The expression that refers to the values.
        body: Box<Expr>,
    },
    /// A value of an enclosing [`ExprKind::Shared`].
    Reference(SharedId),
}

/// The number of a shared value; no two values of a query have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedId(pub u32);

impl Expr {
    /// Returns the column at `index`.
    #[must_use]
    pub fn column(index: usize, ty: Type, span: Span) -> Self {
        Self { kind: ExprKind::Column(index), ty, span }
    }

    /// Returns a literal.
    #[must_use]
    pub fn literal(value: Value, span: Span) -> Self {
        Self { ty: value.ty(), kind: ExprKind::Literal(value), span }
    }

    /// Returns a call of an operator whose operands already have the types of one of its overloads.
    ///
    /// # Panics
    /// If there is no such operator on these types.
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

    /// Returns a cast of `self` to `ty`, or `self` if it has that type already.
    #[must_use]
    pub fn cast(self, ty: Type) -> Self {
        if self.ty == ty {
            return self;
        }
        let span = self.span;
        Self { kind: ExprKind::Cast(Box::new(self)), ty, span }
    }

    /// Returns the value at a path in `self`; a path of a path becomes a single path.
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

    /// Returns the value of a literal; None for other expressions.
    #[must_use]
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// True if the expression itself is a column or a shared value, so that its value depends on the row.
    #[must_use]
    pub fn is_of_row(&self) -> bool {
        matches!(self.kind, ExprKind::Column(_) | ExprKind::Reference(_))
    }

    /// Returns the position of a bare column; None for other expressions.
    #[must_use]
    pub fn as_column(&self) -> Option<usize> {
        match self.kind {
            ExprKind::Column(index) => Some(index),
            _ => None,
        }
    }

    /// Returns the function name and arguments of a call; None for other expressions.
    #[must_use]
    pub fn as_call(&self) -> Option<(&'static str, &[Self])> {
        match &self.kind {
            ExprKind::Call { function, arguments, .. } => Some((function.name, arguments)),
            _ => None,
        }
    }

    /// True if evaluating the expression twice gives the same value: no part of it is volatile, such as `rand()` or
    /// `new_guid()`.
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
    /// Compares what the expressions compute; their positions in the query are ignored.
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
            (Self::Reference(a), Self::Reference(b)) => a == b,
            (Self::Shared { values, body }, Self::Shared { values: others, body: other }) => {
                values == others && body == other
            }
            (Self::Path { input: a, path: p }, Self::Path { input: b, path: q }) => a == b && p == q,
            (
                Self::Call { function, overload, arguments },
                Self::Call { function: other, overload: form, arguments: others },
            ) => std::ptr::eq(*function, *other) && std::ptr::eq(*overload, *form) && arguments == others,
            _ => false,
        }
    }
}
