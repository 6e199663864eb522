//! Writes rows as row groups of a Parquet file. Columns are encoded in parallel, and checksums cover every byte of
//! the file ([`super::checksums`]).

mod page_checksums;
mod sealed;

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use self::page_checksums::{CheckedChunk, GroupPages};
use self::sealed::Sealed;
use super::checksums::{CHECKSUMS_KEY, Checksums, SEAL_DIGITS, SEAL_KEY, UNSEALED};
use crate::diagnostic::{Error, Result};
use crate::storage::parallel::map_indexes;

/// If fewer values than this are written at once, one thread encodes them.
const FEW_VALUES: usize = 8 * 1024;

/// Converts an error of the parquet crate to the error for the output file.
type ErrorOfFile = Box<dyn Fn(ParquetError) -> Error + Send + Sync>;

/// A Parquet file that is being written.
pub(crate) struct RowGroups<W: Write + Send> {
    writer: SerializedFileWriter<Sealed<W>>,
    factory: ArrowRowGroupWriterFactory,
    pages: GroupPages,
    schema: SchemaRef,
    threads: usize,
    failed: ErrorOfFile,
    columns: Vec<Mutex<ArrowColumnWriter>>,
    rows: usize,
    /// The checksums of the row groups that are complete.
    groups: Vec<u32>,
}

