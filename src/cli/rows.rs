//! Small tables that commands answer besides queries: written in any format, as query answers are.

use super::args::OutputArgs;
use super::configuration::Defaults;
use super::target::Target;
use crate::diagnostic::Result;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

/// Writes `rows`, whose cells are of the types of `columns`; in the format of `defaults` if the call names none.
pub(super) fn write(
    (output, defaults): (&OutputArgs, &Defaults),
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
    let target = Target::or(output, defaults.output.as_deref())?.with_excel_safe(defaults.excel_safe == Some(true));
    let mut writer = target.open(&schema, None)?;
    writer.batch(&Batch::new(columns, count))?;
    writer.finish()
}
