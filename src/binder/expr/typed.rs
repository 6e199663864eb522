//! Binds calls whose last argument may be `typeof(type)`: their result is converted to that type.

use super::ExprContext;
use crate::binder::function::Call;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::{Expr, fold};
use crate::functions::scalar::json_path;
use crate::functions::{self, ScalarFunction, TypeArgument};
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::Type;
use crate::types::dynamic::Path;

impl Binder<'_> {
    /// Binds a call of `function`, and casts it to the type that its last argument names, if any.
    pub(super) fn typed_call(
        &mut self,
        function: &'static ScalarFunction,
        call: &Call<'_>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let (ty, arguments) = split(self, call.arguments)?;
        // The arguments are bound with or without a type, so that they are always checked.
        let bound = self.all(arguments, |binder, argument| binder.bind_expr(&argument.value, context))?;
        let text = self.function_call(function, call.name, bound, call.span)?;
        match (ty, function.type_argument, arguments) {
            (None, ..) => Ok(text),
            (Some(ty), TypeArgument::CastsJson, [path, json]) => {
                let path = self.constant(&path.value)?;
                let json = self.bind_expr(&json.value, context)?;
                self.json_value(path.as_str().unwrap_or_default(), json, ty, call)
            }
            (Some(ty), ..) => Ok(text.cast(ty)),
        }
    }

    /// Returns the value at `path` inside the JSON string `json`, cast to `ty` as any dynamic value is.
    fn json_value(&mut self, path: &str, json: Expr, ty: Type, call: &Call<'_>) -> Bind<Expr> {
        let Some(parse_json) = functions::scalar_function("parse_json") else {
            return Err(self.unknown_function(call.name));
        };
        let steps = json_path::parse(path).unwrap_or_default();
        let parsed = self.function_call(parse_json, call.name, vec![json], call.span)?;
        Ok(fold::fold(parsed.path(Path::new(steps), call.span).cast(ty), &self.context)?)
    }
}

/// Returns the type that the last argument names, and the arguments before it; None and all arguments if it names
/// none.
fn split<'a>(binder: &mut Binder<'_>, arguments: &'a [ast::Argument]) -> Bind<(Option<Type>, &'a [ast::Argument])> {
    let Some((last, before)) = arguments.split_last() else { return Ok((None, arguments)) };
    match &last.value.kind {
        ParsedExprKind::Call { function, arguments: inner } if function.text == "typeof" => {
            let word = match inner.as_slice() {
                [ast::Argument { name: None, value: ast::ParsedExpr { kind: ParsedExprKind::Name(word), .. } }] => {
                    &word.text
                }
                _ => {
                    return binder.error(
                        Code::InvalidValue,
                        last.value.span,
                        "`typeof` takes the name of a type, such as `typeof(long)`",
                    );
                }
            };
            match Type::from_name(word) {
                Some(ty) => Ok((Some(ty), before)),
                None => binder.error(Code::InvalidValue, last.value.span, format!("`{word}` is not a type")),
            }
        }
        _ => Ok((None, arguments)),
    }
}
