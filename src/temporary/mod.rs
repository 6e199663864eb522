//! Temporary storage. No other module creates files that must not outlive a run.
//!
//! Rows that do not fit in memory, and copies of streams, are stored in [`Scratch`], a file without a name, which the
//! operating system removes however the process ends. A file that is renamed to its final name when it is complete is a
//! [`PendingFile`]; a folder can be [registered](register). If a run is stopped, [`leave`] removes these.

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
