//! Files that may have rows: where they are, how they are opened, and which format they have.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::counters::{CountedReader, ScanCounters};
use super::file_id::FileId;
use super::listed_file::ListedFile;
use super::location::Location;
use super::spooled_copy;
use super::text_settings::TextSettings;
use super::zip_archive::ZipEntry;
use crate::diagnostic::{Error, Result};

/// Number of bytes at the start of a file that identify its format.
const MAGIC_BYTES: usize = 8;

/// Offset of the magic bytes in a tar header.
const TAR_MAGIC_AT: usize = 257;

/// A file that may have rows.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The location of the file; for an entry of an archive, the location of the archive.
    pub location: Location,
    /// The name in messages.
    pub name: String,
    /// The length in bytes, before decompression.
    pub bytes: u64,
    /// The reason why the file must not be read; None if it may be read.
    refused: Option<&'static str>,
    /// The position in the archive; None if the file is not an entry of an archive.
    entry: Option<Arc<ZipEntry>>,
    /// The settings with which text in the file is read, as far as the user specified them.
    text: TextSettings,
    /// The id of the file, by which duplicates are recognised; None if it is not known.
    id: Option<FileId>,
    /// The folder in which it was found; None if the user named the file itself.
    found_in: Option<Arc<Path>>,
    /// The format, once the first bytes were read.
    format: OnceLock<FileFormat>,
    /// True if a reader has just found at the end of the file that it is as it was listed.
    is_unchanged: Arc<AtomicBool>,
}

/// The compression of a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// The text is not compressed.
    None,
    /// gzip, with one or more members.
    Gzip,
    /// Zstandard, with one or more frames.
    Zstd,
    /// bzip2, with one or more streams.
    Bzip2,
}

impl Compression {
    /// Returns the name of the compression in messages.
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

/// The format of a file, detected from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Text, which is most likely JSON.
    Text(Compression),
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC file or stream.
    Arrow,
    /// An Avro object container.
    Avro,
    /// A zip archive.
    Zip,
    /// A format that cannot be read; the reason.
    Unsupported(&'static str),
}

impl FileFormat {
    /// Detects the format from `head`, the first bytes of a file.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Text(Compression::Gzip),
            // The second pattern is a skippable frame.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Text(Compression::Zstd),
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] | [0xff, 0xff, 0xff, 0xff, ..] => Self::Arrow,
            [b'F', b'E', b'A', b'1', ..] => {
                Self::Unsupported("Feather version 1 is not supported: save the file as Feather version 2 (Arrow IPC)")
            }
            [b'P', b'K', 3 | 5 | 7, ..] => Self::Zip,
            [b'O', b'b', b'j', 1, ..] => Self::Avro,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Text(Compression::Bzip2),
            [0xfd, b'7', b'z', b'X', ..] => Self::Unsupported("xz is not supported"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::Unsupported("7z is not supported"),
            [b'R', b'a', b'r', b'!', ..] => Self::Unsupported("rar is not supported"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Unsupported("lz4 is not supported"),
            [0x1f, 0x9d, ..] => Self::Unsupported("`compress` files (.Z) are not supported"),
            // Read as UTF-16, every second character would be NUL.
            [0xff, 0xfe, 0, 0, _, _, _, 0, ..] | [0, 0, 0xfe, 0xff, 0, ..] => {
                Self::Unsupported("UTF-32 is not supported: save the file as UTF-8")
            }
            // Read as text, it would look like damaged lines.
            _ if head.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) => {
                Self::Unsupported("a tar archive: unpack it first")
            }
            _ => Self::Text(Compression::None),
        }
    }
}

impl DataFile {
    /// Returns the file at `path`, which must exist.
    pub fn new(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        Ok(Self::at(path, &metadata))
    }

    /// Returns the file at `path`, which has this metadata.
    pub(crate) fn at(path: &Path, metadata: &Metadata) -> Self {
        let file = Self::of(Location::Disk(path.to_owned()), display(path), metadata.len());
        Self { id: FileId::of(path, metadata), ..file }
    }

    /// Returns a file that is known to exist. `bytes` is its length.
    pub(crate) fn of(location: Location, name: String, bytes: u64) -> Self {
        Self {
            location,
            name,
            bytes,
            refused: None,
            entry: None,
            text: TextSettings::default(),
            id: None,
            found_in: None,
            format: OnceLock::new(),
            is_unchanged: Arc::default(),
        }
    }

