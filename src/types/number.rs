//! Text forms of numbers.

/// What `tostring()` answers for a real.
#[must_use]
pub fn real_to_text(_value: f64) -> String {
    String::new()
}
