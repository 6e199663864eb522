//! Where a JSON value ends, found by counting brackets, block by block: many bytes at a time where nothing is out of the
//! ordinary ([`crate::json::structural_mask`]), else one by one.
//!
//! Values are checked by those who read them. Here only what would lead astray is: a quote or a bracket in a place where
//! JSON has none shows that one was lost, and that what follows is counted wrongly.

use crate::json::structural_mask::{StructuralMask, WIDTH, may_follow_string, may_precede_string};

/// Levels whose brackets are told apart; a value that is nested deeper is no record, whatever it is.
const MAX_LEVELS: usize = 128;

/// Arrays among the members of a value at which a scan halts: what has more of them is a record.
const MAX_HALTS: u8 = 64;

/// How far a value has been looked at; kept from block to block.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what is looked for and what was seen, each by itself")]
pub(super) struct ValueScan {
    depth: usize,
    /// The open brackets, a bit a level: set for `{`.
    bags: u128,
    in_string: bool,
    /// Next byte to be looked at, from the start of the value.
    next: usize,
    /// True where brackets and quotes are checked.
    strict: bool,
    /// True where the scan halts at the arrays among the members of the value, and how often it did.
    halting: bool,
    halts: u8,
    /// What is passed over, not handed out.
    pub ignored: bool,
    /// True where an array among its members that could hold records is empty.
    pub hollow: bool,
    /// True where the whole value tells whether it is a frame of an answer.
    pub framed: bool,
}

/// Where a scan comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanStop {
    /// The value has this length.
    End(usize),
    /// JSON cannot go on at this byte.
    Invalid(usize),
    /// The `[` of a member of the value. The scan goes on behind it.
    Array(usize),
    /// The value goes on behind the bytes.
    More,
}

impl ValueScan {
    /// A scan that tells where a value goes wrong.
    pub(super) fn strict() -> Self {
        Self { strict: true, ..Self::default() }
    }

    /// The same, which also halts at arrays.
    pub(super) fn halting() -> Self {
        Self { halting: true, ..Self::strict() }
    }

    /// The same, for what nobody wants.
    pub(super) fn ignoring() -> Self {
        Self { ignored: true, ..Self::strict() }
    }

    /// How many bytes of the value were looked at.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// Looks for the end of the value that starts with `bytes`.
    pub(super) fn go_on(&mut self, bytes: &[u8]) -> ScanStop {
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
        // Where a glance saw something that wants a closer look, up to this byte.
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
                match self.pass_text(bytes) {
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
                        let halts = self.halting && self.depth == 1 && byte == b'[';
                        self.open(byte);
                        if halts {
                            self.halts += 1;
                            self.halting = self.halts < MAX_HALTS;
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

    /// Passes some bytes at once; false, and nothing is passed, where something in them needs a closer look: the end of
    /// the value, an array to halt at, a flaw.
    #[inline]
    fn pass_chunk(&mut self, bytes: &[u8]) -> bool {
        if !self.strict || self.depth == 0 {
            return false;
        }
        let Some((chunk, [behind, ..])) = bytes[self.next..].split_first_chunk::<WIDTH>() else { return false };
        let around = (bytes[self.next - 1], *behind);
        let Some(StructuralMask { mut brackets, in_string, length }) =
            StructuralMask::of(chunk, around, self.in_string)
        else {
            return false;
        };
        let mut scan = *self;
        while brackets != 0 {
            let at = self.next + brackets.trailing_zeros() as usize;
            brackets &= brackets - 1;
            let (byte, outermost) = (bytes[at], scan.depth == 1);
            let passed = match byte {
                b'{' | b'[' if (outermost && byte == b'[' && scan.halting) || !scan.may_open(bytes, at) => false,
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

    /// Passes the rest of a text, with its quote.
    #[inline]
    fn pass_text(&mut self, bytes: &[u8]) -> Option<ScanStop> {
        let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.next..]) else { return Some(ScanStop::More) };
        let at = self.next + found;
        self.next = at;
        let behind = bytes.get(at + 1).copied();
        if bytes[at] == b'\\' {
            if behind.is_none() {
                return Some(ScanStop::More);
            }
            self.next += 2;
            return None;
        }
        if self.depth > 0 && self.strict {
            match behind {
                None => return Some(ScanStop::More),
                Some(behind) if !may_follow_string(behind) => return Some(ScanStop::Invalid(at + 1)),
                Some(_) => {}
            }
        }
        self.in_string = false;
        self.next += 1;
        None
    }

    /// True where a bracket may open a value at this place.
    fn may_open(&self, bytes: &[u8], at: usize) -> bool {
        if self.depth >= MAX_LEVELS {
            return true;
        }
        let before = bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        match before {
            Some(b':') => self.bags & 1 == 1,
            Some(b',' | b'[') => self.bags & 1 == 0,
            _ => false,
        }
    }

    fn open(&mut self, bracket: u8) {
        self.bags = self.bags << 1 | u128::from(bracket == b'{');
        self.depth += 1;
        // Levels that were forgotten cannot be checked on the way back.
        self.strict &= self.depth < MAX_LEVELS;
    }

    /// Closes a bracket; false where another one is open.
    fn close(&mut self, bracket: u8) -> bool {
        let fits = (self.bags & 1 == 1) == (bracket == b'}');
        self.bags >>= 1;
        self.depth = self.depth.saturating_sub(1);
        fits || !self.strict
    }
}

/// Counts the bytes that scans pass, for tests of how much work a file makes.
#[cfg(test)]
pub(super) mod work {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn add(bytes: usize) {
        BYTES.set(BYTES.get() + bytes);
    }

    /// The bytes that were passed since the last call.
    pub(crate) fn take() -> usize {
        BYTES.replace(0)
    }
}

/// The length of the value that `bytes` start with; None where it goes on behind them.
pub(super) fn value_end(bytes: &[u8]) -> Option<usize> {
    match ValueScan::default().go_on(bytes) {
        ScanStop::End(length) => Some(length),
        _ => None,
    }
}

/// The length of a number, a word or a stray bracket.
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

    use super::{ScanStop, ValueScan};

    /// What the scan says of a text that comes in pieces of `step` bytes.
    fn scan(text: &str, step: usize) -> ScanStop {
        let mut scan = ValueScan::strict();
        for end in (step..text.len()).step_by(step) {
            let found = scan.go_on(&text.as_bytes()[..end]);
            if found != ScanStop::More {
                return found;
            }
        }
        scan.go_on(text.as_bytes())
    }

    #[test]
    fn flaws_are_found_where_they_lead_astray() {
        let deep = format!("{}{}", "[{\"a\":".repeat(200), "}]".repeat(200));
        for (text, wanted) in [
            ("{\"a\":\"x\",\"b\":[1,{}]} ", ScanStop::End(20)),
            ("{\"a\" : \"}\\\"]\" , \"b\" : [ [] , [] ] }", ScanStop::End(35)),
            ("{\"a\":[", ScanStop::More),
            (deep.as_str(), ScanStop::End(deep.len())),
            // A quote, a bracket or a comma was lost, or is one too many.
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

    /// All that a scan meets in a text that comes in pieces of `step` bytes, and where it stops.
    fn events(text: &[u8], step: usize, mut scan: ValueScan) -> Vec<ScanStop> {
        let mut events = Vec::new();
        let mut end = step.min(text.len());
        loop {
            match scan.go_on(&text[..end]) {
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
    fn many_bytes_at_once_give_what_single_ones_give() {
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
            // Objects as they should be, some with a piece too many.
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
        }
    }
}
