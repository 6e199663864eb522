//! The location of a file: on a local disk, in a temporary copy of a stream, or on a server.
//!
//! The readers of text read a stream from an offset on; the Parquet reader reads byte ranges. Only this module and
//! `remote` know how a remote file is accessed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::remote::RemoteFile;
use crate::temporary::ScratchFile;

/// The location of a file.
#[derive(Clone, Debug)]
pub enum Location {
    /// A path on this machine.
    Disk(PathBuf),
    /// A temporary copy of a stream.
    Copy(Arc<ScratchFile>),
    /// A file on a server.
    Remote(Arc<RemoteFile>),
}

/// Bytes that can be read in any order.
pub(crate) trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

impl Location {
    /// Opens the bytes from `start` on. `end` is the offset at which the caller will probably stop; no bytes of
    /// remote files are fetched in advance after it.
    pub(crate) fn open(&self, start: u64, end: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Disk(path) => {
                let mut file = File::open(path)?;
                if start > 0 {
                    file.seek(SeekFrom::Start(start))?;
                }
                Ok(Box::new(file))
            }
            Self::Copy(file) => {
                let mut reader = file.reader();
                reader.seek(SeekFrom::Start(start))?;
                Ok(Box::new(reader))
            }
            Self::Remote(file) => Ok(Box::new(RemoteFile::stream(file, start, end))),
        }
    }

    /// Opens the file for reading in any order; None if it is on a server.
    pub(crate) fn seekable(&self) -> io::Result<Option<Box<dyn Seekable>>> {
        Ok(match self {
            Self::Disk(path) => Some(Box::new(File::open(path)?)),
            Self::Copy(file) => Some(Box::new(file.reader())),
            Self::Remote(_) => None,
        })
    }

    /// Returns the path of the file, if it is on a disk.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Disk(path) => Some(path),
            Self::Copy(_) | Self::Remote(_) => None,
        }
    }

    /// Returns the remote file, if the file is on a server.
    pub(crate) fn remote(&self) -> Option<&Arc<RemoteFile>> {
        match self {
            Self::Disk(_) | Self::Copy(_) => None,
            Self::Remote(file) => Some(file),
        }
    }

    /// Starts to fetch the first bytes of a remote file in the background.
    pub(crate) fn prefetch(&self) {
        if let Self::Remote(file) = self {
            file.prefetch();
        }
    }

    /// Returns the number of bytes that are at most in memory because they were fetched in advance, of this file and
    /// of the first blocks of `files` other ones. 0 for files that are not on a server.
    pub(crate) fn prefetched_bytes(&self, files: usize) -> usize {
        self.remote().map_or(0, |file| file.prefetched_bytes(files))
    }

    /// Returns the first error of the server, even if a reader turned it into another error. Returns None if there
    /// was none, or if the file is not on a server.
    pub(crate) fn fault(&self) -> Option<io::Error> {
        self.remote().and_then(|file| file.fault())
    }
}
