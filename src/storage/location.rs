//! Where the bytes of a file lie: on a disk of this machine, in a copy of a stream, or behind a URL.
//!
//! Readers of streams ask for bytes from an offset on; the reader of Parquet asks a file on a disk or a
//! [`RemoteFile`] for ranges. Nothing above this module knows how a remote file is reached.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::remote::RemoteFile;
use crate::temporary::ScratchFile;

/// Where a file is.
#[derive(Clone, Debug)]
pub enum Location {
    /// At a path of this machine.
    Disk(PathBuf),
    /// In a copy of a stream.
    Copy(Arc<ScratchFile>),
    /// On a server.
    Remote(Arc<RemoteFile>),
}

/// Bytes that can be read in any order.
pub(crate) trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

impl Location {
    /// Its bytes from `start` on. `end` is where the caller most likely stops: what is asked for ahead ends there.
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

    /// Its bytes in any order; None if it is on a server.
    pub(crate) fn seekable(&self) -> io::Result<Option<Box<dyn Seekable>>> {
        Ok(match self {
            Self::Disk(path) => Some(Box::new(File::open(path)?)),
            Self::Copy(file) => Some(Box::new(file.reader())),
            Self::Remote(_) => None,
        })
    }

    /// The path, where it is on a disk.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Disk(path) => Some(path),
            Self::Copy(_) | Self::Remote(_) => None,
        }
    }

    /// The remote file, where it is one.
    pub(crate) fn remote(&self) -> Option<&Arc<RemoteFile>> {
        match self {
            Self::Disk(_) | Self::Copy(_) => None,
            Self::Remote(file) => Some(file),
        }
    }

    /// Tells that its first bytes will be wanted soon.
    pub(crate) fn prefetch(&self) {
        if let Self::Remote(file) = self {
            file.prefetch();
        }
    }

    /// Why its server did not give bytes that it was asked for, whatever readers made of that; None where all went
    /// well.
    pub(crate) fn fault(&self) -> Option<io::Error> {
        self.remote().and_then(|file| file.fault())
    }
}
