//! Prints a tree as the canonical text of a query.
//!
//! Parsing the text returns the same tree except for positions, and printing that tree returns the same text. A tree
//! that no query text produces, for example one with an operand that binds too loosely, gets the parentheses that
//! keep its meaning.

mod function;
mod operator;
mod parse;
mod scan;
mod value;

use super::ast::{
    Argument, Assignment, DatatableColumn, ExternalData, LetValue, Name, Parameter, ParameterDeclaration, ParsedExpr,
    ParsedExprKind, Pipeline, Query, Source, SourceKind, Statement, StatementKind, UnaryOperator,
};
use super::parser::expr::Level;

/// Returns the canonical spelling of a table outside the default database, such as `cluster('c').database('d').T`.
/// Each scope is a function and its argument. `table` is "" if the last scope is the table itself.
pub(super) fn table_reference(scopes: &[(&str, String)], table: &str) -> String {
    let scopes = scopes.iter().map(|(function, argument)| format!("{function}({})", super::string::encode(argument)));
    let table = (!table.is_empty()).then(|| value::name(table));
    scopes.chain(table).collect::<Vec<_>>().join(".")
}

/// Prints `query` as canonical KQL, with one statement or operator on each line.
#[must_use]
pub fn print(query: &Query) -> String {
    let mut printer = Printer::default();
    for (index, statement) in query.statements.iter().enumerate() {
        printer.text(if index > 0 { "\n" } else { "" });
        printer.statement(statement);
        let is_query = matches!(statement.kind, StatementKind::Query(_));
        printer.text(if is_query && index + 1 < query.statements.len() { ";" } else { "" });
    }
    printer.out
}

/// Prints `expression` on one line.
#[must_use]
pub fn print_expression(expression: &ParsedExpr) -> String {
    let mut printer = Printer::default();
    printer.expr(expression);
    printer.out
}

/// Returns the name as a query writes it: in brackets and quotes if the plain word would mean something else.
#[must_use]
pub fn print_name(name: &str) -> String {
    value::name(name)
}

/// Writes the text of a tree.
#[derive(Default)]
struct Printer {
    out: String,
}

