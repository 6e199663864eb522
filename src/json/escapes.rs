//! Which backslashes of sixty-four bytes begin an escape, and which are escaped themselves.

/// A bit for each backslash that begins an escape: every other one of a run, its first included.
#[inline]
pub(crate) fn escape_starts(backslashes: u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let starts = backslashes & !(backslashes << 1);
    // Adding the first bit of a run to the run carries to the bit behind it.
    let runs = |starts: u64| backslashes & !backslashes.wrapping_add(starts);
    runs(starts & EVEN) & EVEN | runs(starts & !EVEN) & !EVEN
}
