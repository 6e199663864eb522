//! Reads the entries of zip archives as files. Entries are listed from the central directory and read inside the
//! archive; nothing is ever written to their paths.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};

use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::delta_folder::folder_of_log;
use super::files::{DataFile, FileFormat};
use super::hidden::{EntryName, HIDDEN};
use super::limits::DecompressionLimit;
use super::listing::{DiscoveryNote, Listing};
use super::location::Seekable;
use super::parallel::parallel_map;
use crate::diagnostic::{Error, Result};
use crate::storage::limits::ReadLimits;

/// Maximum number of entries of an archive.
const MAX_ENTRIES: usize = 1 << 20;

/// Extensions of remote files that are not examined for being archives, because each examination takes a round trip.
/// If an archive has such a name, it is refused when it is read. Local files are always examined.
const NON_ARCHIVE_EXTENSIONS: [&str; 11] =
    ["json", "jsonl", "ndjson", "log", "txt", "csv", "tsv", "parquet", "gz", "zst", "avro"];

/// An entry by which Office documents are recognised.
const CONTENT_TYPES: &str = "[Content_Types].xml";

/// The reason why Office documents are not read.
const OFFICE: &str = "an Excel workbook or other Office document: save the sheet as CSV";

/// Replaces each archive by its entries. Archives and entries that cannot be read remain as files that have a reason.
pub(crate) fn expand(files: &[DataFile], limits: ReadLimits) -> Result<Listing> {
    let mut expanded = Vec::with_capacity(files.len());
    let (mut notes, mut hidden) = (Vec::new(), Vec::new());
    let archives = parallel_map(files, is_archive);
    for (file, is_archive) in files.iter().zip(archives) {
        if !is_archive {
            expanded.push(file.clone());
            continue;
        }
        // Entries are read in any order, so a remote archive is copied first.
        let file = &match file.location.remote() {
            None => file.clone(),
            Some(_) => DataFile::spool(&mut file.open()?, &file.name)?,
        };
        match entries(file, limits) {
            Ok(ZipContents { office: true, .. }) => expanded.push(file.refuse(OFFICE)),
            Ok(found) => {
                for entry in without_delta(file, found.files) {
                    expanded.push(seekable(entry, limits)?);
                }
                hidden.extend(found.hidden);
            }
            Err(Error::Data { reason, .. }) => {
                notes.push(DiscoveryNote::UnreadableArchive { file: file.name.clone(), reason });
                expanded.push(file.refuse("this zip archive cannot be read"));
            }
            Err(error) => return Err(error),
        }
    }
    notes.extend(DiscoveryNote::unread(HIDDEN, hidden, "extract the archive and name them to read them"));
    Ok(Listing { files: expanded, notes, ..Listing::default() })
}

/// Replaces the entries of each Delta table by one entry that is not read. Only the log tells which files were
/// removed from the table, and logs inside archives are not read.
fn without_delta(archive: &DataFile, mut entries: Vec<DataFile>) -> Vec<DataFile> {
    let path = |entry: &DataFile| entry.name.get(archive.name.len() + 1..).unwrap_or_default().to_owned();
    let folder = |entry: &DataFile| folder_of_log(&path(entry)).map(str::to_owned);
    let tables: BTreeSet<String> = entries.iter().filter_map(folder).collect();
    let is_of_table = |entry: &DataFile| {
        let path = path(entry);
        folder_of_log(&path).is_some() || tables.iter().any(|table| path.starts_with(table)) && entry.is_parquet()
    };
    if !tables.is_empty() {
        entries.retain(|entry| !is_of_table(entry));
    }
    let refused = tables.iter().map(|table| {
        let name = format!("{}/{table}", archive.name);
        archive
            .refused_entry(name.trim_end_matches('/').to_owned(), "a Delta table inside an archive: extract it first")
    });
    refused.chain(entries).collect()
}

