//! Finds records inside other values.
//!
//! Services, collectors and search tools wrap records in many ways: under an additional key, in arrays, in batch
//! responses, as strings. So the members, elements and strings of a value that is not recognised are searched for
//! objects with the keys of a record. The depth and the bytes of strings are limited.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::records::{ValueSplitter, holds_records, is_sequence, says_partial};
use crate::scan::result_pages::ResultPage;
use crate::types::dynamic::{self, Kind};

use crate::entra::powershell;

/// Maximum nesting depth. It suffices for a record in a string, in an element, in a list, in an object, twice over.
const MAX_DEPTH: usize = 12;

/// Maximum bytes of all strings of one value that are searched: twice the longest record, because strings may be
/// inside strings.
const MAX_STRING_BYTES: usize = 128 << 20;

/// The member that contains the original record in search results of Splunk.
const RAW: &str = "_raw";

/// The records inside a value that is not a record, and what else was found in it.
#[derive(Debug, Default)]
pub(super) struct InnerRecords {
    /// Records and query-API responses, in the order of the value.
    pub records: Vec<InnerRecord>,
    /// Pages of paged responses, each with its offset in the value.
    pub pages: Vec<(usize, ResultPage)>,
    /// The codes of errors that services returned instead of records.
    pub errors: Vec<String>,
    /// True if an error is beside records, so that some records may be missing.
    pub is_partial: bool,
    /// True if the value has more bytes of strings than are searched.
    pub is_cut: bool,
    /// Results of a search that Splunk streamed while the search was running.
    pub streamed: StreamedResults,
    /// True if the value has records in an array, or members about pages.
    pub is_paged: bool,
}

/// Results of a search that Splunk streamed while it was running. They may be previews, whose rows the final results
/// have again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamedResults {
    /// The number of records in previews, which are not read.
    pub previews: u64,
    /// True if there is a final result, with or without a record.
    pub is_final: bool,
}

impl InnerRecords {
    /// True if the value contains anything that must be read or reported, so that it is not just an unrecognised
    /// record.
    pub(super) fn holds_some(&self) -> bool {
        let is_streamed = self.streamed != StreamedResults::default();
        self.is_cut || is_streamed || !self.records.is_empty() || !self.errors.is_empty()
    }
}

/// A record inside a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InnerRecord {
    /// The text of the record.
    pub text: InnerText,
    /// The offset in the value of the record, or of the string that contains it.
    pub at: usize,
    /// A virtual offset, which is unique in the value and increases from record to record.
    pub rank: usize,
    /// True if this is a query-API response instead of a record.
    pub is_answer: bool,
    /// The number of the innermost array element that contains the record, from 1; 0 outside arrays.
    element: usize,
}

/// The text of a record inside a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InnerText {
    /// A range of the value.
    Plain(Range<usize>),
    /// Text that was decoded from a string of the value.
    Decoded(String),
}

/// Finds the records inside `value`, which must be valid JSON and no record itself.
pub(super) fn find_inner_records(value: &str) -> InnerRecords {
    let mut search = InnerRecordSearch { found: InnerRecords::default(), string_bytes: 0, elements: 0 };
    let position = ValuePosition { text: value, holder: None, rank: 0, depth: 0, element: 0 };
    search.value(value.trim_ascii(), position);
    let mut found = search.found;
    drop_copies(&mut found.records, value);
    found
}

/// Returns the code of an error that a service returned instead of records; None for other values.
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
            "status" if entry.value.parse::<u64>().is_ok() => {}
            key if key.starts_with('@') => {}
            _ => return None,
        }
    }
    code
}

/// Returns the code of an error; "" if it has only a message, None if it has neither.
fn error_code(error: &str) -> Option<String> {
    if dynamic::kind(error) == Kind::String {
        return Some(dynamic::to_text(error).into_owned()).filter(|text| !text.trim().is_empty());
    }
    // Elasticsearch gives a type and a reason.
    let member = |names: [&str; 2]| names.into_iter().find_map(|name| dynamic::get_member(error, name));
    let code = member(["code", "type"]).map(dynamic::to_text);
    let message = member(["message", "reason"]);
    (code.is_some() || message.is_some()).then(|| code.unwrap_or_default().into_owned())
}

