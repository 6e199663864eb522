//! Adapts a source that produces text in chunks to a reader.

use std::io::{self, Read};

/// Produces text in chunks.
pub(super) trait ChunkSource {
    /// Writes the next chunk, which may be empty, into the empty buffer `text`. False if it is the last.
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool>;
}

/// Reads the text of a source.
pub(super) struct ChunkReader<P> {
    source: P,
    text: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<P: ChunkSource> ChunkReader<P> {
    /// Produces nothing before the first read.
    pub(super) fn new(source: P) -> Self {
        Self { source, text: Vec::new(), position: 0, ended: false }
    }
}

impl<P: ChunkSource> Read for ChunkReader<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.text.len() && !self.ended {
            self.text.clear();
            self.position = 0;
            self.ended = !self.source.next_chunk(&mut self.text)?;
        }
        let count = (&self.text[self.position..]).read(buffer)?;
        self.position += count;
        Ok(count)
    }
}
