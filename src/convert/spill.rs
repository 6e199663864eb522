//! A sorted run in a temporary file: Arrow IPC, since it costs nothing to encode and next to nothing to read.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::rows::{self, SortedRows, common_constant};
use super::runs::{MemoryRun, detached};
use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Column, Schema, Type, Value};

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;

/// A run in a file.
#[derive(Debug)]
pub(super) struct SpilledRun {
    path: PathBuf,
    time: Option<usize>,
    columns: Vec<SpilledColumn>,
    /// The least and the greatest key.
    pub span: (i64, i64),
}

/// Where the values of a column are.
#[derive(Clone, Debug)]
enum SpilledColumn {
    /// The same in every row of the run.
    Constant(Value),
    /// In the file.
    Stored(Type),
}

impl SpilledRun {
    /// Writes `run` to a file at `path`, `step` rows at a time.
    pub fn write(
        run: &MemoryRun,
        path: PathBuf,
        table: (&Schema, Option<usize>),
        (step, threads): (usize, usize),
    ) -> Result<Self> {
        let parts = (0..run.rows()).step_by(step).map(|start| run.part(start, step, threads));
        let (schema, time) = table;
        let constant = |index: usize| {
            let parts: Vec<&Column> = run.batches().iter().map(|batch| batch.column(index)).collect();
            // At least one column is stored, since the file must say how many rows there are.
            common_constant(&parts).filter(|_| index > 0 && Some(index) != time).cloned()
        };
        let constants = (0..schema.len()).map(constant).collect();
        Self::write_parts(parts, path, (schema, time), (constants, threads))
    }

    /// Writes rows that come in order.
    pub fn write_parts(
        parts: impl Iterator<Item = Result<SortedRows>>,
        path: PathBuf,
        (schema, time): (&Schema, Option<usize>),
        (constants, threads): (Vec<Option<Value>>, usize),
    ) -> Result<Self> {
        let columns: Vec<SpilledColumn> = constants
            .into_iter()
            .zip(schema.fields())
            .map(|(value, field)| value.map_or(SpilledColumn::Stored(field.ty), SpilledColumn::Constant))
            .collect();
        let stored: Vec<usize> = (0..columns.len()).filter(|&index| columns[index].is_stored()).collect();
        let file = File::create_new(&path).map_err(|error| Error::io(&path, error))?;
        let schema = arrow_schema(schema, &stored);
        let failed = |error| failure(&path, error);
        let mut writer = StreamWriter::try_new(BufWriter::with_capacity(BUFFER, file), &schema).map_err(failed)?;
        let mut span: Option<(i64, i64)> = None;
        for part in parts {
            let part = part?;
            let batch = detached(&SortedRows { batch: part.batch.project(&stored), keys: Vec::new() }, threads)?;
            let arrays = batch.columns().iter().map(Column::to_array).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(batch.rows()));
            let record = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
            writer.write(&record).map_err(failed)?;
            if let (Some(&first), Some(&last)) = (part.keys.first(), part.keys.last()) {
                span = Some((span.map_or(first, |(first, _)| first), last));
            }
        }
        writer.finish().map_err(failed)?;
        writer.get_mut().flush().map_err(|error| Error::io(&path, error))?;
        Ok(Self { path, time, columns, span: span.unwrap_or((0, 0)) })
    }

    /// Its rows, as many at a time as they were written.
    pub fn read(self) -> Result<impl Iterator<Item = Result<SortedRows>>> {
        let file = File::open(&self.path).map_err(|error| Error::io(&self.path, error))?;
        let reader = StreamReader::try_new(BufReader::with_capacity(BUFFER, file), None);
        let reader = reader.map_err(|error| failure(&self.path, error))?;
        Ok(reader.map(move |record| {
            let record = record.map_err(|error| failure(&self.path, error))?;
            let batch = self.batch(&record);
            Ok(SortedRows { keys: rows::keys(&batch, self.time), batch })
        }))
    }

    fn batch(&self, record: &RecordBatch) -> Batch {
        let mut arrays = record.columns().iter();
        let column = |column: &SpilledColumn| match column {
            SpilledColumn::Constant(value) => Column::constant(value.clone(), record.num_rows()),
            SpilledColumn::Stored(ty) => match arrays.next() {
                Some(array) => Column::array(*ty, Arc::clone(array)),
                None => Column::constant(Value::null(*ty), record.num_rows()),
            },
        };
        Batch::new(self.columns.iter().map(column).collect(), record.num_rows())
    }
}

impl SpilledColumn {
    fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }
}

fn arrow_schema(schema: &Schema, stored: &[usize]) -> SchemaRef {
    let field = |&index: &usize| {
        let field = schema.field(index);
        ArrowField::new(&field.name, field.ty.arrow(), true)
    };
    Arc::new(ArrowSchema::new(stored.iter().map(field).collect::<Vec<_>>()))
}

fn failure(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::io(path, source),
        other => Error::internal(format!("{}: {other}", path.display())),
    }
}
