//! Records that stand inside other values, in strings, or are written otherwise than they are read.

use std::ops::Range;
use std::sync::Arc;

use super::super::classify::{Class, RowClass};
use super::super::inside::{Held, HeldText, Inside, error_answer, look_inside};
use super::super::rewrite::Rewrite;
use super::super::whereabouts::{Holder, Whereabouts};
use super::JsonReader;
use crate::diagnostic::Result;
use crate::entra::RowKind;
use crate::entra::powershell;
use crate::records::{ColumnHeader, FramingNote, holds_records};
use crate::scan::Damage;
use crate::types::dynamic;

/// The header of a row of cells, and what it was taken for.
type Taken<'c> = (Option<&'c Arc<ColumnHeader>>, Option<&'c Class>);

impl JsonReader {
    /// True if the record that was scanned last has objects that were taken apart or turned into text.
    pub(super) fn is_changed(&self, class: Option<&Class>) -> bool {
        let Some(markers) = &self.plan.markers else { return false };
        (self.scanner.has_texts() && wants_objects(class)) || self.scanner.has(markers.joined)
    }

    /// Reads a record that [`Self::is_changed`] as it was before. False, and nothing is read, if that is what it is.
    #[cold]
    pub(super) fn read_rewritten(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        (header, class): Taken<'_>,
        at: Whereabouts<'_>,
    ) -> Result<bool> {
        if self.unwrapped.is_rewritten {
            return Ok(false);
        }
        let record = std::str::from_utf8(&block[span.clone()]).unwrap_or_default();
        let object = header.map(|header| object_of(header, record));
        let plan = Arc::clone(&self.plan);
        let rewrite = Rewrite { tree: &plan.tree, texts: wants_objects(class), cells: self.file.made };
        let Some(text) = rewrite.record(object.as_deref().unwrap_or(record)) else {
            let joined = plan.markers.as_ref().is_some_and(|markers| self.scanner.has(markers.joined));
            if joined {
                self.lost(block, (span.clone(), span.start), at, "too many keys that were joined of several");
            }
            return Ok(joined);
        };
        let at = self.hold(block, (span.start, span.start), at)?;
        self.unwrapped.is_rewritten = true;
        let read = self.read_record(text.as_bytes(), 0..text.len(), None, at);
        self.unwrapped.is_rewritten = false;
        read.map(|()| true)
    }

    /// Reads the records in a record that may be an object around others. False, and nothing is read, if it is none.
    #[cold]
    pub(super) fn read_wrapped(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        class: Option<&Class>,
        at: Whereabouts<'_>,
    ) -> Result<bool> {
        if holds_records(&block[span.clone()]) {
            return self.read_several(block, span, at).map(|()| true);
        }
        Ok(class == Some(&Class::Unknown) && self.read_inside(block, span, at)?)
    }

    /// Reads the records in a value that is a string or an array. False, and nothing is read, if there are none.
    #[cold]
    pub(super) fn read_around(&mut self, block: &[u8], span: Range<usize>, at: Whereabouts<'_>) -> Result<bool> {
        let bytes = &block[span.clone()];
        let is_around = matches!(bytes.first(), Some(b'"' | b'['));
        if self.plan.markers.is_none() || !is_around || dynamic::validate(bytes).is_err() {
            return Ok(false);
        }
        self.read_inside(block, span, at)
    }

    /// Reads the records inside a value that is none itself. False, and nothing is read, if there are none.
    #[cold]
    pub(super) fn read_inside(&mut self, block: &[u8], span: Range<usize>, at: Whereabouts<'_>) -> Result<bool> {
        if self.unwrapped.is_inside {
            return Ok(false);
        }
        let found = look_inside(std::str::from_utf8(&block[span.clone()]).unwrap_or_default());
        self.note_inside(&found, at, span.start);
        if found.is_cut {
            self.lost(block, (span.clone(), span.start), at, "more text in strings than is looked into");
        }
        let holds_some = found.is_cut || !found.records.is_empty() || !found.errors.is_empty();
        self.unwrapped.is_inside = true;
        let read = found.records.into_iter().try_for_each(|held| self.read_held(block, span.start, held, at));
        self.unwrapped.is_inside = false;
        read.map(|()| holds_some)
    }

