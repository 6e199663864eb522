//! Opens a file as text: decompresses it, takes text out of a container, converts it to UTF-8, and converts CSV to
//! JSON Lines. Each of these layers is detected by its first bytes, never by the name of the file.

use std::io::{self, Read};
use std::sync::Arc;

use super::avro::{AvroContent, AvroLines};
use super::blocks::FileRange;
use super::chunk_source::ChunkReader;
use super::csv::CsvLines;
use super::decompressor::Decompressor;
use super::encoding::{Encoding, EncodingChange};
use super::held_bytes::HeldBytes;
use super::peek_reader::PeekReader;
use super::source_map::SourceMap;
use super::text_start::TextStart;
use super::transcoder::Transcoder;
use super::{NO_TEXT, has_record_line, is_json_in_strings, trim_start, without_byte_order_mark};
use crate::diagnostic::Result;
use crate::entra::RowLimit;
use crate::entra::portal::PortalHeader;
use crate::scan::{Damage, Note, ScanReport, Warning};
use crate::storage::counters::ScanCounters;
use crate::storage::files::{Compression, DataFile, FileFormat};
use crate::storage::limits::DecompressionLimit;
use crate::storage::limits::ReadLimits;

/// Number of bytes of a layer that are examined. They cover several records, so that damage to the first one does not
/// hide the others.
pub(crate) const HEAD_BYTES: usize = 64 << 10;

/// Maximum number of layers around a text. A text that is compressed twice inside a container is the most that makes
/// sense.
const MAX_LAYERS: usize = 4;

/// Reports what is found in one file of a scan.
#[derive(Clone, Debug)]
pub(crate) struct FileReport {
    name: Arc<str>,
    report: Arc<ScanReport>,
}

impl FileReport {
    /// Creates the report for the file that messages call `name`.
    pub(crate) fn new(name: &str, report: Arc<ScanReport>) -> Self {
        Self { name: name.into(), report }
    }

    /// Returns the name of the file for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reports a record that cannot be read, with its position in the file.
    pub(crate) fn lost(&self, position: String, reason: String) {
        self.report.lost(&self.name, position, reason);
    }

    /// Counts `count` occurrences of a note.
    pub(crate) fn note(&self, note: impl Into<Note>, count: u64) {
        self.report.note_times(note, count);
    }

    /// Reports damage to `count` values of the file.
    pub(crate) fn damaged(&self, damage: Damage, count: u64) {
        self.report.damaged(damage, &self.name, count);
    }

    /// Warns if the file has exactly as many rows as a service returns at most.
    pub(crate) fn check_row_limit(&self, rows: u64) {
        if let Some(limit) = RowLimit::reached(rows) {
            self.report.warn(Warning::RowLimit { file: self.name.to_string(), limit });
        }
    }

    /// Reports that the text is not read in the encoding that the user specified.
    fn note_override(&self, start: TextStart) {
        if let Some(specified) = start.overridden {
            let (file, specified, found) = (self.name.to_string(), specified.name(), start.name());
            self.note_once(Note::EncodingOverridden { file, specified, found });
        }
    }

    /// Reports a note that is counted only once, however often the file is opened.
    pub(crate) fn note_once(&self, note: impl Into<Note>) {
        self.report.note_once(note);
    }

    /// Returns the number of records that were lost in all files of the scan.
    #[cfg(test)]
    pub(crate) fn problems(&self) -> u64 {
        self.report.problems().values().map(|problems| problems.lost).sum()
    }
}

/// A file that was opened, by its kind.
pub(crate) enum Opened {
    /// Text, which is read as UTF-8.
    Text(OpenedText),
    /// Parquet or Arrow IPC. Such files are not read as text.
    Columns,
    /// A file that is not read, and the reason.
    Refused(&'static str),
}

/// An opened text file.
pub(crate) struct OpenedText {
    /// The text, in UTF-8.
    pub input: PeekReader,
    /// True if the text has exactly the bytes of the file, because there was no layer around it.
    pub plain: bool,
    /// True if every value is a string, even those that represent numbers, as in CSV.
    pub all_strings: bool,
    /// The columns in the first header of CSV; empty for other text.
    pub columns: Vec<String>,
    /// The header, if the file is a CSV of the Entra admin center.
    pub header: Option<Arc<PortalHeader>>,
    /// Maps positions in the text to positions in the file; None unless the text was converted from rows or messages.
    pub source_map: Option<Arc<SourceMap>>,
    /// The layers that were removed from around the text.
    pub layers: TextLayers,
    /// The memory of the readers that convert the text from rows or messages.
    pub held: Vec<HeldBytes>,
}

impl OpenedText {
    /// Returns a text that was not converted from another format.
    fn unchanged(input: PeekReader, plain: bool, layers: TextLayers) -> Self {
        Self {
            input,
            plain,
            all_strings: false,
            columns: Vec::new(),
            header: None,
            source_map: None,
            layers,
            held: Vec::new(),
        }
    }
}

/// The layers that were removed from around a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextLayers {
    /// The compression of the file; `none` if it is not compressed.
    pub compression: &'static str,
    /// The original encoding of the text.
    pub encoding: &'static str,
    /// The container or format that the text was converted from, if any.
    pub container: Option<&'static str>,
}

