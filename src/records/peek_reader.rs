//! A reader whose first bytes can be inspected before it is read. They stay in the buffer into which the rest is
//! read, so that nothing is copied if the file is plain text.

use std::io::{self, Cursor, Read};

/// A reader whose first bytes are in a buffer.
pub(crate) struct PeekReader {
    buffer: Vec<u8>,
    /// Number of bytes in the buffer. `done` is the number of them that were read.
    filled: usize,
    done: usize,
    rest: Box<dyn Read + Send>,
}

impl PeekReader {
    /// Creates a reader, and reads the first `head` bytes of `input`, or fewer if it ends. `buffer` is reused; its
    /// contents do not matter.
    pub(super) fn new(mut input: Box<dyn Read + Send>, mut buffer: Vec<u8>, head: usize) -> io::Result<Self> {
        if buffer.len() < head {
            buffer = vec![0; head];
        }
        let (filled, read) = fill(&mut input, &mut buffer[..head]);
        let rest = match read {
            // The whole input was read: no need to read again.
            Ok(()) if filled < head => Box::new(io::empty()),
            Ok(()) => input,
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            // Damage is returned after the bytes before it.
            Err(error) => Box::new(FailingReader(Some(error))),
        };
        Ok(Self { buffer, filled, done: 0, rest })
    }

    /// Creates a reader that reads nothing in advance; its head is empty.
    pub(super) fn unread(rest: Box<dyn Read + Send>, buffer: Vec<u8>) -> Self {
        Self { buffer, filled: 0, done: 0, rest }
    }

    /// Returns the bytes that were read in advance.
    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Returns the buffer, the number of bytes in it, and the rest of the input.
    pub(super) fn into_parts(self) -> (Vec<u8>, usize, Box<dyn Read + Send>) {
        (self.buffer, self.filled, self.rest)
    }

    /// Returns the whole input from its first byte on, and the buffer, so that it can be reused.
    pub(super) fn into_stream(self) -> (Box<dyn Read + Send>, Vec<u8>) {
        let head = Cursor::new(self.head().to_vec());
        (Box::new(head.chain(self.rest)), self.buffer)
    }
}

impl Read for PeekReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done == self.filled {
            return self.rest.read(buffer);
        }
        let count = (&self.buffer[self.done..self.filled]).read(buffer)?;
        self.done += count;
        Ok(count)
    }
}

/// Reads until the buffer is full or the input ends. Returns the number of bytes, and the error if one ended the
/// input early.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

/// A reader that returns an error on the first read, and ends after it.
struct FailingReader(Option<io::Error>);

impl Read for FailingReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::PeekReader;

    #[test]
    fn the_bytes_stay_those_of_the_input() {
        let bytes: Vec<u8> = (0..=255).collect();
        for head in [0, 1, 100, 256, 300] {
            for buffer in [Vec::new(), vec![7; 1_000]] {
                let reader =
                    || PeekReader::new(Box::new(io::Cursor::new(bytes.clone())), buffer.clone(), head).expect("read");
                let mut all = Vec::new();
                reader().read_to_end(&mut all).expect("read");
                assert_eq!(all, bytes);
                let (mut input, _) = reader().into_stream();
                all.clear();
                input.read_to_end(&mut all).expect("read");
                assert_eq!(all, bytes);
                let (buffer, filled, mut rest) = reader().into_parts();
                all = buffer[..filled].to_vec();
                rest.read_to_end(&mut all).expect("read");
                assert_eq!((all, filled), (bytes.clone(), head.min(256)));
            }
        }
    }
}
