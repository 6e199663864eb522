//! Splits a string into terms and the separators around them.

/// The characters that separate terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermSeparators {
    /// All characters but letters and digits.
    NonAlphanumeric,
    /// The characters that the query lists.
    Listed(Vec<char>),
}

/// A string, split into terms.
#[derive(Debug)]
pub struct DividedString<'v> {
    /// The terms, none of them empty.
    pub terms: Vec<&'v str>,
    /// The text before each term, and then the text after the last one.
    pub separators: Vec<&'v str>,
}

impl TermSeparators {
    fn contains(&self, c: char) -> bool {
        match self {
            Self::NonAlphanumeric => !c.is_alphanumeric(),
            Self::Listed(characters) => characters.contains(&c),
        }
    }

    /// Splits `text` into terms and separators.
    #[must_use]
    pub fn divide<'v>(&self, text: &'v str) -> DividedString<'v> {
        let (mut terms, mut separators) = (Vec::new(), Vec::new());
        let mut rest = text;
        loop {
            let begin = rest.find(|c| !self.contains(c)).unwrap_or(rest.len());
            let (separator, after) = rest.split_at(begin);
            separators.push(separator);
            if after.is_empty() {
                return DividedString { terms, separators };
            }
            let end = after.find(|c| self.contains(c)).unwrap_or(after.len());
            let (term, after) = after.split_at(end);
            terms.push(term);
            rest = after;
        }
    }

    /// Returns the pattern of a group. A term of None becomes the wildcard `*`. Separators that the query lists are
    /// omitted beside a wildcard.
    #[must_use]
    pub fn pattern(&self, terms: &[Option<&str>], separators: &[&str]) -> String {
        let mut pattern = String::new();
        let is_wildcard = |at: usize| terms.get(at).is_some_and(Option::is_none);
        for (at, separator) in separators.iter().enumerate() {
            let is_beside_wildcard = is_wildcard(at) || at.checked_sub(1).is_some_and(is_wildcard);
            if !is_beside_wildcard || *self == Self::NonAlphanumeric {
                pattern.push_str(separator);
            }
            match terms.get(at) {
                Some(Some(term)) => pattern.push_str(term),
                Some(None) if !pattern.ends_with('*') || !separator.is_empty() && *self == Self::NonAlphanumeric => {
                    pattern.push('*');
                }
                _ => {}
            }
        }
        pattern
    }
}