impl TextLayers {
    const NONE: Self = Self { compression: "none", encoding: "UTF-8", container: None };
}

/// Opens a range of a text file that has no layers. `buffer` is reused; its contents do not matter.
pub(crate) fn open_at(
    file: &DataFile,
    range: FileRange,
    buffer: Vec<u8>,
    counters: &Arc<ScanCounters>,
) -> Result<OpenedText> {
    let input = PeekReader::unread(file.open_at(range.offset(), range.end, Some(counters))?, buffer);
    Ok(OpenedText::unchanged(input, true, TextLayers::NONE))
}

/// Detects what `file` is, whose bytes are `input`, and removes the layers around its text. CSV becomes JSON Lines.
/// Damage in the layers is reported to `report`; `buffer` is reused, and its contents do not matter.
pub(crate) fn open(
    file: &DataFile,
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    limits: ReadLimits,
    report: &Arc<ScanReport>,
) -> Result<Opened> {
    Ok(match open_text(file, input, buffer, AvroContent::Messages, limits, report)? {
        Opened::Text(bytes) => {
            text(bytes, file.is_called_csv(), limits, || FileReport::new(&file.name, Arc::clone(report)))
        }
        other => other,
    })
}

/// Like [`open`], but CSV and JSON are returned unchanged, and Avro becomes text with `content`.
pub(crate) fn open_text(
    file: &DataFile,
    mut input: Box<dyn Read + Send>,
    mut buffer: Vec<u8>,
    content: AvroContent,
    limits: ReadLimits,
    report: &Arc<ScanReport>,
) -> Result<Opened> {
    let failed = |source: io::Error| file.failed(source);
    let file_report = || FileReport::new(&file.name, Arc::clone(report));
    if !file.is_plain() {
        let limit = limits.decompressed(file.bytes);
        input = Box::new(LimitedReader { input, left: limit, limit });
    }
    let mut depth = 0;
    let mut specified = file.text_settings().encoding;
    let mut layers = TextLayers::NONE;
    let mut source_map = None;
    let mut held = Vec::new();
    loop {
        let reader = PeekReader::new(input, buffer, HEAD_BYTES).map_err(failed)?;
        let head = reader.head();
        depth += 1;
        if depth > MAX_LAYERS {
            return Ok(Opened::Refused("it has too many layers of compression"));
        }
        input = match FileFormat::of(head) {
            FileFormat::Text(Compression::None) => {
                let start = TextStart::of(head, specified.take());
                file_report().note_override(start);
                if start.encoding == Encoding::Utf8 && start.legacy.is_none() && !changes(head) {
                    let plain = depth == 1 && file.is_plain();
                    return Ok(Opened::Text(OpenedText {
                        source_map,
                        held,
                        ..OpenedText::unchanged(reader, plain, layers)
                    }));
                }
                source_map = None;
                let is_utf8 = start.encoding == Encoding::Utf8 && start.legacy.is_none();
                layers.encoding = if is_utf8 { "UTF-8 and UTF-16" } else { start.name() };
                (input, buffer) = reader.into_stream();
                let transcoder = Transcoder::new(input, start.encoding, file_report());
                Box::new(ChunkReader::new(transcoder.with_legacy(start.legacy)))
            }
            FileFormat::Text(compression) => {
                source_map = None;
                layers.compression = compression.name();
                (input, buffer) = reader.into_stream();
                decompress(input, compression, limits.decompressed(file.bytes), file_report()).map_err(failed)?
            }
            FileFormat::Avro => {
                layers.container = Some("Avro");
                // Its strings are UTF-8 by definition.
                specified = None;
                (input, buffer) = reader.into_stream();
                let lines = AvroLines::new(input, content.clone(), file_report(), limits.decompressed(file.bytes));
                source_map = Some(Arc::clone(lines.source_map()));
                held.push(lines.held().clone());
                Box::new(ChunkReader::new(lines))
            }
            FileFormat::Parquet | FileFormat::Arrow if depth == 1 && file.is_plain() => return Ok(Opened::Columns),
            format => return Ok(Opened::Refused(refusal(format, depth == 1 && file.is_plain()))),
        };
    }
}

