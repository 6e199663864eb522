//! Decompresses a file that consists of one or more streams: members of gzip, frames of Zstandard, streams of bzip2.
//!
//! Damage to one stream does not hide the next stream, which is found by its first bytes. The loss is reported, and a
//! newline is inserted in its place, so that the text before the damage is not joined to the text after it.

use std::io::{self, BufRead, Read};

use zstd::stream::raw::{self, Operation};

use super::encoding::Encoding;
use super::open::FileReport;
use super::read_more::read_more;
use crate::storage::files::{Compression, FileFormat};
use crate::storage::limits::DecompressionLimit;

/// Number of bytes that are read at once, and that are kept after reading, because damage may be noticed only after
/// the beginning of the next stream.
const CHUNK: usize = 64 << 10;

/// Number of bytes that identify the beginning of a stream.
const MAGIC_BYTES: usize = 10;

/// Maximum number of times that reading resumes after damage in one file.
const MAX_RESUMED: usize = 1_000;

/// Number of streams in a file that may have any size.
const FREE_STREAMS: u64 = 10_000;

/// Minimum average size in bytes of the streams of a file with more streams: starting a stream takes as long as
/// decompressing many bytes.
const MIN_STREAM_BYTES: u64 = 256;

/// Length in bytes of a bzip2 stream without data: header, end, checksum.
const EMPTY_BZIP2: usize = 14;

/// Number of bytes of the text that identify its encoding.
const FIRST_BYTES: usize = 16;

/// Reads the text of a compressed file.
pub(super) struct Decompressor {
    compression: Compression,
    stream: Option<CompressedStream>,
    /// The decoder of the last frame, which the next frame reuses: creating one takes longer than decoding most
    /// frames.
    zstd: Option<raw::Decoder<'static>>,
    /// Offset of the current stream in the file.
    stream_start: u64,
    /// Number of streams that were started so far.
    streams: u64,
    report: FileReport,
    resumed: usize,
    /// The first bytes of the text, from which its encoding is detected.
    first: Vec<u8>,
    /// Number of bytes of text that were returned so far.
    text_bytes: u64,
    /// The newline that is inserted next; empty if none is due.
    separator: Vec<u8>,
}

/// A stream that is being decompressed.
enum CompressedStream {
    Gzip(Box<flate2::bufread::GzDecoder<CompressedInput>>),
    Zstd(ZstdFrame),
    Bzip2(bzip2::bufread::BzDecoder<CompressedInput>),
}

impl Decompressor {
    /// Creates a reader that decompresses `input`. Losses are reported to `report`.
    pub(super) fn new(input: Box<dyn Read + Send>, compression: Compression, report: FileReport) -> io::Result<Self> {
        let input = CompressedInput { source: input, bytes: Vec::new(), position: 0, offset: 0 };
        let stream = Some(CompressedStream::new(input, compression, None)?);
        let (first, separator) = (Vec::with_capacity(FIRST_BYTES), Vec::new());
        Ok(Self {
            compression,
            stream,
            zstd: None,
            stream_start: 0,
            streams: 1,
            report,
            resumed: 0,
            first,
            text_bytes: 0,
            separator,
        })
    }

    /// Starts the next stream; returns false at the end of the file.
    fn next_stream(&mut self, mut input: CompressedInput) -> io::Result<bool> {
        input.pass_padding()?;
        if self.compression == Compression::Bzip2 {
            input.pass_empty_bzip2()?;
        }
        let head = input.peek()?;
        if head.is_empty() {
            return Ok(false);
        }
        if FileFormat::of(head) == FileFormat::Text(self.compression) {
            self.streams += 1;
            self.check_stream_bytes(input.at())?;
            self.start(input)?;
            return Ok(true);
        }
        self.stream_start = input.at();
        let reason = format!("the data that follows is not {}", self.compression.name());
        self.resume(input, io::Error::new(io::ErrorKind::InvalidData, reason)).map(|()| true)
    }

