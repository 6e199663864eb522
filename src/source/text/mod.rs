//! Decodes records of JSON and other text into batches.
//!
//! There are four steps: prefilter, scan, filter, decode. The prefilter searches raw blocks for a string that every
//! matching row contains ([`prefilter`]). The scan validates each candidate in one forward pass, and records the
//! positions of the needed values ([`record_scanner`]). Then the columns of the filter are decoded, and the filter is
//! evaluated. The other columns are decoded only for the remaining rows ([`mod@column`]).
//!
//! Records are compared with a template, a record that was validated before, so that only the differences are parsed
//! ([`template`], [`template_parser`]). Every decoded record was validated completely, whether or not the query needs
//! all of it. Of a line that the prefilter skips, only the ends are checked: a line that does not begin and end like an
//! object is read, so that its damage is reported.

mod block_origin;
mod classify;
mod column;
mod decoded_text;
mod events;
mod infer;
mod inner_records;
mod key_tree;
mod line_index;
mod plan;
mod prefilter;
mod reader;
mod record_scanner;
#[cfg(test)]
mod reference;
mod rewrite;
mod row_values;
mod template;
mod template_parser;
#[cfg(test)]
mod tests;

pub(crate) use block_origin::BlockOrigin;
pub(crate) use classify::table_of_path;
pub(crate) use events::ScanEvents;
pub(crate) use infer::Inference;
pub(crate) use line_index::count_lines;
pub(crate) use plan::{RESULT, ScanPlan, is_renamed, wants_places};
pub use plan::{RecordSelection, TableBinding};
pub(crate) use reader::JsonReader;
pub(crate) use rewrite::is_flattened_key;
