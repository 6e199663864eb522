//! Reads from a page of a paged response whether another page follows it, and how many records there are.

use super::object_keys::{KeyReader, NextKey, is_error_key, is_filled};
use crate::scan::result_pages::ResultPage;
use crate::types::dynamic::{self, Kind};

/// Maximum number of characters that are kept of a context or filter.
const MAX_CHARACTERS: usize = 1 << 10;

/// Maximum nesting depth of members about pages.
const MAX_DEPTH: usize = 3;

/// Members that have a link to the next page, its token or number, or a flag that there is one: in lower case, without
/// anything but letters.
const NEXT: [&str; 22] = [
    "next",
    "nextpage",
    "nextpagelink",
    "nextpageurl",
    "nexturl",
    "nextrecordsurl",
    "nexttoken",
    "nextpagetoken",
    "pagetoken",
    "nextcursor",
    "nextmarker",
    "nextoffset",
    "skiptoken",
    "continuation",
    "continuationtoken",
    "lastevaluatedkey",
    "hasmore",
    "hasnext",
    "hasnextpage",
    "istruncated",
    "truncated",
    "resulttruncated",
];

/// Members that have the number of records on all pages, spelled as those of [`NEXT`].
const TOTALS: [&str; 10] = [
    "odatacount",
    "count",
    "total",
    "totalcount",
    "totalrecords",
    "totalrows",
    "totalresults",
    "totalitems",
    "totalelements",
    "totalhits",
];

/// Members that have members about pages, spelled as those of [`NEXT`].
const HOLDERS: [&str; 8] = ["link", "links", "meta", "metadata", "page", "pageinfo", "paging", "pagination"];

impl ResultPage {
    /// Reads the members of the object at the start of `bytes` that begin before the offset `end`, at which the
    /// records are.
    pub(crate) fn of(bytes: &[u8], end: usize) -> Self {
        let mut page = Self::default();
        let mut holder = String::new();
        let mut members = KeyReader::of(bytes);
        while let NextKey::Key(key) = members.next() {
            let start = members.position;
            if start >= end || (holder.is_empty() && members.first() == Some(b'[')) {
                holder = String::from_utf8_lossy(&key).into_owned();
            }
            if start >= end || !members.pass_value() {
                break;
            }
            page.note(&key, &bytes[start..members.position]);
        }
        page.or_of_key(&holder)
    }

    /// Returns the page of records under `key`, which stands for a context that it does not have.
    pub(crate) fn or_of_key(self, key: &str) -> Self {
        let context = if self.context.is_empty() { shorten(key) } else { self.context };
        Self { context, ..self }
    }

    /// Takes note of a member that lies beside the records. Returns true if it is a member about pages.
    pub(crate) fn note(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Ok(value) = std::str::from_utf8(value) else { return false };
        if is_context(key) {
            self.context = if value.starts_with('"') { shorten(&dynamic::to_text(value)) } else { String::new() };
            return true;
        }
        if is_error_key(key) {
            self.failed |= is_filled(value.as_bytes());
        } else if says_partial(key, value.as_bytes()) {
            self.failed = true;
        }
        let is_nested = value.starts_with(['{', '[']);
        (!is_nested || dynamic::validate(value.as_bytes()).is_ok())
            && self.note_paging(&String::from_utf8_lossy(key), value, 0)
    }

    fn note_paging(&mut self, key: &str, value: &str, depth: usize) -> bool {
        let key: String =
            key.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect();
        let key = key.as_str();
        let is_next = key.ends_with("nextlink") || NEXT.contains(&key);
        if is_next {
            self.next = next_page(value).or(self.next.take());
        } else if TOTALS.contains(&key) {
            self.total = total(value).max(self.total);
            return self.total.is_some();
        } else if HOLDERS.contains(&key) && depth < MAX_DEPTH {
            return match dynamic::kind(value) {
                Kind::Bag => dynamic::entries(value)
                    .fold(false, |is_any, entry| self.note_paging(&entry.key.text(), entry.value, depth + 1) | is_any),
                Kind::Array => self.note_links(value),
                _ => false,
            };
        }
        is_next
    }