impl<W: Write + Send> fmt::Debug for RowGroups<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowGroups")
            .field("groups", &self.groups.len())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl<W: Write + Send> RowGroups<W> {
    /// Creates a writer of columns of `schema` to `output`, which encodes with `threads` threads.
    pub(crate) fn new(
        output: W,
        schema: &SchemaRef,
        mut properties: WriterProperties,
        threads: usize,
        failed: ErrorOfFile,
    ) -> Result<Self> {
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let columns = ArrowSchemaConverter::new().convert(schema).map_err(&failed)?;
        let writer = SerializedFileWriter::new(Sealed::new(output), columns.root_schema_ptr(), Arc::new(properties));
        let writer = writer.map_err(&failed)?;
        let pages = GroupPages::default();
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
        let factory = factory.with_page_store_factory(Arc::new(pages.clone()));
        let schema = Arc::clone(schema);
        Ok(Self { writer, factory, pages, schema, threads, failed, columns: Vec::new(), rows: 0, groups: Vec::new() })
    }

    /// Returns the number of rows in the row group that is being written.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the estimated size in bytes of the row group that is being written.
    pub(crate) fn bytes(&self) -> usize {
        let of = |column: &Mutex<ArrowColumnWriter>| {
            column.lock().unwrap_or_else(PoisonError::into_inner).get_estimated_total_bytes()
        };
        self.columns.iter().map(of).sum()
    }

    /// Returns the number of row groups that are complete.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Appends `rows` rows to the current row group, which must have room for them. `array` returns the values of a
    /// column.
    pub(crate) fn write(&mut self, rows: usize, array: &(dyn Fn(usize) -> Result<ArrayRef> + Sync)) -> Result<()> {
        if self.columns.is_empty() {
            self.pages.clear();
            let writers = self.factory.create_column_writers(self.groups.len());
            self.columns = writers.map_err(&self.failed)?.into_iter().map(Mutex::new).collect();
        }
        let encode = |index: usize| -> Result<()> {
            let leaves = compute_leaves(self.schema.field(index), &array(index)?).map_err(&self.failed)?;
            let mut writer = self.columns[index].lock().unwrap_or_else(PoisonError::into_inner);
            let mut write = |leaf: &ArrowLeafColumn| writer.write(leaf).map_err(&self.failed);
            leaves.iter().try_for_each(&mut write)
        };
        let is_little = rows.saturating_mul(self.columns.len()) < FEW_VALUES;
        let threads = if is_little { 1 } else { self.threads };
        map_indexes(threads, self.columns.len(), encode).into_iter().collect::<Result<()>>()?;
        self.rows += rows;
        Ok(())
    }

    /// Ends the current row group, if one was begun.
    pub(crate) fn end_group(&mut self) -> Result<()> {
        let columns = std::mem::take(&mut self.columns);
        if columns.is_empty() {
            return Ok(());
        }
        let failed = &self.failed;
        let mut group = self.writer.next_row_group().map_err(failed)?;
        // The last pages and the dictionaries are compressed side by side, too.
        let columns: Vec<Mutex<Option<ArrowColumnWriter>>> =
            columns.into_iter().map(|column| Mutex::new(column.into_inner().ok())).collect();
        let chunks = map_indexes(self.threads, columns.len(), |index| {
            let column = columns[index].lock().unwrap_or_else(PoisonError::into_inner).take();
            let chunk = column.ok_or_else(|| Error::internal("a column was lost"))?.close().map_err(failed)?;
            self.pages.take(index, &chunk).map_err(failed)
        });
        let chunks = chunks.into_iter().collect::<Result<Vec<_>>>()?;
        let mut checksum = crc32fast::Hasher::new();
        for CheckedChunk { bytes, close } in chunks {
            bytes.parts().iter().for_each(|part| checksum.update(part));
            group.append_column(&bytes, close).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        self.groups.push(checksum.finalize());
        Ok(())
    }

    /// Adds an entry to the footer.
    pub(crate) fn note(&mut self, note: KeyValue) {
        self.writer.append_key_value_metadata(note);
    }

    /// Writes the footer, without which the file is not a Parquet file. Returns the output, which is not flushed.
    pub(crate) fn finish(&mut self) -> Result<&mut W> {
        self.end_group()?;
        let groups_end = self.writer.bytes_written() as u64;
        let checksums = Checksums::of_groups(self.groups.clone(), self.schema.fields().len());
        self.note(KeyValue::new(CHECKSUMS_KEY.to_owned(), checksums.to_string()));
        self.note(KeyValue::new(SEAL_KEY.to_owned(), format!("{UNSEALED}{:0SEAL_DIGITS$x}", 0)));
        self.writer.inner_mut().hold();
        let metadata = self.writer.finish().map_err(&self.failed)?;
        self.writer.inner_mut().release(&metadata, groups_end, checksums)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::record_batch::RecordBatch;
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
    use parquet::file::metadata::PageIndexPolicy;
    use parquet::file::properties::WriterProperties;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::RowGroups;
    use crate::diagnostic::Error;

    #[test]
    fn columns_encoded_in_parallel_give_the_same_file_as_in_sequence() {
        let fields = [("a", DataType::Int64), ("b", DataType::Utf8), ("c", DataType::Int64)];
        let fields: Vec<Field> = fields.into_iter().map(|(name, ty)| Field::new(name, ty, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        for seed in 0..10 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut number = |most: i64| random.random_bool(0.9).then(|| random.random_range(0..most));
            // Groups of batches of rows.
            let batch = |rows: usize, number: &mut dyn FnMut(i64) -> Option<i64>| {
                let numbers: Int64Array = (0..rows).map(|_| number(1 << 40)).collect();
                let texts: StringArray = (0..rows).map(|_| number(100).map(|n| format!("text {n}"))).collect();
                let few: Int64Array = (0..rows).map(|_| number(3)).collect();
                let columns: Vec<ArrayRef> = vec![Arc::new(numbers), Arc::new(texts), Arc::new(few)];
                RecordBatch::try_new(Arc::clone(&schema), columns).expect("a batch")
            };
            let groups: Vec<Vec<RecordBatch>> = [[1, 2_000], [3_000, 10], [1_500, 1_024]]
                .map(|group| group.map(|rows| batch(rows, &mut number)).into())
                .into();
            let properties = WriterProperties::builder().build();
            let mut plain =
                ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties.clone())).expect("begun");
            for group in &groups {
                group.iter().for_each(|batch| plain.write(batch).expect("written"));
                plain.flush().expect("a group");
            }
            let plain = plain.into_inner().expect("a file");
            let files = [1, 3].map(|threads| {
                let failed = Box::new(|error| Error::internal(format!("{error}")));
                let mut file = RowGroups::new(Vec::new(), &schema, properties.clone(), threads, failed).expect("begun");
                for group in &groups {
                    for batch in group {
                        file.write(batch.num_rows(), &|index| Ok(Arc::clone(batch.column(index)))).expect("written");
                    }
                    file.end_group().expect("a group");
                }
                assert_eq!(file.groups(), 3);
                file.finish().expect("a file").clone()
            });
            assert!(files[0] == files[1], "seed {seed}");
            // The checksums are in the metadata of the schema.
            let columns = |file| read(file).columns().to_vec();
            assert_eq!(columns(files[0].clone()), columns(plain), "seed {seed}");
        }
    }

    /// Returns the rows of a file. They are read with the page index, and checksums of pages are verified.
    fn read(file: Vec<u8>) -> RecordBatch {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::from(file), options).expect("a file");
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> =
            reader.build().expect("a reader").map(|batch| batch.expect("a batch")).collect();
        concat_batches(&schema, &batches).expect("rows")
    }
}
