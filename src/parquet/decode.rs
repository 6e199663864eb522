//! Decodes columns of the table for the selected rows of a part.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::arrow_reader::RowSelection;

use super::convert::Converter;
use super::dictionary_gather::{self, ChunkPages};
use super::file_columns::StoredAs;
use super::input::ParquetInput;
use super::page_sizes;
use super::pages::wanted_ranges;
use super::partition::{ReadableRowGroup, RowGroupPart, RowGroupScan};
use super::prune::RowGroupStatistics;
use super::reader::{DamageReason, RowGroupRead, RowGroupReader};
use super::sparse_pages::read_selected;
use super::string_lengths::StringLengths;
use super::strings::StringConverter;
use super::times::TimeReader;
use crate::diagnostic::{Error, Result};
use crate::scan::provenance::{Provenance, position};
use crate::scan::{ScanColumn, ScanReservation};
use crate::storage::counters::ScanCount;
use crate::types::dynamic::Path;
use crate::types::extract::Extractor;
use crate::types::{Batch, Column, Type, Value};

/// Decodes some columns of the table, batch by batch.
pub(super) struct Decoder {
    columns: Vec<DecodedColumn>,
    /// Reads the columns from the file; None if the file has none of them.
    reader: Option<RowGroupReader>,
    /// Reads 96-bit timestamps a second time, in seconds; None if there are none.
    seconds: Option<RowGroupReader>,
    /// The reason why the readers could not be opened.
    damage: Option<DamageReason>,
    /// Rows that were read but not returned yet, in batches of limited size.
    pending: VecDeque<DecodedRows>,
    batch_bytes: usize,
    lengths: StringLengths,
    batch_rows: usize,
    /// The size in bytes of the largest pages of all columns; the readers keep one page of each column in memory.
    page_bytes: usize,
    /// The memory of the readers, and of the rows that they returned last.
    reservation: ScanReservation,
    /// Number of rows that have not been returned yet.
    outstanding: usize,
    /// The row numbers; None if no requested column needs them.
    numbers: Option<RowNumbers>,
    /// Extractors of paths, each with the position of its column in the table.
    paths: Vec<(usize, Extractor)>,
}

/// Rows that the readers returned, without the columns that need no reader.
struct DecodedRows {
    rows: usize,
    batch: Option<RecordBatch>,
    seconds: Option<RecordBatch>,
}

struct DecodedColumn {
    /// The position of the column in the table.
    index: usize,
    values: DecodedValues,
}

enum DecodedValues {
    /// The same value in all rows, because the file lacks the column or its statistics show a single value.
    Constant(Value),
    /// A provenance column, which is computed.
    Provenance(Provenance),
    /// The column at `at` of the batches that the reader returns.
    Decoded { at: usize, at_seconds: Option<usize>, converter: Converter },
    /// Rows that were read before; those from `next` on have not been returned yet.
    Gathered { rows: ArrayRef, next: usize, converter: Converter },
}

impl Decoder {
    /// Creates a decoder for the rows of `selection` in the row group of `part`.
    pub fn new(
        part: &RowGroupPart,
        readable: &ReadableRowGroup,
        columns: impl Iterator<Item = usize>,
        selection: RowSelection,
        input: ParquetInput,
    ) -> Result<Self> {
        let scan = part.scan.as_ref();
        let mut indexes: Vec<usize> = columns.collect();
        indexes.sort_unstable();
        indexes.dedup();
        let leaves = scan.leaves(&indexes);
        let known = precomputed(scan, readable, &indexes, &selection, &input);
        let mut decoder = Self {
            columns: decoded_columns(scan, &indexes, &known),
            reader: None,
            seconds: None,
            damage: None,
            pending: VecDeque::new(),
            batch_bytes: scan.request.memory.batch_bytes,
            lengths: StringLengths::default(),
            batch_rows: scan.batch_rows(&leaves),
            page_bytes: 0,
            reservation: scan.request.memory.reservation(),
            outstanding: selection.row_count(),
            numbers: None,
            paths: Vec::new(),
        };
        if decoder.columns.iter().any(|column| matches!(column.values, DecodedValues::Provenance(_))) {
            decoder.numbers = Some(RowNumbers::new(scan, &selection));
        }
        if !leaves.is_empty() && decoder.outstanding > 0 {
            let mut wanted = RowGroupRead { leaves, selection, batch_rows: decoder.batch_rows };
            count_bytes(scan, &wanted);
            let known = scan.leaves(&known.iter().map(|(index, _)| *index).collect::<Vec<_>>());
            wanted.leaves.retain(|leaf| !known.contains(leaf));
            if !wanted.leaves.is_empty() {
                match decoder.fit(scan, readable, &mut wanted, &input)? {
                    Ok(()) => decoder.damage = decoder.open(scan, readable, wanted, input).err(),
                    Err(damage) => decoder.damage = Some(damage),
                }
            }
        }
        Ok(decoder)
    }

