//! Reads the whole text of a file, for small files and formats that cannot be read record by record.

use std::io::Read;
use std::sync::Arc;

use super::open::{FileReport, Opened, open_text};
use super::{AvroContent, decode, without_byte_order_mark};
use crate::diagnostic::{Error, Result};
use crate::scan::{Damage, ScanReport, ScanReservation};
use crate::storage::counters::ScanCounters;
use crate::storage::files::DataFile;
use crate::storage::limits::{DecompressionLimit, ReadLimits};

/// Number of bytes that are read at once.
const CHUNK: u64 = 1 << 20;

/// Returns the text of `file`, decompressed and in UTF-8. The inner error has the reason why a file is not read.
/// Lines that are not UTF-8 are decoded as Windows-1252, and reported. If the file is damaged, the text before the
/// damage is returned, and the loss is reported. If `avro` is given, the file must be an Avro container, whose text has
/// this content.
///
/// # Errors
/// The file cannot be opened, decompresses to more than the limit, or is larger than `reservation` allows. If `avro` is
/// given, also if the file is no container, or has a schema that cannot be read.
pub(crate) fn whole_text(
    file: &DataFile,
    avro: Option<AvroContent>,
    limits: ReadLimits,
    report: &Arc<ScanReport>,
    counters: &Arc<ScanCounters>,
    reservation: &mut ScanReservation,
) -> Result<Result<String, &'static str>> {
    if let Some(reason) = file.refused() {
        return Ok(Err(reason));
    }
    let input = file.open_at(0, None, Some(counters))?;
    let is_avro = avro.is_some();
    let refused = |reason| Error::Data { file: file.name.clone(), place: None, reason };
    let content = avro.unwrap_or(AvroContent::Messages);
    let mut text = match open_text(file, input, Vec::new(), content, limits, report)? {
        Opened::Text(text) if is_avro && text.layers.container != Some("Avro") => {
            return Err(refused("it is not an Avro container, as the query says".to_owned()));
        }
        Opened::Text(text) => text,
        Opened::Columns => return Ok(Err("it is a columnar file, not text")),
        Opened::Refused(reason) => return Ok(Err(reason)),
    };
    let mut bytes = Vec::new();
    loop {
        // The decoded text may be as large as the bytes read.
        reservation.try_set(bytes.len().saturating_mul(2), &file.name)?;
        match text.input.by_ref().take(CHUNK).read_to_end(&mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                file.check_remote()?;
                if let Some(limit) = DecompressionLimit::of(&error) {
                    return Err(limit.error(&file.name));
                }
                if is_avro && bytes.is_empty() {
                    return Err(refused(error.to_string()));
                }
                let position = format!("byte {} of the decompressed text", bytes.len());
                report.lost(&file.name, position, format!("cannot be read: {error}; the rest is missing"));
                break;
            }
        }
    }
    file.check_remote()?;
    Ok(Ok(decoded(bytes, &FileReport::new(&file.name, Arc::clone(report)))))
}

/// Returns the bytes as text, without a byte order mark. Lines that are not UTF-8 are decoded as Windows-1252, and
/// reported.
fn decoded(bytes: Vec<u8>, report: &FileReport) -> String {
    let mark = bytes.len() - without_byte_order_mark(&bytes).len();
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let lines = error.as_bytes().split_inclusive(|byte| *byte == b'\n');
            let mut undecodable = 0;
            let text = lines.map(|line| {
                undecodable += u64::from(std::str::from_utf8(line).is_err());
                decode(line)
            });
            let text = text.collect();
            report.damaged(Damage::NotUtf8, undecodable);
            text
        }
    };
    text.drain(..mark);
    text
}
