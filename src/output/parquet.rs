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
use crate::source::parquet::footer::{SCHEMA_KEY, columns_as_json};
use crate::types::{Batch, Schema};

/// For archives.
pub const FORMAT: Format = Format {
    name: "parquet",
    extensions: &["parquet"],
    summary: "Parquet, compressed with zstd; the columns and types in KQL stand in the metadata of the file.",
    binary: true,
    writer: |stream, _| Box::new(Parquet { stream: Some(stream), open: None }),
};

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
