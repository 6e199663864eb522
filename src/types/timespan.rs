//! timespan: ticks of 100 ns; its literal and text forms.

/// `[-][d.]hh:mm:ss[.fffffff]`.
#[must_use]
pub fn to_text(_ticks: i64) -> String {
    String::new()
}
