//! Writes sorted rows to the Parquet files of an archive.
//!
//! Columns are encoded in parallel. The footer of each file records the table, the types of the columns, the time
//! range and the sort order. Pages have an index, and columns that are often searched have bloom filters.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{BloomFilterPosition, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::keys::NO_TIME;
use super::layout::{PartitionPeriod, file_name, next_number};
use super::storage::Storage;
use super::{ArchiveRows, ArchiveSink, SortedTable};
use crate::diagnostic::{Error, Result};
use crate::parquet::footer::{SCHEMA_KEY, TABLE_KEY, columns_as_json};
use crate::parquet::writer::RowGroups;
use crate::temporary;
use crate::types::{Batch, Column, Type, datetime};

/// Maximum number of rows in a row group: enough that dictionaries are worthwhile, few enough that most of an archive
/// can be skipped.
const GROUP_ROWS: usize = 128 * 1024;
/// Number of encoded bytes at which a row group ends early.
const GROUP_BYTES: usize = 128 << 20;
/// Maximum number of row groups in a file.
const FILE_GROUPS: usize = 8;
/// Maximum number of rows in a page, which is the smallest unit that a scan can skip.
const PAGE_ROWS: usize = 8 * 1024;
/// Maximum number of bytes of the strings in a run of the encoder.
const RUN_BYTES: usize = 16 << 20;
/// Maximum size in bytes of the dictionary of a column chunk. Objects have fewer duplicates than strings, but are
/// longer.
const DICTIONARY_BYTES: usize = 1 << 20;
const OBJECT_DICTIONARY_BYTES: usize = 4 << 20;
/// Number of bytes that are buffered before they are written to the file.
const BUFFER: usize = 1 << 20;
/// Columns that are often searched for a single value. They get bloom filters.
const LOOKED_UP: &[&str] = &["UserPrincipalName", "UserId", "IPAddress", "CorrelationId", "AppId", "Id"];
/// Columns that have hardly any duplicates.
const UNIQUE: &[&str] = &["Id", "UniqueTokenIdentifier", "_ItemId"];
/// The false-positive rate of bloom filters.
const FALSE_POSITIVES: f64 = 0.01;

/// The key in the footer of the time range of the rows: the first and the last time, in ISO 8601.
const TIME_KEY: &str = "coldcase.time";
/// The key in the footer of the version of the program that wrote the file.
const VERSION_KEY: &str = "coldcase.version";

/// Where the files of an archive are written.
#[derive(Clone, Debug)]
pub struct ArchiveTarget {
    /// The folder to which files are written.
    pub folder: PathBuf,
    /// The existing archive to which the files are added, so that its file numbers are continued; None for a new
    /// archive.
    pub existing: Option<PathBuf>,
    /// The periods that get a folder of their own.
    pub partition: PartitionPeriod,
    /// If all rows go to a single file, its name; None for folders with numbered files.
    pub single: Option<String>,
}

/// Writes one table of an archive.
#[derive(Debug)]
pub struct ArchiveWriter {
    target: ArchiveTarget,
    threads: usize,
    table: Option<ArchiveTable>,
    open: Option<OpenFile>,
    /// The folder of the file that was opened last, and the number of the next file in it.
    numbering: Option<(PathBuf, u32)>,
    /// The files that are complete, as paths relative to the archive.
    pub files: Vec<PathBuf>,
    /// The total size of these files in bytes.
    pub bytes: u64,
}

#[derive(Debug)]
struct ArchiveTable {
    name: String,
    storage: Storage,
    properties: WriterProperties,
}

#[derive(Debug)]
struct OpenFile {
    /// The path of the file, relative to the archive.
    name: PathBuf,
    groups: RowGroups<BufWriter<File>>,
    /// The rows that are encoded next.
    run: EncoderRun,
    /// The first and the last key of the rows that have a time.
    span: Option<(i64, i64)>,
}

/// Rows that are encoded together. The rows that are passed to the encoder at once determine when it checks the sizes
/// of pages and dictionaries. So the division into runs depends only on the rows themselves, and not on the batches
/// in which they arrive.
#[derive(Debug, Default)]
struct EncoderRun {
    parts: Vec<ArchiveRows>,
    rows: usize,
    /// Number of bytes of the strings.
    bytes: usize,
}

impl ArchiveWriter {
    /// Creates a writer that encodes with `threads` threads.
    #[must_use]
    pub fn new(target: ArchiveTarget, threads: usize) -> Self {
        Self { target, threads, table: None, open: None, numbering: None, files: Vec::new(), bytes: 0 }
    }

