//! A text to look for in other texts: as a whole, at an end, anywhere, or as a term; with case or without.
//!
//! Case is ignored by mapping each character to upper case, where that is one character, as comparisons by ordinal do.
//! No character outside of ASCII maps to one inside, so an ASCII needle is searched in the bytes as they are.

use memchr::{memchr2_iter, memmem};

/// Where a needle has to stand.
///
/// A term is a run of letters and digits. Where a needle begins with a letter or digit, a term has to begin there too;
/// where it begins with anything else, that is no condition. The same holds for its end. Source: the reference's page
/// on string operators, and the engine's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the whole text.
    Whole,
    /// At the start of the text.
    Start,
    /// At the end of the text.
    End,
    /// Anywhere.
    Anywhere,
    /// From the start to the end of a term, or of several.
    Term,
    /// At the start of a term.
    TermStart,
    /// At the end of a term.
    TermEnd,
}

/// Whether `a` and `A` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They are not.
    Matters,
    /// They are.
    Ignored,
}

/// A text to look for, prepared for many searches.
#[derive(Debug)]
pub struct Needle {
    /// In upper case where case is ignored.
    text: String,
    place: Place,
    search: Search,
}

#[derive(Debug)]
enum Search {
    /// Byte by byte.
    Exact(memmem::Finder<'static>),
    /// An ASCII text whose letters stand for both cases; `offset` is where its rarest byte is.
    AsciiIgnoringCase { offset: usize },
    /// In the text brought to upper case.
    Folded(memmem::Finder<'static>),
}

impl Needle {
    /// `text`, to be found at `place`.
    #[must_use]
    pub fn new(text: &str, place: Place, case: Case) -> Self {
        let finder = |text: &str| memmem::Finder::new(text).into_owned();
        let (text, search) = match case {
            Case::Matters => (text.to_owned(), Search::Exact(finder(text))),
            // Without letters there is one case only.
            Case::Ignored if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()) => {
                (text.to_owned(), Search::Exact(finder(text)))
            }
            Case::Ignored if text.is_ascii() => {
                let text = text.to_ascii_uppercase();
                let offset = rarest(text.as_bytes());
                (text, Search::AsciiIgnoringCase { offset })
            }
            Case::Ignored => {
                let text = fold(text);
                let search = Search::Folded(finder(&text));
                (text, search)
            }
        };
        Self { text, place, search }
    }

    /// True where the needle stands in `text` at its place.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        match self.place {
            Place::Whole => self.is_whole(text),
            Place::Start => self.is_start(text),
            Place::End => self.is_end(text),
            Place::Anywhere | Place::Term | Place::TermStart | Place::TermEnd => self.is_inside(text),
        }
    }

    fn is_whole(&self, text: &str) -> bool {
        match self.search {
            Search::Exact(_) => text == self.text,
            Search::AsciiIgnoringCase { .. } => text.eq_ignore_ascii_case(&self.text),
            Search::Folded(_) => text.chars().map(upper).eq(self.text.chars()),
        }
    }

    fn is_start(&self, text: &str) -> bool {
        match self.search {
            Search::Exact(_) => text.starts_with(&self.text),
            Search::AsciiIgnoringCase { .. } => {
                let start = text.as_bytes().get(..self.text.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(self.text.as_bytes()))
            }
            Search::Folded(_) => begins(text.chars().map(upper), self.text.chars()),
        }
    }

    fn is_end(&self, text: &str) -> bool {
        match self.search {
            Search::Exact(_) => text.ends_with(&self.text),
            Search::AsciiIgnoringCase { .. } => {
                let start = text.len().checked_sub(self.text.len());
                start.is_some_and(|start| text.as_bytes()[start..].eq_ignore_ascii_case(self.text.as_bytes()))
            }
            Search::Folded(_) => begins(text.chars().rev().map(upper), self.text.chars().rev()),
        }
    }

    fn is_inside(&self, text: &str) -> bool {
        if self.text.is_empty() {
            return true;
        }
        match &self.search {
            Search::Exact(finder) => self.any_in_place(text, occurrences(finder, text)),
            Search::AsciiIgnoringCase { offset } => self.any_in_place(text, self.ascii_occurrences(text, *offset)),
            Search::Folded(_) if text.is_ascii() => false,
            Search::Folded(finder) => {
                let text = fold(text);
                self.any_in_place(&text, occurrences(finder, &text))
            }
        }
    }

    /// Where the needle begins in `text`, whatever its case.
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
            matches!(self.place, Place::Term | Place::TermStart) && self.text.starts_with(is_term_character);
        let ends_term = matches!(self.place, Place::Term | Place::TermEnd) && self.text.ends_with(is_term_character);
        starts.any(|start| {
            let (before, after) = (&text[..start], &text[start + self.text.len()..]);
            !(starts_term && before.ends_with(is_term_character) || ends_term && after.starts_with(is_term_character))
        })
    }
}

