//! Reads more bytes of an input into a buffer.

use std::io::{self, Read};

/// Reads once from `input`, and appends at most `max` bytes. Returns their number, which is 0 at the end, and the
/// error if there was one.
pub(super) fn read_more(input: &mut dyn Read, bytes: &mut Vec<u8>, max: usize) -> (usize, io::Result<()>) {
    let length = bytes.len();
    bytes.resize(length + max, 0);
    let read = loop {
        match input.read(&mut bytes[length..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    let count = *read.as_ref().unwrap_or(&0);
    bytes.truncate(length + count);
    (count, read.map(|_| ()))
}
