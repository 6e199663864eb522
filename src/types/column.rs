//! A column of a batch: an Arrow array, or one value for all rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeBinaryBuilder, Float64Array, Float64Builder, Int32Array, Int32Builder, Int64Array, Int64Builder,
    StringArray, StringViewArray, StringViewBuilder, UInt32Array,
};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use super::{Decimal, Type, Value};

/// A column with a KQL type and a number of rows.
///
/// Invariant: an array has the Arrow type that [`Type::arrow`] returns, or `Dictionary(Int32, Utf8)` for string and
/// dynamic. An array of the type string has no nulls.
#[derive(Clone, Debug)]
pub struct Column {
    ty: Type,
    rows: usize,
    kind: ColumnValues,
}

#[derive(Clone, Debug)]
enum ColumnValues {
    Array(ArrayRef),
    Constant(Value),
}

impl Column {
    /// Creates a column of `array`, whose data type must be one that `ty` allows.
    #[must_use]
    pub fn array(ty: Type, array: ArrayRef) -> Self {
        debug_assert!(
            *array.data_type() == ty.arrow() || (ty.is_text() && matches!(array.data_type(), DataType::Dictionary(..))),
            "{ty} in {}",
            array.data_type()
        );
        debug_assert!(ty != Type::String || array.null_count() == 0, "a string is never null");
        Self { ty, rows: array.len(), kind: ColumnValues::Array(array) }
    }

    /// Creates a column with `value` in each of `rows` rows.
    #[must_use]
    pub fn constant(value: Value, rows: usize) -> Self {
        Self { ty: value.ty(), rows, kind: ColumnValues::Constant(value) }
    }

    /// Returns this column, which must be constant, with another number of rows.
    #[must_use]
    pub(crate) fn resized(&self, rows: usize) -> Self {
        debug_assert!(self.as_array().is_none(), "only constants can be resized");
        Self { rows, ..self.clone() }
    }

    /// Returns the KQL type.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the value of a constant column; None if the column is an array.
    #[must_use]
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.kind {
            ColumnValues::Constant(value) => Some(value),
            ColumnValues::Array(_) => None,
        }
    }

    /// Returns the array; None if the column is constant.
    #[must_use]
    pub fn as_array(&self) -> Option<&ArrayRef> {
        match &self.kind {
            ColumnValues::Array(array) => Some(array),
            ColumnValues::Constant(_) => None,
        }
    }

    /// Returns the column as an array with one element per row.
    #[must_use]
    pub fn to_array(&self) -> ArrayRef {
        match &self.kind {
            ColumnValues::Array(array) => Arc::clone(array),
            ColumnValues::Constant(value) => {
                if let Some(shared) = shared_text(value, self.rows) {
                    return shared;
                }
                let mut builder = ColumnBuilder::with_capacity(self.ty, self.rows);
                for _ in 0..self.rows {
                    builder.append(value);
                }
                builder.finish_array()
            }
        }
    }

    /// Returns the value of row `row`.
    #[must_use]
    pub fn value(&self, row: usize) -> Value {
        match &self.kind {
            ColumnValues::Constant(value) => value.clone(),
            ColumnValues::Array(array) => array_value(self.ty, array, row),
        }
    }

    /// True if row `row` is null; never true for a string.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        match &self.kind {
            ColumnValues::Constant(value) => value.is_null(),
            ColumnValues::Array(array) => match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
                Some(dictionary) => dictionary.key(row).is_none_or(|key| dictionary.values().is_null(key)),
                None => array.is_null(row),
            },
        }
    }
}

/// Returns an array of `rows` views that share the bytes of one long string; None for a short string or another value.
fn shared_text(value: &Value, rows: usize) -> Option<ArrayRef> {
    /// Maximum length in bytes of a string that is stored in the view itself.
    const INLINE: usize = 12;
    let (Value::String(text) | Value::Dynamic(text)) = value else { return None };
    if text.len() <= INLINE {
        return None;
    }
    let one = StringViewArray::from_iter_values([&**text]);
    compute::take(&one, &UInt32Array::from(vec![0; rows]), None).ok()
}

/// Returns the value at `row` of an array that represents the type `ty`.
#[must_use]
pub fn array_value(ty: Type, array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::null(ty);
    }
    match ty {
        Type::Bool => Value::Bool(array.as_boolean().value(row)),
        Type::Int => Value::Int(array.as_primitive::<Int32Type>().value(row)),
        Type::Long => Value::Long(int64(array).value(row)),
        Type::Datetime => Value::Datetime(int64(array).value(row)),
        Type::Timespan => Value::Timespan(int64(array).value(row)),
        Type::Real => Value::Real(array.as_primitive::<arrow::datatypes::Float64Type>().value(row)),
        Type::Decimal => Value::Decimal(decimal_from_bytes(array.as_fixed_size_binary().value(row))),
        Type::Guid => Value::Guid(guid_from_bytes(array.as_fixed_size_binary().value(row))),
        Type::String => text_at(array, row).map_or_else(|| Value::string(""), Value::string),
        Type::Dynamic => text_at(array, row).map_or(Value::Null(Type::Dynamic), Value::dynamic),
    }
}

