//! A string to search for in other strings: as a whole, at either end, anywhere, or as a term; case-sensitive or not.
//!
//! Case is ignored as ordinal comparison does: each character is mapped to upper case, if that is a single character.
//! No character outside ASCII maps to ASCII, so an ASCII needle is searched in the raw bytes.

use memchr::{memchr2_iter, memmem};

/// Where in a string a needle must occur.
///
/// A term is a maximal run of letters and digits. If a needle begins with a letter or digit, a term must begin there
/// too; if it begins with any other character, there is no such condition. The same holds for its end. Source: the
/// reference's page on string operators, and results of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The needle is the whole string.
    Whole,
    /// The needle is at the start of the string.
    Start,
    /// The needle is at the end of the string.
    End,
    /// The needle is anywhere in the string.
    Anywhere,
    /// The needle is a whole term, or several terms.
    Term,
    /// The needle is at the start of a term.
    TermStart,
    /// The needle is at the end of a term.
    TermEnd,
}

/// Whether upper and lower case differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` and `A` differ.
    Matters,
    /// `a` and `A` are equal.
    Ignored,
}

/// A string to search for, prepared for many searches.
#[derive(Debug)]
pub struct Needle {
    /// The string to search for; in upper case if case is ignored.
    text: String,
    place: Anchor,
    search: SearchMethod,
}

#[derive(Debug)]
enum SearchMethod {
    /// Searches the bytes of the needle as they are.
    Exact(memmem::Finder<'static>),
    /// An ASCII needle whose letters match both cases; `offset` is the position of its rarest byte.
    AsciiIgnoringCase { offset: usize },
    /// Converts the string to upper case, and searches the needle in it.
    Folded(memmem::Finder<'static>),
}

impl Needle {
    /// Prepares the search for `text`, which must occur at `place`.
    #[must_use]
    pub fn new(text: &str, place: Anchor, case: Case) -> Self {
        let finder = |text: &str| memmem::Finder::new(text).into_owned();
        let (text, search) = match case {
            Case::Matters => (text.to_owned(), SearchMethod::Exact(finder(text))),
            // Without letters, case does not matter.
            Case::Ignored if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()) => {
                (text.to_owned(), SearchMethod::Exact(finder(text)))
            }
            Case::Ignored if text.is_ascii() => {
                let text = text.to_ascii_uppercase();
                let offset = rarest(text.as_bytes());
                (text, SearchMethod::AsciiIgnoringCase { offset })
            }
            Case::Ignored => {
                let text = fold(text);
                let search = SearchMethod::Folded(finder(&text));
                (text, search)
            }
        };
        Self { text, place, search }
    }

    /// True if the needle occurs in `text` at the place that its anchor demands.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        match self.place {
            Anchor::Whole => self.is_whole(text),
            Anchor::Start => self.is_start(text),
            Anchor::End => self.is_end(text),
            Anchor::Anywhere | Anchor::Term | Anchor::TermStart | Anchor::TermEnd => self.is_inside(text),
        }
    }

    fn is_whole(&self, text: &str) -> bool {
        match self.search {
            SearchMethod::Exact(_) => text == self.text,
            SearchMethod::AsciiIgnoringCase { .. } => text.eq_ignore_ascii_case(&self.text),
            SearchMethod::Folded(_) => text.chars().map(upper).eq(self.text.chars()),
        }
    }

    fn is_start(&self, text: &str) -> bool {
        match self.search {
            SearchMethod::Exact(_) => text.starts_with(&self.text),
            SearchMethod::AsciiIgnoringCase { .. } => {
                let start = text.as_bytes().get(..self.text.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(self.text.as_bytes()))
            }
            SearchMethod::Folded(_) => begins(text.chars().map(upper), self.text.chars()),
        }
    }

    fn is_end(&self, text: &str) -> bool {
        match self.search {
            SearchMethod::Exact(_) => text.ends_with(&self.text),
            SearchMethod::AsciiIgnoringCase { .. } => {
                let start = text.len().checked_sub(self.text.len());
                start.is_some_and(|start| text.as_bytes()[start..].eq_ignore_ascii_case(self.text.as_bytes()))
            }
            SearchMethod::Folded(_) => begins(text.chars().rev().map(upper), self.text.chars().rev()),
        }
    }

    fn is_inside(&self, text: &str) -> bool {
        if self.text.is_empty() {
            return true;
        }
        match &self.search {
            SearchMethod::Exact(finder) => self.any_in_place(text, occurrences(finder, text)),
            SearchMethod::AsciiIgnoringCase { offset } => {
                self.any_in_place(text, self.ascii_occurrences(text, *offset))
            }
            SearchMethod::Folded(_) if text.is_ascii() => false,
            SearchMethod::Folded(finder) => {
                let text = fold(text);
                self.any_in_place(&text, occurrences(finder, &text))
            }
        }
    }

    /// Returns the positions at which the needle starts in `text`, ignoring case. `offset` is the position of the
    /// rarest byte in the needle, which is searched first.
    fn ascii_occurrences<'a>(&'a self, text: &'a str, offset: usize) -> impl Iterator<Item = usize> + 'a {
        let (bytes, needle) = (text.as_bytes(), self.text.as_bytes());
        let rarest = needle[offset];
        memchr2_iter(rarest, rarest.to_ascii_lowercase(), bytes)
            .filter_map(move |position| position.checked_sub(offset))
            .filter(move |&start| {
                bytes.get(start..start + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle))
            })
    }

    fn any_in_place(&self, text: &str, mut starts: impl Iterator<Item = usize>) -> bool {
        let starts_term =
            matches!(self.place, Anchor::Term | Anchor::TermStart) && self.text.starts_with(is_term_character);
        let ends_term = matches!(self.place, Anchor::Term | Anchor::TermEnd) && self.text.ends_with(is_term_character);
        starts.any(|start| {
            let (before, after) = (&text[..start], &text[start + self.text.len()..]);
            !(starts_term && before.ends_with(is_term_character) || ends_term && after.starts_with(is_term_character))
        })
    }
}

