//! Reads the fields of a rule, with errors that point to them.

use super::duration;
use super::node::{Node, NodeContent, NodeKey};
use super::{ColumnPurpose, NamedColumn, RuleFileError};
use crate::diagnostic::Span;
use crate::types::datetime;

/// The result of reading a part of a rule.
pub(super) type Read<T> = Result<T, RuleFileError>;

/// An error at `span`.
pub(super) fn wrong<T>(span: Span, reason: impl Into<String>) -> Read<T> {
    Err(RuleFileError { span, reason: reason.into() })
}

/// A mapping whose values are the fields of a rule.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    node: &'a Node,
    notation: Notation,
}

/// How the values of a rule are written.
#[derive(Clone, Copy, Default)]
pub(super) struct Notation {
    /// True if durations must be those of ISO 8601.
    pub has_iso_durations: bool,
}

/// Reads the string of the value of a name; an error with the given reason if it has none.
type ReadString = for<'a> fn(&'a Node, &str, String) -> Read<&'a str>;

fn text_of<'a>(value: &'a Node, name: &str, otherwise: String) -> Read<&'a str> {
    if matches!(value.content, NodeContent::Expression(_)) {
        let reason = format!(
            "`{name}` is an expression of the template that only a deployment evaluates, such as a parameter without a default value"
        );
        return wrong(value.span, reason);
    }
    value.text().map_or_else(|| wrong(value.span, otherwise), Ok)
}

fn written_in<'a>(value: &'a Node, _name: &str, otherwise: String) -> Read<&'a str> {
    value.written().map_or_else(|| wrong(value.span, otherwise), Ok)
}

impl<'a> Fields<'a> {
    pub fn new(node: &'a Node, notation: Notation) -> Self {
        Self { node, notation }
    }

    /// The position of the mapping.
    pub fn span(self) -> Span {
        self.node.span
    }

    /// The position of the value of `name`, or of the mapping if there is none.
    pub fn span_of(self, name: &str) -> Span {
        self.value(name).map_or(self.node.span, |value| value.span)
    }

