//! Searches raw blocks for strings that every matching row contains, so that only records with a hit are parsed.
//!
//! A record may be skipped only if it certainly cannot match, but JSON can hide a string behind escapes. Therefore a
//! needle has only ASCII characters without a short escape (records need not be UTF-8), and a record with a `\u`
//! escape of one of these characters counts as a hit. Needles that are searched in any case are ASCII; the few other
//! characters whose other case is ASCII count as hits, too. There is no needle for values that are not read exactly
//! as written, such as constants and numbers in dynamic columns: the parameter `verbatim` tells which these are.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, Match, packed};
use memchr::memmem;

use crate::entra::powershell;
use crate::entra::spelling::Verbatim;
use crate::scan::{Comparison, Predicate};
use crate::types::Value;

/// Minimum length of a needle in bytes; shorter ones occur in nearly every record.
const MIN_NEEDLE: usize = 3;

/// Maximum number of needles of one search.
const MAX_NEEDLES: usize = 1_000;

/// Up to this number, needles are searched one by one, which is faster than all at once.
const MAX_SEPARATE_SEARCHES: usize = 3;

/// Number of bytes of a case-insensitive needle that are searched in every spelling; the rest is compared at each
/// hit.
const WINDOW: usize = 3;

/// Characters outside ASCII whose lower or upper case has an ASCII letter, each with this letter.
const CASE_TRAPS: [(char, &str); 19] = [
    ('\u{df}', "s"),
    ('\u{130}', "i"),
    ('\u{131}', "i"),
    ('\u{149}', "n"),
    ('\u{17f}', "s"),
    ('\u{1f0}', "j"),
    ('\u{1e96}', "h"),
    ('\u{1e97}', "t"),
    ('\u{1e98}', "w"),
    ('\u{1e99}', "y"),
    ('\u{1e9a}', "a"),
    ('\u{212a}', "k"),
    ('\u{fb00}', "f"),
    ('\u{fb01}', "fi"),
    ('\u{fb02}', "fl"),
    ('\u{fb03}', "fi"),
    ('\u{fb04}', "fl"),
    ('\u{fb05}', "st"),
    ('\u{fb06}', "st"),
];

/// The only character of [`CASE_TRAPS`] in Windows-1252, where its byte equals its code point.
const SHARP_S: char = '\u{df}';

/// A string that must occur in every matching record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordNeedle {
    text: String,
    case_sensitive: bool,
}

impl RecordNeedle {
    /// Returns a needle for the longest part of `text` that JSON always writes unchanged; None if every part is too
    /// short. `nested` is true if the text may span several tokens of an array or object, which may be separated by
    /// whitespace.
    fn new(text: &str, case_sensitive: bool, nested: bool) -> Option<Self> {
        let breaks = |c: char| {
            matches!(c, '"' | '\\' | '/')
                || c.is_control()
                || (nested && matches!(c, '{' | '}' | '[' | ']' | ',' | ':'))
                // Python writes quotes differently, and text that is not UTF-8 characters outside ASCII.
                || c == '\''
                || !c.is_ascii()
        };
        let part = text.split(breaks).max_by_key(|part| part.len())?;
        // PowerShell cmdlets capitalise the keys of nested objects: the needle begins after the start of a key.
        let part = if case_sensitive { powershell::after_key_start(part) } else { part };
        (part.len() >= MIN_NEEDLE).then(|| Self { text: part.to_owned(), case_sensitive })
    }

    /// True if `text` contains the needle, in any case.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.text.to_lowercase())
    }

    /// True if the needle may be a part of a number or literal that is printed differently from how it was written.
    pub(crate) fn may_be_reformatted(&self) -> bool {
        let lower = self.text.to_lowercase();
        may_be_in_number(&lower)
            || ["true", "false", "null", "infinity", "nan"].iter().any(|word| word.contains(&lower))
    }
}

/// True if a number may contain this string: it has at most one point and one exponent, and signs only at the start
/// of the number or exponent.
fn may_be_in_number(lower: &str) -> bool {
    let bytes = lower.trim().as_bytes();
    let count = |wanted: char| lower.matches(wanted).count();
    let is_sign = |byte: u8| matches!(byte, b'-' | b'+');
    bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e') || is_sign(*byte))
        && count('.') <= 1
        && count('e') <= 1
        && bytes.windows(2).all(|pair| !is_sign(pair[1]) || pair[0] == b'e')
}

