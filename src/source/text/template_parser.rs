//! Compares an object with a template and records the positions of the needed values.

use super::record_scanner::ValueRange;
use super::template::{NodeKind, Template, ValueNode};
use crate::json::cursor::{Cursor, JsonError};
use crate::json::validated_cache::ValidatedCache;

/// Tells how far an object matches its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchOutcome {
    /// The whole object matches, and the cursor is after it.
    ToEnd,
    /// The object matches up to the value of this member, which is a needed object. The cursor is after the colon.
    ToChild(usize),
    /// The object matches up to this member. The cursor is after the previous value, before the separator.
    Before(usize),
}

/// From the template offset `from` on, the offset in the record is the offset in the template plus `by`.
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

/// Compares the object with the template from the member `first` on; the cursor is at the key of that member.
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
    /// The template offset to which the cursor corresponds.
    at: usize,
    cursor: &'a mut Cursor<'c>,
    deltas: &'a mut Vec<OffsetDelta>,
    validated_cache: &'a mut ValidatedCache,
    /// The next boundary whose position is not recorded yet.
    boundary: usize,
    ranges: &'a mut [ValueRange],
    /// The start of the outermost array or object in which one was parsed again last.
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

    /// Moves over a value of the template and the value of the record in its place. Returns false if the record has
    /// no value there.
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

    /// Moves over a string that differs from the template.
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

    /// Moves over an array or object that differs from the template after its first byte.
    fn container(&mut self, node: ValueNode) -> Result<(), JsonError> {
        // First the innermost container is rescanned, the second time the outermost, so that the work stays linear.
        let outermost = self.template.outermost(node);
        let again = self.rescanned.replace(outermost.start) == Some(outermost.start);
        self.value_from_start(if again { outermost } else { node })
    }

    /// Parses the value of the record that takes the place of `node`, from its first byte on.
    fn value_from_start(&mut self, node: ValueNode) -> Result<(), JsonError> {
        let start = node.start as usize;
        self.pass_boundaries(start);
        let delta = self.deltas.iter().rev().find(|delta| delta.from <= start).map_or(0, |delta| delta.by);
        self.cursor.go_to(start.saturating_add_signed(delta));
        self.validated_cache.value(self.cursor, usize::from(node.depth))?;
        self.resume(node);
        Ok(())
    }

    /// Continues the comparison after `node` and after the value of the record in its place.
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

    /// Ends the comparison where the members differ: goes back to the end of the last value that matched.
    fn stop(&mut self) -> MatchOutcome {
        let member = self.members_before(self.at);
        let behind = match member.checked_sub(1) {
            Some(last) => self.template.members[last].end as usize,
            None => self.template.members[0].key as usize,
        };
        // If the first key differs, no value was passed.
        let back = self.at - behind.max(self.deltas[0].from);
        self.pass_boundaries(behind);
        self.cursor.go_to(self.cursor.position() - back);
        MatchOutcome::Before(member)
    }

    /// Returns the number of members that end at or before the template offset `at`.
    fn members_before(&self, at: usize) -> usize {
        self.template.members.partition_point(|member| member.end as usize <= at)
    }

    /// Records the positions of boundaries up to a template offset at which template and record correspond.
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
