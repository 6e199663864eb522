//! Finds the end of a JSON value by counting brackets, block by block. Many bytes are scanned at once where nothing
//! special occurs ([`crate::json::structural_mask`]), the others byte by byte.
//!
//! The values are validated by their readers. The scan only detects what would mislead it: a quote or bracket where
//! JSON allows none shows that another one was lost, so that everything after it would be miscounted.

use crate::json::structural_mask::{StructuralMask, WIDTH, may_follow_string, may_precede_string};

/// Number of nesting levels whose kind of bracket is remembered. A value that is nested deeper is not a record.
const MAX_LEVELS: usize = 128;

/// Maximum number of arrays at which a scan halts. A value with more arrays as members is a record.
const MAX_HALTS: u8 = 64;

/// The state of a scan, which is kept from block to block.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent options and results of the scan")]
pub(super) struct ValueScan {
    depth: usize,
    /// The open brackets, one bit for each level: 1 for `{`, 0 for `[`. The innermost is the lowest bit.
    open_objects: u128,
    in_string: bool,
    /// Offset of the next byte from the start of the value.
    next: usize,
    /// True if the scan checks brackets and quotes.
    strict: bool,
    /// True if the scan halts at arrays that are members of the value. `halts` is the number of times that it has
    /// halted.
    halts_at_arrays: bool,
    halt_count: u8,
    /// True if the value is skipped and not returned as a record.
    pub ignored: bool,
    /// True if a member under which there may be records is an empty array.
    pub has_empty_array: bool,
    /// True if only the whole value shows whether it is a frame of a query response.
    pub may_be_frame: bool,
}

/// Tells why a scan stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanStop {
    /// The value ends; this is its length.
    End(usize),
    /// The JSON is invalid at this byte.
    Invalid(usize),
    /// The scan is at the `[` of a member of the value, and continues after it.
    Array(usize),
    /// The value continues after the given bytes.
    More,
}

impl ValueScan {
    /// Returns a scan that detects where the value is invalid.
    pub(super) fn strict() -> Self {
        Self { strict: true, ..Self::default() }
    }

    /// Returns a strict scan that also halts at arrays.
    pub(super) fn halting() -> Self {
        Self { halts_at_arrays: true, ..Self::strict() }
    }

    /// Returns a strict scan of a value that is skipped.
    pub(super) fn ignoring() -> Self {
        Self { ignored: true, ..Self::strict() }
    }

    /// Returns the number of bytes that were scanned.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// Scans for the end of the value at the start of `bytes`, from the last position on.
    pub(super) fn resume(&mut self, bytes: &[u8]) -> ScanStop {
        #[cfg(test)]
        let from = self.next;
        let found = self.find_end(bytes);
        #[cfg(test)]
        work::add(self.next.saturating_sub(from));
        found
    }

    fn find_end(&mut self, bytes: &[u8]) -> ScanStop {
        if !matches!(bytes.first(), Some(b'{' | b'[' | b'"')) {
            return scalar_end(bytes).map_or(ScanStop::More, ScanStop::End);
        }
        if self.next > 0 && self.depth == 0 && !self.in_string {
            return ScanStop::End(self.next);
        }
        // Bytes before this offset are read one by one, because their chunk was not passed at once.
        let mut bytewise_until = 0;
        while let Some(&byte) = bytes.get(self.next) {
            let at = self.next;
            if at >= bytewise_until {
                if self.pass_chunk(bytes) {
                    continue;
                }
                bytewise_until = at + WIDTH;
            }
            if self.in_string {
                match self.pass_string(bytes) {
                    None => {}
                    Some(found) => return found,
                }
            } else {
                match byte {
                    b'"' => {
                        if self.strict && at > 0 && !may_precede_string(bytes[at - 1]) {
                            return ScanStop::Invalid(at);
                        }
                        self.in_string = true;
                    }
                    b'{' | b'[' => {
                        if self.strict && at > 0 && !self.may_open(bytes, at) {
                            return ScanStop::Invalid(at);
                        }
                        let is_halt = self.halts_at_arrays && self.depth == 1 && byte == b'[';
                        self.open(byte);
                        if is_halt {
                            self.halt_count += 1;
                            self.halts_at_arrays = self.halt_count < MAX_HALTS;
                            self.next += 1;
                            return ScanStop::Array(at);
                        }
                    }
                    b'}' | b']' if !self.close(byte) => return ScanStop::Invalid(at),
                    _ => {}
                }
                self.next += 1;
            }
            if self.depth == 0 && !self.in_string {
                return ScanStop::End(self.next);
            }
        }
        ScanStop::More
    }

