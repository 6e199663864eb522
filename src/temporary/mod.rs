//! Temporary storage: the one place that makes files which must not outlive a run.
//!
//! Rows that do not fit in memory and copies of streams are in [`Scratch`], a file without a name: the operating system
//! removes it however the process ends. What must have a name, because it is published by a rename, is a
//! [`PendingFile`] or a folder that is [`registered`](register): a run that is stopped removes these with [`leave`].

mod pending;
mod platform;
mod registry;
mod scratch;

pub use pending::PendingFile;
pub use platform::{same_owner, sync_folder};
pub use registry::{Hold, Kind, Registered, hold, leave, register};
pub use scratch::{Scratch, ScratchFile, ScratchReader, ScratchWriter};

/// The system's folder for temporary files.
#[must_use]
pub fn usual_folder() -> std::path::PathBuf {
    tempfile::env::temp_dir()
}
