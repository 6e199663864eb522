//! Provenance columns, which say where a row came from. Tables of files have them on request, after their own columns.

use std::sync::Arc;

use crate::types::{Field, Schema, Type};

/// A provenance column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The name of the file.
    File,
    /// The line in which the record begins, in the decompressed text; for Event Hub Capture the number of the message
    /// in the file; for Parquet the row. Counted from 1.
    Line,
    /// The offset of the record's first byte, in the decompressed text as UTF-8; for Event Hub Capture the offset in
    /// the body of the message. Null for Parquet.
    Byte,
    /// The export shape of the record.
    Shape,
    /// An internal number that is unique in the scan and grows in the order of the rows.
    Position,
}

/// Bits of a position that hold the offset or row in the file; the bits above hold the index of the file.
const OFFSET_BITS: u32 = 40;

impl Provenance {
    /// All columns in order; the internal one is last.
    pub const ALL: [Self; 5] = [Self::File, Self::Line, Self::Byte, Self::Shape, Self::Position];

    /// Number of columns that users see.
    pub const VISIBLE: usize = 4;

    /// Its name.
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

    /// Its type.
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

/// The position of a row: `offset` is its byte or row in the file with the index `file`.
#[must_use]
pub fn position(file: usize, offset: u64) -> i64 {
    let file = i64::try_from(file).unwrap_or(i64::MAX >> OFFSET_BITS);
    let offset = i64::try_from(offset.min((1 << OFFSET_BITS) - 1)).unwrap_or(0);
    (file << OFFSET_BITS) | offset
}

/// The columns of a table, followed by provenance columns.
#[derive(Clone, Debug)]
pub struct ProvenanceColumns {
    /// All columns.
    pub schema: Schema,
    /// The table's own columns.
    own: usize,
    columns: Arc<[Provenance]>,
}

impl ProvenanceColumns {
    /// Without provenance columns.
    #[must_use]
    pub fn none(own: &Schema) -> Self {
        Self { schema: own.clone(), own: own.len(), columns: Arc::default() }
    }

    /// With all provenance columns, except for those whose name the table has itself.
    #[must_use]
    pub fn all(own: &Schema) -> Self {
        let columns: Arc<[Provenance]> =
            Provenance::ALL.into_iter().filter(|column| own.index_of(column.name()).is_none()).collect();
        let fields = own.fields().iter().cloned().chain(columns.iter().map(|column| column.field()));
        Self { schema: Schema::new(fields), own: own.len(), columns }
    }

    /// Adds one more column at the end.
    #[must_use]
    pub fn with(&self, field: Field) -> Self {
        let fields = self.schema.fields().iter().cloned().chain([field]);
        Self { schema: Schema::new(fields), own: self.own, columns: Arc::clone(&self.columns) }
    }

    /// The provenance column at `index`; None for the table's own columns.
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
