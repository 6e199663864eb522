//! Writes Avro values as JSON, which `externaldata` reads.
//!
//! Source: the Avro 1.x specification; dates and timestamps become datetimes. How Kusto reads values of other types
//! without an equal in JSON, such as bytes, is not documented, so they are refused.

use std::io;

use super::avro_type::{AvroField, AvroType, IntegerUnit};
use super::binary::{MAX_BLOCK_BYTES, MAX_ITEMS, damaged, length_of, read_long, take};
use crate::types::datetime::{TICKS_PER_DAY, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, UNIX_EPOCH, in_range};
use crate::types::{Value, dynamic};

impl AvroType {
    /// Returns the name of a type inside this type whose values cannot be written; None if there is none.
    pub(super) fn unwritable(&self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("bytes"),
            Self::Fixed(_) => Some("fixed"),
            Self::Integer(IntegerUnit::Unsupported(name)) => Some(name),
            Self::Array(inner) | Self::Map(inner) => inner.unwritable(),
            Self::Union(types) => types.iter().find_map(Self::unwritable),
            Self::Record { is_whole: false, .. } => Some("record, of which some fields have no bytes"),
            Self::Record { fields, .. } => fields.iter().find_map(|field| field.ty.unwritable()),
            _ => None,
        }
    }

    /// Reads a value, and appends it to `out` as JSON.
    pub(super) fn write_json(&self, input: &mut &[u8], out: &mut String) -> io::Result<()> {
        if out.len() > MAX_BLOCK_BYTES {
            return Err(damaged("a record is too large"));
        }
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool => out.push_str(if take(input, 1)? == [0] { "false" } else { "true" }),
            Self::Integer(unit) => dynamic::write_value(&unit.value(read_long(input)?), out),
            Self::Float => dynamic::write_value(&Value::Real(f32::from_le_bytes(number(input)?).into()), out),
            Self::Double => dynamic::write_value(&Value::Real(f64::from_le_bytes(number(input)?)), out),
            Self::String => write_string(input, out)?,
            Self::Enum(symbols) => dynamic::quote(chosen(symbols, read_long(input)?, "symbol of an enum")?, out),
            Self::Union(types) => chosen(types, read_long(input)?, "branch of a union")?.write_json(input, out)?,
            Self::Array(item) => write_items(input, out, ['[', ']'], &mut |input, out| item.write_json(input, out))?,
            Self::Map(value) => write_items(input, out, ['{', '}'], &mut |input, out| {
                write_string(input, out)?;
                out.push(':');
                value.write_json(input, out)
            })?,
            Self::Record { fields, .. } => {
                out.push('{');
                for (index, field) in fields.iter().enumerate() {
                    field.write_member(index == 0, input, out)?;
                }
                out.push('}');
            }
            Self::Bytes | Self::Fixed(_) => return Err(damaged("values of type bytes are not supported")),
        }
        Ok(())
    }
}

impl AvroField {
    /// Reads the value of the field, and appends it to `out` as a member of an object.
    pub(super) fn write_member(&self, is_first: bool, input: &mut &[u8], out: &mut String) -> io::Result<()> {
        if !is_first {
            out.push(',');
        }
        dynamic::quote(&self.name, out);
        out.push(':');
        self.ty.write_json(input, out)
    }
}

impl IntegerUnit {
    /// Returns the value of a number: a datetime, or the number itself if it is none or outside of their range.
    fn value(self, number: i64) -> Value {
        let ticks = match self {
            Self::Days => TICKS_PER_DAY,
            Self::Milliseconds => TICKS_PER_MILLISECOND,
            Self::Microseconds => TICKS_PER_MICROSECOND,
            Self::None | Self::Unsupported(_) => return Value::Long(number),
        };
        let time = number.checked_mul(ticks).and_then(|ticks| ticks.checked_add(UNIX_EPOCH));
        time.and_then(in_range).map_or(Value::Long(number), Value::Datetime)
    }
}

fn number<const N: usize>(input: &mut &[u8]) -> io::Result<[u8; N]> {
    take(input, N)?.try_into().map_err(|_| damaged("a record is cut off"))
}

fn write_string(input: &mut &[u8], out: &mut String) -> io::Result<()> {
    let length = length_of(read_long(input)?)?;
    let text = std::str::from_utf8(take(input, length)?).map_err(|_| damaged("a string is not UTF-8"))?;
    dynamic::quote(text, out);
    Ok(())
}

/// Returns the element of a list at an index that was read.
fn chosen<'a, T>(list: &'a [T], index: i64, what: &str) -> io::Result<&'a T> {
    let found = usize::try_from(index).ok().and_then(|index| list.get(index));
    found.ok_or_else(|| damaged(&format!("no such {what}")))
}

/// Reads the blocks of an array or map, and calls `item` to write each item.
fn write_items(
    input: &mut &[u8],
    out: &mut String,
    [open, close]: [char; 2],
    item: &mut dyn FnMut(&mut &[u8], &mut String) -> io::Result<()>,
) -> io::Result<()> {
    out.push(open);
    let mut is_first = true;
    loop {
        let count = read_long(input)?;
        if count == 0 {
            break;
        }
        if count < 0 {
            // The size of the block in bytes, for readers that skip it.
            read_long(input)?;
        }
        let count = count.checked_abs().filter(|count| *count <= MAX_ITEMS);
        for _ in 0..count.ok_or_else(|| damaged("too many items"))? {
            if !std::mem::take(&mut is_first) {
                out.push(',');
            }
            item(input, out)?;
        }
    }
    out.push(close);
    Ok(())
}
