//! Records in JSON -> batches.
//!
//! Prefilter, scan, filter, decode, in this order: a literal that a wanted row must contain is searched in raw blocks
//! ([`prefilter`]); a candidate is checked to be JSON in one forward pass that notes where the wanted values lie
//! ([`record`]); the filter's columns are decoded and the filter is asked; only survivors are decoded ([`mod@column`]).
//! Ends of texts are found 64 bytes at a time ([`glance`]), and records are laid over one that was checked, so that only
//! what is another than in that one is scanned ([`template`], [`follow`]).
//! What is decoded has been checked as a whole, wanted or not. A line that the prefilter
//! skips has been looked at from the outside only: one that does not begin and end as an object does is read, and so
//! its damage counted.

mod classify;
mod column;
mod counted;
mod follow;
mod infer;
mod inside;
mod keys;
mod plan;
mod prefilter;
mod reader;
mod record;
mod rewrite;
mod rows;
mod survey;
mod template;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;
mod unwrapped;
mod whereabouts;

pub(crate) use classify::table_of_path;
pub(crate) use infer::Inference;
pub use plan::Rows;
pub(crate) use plan::{ScanPlan, is_renamed};
pub(crate) use reader::JsonReader;
pub(crate) use survey::count_lines;
pub(crate) use whereabouts::Whereabouts;
