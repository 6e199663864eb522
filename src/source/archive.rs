//! Entries of zip archives as files of their own. Entries are listed from the central directory and read where they
//! lie; nothing is ever written to the names that they have.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::Limits;
use super::files::{DataFile, Format};
use super::limits::UnpacksToMore;
use crate::diagnostic::{Error, Result};

/// Entries that an archive may have.
const MAX_ENTRIES: usize = 1 << 20;

/// Endings of files that are no archives: they are not looked into before they are read.
const OTHER_ENDINGS: [&str; 11] =
    ["json", "jsonl", "ndjson", "log", "txt", "csv", "tsv", "parquet", "gz", "zst", "avro"];

/// The files with the entries of each archive in its place, and what there is to say about entries that are left out.
pub(crate) fn expand(files: &[DataFile], limits: Limits) -> Result<(Vec<DataFile>, Vec<String>)> {
    let mut expanded = Vec::with_capacity(files.len());
    let mut notices = Vec::new();
    for file in files {
        let ending = file.path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        let other = OTHER_ENDINGS.iter().any(|other| ending.eq_ignore_ascii_case(other)) || file.refused().is_some();
        if other || file.format()? != Format::Zip {
            expanded.push(file.clone());
            continue;
        }
        match entries(file, limits) {
            Ok((found, unread)) => {
                notices.extend(unread);
                for entry in found {
                    expanded.push(seekable(entry, limits)?);
                }
            }
            Err(Error::Data { reason, .. }) => {
                notices.push(format!("{}: {reason}", file.name));
                expanded.push(file.refuse("a zip archive that cannot be read"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((expanded, notices))
}

/// An entry that can be read; one of Parquet, which is no stream, is copied to the disk.
fn seekable(entry: DataFile, limits: Limits) -> Result<DataFile> {
    if entry.format()? != Format::Parquet {
        return Ok(entry);
    }
    let limit = limits.unpacked(entry.bytes);
    let mut input = entry.open()?.take(limit.saturating_add(1));
    // Nothing can be read of Parquet that is cut off.
    let Ok(copy) = DataFile::spool(&mut input, &entry.name) else { return Ok(entry.refuse("a damaged entry")) };
    if copy.bytes > limit { Err(UnpacksToMore { limit }.error(&entry.name)) } else { Ok(copy) }
}

/// Where an entry lies in its archive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    start: u64,
    packed: u64,
    bytes: u64,
    deflated: bool,
    crc: u32,
}

/// The entries of an archive that can be read, in its order, and what there is to say about the others.
fn entries(archive: &DataFile, limits: Limits) -> Result<(Vec<DataFile>, Vec<String>)> {
    let damaged = |reason: String| Error::Data { file: archive.name.clone(), place: None, reason };
    let input = File::open(&archive.path).map_err(|source| Error::io(&archive.path, source))?;
    let mut zip = ZipArchive::new(BufReader::new(input)).map_err(|error| damaged(format!("damaged zip: {error}")))?;
    if zip.len() > MAX_ENTRIES {
        return Err(damaged(format!("the archive has {} entries", zip.len())));
    }
    if zip.has_duplicate_names() {
        // The reader of the directory knows entries by their names alone, and the last one of a name.
        return Err(damaged("several of its entries have the same name: unpack it first".to_owned()));
    }
    let mut found = Vec::new();
    let mut notices = Vec::new();
    for index in 0..zip.len() {
        match zip.by_index_raw(index) {
            Ok(entry) if entry.is_dir() => {}
            Ok(entry) => {
                let name = entry.name().map_or_else(|_| format!("entry {index}"), std::borrow::Cow::into_owned);
                // Where it belongs, by its own account: nothing is read from or written to this path.
                let name = format!("{}/{}", archive.name, name.replace(char::is_control, "\u{fffd}"));
                match readable(&entry) {
                    Ok(place) => found.push((name, place)),
                    Err(reason) => notices.push(format!("not read: {name}: {reason}")),
                }
            }
            Err(error) => notices.push(format!("not read: entry {index} of {}: {error}", archive.name)),
        }
    }
    check_sizes(archive, found.iter().map(|(_, entry)| entry), limits)?;
    Ok((found.into_iter().map(|(name, entry)| archive.entry(name, entry)).collect(), notices))
}

/// Where the bytes of an entry lie; the inner error says why it is not read.
fn readable(entry: &ZipFile<'_, BufReader<File>>) -> Result<Entry, &'static str> {
    let deflated = match entry.compression() {
        _ if entry.encrypted() => return Err("it is encrypted"),
        _ if entry.is_symlink() => return Err("it is a link, which is not followed"),
        CompressionMethod::Stored => false,
        CompressionMethod::Deflated => true,
        _ => return Err("it is packed in a way that is not supported"),
    };
    let start = entry.data_start().ok_or("it is not where the directory of the archive says")?;
    Ok(Entry { start, packed: entry.compressed_size(), bytes: entry.size(), deflated, crc: entry.crc32() })
}

/// Refuses an archive whose entries lie over each other, so that the same bytes are unpacked many times, or that unpack
/// to more than is allowed by their own account; an entry that unpacks to more than that ends in damage.
fn check_sizes<'a>(archive: &DataFile, entries: impl Iterator<Item = &'a Entry>, limits: Limits) -> Result<()> {
    let mut places: Vec<(u64, u64)> = Vec::new();
    let mut bytes: u64 = 0;
    for entry in entries.filter(|entry| entry.packed > 0) {
        places.push((entry.start, entry.start.saturating_add(entry.packed)));
        bytes = bytes.saturating_add(entry.bytes);
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        let reason =
            "its entries lie over each other: the archive is damaged, or made to unpack without end".to_owned();
        return Err(Error::Data { file: archive.name.clone(), place: None, reason });
    }
    let limit = limits.unpacked(archive.bytes);
    if bytes > limit { Err(UnpacksToMore { limit }.error(&archive.name)) } else { Ok(()) }
}

impl Entry {
    /// Bytes that it takes in the archive.
    pub(crate) fn packed(&self) -> u64 {
        self.packed
    }

    /// Its bytes, unpacked.
    pub(crate) fn open(&self, archive: &DataFile) -> io::Result<Box<dyn Read + Send>> {
        let mut input = File::open(&archive.path)?;
        input.seek(SeekFrom::Start(self.start))?;
        let packed = BufReader::with_capacity(1 << 16, input.take(self.packed));
        let unpacked: Box<dyn Read + Send> = match self.deflated {
            true => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
            false => Box::new(packed),
        };
        let crc = self.crc;
        Ok(Box::new(Checked { input: unpacked, crc: flate2::Crc::new(), expected: crc, left: self.bytes }))
    }
}

/// Compares length and checksum with what the archive says.
struct Checked {
    input: Box<dyn Read + Send>,
    crc: flate2::Crc,
    expected: u32,
    left: u64,
}

impl Read for Checked {
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
