//! Whether there is a stdout at all.
//!
//! A process may be started with its stdout closed (`>&-`). The runtime puts /dev/null there before `main` begins, and
//! an answer that is written to it is lost without an error. So it is looked at before that.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostic::{Error, Result};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at the open files of the process; runs before `main`. Systems without this folder say nothing.
#[cfg(unix)]
#[ctor::ctor(unsafe)]
fn look() {
    let exists = |path: &str| std::fs::symlink_metadata(path).is_ok();
    CLOSED.store(exists("/dev/fd/") && !exists("/dev/fd/1"), Ordering::Relaxed);
}

/// An error if an answer to stdout would be lost.
pub(super) fn check() -> Result<()> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(Error::Usage("stdout is closed, so the answer would be lost: name a file with -O".to_owned()));
    }
    Ok(())
}
