//! The estimated size of values: `estimate_data_size()`.

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::Category;
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::{Column, Type};

/// Computes the size of all arguments together. The binder expands `*` into the columns.
pub(crate) static DATA_SIZE: ScalarFunction = ScalarFunction {
    name: "estimate_data_size",
    category: Category::Metadata,
    overloads: &[Overload {
        params: &[Param::of("column", Accepts::Any, "the values").any_number()],
        returns: Returns::Type(Type::Long),
        kernel: size,
    }],
    nulls: Nulls::Handled,
    ..ScalarFunction::DEFAULT
};

fn size(args: &Args<'_>) -> Result<Column> {
    Ok(args.map(|row| {
        let bytes = args.columns().iter().map(|column| bytes(column, row)).sum::<usize>();
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }))
}

fn bytes(column: &Column, row: usize) -> usize {
    match column.ty() {
        Type::String | Type::Dynamic => column.text_at(row).map_or(0, str::len),
        Type::Bool => 1,
        Type::Int => 4,
        Type::Long | Type::Real | Type::Datetime | Type::Timespan => 8,
        Type::Guid | Type::Decimal => 16,
    }
}
