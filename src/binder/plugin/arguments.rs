//! Binds the arguments of a plugin, which are given by position or by name.

use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::functions::docs::parameters;
use crate::functions::signature::{Occurs, arity};
use crate::functions::{self, Plugin};
use crate::syntax::ast::{self, Argument, ParsedExprKind};
use crate::types::{Schema, Type, Value, cast, dynamic};

/// A call of a plugin.
#[derive(Clone, Copy)]
pub(super) struct PluginCall<'c> {
    pub plugin: &'static Plugin,
    pub call: &'c ast::Evaluate,
    pub span: Span,
}

/// The arguments of a call, by the parameter to which they belong.
pub(super) struct PluginArguments<'c> {
    /// The argument of each parameter that occurs at most once; None if it was left out.
    single: Vec<Option<&'c ast::ParsedExpr>>,
    /// The arguments of the parameter that may occur several times.
    pub repeated: Vec<&'c ast::ParsedExpr>,
}

impl<'c> PluginArguments<'c> {
    /// Returns the argument of the parameter at `index`; None if it was left out.
    pub fn optional(&self, index: usize) -> Option<&'c ast::ParsedExpr> {
        self.single.get(index).copied().flatten()
    }

    /// Returns the argument of the parameter at `index`, which cannot be left out.
    pub fn required(&self, index: usize) -> Bind<&'c ast::ParsedExpr> {
        self.optional(index).ok_or_else(|| Error::internal("required arguments were counted").into())
    }
}

impl PluginCall<'_> {
    /// Returns the position of the declared columns, or of the whole call if it declares none.
    pub fn schema_span(&self) -> Span {
        self.call.schema.as_ref().map_or(self.span, |schema| schema.span)
    }
}