    /// Takes note of links such as `[{"rel": "next", "href": "..."}]`.
    fn note_links(&mut self, links: &str) -> bool {
        let is_next = |link: &&str| {
            dynamic::get_member(link, "rel").is_some_and(|rel| dynamic::to_text(rel).eq_ignore_ascii_case("next"))
        };
        let next = dynamic::elements(links).find(is_next);
        if let Some(next) = next {
            self.next = next_page(next).or(self.next.take());
        }
        next.is_some()
    }
}

/// True for links such as `[{"rel": "self", "href": "..."}]`.
pub(super) fn is_list_of_links(value: &[u8]) -> bool {
    let json = std::str::from_utf8(value).ok().filter(|json| dynamic::validate(json.as_bytes()).is_ok());
    let is_link = |link| ["rel", "href"].iter().all(|key| dynamic::get_member(link, key).is_some());
    json.is_some_and(|json| dynamic::elements(json).all(is_link))
}

/// Returns the filter in a link to the next page, "" for a token or flag, or None if the value says that there is no
/// next page.
fn next_page(value: &str) -> Option<String> {
    match dynamic::kind(value) {
        Kind::String => {
            let text = dynamic::to_text(value);
            let is_none = ["", "0", "false", "null"].iter().any(|none| text.trim().eq_ignore_ascii_case(none));
            (!is_none).then(|| shorten(filter_of(&text)))
        }
        Kind::Bag => {
            let link = ["href", "url"].iter().find_map(|key| dynamic::get_member(value, key));
            link.map_or_else(|| is_filled(value.as_bytes()).then(String::new), next_page)
        }
        Kind::Array => is_filled(value.as_bytes()).then(String::new),
        _ => (!matches!(value, "null" | "false" | "0")).then(String::new),
    }
}

/// Returns the number in a number, a string, or the member `value` of an object, as in Elasticsearch.
fn total(value: &str) -> Option<u64> {
    match dynamic::kind(value) {
        Kind::Bag => dynamic::get_member(value, "value")?.parse().ok(),
        Kind::String => dynamic::to_text(value).parse().ok(),
        _ => value.parse().ok(),
    }
}

/// True for a member that tells that a search service did not search everything: it timed out, a part of an index
/// failed, or the member has messages about missing events.
pub(crate) fn says_partial(key: &[u8], value: &[u8]) -> bool {
    const FLAGS: [&[u8]; 7] = [
        b"timed_out",
        b"terminated_early",
        b"is_partial",
        b"isPartial",
        b"partial",
        b"incomplete_results",
        b"incompleteResults",
    ];
    let json = || std::str::from_utf8(value).ok().filter(|text| dynamic::validate(text.as_bytes()).is_ok());
    match key {
        b"_shards" => {
            let failed = json().and_then(|shards| dynamic::get_member(shards, "failed"));
            failed.is_some_and(|failed| failed != "0")
        }
        b"status" => json().is_some_and(|status| dynamic::to_text(status).to_ascii_lowercase().starts_with("partial")),
        b"messages" => json().is_some_and(|messages| dynamic::elements(messages).any(is_about_missing_events)),
        _ => value == b"true" && FLAGS.contains(&key),
    }
}

/// True for a message of Splunk that events may be missing: it has the type ERROR, or is a warning with one of the
/// words in `SIGNS`.
fn is_about_missing_events(message: &str) -> bool {
    const SIGNS: [&str; 8] =
        ["incomplete", "truncated", "partial", "finalized", "terminated", "limit", "failed", "unable to"];
    let member = |key: &str| dynamic::get_member(message, key).map(dynamic::to_text).unwrap_or_default();
    let text = member("text").to_lowercase();
    match member("type").to_ascii_uppercase().as_str() {
        "FATAL" | "ERROR" => true,
        "WARN" => SIGNS.iter().any(|sign| text.contains(sign)),
        _ => false,
    }
}