/// Returns the reason why a format is not read. `is_whole` is true if the file has no layers around it.
fn refusal(format: FileFormat, is_whole: bool) -> &'static str {
    match format {
        FileFormat::Parquet => "Parquet inside a compressed file: decompress it first",
        FileFormat::Arrow => "Arrow inside a compressed file: decompress it first",
        FileFormat::Zip if is_whole => "a zip archive without the extension .zip: rename it",
        FileFormat::Zip => "an archive inside another file: extract it first",
        FileFormat::Unsupported(reason) => reason,
        FileFormat::Text(_) | FileFormat::Avro => NO_TEXT,
    }
}

/// True if a text that begins in UTF-8 continues in UTF-16 within its first bytes.
fn changes(head: &[u8]) -> bool {
    matches!(Encoding::Utf8.change(head, true), EncodingChange::To(..))
}

/// Opens a text in UTF-8: JSON unchanged, CSV as JSON Lines. `called_csv` is true for a file with a name for CSV.
fn text(mut text: OpenedText, called_csv: bool, limits: ReadLimits, file_report: impl Fn() -> FileReport) -> Opened {
    let head = text.input.head();
    let unmarked = without_byte_order_mark(head);
    if unmarked.len() < head.len() && text.layers.encoding == "UTF-8" {
        text.layers.encoding = "UTF-8 with BOM";
    }
    let first = trim_start(head).first();
    // Binary data shows in the first line; further down, a stray byte is damage to one row.
    let is_binary = |head: &[u8]| head.split(|byte| *byte == b'\n').next().is_some_and(|line| line.contains(&0));
    let is_json = first.is_none_or(|first| matches!(first, b'{' | b'['));
    if is_json || is_json_in_strings(head) || is_binary(head) || has_record_line(unmarked, head.len() < HEAD_BYTES) {
        return Opened::Text(text);
    }
    if !called_csv && (!looks_like_csv(head) || is_inside_json(head)) {
        return Opened::Text(text);
    }
    text.layers.container = Some("CSV");
    let input = ChunkReader::new(Transcoder::new(text.input, Encoding::Utf8, file_report()));
    match CsvLines::new(Box::new(input), limits, file_report()) {
        Ok(lines) => {
            // Rows of CSV inside another container have no line numbers in the original file.
            let source_map = Arc::clone(lines.source_map());
            let source_map = text.source_map.is_none().then_some(source_map);
            text.held.push(lines.held().clone());
            let (header, columns) = (lines.portal_header(), lines.columns().to_vec());
            let input = PeekReader::unread(Box::new(lines), Vec::new());
            Opened::Text(OpenedText { input, plain: false, all_strings: true, columns, header, source_map, ..text })
        }
        Err(reason) => Opened::Refused(reason),
    }
}

fn decompress(
    input: Box<dyn Read + Send>,
    compression: Compression,
    limit: u64,
    report: FileReport,
) -> io::Result<Box<dyn Read + Send>> {
    let decompressed = Decompressor::new(input, compression, report)?;
    Ok(Box::new(LimitedReader { input: Box::new(decompressed), left: limit, limit }))
}

/// A reader that fails once a file decompresses to more bytes than the limit.
struct LimitedReader {
    input: Box<dyn Read + Send>,
    left: u64,
    limit: u64,
}

impl Read for LimitedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(DecompressionLimit { limit: self.limit }.into()),
        }
    }
}

/// True if the first line is the rest of a JSON record: it has two keys followed by colons. A line of CSV has none,
/// because quotes inside cells are doubled.
fn is_inside_json(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let keys =
        memchr::memmem::find_iter(line, b"\":").filter(|at| at.checked_sub(1).is_some_and(|at| line[at] != b'"'));
    keys.take(2).count() == 2
}

