//! Decodes rows of one row group. Damage becomes a value instead of an error or a panic.
//!
//! The parquet crate checks for most kinds of damage, but it also indexes, asserts and multiplies with numbers that
//! come from the file, so that a hostile file can make it panic. Calls of the crate are therefore wrapped in
//! `catch_unwind`: a decoder that panicked is dropped, nothing else shares its state, and the rows that it should
//! have returned are reported as lost.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::reader::ChunkReader;

use super::input::ParquetInput;

/// The reason why rows cannot be read, for messages.
pub(super) type DamageReason = String;

/// Runs code of the parquet crate. A panic becomes the reason of damage.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, DamageReason>) -> Result<T, DamageReason> {
    silence_guarded_panics();
    let before = IS_GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    IS_GUARDED.set(before);
    result.unwrap_or_else(|panic| Err(describe(panic.as_ref())))
}

thread_local! {
    /// True while panics of this thread are caught and reported as damage.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Suppresses the output of panics that are caught; others are still printed.
fn silence_guarded_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                print(panic);
            }
        }));
    });
}

fn describe(panic: &(dyn Any + Send)) -> DamageReason {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the file contradicts itself ({})", text.unwrap_or("no details"))
}

/// The leaves and rows that are to be read from a row group.
#[derive(Clone, Debug)]
pub(super) struct RowGroupRead {
    /// The numbers of the leaf columns.
    pub leaves: Vec<usize>,
    /// The rows that are to be read.
    pub selection: RowSelection,
    /// Maximum number of rows in a batch.
    pub batch_rows: usize,
}

/// Reads batches of the selected rows of one row group.
#[derive(Debug)]
pub(super) struct RowGroupReader {
    inner: Option<ParquetRecordBatchReader>,
    /// Number of selected rows that have not been returned yet.
    outstanding: usize,
}

impl RowGroupReader {
    /// Creates a reader of `input`; `metadata` describe only the row group to be read.
    pub fn open(
        input: ParquetInput,
        metadata: ArrowReaderMetadata,
        wanted: &RowGroupRead,
    ) -> Result<Self, DamageReason> {
        match input {
            ParquetInput::Disk(file) => Self::over(file, metadata, wanted),
            ParquetInput::Copy(copy) => Self::over(copy, metadata, wanted),
            ParquetInput::Remote(fetched) => Self::over(fetched, metadata, wanted),
        }
    }

    fn over(
        input: impl ChunkReader + 'static,
        metadata: ArrowReaderMetadata,
        wanted: &RowGroupRead,
    ) -> Result<Self, DamageReason> {
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), wanted.leaves.iter().copied());
        let inner = guarded(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata)
                .with_row_groups(vec![0])
                .with_projection(mask)
                .with_row_selection(wanted.selection.clone())
                .with_batch_size(wanted.batch_rows)
                .build()
                .map_err(|e| e.to_string())
        })?;
        Ok(Self { inner: Some(inner), outstanding: wanted.selection.row_count() })
    }

    /// Returns the next rows, at least one. It must be called only while rows are outstanding, and fails after
    /// damage.
    pub fn next(&mut self) -> Result<RecordBatch, DamageReason> {
        let mut reader = self.inner.take().ok_or("the rows before could not be read")?;
        let (batch, reader) = guarded(|| {
            let batch = reader.next().transpose().map_err(|e| e.to_string())?;
            Ok((batch, reader))
        })?;
        match batch {
            Some(batch) if (1..=self.outstanding).contains(&batch.num_rows()) => {
                self.outstanding -= batch.num_rows();
                self.inner = Some(reader);
                Ok(batch)
            }
            _ => Err("a column does not have the rows that the footer promises".to_owned()),
        }
    }
}