    /// Scans a chunk at once. Returns false, and scans nothing, if it must be scanned byte by byte: at the end of the
    /// value, at an array at which to halt, or at an error.
    #[inline]
    fn pass_chunk(&mut self, bytes: &[u8]) -> bool {
        if !self.strict || self.depth == 0 {
            return false;
        }
        let Some((chunk, [after, ..])) = bytes[self.next..].split_first_chunk::<WIDTH>() else { return false };
        let before = bytes[self.next - 1];
        let Some(StructuralMask { mut brackets, in_string, length }) =
            StructuralMask::of(chunk, before, *after, self.in_string)
        else {
            return false;
        };
        let mut scan = *self;
        while brackets != 0 {
            let at = self.next + brackets.trailing_zeros() as usize;
            brackets &= brackets - 1;
            let (byte, outermost) = (bytes[at], scan.depth == 1);
            let passed = match byte {
                b'{' | b'[' if (outermost && byte == b'[' && scan.halts_at_arrays) || !scan.may_open(bytes, at) => {
                    false
                }
                b'{' | b'[' => {
                    scan.open(byte);
                    scan.strict
                }
                _ => !outermost && scan.close(byte),
            };
            if !passed {
                return false;
            }
        }
        *self = Self { in_string, next: self.next + length, ..scan };
        true
    }

    /// Scans a string up to the end of its next escape sequence, or up to its closing quote. Returns why the scan stops;
    /// None if it continues.
    #[inline]
    fn pass_string(&mut self, bytes: &[u8]) -> Option<ScanStop> {
        let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.next..]) else { return Some(ScanStop::More) };
        let at = self.next + found;
        self.next = at;
        let after = bytes.get(at + 1).copied();
        if bytes[at] == b'\\' {
            if after.is_none() {
                return Some(ScanStop::More);
            }
            self.next += 2;
            return None;
        }
        if self.depth > 0 && self.strict {
            match after {
                None => return Some(ScanStop::More),
                Some(after) if !may_follow_string(after) => return Some(ScanStop::Invalid(at + 1)),
                Some(_) => {}
            }
        }
        self.in_string = false;
        self.next += 1;
        None
    }

    /// True if a bracket at `at` may open a value there.
    fn may_open(&self, bytes: &[u8], at: usize) -> bool {
        if self.depth >= MAX_LEVELS {
            return true;
        }
        let before = bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        match before {
            Some(b':') => self.open_objects & 1 == 1,
            Some(b',' | b'[') => self.open_objects & 1 == 0,
            _ => false,
        }
    }

    fn open(&mut self, bracket: u8) {
        self.open_objects = self.open_objects << 1 | u128::from(bracket == b'{');
        self.depth += 1;
        // Levels beyond the limit cannot be checked when they close.
        self.strict &= self.depth < MAX_LEVELS;
    }

    /// Closes a bracket; returns false if a bracket of the other kind is open.
    fn close(&mut self, bracket: u8) -> bool {
        let fits = (self.open_objects & 1 == 1) == (bracket == b'}');
        self.open_objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
        fits || !self.strict
    }
}

/// Counts the bytes that are scanned, for tests of the amount of work.
#[cfg(test)]
pub(super) mod work {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn add(bytes: usize) {
        BYTES.set(BYTES.get() + bytes);
    }

    /// Returns the number of bytes that were scanned since the last call.
    pub(crate) fn take() -> usize {
        BYTES.replace(0)
    }
}

/// Returns the length of the value at the start of `bytes`, judged by its brackets; None if it continues after them.
pub(crate) fn value_end(bytes: &[u8]) -> Option<usize> {
    // A strict scan passes many bytes at once, and ends where any other scan ends, unless the value is invalid.
    let stop = match ValueScan::strict().resume(bytes) {
        ScanStop::Invalid(_) => ValueScan::default().resume(bytes),
        stop => stop,
    };
    match stop {
        ScanStop::End(length) => Some(length),
        _ => None,
    }
}

