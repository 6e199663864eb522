//! Reads a remote file as a stream. Blocks are fetched in advance while earlier ones are scanned.
//!
//! The first block is fetched alone, because a few bytes often suffice. After it, the more of the file has been read,
//! the more is fetched in advance. So a reader that stops early costs little, and a reader that continues does not
//! wait.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use super::file::{PendingBytes, RemoteFile};

/// Maximum number of bytes in a block.
const BLOCK_BYTES: u64 = 4 << 20;

/// Number of bytes that are requested after the position at which the reader will probably stop.
const TAIL_BYTES: u64 = 64 << 10;

/// Maximum number of bytes that are fetched in advance.
const AHEAD_BYTES: u64 = 16 << 20;

/// Maximum number of bytes of a stream that are in memory: those in advance, the block that made them enough, and the
/// block that is read.
pub(super) const MAX_HELD_BYTES: u64 = AHEAD_BYTES + 2 * BLOCK_BYTES;

/// A stream of the bytes of a remote file.
pub(crate) struct RemoteStream {
    file: Arc<RemoteFile>,
    /// Bytes that were fetched but not read yet.
    current: Bytes,
    /// The ranges that were requested, in order.
    coming: VecDeque<PendingBytes>,
    /// The offset after the last requested byte.
    next: u64,
    /// The offset at which the reader will probably stop.
    end: u64,
    /// Number of bytes that were read.
    used: u64,
}

impl RemoteStream {
    pub(super) fn new(file: Arc<RemoteFile>, start: u64, end: Option<u64>) -> Self {
        let expected = if start == 0 && end.is_none() { file.take_prefetched() } else { None };
        let next = expected.as_ref().map_or(start, |(bytes, _)| *bytes);
        let end = end.unwrap_or(file.bytes()).min(file.bytes());
        Self { file, current: Bytes::new(), coming: expected.into_iter().collect(), next, end, used: 0 }
    }

    /// Requests one more block.
    fn ask(&mut self) {
        let most = match self.used {
            0 => self.file.first_bytes(),
            used => used.min(BLOCK_BYTES),
        };
        let end = if self.next < self.end { self.end } else { self.next.saturating_add(TAIL_BYTES) };
        let end = end.min(self.next.saturating_add(most)).min(self.file.bytes());
        self.coming.push_back(self.file.ask(self.next..end));
        self.next = end;
    }

    /// Returns the next block; empty at the end of the file.
    fn advance(&mut self) -> io::Result<Bytes> {
        if let Some(fault) = self.file.fault() {
            return Err(fault);
        }
        if self.coming.is_empty() {
            if self.next >= self.file.bytes() {
                return Ok(Bytes::new());
            }
            self.ask();
        }
        let mut ahead: u64 = self.coming.iter().skip(1).map(|(bytes, _)| bytes).sum();
        while ahead < self.used.min(AHEAD_BYTES) && self.next < self.end {
            self.ask();
            ahead += self.coming.back().map_or(0, |(bytes, _)| *bytes);
        }
        let Some(coming) = self.coming.pop_front() else { return Ok(Bytes::new()) };
        let bytes = self.file.wait(coming)?;
        self.used += bytes.len() as u64;
        Ok(bytes)
    }
}

impl Read for RemoteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            self.current = self.advance()?;
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

impl Drop for RemoteStream {
    /// Cancels the requests of blocks that were not read yet.
    fn drop(&mut self) {
        self.coming.iter().for_each(|(_, fetched)| fetched.abort());
    }
}