    fn table(&self) -> Result<&ArchiveTable> {
        self.table.as_ref().ok_or_else(|| Error::internal("rows before columns"))
    }

    /// Returns the file for rows with `key`: the open file, or a new one.
    fn file_for(&mut self, key: i64) -> Result<OpenFile> {
        let folder = self.folder_for(key)?;
        if let Some(open) = self.open.take() {
            let stays = self.target.single.is_some()
                || (open.name.parent() == Some(folder.as_path()) && open.groups.groups() < FILE_GROUPS);
            if stays {
                return Ok(open);
            }
            self.close(open)?;
        }
        let name = self.next_name(folder)?;
        let table = self.table()?;
        OpenFile::create(&self.target.folder, name, table, self.threads)
    }

    fn folder_for(&self, key: i64) -> Result<PathBuf> {
        let mut folder = PathBuf::from(folder_name(&self.table()?.name));
        folder.extend(self.target.partition.folder(key));
        Ok(folder)
    }

    fn next_name(&mut self, folder: PathBuf) -> Result<PathBuf> {
        if let Some(single) = &self.target.single {
            return Ok(PathBuf::from(single));
        }
        let number = match &self.numbering {
            Some((known, number)) if *known == folder => *number,
            _ => self.target.existing.as_ref().map_or(Ok(0), |existing| next_number(&existing.join(&folder)))?,
        };
        let name = folder.join(file_name(&self.table()?.name, number));
        self.numbering = Some((folder, number.saturating_add(1)));
        Ok(name)
    }

    fn close(&mut self, mut open: OpenFile) -> Result<()> {
        open.end_run(&self.table()?.storage)?;
        let (name, bytes) = open.close()?;
        self.files.push(name);
        self.bytes += bytes;
        Ok(())
    }
}

impl ArchiveSink for ArchiveWriter {
    fn begin(&mut self, table: &SortedTable) -> Result<()> {
        let storage = Storage::new(&table.schema, &table.ranges);
        let properties = properties(table)?;
        self.table = Some(ArchiveTable { name: table.name.clone(), storage, properties });
        Ok(())
    }

    fn partition(&self) -> PartitionPeriod {
        self.target.partition
    }

