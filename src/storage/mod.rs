//! Where bytes are: files, folders, zip archives and servers, and how they are listed and opened. Nothing here knows what
//! the bytes mean.

pub(crate) mod archive;
pub mod copy;
pub mod counters;
pub mod delta_folder;
pub mod expand;
pub mod files;
pub mod folders;
pub(crate) mod glob;
pub(crate) mod hidden;
pub mod journal;
pub mod limits;
pub mod listing;
pub mod once;
pub(crate) mod percent;
pub mod place;
pub mod remote;
pub(crate) mod side_by_side;

pub use counters::{Count, ScanCounters};
pub use limits::Limits;
