//! Reading and writing the elements of arrays in dynamic values.

use std::borrow::Cow;

use crate::functions::args::Args;
use crate::functions::signature::Param;
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind, to_text, write_value};
use crate::types::{Column, Type};

/// The parameter of functions that takes an array.
pub(super) const ARRAY: Param = Param::new("array", Type::Dynamic, "the array");

/// True if `json` is an array.
pub(super) fn is_array(json: &str) -> bool {
    kind(json) == Kind::Array
}

/// Returns the elements of the array in `row`; None if it is not an array.
pub(super) fn array_of(column: &Column, row: usize) -> Option<Vec<&str>> {
    column.text_at(row).filter(|json| is_array(json)).map(|json| elements(json).collect())
}

/// Returns the elements of the array in `row` as strings; a string is returned as the only element.
pub(super) fn texts_of(column: &Column, row: usize) -> Vec<Cow<'_, str>> {
    let text = column.text_at(row).unwrap_or("");
    match column.ty() {
        Type::Dynamic => elements(text).map(to_text).collect(),
        _ => vec![Cow::Borrowed(text)],
    }
}

/// Calls `of` with the elements of the array in the first argument and the row; null if the argument is not an array.
pub(super) fn map_array<T: crate::functions::ResultValue>(
    args: &Args<'_>,
    of: impl Fn(&[&str], usize) -> Option<T>,
) -> Column {
    args.map(|row| of(&array_of(args.column(0), row)?, row))
}

/// Returns the JSON of an array whose elements are given as JSON.
pub(super) fn written(elements: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut array = ArrayWriter::new();
    elements.into_iter().for_each(|element| array.push_json(element.as_ref()));
    array.finish()
}

/// An argument of any type, converted to JSON.
#[derive(Debug)]
pub(super) struct JsonArgument<'a> {
    column: &'a Column,
    constant: Option<String>,
}

impl<'a> JsonArgument<'a> {
    /// Prepares the argument at `index`.
    pub fn of(args: &Args<'a>, index: usize) -> Self {
        let constant = args.constant(index).map(|value| {
            let mut json = String::new();
            write_value(value, &mut json);
            json
        });
        Self { column: args.column(index), constant }
    }

    /// Returns the value of `row` as JSON.
    pub fn get(&self, row: usize) -> Cow<'_, str> {
        match &self.constant {
            Some(json) => Cow::Borrowed(json),
            None if self.column.ty() == Type::Dynamic => Cow::Borrowed(self.column.text_at(row).unwrap_or("null")),
            None => {
                let mut json = String::new();
                write_value(&self.column.value(row), &mut json);
                Cow::Owned(json)
            }
        }
    }
}

/// Returns the value of a JSON number; None if it is not a number.
pub(super) fn number(element: &str) -> Option<f64> {
    matches!(kind(element), Kind::Long | Kind::Double).then(|| element.parse().ok()).flatten()
}
