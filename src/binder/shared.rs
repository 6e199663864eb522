//! Shares values that the body of a function uses several times.
//!
//! A use of a `let` or a parameter repeats its expression, which optimizer rules can look into. With a chain of
//! `let`s, the plan would grow exponentially. So a large value that depends on the row is computed only once for each
//! call.

use super::Binder;
use crate::expr::{Expr, ExprKind, SharedId, visit};

/// Maximum number of parts of a value that is repeated; larger values are shared.
const MAX_REPEATED: usize = 256;

/// The values that the calls being bound share.
#[derive(Default)]
pub(super) struct SharedValues {
    calls: Vec<Vec<(SharedId, Expr)>>,
    /// The number of shared values so far.
    count: u32,
}

impl Binder<'_> {
    /// Binds a call with `bind`. `wrap` adds the values that the call shares to its result.
    pub(super) fn sharing<T>(
        &mut self,
        bind: impl FnOnce(&mut Self) -> super::Bind<T>,
        wrap: impl FnOnce(T, Vec<(SharedId, Expr)>) -> T,
    ) -> super::Bind<T> {
        self.shared.calls.push(Vec::new());
        let bound = bind(self);
        let values = self.shared.calls.pop().unwrap_or_default();
        bound.map(|result| if values.is_empty() { result } else { wrap(result, values) })
    }

    /// Returns a value for the `let` or parameter that is being defined: a reference to the value if it is large. A
    /// value that may differ on each evaluation is not shared.
    pub(super) fn shared_value(&mut self, value: Expr) -> Expr {
        let mut is_of_row = false;
        visit::walk(&value, &mut |part| is_of_row |= part.is_of_row());
        if !is_of_row || visit::size(&value) <= MAX_REPEATED || !value.is_repeatable() {
            return value;
        }
        let Some(call) = self.shared.calls.last_mut() else { return value };
        let id = SharedId(self.shared.count);
        self.shared.count += 1;
        let reference = Expr { kind: ExprKind::Reference(id), ty: value.ty, span: value.span };
        call.push((id, value));
        reference
    }
}

/// Returns `body` with the values to which it refers; `body` itself if it refers to none.
pub(super) fn with_values(body: Expr, values: Vec<(SharedId, Expr)>) -> Expr {
    if visit::is_closed(&body) {
        return body;
    }
    let (ty, span) = (body.ty, body.span);
    Expr { kind: ExprKind::Shared { values, body: Box::new(body) }, ty, span }
}