    /// Reads the headers of the pages, and makes batches shorter if a few pages have many bytes.
    ///
    /// # Errors
    /// The pages do not fit into memory. The inner error is damage to the file.
    fn fit(
        &mut self,
        scan: &RowGroupScan,
        readable: &ReadableRowGroup,
        wanted: &mut RowGroupRead,
        input: &ParquetInput,
    ) -> Result<Result<(), DamageReason>> {
        let index = readable.metadata.metadata().page_index_for_row_group(0);
        let locations = |leaf| index.offset_index(leaf).map_or(Vec::new(), |index| index.page_locations().clone());
        let sizes = page_sizes::of_leaves(input, scan.metadata(), &wanted.leaves, &locations, &wanted.selection);
        let sizes = match sizes {
            Ok(sizes) => sizes,
            Err(damage) => return Ok(Err(damage)),
        };
        let needed = sizes.iter().map(|sizes| sizes.largest).fold(0, usize::saturating_add);
        let allowed = scan.request.memory.max_bytes;
        if needed > allowed {
            let (file, needed, allowed) = (&scan.file.name, needed >> 20, allowed >> 20);
            return Err(Error::Limit(format!(
                "{file}: the decompressed pages of row group {} take {needed} MiB, and --max-memory leaves {allowed} MiB \
                 to each thread: raise it, use fewer threads, or read fewer columns",
                scan.group
            )));
        }
        self.page_bytes = needed;
        self.reservation.set(needed);
        wanted.batch_rows = page_sizes::batch_rows(&sizes, wanted.batch_rows, self.batch_bytes.saturating_mul(4));
        self.batch_rows = wanted.batch_rows;
        Ok(Ok(()))
    }

    fn open(
        &mut self,
        scan: &RowGroupScan,
        readable: &ReadableRowGroup,
        wanted: RowGroupRead,
        input: ParquetInput,
    ) -> Result<(), DamageReason> {
        let failed = |e: std::io::Error| e.to_string();
        let input = input.with(|| wanted_ranges(readable.metadata.metadata(), &wanted)).map_err(failed)?;
        let again = input.with(Vec::new).map_err(failed)?;
        self.reader = Some(RowGroupReader::open(input, readable.metadata.clone(), &wanted)?);
        if let Some(metadata) = &readable.seconds {
            let is_int96 =
                |column: &&DecodedColumn| matches!(column.values, DecodedValues::Decoded { at_seconds: Some(_), .. });
            let columns: Vec<usize> = self.columns.iter().filter(is_int96).map(|column| column.index).collect();
            let leaves = scan.leaves(&columns);
            if !leaves.is_empty() {
                self.seconds = Some(RowGroupReader::open(again, metadata.clone(), &RowGroupRead { leaves, ..wanted })?);
            }
        }
        Ok(())
    }

    /// Returns the columns of the next rows. Returns None at the end, and if the rest cannot be read, which is
    /// reported.
    pub fn next(&mut self, part: &RowGroupPart) -> Result<Option<Batch>> {
        if self.outstanding == 0 {
            return Ok(None);
        }
        match self.read() {
            Ok(DecodedRows { rows, batch, seconds }) => {
                self.outstanding -= rows;
                let numbers = self.numbers.as_mut().map_or(Vec::new(), |numbers| numbers.take(rows));
                let scan = part.scan.as_ref();
                let columns = self.columns.iter_mut().map(|column| match column.values {
                    DecodedValues::Provenance(of) => Ok(origin(of, scan, &numbers, rows)),
                    _ => column.convert(rows, batch.as_ref(), seconds.as_ref()),
                });
                Ok(Some(Batch::new(columns.collect::<Result<_>>()?, rows)))
            }
            Err(damage) => {
                part.lost(self.outstanding, &damage)?;
                self.outstanding = 0;
                Ok(None)
            }
        }
    }

