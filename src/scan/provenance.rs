//! Where a row came from: columns that tables of files have on request, behind their own.

use std::sync::Arc;

use crate::types::{Field, Schema, Type};

/// A column about the origin of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The file, as it was named or found.
    File,
    /// The line in which the record begins, of the text as it is once it is unpacked; for Event Hub Capture the number
    /// of the message in the file, for Parquet the row. From 1.
    Line,
    /// The offset of the record's first byte, of the text unpacked and in UTF-8; for Event Hub Capture the offset in the
    /// body of the message. Null for Parquet.
    Byte,
    /// How the record is laid out.
    Shape,
    /// A number that no other row of the scan has and that grows in the order of the rows. Not for people.
    Position,
}

/// Bits of a position that tell the place inside a file; those above tell the file.
const PLACE_BITS: u32 = 40;

impl Provenance {
    /// Every column, in order; the internal one last.
    pub const ALL: [Self; 5] = [Self::File, Self::Line, Self::Byte, Self::Shape, Self::Position];

    /// The columns that users see.
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

/// The position of the row at `place` (a byte, a row) of the file at `file` in the list of files.
#[must_use]
pub fn position(file: usize, place: u64) -> i64 {
    let file = i64::try_from(file).unwrap_or(i64::MAX >> PLACE_BITS);
    let place = i64::try_from(place.min((1 << PLACE_BITS) - 1)).unwrap_or(0);
    (file << PLACE_BITS) | place
}

/// The columns of a table with those about the origin of rows behind them.
#[derive(Clone, Debug)]
pub struct ProvenanceColumns {
    /// All columns.
    pub schema: Schema,
    /// The table's own columns.
    own: usize,
    columns: Arc<[Provenance]>,
}

impl ProvenanceColumns {
    /// No columns about the origin.
    #[must_use]
    pub fn none(own: &Schema) -> Self {
        Self { schema: own.clone(), own: own.len(), columns: Arc::default() }
    }

    /// Every column about the origin whose name the table does not have itself.
    #[must_use]
    pub fn all(own: &Schema) -> Self {
        let columns: Arc<[Provenance]> =
            Provenance::ALL.into_iter().filter(|column| own.index_of(column.name()).is_none()).collect();
        let fields = own.fields().iter().cloned().chain(columns.iter().map(|column| column.field()));
        Self { schema: Schema::new(fields), own: own.len(), columns }
    }

    /// The same with one column more behind all others.
    #[must_use]
    pub fn with(&self, field: Field) -> Self {
        let fields = self.schema.fields().iter().cloned().chain([field]);
        Self { schema: Schema::new(fields), own: self.own, columns: Arc::clone(&self.columns) }
    }

    /// What the column at `index` tells of the origin; None for the table's own.
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
