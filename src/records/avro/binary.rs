//! Reads the binary encoding of Avro: numbers of variable length, and bytes after their length.

use std::io::{self, Read};

/// Maximum length in bytes of a header or a block, compressed or not. Writers end a block after some kilobytes.
pub(super) const MAX_BLOCK_BYTES: usize = 64 << 20;

/// Maximum number of items of an array or map, and of header entries.
pub(super) const MAX_ITEMS: i64 = 1 << 20;

/// Returns the error for a damaged container.
pub(super) fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("Avro: {reason}"))
}

/// Skips bytes; an error if there are fewer.
pub(super) fn skip(input: &mut &[u8], count: usize) -> io::Result<()> {
    *input = input.get(count..).ok_or_else(|| damaged("a record is cut off"))?;
    Ok(())
}

/// Returns the next bytes; an error if there are fewer.
pub(super) fn take<'i>(input: &mut &'i [u8], count: usize) -> io::Result<&'i [u8]> {
    let (taken, rest) = input.split_at_checked(count).ok_or_else(|| damaged("a record is cut off"))?;
    *input = rest;
    Ok(taken)
}

/// Checks a length in bytes.
pub(super) fn length_of(length: i64) -> io::Result<usize> {
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BLOCK_BYTES);
    length.ok_or_else(|| damaged("a length is invalid"))
}

/// Reads bytes after their length.
pub(super) fn read_bytes(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = length_of(read_long(input)?)?;
    let mut bytes = Vec::new();
    input.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { Err(damaged("the file is cut off")) }
}

/// Reads an integer of variable length; an error at the end of the input.
pub(super) fn read_long(input: &mut impl Read) -> io::Result<i64> {
    try_read_long(input)?.ok_or_else(|| damaged("the file is cut off"))
}

/// Reads an integer of variable length in zigzag encoding; None at the end of the input.
pub(super) fn try_read_long(input: &mut impl Read) -> io::Result<Option<i64>> {
    let mut number: u64 = 0;
    for index in 0..10 {
        let mut byte = [0];
        match input.read_exact(&mut byte) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && index == 0 => return Ok(None),
            Err(error) => return Err(error),
        }
        number |= u64::from(byte[0] & 0x7f) << (7 * index);
        if byte[0] & 0x80 == 0 {
            let sign = -i64::from(number & 1 == 1);
            return Ok(Some((number >> 1).cast_signed() ^ sign));
        }
    }
    Err(damaged("a number is too long"))
}
