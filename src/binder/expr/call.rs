//! Binds calls of scalar functions and of aggregates.

use super::{Aggregates, ExprContext};
use crate::binder::function::Call;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::{Expr, ExprKind, fold};
use crate::functions::aggregate::AggregateArgument;
use crate::functions::signature::{Arity, arity, choose, expand};
use crate::functions::{self, AggregateFunction, ConstantChecks, ResultName, ScalarFunction, TypeArgument, known};
use crate::plan::AggregateExpr;
use crate::syntax::ast;
use crate::types::{Schema, Type, Value};

impl Binder<'_> {
    pub(super) fn bind_call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        if let Some(function) = self.user_function(name)? {
            return self.called_value(&function, &Call { name, arguments, span }, context);
        }
        if let Some(binding) = self.pattern_call(&Call { name, arguments, span }, None, context)? {
            return self.value_of(binding, name, span);
        }
        // The name of an argument of a built-in function is only a name for its value: arguments count by position.
        if let Some(form) = functions::special_form(&name.text) {
            return self.special_value(form, &Call { name, arguments, span }, context);
        }
        if let Some(function) = functions::aggregate_function(&name.text)
            && (context.aggregates.is_some() || functions::scalar_function(&name.text).is_none())
        {
            return self.bind_aggregate(function, name, arguments, span, context);
        }
        match functions::scalar_function(&name.text) {
            Some(function) if !function.columns.is_empty() => self.several_for_one(name),
            Some(function) if function.type_argument != TypeArgument::None => {
                self.typed_call(function, &Call { name, arguments, span }, context)
            }
            Some(function) => {
                let arguments = self.all(arguments, |binder, argument| binder.bind_expr(&argument.value, context))?;
                let is_array = |argument: &Expr| argument.ty == Type::Dynamic;
                if function.result_name == ResultName::Sorted && arguments.get(1).is_some_and(is_array) {
                    return self.several_for_one(name);
                }
                match self.environment.rule_run.and_then(|run| run.bin_point) {
                    Some(point) if name.text == "bin" => self.bin_of_window(function, name, arguments, point),
                    _ => self.function_call(function, name, arguments, span),
                }
            }
            None => Err(self.unknown_function(name)),
        }
    }

    /// Binds `bin()` in the query of a log search alert rule. The service replaces it by `bin_at()`, so bins of
    /// datetimes meet at the end of the window.
    fn bin_of_window(
        &mut self,
        bin: &'static ScalarFunction,
        name: &ast::Name,
        mut arguments: Vec<Expr>,
        point: i64,
    ) -> Bind<Expr> {
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        match types.as_slice() {
            [Type::Datetime, Type::Timespan] => {
                let point = Expr::literal(Value::Timespan(point), name.span);
                arguments.push(self.call_by_name("now", vec![point], name.span)?);
                self.call_by_name("bin_at", arguments, name.span)
            }
            [Type::Datetime, Type::Datetime] => {
                let message =
                    "`bin` with a size of type datetime is not supported in the query of a log search alert rule";
                let help = "give the size as a timespan, such as 5m";
                Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, name.span, message).help(help)))
            }
            _ => self.function_call(bin, name, arguments, name.span),
        }
    }

    /// Binds a call of a scalar function whose arguments are already bound.
    pub(in crate::binder) fn function_call(
        &mut self,
        function: &'static ScalarFunction,
        name: &ast::Name,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Bind<Expr> {
        match self.call_on_null_text(function, name, &arguments, span)? {
            Some(answer) => Ok(answer),
            None => self.plain_call(function, name, arguments, span),
        }
    }

    /// Like [`Self::function_call`], without the special handling of strings that count as null.
    pub(super) fn plain_call(
        &mut self,
        function: &'static ScalarFunction,
        name: &ast::Name,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Bind<Expr> {
        let arguments =
            arguments.into_iter().map(|argument| Ok(fold::fold(argument, &self.context)?)).collect::<Bind<Vec<_>>>()?;
        let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
        let Some((overload, casts)) = choose(function.overloads, &types) else {
            return Err(self.no_overload(function, name, &arguments));
        };
        let params = expand(overload.params, arguments.len()).unwrap_or_default();
        for (param, argument) in params.iter().zip(&arguments) {
            if param.constant && argument.as_literal().is_none() {
                let message = format!("the argument `{}` of `{}` must be a constant", param.name, function.name);
                return self.error(Code::NotConstant, argument.span, message);
            }
        }
        self.check_constants(function.checks(), &arguments, name.span)?;
        let constants: Vec<Option<&Value>> = arguments.iter().map(Expr::as_literal).collect();
        let ty = overload.returns.resolve_with(&casts, &constants);
        let arguments = arguments.into_iter().zip(&casts).map(|(argument, ty)| argument.cast(*ty)).collect();
        Ok(Expr { kind: ExprKind::Call { function, overload, arguments }, ty, span })
    }

    /// Checks the constant arguments of a call at `at`. An error or warning is reported at the argument that causes
    /// it.
    pub(super) fn check_constants(&mut self, checks: ConstantChecks, arguments: &[Expr], at: Span) -> Bind<()> {
        let constants: Vec<Option<&Value>> = arguments.iter().map(Expr::as_literal).collect();
        // An argument is at fault if it causes the finding by itself, all others being unknown.
        let span_of = |is_found: &dyn Fn(&[Option<&Value>]) -> bool| {
            let alone = |index: &usize| {
                let mut alone = vec![None; constants.len()];
                alone[*index] = constants[*index];
                is_found(&alone)
            };
            (0..constants.len()).find(alone).map_or(at, |index| arguments[index].span)
        };
        if let Err(error) = (checks.validate)(&constants) {
            let span = span_of(&|alone| (checks.validate)(alone).is_err());
            return Err(self.report_at(error, span));
        }
        if let Some(warning) = (checks.caution)(&constants) {
            self.warn(Diagnostic { span: at, ..warning });
        }
        Ok(())
    }

    /// Reports the diagnostics of `error`; those without a location get the location `span`.
    pub(in crate::binder) fn report_at(&mut self, error: Error, span: Span) -> Failed {
        match error.placed(span) {
            Error::Query(diagnostics) => {
                diagnostics.into_iter().for_each(|diagnostic| _ = self.report(diagnostic));
                Failed::Reported
            }
            other => Failed::Fatal(other),
        }
    }

    fn no_overload(&mut self, function: &ScalarFunction, name: &ast::Name, arguments: &[Expr]) -> Failed {
        let counts = |overload: &functions::Overload| arity(overload.params);
        let fits = function.overloads.iter().any(|overload| expand(overload.params, arguments.len()).is_some());
        let forms = functions::docs::scalar_signatures(function).join("; ");
        if !fits {
            let least = function.overloads.iter().map(|overload| counts(overload).least).min().unwrap_or(0);
            let most =
                function.overloads.iter().map(|o| counts(o).most).max_by_key(|n| n.unwrap_or(usize::MAX)).flatten();
            return self.wrong_count(name, arguments.len(), Arity { least, most }, &forms);
        }
        let types: Vec<&str> = arguments.iter().map(|argument| argument.ty.name()).collect();
        if !OF_ONE_TYPE.contains(&function.name) && would_accept_numbers_for_bools(function, arguments) {
            let message =
                format!("`{}` of ({}) is not supported yet; convert the argument", name.text, types.join(", "));
            return self.report(Diagnostic::new(Code::UnsupportedSyntax, name.span, message));
        }
        let message = format!("`{}` does not accept arguments of types ({})", name.text, types.join(", "));
        // A single argument is underlined instead of the function's name.
        let place = match arguments {
            [one] => one.span,
            _ => name.span,
        };
        self.report(Diagnostic::new(Code::ArgumentType, place, message).help(format!("the signature is {forms}")))
    }

    pub(in crate::binder) fn wrong_count(
        &mut self,
        name: &ast::Name,
        given: usize,
        Arity { least, most }: Arity,
        forms: &str,
    ) -> Failed {
        let wanted = match most {
            Some(most) if most == least => format!("{least}"),
            Some(most) => format!("{least} to {most}"),
            None => format!("{least} or more"),
        };
        let noun = if most == Some(1) { "argument" } else { "arguments" };
        let message = format!("`{}` takes {wanted} {noun}, not {given}", name.text);
        self.report(Diagnostic::new(Code::ArgumentCount, name.span, message).help(format!("the signature is {forms}")))
    }

    pub(in crate::binder) fn unknown_function(&mut self, name: &ast::Name) -> Failed {
        if matches!(self.scope.get(&name.text), Some(Binding::Failed)) {
            return Failed::Reported;
        }
        if known::is_kql_function(&name.text) {
            let message = format!("the KQL function `{}` is not supported: {}", name.text, known::refusal(&name.text));
            return self.report(Diagnostic::new(Code::UnsupportedFunction, name.span, message));
        }
        let mut own = self.scope.names(|binding| matches!(binding, Binding::Function(_)));
        own.extend(self.stored_names());
        let mut names: Vec<&str> = functions::callable_names().collect();
        names.extend(own.iter().map(String::as_str));
        let message = format!("unknown function `{}`", name.text);
        self.report(Diagnostic::new(Code::UnknownFunction, name.span, message).suggest(&name.text, names))
    }

    fn bind_aggregate(
        &mut self,
        function: &'static AggregateFunction,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let Some(aggregates) = context.aggregates.as_deref_mut() else {
            let message = format!("the aggregate `{}` is not allowed here", name.text);
            let help = "aggregates are allowed in summarize only";
            return Err(self.report(Diagnostic::new(Code::NotAllowedHere, name.span, message).help(help)));
        };
        let (arguments, names) = self.aggregate_arguments(function, arguments, context.schema, aggregates)?;
        let (arguments, fields) = self.aggregate_signature(function, name, arguments, &names)?;
        let index = aggregates.keys + aggregates.found.iter().map(|earlier| earlier.fields.len()).sum::<usize>();
        let ty = fields.first().map_or(Type::Dynamic, |field| field.ty);
        aggregates.names.push((span, fields.first().map_or(String::new(), |field| field.name.clone())));
        aggregates.found.push(AggregateExpr { function, arguments, fields, span });
        Ok(Expr::column(index, ty, span))
    }

    /// Binds the arguments of an aggregate; `*` stands for all columns. Returns their names as columns, too.
    fn aggregate_arguments(
        &mut self,
        function: &AggregateFunction,
        arguments: &[ast::Argument],
        schema: &Schema,
        aggregates: &Aggregates,
    ) -> Bind<(Vec<Expr>, Vec<Option<String>>)> {
        let mut bound = Vec::new();
        let mut names = Vec::new();
        for argument in arguments {
            if matches!(argument.value.kind, ast::ParsedExprKind::Star) {
                // A star stands for values of the repeated parameter, which is the last one.
                if !function.returns_arguments || bound.len() + 1 < function.params.len() {
                    return self.error(Code::NotAllowedHere, argument.value.span, "`*` is not allowed here");
                }
                let taken: Vec<usize> = bound.iter().filter_map(Expr::as_column).collect();
                for (index, field) in schema.fields().iter().enumerate() {
                    if !taken.contains(&index) && !aggregates.key_columns.contains(&index) {
                        bound.push(Expr::column(index, field.ty, argument.value.span));
                        names.push(Some(field.name.clone()));
                    }
                }
                continue;
            }
            bound.push(self.expr(&argument.value, schema)?);
            names.push(Self::name_of_argument(argument));
        }
        Ok((bound, names))
    }

    /// Returns the arguments of an aggregate, cast to the types of its parameters, and its result columns.
    pub(in crate::binder) fn aggregate_signature(
        &mut self,
        function: &'static AggregateFunction,
        name: &ast::Name,
        arguments: Vec<Expr>,
        names: &[Option<String>],
    ) -> Bind<(Vec<Expr>, Vec<crate::types::Field>)> {
        let form = format!("{}({})", function.name, functions::docs::parameters(function.params));
        let Some(params) = expand(function.params, arguments.len()) else {
            return Err(self.wrong_count(name, arguments.len(), arity(function.params), &form));
        };
        let mut cast = Vec::with_capacity(arguments.len());
        for (param, argument) in params.iter().zip(arguments) {
            let Some(ty) = param.accepts.cast_target(argument.ty) else {
                let message = format!("`{}` does not accept type {} for `{}`", name.text, argument.ty, param.name);
                let diagnostic = Diagnostic::new(Code::ArgumentType, argument.span, message);
                return Err(self.report(diagnostic.help(format!("the signature is {form}"))));
            };
            if param.constant && argument.as_literal().is_none() {
                let message = format!("the argument `{}` of `{}` must be a constant", param.name, function.name);
                return self.error(Code::NotConstant, argument.span, message);
            }
            cast.push(fold::fold(argument.cast(ty), &self.context)?);
        }
        let described: Vec<AggregateArgument<'_>> = cast
            .iter()
            .zip(names)
            .map(|(expr, name)| AggregateArgument { name: name.as_deref(), ty: expr.ty, constant: expr.as_literal() })
            .collect();
        let fields = function.result_columns(&described);
        self.check_constants(function.checks(), &cast, name.span)?;
        Ok((cast, fields))
    }
}

/// Functions whose values must have one type. The engine rejects others, although the published analyzer accepts them.
const OF_ONE_TYPE: [&str; 3] = ["case", "coalesce", "iff"];

/// True if the call would be valid with numbers in place of its bools, or bools in place of its numbers. The engine
/// accepts some such calls, although the published analyzer rejects them.
fn would_accept_numbers_for_bools(function: &ScalarFunction, arguments: &[Expr]) -> bool {
    let types = |from: &[Type], to: Type| -> Vec<Type> {
        arguments.iter().map(|argument| if from.contains(&argument.ty) { to } else { argument.ty }).collect()
    };
    let numbers = [Type::Int, Type::Long, Type::Real, Type::Decimal];
    [types(&[Type::Bool], Type::Long), types(&numbers, Type::Bool)]
        .iter()
        .any(|types| choose(function.overloads, types).is_some())
}
