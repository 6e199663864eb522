//! A file that may hold rows: where it is, how it is opened, and what its first bytes say that it is.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::counters::{CountedReader, ScanCounters};
use super::file_id::FileId;
use super::location::Location;
use super::spooled_copy;
use super::zip_archive::ZipEntry;
use crate::diagnostic::{Error, Result};
use crate::entra::numeric_dates::DateOrder;

/// Bytes at the start of a file that tell its format.
const MAGIC_BYTES: usize = 8;

/// Where the header of the first file in a tar archive says what it is.
const TAR_MAGIC_AT: usize = 257;

/// A file that may hold rows.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Where it is; for an entry of an archive, where the archive is.
    pub location: Location,
    /// How messages call it.
    pub name: String,
    /// Its length in bytes, as it lies on the disk.
    pub bytes: u64,
    /// Why it is not to be read, where the place where it is says so.
    refused: Option<&'static str>,
    /// Where it lies in an archive, if it is an entry of one.
    entry: Option<Arc<ZipEntry>>,
    /// The order of its dates in numbers, if the user says it.
    date_order: Option<DateOrder>,
    /// What tells that another name is one of the same file.
    id: Option<FileId>,
    /// The folder in which it was found; None for a file that was named itself.
    found_in: Option<Arc<Path>>,
}

/// How the bytes of a text file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one member or more.
    Gzip,
    /// Zstandard, one frame or more.
    Zstd,
    /// bzip2, one stream or more.
    Bzip2,
}

impl Compression {
    /// What messages call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// What a file is, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Text, most likely JSON.
    Text(Compression),
    /// Parquet.
    Parquet,
    /// An Arrow IPC file or stream.
    Arrow,
    /// An Avro object container.
    Avro,
    /// A zip archive.
    Zip,
    /// Something that is not read, and why.
    Unsupported(&'static str),
}

impl FileFormat {
    /// The format that the first bytes of a file tell.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Text(Compression::Gzip),
            // A skippable frame may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Text(Compression::Zstd),
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] | [0xff, 0xff, 0xff, 0xff, ..] => Self::Arrow,
            [b'F', b'E', b'A', b'1', ..] => {
                Self::Unsupported("Feather version 1 is not supported: write it again as version 2, which is Arrow IPC")
            }
            [b'P', b'K', 3 | 5 | 7, ..] => Self::Zip,
            [b'O', b'b', b'j', 1, ..] => Self::Avro,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Text(Compression::Bzip2),
            [0xfd, b'7', b'z', b'X', ..] => Self::Unsupported("xz is not supported"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::Unsupported("7z is not supported"),
            [b'R', b'a', b'r', b'!', ..] => Self::Unsupported("rar is not supported"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Unsupported("lz4 is not supported"),
            [0x1f, 0x9d, ..] => Self::Unsupported("files of `compress` (.Z) are not supported"),
            // Its texts would pass for damaged lines.
            _ if head.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) => {
                Self::Unsupported("a tar archive: unpack it first")
            }
            _ => Self::Text(Compression::None),
        }
    }
}

impl DataFile {
    /// The file at `path`, which must exist.
    pub fn new(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        Ok(Self::at(path, &metadata))
    }

    /// The file at `path`, of which the system says this.
    pub(crate) fn at(path: &Path, metadata: &Metadata) -> Self {
        let file = Self::of(Location::Disk(path.to_owned()), display(path), metadata.len());
        Self { id: FileId::of(path, metadata), ..file }
    }

    /// A file whose place is known to hold it.
    pub(crate) fn of(location: Location, name: String, bytes: u64) -> Self {
        let (entry, id, found_in) = (None, None, None);
        Self { location, name, bytes, refused: None, entry, date_order: None, id, found_in }
    }

    /// An entry of this archive.
    pub(crate) fn entry(&self, name: String, entry: ZipEntry) -> Self {
        Self { name, bytes: entry.packed(), entry: Some(Arc::new(entry)), ..self.clone() }
    }

    /// An entry of this archive that is not to be read.
    pub(crate) fn refused_entry(&self, name: String, reason: &'static str) -> Self {
        Self { name, bytes: 0, refused: Some(reason), ..self.clone() }
    }

    /// The same file, which is not to be read.
    pub(crate) fn refuse(&self, reason: &'static str) -> Self {
        Self { refused: Some(reason), ..self.clone() }
    }

    /// The same file, whose dates in numbers have this order.
    pub(crate) fn with_date_order(self, order: Option<DateOrder>) -> Self {
        Self { date_order: order, ..self }
    }

    /// The order of its dates in numbers, if the user says it.
    pub(crate) fn date_order(&self) -> Option<DateOrder> {
        self.date_order
    }

