//! The encoding of keys as bytes of a fixed width, so that equal keys are equal bytes.
//!
//! A string is encoded as its id in the dictionary of its column. Any other value is encoded as a byte that says
//! whether it is null, followed by the value.

use crate::types::interner::NO_ID;
use crate::types::{Column, Type};

/// Number of keys or strings that are looked up together.
pub(super) const BLOCK: usize = 512;

/// Number of bytes of the id of a string.
const STRING_ID_BYTES: usize = size_of::<u32>();

const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// True if `value`, written by [`write_value`], is null.
pub(super) fn is_null(value: &[u8]) -> bool {
    value.first() == Some(&NULL)
}

/// Returns the number of bytes that a value of `ty` takes in a key.
pub(super) fn width(ty: Type) -> usize {
    match ty {
        Type::String | Type::Dynamic => STRING_ID_BYTES,
        Type::Bool => 2,
        Type::Int | Type::Long | Type::Datetime | Type::Timespan | Type::Real => 9,
        Type::Decimal | Type::Guid => 17,
    }
}

/// Returns the id of the string at the start of `key`.
pub(super) fn string_id(key: &[u8]) -> u32 {
    key.first_chunk().map_or(NO_ID, |bytes: &[u8; STRING_ID_BYTES]| u32::from_le_bytes(*bytes))
}

/// Appends a value of eight bytes to `key`; None is null.
pub(super) fn write_integer(value: Option<[u8; 8]>, key: &mut Vec<u8>) {
    let mut written = [NULL; 9];
    if let Some(value) = value {
        written[0] = PRESENT;
        written[1..].copy_from_slice(&value);
    }
    key.extend_from_slice(&written);
}

/// Appends the value of `row` to `key`, in [`width`] bytes. The column must not be of strings.
pub(super) fn write_value(column: &Column, row: usize, key: &mut Vec<u8>) {
    match column.ty() {
        Type::Bool => {
            let value = column.bool_at(row);
            key.extend_from_slice(&[u8::from(value.is_some()), u8::from(value == Some(true))]);
        }
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
            write_integer(column.i64_at(row).map(i64::to_le_bytes), key);
        }
        Type::Real => {
            // Both zeros are one key, and so are all NaNs.
            let canonical = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            write_integer(column.f64_at(row).map(|value| canonical(value).to_le_bytes()), key);
        }
        Type::Decimal | Type::Guid => {
            let value = column.bytes_at(row);
            key.push(u8::from(value.is_some()));
            key.extend_from_slice(&value.unwrap_or_default());
        }
        Type::String | Type::Dynamic => debug_assert!(false, "strings are interned"),
    }
}