    /// Returns an entry of this archive as a file.
    pub(crate) fn entry(&self, name: String, entry: ZipEntry) -> Self {
        let format = OnceLock::new();
        Self { name, bytes: entry.compressed(), entry: Some(Arc::new(entry)), format, ..self.clone() }
    }

    /// Returns an entry of this archive that must not be read, for `reason`.
    pub(crate) fn refused_entry(&self, name: String, reason: &'static str) -> Self {
        Self { name, bytes: 0, refused: Some(reason), ..self.clone() }
    }

    /// Returns the file as one that must not be read, for `reason`.
    pub(crate) fn refuse(&self, reason: &'static str) -> Self {
        Self { refused: Some(reason), ..self.clone() }
    }

    /// Returns the file with the settings with which text in it is read.
    pub(crate) fn with_text_settings(self, text: TextSettings) -> Self {
        Self { text, ..self }
    }

    /// Returns the settings with which text in the file is read.
    pub(crate) fn text_settings(&self) -> TextSettings {
        self.text
    }

    /// Returns the local path of the file, or of the archive that contains it; None if there is none.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        self.location.path()
    }

    /// True if the file is a temporary copy of a stream.
    pub(crate) fn is_spooled(&self) -> bool {
        matches!(self.location, Location::Copy(_))
    }

    /// Returns the id of the file, by which duplicates are recognised; None if it is not known.
    pub(crate) fn id(&self) -> Option<&FileId> {
        self.id.as_ref()
    }

    /// True if the file was replaced or modified after it was listed. What the last reader found is used only once,
    /// because the file may change before it is read again.
    pub(crate) fn has_changed(&self) -> bool {
        if self.is_unchanged.swap(false, Ordering::Acquire) {
            return false;
        }
        let (Some(listed), Some(path)) = (&self.id, self.location.path()) else { return false };
        fs::metadata(path).ok().and_then(|metadata| FileId::of(path, &metadata)).as_ref() != Some(listed)
    }

    /// Returns the file with the folder in which it was found.
    pub(super) fn in_folder(self, folder: &Arc<Path>) -> Self {
        Self { found_in: Some(Arc::clone(folder)), ..self }
    }

    /// Returns the folder in which the file was found; None if the user named the file itself.
    pub(crate) fn found_in(&self) -> Option<&Path> {
        self.found_in.as_deref()
    }

    /// True if the file is not an entry of an archive.
    pub(crate) fn is_plain(&self) -> bool {
        self.entry.is_none()
    }

    /// Opens the file from its first byte.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        self.open_at(0, None, None)
    }

    /// Opens the file at byte `start`; the reader will probably stop at `end`. An entry of an archive is always
    /// opened at its start. Bytes that are read are added to `counters`, before decompression.
    pub(crate) fn open_at(
        &self,
        start: u64,
        end: Option<u64>,
        counters: Option<&Arc<ScanCounters>>,
    ) -> Result<Box<dyn Read + Send>> {
        let (start, end) = self.entry.as_ref().map_or((start, end), |entry| entry.range());
        let input = match counters {
            Some(counters) => {
                let input = self.open_range(start, end).map_err(|source| self.failed(source))?;
                Box::new(CountedReader { input, counters: Arc::clone(counters) })
            }
            None => self.location.open(start, end).map_err(|source| self.failed(source))?,
        };
        Ok(match &self.entry {
            Some(entry) => entry.decompressed(input),
            None => input,
        })
    }

    /// Opens a range of the file to read its rows.
    fn open_range(&self, start: u64, end: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        match (&self.location, &self.id) {
            (Location::Disk(path), Some(id)) if self.is_plain() && self.bytes > 0 && start == 0 && end.is_none() => {
                Ok(Box::new(ListedFile::open(path, self.bytes, id.clone(), &self.is_unchanged)?))
            }
            _ => self.location.open(start, end),
        }
    }

    /// Opens the file as it is stored; for an entry of an archive, this is the whole archive.
    pub(crate) fn open_stored(&self) -> Result<Box<dyn Read + Send>> {
        self.location.open(0, None).map_err(|source| self.failed(source))
    }

    /// Returns an I/O error that names this file.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::io(&self.name, source)
    }

    /// Returns an error if the server failed to deliver bytes of the file. Called before damage is reported, because
    /// a failed transfer is not damage.
    pub(crate) fn check_remote(&self) -> Result<()> {
        self.location.fault().map_or(Ok(()), |fault| Err(self.failed(fault)))
    }

    /// Copies a stream, which can be read only once, to a temporary file. Messages call it `name`.
    pub(crate) fn spool(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = spooled_copy::copy(stream).map_err(|source| Error::io(name, source))?;
        let bytes = copy.length();
        Ok(Self::of(Location::Copy(copy), name.to_owned(), bytes))
    }

    /// Copies stdin or a pipe, whose length is not known, to a temporary file.
    ///
    /// # Errors
    /// The stream cannot be read, its copy cannot be written, or it is longer than the [`spooled_copy::CopySettings`]
    /// allow.
    pub fn stream(stream: &mut dyn Read, name: &str) -> Result<Self> {
        let copy = spooled_copy::copy_bounded(stream, name)?;
        let bytes = copy.length();
        Ok(Self::of(Location::Copy(copy), name.to_owned(), bytes))
    }

    /// Detects the format of the file from its first bytes.
    pub fn format(&self) -> Result<FileFormat> {
        match self.format.get() {
            Some(format) => Ok(*format),
            None => self.head(MAGIC_BYTES).map(|head| FileFormat::of(&head)),
        }
    }

    /// Reads the first `count` bytes, or all bytes of a shorter file, and remembers the format that they show.
    ///
    /// An archive may have so many files that opening each once more takes a noticeable part of the time of a query.
    pub(crate) fn head(&self, count: usize) -> Result<Vec<u8>> {
        let count = count.max(MAGIC_BYTES);
        let mut head = Vec::with_capacity(count);
        match self.open_at(0, Some(count as u64), None)?.take(count as u64).read_to_end(&mut head) {
            // Damage to an entry of an archive is reported when it is read.
            Err(error) if error.raw_os_error().is_some() => return Err(self.failed(error)),
            Ok(_) | Err(_) => self.check_remote()?,
        }
        self.format.get_or_init(|| FileFormat::of(&head));
        Ok(head)
    }

    /// True if the format was detected before, and is one that has columns. The file is not opened.
    pub(crate) fn is_known_as_columnar(&self) -> bool {
        matches!(self.format.get(), Some(FileFormat::Parquet | FileFormat::Arrow))
    }

    /// True if the name or the first bytes show that the file is a Parquet file.
    pub(crate) fn is_parquet(&self) -> bool {
        self.ending().eq_ignore_ascii_case("parquet") || matches!(self.format(), Ok(FileFormat::Parquet))
    }

    /// Returns the extension of the name, without the query of a URL; "" if there is none.
    pub(crate) fn ending(&self) -> &str {
        let query = self.name.match_indices('?').find(|(at, _)| self.name[at + 1..].starts_with('['));
        let path = query.map_or(self.name.as_str(), |(at, _)| &self.name[..at]);
        let last = path.rsplit(['/', '\\']).next().unwrap_or("");
        last.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// Returns the file name up to its first dot.
    #[must_use]
    pub fn stem(&self) -> &str {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').next().unwrap_or("")
    }

    /// True if the name has the extension csv or tsv. It matters for files of one or two columns, which cannot be
    /// recognised by content.
    #[must_use]
    pub fn is_called_csv(&self) -> bool {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        last.split('.').skip(1).any(|ending| ending.eq_ignore_ascii_case("csv") || ending.eq_ignore_ascii_case("tsv"))
    }

    /// Returns the reason why the file must not be read; None if it may be read.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

/// Returns the path for messages; bytes that are not UTF-8 are replaced.
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
        assert_eq!(FileFormat::of(b"\xff\xfe{\0\"\0"), FileFormat::Text(Compression::None));
        for mark in [&b"\xff\xfe\0\0{\0\0\0"[..], b"\0\0\xfe\xff\0\0\0{"] {
            assert!(matches!(FileFormat::of(mark), FileFormat::Unsupported(_)));
        }
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