fn is_context(key: &[u8]) -> bool {
    [&b"@odata.context"[..], b"odata.metadata"].iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// Returns the filter in the query of a link. The links of the pages of one response differ only in their tokens, so
/// the filter identifies the response.
fn filter_of(link: &str) -> &str {
    let is_filter = |parameter: &&str| {
        let name = parameter.split_once('=').map_or("", |(name, _)| name);
        let name = name.strip_prefix('$').or_else(|| name.strip_prefix("%24")).unwrap_or(name);
        name.eq_ignore_ascii_case("filter")
    };
    let parameters = link.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters.split('&').find(is_filter).unwrap_or("")
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::ResultPage;

    #[test]
    fn a_page_names_the_next_one() {
        let page = |text: &str| ResultPage { context: String::new(), ..ResultPage::of(text.as_bytes(), text.len()) };
        let link = r#""https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter=a%20eq%201&$skiptoken=x""#;
        for key in ["@odata.nextLink", "odata.nextLink", "nextLink", "NextLink"] {
            let found = page(&format!(r#"{{"value":[],"@odata.context":"c","{key}":{link}}}"#));
            assert_eq!(found.next.as_deref(), Some("$filter=a%20eq%201"), "{key}");
        }
        for text in [r#"{"timed_out":true,"hits":[]}"#, r#"{"_shards":{"total":5,"failed":2},"hits":[]}"#] {
            assert!(page(text).failed, "{text}");
        }
        for (kind, text, fails) in [
            ("WARN", "Search results may be incomplete: a peer ended early", true),
            ("ERROR", "x", true),
            ("WARN", "Field extractor x is slow", false),
            ("INFO", "Your timerange was substituted based on your search string; limit", false),
        ] {
            let found = page(&format!(r#"{{"messages":[{{"type":"{kind}","text":"{text}"}}],"results":[]}}"#));
            assert_eq!(found.failed, fails, "{kind} {text}");
        }
        let whole = page(r#"{"timed_out":false,"_shards":{"total":5,"failed":0},"hits":[]}"#);
        assert_eq!(whole, ResultPage::default());
        for text in [
            r#"{"value":[]}"#,
            r#"{"nextLink":null}"#,
            r#"{"nextLink":""}"#,
            r#"{"deltaLink":"x"}"#,
            r#"{"has_more":false,"nextForwardToken":"x","_links":{"self":{"href":"x"},"next":null}}"#,
            r#"{"resultTruncated":"false","links":[{"rel":"self","href":"x"}],"LastEvaluatedKey":{}}"#,
        ] {
            assert_eq!(page(text), ResultPage::default(), "{text}");
        }
    }

    #[test]
    fn pages_of_other_services_say_that_more_follow() {
        for text in [
            r#"{"nextPageToken":"x","items":[]}"#,
            r#"{"NextToken":"x"}"#,
            r#"{"resultTruncated":"true","count":2}"#,
            r#"{"$skipToken":"x"}"#,
            r#"{"has_more":true}"#,
            r#"{"next_page":3}"#,
            r#"{"_links":{"next":{"href":"https://contoso.com?after=x"}}}"#,
            r#"{"links":[{"rel":"self","href":"a"},{"rel":"next","href":"b"}]}"#,
            r#"{"meta":{"pagination":{"next_cursor":"x"}}}"#,
            r#"{"LastEvaluatedKey":{"id":{"S":"x"}}}"#,
        ] {
            assert_eq!(ResultPage::of(text.as_bytes(), text.len()).next.as_deref(), Some(""), "{text}");
        }
        for text in [r#"{"@odata.count":9}"#, r#"{"odata.count":"9"}"#, r#"{"total":{"value":9,"relation":"eq"}}"#] {
            assert_eq!(ResultPage::of(text.as_bytes(), text.len()).total, Some(9), "{text}");
        }
    }

    #[test]
    fn the_key_of_the_records_stands_for_a_context() {
        let text = r#"{"next":null,"other":[1],"items":[{}]}"#;
        let at = text.find("[{").expect("records");
        assert_eq!(ResultPage::of(text.as_bytes(), at).context, "items");
        let graph = r#"{"@odata.context":"c","value":[]}"#;
        assert_eq!(ResultPage::of(graph.as_bytes(), graph.len()).context, "c");
    }
}
