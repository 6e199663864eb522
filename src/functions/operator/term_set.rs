//! Several needles looked for in one text.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::functions::needle::{Case, Needle, Place, is_term_at};

/// Texts of which one has to stand in a text as a whole term, case ignored.
#[derive(Debug)]
pub(super) enum AnyTerm {
    /// Looked for one after the other.
    Few(Vec<Needle>),
    /// Looked for in one go, which only works on the bytes of ASCII needles.
    Many(AhoCorasick),
}

impl AnyTerm {
    /// The needles, for about `rows` searches.
    pub(super) fn new(needles: &[String], rows: usize) -> Self {
        /// Less than this is not worth building an automaton for.
        const MANY: usize = 8;
        const MANY_ROWS: usize = 64;
        /// More than this would make it large.
        const MOST_BYTES: usize = 1 << 20;
        let plain = needles.iter().all(|needle| needle.is_ascii() && !needle.is_empty());
        let bytes: usize = needles.iter().map(String::len).sum();
        if plain && needles.len() >= MANY && rows >= MANY_ROWS && bytes <= MOST_BYTES {
            let builder =
                AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(needles);
            if let Ok(automaton) = builder {
                return Self::Many(automaton);
            }
        }
        Self::Few(needles.iter().map(|needle| term(needle)).collect())
    }

    /// True where one of them is a term of `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Few(needles) => needles.iter().any(|needle| needle.is_in(text)),
            Self::Many(automaton) => {
                automaton.find_overlapping_iter(text).any(|found| is_term_at(text, found.start(), found.end()))
            }
        }
    }
}

/// `needle` as a term.
pub(super) fn term(needle: &str) -> Needle {
    Needle::new(needle, Place::Term, Case::Ignored)
}