/// Every start of the finder's text in `text`, overlapping ones too.
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

/// True where `text[start..end]`, which is not empty, is a whole term or several: see [`Place`].
#[must_use]
pub fn is_term_at(text: &str, start: usize, end: usize) -> bool {
    let (before, found, after) = (&text[..start], &text[start..end], &text[end..]);
    !(found.starts_with(is_term_character) && before.ends_with(is_term_character)
        || found.ends_with(is_term_character) && after.starts_with(is_term_character))
}

/// A letter or a digit of any script.
fn is_term_character(c: char) -> bool {
    c.is_alphanumeric()
}

/// `text` with every character in upper case.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// The same, in the place of what `folded` holds.
pub fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_uppercase();
    } else {
        folded.extend(text.chars().map(upper));
    }
}

/// The character in upper case, where that is one character. Two letters of other scripts that map into ASCII stay as
/// they are: the dotless i and the long s.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) if c.is_ascii() || !upper.is_ascii() => upper,
        _ => c,
    }
}

/// The position of the byte of an upper case text that is least common in logs.
fn rarest(text: &[u8]) -> usize {
    /// From the most common byte on; letters stand for both of their cases.
    const COMMON: &[u8] = b"E\":,0-IASTNORC1D2LM43PU5.\\F6B7G9 8_H/VK@WYJXZQ";
    let rank = |byte: &u8| COMMON.iter().position(|common| common == byte).unwrap_or(COMMON.len());
    (0..text.len()).max_by_key(|&index| rank(&text[index])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::{Case, Needle, Place, fold, is_term_character, upper};

    const PLACES: [Place; 7] =
        [Place::Whole, Place::Start, Place::End, Place::Anywhere, Place::Term, Place::TermStart, Place::TermEnd];

    /// The definition, character by character.
    fn slow(text: &str, needle: &str, place: Place, case: Case) -> bool {
        let prepare = |text: &str| if case == Case::Ignored { fold(text) } else { text.to_owned() };
        let (text, needle): (Vec<char>, Vec<char>) =
            (prepare(text).chars().collect(), prepare(needle).chars().collect());
        let term =
            |index: Option<usize>| index.and_then(|index| text.get(index)).is_some_and(|c| is_term_character(*c));
        let starts_term =
            matches!(place, Place::Term | Place::TermStart) && needle.first().is_some_and(|c| is_term_character(*c));
        let ends_term =
            matches!(place, Place::Term | Place::TermEnd) && needle.last().is_some_and(|c| is_term_character(*c));
        (0..=text.len().saturating_sub(needle.len())).any(|start| {
            let end = start + needle.len();
            text.get(start..end) == Some(&needle[..])
                && (start == 0 || !matches!(place, Place::Whole | Place::Start))
                && (end == text.len() || !matches!(place, Place::Whole | Place::End))
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
        let has = |text: &str, needle: &str| Needle::new(needle, Place::Term, Case::Ignored).is_in(text);
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