impl Binder<'_> {
    /// Assigns the arguments to parameters. The names of parameters match in any case.
    pub(super) fn plugin_arguments<'c>(&mut self, call: &PluginCall<'c>) -> Bind<PluginArguments<'c>> {
        let params = call.plugin.params;
        let mut arguments = PluginArguments { single: vec![None; params.len()], repeated: Vec::new() };
        let mut next = 0;
        for Argument { name, value } in &call.call.arguments {
            let repeats =
                |at: usize| params.get(at).is_some_and(|param| matches!(param.occurs, Occurs::Any | Occurs::Repeated));
            let position = match name {
                Some(name) => match params.iter().position(|param| param.name.eq_ignore_ascii_case(&name.text)) {
                    Some(position) => position,
                    None => {
                        let message = format!("`{}` has no parameter `{}`", call.plugin.name, name.text);
                        let known = params.iter().map(|param| param.name);
                        let diagnostic = Diagnostic::new(Code::ArgumentCount, name.span, message);
                        return Err(self.report(diagnostic.suggest(&name.text, known)));
                    }
                },
                None => next,
            };
            if repeats(position) {
                arguments.repeated.push(value);
                continue;
            }
            next = next.max(position) + usize::from(name.is_none());
            match arguments.single.get_mut(position) {
                Some(argument @ None) => *argument = Some(value),
                _ => return Err(self.plugin_count(call)),
            }
        }
        let is_missing = |(index, param): (usize, &functions::Param)| match param.occurs {
            Occurs::Once => arguments.single[index].is_none(),
            Occurs::Repeated | Occurs::Grouped => arguments.repeated.is_empty(),
            Occurs::Optional | Occurs::Any => false,
        };
        match params.iter().enumerate().any(is_missing) {
            true => Err(self.plugin_count(call)),
            false => Ok(arguments),
        }
    }

    /// Reports too few or too many arguments.
    pub(super) fn plugin_count(&mut self, call: &PluginCall<'_>) -> crate::binder::Failed {
        let params = call.plugin.params;
        let form = format!("{}({})", call.plugin.name, parameters(params));
        self.wrong_count(&call.call.plugin, call.call.arguments.len(), arity(params), &form)
    }

    /// Binds an argument that must be a column of the input.
    pub(super) fn plugin_column(&mut self, argument: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        match &argument.kind {
            ParsedExprKind::Name(name) => match schema.index_of(&name.text) {
                Some(index) => Ok(Expr::column(index, schema.field(index).ty, argument.span)),
                None => Err(self.unknown_column(name, schema)),
            },
            ParsedExprKind::Parenthesised(inner) => self.plugin_column(inner, schema),
            _ => {
                let message = "the argument must be the name of a column";
                let help = "compute the column in an `extend` before `evaluate`";
                Err(self.report(Diagnostic::new(Code::ArgumentType, argument.span, message).help(help)))
            }
        }
    }

    /// Binds arguments that must be columns of the input and not dynamic.
    pub(super) fn plugin_dimensions(&mut self, arguments: &[&ast::ParsedExpr], schema: &Schema) -> Bind<Vec<Expr>> {
        self.all(arguments, |binder, argument| {
            let column = binder.plugin_column(argument, schema)?;
            match column.ty {
                Type::Dynamic => {
                    let message = "a dynamic value cannot be a group key";
                    let help = "convert it first, for example with tostring(...)";
                    let diagnostic = Diagnostic::new(Code::DynamicNotAllowed, argument.span, message);
                    Err(binder.report(diagnostic.help(help)))
                }
                _ => Ok(column),
            }
        })
    }

    /// Returns a constant string; None if the argument was left out.
    pub(super) fn plugin_text(&mut self, argument: Option<&ast::ParsedExpr>) -> Bind<Option<String>> {
        let Some(argument) = argument else { return Ok(None) };
        match self.constant(argument)?.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => self.error(Code::ArgumentType, argument.span, "the argument must be a constant string"),
        }
    }

    /// Returns a constant bool; `default` if the argument was left out.
    pub(super) fn plugin_flag(&mut self, argument: Option<&ast::ParsedExpr>, default: bool) -> Bind<bool> {
        let Some(argument) = argument else { return Ok(default) };
        match self.constant(argument)? {
            Value::Bool(flag) => Ok(flag),
            _ => self.error(Code::ArgumentType, argument.span, "the argument must be a constant bool"),
        }
    }

    /// Returns a constant array of strings; empty if the argument was left out.
    pub(super) fn plugin_texts(&mut self, argument: Option<&ast::ParsedExpr>) -> Bind<Vec<String>> {
        let Some(argument) = argument else { return Ok(Vec::new()) };
        match &self.constant(argument)? {
            Value::Dynamic(json) if dynamic::kind(json) == dynamic::Kind::Array => {
                Ok(dynamic::elements(json).map(|text| dynamic::to_text(text).into_owned()).collect())
            }
            _ => self.error(Code::ArgumentType, argument.span, "the argument must be a constant array of strings"),
        }
    }

    /// Returns a constant distance on a timeline of type `timeline`: ticks of a timespan between datetimes or
    /// timespans, otherwise a number. It must be positive.
    pub(super) fn plugin_distance(&mut self, argument: &ast::ParsedExpr, timeline: Type) -> Bind<i64> {
        let value = self.constant(argument)?;
        if let Some(text) = value.as_str() {
            let message = format!("windows of calendar units, such as `{text}`, are not supported in this argument");
            return self.error(Code::UnsupportedSyntax, argument.span, message);
        }
        let ty = match timeline {
            Type::Datetime | Type::Timespan => Type::Timespan,
            _ => Type::Long,
        };
        let fits = value.ty() == ty || ty == Type::Long && value.as_i64().is_some();
        let number = match cast::cast(&value, ty).map_err(Error::from)? {
            Value::Timespan(number) | Value::Long(number) if fits => number,
            _ => {
                let message = format!("the argument must be a constant {ty}, as the timeline is a {timeline}");
                return self.error(Code::ArgumentType, argument.span, message);
            }
        };
        match number > 0 {
            true => Ok(number),
            false => self.error(Code::InvalidValue, argument.span, "the argument must be positive"),
        }
    }

    /// Binds an argument that must be a column of times or whole numbers.
    pub(super) fn plugin_timeline(&mut self, argument: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        let column = self.plugin_column(argument, schema)?;
        match column.ty {
            Type::Datetime | Type::Timespan | Type::Long | Type::Int => Ok(column),
            ty => {
                let message = format!("the timeline must be a datetime, timespan, long or int, not a {ty}");
                self.error(Code::ArgumentType, argument.span, message)
            }
        }
    }
}
