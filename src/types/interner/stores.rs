//! The stores in which an interner keeps its strings. The strings have the form in which they are used afterwards, so
//! that they need not be copied.

use std::ops::Range;

use arrow::array::{StringBuilder, StringViewBuilder};

use super::InternerFull;

/// A store to which strings are appended, and from which they are read by position.
pub(crate) trait StringStore {
    /// The type of the strings.
    type String: ?Sized + AsRef<[u8]>;
    /// Returns the bytes of the string at a position.
    fn get(&self, position: usize) -> &[u8];
    /// Appends a string; an error if it does not fit.
    fn push(&mut self, string: &Self::String) -> Result<(), InternerFull>;
    /// Returns the bytes in use.
    fn memory(&self) -> usize;
}

/// Number of bytes of a chunk of [`ConcatenatedStrings`]; a longer string has a chunk of its own.
const CHUNK_BYTES: usize = 1 << 20;

/// Mask of the lower half of an entry of `ends` in [`ConcatenatedStrings`], which is the position in the chunk.
const POSITION: u64 = u32::MAX as u64;

/// Strings of any length, one after the other in chunks. Strings do not move once the first chunk is full, so that
/// memory for many or long strings is never allocated twice.
#[derive(Debug, Default)]
pub(crate) struct ConcatenatedStrings {
    chunks: Vec<String>,
    /// The end of each string: the number of its chunk in the upper half, the position in the chunk in the lower half.
    ends: Vec<u64>,
}

impl ConcatenatedStrings {
    /// Returns the string at a position.
    pub fn text(&self, position: usize) -> &str {
        let (chunk, range) = self.place(position);
        &self.chunks[chunk][range]
    }

    /// Returns all strings in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|position| self.text(position))
    }

    /// Returns the chunk of a string, and its byte range in that chunk. The range begins at the end of the previous
    /// string, or at 0 if that string is in another chunk.
    #[inline]
    fn place(&self, position: usize) -> (usize, Range<usize>) {
        let end = self.ends[position];
        let previous = if position == 0 { 0 } else { self.ends[position - 1] };
        let start = previous.max(end & !POSITION);
        ((end >> 32) as usize, (start & POSITION) as usize..(end & POSITION) as usize)
    }

    /// Returns the chunk for the next string, which has `bytes` bytes.
    fn chunk_for(&mut self, bytes: usize) -> &mut String {
        let last = self.chunks.last();
        let has_room = last.is_some_and(|last| last.len() + bytes <= last.capacity().max(CHUNK_BYTES));
        if !has_room {
            self.start_chunk(bytes);
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    #[cold]
    fn start_chunk(&mut self, bytes: usize) {
        if let Some(full) = self.chunks.last_mut() {
            full.shrink_to_fit();
        }
        // The first chunk grows, since most interners have few strings.
        let capacity = if self.chunks.is_empty() { bytes } else { bytes.max(CHUNK_BYTES) };
        self.chunks.push(String::with_capacity(capacity));
    }
}

impl StringStore for ConcatenatedStrings {
    type String = str;

    #[inline]
    fn get(&self, position: usize) -> &[u8] {
        let (chunk, range) = self.place(position);
        &self.chunks[chunk].as_bytes()[range]
    }

    fn push(&mut self, string: &str) -> Result<(), InternerFull> {
        let chunk = self.chunk_for(string.len());
        chunk.push_str(string);
        let end = u32::try_from(chunk.len()).map_err(|_| InternerFull)?;
        let number = u32::try_from(self.chunks.len() - 1).map_err(|_| InternerFull)?;
        self.ends.push(u64::from(number) << 32 | u64::from(end));
        Ok(())
    }

    fn memory(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(String::capacity).sum();
        chunks + self.ends.capacity() * size_of::<u64>()
    }
}

/// Byte strings that all have the same length.
#[derive(Debug)]
pub(crate) struct FixedWidthKeys {
    bytes: Vec<u8>,
    width: usize,
}

impl FixedWidthKeys {
    /// Returns an empty store for strings of `width` bytes.
    pub fn new(width: usize) -> Self {
        Self { bytes: Vec::new(), width }
    }
}

impl StringStore for FixedWidthKeys {
    type String = [u8];

    #[inline]
    fn get(&self, position: usize) -> &[u8] {
        &self.bytes[position * self.width..][..self.width]
    }

    fn push(&mut self, string: &[u8]) -> Result<(), InternerFull> {
        self.bytes.extend_from_slice(string);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}

/// The store for the dictionary of an array, whose strings may take 2 GiB together.
impl StringStore for StringBuilder {
    type String = str;

    #[inline]
    fn get(&self, position: usize) -> &[u8] {
        let offset = |position: usize| usize::try_from(self.offsets_slice()[position]).unwrap_or_default();
        &self.values_slice()[offset(position)..offset(position + 1)]
    }

    fn push(&mut self, string: &str) -> Result<(), InternerFull> {
        if self.values_slice().len() + string.len() > i32::MAX as usize {
            return Err(InternerFull);
        }
        self.append_value(string);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.values_slice().len() + size_of_val(self.offsets_slice())
    }
}

/// The store for a dictionary of any size, which grows without being moved.
impl StringStore for StringViewBuilder {
    type String = str;

    #[inline]
    fn get(&self, position: usize) -> &[u8] {
        self.get_value(position)
    }

    fn push(&mut self, string: &str) -> Result<(), InternerFull> {
        self.try_append_value(string).map_err(|_| InternerFull)
    }

    fn memory(&self) -> usize {
        self.allocated_size()
    }
}