    /// The value of `name`; None if it is missing or null.
    pub fn value(self, name: &str) -> Option<&'a Node> {
        let value = self.node.get(&[name])?;
        (!value.is_null()).then_some(value)
    }

    /// Refuses keys that are not `known`.
    pub fn refuse_others(self, known: &[&str]) -> Read<()> {
        let NodeContent::Mapping(entries) = &self.node.content else {
            return wrong(self.node.span, "expected keys and values");
        };
        match entries.iter().find(|(key, _)| !known.contains(&key.text.as_str())) {
            Some((key, _)) => {
                let (name, known) = (&key.text, known.join(", "));
                wrong(key.span, format!("unknown key `{name}`; expected one of {known}"))
            }
            None => Ok(()),
        }
    }

    /// The keys and values.
    pub fn entries(self) -> &'a [(NodeKey, Node)] {
        match &self.node.content {
            NodeContent::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The datetime under `name`, in ticks.
    pub fn time(self, name: &str) -> Read<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match datetime::parse_iso8601(text) {
            Some(ticks) => Ok(Some(ticks)),
            None => {
                wrong(self.span_of(name), format!("`{name}`: `{text}` is not a datetime such as 2026-03-01T09:00:00Z"))
            }
        }
    }

    /// The mapping under `name`.
    pub fn mapping(self, name: &str) -> Read<Option<Self>> {
        match self.value(name) {
            Some(value) if value.is_mapping() => Ok(Some(Self { node: value, ..self })),
            Some(value) => wrong(value.span, format!("`{name}` must have keys and values")),
            None => Ok(None),
        }
    }

    /// The mappings in the list under `name`; none if it is missing.
    pub fn list(self, name: &str) -> Read<Vec<Self>> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let NodeContent::Sequence(elements) = &value.content else {
            return wrong(value.span, format!("`{name}` must be a list"));
        };
        match elements.iter().find(|element| !element.is_mapping()) {
            Some(element) => wrong(element.span, format!("an element of `{name}` must have keys and values")),
            None => Ok(elements.iter().map(|node| Self { node, ..self }).collect()),
        }
    }

    /// The strings in the list under `name`; none if it is missing.
    pub fn texts(self, name: &str) -> Read<Vec<String>> {
        self.strings(name, text_of)
    }

    /// Like [`Self::texts`], but an expression of a template is returned as it is written. For names of resources and other
    /// fields that do not change what the rule finds.
    pub fn written_texts(self, name: &str) -> Read<Vec<String>> {
        self.strings(name, written_in)
    }

    fn strings(self, name: &str, read: ReadString) -> Read<Vec<String>> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let NodeContent::Sequence(elements) = &value.content else {
            return wrong(value.span, format!("`{name}` must be a list"));
        };
        let string = |element| read(element, name, format!("an element of `{name}` must be a string"));
        elements.iter().map(|element| string(element).map(str::to_owned)).collect()
    }

    /// Names and strings of the mapping under `name`, in order.
    pub fn pairs(self, name: &str) -> Read<Vec<(String, String)>> {
        self.named_strings(name, text_of)
    }

    /// Like [`Self::pairs`], with expressions as [`Self::written_texts`] returns them.
    pub fn written_pairs(self, name: &str) -> Read<Vec<(String, String)>> {
        self.named_strings(name, written_in)
    }

    fn named_strings(self, name: &str, read: ReadString) -> Read<Vec<(String, String)>> {
        let Some(fields) = self.mapping(name)? else { return Ok(Vec::new()) };
        let string = |key: &str, value| read(value, key, format!("`{key}` must be a string"));
        let entries = fields.entries().iter();
        entries.map(|(key, value)| Ok((key.text.clone(), string(&key.text, value)?.to_owned()))).collect()
    }

    /// The string, number or truth value under `name`, as written.
    ///
    /// # Errors
    /// It is a list, or an expression of a template.
    pub fn text(self, name: &str) -> Read<Option<&'a str>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        text_of(value, name, format!("`{name}` must be a single value")).map(Some)
    }

    /// As [`Self::text`]; an error if there is none.
    pub fn required(self, name: &str) -> Read<&'a str> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => wrong(self.node.span, format!("the rule has no `{name}`")),
        }
    }

    /// The duration under `name`, in ticks.
    pub fn duration(self, name: &str) -> Read<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let (ticks, examples) = match self.notation.has_iso_durations {
            true => (duration::parse_iso(text), "of ISO 8601, such as PT5M or P1D"),
            false => (duration::parse(text), "such as 5m, 1d or PT5M"),
        };
        match ticks {
            Some(ticks) => Ok(Some(ticks)),
            None => wrong(self.span_of(name), format!("`{name}`: `{text}` is not a duration {examples}")),
        }
    }

    /// The string under `name` as the name of a column.
    pub fn column(self, name: &str, purpose: ColumnPurpose) -> Read<Option<NamedColumn>> {
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        Ok(Some(NamedColumn { name: text.to_owned(), purpose, span: self.span_of(name) }))
    }

    /// The strings of the mapping under `name` as names of columns.
    pub fn columns(self, name: &str, purpose: ColumnPurpose) -> Read<Vec<NamedColumn>> {
        let Some(fields) = self.mapping(name)? else { return Ok(Vec::new()) };
        let NodeContent::Mapping(entries) = &fields.node.content else { return Ok(Vec::new()) };
        let column = |value: &Node| Some(NamedColumn { name: value.text()?.to_owned(), purpose, span: value.span });
        Ok(entries.iter().filter_map(|(_, value)| column(value)).collect())
    }

    /// An error if the string under `name` is longer than so many characters.
    pub fn check_length(self, name: &str, most: usize) -> Read<()> {
        match self.text(name)?.map_or(0, |text| text.chars().count()) {
            count if count > most => {
                wrong(self.span_of(name), format!("`{name}` has {count} characters; at most {most} are allowed"))
            }
            _ => Ok(()),
        }
    }

    /// As [`Self::duration`]; an error if there is none.
    pub fn required_duration(self, name: &str) -> Read<i64> {
        match self.duration(name)? {
            Some(ticks) => Ok(ticks),
            None => wrong(self.node.span, format!("the rule has no `{name}`")),
        }
    }

    /// The finite number under `name`.
    pub fn number(self, name: &str) -> Read<Option<f64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => wrong(self.span_of(name), format!("`{name}`: `{text}` is not a number")),
        }
    }

    /// The whole number from `low` to `high` under `name`.
    pub fn whole(self, name: &str, low: u32, high: u32) -> Read<Option<u32>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse::<u32>().ok().filter(|number| (low..=high).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => wrong(self.span_of(name), format!("`{name}`: `{text}` is not a whole number from {low} to {high}")),
        }
    }

    /// The truth value under `name`.
    pub fn flag(self, name: &str) -> Read<Option<bool>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => wrong(self.span_of(name), format!("`{name}`: `{text}` is neither true nor false")),
        }
    }

    /// The value of `choices` whose name is under `name`, in any case.
    pub fn choice<T: Copy>(self, name: &str, choices: &[(&str, T)]) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                let reason = format!("`{name}`: unknown value `{text}`; expected one of {}", known.join(", "));
                wrong(self.span_of(name), reason)
            }
        }
    }

    /// As [`Self::choice`]; an error if there is none.
    pub fn required_choice<T: Copy>(self, name: &str, choices: &[(&str, T)]) -> Read<T> {
        match self.choice(name, choices)? {
            Some(value) => Ok(value),
            None => wrong(self.node.span, format!("the rule has no `{name}`")),
        }
    }
}
