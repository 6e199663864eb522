//! Columns of the table, decoded for some rows of a part.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::arrow_reader::RowSelection;

use super::convert::Converter;
use super::dictionary_gather;
use super::file_columns::Source;
use super::input::Input;
use super::page_sizes;
use super::pages::wanted_ranges;
use super::partition::{Part, Readable, RowGroupScan};
use super::prune::RowGroupStatistics;
use super::reader::{Damage, Reader, Wanted};
use super::sparse_pages::sift;
use super::string_lengths::StringLengths;
use crate::diagnostic::{Error, Result};
use crate::scan::ScanColumn;
use crate::scan::provenance::{Provenance, position};
use crate::storage::counters::ScanCount;
use crate::types::dynamic::Path;
use crate::types::extract::Extractor;
use crate::types::{Batch, Column, Type, Value};

/// Decodes some columns of the table, batch by batch.
pub(super) struct Decoder {
    columns: Vec<DecodedColumn>,
    /// None where the file has none of the columns.
    reader: Option<Reader>,
    /// Reads the 96-bit timestamps a second time, as seconds.
    seconds: Option<Reader>,
    /// What kept the readers from being opened.
    damage: Option<Damage>,
    /// What was read and is not handed on yet, in pieces of a bounded size.
    pieces: VecDeque<Piece>,
    batch_bytes: usize,
    lengths: StringLengths,
    batch_rows: usize,
    /// Rows still to come.
    outstanding: usize,
    numbers: RowNumbers,
    /// Paths into columns, by the position of the column in the table.
    paths: Vec<(usize, Extractor)>,
}

/// Some rows of what readers gave.
struct Piece {
    rows: usize,
    batch: Option<RecordBatch>,
    seconds: Option<RecordBatch>,
}

struct DecodedColumn {
    /// Its position in the table.
    index: usize,
    values: Values,
}

enum Values {
    /// All rows have this one: the file lacks the column, or says so.
    Same(Value),
    /// It tells where the row is.
    Origin(Provenance),
    /// It is the column at `at` of what the reader gives.
    Read { at: usize, at_seconds: Option<usize>, converter: Converter },
    /// Its rows are known already, those from `next` on are to come.
    Picked { rows: ArrayRef, next: usize, converter: Converter },
}

impl Decoder {
    /// Of the rows that `selection` names in the row group of `part`.
    pub fn new(
        part: &Part,
        readable: &Readable,
        columns: impl Iterator<Item = usize>,
        (selection, input): (RowSelection, Input),
    ) -> Result<Self> {
        let scan = part.scan.as_ref();
        let mut indexes: Vec<usize> = columns.collect();
        indexes.sort_unstable();
        indexes.dedup();
        let leaves = scan.leaves(&indexes);
        let known = known(scan, readable, &indexes, (&selection, &input));
        let mut decoder = Self {
            columns: decoded_columns(scan, &indexes, &known),
            reader: None,
            seconds: None,
            damage: None,
            pieces: VecDeque::new(),
            batch_bytes: scan.request.memory.batch_bytes,
            lengths: StringLengths::default(),
            batch_rows: scan.batch_rows(&leaves),
            outstanding: selection.row_count(),
            numbers: RowNumbers::new(scan, &selection),
            paths: Vec::new(),
        };
        if !leaves.is_empty() && decoder.outstanding > 0 {
            let mut wanted = Wanted { leaves, selection, batch_rows: decoder.batch_rows };
            count_bytes(scan, &wanted);
            let known = scan.leaves(&known.iter().map(|(index, _)| *index).collect::<Vec<_>>());
            wanted.leaves.retain(|leaf| !known.contains(leaf));
            if !wanted.leaves.is_empty() {
                match decoder.fit(scan, readable, &mut wanted, &input)? {
                    Ok(()) => decoder.damage = decoder.open(scan, readable, (wanted, input)).err(),
                    Err(damage) => decoder.damage = Some(damage),
                }
            }
        }
        Ok(decoder)
    }

