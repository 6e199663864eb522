//! Decompresses the blocks of Avro containers.

use std::io::{self, Read};

use super::binary::{MAX_BLOCK_BYTES, damaged};
use crate::storage::limits::DecompressionLimit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
}

impl Codec {
    pub(super) fn of(name: &[u8]) -> io::Result<Self> {
        match name {
            b"null" => Ok(Self::Null),
            b"deflate" => Ok(Self::Deflate),
            b"snappy" => Ok(Self::Snappy),
            _ => Err(damaged("a codec other than null, deflate and snappy")),
        }
    }

    /// Returns the bytes of a block. If it is compressed, its decompressed length is subtracted from `left`.
    pub(super) fn decompress(self, compressed: Vec<u8>, left: &mut u64) -> io::Result<Vec<u8>> {
        let block = match self {
            Self::Null => return Ok(compressed),
            Self::Deflate => {
                let mut block = Vec::new();
                let limit = (*left).min(MAX_BLOCK_BYTES as u64) + 1;
                flate2::read::DeflateDecoder::new(&*compressed).take(limit).read_to_end(&mut block)?;
                block
            }
            Self::Snappy => {
                // A checksum of four bytes follows the data.
                let (data, sum) = compressed.split_last_chunk::<4>().ok_or_else(|| damaged("a block is cut off"))?;
                let length = snap::raw::decompress_len(data).map_err(|error| damaged(&error.to_string()))?;
                if length > MAX_BLOCK_BYTES {
                    return Err(damaged("a block is too large"));
                }
                let block = snap::raw::Decoder::new().decompress_vec(data);
                let block = block.map_err(|error| damaged(&error.to_string()))?;
                let mut crc = flate2::Crc::new();
                crc.update(&block);
                if crc.sum() != u32::from_be_bytes(*sum) {
                    return Err(damaged("a checksum is wrong"));
                }
                block
            }
        };
        *left = check_size(block.len(), *left)?;
        Ok(block)
    }
}

/// Returns how many of `left` bytes remain after a block of `length` bytes; an error if the block is too long.
pub(super) fn check_size(length: usize, left: u64) -> io::Result<u64> {
    let rest = left.checked_sub(length as u64).ok_or(DecompressionLimit { limit: left })?;
    if length > MAX_BLOCK_BYTES { Err(damaged("a block is too large")) } else { Ok(rest) }
}
