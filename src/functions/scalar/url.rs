//! Functions that split, encode and decode URLs.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::Type;
use crate::types::dynamic::{ArrayWriter, BagWriter};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "parse_url",
        aliases: &["parseurl"],
        category: Category::Parse,
        summary: "Returns a property bag of the parts of an absolute URL, not decoded; all are empty if the string \
                  is not a URL.",
        overloads: &[Overload {
            params: &[Param::new("url", Type::String, "the URL, with its scheme")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(args.map_text(0, |url| bag(&parts(url).unwrap_or_default()))),
        }],
        examples: &[
            Example::new(
                "parse_url('https://user:pass@contoso.com:8443/a/b?k2=v2&k1=v1#top')",
                r#"{"Scheme":"https","Host":"contoso.com","Port":"8443","Path":"/a/b","Username":"user","Password":"pass","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"top"}"#,
            ),
            Example::new(
                "parse_url('contoso.com')",
                r#"{"Scheme":"","Host":"","Port":"","Path":"","Username":"","Password":"","Query Parameters":{},"Fragment":""}"#,
            ),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "parse_urlquery",
        aliases: &["parseurlquery"],
        category: Category::Parse,
        summary: "Returns a property bag of the parameters of a URL query, not decoded; a duplicate key has an array \
                  of values.",
        overloads: &[Overload {
            params: &[Param::new("query", Type::String, "the part of a URL after the question mark")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                Ok(args.map_text(0, |query| {
                    let mut bag = BagWriter::new();
                    bag.push_json("Query Parameters", &parameters(query));
                    bag.finish()
                }))
            },
        }],
        examples: &[
            Example::new("parse_urlquery('k1=v1&k2=v2')", r#"{"Query Parameters":{"k1":"v1","k2":"v2"}}"#),
            Example::new("parse_urlquery('a=1&a=2')", r#"{"Query Parameters":{"a":["1","2"]}}"#),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "url_encode",
        category: Category::Encoding,
        summary: "Returns the string encoded for a URL: `+` for a space, lower-case percent codes for other \
                  characters but letters, digits, `-`, `_`, `.` and `~`.",
        overloads: &[Overload {
            params: &[Param::new("text", Type::String, "the string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |text| encode(text, "+"))),
        }],
        examples: &[Example::new(
            "url_encode('https://www.contoso.com/hello world')",
            "https%3a%2f%2fwww.contoso.com%2fhello+world",
        )],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "url_encode_component",
        category: Category::Encoding,
        summary: "Returns the string encoded for a URL like url_encode(), but with `%20` for a space.",
        overloads: &[Overload {
            params: &[Param::new("text", Type::String, "the string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |text| encode(text, "%20"))),
        }],
        examples: &[Example::new("url_encode_component('hello/world é')", "hello%2fworld%20%c3%a9")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "url_decode",
        category: Category::Encoding,
        summary: "Returns the string with percent codes decoded and `+` read as a space, or \"\" if the result is \
                  not valid UTF-8.",
        overloads: &[Overload {
            params: &[Param::new("text", Type::String, "the encoded string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |text| String::from_utf8(decode(text)).unwrap_or_default())),
        }],
        examples: &[
            Example::new("url_decode('https%3a%2f%2fwww.contoso.com%2f')", "https://www.contoso.com/"),
            Example::new("url_decode('100%')", "100%"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

/// The parts of a URL, as they are written in it; "" for a part that is missing.
#[derive(Debug, Default, PartialEq, Eq)]
struct UrlParts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: &'a str,
    path: &'a str,
    username: &'a str,
    password: &'a str,
    query: &'a str,
    fragment: &'a str,
}

/// Splits an absolute URL into its parts; None if the string is not one.
fn parts(url: &str) -> Option<UrlParts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let starts = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !starts || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return None;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A slash at the very end of the URL is not a path.
    let path = if path == "/" && url.ends_with('/') { "" } else { path };
    let user = authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?, host)));
    let ((username, password), address) = user.unwrap_or((("", ""), authority));
    let (host, port) = host_and_port(address);
    Some(UrlParts { scheme, host, port, path, username, password, query, fragment })
}

/// Splits an address into host and port. The port follows the last colon outside the brackets of an IPv6 address.
fn host_and_port(address: &str) -> (&str, &str) {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (address, ""),
    }
}

fn bag(parts: &UrlParts<'_>) -> String {
    let mut bag = BagWriter::new();
    bag.push_text("Scheme", parts.scheme);
    bag.push_text("Host", parts.host);
    bag.push_text("Port", parts.port);
    bag.push_text("Path", parts.path);
    bag.push_text("Username", parts.username);
    bag.push_text("Password", parts.password);
    bag.push_json("Query Parameters", &parameters(parts.query));
    bag.push_text("Fragment", parts.fragment);
    bag.finish()
}

/// Returns the parameters of a query string as a bag with sorted keys. A parameter with an empty key or value is
/// dropped.
fn parameters(query: &str) -> String {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if !key.is_empty() && !value.is_empty() {
            values.entry(key).or_default().push(value);
        }
    }
    let mut bag = BagWriter::new();
    for (key, values) in values {
        match values[..] {
            [value] => bag.push_text(key, value),
            _ => {
                let mut array = ArrayWriter::new();
                values.iter().for_each(|value| array.push_text(value));
                bag.push_json(key, &array.finish());
            }
        }
    }
    bag.finish()
}

/// Encodes a string with percent codes; a space becomes `blank`. Unlike the percent-encoding crate, the engine writes
/// lower-case digits.
fn encode(text: &str, blank: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(blank),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.extend(['%', char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]),
        }
    }
    out
}

/// Decodes percent codes, and `+` as a space. A percent sign without two digits is kept.
fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::{UrlParts, decode, encode, parameters, parts};

    #[test]
    fn urls_come_apart() {
        let url = |text| parts(text).unwrap();
        assert_eq!(url("https://h.io/"), UrlParts { scheme: "https", host: "h.io", ..UrlParts::default() });
        assert_eq!(url("https://h.io/#").path, "/");
        assert_eq!(url("https://h.io/?x=1").path, "/");
        assert_eq!(url("https://user@h.io/p").host, "user@h.io");
        assert_eq!((url("https://u:p@h.io").username, url("https://u:p@h.io").password), ("u", "p"));
        assert_eq!((url("https://[::1]:80/p").host, url("https://[::1]:80/p").port), ("[::1]", "80"));
        assert_eq!((url("https://[::1]/p").host, url("https://[::1]/p").port), ("[::1]", ""));
        assert_eq!(url("a://b#c?d=e").fragment, "c?d=e");
        for text in ["", "not a url", "1.2.3.4", "://h", "1a://h", "a b://h"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn parameters_are_sorted_and_repeats_become_arrays() {
        assert_eq!(parameters("b=2&a=1&b=3&=v&k=&c"), r#"{"a":"1","b":["2","3"]}"#);
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let text = "a b+c%d/é~\u{10FFFF}";
        assert_eq!(decode(&encode(text, "+")), text.as_bytes());
        assert_eq!(decode(&encode(text, "%20")), text.as_bytes());
        assert_eq!(decode("%zz%4"), b"%zz%4");
        assert_eq!(decode("%+41"), b"% 41");
    }
}
