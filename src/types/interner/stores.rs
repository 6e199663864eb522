//! Where an interner keeps its strings: in the form in which they are used afterwards, so that they are not copied.

use arrow::array::{StringBuilder, StringViewBuilder};

use super::InternerFull;

/// Strings that are appended and read by their position.
pub(crate) trait StringStore {
    /// The type of the strings.
    type String: ?Sized + AsRef<[u8]>;
    /// Returns the bytes of the string at a position.
    fn get(&self, position: usize) -> &[u8];
    /// Appends a string, if it fits.
    fn push(&mut self, string: &Self::String) -> Result<(), InternerFull>;
    /// The bytes in use.
    fn memory(&self) -> usize;
}

/// Strings of any length, one after the other.
#[derive(Debug, Default)]
pub(crate) struct ConcatenatedStrings {
    buffer: String,
    /// The end of each string in `buffer`.
    ends: Vec<usize>,
}

impl ConcatenatedStrings {
    /// Returns the string at a position.
    pub fn text(&self, position: usize) -> &str {
        &self.buffer[self.start(position)..self.ends[position]]
    }

    /// All strings in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|position| self.text(position))
    }

    #[inline]
    fn start(&self, position: usize) -> usize {
        if position == 0 { 0 } else { self.ends[position - 1] }
    }
}

impl StringStore for ConcatenatedStrings {
    type String = str;

    #[inline]
    fn get(&self, position: usize) -> &[u8] {
        &self.buffer.as_bytes()[self.start(position)..self.ends[position]]
    }

    fn push(&mut self, string: &str) -> Result<(), InternerFull> {
        self.buffer.push_str(string);
        self.ends.push(self.buffer.len());
        Ok(())
    }

    fn memory(&self) -> usize {
        self.buffer.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

/// Byte strings of one length.
#[derive(Debug)]
pub(crate) struct FixedWidthKeys {
    bytes: Vec<u8>,
    width: usize,
}

impl FixedWidthKeys {
    /// No strings; each will have `width` bytes.
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

/// For the dictionary of an array, whose strings may have 2 GiB together.
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

/// For a dictionary of any size, which grows without being moved.
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
