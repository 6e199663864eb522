//! Binds `union`, which returns the rows of several tables and matches their columns by name.
//!
//! If a column has several types, it becomes one column for each type, such as `x_long` and `x_string`.

use std::sync::Arc;

use super::columns::wildcard;
use crate::binder::naming::Names;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::scan::Wildcard;
use crate::syntax::Definition;
use crate::syntax::ast::{self, OperatorKind, Parameter, ParsedExprKind, SourceKind};
use crate::types::{Field, Schema, Type, Value};

#[derive(Default)]
pub(super) struct Options {
    inner: bool,
    fuzzy: bool,
    source_column: Option<String>,
}

/// A table of a union, and its name in the `withsource` column.
#[derive(Clone)]
pub(in crate::binder) struct Branch {
    pub plan: LogicalPlan,
    pub label: Option<String>,
}

impl Branch {
    /// Returns the rows with an additional first column that has the label, or `default` if there is none.
    pub(super) fn labelled(self, column: &str, default: &str, span: Span) -> LogicalPlan {
        let label = self.label.unwrap_or_else(|| default.to_owned());
        let label = (column.to_owned(), Expr::literal(Value::string(label), span));
        let rest = super::project::identity(self.plan.schema());
        self.plan.project(std::iter::once(label).chain(rest))
    }
}

