//! Temporary storage: the only module that creates files which must not outlive a run.
//!
//! Rows that do not fit in memory and copies of streams are stored in [`Scratch`], a file without a name: the operating
//! system removes it however the process ends. Files that need a name because they are published by a rename are a
//! [`PendingFile`] or a [`registered`](register) folder: a stopped run removes these with [`leave`].

mod pending;
mod platform;
mod registry;
mod scratch;

pub use pending::PendingFile;
pub use platform::{same_owner, sync_folder};
pub use registry::{Hold, Registered, TemporaryKind, hold, leave, register};
pub use scratch::{Scratch, ScratchFile, ScratchReader, ScratchWriter};

/// Returns the system's folder for temporary files.
#[must_use]
pub fn usual_folder() -> std::path::PathBuf {
    tempfile::env::temp_dir()
}