/// True for a zip archive. Errors are ignored here, because they are reported when the file is read.
fn is_archive(file: &DataFile) -> bool {
    let ending = file.ending();
    let skipped = file.location.remote().is_some()
        && NON_ARCHIVE_EXTENSIONS.iter().any(|other| ending.eq_ignore_ascii_case(other));
    !skipped && file.refused().is_none() && matches!(file.format(), Ok(FileFormat::Zip))
}

/// Copies a Parquet entry to a temporary file, because it cannot be read as a stream. Other entries are returned
/// unchanged.
fn seekable(entry: DataFile, limits: ReadLimits) -> Result<DataFile> {
    if entry.refused().is_some() || entry.format()? != FileFormat::Parquet {
        return Ok(entry);
    }
    let limit = limits.decompressed(entry.bytes);
    let mut input = entry.open()?.take(limit.saturating_add(1));
    // A truncated Parquet file cannot be read at all.
    let copy = match DataFile::spool(&mut input, &entry.name) {
        Ok(copy) => copy,
        Err(error) if error.is_full_disk() => return Err(error),
        Err(_) => return Ok(entry.refuse("a damaged entry")),
    };
    if copy.bytes > limit { Err(DecompressionLimit { limit }.error(&entry.name)) } else { Ok(copy) }
}

/// The position of an entry in its archive, and what the directory states about it.
#[derive(Clone, Debug)]
pub(crate) struct ZipEntry {
    start: u64,
    compressed: u64,
    bytes: u64,
    deflated: bool,
    crc: u32,
}

/// The contents of an archive.
struct ZipContents {
    /// The entries in the order of the archive. Those that cannot be read have a reason.
    files: Vec<DataFile>,
    /// The names of hidden entries, which are skipped.
    hidden: Vec<String>,
    /// True if the archive is an Office document.
    office: bool,
}

/// Lists the entries of an archive.
fn entries(archive: &DataFile, limits: ReadLimits) -> Result<ZipContents> {
    let damaged = |reason: String| Error::Data { file: archive.name.clone(), place: None, reason };
    let input = archive.location.seekable().map_err(|source| archive.failed(source))?;
    let input = input.ok_or_else(|| Error::internal("an archive on a server was not copied"))?;
    let mut zip = ZipArchive::new(BufReader::new(input)).map_err(|error| damaged(format!("damaged zip: {error}")))?;
    if zip.len() > MAX_ENTRIES {
        return Err(damaged(format!("the archive has {} entries", zip.len())));
    }
    if zip.has_duplicate_names() {
        // The zip crate identifies entries by name, and returns only the last one of a name.
        return Err(damaged("several entries have the same name: extract the archive first".to_owned()));
    }
    let (mut found, mut hidden) = (Vec::new(), Vec::new());
    // A name for messages only: nothing is read from or written to this path.
    let called = |name: &str| format!("{}/{}", archive.name, name.replace(char::is_control, "\u{fffd}"));
    if zip.offset() > 0 {
        // The directory is found from the end: of concatenated archives, the last one is read.
        let place = format!("{}/its first {} bytes", archive.name, zip.offset());
        found.push((
            place,
            Err("they are not part of the archive; they may be an earlier archive that was concatenated"),
        ));
    }
    for index in 0..zip.len() {
        match zip.by_index_raw(index) {
            Ok(entry) if entry.is_dir() => {}
            Ok(entry) => {
                let name = entry.name().map_or_else(|_| format!("entry {index}"), std::borrow::Cow::into_owned);
                match EntryName::of(&name) {
                    EntryName::Plain => found.push((called(&name), readable(&entry))),
                    EntryName::Hidden(path) => hidden.push(called(path)),
                    EntryName::Ignored => {}
                }
            }
            Err(_) => {
                found.push((format!("{}/entry {index}", archive.name), Err("the archive does not contain its data")));
            }
        }
    }
    let office = zip.index_for_name(CONTENT_TYPES).is_some();
    let listed: Vec<&ZipEntry> = found.iter().filter_map(|(_, entry)| entry.as_ref().ok()).collect();
    check_sizes(archive, &listed, limits)?;
    let file = |(name, entry)| match entry {
        Ok(entry) => archive.entry(name, entry),
        Err(reason) => archive.refused_entry(name, reason),
    };
    // Each hidden folder is named once.
    hidden.sort();
    hidden.dedup();
    Ok(ZipContents { files: found.into_iter().map(file).collect(), hidden, office })
}

