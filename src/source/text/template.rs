//! Compares objects with a validated object, the template, so that only the differences are parsed.
//!
//! Exports write the same keys in the same order, record after record, and most values differ only inside a few
//! strings. So each object is compared with the template: bytes that are equal, and characters inside strings, are
//! passed many at a time ([`MaskedTemplate`]). At a mismatch, the value of the record at this position is parsed
//! strictly, and the comparison continues after it and after the corresponding value of the template.

use super::key_tree::ValueSlot;
use crate::json::cursor::{Cursor, JsonError};
use crate::json::masked_template::MaskedTemplate;
use crate::json::string_mask::escape_length;

/// Maximum length in bytes of an object that becomes a template.
const MAX_LENGTH: usize = 60_000;

/// The number of a value node; [`NONE`] stands for none.
type ValueNodeId = u16;

/// Stands for no value node.
const NONE: ValueNodeId = ValueNodeId::MAX;

/// A validated object, with the positions of its values.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) pattern: MaskedTemplate,
    pub(super) nodes: Vec<ValueNode>,
    /// For each byte, the innermost replaceable value that contains it. A number also owns the byte after it, where a
    /// longer number diverges. Keys and punctuation belong to the enclosing array or object; at the top level, they
    /// belong to no value.
    node_at: Vec<ValueNodeId>,
    pub(super) members: Vec<MemberRange>,
    /// The starts and ends of needed values, in the order of the text.
    pub(super) boundaries: Vec<FieldBoundary>,
}

/// A value of the template that another value can replace.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueNode {
    pub start: u32,
    pub end: u32,
    pub kind: NodeKind,
    /// The enclosing array or object; [`NONE`] at the top level.
    parent: ValueNodeId,
    /// Number of enclosing arrays and objects.
    pub depth: u16,
}

/// The kind of a value node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// A string.
    Text,
    /// A number, boolean or null.
    Scalar,
    /// An array or an object.
    Container,
    /// A needed object, which has a template of its own.
    Child,
}

/// The position of a member in the template.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemberRange {
    pub key: u32,
    pub end: u32,
    /// The first boundary at or after the key.
    pub boundaries: u32,
}

/// The start or end of a needed value.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldBoundary {
    pub at: u32,
    pub slot: ValueSlot,
    pub is_end: bool,
}

/// The slots of a member, and whether the key tree has an object below it.
pub(super) struct MemberTarget<'a> {
    pub slots: &'a [ValueSlot],
    pub has_child: bool,
}

impl Template {
    /// Makes a template of `text`, a validated object. `target` returns what a key, with its quotes, leads to.
    /// Returns None if `target` returns None for any key, or if the object is too long or empty.
    pub(super) fn of<'a>(text: &[u8], target: impl FnMut(&[u8]) -> Option<MemberTarget<'a>>) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let template = Self {
            pattern: MaskedTemplate::new(text),
            nodes: Vec::new(),
            node_at: vec![NONE; text.len() + 1],
            members: Vec::new(),
            boundaries: Vec::new(),
        };
        let mut builder = TemplateBuilder { template, cursor: Cursor::new(text) };
        builder.members(target).ok()?.then_some(builder.template)
    }

    /// Returns the innermost value that contains the offset `at`; None if there is none.
    #[inline]
    pub(super) fn node_at(&self, at: usize) -> Option<ValueNode> {
        self.node(self.node_at[at])
    }

    /// Returns the enclosing array or object of a value; None at the top level.
    pub(super) fn parent(&self, node: ValueNode) -> Option<ValueNode> {
        self.node(node.parent)
    }

    /// Returns the outermost array or object around a value, or the value itself if there is none.
    pub(super) fn outermost(&self, mut node: ValueNode) -> ValueNode {
        while let Some(parent) = self.parent(node) {
            node = parent;
        }
        node
    }

    #[inline]
    fn node(&self, id: ValueNodeId) -> Option<ValueNode> {
        self.nodes.get(usize::from(id)).copied()
    }
}

/// Converts an offset in a template, which is at most [`MAX_LENGTH`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

struct TemplateBuilder<'t> {
    template: Template,
    cursor: Cursor<'t>,
}

