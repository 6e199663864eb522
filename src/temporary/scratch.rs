//! A file without a name that stores any number of byte sequences.
//!
//! Sorting a large table creates thousands of runs. If each had a file with a name, a killed process would leave it
//! behind; if each had an open file, there would be too many. So a single file is divided into blocks, and each
//! [`ScratchFile`] is a list of blocks, which are reused when it is dropped.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::platform::{read_at, write_at};

/// Size of a block in bytes.
const BLOCK: u64 = 64 << 10;

/// The shared file, and a record of its free blocks.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    free: Vec<u32>,
    /// The number of all blocks, in use or free.
    count: u32,
}

impl Scratch {
    /// Creates the file in `folder`, which must exist. It has no name if the system supports that.
    pub fn new(folder: &Path) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self { file: tempfile::tempfile_in(folder)?, blocks: Mutex::default() }))
    }

    /// Returns a writer for a new byte sequence.
    #[must_use]
    pub fn writer(self: &Arc<Self>) -> ScratchWriter {
        ScratchWriter(ScratchFile { scratch: Arc::clone(self), blocks: Vec::new(), length: 0 })
    }

    fn take_block(&self) -> io::Result<u32> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.free.pop() {
            return Ok(block);
        }
        let block = blocks.count;
        blocks.count = block.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(block)
    }
}

/// A byte sequence in a [`Scratch`] file.
#[derive(Debug)]
pub struct ScratchFile {
    scratch: Arc<Scratch>,
    blocks: Vec<u32>,
    length: u64,
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let mut blocks = self.scratch.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        // The last free block is taken first: in this order a new sequence is contiguous again.
        blocks.free.extend(self.blocks.drain(..).rev());
    }
}

impl ScratchFile {
    /// Stores a stream, up to its end or to `max_bytes` bytes.
    pub fn copy(scratch: &Arc<Scratch>, stream: &mut dyn Read, max_bytes: u64) -> io::Result<Self> {
        let mut writer = io::BufWriter::with_capacity(4 * usize::try_from(BLOCK).unwrap_or(0), scratch.writer());
        io::copy(&mut stream.take(max_bytes), &mut writer)?;
        Ok(writer.into_inner()?.finish())
    }

    /// Returns the number of bytes in the sequence.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads from `offset`; several threads may do so at the same time. Like [`Read::read`], it may read less than
    /// requested.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(place) = self.in_file(offset).filter(|_| offset < self.length) else { return Ok(0) };
        let available = (BLOCK - offset % BLOCK).min(self.length - offset);
        let wanted = usize::try_from(available).map_or(buffer.len(), |available| available.min(buffer.len()));
        read_at(&self.scratch.file, &mut buffer[..wanted], place)
    }

    /// Returns a reader of all bytes.
    #[must_use]
    pub fn reader(self: &Arc<Self>) -> ScratchReader {
        ScratchReader { file: Arc::clone(self), offset: 0 }
    }

    /// Returns the offset in the shared file of an offset in this sequence; None after its last block.
    fn in_file(&self, offset: u64) -> Option<u64> {
        let block = self.blocks.get(usize::try_from(offset / BLOCK).ok()?)?;
        Some(u64::from(*block) * BLOCK + offset % BLOCK)
    }
}

/// Writes to the end of a [`ScratchFile`]; it has no buffer of its own.
#[derive(Debug)]
pub struct ScratchWriter(ScratchFile);

impl ScratchWriter {
    /// Returns the byte sequence that was written.
    #[must_use]
    pub fn finish(self) -> ScratchFile {
        self.0
    }
}

impl Write for ScratchWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = &mut self.0;
        if bytes.is_empty() {
            return Ok(0);
        }
        if file.length.is_multiple_of(BLOCK) && file.blocks.len() as u64 == file.length / BLOCK {
            file.blocks.push(file.scratch.take_block()?);
        }
        let place = file.in_file(file.length).ok_or(io::ErrorKind::UnexpectedEof)?;
        let room = usize::try_from(BLOCK - file.length % BLOCK).unwrap_or(usize::MAX);
        let written = write_at(&file.scratch.file, &bytes[..bytes.len().min(room)], place)?;
        file.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a [`ScratchFile`] from its start.
#[derive(Clone, Debug)]
pub struct ScratchReader {
    file: Arc<ScratchFile>,
    offset: u64,
}

impl Read for ScratchReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Seek for ScratchReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.file.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.offset.checked_add_signed(by),
        };
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_share_a_file_and_blocks_are_used_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = Scratch::new(folder.path()).expect("a file");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "the file has no name");
        let bytes = |seed: usize, length: usize| (0..length).map(|n| (n * 31 + seed) as u8).collect::<Vec<u8>>();
        let lengths = [0, 1, 65_535, 65_536, 65_537, 300_000];
        for round in 0..3 {
            let mut writers: Vec<_> = lengths.iter().map(|_| scratch.writer()).collect();
            // Alternating, so that blocks of different sequences are adjacent.
            for start in (0..300_000).step_by(50_000) {
                for (seed, (writer, length)) in writers.iter_mut().zip(lengths).enumerate() {
                    let all = bytes(seed + round, length);
                    let part = start.min(length)..(start + 50_000).min(length);
                    writer.write_all(&all[part]).expect("written");
                }
            }
            for (seed, (writer, length)) in writers.into_iter().zip(lengths).enumerate() {
                let file = Arc::new(writer.finish());
                let mut read = Vec::new();
                file.reader().read_to_end(&mut read).expect("read");
                assert!(read == bytes(seed + round, length) && file.length() == length as u64);
                let mut reader = file.reader();
                assert_eq!(reader.seek(SeekFrom::End(-1)).is_ok(), length > 0);
                let mut last = Vec::new();
                reader.read_to_end(&mut last).expect("read");
                assert_eq!(last, read[length.saturating_sub(1)..]);
            }
        }
        assert_eq!(scratch.blocks.lock().expect("not poisoned").count, 10);
    }

    #[test]
    fn copies_end_at_their_bound() {
        let scratch = Scratch::new(&std::env::temp_dir()).expect("a file");
        let copy = ScratchFile::copy(&scratch, &mut io::repeat(7), 100_000).expect("a copy");
        assert_eq!(copy.length(), 100_000);
    }
}
