//! What stands around records: wrappers, pages, tables and frames of query answers, and what these say about themselves.

use std::sync::Arc;

use super::{ColumnHeader, Enclosing, MAX_ANSWER_HEADER_BYTES, MAX_FRAME_BYTES, MAX_KEY, ValueSplitter};
use crate::records::object_keys::{is_error_key, is_filled, unescaped};
use crate::records::query_response::ResponsePart;
use crate::records::value_scan::ValueScan;
use crate::records::wrapper_detection::{ObjectKind, classify_object};
use crate::scan::pages::Page;

impl ValueSplitter {
    /// Passes the head of a table or a whole frame; where that is none, begins a record. False where there are too
    /// few bytes, or a record was begun.
    pub(super) fn begin_piece(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let rest = &bytes[*position..];
        match self.tables.piece(rest, false) {
            ResponsePart::Rows(length, header) => self.begin_rows(length, header, position),
            ResponsePart::Passed(length) => *position += length,
            ResponsePart::Unclear if more && rest.len() < MAX_ANSWER_HEADER_BYTES => return false,
            ResponsePart::Whole if more => return false,
            ResponsePart::Other | ResponsePart::Unclear | ResponsePart::Whole => {
                self.scan = Some(ValueScan::strict());
                return false;
            }
        }
        true
    }

    pub(super) fn begin_rows(&mut self, length: usize, header: Option<Arc<ColumnHeader>>, position: &mut usize) {
        self.around.extend([Enclosing::Table, Enclosing::Rows]);
        (self.header, self.rows, self.scan, self.array) = (header, 0, None, None);
        *position += length;
    }

    /// Tells what the object is that `rest` begins with and that has an array at `at`. False where it takes more bytes.
    pub(super) fn look_into(&mut self, rest: &[u8], at: usize, position: &mut usize, more: bool) -> bool {
        self.array = None;
        let is_first = self.around.is_empty() && !self.begun;
        let inner = match classify_object(rest, at, more, is_first) {
            ObjectKind::Wrapper => {
                self.begin_page(Page::of(rest, at));
                Enclosing::Records
            }
            ObjectKind::Response(error) => {
                if error {
                    self.tables.note_partial();
                }
                Enclosing::QueryResponse
            }
            ObjectKind::EmptyWrapper => {
                self.scan.iter_mut().for_each(|scan| scan.hollow = true);
                return true;
            }
            ObjectKind::Unclear => {
                self.array = Some(at);
                return false;
            }
            ObjectKind::Frame => return self.look_at_frame(rest, at, position, more),
            ObjectKind::Record => return true,
        };
        self.around.extend([Enclosing::Wrapper, inner]);
        self.scan = None;
        *position += at + 1;
        true
    }

    pub(super) fn begin_page(&mut self, page: Page) {
        if page.failed {
            self.tables.note_partial();
        }
        self.page = Some(page);
    }

    fn look_at_frame(&mut self, rest: &[u8], at: usize, position: &mut usize, more: bool) -> bool {
        match self.tables.piece(rest, true) {
            ResponsePart::Rows(length, header) => self.begin_rows(length, header, position),
            ResponsePart::Passed(length) => {
                self.scan = None;
                *position += length;
            }
            ResponsePart::Unclear if more && rest.len() < MAX_ANSWER_HEADER_BYTES => {
                self.array = Some(at);
                return false;
            }
            // The end of the object tells.
            ResponsePart::Whole => self.scan.iter_mut().for_each(|scan| scan.framed = true),
            ResponsePart::Other | ResponsePart::Unclear => {}
        }
        true
    }

    /// What a whole object is that may be a frame, if it is one.
    pub(super) fn frame(&mut self, value: &[u8], scan: ValueScan) -> Option<ResponsePart> {
        let few = value.len() <= MAX_FRAME_BYTES && self.around.last() == Some(&Enclosing::Array);
        let framed = scan.framed || (few && memchr::memmem::find(value, b"\"FrameType\"").is_some());
        if !framed || value[0] != b'{' {
            return None;
        }
        Some(self.tables.piece(value, true))
            .filter(|piece| matches!(piece, ResponsePart::Rows(..) | ResponsePart::Passed(_)))
    }

    /// Looks at what is passed over around records: an answer may say that it is not whole, a page that another follows.
    pub(super) fn pass(&mut self, value: &[u8]) {
        match self.around.last() {
            // Objects among the rows of an answer tell of errors.
            Some(Enclosing::Rows) if value.starts_with(b"{") => self.tables.note_partial(),
            Some(Enclosing::Rows) => self.tables.note_event(value),
            _ if self.of_key => {
                if is_error_key(&self.key) && is_filled(value) {
                    self.tables.note_partial();
                }
                if let Some(page) = &mut self.page {
                    page.note(&self.key, value);
                }
            }
            _ => {
                let inside = value.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\""));
                let key = inside.filter(|key| key.len() <= MAX_KEY).unwrap_or_default();
                self.key.clear();
                self.key.extend_from_slice(&unescaped(key));
            }
        }
    }
}
