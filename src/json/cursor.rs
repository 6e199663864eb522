//! A strict scanner of JSON, which moves forward.
//!
//! It finds the ends of values without building the values. Everything that it skips is validated according to RFC
//! 8259, whether or not the value is needed. The caller validates UTF-8.

use std::ops::Range;

use super::MAX_DEPTH;
use super::string_mask::{StringMask, special_of_chunk};

/// The reason in a [`JsonError`] for text that follows a record.
pub(crate) const MORE_TEXT: &str = "more text after the record";

/// The reason in a [`JsonError`] for arrays and objects that are nested deeper than [`MAX_DEPTH`].
pub(crate) const TOO_DEEP: &str = "nested too deeply";

/// The reason in a [`JsonError`] for an escape that JSON does not have.
const BAD_ESCAPE: &str = "unknown escape in a string";
/// The reason in a [`JsonError`] for an incomplete escape of a code unit.
const BAD_UNICODE_ESCAPE: &str = "\\u without four hexadecimal digits";

/// The reason in a [`JsonError`] for a text that ends too early.
const CUT_OFF: &str = "cut off";

/// The position and the reason of an error in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// The offset in the scanned bytes.
    pub at: usize,
    /// The reason, in a few words.
    pub reason: &'static str,
}

impl JsonError {
    /// Returns the offset of the first byte with which the JSON cannot continue. For a wrong escape, it lies inside
    /// the escape, while `at` is its backslash. `bytes` is the text that was scanned.
    pub(crate) fn first_wrong_byte(&self, bytes: &[u8]) -> usize {
        match bytes.get(self.at..) {
            Some([b'\\', b'u', digits @ ..]) if [BAD_UNICODE_ESCAPE, CUT_OFF].contains(&self.reason) => {
                self.at + 2 + digits.iter().take(4).take_while(|digit| digit.is_ascii_hexdigit()).count()
            }
            Some([b'\\', ..]) if [BAD_ESCAPE, CUT_OFF].contains(&self.reason) => self.at + 1,
            _ => self.at,
        }
    }
}

/// Checks that `bytes` are exactly one JSON value, with optional whitespace around it. The caller validates UTF-8.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), JsonError> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip_whitespace();
    cursor.value()?;
    cursor.end()
}

