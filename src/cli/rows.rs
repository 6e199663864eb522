//! Writes the tables that commands other than queries produce, in any output format.

use super::args::OutputArgs;
use super::configuration::Defaults;
use super::destination::Destination;
use super::digest::OutputDigest;
use crate::diagnostic::Result;
use crate::engine::DEFAULT_BATCH_ROWS;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

/// Writes `rows`, whose cells have the types of `columns`, in the format of the options or else of `defaults`.
pub(super) fn write(
    output: &OutputArgs,
    defaults: &Defaults,
    columns: &[(&str, Type)],
    rows: impl IntoIterator<Item = Vec<Value>>,
) -> Result<()> {
    write_hashed(output, defaults, columns, rows, None)
}

/// Like [`write()`]; the bytes are hashed by `digest`.
pub(super) fn write_hashed(
    output: &OutputArgs,
    defaults: &Defaults,
    columns: &[(&str, Type)],
    rows: impl IntoIterator<Item = Vec<Value>>,
    digest: Option<&OutputDigest>,
) -> Result<()> {
    let schema = Schema::new(columns.iter().map(|(name, ty)| Field::new(*name, *ty)));
    let destination = Destination::with_default(output, defaults.output.as_deref())?
        .with_digest(digest.cloned())
        .with_excel_safe(defaults.excel_safe == Some(true));
    let mut writer = destination.open(&schema, None)?;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut builders: Vec<ColumnBuilder> = columns.iter().map(|(_, ty)| ColumnBuilder::new(*ty)).collect();
        let mut count = 0;
        for row in rows.by_ref().take(DEFAULT_BATCH_ROWS) {
            builders.iter_mut().zip(&row).for_each(|(builder, value)| builder.append(value));
            count += 1;
        }
        writer.batch(&Batch::new(builders.iter_mut().map(ColumnBuilder::finish).collect(), count))?;
    }
    writer.finish()
}