    /// Reports what a value says about the records inside it.
    fn note_inside(&mut self, found: &Inside, at: Whereabouts<'_>, start: usize) {
        for code in &found.errors {
            self.plan.note_error_answer(code, at.file);
        }
        if found.is_partial {
            self.plan.note(&FramingNote::Damage(Damage::PartialAnswer), at.file, at.offset);
        }
        for (offset, page) in found.pages.iter().filter(|_| !found.records.is_empty()) {
            self.plan.note(&FramingNote::Page(page.clone()), at.file, at.offset + (start + offset) as u64);
        }
        self.file.wrapped |= found.is_partial || !found.errors.is_empty() || !found.pages.is_empty();
    }

    /// Counts the objects that PowerShell cut off, of which the query wants members. Columns that hold such an object as a
    /// whole count it themselves.
    #[cold]
    pub(super) fn note_cut(&mut self, record: &str, kind: RowKind) {
        for entry in dynamic::unique_entries(record).into_iter().filter(|entry| powershell::is_cut(entry.value)) {
            let key = entry.key.text();
            let target = self.plan.tree.resolve(0, &key);
            if target.child.is_some() && !self.plan.reads_any(kind, &target.slots) {
                self.findings.add_damage(Damage::CutByPowerShell(key.into_owned()), 1);
            }
        }
    }

    /// Reports a record of a table of any objects that is an error of a service.
    pub(super) fn note_error(&self, record: &[u8], at: Whereabouts<'_>) {
        let begins = record.get(1..).is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\"error\""));
        let code = begins.then(|| std::str::from_utf8(record).ok().and_then(error_answer)).flatten();
        code.into_iter().for_each(|code| self.plan.note_error_answer(&code, at.file));
    }

    fn read_held(&mut self, block: &[u8], start: usize, held: Held, at: Whereabouts<'_>) -> Result<()> {
        let is_answer = held.is_answer;
        match held.text {
            HeldText::Plain(range) => {
                let span = start + range.start..start + range.end;
                if is_answer { self.read_several(block, span, at) } else { self.read_record(block, span, None, at) }
            }
            HeldText::Decoded(text) => {
                let (text, span) = (text.as_bytes(), 0..text.len());
                let at = self.hold(block, (start + held.at, start + held.rank), at)?;
                if is_answer { self.read_several(text, span, at) } else { self.read_record(text, span, None, at) }
            }
        }
    }

    /// Goes on to text that was made of what begins in the block at the first of two offsets, and is placed at the second.
    pub(super) fn hold<'a>(
        &mut self,
        block: &[u8],
        (start, rank): (usize, usize),
        at: Whereabouts<'a>,
    ) -> Result<Whereabouts<'a>> {
        if !self.unwrapped.is_current || self.unwrapped.is_full() {
            self.flush(block)?;
        }
        self.unwrapped.is_current = true;
        let (line, byte) = self.source_of(block, start, at);
        let offset = at.offset + start as u64;
        let holder = at.holder.unwrap_or(Holder { offset, line, byte });
        Ok(Whereabouts { offset: at.offset + rank as u64, holder: Some(holder), may_change_encoding: false, ..at })
    }

    /// Where a record lies in the block, or in the text that was made of it.
    #[inline]
    pub(super) fn place_record(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        at: Whereabouts<'_>,
    ) -> Result<Range<usize>> {
        if at.holder.is_none() && !self.unwrapped.is_current {
            return Ok(span);
        }
        self.place_made(block, span, at)
    }

    #[cold]
    fn place_made(&mut self, block: &[u8], span: Range<usize>, at: Whereabouts<'_>) -> Result<Range<usize>> {
        if at.holder.is_none() {
            self.flush(block)?;
            return Ok(span);
        }
        self.unwrapped.is_current = true;
        Ok(self.unwrapped.add(&block[span]))
    }
}

/// True for records in which objects are looked for, so that a text is none.
fn wants_objects(class: Option<&Class>) -> bool {
    match class {
        Some(Class::Unknown) => true,
        Some(Class::Row(RowClass { kind, .. })) => kind.is_graph() || *kind == RowKind::Diagnostic,
        Some(Class::OtherTable(_)) | None => false,
    }
}

/// The object that a row of cells stands for.
fn object_of(header: &ColumnHeader, row: &str) -> String {
    let mut object = String::from("{");
    for (name, cell) in header.names.iter().zip(dynamic::elements(row)) {
        object.push_str(if object.len() > 1 { "," } else { "" });
        dynamic::quote(name, &mut object);
        object.push(':');
        object.push_str(cell);
    }
    object.push('}');
    object
}
