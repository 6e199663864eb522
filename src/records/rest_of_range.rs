//! Yields the rest of a range of a file in which the encoding changes. Record boundaries cannot be found in the bytes
//! of UTF-16, so all of its text belongs to the range in which it begins.

use std::io::{self, Read};

use super::chunk_source::ChunkSource;
use super::multi_line::{BOUNDARY_BYTES, record_boundary};
use super::read_more::read_more;

/// Number of bytes that are read at once.
const CHUNK: usize = 32 << 10;

/// Yields the bytes up to the first record boundary at or after the end of the range.
pub(super) struct RestOfRange<R> {
    input: R,
    /// Bytes of the file, including those before the next one that are needed to identify a boundary.
    bytes: Vec<u8>,
    /// Number of `bytes` that were yielded.
    passed: usize,
    /// Position in `bytes` at which the search for the boundary begins.
    search_from: usize,
    /// The error that ended the input early. It is returned after the bytes that were read before it.
    failure: Option<io::Error>,
}

impl<R: Read> RestOfRange<R> {
    /// Creates a reader from the position `start` of `bytes` on; `input` continues these bytes. The range ends at the
    /// first boundary at or after the position `end`, which may lie after `bytes`; None means the end of the file.
    pub(super) fn new(bytes: Vec<u8>, start: usize, end: Option<usize>, input: R) -> Self {
        let search_from = end.map_or(usize::MAX, |end| end.max(start).saturating_sub(1));
        Self { input, bytes, passed: start, search_from, failure: None }
    }
}

impl<R: Read> ChunkSource for RestOfRange<R> {
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let (count, read) = read_more(&mut self.input, &mut self.bytes, CHUNK);
        self.failure = read.err();
        let boundary = record_boundary(&self.bytes, self.search_from, count > 0);
        let end = boundary.map_or_else(|open| open, |newline| newline + 1).min(self.bytes.len());
        text.extend_from_slice(&self.bytes[self.passed..end]);
        let gone = end.saturating_sub(BOUNDARY_BYTES);
        self.bytes.drain(..gone);
        self.passed = end - gone;
        self.search_from = boundary.err().unwrap_or(0).saturating_sub(gone);
        Ok(boundary.is_err() && (count > 0 || self.failure.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::chunk_source::ChunkReader;
    use super::RestOfRange;

    #[test]
    fn the_rest_ends_at_the_boundary_wherever_it_begins() {
        let utf16: Vec<u8> = "{\"a\":\"李\"}\n".repeat(9).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let lines = "{\"a\":1}\n{\"a\":22}\n";
        let bytes = [lines.as_bytes(), &utf16, lines.as_bytes(), lines.as_bytes()].concat();
        let after = lines.len() + utf16.len();
        let boundaries = [8, lines.len(), after + 8, after + 17, after + 25, bytes.len()];
        for start in lines.len()..after {
            for end in start..=bytes.len() {
                for at_hand in [start, start + 1, bytes.len()] {
                    let (first, rest) = bytes.split_at(at_hand);
                    let source = RestOfRange::new(first.to_vec(), start, Some(end), rest);
                    let mut text = Vec::new();
                    ChunkReader::new(source).read_to_end(&mut text).expect("read");
                    let expected = boundaries.into_iter().find(|&at| at >= end).expect("a boundary");
                    assert_eq!(start + text.len(), expected, "{start} {end} {at_hand}");
                }
            }
        }
        let source = RestOfRange::new(bytes.clone(), 3, None, &b"{"[..]);
        let mut text = Vec::new();
        ChunkReader::new(source).read_to_end(&mut text).expect("read");
        assert_eq!(text, [&bytes[3..], b"{"].concat());
    }
}