impl TemplateBuilder<'_> {
    /// Adds the members of the object; returns false if the object cannot be a template.
    fn members<'a>(&mut self, mut target: impl FnMut(&[u8]) -> Option<MemberTarget<'a>>) -> Result<bool, JsonError> {
        self.cursor.advance(1);
        if self.cursor.skip_whitespace() == Some(b'}') {
            return Ok(false);
        }
        loop {
            let key = self.cursor.position();
            self.cursor.string()?;
            let Some(target) = target(self.cursor.passed(key)) else { return Ok(false) };
            self.cursor.colon()?;
            let value = self.cursor.position();
            let boundaries = self.template.boundaries.len();
            if target.has_child {
                self.template.pattern.set_barrier(value);
                self.cursor.value()?;
                self.add(value, NodeKind::Child, NONE, 0);
            } else {
                self.boundary(value, target.slots, false);
                self.value(NONE, 0)?;
                self.boundary(self.cursor.position(), target.slots, true);
            }
            let (key, end, boundaries) = (offset(key), offset(self.cursor.position()), offset(boundaries));
            self.template.members.push(MemberRange { key, end, boundaries });
            if self.cursor.separator(b'}')? {
                return Ok(true);
            }
        }
    }

    fn boundary(&mut self, at: usize, slots: &[ValueSlot], is_end: bool) {
        self.template.boundaries.extend(slots.iter().map(|&slot| FieldBoundary { at: offset(at), slot, is_end }));
    }

    /// Adds the value at the cursor.
    fn value(&mut self, parent: ValueNodeId, depth: u16) -> Result<(), JsonError> {
        let start = self.cursor.position();
        match self.cursor.peek() {
            Some(b'"') => {
                self.cursor.string()?;
                self.free_characters(start + 1, self.cursor.position() - 1);
                self.add(start, NodeKind::Text, parent, depth);
            }
            Some(open @ (b'{' | b'[')) => self.container(open, parent, depth)?,
            _ => {
                self.cursor.value()?;
                self.add(start, NodeKind::Scalar, parent, depth);
            }
        }
        Ok(())
    }

    fn container(&mut self, open: u8, parent: ValueNodeId, depth: u16) -> Result<(), JsonError> {
        let start = self.cursor.position();
        let id = self.push(start, NodeKind::Container, parent, depth);
        let close = if open == b'{' { b'}' } else { b']' };
        self.cursor.advance(1);
        if self.cursor.skip_whitespace() == Some(close) {
            self.cursor.advance(1);
        } else {
            loop {
                if open == b'{' {
                    self.cursor.string()?;
                    self.cursor.colon()?;
                }
                self.value(id, depth + 1)?;
                if self.cursor.separator(close)? {
                    break;
                }
            }
        }
        let end = self.cursor.position();
        self.template.nodes[usize::from(id)].end = offset(end);
        for at in &mut self.template.node_at[start..end] {
            if *at == NONE {
                *at = id;
            }
        }
        Ok(())
    }

    /// Adds a value that ends at the cursor, and makes it the owner of its bytes.
    fn add(&mut self, start: usize, kind: NodeKind, parent: ValueNodeId, depth: u16) {
        let id = self.push(start, kind, parent, depth);
        // A longer number or word diverges from the template at the byte after it.
        let end = self.cursor.position() + usize::from(kind == NodeKind::Scalar);
        self.template.node_at[start..end].fill(id);
    }

    fn push(&mut self, start: usize, kind: NodeKind, parent: ValueNodeId, depth: u16) -> ValueNodeId {
        // There are fewer values than bytes, and [`MAX_LENGTH`] bytes fit in the type.
        let id = ValueNodeId::try_from(self.template.nodes.len()).unwrap_or(NONE);
        let (start, end) = (offset(start), offset(self.cursor.position()));
        self.template.nodes.push(ValueNode { start, end, kind, parent, depth });
        id
    }

    /// Makes the one-byte characters between `from` and `to`, which are inside a string, match any other.
    fn free_characters(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let rest = &self.template.pattern.text()[at..to];
            match rest[0] {
                b'\\' => at += escape_length(rest).unwrap_or(rest.len()),
                byte => {
                    if byte.is_ascii() {
                        self.template.pattern.set_wildcard(at);
                    }
                    at += 1;
                }
            }
        }
    }
}
