//! Hash tables over the keys of groups and joins.
//!
//! Keys are fixed-width: strings are interned, one dictionary for each key column. A batch of keys is looked up a block
//! at a time, so that cache misses overlap.

mod combined_codes;
mod group_table;
mod key_encoding;
mod key_writer;
mod string_dictionary;
#[cfg(test)]
mod tests;

pub(super) use group_table::{GroupTable, hashes};