    /// Looks at the pages that will be read: batches are shorter where pages are dense.
    ///
    /// # Errors
    /// The pages do not fit the memory. The inner error is damage of the file.
    fn fit(
        &mut self,
        scan: &RowGroupScan,
        readable: &Readable,
        wanted: &mut Wanted,
        input: &Input,
    ) -> Result<Result<(), Damage>> {
        let index = readable.metadata.metadata().page_index_for_row_group(0);
        let locations = |leaf| index.offset_index(leaf).map_or(Vec::new(), |index| index.page_locations().clone());
        let sizes = page_sizes::of_leaves(input, scan.metadata(), &wanted.leaves, &locations, &wanted.selection);
        let sizes = match sizes {
            Ok(sizes) => sizes,
            Err(damage) => return Ok(Err(damage)),
        };
        let needed = sizes.iter().map(|sizes| sizes.largest).fold(0, usize::saturating_add);
        let allowed = scan.request.memory.page_bytes;
        if needed > allowed {
            let (file, needed, allowed) = (&scan.file.name, needed >> 20, allowed >> 20);
            return Err(Error::Limit(format!(
                "{file}: the pages of row group {} take {needed} MiB when they are decompressed, and --max-memory leaves \
                 {allowed} MiB to each thread: raise it, use fewer threads, or read fewer columns",
                scan.group
            )));
        }
        wanted.batch_rows = page_sizes::batch_rows(&sizes, wanted.batch_rows, self.batch_bytes.saturating_mul(4));
        self.batch_rows = wanted.batch_rows;
        Ok(Ok(()))
    }

    fn open(
        &mut self,
        scan: &RowGroupScan,
        readable: &Readable,
        (wanted, input): (Wanted, Input),
    ) -> Result<(), Damage> {
        let failed = |e: std::io::Error| e.to_string();
        let input = input.with(|| wanted_ranges(readable.metadata.metadata(), &wanted)).map_err(failed)?;
        let again = input.with(Vec::new).map_err(failed)?;
        self.reader = Some(Reader::open(input, readable.metadata.clone(), &wanted)?);
        if let Some(metadata) = &readable.seconds {
            let is_int96 = |column: &&DecodedColumn| matches!(column.values, Values::Read { at_seconds: Some(_), .. });
            let columns: Vec<usize> = self.columns.iter().filter(is_int96).map(|column| column.index).collect();
            let leaves = scan.leaves(&columns);
            if !leaves.is_empty() {
                self.seconds = Some(Reader::open(again, metadata.clone(), &Wanted { leaves, ..wanted })?);
            }
        }
        Ok(())
    }

