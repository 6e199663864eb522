//! Writes the Parquet shape: flat rows with the types of Kusto's export, in order of arrival.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::columns::{SynthRow, SynthValue, TableFormat};
use super::layout::{NewFile, parquet_path};
use super::random::{Purpose, Random};
use super::{Archive, RowSource, SynthSummary};
use crate::diagnostic::{Error, Result};

/// Number of rows in a row group.
const ROW_GROUP: u64 = 128 * 1024;
/// Number of chunks in a file: 65,536 rows, and those that are due at fixed times. A file is written by
/// one thread, so more files allow more threads.
pub const FILE_CHUNKS: u64 = 512;
/// Number of rows that are passed to the Parquet writer at once.
const BATCH: usize = 2048;

/// Writes file `index` of an archive.
///
/// # Errors
/// [`Error::Io`] if the operating system refuses.
pub fn write_file<S: RowSource>(archive: &Archive<S>, index: u64) -> Result<SynthSummary> {
    let options = archive.options;
    let unique = Random::new(options.seed, Purpose::File, index).guid().text();
    let path = parquet_path(index, &unique);
    let schema = schema(&archive.format);
    let file = NewFile::create(&options.out, &path)?;
    let failed = |error| failure(&path, error);
    let mut writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), writer_options()?).map_err(failed)?;
    let mut summary = SynthSummary { files: 1, ..SynthSummary::default() };
    let mut batch = CollectedRows::new(&archive.format);
    let end = ((index + 1) * FILE_CHUNKS).min(archive.source.timeline().chunks());
    for chunk in index * FILE_CHUNKS..end {
        for row in &archive.source.chunk(chunk) {
            batch.append(row);
            summary.count(row, options);
        }
        if batch.rows >= BATCH {
            writer.write(&batch.take(&schema)?).map_err(failed)?;
        }
    }
    writer.write(&batch.take(&schema)?).map_err(failed)?;
    let mut file = writer.into_inner().map_err(failed)?;
    file.flush().map_err(|source| file.error(source))?;
    summary.bytes = file.finish()?;
    Ok(summary)
}

/// Returns the error of the operating system inside an error of the Parquet writer, or an internal error.
fn failure(path: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::io(path, *source),
            Err(other) => Error::internal(format!("parquet: {other}")),
        },
        other => Error::internal(format!("parquet: {other}")),
    }
}

fn writer_options() -> Result<ArrowWriterOptions> {
    let level = ZstdLevel::try_new(3).map_err(|error| Error::internal(format!("parquet: {error}")))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP as usize))
        .set_created_by("coldcase synth".to_owned())
        .build();
    Ok(ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true))
}

fn schema<R>(format: &TableFormat<R>) -> SchemaRef {
    let fields: Vec<Field> = format
        .columns
        .iter()
        .map(|column| match column.value {
            // Kusto's strings are never null.
            SynthValue::Text(_) | SynthValue::Json(_) => Field::new(column.name, DataType::Utf8, false),
            SynthValue::Dynamic(_) => Field::new(column.name, DataType::Utf8, true),
            SynthValue::Bool(_) => Field::new(column.name, DataType::Boolean, true),
            SynthValue::Long(_) => Field::new(column.name, DataType::Int64, true),
            SynthValue::Real(_) => Field::new(column.name, DataType::Float64, true),
            SynthValue::Time(_) => Field::new(column.name, time_type(), true),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Rows that are being collected into columns.
struct CollectedRows<R> {
    columns: Vec<TypedBuilder<R>>,
    rows: usize,
}

/// The builder of a column, and the function that returns its value for a row.
enum TypedBuilder<R> {
    Text(StringBuilder, fn(&R) -> &str),
    Bool(BooleanBuilder, fn(&R) -> Option<bool>),
    Long(Int64Builder, fn(&R) -> i64),
    Real(Float64Builder, fn(&R) -> f64),
    Time(TimestampMicrosecondBuilder, fn(&R) -> i64),
}

impl<R: SynthRow> CollectedRows<R> {
    fn new(format: &TableFormat<R>) -> Self {
        let columns = format.columns.iter().map(|column| TypedBuilder::new(column.value)).collect();
        Self { columns, rows: 0 }
    }

    fn append(&mut self, row: &R) {
        for builder in &mut self.columns {
            builder.append(row);
        }
        self.rows += 1;
    }

    /// Returns the rows that were collected, and starts again without rows.
    fn take(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(TypedBuilder::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

impl<R> TypedBuilder<R> {
    fn new(value: SynthValue<R>) -> Self {
        match value {
            SynthValue::Text(text) | SynthValue::Json(text) | SynthValue::Dynamic(text) => {
                Self::Text(StringBuilder::new(), text)
            }
            SynthValue::Bool(truth) => Self::Bool(BooleanBuilder::new(), truth),
            SynthValue::Long(number) => Self::Long(Int64Builder::new(), number),
            SynthValue::Real(number) => Self::Real(Float64Builder::new(), number),
            SynthValue::Time(time) => Self::Time(TimestampMicrosecondBuilder::new().with_data_type(time_type()), time),
        }
    }

    fn append(&mut self, row: &R) {
        match self {
            Self::Text(builder, text) => builder.append_value(text(row)),
            Self::Bool(builder, truth) => builder.append_option(truth(row)),
            Self::Long(builder, number) => builder.append_value(number(row)),
            Self::Real(builder, number) => builder.append_value(number(row)),
            Self::Time(builder, time) => builder.append_value(time(row)),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder, _) => Arc::new(builder.finish()),
            Self::Bool(builder, _) => Arc::new(builder.finish()),
            Self::Long(builder, _) => Arc::new(builder.finish()),
            Self::Real(builder, _) => Arc::new(builder.finish()),
            Self::Time(builder, _) => Arc::new(builder.finish()),
        }
    }
}
