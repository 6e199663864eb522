//! Where a JSON value ends, found by counting brackets, block by block.
//!
//! Values are checked by those who read them. Here only what would lead astray is: a quote or a bracket in a place where
//! JSON has none shows that one was lost, and that what follows is counted wrongly.

/// Levels whose brackets are told apart; a value that is nested deeper is no record, whatever it is.
const MAX_LEVELS: usize = 128;

/// How far a value has been looked at; kept from block to block.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what is looked for and what was seen, each by itself")]
pub(super) struct Scan {
    depth: usize,
    /// The open brackets, a bit a level: set for `{`.
    bags: u128,
    in_text: bool,
    /// Next byte to be looked at, from the start of the value.
    next: usize,
    /// True where brackets and quotes are checked.
    strict: bool,
    /// True where the scan halts at the arrays among the members of the value.
    halting: bool,
    /// What is passed over, not handed out.
    pub ignored: bool,
    /// True where an array among its members that could hold records is empty.
    pub hollow: bool,
    /// True where the whole value tells whether it is a frame of an answer.
    pub framed: bool,
}

/// Where a scan comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value has this length.
    End(usize),
    /// JSON cannot go on at this byte.
    Flaw(usize),
    /// The `[` of a member of the value. The scan goes on behind it.
    Array(usize),
    /// The value goes on behind the bytes.
    More,
}

impl Scan {
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

    /// Looks for the end of the value that starts with `bytes`.
    pub(super) fn go_on(&mut self, bytes: &[u8]) -> Found {
        if !matches!(bytes.first(), Some(b'{' | b'[' | b'"')) {
            return scalar_end(bytes).map_or(Found::More, Found::End);
        }
        if self.next > 0 && self.depth == 0 && !self.in_text {
            return Found::End(self.next);
        }
        while let Some(&byte) = bytes.get(self.next) {
            let at = self.next;
            if self.in_text {
                match self.pass_text(bytes) {
                    None => {}
                    Some(found) => return found,
                }
            } else {
                match byte {
                    b'"' => {
                        if self.strict && at > 0 && !may_stand_before_text(bytes[at - 1]) {
                            return Found::Flaw(at);
                        }
                        self.in_text = true;
                    }
                    b'{' | b'[' => {
                        if self.strict && at > 0 && !self.may_open(bytes, at) {
                            return Found::Flaw(at);
                        }
                        let halts = self.halting && self.depth == 1 && byte == b'[';
                        self.open(byte);
                        if halts {
                            self.next += 1;
                            return Found::Array(at);
                        }
                    }
                    b'}' | b']' if !self.close(byte) => return Found::Flaw(at),
                    _ => {}
                }
                self.next += 1;
            }
            if self.depth == 0 && !self.in_text {
                return Found::End(self.next);
            }
        }
        Found::More
    }

    /// Passes the rest of a text, with its quote.
    #[inline]
    fn pass_text(&mut self, bytes: &[u8]) -> Option<Found> {
        let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.next..]) else { return Some(Found::More) };
        let at = self.next + found;
        self.next = at;
        let behind = bytes.get(at + 1).copied();
        if bytes[at] == b'\\' {
            if behind.is_none() {
                return Some(Found::More);
            }
            self.next += 2;
            return None;
        }
        if self.depth > 0 && self.strict {
            match behind {
                None => return Some(Found::More),
                Some(behind) if !may_stand_behind_text(behind) => return Some(Found::Flaw(at + 1)),
                Some(_) => {}
            }
        }
        self.in_text = false;
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

/// The length of the value that `bytes` start with; None where it goes on behind them.
pub(super) fn value_end(bytes: &[u8]) -> Option<usize> {
    match Scan::default().go_on(bytes) {
        Found::End(length) => Some(length),
        _ => None,
    }
}

fn may_stand_before_text(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
}

fn may_stand_behind_text(byte: u8) -> bool {
    matches!(byte, b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
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
    use super::{Found, Scan};

    /// What the scan says of a text that comes in pieces of `step` bytes.
    fn scan(text: &str, step: usize) -> Found {
        let mut scan = Scan::strict();
        for end in (step..text.len()).step_by(step) {
            let found = scan.go_on(&text.as_bytes()[..end]);
            if found != Found::More {
                return found;
            }
        }
        scan.go_on(text.as_bytes())
    }

    #[test]
    fn flaws_are_found_where_they_lead_astray() {
        let deep = format!("{}{}", "[{\"a\":".repeat(200), "}]".repeat(200));
        for (text, wanted) in [
            ("{\"a\":\"x\",\"b\":[1,{}]} ", Found::End(20)),
            ("{\"a\" : \"}\\\"]\" , \"b\" : [ [] , [] ] }", Found::End(35)),
            ("{\"a\":[", Found::More),
            (deep.as_str(), Found::End(deep.len())),
            // A quote, a bracket or a comma was lost, or is one too many.
            ("{\"a\":x\",\"b\":1}", Found::Flaw(6)),
            ("{\"a\":\"x,\"b\":1}", Found::Flaw(9)),
            ("{\"a\":\"x\"y\",\"b\":1}", Found::Flaw(8)),
            ("{\"a\":{\"b\":1,{\"a\":2}]", Found::Flaw(12)),
            ("{\"a\":[1,\"b\":{}}", Found::Flaw(12)),
            ("{\"a\":{{\"b\":1}}", Found::Flaw(6)),
            ("{\"a\":1]", Found::Flaw(6)),
            ("[1}", Found::Flaw(2)),
        ] {
            for step in [1, 3, 1_000] {
                assert_eq!(scan(text, step), wanted, "{text} by {step}");
            }
        }
    }
}
