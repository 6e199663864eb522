//! Reads what surrounds records: wrappers, pages, and the tables and frames of query responses, with what these tell
//! about the records.

use std::sync::Arc;

use super::{ColumnHeader, Enclosing, MAX_FRAME_BYTES, MAX_KEY, MAX_RESPONSE_HEADER_BYTES, ValueSplitter};
use crate::records::object_keys::{is_error_key, is_filled, unescaped};
use crate::records::page::{is_list_of_links, says_partial};
use crate::records::query_response::ResponsePart;
use crate::records::value_scan::ValueScan;
use crate::records::wrapper_detection::{ObjectKind, classify_object};
use crate::scan::result_pages::ResultPage;

impl ValueSplitter {
    /// Moves past the header of a table or past a whole frame. If the object is neither, begins to scan it as a
    /// record. Returns false if more bytes are needed, or if a record was begun.
    pub(super) fn begin_part(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let rest = &bytes[*position..];
        match self.response.part(rest, false) {
            ResponsePart::Rows(length, header) => self.begin_rows(length, header, position),
            ResponsePart::Passed(length) => *position += length,
            ResponsePart::Unclear if more && rest.len() < MAX_RESPONSE_HEADER_BYTES => return false,
            ResponsePart::Whole if more => return false,
            ResponsePart::Other | ResponsePart::Unclear | ResponsePart::Whole => {
                self.scan = Some(ValueScan::strict());
                return false;
            }
        }
        true
    }

    pub(super) fn begin_rows(&mut self, length: usize, header: Option<Arc<ColumnHeader>>, position: &mut usize) {
        self.enclosing.extend([Enclosing::Table, Enclosing::Rows]);
        (self.header, self.rows, self.scan, self.array) = (header, 0, None, None);
        *position += length;
    }

    /// Classifies the object at the start of `rest`, in which an array begins at `at`. Returns false if more bytes
    /// are needed.
    pub(super) fn classify(&mut self, rest: &[u8], at: usize, position: &mut usize, more: bool) -> bool {
        self.array = None;
        let is_first = self.enclosing.is_empty() && !self.begun;
        let inner = match classify_object(rest, at, more, is_first) {
            ObjectKind::Wrapper => {
                self.begin_page(ResultPage::of(rest, at));
                Enclosing::Records
            }
            ObjectKind::Response(error) => {
                if error {
                    self.response.note_partial();
                }
                Enclosing::QueryResponse
            }
            ObjectKind::EmptyWrapper => {
                self.scan.iter_mut().for_each(|scan| scan.has_empty_array = true);
                return true;
            }
            ObjectKind::Unclear => {
                self.array = Some(at);
                return false;
            }
            ObjectKind::Frame => return self.classify_frame(rest, at, position, more),
            ObjectKind::Record => return true,
        };
        self.enclosing.extend([Enclosing::Wrapper, inner]);
        self.scan = None;
        *position += at + 1;
        true
    }

    pub(super) fn begin_page(&mut self, page: ResultPage) {
        if page.failed {
            self.response.note_partial();
        }
        self.page = Some(page);
    }

    fn classify_frame(&mut self, rest: &[u8], at: usize, position: &mut usize, more: bool) -> bool {
        match self.response.part(rest, true) {
            ResponsePart::Rows(length, header) => self.begin_rows(length, header, position),
            ResponsePart::Passed(length) => {
                self.scan = None;
                *position += length;
            }
            ResponsePart::Unclear if more && rest.len() < MAX_RESPONSE_HEADER_BYTES => {
                self.array = Some(at);
                return false;
            }
            // Only the whole object shows what it is.
            ResponsePart::Whole => self.scan.iter_mut().for_each(|scan| scan.may_be_frame = true),
            ResponsePart::Other | ResponsePart::Unclear => {}
        }
        true
    }

    /// Returns the role in a query response of a whole object, if it may be a frame; otherwise None.
    pub(super) fn frame(&mut self, value: &[u8], scan: ValueScan) -> Option<ResponsePart> {
        let few = value.len() <= MAX_FRAME_BYTES && self.enclosing.last() == Some(&Enclosing::Array);
        let framed = scan.may_be_frame || (few && memchr::memmem::find(value, b"\"FrameType\"").is_some());
        if !framed || value[0] != b'{' {
            return None;
        }
        Some(self.response.part(value, true))
            .filter(|part| matches!(part, ResponsePart::Rows(..) | ResponsePart::Passed(_)))
    }

    /// True for an array after the records of a wrapper that cannot have records: its elements are scalars or links, or
    /// it is empty.
    pub(super) fn is_beside_records(&self, value: &[u8]) -> bool {
        if self.enclosing.last() != Some(&Enclosing::Wrapper) || !self.of_key || !value.starts_with(b"[") {
            return false;
        }
        memchr::memchr2(b'{', b'[', &value[1..]).is_none() || is_list_of_links(value)
    }

    /// Examines a skipped value around records. It may tell that a query response is partial, or that another page
    /// follows.
    pub(super) fn pass(&mut self, value: &[u8]) {
        match self.enclosing.last() {
            // Objects among the rows of a response report errors.
            Some(Enclosing::Rows) if value.starts_with(b"{") => self.response.note_partial(),
            Some(Enclosing::Rows) => self.response.note_event(value),
            _ if self.of_key => {
                if is_error_key(&self.key) && is_filled(value) {
                    self.response.note_partial();
                }
                match &mut self.page {
                    Some(page) => _ = page.note(&self.key, value),
                    None if says_partial(&self.key, value) => self.response.note_partial(),
                    None => {}
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
