//! The columns of an Arrow schema, and the Arrow types to which they are cast for the converter.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::super::file_columns::{FileColumn, StoredAs};
use crate::types::Type;

/// The key in the metadata of a field under which query results in Arrow have its KQL type.
const TYPE_KEY: &str = "kql.type";
/// The key in the metadata of a field under which the name of an extension type is, and the name for UUIDs.
const EXTENSION: (&str, &str) = ("ARROW:extension:name", "arrow.uuid");

/// A column of the schema that can be read.
#[derive(Clone, Debug)]
pub(super) struct IpcColumn {
    /// The column as the converter sees it; its position is that in the schema.
    pub column: FileColumn,
    /// The type to which its arrays are cast before they are converted; None if they are not cast.
    pub cast: Option<DataType>,
}

/// Returns the columns that can be read, and those that cannot, each with the reason.
pub(super) fn of(schema: &Schema) -> (Vec<IpcColumn>, Vec<(String, String)>) {
    let (mut columns, mut unreadable) = (Vec::<IpcColumn>::new(), Vec::new());
    for (root, field) in schema.fields().iter().enumerate() {
        let name = field.name().clone();
        if columns.iter().any(|other| other.column.name == name) {
            unreadable.push((name, "the file has two columns of this name; the first is read".to_owned()));
            continue;
        }
        match classify(field, field.data_type()) {
            Some((ty, source, cast)) => {
                columns.push(IpcColumn { column: FileColumn { name, ty, root, leaves: 0..0, source }, cast });
            }
            None => unreadable.push((name, format!("its type {} has no counterpart in KQL", field.data_type()))),
        }
    }
    (columns, unreadable)
}

/// Returns the KQL type of a column, the form in which its values are stored, and the type to which its arrays are
/// cast before they are converted. Returns None if KQL has no such type.
fn classify(field: &Field, ty: &DataType) -> Option<(Type, StoredAs, Option<DataType>)> {
    let noted = || field.metadata().get(TYPE_KEY).and_then(|name| Type::from_name(name));
    let scalar = |kql: Type, ty: DataType| Some((kql, StoredAs::Scalar(ty.clone()), Some(ty)));
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Some((noted().unwrap_or(Type::String), StoredAs::String, Some(DataType::Utf8View)))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Some((Type::String, StoredAs::Bytes, Some(DataType::BinaryView)))
        }
        DataType::FixedSizeBinary(16) if field.metadata().get(EXTENSION.0).is_some_and(|name| name == EXTENSION.1) => {
            Some((Type::Guid, StoredAs::Uuid, None))
        }
        DataType::Dictionary(_, values) => {
            let (kql, source, cast) = classify(field, values)?;
            // Values of a nested type have no array of their own to cast to.
            (source != StoredAs::Nested).then(|| (kql, source, cast.or_else(|| Some(values.as_ref().clone()))))
        }
        DataType::Date64 => scalar(Type::Datetime, DataType::Timestamp(TimeUnit::Millisecond, None)),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            scalar(Type::Decimal, DataType::Decimal128(*precision, *scale))
        }
        DataType::LargeList(items) if is_printable(items.data_type()) => {
            Some((Type::Dynamic, StoredAs::Nested, Some(DataType::List(items.clone()))))
        }
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) if is_printable(ty) => {
            Some((Type::Dynamic, StoredAs::Nested, None))
        }
        _ => scalar_type(ty).map(|kql| (kql, StoredAs::Scalar(ty.clone()), None)),
    }
}

/// Returns the KQL type for an Arrow type that the converter accepts without a cast; None for other types.
fn scalar_type(ty: &DataType) -> Option<Type> {
    Some(match ty {
        DataType::Null => Type::Dynamic,
        DataType::Boolean => Type::Bool,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => Type::Int,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Type::Long,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Type::Real,
        DataType::Decimal128(..) | DataType::Decimal256(..) => Type::Decimal,
        DataType::Date32 | DataType::Timestamp(..) => Type::Datetime,
        DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => Type::Timespan,
        _ => return None,
    })
}

/// True for types that can be converted to JSON (see `nested.rs`).
fn is_printable(ty: &DataType) -> bool {
    match ty {
        DataType::Struct(fields) => fields.iter().all(|field| is_printable(field.data_type())),
        DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => is_printable(field.data_type()),
        DataType::Dictionary(_, values) => is_printable(values),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => true,
        ty => scalar_type(ty).is_some(),
    }
}
