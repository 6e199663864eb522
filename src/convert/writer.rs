//! Rows in order -> the Parquet files of an archive.
//!
//! Columns are encoded side by side. Each file says in its footer which table it holds, in which types, of which time,
//! and in which order; pages have an index, and columns that people look things up in have bloom filters.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{BloomFilterPosition, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::keys::NO_TIME;
use super::layout::{Partition, file_name, next_number};
use super::storage::Storage;
use super::{Rows, Sink, SortedTable};
use crate::diagnostic::{Error, Result};
use crate::exec::row_groups::RowGroups;
use crate::source::parquet::footer::{SCHEMA_KEY, TABLE_KEY, columns_as_json};
use crate::temporary;
use crate::types::{Type, datetime};

/// Rows of a row group: enough for dictionaries to pay, few enough to leave most of an archive unread.
const GROUP_ROWS: usize = 128 * 1024;
/// Encoded bytes after which a row group ends early.
const GROUP_BYTES: usize = 128 << 20;
/// The same wherever that is: pages of long values have few rows.
const MAX_GROUP_BYTES: usize = GROUP_BYTES + (32 << 20);
/// Bytes of strings that are handed to the encoder at once.
const PIECE_BYTES: usize = 32 << 20;
/// Row groups of a file.
const FILE_GROUPS: usize = 8;
/// Rows of a page, the least that a scan can leave out.
const PAGE_ROWS: usize = 8 * 1024;
/// Bytes of a dictionary before a column chunk does without. Objects repeat less often than texts, but are longer.
const DICTIONARY_BYTES: usize = 1 << 20;
const OBJECT_DICTIONARY_BYTES: usize = 4 << 20;
/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;
/// Columns in which people look for one value.
const LOOKED_UP: &[&str] = &["UserPrincipalName", "UserId", "IPAddress", "CorrelationId", "AppId", "Id"];
/// Columns whose values hardly ever repeat.
const UNIQUE: &[&str] = &["Id", "UniqueTokenIdentifier", "_ItemId"];
/// Wrong answers of a bloom filter, of all.
const FALSE_POSITIVES: f64 = 0.01;

/// What every footer says about the time of its rows: the first and the last, in ISO 8601.
const TIME_KEY: &str = "coldcase.time";
/// What every footer says about its writer.
const VERSION_KEY: &str = "coldcase.version";

/// Where an archive goes.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder to write to.
    pub folder: PathBuf,
    /// The archive whose file numbers go on; None for a new one.
    pub existing: Option<PathBuf>,
    /// The periods that have folders of their own.
    pub partition: Partition,
    /// The name of the one file that takes all rows, instead of folders and numbers.
    pub single: Option<String>,
}

/// Writes one table of an archive.
#[derive(Debug)]
pub struct ArchiveWriter {
    place: Place,
    threads: usize,
    table: Option<Table>,
    open: Option<OpenFile>,
    /// The folder of the open file, or of the last one, and the next number in it.
    numbering: Option<(PathBuf, u32)>,
    /// The files that are whole, by their paths below the folder of the archive.
    pub files: Vec<PathBuf>,
    /// Bytes of those.
    pub bytes: u64,
}

#[derive(Debug)]
struct Table {
    name: String,
    storage: Storage,
    properties: WriterProperties,
}

#[derive(Debug)]
struct OpenFile {
    /// Below the folder of the archive.
    name: PathBuf,
    groups: RowGroups<BufWriter<File>>,
    /// The keys of the first and the last row that have a time.
    span: Option<(i64, i64)>,
}

impl ArchiveWriter {
    /// Writes to `place`, encoding with so many threads.
    #[must_use]
    pub fn new(place: Place, threads: usize) -> Self {
        Self { place, threads, table: None, open: None, numbering: None, files: Vec::new(), bytes: 0 }
    }

    fn table(&self) -> Result<&Table> {
        self.table.as_ref().ok_or_else(|| Error::internal("rows before columns"))
    }

