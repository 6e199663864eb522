//! Values that the body of a function uses several times.
//!
//! A use of a `let` or a parameter repeats its expression, which optimizer rules see through. A chain of lets would
//! grow exponentially that way, so large values that depend on the row are computed once for a call.

use super::Binder;
use crate::expr::{Expr, ExprKind, SharedId, visit};

/// Values of more parts are shared.
const MAX_REPEATED: usize = 256;

/// The shared values of the calls that are being bound.
#[derive(Default)]
pub(super) struct SharedValues {
    calls: Vec<Vec<(SharedId, Expr)>>,
    /// The number of values so far.
    count: u32,
}

impl Binder<'_> {
    /// Binds a call with `bind`; `wrap` puts the values that it shares around its result.
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

    /// The value of a let or a parameter in the call being bound: a reference if it is large. A value that is new on
    /// each evaluation is not shared.
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

/// `body` with the values that it may refer to.
pub(super) fn with_values(body: Expr, values: Vec<(SharedId, Expr)>) -> Expr {
    if visit::is_closed(&body) {
        return body;
    }
    let (ty, span) = (body.ty, body.span);
    Expr { kind: ExprKind::Shared { values, body: Box::new(body) }, ty, span }
}