fn int64(array: &ArrayRef) -> &Int64Array {
    array.as_primitive::<arrow::datatypes::Int64Type>()
}

/// Returns the string at `row` of a string or dynamic array in any encoding; None for a null.
#[must_use]
pub fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    if let Some(views) = array.as_any().downcast_ref::<StringViewArray>() {
        return (!views.is_null(row)).then(|| views.value(row));
    }
    let dictionary = array.as_any().downcast_ref::<DictionaryArray<Int32Type>>()?;
    let key = dictionary.key(row)?;
    let values = dictionary.values().as_any().downcast_ref::<StringArray>()?;
    (!values.is_null(key)).then(|| values.value(key))
}

/// Deserializes a decimal from the sixteen bytes stored in an array.
#[must_use]
pub fn decimal_from_bytes(bytes: &[u8]) -> Decimal {
    bytes.try_into().map_or(Decimal::ZERO, Decimal::deserialize)
}

/// Copies a guid from the sixteen bytes stored in an array.
#[must_use]
pub fn guid_from_bytes(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().unwrap_or([0; 16])
}

/// Builds an array of one type, value by value. It is meant for small results, and where speed does not matter; kernels
/// use Arrow's builders.
#[derive(Debug)]
pub struct ColumnBuilder {
    ty: Type,
    kind: ArrayBuilderOfType,
}

#[derive(Debug)]
enum ArrayBuilderOfType {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Bytes(FixedSizeBinaryBuilder),
    Text(StringViewBuilder),
}

impl ColumnBuilder {
    /// Creates a builder for `ty`.
    #[must_use]
    pub fn new(ty: Type) -> Self {
        Self::with_capacity(ty, 0)
    }

    /// Creates a builder for `ty` with capacity for `rows`.
    #[must_use]
    pub fn with_capacity(ty: Type, rows: usize) -> Self {
        let kind = match ty {
            Type::Bool => ArrayBuilderOfType::Bool(BooleanBuilder::with_capacity(rows)),
            Type::Int => ArrayBuilderOfType::Int(Int32Builder::with_capacity(rows)),
            Type::Long | Type::Datetime | Type::Timespan => ArrayBuilderOfType::Long(Int64Builder::with_capacity(rows)),
            Type::Real => ArrayBuilderOfType::Real(Float64Builder::with_capacity(rows)),
            Type::Decimal | Type::Guid => ArrayBuilderOfType::Bytes(FixedSizeBinaryBuilder::with_capacity(rows, 16)),
            Type::String | Type::Dynamic => ArrayBuilderOfType::Text(StringViewBuilder::with_capacity(rows)),
        };
        Self { ty, kind }
    }

    /// Returns the type of the array.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Appends `value`; a value of another type is appended as null.
    pub fn append(&mut self, value: &Value) {
        match (&mut self.kind, value) {
            (ArrayBuilderOfType::Bool(builder), Value::Bool(v)) => builder.append_value(*v),
            (ArrayBuilderOfType::Int(builder), Value::Int(v)) => builder.append_value(*v),
            (ArrayBuilderOfType::Long(builder), Value::Long(v) | Value::Datetime(v) | Value::Timespan(v)) => {
                builder.append_value(*v);
            }
            (ArrayBuilderOfType::Real(builder), Value::Real(v)) => builder.append_value(*v),
            (ArrayBuilderOfType::Text(builder), Value::String(v) | Value::Dynamic(v)) => builder.append_value(v),
            (ArrayBuilderOfType::Bytes(builder), Value::Guid(v)) => {
                builder.append_value(v).expect("a guid has sixteen bytes");
            }
            (ArrayBuilderOfType::Bytes(builder), Value::Decimal(v)) => {
                builder.append_value(v.serialize()).expect("a decimal has sixteen bytes");
            }
            _ => {
                debug_assert!(value.is_null(), "{value:?} in a column of {}", self.ty);
                self.append_null();
            }
        }
    }

    /// Appends `value` to a bool column; a column of another type gets null.
    pub fn append_bool(&mut self, value: bool) {
        match &mut self.kind {
            ArrayBuilderOfType::Bool(builder) => builder.append_value(value),
            _ => self.append_misfit(),
        }
    }

    /// Appends `value` to a long, datetime or timespan column, or to an int column if it fits; a column of another type
    /// gets null.
    pub fn append_i64(&mut self, value: i64) {
        match &mut self.kind {
            ArrayBuilderOfType::Long(builder) => builder.append_value(value),
            ArrayBuilderOfType::Int(builder) => builder.append_option(i32::try_from(value).ok()),
            _ => self.append_misfit(),
        }
    }

    /// Appends `value` to a real column; a column of another type gets null.
    pub fn append_f64(&mut self, value: f64) {
        match &mut self.kind {
            ArrayBuilderOfType::Real(builder) => builder.append_value(value),
            _ => self.append_misfit(),
        }
    }

