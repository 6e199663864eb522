//! Writes the tables that commands other than queries produce, in any output format.

use super::args::OutputArgs;
use super::configuration::Defaults;
use super::destination::Destination;
use crate::diagnostic::Result;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

/// Writes `rows`, whose cells have the types of `columns`, in the format of the options or else of `defaults`.
pub(super) fn write(
    output: &OutputArgs,
    defaults: &Defaults,
    columns: &[(&str, Type)],
    rows: impl IntoIterator<Item = Vec<Value>>,
) -> Result<()> {
    let schema = Schema::new(columns.iter().map(|(name, ty)| Field::new(*name, *ty)));
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|(_, ty)| ColumnBuilder::new(*ty)).collect();
    let mut count = 0;
    for row in rows {
        builders.iter_mut().zip(&row).for_each(|(builder, value)| builder.append(value));
        count += 1;
    }
    let columns = builders.iter_mut().map(ColumnBuilder::finish).collect();
    let destination = Destination::with_default(output, defaults.output.as_deref())?
        .with_excel_safe(defaults.excel_safe == Some(true));
    let mut writer = destination.open(&schema, None)?;
    writer.batch(&Batch::new(columns, count))?;
    writer.finish()
}
