//! JSON syntax: scanning, checking and masking bytes. Nothing here knows about records or columns.

pub(crate) mod cursor;
pub(crate) mod escapes;
pub(crate) mod masked_template;
pub(crate) mod string_mask;
pub(crate) mod structural_mask;
pub(crate) mod validated_cache;

/// How deep arrays and bags may be nested: as deep as `serde_json` goes, so that whatever is valid here can be handed
/// to it.
pub const MAX_DEPTH: usize = 127;
