//! Reads records that are inside other values or strings, and records that must be rewritten.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::super::block_origin::{BlockOrigin, SourcePosition};
use super::super::classify::{RecordClass, RowClass};
use super::super::inner_records::{
    InnerRecord, InnerRecords, InnerText, StreamedResults, error_answer, find_inner_records,
};
use super::super::rewrite::RecordRewrite;
use super::JsonReader;
use crate::diagnostic::Result;
use crate::entra::RowKind;
use crate::entra::powershell;
use crate::records::{ColumnHeader, FramingNote, holds_records};
use crate::scan::{ColumnNote, Damage};
use crate::types::dynamic;

impl JsonReader {
    /// True if the record that was scanned last has flattened objects, or strings in place of objects.
    pub(super) fn is_changed(&self, class: Option<&RecordClass>) -> bool {
        let Some(markers) = &self.plan.markers else { return false };
        (self.scanner.has_texts() && wants_objects(class)) || self.scanner.has(markers.joined)
    }

    /// Reads a record for which [`Self::is_changed`] is true, after its objects were restored. Returns false, and
    /// reads nothing, if there is nothing to restore.
    #[cold]
    pub(super) fn read_rewritten(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<ColumnHeader>>,
        class: Option<&RecordClass>,
        origin: BlockOrigin<'_>,
    ) -> Result<bool> {
        if self.decoded.is_rewritten {
            return Ok(false);
        }
        let record = std::str::from_utf8(&block[span.clone()]).unwrap_or_default();
        let object = header.map(|header| object_of(header, record));
        let plan = Arc::clone(&self.plan);
        let python = RefCell::default();
        let (texts, cells) = (wants_objects(class), self.file.is_generated);
        let rewrite = RecordRewrite { tree: &plan.tree, texts, cells, python: &python };
        let Some(text) = rewrite.record(object.as_deref().unwrap_or(record)) else {
            let joined = plan.markers.as_ref().is_some_and(|markers| self.scanner.has(markers.joined));
            if joined {
                self.lost(block, span.clone(), span.start, origin, "too many flattened keys");
            }
            return Ok(joined);
        };
        for key in python.take() {
            self.events.report_once(ColumnNote::PythonNotation(key));
        }
        let origin = self.start_decoded_text(block, span.start, span.start, origin)?;
        self.decoded.is_rewritten = true;
        let read = self.read_record(text.as_bytes(), 0..text.len(), None, origin);
        self.decoded.is_rewritten = false;
        read.map(|()| true)
    }

    /// Reads the records in a value that may be a wrapper. Returns false, and reads nothing, if it is not a wrapper.
    #[cold]
    pub(super) fn read_wrapped(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        class: Option<&RecordClass>,
        origin: BlockOrigin<'_>,
    ) -> Result<bool> {
        if holds_records(&block[span.clone()]) {
            return self.read_several(block, span, origin).map(|()| true);
        }
        Ok(class == Some(&RecordClass::Unknown) && self.read_inner(block, span, origin)?)
    }

    /// Reads the records in a JSON string or array. Returns false, and reads nothing, if there are none.
    #[cold]
    pub(super) fn read_around(&mut self, block: &[u8], span: Range<usize>, origin: BlockOrigin<'_>) -> Result<bool> {
        let bytes = &block[span.clone()];
        let is_around = matches!(bytes.first(), Some(b'"' | b'['));
        if self.plan.markers.is_none() || !is_around || dynamic::validate(bytes).is_err() {
            return Ok(false);
        }
        self.read_inner(block, span, origin)
    }

    /// Reads the records inside a value that is not a record itself. Returns false, and reads nothing, if there are
    /// none.
    #[cold]
    pub(super) fn read_inner(&mut self, block: &[u8], span: Range<usize>, origin: BlockOrigin<'_>) -> Result<bool> {
        if self.decoded.is_inside {
            return Ok(false);
        }
        let found = find_inner_records(std::str::from_utf8(&block[span.clone()]).unwrap_or_default());
        self.note_inner(&found, origin, span.start);
        if found.is_cut {
            self.lost(block, span.clone(), span.start, origin, "its strings are too long to be searched completely");
        }
        let holds_some = found.holds_some();
        self.decoded.is_inside = true;
        let read =
            found.records.into_iter().try_for_each(|inner| self.read_inner_record(block, span.start, inner, origin));
        self.decoded.is_inside = false;
        read.map(|()| holds_some)
    }

