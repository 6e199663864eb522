//! Distinguishes backslashes that begin an escape from escaped backslashes, in 64 bytes at once.

/// Returns a bit for each backslash that begins an escape: the first backslash of each run, and then every second one
/// of it.
#[inline]
pub(crate) fn escape_starts(backslashes: u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let starts = backslashes & !(backslashes << 1);
    // Adding the first bit of a run to the run carries into the bit after it.
    let runs = |starts: u64| backslashes & !backslashes.wrapping_add(starts);
    runs(starts & EVEN) & EVEN | runs(starts & !EVEN) & !EVEN
}
