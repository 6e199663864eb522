//! Casts of whole columns. They apply the casts of single values in a loop without a [`Value`] for each row, with
//! shortcuts if no value has to be read.
//!
//! Dictionary-encoded strings are cast once per distinct value.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, FixedSizeBinaryBuilder, Int32Array, PrimitiveArray,
    StringArray, StringViewBuilder,
};
use arrow::compute::take;
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type};

use super::{Scalar, cast, cast_element};
use crate::diagnostic::Result;
use crate::types::column::{decimal_from_bytes, guid_from_bytes, text_at};
use crate::types::decimal::OutOfRange;
use crate::types::{Column, ColumnBuilder, Decimal, Type, Value, dynamic, number};

/// Casts each row of `column` as `to...()` does; see [`cast`]. A column that already has the type is returned
/// unchanged.
///
/// # Errors
/// KQL4001, without a position in the query, if a decimal is involved and a number does not fit.
pub fn cast_column(column: &Column, to: Type) -> Result<Column> {
    if column.ty() == to {
        return Ok(column.clone());
    }
    if let Some(value) = column.as_constant() {
        return Ok(Column::constant(cast(value, to)?, column.rows()));
    }
    let array = column.to_array();
    let array = match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
        Some(dictionary) => cast_dictionary(dictionary, column.ty(), to)?,
        None => cast_array(&array, column.ty(), to)?,
    };
    Ok(Column::array(to, array))
}

/// Casts a column of elements as `mv-expand ... to typeof(T)` does; see [`cast_element`].
///
/// # Errors
/// The errors of [`cast_column`].
pub fn cast_elements(column: &Column, to: Type) -> Result<Column> {
    if column.ty() != Type::Dynamic || to == Type::Dynamic {
        return cast_column(column, to);
    }
    let mut builder = ColumnBuilder::with_capacity(to, column.rows());
    for row in 0..column.rows() {
        let value = column.text_at(row).map_or_else(|| Ok(Value::null(to)), |json| cast_element(json, to))?;
        builder.append(&value);
    }
    Ok(builder.finish())
}

fn cast_array(array: &ArrayRef, from: Type, to: Type) -> Result<ArrayRef> {
    Ok(match (from, to) {
        (Type::Int, Type::Long) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from)),
        (Type::Int, Type::Real) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Float64Type>(f64::from)),
        (Type::Long, Type::Int) => {
            Arc::new(array.as_primitive::<Int64Type>().unary::<_, Int32Type>(number::wrap_to_int))
        }
        (Type::Long | Type::Datetime | Type::Timespan, Type::Real) => {
            Arc::new(array.as_primitive::<Int64Type>().unary::<_, Float64Type>(number::long_to_real))
        }
        // Both are ticks. The reverse cast has to check the range of datetime.
        (Type::Datetime | Type::Timespan, Type::Long) | (Type::Long | Type::Datetime, Type::Timespan) => {
            Arc::clone(array)
        }
        (Type::String, Type::Dynamic) if all_json(array) => Arc::clone(array),
        _ => convert(&ScalarReader::of(array, from), to)?,
    })
}

/// True if all strings of the array are JSON other than null, so that `parse_json()` would return them unchanged.
fn all_json(array: &ArrayRef) -> bool {
    let is_json = |text: &str| dynamic::kind(text) != dynamic::Kind::Null && dynamic::validate(text.as_bytes()).is_ok();
    array.as_string_view_opt().is_some_and(|views| views.iter().flatten().all(is_json))
}

fn cast_dictionary(dictionary: &DictionaryArray<Int32Type>, from: Type, to: Type) -> Result<ArrayRef> {
    let rows = dictionary.len();
    // A slice of a large table keeps the whole dictionary: casting row by row is less work.
    if dictionary.values().len() > rows {
        return convert(&ScalarReader { from, rows, source: ScalarSource::Text(dictionary) }, to);
    }
    let values = dictionary.values();
    let reader = ScalarReader { from, rows: values.len(), source: ScalarSource::Values(values.as_string::<i32>()) };
    let converted = convert(&reader, to)?;
    if !to.is_text() {
        return Ok(take(&converted, dictionary.keys(), None)?);
    }
    let nulls = dictionary.keys().null_count() > 0;
    let texts = (0..values.len()).map(|at| text_at(&converted, at));
    if to == Type::String && nulls {
        // Strings are never null: null keys refer to an empty string at the end.
        let absent = i32::try_from(values.len()).map_err(|_| OutOfRange)?;
        let keys = Int32Array::from_iter_values(dictionary.keys().iter().map(|key| key.unwrap_or(absent)));
        let texts: StringArray = texts.chain([Some("")]).collect();
        return Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(texts))?));
    }
    let texts: StringArray = texts.collect();
    Ok(Arc::new(DictionaryArray::try_new(dictionary.keys().clone(), Arc::new(texts))?))
}

/// An array of a KQL type whose values are read one by one.
struct ScalarReader<'a> {
    from: Type,
    rows: usize,
    source: ScalarSource<'a>,
}