    /// The path of the file on this machine that it is, or is an entry of.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        self.location.path()
    }

    /// True if it is a copy of a stream.
    pub(crate) fn is_spooled(&self) -> bool {
        matches!(self.location, Location::Copy(_))
    }

    /// What it has in common with other names of the same file, where that can be told.
    pub(crate) fn id(&self) -> Option<&FileId> {
        self.id.as_ref()
    }

    /// True if the file on the disk is no longer the one that was listed: another one, longer, shorter or written again.
    pub(crate) fn has_changed(&self) -> bool {
        let (Some(listed), Some(path)) = (&self.id, self.location.path()) else { return false };
        fs::metadata(path).ok().and_then(|metadata| FileId::of(path, &metadata)).as_ref() != Some(listed)
    }

    /// The same file, which was found in a folder.
    pub(super) fn in_folder(self, folder: &Arc<Path>) -> Self {
        Self { found_in: Some(Arc::clone(folder)), ..self }
    }

    /// The folder in which it was found; None for a file that was named itself.
    pub(crate) fn found_in(&self) -> Option<&Path> {
        self.found_in.as_deref()
    }

    /// True where its bytes are those of its place.
    pub(crate) fn is_plain(&self) -> bool {
        self.entry.is_none()
    }

    /// Its bytes from the first on.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        self.open_at((0, None), None)
    }

    /// Its bytes from a byte on, where the reader most likely stops at another; an entry of an archive always whole.
    /// Those that are read are counted as they lie on the disk.
    pub(crate) fn open_at(
        &self,
        (start, end): (u64, Option<u64>),
        counters: Option<&Arc<ScanCounters>>,
    ) -> Result<Box<dyn Read + Send>> {
        let (start, end) = self.entry.as_ref().map_or((start, end), |entry| entry.range());
        let input = self.location.open(start, end).map_err(|source| self.failed(source))?;
        let input = match counters {
            Some(counters) => Box::new(CountedReader { input, counters: Arc::clone(counters) }),
            None => input,
        };
        Ok(match &self.entry {
            Some(entry) => entry.decompressed(input),
            None => input,
        })
    }

    /// The bytes of its place, whichever part of them it is.
    pub(crate) fn open_stored(&self) -> Result<Box<dyn Read + Send>> {
        self.location.open(0, None).map_err(|source| self.failed(source))
    }

    /// The error that it could not be read.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::io(&self.name, source)
    }

    /// An error where its server failed to give bytes: what readers found instead of them is no damage of the file.
    pub(crate) fn check_remote(&self) -> Result<()> {
        self.location.fault().map_or(Ok(()), |fault| Err(self.failed(fault)))
    }

    /// Copies a stream, which can be read only once, to a temporary file; `name` is how messages call it.
    pub(crate) fn spool(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = spooled_copy::copy(stream).map_err(|source| Error::io(name, source))?;
        let bytes = copy.length();
        Ok(Self::of(Location::Copy(copy), name.to_owned(), bytes))
    }

    /// Copies stdin or a pipe, of which nobody knows how long it is.
    ///
    /// # Errors
    /// The stream cannot be read, its copy cannot be written, or it is longer than the [`spooled_copy::CopySettings`] allow.
    pub fn stream(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = spooled_copy::copy_bounded(stream, name)?;
        let bytes = copy.length();
        Ok(Self::of(Location::Copy(copy), name.to_owned(), bytes))
    }

    /// Reads the first bytes and tells the format.
    pub fn format(&self) -> Result<FileFormat> {
        let mut head = Vec::with_capacity(MAGIC_BYTES);
        match self.open_at((0, Some(MAGIC_BYTES as u64)), None)?.take(MAGIC_BYTES as u64).read_to_end(&mut head) {
            // A damaged entry shows its damage when it is read.
            Err(error) if error.raw_os_error().is_some() => return Err(self.failed(error)),
            Ok(_) | Err(_) => self.check_remote()?,
        }
        Ok(FileFormat::of(&head))
    }

    /// True for a Parquet file, by its name or its first bytes.
    pub(crate) fn is_parquet(&self) -> bool {
        self.ending().eq_ignore_ascii_case("parquet") || matches!(self.format(), Ok(FileFormat::Parquet))
    }

    /// The ending of its name behind the last dot, queries of URLs aside; "" where there is none.
    pub(crate) fn ending(&self) -> &str {
        let query = self.name.match_indices('?').find(|(at, _)| self.name[at + 1..].starts_with('['));
        let path = query.map_or(self.name.as_str(), |(at, _)| &self.name[..at]);
        let last = path.rsplit(['/', '\\']).next().unwrap_or("");
        last.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// The last part of its name up to the first dot.
    #[must_use]
    pub fn stem(&self) -> &str {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').next().unwrap_or("")
    }

    /// True where an ending of its name says that it is CSV: lists of one or two columns do not look like it.
    #[must_use]
    pub fn is_called_csv(&self) -> bool {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').skip(1).any(|ending| ending.eq_ignore_ascii_case("csv") || ending.eq_ignore_ascii_case("tsv"))
    }

    /// Why it is not to be read, where that is known without looking into it.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

/// The path for messages; bytes that are not UTF-8 are replaced.
pub(super) fn display(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Compression, DataFile, FileFormat};

    #[test]
    fn formats_are_told_by_the_first_bytes() {
        assert_eq!(FileFormat::of(b"\x1f\x8b\x08"), FileFormat::Text(Compression::Gzip));
        assert_eq!(FileFormat::of(b"\x28\xb5\x2f\xfd"), FileFormat::Text(Compression::Zstd));
        assert_eq!(FileFormat::of(b"PAR1"), FileFormat::Parquet);
        assert_eq!(FileFormat::of(b"{"), FileFormat::Text(Compression::None));
        assert_eq!(FileFormat::of(b""), FileFormat::Text(Compression::None));
        assert_eq!(FileFormat::of(b"PK\x03\x04"), FileFormat::Zip);
        assert_eq!(FileFormat::of(b"BZh9"), FileFormat::Text(Compression::Bzip2));
    }

    #[test]
    fn a_stream_is_copied() {
        let file = DataFile::stream(&mut &b"{\"a\":1}"[..], "stdin").expect("a copy");
        assert_eq!((file.bytes, file.name.as_str()), (7, "stdin"));
        let mut copy = String::new();
        file.open().expect("the copy").read_to_string(&mut copy).expect("text");
        assert_eq!(copy, "{\"a\":1}");
    }
}
