//! Reads Avro containers as text. Each line is the body of one message of Event Hubs Capture, or a record as JSON.
//!
//! Source: the Avro 1.x specification (object container files, binary encoding) and the documentation of Event Hubs
//! Capture, whose records have the message in the field `Body`. The schema may have other fields, which are skipped.
//! Sizes and depths are limited, because input files are untrusted.

mod avro_type;
mod binary;
mod codec;
mod json_value;

use std::io::{self, Read};
use std::sync::Arc;

use avro_type::AvroField;
use binary::{MAX_BLOCK_BYTES, MAX_ITEMS, damaged, read_bytes, read_long, try_read_long};
use codec::{Codec, check_size};

use super::FileReport;
use super::chunk_source::ChunkSource;
use super::held_bytes::HeldBytes;
use super::message_text::message_text;
use super::source_map::{SourceMap, SourceUnit, UnitStart};
use crate::storage::limits::DecompressionLimit;
use crate::types::dynamic;

/// Maximum length of a schema in bytes; the schema of Event Hubs Capture has a few hundred.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// Length in bytes of the sync marker, which follows each block.
const SYNC_BYTES: usize = 16;

/// The name of the field that has the message.
const BODY: &str = "Body";

/// What the lines of the text of a container are.
#[derive(Clone, Debug)]
pub(crate) enum AvroContent {
    /// The messages: the field `Body` of each record, as Event Hubs Capture writes it.
    Messages,
    /// An object for each record, with the fields of these names; None for all fields.
    Objects(Option<Vec<String>>),
}

/// Yields the records of a container as lines.
pub(crate) struct AvroLines<R> {
    input: R,
    content: AvroContent,
    header: Option<ContainerHeader>,
    blocks: u64,
    report: FileReport,
    limit: u64,
    /// Number of bytes to which further compressed blocks may decompress.
    left: u64,
    /// Offset in the text of the first body of the block.
    offset: u64,
    /// Number of messages before the block.
    messages: u64,
    source_map: Arc<SourceMap>,
    held: HeldBytes,
}

/// The header of a container.
struct ContainerHeader {
    fields: Vec<RecordField>,
    codec: Codec,
    sync: [u8; SYNC_BYTES],
}

/// A field of the records in a container.
struct RecordField {
    /// True if the field is part of the text.
    is_read: bool,
    field: AvroField,
}

impl ContainerHeader {
    fn read(input: &mut impl Read, content: &AvroContent) -> io::Result<Self> {
        let mut magic = [0; 4];
        input.read_exact(&mut magic)?;
        let mut codec = Codec::Null;
        let mut schema = None;
        loop {
            let count = read_long(input)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                read_long(input)?;
            }
            let count = count.checked_abs().filter(|count| *count <= MAX_ITEMS);
            for _ in 0..count.ok_or_else(|| damaged("too many entries"))? {
                let key = read_bytes(input)?;
                let value = read_bytes(input)?;
                match &*key {
                    b"avro.codec" => codec = Codec::of(&value)?,
                    b"avro.schema" => schema = String::from_utf8(value).ok(),
                    _ => {}
                }
            }
        }
        if schema.as_ref().is_some_and(|schema: &String| schema.len() > MAX_SCHEMA_BYTES) {
            return Err(damaged("the schema is too large"));
        }
        let schema = schema.filter(|schema| dynamic::validate(schema.as_bytes()).is_ok());
        let fields = fields(&schema.ok_or_else(|| damaged("no schema"))?, content)?;
        let mut sync = [0; SYNC_BYTES];
        input.read_exact(&mut sync)?;
        Ok(Self { fields, codec, sync })
    }

    /// Calls `each` with the body of each record of a block.
    fn bodies(&self, block: &[u8], records: i64, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut rest = block;
        let mut body = Vec::new();
        for _ in 0..records {
            if rest.is_empty() {
                return Err(damaged("a block has fewer records than it declares"));
            }
            body.clear();
            for RecordField { is_read, field } in &self.fields {
                field.ty.read(&mut rest, is_read.then_some(&mut body))?;
            }
            each(&body)?;
        }
        Ok(())
    }

    /// Calls `each` with each record of a block, as an object.
    fn objects(&self, block: &[u8], records: i64, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut rest = block;
        let mut object = String::new();
        for _ in 0..records {
            if rest.is_empty() {
                return Err(damaged("a block has fewer records than it declares"));
            }
            object.clear();
            object.push('{');
            for RecordField { is_read, field } in &self.fields {
                match is_read {
                    true => field.write_member(object.len() == 1, &mut rest, &mut object)?,
                    false => field.ty.read(&mut rest, None)?,
                }
            }
            object.push('}');
            each(object.as_bytes())?;
        }
        Ok(())
    }
}

