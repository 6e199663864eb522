//! Hash functions: digests of values as strings, and the 64-bit hash that partitions rows.

use std::fmt::Write;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use twox_hash::XxHash64;

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "hash",
        aliases: &["hash_xxhash64"],
        summary: "Returns the xxHash64 of a string or datetime as a long, or its remainder by the modulus, which is \
                  never negative, as that of `%`.",
        overloads: &[Overload { params: &[HASHED, MODULUS], returns: Returns::Type(Type::Long), kernel: hash }],
        examples: &[
            Example::new("hash('World')", "1846988464401551951"),
            Example::new("hash('World', 100)", "51"),
            Example::new("hash('a', 100) == hash('a') % 100", "true"),
            Example::new("hash_xxhash64(datetime(2015-01-01))", "1380966698541616202"),
        ],
        ..HASH
    },
    ScalarFunction {
        name: "hash_md5",
        summary: "Returns the MD5 hash of the value as a string, in hexadecimal; \"\" for \"\".",
        overloads: &[digest(|args| Ok(hexadecimal(args, |bytes| Md5::digest(bytes).to_vec())))],
        examples: &[
            Example::new("hash_md5('World')", "f5a7924e621e84c9280a9a27e1bcb7f6"),
            Example::new("hash_md5(datetime(2020-01-01))", "786c530672d1f8db31fee25ea8a9390b"),
        ],
        ..HASH
    },
    ScalarFunction {
        name: "hash_sha1",
        summary: "Returns the SHA-1 hash of the value as a string, in hexadecimal; \"\" for \"\".",
        overloads: &[digest(|args| Ok(hexadecimal(args, |bytes| Sha1::digest(bytes).to_vec())))],
        examples: &[Example::new("hash_sha1('World')", "70c07ec18ef89c5309bbb0937f3a6342411e1fdd")],
        ..HASH
    },
    ScalarFunction {
        name: "hash_sha256",
        summary: "Returns the SHA-256 hash of the value as a string, in hexadecimal; \"\" for \"\".",
        overloads: &[digest(|args| Ok(hexadecimal(args, |bytes| Sha256::digest(bytes).to_vec())))],
        examples: &[Example::new(
            "hash_sha256('World')",
            "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524",
        )],
        ..HASH
    },
];

const HASH: ScalarFunction = ScalarFunction { category: Category::Hash, ..ScalarFunction::DEFAULT };

const HASHED: Param = Param::of("value", Accepts::Any, "a string or datetime; other types are not supported yet");
const MODULUS: Param = Param::new("modulus", Type::Long, "the exclusive upper bound").optional();

const fn digest(kernel: Kernel) -> Overload {
    const TEXT: Accepts = Accepts::Exactly(&[Type::String, Type::Datetime, Type::Long, Type::Int]);
    Overload {
        params: const { &[Param::of("value", TEXT, "a string, datetime or whole number")] },
        returns: Returns::Type(Type::String),
        kernel,
    }
}

/// Returns the digest of each string in hexadecimal; "" for the empty string, as on the engine.
fn hexadecimal(args: &Args<'_>, digest: impl Fn(&[u8]) -> Vec<u8>) -> Column {
    let texts = args.to_texts(0);
    args.map(|row| {
        let text = texts.get(row);
        let mut digits = String::new();
        if !text.is_empty() {
            for byte in digest(text.as_bytes()) {
                write!(digits, "{byte:02x}").expect("writing to a String cannot fail");
            }
        }
        digits
    })
}

/// Computes `hash`. A datetime is hashed as its ticks, 8 bytes in little-endian order; measured on the engine.
fn hash(args: &Args<'_>) -> Result<Column> {
    let column = args.column(0);
    args.try_map(|row| {
        let hash = match column.ty() {
            Type::Datetime => column.i64_at(row).map(|ticks| XxHash64::oneshot(0, &ticks.to_le_bytes())),
            ty if ty != Type::String => {
                return Err(unknown("how Kusto hashes values of this type is not known; use tostring()"));
            }
            _ => column.text_at(row).filter(|text| !text.is_empty()).map(|text| XxHash64::oneshot(0, text.as_bytes())),
        };
        let Some(hash) = hash.map(u64::cast_signed) else {
            args.context().doubts().add(Doubt::HashOfEmpty, "");
            return Ok(None);
        };
        match args.len() {
            1 => Ok(Some(hash)),
            _ => Ok(args.longs(1).get(row).and_then(|modulus| hash.checked_rem_euclid(modulus))),
        }
    })
}

/// Returns the error for a call whose result on the engine is not known.
fn unknown(message: &str) -> Error {
    Error::query(Code::UnsupportedFunction, Span::default(), message)
}
