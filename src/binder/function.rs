//! Binds calls of functions that the query or a file of the catalog defines. The body is bound again for each call.
//!
//! A body can refer to its parameters and to what was defined before its function, but never to the columns of the
//! rows for which it is called. Source: the reference's page on user-defined functions, and results of the engine.

use std::sync::Arc;

use super::pattern::as_pattern_call;
use super::scope::{Binding, ScopePosition, ScopedFunction};
use super::shared::with_values;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::entra::known_table;
use crate::expr::{Expr, fold, visit};
use crate::functions::signature::Arity;
use crate::functions::signature::implicit_cost;
use crate::functions::{self, known};
use crate::plan::LogicalPlan;
use crate::scan::Damage;
use crate::syntax::MAX_FUNCTIONS;
use crate::syntax::ast::{self, FunctionParameter, LetValue, ParameterKind, ParsedExprKind};
use crate::types::{Schema, Type, Value};

use super::expr::ExprContext;

/// Maximum depth of calls inside calls.
const MAX_CALLS: usize = 32;

/// Maximum height of an expression after calls were expanded; a higher one could overflow the stack.
const MAX_HEIGHT: usize = 256;

impl Binder<'_> {
    /// Defines a function of the query; reports a name that a KQL function has.
    pub(super) fn function(&mut self, name: &ast::Name, definition: &Arc<ast::Function>) -> Bind<Binding> {
        if is_built_in(&name.text) {
            return self.built_in_name(name);
        }
        self.check_parameters(&definition.parameters)?;
        Ok(Binding::Function(Arc::new(ScopedFunction { definition: Arc::clone(definition), home: self.scope.here() })))
    }

    fn check_parameters(&mut self, parameters: &[FunctionParameter]) -> Bind<()> {
        let mut scalar = false;
        for (position, parameter) in parameters.iter().enumerate() {
            let name = &parameter.name;
            if let Some(earlier) = parameters[..position].iter().find(|earlier| earlier.name.text == name.text) {
                let message = format!("duplicate parameter `{}`", name.text);
                let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message);
                return Err(self.report(diagnostic.label(earlier.name.span, "here")));
            }
            match &parameter.kind {
                ParameterKind::Tabular(_) if scalar => {
                    let message = "table parameters must come before value parameters";
                    return self.error(Code::NotAllowedHere, name.span, message);
                }
                ParameterKind::Tabular(_) => {}
                ParameterKind::Scalar { .. } => scalar = true,
            }
        }
        Ok(())
    }

    /// Returns the function of this name: one of the query, or else a stored one; None if there is none.
    pub(super) fn user_function(&mut self, name: &ast::Name) -> Bind<Option<Arc<ScopedFunction>>> {
        match self.scope.get(&name.text) {
            Some(Binding::Function(function)) => Ok(Some(Arc::clone(function))),
            Some(_) => Ok(None),
            None if is_built_in(&name.text) => Ok(None),
            None => self.stored_function(name),
        }
    }

    /// Returns the stored function of this name; None if there is none. A stored function can refer to nothing in the
    /// query.
    pub(super) fn stored_function(&mut self, name: &ast::Name) -> Bind<Option<Arc<ScopedFunction>>> {
        let Some(found) = self.environment.catalog.function(&name.text)? else { return Ok(None) };
        self.check_library()?;
        let definition = match found.function {
            Ok(definition) => definition,
            Err(mistakes) => {
                let called = |mistake: Diagnostic| mistake.label(name.span, "in this call");
                mistakes.into_iter().for_each(|mistake| _ = self.report(called(mistake)));
                return Err(Failed::Reported);
            }
        };
        self.check_parameters(&definition.parameters)?;
        if known_table(&name.text).is_some() {
            self.environment.report.damaged(Damage::HiddenTable(name.text.clone()), "", 1);
        }
        Ok(Some(Arc::new(ScopedFunction { definition, home: ScopePosition::default() })))
    }

    /// Reports stored functions that have the name of a KQL function, because they would hide it.
    fn check_library(&mut self) -> Bind<()> {
        if std::mem::replace(&mut self.library_checked, true) {
            return Ok(());
        }
        let functions = self.environment.catalog.functions()?;
        let hidden = functions.iter().filter(|function| is_built_in(&function.name.text));
        self.all(hidden, |binder, function| binder.built_in_name::<()>(&function.name)).map(|_| ())
    }

    pub(super) fn built_in_name<T>(&mut self, name: &ast::Name) -> Bind<T> {
        let message = format!("a function with the name of the KQL function `{}` is not supported yet", name.text);
        self.error(Code::UnsupportedSyntax, name.span, message)
    }

    /// Binds a call in a position where a table is required.
    pub(super) fn called_table(
        &mut self,
        function: &ScopedFunction,
        call: &Call<'_>,
        input: Option<LogicalPlan>,
    ) -> Bind<LogicalPlan> {
        let no_columns = Schema::new([]);
        let context = &mut ExprContext { schema: &no_columns, aggregates: None };
        match self.call(function, call, input, context)? {
            Binding::Table(plan, _) => Ok(plan),
            _ => {
                let message = format!("`{}` returns a value where a table is required", call.name.text);
                self.error(Code::ExpectedTable, call.span, message)
            }
        }
    }

    /// Binds a call in a position where a value is required.
    pub(super) fn called_value(
        &mut self,
        function: &ScopedFunction,
        call: &Call<'_>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let binding = self.call(function, call, None, context)?;
        self.value_of(binding, call.name, call.span)
    }

    /// Returns the value of a call of `name`; reports a table.
    pub(super) fn value_of(&mut self, binding: Binding, name: &ast::Name, span: Span) -> Bind<Expr> {
        match binding {
            Binding::Value(value) | Binding::RowValue(value, _) => Ok(value),
            _ => {
                let message = format!("`{}` returns a table where a value is required", name.text);
                self.error(Code::ExpectedTable, span, message)
            }
        }
    }

    /// Binds a call to a value or a table. `input` is the first argument if an `invoke` passes it.
    pub(super) fn call(
        &mut self,
        function: &ScopedFunction,
        call: &Call<'_>,
        input: Option<LogicalPlan>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Binding> {
        self.count_call(function, call)?;
        let before = self.reused;
        let wrap = |answer, values| match answer {
            Binding::Value(value) | Binding::RowValue(value, _) => Binding::Value(with_values(value, values)),
            other => other,
        };
        let answer = self.sharing(|binder| binder.inlined(function, call, input, context), wrap);
        self.bounded(answer?, before, call.span)
    }

    /// Binds the body of a function with the arguments of a call.
    fn inlined(
        &mut self,
        function: &ScopedFunction,
        call: &Call<'_>,
        mut input: Option<LogicalPlan>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Binding> {
        let arguments = self.match_arguments(function, call, input.is_some())?;
        let parameters = &function.definition.parameters;
        let bound = self.all(parameters.iter().zip(arguments), |binder, (parameter, argument)| match input.take() {
            Some(plan) => binder.table_for(parameter, plan, call.span),
            None => binder.argument(parameter, argument, call, context),
        })?;
        let hidden = self.scope.enter(function.home);
        let search = self.search.take();
        self.calls.push(Active { call: call.span, definition: function.definition.span, name: call.name.text.clone() });
        let answer = self.body(&function.definition, bound);
        self.calls.pop();
        self.search = search;
        self.scope.leave(hidden);
        answer
    }

    /// Counts one more function body; reports a cycle of calls, or too many calls.
    fn count_call(&mut self, function: &ScopedFunction, call: &Call<'_>) -> Bind<()> {
        let name = &call.name.text;
        if let Some(first) = self.calls.iter().position(|active| active.definition == function.definition.span) {
            let names = self.calls[first..].iter().map(|active| active.name.as_str()).chain([name.as_str()]);
            let cycle = names.collect::<Vec<_>>().join(", ");
            let message = format!("stored functions call each other in a cycle: {cycle}");
            return self.error(Code::NotAllowedHere, call.span, message);
        }
        if self.calls.len() >= MAX_CALLS {
            let message = format!("the call of `{name}` is nested more than {MAX_CALLS} functions deep");
            return self.error(Code::TooDeep, call.span, message);
        }
        let said = self.expanded > MAX_FUNCTIONS;
        self.expanded = self.expanded.saturating_add(function.definition.span.range().len());
        match (said, self.expanded > MAX_FUNCTIONS) {
            (_, false) => Ok(()),
            (true, true) => Err(Failed::Reported),
            (false, true) => {
                let message = format!("the bodies of all called functions exceed {MAX_FUNCTIONS} bytes");
                self.error(Code::TooDeep, call.span, message)
            }
        }
    }

    /// Returns the argument for each parameter; None for a parameter that takes its default or the input.
    fn match_arguments<'c>(
        &mut self,
        function: &ScopedFunction,
        call: &Call<'c>,
        has_input: bool,
    ) -> Bind<Vec<Option<&'c ast::ParsedExpr>>> {
        let parameters = &function.definition.parameters;
        let first = usize::from(has_input);
        if has_input && !matches!(parameters.first().map(|first| &first.kind), Some(ParameterKind::Tabular(_))) {
            let message = format!("`{}` cannot be invoked: its first parameter is not a table", call.name.text);
            return self.error(Code::ArgumentType, call.name.span, message);
        }
        let mut given: Vec<Option<&ast::ParsedExpr>> = vec![None; parameters.len()];
        let mut ordered = true;
        for (index, argument) in call.arguments.iter().enumerate() {
            let position = match &argument.name {
                None if !ordered => {
                    let message = "arguments after named arguments in another order must be named";
                    return self.error(Code::ArgumentCount, argument.value.span, message);
                }
                None => first + index,
                Some(name) => match parameters.iter().position(|parameter| parameter.name.text == name.text) {
                    Some(position) if position >= first => position,
                    _ => return Err(self.unknown_parameter(function, call.name, name)),
                },
            };
            ordered &= position == first + index;
            match given.get_mut(position) {
                Some(place @ None) => *place = Some(&argument.value),
                Some(Some(_)) => {
                    let message = format!("the parameter `{}` is given twice", parameters[position].name.text);
                    return self.error(Code::ArgumentCount, argument.value.span, message);
                }
                None => return Err(self.wrong_arguments(function, call, first)),
            }
        }
        let is_missing = |(parameter, given): (&FunctionParameter, Option<&ast::ParsedExpr>)| {
            given.is_none() && !matches!(&parameter.kind, ParameterKind::Scalar { default: Some(_), .. })
        };
        match parameters.iter().zip(given.iter().copied()).skip(first).any(is_missing) {
            true => Err(self.wrong_arguments(function, call, first)),
            false => Ok(given),
        }
    }

    fn wrong_arguments(&mut self, function: &ScopedFunction, call: &Call<'_>, first: usize) -> Failed {
        let parameters = &function.definition.parameters;
        let has_default =
            |parameter: &FunctionParameter| matches!(&parameter.kind, ParameterKind::Scalar { default: Some(_), .. });
        let least = parameters.iter().skip(first).filter(|parameter| !has_default(parameter)).count();
        let names: Vec<&str> = parameters.iter().skip(first).map(|parameter| parameter.name.text.as_str()).collect();
        let form = format!("{}({})", call.name.text, names.join(", "));
        self.wrong_count(call.name, call.arguments.len(), Arity { least, most: Some(names.len()) }, &form)
    }

    fn unknown_parameter(&mut self, function: &ScopedFunction, called: &ast::Name, name: &ast::Name) -> Failed {
        let message = format!("`{}` has no parameter `{}`", called.text, name.text);
        let names = function.definition.parameters.iter().map(|parameter| parameter.name.text.as_str());
        self.report(Diagnostic::new(Code::ArgumentCount, name.span, message).suggest(&name.text, names))
    }

    /// Returns the binding of a parameter during a call.
    fn argument(
        &mut self,
        parameter: &FunctionParameter,
        given: Option<&ast::ParsedExpr>,
        call: &Call<'_>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Binding> {
        match (&parameter.kind, given) {
            (ParameterKind::Tabular(_), Some(given)) => {
                let plan = self.table_argument(given)?;
                self.table_for(parameter, plan, given.span)
            }
            (ParameterKind::Scalar { ty, .. }, Some(given)) => {
                let value = self.bind_expr(given, context)?;
                let value = fold::fold(value, &self.context)?;
                if let Some(diagnostic) = mismatch(&parameter.name, *ty, &value) {
                    return Ok(Binding::Unconverted(Box::new(diagnostic)));
                }
                let value = fold::fold(value.cast(*ty), &self.context)?;
                let value = self.shared_value(value);
                Ok(self.value_binding(value))
            }
            (ParameterKind::Scalar { ty, default: Some(default) }, None) => {
                let value = self.expr(default, &Schema::new([]))?;
                let value = self.value_for(&parameter.name, *ty, value)?;
                Ok(self.value_binding(value))
            }
            (_, None) => self.error(Code::ArgumentCount, call.span, "an argument is missing"),
        }
    }

    /// Returns the binding of a value; a value that depends on a row is valid only in the current pipeline.
    pub(super) fn value_binding(&self, value: Expr) -> Binding {
        let mut is_of_row = false;
        visit::walk(&value, &mut |part| is_of_row |= part.is_of_row());
        if is_of_row { Binding::RowValue(value, self.pipelines) } else { Binding::Value(value) }
    }

    /// Casts a value to the type of its parameter; reports a value whose type is not converted implicitly.
    fn value_for(&mut self, parameter: &ast::Name, ty: Type, value: Expr) -> Bind<Expr> {
        match mismatch(parameter, ty, &value) {
            Some(diagnostic) => Err(self.report(Diagnostic { code: Code::ArgumentType, ..diagnostic })),
            None => Ok(fold::fold(value.cast(ty), &self.context)?),
        }
    }

    /// Returns the binding of a table; reports a table that lacks a column of the parameter.
    fn table_for(&mut self, parameter: &FunctionParameter, plan: LogicalPlan, span: Span) -> Bind<Binding> {
        let ParameterKind::Tabular(columns) = &parameter.kind else {
            return self.error(Code::ArgumentType, span, format!("`{}` is a value parameter", parameter.name.text));
        };
        let schema = plan.schema();
        for column in columns {
            let name = &column.name.text;
            let message = match schema.index_of(name).map(|index| schema.field(index).ty) {
                Some(ty) if ty == column.ty => continue,
                Some(ty) => {
                    format!("the column `{name}` of this table has type {ty}, but type {} is required", column.ty)
                }
                None => {
                    self.miss(name);
                    format!("this table has no column `{name}`, which `{}` requires", parameter.name.text)
                }
            };
            let diagnostic = Diagnostic::new(Code::ArgumentType, span, message);
            return Err(self.report(diagnostic.label(column.name.span, "the required column")));
        }
        Ok(Binding::Table(plan, Some(parameter.name.text.clone())))
    }

    /// Defines the parameters, and binds the body.
    fn body(&mut self, function: &ast::Function, arguments: Vec<Binding>) -> Bind<Binding> {
        for (parameter, binding) in function.parameters.iter().zip(arguments) {
            self.define(&parameter.name, binding)?;
        }
        for statement in &function.body.lets {
            if let ast::StatementKind::Let { name, value } = &statement.kind {
                self.let_statement(name, value)?;
            }
        }
        match &function.body.result {
            LetValue::Pipeline(pipeline) => self.labelled_table(pipeline),
            LetValue::Expr(expr) => self.let_expr(expr),
            LetValue::Function(function) => {
                self.error(Code::NotAllowedHere, function.span, "a function cannot return a function")
            }
        }
    }

    /// Returns the result of a call with the span of the call; reports a result that is too large. Its parts count
    /// only once, even if several calls return them: what was counted after `before` is a part of the result.
    fn bounded(&mut self, answer: Binding, before: usize, span: Span) -> Bind<Binding> {
        let counted = self.reused.saturating_sub(before);
        let value = match answer {
            Binding::Value(value) | Binding::RowValue(value, _) => value,
            Binding::Table(plan, label) => {
                let size = self.check_depth(&plan, span)?;
                self.reuse(size.saturating_sub(counted), span)?;
                return Ok(Binding::Table(plan, label));
            }
            other => return Ok(other),
        };
        self.reuse(visit::size(&value).saturating_sub(counted), span)?;
        if visit::height(&value) > MAX_HEIGHT {
            let message = format!("function calls build an expression more than {MAX_HEIGHT} levels deep");
            return self.error(Code::TooDeep, span, message);
        }
        Ok(self.value_binding(Expr { span, ..value }))
    }

    /// Returns the names of stored functions, for suggestions.
    pub(super) fn stored_names(&self) -> Vec<String> {
        let functions = self.environment.catalog.functions().unwrap_or_default();
        functions.into_iter().map(|function| function.name.text).collect()
    }

    /// True if a name is neither a column nor defined in the query.
    pub(super) fn is_unknown(&self, name: &ast::Name, context: &ExprContext<'_>) -> bool {
        context.schema.index_of(&name.text).is_none() && self.scope.get(&name.text).is_none()
    }

    /// Binds an expression that may be a table: a name, a call or a pipeline. Returns None for any other expression,
    /// which the caller binds as a value.
    pub(super) fn table_or_value(
        &mut self,
        expr: &ast::ParsedExpr,
        context: &mut ExprContext<'_>,
    ) -> Bind<Option<Binding>> {
        match &expr.kind {
            ParsedExprKind::Pipeline(pipeline) => self.labelled_table(pipeline).map(Some),
            ParsedExprKind::Parenthesised(inner) => self.table_or_value(inner, context),
            ParsedExprKind::Name(name) if context.schema.index_of(&name.text).is_some() => Ok(None),
            ParsedExprKind::Name(name) => match self.scope.get(&name.text).cloned() {
                Some(Binding::Value(_) | Binding::RowValue(..) | Binding::Unconverted(_) | Binding::Pattern(_)) => {
                    Ok(None)
                }
                Some(Binding::Table(plan, label)) => {
                    self.reuse_table(&plan, name.span).map(|()| Some(Binding::Table(plan, label)))
                }
                Some(Binding::Function(function)) => self.call(&function, &Call::bare(name), None, context).map(Some),
                Some(Binding::Failed) => Err(Failed::Reported),
                None => match self.stored_function(name)? {
                    Some(function) => self.call(&function, &Call::bare(name), None, context).map(Some),
                    None => Ok(self.catalog_table(name)?.map(|plan| Binding::Table(plan, Some(name.text.clone())))),
                },
            },
            ParsedExprKind::Call { function: name, arguments } => match self.user_function(name)? {
                Some(function) => {
                    let call = Call { name, arguments, span: expr.span };
                    self.call(&function, &call, None, context).map(Some)
                }
                None if self.is_pattern(name) => {
                    self.pattern_call(&Call { name, arguments, span: expr.span }, None, context)
                }
                None if functions::special_form(&name.text).is_some_and(|form| form.table().is_some()) => {
                    self.table_call(name, arguments, expr.span).map(|plan| Some(Binding::Table(plan, None)))
                }
                None => Ok(None),
            },
            ParsedExprKind::Member { .. } => match as_pattern_call(expr) {
                Some((call, path)) => self.pattern_call(&call, Some(path), context),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// Returns the error about an argument whose type is not implicitly converted to that of the parameter; None if it
/// is.
fn mismatch(parameter: &ast::Name, ty: Type, value: &Expr) -> Option<Diagnostic> {
    let is_small = |value: &Expr| match value.as_literal() {
        Some(Value::Long(number)) => i32::try_from(*number).is_ok(),
        Some(value) => value.is_null(),
        None => false,
    };
    let narrows = ty == Type::Int && value.ty == Type::Long && is_small(value);
    if narrows || implicit_cost(value.ty, ty).is_some() {
        return None;
    }
    let (name, from, span) = (&parameter.text, value.ty, value.span);
    let message = format!("the parameter `{name}` has type {ty}, but the argument has type {from}");
    let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, span, message).label(parameter.span, "the parameter");
    Some(diagnostic.help(format!("convert it with to{ty}(...)")))
}

/// True for the name of a KQL function, whether or not it is supported.
pub(super) fn is_built_in(name: &str) -> bool {
    functions::is_callable(name) || known::is_kql_function(name)
}

/// A call whose body is being bound.
#[derive(Debug)]
pub(super) struct Active {
    /// The position of the call.
    pub call: Span,
    /// The position of the definition of the function.
    pub definition: Span,
    /// The name of the function.
    pub name: String,
}

/// A call in the syntax tree.
pub(super) struct Call<'c> {
    /// The name of the called function.
    pub name: &'c ast::Name,
    /// The arguments of the call.
    pub arguments: &'c [ast::Argument],
    /// The span of the whole call.
    pub span: Span,
}

impl<'c> Call<'c> {
    /// Returns a name alone as a call, of a function whose parameters all have defaults.
    pub(super) fn bare(name: &'c ast::Name) -> Self {
        Self { name, arguments: &[], span: name.span }
    }
}