impl Binder<'_> {
    pub(in crate::binder) fn union(
        &mut self,
        input: Option<Branch>,
        parameters: &[Parameter],
        tables: &[ast::Pipeline],
        span: Span,
    ) -> Bind<LogicalPlan> {
        let options = self.union_options(parameters)?;
        let mut branches: Vec<Branch> = input.into_iter().collect();
        let found = self.all(tables, |binder, table| binder.branches(table, &options))?;
        branches.extend(found.into_iter().flatten());
        if branches.is_empty() {
            return Err(self.no_tables(span, "union"));
        }
        let branches = self.with_source(branches, &options, span)?;
        Ok(unite(branches, options.inner))
    }

    /// Reports that `operator` has no table to read, because no files are given or the query names unknown tables.
    pub(super) fn no_tables(&mut self, span: Span, operator: &str) -> Failed {
        match self.environment.catalog.readable() {
            Ok(names) if names.is_empty() => {
                let message = format!("nothing to read for this {operator}: no files are given");
                let help = "give files or folders after the query, or pipe records in";
                self.report(Diagnostic::new(Code::NothingToRead, span, message).help(help))
            }
            Ok(_) => {
                let message = format!("none of the tables of this {operator} exists");
                self.report(Diagnostic::new(Code::UnknownTable, span, message))
            }
            Err(error) => error.into(),
        }
    }

    fn union_options(&mut self, parameters: &[Parameter]) -> Bind<Options> {
        let mut options = Options::default();
        for parameter in parameters {
            let word = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.clone(),
                ParsedExprKind::Literal(Value::String(text)) => text.to_string(),
                ParsedExprKind::Literal(Value::Bool(truth)) => truth.to_string(),
                _ => String::new(),
            };
            match (parameter.name.text.to_ascii_lowercase().as_str(), word.to_ascii_lowercase().as_str()) {
                ("kind", "inner") => options.inner = true,
                ("kind", "outer") => options.inner = false,
                ("isfuzzy", "true") => options.fuzzy = true,
                ("isfuzzy", "false") => options.fuzzy = false,
                ("withsource" | "with_source", _) if !word.is_empty() => options.source_column = Some(word),
                (name, _) if name.starts_with("hint.") => {}
                (name, _) => {
                    let message = format!("unsupported value of the union parameter `{name}`");
                    return self.error(Code::InvalidValue, parameter.name.span.to(parameter.value.span), message);
                }
            }
        }
        Ok(options)
    }

    /// Binds the tables that an entry stands for: several if its name contains `*`, none if it is missing and missing
    /// tables are allowed.
    pub(super) fn branches(&mut self, table: &ast::Pipeline, options: &Options) -> Bind<Vec<Branch>> {
        let name = match &table.source.kind {
            SourceKind::Name(name) if table.operators.is_empty() => Some(name),
            _ => None,
        };
        if let Some(name) = name.filter(|name| name.text.contains('*')) {
            let known = self.tables_and_views()?;
            let hits: Vec<String> = known.into_iter().filter(|known| wildcard(&name.text, known)).collect();
            return self.matched_branches(&name.text, hits, name.span);
        }
        let before = self.diagnostics.len();
        match self.pipeline(table) {
            Ok(plan) => Ok(vec![Branch { plan, label: self.label_of(table) }]),
            Err(Failed::Reported) if options.fuzzy && self.only_missing_sources(table, before) => {
                for diagnostic in self.diagnostics.split_off(before) {
                    let message = format!("{}; skipped because of isfuzzy", diagnostic.message);
                    self.warn(Diagnostic::new(Code::MissingTable, diagnostic.span, message));
                }
                Ok(Vec::new())
            }
            Err(other) => Err(other),
        }
    }

    /// Binds the tables and views `names`, which `pattern` matched.
    pub(super) fn matched_branches(&mut self, pattern: &str, names: Vec<String>, span: Span) -> Bind<Vec<Branch>> {
        let wildcard = Arc::new(Wildcard::new(pattern, names.len()));
        self.environment.report.expect_any(Arc::clone(&wildcard));
        let branches = self.all(names, |binder, name| {
            let table = ast::Name { text: name.clone(), span };
            let plan = match binder.user_function(&table)? {
                Some(_) => Some(binder.named_table(&table)?),
                None => binder.matched_table(&table, &wildcard)?,
            };
            Ok(plan.map(|plan| Branch { plan, label: Some(name) }))
        })?;
        Ok(branches.into_iter().flatten().collect())
    }

    /// Returns the names of the readable tables and of all views, those of the query and stored ones.
    pub(super) fn tables_and_views(&self) -> Bind<Vec<String>> {
        let is_view = |binding: &Binding| matches!(binding, Binding::Function(function) if function.definition.view);
        let is_stored_view = |stored: &Definition| stored.function.as_ref().is_ok_and(|function| function.view);
        let mut views = self.scope.names(is_view);
        let stored = self.environment.catalog.functions()?.into_iter().filter(is_stored_view);
        views.extend(stored.map(|stored| stored.name.text).filter(|name| self.scope.get(name).is_none()));
        let mut names = self.environment.catalog.readable()?;
        names.retain(|name| !views.contains(name));
        names.extend(views);
        Ok(names)
    }

    /// Returns the name of a pipeline in the `withsource` column: that of a table without operators, or the one that
    /// a last `as` gives. Returns None if it has none.
    pub(in crate::binder) fn label_of(&self, table: &ast::Pipeline) -> Option<String> {
        match (&table.source.kind, table.operators.last().map(|operator| &operator.kind)) {
            (_, Some(OperatorKind::As { name, .. })) => Some(name.text.clone()),
            (SourceKind::Name(name), None) => self.label_of_name(name),
            (SourceKind::Parenthesised(inner), None) => self.label_of(inner),
            _ => None,
        }
    }

    /// Returns the name of a table in the `withsource` column. A `let` of a table without operators has the name of
    /// that table; a `let` of other rows has none.
    pub(super) fn label_of_name(&self, name: &ast::Name) -> Option<String> {
        match self.scope.get(&name.text) {
            Some(Binding::Table(_, label)) => label.clone(),
            _ => Some(name.text.clone()),
        }
    }

    /// Binds a pipeline to a table with its name.
    pub(in crate::binder) fn labelled_table(&mut self, pipeline: &ast::Pipeline) -> Bind<Binding> {
        let plan = self.pipeline(pipeline)?;
        Ok(Binding::Table(plan, self.label_of(pipeline)))
    }

    /// True if the diagnostics from `from` on say only that tables do not exist, or the function whose rows `pipeline`
    /// reads. Sentinel workspaces often lack such functions, as parsers of tables that they do not have.
    fn only_missing_sources(&self, pipeline: &ast::Pipeline, from: usize) -> bool {
        let called = called_source(pipeline).map(|function| function.span);
        let is_missing = |diagnostic: &Diagnostic| match diagnostic.code {
            Code::UnknownTable | Code::NothingToRead => true,
            Code::UnknownFunction => Some(diagnostic.span) == called,
            _ => false,
        };
        self.diagnostics[from..].iter().all(is_missing)
    }

    /// Adds a column with the name of its table to the front of each branch.
    fn with_source(&mut self, branches: Vec<Branch>, options: &Options, span: Span) -> Bind<Vec<LogicalPlan>> {
        let Some(column) = &options.source_column else {
            return Ok(branches.into_iter().map(|branch| branch.plan).collect());
        };
        self.all(branches.into_iter().enumerate(), |binder, (position, branch)| {
            if branch.plan.schema().index_of(column).is_some() {
                let message = format!("a table of this union already has a column `{column}`");
                return binder.error(Code::DuplicateColumn, span, message);
            }
            Ok(branch.labelled(column, &format!("union_arg{position}"), span))
        })
    }
}

