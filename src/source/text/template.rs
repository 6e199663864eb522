//! An object that was checked, as a template for those that follow.
//!
//! Exports write the same keys in the same order, record after record, and most values differ in a few texts only. So an
//! object is laid over the template: what is the same is passed many bytes at a time ([`MaskedTemplate`]), and so are
//! characters of texts that merely differ. Where the two part, the piece of the template that stands there - a text, a
//! number, an array - is passed, what the record has in its place is scanned strictly, and both are in step again.

use super::keys::Slot;
use crate::json::cursor::{Cursor, JsonError};
use crate::json::masked_template::MaskedTemplate;
use crate::json::string_mask::escape_length;

/// Longer objects are no templates.
const MAX_LENGTH: usize = 60_000;

/// The number of a piece; [`NONE`] where there is none.
type PieceId = u16;

/// No piece.
const NONE: PieceId = PieceId::MAX;

/// An object, taken apart.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) pattern: MaskedTemplate,
    pub(super) pieces: Vec<Piece>,
    /// For each byte the smallest piece whose place something else can take: of a number also the byte behind it. Keys and
    /// punctuation belong to the array or object around them, and to none between the members of the template.
    piece_at: Vec<PieceId>,
    pub(super) members: Vec<MemberPlace>,
    /// Where wanted values begin and end, in order.
    pub(super) marks: Vec<Mark>,
}

/// A value of the template that another one may stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub start: u32,
    pub end: u32,
    pub kind: PieceKind,
    /// The array or object around it.
    parent: PieceId,
    /// How many arrays and objects are around it.
    pub depth: u16,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// A quoted text.
    Text,
    /// A number or a word.
    Scalar,
    /// An array or an object.
    Container,
    /// A wanted object, which has a template of its own.
    Child,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemberPlace {
    pub key: u32,
    pub end: u32,
    /// The first of the marks that are not before it.
    pub marks: u32,
}

/// Where a wanted value begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub at: u32,
    pub slot: Slot,
    pub is_end: bool,
}

/// What is known of a member of an object that is to be a template.
pub(super) struct MemberTarget<'a> {
    pub slots: &'a [Slot],
    pub has_child: bool,
}

impl Template {
    /// Takes `text` apart, an object that was checked. `target` tells of each key, as it is written, what it leads to; None
    /// where it tells nothing, so that there is no template.
    pub(super) fn of<'a>(text: &[u8], target: impl FnMut(&[u8]) -> Option<MemberTarget<'a>>) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let template = Self {
            pattern: MaskedTemplate::new(text),
            pieces: Vec::new(),
            piece_at: vec![NONE; text.len() + 1],
            members: Vec::new(),
            marks: Vec::new(),
        };
        let mut builder = Builder { template, cursor: Cursor::new(text) };
        builder.members(target).ok()?.then_some(builder.template)
    }

    /// The piece at an offset.
    #[inline]
    pub(super) fn piece_at(&self, at: usize) -> Option<Piece> {
        self.piece(self.piece_at[at])
    }

    /// The array or object around a piece.
    pub(super) fn parent(&self, piece: Piece) -> Option<Piece> {
        self.piece(piece.parent)
    }

    /// The outermost array or object around a piece; itself where there is none.
    pub(super) fn outermost(&self, mut piece: Piece) -> Piece {
        while let Some(parent) = self.parent(piece) {
            piece = parent;
        }
        piece
    }

    #[inline]
    fn piece(&self, id: PieceId) -> Option<Piece> {
        self.pieces.get(usize::from(id)).copied()
    }
}

/// An offset in a template.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

struct Builder<'t> {
    template: Template,
    cursor: Cursor<'t>,
}

impl Builder<'_> {
    /// Takes the members apart; false where they are not to be a template.
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
            let marks = self.template.marks.len();
            if target.has_child {
                self.template.pattern.set_barrier(value);
                self.cursor.value()?;
                self.add(value, PieceKind::Child, NONE, 0);
            } else {
                self.mark(value, target.slots, false);
                self.value(NONE, 0)?;
                self.mark(self.cursor.position(), target.slots, true);
            }
            let (key, end, marks) = (offset(key), offset(self.cursor.position()), offset(marks));
            self.template.members.push(MemberPlace { key, end, marks });
            if self.cursor.separator(b'}')? {
                return Ok(true);
            }
        }
    }

    fn mark(&mut self, at: usize, slots: &[Slot], is_end: bool) {
        self.template.marks.extend(slots.iter().map(|&slot| Mark { at: offset(at), slot, is_end }));
    }

    /// Takes the value at the cursor apart.
    fn value(&mut self, parent: PieceId, depth: u16) -> Result<(), JsonError> {
        let start = self.cursor.position();
        match self.cursor.peek() {
            Some(b'"') => {
                self.cursor.string()?;
                self.free_characters(start + 1, self.cursor.position() - 1);
                self.add(start, PieceKind::Text, parent, depth);
            }
            Some(open @ (b'{' | b'[')) => self.container(open, parent, depth)?,
            _ => {
                self.cursor.value()?;
                self.add(start, PieceKind::Scalar, parent, depth);
            }
        }
        Ok(())
    }

    fn container(&mut self, open: u8, parent: PieceId, depth: u16) -> Result<(), JsonError> {
        let start = self.cursor.position();
        let id = self.push(start, PieceKind::Container, parent, depth);
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
        self.template.pieces[usize::from(id)].end = offset(end);
        for at in &mut self.template.piece_at[start..end] {
            if *at == NONE {
                *at = id;
            }
        }
        Ok(())
    }

    /// A piece that ends at the cursor.
    fn add(&mut self, start: usize, kind: PieceKind, parent: PieceId, depth: u16) {
        let id = self.push(start, kind, parent, depth);
        // A longer number or word parts from the template behind it.
        let end = self.cursor.position() + usize::from(kind == PieceKind::Scalar);
        self.template.piece_at[start..end].fill(id);
    }

    fn push(&mut self, start: usize, kind: PieceKind, parent: PieceId, depth: u16) -> PieceId {
        // Fewer than bytes, which are fewer than ids.
        let id = PieceId::try_from(self.template.pieces.len()).unwrap_or(NONE);
        let (start, end) = (offset(start), offset(self.cursor.position()));
        self.template.pieces.push(Piece { start, end, kind, parent, depth });
        id
    }

    /// Lets others stand for the characters of one byte between `from` and `to`, which are inside of a text.
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