/// A search for the records that may match.
#[derive(Debug)]
pub(crate) struct Prefilter {
    searches: Vec<NeedleSearch>,
    /// For each code unit below 128, whether its `\u` escape may hide a part of a needle.
    hidden: [bool; 128],
    traps: Vec<char>,
    escape: memmem::Finder<'static>,
    /// Finds times as cmdlets write them, which are converted before they are compared; None if no needle can be a
    /// part of a time.
    times: Option<memmem::Finder<'static>>,
}

#[derive(Debug)]
enum NeedleSearch {
    One(memmem::Finder<'static>),
    /// Up to about a hundred patterns, which are searched in one pass with vector instructions.
    Packed(packed::Searcher, Vec<Vec<CaseCheck>>),
    Several(AhoCorasick, Vec<Vec<CaseCheck>>),
}

/// Bytes that must surround a hit of a window.
#[derive(Debug)]
struct CaseCheck {
    before: usize,
    text: Vec<u8>,
}

impl Prefilter {
    /// Creates the prefilter from predicates, all of which hold for a matching row; None if they allow no search.
    pub(crate) fn new(prune: &[Predicate], verbatim: &dyn Fn(usize, &RecordNeedle) -> Verbatim) -> Option<Self> {
        let needles = best(prune, verbatim)?;
        let letters: String = needles.iter().filter(|n| !n.case_sensitive).map(|n| n.text.to_lowercase()).collect();
        let traps: Vec<char> =
            CASE_TRAPS.iter().filter(|(_, own)| own.chars().any(|c| letters.contains(c))).map(|(c, _)| *c).collect();
        let may_be_time = needles.iter().any(|needle| powershell::may_be_time(&needle.text));
        let mut hidden = [false; 128];
        // Records may be in strings, where an escape of one of these characters is a part of another escape.
        let nested = b"\\u0123456789abcdefABCDEF".iter();
        nested.chain(b"/Date(".iter().filter(|_| may_be_time)).for_each(|byte| hidden[usize::from(*byte)] = true);
        for byte in needles.iter().flat_map(|needle| needle.text.bytes()).filter(u8::is_ascii) {
            hidden[usize::from(byte.to_ascii_lowercase())] = true;
            hidden[usize::from(byte.to_ascii_uppercase())] = true;
        }
        let escape = memmem::Finder::new(b"\\u").into_owned();
        let times = may_be_time.then(|| memmem::Finder::new(b"/Date(").into_owned());
        Some(Self { searches: NeedleSearch::of(&needles, &traps)?, hidden, traps, escape, times })
    }

    /// Returns an iterator over the hits in a text, from its start.
    pub(crate) fn hits(&self) -> PrefilterHits<'_> {
        PrefilterHits { prefilter: self, next: vec![None; self.searches.len() + 1] }
    }

    /// Returns the offset of the first escape or cmdlet time at or after `from` that may hide a needle.
    fn next_hidden(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let time = self.times.as_ref().and_then(|times| Some(from + times.find(bytes.get(from..)?)?));
        let escape = self.next_escape(bytes, from);
        time.into_iter().chain(escape).min()
    }

    fn next_escape(&self, bytes: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let at = from + self.escape.find(bytes.get(from..)?)?;
            if self.may_hide(bytes.get(at + 2..at + 6)) {
                return Some(at);
            }
            from = at + 2;
        }
    }

    fn may_hide(&self, digits: Option<&[u8]>) -> bool {
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(unit) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else { return true };
        match self.hidden.get(unit as usize) {
            Some(hidden) => *hidden,
            None => self.traps.iter().any(|trap| *trap as u32 == unit),
        }
    }

    /// True if the record may match; false if it certainly cannot.
    pub(crate) fn may_match(&self, record: &[u8]) -> bool {
        self.searches.iter().any(|search| search.next(record, 0).is_some()) || self.next_hidden(record, 0).is_some()
    }
}

/// Finds the hits of a prefilter in one text.
pub(crate) struct PrefilterHits<'p> {
    prefilter: &'p Prefilter,
    /// For each search, its next hit; the last entry is the next hit of bytes that may hide a needle. None if not
    /// searched yet.
    next: Vec<Option<usize>>,
}