/// Returns the length of a number, a literal or a stray bracket; None if it may continue after `bytes`.
fn scalar_end(bytes: &[u8]) -> Option<usize> {
    if matches!(bytes.first(), Some(b'}' | b']' | b':')) {
        return Some(1);
    }
    let ends = |byte: &u8| matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    bytes.iter().position(ends)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{ScanStop, ValueScan, value_end};

    /// Returns the result of scanning a text that arrives in pieces of `step` bytes.
    fn scan(text: &str, step: usize) -> ScanStop {
        let mut scan = ValueScan::strict();
        for end in (step..text.len()).step_by(step) {
            let found = scan.resume(&text.as_bytes()[..end]);
            if found != ScanStop::More {
                return found;
            }
        }
        scan.resume(text.as_bytes())
    }

    #[test]
    fn misleading_errors_are_found() {
        let deep = format!("{}{}", "[{\"a\":".repeat(200), "}]".repeat(200));
        for (text, wanted) in [
            ("{\"a\":\"x\",\"b\":[1,{}]} ", ScanStop::End(20)),
            ("{\"a\" : \"}\\\"]\" , \"b\" : [ [] , [] ] }", ScanStop::End(35)),
            ("{\"a\":[", ScanStop::More),
            (deep.as_str(), ScanStop::End(deep.len())),
            // A quote, bracket or comma was lost, or is one too many.
            ("{\"a\":x\",\"b\":1}", ScanStop::Invalid(6)),
            ("{\"a\":\"x,\"b\":1}", ScanStop::Invalid(9)),
            ("{\"a\":\"x\"y\",\"b\":1}", ScanStop::Invalid(8)),
            ("{\"a\":{\"b\":1,{\"a\":2}]", ScanStop::Invalid(12)),
            ("{\"a\":[1,\"b\":{}}", ScanStop::Invalid(12)),
            ("{\"a\":{{\"b\":1}}", ScanStop::Invalid(6)),
            ("{\"a\":1]", ScanStop::Invalid(6)),
            ("[1}", ScanStop::Invalid(2)),
        ] {
            for step in [1, 3, 1_000] {
                assert_eq!(scan(text, step), wanted, "{text} by {step}");
            }
        }
    }

    /// Returns all results of scanning a text that arrives in pieces of `step` bytes.
    fn events(text: &[u8], step: usize, mut scan: ValueScan) -> Vec<ScanStop> {
        let mut events = Vec::new();
        let mut end = step.min(text.len());
        loop {
            match scan.resume(&text[..end]) {
                ScanStop::More if end < text.len() => end = (end + step).min(text.len()),
                ScanStop::Array(at) => events.push(ScanStop::Array(at)),
                found => {
                    events.push(found);
                    return events;
                }
            }
        }
    }

    #[test]
    fn chunks_give_the_same_as_single_bytes() {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\"",
            "\"a\":",
            "\"b\": ",
            ",",
            ":",
            "\\",
            "\\\\",
            "\\\"",
            "1",
            "null",
            "\"x\"",
            "\"{[\\\"]}\"",
            "\r\n\t",
            " ",
            "text without an end ",
            "{\"k\":[1,{\"l\":\"\\u0022\"}]}",
            "[]",
            "{}",
            "\u{e9}",
        ];
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for round in 0..20_000 {
            // Valid objects, some with an additional piece.
            let mut text = String::from("{");
            for number in 0..random.random_range(0..40) {
                let value = ["\"some text, or no text\"", "12", "[{\"m\":[]},\"n\\\\\"]", "{\"o\" : \"\\\"\" }"];
                let value = value[random.random_range(0..value.len())];
                text += &format!("{}\"key {number}\":{value}", if number > 0 { "," } else { "" });
                if random.random_range(0..60) == 0 {
                    text += pieces[random.random_range(0..pieces.len())];
                }
            }
            text += "}";
            if round % 4 == 0 {
                text = (0..random.random_range(1..60)).map(|_| pieces[random.random_range(0..pieces.len())]).collect();
                text.insert(0, '{');
            }
            text += " , and more behind the value, so that there is something to look at behind its last bracket";
            for scan in [ValueScan::strict(), ValueScan::halting()] {
                let slowly = events(text.as_bytes(), 1, scan);
                for step in [65, 100, 1_000, 10_000] {
                    assert_eq!(events(text.as_bytes(), step, scan), slowly, "{text} by {step}");
                }
            }
            let end = match ValueScan::default().resume(text.as_bytes()) {
                ScanStop::End(length) => Some(length),
                _ => None,
            };
            assert_eq!(value_end(text.as_bytes()), end, "{text}");
        }
    }
}
