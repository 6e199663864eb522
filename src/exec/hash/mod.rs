//! Hash tables over the keys of groups and joins.
//!
//! Strings are interned in one dictionary for each key column, so that keys have a fixed width. Keys are looked up in
//! blocks, so that cache misses overlap.

mod combined_codes;
mod group_table;
mod key_encoding;
mod key_writer;
mod string_dictionary;
#[cfg(test)]
mod tests;

pub(super) use group_table::{GroupTable, hashes};
