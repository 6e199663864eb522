//! Finds the input rows that an archive already has, by their `Id`.

use std::collections::HashSet;

use arrow::array::BooleanArray;

use crate::diagnostic::{Error, Result};
use crate::engine::{Engine, Flow};
use crate::types::{Batch, Schema, Type, guid};

/// The column that identifies a record.
const ID: &str = "Id";

/// The `Id`s of all rows of a table in an archive.
#[derive(Debug, Default)]
pub struct KnownIds {
    /// The `Id`s that are guids. Nearly all are, and a guid takes a quarter of the memory of its string.
    guids: HashSet<[u8; 16]>,
    others: HashSet<Box<str>>,
    other_bytes: usize,
    column: usize,
    /// Number of input rows that the archive already has.
    pub known: u64,
    /// Number of input rows without an `Id`, which cannot be compared.
    pub without: u64,
}

impl KnownIds {
    /// Reads the `Id`s of `table`. `archive` is an engine over the archive; `schema` has the columns of the input
    /// rows.
    ///
    /// # Errors
    /// The table has no `Id`, the archive cannot be read completely, or the `Id`s take more than `max_memory` bytes.
    pub fn read(archive: &Engine, table: &str, schema: &Schema, max_memory: u64) -> Result<Self> {
        let column = schema.index_of(ID).filter(|&index| schema.field(index).ty == Type::String);
        let column = column.ok_or_else(|| {
            Error::Usage(format!(
                "{table} has no column {ID} to tell new rows from those in the archive: convert to a new folder"
            ))
        })?;
        let mut ids = Self { column, ..Self::default() };
        let prepared = archive.prepare(&format!("{} | project {ID}", super::quoted(table)))?;
        prepared.run(&mut |batch| {
            (0..batch.rows()).for_each(|row| ids.insert(batch.column(0).text_at(row).unwrap_or_default()));
            if ids.bytes() > max_memory {
                let text =
                    "the Ids of the archive do not fit into memory: raise --max-memory, or convert to a new folder";
                return Err(Error::Limit(text.to_owned()));
            }
            Ok(Flow::Continue(()))
        })?;
        match prepared.report().problems().into_iter().next() {
            Some((file, _)) => {
                let reason = "the archive is damaged: nothing is added to it".to_owned();
                Err(Error::Data { file, place: None, reason })
            }
            None => Ok(ids),
        }
    }

    fn bytes(&self) -> u64 {
        // A hash set has capacity for up to twice its entries, and one control byte per entry.
        (self.guids.capacity() * 17 + self.others.capacity() * 17 + self.other_bytes) as u64
    }

    fn insert(&mut self, id: &str) {
        match as_guid(id) {
            Some(bytes) => {
                self.guids.insert(bytes);
            }
            None if id.is_empty() => {}
            None => {
                if self.others.insert(id.into()) {
                    self.other_bytes += id.len();
                }
            }
        }
    }

    fn holds(&self, id: &str) -> bool {
        as_guid(id).map_or_else(|| self.others.contains(id), |bytes| self.guids.contains(&bytes))
    }

    /// Returns the rows that the archive does not have, and counts the others. Several rows with the same `Id` in the
    /// input are all kept.
    pub fn only_new(&mut self, batch: &Batch) -> Result<Batch> {
        let ids = batch.column(self.column);
        let text = |row: usize| ids.text_at(row).unwrap_or_default();
        let is_new: Vec<bool> = (0..batch.rows()).map(|row| !self.holds(text(row))).collect();
        self.known += is_new.iter().filter(|new| !**new).count() as u64;
        self.without += (0..batch.rows()).filter(|row| text(*row).is_empty()).count() as u64;
        batch.filter(&BooleanArray::from(is_new))
    }
}

/// Parses a guid in the form that exports use, in lower case; None for other `Id`s, which are kept as strings.
fn as_guid(id: &str) -> Option<[u8; 16]> {
    let usual = id.len() == 36 && !id.bytes().any(|byte| byte.is_ascii_uppercase());
    if usual { guid::parse(id) } else { None }
}