    /// Returns the next rows; their number is limited by the bytes of their strings. Dictionaries and views need few
    /// bytes even for long strings, but later operators may copy the strings for each row.
    fn read(&mut self) -> Result<DecodedRows, DamageReason> {
        if let Some(piece) = self.pending.pop_front() {
            return Ok(piece);
        }
        let DecodedRows { rows, batch, seconds } = self.read_batch()?;
        let batch_bytes = batch.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        self.reservation.set(self.page_bytes.saturating_add(batch_bytes));
        let mut arrays: Vec<ArrayRef> = batch.as_ref().map_or(Vec::new(), |batch| batch.columns().to_vec());
        arrays.extend(self.columns.iter().filter_map(|column| column.gathered_rows(rows)));
        let step = self.lengths.rows_within(&arrays, rows, self.batch_bytes);
        if step >= rows {
            return Ok(DecodedRows { rows, batch, seconds });
        }
        for start in (0..rows).step_by(step) {
            let count = step.min(rows - start);
            let slice = |batch: &RecordBatch| batch.slice(start, count);
            let (batch, seconds) = (batch.as_ref().map(slice), seconds.as_ref().map(slice));
            self.pending.push_back(DecodedRows { rows: count, batch, seconds });
        }
        self.pending.pop_front().ok_or_else(|| "a batch without rows".to_owned())
    }

    fn read_batch(&mut self) -> Result<DecodedRows, DamageReason> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        let Some(reader) = &mut self.reader else {
            return Ok(DecodedRows { rows: self.batch_rows.min(self.outstanding), batch: None, seconds: None });
        };
        let batch = reader.next()?;
        let seconds = self.seconds.as_mut().map(RowGroupReader::next).transpose()?;
        if seconds.as_ref().is_some_and(|seconds| seconds.num_rows() != batch.num_rows()) {
            return Err("a column of timestamps gave different numbers of rows".to_owned());
        }
        Ok(DecodedRows { rows: batch.num_rows(), batch: Some(batch), seconds })
    }

    /// Returns `columns` of a batch of this decoder; paths are extracted.
    pub fn select(&mut self, batch: &Batch, columns: &[ScanColumn]) -> Result<Batch> {
        let columns = columns.iter().map(|wanted| {
            let place = self.columns.iter().position(|column| column.index == wanted.column());
            let column = batch.column(place.ok_or_else(|| Error::internal("a column was not read"))?);
            Ok(match wanted {
                ScanColumn::Column(_) => column.clone(),
                ScanColumn::Path { column: index, path } => extractor(&mut self.paths, *index, path).extract(column),
            })
        });
        Ok(Batch::new(columns.collect::<Result<_>>()?, batch.rows()))
    }
}

/// Returns the extractor of `path` in the table column at `index`; it is created on first use.
fn extractor<'a>(paths: &'a mut Vec<(usize, Extractor)>, index: usize, path: &Path) -> &'a mut Extractor {
    let known = paths.iter().position(|(column, extractor)| *column == index && extractor.path() == path);
    let place = known.unwrap_or_else(|| {
        paths.push((index, Extractor::new(path.clone())));
        paths.len() - 1
    });
    &mut paths[place].1
}

impl DecodedColumn {
    /// Returns the next rows of the column, if they were read before; otherwise None.
    fn gathered_rows(&self, rows: usize) -> Option<ArrayRef> {
        match &self.values {
            DecodedValues::Gathered { rows: known, next, .. } => Some(known.slice(*next, rows)),
            DecodedValues::Constant(_) | DecodedValues::Provenance(_) | DecodedValues::Decoded { .. } => None,
        }
    }

    fn convert(&mut self, rows: usize, batch: Option<&RecordBatch>, seconds: Option<&RecordBatch>) -> Result<Column> {
        match (&mut self.values, batch) {
            (DecodedValues::Decoded { at, at_seconds, converter }, Some(batch)) => {
                let seconds = seconds.zip(*at_seconds).map(|(seconds, at)| seconds.column(at));
                converter.convert(batch.column(*at), seconds)
            }
            (DecodedValues::Gathered { rows: known, next, converter }, _) => {
                let array = known.slice(*next, rows);
                *next += rows;
                converter.convert(&array, None)
            }
            (DecodedValues::Constant(value), _) => Ok(Column::constant(value.clone(), rows)),
            (DecodedValues::Decoded { .. } | DecodedValues::Provenance(_), _) => {
                Err(Error::internal("a column was not read"))
            }
        }
    }
}

