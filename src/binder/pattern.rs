//! Binds `declare pattern`: tables that a query selects by strings.
//!
//! Each case is a function that has the parameters of the pattern. A call selects the case by its arguments and its
//! path, which must be literals. Source: the reference's page on the pattern statement, and the analyzer.

use std::sync::Arc;

use super::expr::ExprContext;
use super::function::{Call, is_built_in};
use super::scope::{Binding, ScopedFunction};
use super::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::functions::signature::Arity;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, FunctionParameter, ParameterKind, ParsedExprKind};
use crate::syntax::print_expression;
use crate::types::{Schema, Type, Value};

/// A declared pattern, and a function for each of its cases.
#[derive(Debug)]
pub(crate) struct DeclaredPattern {
    declaration: Arc<ast::PatternDeclaration>,
    cases: Vec<Arc<ScopedFunction>>,
}

impl Binder<'_> {
    pub(super) fn declare_pattern(&mut self, declaration: &Arc<ast::PatternDeclaration>) -> Bind<()> {
        let name = &declaration.name;
        let checked = self.check_pattern(declaration);
        let home = self.scope.here();
        let function = |(mapping, case): (&ast::PatternMapping, &ast::PatternCase)| {
            let definition = Arc::new(function_of(mapping, case));
            Arc::new(ScopedFunction { definition, home })
        };
        let mapping = declaration.mapping.iter();
        let cases = mapping.flat_map(|mapping| mapping.cases.iter().map(move |case| (mapping, case)));
        let pattern = DeclaredPattern { declaration: Arc::clone(declaration), cases: cases.map(function).collect() };
        self.define_or_fail(name, checked.map(|()| Binding::Pattern(Arc::new(pattern))))
    }

    fn check_pattern(&mut self, declaration: &ast::PatternDeclaration) -> Bind<()> {
        if is_built_in(&declaration.name.text) {
            return self.built_in_name(&declaration.name);
        }
        let Some(mapping) = &declaration.mapping else { return Ok(()) };
        self.all(mapping.parameters.iter().chain(&mapping.path), |binder, (name, ty)| match ty {
            Type::String => Ok(()),
            _ => binder.error(Code::ArgumentType, name.span, "a parameter of a pattern must be a string"),
        })?;
        self.all(mapping.cases.iter().enumerate(), |binder, (index, case)| {
            if case.arguments.len() != mapping.parameters.len() || case.path.is_some() != mapping.path.is_some() {
                let message = "a case must have a value for each parameter of the pattern, and a path if it has one";
                return binder.error(Code::ArgumentCount, case.span, message);
            }
            let is_same = |other: &&ast::PatternCase| (&other.arguments, &other.path) == (&case.arguments, &case.path);
            match mapping.cases[..index].iter().find(is_same) {
                Some(earlier) => {
                    let message = "two cases with the same values are not supported";
                    let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, case.span, message);
                    Err(binder.report(diagnostic.label(earlier.span, "the other case")))
                }
                None => Ok(()),
            }
        })
        .map(|_| ())
    }

    /// True if a pattern has this name.
    pub(super) fn is_pattern(&self, name: &ast::Name) -> bool {
        matches!(self.scope.get(&name.text), Some(Binding::Pattern(_)))
    }

    /// Binds a call of a pattern; None if no pattern has this name.
    pub(super) fn pattern_call(
        &mut self,
        call: &Call<'_>,
        path: Option<&ast::Name>,
        context: &mut ExprContext<'_>,
    ) -> Bind<Option<Binding>> {
        let Some(Binding::Pattern(pattern)) = self.scope.get(&call.name.text).cloned() else { return Ok(None) };
        let literals = self.all(call.arguments, |binder, argument| match &argument.value.kind {
            ParsedExprKind::Literal(Value::String(text)) if argument.name.is_none() => Ok(text.to_string()),
            _ => binder.error(
                Code::NotConstant,
                argument.value.span,
                "an argument of a pattern must be a string literal",
            ),
        })?;
        let mapping = pattern.declaration.mapping.as_ref();
        if let Some(mapping) = mapping.filter(|mapping| mapping.parameters.len() != literals.len()) {
            let (given, most) = (literals.len(), mapping.parameters.len());
            let form = format!("{}({})", call.name.text, vec!["..."; most].join(", "));
            return Err(self.wrong_count(call.name, given, Arity { least: most, most: Some(most) }, &form));
        }
        let cases = mapping.map_or(&[][..], |mapping| &mapping.cases);
        let is_match = |case: &ast::PatternCase| {
            case.arguments == literals && case.path.as_deref() == path.map(|path| path.text.as_str())
        };
        let Some(index) = cases.iter().position(is_match) else {
            return self.no_case(call, path, mapping.is_some_and(|mapping| mapping.path.is_some()));
        };
        let literal = |text: String, span: Span| ast::Argument {
            name: None,
            value: ast::ParsedExpr { kind: ParsedExprKind::Literal(Value::string(text)), span },
        };
        let path = path.map(|path| literal(path.text.clone(), path.span));
        let arguments: Vec<ast::Argument> = call.arguments.iter().cloned().chain(path).collect();
        let call = Call { name: call.name, arguments: &arguments, span: call.span };
        self.call(&pattern.cases[index], &call, None, context).map(Some)
    }

    fn no_case<T>(&mut self, call: &Call<'_>, path: Option<&ast::Name>, has_path: bool) -> Bind<T> {
        if path.is_none() && has_path {
            let message = "a call of a pattern without its path is not supported";
            let help = format!("write {}(...).PATH", call.name.text);
            return Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, call.span, message).help(help)));
        }
        let arguments = call.arguments.iter().map(|argument| print_expression(&argument.value));
        let path = path.map_or(String::new(), |path| format!(".['{}']", path.text));
        let reference = format!("{}({}){path}", call.name.text, arguments.collect::<Vec<_>>().join(", "));
        self.error(Code::InvalidValue, call.span, format!("the pattern has no case for {reference}"))
    }

    /// Binds a call of a pattern in a position where a table is required; None if no pattern has this name.
    pub(super) fn pattern_table(&mut self, call: &Call<'_>, path: Option<&ast::Name>) -> Bind<Option<LogicalPlan>> {
        let no_columns = Schema::new([]);
        match self.pattern_call(call, path, &mut ExprContext { schema: &no_columns, aggregates: None })? {
            Some(Binding::Table(plan, _)) => Ok(Some(plan)),
            Some(_) => {
                let message = format!("`{}` returns a value where a table is required", call.name.text);
                self.error(Code::ExpectedTable, call.span, message)
            }
            None => Ok(None),
        }
    }

    /// Like [`Self::pattern_table`], for a call with a path. A pattern of this name must exist.
    pub(super) fn pattern_source(
        &mut self,
        pattern: &ast::Name,
        arguments: &[ast::Argument],
        path: &ast::Name,
        span: Span,
    ) -> Bind<LogicalPlan> {
        match self.pattern_table(&Call { name: pattern, arguments, span }, Some(path))? {
            Some(plan) => Ok(plan),
            None => {
                let message =
                    format!("`{}(...)` is neither a pattern nor the name of a database or workspace", pattern.text);
                let help = "a table of another database is written like workspace('w').T, and mapped with --alias";
                Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)))
            }
        }
    }
}

/// Returns the call and the path of `pattern("argument").path`; None for any other expression.
pub(super) fn as_pattern_call(expr: &ast::ParsedExpr) -> Option<(Call<'_>, &ast::Name)> {
    let ParsedExprKind::Member { base, name } = &expr.kind else { return None };
    match &base.kind {
        ParsedExprKind::Call { function, arguments } => {
            Some((Call { name: function, arguments, span: expr.span }, name))
        }
        _ => None,
    }
}

/// Returns the function for a case: it has the parameters of the pattern.
fn function_of(mapping: &ast::PatternMapping, case: &ast::PatternCase) -> ast::Function {
    let parameter = |(name, ty): &(ast::Name, Type)| {
        let kind = ParameterKind::Scalar { ty: *ty, default: None };
        FunctionParameter { name: name.clone(), kind }
    };
    let parameters = mapping.parameters.iter().chain(&mapping.path).map(parameter).collect();
    ast::Function { view: false, parameters, body: case.body.clone(), span: case.span }
}
