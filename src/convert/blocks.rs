//! Collects input batches into blocks of some thousand rows that take little memory: strings with many duplicates are
//! encoded by [`StringDictionaries`], other values are copied out of the buffers of the reader.

use super::dictionaries::{self, StringDictionaries};
use crate::diagnostic::Result;
use crate::exec::spill::rows;
use crate::types::{Batch, Column, Schema, Type};

/// Maximum number of rows in a block.
const ROWS: usize = 4096;

/// Collects the rows of a block.
#[derive(Debug)]
pub(super) struct BlockBuilder {
    types: Vec<Type>,
    columns: Vec<Pending>,
    rows: usize,
    bytes: u64,
    max_bytes: u64,
}

#[derive(Debug)]
enum Pending {
    /// The column as dictionary codes.
    Codes(Vec<i32>),
    Parts(Vec<Column>),
}

impl BlockBuilder {
    /// Creates an empty builder, whose blocks have about `max_bytes` bytes.
    pub fn new(schema: &Schema, max_bytes: u64) -> Self {
        let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
        let columns = types.iter().map(|_| Pending::Parts(Vec::new())).collect();
        Self { types, columns, rows: 0, bytes: 0, max_bytes }
    }

    /// Appends rows, whose strings must be view arrays. Returns true if the block is full.
    pub fn push(&mut self, batch: &Batch, dictionaries: &mut StringDictionaries) -> Result<bool> {
        for (index, (pending, column)) in self.columns.iter_mut().zip(batch.columns()).enumerate() {
            if self.rows == 0 && dictionaries.is_open(index) {
                *pending = Pending::Codes(Vec::with_capacity(ROWS));
            }
            if pending.push(index, column, dictionaries)? {
                self.bytes += 4 * batch.rows() as u64;
            } else {
                self.bytes += rows::bytes(&Batch::new(vec![column.clone()], batch.rows()));
            }
        }
        self.rows += batch.rows();
        Ok(self.rows >= ROWS || self.bytes >= self.max_bytes)
    }

    /// True if no rows were appended since the last block.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Returns the block, and leaves the builder empty.
    pub fn finish(&mut self) -> Result<Batch> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        let pending = self.columns.iter_mut().map(|pending| std::mem::replace(pending, Pending::Parts(Vec::new())));
        let columns = pending.zip(&self.types).map(|(pending, ty)| pending.finish(*ty, rows)).collect::<Result<_>>()?;
        Ok(Batch::new(columns, rows))
    }
}

impl Pending {
    /// Appends the rows of a column; returns true if they were encoded.
    fn push(&mut self, index: usize, column: &Column, dictionaries: &mut StringDictionaries) -> Result<bool> {
        match self {
            Self::Parts(parts) => parts.push(column.clone()),
            Self::Codes(codes) => {
                if dictionaries.encode(index, column, codes) {
                    return Ok(true);
                }
                let before = dictionaries.decode(index, &dictionaries::code_column(codes))?;
                *self = Self::Parts(vec![before, column.clone()]);
            }
        }
        Ok(false)
    }

    fn finish(self, ty: Type, rows: usize) -> Result<Column> {
        let parts = match self {
            Self::Codes(codes) => return Ok(dictionaries::code_column(&codes)),
            Self::Parts(parts) => parts,
        };
        let parts: Vec<&Column> = parts.iter().filter(|part| part.rows() > 0).collect();
        match rows::common_constant(&parts) {
            Some(value) => Ok(Column::constant(value.clone(), rows)),
            None => rows::detached(&Column::concat(ty, &parts)?),
        }
    }
}
