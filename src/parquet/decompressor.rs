//! Packed pages, unpacked one after the other into the same memory.
//!
//! Memory that was never touched is dear: the system clears each page of it. So a thread keeps what it unpacks with for
//! the next chunk, as long as that is not much.

use std::cell::Cell;

use parquet::basic::Compression;

/// Largest page that is unpacked, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// Larger buffers are not kept.
const KEPT_BYTES: usize = 2 << 20;

/// Unpacks pages.
#[derive(Default)]
pub(super) struct PageDecompressor {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    buffer: Vec<u8>,
}

thread_local! {
    /// Idle ones.
    static KEPT: Cell<Option<(PageDecompressor, Vec<u8>)>> = const { Cell::new(None) };
}

/// What `work` makes of an unpacker and an empty buffer for packed bytes.
pub(super) fn with_decompressor<T>(work: impl FnOnce(&mut PageDecompressor, &mut Vec<u8>) -> T) -> T {
    let (mut decompressor, mut compressed) = KEPT.take().unwrap_or_default();
    compressed.clear();
    let made = work(&mut decompressor, &mut compressed);
    if decompressor.buffer.capacity() <= KEPT_BYTES && compressed.capacity() <= KEPT_BYTES {
        KEPT.set(Some((decompressor, compressed)));
    }
    made
}

impl PageDecompressor {
    /// What `packed` holds, if that are `size` bytes; None also where the crate is to unpack it.
    pub fn decompress<'a>(
        &'a mut self,
        compressed: &'a [u8],
        compression: Compression,
        size: usize,
    ) -> Option<&'a [u8]> {
        if size > MAX_BYTES {
            return None;
        }
        let decompressed = match compression {
            Compression::UNCOMPRESSED => compressed,
            Compression::SNAPPY => {
                self.buffer.resize(snap::raw::decompress_len(compressed).ok().filter(|length| *length == size)?, 0);
                snap::raw::Decoder::new().decompress(compressed, &mut self.buffer).ok()?;
                &self.buffer
            }
            Compression::ZSTD(_) => {
                if self.zstd.is_none() {
                    self.zstd = zstd::bulk::Decompressor::new().ok();
                }
                self.buffer.clear();
                self.buffer.reserve(size);
                self.zstd.as_mut()?.decompress_to_buffer(compressed, &mut self.buffer).ok()?;
                &self.buffer
            }
            _ => return None,
        };
        (decompressed.len() == size).then_some(decompressed)
    }
}