/// True if the first line has a usual delimiter at least twice, or is the header of a column of quoted JSON.
fn looks_like_csv(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let line = lines.next().unwrap_or(head);
    // No JSON begins like this.
    if lines.next().is_some_and(|row| [&b"\"{\"\""[..], b"\"[{\"\""].iter().any(|start| row.starts_with(start))) {
        return true;
    }
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    line.starts_with(b"#TYPE ") || line.starts_with(b"sep=") || [b',', b';', b'\t'].into_iter().any(|d| count(d) >= 2)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::sync::Arc;

    use super::{HeldBytes, Opened, open};
    use crate::scan::ScanReport;
    use crate::storage::files::DataFile;
    use crate::storage::limits::ReadLimits;

    /// Returns the text of a file, and true if it ended in damage. Err has the reason if the file is refused.
    fn read(bytes: &[u8], limits: ReadLimits) -> Result<(Vec<u8>, bool), &'static str> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, bytes).expect("a file");
        let file = DataFile::new(&path).expect("a file");
        let input = file.open().expect("a file");
        match open(&file, input, Vec::new(), limits, &Arc::new(ScanReport::default())).expect("readable") {
            Opened::Text(mut text) => {
                let mut out = Vec::new();
                let damaged = text.input.read_to_end(&mut out).is_err();
                Ok((out, damaged))
            }
            Opened::Columns => Err("Parquet"),
            Opened::Refused(reason) => Err(reason),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn layers_are_removed() {
        let text = b"{\"a\":1}\n";
        let utf16: Vec<u8> = String::from_utf8_lossy(text).encode_utf16().flat_map(u16::to_be_bytes).collect();
        let zstd = zstd::encode_all(&text[..], 1).expect("packed");
        let twice = [gzip(text), gzip(text)].concat();
        for (bytes, times) in [
            (text.to_vec(), 1),
            (gzip(text), 1),
            (twice, 2),
            ([bzip2(text), bzip2(text)].concat(), 2),
            (gzip(&zstd), 1),
            (gzip(&utf16), 1),
        ] {
            assert_eq!(read(&bytes, ReadLimits::default()), Ok((text.repeat(times), false)));
        }
        let deep = gzip(&gzip(&gzip(&gzip(&gzip(text)))));
        assert!(read(&deep, ReadLimits::default()).is_err());
        assert!(read(&gzip(b"PAR1"), ReadLimits::default()).is_err());
        assert_eq!(read(b"PAR1", ReadLimits::default()), Err("Parquet"));
    }

    #[test]
    fn the_memory_of_converters_is_known() {
        const LONG: usize = 1 << 20;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file.csv");
        fs::write(&path, format!("a,b,c\n1,2,{}\n", "x".repeat(LONG))).expect("a file");
        let file = DataFile::new(&path).expect("a file");
        let input = file.open().expect("a file");
        let opened = open(&file, input, Vec::new(), ReadLimits::default(), &Arc::new(ScanReport::default()));
        let Opened::Text(mut text) = opened.expect("readable") else { panic!("a text is expected") };
        text.input.read_to_end(&mut Vec::new()).expect("read");
        let held: usize = text.held.iter().map(HeldBytes::get).sum();
        assert!((2 * LONG..8 * LONG).contains(&held), "{held}");
    }

    #[test]
    fn decompression_beyond_the_limit_is_stopped() {
        let bomb = gzip(&vec![b' '; 1 << 20]);
        let limited = ReadLimits { max_decompressed: Some(100_000), ..ReadLimits::default() };
        let (text, damaged) = read(&bomb, limited).expect("a text");
        assert!(damaged && text.len() <= 100_000, "{}", text.len());
        assert_eq!(
            read(&bomb, ReadLimits::default()).map(|(text, damaged)| (text.len(), damaged)),
            Ok((1 << 20, false))
        );
    }

    #[test]
    fn text_before_damage_is_kept() {
        let text = "{\"a\":1}\n".repeat(10_000);
        let compressed = gzip(text.as_bytes());
        let (found, damaged) = read(&compressed[..compressed.len() - 20], ReadLimits::default()).expect("a text");
        assert!(damaged && !found.is_empty() && text.as_bytes().starts_with(&found));
        let csv = format!("a,b,c\n{}", "1,2,3\n".repeat(10_000));
        let compressed = gzip(csv.as_bytes());
        let (found, damaged) = read(&compressed[..compressed.len() - 20], ReadLimits::default()).expect("a text");
        assert!(damaged && found.starts_with(b"{\"a\":\"1\","));
    }
}
