//! Decodes a single message of a container. Each sender compresses and encodes its messages as it chooses, so the
//! layers of a message are removed before its text is added to that of other messages.

use std::io::{self, Cursor, Read};

use super::chunk_source::ChunkReader;
use super::decompressor::Decompressor;
use super::encoding::Encoding;
use super::open::FileReport;
use super::text_start::TextStart;
use super::transcoder::Transcoder;
use crate::storage::files::{Compression, FileFormat};
use crate::storage::limits::DecompressionLimit;

/// Maximum number of layers of compression around the text of a message.
const MAX_LAYERS: usize = 3;

/// Returns the text of a message in UTF-8; None if the bytes of the message are this text already. Each compressed
/// layer may decompress to `limit` bytes.
///
/// # Errors
/// [`DecompressionLimit`], or the message cannot be decompressed or decoded.
pub(super) fn message_text(message: &[u8], limit: u64, report: &FileReport) -> io::Result<Option<Vec<u8>>> {
    let mut text: Option<Vec<u8>> = None;
    for _ in 0..MAX_LAYERS {
        let bytes = text.as_deref().unwrap_or(message);
        let FileFormat::Text(compression) = FileFormat::of(bytes) else { break };
        if compression == Compression::None {
            break;
        }
        text = Some(decompressed(bytes, compression, limit, report)?);
    }
    let encoding = TextStart::of(text.as_deref().unwrap_or(message), None).encoding;
    if encoding == Encoding::Utf8 {
        return Ok(text);
    }
    let encoded = text.unwrap_or_else(|| message.to_vec());
    let mut decoded = Vec::new();
    ChunkReader::new(Transcoder::new(Box::new(Cursor::new(encoded)), encoding, report.clone()))
        .read_to_end(&mut decoded)?;
    Ok(Some(decoded))
}

fn decompressed(bytes: &[u8], compression: Compression, limit: u64, report: &FileReport) -> io::Result<Vec<u8>> {
    let input = Box::new(Cursor::new(bytes.to_vec()));
    let mut text = Vec::new();
    let read = Decompressor::new(input, compression, report.clone())?.take(limit.saturating_add(1));
    { read }.read_to_end(&mut text)?;
    if text.len() as u64 > limit { Err(DecompressionLimit { limit }.into()) } else { Ok(text) }
}