    fn rows(&mut self, rows: &ArchiveRows) -> Result<()> {
        let Some(&first) = rows.keys.first() else { return Ok(()) };
        let mut rest = Some(rows.clone());
        while let Some(rows) = rest {
            let mut file = self.file_for(first)?;
            let max_groups = if self.target.single.is_some() { usize::MAX } else { FILE_GROUPS };
            rest = file.write(rows, max_groups, &self.table()?.storage)?;
            self.open = Some(file);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.open.take().map_or(Ok(()), |open| self.close(open))
    }
}

/// Returns the name of the folder of a table.
pub(super) fn folder_name(table: &str) -> String {
    let name = file_name(table, 0);
    name.strip_suffix("-00000.parquet").unwrap_or(&name).to_owned()
}

fn properties(table: &SortedTable) -> Result<WriterProperties> {
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut notes = vec![
        pair(SCHEMA_KEY, columns_as_json(&table.schema)),
        pair(TABLE_KEY, table.name.clone()),
        pair(VERSION_KEY, env!("CARGO_PKG_VERSION").to_owned()),
    ];
    notes.extend(table.archived_warnings.pairs().into_iter().map(|(key, text)| pair(key, text)));
    let level = ZstdLevel::try_new(1).map_err(|error| parquet_error(Path::new("zstd"), error))?;
    let order = table
        .time
        .and_then(|time| i32::try_from(time).ok())
        .map(|column_idx| vec![SortingColumn { column_idx, descending: false, nulls_first: false }]);
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        // Row groups are contiguous, so that one checksum covers each of them.
        .set_bloom_filter_position(BloomFilterPosition::End)
        .set_sorting_columns(order)
        .set_created_by(concat!("coldcase version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(notes));
    for field in table.schema.fields() {
        let column = || ColumnPath::from(vec![field.name.clone()]);
        if field.ty == Type::Dynamic {
            builder = builder.set_column_dictionary_page_size_limit(column(), OBJECT_DICTIONARY_BYTES);
        }
        builder = match field.ty {
            // Used if a dictionary does not pay off: lengths and bytes compress better separately than mixed.
            Type::String | Type::Dynamic => builder.set_column_encoding(column(), Encoding::DELTA_LENGTH_BYTE_ARRAY),
            // Times have few duplicates, but are close to that of the previous row.
            Type::Datetime => builder
                .set_column_dictionary_enabled(column(), false)
                .set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED),
            _ => builder,
        };
        if UNIQUE.contains(&field.name.as_str()) {
            builder = builder.set_column_dictionary_enabled(column(), false);
        }
        if LOOKED_UP.contains(&field.name.as_str()) {
            builder = builder
                .set_column_bloom_filter_fpp(column(), FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(column(), GROUP_ROWS as u64);
        }
    }
    Ok(builder.build())
}

impl EncoderRun {
    /// Divides `rows`: those that still fit into the run, and the others. `group_rows` is the number of rows that the
    /// row group still has room for.
    fn fill(&mut self, rows: ArchiveRows, group_rows: usize) -> (ArchiveRows, ArchiveRows) {
        let max_rows = PAGE_ROWS.min(group_rows);
        let mut taken = 0;
        for bytes in rows.batch.text_bytes_of_rows() {
            let is_long = self.rows > 0 && self.bytes.saturating_add(bytes) > RUN_BYTES;
            if self.rows == max_rows || is_long {
                break;
            }
            (self.rows, self.bytes, taken) = (self.rows + 1, self.bytes.saturating_add(bytes), taken + 1);
        }
        rows.split_at(taken)
    }
}

impl OpenFile {
    fn create(folder: &Path, name: PathBuf, table: &ArchiveTable, threads: usize) -> Result<Self> {
        let path = folder.join(&name);
        let hold = temporary::hold();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
        }
        let file = File::create_new(&path).map_err(|error| Error::io(&path, error))?;
        drop(hold);
        let output = BufWriter::with_capacity(BUFFER, file);
        let failed = Box::new(move |error| parquet_error(&path, error));
        let groups = RowGroups::new(output, &table.storage.schema, table.properties.clone(), threads, failed)?;
        Ok(Self { name, groups, run: EncoderRun::default(), span: None })
    }

    fn widen(&mut self, key: i64) {
        if key != NO_TIME {
            self.span = Some((self.span.map_or(key, |(first, _)| first), key));
        }
    }

    /// Appends rows, and writes row groups that are full. Once the file has `max_groups` row groups, returns the rows
    /// that belong to the next file.
    fn write(&mut self, rows: ArchiveRows, max_groups: usize, storage: &Storage) -> Result<Option<ArchiveRows>> {
        let mut rest = rows;
        loop {
            let (taken, later) = self.run.fill(rest, GROUP_ROWS - self.groups.rows());
            self.run.parts.push(taken);
            if later.keys.is_empty() {
                return Ok(None);
            }
            rest = later;
            self.end_run(storage)?;
            if self.groups.groups() >= max_groups {
                return Ok(Some(rest));
            }
        }
    }

    /// Encodes the rows of the run, and writes the row group if it is full.
    fn end_run(&mut self, storage: &Storage) -> Result<()> {
        let parts = std::mem::take(&mut self.run).parts;
        let keys = || parts.iter().flat_map(|part| &part.keys);
        let ends = keys().next().into_iter().chain(keys().rev().find(|key| **key != NO_TIME));
        ends.copied().collect::<Vec<_>>().into_iter().for_each(|key| self.widen(key));
        let batches: Vec<Batch> = parts.into_iter().map(|part| part.batch).filter(|batch| batch.rows() > 0).collect();
        let Some(first) = batches.first() else { return Ok(()) };
        let types: Vec<Type> = first.columns().iter().map(Column::ty).collect();
        let rows = Batch::concat(&types, &batches)?;
        self.groups.write(rows.rows(), &|index| storage.array(index, rows.column(index)))?;
        if self.groups.rows() >= GROUP_ROWS || self.groups.bytes() >= GROUP_BYTES {
            self.groups.end_group()?;
        }
        Ok(())
    }

    /// Writes the footer, without which the file is not valid. Returns the path and the number of bytes.
    fn close(self) -> Result<(PathBuf, u64)> {
        let Self { name, mut groups, span, run: _ } = self;
        if let Some((first, last)) = span {
            let text = format!("{}/{}", datetime::to_text(first), datetime::to_text(last));
            groups.note(KeyValue::new(TIME_KEY.to_owned(), text));
        }
        let output = groups.finish()?;
        let failed = |error| Error::io(&name, error);
        output.flush().map_err(failed)?;
        output.get_ref().sync_all().map_err(failed)?;
        let bytes = output.get_ref().metadata().map_err(failed)?.len();
        Ok((name, bytes))
    }
}

fn parquet_error(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => Error::io(path, *error),
            Err(other) => Error::internal(format!("parquet: {other}")),
        },
        other => Error::internal(format!("parquet: {other}")),
    }
}
