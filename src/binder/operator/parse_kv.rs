//! Binds `parse-kv`, which returns columns whose values are found in a string by their keys.

use std::sync::Arc;

use super::parse_output::{ParsedColumn, ParsedRows, parse_node};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::functions::parse::{KeyValuePattern, KeyValueSyntax, Quotes, TextPattern, check_key_value_regex};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, DatatableColumn, Parameter, ParsedExprKind};
use crate::types::Value;

/// The properties of `parse-kv`, as the query writes them.
#[derive(Default)]
struct KeyValueProperties {
    pairs: Option<String>,
    key_value: Option<String>,
    regex: Option<String>,
    quotes: Quotes,
    greedy: bool,
}

impl Binder<'_> {
    pub(super) fn parse_kv(
        &mut self,
        input: LogicalPlan,
        value: &ast::ParsedExpr,
        keys: &[DatatableColumn],
        properties: &[Parameter],
    ) -> Bind<LogicalPlan> {
        self.spelled_once(keys.iter().map(|key| &key.name))?;
        let source = self.parsed_value(value, input.schema())?;
        let mut known = KeyValueProperties::default();
        self.all(properties, |binder, property| binder.kv_property(property, &mut known))?;
        let span = properties.iter().map(|property| property.name.span.to(property.value.span)).reduce(Span::to);
        let quotes = std::mem::take(&mut known.quotes);
        let syntax = self.key_value_syntax(known, &quotes, span.unwrap_or_default())?;
        let columns: Vec<_> = keys.iter().map(|key| ParsedColumn { name: &key.name, ty: key.ty }).collect();
        let keys = keys.iter().map(|key| key.name.text.clone()).collect();
        let pattern = Arc::new(TextPattern::KeyValue(KeyValuePattern { keys, syntax, quotes }));
        let rows = ParsedRows { is_strict: false, drops_unmatched: false };
        Ok(parse_node(input, source, pattern, &columns, rows))
    }

    fn kv_property(&mut self, property: &Parameter, known: &mut KeyValueProperties) -> Bind<()> {
        let Parameter { name, value } = property;
        let ParsedExprKind::Literal(literal) = &value.kind else {
            return self.error(Code::NotConstant, value.span, "a literal is required");
        };
        match (name.text.as_str(), literal) {
            ("greedy", Value::Bool(greedy)) => known.greedy = *greedy,
            ("greedy", _) => return self.error(Code::InvalidValue, value.span, "`greedy` must be true or false"),
            ("pair_delimiter", Value::String(text)) if !text.is_empty() => known.pairs = Some(text.to_string()),
            ("kv_delimiter", Value::String(text)) if !text.is_empty() => known.key_value = Some(text.to_string()),
            ("regex", Value::String(text)) => {
                check_key_value_regex(text).map_err(|error| error.placed(value.span))?;
                known.regex = Some(text.to_string());
            }
            ("quote", Value::String(text)) => match text.chars().collect::<Vec<_>>()[..] {
                [both] => known.quotes.pairs.push((both, both)),
                [open, close] => known.quotes.pairs.push((open, close)),
                _ => return self.error(Code::InvalidValue, value.span, "`quote` must be one or two characters"),
            },
            ("escape", Value::String(text)) => match text.chars().collect::<Vec<_>>()[..] {
                [escape] => known.quotes.escapes.push(escape),
                _ => return self.error(Code::InvalidValue, value.span, "`escape` must be one character"),
            },
            (name @ ("pair_delimiter" | "kv_delimiter"), Value::String(_)) => {
                return self.error(Code::InvalidValue, value.span, format!("`{name}` is empty"));
            }
            (name @ ("pair_delimiter" | "kv_delimiter" | "regex" | "quote" | "escape"), _) => {
                return self.error(Code::InvalidValue, value.span, format!("`{name}` must be a string"));
            }
            (unknown, _) => {
                let message = format!("unknown property `{unknown}`");
                let diagnostic = Diagnostic::new(Code::InvalidValue, name.span, message);
                let names = ["pair_delimiter", "kv_delimiter", "quote", "escape", "greedy", "regex"];
                return Err(self.report(diagnostic.suggest(unknown, names)));
            }
        }
        Ok(())
    }

    /// Returns the syntax that the properties describe. Combinations that the page on parse-kv does not describe are
    /// reported.
    fn key_value_syntax(&mut self, known: KeyValueProperties, quotes: &Quotes, span: Span) -> Bind<KeyValueSyntax> {
        let is_quoted = *quotes != Quotes::default();
        match (known.pairs, known.key_value, known.regex) {
            (Some(pairs), Some(key_value), None) => {
                Ok(KeyValueSyntax::Delimited { pairs, key_value, greedy: known.greedy })
            }
            (None, None, None) if !known.greedy => Ok(KeyValueSyntax::Words),
            (None, None, Some(regex)) if !known.greedy && !is_quoted => Ok(KeyValueSyntax::Regex(regex)),
            _ => {
                let message = "this combination of properties is not supported";
                let help = "give both pair_delimiter and kv_delimiter, or neither, or only regex";
                Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)))
            }
        }
    }
}
