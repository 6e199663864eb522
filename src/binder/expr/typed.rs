//! Calls that end in `typeof(type)`: what they extract is converted to that type.

use super::Context;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Span};
use crate::expr::{Expr, fold};
use crate::functions;
use crate::functions::scalar::json_path;
use crate::syntax::ast::{self, ExprKind};
use crate::types::Type;
use crate::types::dynamic::Path;

/// `extract(regex, group, source, typeof(type))`: the text converted, null where that fails.
pub(super) fn extract(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let (ty, arguments) = split(binder, arguments)?;
    let text = call(binder, name, arguments, span, context)?;
    Ok(ty.map_or(text.clone(), |ty| text.cast(ty)))
}

/// `extract_json(path, json, typeof(type))`: what the path leads to, converted as any dynamic is.
pub(super) fn extract_json(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let (ty, arguments) = split(binder, arguments)?;
    // Bound with or without a type, so that it is checked the same.
    let text = call(binder, name, arguments, span, context)?;
    let (Some(ty), [path, json]) = (ty, arguments) else { return Ok(text) };
    let path = binder.constant(&path.value)?;
    let steps = path.as_str().and_then(json_path::parse).unwrap_or_default();
    let json = binder.bind_expr(&json.value, context)?;
    let Some(parse_json) = functions::scalar_function("parse_json") else {
        return Err(binder.unknown_function(name));
    };
    let parsed = binder.function_call(parse_json, name, vec![json], span)?;
    Ok(fold::fold(parsed.path(Path::new(steps), span).cast(ty), &binder.context)?)
}

fn call(
    binder: &mut Binder<'_>,
    name: &ast::Name,
    arguments: &[ast::Argument],
    span: Span,
    context: &mut Context<'_>,
) -> Bind<Expr> {
    let Some(function) = functions::scalar_function(&name.text) else {
        return Err(binder.unknown_function(name));
    };
    let bound = binder.all(arguments, |binder, argument| binder.bind_expr(&argument.value, context))?;
    binder.function_call(function, name, bound, span)
}

/// The type that the last argument names, and the arguments before it; all of them where it names none.
fn split<'a>(binder: &mut Binder<'_>, arguments: &'a [ast::Argument]) -> Bind<(Option<Type>, &'a [ast::Argument])> {
    let Some((last, before)) = arguments.split_last() else { return Ok((None, arguments)) };
    match &last.value.kind {
        ExprKind::Call { function, arguments: inner } if function.text == "typeof" => {
            let word = match inner.as_slice() {
                [ast::Argument { name: None, value: ast::Expr { kind: ExprKind::Name(word), .. } }] => &word.text,
                _ => return binder.error(Code::InvalidValue, last.value.span, "a type is needed: `typeof(long)`"),
            };
            match Type::from_name(word) {
                Some(ty) => Ok((Some(ty), before)),
                None => binder.error(Code::InvalidValue, last.value.span, format!("`{word}` is no type")),
            }
        }
        _ => Ok((None, arguments)),
    }
}
