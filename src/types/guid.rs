//! guid: sixteen bytes in the order of the text form.

/// Lower case, with dashes.
#[must_use]
pub fn to_text(_bytes: &[u8; 16]) -> String {
    String::new()
}
