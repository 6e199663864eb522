//! Nested objects of PowerShell cmdlets: keys with a small first letter again, `AdditionalProperties` left out.

use crate::types::dynamic::{self, Kind};

/// A property that the cmdlets add to every object; it is empty.
const ADDED: &str = "AdditionalProperties";

/// The object or array as Microsoft Graph writes it; None for any other value.
pub(crate) fn camel_case(json: &str) -> Option<String> {
    if !json.starts_with(['{', '[']) {
        return None;
    }
    let mut out = String::with_capacity(json.len());
    write(json, &mut out);
    Some(out)
}

/// Recurses as deep as the checked record nests, which is bounded.
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
        _ => out.push_str(json.trim_ascii()),
    }
}

/// `IPAddress` and `IpAddress` become `ipAddress`, any other key loses its first capital.
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

/// What of a text stands as it is in a cmdlet's record, too, wherever a key of it may begin.
pub(crate) fn behind_key_start(text: &str) -> &str {
    let first = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    match text.strip_prefix("ip") {
        Some(rest) => rest,
        None if first => &text[1..],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{behind_key_start, camel_case};

    #[test]
    fn keys_are_those_of_graph() {
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
    fn what_is_searched_stands_in_both_spellings() {
        assert_eq!(behind_key_start("authenticationMethod"), "uthenticationMethod");
        assert_eq!(behind_key_start("ipAddress"), "Address");
        assert_eq!(behind_key_start("Sofia"), "Sofia");
    }
}
