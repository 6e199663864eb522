//! Lays an object over a template, and notes where its wanted values are.

use super::record::Place;
use super::template::{Piece, PieceKind, Template};
use crate::json::cursor::{Cursor, JsonError};
use crate::json::validated_cache::ValidatedCache;

/// How far an object is as its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// To its end, which has been passed.
    ToEnd,
    /// To this member, whose value has not been passed but its colon: a wanted object.
    ToChild(usize),
    /// Up to this member; what is before it has been passed, but for the separator.
    Before(usize),
}

/// From where on offsets in the record are those of the template and how much more.
#[derive(Clone, Copy, Debug)]
struct Shift {
    from: usize,
    by: isize,
}

/// What following keeps from one object to the next.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    shifts: Vec<Shift>,
    validated_cache: ValidatedCache,
}

/// Follows the template from member `first` on, at whose key the cursor stands.
pub(super) fn follow(
    template: &Template,
    first: usize,
    cursor: &mut Cursor<'_>,
    places: &mut [Place],
    Workspace { shifts, validated_cache }: &mut Workspace,
) -> Result<Followed, JsonError> {
    shifts.clear();
    let member = template.members[first];
    let mut follower = Follower {
        template,
        at: member.key as usize,
        cursor,
        shifts,
        validated_cache,
        mark: member.marks as usize,
        places,
        scanned_again: None,
    };
    follower.shift();
    follower.run()
}

/// True for a byte that a value may begin with.
fn begins_value(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

struct Follower<'a, 'c> {
    template: &'a Template,
    /// Where in the template the cursor stands.
    at: usize,
    cursor: &'a mut Cursor<'c>,
    shifts: &'a mut Vec<Shift>,
    validated_cache: &'a mut ValidatedCache,
    /// The next mark.
    mark: usize,
    places: &'a mut [Place],
    /// The outermost container in which one was scanned again last.
    scanned_again: Option<u32>,
}

impl Follower<'_, '_> {
    fn run(&mut self) -> Result<Followed, JsonError> {
        loop {
            let alike = self.template.pattern.matching_prefix(self.at, self.cursor.rest());
            self.cursor.advance(alike);
            self.at += alike;
            if self.at >= self.template.pattern.len() {
                self.pass_marks(self.at);
                return Ok(Followed::ToEnd);
            }
            let Some(piece) = self.template.piece_at(self.at) else { return Ok(self.stop()) };
            if piece.kind == PieceKind::Child {
                return Ok(self.child());
            }
            if !self.pass(piece)? {
                // Not the value is another one but what stands around it.
                match self.template.parent(piece) {
                    Some(parent) => self.container(parent)?,
                    None => return Ok(self.stop()),
                }
            }
        }
    }

    /// Passes a piece of the template and what stands in its place; false where no other value does.
    #[inline]
    fn pass(&mut self, piece: Piece) -> Result<bool, JsonError> {
        if self.at == piece.start as usize {
            // An array may have ended here.
            let is_value = self.cursor.peek().is_some_and(begins_value);
            return if is_value { self.value_from_start(piece).map(|()| true) } else { Ok(false) };
        }
        match piece.kind {
            PieceKind::Text => self.text(piece)?,
            PieceKind::Scalar => {
                let before = self.cursor.position();
                let at_end = self.at == piece.end as usize;
                self.value_from_start(piece)?;
                return Ok(!at_end || self.cursor.position() != before);
            }
            PieceKind::Container | PieceKind::Child => self.container(piece)?,
        }
        Ok(true)
    }

    /// A text that parts from the template somewhere.
    #[inline]
    fn text(&mut self, piece: Piece) -> Result<(), JsonError> {
        if self.template.pattern.is_wildcard(self.at) || self.at + 1 == piece.end as usize {
            // No escape that began before goes on here: it would go on in the template as well.
            self.pass_marks(piece.start as usize);
            self.cursor.rest_of_short_string()?;
            self.resume(piece);
            Ok(())
        } else {
            self.value_from_start(piece)
        }
    }

    /// Something that parts from the template inside of an array or object, behind its first byte.
    fn container(&mut self, piece: Piece) -> Result<(), JsonError> {
        // The innermost one first; a second time the whole, so that work stays linear.
        let outermost = self.template.outermost(piece);
        let again = self.scanned_again.replace(outermost.start) == Some(outermost.start);
        self.value_from_start(if again { outermost } else { piece })
    }

    /// Scans what stands in the place of a piece, from its first byte on.
    fn value_from_start(&mut self, piece: Piece) -> Result<(), JsonError> {
        let start = piece.start as usize;
        self.pass_marks(start);
        let shift = self.shifts.iter().rev().find(|shift| shift.from <= start).map_or(0, |shift| shift.by);
        self.cursor.go_to(start.saturating_add_signed(shift));
        self.validated_cache.value(self.cursor, usize::from(piece.depth))?;
        self.resume(piece);
        Ok(())
    }

    /// In step again, behind a piece and what stood in its place.
    #[inline]
    fn resume(&mut self, piece: Piece) {
        self.at = piece.end as usize;
        self.shift();
    }

    #[inline]
    fn shift(&mut self) {
        let by = self.cursor.position().cast_signed() - self.at.cast_signed();
        self.shifts.push(Shift { from: self.at, by });
    }

    fn child(&mut self) -> Followed {
        let member = self.members_behind(self.at);
        self.pass_marks(self.at);
        Followed::ToChild(member)
    }

    /// Where the members themselves are others: goes back to the end of the last value that was passed.
    fn stop(&mut self) -> Followed {
        let member = self.members_behind(self.at);
        let behind = match member.checked_sub(1) {
            Some(last) => self.template.members[last].end as usize,
            None => self.template.members[0].key as usize,
        };
        // Nothing was passed where the first key already is another one.
        let back = self.at - behind.max(self.shifts[0].from);
        self.pass_marks(behind);
        self.cursor.go_to(self.cursor.position() - back);
        Followed::Before(member)
    }

    /// How many members end at or before an offset.
    fn members_behind(&self, at: usize) -> usize {
        self.template.members.partition_point(|member| member.end as usize <= at)
    }

    /// Notes where wanted values begin and end, up to an offset that is in step.
    #[inline]
    fn pass_marks(&mut self, up_to: usize) {
        while let Some(mark) = self.template.marks.get(self.mark)
            && mark.at as usize <= up_to
        {
            let shift = self.shifts.last().map_or(0, |shift| shift.by);
            let at = (mark.at as usize).saturating_add_signed(shift);
            let place = &mut self.places[mark.slot];
            if mark.is_end {
                place.set_end(at);
            } else {
                *place = Place::new(at, at);
            }
            self.mark += 1;
        }
    }
}
