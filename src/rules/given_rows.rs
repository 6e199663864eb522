//! Rows in unit tests of rules, and their values as the columns of a table need them.

use super::fields::{Fields, Read, wrong};
use super::json;
use super::node::{Node, NodeContent};
use crate::diagnostic::Span;
use crate::types::{Type, Value, datetime, decimal, guid, number, timespan};

/// Rows of a table.
#[derive(Clone, Debug)]
pub struct GivenTable {
    /// The name; None for the only table that the query reads.
    pub name: Option<String>,
    /// The rows.
    pub rows: Vec<GivenRow>,
    /// The position in the file.
    pub span: Span,
}

/// A row.
#[derive(Clone, Debug)]
pub struct GivenRow {
    /// The names and values of some columns.
    pub fields: Vec<(String, GivenValue)>,
    /// The position in the file.
    pub span: Span,
}

/// A value of a row.
#[derive(Clone, Debug)]
pub struct GivenValue {
    node: Node,
}

impl GivenValue {
    /// The position in the file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Returns the value as compact JSON.
    #[must_use]
    pub fn json_text(&self) -> String {
        json::to_text(&self.node)
    }

    /// Returns the value of a column of type `ty`.
    ///
    /// # Errors
    /// The value has another type; the error says which is expected.
    pub fn as_type(&self, ty: Type) -> Result<Value, String> {
        if self.node.is_null() {
            return Ok(Value::null(ty));
        }
        if ty == Type::Dynamic {
            return Ok(Value::dynamic(self.json_text()));
        }
        let Some(text) = self.node.text() else { return Err(format!("a {} must be a single value", ty.name())) };
        typed_value(text, ty).ok_or_else(|| format!("`{text}` is not a {}", ty.name()))
    }
}

/// Parses the text of a value that is not null, as people and results write it. Dynamic values are JSON.
#[must_use]
pub fn typed_value(text: &str, ty: Type) -> Option<Value> {
    match ty {
        Type::Bool => number::parse_bool(text).map(Value::Bool),
        Type::Int => number::parse_int(text).map(Value::Int),
        Type::Long => number::parse_long(text).map(Value::Long),
        Type::Real => number::parse_real(text).map(Value::Real),
        Type::Decimal => decimal::parse(text).ok().flatten().map(Value::Decimal),
        Type::Datetime => datetime::parse_iso8601(text).map(Value::Datetime),
        Type::Timespan => timespan::parse(text).map(Value::Timespan),
        Type::Guid => guid::parse(text).map(Value::Guid),
        Type::String => Some(Value::string(text)),
        Type::Dynamic => Some(Value::dynamic(json::compact(text)?)),
    }
}

/// Reads the rows of several tables.
pub(super) fn tables(fields: Fields<'_>) -> Read<Vec<GivenTable>> {
    fields.entries().iter().map(|(key, node)| listed(node, Some(key.text.clone()))).collect()
}

/// Reads a list of rows of one table.
pub(super) fn listed(node: &Node, name: Option<String>) -> Read<GivenTable> {
    let NodeContent::Sequence(elements) = &node.content else {
        return wrong(node.span, "expected a list of rows, such as `- { ResultType: 0 }`");
    };
    Ok(GivenTable { name, rows: elements.iter().map(row).collect::<Read<_>>()?, span: node.span })
}

/// Reads rows that are tested one by one; an element that is a list has rows that are tested together.
pub(super) fn fixtures(node: &Node, key: &str, table: Option<&str>) -> Read<Vec<GivenTable>> {
    let NodeContent::Sequence(elements) = &node.content else {
        return wrong(node.span, format!("`{key}` must be a list of rows"));
    };
    let name = || table.map(str::to_owned);
    let fixture = |element: &Node| match &element.content {
        NodeContent::Sequence(_) => listed(element, name()),
        _ => Ok(GivenTable { name: name(), rows: vec![row(element)?], span: element.span }),
    };
    elements.iter().map(fixture).collect()
}

fn row(node: &Node) -> Read<GivenRow> {
    let NodeContent::Mapping(entries) = &node.content else {
        return wrong(node.span, "a row must have names and values of columns");
    };
    let field = |(key, value): &(super::node::NodeKey, Node)| (key.text.clone(), GivenValue { node: value.clone() });
    Ok(GivenRow { fields: entries.iter().map(field).collect(), span: node.span })
}
