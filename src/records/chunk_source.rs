//! Turns a source that produces text in chunks into a `Read`.

use std::io::{self, Read};

/// A source that produces text in chunks.
pub(super) trait ChunkSource {
    /// Writes the next chunk into the empty buffer `text`; the chunk may be empty. Returns false if it is the last
    /// one.
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool>;
}

/// A reader of the text that a source produces.
pub(super) struct ChunkReader<P> {
    source: P,
    text: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<P: ChunkSource> ChunkReader<P> {
    /// Creates a reader. The source produces nothing before the first read.
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
