//! KQL's types and values, independent of any query, and their representation in Arrow arrays.
//!
//! | KQL | Arrow | unit |
//! | --- | --- | --- |
//! | bool | Boolean | |
//! | int | Int32 | |
//! | long | Int64 | |
//! | real | Float64 | |
//! | decimal | FixedSizeBinary(16) | a [`decimal::Decimal`], serialised |
//! | string | Utf8View, or Dictionary(Int32, Utf8) | never null: an absent string is "" |
//! | datetime | Int64 | ticks of 100 ns since 0001-01-01T00:00:00Z |
//! | timespan | Int64 | ticks of 100 ns |
//! | guid | FixedSizeBinary(16) | bytes in the order of the text form |
//! | dynamic | Utf8View, or Dictionary(Int32, Utf8) | JSON, not necessarily compact; JSON `null` is a null |
//!
//! The Arrow type alone does not tell a datetime from a long: the KQL [`Schema`] accompanies every batch.

pub mod batch;
pub mod batch_size;
pub mod cast;
pub mod column;
pub mod datetime;
pub mod decimal;
pub mod dictionary;
pub(crate) mod dictionary_encode;
pub mod dynamic;
pub mod extract;
pub mod guid;
pub(crate) mod interner;
pub mod number;
pub mod schema;
pub mod timespan;
pub mod value;

use std::fmt;

use arrow::datatypes::DataType;

pub use batch::Batch;
pub use batch_size::SharedMemory;
pub use column::{Column, ColumnBuilder};
pub use decimal::Decimal;
pub use schema::{Field, Schema};
pub use value::Value;

/// A KQL type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the type of that name in the language")]
pub enum Type {
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    String,
    Datetime,
    Timespan,
    Guid,
    Dynamic,
}

/// The spellings of each type, with the canonical one first. Source: the reference's pages on scalar data types.
const SPELLINGS: &[(Type, &[&str])] = &[
    (Type::Bool, &["bool", "boolean"]),
    (Type::Int, &["int", "int32"]),
    (Type::Long, &["long", "int64"]),
    (Type::Real, &["real", "double"]),
    (Type::Decimal, &["decimal"]),
    (Type::String, &["string"]),
    (Type::Datetime, &["datetime", "date"]),
    (Type::Timespan, &["timespan", "time"]),
    (Type::Guid, &["guid", "uuid", "uniqueid"]),
    (Type::Dynamic, &["dynamic"]),
];

impl Type {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Bool,
        Self::Int,
        Self::Long,
        Self::Real,
        Self::Decimal,
        Self::String,
        Self::Datetime,
        Self::Timespan,
        Self::Guid,
        Self::Dynamic,
    ];

    /// Returns the canonical name of the type, such as `long`.
    #[must_use]
    pub fn name(self) -> &'static str {
        SPELLINGS.iter().find(|(ty, _)| *ty == self).map_or("", |(_, names)| names[0])
    }

    /// Looks up a type by any of its spellings.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        SPELLINGS.iter().find(|(_, names)| names.contains(&word)).map(|(ty, _)| *ty)
    }

    /// Returns the Arrow type of a plain (not dictionary-encoded) array of this type.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long | Self::Datetime | Self::Timespan => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Decimal | Self::Guid => DataType::FixedSizeBinary(16),
            Self::String | Self::Dynamic => DataType::Utf8View,
        }
    }

    /// True if the type is int, long, real or decimal.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Long | Self::Real | Self::Decimal)
    }

    /// True if the type is int or long.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int | Self::Long)
    }

    /// True for string and dynamic, both of which have arrays of strings.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Dynamic)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
