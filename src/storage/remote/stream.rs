//! A remote file as a stream: blocks are asked for ahead while those before them are scanned.
//!
//! The first block is fetched alone, for much is known after a few bytes. Behind it the more of the file was used, the
//! more is asked for ahead; so a reader that stops early has cost little, and one that goes on waits for nothing.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use super::file::{PendingBytes, RemoteFile};

/// Bytes of a block, at most.
const BLOCK_BYTES: u64 = 4 << 20;

/// Bytes that are asked for at once behind the place where the reader most likely stops.
const TAIL_BYTES: u64 = 64 << 10;

/// Bytes that are asked for ahead, at most.
const AHEAD_BYTES: u64 = 16 << 20;

/// Reads a remote file.
pub(crate) struct RemoteStream {
    file: Arc<RemoteFile>,
    /// What was fetched and not yet taken.
    current: Bytes,
    /// What was asked for, in order, with its length.
    coming: VecDeque<PendingBytes>,
    /// Offset behind what was asked for.
    next: u64,
    /// Where the reader most likely stops.
    end: u64,
    /// Bytes that the reader took.
    used: u64,
}

impl RemoteStream {
    pub(super) fn new(file: Arc<RemoteFile>, start: u64, end: Option<u64>) -> Self {
        let expected = if start == 0 && end.is_none() { file.take_prefetched() } else { None };
        let next = expected.as_ref().map_or(start, |(bytes, _)| *bytes);
        let end = end.unwrap_or(file.bytes()).min(file.bytes());
        Self { file, current: Bytes::new(), coming: expected.into_iter().collect(), next, end, used: 0 }
    }

    /// Asks for one more block.
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

    /// The next block; empty at the end of the file.
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
    /// Nobody waits for what was asked for ahead.
    fn drop(&mut self) {
        self.coming.iter().for_each(|(_, fetched)| fetched.abort());
    }
}
