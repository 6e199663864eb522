//! Provenance columns, which tell where a row comes from. If requested, tables of files have them after their own
//! columns.

use std::sync::Arc;

use crate::types::{Field, Schema, Type};

/// A provenance column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The name of the file.
    File,
    /// The line in which the record begins, from 1, in the decompressed text. For Event Hubs Capture, the number of
    /// the message in the file; for Parquet, the number of the row.
    Line,
    /// The offset of the first byte of the record, in the decompressed text as UTF-8. For Event Hubs Capture, the
    /// offset in the body of the message; null for Parquet.
    Byte,
    /// The export shape of the record.
    Shape,
    /// An internal number, which is unique in the scan and increases in the order of the rows.
    Position,
}

/// Number of bits of a position that have the offset or row in the file. The bits above them have the index of the
/// file.
const OFFSET_BITS: u32 = 40;

impl Provenance {
    /// All provenance columns in order; the internal one is the last.
    pub const ALL: [Self; 5] = [Self::File, Self::Line, Self::Byte, Self::Shape, Self::Position];

    /// Number of provenance columns that users see.
    pub const VISIBLE: usize = 4;

    /// Returns the name of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "_SourceFile",
            Self::Line => "_SourceLine",
            Self::Byte => "_SourceByte",
            Self::Shape => "_SourceShape",
            Self::Position => "_SourcePosition",
        }
    }

    /// Returns the type of the column.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Self::File | Self::Shape => Type::String,
            Self::Line | Self::Byte | Self::Position => Type::Long,
        }
    }

    fn field(self) -> Field {
        Field::new(self.name(), self.ty())
    }
}

/// Returns the position of a row: `offset` is its byte or row in the file, and `file` is the index of the file.
#[must_use]
pub fn position(file: usize, offset: u64) -> i64 {
    let file = i64::try_from(file).unwrap_or(i64::MAX >> OFFSET_BITS);
    let offset = i64::try_from(offset.min((1 << OFFSET_BITS) - 1)).unwrap_or(0);
    (file << OFFSET_BITS) | offset
}

/// The columns of a table, followed by provenance columns.
#[derive(Clone, Debug)]
pub struct ProvenanceColumns {
    /// All columns: those of the table, then the provenance columns.
    pub schema: Schema,
    /// The number of the table's own columns.
    own: usize,
    columns: Arc<[Provenance]>,
}

impl ProvenanceColumns {
    /// Creates the columns of a table without provenance columns.
    #[must_use]
    pub fn none(own: &Schema) -> Self {
        Self { schema: own.clone(), own: own.len(), columns: Arc::default() }
    }

    /// Creates the columns of a table with all provenance columns, except those whose name the table has itself.
    #[must_use]
    pub fn all(own: &Schema) -> Self {
        let columns: Arc<[Provenance]> =
            Provenance::ALL.into_iter().filter(|column| own.index_of(column.name()).is_none()).collect();
        let fields = own.fields().iter().cloned().chain(columns.iter().map(|column| column.field()));
        Self { schema: Schema::new(fields), own: own.len(), columns }
    }

    /// Returns the columns with one more column at the end.
    #[must_use]
    pub fn with(&self, field: Field) -> Self {
        let fields = self.schema.fields().iter().cloned().chain([field]);
        Self { schema: Schema::new(fields), own: self.own, columns: Arc::clone(&self.columns) }
    }

    /// Returns the provenance column at `index`; None for columns of the table itself.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Provenance> {
        self.columns.get(index.checked_sub(self.own)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Provenance, ProvenanceColumns, position};
    use crate::types::{Field, Schema, Type};

    #[test]
    fn names_of_the_table_come_first() {
        let own = Schema::new([Field::new("a", Type::Long), Field::new("_SourceLine", Type::Long)]);
        let origins = ProvenanceColumns::all(&own);
        assert_eq!(
            origins.schema.names().collect::<Vec<_>>(),
            ["a", "_SourceLine", "_SourceFile", "_SourceByte", "_SourceShape", "_SourcePosition"]
        );
        assert_eq!((origins.at(1), origins.at(2)), (None, Some(Provenance::File)));
        assert_eq!(ProvenanceColumns::none(&own).at(2), None);
    }

    #[test]
    fn positions_follow_the_order_of_rows() {
        assert!(position(0, 5) < position(0, 6) && position(0, u64::MAX) < position(1, 0));
    }
}
