//! Records inside other values.
//!
//! Services, collectors and search tools put records into wrappers of any kind: under one key more, in arrays, in batches
//! of answers, as text in a string. What an unrecognised value holds is found by looking into its members, elements and
//! strings for objects with the keys of a record. Depth and the bytes of strings are bounded.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::records::{MAX_RECORD_BYTES, ValueSplitter, holds_records, is_sequence};
use crate::scan::result_pages::ResultPage;
use crate::types::dynamic::{self, Kind};

use crate::entra::powershell;

/// Values around a record: a record in a string of an element of a list in an object, and as much once more.
const MAX_DEPTH: usize = 12;

/// Bytes of all strings of one value that are looked into.
const MAX_STRING_BYTES: usize = 2 * MAX_RECORD_BYTES;

/// The member with the original record, in the results of Splunk.
const RAW: &str = "_raw";

/// What an unrecognised value holds.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// Records and answers, in order.
    pub records: Vec<Held>,
    /// Pages of answers, each with its offset in the value.
    pub pages: Vec<(usize, ResultPage)>,
    /// Errors that services returned in place of records, by their codes.
    pub errors: Vec<String>,
    /// True if an error stands beside records.
    pub is_partial: bool,
    /// True if there are more strings than are looked into.
    pub is_cut: bool,
}

/// A record inside a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The record.
    pub text: HeldText,
    /// The offset in the value of the record, or of the string that holds it.
    pub at: usize,
    /// An offset that no other record of the value has, in the order of the records.
    pub rank: usize,
    /// True for tables with rows in place of a record.
    pub is_answer: bool,
    /// The number of the innermost element of an array around the record; 0 outside of arrays.
    element: usize,
}

/// The text of a record inside a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeldText {
    /// A part of the value.
    Plain(Range<usize>),
    /// The text that a string of the value stands for, or a part of it.
    Decoded(String),
}

/// Looks into `value`, which is JSON and itself no record.
pub(super) fn look_inside(value: &str) -> Inside {
    let mut walk = Walk { found: Inside::default(), string_bytes: 0, elements: 0 };
    let level = Level { text: value, holder: None, rank: 0, depth: 0, element: 0 };
    walk.value(value.trim_ascii(), level);
    let mut found = walk.found;
    drop_copies(&mut found.records, value);
    found
}

/// True for an error that a service returned in place of records.
pub(super) fn error_answer(value: &str) -> Option<String> {
    if dynamic::kind(value) != Kind::Bag {
        return None;
    }
    let mut code = None;
    for entry in dynamic::entries(value) {
        let key = entry.key.text();
        match &*key {
            "error" | "odata.error" => code = error_code(entry.value),
            "error_description" | "error_codes" | "error_uri" | "timestamp" | "trace_id" | "correlation_id" => {}
            key if key.starts_with('@') => {}
            _ => return None,
        }
    }
    code
}

/// The code of an error, "" if it has a message alone; None for what is no error.
fn error_code(error: &str) -> Option<String> {
    if dynamic::kind(error) == Kind::String {
        return Some(dynamic::to_text(error).into_owned()).filter(|text| !text.trim().is_empty());
    }
    let code = dynamic::get_member(error, "code").map(dynamic::to_text);
    let message = dynamic::get_member(error, "message");
    (code.is_some() || message.is_some()).then(|| code.unwrap_or_default().into_owned())
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Level<'a> {
    /// The text that the value is a part of: the outermost value, or a string that was decoded.
    text: &'a str,
    /// For a string, its offset in the outermost value.
    holder: Option<usize>,
    /// The rank of the first byte of the text.
    rank: usize,
    depth: usize,
    element: usize,
}

