//! Batches: the unit in which rows flow between operators.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, DictionaryArray, RecordBatch, StringViewArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use super::{Column, Schema};
use crate::diagnostic::Result;

/// Columns of equal length. Their names are in the accompanying [`Schema`].
#[derive(Clone, Debug)]
pub struct Batch {
    columns: Vec<Column>,
    rows: usize,
}

impl Batch {
    /// Creates a batch of `columns`, which must have `rows` rows each. `rows` is needed because a batch can have no
    /// columns.
    #[must_use]
    pub fn new(columns: Vec<Column>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|column| column.rows() == rows), "columns of a batch have equal lengths");
        Self { columns, rows }
    }

    /// Returns the columns, in schema order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the column at `index`.
    #[must_use]
    pub fn column(&self, index: usize) -> &Column {
        &self.columns[index]
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the rows `offset..offset + rows`.
    #[must_use]
    pub fn slice(&self, offset: usize, rows: usize) -> Self {
        Self::new(self.columns.iter().map(|column| column.slice(offset, rows)).collect(), rows)
    }

    /// Returns the rows for which `mask` is true (null counts as false).
    pub fn filter(&self, mask: &BooleanArray) -> Result<Self> {
        let kept = mask.true_count();
        if kept == self.rows {
            return Ok(self.clone());
        }
        let columns = self.columns.iter().map(|column| column.filter(mask, kept)).collect::<Result<_>>()?;
        Ok(Self::new(columns, kept))
    }

    /// Returns the rows at `indices`, in that order; a null index gives a row of nulls.
    pub fn take(&self, indices: &arrow::array::UInt32Array) -> Result<Self> {
        let columns = self.columns.iter().map(|column| column.take(indices)).collect::<Result<_>>()?;
        Ok(Self::new(columns, indices.len()))
    }

    /// Concatenates batches whose columns have `types`.
    pub fn concat(types: &[super::Type], batches: &[Self]) -> Result<Self> {
        if let [one] = batches {
            return Ok(one.clone());
        }
        let column = |(index, ty): (usize, &super::Type)| {
            let parts: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
            Column::concat(*ty, &parts)
        };
        let columns = types.iter().enumerate().map(column).collect::<Result<_>>()?;
        Ok(Self::new(columns, batches.iter().map(Self::rows).sum()))
    }

    /// Returns the columns at `indices`, in that order.
    #[must_use]
    pub fn project(&self, indices: &[usize]) -> Self {
        Self::new(indices.iter().map(|&index| self.columns[index].clone()).collect(), self.rows)
    }

    /// Copies strings out of buffers of which the rows use little; see [`Column::compacted`].
    #[must_use]
    pub fn compacted(&self) -> Self {
        Self::new(self.columns.iter().map(Column::compacted).collect(), self.rows)
    }

    /// Returns the estimated size in memory, in bytes. For a dictionary with more entries than rows, only one entry of
    /// average length is counted for each row.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }

    /// Converts to an Arrow batch with the names of `schema`; constants become arrays.
    pub fn to_record_batch(&self, schema: &Schema) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.columns.iter().map(Column::to_array).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(schema.arrow_for(&arrays), arrays, &options)?)
    }
}

impl Column {
    /// Returns the rows `offset..offset + rows`.
    #[must_use]
    pub fn slice(&self, offset: usize, rows: usize) -> Self {
        match self.as_array() {
            Some(array) => Self::array(self.ty(), array.slice(offset, rows)),
            None => self.resized(rows),
        }
    }

    /// Returns the `kept` rows for which `mask` is true.
    fn filter(&self, mask: &BooleanArray, kept: usize) -> Result<Self> {
        match self.as_array() {
            Some(array) => Ok(Self::array(self.ty(), compute::filter(array, mask)?)),
            None => Ok(self.resized(kept)),
        }
    }

    /// Returns the rows at `indices`; a null index gives the null of the type, "" for string.
    pub fn take(&self, indices: &arrow::array::UInt32Array) -> Result<Self> {
        if indices.null_count() > 0 {
            return Ok(self.take_or_null(indices));
        }
        match self.as_array() {
            Some(array) => Ok(Self::array(self.ty(), compute::take(array, indices, None)?)),
            None => Ok(self.resized(indices.len())),
        }
    }

    fn take_or_null(&self, indices: &arrow::array::UInt32Array) -> Self {
        let mut builder = super::ColumnBuilder::with_capacity(self.ty(), indices.len());
        for index in indices {
            match index {
                Some(row) => builder.append(&self.value(row as usize)),
                None => builder.append_null(),
            }
        }
        builder.finish()
    }

    /// Copies the strings that the rows use to new buffers, if they are less than half of what the column keeps in
    /// memory. Without that, string views keep whole buffers in memory, and dictionaries all of their entries.
    #[must_use]
    pub fn compacted(&self) -> Self {
        /// Number of bytes of buffers below which copying is not worthwhile.
        const SMALL: usize = 64 << 10;
        let Some(array) = self.as_array() else { return self.clone() };
        let written_out = match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
            // More entries than rows: most entries are unused.
            Some(dictionary) if dictionary.values().len() > dictionary.len() => {
                compute::cast(array, &DataType::Utf8View).ok()
            }
            _ => None,
        };
        let array = written_out.as_ref().unwrap_or(array);
        let Some(views) = array.as_any().downcast_ref::<StringViewArray>() else { return self.clone() };
        let held: usize = views.data_buffers().iter().map(arrow::buffer::Buffer::len).sum();
        if held > SMALL && views.total_buffer_bytes_used() < held / 2 {
            return Self::array(self.ty(), Arc::new(views.gc()));
        }
        Self::array(self.ty(), Arc::clone(array))
    }

    fn bytes(&self) -> usize {
        let Some(array) = self.as_array() else { return 0 };
        match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
            Some(dictionary) => {
                let values = dictionary.values();
                let average = values.get_array_memory_size() / values.len().max(1);
                size_of_val(dictionary.keys().values().as_ref()) + average * array.len().min(values.len())
            }
            None => array.get_array_memory_size(),
        }
    }

    /// Concatenates columns of one type.
    pub fn concat(ty: super::Type, columns: &[&Self]) -> Result<Self> {
        let plain = |column: &&Self| {
            let array = column.to_array();
            if *array.data_type() == ty.arrow() { Ok(array) } else { compute::cast(&array, &ty.arrow()) }
        };
        match columns {
            [] => Ok(super::ColumnBuilder::new(ty).finish()),
            [one] => Ok((*one).clone()),
            several => {
                let constant = several[0].as_constant();
                if constant.is_some() && several.iter().all(|column| column.as_constant() == constant) {
                    return Ok(several[0].resized(several.iter().map(|column| column.rows()).sum()));
                }
                let arrays: Vec<ArrayRef> = several.iter().map(plain).collect::<Result<_, _>>()?;
                let views: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                Ok(Self::array(ty, compute::concat(&views)?))
            }
        }
    }
}
