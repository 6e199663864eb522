//! JSON syntax: scans, validates and masks bytes. Nothing in this module depends on records or columns.

pub(crate) mod cursor;
pub(crate) mod escapes;
pub(crate) mod masked_template;
pub(crate) mod string_mask;
pub(crate) mod structural_mask;
pub(crate) mod validated_cache;

/// Maximum nesting depth of arrays and objects. `serde_json` has the same limit, so it can parse every document that
/// is accepted here.
pub const MAX_DEPTH: usize = 127;
