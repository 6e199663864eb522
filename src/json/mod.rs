//! JSON syntax: scanning, checking and masking bytes. Nothing here knows about records or columns.

pub(crate) mod alike;
pub(crate) mod brackets;
pub(crate) mod cursor;
pub(crate) mod escapes;
pub(crate) mod glance;
pub(crate) mod memo;

/// How deep arrays and bags may be nested: as deep as `serde_json` goes, so that whatever is valid here can be handed
/// to it.
pub const MAX_DEPTH: usize = 127;
