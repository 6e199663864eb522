//! Lines of the samples in containers, whole and damaged.

use std::io::{Cursor, Write};
use std::ops::Range;

use arbitrary::Arbitrary;
use zip::write::SimpleFileOptions;

use super::lines::{self, Damage};
use super::scan;

/// A file of lines with layers around it.
#[derive(Arbitrary, Debug)]
pub struct Packed {
    lines: Vec<u8>,
    encoding: Encoding,
    inner: Option<Layer>,
    outer: Layer,
    damage: Option<Damage>,
}

#[derive(Arbitrary, Debug)]
enum Encoding {
    Utf8,
    Marked,
    Utf16 { big_endian: bool },
}

/// A layer, and after how many of 256 parts of the text its second member begins.
#[derive(Arbitrary, Debug)]
enum Layer {
    Gzip(u8),
    Zstd(u8),
    Bzip2(u8),
    Avro { deflate: bool },
    Zip { deflate: bool },
}

/// Lines that are used of a case.
const MAX_LINES: usize = 5;

impl Packed {
    /// Without damage, the rows are those of the lines. Where the end is missing, they are the first of them; where
    /// anything else is damaged and rows differ, it is told.
    ///
    /// # Panics
    /// Where it is not so.
    pub fn check(&self) {
        let pool = lines::lines();
        let chosen: Vec<_> =
            self.lines.iter().take(MAX_LINES).map(|number| &pool[usize::from(*number) % pool.len()]).collect();
        if chosen.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> = chosen.iter().flat_map(|line| line.rows.clone()).collect();
        let texts: Vec<&[u8]> = chosen.iter().map(|line| &line.bytes[..]).collect();
        // A stream that is cut behind a line end is whole as far as anyone can tell.
        let text = self.encoding.encode(&texts.join(&b'\n'));
        let mut packed = text;
        let inner = self.inner.as_ref().filter(|layer| !matches!(layer, Layer::Zip { .. } | Layer::Avro { .. }));
        let mut boundary = None;
        for layer in inner.into_iter().chain([&self.outer]) {
            (packed, boundary) = layer.pack(&packed);
        }
        let bytes = self.damage.as_ref().map_or(packed.clone(), |damage| damage.apply(&packed));
        let name = if matches!(self.outer, Layer::Zip { .. }) { "packed.zip" } else { "packed" };
        let found = lines::scan(name, &bytes);
        let avro_of_packed = matches!(self.outer, Layer::Avro { .. }) && (inner.is_some() || !self.encoding.is_utf8());
        if bytes == packed && !avro_of_packed {
            let found = found.unwrap_or_else(|why| panic!("refused: {why}"));
            scan::assert_rows(&rows, &found.rows, "whole");
            return;
        }
        let Ok(found) = found else { return };
        let cut = packed.starts_with(&bytes);
        if cut {
            let first = &rows[..rows.len().min(found.rows.len())];
            scan::assert_rows(first, &found.rows, "cut");
        }
        let at_boundary = cut && boundary == Some(bytes.len());
        let checked = !matches!(self.outer, Layer::Avro { .. });
        if found.rows != rows && !at_boundary && checked && !has_members_again(&packed, boundary, &bytes) {
            assert!(found.told, "{} of {} rows, and not a word", found.rows.len(), rows.len());
        }
    }
}

/// True where a member, or all, stands there twice: a file of members is whole then.
fn has_members_again(packed: &[u8], boundary: Option<usize>, bytes: &[u8]) -> bool {
    let parts = boundary.map_or_else(Vec::new, |at| vec![0..at, at..packed.len()]);
    let again = |part: Range<usize>| [&packed[..part.end], &packed[part.start..]].concat() == bytes;
    parts.into_iter().chain(std::iter::once(0..packed.len())).any(again)
}

impl Encoding {
    fn is_utf8(&self) -> bool {
        !matches!(self, Self::Utf16 { .. })
    }

    fn encode(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => text.to_vec(),
            Self::Marked => [b"\xef\xbb\xbf", text].concat(),
            Self::Utf16 { big_endian } => {
                let units = String::from_utf8_lossy(text);
                let units = std::iter::once(0xfeff).chain(units.encode_utf16());
                let bytes = |unit: u16| if *big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
                units.flat_map(bytes).collect()
            }
        }
    }
}

impl Layer {
    /// The bytes in the layer, and where the second member begins.
    fn pack(&self, bytes: &[u8]) -> (Vec<u8>, Option<usize>) {
        match self {
            Self::Gzip(part) => members(bytes, *part, |bytes| {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }),
            Self::Zstd(part) => members(bytes, *part, |bytes| {
                let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
                encoder.include_checksum(true).expect("an option");
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }),
            Self::Bzip2(part) => members(bytes, *part, |bytes| {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }),
            Self::Avro { deflate } => (avro(bytes, *deflate), None),
            Self::Zip { deflate } => (zip(bytes, *deflate), None),
        }
    }
}

/// The bytes as one member or two, and where the second one begins.
fn members(bytes: &[u8], part: u8, pack: impl Fn(&[u8]) -> Vec<u8>) -> (Vec<u8>, Option<usize>) {
    if part == 0 {
        return (pack(bytes), None);
    }
    let (first, second) = bytes.split_at(bytes.len() * usize::from(part) / 256);
    let first = pack(first);
    let boundary = first.len();
    ([first, pack(second)].concat(), Some(boundary))
}

fn zip(bytes: &[u8], deflate: bool) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = if deflate { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    archive.start_file("a/empty.json", options).expect("memory");
    archive.start_file("a/lines.json", options).expect("memory");
    archive.write_all(bytes).expect("memory");
    archive.finish().expect("memory").into_inner()
}

const SYNC: &[u8; 16] = b"0123456789abcdef";

/// The lines as messages of Event Hub Capture, a block each.
fn avro(text: &[u8], deflate: bool) -> Vec<u8> {
    let schema = concat!(
        r#"{"type":"record","name":"EventData","namespace":"Microsoft.ServiceBus.Messaging","fields":["#,
        r#"{"name":"SequenceNumber","type":"long"},{"name":"Offset","type":"string"},"#,
        r#"{"name":"Properties","type":{"type":"map","values":["long","double","string","bytes"]}},"#,
        r#"{"name":"Body","type":["null","bytes"]}]}"#
    );
    let mut out = b"Obj\x01".to_vec();
    long(2, &mut out);
    bytes(b"avro.codec", &mut out);
    bytes(if deflate { b"deflate" } else { b"null" }, &mut out);
    bytes(b"avro.schema", &mut out);
    bytes(schema.as_bytes(), &mut out);
    long(0, &mut out);
    out.extend(SYNC);
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let mut record = Vec::new();
        long(i64::try_from(index).unwrap_or(0), &mut record);
        bytes(b"1024", &mut record);
        long(1, &mut record);
        bytes(b"key", &mut record);
        long(2, &mut record);
        bytes(b"value", &mut record);
        long(0, &mut record);
        long(1, &mut record);
        bytes(line, &mut record);
        if deflate {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            record = encoder.write_all(&record).and_then(|()| encoder.finish()).expect("memory");
        }
        long(1, &mut out);
        bytes(&record, &mut out);
        out.extend(SYNC);
    }
    out
}

/// A number of Avro.
fn long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

fn bytes(value: &[u8], out: &mut Vec<u8>) {
    long(i64::try_from(value.len()).unwrap_or(0), out);
    out.extend(value);
}
