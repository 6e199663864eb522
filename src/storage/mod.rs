//! Files, folders, zip archives and servers: how files are listed and opened. Nothing in this module interprets the
//! contents of files.

pub mod archive_files;
pub mod archive_list;
pub mod counters;
pub mod delta_folder;
pub mod expand;
pub mod file_id;
pub mod files;
pub mod folders;
pub(crate) mod glob;
pub(crate) mod hidden;
pub mod journal;
pub mod limits;
mod listed_file;
pub mod listing;
pub mod location;
pub(crate) mod parallel;
pub(crate) mod percent;
pub mod remote;
pub mod spooled_copy;
pub mod text_settings;
pub(crate) mod zip_archive;

pub use counters::{ScanCount, ScanCounters};
pub use limits::ReadLimits;
