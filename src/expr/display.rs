//! Prints expressions, for `explain` and messages.

use std::fmt::{self, Display, Formatter};

use super::{Expr, ExprKind, SharedId};
use crate::types::{Schema, Type, Value};

/// An expression to be displayed, with the schema of its input, which has the names of its columns.
#[derive(Clone, Copy, Debug)]
pub struct DisplayExpr<'a> {
    expr: &'a Expr,
    schema: &'a Schema,
}

impl Expr {
    /// Returns the expression in a form that displays column names; `schema` is the schema of its input.
    #[must_use]
    pub fn show<'a>(&'a self, schema: &'a Schema) -> DisplayExpr<'a> {
        DisplayExpr { expr: self, schema }
    }
}

/// Maximum number of columns to which an `or` applies the same test and is still printed in full. With more, only their
/// number is printed.
const MAX_LISTED_COLUMNS: usize = 5;

impl<'a> DisplayExpr<'a> {
    /// Returns the test that an `or` applies to several columns with the same operand, and the number of columns; None
    /// if the expression is not such an `or`.
    fn common_test(&self) -> Option<(&'a Expr, usize)> {
        match self.expr.as_call()? {
            ("or", [left, right]) => {
                let side = |expr| DisplayExpr { expr, schema: self.schema }.common_test();
                let ((first, some), (second, others)) = (side(left)?, side(right)?);
                let test = |expr: &'a Expr| expr.as_call().map(|(name, arguments)| (name, arguments.get(1)));
                (test(first) == test(second)).then_some((first, some + others))
            }
            (_, [left, right]) if right.as_literal().is_some() => {
                let is_column = match &left.kind {
                    ExprKind::Cast(input) => input.as_column().is_some(),
                    _ => left.as_column().is_some(),
                };
                is_column.then_some((self.expr, 1))
            }
            _ => None,
        }
    }
}

impl Display for DisplayExpr<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let show = |expr| DisplayExpr { expr, schema: self.schema };
        match &self.expr.kind {
            ExprKind::Column(index) => match self.schema.fields().get(*index) {
                Some(field) => f.write_str(&field.name),
                None => write!(f, "#{index}"),
            },
            ExprKind::Literal(value) => literal(value, f),
            ExprKind::Shared { values, body } => {
                f.write_str("(let ")?;
                for (SharedId(id), value) in values {
                    write!(f, "#{id} = {}; ", show(value))?;
                }
                write!(f, "{})", show(body))
            }
            ExprKind::Reference(SharedId(id)) => write!(f, "#{id}"),
            ExprKind::Cast(input) => write!(f, "to{}({})", self.expr.ty, show(input)),
            ExprKind::Path { input, path } => {
                write!(f, "{}{path}", show(input))
            }
            ExprKind::Call { function, arguments, .. } => {
                if let Some((test, columns)) = self.common_test().filter(|(_, columns)| *columns > MAX_LISTED_COLUMNS) {
                    let (name, rest) = test.as_call().unwrap_or((function.name, arguments));
                    let [_, right] = rest else { return Ok(()) };
                    return write!(f, "(any of {columns} columns {name} {})", show(right));
                }
                let symbol = !function.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                let infix = symbol || matches!(function.name, "and" | "or" | "has" | "contains" | "in" | "startswith");
                match (infix, arguments.as_slice()) {
                    (true, [left, right]) => write!(f, "({} {} {})", show(left), function.name, show(right)),
                    _ => {
                        write!(f, "{}(", function.name)?;
                        for (index, argument) in arguments.iter().enumerate() {
                            write!(f, "{}{}", if index > 0 { ", " } else { "" }, show(argument))?;
                        }
                        f.write_str(")")
                    }
                }
            }
        }
    }
}

fn literal(value: &Value, f: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null(ty) => write!(f, "{ty}(null)"),
        Value::String(text) => write!(f, "{text:?}"),
        Value::Bool(_) => f.write_str(&value.to_text().to_ascii_lowercase()),
        Value::Long(_) | Value::Real(_) => f.write_str(&value.to_text()),
        other if other.ty() == Type::Dynamic => write!(f, "dynamic({})", other.to_text()),
        other => write!(f, "{}({})", other.ty(), other.to_text()),
    }
}
