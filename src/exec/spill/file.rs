//! Rows in a temporary file, as Arrow IPC compressed with LZ4. IPC takes almost no time to encode and decode. LZ4 takes
//! hardly more time than writing the bytes that it saves.

use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, MutableArrayData, RecordBatch, RecordBatchOptions, make_array};
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use lz4_flex::frame::{BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::{SpillFolder, rows};
use crate::diagnostic::{Error, Result};
use crate::exec::parallel;
use crate::temporary::{ScratchFile, ScratchWriter};
use crate::types::{Batch, Column, Type, Value};

/// Maximum number of bytes of strings that are written at once. Chunks have as many rows as fit if all have the average
/// length, and some rows are longer.
const MAX_CHUNK: usize = 4 << 20;
/// Number of compressed bytes that are read or written at once.
const BUFFER: usize = 512 << 10;
/// Number of compressed bytes that are written at once if many files are open.
const SMALL_BUFFER: usize = 64 << 10;

/// A temporary file of rows that is being written.
pub struct SpillWriter {
    folder: PathBuf,
    columns: Vec<SpilledColumn>,
    rows: usize,
    schema: SchemaRef,
    stored: Vec<usize>,
    writer: StreamWriter<FrameEncoder<BufWriter<ScratchWriter>>>,
}

/// A temporary file of rows; it is removed when this is dropped.
#[derive(Debug)]
pub struct SpillFile {
    /// The folder of the file, for messages.
    folder: PathBuf,
    bytes: Arc<ScratchFile>,
    columns: Vec<SpilledColumn>,
    rows: usize,
}

/// Where the values of a column are.
#[derive(Clone, Debug)]
enum SpilledColumn {
    /// The column is not in the file, because every row has this value.
    Constant(Value),
    /// The column is in the file, and has this type.
    Stored(Type),
}

impl SpillWriter {
    /// Starts a file in `folder` for rows with columns of `types`. A column with a value in `constants` has that value
    /// in every row. `one_of_many` means that many such files are open at the same time, so that buffers must be small.
    pub fn new(folder: &SpillFolder, types: &[Type], constants: &[Option<Value>], one_of_many: bool) -> Result<Self> {
        let column = |(ty, value): (&Type, &Option<Value>)| {
            value.clone().map_or(SpilledColumn::Stored(*ty), SpilledColumn::Constant)
        };
        let columns: Vec<SpilledColumn> = types.iter().zip(constants).map(column).collect();
        let stored: Vec<usize> = (0..columns.len()).filter(|index| columns[*index].is_stored()).collect();
        let field = |index: &usize| ArrowField::new(index.to_string(), types[*index].arrow(), true);
        let schema: SchemaRef = Arc::new(ArrowSchema::new(stored.iter().map(field).collect::<Vec<_>>()));
        let buffer = BufWriter::with_capacity(if one_of_many { SMALL_BUFFER } else { BUFFER }, folder.writer()?);
        let blocks = if one_of_many { BlockSize::Max64KB } else { BlockSize::Max256KB };
        let compressed = FrameEncoder::with_frame_info(FrameInfo::new().block_size(blocks), buffer);
        let folder = folder.path().to_owned();
        let writer = StreamWriter::try_new(compressed, &schema).map_err(|error| failure(&folder, error))?;
        Ok(Self { folder, columns, rows: 0, schema, stored, writer })
    }

    /// Appends rows; the columns are encoded on several threads. A string that several rows share is written for each
    /// of them.
    pub fn write(&mut self, batch: &Batch, threads: usize) -> Result<()> {
        batch.clone().pieces(MAX_CHUNK).iter().try_for_each(|piece| self.write_piece(piece, threads))
    }

    fn write_piece(&mut self, batch: &Batch, threads: usize) -> Result<()> {
        let detached = |index: usize| rows::detached(batch.column(self.stored[index])).map(|column| column.to_array());
        let arrays = parallel::map(threads, self.stored.len(), detached)?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows()));
        let record = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        self.rows += batch.rows();
        self.writer.write(&record).map_err(|error| failure(&self.folder, error))
    }

    /// Completes the file, which can then be read.
    pub fn finish(mut self) -> Result<SpillFile> {
        self.writer.finish().map_err(|error| failure(&self.folder, error))?;
        let compressed = self.writer.into_inner().map_err(|error| failure(&self.folder, error))?;
        let buffer = compressed.finish().map_err(|error| Error::io(&self.folder, error.into()))?;
        let scratch = buffer.into_inner().map_err(|error| Error::io(&self.folder, error.into_error()))?;
        let Self { folder, columns, rows, .. } = self;
        Ok(SpillFile { folder, bytes: Arc::new(scratch.finish()), columns, rows })
    }
}

impl SpillFile {
    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Reads the rows, in the batches in which they were written.
    pub fn read(self: &Arc<Self>) -> Result<impl Iterator<Item = Result<Batch>> + Send + use<>> {
        let buffer = usize::try_from(self.bytes.length()).map_or(BUFFER, |length| length.min(BUFFER));
        let compressed = FrameDecoder::new(BufReader::with_capacity(buffer, self.bytes.reader()));
        let reader = StreamReader::try_new(compressed, None).map_err(|error| failure(&self.folder, error))?;
        let this = Arc::clone(self);
        Ok(reader.map(move |record| this.batch(&record.map_err(|error| failure(&this.folder, error))?)))
    }

    /// Returns a record of the file as a batch. All arrays of a record are parts of one buffer. If it has strings,
    /// values of fixed width are copied out of it: otherwise rows with only such values would keep the strings in
    /// memory, which no reservation counts.
    fn batch(&self, record: &RecordBatch) -> Result<Batch> {
        let is_string = |array: &ArrayRef| *array.data_type() == DataType::Utf8View;
        let has_strings = record.columns().iter().any(is_string);
        let mut arrays = record.columns().iter();
        let column = |column: &SpilledColumn| {
            Ok(match (column, column.is_stored().then(|| arrays.next()).flatten()) {
                (SpilledColumn::Constant(value), _) => Column::constant(value.clone(), record.num_rows()),
                (SpilledColumn::Stored(ty), None) => Column::constant(Value::null(*ty), record.num_rows()),
                (SpilledColumn::Stored(ty), Some(array)) if has_strings && !is_string(array) => {
                    Column::array(*ty, copy(array)?)
                }
                (SpilledColumn::Stored(ty), Some(array)) => Column::array(*ty, Arc::clone(array)),
            })
        };
        Ok(Batch::new(self.columns.iter().map(column).collect::<Result<_>>()?, record.num_rows()))
    }
}

/// Copies the values of an array to a buffer of its own.
fn copy(array: &ArrayRef) -> Result<ArrayRef> {
    let data = array.to_data();
    let mut copied = MutableArrayData::new(vec![&data], false, data.len());
    copied.try_extend(0, 0, data.len())?;
    Ok(make_array(copied.freeze()))
}

impl SpilledColumn {
    fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }
}

fn failure(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::io(path, source),
        other => Error::internal(format!("{}: {other}", path.display())),
    }
}
