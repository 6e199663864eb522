//! Binds `getschema`, which returns one row for each column of the input.

use std::sync::Arc;

use crate::binder::{Bind, Binder};
use crate::plan::LogicalPlan;
use crate::scan::MemoryTable;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type};

impl Binder<'_> {
    pub(super) fn getschema(input: &LogicalPlan) -> Bind<LogicalPlan> {
        let fields = input.schema().fields();
        let mut builders = [Type::String, Type::Int, Type::String, Type::String].map(ColumnBuilder::new);
        let [name, ordinal, data_type, column_type] = &mut builders;
        for (position, field) in fields.iter().enumerate() {
            name.append_text(&field.name);
            ordinal.append_i64(i64::try_from(position).unwrap_or(i64::MAX));
            data_type.append_text(runtime_type(field.ty));
            column_type.append_text(field.ty.name());
        }
        let columns = builders.iter_mut().map(ColumnBuilder::finish).collect();
        let schema = Schema::new([
            Field::new("ColumnName", Type::String),
            Field::new("ColumnOrdinal", Type::Int),
            Field::new("DataType", Type::String),
            Field::new("ColumnType", Type::String),
        ]);
        let table = MemoryTable::new(schema, vec![Batch::new(columns, fields.len())]);
        Ok(LogicalPlan::scan("getschema", Arc::new(table)))
    }
}

/// Returns the .NET name of a type.
/// Source: the reference's page on the getschema operator and its pages on scalar data types.
fn runtime_type(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "System.SByte",
        Type::Int => "System.Int32",
        Type::Long => "System.Int64",
        Type::Real => "System.Double",
        Type::Decimal => "System.Data.SqlTypes.SqlDecimal",
        Type::String => "System.String",
        Type::Datetime => "System.DateTime",
        Type::Timespan => "System.TimeSpan",
        Type::Guid => "System.Guid",
        Type::Dynamic => "System.Object",
    }
}
