//! The types of Avro schemas, and how values of them are skipped.

use std::io;

use super::binary::{MAX_ITEMS, damaged, length_of, read_long, skip};
use crate::types::dynamic;

/// Maximum nesting depth of types in a schema.
const MAX_DEPTH: usize = 32;

/// A type of the schema, as far as it is needed to skip values.
///
/// Invariant: no field of a record, and no item of an array, is of a type whose values take no bytes. So each value
/// that is skipped advances in the input, and the work is bounded by the size of the input even if a count is forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AvroType {
    Null,
    Bool,
    Integer,
    Float,
    Double,
    Bytes,
    Fixed(usize),
    Array(Box<AvroType>),
    Map(Box<AvroType>),
    Union(Vec<AvroType>),
    Record(Vec<AvroType>),
}

impl AvroType {
    /// Skips a value. If `taken` is given, the contents of a value of type bytes are appended to it.
    pub(super) fn read(&self, input: &mut &[u8], taken: Option<&mut Vec<u8>>) -> io::Result<()> {
        match self {
            Self::Null => Ok(()),
            Self::Bool => skip(input, 1),
            Self::Integer => read_long(input).map(drop),
            Self::Float => skip(input, 4),
            Self::Double => skip(input, 8),
            Self::Fixed(size) => skip(input, *size),
            Self::Bytes => {
                let length = length_of(read_long(input)?)?;
                let bytes = input.get(..length).ok_or_else(|| damaged("a record is cut off"))?;
                if let Some(taken) = taken {
                    taken.extend_from_slice(bytes);
                }
                skip(input, length)
            }
            Self::Union(types) => {
                let index = usize::try_from(read_long(input)?).ok();
                index
                    .and_then(|index| types.get(index))
                    .ok_or_else(|| damaged("no such branch of a union"))?
                    .read(input, taken)
            }
            Self::Record(types) => types.iter().try_for_each(|ty| ty.read(input, None)),
            Self::Array(item) => read_blocks(input, &mut |input| item.read(input, None)),
            Self::Map(value) => read_blocks(input, &mut |input| {
                Self::Bytes.read(input, None)?;
                value.read(input, None)
            }),
        }
    }

    /// True if values of the type take no bytes.
    pub(super) fn takes_no_bytes(&self) -> bool {
        match self {
            Self::Null | Self::Fixed(0) => true,
            Self::Record(types) => types.is_empty(),
            _ => false,
        }
    }

    pub(super) fn parse(schema: &str, depth: usize) -> io::Result<Self> {
        if depth > MAX_DEPTH {
            return Err(damaged("types are nested too deeply"));
        }
        if schema.starts_with('[') {
            let types = dynamic::elements(schema).map(|ty| Self::parse(ty, depth + 1));
            return types.collect::<io::Result<_>>().map(Self::Union);
        }
        let member = |key: &str| dynamic::get_member(schema, key);
        let inner = |key: &str| Self::parse(member(key).ok_or_else(|| damaged("a type without its items"))?, depth + 1);
        let name = if schema.starts_with('{') { member("type").unwrap_or("null") } else { schema };
        if name.starts_with(['{', '[']) {
            return Self::parse(name, depth + 1);
        }
        Ok(match &*dynamic::to_text(name) {
            "" => return Err(damaged("a type without a name")),
            "null" => Self::Null,
            "boolean" => Self::Bool,
            "int" | "long" | "enum" => Self::Integer,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" | "string" => Self::Bytes,
            "fixed" => {
                Self::Fixed(member("size").and_then(|size| size.parse().ok()).ok_or_else(|| damaged("no size"))?)
            }
            "array" => {
                let items = inner("items")?;
                if items.takes_no_bytes() {
                    return Err(damaged("arrays of items without bytes are not supported"));
                }
                Self::Array(Box::new(items))
            }
            "map" => Self::Map(Box::new(inner("values")?)),
            "record" => {
                let fields = dynamic::elements(member("fields").unwrap_or("[]"));
                let types = fields.map(|field| field_type(field, depth + 1));
                let types = types.filter(|ty| !ty.as_ref().is_ok_and(Self::takes_no_bytes));
                Self::Record(types.collect::<io::Result<_>>()?)
            }
            _ => return Err(damaged("named type references are not supported")),
        })
    }
}

/// Reads the blocks of an array or map, and calls `item` to skip each item.
fn read_blocks(input: &mut &[u8], item: &mut dyn FnMut(&mut &[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        let count = read_long(input)?;
        if count == 0 {
            return Ok(());
        }
        if count < 0 {
            let bytes = length_of(read_long(input)?)?;
            skip(input, bytes)?;
            continue;
        }
        if count > MAX_ITEMS {
            return Err(damaged("too many items"));
        }
        (0..count).try_for_each(|_| item(input))?;
    }
}

/// Returns the type of a field of a record in a schema.
pub(super) fn field_type(field: &str, depth: usize) -> io::Result<AvroType> {
    AvroType::parse(dynamic::get_member(field, "type").ok_or_else(|| damaged("a field without a type"))?, depth)
}
