//! SHA-256 of what is read or written, as manifests have it.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::stop;
use crate::diagnostic::{Error, Result};

/// What has been written so far, by its length and hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest(Arc<Mutex<(u64, Sha256)>>);

impl Digest {
    /// Passes on to `stream`, and counts, what is written to the answer.
    pub fn watch<W: Write>(&self, stream: W) -> Digested<W> {
        Digested { stream, digest: self.clone() }
    }

    /// The number of bytes, and their hash.
    pub fn finish(&self) -> (u64, String) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.0, hexadecimal(state.1.clone()))
    }

    fn add(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += bytes.len() as u64;
        state.1.update(bytes);
    }
}

/// A stream whose bytes are hashed as they are written.
#[derive(Debug)]
pub(super) struct Digested<W> {
    stream: W,
    digest: Digest,
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes)?;
        self.digest.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The hash of all that `input` holds; `failed` makes the error of one that cannot be read.
pub(super) fn sha256(input: &mut dyn Read, failed: impl Fn(io::Error) -> Error) -> Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        stop::check()?;
        match input.read(&mut buffer).map_err(&failed)? {
            0 => return Ok(hexadecimal(hash)),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn hexadecimal(hash: Sha256) -> String {
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
