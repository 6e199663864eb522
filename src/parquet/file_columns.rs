//! The columns of a file: their KQL types, their positions, and the Arrow types in which to read them.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, Encoding, LogicalType, Type as PhysicalType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::SchemaDescriptor;

use super::footer;
use crate::types::Type;

/// A top-level column of a file.
#[derive(Clone, Debug)]
pub(super) struct FileColumn {
    /// The name in the file.
    pub name: String,
    /// The KQL type that corresponds to the type in the file.
    pub ty: Type,
    /// The position among the top-level columns of the file.
    pub root: usize,
    /// The leaf columns: exactly one, unless the column is nested.
    pub leaves: Range<usize>,
    /// The form in which the values are stored.
    pub source: StoredAs,
}

/// The form in which the values of a column are stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StoredAs {
    /// Strings that the reader has validated as UTF-8.
    String,
    /// Bytes that are meant as strings, but were not validated.
    Bytes,
    /// UUIDs of sixteen bytes.
    Uuid,
    /// 96-bit timestamps (a day, and the nanoseconds in it), which the parquet crate truncates to 64 bits.
    Int96,
    /// Plain numbers that are ticks of a datetime or timespan. Only the footer of files of this program identifies
    /// them.
    Ticks(Type),
    /// Scalars of this Arrow type.
    Scalar(DataType),
    /// Structs, lists or maps.
    Nested,
}

impl FileColumn {
    /// Returns the leaf of the column; None if it is nested.
    pub fn leaf(&self) -> Option<usize> {
        (self.source != StoredAs::Nested).then_some(self.leaves.start)
    }
}

/// The columns of a file.
#[derive(Debug)]
pub(super) struct FileColumns {
    /// The readable columns in the order of the file.
    pub columns: Vec<FileColumn>,
    /// The columns that cannot be read, each with the reason.
    pub unreadable: Vec<(String, String)>,
    /// The Arrow schema of the whole file, as the types in the file suggest it.
    schema: SchemaRef,
}

impl FileColumns {
    /// Reads the columns from the footer. An error if the Parquet schema is invalid.
    pub fn new(metadata: &Arc<ParquetMetaData>) -> Result<Self, String> {
        let own = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let own = ArrowReaderMetadata::try_new(Arc::clone(metadata), own).map_err(|e| e.to_string())?;
        let durations = embedded_durations(metadata);
        let descriptor = metadata.file_metadata().schema_descr();
        let fields: Vec<ArrowField> = own
            .schema()
            .fields()
            .iter()
            .map(|field| match durations.iter().find(|(name, _)| name == field.name()) {
                Some((_, ty)) if *field.data_type() == DataType::Int64 => {
                    field.as_ref().clone().with_data_type(ty.clone())
                }
                _ => field.as_ref().clone(),
            })
            .collect();
        let mut layout = Self { columns: Vec::new(), unreadable: Vec::new(), schema: own.schema().clone() };
        for (root, field) in fields.iter().enumerate() {
            layout.add(root, field, descriptor);
        }
        layout.restore(&footer::columns(metadata));
        let schema = ArrowSchema::new_with_metadata(fields, own.schema().metadata().clone());
        layout.schema = Arc::new(schema);
        Ok(layout)
    }

    /// Sets the KQL types that the footer states, for columns whose stored type allows it.
    fn restore(&mut self, noted: &[(String, Type)]) {
        for column in &mut self.columns {
            let Some((_, ty)) = noted.iter().find(|(name, _)| *name == column.name) else { continue };
            match (&column.source, ty) {
                (StoredAs::String, _) => column.ty = *ty,
                (StoredAs::Scalar(DataType::Int64), Type::Datetime | Type::Timespan) => {
                    (column.ty, column.source) = (*ty, StoredAs::Ticks(*ty));
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, root: usize, field: &ArrowField, descriptor: &SchemaDescriptor) {
        let name = field.name().clone();
        let mut own = (0..descriptor.num_columns()).filter(|&leaf| descriptor.get_column_root_idx(leaf) == root);
        let Some(first) = own.next() else {
            self.unreadable.push((name, "it is a group without columns".to_owned()));
            return;
        };
        let leaves = first..own.next_back().unwrap_or(first) + 1;
        if self.columns.iter().any(|column| column.name == name) {
            self.unreadable.push((name, "the file has two columns of this name; the first is read".to_owned()));
            return;
        }
        let is_int96 = |leaf: usize| descriptor.column(leaf).physical_type() == PhysicalType::INT96;
        if field.data_type().is_nested() && leaves.clone().any(is_int96) {
            self.unreadable.push((name, "it has 96-bit timestamps inside of a struct, list or map".to_owned()));
            return;
        }
        match classify(field.data_type(), descriptor, first) {
            Some((ty, source)) => self.columns.push(FileColumn { name, ty, root, leaves, source }),
            None => self.unreadable.push((name, format!("its type {} has no counterpart in KQL", field.data_type()))),
        }
    }

    /// Returns the Arrow schema in which a row group is read: dictionaries for chunks in which every page is
    /// dictionary-encoded, views for other strings. A chunk with some plain pages is not read as a dictionary,
    /// because the dictionary would be rebuilt for each batch.
    pub fn schema_for(&self, group: &RowGroupMetaData) -> SchemaRef {
        self.schema_with(|column| match column.source {
            StoredAs::String if is_dictionary_only(group.column(column.leaves.start)) => {
                Some(DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)))
            }
            // Unannotated bytes are read as binary; JSON as strings that the reader did not validate.
            StoredAs::Bytes if *self.schema.field(column.root).data_type() == DataType::Binary => {
                Some(DataType::BinaryView)
            }
            StoredAs::String | StoredAs::Bytes => Some(DataType::Utf8View),
            StoredAs::Nested => Some(with_views(self.schema.field(column.root).data_type())),
            _ => None,
        })
    }

    /// Returns the schema that reads 96-bit timestamps as seconds, which cannot overflow.
    pub fn schema_of_seconds(&self) -> SchemaRef {
        self.schema_with(|column| {
            (column.source == StoredAs::Int96).then_some(DataType::Timestamp(TimeUnit::Second, None))
        })
    }

    fn schema_with(&self, ty: impl Fn(&FileColumn) -> Option<DataType>) -> SchemaRef {
        let mut fields: Vec<ArrowField> = self.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        for column in &self.columns {
            if let Some(ty) = ty(column) {
                let field = &mut fields[column.root];
                *field = field.clone().with_data_type(ty);
            }
        }
        Arc::new(ArrowSchema::new_with_metadata(fields, self.schema.metadata().clone()))
    }
}

/// Returns a nested type in which strings are views: views share the entries of a dictionary instead of copying them.
fn with_views(ty: &DataType) -> DataType {
    let field = |field: &ArrowField| Arc::new(field.clone().with_data_type(with_views(field.data_type())));
    match ty {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|inner| field(inner)).collect()),
        DataType::List(inner) => DataType::List(field(inner)),
        DataType::Map(inner, sorted) => DataType::Map(field(inner), *sorted),
        other => other.clone(),
    }
}