impl<R: Read> AvroLines<R> {
    /// Creates a reader of the container `input`, which is read as its text is. Damage inside a block is reported to
    /// `report`. Compressed blocks may decompress to `limit` bytes in all.
    pub(crate) fn new(input: R, content: AvroContent, report: FileReport, limit: u64) -> Self {
        let (offset, messages, source_map) = (0, 0, Arc::new(SourceMap::new(SourceUnit::Message)));
        Self {
            input,
            content,
            header: None,
            blocks: 0,
            report,
            limit,
            left: limit,
            offset,
            messages,
            source_map,
            held: HeldBytes::default(),
        }
    }

    /// Returns the number of bytes of the last block and its text that were in memory.
    pub(crate) fn held(&self) -> &HeldBytes {
        &self.held
    }

    /// Returns the map from positions in the text to messages.
    pub(crate) fn source_map(&self) -> &Arc<SourceMap> {
        &self.source_map
    }
}

impl<R: Read> ChunkSource for AvroLines<R> {
    /// Reads the next block; returns false at the end of the container.
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        let header = match self.header.take() {
            Some(header) => header,
            None => ContainerHeader::read(&mut self.input, &self.content)?,
        };
        let header = self.header.insert(header);
        let Some(records) = try_read_long(&mut self.input)? else {
            return Ok(false);
        };
        let compressed = read_bytes(&mut self.input)?;
        let mut sync = [0; SYNC_BYTES];
        self.input.read_exact(&mut sync)?;
        if sync != header.sync {
            return Err(damaged("a block does not end at its declared length"));
        }
        self.blocks += 1;
        let mut starts = Vec::new();
        let compressed_bytes = compressed.len();
        let block = header.codec.decompress(compressed, &mut self.left);
        let block_bytes = compressed_bytes + block.as_ref().map_or(0, Vec::len);
        let mut messages = BlockText { text, starts: &mut starts, left: &mut self.left, report: &self.report };
        let first = self.messages + 1;
        let read = block.and_then(|block| match self.content {
            AvroContent::Messages => header.bodies(&block, records, &mut |body| messages.add(body, first)),
            AvroContent::Objects(_) => header.objects(&block, records, &mut |object| messages.add_object(object)),
        });
        let start = |(index, at): (usize, &usize)| UnitStart {
            text: self.offset + *at as u64,
            number: self.messages + index as u64 + 1,
            byte: 0,
        };
        self.source_map.add(&mut starts.iter().enumerate().map(start).collect());
        self.held.set(block_bytes + text.capacity());
        self.offset += text.len() as u64;
        self.messages = self.messages.saturating_add(u64::try_from(records).unwrap_or(0));
        if let Err(error) = read {
            if DecompressionLimit::of(&error).is_some() {
                return Err(DecompressionLimit { limit: self.limit }.into());
            }
            self.report.lost(format!("block {}", self.blocks), format!("the rest of it cannot be read: {error}"));
        }
        Ok(true)
    }
}

/// Collects the text of the messages of a block.
struct BlockText<'a> {
    text: &'a mut Vec<u8>,
    /// The offset of each message in the text.
    starts: &'a mut Vec<usize>,
    /// Number of bytes to which further compressed messages may decompress.
    left: &'a mut u64,
    report: &'a FileReport,
}

impl BlockText<'_> {
    /// Adds a message of a block whose first message has the number `first`. A message that cannot be decoded is
    /// reported, and has no text.
    fn add(&mut self, body: &[u8], first: u64) -> io::Result<()> {
        let start = self.text.len();
        let room = MAX_BLOCK_BYTES.saturating_sub(start) as u64;
        match message_text(body, room.min(*self.left), self.report) {
            Ok(None) => self.text.extend_from_slice(body),
            Ok(Some(text)) => {
                *self.left = check_size(text.len(), *self.left)?;
                self.text.extend_from_slice(&text);
            }
            Err(error) if DecompressionLimit::of(&error).is_some() && room < *self.left => {
                return Err(damaged("its messages are too large"));
            }
            Err(error) if DecompressionLimit::of(&error).is_some() => return Err(error),
            Err(error) => {
                let number = first + self.starts.len() as u64;
                self.report.lost(format!("message {number}"), format!("it cannot be decompressed: {error}"));
            }
        }
        self.starts.push(start);
        self.text.push(b'\n');
        Ok(())
    }

    /// Adds a record.
    fn add_object(&mut self, object: &[u8]) -> io::Result<()> {
        if self.text.len() + object.len() > MAX_BLOCK_BYTES {
            return Err(damaged("its records are too large"));
        }
        *self.left = check_size(object.len(), *self.left)?;
        self.starts.push(self.text.len());
        self.text.extend_from_slice(object);
        self.text.push(b'\n');
        Ok(())
    }
}

