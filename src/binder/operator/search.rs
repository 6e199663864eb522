//! Binds `search`, which returns the rows of tables that have a term in any column, or that satisfy a condition.

use super::project::identity;
use super::union::{Branch, Options, unite};
use crate::binder::naming::Names;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, BinaryOperator, Parameter, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value};

/// The search whose condition is being bound.
#[derive(Clone, Copy, Debug)]
pub(in crate::binder) struct Searching {
    /// True if the search is case-sensitive.
    pub case_sensitive: bool,
    /// The number of columns of the table itself. Columns that only other tables have come after them.
    pub columns: usize,
}

/// The column that has the name of the table of each row.
pub(in crate::binder) const TABLE_COLUMN: &str = "$table";

impl Binder<'_> {
    /// Binds `search` as a source, over the given tables, or over all tables.
    pub(in crate::binder) fn search(
        &mut self,
        parameters: &[Parameter],
        tables: &[ast::Pipeline],
        predicate: &ast::ParsedExpr,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let branches = self.tables_or_all("search", tables, span)?;
        self.search_branches(branches, parameters, predicate, span)
    }

    /// Binds the given tables of `operator`, or all tables if none are given.
    pub(super) fn tables_or_all(&mut self, operator: &str, tables: &[ast::Pipeline], span: Span) -> Bind<Vec<Branch>> {
        let branches = match tables {
            [] => {
                let names = self.tables_and_views()?;
                self.matched_branches(operator, names, span)?
            }
            _ => self.all(tables, Self::named_branches)?.concat(),
        };
        if branches.is_empty() { Err(self.no_tables(span, operator)) } else { Ok(branches) }
    }

    /// Binds the tables of an entry. A table or `let` without operators is called by the name in the query.
    fn named_branches(&mut self, table: &ast::Pipeline) -> Bind<Vec<Branch>> {
        let mut branches = self.branches(table, &Options::default())?;
        if let (ast::SourceKind::Name(name), [], [branch]) =
            (&table.source.kind, table.operators.as_slice(), branches.as_mut_slice())
            && !name.text.contains('*')
        {
            branch.label = Some(name.text.clone());
        }
        Ok(branches)
    }

    /// Binds `search` after a `|`, over the input, whose name is `label`.
    pub(super) fn search_rows(
        &mut self,
        input: LogicalPlan,
        label: Option<&str>,
        parameters: &[Parameter],
        predicate: &ast::ParsedExpr,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let branch = Branch { plan: input, label: label.map(str::to_owned) };
        self.search_branches(vec![branch], parameters, predicate, span)
    }

    fn search_branches(
        &mut self,
        branches: Vec<Branch>,
        parameters: &[Parameter],
        predicate: &ast::ParsedExpr,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let case_sensitive = self.search_kind(parameters)?;
        let fields = all_fields(&branches);
        let found = self.all(branches.into_iter().enumerate(), |binder, (position, branch)| {
            let plan = binder.searched(branch.plan, &fields, predicate, case_sensitive)?;
            // The rows of an earlier search already have the column that names their table.
            let is_labelled = plan.schema().index_of(TABLE_COLUMN).is_some();
            let branch = Branch { plan, ..branch };
            let default = || format!("search_arg{position}");
            Ok(if is_labelled { branch.plan } else { branch.labelled(TABLE_COLUMN, &default(), span) })
        })?;
        Ok(unite(found, false))
    }

    /// Returns the rows of one table for which the condition is true. Columns that only other tables have are null.
    pub(super) fn searched(
        &mut self,
        plan: LogicalPlan,
        fields: &[Field],
        predicate: &ast::ParsedExpr,
        case_sensitive: bool,
    ) -> Bind<LogicalPlan> {
        let own = identity(plan.schema());
        let columns = own.len();
        let missing = fields.iter().filter(|field| plan.schema().index_of(&field.name).is_none());
        let null = |field: &Field| (field.name.clone(), Expr::literal(Value::null(field.ty), predicate.span));
        let all: Vec<_> = own.iter().cloned().chain(missing.map(null)).collect();
        let is_whole = all.len() == columns;
        let rows = if is_whole { plan } else { plan.project(all) };
        let outer = self.search.replace(Searching { case_sensitive, columns });
        let condition = self.search_condition(predicate, &rows.schema().clone());
        self.search = outer;
        let found = rows.filter(condition?);
        Ok(if is_whole { found } else { found.project(own) })
    }

    /// Returns true if the search is case-sensitive.
    fn search_kind(&mut self, parameters: &[Parameter]) -> Bind<bool> {
        let mut case_sensitive = false;
        for parameter in parameters {
            let word = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.as_str(),
                _ => "",
            };
            match (parameter.name.text.as_str(), word) {
                ("kind", "case_sensitive") => case_sensitive = true,
                ("kind", "case_insensitive" | "default") => case_sensitive = false,
                (name, _) => {
                    let message = format!("unsupported value of the search parameter `{name}`");
                    let help = "`kind` must be `case_insensitive` or `case_sensitive`";
                    let span = parameter.name.span.to(parameter.value.span);
                    return Err(self.report(Diagnostic::new(Code::InvalidValue, span, message).help(help)));
                }
            }
        }
        Ok(case_sensitive)
    }

    /// Binds a search condition. A string on its own is a term that is searched for in every column.
    fn search_condition(&mut self, expr: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        match &expr.kind {
            ParsedExprKind::Star => Ok(Expr::literal(Value::Bool(true), expr.span)),
            ParsedExprKind::Literal(Value::String(term)) => self.search_term(term, expr.span, schema),
            ParsedExprKind::Name(name) => match self.text_of_let(name, schema) {
                Some(term) => self.search_term(&term, expr.span, schema),
                None => self.search_other(expr, schema),
            },
            ParsedExprKind::Parenthesised(inner) => self.search_condition(inner, schema),
            ParsedExprKind::Binary {
                operator: operator @ (BinaryOperator::And | BinaryOperator::Or),
                left,
                right,
                ..
            } => {
                let operands = self.all([left, right], |binder, part| binder.search_condition(part, schema))?;
                self.operator_call(operator.symbol(), expr.span, operands, expr.span)
            }
            _ => self.search_other(expr, schema),
        }
    }

    fn search_other(&mut self, expr: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        let condition = self.expr(expr, schema)?;
        match condition.ty {
            Type::Bool => Ok(condition),
            ty => {
                let message = format!("search takes a term or a condition, not a value of type {ty}");
                self.error(Code::OperandTypes, expr.span, message)
            }
        }
    }

    fn search_term(&mut self, term: &str, span: Span, schema: &Schema) -> Bind<Expr> {
        let (operator, text) = self.term_operator(term, span)?;
        self.warn_of_other_types(&text, span, schema);
        self.any_column(operator, span, &Expr::literal(Value::string(text), span), schema)
    }

    /// Warns about a term that looks like a number, a bool or a time, because columns of these types are not
    /// searched.
    fn warn_of_other_types(&mut self, term: &str, span: Span, schema: &Schema) {
        let may_be_other = |c: char| c.is_ascii_digit() || matches!(c, '.' | ':' | '-' | '+');
        let is_truth = term.eq_ignore_ascii_case("true") || term.eq_ignore_ascii_case("false");
        let has_others = schema.fields().iter().any(|field| !field.ty.is_text());
        if !has_others || term.is_empty() || !(is_truth || term.chars().all(may_be_other)) {
            return;
        }
        let message = "only string and dynamic columns are searched, not numbers, times and bools";
        self.warn(Diagnostic::new(Code::SearchedTexts, span, message).help("compare the other columns by name"));
    }
}

/// Returns the columns of all tables, without duplicate names.
pub(super) fn all_fields(branches: &[Branch]) -> Vec<Field> {
    let mut names = Names::default();
    let fields = branches.iter().flat_map(|branch| branch.plan.schema().fields());
    fields.filter(|field| names.claim(&field.name)).cloned().collect()
}