/// Returns the position of an entry, or the reason why it cannot be read.
fn readable(entry: &ZipFile<'_, BufReader<Box<dyn Seekable>>>) -> Result<ZipEntry, &'static str> {
    let deflated = match entry.compression() {
        _ if entry.encrypted() => return Err("it is encrypted"),
        _ if entry.is_symlink() => return Err("it is a symbolic link, which is not followed"),
        CompressionMethod::Stored => false,
        CompressionMethod::Deflated => true,
        _ => return Err("its compression method is not supported"),
    };
    let start = entry.data_start().ok_or("it is not at the position that the archive gives for it")?;
    Ok(ZipEntry { start, compressed: entry.compressed_size(), bytes: entry.size(), deflated, crc: entry.crc32() })
}

/// Returns an error for an archive that has overlapping entries, so that the same bytes would be decompressed many
/// times, or whose entries decompress to more bytes than allowed. An entry that is longer than the directory states
/// ends with a checksum error later.
fn check_sizes(archive: &DataFile, entries: &[&ZipEntry], limits: ReadLimits) -> Result<()> {
    let mut places: Vec<(u64, u64)> = Vec::new();
    let mut bytes: u64 = 0;
    for entry in entries.iter().filter(|entry| entry.compressed > 0) {
        places.push((entry.start, entry.start.saturating_add(entry.compressed)));
        bytes = bytes.saturating_add(entry.bytes);
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        let reason = "its entries overlap: the archive is damaged or a zip bomb".to_owned();
        return Err(Error::Data { file: archive.name.clone(), place: None, reason });
    }
    let limit = limits.decompressed(archive.bytes);
    // The directory may be wrong, so the entries are decompressed to check.
    if bytes > limit && exceeds_limit(archive, entries, limit) {
        return Err(DecompressionLimit { limit }.error(&archive.name));
    }
    Ok(())
}

/// True if the entries of an archive decompress to more than `limit` bytes together. Damage is ignored here, because
/// it is reported when an entry is read.
fn exceeds_limit(archive: &DataFile, entries: &[&ZipEntry], mut limit: u64) -> bool {
    entries.iter().any(|entry| {
        let Ok(input) = archive.entry(archive.name.clone(), (*entry).clone()).open() else { return false };
        let decompressed = limit.saturating_add(1);
        let mut counting = EntryReader { input: input.take(decompressed), bytes: 0 };
        _ = io::copy(&mut counting, &mut io::sink());
        let left = limit.checked_sub(counting.bytes);
        limit = left.unwrap_or(0);
        left.is_none()
    })
}

/// A reader that counts the bytes before the first error.
struct EntryReader<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl ZipEntry {
    /// Returns the compressed size in bytes.
    pub(crate) fn compressed(&self) -> u64 {
        self.compressed
    }

    /// Returns the byte range of the entry in the archive; the end is None if it overflows.
    pub(crate) fn range(&self) -> (u64, Option<u64>) {
        (self.start, self.start.checked_add(self.compressed))
    }

    /// Returns a reader of the decompressed entry. `input` reads the archive from the first byte of the entry on.
    pub(crate) fn decompressed(&self, input: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let compressed = BufReader::with_capacity(1 << 16, input.take(self.compressed));
        let decompressed: Box<dyn Read + Send> = match self.deflated {
            true => Box::new(flate2::bufread::DeflateDecoder::new(compressed)),
            false => Box::new(compressed),
        };
        let crc = self.crc;
        Box::new(ChecksumReader { input: decompressed, crc: flate2::Crc::new(), expected: crc, left: self.bytes })
    }
}

/// A reader that verifies the length and the checksum that the directory states.
struct ChecksumReader {
    input: Box<dyn Read + Send>,
    crc: flate2::Crc,
    expected: u32,
    left: u64,
}

impl Read for ChecksumReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.input.read(buffer)?;
        let damaged = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        if count == 0 {
            return match self.left {
                0 if self.crc.sum() == self.expected => Ok(0),
                0 => damaged("its checksum is wrong"),
                _ => damaged("it is shorter than the archive says"),
            };
        }
        self.crc.update(&buffer[..count]);
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return damaged("it is longer than the archive says"),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, Read, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::{Error, Listing, ReadLimits, expand};
    use crate::storage::files::DataFile;

    /// An archive after expansion: the entries by name with their texts, the notes, and the reason if the archive is
    /// refused.
    type Expanded = (Vec<(String, String)>, Vec<String>, Option<&'static str>);

    fn read(bytes: &[u8], limits: ReadLimits) -> Result<Expanded, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.zip");
        fs::write(&path, bytes).expect("written");
        let Listing { files, notes, .. } = expand(&[DataFile::new(&path).expect("a file")], limits)?;
        let notices: Vec<String> = notes.iter().map(ToString::to_string).collect();
        let own = path.display().to_string();
        let short = |text: &str| text.replace(&own, "a.zip");
        let whole = files.iter().find(|file| file.name == path.display().to_string());
        let refused = whole.and_then(DataFile::refused);
        let unread = files.iter().filter(|file| whole.is_none() && file.refused().is_some());
        let unread: Vec<String> =
            unread.map(|file| format!("not read: {}: {}", file.name, file.refused().unwrap_or_default())).collect();
        let notices = [notices, unread].concat();
        let text = |file: &DataFile| {
            let mut text = String::new();
            let read = file
                .open()
                .and_then(|mut input| input.read_to_string(&mut text).map_err(|error| Error::io(&path, error)));
            read.map_or_else(|error| short(&error.to_string()), |_| text)
        };
        let files = files.iter().filter(|file| file.refused().is_none()).map(|file| (short(&file.name), text(file)));
        let found = (files.collect(), notices.iter().map(|notice| short(notice)).collect(), refused);
        // Nothing is written beside the archive, whatever the names of its entries.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        Ok(found)
    }

    fn archive(entries: &[(&str, &str)], options: SimpleFileOptions) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in entries {
            writer.start_file(*name, options).expect("begun");
            writer.write_all(text.as_bytes()).expect("written");
        }
        writer.finish().expect("written").into_inner()
    }

    /// Returns the archive with all occurrences of some bytes replaced.
    fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
        assert!(!places.is_empty());
        places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
        bytes
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        read(bytes, ReadLimits::default()).expect("readable").0.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn names_of_entries_are_words_and_no_paths() {
        let odd = ["../../etc/passwd", "/etc/passwd", "..\\windows\\x.json", "C:\\x.json", "ü ö/x y.json", "con"];
        let entries = odd.map(|name| (name, name));
        let found = read(&archive(&entries, SimpleFileOptions::default()), ReadLimits::default()).expect("readable");
        let texts: Vec<&str> = found.0.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!((texts, found.2), (odd.to_vec(), None));
        assert!(found.0.iter().all(|(name, _)| name.starts_with("a.zip/")), "{found:?}");
        let with_nul =
            patched(archive(&[("aXb.json", "{}")], SimpleFileOptions::default()), b"aXb.json", b"a\0\n.json");
        assert_eq!(names(&with_nul), ["a.zip/a\u{fffd}\u{fffd}.json"]);
    }

    #[test]
    fn what_is_not_read_is_told() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("link.json", "/etc/passwd", SimpleFileOptions::default()).expect("added");
        writer.add_directory("folder/", SimpleFileOptions::default()).expect("added");
        writer.start_file("whole.json", SimpleFileOptions::default()).expect("begun");
        writer.write_all(b"{}").expect("written");
        let bytes = writer.finish().expect("written").into_inner();
        let (files, notices, _) = read(&bytes, ReadLimits::default()).expect("readable");
        assert_eq!(files, [("a.zip/whole.json".to_owned(), "{}".to_owned())]);
        assert_eq!(notices, ["not read: a.zip/link.json: it is a symbolic link, which is not followed"]);
        // A bit of the flags marks an encrypted entry; a number is the compression method.
        let plain = archive(&[("x.json", "{}")], SimpleFileOptions::default());
        let entry = plain.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("the directory");
        for (at, byte, word) in [(entry + 8, 1, "encrypted"), (entry + 10, 99, "not supported")] {
            let mut odd = plain.clone();
            odd[at] = byte;
            let (files, notices, _) = read(&odd, ReadLimits::default()).expect("readable");
            assert!(files.is_empty() && notices.len() == 1 && notices[0].contains(word), "{notices:?}");
        }
    }

    #[test]
    fn entries_of_one_name_are_not_mixed_up() {
        let twice = archive(&[("aa.json", "1"), ("ab.json", "2")], SimpleFileOptions::default());
        let (files, notices, refused) =
            read(&patched(twice, b"ab.json", b"aa.json"), ReadLimits::default()).expect("told");
        assert!(files.is_empty() && refused.is_some(), "{files:?}");
        assert!(notices[0].contains("several entries have the same name"), "{notices:?}");
    }

    #[test]
    fn archives_of_every_making_are_read() {
        let large = SimpleFileOptions::default().large_file(true);
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for options in [large, stored, stored.large_file(true)] {
            let (files, notices, _) =
                read(&archive(&[("x.json", "{}")], options), ReadLimits::default()).expect("readable");
            assert_eq!((files.len(), files[0].1.as_str(), notices.len()), (1, "{}", 0));
        }
        let inner = archive(&[("x.json", "{}")], SimpleFileOptions::default());
        let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("inner.zip", stored).expect("begun");
        writer.write_all(&inner).expect("written");
        let outer = writer.finish().expect("written").into_inner();
        assert_eq!(names(&outer), ["a.zip/inner.zip"], "{}", text(&outer));
        // Bytes before an archive are not a part of it.
        let (files, notices, _) = read(&[&inner[..], &outer].concat(), ReadLimits::default()).expect("told");
        assert_eq!(files.len(), 1, "{files:?}");
        let expected = format!("not read: a.zip/its first {} bytes: they are not part of the archive", inner.len());
        assert!(notices.len() == 1 && notices[0].starts_with(&expected), "{notices:?}");
        assert!(read(&inner[..inner.len() / 2], ReadLimits::default()).expect("told").2.is_some());
        assert!(read(b"PK\x03\x04", ReadLimits::default()).expect("told").2.is_some());
    }

    #[test]
    fn no_archive_exceeds_limit_than_is_allowed() {
        let text = "x".repeat(10_000);
        let entries: Vec<(String, &str)> = (0..10).map(|n| (format!("{n}.json"), text.as_str())).collect();
        let entries: Vec<(&str, &str)> = entries.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        let bytes = archive(&entries, SimpleFileOptions::default());
        let limit = |bytes: u64| ReadLimits { max_decompressed: Some(bytes), ..ReadLimits::default() };
        assert!(matches!(read(&bytes, limit(99_999)), Err(Error::Limit(text)) if text.contains("--max-decompressed")));
        assert_eq!(read(&bytes, limit(100_000)).expect("readable").0.len(), 10);
    }
}
