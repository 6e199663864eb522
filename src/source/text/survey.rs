//! The lines of a block, seen from the outside.

/// The lines of a block at a glance.
pub(super) struct Survey {
    /// Lines that end in the block.
    pub lines: u64,
    /// Lines that are more than blanks.
    pub filled: u64,
    /// Where lines start that do not look like whole objects, or look like errors of a service. They are read whether or
    /// not they may match, so that records that were cut, run together or overwritten, and answers that failed, are
    /// counted as damage and not passed over.
    pub odd: Vec<usize>,
}

impl Survey {
    pub(super) fn of(block: &[u8]) -> Self {
        let mut survey = Self { lines: 0, filled: 0, odd: Vec::new() };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            survey.add(start, &block[start..end]);
            survey.lines += 1;
            start = end + 1;
        }
        if start < block.len() {
            survey.add(start, &block[start..]);
        }
        survey
    }

    fn add(&mut self, start: usize, line: &[u8]) {
        let line = line.trim_ascii();
        self.filled += u64::from(!line.is_empty());
        let whole = line.starts_with(b"{") && line.ends_with(b"}") && !line.starts_with(b"{\"error\"");
        if !line.is_empty() && !whole {
            self.odd.push(start);
        }
    }
}

/// Offset of the first byte of the line.
pub(super) fn line_start(block: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &block[..at]).map_or(0, |newline| newline + 1)
}

/// Offset of the newline that ends the line, or of the end of the block.
pub(super) fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |newline| at + newline)
}

/// The number of newlines.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
