//! The location of a file: on a local disk, in a temporary copy of a stream, or on a server.
//!
//! Text readers read streams that start at an offset; the Parquet reader reads byte ranges. Only this module and
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
    /// Opens the bytes from `start` on. `end` is where the caller will probably stop: remote files are not prefetched
    /// past it.
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

    /// Opens the file for random access; None if it is on a server.
    pub(crate) fn seekable(&self) -> io::Result<Option<Box<dyn Seekable>>> {
        Ok(match self {
            Self::Disk(path) => Some(Box::new(File::open(path)?)),
            Self::Copy(file) => Some(Box::new(file.reader())),
            Self::Remote(_) => None,
        })
    }

    /// The path of a file on a disk.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Disk(path) => Some(path),
            Self::Copy(_) | Self::Remote(_) => None,
        }
    }

    /// The remote file, if it is on a server.
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

    /// The first error that the server returned, even if a reader turned it into something else; None if there was
    /// none.
    pub(crate) fn fault(&self) -> Option<io::Error> {
        self.remote().and_then(|file| file.fault())
    }
}
