//! A file as a tree whose nodes know their positions.

use crate::diagnostic::Span;

/// A value of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The content.
    pub content: NodeContent,
    /// The position. Of an alias, that of the value that it stands for.
    pub span: Span,
}

/// The content of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeContent {
    /// Keys and values, in order. No key occurs twice.
    Mapping(Vec<(NodeKey, Node)>),
    /// Elements.
    Sequence(Vec<Node>),
    /// A string, without quotes and escapes.
    String(String),
    /// A number, a truth value or null, as written.
    Other(String),
    /// An expression of a template, as written, whose value only a deployment knows.
    Expression(String),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeKey {
    /// The text.
    pub text: String,
    /// The position.
    pub span: Span,
}

impl Node {
    /// The key and value named `name`, in any case, as Azure reads keys.
    pub fn entry(&self, name: &str) -> Option<(&NodeKey, &Self)> {
        let NodeContent::Mapping(entries) = &self.content else { return None };
        let found = entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name));
        found.map(|(key, value)| (key, value))
    }

    /// The value at the end of a path of keys.
    pub fn get(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.entry(name).map(|(_, value)| value))
    }

    /// The string, or the number, boolean or [`NodeContent::Expression`] as it is written.
    pub fn written(&self) -> Option<&str> {
        match &self.content {
            NodeContent::Expression(text) => Some(text),
            _ => self.text(),
        }
    }

    /// The text of a string, number or truth value.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            NodeContent::String(text) | NodeContent::Other(text) => Some(text),
            _ => None,
        }
    }

    /// True for null and for nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.content, NodeContent::Other(text) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The elements of a sequence, or the values of a mapping.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match &self.content {
            NodeContent::Mapping(entries) => Box::new(entries.iter().map(|(_, value)| value)),
            NodeContent::Sequence(elements) => Box::new(elements.iter()),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The number of values in it, itself included.
    pub fn size(&self) -> usize {
        1 + self.children().map(Self::size).sum::<usize>()
    }

    /// True for a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.content, NodeContent::Mapping(_))
    }
}