    /// The file for rows with `key`: the open one, or the next.
    fn file_for(&mut self, key: i64) -> Result<OpenFile> {
        let folder = self.folder_for(key)?;
        if let Some(open) = self.open.take() {
            let stays = self.place.single.is_some()
                || (open.name.parent() == Some(folder.as_path()) && open.groups.groups() < FILE_GROUPS);
            if stays {
                return Ok(open);
            }
            self.close(open)?;
        }
        let name = self.next_name(folder)?;
        let table = self.table()?;
        OpenFile::create(&self.place.folder, name, table, self.threads)
    }

    fn folder_for(&self, key: i64) -> Result<PathBuf> {
        let mut folder = PathBuf::from(folder_name(&self.table()?.name));
        folder.extend(self.place.partition.folder(key));
        Ok(folder)
    }

    fn next_name(&mut self, folder: PathBuf) -> Result<PathBuf> {
        if let Some(single) = &self.place.single {
            return Ok(PathBuf::from(single));
        }
        let number = match &self.numbering {
            Some((known, number)) if *known == folder => *number,
            _ => self.place.existing.as_ref().map_or(Ok(0), |existing| next_number(&existing.join(&folder)))?,
        };
        let name = folder.join(file_name(&self.table()?.name, number));
        self.numbering = Some((folder, number.saturating_add(1)));
        Ok(name)
    }

    fn close(&mut self, open: OpenFile) -> Result<()> {
        let (name, bytes) = open.close()?;
        self.files.push(name);
        self.bytes += bytes;
        Ok(())
    }
}

impl Sink for ArchiveWriter {
    fn begin(&mut self, table: &SortedTable) -> Result<()> {
        let storage = Storage::new(&table.schema, &table.ranges);
        let properties = properties(table)?;
        self.table = Some(Table { name: table.name.clone(), storage, properties });
        Ok(())
    }

    fn partition(&self) -> Partition {
        self.place.partition
    }

    fn rows(&mut self, rows: &Rows) -> Result<()> {
        let Some((&first, &last)) = rows.keys.first().zip(rows.keys.last()) else { return Ok(()) };
        let mut file = self.file_for(first)?;
        file.write(rows, &self.table()?.storage)?;
        file.widen(first);
        file.widen(last);
        self.open = Some(file);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.open.take().map_or(Ok(()), |open| self.close(open))
    }
}

/// The folder of a table.
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
    notes.extend(table.cautions.pairs().into_iter().map(|(key, text)| pair(key, text)));
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
        // Row groups lie side by side, so that one checksum covers each of them.
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
            // Where a dictionary does not pay: lengths and bytes apart compress better than mixed.
            Type::String | Type::Dynamic => builder.set_column_encoding(column(), Encoding::DELTA_LENGTH_BYTE_ARRAY),
            // Times hardly repeat, but are close to those of the rows before.
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

impl OpenFile {
    fn create(folder: &Path, name: PathBuf, table: &Table, threads: usize) -> Result<Self> {
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
        Ok(Self { name, groups, span: None })
    }

    fn widen(&mut self, key: i64) {
        if key != NO_TIME {
            self.span = Some((self.span.map_or(key, |(first, _)| first), key));
        }
    }

    /// Appends rows; a row group ends where it is full.
    fn write(&mut self, rows: &Rows, storage: &Storage) -> Result<()> {
        let mut start = 0;
        while start < rows.batch.rows() {
            let count = (GROUP_ROWS - self.groups.rows()).min(rows.batch.rows() - start);
            // The encoder looks at the size of a page after a thousand rows only.
            for part in rows.batch.slice(start, count).pieces(PIECE_BYTES) {
                self.groups.write(part.rows(), &|index| storage.array(index, part.column(index)))?;
            }
            start += count;
            if self.is_full() {
                self.groups.end_group()?;
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let rows = self.groups.rows();
        // Looked at after whole pages only, so that the answer does not depend on how rows are handed over.
        let bytes = self.groups.bytes();
        rows >= GROUP_ROWS || (rows.is_multiple_of(PAGE_ROWS) && bytes >= GROUP_BYTES) || bytes >= MAX_GROUP_BYTES
    }

    /// Writes the footer; without it the file is none. Answers the name and the number of bytes.
    fn close(self) -> Result<(PathBuf, u64)> {
        let Self { name, mut groups, span } = self;
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
