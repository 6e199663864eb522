//! Binds `parse` and `parse-where`, which return columns whose values a pattern finds in a string.

use std::sync::Arc;

use super::parse_output::ParsedColumn;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::functions::parse::{PatternElement, TextPattern, check_fragment};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, Parameter, ParsedExprKind, PatternPart, PatternPartKind};
use crate::types::Type;

/// The valid flags of regular expressions.
/// Source: the reference's page on regular expressions.
const FLAGS: &str = "imsRUux";

/// The kinds of pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatternKind {
    Simple,
    Relaxed,
    Regex,
}

/// The kind of a pattern, and the flags of its regular expression without duplicates.
struct PatternMode {
    kind: PatternKind,
    flags: String,
}

impl Binder<'_> {
    pub(super) fn parse(
        &mut self,
        input: LogicalPlan,
        drops_unmatched: bool,
        parameters: &[Parameter],
        value: &ast::ParsedExpr,
        parts: &[PatternPart],
    ) -> Bind<LogicalPlan> {
        let mode = self.pattern_mode(parameters, drops_unmatched)?;
        let source = self.parsed_value(value, input.schema())?;
        let columns: Vec<ParsedColumn<'_>> = parts.iter().filter_map(column).collect();
        self.spelled_once(columns.iter().map(|column| column.name))?;
        self.all(0..parts.len(), |binder, index| binder.check_part(parts, index, &mode))?;
        let elements = parts.iter().map(|part| match &part.kind {
            PatternPartKind::Star => PatternElement::Star,
            PatternPartKind::Text(text) => PatternElement::Text(text.clone()),
            PatternPartKind::Column { ty, .. } => PatternElement::Column(ty.unwrap_or(Type::String)),
        });
        let elements = elements.collect();
        let is_strict = mode.kind != PatternKind::Relaxed;
        let pattern = match mode.kind {
            PatternKind::Regex => TextPattern::Regex { elements, flags: mode.flags },
            PatternKind::Simple | PatternKind::Relaxed => TextPattern::Delimited(elements),
        };
        if let Err(error) = pattern.matcher() {
            let whole = parts.iter().map(|part| part.span).reduce(Span::to).unwrap_or_default();
            return Err(error.placed(whole).into());
        }
        let (pattern, parsed) = (Arc::new(pattern), super::parse_output::ParsedRows { is_strict, drops_unmatched });
        Ok(super::parse_output::parse_node(input, source, pattern, &columns, parsed))
    }

    fn pattern_mode(&mut self, parameters: &[Parameter], drops_unmatched: bool) -> Bind<PatternMode> {
        let mut mode = PatternMode { kind: PatternKind::Simple, flags: String::new() };
        for Parameter { name, value } in parameters {
            let ParsedExprKind::Name(word) = &value.kind else { continue };
            match (name.text.as_str(), word.text.as_str()) {
                ("kind", "simple") => mode.kind = PatternKind::Simple,
                ("kind", "relaxed") => mode.kind = PatternKind::Relaxed,
                ("kind", "regex") => mode.kind = PatternKind::Regex,
                ("flags", flags) if flags.chars().all(|flag| FLAGS.contains(flag)) => {
                    mode.flags = FLAGS.chars().filter(|flag| flags.contains(*flag)).collect();
                }
                ("flags", _) => {
                    let message = format!("unknown flag in `{}`; the flags are {FLAGS}", word.text);
                    return self.error(Code::InvalidValue, word.span, message);
                }
                (_, kind) => {
                    let diagnostic = Diagnostic::new(Code::InvalidValue, word.span, format!("unknown kind `{kind}`"));
                    return Err(self.report(diagnostic.help("the kinds are simple, regex and relaxed")));
                }
            }
        }
        self.check_mode(parameters, drops_unmatched, &mode)?;
        Ok(mode)
    }

    /// Reports `kind` and `flags` that cannot be used together. Source: the errors SEM0472 and SEM0477 of the engine.
    fn check_mode(&mut self, parameters: &[Parameter], drops_unmatched: bool, mode: &PatternMode) -> Bind<()> {
        let span = parameters.last().map_or(Span::default(), |last| last.name.span.to(last.value.span));
        if mode.kind != PatternKind::Regex && !mode.flags.is_empty() {
            return self.error(Code::NotAllowedHere, span, "`flags` is allowed only with kind=regex");
        }
        if mode.kind == PatternKind::Relaxed && drops_unmatched {
            let diagnostic = Diagnostic::new(Code::NotAllowedHere, span, "`parse-where` does not allow kind=relaxed");
            return Err(self.report(diagnostic.help("write `parse kind=relaxed`, and a `where` after it")));
        }
        Ok(())
    }

    /// Checks the part of the pattern at `index` against the parts after it.
    fn check_part(&mut self, parts: &[PatternPart], index: usize, mode: &PatternMode) -> Bind<()> {
        use PatternPartKind::{Column, Star, Text};
        let (part, next) = (&parts[index], parts.get(index + 1));
        let refuse = |binder: &mut Self, message: &str, help: &str| {
            Err(binder.report(Diagnostic::new(Code::NotAllowedHere, part.span, message).help(help)))
        };
        match (&part.kind, next.map(|next| &next.kind)) {
            (Text(text), _) if text.is_empty() => {
                refuse(self, "a pattern cannot contain an empty string", "remove the string")
            }
            (Text(text), _) if mode.kind == PatternKind::Regex => {
                check_fragment(text, &mode.flags).map_err(|error| error.placed(part.span).into())
            }
            (Star, Some(Star | Column { .. })) => {
                refuse(self, "a `*` must be followed by a string", "write the string up to which it skips")
            }
            (Column { .. }, Some(Column { .. })) => refuse(
                self,
                "a column must be followed by a string or a `*`, not by a column",
                "write the string that ends it",
            ),
            (Column { name, ty }, Some(Star)) if ty.unwrap_or(Type::String) == Type::String => {
                let message = format!("a `*` after the string column `{}` is ambiguous", name.text);
                refuse(self, &message, "write the string that ends the column, or give the column another type")
            }
            (Column { ty: Some(ty), .. }, next) => self.check_shape(*ty, next.cloned(), part.span, mode),
            _ => Ok(()),
        }
    }

    /// Reports a column for whose value the rules of the engine are not known. `next` is the part after the column.
    fn check_shape(&mut self, ty: Type, next: Option<PatternPartKind>, span: Span, mode: &PatternMode) -> Bind<()> {
        let is_time = matches!(ty, Type::Datetime | Type::Timespan);
        let message = match (mode.kind, next) {
            (PatternKind::Regex, None) if is_time => {
                format!("a {ty} at the end of a pattern with kind=regex is not supported yet")
            }
            (PatternKind::Regex, _) if is_time && mode.flags.contains('U') => {
                format!("a {ty} with the flag U is not supported yet")
            }
            (PatternKind::Simple | PatternKind::Relaxed, Some(PatternPartKind::Star)) if ty == Type::Dynamic => {
                "a dynamic column before a `*` is not supported yet".to_owned()
            }
            _ => return Ok(()),
        };
        let help = "write the string that follows the value, or parse a string column and convert it";
        Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)))
    }
}

fn column(part: &PatternPart) -> Option<ParsedColumn<'_>> {
    match &part.kind {
        PatternPartKind::Column { name, ty } => Some(ParsedColumn { name, ty: ty.unwrap_or(Type::String) }),
        PatternPartKind::Star | PatternPartKind::Text(_) => None,
    }
}