    /// Returns an error if there are too many streams before `offset` for their size, as only hostile files have.
    /// Only bzip2 is checked, because the decoders of Zstandard and gzip start quickly.
    fn check_stream_bytes(&self, offset: u64) -> io::Result<()> {
        let is_slow = self.compression == Compression::Bzip2 && self.streams > FREE_STREAMS;
        if is_slow && offset / self.streams < MIN_STREAM_BYTES {
            let reason = format!("more than {FREE_STREAMS} streams, of less than {MIN_STREAM_BYTES} bytes on average");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(())
    }

    /// Continues with the next stream after damage; returns `error` if there is none.
    fn resume(&mut self, mut input: CompressedInput, error: io::Error) -> io::Result<()> {
        let ends = error.raw_os_error().is_some() || DecompressionLimit::of(&error).is_some();
        if ends || self.resumed == MAX_RESUMED {
            return Err(error);
        }
        let noticed = input.at();
        input.go_to(self.stream_start + 1);
        if !input.seek(self.compression)? {
            return Err(error);
        }
        self.resumed += 1;
        let name = self.compression.name();
        let reason = format!(
            "cannot be decompressed: {error}; the data read from this part is unverified, and the rest of it is not read"
        );
        self.report.lost(format!("byte {} of the {name} file", noticed.min(input.at())), reason);
        self.separator = self.line_end();
        self.start(input)
    }

    /// Returns the input after a finished stream, and keeps its decoder for the next one.
    fn end(&mut self, stream: CompressedStream) -> CompressedInput {
        match stream {
            CompressedStream::Gzip(stream) => stream.into_inner(),
            CompressedStream::Bzip2(stream) => stream.into_inner(),
            CompressedStream::Zstd(frame) => {
                self.zstd = Some(frame.decoder);
                frame.input
            }
        }
    }

    fn start(&mut self, input: CompressedInput) -> io::Result<()> {
        self.stream_start = input.at();
        self.stream = Some(CompressedStream::new(input, self.compression, self.zstd.take())?);
        Ok(())
    }

    /// Returns a newline in the encoding of the text. If the text ends in half a code unit, a byte before the newline
    /// completes it.
    fn line_end(&self) -> Vec<u8> {
        let encoding = Encoding::of(&self.first);
        // Completes half a code unit.
        let filler = (encoding != Encoding::Utf8 && self.text_bytes % 2 == 1).then_some(0);
        filler.iter().chain(encoding.line_end()).copied().collect()
    }
}

impl Read for Decompressor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.separator.is_empty() {
                let count = self.separator.as_slice().read(buffer)?;
                self.separator.drain(..count);
                self.text_bytes += count as u64;
                return Ok(count);
            }
            let Some(stream) = &mut self.stream else { return Ok(0) };
            match stream.read(buffer) {
                Ok(0) => {
                    let Some(stream) = self.stream.take() else { return Ok(0) };
                    let input = self.end(stream);
                    self.next_stream(input)?;
                }
                Ok(count) => {
                    let missing = FIRST_BYTES.saturating_sub(self.first.len()).min(count);
                    self.first.extend_from_slice(&buffer[..missing]);
                    self.text_bytes += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let Some(stream) = self.stream.take() else { return Ok(0) };
                    let input = self.end(stream);
                    self.resume(input, error)?;
                }
            }
        }
    }
}

impl CompressedStream {
    fn new(input: CompressedInput, compression: Compression, zstd: Option<raw::Decoder<'static>>) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd => Self::Zstd(ZstdFrame::new(input, zstd)?),
            Compression::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            Compression::Gzip | Compression::None => Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(input))),
        })
    }
}

impl Read for CompressedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(stream) => stream.read(buffer),
            Self::Zstd(stream) => stream.read(buffer),
            Self::Bzip2(stream) => stream.read(buffer),
        }
    }
}

/// A frame of Zstandard.
struct ZstdFrame {
    input: CompressedInput,
    decoder: raw::Decoder<'static>,
    ended: bool,
}

impl ZstdFrame {
    /// Starts the frame at the position of `input`; reuses the decoder of an earlier frame if one is given.
    fn new(input: CompressedInput, decoder: Option<raw::Decoder<'static>>) -> io::Result<Self> {
        let decoder = match decoder {
            Some(mut decoder) => {
                decoder.reinit()?;
                decoder
            }
            None => raw::Decoder::new()?,
        };
        Ok(Self { input, decoder, ended: false })
    }
}

impl Read for ZstdFrame {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let compressed = self.input.fill_buf()?;
            let at_end = compressed.is_empty();
            let status = self.decoder.run_on_buffers(compressed, buffer)?;
            self.input.consume(status.bytes_read);
            self.ended = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if at_end && !self.ended {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete frame"));
            }
        }
        Ok(0)
    }
}

