//! Line diffs for test failures.

use similar::TextDiff;

/// Returns the differences between two texts: `-` lines are expected, `+` lines are actual, with some lines around.
pub fn line_diff(expected: &str, actual: &str) -> String {
    TextDiff::from_lines(expected, actual).unified_diff().context_radius(2).missing_newline_hint(false).to_string()
}
