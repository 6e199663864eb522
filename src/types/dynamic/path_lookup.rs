//! Looks up one path in many values, by searching for the keys instead of walking through the entries before them.

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::skip::{skip_whitespace, value_end};
use super::{Path, Step, get_index, get_member, quote};

/// A path that is prepared for being looked up in many values. The results are those of [`extract`](super::extract).
#[derive(Clone, Debug)]
pub struct PathLookup {
    steps: Vec<LookupStep>,
}

impl PathLookup {
    /// Prepares `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let step = |step: &Step| match step {
            Step::Member(key) => LookupStep::Member(Box::new(MemberLookup::new(key))),
            Step::Index(index) => LookupStep::Index(*index),
        };
        Self { steps: path.steps.iter().map(step).collect() }
    }

    /// Returns the value at the path inside `json`; None if there is none. A JSON `null` is Some.
    #[must_use]
    pub fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        self.steps.iter().try_fold(json, |json, step| match step {
            LookupStep::Member(member) => member.find(json),
            LookupStep::Index(index) => get_index(json, *index),
        })
    }
}

#[derive(Clone, Debug)]
enum LookupStep {
    Member(Box<MemberLookup>),
    Index(i64),
}

#[derive(Clone, Debug)]
struct MemberLookup {
    key: String,
    /// Finds the key as JSON, with its quotes; None if the first of them could be the end of another string.
    quoted: Option<Finder<'static>>,
}

/// What a search for a key shows.
enum KeySearch<'a> {
    Value(&'a str),
    Nothing,
    /// Only a walk through the entries shows the value.
    Unclear,
}

impl MemberLookup {
    fn new(key: &str) -> Self {
        let mut quoted = String::with_capacity(key.len() + 2);
        quote(key, &mut quoted);
        let follows_strings = key.starts_with([',', ':', '}', ']', ' ', '\t', '\n', '\r']);
        let quoted = (!follows_strings).then(|| Finder::new(&quoted).into_owned());
        Self { key: key.to_owned(), quoted }
    }

    fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        match self.search(json) {
            KeySearch::Value(value) => Some(value),
            KeySearch::Nothing => None,
            KeySearch::Unclear => get_member(json, &self.key),
        }
    }

    /// Searches for the key in quotes. Without a backslash, every quote begins or ends a string, so a quoted key before a
    /// colon is a key. It belongs to the outermost bag if no other bracket is open before it.
    fn search<'a>(&self, json: &'a str) -> KeySearch<'a> {
        let bytes = json.as_bytes();
        let open = skip_whitespace(bytes, 0);
        if bytes.get(open) != Some(&b'{') {
            return KeySearch::Nothing;
        }
        let Some(quoted) = self.quoted.as_ref().filter(|_| memchr(b'\\', bytes).is_none()) else {
            return KeySearch::Unclear;
        };
        let Some(key) = quoted.find(bytes) else { return KeySearch::Nothing };
        let colon = skip_whitespace(bytes, key + quoted.needle().len());
        let is_outermost = memchr2(b'{', b'[', &bytes[open + 1..key]).is_none();
        // A later one may have the same key, whose value counts then.
        let is_only = || quoted.find(&bytes[colon..]).is_none();
        if bytes.get(colon) != Some(&b':') || !is_outermost || !is_only() {
            return KeySearch::Unclear;
        }
        let start = skip_whitespace(bytes, colon + 1);
        json.get(start..value_end(bytes, start)).map_or(KeySearch::Unclear, KeySearch::Value)
    }
}
