//! Compares an object with a template and records the positions of the needed values.

use super::record_scanner::ValueRange;
use super::template::{NodeKind, Template, ValueNode};
use crate::json::cursor::{Cursor, JsonError};
use crate::json::validated_cache::ValidatedCache;

/// How far an object matches its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchOutcome {
    /// To its end, which was passed.
    ToEnd,
    /// To this member, a needed object: its colon was passed, its value was not.
    ToChild(usize),
    /// Up to this member. Everything before it was passed, except the separator.
    Before(usize),
}

/// From template offset `from` on, record offset = template offset + `by`.
#[derive(Clone, Copy, Debug)]
struct OffsetDelta {
    from: usize,
    by: isize,
}

/// Allocations and caches that are reused from one object to the next.
#[derive(Debug, Default)]
pub(super) struct ParserWorkspace {
    deltas: Vec<OffsetDelta>,
    validated_cache: ValidatedCache,
}

/// Compares the object with the template from member `first` on, at whose key the cursor is.
pub(super) fn match_template(
    template: &Template,
    first: usize,
    cursor: &mut Cursor<'_>,
    ranges: &mut [ValueRange],
    ParserWorkspace { deltas, validated_cache }: &mut ParserWorkspace,
) -> Result<MatchOutcome, JsonError> {
    deltas.clear();
    let member = template.members[first];
    let mut parser = TemplateParser {
        template,
        at: member.key as usize,
        cursor,
        deltas,
        validated_cache,
        boundary: member.boundaries as usize,
        ranges,
        rescanned: None,
    };
    parser.delta();
    parser.run()
}

/// True for a byte with which a value may begin.
fn begins_value(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

struct TemplateParser<'a, 'c> {
    template: &'a Template,
    /// The offset in the template that corresponds to the cursor.
    at: usize,
    cursor: &'a mut Cursor<'c>,
    deltas: &'a mut Vec<OffsetDelta>,
    validated_cache: &'a mut ValidatedCache,
    /// The next boundary to record.
    boundary: usize,
    ranges: &'a mut [ValueRange],
    /// Start of the outermost container inside which a container was rescanned last.
    rescanned: Option<u32>,
}

impl TemplateParser<'_, '_> {
    fn run(&mut self) -> Result<MatchOutcome, JsonError> {
        loop {
            let alike = self.template.pattern.matching_prefix(self.at, self.cursor.rest());
            self.cursor.advance(alike);
            self.at += alike;
            if self.at >= self.template.pattern.len() {
                self.pass_boundaries(self.at);
                return Ok(MatchOutcome::ToEnd);
            }
            let Some(node) = self.template.node_at(self.at) else { return Ok(self.stop()) };
            if node.kind == NodeKind::Child {
                return Ok(self.child());
            }
            if !self.pass(node)? {
                // The mismatch is in the enclosing container, not in this value.
                match self.template.parent(node) {
                    Some(parent) => self.container(parent)?,
                    None => return Ok(self.stop()),
                }
            }
        }
    }

    /// Passes a value of the template and the value of the record in its place; false if no value can be there.
    #[inline]
    fn pass(&mut self, node: ValueNode) -> Result<bool, JsonError> {
        if self.at == node.start as usize {
            // The enclosing array may have ended here.
            let is_value = self.cursor.peek().is_some_and(begins_value);
            return if is_value { self.value_from_start(node).map(|()| true) } else { Ok(false) };
        }
        match node.kind {
            NodeKind::Text => self.text(node)?,
            NodeKind::Scalar => {
                let before = self.cursor.position();
                let at_end = self.at == node.end as usize;
                self.value_from_start(node)?;
                return Ok(!at_end || self.cursor.position() != before);
            }
            NodeKind::Container | NodeKind::Child => self.container(node)?,
        }
        Ok(true)
    }

    /// Passes a string that differs from the template.
    #[inline]
    fn text(&mut self, node: ValueNode) -> Result<(), JsonError> {
        if self.template.pattern.is_wildcard(self.at) || self.at + 1 == node.end as usize {
            // No escape sequence is open here: it would be open in the template as well.
            self.pass_boundaries(node.start as usize);
            self.cursor.rest_of_short_string()?;
            self.resume(node);
            Ok(())
        } else {
            self.value_from_start(node)
        }
    }

    /// Passes an array or object that differs from the template after its first byte.
    fn container(&mut self, node: ValueNode) -> Result<(), JsonError> {
        // First the innermost container is rescanned, the second time the outermost, so that the work stays linear.
        let outermost = self.template.outermost(node);
        let again = self.rescanned.replace(outermost.start) == Some(outermost.start);
        self.value_from_start(if again { outermost } else { node })
    }

    /// Parses the value of the record in place of `node`, from its first byte on.
    fn value_from_start(&mut self, node: ValueNode) -> Result<(), JsonError> {
        let start = node.start as usize;
        self.pass_boundaries(start);
        let delta = self.deltas.iter().rev().find(|delta| delta.from <= start).map_or(0, |delta| delta.by);
        self.cursor.go_to(start.saturating_add_signed(delta));
        self.validated_cache.value(self.cursor, usize::from(node.depth))?;
        self.resume(node);
        Ok(())
    }

    /// Continues the comparison after `node` and the value in its place.
    #[inline]
    fn resume(&mut self, node: ValueNode) {
        self.at = node.end as usize;
        self.delta();
    }

    #[inline]
    fn delta(&mut self) {
        let by = self.cursor.position().cast_signed() - self.at.cast_signed();
        self.deltas.push(OffsetDelta { from: self.at, by });
    }

    fn child(&mut self) -> MatchOutcome {
        let member = self.members_before(self.at);
        self.pass_boundaries(self.at);
        MatchOutcome::ToChild(member)
    }

    /// The members differ: goes back to the end of the last value that was passed.
    fn stop(&mut self) -> MatchOutcome {
        let member = self.members_before(self.at);
        let behind = match member.checked_sub(1) {
            Some(last) => self.template.members[last].end as usize,
            None => self.template.members[0].key as usize,
        };
        // Nothing was passed if the first key differs.
        let back = self.at - behind.max(self.deltas[0].from);
        self.pass_boundaries(behind);
        self.cursor.go_to(self.cursor.position() - back);
        MatchOutcome::Before(member)
    }

    /// Returns the number of members that end at or before an offset.
    fn members_before(&self, at: usize) -> usize {
        self.template.members.partition_point(|member| member.end as usize <= at)
    }

    /// Records the boundaries up to an offset at which template and record correspond.
    #[inline]
    fn pass_boundaries(&mut self, up_to: usize) {
        while let Some(boundary) = self.template.boundaries.get(self.boundary)
            && boundary.at as usize <= up_to
        {
            let delta = self.deltas.last().map_or(0, |delta| delta.by);
            let at = (boundary.at as usize).saturating_add_signed(delta);
            let place = &mut self.ranges[boundary.slot];
            if boundary.is_end {
                place.set_end(at);
            } else {
                *place = ValueRange::new(at, at);
            }
            self.boundary += 1;
        }
    }
}
