//! Writes the two shapes of JSON Lines: the flat rows of data export, and the records of diagnostic settings.

use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;

use super::calendar::{HOUR, SLOT, START, write_fixed, write_trimmed};
use super::columns::{SynthRow, SynthValue, TableFormat};
use super::json::write_text;
use super::layout::{NewFile, data_export_path, diagnostic_path, suffix};
use super::{Archive, RowSource, Shape, SynthCompression, SynthOptions, SynthSummary};
use crate::diagnostic::{Error, Result};

/// Writes the files with the rows that arrive in hour `hour` of an archive.
///
/// # Errors
/// [`Error::Io`] if the operating system refuses.
pub fn write_hour<S: RowSource>(archive: &Archive<S>, hour: u64) -> Result<SynthSummary> {
    let begin = START + hour as i64 * HOUR;
    let options = archive.options;
    let format = &archive.format;
    let span = if options.shape == Shape::Diagnostic { HOUR } else { SLOT };
    let path = |arrival| match options.shape {
        Shape::Diagnostic => diagnostic_path(format.category, arrival),
        _ => data_export_path(format.name, arrival),
    };
    let records = Records::new(options.shape, format);
    let mut summary = SynthSummary::default();
    let mut open: Option<(i64, LineFile)> = None;
    let mut line = Vec::with_capacity(16 << 10);
    for chunk in archive.source.timeline().chunks_near_hour(hour as usize) {
        for row in &archive.source.chunk(chunk) {
            let arrival = row.stored().arrival;
            if !(begin..begin + HOUR).contains(&arrival) {
                continue;
            }
            let bin = (arrival - START) / span;
            if open.as_ref().is_none_or(|(number, _)| *number != bin) {
                close(&mut open, &mut summary)?;
                open = Some((bin, LineFile::create(options, &path(arrival))?));
            }
            if let Some((_, lines)) = &mut open {
                line.clear();
                records.write(&mut line, row);
                lines.write(&line)?;
                summary.count(row, options);
            }
        }
    }
    close(&mut open, &mut summary)?;
    Ok(summary)
}

fn close(open: &mut Option<(i64, LineFile)>, summary: &mut SynthSummary) -> Result<()> {
    if let Some((_, lines)) = open.take() {
        summary.bytes += lines.finish()?;
        summary.files += 1;
    }
    Ok(())
}

/// A file of JSON Lines, compressed or not.
struct LineFile {
    path: String,
    sink: LineSink,
}

enum LineSink {
    Plain(BufWriter<NewFile>),
    Gzip(GzEncoder<NewFile>),
    Zstd(zstd::Encoder<'static, NewFile>),
}

impl LineFile {
    fn create(options: &SynthOptions, path: &str) -> Result<Self> {
        let path = format!("{path}{}", suffix(options.compression));
        let file = NewFile::create(&options.out, &path)?;
        let sink = match options.compression {
            SynthCompression::None => Ok(LineSink::Plain(BufWriter::with_capacity(1 << 16, file))),
            SynthCompression::Gzip => Ok(LineSink::Gzip(GzEncoder::new(file, flate2::Compression::fast()))),
            SynthCompression::Zstd => zstd::Encoder::new(file, 1).map(LineSink::Zstd),
        };
        sink.map(|sink| Self { sink, path: path.clone() }).map_err(|source| Error::io(path, source))
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        let written = match &mut self.sink {
            LineSink::Plain(sink) => sink.write_all(line),
            LineSink::Gzip(sink) => sink.write_all(line),
            LineSink::Zstd(sink) => sink.write_all(line),
        };
        written.map_err(|source| Error::io(&self.path, source))
    }