/// The position in the search of a value.
#[derive(Clone, Copy)]
struct ValuePosition<'a> {
    /// The text that contains the value: the outermost value, or a decoded string.
    text: &'a str,
    /// For decoded text, the offset of its string in the outermost value.
    holder: Option<usize>,
    /// The rank of the first byte of `text`; see [`InnerRecord::rank`].
    rank: usize,
    depth: usize,
    element: usize,
}

impl ValuePosition<'_> {
    /// Returns the offset of `part` in the text, of which it is a slice.
    fn offset_of(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn below(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// A member of an object that has records.
#[derive(Clone, Copy)]
struct RecordList<'a> {
    entry: dynamic::Entry<'a>,
    /// Number of records that were found in it.
    added: u64,
}

impl RecordList<'_> {
    fn is_array(self) -> bool {
        self.entry.value.starts_with('[')
    }

    /// Returns the number of records in an array, whether or not they were recognised. Those of an object are counted
    /// with the array that it has.
    fn records(self) -> u64 {
        if self.is_array() { self.added.max(dynamic::elements(self.entry.value).count() as u64) } else { 0 }
    }
}

struct InnerRecordSearch {
    found: InnerRecords,
    string_bytes: usize,
    /// Number of array elements that were visited so far.
    elements: usize,
}

impl InnerRecordSearch {
    fn value(&mut self, value: &str, position: ValuePosition<'_>) {
        if position.depth > MAX_DEPTH {
            return;
        }
        match value.as_bytes().first() {
            Some(b'{') => self.object(value, position),
            Some(b'[') => {
                dynamic::elements(value).for_each(|element| self.element(element, position.below()));
            }
            Some(b'"') if may_hold_json(value) => self.string(value, position),
            _ => {}
        }
    }

    fn element(&mut self, element: &str, position: ValuePosition<'_>) {
        self.elements += 1;
        self.value(element, ValuePosition { element: self.elements, ..position });
    }

    fn string(&mut self, quoted: &str, position: ValuePosition<'_>) {
        self.string_bytes = self.string_bytes.saturating_add(quoted.len());
        if self.string_bytes > MAX_STRING_BYTES {
            self.found.is_cut = true;
            return;
        }
        let decoded = dynamic::unescape(quoted);
        let text = decoded.trim_ascii();
        let offset = position.offset_of(quoted);
        let inner = ValuePosition {
            text,
            holder: Some(position.holder.unwrap_or(offset)),
            rank: position.rank + offset,
            ..position.below()
        };
        if dynamic::validate(text.as_bytes()).is_ok() {
            self.value(text, inner);
        } else if is_sequence(text.as_bytes()) {
            for span in ValueSplitter::default().split(text.as_bytes(), false).0 {
                self.element(&text[span.start..span.end], inner);
            }
        }
    }

    fn object(&mut self, object: &str, position: ValuePosition<'_>) {
        let keys = ObjectKeys::of(object);
        let before = self.found.records.len();
        self.members(object, position, &keys);
        match keys.preview {
            Some(true) if keys.has_result => {
                self.found.streamed.previews += (self.found.records.len() - before) as u64;
                self.found.records.truncate(before);
            }
            Some(true) => self.found.is_partial |= self.found.records.len() > before,
            Some(false) => self.found.streamed.is_final |= keys.has_result || keys.is_last_row,
            None => {}
        }
    }

