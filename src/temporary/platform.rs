//! File operations that differ between operating systems.

use std::fs::File;
use std::io;
use std::path::Path;

/// Reads from `offset`, independently of reads by other threads.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_at(file, buffer, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
}

/// Writes at `offset`, independently of writes by other threads.
pub(super) fn write_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_at(file, buffer, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_write(file, buffer, offset);
}

/// Gives new files the permissions that a shell would give them: all that the umask allows.
pub(super) fn usual_permissions(builder: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    let _ = builder;
}

/// True if both files belong to the same user, as far as the operating system shows that.
#[must_use]
pub fn same_owner(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (one.symlink_metadata(), other.symlink_metadata()) else { return false };
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::uid(&one) == std::os::unix::fs::MetadataExt::uid(&other);
    #[cfg(not(unix))]
    return one.file_type() == other.file_type();
}

/// Makes the names in a folder survive a power failure. Not all systems can do so, and only that is lost then.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return File::open(folder)?.sync_all();
    #[cfg(not(unix))]
    return folder.metadata().map(|_| ());
}