/// Returns the columns with durations. Parquet has no such type; only the Arrow schema that Arrow writers embed
/// identifies them.
fn embedded_durations(metadata: &Arc<ParquetMetaData>) -> Vec<(String, DataType)> {
    let Ok(embedded) = ArrowReaderMetadata::try_new(Arc::clone(metadata), ArrowReaderOptions::new()) else {
        return Vec::new();
    };
    let fields = embedded.schema().fields().iter();
    fields
        .filter(|field| matches!(field.data_type(), DataType::Duration(_)))
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect()
}

/// Returns the KQL type of a column and the form in which it is stored; None if KQL has no such type.
fn classify(ty: &DataType, descriptor: &SchemaDescriptor, leaf: usize) -> Option<(Type, StoredAs)> {
    let leaf = descriptor.column(leaf);
    let scalar = |kql| Some((kql, StoredAs::Scalar(ty.clone())));
    match ty {
        DataType::Null => scalar(Type::Dynamic),
        DataType::Boolean => scalar(Type::Bool),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => scalar(Type::Int),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => scalar(Type::Long),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => scalar(Type::Real),
        DataType::Decimal128(..) | DataType::Decimal256(..) => scalar(Type::Decimal),
        DataType::Timestamp(..) if leaf.physical_type() == PhysicalType::INT96 => {
            Some((Type::Datetime, StoredAs::Int96))
        }
        DataType::Date32 | DataType::Timestamp(..) => scalar(Type::Datetime),
        DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => scalar(Type::Timespan),
        DataType::Utf8 if leaf.converted_type() == ConvertedType::UTF8 => Some((Type::String, StoredAs::String)),
        // JSON is the only annotation of strings that implies their KQL type.
        DataType::Utf8 => Some((Type::Dynamic, StoredAs::Bytes)),
        DataType::Binary if is_text(leaf.logical_type_ref(), leaf.converted_type()) => {
            Some((Type::String, StoredAs::Bytes))
        }
        DataType::FixedSizeBinary(16) if leaf.logical_type_ref() == Some(&LogicalType::Uuid) => {
            Some((Type::Guid, StoredAs::Uuid))
        }
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) if is_printable(ty) => {
            Some((Type::Dynamic, StoredAs::Nested))
        }
        _ => None,
    }
}

/// True if a byte array that is not annotated as a string is read as one, because some writers omit the annotation.
fn is_text(logical: Option<&LogicalType>, converted: ConvertedType) -> bool {
    match logical {
        None => matches!(converted, ConvertedType::NONE | ConvertedType::ENUM),
        Some(logical) => *logical == LogicalType::Enum,
    }
}

/// True for types that can be converted to JSON (see `nested.rs`).
fn is_printable(ty: &DataType) -> bool {
    match ty {
        DataType::Struct(fields) => fields.iter().all(|field| is_printable(field.data_type())),
        DataType::List(field) | DataType::Map(field, _) => is_printable(field.data_type()),
        DataType::Interval(_) | DataType::FixedSizeBinary(_) | DataType::FixedSizeList(..) => false,
        _ => true,
    }
}

/// True if every data page of a chunk is certainly dictionary-encoded.
pub(super) fn is_dictionary_only(chunk: &ColumnChunkMetaData) -> bool {
    if chunk.dictionary_page_offset().is_none() {
        return false;
    }
    if let Some(mask) = chunk.page_encoding_stats_mask() {
        return mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY);
    }
    // Older writers list the encodings without the pages. If they use `PLAIN_DICTIONARY`, it also covers the dictionary
    // page, so `PLAIN`, or any other encoding of values, means that the chunk fell back.
    chunk.encodings().any(|encoding| encoding == Encoding::PLAIN_DICTIONARY)
        && chunk.encodings().all(|encoding| {
            #[expect(deprecated, reason = "old files name it for their levels")]
            let levels = matches!(encoding, Encoding::RLE | Encoding::BIT_PACKED);
            levels || encoding == Encoding::PLAIN_DICTIONARY
        })
}
