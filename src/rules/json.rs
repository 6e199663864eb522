//! Reads JSON into nodes.

use std::collections::HashSet;

use super::RuleFileError;
use super::node::{Node, NodeContent, NodeKey};
use crate::diagnostic::{Span, visible_json};
use crate::json::MAX_DEPTH;
use crate::json::cursor::{Cursor, JsonError, TOO_DEEP};

/// Reads the value that `text` consists of.
pub(super) fn read(text: &str) -> Result<Node, RuleFileError> {
    let mut reader = NodeReader { cursor: Cursor::new(text.as_bytes()), text };
    reader.cursor.skip_whitespace();
    let node = reader.value(0)?;
    reader.cursor.end().map_err(|error| reader.failure(error))?;
    Ok(node)
}

struct NodeReader<'a> {
    cursor: Cursor<'a>,
    text: &'a str,
}

impl NodeReader<'_> {
    fn failure(&self, error: JsonError) -> RuleFileError {
        let at = error.first_wrong_byte(self.text.as_bytes());
        RuleFileError { span: Span::new(at, at), reason: format!("not JSON: {}", error.reason) }
    }

    fn passed<T>(&self, result: Result<T, JsonError>) -> Result<T, RuleFileError> {
        result.map_err(|error| self.failure(error))
    }

    fn value(&mut self, depth: usize) -> Result<Node, RuleFileError> {
        let start = self.cursor.position();
        let content = match self.cursor.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => return Err(self.failure(self.cursor.error(TOO_DEEP))),
            Some(b'{') => NodeContent::Mapping(self.object(depth)?),
            Some(b'[') => NodeContent::Sequence(self.array(depth)?),
            Some(b'"') => NodeContent::String(self.string()?),
            _ => {
                let range = self.cursor.value();
                NodeContent::Other(self.text[self.passed(range)?].to_owned())
            }
        };
        Ok(Node { content, span: Span::new(start, self.cursor.position()) })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(NodeKey, Node)>, RuleFileError> {
        let (mut entries, mut names) = (Vec::new(), HashSet::new());
        self.cursor.advance(1);
        if self.cursor.skip_whitespace() == Some(b'}') {
            self.cursor.advance(1);
            return Ok(entries);
        }
        loop {
            let start = self.cursor.position();
            let text = self.string()?;
            let span = Span::new(start, self.cursor.position());
            if !names.insert(text.clone()) {
                return Err(RuleFileError { span, reason: format!("the key `{text}` occurs twice") });
            }
            let colon = self.cursor.colon();
            self.passed(colon)?;
            entries.push((NodeKey { text, span }, self.value(depth + 1)?));
            let ends = self.cursor.separator(b'}');
            if self.passed(ends)? {
                return Ok(entries);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, RuleFileError> {
        let mut elements = Vec::new();
        self.cursor.advance(1);
        if self.cursor.skip_whitespace() == Some(b']') {
            self.cursor.advance(1);
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            let ends = self.cursor.separator(b']');
            if self.passed(ends)? {
                return Ok(elements);
            }
        }
    }

    fn string(&mut self) -> Result<String, RuleFileError> {
        let start = self.cursor.position();
        let passed = self.cursor.string();
        self.passed(passed)?;
        let span = Span::new(start, self.cursor.position());
        // Half of a pair of \u escapes is valid JSON and no text.
        let decoded = serde_json::from_slice(self.cursor.passed(start));
        decoded.map_err(|_| RuleFileError { span, reason: "the string is not valid Unicode".to_owned() })
    }
}

/// Returns `node` as compact JSON. Numbers that JSON cannot write are strings.
pub(super) fn to_text(node: &Node) -> String {
    to_json(node).to_string()
}

/// Returns `node` as JSON with a line for each value, and with escapes for characters that cannot be seen.
pub(super) fn to_lines(node: &Node) -> String {
    visible_json(&format!("{:#}\n", to_json(node))).into_owned()
}

/// Returns JSON text without whitespace; None if it is not JSON.
pub(super) fn compact(text: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(text).ok().map(|value| value.to_string())
}

fn to_json(node: &Node) -> serde_json::Value {
    match &node.content {
        NodeContent::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.text.clone(), to_json(value))).collect()
        }
        NodeContent::Sequence(elements) => elements.iter().map(to_json).collect(),
        NodeContent::String(text) | NodeContent::Expression(text) => text.as_str().into(),
        NodeContent::Other(_) if node.is_null() => serde_json::Value::Null,
        NodeContent::Other(text) => match text.to_ascii_lowercase().as_str() {
            "true" => true.into(),
            "false" => false.into(),
            lower => serde_json::from_str(lower).unwrap_or_else(|_| text.as_str().into()),
        },
    }
}
