//! new_guid: random guids.

use rand::Rng;

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Returns, Volatility};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "new_guid",
    category: Category::Conversion,
    summary: "Returns a random guid, a different one for each row.",
    overloads: &[Overload { params: &[], returns: Returns::Type(Type::Guid), kernel: new_guids }],
    examples: &[Example::new("gettype(new_guid())", "guid"), Example::new("new_guid() == new_guid()", "false")],
    volatility: Volatility::Row,
    ..ScalarFunction::DEFAULT
}];

fn new_guids(args: &Args<'_>) -> Result<Column> {
    let mut generator = args.context().generator();
    let mut builder = ColumnBuilder::with_capacity(Type::Guid, args.rows());
    for _ in 0..args.rows() {
        let mut bytes = [0; 16];
        generator.fill_bytes(&mut bytes);
        // Version 4, variant 1: a random guid by RFC 9562.
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        builder.append(&Value::Guid(bytes));
    }
    Ok(builder.finish())
}