/// True if a stream may begin with these bytes. Compressed data matches by chance once in a few billion positions.
fn begins(bytes: &[u8], compression: Compression) -> bool {
    match compression {
        // Reserved flags are 0, the compression level is one of three values, the operating system one of fourteen or
        // unknown.
        Compression::Gzip => matches!(bytes, [0x1f, 0x8b, 8, 0..=0x1f, _, _, _, _, 0 | 2 | 4, 0..=13 | 255, ..]),
        Compression::Zstd => matches!(bytes, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]),
        // A block or the end of the stream must follow.
        Compression::Bzip2 => {
            let Some([b'B', b'Z', b'h', b'1'..=b'9', magic @ ..]) = bytes.first_chunk::<10>() else { return false };
            matches!(magic, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] | [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
        }
        Compression::None => false,
    }
}

/// True for a whole bzip2 stream without data.
fn is_empty_bzip2(bytes: &[u8; EMPTY_BZIP2]) -> bool {
    bytes[4..] == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0] && begins(&bytes[..], Compression::Bzip2)
}

/// Buffered compressed input, in which it is possible to go back a little.
struct CompressedInput {
    source: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    /// Number of buffered bytes that were consumed; they are kept for a while.
    position: usize,
    /// Offset in the file of the first buffered byte.
    offset: u64,
}

impl CompressedInput {
    /// Returns the offset in the file of the next byte.
    fn at(&self) -> u64 {
        self.offset + self.position as u64
    }

    /// Moves to the offset `at` in the file, or as far back as bytes are kept.
    fn go_to(&mut self, at: u64) {
        let kept = usize::try_from(at.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.position = kept.min(self.bytes.len());
    }

    /// Returns enough of the next bytes to identify a stream; fewer at the end of the input.
    fn peek(&mut self) -> io::Result<&[u8]> {
        self.peek_bytes(MAGIC_BYTES)
    }

    /// Returns at least the next `count` bytes; fewer at the end of the input.
    fn peek_bytes(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.bytes.len() - self.position < count && self.read_more()? {}
        Ok(&self.bytes[self.position..])
    }

    /// Skips zeros. Tools that write whole blocks leave them after the last stream.
    fn pass_padding(&mut self) -> io::Result<()> {
        loop {
            let rest = self.fill_buf()?;
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                return Ok(());
            }
            self.consume(zeros);
        }
    }

    /// Skips bzip2 streams without data and the zeros between them, because a decoder allocates megabytes for each
    /// stream.
    fn pass_empty_bzip2(&mut self) -> io::Result<()> {
        while self.peek_bytes(EMPTY_BZIP2)?.first_chunk().is_some_and(is_empty_bzip2) {
            self.consume(EMPTY_BZIP2);
            self.pass_padding()?;
        }
        Ok(())
    }

    /// Moves to the next beginning of a stream; returns false if there is none.
    fn seek(&mut self, compression: Compression) -> io::Result<bool> {
        loop {
            let rest = &self.bytes[self.position..];
            let unsure = rest.len().saturating_sub(MAGIC_BYTES - 1);
            if let Some(at) = (0..unsure).find(|&at| begins(&rest[at..], compression)) {
                self.position += at;
                return Ok(true);
            }
            self.position += unsure;
            if !self.read_more()? {
                return Ok(false);
            }
        }
    }

    /// Reads a chunk; returns false at the end of the input.
    fn read_more(&mut self) -> io::Result<bool> {
        let passed = self.position.saturating_sub(CHUNK);
        self.bytes.drain(..passed);
        self.position -= passed;
        self.offset += passed as u64;
        let (count, read) = read_more(&mut self.source, &mut self.bytes, CHUNK);
        read.map(|()| count > 0)
    }
}

