//! Decompresses pages into a buffer that is reused.
//!
//! New memory is expensive, because the system fills it with zeros. So each thread keeps its decompressor and its
//! buffers for the next chunk, unless they are large.

use std::cell::Cell;

use parquet::basic::Compression;

/// Maximum size of a decompressed page in bytes.
const MAX_BYTES: usize = 16 << 20;
/// Maximum size in bytes of a buffer that is kept.
const KEPT_BYTES: usize = 2 << 20;

/// A decompressor of pages with its buffer.
#[derive(Default)]
pub(super) struct PageDecompressor {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    buffer: Vec<u8>,
}

thread_local! {
    /// The decompressor of this thread and its buffer for compressed bytes, while they are not used.
    static KEPT: Cell<Option<(PageDecompressor, Vec<u8>)>> = const { Cell::new(None) };
}

/// Calls `work` with a decompressor and with an empty buffer for compressed bytes, and returns its result.
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
    /// Decompresses a page that has `size` bytes. Returns None if it has another size, or if the parquet crate must
    /// decompress it.
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
