//! Parquet files.

use std::io::Write;
use std::sync::Arc;

use ::arrow::datatypes::SchemaRef;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;

use super::arrow::{arrow_schema, record_batch};
use super::{Format, Stream, Writer, io_error};
use crate::diagnostic::{Error, Result};
use crate::types::dynamic::{ArrayWriter, BagWriter};
use crate::types::{Batch, Schema};

/// For archives.
pub const FORMAT: Format = Format {
    name: "parquet",
    extensions: &["parquet"],
    summary: "Parquet, compressed with zstd; the columns and types in KQL stand in the metadata of the file.",
    binary: true,
    writer: |stream, _| Box::new(Parquet { stream: Some(stream), open: None }),
};

/// The key of the file's metadata that holds the columns: a JSON array of names and types.
pub const SCHEMA_KEY: &str = "kql.schema";

struct Parquet {
    /// Until the columns are known.
    stream: Option<Stream>,
    open: Option<(ArrowWriter<Stream>, SchemaRef)>,
}

impl Parquet {
    fn open(&mut self) -> Result<&mut (ArrowWriter<Stream>, SchemaRef)> {
        self.open.as_mut().ok_or_else(|| Error::internal("rows before columns"))
    }
}

fn properties(schema: &Schema) -> WriterProperties {
    let created_by = concat!("coldcase version ", env!("CARGO_PKG_VERSION"));
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(created_by.to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(SCHEMA_KEY.to_owned(), columns_as_json(schema))]))
        .build()
}

fn columns_as_json(schema: &Schema) -> String {
    let mut columns = ArrayWriter::new();
    for field in schema.fields() {
        let mut column = BagWriter::new();
        column.push_text("name", &field.name);
        column.push_text("type", field.ty.name());
        columns.push_json(&column.finish());
    }
    columns.finish()
}

fn parquet_error(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => io_error(*error),
            Err(other) => Error::internal(format!("parquet: {other}")),
        },
        other => Error::internal(format!("parquet: {other}")),
    }
}

impl Writer for Parquet {
    fn begin(&mut self, schema: &Schema) -> Result<()> {
        if schema.is_empty() {
            return Err(Error::Usage("an answer without columns cannot be written as Parquet".to_owned()));
        }
        let stream = self.stream.take().ok_or_else(|| Error::internal("columns twice"))?;
        let columns = arrow_schema(schema);
        let writer = ArrowWriter::try_new(stream, Arc::clone(&columns), Some(properties(schema)));
        self.open = Some((writer.map_err(parquet_error)?, columns));
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let (writer, schema) = self.open()?;
        let batch = record_batch(batch, schema)?;
        writer.write(&batch).map_err(parquet_error)
    }

    fn finish(&mut self) -> Result<()> {
        // Without the footer that this writes there is no file.
        let (writer, _) = self.open()?;
        writer.finish().map_err(parquet_error)?;
        writer.inner_mut().flush().map_err(io_error)
    }
}
