//! Texts: their length, parts and case.

use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::types::Type;

/// The functions of this family.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "strlen",
    category: Category::String,
    summary: "Number of characters of a text.",
    overloads: &[Overload {
        params: &[Param::new("source", Type::String, "the text to measure")],
        returns: Returns::Type(Type::Long),
        kernel: |args| Ok(args.map_text(0, |text| i64::try_from(text.chars().count()).ok())),
    }],
    examples: &[Example::new("strlen('héllo')", "5"), Example::new("strlen('')", "0")],
    result_name: ResultName::Prefix("strlen_"),
    ..ScalarFunction::DEFAULT
}];