/// Returns the fields of the record that a schema describes; an error if the text cannot be made of them.
fn fields(schema: &str, content: &AvroContent) -> io::Result<Vec<RecordField>> {
    let is_read = |name: &str| match content {
        AvroContent::Messages => name == BODY,
        AvroContent::Objects(names) => names.as_ref().is_none_or(|names| names.iter().any(|read| read == name)),
    };
    let fields = dynamic::elements(dynamic::get_member(schema, "fields").unwrap_or("[]"));
    let field = |field| AvroField::parse(field, 0).map(|field| RecordField { is_read: is_read(&field.name), field });
    let mut fields: Vec<RecordField> = fields.map(field).collect::<io::Result<_>>()?;
    fields.retain(|RecordField { field, .. }| !field.ty.takes_no_bytes());
    match content {
        AvroContent::Messages if fields.iter().any(|field| field.is_read) => Ok(fields),
        AvroContent::Messages => Err(damaged("its records have no field Body")),
        AvroContent::Objects(_) if fields.is_empty() => Err(damaged("its values are not records with fields")),
        AvroContent::Objects(_) => {
            for RecordField { field, .. } in fields.iter().filter(|field| field.is_read) {
                if let Some(ty) = field.ty.unwritable() {
                    let reason =
                        format!("the field {} has values of the type {ty}, which are not supported", field.name);
                    return Err(damaged(&reason));
                }
            }
            Ok(fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use std::sync::Arc;

    use super::super::chunk_source::ChunkReader;
    use super::{AvroContent, AvroLines, Codec, FileReport};

    const SCHEMA: &str = r#"{"type":"record","name":"EventData","fields":[
        {"name":"SequenceNumber","type":"long"},{"name":"Offset","type":"string"},
        {"name":"Properties","type":{"type":"map","values":["long","string","bytes","null"]}},
        {"name":"Body","type":["null","bytes"]}]}"#;

    fn long(number: i64) -> Vec<u8> {
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        let mut out = Vec::new();
        while rest >= 0x80 {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        out
    }

    fn bytes(text: &[u8]) -> Vec<u8> {
        [long(text.len() as i64), text.to_vec()].concat()
    }

    fn container(codec: Codec, bodies: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let name: &[u8] = match codec {
            Codec::Null => b"null",
            Codec::Deflate => b"deflate",
            Codec::Snappy => b"snappy",
        };
        let header = [bytes(b"avro.codec"), bytes(name), bytes(b"avro.schema"), bytes(SCHEMA.as_bytes())].concat();
        let mut out = [b"Obj\x01".to_vec(), long(2), header, long(0), vec![7; 16]].concat();
        for body in bodies {
            let map = [long(1), bytes(b"key"), long(1), bytes(b"value"), long(0)].concat();
            let record = [long(-3), bytes(b"0"), map, long(1), bytes(body.as_ref())].concat();
            let compressed = match codec {
                Codec::Null => record,
                Codec::Deflate => {
                    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                    encoder.write_all(&record).expect("packed");
                    encoder.finish().expect("packed")
                }
                Codec::Snappy => {
                    let mut crc = flate2::Crc::new();
                    crc.update(&record);
                    let compressed = snap::raw::Encoder::new().compress_vec(&record).expect("packed");
                    [compressed, crc.sum().to_be_bytes().to_vec()].concat()
                }
            };
            out.extend([long(1), bytes(&compressed), vec![7; 16]].concat());
        }
        out
    }

    /// Returns the text of a container, or the message of the error.
    fn read(container: &[u8]) -> Result<String, String> {
        read_as(AvroContent::Messages, container)
    }

    fn read_as(content: AvroContent, container: &[u8]) -> Result<String, String> {
        let report = FileReport::new("capture.avro", Arc::default());
        let mut text = String::new();
        let lines = AvroLines::new(container, content, report.clone(), u64::MAX);
        let read = ChunkReader::new(lines).read_to_string(&mut text);
        match (read, report.problems()) {
            (Ok(_), 0) => Ok(text),
            (Err(error), _) => Err(error.to_string()),
            (Ok(_), lost) => Err(format!("{lost} lost of {text}")),
        }
    }

    /// Tests that a forged count of values that take no bytes does not keep the reader busy. Without the limit, this
    /// test does not end.
    #[test]
    fn values_without_bytes_end_at_once() {
        let forged = |body: &str, other: &str| {
            let schema = format!(
                r#"{{"type":"record","fields":[{{"name":"Body","type":{body}}},{{"name":"x","type":{other}}}]}}"#
            );
            let header = [bytes(b"avro.schema"), bytes(schema.as_bytes())].concat();
            let block = [long(i64::MAX), bytes(&[0, 0]), vec![7; 16]].concat();
            [b"Obj\x01".to_vec(), long(1), header, long(0), vec![7; 16], block].concat()
        };
        let empty = r#"{"type":"record","fields":[{"name":"y","type":"null"}]}"#;
        let nothing = r#"{"type":"fixed","size":0}"#;
        for ty in ["\"null\"", empty, nothing] {
            assert!(read(&forged(ty, ty)).is_err(), "{ty}: no message can be in it");
            assert!(read(&forged("\"bytes\"", ty)).is_err_and(|error| error.contains("lost")), "{ty}");
            let array = format!(r#"{{"type":"array","items":{ty}}}"#);
            assert!(read(&forged("\"bytes\"", &array)).is_err_and(|error| error.contains("without bytes")), "{ty}");
        }
    }

    #[test]
    fn bodies_are_read_with_every_codec() {
        for codec in [Codec::Null, Codec::Deflate, Codec::Snappy] {
            let container = container(codec, &["{\"a\":1}", "{\"a\":2}"]);
            assert_eq!(read(&container).as_deref(), Ok("{\"a\":1}\n{\"a\":2}\n"), "{codec:?}");
        }
    }

    #[test]
    fn records_are_written_as_objects() {
        let objects = |names: &[&str], container: &[u8]| {
            read_as(AvroContent::Objects(Some(names.iter().map(|name| (*name).to_owned()).collect())), container)
        };
        for codec in [Codec::Null, Codec::Deflate, Codec::Snappy] {
            let container = container(codec, &["{}", "x"]);
            let expected = "{\"SequenceNumber\":-3,\"Offset\":\"0\"}\n".repeat(2);
            assert_eq!(objects(&["SequenceNumber", "Offset", "none"], &container).as_ref(), Ok(&expected), "{codec:?}");
            assert_eq!(objects(&[], &container).as_deref(), Ok("{}\n{}\n"), "{codec:?}");
            for refused in ["Properties", "Body"] {
                assert!(objects(&[refused], &container).is_err_and(|error| error.contains("bytes")), "{refused}");
            }
            assert!(read_as(AvroContent::Objects(None), &container).is_err());
        }
    }

    /// Tests that a few bytes do not become objects without end: a schema may have long names, and arrays many items.
    #[test]
    fn large_objects_are_refused() {
        let name = "n".repeat(100_000);
        let item = format!(r#"{{"type":"record","name":"i","fields":[{{"name":"{name}","type":"boolean"}}]}}"#);
        let schema = format!(
            r#"{{"type":"record","name":"r","fields":[{{"name":"a","type":{{"type":"array","items":{item}}}}}]}}"#
        );
        let header = [bytes(b"avro.schema"), bytes(schema.as_bytes())].concat();
        let record = [long(1 << 19), vec![1; 1 << 19], long(0)].concat();
        let block = [long(1), bytes(&record), vec![7; 16]].concat();
        let container = [b"Obj\x01".to_vec(), long(1), header, long(0), vec![7; 16], block].concat();
        assert!(read_as(AvroContent::Objects(None), &container).is_err_and(|error| error.contains("lost of")));
    }

    #[test]
    fn layers_of_each_message_are_removed() {
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).expect("packed");
            encoder.finish().expect("packed")
        };
        let utf16: Vec<u8> = "\u{feff}{\"a\":3}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let plain = b"{\"a\":1}".to_vec();
        let bodies = [plain.clone(), gzip(b"{\"a\":2}"), utf16.clone(), gzip(&utf16), gzip(&plain)];
        let text = read(&container(Codec::Deflate, &bodies)).expect("a text");
        assert_eq!(text.replace('\u{feff}', "").replace(['{', '}', '"', ':', 'a'], ""), "1\n2\n3\n3\n1\n");
        // Damage to one message is no damage to the others.
        let mut broken = gzip(&plain);
        broken.truncate(12);
        let read = read(&container(Codec::Null, &[plain.clone(), broken, plain]));
        assert!(read.is_err_and(|error| error.starts_with("1 lost of") && error.matches("{\"a\":1}").count() == 2));
    }

    #[test]
    fn damage_is_an_error() {
        for codec in [Codec::Null, Codec::Deflate, Codec::Snappy] {
            let whole = container(codec, &["{\"a\":1}", "{\"a\":2}"]);
            for end in 0..whole.len() {
                _ = read(&whole[..end]);
            }
            for at in 0..whole.len() {
                for bit in 0..8 {
                    let mut damaged = whole.clone();
                    damaged[at] ^= 1 << bit;
                    _ = read(&damaged);
                    _ = read_as(AvroContent::Objects(Some(vec!["SequenceNumber".to_owned()])), &damaged);
                }
            }
        }
        let whole = container(Codec::Null, &["{}"]);
        assert!(read(&whole[..whole.len() - 3]).is_err());
        assert!(read(b"Obj\x01\x00").is_err());
    }
}