    /// Reports pages and errors that were found in a value beside the records.
    fn note_inner(&mut self, found: &InnerRecords, origin: BlockOrigin<'_>, start: usize) {
        for code in &found.errors {
            self.events.note_error_answer(code, origin.file);
        }
        if found.is_partial {
            self.events.note(&FramingNote::Damage(Damage::PartialAnswer), origin.file, origin.offset);
        }
        if found.streamed != StreamedResults::default() {
            self.events.log.add_streamed(origin.file, found.streamed);
        }
        for (offset, page) in found.pages.iter().filter(|_| !found.records.is_empty()) {
            self.events.note(&FramingNote::Page(page.clone()), origin.file, origin.offset + (start + offset) as u64);
        }
        self.file.wrapped |= found.is_partial || !found.errors.is_empty() || found.is_paged;
        self.file.wrapped |= found.streamed.previews > 0;
    }

    /// Counts needed objects that PowerShell truncated, unless a column contains the whole object: such a column
    /// counts them.
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

    /// Reports a record that is an error of a service; used if columns are inferred, because such records are read as
    /// rows.
    pub(super) fn note_error(&self, record: &[u8], origin: BlockOrigin<'_>) {
        let begins = record.get(1..).is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\"error\""));
        let code = begins.then(|| std::str::from_utf8(record).ok().and_then(error_answer)).flatten();
        code.into_iter().for_each(|code| self.events.note_error_answer(&code, origin.file));
    }

    fn read_inner_record(
        &mut self,
        block: &[u8],
        start: usize,
        inner: InnerRecord,
        origin: BlockOrigin<'_>,
    ) -> Result<()> {
        let is_answer = inner.is_answer;
        match inner.text {
            InnerText::Plain(range) => {
                let span = start + range.start..start + range.end;
                if is_answer {
                    self.read_several(block, span, origin)
                } else {
                    self.read_record(block, span, None, origin)
                }
            }
            InnerText::Decoded(text) => {
                let (text, span) = (text.as_bytes(), 0..text.len());
                let origin = self.start_decoded_text(block, start + inner.at, start + inner.rank, origin)?;
                if is_answer {
                    self.read_several(text, span, origin)
                } else {
                    self.read_record(text, span, None, origin)
                }
            }
        }
    }

    /// Returns the origin of text that was decoded from the value at `start` in the block. `rank` is the virtual
    /// offset of the text, which is unique in the value.
    pub(super) fn start_decoded_text<'a>(
        &mut self,
        block: &[u8],
        start: usize,
        rank: usize,
        origin: BlockOrigin<'a>,
    ) -> Result<BlockOrigin<'a>> {
        if !self.decoded.is_current || self.decoded.is_full() {
            self.flush(block)?;
        }
        self.decoded.is_current = true;
        let (line, byte) = self.source_of(block, start, origin);
        let offset = origin.offset + start as u64;
        let source = origin.source.unwrap_or(SourcePosition { offset, line, byte });
        Ok(BlockOrigin {
            offset: origin.offset + rank as u64,
            source: Some(source),
            may_change_encoding: false,
            ..origin
        })
    }

    /// Returns the range of a record in the block. A record of another text is copied to the decoded text first, and
    /// its range there is returned.
    #[inline]
    pub(super) fn place_record(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        origin: BlockOrigin<'_>,
    ) -> Result<Range<usize>> {
        if origin.source.is_none() && !self.decoded.is_current {
            return Ok(span);
        }
        self.place_made(block, span, origin)
    }

    #[cold]
    fn place_made(&mut self, block: &[u8], span: Range<usize>, origin: BlockOrigin<'_>) -> Result<Range<usize>> {
        if origin.source.is_none() {
            self.flush(block)?;
            return Ok(span);
        }
        self.decoded.is_current = true;
        Ok(self.decoded.add(&block[span]))
    }
}

/// True for records that must have objects: a string in place of an object is rewritten in them.
fn wants_objects(class: Option<&RecordClass>) -> bool {
    match class {
        Some(RecordClass::Unknown) => true,
        Some(RecordClass::Row(RowClass { kind, .. })) => kind.is_graph() || *kind == RowKind::Diagnostic,
        Some(RecordClass::OtherTable(_)) | None => false,
    }
}

/// Returns an array of cells as an object whose keys are those of `header`.
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
