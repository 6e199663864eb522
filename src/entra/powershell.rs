//! Converts nested objects of PowerShell cmdlets to those of Microsoft Graph: with keys in camelCase, without
//! `AdditionalProperties`, with times in ISO 8601. Also recognises the strings that `ConvertTo-Json` writes for
//! objects that are nested deeper than its `-Depth`.

use memchr::memmem;

use crate::types::datetime;
use crate::types::dynamic::{self, Kind};

/// Beginnings of the strings that `ConvertTo-Json` writes for objects that are nested too deeply: the .NET type name,
/// or the properties of the object.
const TRUNCATED: [&str; 6] = [
    "\"@{",
    "\"System.Collections.",
    "\"System.Object[",
    "\"System.Management.Automation.",
    "\"Microsoft.Graph.PowerShell.Models.",
    "\"Microsoft.Open.MSGraph.Model.",
];

/// True if the value is or contains a string that stands for a truncated object.
pub(crate) fn is_cut(json: &str) -> bool {
    // In a string without escape sequences, only the first byte is a quote that text follows.
    if json.starts_with('"') && memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return TRUNCATED.iter().any(|text| json.starts_with(text));
    }
    let found = |text: &str| memmem::find(json.as_bytes(), text.as_bytes()).is_some();
    // All but the first begin with one of two prefixes, so most values need three searches.
    TRUNCATED[..1].iter().any(|text| found(text))
        || (found("\"System.") || found("\"Microsoft.")) && TRUNCATED.iter().any(|text| found(text))
}

/// Converts a time in the format of Windows PowerShell to ISO 8601. Both are JSON strings. Returns None for anything
/// else.
fn time(json: &str) -> Option<String> {
    let inside = json.strip_prefix("\"\\/Date(").or_else(|| json.strip_prefix("\"/Date("))?;
    let inside = inside.strip_suffix(")\\/\"").or_else(|| inside.strip_suffix(")/\""))?;
    let text = datetime::to_text(datetime::parse(&format!("/Date({inside})/"))?);
    let digits = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    Some(format!("\"{digits}Z\""))
}

/// True if the text may be a part of a converted time; then it may not occur in the original record.
pub(crate) fn may_be_time(text: &str) -> bool {
    let fits = |mask: &str| {
        mask.as_bytes().windows(text.len()).any(|window| {
            window.iter().zip(text.bytes()).all(|(mask, byte)| match mask {
                b'0' => byte.is_ascii_digit(),
                mask => byte.eq_ignore_ascii_case(mask),
            })
        })
    };
    (1..=3).any(|digits| fits(&format!("0000-00-00T00:00:00.{}Z", "0".repeat(digits)))) || fits("0000-00-00T00:00:00Z")
}

/// A property that the cmdlets add to every object. It is empty.
const ADDED: &str = "AdditionalProperties";

/// Returns the object or array as Microsoft Graph would write it; None for any other value.
pub(crate) fn camel_case(json: &str) -> Option<String> {
    if !json.starts_with(['{', '[']) {
        return None;
    }
    let mut out = String::with_capacity(json.len());
    write(json, &mut out);
    Some(out)
}

/// Writes a value as Microsoft Graph would write it. The recursion is bounded by the nesting depth of the validated
/// record.
fn write(json: &str, out: &mut String) {
    match dynamic::kind(json) {
        Kind::Bag => {
            out.push('{');
            let entries = dynamic::entries(json).filter(|entry| !entry.key.is(ADDED));
            for (index, entry) in entries.enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                dynamic::quote(&lowered(&entry.key.text()), out);
                out.push(':');
                write(entry.value, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (index, element) in dynamic::elements(json).enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write(element, out);
            }
            out.push(']');
        }
        _ => match time(json.trim_ascii()) {
            Some(time) => out.push_str(&time),
            None => out.push_str(json.trim_ascii()),
        },
    }
}

/// Converts a key to camelCase: `IPAddress` and `IpAddress` become `ipAddress`; other keys get their first letter in
/// lower case.
fn lowered(key: &str) -> String {
    let rest = |count: usize| key.get(count..).unwrap_or("");
    if key.starts_with("IP") && rest(2).starts_with(char::is_uppercase) {
        return format!("ip{}", rest(2));
    }
    match key.as_bytes().first() {
        Some(first) if first.is_ascii_uppercase() => format!("{}{}", first.to_ascii_lowercase() as char, rest(1)),
        _ => key.to_owned(),
    }
}

/// Returns the part of a search string that occurs unchanged in the record of the cmdlet, even if a key begins with
/// the string.
pub(crate) fn after_key_start(text: &str) -> &str {
    let first = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    match text.strip_prefix("ip") {
        Some(rest) => rest,
        None if first => &text[1..],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{after_key_start, camel_case, is_cut, may_be_time};

    #[test]
    fn times_are_converted_to_those_of_graph() {
        let json = r#"[{"At":"\/Date(1772434692000)\/"},"\/Date(-1500)\/","/Date(0)/","\/Date(x)\/"]"#;
        let expected =
            r#"[{"at":"2026-03-02T06:58:12Z"},"1969-12-31T23:59:58.5Z","1970-01-01T00:00:00Z","\/Date(x)\/"]"#;
        assert_eq!(camel_case(json).as_deref(), Some(expected));
        for text in ["2026", "-03-02T", "12Z", "02T06:58", "58.5Z", "2026-03-02T06:58:12Z"] {
            assert!(may_be_time(text), "{text}");
        }
        for text in ["50126", "203.0.113.77", "Sofia", "2026-03-02T06:58:12+00:00"] {
            assert!(!may_be_time(text), "{text}");
        }
    }

    #[test]
    fn truncated_objects_are_recognised() {
        for json in [
            r#""@{errorCode=0; failureReason=Other.}""#,
            r#"["System.Collections.Hashtable","System.Collections.Hashtable"]"#,
            r#"{"geoCoordinates":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphGeoCoordinates"}"#,
            r#"{"x":"System.Object[]"}"#,
        ] {
            assert!(is_cut(json), "{json}");
        }
        for json in [r#"{"app":"Microsoft Azure PowerShell"}"#, r#""a@{b}""#, r#""System.Web""#, "{}"] {
            assert!(!is_cut(json), "{json}");
        }
    }

    #[test]
    fn keys_are_converted_to_those_of_graph() {
        let json = r#"{ "City" : "Porto", "GeoCoordinates": {"Altitude":null,"AdditionalProperties":{}},
            "List": [ {"IPAddress":"x","IpAddress":1,"IPs":2}, "Text" ], "AdditionalProperties": {} }"#;
        let expected = concat!(
            r#"{"city":"Porto","geoCoordinates":{"altitude":null},"#,
            r#""list":[{"ipAddress":"x","ipAddress":1,"iPs":2},"Text"]}"#
        );
        assert_eq!(camel_case(json).as_deref(), Some(expected));
        assert_eq!(camel_case("\"City\""), None);
        assert_eq!(camel_case("{}").as_deref(), Some("{}"));
    }

    #[test]
    fn search_strings_match_both_spellings() {
        assert_eq!(after_key_start("authenticationMethod"), "uthenticationMethod");
        assert_eq!(after_key_start("ipAddress"), "Address");
        assert_eq!(after_key_start("Sofia"), "Sofia");
    }
}
