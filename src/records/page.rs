//! Reads from a page of a paged response whether another page follows it.

use super::object_keys::{KeyReader, NextKey, is_error_key, is_filled};
use crate::scan::result_pages::ResultPage;
use crate::types::dynamic;

/// Maximum number of characters that are kept of a context or filter.
const MAX_CHARACTERS: usize = 1 << 10;

impl ResultPage {
    /// Reads the members of the object at the start of `bytes` that begin before the offset `end`, at which the
    /// records are.
    pub(crate) fn of(bytes: &[u8], end: usize) -> Self {
        let mut page = Self::default();
        let mut members = KeyReader::of(bytes);
        while let NextKey::Key(key) = members.next() {
            let start = members.position;
            if start >= end || !members.pass_value() {
                break;
            }
            page.note(&key, &bytes[start..members.position]);
        }
        page
    }

    /// Takes note of a member that lies beside the records.
    pub(super) fn note(&mut self, key: &[u8], value: &[u8]) {
        let text = || std::str::from_utf8(value).ok().filter(|text| text.starts_with('"')).map(dynamic::to_text);
        if names_next_page(key) {
            self.next = text().filter(|link| !link.trim().is_empty()).map(|link| shorten(filter_of(&link)));
        } else if is_context(key) {
            self.context = text().map(|context| shorten(&context)).unwrap_or_default();
        } else if is_error_key(key) {
            self.failed |= is_filled(value);
        } else if says_partial(key, value) {
            self.failed = true;
        }
    }
}

/// True for a member that tells that a search service did not search everything: it timed out, a part of an index
/// failed, or the member has messages about missing events.
pub(crate) fn says_partial(key: &[u8], value: &[u8]) -> bool {
    const FLAGS: [&[u8]; 5] = [b"timed_out", b"terminated_early", b"is_partial", b"isPartial", b"partial"];
    let json = || std::str::from_utf8(value).ok().filter(|text| dynamic::validate(text.as_bytes()).is_ok());
    match key {
        b"_shards" => {
            let failed = json().and_then(|shards| dynamic::get_member(shards, "failed"));
            failed.is_some_and(|failed| failed != "0")
        }
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

/// True for the key of the link to the next page, such as `@odata.nextLink`, `odata.nextLink` or `nextLink`.
fn names_next_page(key: &[u8]) -> bool {
    const NAME: &[u8] = b"nextLink";
    key.len() >= NAME.len() && key[key.len() - NAME.len()..].eq_ignore_ascii_case(NAME)
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
        let page = |text: &str| ResultPage::of(text.as_bytes(), text.len());
        let link = r#""https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter=a%20eq%201&$skiptoken=x""#;
        for key in ["@odata.nextLink", "odata.nextLink", "nextLink", "NextLink"] {
            let found = page(&format!(r#"{{"value":[],"@odata.context":"c","{key}":{link}}}"#));
            assert_eq!((found.context.as_str(), found.next.as_deref()), ("c", Some("$filter=a%20eq%201")), "{key}");
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
        for text in [r#"{"value":[]}"#, r#"{"nextLink":null}"#, r#"{"nextLink":""}"#, r#"{"deltaLink":"x"}"#] {
            assert_eq!(page(text), ResultPage::default(), "{text}");
        }
    }
}
