//! datetime: ticks of 100 ns since 0001-01-01T00:00:00Z; its text forms and calendar.

/// ISO 8601 with seven digits and Z.
#[must_use]
pub fn to_text(_ticks: i64) -> String {
    String::new()
}
