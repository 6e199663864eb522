//! SHA-256 of files and results, for manifests.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::stop;
use crate::diagnostic::{Error, Result};

/// The length and hash of the bytes written so far.
#[derive(Clone, Debug, Default)]
pub(super) struct OutputDigest(Arc<Mutex<(u64, Sha256)>>);

impl OutputDigest {
    /// Wraps `stream` so that the bytes written to it are counted and hashed.
    pub fn watch<W: Write>(&self, stream: W) -> Digested<W> {
        Digested { stream, digest: self.clone() }
    }

    /// Returns the number of bytes and their hash, in hexadecimal.
    pub fn finish(&self) -> (u64, String) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.0, hexadecimal(state.1.clone()))
    }

    /// Counts and hashes bytes that are written elsewhere.
    pub fn add(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += bytes.len() as u64;
        state.1.update(bytes);
    }
}

/// A stream that hashes the bytes written to it.
#[derive(Debug)]
pub(super) struct Digested<W> {
    stream: W,
    digest: OutputDigest,
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

/// Returns the number of bytes of `input` and their SHA-256 in hexadecimal; `failed` converts a read error.
pub(super) fn sha256(input: &mut dyn Read, failed: impl Fn(io::Error) -> Error) -> Result<(u64, String)> {
    let (mut bytes, mut hash) = (0, Sha256::new());
    let mut buffer = vec![0; 1 << 18];
    loop {
        stop::check()?;
        match input.read(&mut buffer).map_err(&failed)? {
            0 => return Ok((bytes, hexadecimal(hash))),
            read => {
                bytes += read as u64;
                hash.update(&buffer[..read]);
            }
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
