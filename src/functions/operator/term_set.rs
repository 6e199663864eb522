//! Searches for several terms at once.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::functions::needle::{Anchor, Case, Needle, is_term_at};

/// A set of needles, any of which must occur in a string as a whole term, ignoring case.
#[derive(Debug)]
pub(super) enum AnyTerm {
    /// The needles are searched one after another.
    Few(Vec<Needle>),
    /// All needles are searched in one pass; for ASCII needles only, because the automaton compares bytes.
    Many(AhoCorasick),
}

impl AnyTerm {
    /// Prepares the needles for about `rows` searches.
    pub(super) fn new(needles: &[String], rows: usize) -> Self {
        /// Minimum number of needles for which building an automaton pays off; `MANY_ROWS` is that of searches.
        const MANY: usize = 8;
        const MANY_ROWS: usize = 64;
        /// Maximum number of bytes of all needles; more would make the automaton too large.
        const MAX_NEEDLE_BYTES: usize = 1 << 20;
        let plain = needles.iter().all(|needle| needle.is_ascii() && !needle.is_empty());
        let bytes: usize = needles.iter().map(String::len).sum();
        if plain && needles.len() >= MANY && rows >= MANY_ROWS && bytes <= MAX_NEEDLE_BYTES {
            let builder =
                AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(needles);
            if let Ok(automaton) = builder {
                return Self::Many(automaton);
            }
        }
        Self::Few(needles.iter().map(|needle| term(needle)).collect())
    }

    /// True if any needle is a term of `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Few(needles) => needles.iter().any(|needle| needle.is_in(text)),
            Self::Many(automaton) => {
                automaton.find_overlapping_iter(text).any(|found| is_term_at(text, found.start(), found.end()))
            }
        }
    }
}

/// Returns a needle that must occur as a whole term, ignoring case.
pub(super) fn term(needle: &str) -> Needle {
    Needle::new(needle, Anchor::Term, Case::Ignored)
}
