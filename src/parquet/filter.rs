//! Late materialisation: reads the columns of the filter first, and the other columns only for the rows that pass.
//!
//! If the output has columns that the filter does not read, a part is read in two passes. The first pass decodes the
//! columns of the filter; for rows that pass, it keeps those that are in the output, too. The second pass decodes the
//! other columns for these rows; pages without such rows are not even decompressed. The `RowFilter` of the parquet
//! crate would decode the columns of the filter twice. If most rows pass, the second pass decodes all rows and drops
//! the others by a mask, which costs little more than a single pass.

use arrow::array::{Array, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::prep_null_mask_filter;
use parquet::arrow::arrow_reader::RowSelection;

use super::decode::Decoder;
use super::input::ParquetInput;
use super::partition::{ReadableRowGroup, RowGroupPart, reads};
use super::survivors::{SurvivorQueue, compact};
use crate::diagnostic::{Error, Result};
use crate::scan::{RowFilter, ScanColumn};
use crate::storage::counters::ScanCount;
use crate::types::Batch;

/// The first pass keeps at most this many times the maximum bytes of a batch. Then the second pass begins for the
/// rows so far.
const KEPT_BATCHES: usize = 16;

/// Yields the batches of a part, filtered.
pub(super) struct FilteredRows<'a> {
    part: &'a RowGroupPart,
    readable: &'a ReadableRowGroup,
    input: ParquetInput,
    stage: ReadStage,
    /// The rows that the first pass has not read yet, because it had kept enough bytes.
    left: Option<RowSelection>,
    /// Number of rows that have passed the filter so far.
    survived: usize,
}

enum ReadStage {
    Start,
    /// All columns are read in one pass.
    Single(Decoder),
    /// The first pass is over, and the columns that it kept wait for the second pass.
    Second(SecondPass),
    Done,
}

struct SecondPass {
    decoder: Decoder,
    /// For each output column, true if the first pass read it.
    early: Vec<bool>,
    /// The output columns that the first pass read, for the rows that passed the filter.
    survivors: SurvivorQueue,
    /// The output columns that the second pass reads, in order.
    late: Vec<ScanColumn>,
    /// True if few of the rows passed the filter, so that they must not keep alive the pages from which they come.
    are_few: bool,
}

impl<'a> FilteredRows<'a> {
    /// Creates the iterator; reading starts with the first call of `next`.
    pub fn new(part: &'a RowGroupPart, readable: &'a ReadableRowGroup, input: ParquetInput) -> Self {
        Self { part, readable, input, stage: ReadStage::Start, left: None, survived: 0 }
    }

    fn start(&mut self) -> Result<ReadStage> {
        let request = &self.part.scan.request;
        let mut selection = self.left.take().unwrap_or_else(|| self.part.selection(self.readable));
        if let (None, Some(limit)) = (&request.filter, request.limit) {
            let rows = selection.row_count();
            let first = RowSelection::from_consecutive_ranges(std::iter::once(0..limit.min(rows)), rows);
            selection = selection.and_then(&first);
        }
        match &request.filter {
            Some(filter) if !request.columns.iter().all(|column| reads(filter.columns(), column.column())) => {
                self.first_pass(filter.as_ref(), &selection)
            }
            filter => {
                let filtered = filter.iter().flat_map(|filter| filter.columns());
                Ok(ReadStage::Single(self.decoder(request.columns.iter().chain(filtered), selection)?))
            }
        }
    }