/// Marks a search that has no further hits.
const EXHAUSTED: usize = usize::MAX;

impl PrefilterHits<'_> {
    /// Returns the offset of the first hit at or after `from`. `from` must not decrease from call to call, so that
    /// each search passes over the text once.
    pub(crate) fn next(&mut self, text: &[u8], from: usize) -> Option<usize> {
        let Self { prefilter, next } = self;
        for (index, next) in next.iter_mut().enumerate() {
            if next.is_none_or(|at| at < from) {
                let hit = match prefilter.searches.get(index) {
                    Some(search) => search.next(text, from),
                    None => prefilter.next_hidden(text, from),
                };
                *next = Some(hit.unwrap_or(EXHAUSTED));
            }
        }
        next.iter().flatten().copied().min().filter(|at| *at != EXHAUSTED)
    }
}

impl NeedleSearch {
    /// Creates searches that together find every needle; None if no search can be built.
    fn of(needles: &[RecordNeedle], traps: &[char]) -> Option<Vec<Self>> {
        if needles.len() <= MAX_SEPARATE_SEARCHES && needles.iter().all(|needle| needle.case_sensitive) {
            let one = |needle: &RecordNeedle| Self::One(memmem::Finder::new(needle.text.as_bytes()).into_owned());
            return Some(needles.iter().map(one).collect());
        }
        Self::new(needles, traps).map(|search| vec![search])
    }

    fn new(needles: &[RecordNeedle], traps: &[char]) -> Option<Self> {
        // Patterns without a check come first: of several patterns that match at one position, the first is found.
        let (plain, caseless): (Vec<_>, Vec<_>) = needles.iter().partition(|needle| needle.case_sensitive);
        let plain = plain.iter().map(|needle| needle.text.as_bytes().to_vec());
        // Text that is not UTF-8 may contain the Windows-1252 byte of `ß`.
        let windows = traps.contains(&SHARP_S).then(|| vec![SHARP_S as u8]);
        let plain = plain.chain(traps.iter().map(|trap| trap.to_string().into_bytes())).chain(windows);
        let mut windows: BTreeMap<Vec<u8>, Vec<CaseCheck>> = BTreeMap::new();
        for needle in caseless {
            for (window, check) in case_windows(&needle.text) {
                windows.entry(window).or_default().push(check);
            }
        }
        let plain = plain.map(|text| (text, Vec::new()));
        let patterns: Vec<(Vec<u8>, Vec<CaseCheck>)> = plain.chain(windows).collect();
        let (texts, checks): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        if let Some(search) = packed::Searcher::new(&texts) {
            return Some(Self::Packed(search, checks));
        }
        AhoCorasick::new(&texts).ok().map(|search| Self::Several(search, checks))
    }

    fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        match self {
            Self::One(finder) => Some(from + finder.find(rest)?),
            Self::Packed(search, checks) => first_checked(bytes, from, checks, |rest| search.find(rest)),
            Self::Several(search, checks) => first_checked(bytes, from, checks, |rest| search.find(rest)),
        }
    }
}

/// Returns the offset of the first hit of `find` at or after `from` whose check succeeds.
fn first_checked(
    bytes: &[u8],
    mut from: usize,
    checks: &[Vec<CaseCheck>],
    find: impl Fn(&[u8]) -> Option<Match>,
) -> Option<usize> {
    loop {
        let hit = find(bytes.get(from..)?)?;
        let at = from + hit.start();
        let checks = &checks[hit.pattern().as_usize()];
        if checks.is_empty() || checks.iter().any(|check| check.passes(bytes, at)) {
            return Some(at);
        }
        from = at + 1;
    }
}

impl CaseCheck {
    fn passes(&self, bytes: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(self.before) else { return false };
        bytes.get(start..start + self.text.len()).is_some_and(|found| found.eq_ignore_ascii_case(&self.text))
    }
}

