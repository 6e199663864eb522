//! Writes Parquet files, whose columns are encoded in parallel.

use std::io::Write;

use ::arrow::array::ArrayRef;
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, SchemaRef};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;

use super::arrow::{arrow_schema, convert};
use super::{Format, Stream, Writer, io_error};
use crate::diagnostic::{Error, Result};
use crate::parquet::footer::{ANSWER_KEY, SCHEMA_KEY, columns_as_json};
use crate::parquet::writer::RowGroups;
use crate::types::{Batch, Column, Schema};

/// The format for archives.
pub const FORMAT: Format = Format {
    name: "parquet",
    extensions: &["parquet"],
    summary: "Parquet, compressed with zstd, with the KQL types of the columns in the file metadata.",
    binary: true,
    holds_several: false,
    writer: |stream, options| {
        Box::new(Parquet {
            stream: Some(stream),
            threads: options.threads,
            is_evidence: options.is_evidence,
            open: None,
        })
    },
};

/// Maximum number of rows in a row group: enough that dictionaries are worthwhile, few enough to be in memory while
/// they are encoded.
const GROUP_ROWS: usize = 128 * 1024;

/// Number of encoded bytes at which a row group ends early.
const GROUP_BYTES: usize = 64 << 20;

struct Parquet {
    /// The stream until the columns are known; None after that.
    stream: Option<Stream>,
    threads: usize,
    is_evidence: bool,
    open: Option<(RowGroups<Stream>, SchemaRef)>,
}

impl Parquet {
    fn open(&mut self) -> Result<&mut (RowGroups<Stream>, SchemaRef)> {
        self.open.as_mut().ok_or_else(|| Error::internal("rows before columns"))
    }
}

fn properties(schema: &Schema, is_evidence: bool) -> WriterProperties {
    let mut notes = vec![KeyValue::new(SCHEMA_KEY.to_owned(), columns_as_json(schema))];
    if !is_evidence {
        notes.push(KeyValue::new(ANSWER_KEY.to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    }
    let created_by = concat!("coldcase version ", env!("CARGO_PKG_VERSION"));
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(created_by.to_owned())
        .set_key_value_metadata(Some(notes))
        .build()
}

/// Converts the column `name` to an array that the writer of Parquet encodes. Strings are not copied.
fn encodable(column: &Column, name: &str) -> Result<ArrayRef> {
    match column.as_array() {
        Some(array) if column.ty().is_text() => Ok(cast(array, &DataType::Utf8View)?),
        _ => convert(column, name),
    }
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
            return Err(Error::Usage("a result without columns cannot be written as Parquet".to_owned()));
        }
        let stream = self.stream.take().ok_or_else(|| Error::internal("columns twice"))?;
        let columns = arrow_schema(schema);
        let properties = properties(schema, self.is_evidence);
        let groups = RowGroups::new(stream, &columns, properties, self.threads.max(1), Box::new(parquet_error))?;
        self.open = Some((groups, columns));
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let (groups, schema) = self.open()?;
        let mut start = 0;
        while start < batch.rows() {
            let count = (GROUP_ROWS - groups.rows()).min(batch.rows() - start);
            let part = batch.slice(start, count);
            groups.write(count, &|index| encodable(part.column(index), schema.field(index).name()))?;
            start += count;
            if groups.rows() == GROUP_ROWS || groups.bytes() >= GROUP_BYTES {
                groups.end_group()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        // The footer that this writes makes the file valid.
        let (groups, _) = self.open()?;
        groups.finish()?.flush().map_err(io_error)
    }
}