/// Returns the name of the function whose rows `pipeline` reads; None if it reads no function.
fn called_source(pipeline: &ast::Pipeline) -> Option<&ast::Name> {
    match &pipeline.source.kind {
        SourceKind::Call { function, .. } => Some(function),
        SourceKind::Parenthesised(inner) => called_source(inner),
        _ => None,
    }
}

/// Returns the union of branches, each projected to a common schema. If `inner`, it has only the columns of every
/// branch.
pub(super) fn unite(branches: Vec<LogicalPlan>, inner: bool) -> LogicalPlan {
    let branches = match <[LogicalPlan; 1]>::try_from(branches) {
        Ok([only]) => return only,
        Err(several) => several,
    };
    let columns = united_columns(&branches, inner);
    let schema = Schema::new(columns.iter().map(|column| Field::new(&column.output, column.ty)));
    let inputs = branches
        .into_iter()
        .map(|branch| {
            let own = branch.schema().clone();
            let project = columns.iter().map(|column| {
                let found = own.index_of(&column.name).filter(|index| own.field(*index).ty == column.ty);
                let expr = match found {
                    Some(index) => Expr::column(index, column.ty, Span::default()),
                    None => Expr::literal(Value::null(column.ty), Span::default()),
                };
                (column.output.clone(), expr)
            });
            branch.project(project.collect::<Vec<_>>())
        })
        .collect();
    LogicalPlan::Union { inputs, schema }
}

struct UnitedColumn {
    name: String,
    ty: Type,
    output: String,
}

/// Returns the columns of a union with their types, in order of first appearance. If `inner`, only those of every
/// branch.
fn united_columns(branches: &[LogicalPlan], inner: bool) -> Vec<UnitedColumn> {
    let mut found: Vec<(String, Vec<Type>)> = Vec::new();
    for field in branches.iter().flat_map(|branch| branch.schema().fields()) {
        match found.iter_mut().find(|(name, _)| *name == field.name) {
            Some((_, types)) if !types.contains(&field.ty) => types.push(field.ty),
            Some(_) => {}
            None => found.push((field.name.clone(), vec![field.ty])),
        }
    }
    if inner {
        let everywhere = |name: &str, ty: Type| {
            let has = |branch: &LogicalPlan| branch.schema().fields().iter().any(|f| f.name == name && f.ty == ty);
            branches.iter().all(has)
        };
        for (name, types) in &mut found {
            types.retain(|ty| everywhere(name, *ty));
        }
    }
    let mut names = Names::taken(found.iter().filter(|(_, types)| types.len() == 1).map(|(name, _)| name.as_str()));
    let column = |(name, types): (String, Vec<Type>)| {
        let split = types.len() > 1;
        let column = |ty: Type| {
            let output = if split { names.unique(&format!("{name}_{ty}")) } else { name.clone() };
            UnitedColumn { name: name.clone(), ty, output }
        };
        types.into_iter().map(column).collect::<Vec<_>>()
    };
    found.into_iter().flat_map(column).collect()
}