/// Returns the rarest window of a needle in every combination of cases, each with the check of the bytes around it.
fn case_windows(text: &str) -> Vec<(Vec<u8>, CaseCheck)> {
    let bytes = text.as_bytes();
    let rarity = |window: &[u8]| window.iter().map(|byte| u32::from(commonness(*byte))).sum::<u32>();
    let before = (0..=bytes.len() - WINDOW).min_by_key(|&at| rarity(&bytes[at..at + WINDOW])).unwrap_or(0);
    let mut spellings: Vec<Vec<u8>> = vec![Vec::new()];
    for byte in &bytes[before..before + WINDOW] {
        let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        let different = if cases[0] == cases[1] { &cases[..1] } else { &cases[..] };
        spellings = spellings
            .iter()
            .flat_map(|spelling| different.iter().map(|case| [spelling.as_slice(), &[*case]].concat()))
            .collect();
    }
    spellings.into_iter().map(|spelling| (spelling, CaseCheck { before, text: bytes.to_vec() })).collect()
}

/// Estimates how often a byte occurs in exported records: 0 for rarely, 3 for often.
fn commonness(byte: u8) -> u8 {
    match byte.to_ascii_lowercase() {
        b'e' | b'a' | b'i' | b'n' | b't' | b'o' | b'r' | b's' | b'd' | b'-' | b'0'..=b'9' => 3,
        b'b' | b'c' | b'f' | b'l' | b'm' | b'p' | b'u' | b' ' | b'.' | b':' | b',' => 2,
        b'g' | b'h' | b'k' | b'v' | b'w' | b'y' => 1,
        _ => 0,
    }
}

/// Returns the needles of the predicate with the longest ones; all predicates of `list` hold for a matching row.
fn best(list: &[Predicate], verbatim: &dyn Fn(usize, &RecordNeedle) -> Verbatim) -> Option<Vec<RecordNeedle>> {
    let shortest = |needles: &Vec<RecordNeedle>| needles.iter().map(|needle| needle.text.len()).min();
    list.iter().filter_map(|predicate| needles(predicate, verbatim)).max_by_key(shortest)
}