    fn decoder<'c>(&self, columns: impl Iterator<Item = &'c ScanColumn>, selection: RowSelection) -> Result<Decoder> {
        let input = self.input.with(Vec::new).map_err(|source| Error::io(&self.part.scan.file.name, source))?;
        Decoder::new(self.part, self.readable, columns.map(ScanColumn::column), selection, input)
    }

    /// Evaluates the filter, and starts the second pass over the rows that passed it.
    fn first_pass(&mut self, filter: &dyn RowFilter, selection: &RowSelection) -> Result<ReadStage> {
        let request = &self.part.scan.request;
        let is_early: Vec<bool> =
            request.columns.iter().map(|column| reads(filter.columns(), column.column())).collect();
        let (early, late): (Vec<_>, Vec<_>) =
            request.columns.iter().cloned().partition(|column| reads(filter.columns(), column.column()));
        let mut decoder = self.decoder(filter.columns().iter(), selection.clone())?;
        let (mut masks, mut evaluated) = (Vec::new(), 0);
        let mut survivors = SurvivorQueue::new(request.memory.reservation());
        let wanted = request.limit.map_or(usize::MAX, |limit| limit.saturating_sub(self.survived));
        let kept = request.memory.batch_bytes.saturating_mul(KEPT_BATCHES);
        // Half of the memory is left to the readers of the second pass.
        let max_bytes = kept.min(request.memory.max_bytes / 2);
        while survivors.rows() < wanted
            && survivors.bytes() < max_bytes
            && let Some(batch) = decoder.next(self.part)?
        {
            request.counters.add(ScanCount::Rows, batch.rows() as u64);
            let mask = first_of(evaluate(filter, &mut decoder, &batch)?, wanted - survivors.rows());
            survivors.push(decoder.select(&batch, &early)?.filter(&mask)?);
            evaluated += mask.len();
            masks.push(mask);
        }
        if survivors.rows() == 0 {
            return Ok(ReadStage::Done);
        }
        self.survived += survivors.rows();
        if survivors.rows() < wanted && evaluated < selection.row_count() && survivors.bytes() >= max_bytes {
            let rows = selection.row_count();
            let rest = RowSelection::from_consecutive_ranges(std::iter::once(evaluated..rows), rows);
            self.left = Some(selection.and_then(&rest));
        }
        masks.push(BooleanArray::from(vec![false; selection.row_count() - evaluated]));
        let selection = selection.and_then(&RowSelection::from_filters(&masks));
        let decoder = self.decoder(late.iter(), selection)?;
        let are_few = are_few(survivors.rows(), evaluated);
        Ok(ReadStage::Second(SecondPass { decoder, early: is_early, survivors, late, are_few }))
    }

    /// Returns the next batch; None at the end of the part.
    fn advance(&mut self) -> Result<Option<Batch>> {
        loop {
            let (part, request) = (self.part, &self.part.scan.request);
            match &mut self.stage {
                ReadStage::Start => self.stage = self.start()?,
                ReadStage::Single(decoder) => {
                    let Some(batch) = decoder.next(part)? else { return Ok(None) };
                    part.scan.request.counters.add(ScanCount::Rows, batch.rows() as u64);
                    let mut output = decoder.select(&batch, &request.columns)?;
                    if let Some(filter) = &request.filter {
                        output = output.filter(&evaluate(filter.as_ref(), decoder, &batch)?)?;
                    }
                    if output.rows() > 0 {
                        return Ok(Some(if are_few(output.rows(), batch.rows()) { compact(output) } else { output }));
                    }
                }
                ReadStage::Second(pass) => match pass.next(part)? {
                    None if self.left.is_some() => self.stage = ReadStage::Start,
                    batch => return Ok(batch),
                },
                ReadStage::Done => return Ok(None),
            }
        }
    }
}

impl SecondPass {
    fn next(&mut self, part: &RowGroupPart) -> Result<Option<Batch>> {
        let Some(batch) = self.decoder.next(part)? else { return Ok(None) };
        let mut late = self.decoder.select(&batch, &self.late)?.columns().to_vec().into_iter();
        let mut early = self.survivors.take(batch.rows())?.into_iter();
        let columns = self.early.iter().map(|&is_early| if is_early { early.next() } else { late.next() });
        let columns = columns.collect::<Option<Vec<_>>>();
        let columns =
            columns.ok_or_else(|| Error::internal("the passes over a row group do not make up its columns"))?;
        let output = Batch::new(columns, batch.rows());
        Ok(Some(if self.are_few { compact(output) } else { output }))
    }
}

/// True if less than half of the rows passed the filter. More rows are not compacted: the batches of a row group share
/// its pages and dictionaries, and copies of their strings would take many times the memory.
fn are_few(passed: usize, read: usize) -> bool {
    passed < read / 2
}

/// Returns the mask with only its first `count` true values.
fn first_of(mask: BooleanArray, count: usize) -> BooleanArray {
    match mask.values().set_indices().nth(count) {
        Some(end) => BooleanBuffer::collect_bool(mask.len(), |row| row < end && mask.value(row)).into(),
        None => mask,
    }
}

/// Evaluates the filter on a batch. The mask has no nulls: rows for which the filter is null do not pass.
fn evaluate(filter: &dyn RowFilter, decoder: &mut Decoder, batch: &Batch) -> Result<BooleanArray> {
    let mask = filter.evaluate(&decoder.select(batch, filter.columns())?)?;
    if mask.len() != batch.rows() {
        return Err(Error::internal("a filter returned another number of rows than it was given"));
    }
    Ok(if mask.null_count() > 0 { prep_null_mask_filter(&mask) } else { mask })
}

impl Iterator for FilteredRows<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.stage = ReadStage::Done;
        }
        next
    }
}