impl Printer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Prints every item with `each`, separated by commas.
    fn list<T>(&mut self, items: &[T], each: fn(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            self.text(if index > 0 { ", " } else { "" });
            each(self, item);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let { name, value } => self.let_statement(name, value),
            StatementKind::Set { option, value } => self.set_statement(option, value.as_ref()),
            StatementKind::DeclareParameters(list) => {
                self.text("declare query_parameters(");
                self.list(list, Self::declaration);
                self.text(");");
            }
            StatementKind::DeclarePattern(pattern) => self.pattern_statement(pattern),
            StatementKind::Query(pipeline) => self.pipeline(pipeline, "\n| "),
        }
    }

    fn let_statement(&mut self, name: &Name, value: &LetValue) {
        self.text("let ");
        self.name(name);
        self.text(" = ");
        match value {
            LetValue::Expr(value) => self.expr(value),
            LetValue::Pipeline(pipeline) => self.pipeline(pipeline, "\n    | "),
            LetValue::Function(function) => self.function(function),
        }
        self.text(";");
    }

    fn set_statement(&mut self, option: &Name, value: Option<&ParsedExpr>) {
        self.text("set ");
        self.name(option);
        if let Some(value) = value {
            self.text(" = ");
            self.expr(value);
        }
        self.text(";");
    }

    fn declaration(&mut self, declaration: &ParameterDeclaration) {
        self.name(&declaration.name);
        self.text(":");
        self.text(declaration.ty.name());
        if let Some(default) = &declaration.default {
            self.text(" = ");
            self.expr(default);
        }
    }

    /// Prints a source and its operators, with `bar` before each operator.
    fn pipeline(&mut self, pipeline: &Pipeline, bar: &str) {
        self.source(&pipeline.source);
        for operator in &pipeline.operators {
            self.text(bar);
            self.operator(&operator.kind);
        }
    }

    fn source(&mut self, source: &Source) {
        match &source.kind {
            SourceKind::Name(name) => self.name(name),
            SourceKind::PatternCall { pattern, arguments, path } => {
                self.call(pattern, arguments);
                self.text(".");
                self.name(path);
            }
            SourceKind::Remote(table) => self.text(&table.text),
            SourceKind::Call { function, arguments } => self.call(function, arguments),
            SourceKind::Print(values) => {
                self.text("print ");
                self.list(values, Self::assignment);
            }
            SourceKind::Datatable { columns, cells } => self.datatable(columns, cells),
            SourceKind::External(data) => self.external(data),
            SourceKind::Range { column, from, to, step } => {
                self.text("range ");
                self.name(column);
                for (word, value) in [(" from ", from), (" to ", to), (" step ", step)] {
                    self.text(word);
                    self.expr(value);
                }
            }
            SourceKind::Union { parameters, tables } => self.union(parameters, tables),
            SourceKind::Search { parameters, tables, predicate } => self.search(parameters, tables, predicate),
            SourceKind::Evaluate(call) => self.evaluate(call),
            SourceKind::Find(find) => self.find(find),
            SourceKind::Parenthesised(pipeline) => {
                self.text("(");
                self.pipeline(pipeline, " | ");
                self.text(")");
            }
        }
    }

    fn datatable(&mut self, columns: &[DatatableColumn], cells: &[ParsedExpr]) {
        self.text("datatable(");
        self.list(columns, Self::declared_column);
        self.text(") [");
        for row in cells.chunks(columns.len().max(1)) {
            self.text("\n    ");
            self.list(row, Self::expr);
            self.text(",");
        }
        self.text(if cells.is_empty() { "]" } else { "\n]" });
    }

    fn external(&mut self, data: &ExternalData) {
        self.text("externaldata(");
        self.list(&data.columns, Self::declared_column);
        self.text(") [");
        self.list(&data.addresses, Self::expr);
        self.text("]");
        if !data.properties.is_empty() {
            self.text(" with (");
            self.list(&data.properties, Self::external_property);
            self.text(")");
        }
    }

    fn external_property(&mut self, property: &Parameter) {
        self.name(&property.name);
        self.text(" = ");
        self.expr(&property.value);
    }

    /// Prints `name:type`.
    fn declared_column(&mut self, column: &DatatableColumn) {
        self.name(&column.name);
        self.text(":");
        self.text(column.ty.name());
    }

    /// Prints a table of `union`: a name, a pattern, or a pipeline.
    fn table(&mut self, table: &Pipeline) {
        match &table.source.kind {
            SourceKind::Name(name) if name.text.contains('*') && table.operators.is_empty() => self.pattern(name),
            _ => self.pipeline(table, " | "),
        }
    }

    fn assignment(&mut self, assignment: &Assignment) {
        match assignment.names.as_slice() {
            [] => {}
            [name] => {
                self.name(name);
                self.text(" = ");
            }
            names => {
                self.text("(");
                self.list(names, Self::name);
                self.text(") = ");
            }
        }
        self.expr(&assignment.value);
    }

    fn parameter(&mut self, parameter: &Parameter) {
        self.text(&parameter.name.text);
        self.text("=");
        self.expr(&parameter.value);
    }

    fn expr(&mut self, expr: &ParsedExpr) {
        match &expr.kind {
            ParsedExprKind::Literal(value) => self.text(&value::literal(value)),
            ParsedExprKind::Name(name) => self.name(name),
            ParsedExprKind::Star => self.text("*"),
            ParsedExprKind::Unary { operator, operand } => {
                self.text(if *operator == UnaryOperator::Minus { "-" } else { "+" });
                self.operand(operand, Level::Path);
            }
            ParsedExprKind::Binary { operator, left, right, .. } => {
                let level = Level::of(*operator);
                self.operand(left, if level.chains() { level } else { level.tighter() });
                self.infix(operator.symbol());
                self.operand(right, if level.is_associative() { level } else { level.tighter() });
            }
            ParsedExprKind::Membership { operator, left, list, .. } => {
                self.operand(left, Level::Equality.tighter());
                self.infix(operator.symbol());
                self.text("(");
                if let [only] = list.as_slice() {
                    self.expr(only);
                } else {
                    self.list(list, Self::element);
                }
                self.text(")");
            }
            ParsedExprKind::Between { negated, operand, low, high, .. } => {
                self.operand(operand, Level::Equality.tighter());
                self.text(if *negated { " !between (" } else { " between (" });
                self.expr(low);
                self.infix("..");
                self.expr(high);
                self.text(")");
            }
            ParsedExprKind::Call { function, arguments } => self.call(function, arguments),
            ParsedExprKind::Member { base, name } => {
                self.base(base);
                self.text(".");
                self.name(name);
            }
            ParsedExprKind::Index { base, index } => {
                self.base(base);
                self.text("[");
                self.expr(index);
                self.text("]");
            }
            ParsedExprKind::Parenthesised(inner) => {
                self.text("(");
                self.expr(inner);
                self.text(")");
            }
            ParsedExprKind::Pipeline(pipeline) => self.pipeline(pipeline, " | "),
        }
    }

    /// Prints one value of a list. A table with operators gets parentheses, because it may have commas of its own.
    fn element(&mut self, expr: &ParsedExpr) {
        match &expr.kind {
            ParsedExprKind::Pipeline(pipeline) => {
                self.text("(");
                self.pipeline(pipeline, " | ");
                self.text(")");
            }
            _ => self.expr(expr),
        }
    }

    fn infix(&mut self, symbol: &str) {
        self.text(" ");
        self.text(symbol);
        self.text(" ");
    }

    /// Prints the base of an access. A space separates a number from the dot after it.
    fn base(&mut self, base: &ParsedExpr) {
        self.operand(base, Level::Path);
        self.text(if matches!(base.kind, ParsedExprKind::Literal(_)) { " " } else { "" });
    }

    /// Prints `expr`, in parentheses if it binds more loosely than `loosest`.
    fn operand(&mut self, expr: &ParsedExpr, loosest: Level) {
        let is_loose = Level::of_expr(expr) < loosest;
        self.text(if is_loose { "(" } else { "" });
        self.expr(expr);
        self.text(if is_loose { ")" } else { "" });
    }

    fn call(&mut self, function: &Name, arguments: &[Argument]) {
        self.function_name(function);
        self.text("(");
        if let [Argument { name: None, value }] = arguments {
            self.expr(value);
            return self.text(")");
        }
        self.list(arguments, |printer, argument| {
            if let Some(name) = &argument.name {
                printer.name(name);
                printer.text(" = ");
            }
            printer.element(&argument.value);
        });
        self.text(")");
    }

    /// Prints a name, in brackets and quotes if needed.
    fn name(&mut self, name: &Name) {
        self.text(&value::name(&name.text));
    }

    /// Like [`Self::name`], but the name of a type gets brackets, because it would begin a literal.
    fn function_name(&mut self, name: &Name) {
        let is_type = crate::types::Type::from_name(&name.text).is_some();
        self.text(&if is_type { value::bracketed(&name.text) } else { value::name(&name.text) });
    }

    /// Prints a pattern unchanged.
    fn pattern(&mut self, name: &Name) {
        self.text(&name.text);
    }
}
