//! Reads byte ranges of a Parquet file at any location.
//!
//! The parquet crate reads many small ranges, and each of them costs a round trip to a server. The ranges of a remote
//! file that will be read are therefore fetched together in advance; other ranges are fetched on demand.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::storage::location::Location;
use crate::storage::remote::RemoteFile;
use crate::temporary::{ScratchFile, ScratchReader};

/// An open Parquet file.
#[derive(Debug)]
pub(super) enum ParquetInput {
    /// A file on a disk.
    Disk(File),
    /// A temporary copy of a stream.
    Copy(SpooledInput),
    /// A file on a server.
    Remote(FetchedInput),
}

impl ParquetInput {
    pub fn open(place: &Location) -> io::Result<Self> {
        Ok(match place {
            Location::Disk(path) => Self::Disk(File::open(path)?),
            Location::Copy(file) => Self::Copy(SpooledInput(Arc::clone(file))),
            Location::Remote(file) => Self::Remote(FetchedInput { file: Arc::clone(file), held: Arc::default() }),
        })
    }

    /// Returns the length of the file in bytes.
    pub fn bytes(&self) -> io::Result<u64> {
        match self {
            Self::Disk(file) => Ok(file.metadata()?.len()),
            Self::Copy(copy) => Ok(copy.0.length()),
            Self::Remote(remote) => Ok(remote.file.bytes()),
        }
    }

    /// True if each read takes a round trip to a server.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Opens the file again. If it is remote, the byte ranges that `ranges` returns are fetched in advance.
    pub fn with(&self, ranges: impl FnOnce() -> Vec<Range<u64>>) -> io::Result<Self> {
        Ok(match self {
            Self::Disk(file) => Self::Disk(file.try_clone()?),
            Self::Copy(copy) => Self::Copy(copy.clone()),
            Self::Remote(remote) => Self::Remote(remote.with(&ranges())?),
        })
    }

    /// Reads a byte range; an error if the file is shorter.
    pub fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        match self {
            Self::Disk(_) | Self::Copy(_) => {
                let mut bytes = Vec::new();
                self.read_into(range, &mut bytes)?;
                Ok(bytes.into())
            }
            Self::Remote(remote) => remote.read(range),
        }
    }

    /// Appends a byte range to `bytes`; an error if the file is shorter.
    pub fn read_into(&self, range: Range<u64>, bytes: &mut Vec<u8>) -> io::Result<()> {
        /// Maximum bytes that are allocated before they are read.
        const RESERVED: u64 = 16 << 20;
        let length = range.end.saturating_sub(range.start);
        match self {
            Self::Disk(file) => {
                let mut file = file;
                bytes.reserve(usize::try_from(length.min(RESERVED)).unwrap_or(0));
                file.seek(SeekFrom::Start(range.start))?;
                let read = file.take(length).read_to_end(bytes)?;
                if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
            Self::Copy(copy) => {
                bytes.reserve(usize::try_from(length.min(RESERVED)).unwrap_or(0));
                let read = copy.reader(range.start)?.take(length).read_to_end(bytes)?;
                if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
            Self::Remote(remote) => {
                bytes.extend_from_slice(&remote.read(range)?);
                Ok(())
            }
        }
    }
}

impl Length for ParquetInput {
    fn len(&self) -> u64 {
        self.bytes().unwrap_or(0)
    }
}

impl ChunkReader for ParquetInput {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match self {
            Self::Disk(file) => Ok(Box::new(file.get_read(start)?)),
            Self::Copy(copy) => copy.get_read(start),
            Self::Remote(remote) => remote.get_read(start),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::Disk(file) => file.get_bytes(start, length),
            Self::Copy(copy) => copy.get_bytes(start, length),
            Self::Remote(remote) => remote.get_bytes(start, length),
        }
    }
}

/// A stream that was copied to a temporary file.
#[derive(Clone, Debug)]
pub(super) struct SpooledInput(Arc<ScratchFile>);

impl SpooledInput {
    fn reader(&self, start: u64) -> io::Result<ScratchReader> {
        let mut reader = self.0.reader();
        reader.seek(SeekFrom::Start(start))?;
        Ok(reader)
    }
}

impl Length for SpooledInput {
    fn len(&self) -> u64 {
        self.0.length()
    }
}

impl ChunkReader for SpooledInput {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(Box::new(BufReader::new(self.reader(start)?)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if self.0.length().checked_sub(start).is_none_or(|left| left < length as u64) {
            return Err(ParquetError::EOF("a range past the end".to_owned()));
        }
        let mut bytes = vec![0; length];
        self.reader(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// A remote file, and the ranges of it that were fetched in advance.
#[derive(Clone, Debug)]
pub(super) struct FetchedInput {
    file: Arc<RemoteFile>,
    /// The fetched ranges: the start of each, and its bytes. They are sorted by their start.
    held: Arc<[(u64, Bytes)]>,
}

impl FetchedInput {
    fn with(&self, ranges: &[Range<u64>]) -> io::Result<Self> {
        let bytes = self.file.bytes();
        let mut ranges: Vec<Range<u64>> = ranges
            .iter()
            .filter(|range| range.start < range.end && range.end <= bytes && self.find(range.start).is_none())
            .cloned()
            .collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges.dedup();
        let fetched = self.file.read_ranges(&ranges)?;
        let mut held: Vec<(u64, Bytes)> = ranges.iter().map(|range| range.start).zip(fetched).collect();
        held.extend(self.held.iter().cloned());
        held.sort_by_key(|(start, _)| *start);
        Ok(Self { file: Arc::clone(&self.file), held: held.into() })
    }

    /// Returns the fetched bytes from the offset `start` on; None if that byte was not fetched.
    fn find(&self, start: u64) -> Option<Bytes> {
        let (from, bytes) = &self.held[..self.held.partition_point(|(from, _)| *from <= start)].last()?;
        let skipped = usize::try_from(start - from).ok().filter(|skipped| *skipped < bytes.len())?;
        Some(bytes.slice(skipped..))
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if let Some(bytes) = self.find(range.start).filter(|bytes| bytes.len() >= length) {
            return Ok(bytes.slice(..length));
        }
        if range.end > self.file.bytes() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut read = self.file.read_ranges(&[range])?;
        Ok(read.pop().unwrap_or_default())
    }
}

impl Length for FetchedInput {
    fn len(&self) -> u64 {
        self.file.bytes()
    }
}

impl ChunkReader for FetchedInput {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match self.find(start) {
            Some(bytes) => {
                let end = start.saturating_add(bytes.len() as u64);
                let after = DeferredStream { file: Arc::clone(&self.file), start: end, stream: None };
                Ok(Box::new(Cursor::new(bytes).chain(after)))
            }
            None => Ok(Box::new(DeferredStream { file: Arc::clone(&self.file), start, stream: None })),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end =
            start.checked_add(length as u64).ok_or_else(|| ParquetError::EOF("a range past the end".to_owned()))?;
        Ok(self.read(start..end)?)
    }
}

/// The bytes of a remote file from `start` on. They are fetched only when they are read.
struct DeferredStream {
    file: Arc<RemoteFile>,
    start: u64,
    stream: Option<Box<dyn Read>>,
}

impl Read for DeferredStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start >= self.file.bytes() {
            return Ok(0);
        }
        let open = || Box::new(RemoteFile::stream(&self.file, self.start, Some(self.start))) as Box<dyn Read>;
        self.stream.get_or_insert_with(open).read(buffer)
    }
}