    fn members(&mut self, object: &str, position: ValuePosition<'_>, keys: &ObjectKeys<'_>) {
        let is_inner = position.depth > 0;
        let before = self.found.records.len();
        if let Some(raw) = keys.raw {
            self.value(raw, position.below());
            if self.found.records.len() > before {
                return;
            }
        }
        if is_inner && keys.is_record() {
            return self.keep(object, position, false);
        }
        if let Some(code) = error_answer(object).or_else(|| keys.failed_response()) {
            return self.found.errors.push(code);
        }
        if keys.has_tables && holds_records(object.as_bytes()) {
            self.found.is_partial |= keys.failed;
            return self.keep(object, position, true);
        }
        let mut list = None;
        for entry in dynamic::entries(object) {
            // The content of an envelope is a part of its record, even if the envelope is damaged.
            let is_part = keys.is_envelope() || (keys.is_of_envelope() && entry.key.is("properties"));
            if is_part {
                continue;
            }
            let records = self.found.records.len();
            self.value(entry.value, position.below());
            let added = (self.found.records.len() - records) as u64;
            if added > 0 && list.is_none_or(|list: RecordList<'_>| !list.is_array()) {
                list = Some(RecordList { entry, added });
            }
        }
        let holds_some = self.found.records.len() > before;
        self.found.is_partial |= holds_some && keys.failed;
        self.add_page(object, position, keys, list);
    }

    /// Adds the page that an object is, whose records `list` has.
    fn add_page(
        &mut self,
        object: &str,
        position: ValuePosition<'_>,
        keys: &ObjectKeys<'_>,
        list: Option<RecordList<'_>>,
    ) {
        let is_array = list.is_some_and(RecordList::is_array);
        let is_paged = keys.is_page || (list.is_some() && (is_array || keys.has_paging));
        if !is_paged && (list.is_none() || position.depth > 0) {
            return;
        }
        self.found.is_paged |= is_paged;
        let offset = position.holder.unwrap_or_else(|| position.offset_of(object));
        let key = list.map(|list| list.entry.key.text()).unwrap_or_default();
        let page = ResultPage {
            total: keys.page.total.filter(|_| is_array),
            records: list.map_or(0, RecordList::records),
            ..keys.page.clone()
        };
        self.found.pages.push((offset, page.or_of_key(&key)));
    }

    fn keep(&mut self, record: &str, position: ValuePosition<'_>, is_answer: bool) {
        let offset = position.offset_of(record);
        let (text, at) = match position.holder {
            None => (InnerText::Plain(offset..offset + record.len()), offset),
            Some(holder) => (InnerText::Decoded(record.to_owned()), holder),
        };
        let (rank, element) = (position.rank + offset, position.element);
        self.found.records.push(InnerRecord { text, at, rank, is_answer, element });
    }
}

/// True for a JSON string whose contents begin like an object, an array or another JSON string.
fn may_hold_json(quoted: &str) -> bool {
    let mut inner = quoted.as_bytes().get(1..).unwrap_or_default();
    loop {
        inner = match inner {
            [b'{' | b'[', ..] | [b'\\', b'"' | b'u', ..] => return true,
            [b' ', rest @ ..] | [b'\\', b'n' | b'r' | b't', rest @ ..] => rest,
            _ => return false,
        };
    }
}

/// Keeps one of several equal records in the members of one object, because collectors keep the original record as a
/// string beside the parsed one. Equal elements of arrays are all kept.
fn drop_copies(records: &mut Vec<InnerRecord>, value: &str) {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    records.iter().for_each(|inner| *counts.entry(inner.element).or_default() += 1);
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    records.retain(|inner| {
        let text = match &inner.text {
            InnerText::Plain(range) => &value[range.clone()],
            InnerText::Decoded(text) => text,
        };
        counts[&inner.element] == 1 || seen.insert((inner.element, dynamic::canonical(text)))
    });
}

