//! Punycode (RFC 3492): converts strings and domains to ASCII, and back.

use idna::punycode;

use crate::diagnostic::{Error, Result};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Kernel, Overload, Param, Returns};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "punycode_from_string",
        summary: "Returns the string encoded as Punycode, without the prefix of domains.",
        overloads: &[form(|args| converted(args, punycode::encode_str))],
        examples: &[Example::new("punycode_from_string('Zürich')", "Zrich-kva")],
        ..PUNYCODE
    },
    ScalarFunction {
        name: "punycode_to_string",
        summary: "Returns the string that is encoded as Punycode, or \"\" if it is not.",
        overloads: &[form(|args| converted(args, punycode::decode_to_string))],
        examples: &[Example::new("punycode_to_string('Zrich-kva')", "Zürich")],
        ..PUNYCODE
    },
    ScalarFunction {
        name: "punycode_domain_to_string",
        summary: "Returns the domain with each label that is not ASCII encoded as Punycode.",
        overloads: &[form(|args| converted(args, |text| by_label(text, encode_label)))],
        examples: &[Example::new("punycode_domain_to_string('Zürich.contoso.com')", "xn--Zrich-kva.contoso.com")],
        ..PUNYCODE
    },
    ScalarFunction {
        name: "punycode_domain_from_string",
        summary: "Returns the domain with each label that is encoded as Punycode decoded, or \"\" if one is not valid.",
        overloads: &[form(|args| converted(args, |text| by_label(text, decode_label)))],
        examples: &[Example::new("punycode_domain_from_string('xn--Zrich-kva.contoso.com')", "Zürich.contoso.com")],
        ..PUNYCODE
    },
];

const PUNYCODE: ScalarFunction = ScalarFunction { category: Category::Encoding, ..ScalarFunction::DEFAULT };
const PREFIX: &str = "xn--";
/// The characters that separate the labels of a domain (RFC 3490).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{FF0E}', '\u{FF61}'];
/// Maximum length in bytes of a string that is converted, because the time grows with its square.
const MAX_BYTES: usize = 16 << 10;

const fn form(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::new("string", Type::String, "the string")] },
        returns: Returns::Type(Type::String),
        kernel,
    }
}

fn converted(args: &Args<'_>, of: fn(&str) -> Option<String>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| match texts.get(row) {
        Some(text) if text.len() > MAX_BYTES => {
            Err(Error::Limit(format!("Punycode of a string longer than {} KiB", MAX_BYTES >> 10)))
        }
        text => Ok(text.and_then(of)),
    })
}

fn by_label(domain: &str, of: fn(&str) -> Option<String>) -> Option<String> {
    domain.split(DOTS).map(of).collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
}

fn encode_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    punycode::encode_str(label).map(|encoded| format!("{PREFIX}{encoded}"))
}

fn decode_label(label: &str) -> Option<String> {
    match label.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => punycode::decode_to_string(&label[PREFIX.len()..]),
        _ => Some(label.to_owned()),
    }
}