/// The numbers of the selected rows in the file, from 0.
struct RowNumbers {
    /// The remaining ranges of row numbers; the next one is the last.
    runs: Vec<Range<u64>>,
}

impl RowNumbers {
    fn new(scan: &RowGroupScan, selection: &RowSelection) -> Self {
        let mut next = scan.first_row();
        let mut runs = Vec::new();
        for selector in selection.iter() {
            let end = next + selector.row_count as u64;
            if !selector.skip {
                runs.push(next..end);
            }
            next = end;
        }
        runs.reverse();
        Self { runs }
    }

    /// Removes and returns the next `rows` numbers.
    fn take(&mut self, rows: usize) -> Vec<u64> {
        let mut numbers = Vec::with_capacity(rows);
        while numbers.len() < rows
            && let Some(run) = self.runs.last_mut()
        {
            let wanted = (rows - numbers.len()) as u64;
            let end = run.end.min(run.start + wanted);
            numbers.extend(run.start..end);
            run.start = end;
            if run.is_empty() {
                self.runs.pop();
            }
        }
        numbers
    }
}

/// Returns the values of a provenance column for the next rows, whose numbers are `numbers`.
fn origin(of: Provenance, scan: &RowGroupScan, numbers: &[u64], rows: usize) -> Column {
    let column = |value: &dyn Fn(u64) -> i64| {
        let values = numbers.iter().map(|number| value(*number)).collect::<Int64Array>();
        Column::array(Type::Long, Arc::new(values))
    };
    match of {
        Provenance::File => Column::constant(Value::string(scan.file.name.as_str()), rows),
        Provenance::Shape => Column::constant(Value::string("Parquet rows"), rows),
        Provenance::Byte => Column::constant(Value::null(Type::Long), rows),
        Provenance::Line => column(&|number| i64::try_from(number).map_or(i64::MAX, |number| number.saturating_add(1))),
        Provenance::Position => column(&|number| position(scan.mapping.table.index, number)),
    }
}

/// Returns the columns at `indexes` of the table, each with its source. `known` are those that need no reader; the
/// reader returns the others in the order of the file.
fn decoded_columns(scan: &RowGroupScan, indexes: &[usize], known: &[(usize, PrecomputedColumn)]) -> Vec<DecodedColumn> {
    let file_column = |index: usize| scan.mapping.file_column(&scan.file, index);
    let known = |index: usize| known.iter().find(|(known, _)| *known == index).map(|(_, known)| known.clone());
    let read = indexes.iter().filter(|&&index| known(index).is_none());
    let mut roots: Vec<usize> = read.filter_map(|&index| file_column(index)).map(|c| c.root).collect();
    roots.sort_unstable();
    roots.dedup();
    let is_int96 = |index: usize| file_column(index).filter(|column| column.source == StoredAs::Int96);
    let mut int96: Vec<usize> = indexes.iter().filter_map(|&index| is_int96(index)).map(|c| c.root).collect();
    int96.sort_unstable();
    int96.dedup();
    let decoded = |&index: &usize| {
        let ty = scan.mapping.ty(index);
        let only_paths = scan.takes_apart(index);
        let times = TimeReader::of(&scan.mapping.table);
        let converter = |column| {
            let text = StringConverter::new(ty, only_paths, times.clone());
            Converter::new(column, &scan.file.name, ty, text, &scan.request.report)
                .requiring(&scan.mapping.table.required)
        };
        let values = match (file_column(index), known(index)) {
            (None, _) => scan
                .mapping
                .origin(index)
                .map_or_else(|| DecodedValues::Constant(Value::null(ty)), DecodedValues::Provenance),
            (Some(_), Some(PrecomputedColumn::Constant(value))) => DecodedValues::Constant(value),
            (Some(column), Some(PrecomputedColumn::Gathered(rows))) => {
                DecodedValues::Gathered { rows, next: 0, converter: converter(column) }
            }
            (Some(column), None) => DecodedValues::Decoded {
                at: roots.binary_search(&column.root).unwrap_or(0),
                at_seconds: int96.binary_search(&column.root).ok(),
                converter: converter(column),
            },
        };
        DecodedColumn { index, values }
    };
    indexes.iter().map(decoded).collect()
}