/// Returns the positions of all matches of the finder in `text`, overlapping ones included.
fn occurrences<'a>(finder: &'a memmem::Finder<'static>, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + finder.find(text.as_bytes().get(from..)?)?;
        from = start + 1;
        Some(start)
    })
}

fn begins(mut text: impl Iterator<Item = char>, mut start: impl Iterator<Item = char>) -> bool {
    start.all(|c| text.next() == Some(c))
}

/// True if the non-empty `text[start..end]` is one or more whole terms: see [`Anchor`].
#[must_use]
pub fn is_term_at(text: &str, start: usize, end: usize) -> bool {
    let (before, found, after) = (&text[..start], &text[start..end], &text[end..]);
    !(found.starts_with(is_term_character) && before.ends_with(is_term_character)
        || found.ends_with(is_term_character) && after.starts_with(is_term_character))
}

/// True for a letter or digit of any script.
fn is_term_character(c: char) -> bool {
    c.is_alphanumeric()
}

/// Converts every character of `text` to upper case.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Like `fold`, reusing the buffer `folded`.
pub fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_uppercase();
    } else {
        folded.extend(text.chars().map(upper));
    }
}

/// Returns the character in upper case, or unchanged if that would be several characters. The two letters outside ASCII
/// that map into ASCII, the dotless i and the long s, stay unchanged, too.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) if c.is_ascii() || !upper.is_ascii() => upper,
        _ => c,
    }
}

/// Returns the position of the byte of an upper-case string that is rarest in logs.
fn rarest(text: &[u8]) -> usize {
    /// The bytes that are common in logs, the most common first; a letter stands for both cases.
    const COMMON: &[u8] = b"E\":,0-IASTNORC1D2LM43PU5.\\F6B7G9 8_H/VK@WYJXZQ";
    let rank = |byte: &u8| COMMON.iter().position(|common| common == byte).unwrap_or(COMMON.len());
    (0..text.len()).max_by_key(|&index| rank(&text[index])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::{Anchor, Case, Needle, fold, is_term_character, upper};

    const PLACES: [Anchor; 7] =
        [Anchor::Whole, Anchor::Start, Anchor::End, Anchor::Anywhere, Anchor::Term, Anchor::TermStart, Anchor::TermEnd];

    /// Searches character by character, as a reference implementation.
    fn slow(text: &str, needle: &str, place: Anchor, case: Case) -> bool {
        let prepare = |text: &str| if case == Case::Ignored { fold(text) } else { text.to_owned() };
        let (text, needle): (Vec<char>, Vec<char>) =
            (prepare(text).chars().collect(), prepare(needle).chars().collect());
        let term =
            |index: Option<usize>| index.and_then(|index| text.get(index)).is_some_and(|c| is_term_character(*c));
        let starts_term =
            matches!(place, Anchor::Term | Anchor::TermStart) && needle.first().is_some_and(|c| is_term_character(*c));
        let ends_term =
            matches!(place, Anchor::Term | Anchor::TermEnd) && needle.last().is_some_and(|c| is_term_character(*c));
        (0..=text.len().saturating_sub(needle.len())).any(|start| {
            let end = start + needle.len();
            text.get(start..end) == Some(&needle[..])
                && (start == 0 || !matches!(place, Anchor::Whole | Anchor::Start))
                && (end == text.len() || !matches!(place, Anchor::Whole | Anchor::End))
                && !(starts_term && term(start.checked_sub(1)))
                && !(ends_term && term(Some(end)))
        })
    }

    #[test]
    fn fast_and_slow_agree() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let alphabet = ['a', 'A', 'b', 'É', 'é', ' ', '-', '1', 'ß', 'ſ', 's', 'K', 'k', 'ⱥ', 'Ⱥ', '😀'];
        let mut word = |most: usize| -> String {
            let length = random.random_range(0..=most);
            (0..length).map(|_| alphabet[random.random_range(0..alphabet.len())]).collect()
        };
        let mut hits = 0;
        for _ in 0..20_000 {
            let (text, needle) = (word(8), word(3));
            for place in PLACES {
                for case in [Case::Matters, Case::Ignored] {
                    let expected = slow(&text, &needle, place, case);
                    hits += usize::from(expected);
                    let found = Needle::new(&needle, place, case).is_in(&text);
                    assert_eq!(found, expected, "{needle:?} in {text:?}, {place:?}, {case:?}");
                }
            }
        }
        assert!(hits > 20_000, "only {hits} hits");
    }

    #[test]
    fn nothing_outside_of_ascii_maps_into_it() {
        assert!(('\u{80}'..=char::MAX).all(|c| !upper(c).is_ascii()));
    }

    #[test]
    fn terms() {
        let has = |text: &str, needle: &str| Needle::new(needle, Anchor::Term, Case::Ignored).is_in(text);
        for (text, needle, expected) in [
            ("North America", "america", true),
            ("North America", "amer", false),
            ("a_b", "a", true),
            ("xvalue1", "value1", false),
            ("xa a", "a", true),
            ("b .b-", " ", true),
            ("xa b", " a", false),
            ("x a-b y", " a", true),
            ("x", "", true),
            ("", "", true),
            ("Zürich Süd", "SÜD", true),
            ("Zürich", "rich", false),
        ] {
            assert_eq!(has(text, needle), expected, "{text:?} has {needle:?}");
        }
    }
}
