//! Binds `reduce`, which groups similar strings and returns their patterns.
//!
//! Source: the reference's page on the reduce operator, and the analyzer for the columns of `kind=source`.

use std::sync::Arc;

use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error};
use crate::expr::Expr;
use crate::functions::TableFunction;
use crate::functions::reduce::{ReducePatterns, TermSeparators};
use crate::plan::{LogicalPlan, TableCall};
use crate::syntax::ast::{Assignment, Parameter, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value, cast};

/// The threshold if the query gives none.
const DEFAULT_THRESHOLD: f64 = 0.1;

impl Binder<'_> {
    pub(super) fn reduce(
        &mut self,
        input: LogicalPlan,
        kind: Option<&Parameter>,
        value: &Assignment,
        properties: &[Parameter],
    ) -> Bind<LogicalPlan> {
        let keeps_rows = self.reduce_kind(kind)?;
        if let [_, second, ..] = value.names.as_slice() {
            return self.error(Code::UnsupportedSyntax, second.span, "`reduce` takes one string");
        }
        let text = self.expr(&value.value, input.schema())?;
        if text.ty != Type::String {
            let message = format!("`reduce` takes a string, not a value of type {}", text.ty);
            let diagnostic = Diagnostic::new(Code::ArgumentType, text.span, message);
            return Err(self.report(diagnostic.help("convert it with tostring(...)")));
        }
        let function = self.reduce_function(properties, keeps_rows)?;
        if keeps_rows {
            return self.with_patterns(input, text, function);
        }
        let span = text.span;
        let count = self.hitter("count", Vec::new(), "Count", span)?;
        let schema = Schema::new([Field::new("Value", Type::String), count.fields[0].clone()]);
        let arguments = vec![Expr::column(0, Type::String, span), Expr::column(1, Type::Long, span)];
        let distinct =
            LogicalPlan::Aggregate { input: Box::new(input), keys: vec![text], aggregates: vec![count], schema };
        let schema = Schema::new(function.fields());
        let function = Arc::new(function);
        Ok(LogicalPlan::TableCall(TableCall {
            input: Box::new(distinct),
            function,
            arguments,
            kept: Vec::new(),
            schema,
        }))
    }

    /// Returns true for `kind=source`, which keeps the rows.
    fn reduce_kind(&mut self, kind: Option<&Parameter>) -> Bind<bool> {
        let Some(kind) = kind else { return Ok(false) };
        match (kind.name.text.as_str(), &kind.value.kind) {
            ("kind", ParsedExprKind::Name(name)) if name.text == "source" => Ok(true),
            ("kind", _) => self.error(Code::InvalidValue, kind.value.span, "the only kind of `reduce` is `source`"),
            (name, _) => {
                let message = format!("the parameter `{name}` is not supported here");
                self.error(Code::UnsupportedSyntax, kind.name.span, message)
            }
        }
    }

    fn reduce_function(&mut self, properties: &[Parameter], keeps_rows: bool) -> Bind<ReducePatterns> {
        let (mut threshold, mut separators) = (DEFAULT_THRESHOLD, TermSeparators::NonAlphanumeric);
        for (position, property) in properties.iter().enumerate() {
            let name = property.name.text.as_str();
            if properties[..position].iter().any(|other| other.name.text == name) {
                return self.error(Code::DuplicateName, property.name.span, format!("`{name}` is given twice"));
            }
            let value = self.constant(&property.value)?;
            match (name, &value) {
                ("threshold", _) => match cast::cast(&value, Type::Real).map_err(Error::from)? {
                    Value::Real(part) if (0.0..=1.0).contains(&part) && value.as_str().is_none() => threshold = part,
                    _ => {
                        let message = "the threshold must be a number between 0 and 1";
                        return self.error(Code::InvalidValue, property.value.span, message);
                    }
                },
                ("characters", Value::String(text)) => separators = TermSeparators::Listed(text.chars().collect()),
                ("characters", _) => {
                    return self.error(Code::InvalidValue, property.value.span, "the characters must be a string");
                }
                _ => {
                    let diagnostic =
                        Diagnostic::new(Code::InvalidValue, property.name.span, format!("unknown property `{name}`"));
                    return Err(self.report(diagnostic.help("the properties are `threshold` and `characters`")));
                }
            }
        }
        Ok(ReducePatterns { threshold, separators, keeps_rows })
    }

    /// Returns the rows of the input with the columns that the function adds.
    fn with_patterns(&mut self, input: LogicalPlan, text: Expr, function: ReducePatterns) -> Bind<LogicalPlan> {
        let own = function.fields();
        if let Some(clash) = own.iter().find(|field| input.schema().index_of(&field.name).is_some()) {
            let message = format!("`reduce` would return two columns `{}`", clash.name);
            let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, text.span, message);
            return Err(self.report(diagnostic.help("rename the column of the input before")));
        }
        let schema = Schema::new(input.schema().fields().iter().cloned().chain(own));
        let kept = (0..input.schema().len()).collect();
        let function = Arc::new(function);
        Ok(LogicalPlan::TableCall(TableCall { input: Box::new(input), function, arguments: vec![text], kept, schema }))
    }
}
