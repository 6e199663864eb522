//! Base64, with the alphabet of RFC 4648 and padding.

use base64::alphabet;
use base64::engine::{Engine, GeneralPurpose, GeneralPurposeConfig};

use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::dynamic::elements;
use crate::types::{Type, Value};

const TEXT: Param = Param::new("base64", Type::String, "the base64 string");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "base64_encode_tostring",
        aliases: &["base64_encodestring"],
        category: Category::Encoding,
        summary: "Returns the UTF-8 bytes of a string encoded as base64.",
        overloads: &[Overload {
            params: &[Param::new("text", Type::String, "the string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |text| encode(text.as_bytes()))),
        }],
        examples: &[Example::new("base64_encode_tostring('Kusto')", "S3VzdG8=")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "base64_decode_tostring",
        aliases: &["base64_decodestring"],
        category: Category::Encoding,
        summary: "Returns the string whose UTF-8 bytes are given in base64, or \"\" if they are not valid base64 or \
                  UTF-8.",
        overloads: &[Overload {
            params: &[TEXT],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map_text(0, |text| String::from_utf8(decode(text)?).ok())),
        }],
        examples: &[
            Example::new("base64_decode_tostring('S3VzdG8=')", "Kusto"),
            Example::new("base64_decode_tostring('*')", ""),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "base64_decode_toarray",
        category: Category::Encoding,
        summary: "Returns the bytes given in base64 as an array of numbers, or null if the string is not valid base64.",
        overloads: &[Overload {
            params: &[TEXT],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                args.try_map(|row| {
                    let bytes = args.column(0).text_at(row).and_then(decode);
                    let numbers = |bytes: Vec<u8>| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
                    Ok(bytes.map(|bytes| format!("[{}]", numbers(bytes))))
                })
            },
        }],
        examples: &[Example::new("base64_decode_toarray('S3VzdG8=')", "[75,117,115,116,111]")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "base64_encode_fromarray",
        category: Category::Encoding,
        summary: "Returns an array of bytes encoded as base64, or \"\" if an element is not a byte.",
        overloads: &[Overload {
            params: &[Param::new("bytes", Type::Dynamic, "an array of numbers from 0 to 255")],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                Ok(args.map_text(0, |json| {
                    let bytes: Option<Vec<u8>> = elements(json).map(|element| element.parse().ok()).collect();
                    bytes.map(|bytes| encode(&bytes))
                }))
            },
        }],
        examples: &[Example::new("base64_encode_fromarray(dynamic([75, 117, 115, 116, 111]))", "S3VzdG8=")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "base64_encode_fromguid",
        category: Category::Encoding,
        summary: "Returns the 16 bytes of a guid encoded as base64, the first three groups in little-endian order.",
        overloads: &[Overload {
            params: &[Param::new("guid", Type::Guid, "the guid")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(args.map(|row| args.column(0).bytes_at(row).map(|bytes| encode(&swapped(bytes))))),
        }],
        examples: &[Example::new(
            "base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb'))",
            "8jMxriJurkmwahbmqbIS6w==",
        )],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "base64_decode_toguid",
        category: Category::Encoding,
        summary: "Returns the guid whose 16 bytes are given in base64, or null if the string is anything else.",
        overloads: &[Overload {
            params: &[TEXT],
            returns: Returns::Type(Type::Guid),
            kernel: |args| {
                Ok(args.map_text(0, |text| {
                    let bytes: Option<[u8; 16]> = decode(text).and_then(|bytes| bytes.try_into().ok());
                    bytes.map(|bytes| Value::Guid(swapped(bytes)))
                }))
            },
        }],
        examples: &[
            Example::new("base64_decode_toguid('8jMxriJurkmwahbmqbIS6w==')", "ae3133f2-6e22-49ae-b06a-16e6a9b212eb"),
            Example::new("base64_decode_toguid('abcd1231')", "guid(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

/// Base64 with padding. When decoding, the unused bits of the last digit may have any value.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Returns the decoded bytes; None if the string is not base64 with its padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Converts a guid between the byte order of its string and that of its memory, in which the first three groups are
/// little-endian numbers.
fn swapped(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[0..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_of_every_length_come_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            assert_eq!(decode(&encode(&bytes[..length])).as_deref(), Some(&bytes[..length]));
        }
        assert_eq!(encode(b"fo"), "Zm8=");
        assert_eq!(decode("Zm9=").as_deref(), Some(&b"fo"[..]));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["Zg", "Zg=", "Z===", "====", "Zm8=Zm8=", "Zm\n8", "Zé9", "Zm8-"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
