//! The types of Avro schemas, and how values of them are skipped.

use std::io;

use super::binary::{MAX_ITEMS, damaged, length_of, read_long, skip, take};
use crate::types::dynamic;

/// Maximum nesting depth of types in a schema.
const MAX_DEPTH: usize = 32;

/// A type of the schema.
///
/// Invariant: no field of a record, and no item of an array, is of a type whose values take no bytes. So each value
/// that is skipped advances in the input, and the work is bounded by the size of the input even if a count is forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AvroType {
    Null,
    Bool,
    Integer(IntegerUnit),
    Enum(Vec<String>),
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Array(Box<AvroType>),
    Map(Box<AvroType>),
    Union(Vec<AvroType>),
    Record {
        fields: Vec<AvroField>,
        /// False if the record has more fields, whose values take no bytes.
        is_whole: bool,
    },
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AvroField {
    pub name: String,
    pub ty: AvroType,
}

/// The unit of a number, by its logical type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntegerUnit {
    /// A plain number.
    None,
    /// Days since 1970-01-01.
    Days,
    /// Milliseconds since 1970-01-01.
    Milliseconds,
    /// Microseconds since 1970-01-01.
    Microseconds,
    /// A logical type that is not supported, by its name.
    Unsupported(&'static str),
}

impl IntegerUnit {
    /// Returns the unit of a logical type. Unknown logical types are ignored, as the specification says.
    fn of(logical_type: Option<&str>) -> Self {
        const UNSUPPORTED: [&str; 6] = [
            "time-millis",
            "time-micros",
            "timestamp-nanos",
            "local-timestamp-millis",
            "local-timestamp-micros",
            "local-timestamp-nanos",
        ];
        let name = logical_type.map(dynamic::to_text).unwrap_or_default();
        match &*name {
            "date" => Self::Days,
            "timestamp-millis" => Self::Milliseconds,
            "timestamp-micros" => Self::Microseconds,
            other => UNSUPPORTED.into_iter().find(|known| *known == other).map_or(Self::None, Self::Unsupported),
        }
    }
}

impl AvroType {
    /// Skips a value. If `taken` is given, the contents of a value of type bytes are appended to it.
    pub(super) fn read(&self, input: &mut &[u8], taken: Option<&mut Vec<u8>>) -> io::Result<()> {
        match self {
            Self::Null => Ok(()),
            Self::Bool => skip(input, 1),
            Self::Integer(_) | Self::Enum(_) => read_long(input).map(drop),
            Self::Float => skip(input, 4),
            Self::Double => skip(input, 8),
            Self::Fixed(size) => skip(input, *size),
            Self::Bytes | Self::String => {
                let length = length_of(read_long(input)?)?;
                let bytes = self::take(input, length)?;
                if let Some(taken) = taken {
                    taken.extend_from_slice(bytes);
                }
                Ok(())
            }
            Self::Union(types) => {
                let index = usize::try_from(read_long(input)?).ok();
                index
                    .and_then(|index| types.get(index))
                    .ok_or_else(|| damaged("no such branch of a union"))?
                    .read(input, taken)
            }
            Self::Record { fields, .. } => fields.iter().try_for_each(|field| field.ty.read(input, None)),
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
            Self::Record { fields, .. } => fields.is_empty(),
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
            "int" | "long" => Self::Integer(IntegerUnit::of(member("logicalType"))),
            "enum" => {
                let symbols = dynamic::elements(member("symbols").unwrap_or("[]"));
                Self::Enum(symbols.map(|symbol| dynamic::to_text(symbol).into_owned()).collect())
            }
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
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
                let mut fields: Vec<AvroField> =
                    fields.map(|field| AvroField::parse(field, depth + 1)).collect::<io::Result<_>>()?;
                let count = fields.len();
                fields.retain(|field| !field.ty.takes_no_bytes());
                Self::Record { is_whole: fields.len() == count, fields }
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

impl AvroField {
    /// Reads a field of a record in a schema.
    pub(super) fn parse(field: &str, depth: usize) -> io::Result<Self> {
        let ty = dynamic::get_member(field, "type").ok_or_else(|| damaged("a field without a type"))?;
        let name = dynamic::get_member(field, "name").map(dynamic::to_text).unwrap_or_default().into_owned();
        Ok(Self { name, ty: AvroType::parse(ty, depth)? })
    }
}