    /// Appends a string to a string column, or JSON to a dynamic column, in which the JSON `null` becomes null. A
    /// column of another type gets null.
    pub fn append_text(&mut self, text: &str) {
        match &mut self.kind {
            ArrayBuilderOfType::Text(builder) if self.ty == Type::Dynamic && text == "null" => builder.append_null(),
            ArrayBuilderOfType::Text(builder) => builder.append_value(text),
            _ => self.append_misfit(),
        }
    }

    fn append_misfit(&mut self) {
        debug_assert!(false, "a value that does not fit a column of {}", self.ty);
        self.append_null();
    }

    /// Appends null, or "" to a string column.
    pub fn append_null(&mut self) {
        match &mut self.kind {
            ArrayBuilderOfType::Bool(builder) => builder.append_null(),
            ArrayBuilderOfType::Int(builder) => builder.append_null(),
            ArrayBuilderOfType::Long(builder) => builder.append_null(),
            ArrayBuilderOfType::Real(builder) => builder.append_null(),
            ArrayBuilderOfType::Bytes(builder) => builder.append_null(),
            ArrayBuilderOfType::Text(builder) if self.ty == Type::String => builder.append_value(""),
            ArrayBuilderOfType::Text(builder) => builder.append_null(),
        }
    }

    /// Returns the array of the appended values, and starts again with an empty one.
    #[must_use]
    pub fn finish_array(&mut self) -> ArrayRef {
        match &mut self.kind {
            ArrayBuilderOfType::Bool(builder) => Arc::new(builder.finish()),
            ArrayBuilderOfType::Int(builder) => Arc::new(builder.finish()),
            ArrayBuilderOfType::Long(builder) => Arc::new(builder.finish()),
            ArrayBuilderOfType::Real(builder) => Arc::new(builder.finish()),
            ArrayBuilderOfType::Bytes(builder) => Arc::new(builder.finish()),
            ArrayBuilderOfType::Text(builder) => Arc::new(builder.finish()),
        }
    }

    /// Returns the column of the appended values, and starts again with an empty one.
    #[must_use]
    pub fn finish(&mut self) -> Column {
        Column::array(self.ty, self.finish_array())
    }
}

/// Reads the values of rows, whether the column is an array or a constant.
impl Column {
    /// Returns the value of a row of a bool column; None for null.
    #[must_use]
    pub fn bool_at(&self, row: usize) -> Option<bool> {
        match &self.kind {
            ColumnValues::Constant(Value::Bool(v)) => Some(*v),
            ColumnValues::Constant(_) => None,
            ColumnValues::Array(array) => {
                let array: &BooleanArray = array.as_boolean();
                (!array.is_null(row)).then(|| array.value(row))
            }
        }
    }

    /// Returns the value of a row of an int, long, datetime or timespan column as 64 bits; None for null.
    #[must_use]
    pub fn i64_at(&self, row: usize) -> Option<i64> {
        match &self.kind {
            ColumnValues::Constant(Value::Int(v)) => Some(i64::from(*v)),
            ColumnValues::Constant(Value::Long(v) | Value::Datetime(v) | Value::Timespan(v)) => Some(*v),
            ColumnValues::Constant(_) => None,
            ColumnValues::Array(array) if array.is_null(row) => None,
            ColumnValues::Array(array) => match array.as_any().downcast_ref::<Int32Array>() {
                Some(ints) => Some(i64::from(ints.value(row))),
                None => Some(int64(array).value(row)),
            },
        }
    }

    /// Returns the value of a row of an int, long or real column as a double; None for null.
    #[must_use]
    pub fn f64_at(&self, row: usize) -> Option<f64> {
        match &self.kind {
            ColumnValues::Constant(Value::Real(v)) => Some(*v),
            ColumnValues::Array(array) if self.ty == Type::Real => {
                let array = array.as_any().downcast_ref::<Float64Array>()?;
                (!array.is_null(row)).then(|| array.value(row))
            }
            #[expect(clippy::cast_precision_loss, reason = "KQL widens long to real this way")]
            _ => self.i64_at(row).map(|n| n as f64),
        }
    }

    /// Returns the string in a row of a string column (never None), or the JSON in a row of a dynamic column (None for
    /// null).
    #[must_use]
    pub fn text_at(&self, row: usize) -> Option<&str> {
        match &self.kind {
            ColumnValues::Constant(Value::String(text) | Value::Dynamic(text)) => Some(text),
            ColumnValues::Constant(_) => None,
            ColumnValues::Array(array) => text_at(array, row),
        }
    }

    /// Returns the sixteen bytes in a row of a guid or decimal column; None for null.
    #[must_use]
    pub fn bytes_at(&self, row: usize) -> Option<[u8; 16]> {
        match &self.kind {
            ColumnValues::Constant(Value::Guid(bytes)) => Some(*bytes),
            ColumnValues::Constant(Value::Decimal(value)) => Some(value.serialize()),
            ColumnValues::Constant(_) => None,
            ColumnValues::Array(array) => {
                let array = array.as_any().downcast_ref::<FixedSizeBinaryArray>()?;
                (!array.is_null(row)).then(|| guid_from_bytes(array.value(row)))
            }
        }
    }
}
