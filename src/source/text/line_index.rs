//! Counts the lines of a block, and finds those that must be read even if the prefilter finds nothing in them.

/// The lines of a block, counted, with those that must be read.
pub(super) struct LineIndex {
    /// Number of newlines in the block.
    pub lines: u64,
    /// Number of lines that are not only whitespace.
    pub filled: u64,
    /// Offsets of lines that do not begin and end like an object, or that look like an error of a service. They are
    /// read even if they cannot match: truncated, joined or overwritten records and failed requests are then
    /// reported.
    pub suspects: Vec<usize>,
}

impl LineIndex {
    pub(super) fn of(block: &[u8]) -> Self {
        let mut index = Self { lines: 0, filled: 0, suspects: Vec::new() };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            index.add(start, &block[start..end]);
            index.lines += 1;
            start = end + 1;
        }
        if start < block.len() {
            index.add(start, &block[start..]);
        }
        index
    }

    fn add(&mut self, start: usize, line: &[u8]) {
        let line = line.trim_ascii();
        self.filled += u64::from(!line.is_empty());
        let whole = line.starts_with(b"{") && line.ends_with(b"}") && !line.starts_with(b"{\"error\"");
        if !line.is_empty() && !whole {
            self.suspects.push(start);
        }
    }
}

/// Returns the offset of the first byte of the line that contains `at`.
pub(super) fn line_start(block: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &block[..at]).map_or(0, |newline| newline + 1)
}

/// Returns the offset of the newline that ends the line of `at`, or the end of the block if there is none.
pub(super) fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |newline| at + newline)
}

/// Returns the number of newlines.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