enum ScalarSource<'a> {
    Array(&'a ArrayRef),
    /// An array of strings, plain or dictionary-encoded.
    Text(&'a dyn Array),
    /// The entries of a dictionary of strings.
    Values(&'a StringArray),
}

impl<'a> ScalarReader<'a> {
    fn of(array: &'a ArrayRef, from: Type) -> Self {
        Self { from, rows: array.len(), source: ScalarSource::Array(array) }
    }

    /// Calls `each` with the value of every row; None for a null.
    fn for_each(&self, mut each: impl FnMut(Option<Scalar<'a>>) -> Result<(), OutOfRange>) -> Result<(), OutOfRange> {
        let text = if self.from == Type::Dynamic { Scalar::Json } else { Scalar::Text };
        match self.source {
            ScalarSource::Text(array) => (0..self.rows).try_for_each(|row| each(text_at(array, row).map(text))),
            ScalarSource::Values(texts) => texts.iter().try_for_each(|value| each(value.map(text))),
            ScalarSource::Array(array) => match self.from {
                Type::String | Type::Dynamic => {
                    array.as_string_view().iter().try_for_each(|value| each(value.map(text)))
                }
                Type::Bool => array.as_boolean().iter().try_for_each(|value| each(value.map(Scalar::Bool))),
                Type::Int => primitive::<Int32Type>(array, Scalar::Int, each),
                Type::Long => primitive::<Int64Type>(array, Scalar::Long, each),
                Type::Datetime => primitive::<Int64Type>(array, Scalar::Datetime, each),
                Type::Timespan => primitive::<Int64Type>(array, Scalar::Timespan, each),
                Type::Real => primitive::<Float64Type>(array, Scalar::Real, each),
                Type::Decimal => sixteen(array, |bytes| Scalar::Decimal(decimal_from_bytes(bytes)), each),
                Type::Guid => sixteen(array, |bytes| Scalar::Guid(guid_from_bytes(bytes)), each),
            },
        }
    }

    /// Converts all rows with `of` to an array of a primitive type.
    fn primitive<T: ArrowPrimitiveType>(
        &self,
        of: impl Fn(Scalar<'a>) -> Result<Option<T::Native>, OutOfRange>,
    ) -> Result<ArrayRef> {
        let mut builder = PrimitiveArray::<T>::builder(self.rows);
        self.for_each(|scalar| {
            builder.append_option(scalar.map_or(Ok(None), &of)?);
            Ok(())
        })?;
        Ok(Arc::new(builder.finish()))
    }

    /// Converts all rows with `of` to an array of 16-byte values.
    fn sixteen(&self, of: impl Fn(Scalar<'a>) -> Result<Option<[u8; 16]>, OutOfRange>) -> Result<ArrayRef> {
        let mut builder = FixedSizeBinaryBuilder::with_capacity(self.rows, 16);
        self.for_each(|scalar| {
            match scalar.map_or(Ok(None), &of)? {
                Some(bytes) => builder.append_value(bytes).expect("sixteen bytes were promised"),
                None => builder.append_null(),
            }
            Ok(())
        })?;
        Ok(Arc::new(builder.finish()))
    }

    /// Converts all rows to an array of strings. `write` appends the string of a value; if it returns false, the row is
    /// null.
    fn texts(&self, write: impl Fn(Option<Scalar<'a>>, &mut String) -> bool) -> Result<ArrayRef> {
        let mut builder = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        self.for_each(|scalar| {
            text.clear();
            let present = write(scalar, &mut text);
            builder.append_option(present.then_some(&text));
            Ok(())
        })?;
        Ok(Arc::new(builder.finish()))
    }
}

fn primitive<'a, T: ArrowPrimitiveType>(
    array: &ArrayRef,
    scalar: impl Fn(T::Native) -> Scalar<'a>,
    mut each: impl FnMut(Option<Scalar<'a>>) -> Result<(), OutOfRange>,
) -> Result<(), OutOfRange> {
    array.as_primitive::<T>().iter().try_for_each(|value| each(value.map(&scalar)))
}

fn sixteen<'a>(
    array: &ArrayRef,
    scalar: impl Fn(&[u8]) -> Scalar<'a>,
    mut each: impl FnMut(Option<Scalar<'a>>) -> Result<(), OutOfRange>,
) -> Result<(), OutOfRange> {
    array.as_fixed_size_binary().iter().try_for_each(|value| each(value.map(&scalar)))
}

fn convert(reader: &ScalarReader<'_>, to: Type) -> Result<ArrayRef> {
    match to {
        Type::Bool => {
            let mut builder = BooleanArray::builder(reader.rows);
            reader.for_each(|scalar| {
                builder.append_option(scalar.and_then(Scalar::to_bool));
                Ok(())
            })?;
            Ok(Arc::new(builder.finish()))
        }
        Type::Int => reader.primitive::<Int32Type>(Scalar::to_int),
        Type::Long => reader.primitive::<Int64Type>(Scalar::to_long),
        Type::Real => reader.primitive::<Float64Type>(|scalar| Ok(scalar.to_real())),
        Type::Datetime => reader.primitive::<Int64Type>(Scalar::to_datetime),
        Type::Timespan => reader.primitive::<Int64Type>(Scalar::to_timespan),
        Type::Guid => reader.sixteen(|scalar| Ok(scalar.to_guid())),
        Type::Decimal => reader.sixteen(|scalar| Ok(scalar.to_decimal()?.map(Decimal::serialize))),
        Type::String => reader.texts(|scalar, out| {
            if let Some(scalar) = scalar {
                scalar.write_text(out);
            }
            true
        }),
        Type::Dynamic => reader.texts(|scalar, out| {
            scalar.is_some_and(|scalar| {
                scalar.write_json(out);
                dynamic::kind(out) != dynamic::Kind::Null
            })
        }),
    }
}