/// A position in a JSON text, which moves over values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The mask of the last chunk of bytes that lies inside strings.
    string_mask: StringMask,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, string_mask: StringMask::default() }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Returns the bytes from the position on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// Returns the bytes from `start` to the position.
    pub(crate) fn passed(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.position]
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// Moves forward by `count` bytes, which the caller has examined.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.position += count;
    }

    /// Moves to `position`, forward or backward. The bytes on the way must be known to be valid JSON.
    #[inline]
    pub(crate) fn go_to(&mut self, position: usize) {
        if position < self.position {
            self.string_mask = StringMask::default();
        }
        self.position = position;
    }

    /// Returns an error at the position.
    pub(crate) fn error(&self, reason: &'static str) -> JsonError {
        JsonError { at: self.position, reason }
    }

    /// Skips whitespace. Returns the byte after it without skipping it; None at the end.
    #[inline]
    pub(crate) fn skip_whitespace(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.position += 1;
        }
        None
    }

    /// Skips `byte` and returns true if it is next; otherwise returns false.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// Skips the value at the position, and returns its range.
    pub(crate) fn value(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.position;
        self.value_at(0)?;
        Ok(start..self.position)
    }

    /// Skips the value at the position. `depth` is the number of arrays and objects around it.
    #[inline]
    pub(crate) fn nested_value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.value_at(depth)
    }

    /// Skips whitespace; an error if anything follows it.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.skip_whitespace() {
            None => Ok(()),
            Some(_) => Err(self.error(MORE_TEXT)),
        }
    }

    fn value_at(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object_at(depth + 1),
            Some(b'[') => self.array_at(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(_) => Err(self.error("not a JSON value")),
            None => Err(self.error(CUT_OFF)),
        }
    }

    fn object_at(&mut self, depth: usize) -> Result<(), JsonError> {
        self.enter(depth)?;
        if self.skip_whitespace() == Some(b'}') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.string()?;
            self.colon()?;
            self.value_at(depth)?;
            if self.separator(b'}')? {
                return Ok(());
            }
        }
    }

    fn array_at(&mut self, depth: usize) -> Result<(), JsonError> {
        self.enter(depth)?;
        if self.skip_whitespace() == Some(b']') {
            self.position += 1;
            return Ok(());
        }
        loop {
            self.value_at(depth)?;
            if self.separator(b']')? {
                return Ok(());
            }
        }
    }

    /// Skips the opening bracket of an array. `depth` is the number of arrays and objects around the array.
    pub(crate) fn enter_array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.enter(depth + 1)
    }

    fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error(TOO_DEEP));
        }
        self.position += 1;
        Ok(())
    }

    /// Skips the colon after a key, and whitespace around it.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), JsonError> {
        if self.skip_whitespace() != Some(b':') {
            return Err(self.error(if self.peek().is_none() { CUT_OFF } else { "no colon after a key" }));
        }
        self.position += 1;
        self.skip_whitespace();
        Ok(())
    }

    /// Skips the comma after an element or member, and the whitespace around it. Returns true if it skipped the
    /// bracket `close` instead, which ends the array or object.
    #[inline]
    pub(crate) fn separator(&mut self, close: u8) -> Result<bool, JsonError> {
        match self.skip_whitespace() {
            Some(b',') => {
                self.position += 1;
                self.skip_whitespace();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.position += 1;
                Ok(true)
            }
            Some(_) => Err(self.error("no comma between values")),
            None => Err(self.error(CUT_OFF)),
        }
    }

    /// Skips a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<(), JsonError> {
        if !self.take(b'"') {
            return Err(self.error(if self.peek().is_none() { CUT_OFF } else { "expected a string" }));
        }
        self.rest_of_string()
    }

    /// Skips the rest of a string that is probably short. The position must not be inside an escape.
    #[inline]
    pub(crate) fn rest_of_short_string(&mut self) -> Result<(), JsonError> {
        // Mostly a few characters are left, for which a mask of 64 bytes does not pay off.
        while let Some(chunk) = self.rest().first_chunk() {
            let special = special_of_chunk(chunk);
            if special != 0 {
                self.position += special.trailing_zeros() as usize;
                break;
            }
            self.position += chunk.len();
        }
        self.rest_of_string()
    }

    /// Skips the rest of a string that may be long.
    #[inline]
    fn rest_of_string(&mut self) -> Result<(), JsonError> {
        if self.take(b'"') {
            return Ok(());
        }
        self.position = self.string_mask.special(self.bytes, self.position);
        if self.take(b'"') { Ok(()) } else { Err(self.string_error()) }
    }

    /// Returns the error for the byte at the position, which is not valid in a string.
    #[cold]
    fn string_error(&self) -> JsonError {
        self.error(match self.rest() {
            [] | [b'\\'] => CUT_OFF,
            [b'\\', b'u', digits @ ..] if digits.len() < 4 => CUT_OFF,
            [b'\\', b'u', ..] => BAD_UNICODE_ESCAPE,
            [b'\\', ..] => BAD_ESCAPE,
            _ => "control character in a string",
        })
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits()?;
        }
        match self.peek() {
            Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z') => Err(self.error("not a JSON number")),
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position > start { Ok(()) } else { Err(self.error("not a JSON number")) }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.error("not a JSON value"));
        }
        self.position += word.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    fn accepts(text: &str) -> bool {
        super::validate(text.as_bytes()).is_ok()
    }

    #[test]
    fn accepts_json_and_nothing_else() {
        for text in ["{}", " [ ] ", r#"{"a":[1,-0.5e+3,"x\u00e9\n",null,true,false,{"b":{}}]}"#, "\"ü\"", "0"] {
            assert!(accepts(text), "{text}");
        }
        let wrong = [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "01",
            "1.",
            "+1",
            "1e",
            "tru",
            "nul",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "[1 2]",
            "{} {}",
            "{a:1}",
            "-",
            "1a",
            "[\"12345678\u{1}\"]",
            "'a'",
        ];
        for text in wrong {
            assert!(!accepts(text), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(accepts(&format!("{}{}", "[".repeat(100), "]".repeat(100))));
        assert!(!accepts(&"[".repeat(1_000_000)));
    }

    #[test]
    fn special_bytes_are_found_at_every_position() {
        for special in ["\"", "\\\""] {
            for before in 0..20 {
                let text = format!("\"{}{special}", "ä".repeat(before));
                let mut cursor = Cursor::new(text.as_bytes());
                let closed = cursor.string();
                assert_eq!(closed.is_ok(), special == "\"", "{text}");
            }
        }
    }
}
