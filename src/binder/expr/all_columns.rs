//! Binds `*` as an operand, as in `* has "x"`, and the terms of `search`, in which wildcards select the operator.
//!
//! Source: the reference's page on the search operator. `*` stands for all string and dynamic columns.

use super::ExprContext;
use super::operator::WrittenOperator;
use crate::binder::operator::TABLE_COLUMN;
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder, MAX_REUSED};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::pattern;
use crate::scan::Provenance;
use crate::syntax::ast::{self, BinaryOperator};
use crate::types::{Schema, Type, Value};

impl Binder<'_> {
    /// Binds `* operator right`, which is true if it is true for any column.
    pub(super) fn bind_star(
        &mut self,
        operator: WrittenOperator<BinaryOperator>,
        right: &ast::ParsedExpr,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        if context.aggregates.is_some() {
            return self.error(Code::NotAllowedHere, span, "columns are used outside an aggregate");
        }
        let right = self.bind_expr(right, context)?;
        if right.ty != Type::String {
            let message = format!("`*` can be compared with strings only, not with a value of type {}", right.ty);
            return self.error(Code::UnsupportedSyntax, right.span, message);
        }
        let WrittenOperator { operator, span: at } = operator;
        let symbol = self.case_of(operator, at)?;
        if let Some(positive) = symbol.strip_prefix('!') {
            let message = format!("`* {symbol}` is not supported yet");
            let help = format!("for rows in which no column matches, write not(* {positive} ...)");
            return Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, at, message).help(help)));
        }
        if operator == BinaryOperator::Colon {
            let (symbol, right) = self.colon_term(right)?;
            return self.any_column(symbol, at, &right, context.schema);
        }
        self.any_column(symbol, at, &right, context.schema)
    }

    /// Binds `left:term`, which searches one column for a term.
    pub(super) fn bind_colon(
        &mut self,
        at: Span,
        left: &ast::ParsedExpr,
        right: &ast::ParsedExpr,
        span: Span,
        context: &mut ExprContext<'_>,
    ) -> Bind<Expr> {
        let operands = self.all([left, right], |binder, part| binder.bind_expr(part, context))?;
        let [left, right] = <[Expr; 2]>::try_from(operands).expect("there are two operands");
        let (symbol, right) = self.colon_term(right)?;
        self.operator_call(symbol, at, vec![left, right], span)
    }

    fn colon_term(&mut self, right: Expr) -> Bind<(&'static str, Expr)> {
        let span = right.span;
        match right.as_literal() {
            Some(Value::String(term)) => {
                let (symbol, text) = self.term_operator(term, span)?;
                Ok((symbol, Expr::literal(Value::string(text), span)))
            }
            Some(_) => self.error(Code::OperandTypes, span, "`:` must be followed by a string"),
            None => self.error(Code::NotConstant, span, "`:` must be followed by a constant string"),
        }
    }

    /// Returns the operator that the wildcards of a term select, and its right operand: the term without the wildcards at
    /// its ends, or a regular expression if there are others.
    pub(in crate::binder) fn term_operator(&mut self, term: &str, span: Span) -> Bind<(&'static str, String)> {
        let (begins, rest) = term.strip_prefix('*').map_or((false, term), |rest| (true, rest));
        let (ends, text) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
        if text.contains('*') {
            let matters = self.search.is_some_and(|search| search.case_sensitive);
            return Ok((BinaryOperator::MatchesRegex.symbol(), wildcard_pattern(term, matters)));
        }
        let operator = match (begins, ends) {
            (false, false) => BinaryOperator::Has,
            (true, false) if !text.is_empty() => BinaryOperator::HasSuffix,
            (false, true) => BinaryOperator::HasPrefix,
            (true, _) => BinaryOperator::Contains,
        };
        Ok((self.case_of(operator, span)?, text.to_owned()))
    }

    /// Returns the symbol of an operator: in its case-sensitive form if `search kind=case_sensitive` requires it.
    pub(super) fn case_of(&mut self, operator: BinaryOperator, at: Span) -> Bind<&'static str> {
        use BinaryOperator as B;
        if self.search.is_none_or(|search| !search.case_sensitive) {
            return Ok(operator.symbol());
        }
        let cased = match operator {
            B::Has => B::HasCs,
            B::NotHas => B::NotHasCs,
            B::HasPrefix => B::HasPrefixCs,
            B::NotHasPrefix => B::NotHasPrefixCs,
            B::HasSuffix => B::HasSuffixCs,
            B::NotHasSuffix => B::NotHasSuffixCs,
            B::Contains => B::ContainsCs,
            B::NotContains => B::NotContainsCs,
            B::StartsWith => B::StartsWithCs,
            B::NotStartsWith => B::NotStartsWithCs,
            B::EndsWith => B::EndsWithCs,
            B::NotEndsWith => B::NotEndsWithCs,
            B::EqualTilde | B::NotEqualTilde => {
                self.caseless_operator(operator.symbol(), at)?;
                operator
            }
            other => other,
        };
        Ok(cased.symbol())
    }

    /// Reports an operator that always ignores case, if it is used in a case-sensitive search.
    pub(super) fn caseless_operator(&mut self, symbol: &str, at: Span) -> Bind<()> {
        if self.search.is_none_or(|search| !search.case_sensitive) {
            return Ok(());
        }
        let message = format!("`{symbol}` is not supported in a case-sensitive search yet");
        let help = "move it to a `where` after the search";
        Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, at, message).help(help)))
    }

    /// Returns a condition that is true if `column symbol right` is true for any searched column.
    pub(in crate::binder) fn any_column(
        &mut self,
        symbol: &str,
        at: Span,
        right: &Expr,
        schema: &Schema,
    ) -> Bind<Expr> {
        let span = at.to(right.span);
        let searched: Vec<usize> = (0..schema.len()).filter(|&index| self.is_searched(schema, index)).collect();
        self.count_tests(searched.len(), span)?;
        let mut parts = self.all(searched, |binder, index| {
            let column = Expr::column(index, schema.field(index).ty, at);
            binder.operator_call(symbol, at, vec![column, right.clone()], span)
        })?;
        // A balanced tree: a table may have thousands of columns.
        while parts.len() > 1 {
            let mut pairs = parts.into_iter();
            let mut halved = Vec::new();
            while let Some(first) = pairs.next() {
                halved.push(match pairs.next() {
                    Some(second) => self.operator_call("or", at, vec![first, second], span)?,
                    None => first,
                });
            }
            parts = halved;
        }
        Ok(parts.pop().unwrap_or_else(|| Expr::literal(Value::Bool(false), span)))
    }

    /// True for the columns that are searched: string and dynamic columns of the records, but not the table name and
    /// provenance columns.
    fn is_searched(&self, schema: &Schema, index: usize) -> bool {
        let field = schema.field(index);
        let is_own = self.search.is_none_or(|search| index < search.columns && field.name != TABLE_COLUMN);
        let is_origin = Provenance::ALL.iter().any(|origin| origin.name() == field.name);
        field.ty.is_text() && is_own && !is_origin
    }

    /// Counts a condition on `columns` columns. Reports an error if conditions on all columns expand to too many
    /// parts.
    fn count_tests(&mut self, columns: usize, span: Span) -> Bind<()> {
        self.reused = self.reused.saturating_add(3 * columns);
        if self.reused > MAX_REUSED {
            let message = format!("conditions on all columns expand to more than {MAX_REUSED} parts");
            return self.error(Code::TooDeep, span, message);
        }
        Ok(())
    }

    /// Returns the string that a `let` or parameter of this name has; None if it has no constant string, or if a
    /// column hides it.
    pub(in crate::binder) fn text_of_let(&self, name: &ast::Name, schema: &Schema) -> Option<std::sync::Arc<str>> {
        match self.scope.get(&name.text) {
            Some(Binding::Value(value)) if schema.index_of(&name.text).is_none() => match value.as_literal() {
                Some(Value::String(text)) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Returns the regular expression of a term with wildcards inside. Each stands for any characters of a line.
///
/// Source: the reference gives `\bLab.*PC\b` for `Lab*PC`. A wildcard at an end stands for the rest of a word, as in
/// `*billg`, so there is no word boundary.
fn wildcard_pattern(term: &str, case_sensitive: bool) -> String {
    let case = if case_sensitive { "" } else { "(?i)" };
    let begin = if term.starts_with('*') { "" } else { r"\b" };
    let end = if term.ends_with('*') { "" } else { r"\b" };
    let parts: Vec<String> = term.trim_matches('*').split('*').map(pattern::quote).collect();
    format!("{case}{begin}{}{end}", parts.join(".*"))
}