impl Level<'_> {
    /// The offset of a part of the text.
    fn offset_of(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn below(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

struct Walk {
    found: Inside,
    string_bytes: usize,
    /// Elements of arrays so far.
    elements: usize,
}

impl Walk {
    fn value(&mut self, value: &str, level: Level<'_>) {
        if level.depth > MAX_DEPTH {
            return;
        }
        match value.as_bytes().first() {
            Some(b'{') => self.object(value, level),
            Some(b'[') => {
                dynamic::elements(value).for_each(|element| self.element(element, level.below()));
            }
            Some(b'"') if may_hold_json(value) => self.string(value, level),
            _ => {}
        }
    }

    fn element(&mut self, element: &str, level: Level<'_>) {
        self.elements += 1;
        self.value(element, Level { element: self.elements, ..level });
    }

    fn string(&mut self, quoted: &str, level: Level<'_>) {
        self.string_bytes = self.string_bytes.saturating_add(quoted.len());
        if self.string_bytes > MAX_STRING_BYTES {
            self.found.is_cut = true;
            return;
        }
        let decoded = dynamic::unescape(quoted);
        let text = decoded.trim_ascii();
        let offset = level.offset_of(quoted);
        let inside =
            Level { text, holder: Some(level.holder.unwrap_or(offset)), rank: level.rank + offset, ..level.below() };
        if dynamic::validate(text.as_bytes()).is_ok() {
            self.value(text, inside);
        } else if is_sequence(text.as_bytes()) {
            for span in ValueSplitter::default().split(text.as_bytes(), false).0 {
                self.element(&text[span.start..span.end], inside);
            }
        }
    }

    fn object(&mut self, object: &str, level: Level<'_>) {
        let keys = Keys::of(object);
        let is_inner = level.depth > 0;
        let before = self.found.records.len();
        if let Some(raw) = keys.raw {
            self.value(raw, level.below());
            if self.found.records.len() > before {
                return;
            }
        }
        if is_inner && keys.is_record() {
            return self.keep(object, level, false);
        }
        if let Some(code) = error_answer(object).or_else(|| keys.failed_response()) {
            return self.found.errors.push(code);
        }
        if keys.has_tables && holds_records(object.as_bytes()) {
            return self.keep(object, level, true);
        }
        for entry in dynamic::entries(object) {
            // What stands in an envelope is a part of its record, even if the envelope is damaged.
            let is_part = keys.is_envelope() || (keys.is_of_envelope() && entry.key.is("properties"));
            if !is_part {
                self.value(entry.value, level.below());
            }
        }
        let holds_some = self.found.records.len() > before;
        self.found.is_partial |= holds_some && keys.failed;
        if keys.is_page {
            let offset = level.holder.unwrap_or_else(|| level.offset_of(object));
            self.found.pages.push((offset, ResultPage::of(object.as_bytes(), object.len())));
        }
    }

    fn keep(&mut self, record: &str, level: Level<'_>, is_answer: bool) {
        let offset = level.offset_of(record);
        let (text, at) = match level.holder {
            None => (HeldText::Plain(offset..offset + record.len()), offset),
            Some(holder) => (HeldText::Decoded(record.to_owned()), holder),
        };
        let (rank, element) = (level.rank + offset, level.element);
        self.found.records.push(Held { text, at, rank, is_answer, element });
    }
}

/// True for a string that begins as an object, an array or another such string does.
fn may_hold_json(quoted: &str) -> bool {
    let mut inside = quoted.as_bytes().get(1..).unwrap_or_default();
    loop {
        inside = match inside {
            [b'{' | b'[', ..] | [b'\\', b'"' | b'u', ..] => return true,
            [b' ', rest @ ..] | [b'\\', b'n' | b'r' | b't', rest @ ..] => rest,
            _ => return false,
        };
    }
}

/// Keeps one of several records in the members of one object, if they are the same: collectors keep the original as text
/// beside what they made of it. Elements of arrays are apart, even if they are the same.
fn drop_copies(records: &mut Vec<Held>, value: &str) {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    records.iter().for_each(|held| *counts.entry(held.element).or_default() += 1);
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    records.retain(|held| {
        let text = match &held.text {
            HeldText::Plain(range) => &value[range.clone()],
            HeldText::Decoded(text) => text,
        };
        counts[&held.element] == 1 || seen.insert((held.element, dynamic::canonical(text)))
    });
}

/// What the keys of an object tell about it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "keys that are there, each by itself")]
struct Keys<'a> {
    time: bool,
    category: bool,
    has_category: bool,
    properties: bool,
    time_generated: bool,
    created: bool,
    activity: bool,
    initiated_by: bool,
    has_tables: bool,
    is_page: bool,
    failed: bool,
    /// Keys of sign-ins, and whether one of them tells sign-ins from other objects.
    of_sign_in: usize,
    is_sign_in: bool,
    raw: Option<&'a str>,
    status: Option<&'a str>,
    body: Option<&'a str>,
}

/// Keys of sign-ins that other objects hardly have, and others.
const SIGN_IN_KEYS: [&str; 8] = [
    "ipAddress",
    "clientAppUsed",
    "conditionalAccessStatus",
    "correlationId",
    "isInteractive",
    "signInEventTypes",
    "userAgent",
    "resultType",
];
const OTHER_KEYS: [&str; 8] = [
    "userPrincipalName",
    "userId",
    "appId",
    "appDisplayName",
    "resourceDisplayName",
    "deviceDetail",
    "servicePrincipalId",
    "riskState",
];

impl<'a> Keys<'a> {
    fn of(object: &'a str) -> Self {
        let mut keys = Self::default();
        for entry in dynamic::entries(object) {
            keys.note(&entry.key.text(), entry.value);
        }
        keys
    }

    fn note(&mut self, key: &str, value: &'a str) {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        self.time |= is("time");
        self.category |= is("category") && value.len() > 2;
        self.has_category |= is("category");
        self.properties |= (is("properties") && (value.starts_with('{') || may_hold_json(value)))
            || ["properties.", "properties_", "properties/"].iter().any(|start| key.starts_with(start));
        self.time_generated |= key == "TimeGenerated";
        self.created |= is("createdDateTime");
        self.activity |= is("activityDateTime");
        self.initiated_by |= is("initiatedBy");
        self.has_tables |= is("tables") && value.starts_with('[');
        self.is_page |= (is("value") && value.starts_with('[')) || names_page(key);
        self.failed |= is("error") && matches!(dynamic::kind(value), Kind::Bag | Kind::String) && value.len() > 2;
        if SIGN_IN_KEYS.iter().any(|name| is(name)) {
            (self.of_sign_in, self.is_sign_in) = (self.of_sign_in + 1, true);
        }
        self.of_sign_in += usize::from(OTHER_KEYS.iter().any(|name| is(name)));
        match key {
            RAW => self.raw = Some(value).filter(|value| value.starts_with('"') && may_hold_json(value)),
            "body" => self.body = Some(value),
            "status" | "Status" if value.starts_with('{') || powershell::is_cut(value) => {
                (self.of_sign_in, self.is_sign_in) = (self.of_sign_in + 1, true);
            }
            "status" => self.status = Some(value),
            _ if key.starts_with("status.") || key.starts_with("status_") => self.is_sign_in = true,
            _ => {}
        }
    }

    /// True for the keys of a record: beside a time of creation, which many objects have, three of a sign-in.
    fn is_record(&self) -> bool {
        (self.time && self.category && self.properties)
            || self.time_generated
            || (self.activity && self.initiated_by)
            || (self.created && self.is_sign_in && self.of_sign_in >= 2)
    }

    /// True for the time and the category of diagnostic settings.
    fn is_envelope(&self) -> bool {
        self.time && self.has_category
    }

    /// True for one of both.
    fn is_of_envelope(&self) -> bool {
        self.time || self.has_category
    }

    /// The code of a response of a batch that is an error.
    fn failed_response(&self) -> Option<String> {
        let status = self.status.filter(|_| self.body.is_some())?;
        let number: u16 = dynamic::to_text(status).parse().ok().filter(|number| (400..600).contains(number))?;
        let code = self.body.and_then(|body| dynamic::get_member(body, "error")).and_then(error_code);
        Some(format!("{number} {}", code.unwrap_or_default()).trim_end().to_owned())
    }
}

fn names_page(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("nextlink") || key == "@odata.context"
}

#[cfg(test)]
mod tests {
    use super::{HeldText, error_answer, look_inside};

    const RECORD: &str = r#"{"createdDateTime":"2026-03-02T09:00:00Z","id":"1","ipAddress":"203.0.113.7","appId":"a"}"#;

    fn quoted(text: &str) -> String {
        serde_json::to_string(text).expect("a string")
    }

    /// The records inside a value, each with the byte that leads to it.
    fn records(value: &str) -> Vec<(usize, String)> {
        let text = |held: HeldText| match held {
            HeldText::Plain(range) => value[range].to_owned(),
            HeldText::Decoded(text) => text,
        };
        look_inside(value).records.into_iter().map(|held| (held.at, text(held.text))).collect()
    }

    #[test]
    fn records_are_found_inside_of_anything() {
        let string = quoted(RECORD);
        let twice = quoted(&quoted(RECORD));
        for (wrapper, inner) in [
            ("{\"event\":@}", RECORD),
            ("{\"took\":1,\"hits\":{\"total\":1,\"hits\":[{\"_source\":@}]}}", RECORD),
            ("{\"preview\":false,\"result\":{\"_raw\":@,\"_time\":\"x\"}}", &string),
            ("{\"message\":@}", &twice),
            ("[1,\"x\",[@]]", &string),
            ("@", &string),
        ] {
            let value = wrapper.replace('@', inner);
            let at = wrapper.find('@').expect("a place");
            assert_eq!(records(&value), [(at, RECORD.to_owned())], "{value}");
        }
        let lines = quoted(&format!("{RECORD}\n{RECORD}\n"));
        assert_eq!(records(&format!("{{\"body\":{lines}}}")).len(), 2);
        let both = format!("{{\"message\":{string},\"event\":{{\"original\":{string}}},\"parsed\":{RECORD}}}");
        assert_eq!(records(&both).len(), 1, "copies of one record");
        assert_eq!(records(&format!("[{both},{both}]")).len(), 2, "copies of two records");
        assert_eq!(records(&format!("{{\"events\":[{RECORD},{RECORD}]}}")).len(), 2, "two records");
    }

    #[test]
    fn other_objects_are_no_records() {
        for value in [
            r#"{"evidence":[{"createdDateTime":"x","ipAddress":"203.0.113.7"}]}"#,
            r#"{"app":{"createdDateTime":"x","appId":"a","appDisplayName":"b"}}"#,
            r#"{"time":"x","properties":{"createdDateTime":"x","ipAddress":"y","appId":"a"}}"#,
            r#"{"category":"x","properties":{"createdDateTime":"x","ipAddress":"y","appId":"a"}}"#,
            r#"{"time":"x","category":"x","other":{"createdDateTime":"x","ipAddress":"y","appId":"a"}}"#,
            r#"{"text":"{no JSON"}"#,
        ] {
            assert_eq!(records(value), [], "{value}");
        }
        let deep = format!("{}{RECORD}{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert_eq!(records(&deep), []);
    }

    #[test]
    fn errors_are_told_from_records() {
        let code = |value: &str| error_answer(value);
        assert_eq!(code(r#"{"error":{"code":"UnknownError","message":"x"}}"#).as_deref(), Some("UnknownError"));
        assert_eq!(code(r#"{"error":"invalid_grant","error_description":"x"}"#).as_deref(), Some("invalid_grant"));
        for value in [r#"{"error":null}"#, r#"{"id":1,"error":{"code":"x"}}"#, r#"{"error":{}}"#, "[]"] {
            assert_eq!(code(value), None, "{value}");
        }
        let batch = format!(
            r#"{{"responses":[{{"id":"1","status":200,"body":{{"value":[{RECORD}]}}}},{{"id":"2","status":429,"body":{}}}]}}"#,
            r#"{"error":{"code":"TooManyRequests","message":"x"}}"#
        );
        let found = look_inside(&batch);
        assert_eq!((found.records.len(), found.errors.as_slice()), (1, &["429 TooManyRequests".to_owned()][..]));
        assert_eq!(found.pages.len(), 1);
    }
}
