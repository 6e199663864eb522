//! Text that is made of something else, a piece at a time, as a stream.

use std::io::{self, Read};

/// What makes text.
pub(super) trait ChunkSource {
    /// Puts the next piece into `text`, which is empty; the piece may be empty, too. False where it is the last.
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool>;
}

/// The text of pieces.
pub(super) struct ChunkReader<P> {
    source: P,
    text: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<P: ChunkSource> ChunkReader<P> {
    /// Nothing is made before it is asked for.
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