impl Read for CompressedInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for CompressedInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.bytes.len() {
            self.read_more()?;
        }
        Ok(&self.bytes[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position = (self.position + count).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{Read, Write};
    use std::sync::Arc;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::open::FileReport;
    use super::Decompressor;
    use crate::scan::ScanReport;
    use crate::storage::files::Compression;

    const KINDS: [Compression; 3] = [Compression::Gzip, Compression::Zstd, Compression::Bzip2];

    fn compress(text: &[u8], compression: Compression) -> Vec<u8> {
        match compression {
            Compression::Zstd => {
                // Without a checksum, damage to incompressible text is not detected.
                let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
                encoder.include_checksum(true).expect("a checksum");
                encoder.write_all(text).expect("packed");
                encoder.finish().expect("packed")
            }
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(text).expect("packed");
                encoder.finish().expect("packed")
            }
            _ => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).expect("packed");
                encoder.finish().expect("packed")
            }
        }
    }

    /// Returns the text of a compressed file, true if it ended in an error, and the number of reported losses.
    fn decompress(bytes: Vec<u8>, compression: Compression) -> (Vec<u8>, bool, u64) {
        let report = FileReport::new("file", Arc::new(ScanReport::default()));
        let mut text = Vec::new();
        let compressed = Decompressor::new(Box::new(std::io::Cursor::new(bytes)), compression, report.clone());
        let failed = compressed.expect("a stream").read_to_end(&mut text).is_err();
        (text, failed, report.problems())
    }

    /// Returns lines that compress badly, so that damage falls into them.
    fn lines(random: &mut ChaCha8Rng, part: usize) -> Vec<u8> {
        let line = |n| format!("{{\"part\":{part},\"n\":{n},\"id\":\"{:032x}\"}}\n", random.random::<u128>());
        (0..200).map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn parts_follow_each_other() {
        for kind in KINDS {
            let parts: [&[u8]; 4] = [b"{\"a\":1}\n", b"", b"x", b""];
            let compressed = parts.map(|part| compress(part, kind)).concat();
            assert_eq!(
                decompress([&compressed[..], &[0; 70_000]].concat(), kind),
                (parts.concat(), false, 0),
                "{kind:?}"
            );
            assert_eq!(decompress(compress(b"", kind), kind), (Vec::new(), false, 0), "{kind:?}");
        }
    }

    /// Tests that damage to one part is reported, and that all other parts are read.
    #[test]
    fn damage_to_one_part_does_not_hide_the_next() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for round in 0..300 {
            let kind = KINDS[round % 3];
            let parts: Vec<Vec<u8>> = (0..4).map(|part| lines(&mut random, part)).collect();
            let mut compressed: Vec<Vec<u8>> = parts.iter().map(|part| compress(part, kind)).collect();
            let hit = random.random_range(0..3);
            let length = compressed[hit].len();
            let at = random.random_range(0..length);
            match round % 4 {
                0 => compressed[hit].truncate(at),
                1 => compressed[hit][at] ^= 1 << random.random_range(0..8),
                2 => drop(compressed[hit].drain(at..(at + 40).min(length))),
                _ => compressed[hit].splice(at..at, [0; 7]).for_each(drop),
            }
            // An empty part, or a changed flag that no reader checks, is not damage.
            let (text, failed, reported) = decompress(compressed.concat(), kind);
            let found: HashSet<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            for (part, lines) in parts.iter().enumerate() {
                let whole = lines.split(|byte| *byte == b'\n').all(|line| found.contains(line));
                let nothing_left = part == hit && round % 4 == 0 && at == 0;
                assert!(
                    whole || nothing_left || part == hit && reported > 0,
                    "round {round}: {part} beside {hit} at {at}"
                );
            }
            assert!(!failed, "round {round}");
        }
    }

    #[test]
    fn text_in_utf16_stays_in_step() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let mut first = compress(&utf16(&"{\"München\":1}\r\n".repeat(2_000)), Compression::Gzip);
        let length = first.len();
        first.truncate(length - 21);
        let compressed = [first, compress(&utf16("{\"b\":2}\r\n"), Compression::Gzip)].concat();
        let (text, failed, reported) = decompress(compressed, Compression::Gzip);
        assert!(!failed && reported == 1 && text.len().is_multiple_of(2));
        assert!(text.ends_with(&[&[b'\n', 0][..], &utf16("{\"b\":2}\r\n")].concat()));
    }

    /// Tests that empty streams are skipped, and that a file of tiny streams is not read to its end, because each
    /// stream takes long to start.
    #[test]
    fn bzip2_files_of_tiny_streams_are_bounded() {
        let record = compress(b"{\"a\":1}\n", Compression::Bzip2);
        let of_many = |part: &[u8], count| [&record[..], &part.repeat(count), &record].concat();
        let empty = of_many(&compress(b"", Compression::Bzip2), 200_000);
        assert_eq!(decompress(empty, Compression::Bzip2), (b"{\"a\":1}\n".repeat(2), false, 0));
        let tiny = of_many(&compress(b"x", Compression::Bzip2), 10_100);
        let (text, failed, _) = decompress(tiny, Compression::Bzip2);
        assert!(failed && text.len() < 10_100, "{}", text.len());
        let few = of_many(&compress(b"x", Compression::Bzip2), 1_000);
        assert_eq!(decompress(few, Compression::Bzip2).0.len(), 1_016);
    }

    #[test]
    fn headers_without_streams_end() {
        let headers = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].repeat(20_000);
        let (text, failed, reported) = decompress(headers, Compression::Gzip);
        assert!(text.len() < 3_000 && failed && reported == 1_000, "{} {reported}", text.len());
    }
}
