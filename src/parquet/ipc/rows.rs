//! Reads the rows of an Arrow IPC stream.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::{self, prep_null_mask_filter};
use arrow::ipc::reader::StreamDecoder;

use super::super::convert::Converter;
use super::super::reader::{DamageReason, guarded};
use super::super::strings::StringConverter;
use super::super::times::TimeReader;
use super::super::{FileInTable, ipc};
use super::frames::{IpcFrame, IpcFrames, IpcMessage};
use super::{ArrowFile, columns::IpcColumn};
use crate::diagnostic::{Error, Result};
use crate::scan::provenance::{Provenance, position};
use crate::scan::{BatchIterator, Partition, ScanColumn, ScanRequest};
use crate::storage::counters::ScanCount;
use crate::types::extract::extract_column;
use crate::types::{Batch, Column, Type, Value};

/// The marker of the end of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// The only partition of a file, which has all of its rows.
#[derive(Debug)]
pub(super) struct IpcPart {
    pub file: Arc<ArrowFile>,
    pub table: FileInTable,
    pub request: ScanRequest,
}

impl Partition for IpcPart {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let frames = IpcFrames::new(ipc::open(&self.file.file)?, self.file.file.bytes, self.file.limit);
        let tested = self.request.filter.iter().flat_map(|filter| filter.columns());
        let mut wanted: Vec<usize> = self.request.columns.iter().chain(tested).map(ScanColumn::column).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let columns = wanted.iter().map(|&index| SelectedColumn::new(self, index)).collect();
        Ok(Box::new(IpcRows {
            part: self,
            frames,
            decoder: StreamDecoder::new(),
            columns,
            message: Buffer::from(Vec::<u8>::new()),
            is_finished: false,
            batch: None,
            row: 0,
            given: 0,
            ended: false,
        }))
    }
}

/// A column of the table that a scan reads.
struct SelectedColumn {
    /// The position of the column in the table.
    index: usize,
    values: IpcColumnSource,
}

enum IpcColumnSource {
    /// A column of the file, and its converter.
    Read { column: IpcColumn, converter: Box<Converter> },
    /// A provenance column, which is computed.
    Origin(Provenance),
    /// A column that the file lacks; its type.
    Missing(Type),
}

impl SelectedColumn {
    fn new(part: &IpcPart, index: usize) -> Self {
        let (origins, report) = (&part.table.origins, &part.request.report);
        let field = origins.schema.field(index);
        let found = part.file.columns.iter().find(|column| column.column.name == field.name);
        let values = match (origins.at(index), found) {
            (Some(of), _) => IpcColumnSource::Origin(of),
            (None, None) => IpcColumnSource::Missing(field.ty),
            (None, Some(column)) => {
                let text = StringConverter::new(field.ty, false, TimeReader::of(&part.table));
                let converter = Converter::new(&column.column, part.file.name(), field.ty, text, report)
                    .requiring(&part.table.required);
                IpcColumnSource::Read { column: column.clone(), converter: Box::new(converter) }
            }
        };
        Self { index, values }
    }

    /// Returns the values of the column in `batch`, whose first row has the number `row` in the file.
    fn convert(&mut self, batch: &RecordBatch, row: u64, part: &IpcPart) -> Result<Column> {
        match &mut self.values {
            IpcColumnSource::Missing(ty) => Ok(Column::constant(Value::null(*ty), batch.num_rows())),
            IpcColumnSource::Origin(of) => Ok(origin(*of, row, batch.num_rows(), part)),
            IpcColumnSource::Read { column, converter } => {
                let array = batch.column(column.column.root);
                match &column.cast {
                    Some(ty) if ty != array.data_type() => converter.convert(&compute::cast(array, ty)?, None),
                    _ => converter.convert(array, None),
                }
            }
        }
    }
}

/// Returns the values of a provenance column for `rows` rows, of which the first has the number `first` in the file.
fn origin(of: Provenance, first: u64, rows: usize, part: &IpcPart) -> Column {
    let numbers = |value: &dyn Fn(u64) -> i64| {
        let values = (first..first + rows as u64).map(value).collect::<Int64Array>();
        Column::array(Type::Long, Arc::new(values))
    };
    match of {
        Provenance::File => Column::constant(Value::string(part.file.name()), rows),
        Provenance::Shape => Column::constant(Value::string("Arrow rows"), rows),
        Provenance::Byte => Column::constant(Value::null(Type::Long), rows),
        Provenance::Line => numbers(&|row| i64::try_from(row).map_or(i64::MAX, |row| row.saturating_add(1))),
        Provenance::Position => numbers(&|row| position(part.table.index, row)),
    }
}

