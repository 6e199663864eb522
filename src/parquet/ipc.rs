//! Reads Arrow IPC files and streams. Their values are converted like those of Parquet files.
//!
//! A file is a stream with magic bytes before it and a footer after it, so both are read as streams. The format has
//! no checksums: if the structure of a file is invalid, it is damaged, and its rows from there on are lost.

mod columns;
mod frames;
mod rows;

use std::io::{self, Read};
use std::sync::Arc;

use self::columns::IpcColumn;
use self::frames::{IpcFrame, IpcFrames, decode_schema};
use self::rows::IpcPart;
use super::footer::ANSWER_KEY;
use super::{FileInTable, reader};
use crate::diagnostic::{Error, Result};
use crate::scan::{Damage, Partition, ScanRequest};
use crate::storage::counters::ScanCount;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::types::{Field, Schema};

/// The magic bytes at the start of a file, padded to eight bytes; bare streams lack them.
const FILE_MARK: &[u8; 8] = b"ARROW1\0\0";

/// Maximum length of the padding after the magic bytes, in words of eight bytes.
const MAX_PADDING: usize = 15;

/// An Arrow IPC file or stream whose schema has been read.
#[derive(Debug)]
pub(crate) struct ArrowFile {
    file: DataFile,
    /// Maximum number of decompressed bytes of a message.
    limit: u64,
    columns: Vec<IpcColumn>,
    /// The columns that cannot be read, each with the reason.
    unreadable: Vec<(String, String)>,
    is_answer: bool,
}

impl ArrowFile {
    /// Opens `file` and reads its schema.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Data`] if it does not begin with a schema.
    pub fn of(file: &DataFile, limits: ReadLimits) -> Result<Arc<Self>> {
        let limit = limits.decompressed(file.bytes);
        let damaged = |reason: String| match file.location.fault() {
            Some(fault) => file.failed(fault),
            None => Error::Data { file: file.name.clone(), place: Some("schema".to_owned()), reason },
        };
        let mut frames = IpcFrames::new(open(file)?, file.bytes, limit);
        let schema = reader::guarded(|| match frames.next()? {
            IpcFrame::Message(message) => decode_schema(&message.bytes),
            IpcFrame::End => Err("it has no messages".to_owned()),
        });
        let schema = schema.map_err(damaged)?;
        let (columns, unreadable) = columns::of(&schema);
        let is_answer = schema.metadata().contains_key(ANSWER_KEY);
        Ok(Arc::new(Self { file: file.clone(), limit, columns, unreadable, is_answer }))
    }

    /// Returns the name of the file in messages.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Returns the columns that can be read, with the KQL types that the file suggests for them.
    pub fn columns(&self) -> Schema {
        Schema::new(self.columns.iter().map(|column| Field::new(&column.column.name, column.column.ty)))
    }

    /// True for a query result that this program wrote.
    pub fn is_answer(&self) -> bool {
        self.is_answer
    }

    /// Returns the number of rows in the messages that can be read.
    pub fn rows(&self) -> u64 {
        let Ok(input) = open(&self.file) else { return 0 };
        let mut frames = IpcFrames::new(input, self.file.bytes, self.limit);
        let mut rows = 0_u64;
        while let Ok(IpcFrame::Message(message)) = reader::guarded(|| frames.next()) {
            rows = rows.saturating_add(message.rows);
        }
        rows
    }

    /// Returns the partitions of the file: there is only one, because messages depend on earlier messages.
    pub fn partitions_of(self: &Arc<Self>, table: &FileInTable, request: &ScanRequest) -> Vec<Arc<dyn Partition>> {
        for (column, reason) in &self.unreadable {
            let damage = Damage::UnreadableColumn(column.clone(), reason.clone());
            request.report.damaged(damage, self.name(), 1);
        }
        request.counters.add(ScanCount::Files, 1);
        vec![Arc::new(IpcPart { file: Arc::clone(self), table: table.clone(), request: request.clone() })]
    }
}

/// Opens the stream in `file`.
fn open(file: &DataFile) -> Result<Box<dyn Read + Send>> {
    let mut input = file.open()?;
    let mut next = || {
        let mut bytes = Vec::with_capacity(FILE_MARK.len());
        let read = input.by_ref().take(FILE_MARK.len() as u64).read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|error| file.failed(error))
    };
    let mut head = next()?;
    if head == FILE_MARK {
        // Writers pad the magic bytes to their alignment.
        head = next()?;
        for _ in 0..MAX_PADDING {
            if head != [0; FILE_MARK.len()] {
                break;
            }
            head = next()?;
        }
    }
    Ok(Box::new(io::Cursor::new(head).chain(input)))
}
