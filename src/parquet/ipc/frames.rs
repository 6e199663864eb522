//! Reads the messages of an Arrow stream, and checks their sizes before they are decoded.

use std::io::Read;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::{Message, MessageHeader, RecordBatch as BatchHeader, root_as_message};

use super::super::reader::DamageReason;

/// The first bytes of each message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Maximum length of a message header in bytes. The header of a schema is the longest, because it has the names of
/// all columns.
const MAX_HEADER: usize = 64 << 20;
/// Maximum number of rows in a batch.
const MAX_ROWS: i64 = i32::MAX as i64;
/// The reason why a stream that ends too early is damaged.
const CUT_OFF: &str = "it is truncated: the end-of-stream marker is missing";

/// A part of a stream.
pub(super) enum IpcFrame {
    /// A message of the stream.
    Message(IpcMessage),
    /// The end of the stream.
    End,
}

/// A message with its body.
pub(super) struct IpcMessage {
    /// All bytes of the message, as the decoder expects them.
    pub bytes: Vec<u8>,
    /// Number of rows in a record batch; 0 for other messages.
    pub rows: u64,
}

/// Reads the messages of a stream one after the other.
pub(super) struct IpcFrames<R> {
    input: R,
    /// Number of bytes that the file still has.
    left: u64,
    /// Maximum number of bytes to which a message may decompress.
    limit: u64,
}

impl<R: Read> IpcFrames<R> {
    /// Creates a reader of the stream `input`, which is in a file of `file_bytes` bytes. A message may decompress to
    /// `limit` bytes.
    pub fn new(input: R, file_bytes: u64, limit: u64) -> Self {
        Self { input, left: file_bytes, limit }
    }

    /// Returns the next message, or the end of the stream.
    pub fn next(&mut self) -> Result<IpcFrame, DamageReason> {
        let mut bytes = Vec::new();
        self.read(8, &mut bytes)?;
        let (mark, length) = bytes.split_at(4);
        if *mark != CONTINUATION {
            return Err("the start of a message is invalid".to_owned());
        }
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
        if length == 0 {
            return Ok(IpcFrame::End);
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_HEADER);
        self.read(length.ok_or("the description of a message is too long")?, &mut bytes)?;
        let (body, rows) = {
            let message = root_as_message(&bytes[8..]).map_err(|error| error.to_string())?;
            let body = usize::try_from(message.bodyLength()).map_err(|_| "a message with a negative length")?;
            (body, header_of(&message).map_or(0, |header| u64::try_from(header.length()).unwrap_or(0)))
        };
        let header = bytes.len();
        self.read(body, &mut bytes)?;
        let message = root_as_message(&bytes[8..header]).map_err(|error| error.to_string())?;
        check(&message, &bytes[header..], self.limit)?;
        Ok(IpcFrame::Message(IpcMessage { bytes, rows }))
    }

    /// Appends `count` bytes of the stream to `bytes`. Memory is not reserved for more bytes than the file has.
    fn read(&mut self, count: usize, bytes: &mut Vec<u8>) -> Result<(), DamageReason> {
        let count = count as u64;
        self.left = self.left.checked_sub(count).ok_or(CUT_OFF)?;
        let read = self.input.by_ref().take(count).read_to_end(bytes).map_err(|error| error.to_string())?;
        if read as u64 == count { Ok(()) } else { Err(CUT_OFF.to_owned()) }
    }
}

/// Returns the description of the rows or the dictionary in a message; None for other messages.
fn header_of<'a>(message: &Message<'a>) -> Option<BatchHeader<'a>> {
    match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch()?.data(),
        _ => None,
    }
}

/// Returns an error for impossible numbers of rows, and for buffers that decompress to more than `limit` bytes.
fn check(message: &Message<'_>, body: &[u8], limit: u64) -> Result<(), DamageReason> {
    let Some(header) = header_of(message) else { return Ok(()) };
    let nodes = header.nodes().into_iter().flatten().map(arrow::ipc::FieldNode::length);
    if let Some(rows) = nodes.chain([header.length()]).find(|rows| !(0..=MAX_ROWS).contains(rows)) {
        return Err(format!("a batch claims to have {rows} rows"));
    }
    if header.compression().is_none() {
        return Ok(());
    }
    let mut decompressed = 0_u64;
    for buffer in header.buffers().into_iter().flatten().filter(|buffer| buffer.length() > 0) {
        let start = usize::try_from(buffer.offset()).ok();
        let length = start.and_then(|start| body.get(start..)?.first_chunk());
        let length = i64::from_le_bytes(*length.ok_or("a buffer lies outside of its message")?);
        // -1 means that the buffer is not compressed.
        decompressed = decompressed.saturating_add(u64::try_from(length).unwrap_or(0));
    }
    if decompressed > limit {
        return Err(format!("a batch decompresses to {decompressed} bytes, more than the limit of {limit}"));
    }
    Ok(())
}

/// Decodes the schema in the first message of a stream.
pub(super) fn decode_schema(message: &[u8]) -> Result<SchemaRef, DamageReason> {
    let message = message.get(8..).and_then(|message| root_as_message(message).ok());
    let schema = message.and_then(|message| message.header_as_schema()).ok_or("it does not begin with a schema")?;
    try_fb_to_schema(schema).map(Arc::new).map_err(|error| error.to_string())
}
