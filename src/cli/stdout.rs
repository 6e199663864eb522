//! Detects a closed stdout.
//!
//! A process may be started with stdout closed (`>&-`). The Rust runtime then opens /dev/null in its place before
//! `main` begins, and a result written to it would be lost without an error. So this is checked before `main`.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostic::{Error, Result};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Checks the open files of the process; runs before `main`. Without /dev/fd, stdout counts as open.
#[cfg(unix)]
#[ctor::ctor(unsafe)]
fn look() {
    let exists = |path: &str| std::fs::symlink_metadata(path).is_ok();
    CLOSED.store(exists("/dev/fd/") && !exists("/dev/fd/1"), Ordering::Relaxed);
}

/// Returns an error if a result written to stdout would be lost.
pub(super) fn check() -> Result<()> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(Error::Usage("stdout is closed: write the result to a file with -O".to_owned()));
    }
    Ok(())
}