/// Returns strings of which each row that fulfils the predicate contains at least one; None if there are no such
/// strings.
fn needles(predicate: &Predicate, verbatim: &dyn Fn(usize, &RecordNeedle) -> Verbatim) -> Option<Vec<RecordNeedle>> {
    let one = |column: usize, text: &str, case_sensitive: bool, nested: bool| {
        let needle = RecordNeedle::new(text, case_sensitive, nested)?;
        match verbatim(column, &needle) {
            Verbatim::AsWritten => Some(needle),
            Verbatim::InAnyCase => {
                RecordNeedle::new(text, false, nested).filter(|needle| verbatim(column, needle) != Verbatim::No)
            }
            Verbatim::No => None,
        }
    };
    // A string column contains nested JSON as text that begins with a bracket; any other text is one token.
    let nested = |text: &str| text.starts_with(['{', '[']);
    let found = match predicate {
        Predicate::Compare { column, comparison: Comparison::Equal, value: Value::String(text) } => {
            vec![one(*column, text, true, nested(text))?]
        }
        Predicate::Compare { .. } => return None,
        Predicate::OneOf { column, values, case_sensitive } => values
            .iter()
            .map(|value| value.as_str().and_then(|text| one(*column, text, *case_sensitive, nested(text))))
            .collect::<Option<Vec<_>>>()?,
        Predicate::Contains { column, needle, case_sensitive } => vec![one(*column, needle, *case_sensitive, true)?],
        Predicate::All(list) => best(list, verbatim)?,
        Predicate::Any(list) => {
            let all = list.iter().map(|predicate| needles(predicate, verbatim)).collect::<Option<Vec<_>>>()?;
            // A search over all columns has the same needle for each of them.
            let mut different: Vec<RecordNeedle> = Vec::new();
            for needle in all.into_iter().flatten() {
                if different.len() > MAX_NEEDLES {
                    return None;
                }
                if !different.contains(&needle) {
                    different.push(needle);
                }
            }
            different
        }
    };
    (found.len() <= MAX_NEEDLES).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{CASE_TRAPS, Prefilter};
    use crate::entra::spelling::Verbatim;
    use crate::scan::{Comparison, Predicate};
    use crate::types::Value;

    fn equal(text: &str) -> Predicate {
        Predicate::Compare { column: 0, comparison: Comparison::Equal, value: Value::string(text) }
    }

    fn prefilter(predicate: Predicate) -> Option<Prefilter> {
        Prefilter::new(&[predicate], &|_, _| Verbatim::AsWritten)
    }

    #[test]
    fn case_traps_are_complete() {
        let ascii = |c: char| -> String {
            c.to_lowercase().chain(c.to_uppercase()).filter(char::is_ascii).map(|c| c.to_ascii_lowercase()).collect()
        };
        for c in ('\u{80}'..=char::MAX).filter(|&c| !ascii(c).is_empty()) {
            let known = CASE_TRAPS.iter().find(|(trap, _)| *trap == c);
            assert!(known.is_some_and(|(_, own)| own.chars().any(|own| ascii(c).contains(own))), "{:x}", c as u32);
        }
    }

    #[test]
    fn escapes_that_can_hide_a_needle_are_hits() {
        let filter = prefilter(equal("bg-admin-01@contoso.com")).expect("a needle");
        let hit = |text: &str| filter.may_match(text.as_bytes());
        assert!(hit(r#"{"u":"bg-admin-01@contoso.com"}"#));
        assert!(hit(r#"{"u":"bg-admin-01\u0040contoso.com"}"#));
        assert!(hit(r#"{"u":"\u0062g-admin-01@contoso.com"}"#));
        assert!(!hit(r#"{"u":"J\u00f6rg \u0027x\u0027","v":"a\"b\\c\n"}"#));
        assert!(!hit(r#"{"u":"BG-admin-01@contoso.com"}"#));
        // Records in strings.
        assert!(hit(r#"{"r":"{\"u\":\"bg-admin-01\\u0040contoso.com\"}"}"#));
        assert!(hit(r#"{"r":"{\"u\":\"bg-admin-01\u005cu0040contoso.com\"}"}"#));
        assert!(hit(r#"{"r":"{\"u\":\"bg-admin-01\\\u00750040contoso.com\"}"}"#));
    }

    #[test]
    fn needles_without_case() {
        let one_of =
            |text: &str| Predicate::OneOf { column: 0, values: vec![Value::string(text)], case_sensitive: false };
        let filter = prefilter(one_of("Kim@contoso.com")).expect("a needle");
        let hit = |text: &str| filter.may_match(text.as_bytes());
        assert!(hit("kIM@CONTOSO.COM"));
        assert!(hit("\u{212a}im@contoso.com"), "the Kelvin sign is a k in another case");
        assert!(!hit("tim@contoso.com"));
    }

    #[test]
    fn needles_that_share_a_beginning() {
        let values = ["bg-admin-01", "bg-admin-02", "bg-admin"].map(Value::string);
        for (case_sensitive, count) in [(false, 2), (false, 3), (true, 2)] {
            let values = values[..count].to_vec();
            let filter = prefilter(Predicate::OneOf { column: 0, values, case_sensitive }).expect("needles");
            let hit = |text: &str| filter.may_match(text.as_bytes());
            assert!(hit("x bg-admin-01") && hit("x bg-admin-02"));
            assert_eq!(hit("x BG-admin-02"), !case_sensitive);
            assert_eq!(hit("x bg-admin-03"), count == 3);
        }
    }

    #[test]
    fn parts_of_numbers() {
        for text in ["12", "1.5", "-1e-5", "e+10", ".25", "1E"] {
            assert!(super::may_be_in_number(&text.to_lowercase()), "{text}");
        }
        for text in ["203.0.113.71", "2024-01-02", "1-", "e1e", "12a"] {
            assert!(!super::may_be_in_number(text), "{text}");
        }
    }

    #[test]
    fn one_needle_for_all_columns() {
        let contains = |column| Predicate::Contains { column, needle: "requests".to_owned(), case_sensitive: false };
        let any = Predicate::Any((0..100).map(contains).collect());
        assert_eq!(super::needles(&any, &|_, _| Verbatim::AsWritten).map(|needles| needles.len()), Some(1));
    }

    #[test]
    fn what_cannot_be_searched_is_not() {
        assert!(prefilter(equal("0")).is_none());
        assert!(prefilter(equal("a\"b\\c")).is_none());
        assert!(prefilter(Predicate::Any(vec![equal("contoso"), equal("x")])).is_none());
        assert!(prefilter(Predicate::All(vec![equal("contoso"), equal("x")])).is_some());
        assert!(Prefilter::new(&[equal("contoso")], &|_, _| Verbatim::No).is_none());
    }
}
