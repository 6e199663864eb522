//! Binds sources: tables, `print`, `datatable`, `range`, `union` and pipelines in parentheses.

use std::sync::Arc;

use super::function::Call;
use super::naming::Names;
use super::operator::project::ColumnLabel;
use super::pattern::as_pattern_call;
use super::scope::Binding;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::entra::known_table;
use crate::functions::signature::implicit_cost;
use crate::functions::special::{Expansion, TableForm};
use crate::functions::{self, SpecialForm};
use crate::plan::LogicalPlan;
use crate::scan::catalog::STDIN;
use crate::scan::{MemoryTable, RangeTable};
use crate::syntax::ast::{self, SourceKind};
use crate::types::{Batch, ColumnBuilder, Schema, Type, Value, cast};

impl Binder<'_> {
    /// Binds a source and its operators.
    pub(super) fn pipeline(&mut self, pipeline: &ast::Pipeline) -> Bind<LogicalPlan> {
        self.rows_of(&pipeline.source, &pipeline.operators, pipeline.span)
    }

    /// Binds a source and `operators`, which may be only the first operators of a pipeline.
    pub(super) fn rows_of(
        &mut self,
        source: &ast::Source,
        operators: &[ast::Operator],
        span: Span,
    ) -> Bind<LogicalPlan> {
        // The case sensitivity of a search does not apply to tables inside its condition.
        let search = self.search.take();
        self.pipelines += 1;
        let bound = self.nested(span, |binder| {
            let name = match &source.kind {
                SourceKind::Name(name) => Some(name),
                _ => None,
            };
            let source = binder.source(source)?;
            binder.operators(source, name, operators)
        });
        self.pipelines -= 1;
        self.search = search;
        bound
    }

    fn source(&mut self, source: &ast::Source) -> Bind<LogicalPlan> {
        match &source.kind {
            SourceKind::Name(name) => self.named_table(name),
            SourceKind::Remote(name) => self.mapped_table(name),
            SourceKind::PatternCall { pattern, arguments, path } => {
                self.pattern_source(pattern, arguments, path, source.span)
            }
            SourceKind::Call { function, arguments } => self.table_call(function, arguments, source.span),
            SourceKind::Print(items) => self.print(items),
            SourceKind::Datatable { columns, cells } => self.datatable(columns, cells, source.span),
            SourceKind::External(data) => self.externaldata(data),
            SourceKind::Range { column, from, to, step } => self.range(column, [from, to, step]),
            SourceKind::Union { parameters, tables } => self.union(None, parameters, tables, source.span),
            SourceKind::Search { parameters, tables, predicate } => {
                self.search(parameters, tables, predicate, source.span)
            }
            SourceKind::Evaluate(call) => self.evaluate_plugin(None, call, source.span),
            SourceKind::Find(find) => self.find(find, source.span),
            SourceKind::Parenthesised(inner) => self.pipeline(inner),
        }
    }

    /// Binds the name of a table: a `let`, a function without arguments, or a table of the catalog.
    pub(super) fn named_table(&mut self, name: &ast::Name) -> Bind<LogicalPlan> {
        match self.scope.get(&name.text).cloned() {
            Some(Binding::Table(plan, _)) => return self.reuse_table(&plan, name.span).map(|()| plan),
            Some(Binding::Value(_) | Binding::RowValue(..) | Binding::Unconverted(_)) => {
                let message = format!("`{}` is a value where a table is required", name.text);
                return self.error(Code::ExpectedTable, name.span, message);
            }
            Some(Binding::Function(function)) => return self.called_table(&function, &Call::bare(name), None),
            Some(Binding::Pattern(_)) => {
                let message = format!("`{}` is a pattern, which needs arguments", name.text);
                return self.error(Code::ExpectedTable, name.span, message);
            }
            Some(Binding::Failed) => return Err(Failed::Reported),
            // A stored function takes precedence over a table of the same name.
            None => {
                if let Some(function) = self.stored_function(name)? {
                    return self.called_table(&function, &Call::bare(name), None);
                }
            }
        }
        match self.catalog_table(name)? {
            Some(plan) => Ok(plan),
            None if self.environment.aliases.contains_key(&name.text) => self.mapped_table(name),
            None => Err(self.unknown_table(name)),
        }
    }

    /// Binds a table of another database as the local table to which the user maps it.
    fn mapped_table(&mut self, name: &ast::Name) -> Bind<LogicalPlan> {
        let Some(local) = self.environment.aliases.get(&name.text) else {
            let message = format!("no table is given for `{}`", name.text);
            let help = format!(
                "name the table that has its records with --alias \"{}=TABLE\", or under [aliases] in the catalog file",
                name.text
            );
            return Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, name.span, message).help(help)));
        };
        let local = ast::Name { text: local.clone(), span: name.span };
        match self.catalog_table(&local)? {
            Some(plan) => Ok(plan),
            None => Err(self.unknown_table(&local)),
        }
    }

    pub(super) fn unknown_table(&mut self, name: &ast::Name) -> Failed {
        if known_table(&name.text).is_some() {
            return self.nothing_to_read(name);
        }
        if name.text == STDIN {
            let message = "nothing to read from `stdin`: it is empty, a terminal, or holds the query";
            return self.report(Diagnostic::new(Code::NothingToRead, name.span, message));
        }
        let mut known = self.environment.catalog.names();
        known.extend(self.stored_names());
        known.extend(self.scope.names(|binding| matches!(binding, Binding::Table(..) | Binding::Function(_))));
        let message = format!("unknown table `{}`", name.text);
        let diagnostic = Diagnostic::new(Code::UnknownTable, name.span, message)
            .suggest(&name.text, known.iter().map(String::as_str))
            .help(format!("bind it to files with -t {}=PATH", name.text));
        self.report(diagnostic)
    }

    /// Reports a known table of which the given files cannot have records.
    fn nothing_to_read(&mut self, name: &ast::Name) -> Failed {
        let is_searched = self.environment.catalog.readable().is_ok_and(|names| !names.is_empty());
        let (message, others) = if is_searched {
            let message =
                format!("nothing to read for the table `{}`: no record in the given files names it", name.text);
            (message, "")
        } else {
            let message =
                format!("nothing to read for the table `{}`: no file is given that can contain it", name.text);
            (message, "give files or folders after the query, pipe records in, or ")
        };
        let help = format!("{others}bind the table with -t {}=PATH or in a catalog file", name.text);
        self.report(Diagnostic::new(Code::NothingToRead, name.span, message).help(help))
    }

    /// Binds a call in a position where a table is required: of a function of the user, or of a special form that
    /// returns a table.
    pub(super) fn table_call(
        &mut self,
        function: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Bind<LogicalPlan> {
        let call = Call { name: function, arguments, span };
        if let Some(defined) = self.user_function(function)? {
            return self.called_table(&defined, &call, None);
        }
        if let Some(plan) = self.pattern_table(&call, None)? {
            return Ok(plan);
        }
        match functions::special_form(&function.text) {
            Some(SpecialForm { expansion: Expansion::Table(TableForm::Watchlist), .. }) => {
                self.watchlist(function, arguments, span)
            }
            Some(form @ SpecialForm { expansion: Expansion::Table(TableForm::Table), .. }) => {
                self.check_count(form, &call)?;
                self.table_of_name(&arguments[0].value)
            }
            Some(form @ SpecialForm { expansion: Expansion::Table(TableForm::Materialize), .. }) => {
                self.check_count(form, &call)?;
                let plan = self.table_argument(&arguments[0].value)?;
                self.repeatable(plan, &function.text)
            }
            _ if functions::is_callable(&function.text) => {
                let message = format!("`{}` returns a value where a table is required", function.text);
                self.error(Code::ExpectedTable, span, message)
            }
            _ => Err(self.unknown_function(function)),
        }
    }

    /// Binds `table("name")`.
    fn table_of_name(&mut self, name: &ast::ParsedExpr) -> Bind<LogicalPlan> {
        let value = self.constant(name)?;
        match value.as_str() {
            Some(text) => self.named_table(&ast::Name { text: text.to_owned(), span: name.span }),
            None => self.error(Code::ArgumentType, name.span, "the name of a table must be a string"),
        }
    }

    /// Binds an argument that must be a table.
    pub(super) fn table_argument(&mut self, expr: &ast::ParsedExpr) -> Bind<LogicalPlan> {
        match &expr.kind {
            ast::ParsedExprKind::Pipeline(pipeline) => self.pipeline(pipeline),
            ast::ParsedExprKind::Name(name) => self.named_table(name),
            ast::ParsedExprKind::Parenthesised(inner) => self.table_argument(inner),
            ast::ParsedExprKind::Call { function, arguments } => self.table_call(function, arguments, expr.span),
            ast::ParsedExprKind::Member { .. } if let Some((call, path)) = as_pattern_call(expr) => {
                self.pattern_source(call.name, call.arguments, path, expr.span)
            }
            _ => self.error(Code::ExpectedTable, expr.span, "a table is required here"),
        }
    }

    /// Returns a table of one row without columns.
    pub(super) fn one_row() -> LogicalPlan {
        let schema = Schema::new([]);
        LogicalPlan::scan("print", Arc::new(MemoryTable::new(schema, vec![Batch::new(Vec::new(), 1)])))
    }

    fn print(&mut self, items: &[ast::Assignment]) -> Bind<LogicalPlan> {
        let input = Self::one_row();
        let schema = input.schema().clone();
        self.spelled_once(items.iter().flat_map(|item| &item.names))?;
        let mut names = Names::default();
        self.inputs.push(input.clone());
        let columns = self.all(items.iter().enumerate(), |binder, (position, item)| {
            let mut labelled = binder.labelled(item, &schema)?;
            // Of several columns, print has those that are named, but project and extend have all.
            if !item.names.is_empty() {
                labelled.truncate(item.names.len());
            }
            let mut columns = Vec::new();
            for (label, expr) in labelled {
                let name = match label {
                    ColumnLabel::Written(name) => names.unique(&name.text),
                    ColumnLabel::Spread(name) => names.unique(&name),
                    ColumnLabel::Made(_) => names.unique(&format!("print_{position}")),
                };
                columns.push((name, expr));
            }
            Ok(columns)
        });
        self.inputs.pop();
        Ok(input.project(columns?.into_iter().flatten()))
    }

    pub(super) fn duplicate_column(&mut self, name: &ast::Name) -> Failed {
        let message = format!("duplicate column `{}`", name.text);
        self.report(Diagnostic::new(Code::DuplicateColumn, name.span, message))
    }

    fn datatable(
        &mut self,
        columns: &[ast::DatatableColumn],
        cells: &[ast::ParsedExpr],
        span: Span,
    ) -> Bind<LogicalPlan> {
        let schema = self.declared_schema(columns)?;
        if columns.is_empty() || !cells.len().is_multiple_of(columns.len()) {
            let message =
                format!("the number of values, {}, is not a multiple of the {} columns", cells.len(), columns.len());
            return self.error(Code::InvalidValue, span, message);
        }
        let values = self.all(cells.iter().enumerate(), |binder, (position, cell)| {
            binder.datatable_cell(cell, columns[position % columns.len()].ty)
        })?;
        let mut builders: Vec<ColumnBuilder> = columns.iter().map(|column| ColumnBuilder::new(column.ty)).collect();
        for (position, value) in values.iter().enumerate() {
            builders[position % columns.len()].append(value);
        }
        let rows = cells.len() / columns.len();
        let batch = Batch::new(builders.iter_mut().map(ColumnBuilder::finish).collect(), rows);
        Ok(LogicalPlan::scan("datatable", Arc::new(MemoryTable::new(schema, vec![batch]))))
    }

    fn datatable_cell(&mut self, cell: &ast::ParsedExpr, ty: Type) -> Bind<Value> {
        let value = self.constant(cell)?;
        let fits = value.ty() == ty
            || value.is_null()
            || implicit_cost(value.ty(), ty).is_some()
            || ty == Type::Dynamic
            || (value.ty().is_numeric() && ty.is_numeric())
            || value.ty() == Type::String;
        if !fits {
            return self.error(
                Code::ArgumentType,
                cell.span,
                format!("a value of type {} in a column of type {ty}", value.ty()),
            );
        }
        Ok(cast::cast(&value, ty).map_err(crate::diagnostic::Error::from)?)
    }

    fn range(&mut self, column: &ast::Name, bounds: [&ast::ParsedExpr; 3]) -> Bind<LogicalPlan> {
        let values = self.all(bounds, super::Binder::constant)?;
        let span = bounds[0].span.to(bounds[2].span);
        let [from, to, step] = values.as_slice() else { return Err(Failed::Reported) };
        if matches!(step, Value::Int(0) | Value::Long(0)) || matches!(step, Value::Real(step) if *step == 0.0) {
            return self.error(Code::InvalidValue, bounds[2].span, "the step of a range must not be 0");
        }
        match RangeTable::new(&column.text, from, to, step) {
            Ok(table) => Ok(LogicalPlan::scan("range", Arc::new(table))),
            Err(message) => self.error(Code::OperandTypes, span, message),
        }
    }
}
