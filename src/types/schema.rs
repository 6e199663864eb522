//! The columns of a table, in order.

use std::sync::Arc;

use arrow::datatypes as arrow_types;

use super::Type;

/// A column: its case-sensitive name and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name of the column.
    pub name: String,
    /// The type of the column.
    pub ty: Type,
}

impl Field {
    /// Creates a column.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), ty }
    }
}

/// The columns of a table or result, in order, with unique names. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: Arc<[Field]>,
}

impl Schema {
    /// Creates a schema of `fields`, in this order.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().collect() }
    }

    /// Returns the columns.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True if there are no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the position of the column with this exact name; None if there is none.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Returns the column at `index`.
    #[must_use]
    pub fn field(&self, index: usize) -> &Field {
        &self.fields[index]
    }

    /// Returns the columns at `indices`, in that order.
    #[must_use]
    pub fn project(&self, indices: &[usize]) -> Self {
        Self::new(indices.iter().map(|&index| self.fields[index].clone()))
    }

    /// Returns the names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Returns the Arrow schema of a batch that consists of `arrays`. It depends on the arrays, because their encodings
    /// differ from batch to batch.
    #[must_use]
    pub fn arrow_for(&self, arrays: &[arrow::array::ArrayRef]) -> arrow_types::SchemaRef {
        let fields: Vec<_> = self
            .fields
            .iter()
            .zip(arrays)
            .map(|(field, array)| arrow_types::Field::new(&field.name, array.data_type().clone(), true))
            .collect();
        Arc::new(arrow_types::Schema::new(fields))
    }
}