/// A column that needs no reader.
#[derive(Clone)]
enum PrecomputedColumn {
    Constant(Value),
    Gathered(ArrayRef),
}

/// Returns the columns that need no reader, each with its position in the table: the column `Type` if statistics show
/// that all rows belong to one table, and columns whose selected rows can be gathered.
fn precomputed(
    scan: &RowGroupScan,
    readable: &ReadableRowGroup,
    indexes: &[usize],
    selection: &RowSelection,
    input: &ParquetInput,
) -> Vec<(usize, PrecomputedColumn)> {
    let statistics = RowGroupStatistics { file: &scan.file, mapping: &scan.mapping, group: scan.metadata() };
    // Values are read from the data, not from statistics, except for the column that distinguishes tables.
    let is_table =
        |index: usize| scan.mapping.file_column(&scan.file, index).is_some_and(|column| column.name == "Type");
    let same = |&index: &usize| {
        Some((index, PrecomputedColumn::Constant(statistics.only_text(index).filter(|_| is_table(index))?)))
    };
    let mut known: Vec<(usize, PrecomputedColumn)> = indexes.iter().filter_map(same).collect();
    let is_known = |index: &usize| known.iter().any(|(known, _)| known == index);
    let others: Vec<usize> = indexes.iter().copied().filter(|index| !is_known(index)).collect();
    known.extend(
        gathered(scan, readable, &others, selection, input)
            .map(|(index, rows)| (index, PrecomputedColumn::Gathered(rows))),
    );
    known
}

/// Returns the columns whose selected rows can be gathered from dictionary pages or plain pages, each with its
/// position in the table.
fn gathered(
    scan: &RowGroupScan,
    readable: &ReadableRowGroup,
    indexes: &[usize],
    selection: &RowSelection,
    input: &ParquetInput,
) -> impl Iterator<Item = (usize, ArrayRef)> {
    let (group, rows) = (scan.metadata(), selection.row_count());
    let is_narrow = rows.saturating_mul(indexes.len()) <= dictionary_gather::MAX_ROWS;
    let are_few = rows.saturating_mul(scan.request.sizes.sparse_rows) <= scan.rows();
    let wanted = if rows > 0 && (is_narrow || are_few) { indexes } else { &[] };
    let index_of_pages = readable.metadata.metadata().page_index_for_row_group(0);
    let mut dictionaries = readable.take_dictionaries();
    wanted.iter().filter_map(move |&index| {
        let column = scan.mapping.file_column(&scan.file, index)?;
        let is_checked = matches!(column.source, StoredAs::String | StoredAs::Ticks(_) | StoredAs::Scalar(_));
        let leaf = column.leaf().filter(|_| is_checked)?;
        let (chunk, ty) = (group.column(leaf), readable.metadata.schema().field(column.root).data_type());
        let pages = index_of_pages.offset_index(leaf).map(|index| index.page_locations().as_slice());
        let looked_up = || {
            let known = dictionaries.iter().position(|(of, _)| *of == leaf).map(|at| dictionaries.swap_remove(at).1);
            let chunk = ChunkPages { input, chunk, pages: pages.unwrap_or_default() };
            dictionary_gather::gather(&chunk, known, selection, ty)
        };
        let read_sparse = || read_selected(input, chunk, selection, ty);
        let rows = is_narrow.then(looked_up).flatten();
        Some((index, rows.or_else(|| (are_few && pages.is_none()).then(read_sparse).flatten())?))
    })
}

/// Adds to the counter of bytes the size of each chunk times the fraction of selected rows. This is an estimate,
/// because the reader reads whole pages.
fn count_bytes(scan: &RowGroupScan, wanted: &RowGroupRead) {
    let group = scan.metadata();
    let bytes: u64 =
        wanted.leaves.iter().map(|&leaf| u64::try_from(group.column(leaf).compressed_size()).unwrap_or(0)).sum();
    let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
    let share = u128::from(bytes) * (wanted.selection.row_count() as u128) / u128::from(rows);
    scan.request.counters.add(ScanCount::Bytes, u64::try_from(share).unwrap_or(u64::MAX));
}
