//! Reads JSON objects for `externaldata`: one a line, in arrays, or one directly after the other.

use super::TextPosition;
use super::values::RowBuilder;
use crate::records::value_end;
use crate::types::dynamic;

/// A text that consists of JSON objects.
pub(super) struct JsonObjects<'a> {
    pub text: &'a str,
}

impl JsonObjects<'_> {
    /// Reads the next object; returns false at the end of the text. Text that is no object is reported, and
    /// reading continues at the next line that begins with an object.
    pub(super) fn next(&self, position: &mut TextPosition, rows: &mut RowBuilder<'_>) -> bool {
        let bytes = self.text.as_bytes();
        let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']');
        let skipped = bytes[position.offset..].iter().take_while(|byte| between(byte)).count();
        position.pass(self.text, skipped);
        let rest = position.record_text(self.text);
        if rest.is_empty() {
            return false;
        }
        let value = value_end(rest.as_bytes()).and_then(|end| rest.get(..end));
        position.unclosed += usize::from(value.is_none());
        match value.filter(|json| dynamic::validate(json.as_bytes()).is_ok()) {
            Some(object) if object.starts_with('{') => {
                rows.add_object(object);
                position.pass(self.text, object.len());
            }
            Some(other) => {
                rows.lose(position.line, "not a JSON object");
                position.pass(self.text, other.len());
            }
            None => {
                rows.lose(position.line, "not a JSON object");
                self.skip_to_object(position);
            }
        }
        true
    }

    /// Skips lines until one begins with an object.
    fn skip_to_object(&self, position: &mut TextPosition) {
        loop {
            position.pass(self.text, position.line_length(self.text));
            let rest = self.text[position.offset..].trim_start_matches([' ', '\t', ',', '[']);
            if rest.is_empty() || rest.starts_with('{') {
                return;
            }
        }
    }
}