    /// The columns of the next rows; None at the end, and where the rest cannot be read, which is counted.
    pub fn next(&mut self, part: &Part) -> Result<Option<Batch>> {
        if self.outstanding == 0 {
            return Ok(None);
        }
        match self.read() {
            Ok(Piece { rows, batch, seconds }) => {
                self.outstanding -= rows;
                let numbers = self.numbers.take(rows);
                let scan = part.scan.as_ref();
                let columns = self.columns.iter_mut().map(|column| match column.values {
                    Values::Origin(of) => Ok(origin(of, scan, &numbers, rows)),
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

    /// The next rows; a dictionary or a view makes few bytes of long strings, which later steps may write out.
    fn read(&mut self) -> Result<Piece, Damage> {
        if let Some(piece) = self.pieces.pop_front() {
            return Ok(piece);
        }
        let Piece { rows, batch, seconds } = self.read_batch()?;
        let mut arrays: Vec<ArrayRef> = batch.as_ref().map_or(Vec::new(), |batch| batch.columns().to_vec());
        arrays.extend(self.columns.iter().filter_map(|column| column.picked(rows)));
        let step = self.lengths.rows_within(&arrays, rows, self.batch_bytes);
        if step >= rows {
            return Ok(Piece { rows, batch, seconds });
        }
        for start in (0..rows).step_by(step) {
            let count = step.min(rows - start);
            let slice = |batch: &RecordBatch| batch.slice(start, count);
            let (batch, seconds) = (batch.as_ref().map(slice), seconds.as_ref().map(slice));
            self.pieces.push_back(Piece { rows: count, batch, seconds });
        }
        self.pieces.pop_front().ok_or_else(|| "a batch without rows".to_owned())
    }

    fn read_batch(&mut self) -> Result<Piece, Damage> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        let Some(reader) = &mut self.reader else {
            return Ok(Piece { rows: self.batch_rows.min(self.outstanding), batch: None, seconds: None });
        };
        let batch = reader.next()?;
        let seconds = self.seconds.as_mut().map(Reader::next).transpose()?;
        if seconds.as_ref().is_some_and(|seconds| seconds.num_rows() != batch.num_rows()) {
            return Err("a column of timestamps gave different numbers of rows".to_owned());
        }
        Ok(Piece { rows: batch.num_rows(), batch: Some(batch), seconds })
    }

    /// What `columns` hold in a batch of this decoder.
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

/// The one of `path` into the table's column at `index`.
fn extractor<'a>(paths: &'a mut Vec<(usize, Extractor)>, index: usize, path: &Path) -> &'a mut Extractor {
    let known = paths.iter().position(|(column, extractor)| *column == index && extractor.path() == path);
    let place = known.unwrap_or_else(|| {
        paths.push((index, Extractor::new(path.clone())));
        paths.len() - 1
    });
    &mut paths[place].1
}

impl DecodedColumn {
    /// The next rows, where they are known already.
    fn picked(&self, rows: usize) -> Option<ArrayRef> {
        match &self.values {
            Values::Picked { rows: known, next, .. } => Some(known.slice(*next, rows)),
            Values::Same(_) | Values::Origin(_) | Values::Read { .. } => None,
        }
    }

    fn convert(&mut self, rows: usize, batch: Option<&RecordBatch>, seconds: Option<&RecordBatch>) -> Result<Column> {
        match (&mut self.values, batch) {
            (Values::Read { at, at_seconds, converter }, Some(batch)) => {
                let seconds = seconds.zip(*at_seconds).map(|(seconds, at)| seconds.column(at));
                converter.convert(batch.column(*at), seconds)
            }
            (Values::Picked { rows: known, next, converter }, _) => {
                let array = known.slice(*next, rows);
                *next += rows;
                converter.convert(&array, None)
            }
            (Values::Same(value), _) => Ok(Column::constant(value.clone(), rows)),
            (Values::Read { .. } | Values::Origin(_), _) => Err(Error::internal("a column was not read")),
        }
    }
}

/// The numbers of selected rows in their file, from 0; none where nobody asks for them.
struct RowNumbers {
    /// Runs that are still to come, the next one last.
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

    /// The next `rows` numbers.
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

/// What a column about the origin holds in these rows of the file.
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

/// The columns in the order of the table; the reader gives those of the file in the order of the file.
fn decoded_columns(scan: &RowGroupScan, indexes: &[usize], known: &[(usize, Known)]) -> Vec<DecodedColumn> {
    let file_column = |index: usize| scan.mapping.file_column(&scan.file, index);
    let known = |index: usize| known.iter().find(|(known, _)| *known == index).map(|(_, known)| known.clone());
    let read = indexes.iter().filter(|&&index| known(index).is_none());
    let mut roots: Vec<usize> = read.filter_map(|&index| file_column(index)).map(|c| c.root).collect();
    roots.sort_unstable();
    roots.dedup();
    let is_int96 = |index: usize| file_column(index).filter(|column| column.source == Source::Int96);
    let mut int96: Vec<usize> = indexes.iter().filter_map(|&index| is_int96(index)).map(|c| c.root).collect();
    int96.sort_unstable();
    int96.dedup();
    let decoded = |&index: &usize| {
        let ty = scan.mapping.ty(index);
        let target = (ty, scan.takes_apart(index));
        let converter = |column| Converter::new(column, &scan.file.name, target, &scan.request.report);
        let values = match (file_column(index), known(index)) {
            (None, _) => scan.mapping.origin(index).map_or_else(|| Values::Same(Value::null(ty)), Values::Origin),
            (Some(_), Some(Known::Same(value))) => Values::Same(value),
            (Some(column), Some(Known::Picked(rows))) => Values::Picked { rows, next: 0, converter: converter(column) },
            (Some(column), None) => Values::Read {
                at: roots.binary_search(&column.root).unwrap_or(0),
                at_seconds: int96.binary_search(&column.root).ok(),
                converter: converter(column),
            },
        };
        DecodedColumn { index, values }
    };
    indexes.iter().map(decoded).collect()
}

/// The values of a column that needs no reader.
#[derive(Clone)]
enum Known {
    Same(Value),
    Picked(ArrayRef),
}

/// The columns that need no reader, by their positions in the table: statistics tell that all rows are of one
/// table, rows of a few columns are looked up in dictionaries, and a few rows found in large pages.
fn known(
    scan: &RowGroupScan,
    readable: &Readable,
    indexes: &[usize],
    source: (&RowSelection, &Input),
) -> Vec<(usize, Known)> {
    let statistics = RowGroupStatistics { file: &scan.file, mapping: &scan.mapping, group: scan.metadata() };
    // Values are read from the data and not from what is said of them, but for the one that tells rows of tables apart.
    let is_table =
        |index: usize| scan.mapping.file_column(&scan.file, index).is_some_and(|column| column.name == "Type");
    let same = |&index: &usize| Some((index, Known::Same(statistics.only_text(index).filter(|_| is_table(index))?)));
    let mut known: Vec<(usize, Known)> = indexes.iter().filter_map(same).collect();
    let is_known = |index: &usize| known.iter().any(|(known, _)| known == index);
    let others: Vec<usize> = indexes.iter().copied().filter(|index| !is_known(index)).collect();
    known.extend(picked(scan, readable, &others, source).map(|(index, rows)| (index, Known::Picked(rows))));
    known
}

/// The columns that can be picked, by their positions in the table.
fn picked(
    scan: &RowGroupScan,
    readable: &Readable,
    indexes: &[usize],
    (selection, input): (&RowSelection, &Input),
) -> impl Iterator<Item = (usize, ArrayRef)> {
    let (group, rows) = (scan.metadata(), selection.row_count());
    let is_narrow = rows.saturating_mul(indexes.len()) <= dictionary_gather::MAX_ROWS;
    let are_few = rows.saturating_mul(scan.request.sizes.sparse_rows) <= scan.rows();
    let wanted = if rows > 0 && (is_narrow || are_few) { indexes } else { &[] };
    let index_of_pages = readable.metadata.metadata().page_index_for_row_group(0);
    let mut dictionaries = readable.take_dictionaries();
    wanted.iter().filter_map(move |&index| {
        let column = scan.mapping.file_column(&scan.file, index)?;
        let is_checked = matches!(column.source, Source::Text | Source::Ticks(_) | Source::Scalar(_));
        let leaf = column.leaf().filter(|_| is_checked)?;
        let (chunk, ty) = (group.column(leaf), readable.metadata.schema().field(column.root).data_type());
        let pages = index_of_pages.offset_index(leaf).map(|index| index.page_locations().as_slice());
        let looked_up = || {
            let known = dictionaries.iter().position(|(of, _)| *of == leaf).map(|at| dictionaries.swap_remove(at).1);
            dictionary_gather::pick(input, chunk, (pages.unwrap_or_default(), known), selection, ty)
        };
        let sifted = || sift(input, chunk, selection, ty);
        let rows = is_narrow.then(looked_up).flatten();
        Some((index, rows.or_else(|| (are_few && pages.is_none()).then(sifted).flatten())?))
    })
}

/// Counts the bytes of the wanted share of each chunk: how many the reader really touches depends on where pages end.
fn count_bytes(scan: &RowGroupScan, wanted: &Wanted) {
    let group = scan.metadata();
    let bytes: u64 =
        wanted.leaves.iter().map(|&leaf| u64::try_from(group.column(leaf).compressed_size()).unwrap_or(0)).sum();
    let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
    let share = u128::from(bytes) * (wanted.selection.row_count() as u128) / u128::from(rows);
    scan.request.counters.add(ScanCount::Bytes, u64::try_from(share).unwrap_or(u64::MAX));
}