/// Yields the batches of a part.
struct IpcRows<'a, R> {
    part: &'a IpcPart,
    frames: IpcFrames<R>,
    decoder: StreamDecoder,
    columns: Vec<SelectedColumn>,
    /// The bytes of the last message that the decoder has not consumed.
    message: Buffer,
    /// True after the marker of the end of the stream.
    is_finished: bool,
    /// The current batch, and the position of its first row that was not returned.
    batch: Option<(RecordBatch, usize)>,
    /// The number of that row in the file.
    row: u64,
    /// Number of rows that have passed the filter.
    given: usize,
    ended: bool,
}

impl<R: Read> IpcRows<'_, R> {
    /// Returns the next rows of the file. Returns None at its end, and after damage, which is reported.
    fn next_rows(&mut self) -> Result<Option<RecordBatch>> {
        let most = self.part.request.batch_rows.max(1);
        loop {
            if let Some((batch, start)) = self.batch.take() {
                let count = most.min(batch.num_rows() - start);
                let rows = batch.slice(start, count);
                if start + count < batch.num_rows() {
                    self.batch = Some((batch, start + count));
                }
                if count > 0 {
                    return Ok(Some(rows));
                }
            }
            match guarded(|| self.next_batch()) {
                Ok(Some(batch)) => self.batch = Some((batch, 0)),
                Ok(None) => return Ok(None),
                Err(reason) => {
                    self.part.file.file.check_remote()?;
                    let place = format!("after row {}", self.row);
                    let reason = format!("the rest of the file is not read: {reason}");
                    self.part.request.report.lost(self.part.file.name(), place, reason);
                    return Ok(None);
                }
            }
        }
    }

    /// Decodes the next batch; None at the end of the stream.
    fn next_batch(&mut self) -> std::result::Result<Option<RecordBatch>, DamageReason> {
        loop {
            while !self.message.is_empty() {
                if let Some(batch) = self.decoder.decode(&mut self.message).map_err(|error| error.to_string())? {
                    return Ok(Some(batch));
                }
            }
            if self.is_finished {
                return Ok(None);
            }
            let bytes = match self.frames.next()? {
                IpcFrame::Message(IpcMessage { bytes, .. }) => bytes,
                // The decoder returns a batch without a body only when more bytes follow.
                IpcFrame::End => {
                    self.is_finished = true;
                    END.to_vec()
                }
            };
            self.part.request.counters.add(ScanCount::Bytes, bytes.len() as u64);
            self.message = Buffer::from(bytes);
        }
    }

    /// Returns the requested columns of the next rows that pass the filter; None at the end of the file.
    fn next_passing(&mut self) -> Result<Option<Batch>> {
        let request = &self.part.request;
        while !self.ended && self.given < request.limit.unwrap_or(usize::MAX) {
            let Some(rows) = self.next_rows()? else { break };
            request.counters.add(ScanCount::Rows, rows.num_rows() as u64);
            let (part, row) = (self.part, self.row);
            let columns = self.columns.iter_mut().map(|column| column.convert(&rows, row, part));
            let batch = Batch::new(columns.collect::<Result<_>>()?, rows.num_rows());
            self.row += rows.num_rows() as u64;
            let mut output = self.select(&batch, &request.columns)?;
            if let Some(filter) = &request.filter {
                let mask = filter.evaluate(&self.select(&batch, filter.columns())?)?;
                output = output.filter(&without_nulls(mask))?;
            }
            if output.rows() > 0 {
                self.given += output.rows();
                return Ok(Some(output));
            }
        }
        Ok(None)
    }

    fn select(&self, batch: &Batch, columns: &[ScanColumn]) -> Result<Batch> {
        let columns = columns.iter().map(|wanted| {
            let at = self.columns.iter().position(|column| column.index == wanted.column());
            let column = batch.column(at.ok_or_else(|| Error::internal("a column was not read"))?);
            Ok(match wanted {
                ScanColumn::Column(_) => column.clone(),
                ScanColumn::Path { path, .. } => extract_column(column, path),
            })
        });
        Ok(Batch::new(columns.collect::<Result<_>>()?, batch.rows()))
    }
}

fn without_nulls(mask: BooleanArray) -> BooleanArray {
    if mask.null_count() > 0 { prep_null_mask_filter(&mask) } else { mask }
}

impl<R: Read> Iterator for IpcRows<'_, R> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_passing().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
