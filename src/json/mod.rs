//! JSON syntax: scanning, validating and masking bytes. Nothing in this module depends on records or columns.

pub(crate) mod cursor;
pub(crate) mod escapes;
pub(crate) mod masked_template;
pub(crate) mod string_mask;
pub(crate) mod structural_mask;
pub(crate) mod validated_cache;

/// Maximum nesting depth of arrays and objects. It is the limit of `serde_json`, so every document accepted here can be
/// handed to it.
pub const MAX_DEPTH: usize = 127;
