//! Converts structs, lists and maps to JSON.
//!
//! Members of structs that are null are left out, as in JSON exports of the same records, because a struct cannot
//! express that a member is absent. Nulls in lists and maps are kept. Datetimes, timespans and guids become strings
//! in the format of KQL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, StringViewBuilder};
use arrow::compute;
use arrow::datatypes::DataType;

use super::convert::{natural, not_null};
use crate::diagnostic::{Error, Result};
use crate::types::dynamic::{quote, write_value};
use crate::types::{Column, Value};

/// Maximum length in bytes of the JSON of one value. A list may repeat a long entry of a dictionary many times.
const MAX_JSON: usize = 64 << 20;

/// The numbers of values that could not be converted exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NestedLoss {
    /// Number of strings that are not UTF-8.
    pub strings: usize,
    /// Number of values that KQL cannot represent.
    pub values: usize,
}

/// Returns the JSON of each row (null if the row is null), and the numbers of values that were lost.
pub(super) fn to_json(array: &ArrayRef) -> Result<(ArrayRef, NestedLoss)> {
    let mut lost = NestedLoss::default();
    let node = NestedArray::new(array, &mut lost)?;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut json = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        json.clear();
        node.write(row, &mut json);
        if json.len() > MAX_JSON {
            let most = MAX_JSON >> 20;
            return Err(Error::Limit(format!(
                "a nested value takes more than {most} MiB as JSON: leave its column out of the query"
            )));
        }
        builder.append_value(&json);
    }
    Ok((Arc::new(builder.finish()), lost))
}

/// An array with the arrays inside it, prepared once for each batch. Its depth is that of the schema of the file.
enum NestedArray {
    Struct { array: ArrayRef, members: Vec<(String, NestedArray)> },
    List { array: ArrayRef, items: Box<NestedArray> },
    Map { array: ArrayRef, keys: Box<NestedArray>, values: Box<NestedArray> },
    Text(BinaryViewArray),
    Scalar(Column),
}

impl NestedArray {
    fn new(array: &ArrayRef, lost: &mut NestedLoss) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Struct(fields) => {
                let children = array.as_struct().columns();
                let members = fields.iter().zip(children).map(|(field, child)| {
                    let mut name = String::new();
                    quote(field.name(), &mut name);
                    Ok((name, Self::new(child, lost)?))
                });
                Self::Struct { array: Arc::clone(array), members: members.collect::<Result<_>>()? }
            }
            DataType::List(_) => {
                let items = Self::new(array.as_list::<i32>().values(), lost)?;
                Self::List { array: Arc::clone(array), items: Box::new(items) }
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = (Self::new(map.keys(), lost)?, Self::new(map.values(), lost)?);
                Self::Map { array: Arc::clone(array), keys: Box::new(keys), values: Box::new(values) }
            }
            // They are read as bytes, because the reader did not validate strings without the annotation.
            DataType::Utf8View => Self::text(array.as_string_view().clone().to_binary_view(), lost),
            // Arrow files have strings and lists of any layout.
            DataType::Utf8 | DataType::LargeUtf8 => Self::new(&compute::cast(array, &DataType::Utf8View)?, lost)?,
            DataType::Binary | DataType::LargeBinary => Self::new(&compute::cast(array, &DataType::BinaryView)?, lost)?,
            DataType::LargeList(items) => Self::new(&compute::cast(array, &DataType::List(Arc::clone(items)))?, lost)?,
            DataType::Dictionary(_, values) => Self::new(&compute::cast(array, values)?, lost)?,
            DataType::BinaryView => Self::text(array.as_binary_view().clone(), lost),
            _ => {
                let column = natural(array)?;
                lost.values += (array.len() - array.logical_null_count()).saturating_sub(not_null(&column));
                Self::Scalar(column)
            }
        })
    }

    fn text(array: BinaryViewArray, lost: &mut NestedLoss) -> Self {
        lost.strings += array.iter().flatten().filter(|bytes| std::str::from_utf8(bytes).is_err()).count();
        Self::Text(array)
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Struct { array, .. } | Self::List { array, .. } | Self::Map { array, .. } => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Scalar(column) => column.is_null(row),
        }
    }

    fn write(&self, row: usize, json: &mut String) {
        if self.is_null(row) {
            json.push_str("null");
            return;
        }
        match self {
            Self::Struct { members, .. } => {
                let present = members.iter().filter(|(_, member)| !member.is_null(row));
                write_list(json, '{', '}', present, |(name, member), json| {
                    json.push_str(name);
                    json.push(':');
                    member.write(row, json);
                });
            }
            Self::List { array, items } => {
                let (start, end) = bounds(array.as_list::<i32>().value_offsets(), row);
                write_list(json, '[', ']', start..end, |item, json| items.write(item, json));
            }
            Self::Map { array, keys, values } => {
                let (start, end) = bounds(array.as_map().value_offsets(), row);
                write_list(json, '{', '}', start..end, |entry, json| {
                    keys.write_key(entry, json);
                    json.push(':');
                    values.write(entry, json);
                });
            }
            Self::Text(array) => quote(&String::from_utf8_lossy(array.value(row)), json),
            Self::Scalar(column) => match column.value(row) {
                // Decimals stay numbers in JSON.
                value @ Value::Decimal(_) => json.push_str(&value.to_text()),
                value => write_value(&value, json),
            },
        }
    }

    /// Writes a value as a key of a JSON object. A value that is not a string is written as its JSON in quotes.
    fn write_key(&self, row: usize, json: &mut String) {
        match self {
            Self::Text(_) => self.write(row, json),
            Self::Scalar(column) => quote(&column.value(row).to_text(), json),
            _ => {
                let mut key = String::new();
                self.write(row, &mut key);
                quote(&key, json);
            }
        }
    }
}

fn bounds(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |index: usize| usize::try_from(offsets[index]).expect("offsets of an array are not negative");
    (at(row), at(row + 1))
}

fn write_list<T>(
    json: &mut String,
    open: char,
    close: char,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut String),
) {
    json.push(open);
    for (index, item) in items.enumerate() {
        // The caller refuses the value.
        if json.len() > MAX_JSON {
            break;
        }
        if index > 0 {
            json.push(',');
        }
        write(item, json);
    }
    json.push(close);
}