    /// Renames the file to its final name and returns its length in bytes.
    fn finish(self) -> Result<u64> {
        let file = match self.sink {
            LineSink::Plain(sink) => sink.into_inner().map_err(io::IntoInnerError::into_error),
            LineSink::Gzip(sink) => sink.finish(),
            LineSink::Zstd(sink) => sink.finish(),
        };
        file.map_err(|source| Error::io(self.path, source))?.finish()
    }
}

/// A member of a JSON object: its key with quotes and colon, and how its value is read from a row.
type Member<R> = (String, SynthValue<R>);

/// The structure of the rows in an export shape.
enum Records<R> {
    /// An object with a member for each column.
    Flat(Vec<Member<R>>),
    /// An envelope with an object named `properties` inside.
    Enveloped { envelope: Vec<Member<R>>, properties: Vec<Member<R>> },
}

impl<R: SynthRow> Records<R> {
    fn new(shape: Shape, format: &TableFormat<R>) -> Self {
        let members = |keys: &[(&str, &str)]| {
            // Tables that share their records do not have all columns of each other.
            let found = keys.iter().filter_map(|(name, column)| Some((key(name), format.find(column)?.value)));
            found.collect()
        };
        match shape {
            Shape::Diagnostic => {
                Self::Enveloped { envelope: members(format.envelope), properties: members(format.properties) }
            }
            _ => Self::Flat(format.columns.iter().map(|column| (key(column.name), column.value)).collect()),
        }
    }

    /// Appends a row as a line, with its line end, which is CRLF in diagnostic settings.
    fn write(&self, out: &mut Vec<u8>, row: &R) {
        match self {
            Self::Flat(members) => {
                out.push(b'{');
                for (key, value) in members {
                    out.extend_from_slice(key.as_bytes());
                    write_flat(out, row, *value);
                    out.push(b',');
                }
                replace_last(out, b"}\n");
            }
            Self::Enveloped { envelope, properties } => {
                out.push(b'{');
                for (key, value) in envelope {
                    write_member(out, key, row, *value);
                }
                out.extend_from_slice(br#""properties":{"#);
                for (key, value) in properties {
                    out.extend_from_slice(key.as_bytes());
                    write_nested(out, row, *value);
                    out.push(b',');
                }
                replace_last(out, b"}}\r\n");
            }
        }
    }
}

fn key(name: &str) -> String {
    format!("\"{name}\":")
}

/// Replaces the comma after the last member with the end of the object.
fn replace_last(out: &mut Vec<u8>, end: &[u8]) {
    out.pop();
    out.extend_from_slice(end);
}

/// Writes a member of the envelope. Times have seven digits, and a member with an empty string is left out.
fn write_member<R>(out: &mut Vec<u8>, key: &str, row: &R, value: SynthValue<R>) {
    if matches!(value, SynthValue::Text(text) if text(row).is_empty()) {
        return;
    }
    out.extend_from_slice(key.as_bytes());
    write_flat(out, row, value);
    out.push(b',');
}

/// Writes a value of a flat row; the JSON of a string column becomes a JSON string.
fn write_flat<R>(out: &mut Vec<u8>, row: &R, value: SynthValue<R>) {
    match value {
        SynthValue::Text(text) | SynthValue::Json(text) => write_text(out, text(row)),
        SynthValue::Dynamic(json) => out.extend_from_slice(json(row).as_bytes()),
        SynthValue::Bool(truth) => out.extend_from_slice(truth_text(truth(row))),
        SynthValue::Long(number) => out.extend_from_slice(number(row).to_string().as_bytes()),
        SynthValue::Real(number) => out.extend_from_slice(number(row).to_string().as_bytes()),
        SynthValue::Time(time) => {
            out.push(b'"');
            write_fixed(out, time(row));
            out.push(b'"');
        }
    }
}

/// Writes a value inside `properties`. JSON is nested, and trailing zeros of times are removed.
fn write_nested<R>(out: &mut Vec<u8>, row: &R, value: SynthValue<R>) {
    match value {
        SynthValue::Json(json) => out.extend_from_slice(json(row).as_bytes()),
        SynthValue::Time(time) => {
            out.push(b'"');
            write_trimmed(out, time(row));
            out.push(b'"');
        }
        other => write_flat(out, row, other),
    }
}

fn truth_text(truth: Option<bool>) -> &'static [u8] {
    match truth {
        None => b"null",
        Some(true) => b"true",
        Some(false) => b"false",
    }
}
