//! The streaming format of Arrow IPC, and the Arrow types for KQL types, which other formats use, too.
//!
//! Nothing is rounded: a datetime or timespan that does not fit into 64-bit nanoseconds is an error, which names its
//! column.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use ::arrow::array::{ArrayRef, AsArray, Int64Array, StringBuilder};
use ::arrow::compute::cast;
use ::arrow::datatypes::{
    DataType, DurationNanosecondType, Field as ArrowField, Int64Type, Schema as ArrowSchema, SchemaRef, TimeUnit,
    TimestampNanosecondType,
};
use ::arrow::error::ArrowError;
use ::arrow::ipc::writer::StreamWriter;
use ::arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::text::write_cell;
use super::{Format, Stream, Writer, io_error};
use crate::diagnostic::{Error, Result};
use crate::parquet::footer::ANSWER_KEY;
use crate::types::{Batch, Column, Field, Schema, Type, datetime};

/// The format for Python, R, Polars and DuckDB.
pub const FORMAT: Format = Format {
    name: "arrow",
    extensions: &["arrow", "arrows"],
    summary: "Arrow IPC stream, with the KQL type of each column in the field metadata.",
    binary: true,
    holds_several: false,
    writer: |stream, options| {
        Box::new(ArrowStream { stream: Some(stream), is_evidence: options.is_evidence, open: None })
    },
};

/// The key in the metadata of a field under which its KQL type is.
pub const TYPE_KEY: &str = "kql.type";
/// The time zone of datetimes in Arrow.
const UTC: &str = "UTC";
/// The start of a message of eight bytes that are never written.
const UNFINISHED_MESSAGE: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 8, 0, 0, 0];
/// Number of nanoseconds in a tick.
const NANOSECONDS_PER_TICK: i64 = 100;

/// Returns the columns of a result in Arrow types: datetime and timespan in nanoseconds, guid and decimal as strings.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    let field = |field: &Field| {
        let metadata = HashMap::from([(TYPE_KEY.to_owned(), field.ty.name().to_owned())]);
        ArrowField::new(&field.name, arrow_type(field.ty), true).with_metadata(metadata)
    };
    Arc::new(ArrowSchema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Datetime => DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())),
        Type::Timespan => DataType::Duration(TimeUnit::Nanosecond),
        Type::Bool | Type::Int | Type::Long | Type::Real => ty.arrow(),
        Type::Decimal | Type::String | Type::Guid | Type::Dynamic => DataType::Utf8,
    }
}

/// Converts rows to the types of [`arrow_schema`].
pub fn record_batch(batch: &Batch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let arrays = columns.map(|(column, field)| convert(column, field.name())).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

/// Converts the column `name` to its type in [`arrow_schema`].
pub fn convert(column: &Column, name: &str) -> Result<ArrayRef> {
    let array = column.to_array();
    Ok(match column.ty() {
        Type::Bool | Type::Int | Type::Long | Type::Real => array,
        Type::String | Type::Dynamic => cast(&array, &DataType::Utf8)?,
        Type::Decimal | Type::Guid => texts(column),
        Type::Datetime => {
            let since_1970 = |ticks: i64| ticks.checked_sub(datetime::UNIX_EPOCH);
            let array = nanoseconds(column, name, since_1970)?;
            Arc::new(array.reinterpret_cast::<TimestampNanosecondType>().with_timezone(UTC))
        }
        Type::Timespan => {
            let array = nanoseconds(column, name, Some)?;
            Arc::new(array.reinterpret_cast::<DurationNanosecondType>())
        }
    })
}

/// Converts ticks to nanoseconds. `base` first moves each value to the epoch of the Arrow type.
fn nanoseconds(column: &Column, name: &str, base: impl Fn(i64) -> Option<i64>) -> Result<Int64Array> {
    let array = column.to_array();
    let convert = |ticks: i64| {
        base(ticks).and_then(|ticks| ticks.checked_mul(NANOSECONDS_PER_TICK)).ok_or_else(|| {
            let (ty, range) = match column.ty() {
                Type::Datetime => ("datetime", "the years 1678 to 2261"),
                _ => ("timespan", "some 292 years"),
            };
            Error::Limit(format!(
                "column `{name}` holds a {ty} outside of {range}, the range of nanoseconds: use another output format, or \
                 convert it with tostring({name})"
            ))
        })
    };
    array.as_primitive::<Int64Type>().try_unary(convert)
}

fn texts(column: &Column) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut cell = String::new();
    for row in 0..column.rows() {
        if column.is_null(row) {
            builder.append_null();
        } else {
            cell.clear();
            write_cell(column, row, &mut cell);
            builder.append_value(&cell);
        }
    }
    Arc::new(builder.finish())
}

struct ArrowStream {
    /// The stream until the columns are known; None after that.
    stream: Option<Stream>,
    is_evidence: bool,
    open: Option<(StreamWriter<Stream>, SchemaRef)>,
}

impl ArrowStream {
    fn open(&mut self) -> Result<&mut (StreamWriter<Stream>, SchemaRef)> {
        self.open.as_mut().ok_or_else(|| Error::internal("rows before columns"))
    }
}

fn arrow_error(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => io_error(error),
        other => other.into(),
    }
}

impl Writer for ArrowStream {
    fn begin(&mut self, schema: &Schema) -> Result<()> {
        let stream = self.stream.take().ok_or_else(|| Error::internal("columns twice"))?;
        let mut schema = arrow_schema(schema);
        if !self.is_evidence {
            let mark = HashMap::from([(ANSWER_KEY.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
            schema = Arc::new(ArrowSchema::new_with_metadata(schema.fields().clone(), mark));
        }
        self.open = Some((StreamWriter::try_new(stream, &schema).map_err(arrow_error)?, schema));
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let (writer, schema) = self.open()?;
        let batch = record_batch(batch, schema)?;
        writer.write(&batch).map_err(arrow_error)?;
        writer.flush().map_err(arrow_error)
    }

    fn finish(&mut self) -> Result<()> {
        let (writer, _) = self.open()?;
        writer.finish().map_err(arrow_error)?;
        writer.flush().map_err(arrow_error)
    }

    /// Ends the stream inside a message, because readers take a stream that ends after a whole message for complete.
    fn abandon(&mut self) {
        if let Some((writer, _)) = &mut self.open {
            let stream = writer.get_mut();
            // The query has failed already.
            let _ = stream.write_all(&UNFINISHED_MESSAGE).and_then(|()| stream.flush());
        }
    }
}