/// The keys of an object that show whether it is a record.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "keys that are there, each by itself")]
struct ObjectKeys<'a> {
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
    /// The member `preview` in results of Splunk.
    preview: Option<bool>,
    has_result: bool,
    is_last_row: bool,
    /// What the object tells as a page of records; `has_paging` is true if it tells whether another page follows, or
    /// the number of records.
    page: ResultPage,
    has_paging: bool,
    /// Number of keys that sign-ins have; `is_sign_in` is true if one of them distinguishes sign-ins from other
    /// objects.
    of_sign_in: usize,
    is_sign_in: bool,
    raw: Option<&'a str>,
    status: Option<&'a str>,
    body: Option<&'a str>,
}

/// Keys of sign-ins: some that hardly any other objects have, and common ones.
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

impl<'a> ObjectKeys<'a> {
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
        self.is_page |= is("value") && value.starts_with('[');
        self.failed |= is("error") && matches!(dynamic::kind(value), Kind::Bag | Kind::String) && value.len() > 2;
        self.failed |= says_partial(key.as_bytes(), value.as_bytes());
        self.has_paging |= self.page.note(key.as_bytes(), value.as_bytes());
        if SIGN_IN_KEYS.iter().any(|name| is(name)) {
            (self.of_sign_in, self.is_sign_in) = (self.of_sign_in + 1, true);
        }
        self.of_sign_in += usize::from(OTHER_KEYS.iter().any(|name| is(name)));
        match key {
            RAW => self.raw = Some(value).filter(|value| value.starts_with('"') && may_hold_json(value)),
            "body" => self.body = Some(value),
            "preview" => self.preview = value.parse().ok(),
            "result" => self.has_result = value.starts_with('{'),
            "lastrow" => self.is_last_row = value == "true",
            "status" | "Status" if value.starts_with('{') || powershell::is_cut(value) => {
                (self.of_sign_in, self.is_sign_in) = (self.of_sign_in + 1, true);
            }
            "status" => self.status = Some(value),
            _ if key.starts_with("status.") || key.starts_with("status_") => self.is_sign_in = true,
            _ => {}
        }
    }

    /// True for the keys of a record. A creation time is not enough, because many objects have one: at least two keys
    /// of a sign-in are required beside it.
    fn is_record(&self) -> bool {
        (self.time && self.category && self.properties)
            || self.time_generated
            || (self.activity && self.initiated_by)
            || (self.created && self.is_sign_in && self.of_sign_in >= 2)
    }

    /// True if the object has both the time and the category of a diagnostic envelope.
    fn is_envelope(&self) -> bool {
        self.time && self.has_category
    }

    /// True if the object has the time or the category of a diagnostic envelope.
    fn is_of_envelope(&self) -> bool {
        self.time || self.has_category
    }

    /// Returns the status and the error code of a failed response in a batch; None for other objects.
    fn failed_response(&self) -> Option<String> {
        let status = self.status.filter(|_| self.body.is_some())?;
        let number: u16 = dynamic::to_text(status).parse().ok().filter(|number| (400..600).contains(number))?;
        let code = self.body.and_then(|body| dynamic::get_member(body, "error")).and_then(error_code);
        Some(format!("{number} {}", code.unwrap_or_default()).trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{InnerText, error_answer, find_inner_records};

    const RECORD: &str = r#"{"createdDateTime":"2026-03-02T09:00:00Z","id":"1","ipAddress":"203.0.113.7","appId":"a"}"#;

    fn quoted(text: &str) -> String {
        serde_json::to_string(text).expect("a string")
    }

    /// Returns the records inside a value, each with its offset.
    fn records(value: &str) -> Vec<(usize, String)> {
        let text = |inner: InnerText| match inner {
            InnerText::Plain(range) => value[range].to_owned(),
            InnerText::Decoded(text) => text,
        };
        find_inner_records(value).records.into_iter().map(|inner| (inner.at, text(inner.text))).collect()
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
        let found = find_inner_records(&batch);
        assert_eq!((found.records.len(), found.errors.as_slice()), (1, &["429 TooManyRequests".to_owned()][..]));
        let contexts: Vec<&str> = found.pages.iter().map(|(_, page)| page.context.as_str()).collect();
        assert_eq!(contexts, ["value", "responses"]);
    }
}
