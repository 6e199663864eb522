//! Strings compressed with zlib or gzip, as base64.
//!
//! As on the engine, a string is stored uncompressed if compression does not make it much shorter. The bytes of longer
//! strings can differ from those of the engine, which uses another library; they decompress to the same string.

use std::io::{Read, Write};

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Kernel, Overload, Param, ResultName, Returns};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "zlib_compress_to_base64_string",
        summary: "Returns the string compressed with zlib and encoded as base64.",
        overloads: &[form(|args| compressed(args, zlib))],
        examples: &[Example::new("zlib_compress_to_base64_string('contoso')", "eAEBBwD4/2NvbnRvc28L7gMG")],
        ..COMPRESSION
    },
    ScalarFunction {
        name: "zlib_decompress_from_base64_string",
        summary: "Returns the string that was compressed with zlib and encoded as base64, or \"\" if that fails.",
        overloads: &[form(|args| decompressed(args, |bytes| read(ZlibDecoder::new(bytes))))],
        examples: &[
            Example::new("zlib_decompress_from_base64_string('eAEBBwD4/2NvbnRvc28L7gMG')", "contoso"),
            Example::new("zlib_decompress_from_base64_string('!')", ""),
        ],
        ..COMPRESSION
    },
    ScalarFunction {
        name: "gzip_compress_to_base64_string",
        summary: "Returns the string compressed with gzip and encoded as base64.",
        overloads: &[form(|args| compressed(args, gzip))],
        examples: &[Example::new(
            "gzip_decompress_from_base64_string(gzip_compress_to_base64_string('contoso'))",
            "contoso",
        )],
        ..COMPRESSION
    },
    ScalarFunction {
        name: "gzip_decompress_from_base64_string",
        summary: "Returns the string that was compressed with gzip and encoded as base64, or \"\" if that fails.",
        overloads: &[form(|args| decompressed(args, |bytes| read(GzDecoder::new(bytes))))],
        examples: &[Example::new("gzip_decompress_from_base64_string('!')", "")],
        ..COMPRESSION
    },
];

const COMPRESSION: ScalarFunction =
    ScalarFunction { category: Category::Encoding, result_name: ResultName::Numbered, ..ScalarFunction::DEFAULT };

/// The number of bytes that compression must save at least; otherwise the string is stored. It is about the size of the
/// table of a block.
const MIN_SAVED: usize = 32;
/// Maximum length in bytes of a stored block.
const MAX_STORED: usize = 65_535;
/// The header of a zlib stream that was compressed at the fastest level.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// The header of a gzip file without a name or time, written on an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

const fn form(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::new("string", Type::String, "the string")] },
        returns: Returns::Type(Type::String),
        kernel,
    }
}

fn compressed(args: &Args<'_>, compress: fn(&[u8]) -> Vec<u8>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| Ok(texts.get(row).map(|text| STANDARD.encode(compress(text.as_bytes())))))
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    [&ZLIB_HEADER[..], &deflate(bytes), &adler32(bytes).to_be_bytes()].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    [&GZIP_HEADER[..], &deflate(bytes), &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
    if !compressed.is_empty() && compressed.len() + MIN_SAVED < bytes.len() { compressed } else { stored(bytes) }
}

/// Returns a deflate stream of blocks that are not compressed (RFC 1951, 3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(bytes.len() + 5);
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(MAX_STORED));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(after.is_empty()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
        if after.is_empty() {
            return stream;
        }
        rest = after;
    }
}

/// Returns the checksum of a zlib stream (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let sums = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    sums.1 << 16 | sums.0
}

fn decompressed(args: &Args<'_>, decompress: fn(&[u8]) -> Result<Option<String>>) -> Result<Column> {
    let texts = args.texts(0);
    args.try_map(|row| match texts.get(row).and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) => decompress(&bytes),
        None => Ok(None),
    })
}

/// Reads a decompressed string; None if the bytes are damaged or not UTF-8. Because a few kilobytes can decompress to
/// gigabytes, more than [`MAX_VALUE_BYTES`] are an error.
fn read(reader: impl Read) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    if reader.take(MAX_VALUE_BYTES as u64 + 1).read_to_end(&mut bytes).is_err() {
        return Ok(None);
    }
    if bytes.len() > MAX_VALUE_BYTES {
        return Err(too_long("the decompressed string"));
    }
    Ok(String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_any_length_come_back() {
        for length in [0, 1, 20, 300, 70_000] {
            let text: String = ('a'..='z').cycle().take(length).collect();
            assert_eq!(
                read(flate2::read::DeflateDecoder::new(&stored(text.as_bytes())[..])).expect("small"),
                Some(text.clone())
            );
            assert_eq!(read(GzDecoder::new(&gzip(text.as_bytes())[..])).expect("small"), Some(text.clone()));
            assert_eq!(read(ZlibDecoder::new(&zlib(text.as_bytes())[..])).expect("small"), Some(text));
        }
    }

    #[test]
    fn a_bomb_is_an_error_and_damage_is_none() {
        let bomb = zlib(&vec![b'a'; MAX_VALUE_BYTES + 1]);
        assert!(read(ZlibDecoder::new(&bomb[..])).is_err());
        let mut damaged = gzip(b"contoso.com");
        damaged[15] ^= 1;
        assert_eq!(read(GzDecoder::new(&damaged[..])).expect("small"), None);
    }
}
