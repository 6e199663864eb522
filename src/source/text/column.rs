//! Builds an Arrow array from the JSON values of one column.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringViewBuilder};

use crate::entra::counted_times::parse_counted_time;
use crate::entra::dynamic_strings::{Fit, read_dynamic};
use crate::entra::integral_columns::json_without_point;
use crate::entra::iso_times::parse_export_time;
use crate::types::{Column, ColumnBuilder, Type, Value, cast, dynamic};

/// Builds one column, row by row. The column stays a constant as long as every row has the same generated string or
/// none.
#[derive(Debug)]
pub(crate) struct ColumnWriter {
    ty: Type,
    /// True if the strings of the column are integers; `5.0` is then stored as `5`.
    whole: bool,
    /// True for a dynamic column that contains only objects and arrays.
    nested: bool,
    constant: Option<Value>,
    constant_rows: usize,
    array: Option<BuilderOfType>,
}

#[derive(Debug)]
enum BuilderOfType {
    Bool(BooleanBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Text(StringViewBuilder),
    /// A builder for types that exports rarely have.
    Other(ColumnBuilder),
}

impl ColumnWriter {
    /// Creates a writer that has no rows yet.
    pub(crate) fn new(ty: Type) -> Self {
        Self { ty, whole: false, nested: false, constant: None, constant_rows: 0, array: None }
    }

    /// Returns the writer; with `whole`, its strings are integers.
    pub(crate) fn of_whole_numbers(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    /// Returns the writer; with `nested`, it expects only objects and arrays.
    pub(crate) fn of_nested(self, nested: bool) -> Self {
        Self { nested, ..self }
    }

    /// Appends a string that is usually the same in every record; "" stands for no value.
    pub(crate) fn append_constant(&mut self, text: &str) {
        let same = match &self.constant {
            None => self.array.is_none(),
            Some(Value::String(constant)) => **constant == *text,
            Some(_) => text.is_empty(),
        };
        if same && self.array.is_none() {
            if self.constant.is_none() {
                let value = if self.ty == Type::String { Value::string(text) } else { Value::null(self.ty) };
                self.constant = Some(value);
            }
            self.constant_rows += 1;
        } else {
            self.append_text_value(text);
        }
    }

    fn append_text_value(&mut self, text: &str) {
        let string = self.ty == Type::String;
        match self.builder() {
            BuilderOfType::Text(builder) if string => builder.append_value(text),
            BuilderOfType::Text(builder) => builder.append_null(),
            BuilderOfType::Bool(builder) => builder.append_null(),
            BuilderOfType::Integer(builder) => builder.append_null(),
            BuilderOfType::Real(builder) => builder.append_null(),
            BuilderOfType::Other(builder) => builder.append_null(),
        }
    }

    /// Appends a validated JSON value; None stands for a record that does not have the value. Returns how it fitted
    /// the type.
    pub(crate) fn append(&mut self, json: Option<&str>) -> Fit {
        let (ty, nested) = (self.ty, self.nested);
        let json =
            json.filter(|json| *json != "null").map(|json| if self.whole { json_without_point(json) } else { json });
        match self.builder() {
            BuilderOfType::Text(builder) => append_text(builder, ty, json, nested),
            BuilderOfType::Bool(builder) => {
                let value = json.map_or(ConvertedValue::Nothing, read_bool);
                builder.append_option(value.option());
                value.fit()
            }
            BuilderOfType::Integer(builder) => {
                let value = json.map_or(ConvertedValue::Nothing, |json| read_integer(json, ty));
                builder.append_option(value.option());
                value.fit()
            }
            BuilderOfType::Real(builder) => {
                let value = json.map_or(ConvertedValue::Nothing, read_real);
                builder.append_option(value.option());
                value.fit()
            }
            BuilderOfType::Other(builder) => {
                let text = json.map_or(Cow::Borrowed(""), scalar_text);
                let value = cast::cast(&Value::string(&*text), ty).unwrap_or(Value::null(ty));
                builder.append(&value);
                if text.trim().is_empty() || !value.is_null() { Fit::Whole } else { Fit::Misfit }
            }
        }
    }

    /// Appends a datetime as ticks. Columns of other types are not changed.
    pub(crate) fn append_ticks(&mut self, ticks: Option<i64>) {
        if let BuilderOfType::Integer(builder) = self.builder() {
            builder.append_option(ticks);
        }
    }

    /// Appends validated JSON to a dynamic column, exactly as written. Columns of other types are not changed.
    pub(crate) fn append_dynamic(&mut self, json: Option<&str>) {
        if let BuilderOfType::Text(builder) = self.builder() {
            builder.append_option(json.filter(|json| *json != "null"));
        }
    }

    fn builder(&mut self) -> &mut BuilderOfType {
        let Self { ty, constant, constant_rows, array, whole: _, nested: _ } = self;
        array.get_or_insert_with(|| {
            let mut builder = BuilderOfType::new(*ty);
            for _ in 0..std::mem::take(constant_rows) {
                builder.append_value(constant.as_ref());
            }
            builder
        })
    }

    /// Returns the memory that the strings of the column use, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        match &self.array {
            Some(BuilderOfType::Text(builder)) => builder.allocated_size(),
            _ => 0,
        }
    }

    /// Returns the column, and leaves the writer empty.
    pub(crate) fn finish(&mut self) -> Column {
        let rows = std::mem::take(&mut self.constant_rows);
        let constant = self.constant.take();
        match self.array.take() {
            Some(mut builder) => Column::array(self.ty, builder.finish()),
            None => Column::constant(constant.unwrap_or(Value::null(self.ty)), rows),
        }
    }
}

impl BuilderOfType {
    fn new(ty: Type) -> Self {
        match ty {
            Type::Bool => Self::Bool(BooleanBuilder::new()),
            Type::Real => Self::Real(Float64Builder::new()),
            Type::String | Type::Dynamic => Self::Text(StringViewBuilder::new()),
            Type::Long | Type::Datetime => Self::Integer(Int64Builder::new()),
            Type::Int | Type::Decimal | Type::Timespan | Type::Guid => Self::Other(ColumnBuilder::new(ty)),
        }
    }

    fn append_value(&mut self, value: Option<&Value>) {
        match (self, value) {
            (Self::Text(builder), Some(Value::String(text))) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Integer(builder), _) => builder.append_null(),
            (Self::Real(builder), _) => builder.append_null(),
            (Self::Other(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Real(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Other(builder) => builder.finish_array(),
        }
    }
}

/// The result of converting a JSON value to the type of the column.
enum ConvertedValue<T> {
    Value(T),
    Counted(T, &'static str),
    Nothing,
    Misfit,
}

impl<T: Copy> ConvertedValue<T> {
    fn option(&self) -> Option<T> {
        match self {
            Self::Value(value) | Self::Counted(value, _) => Some(*value),
            Self::Nothing | Self::Misfit => None,
        }
    }

    fn fit(&self) -> Fit {
        match self {
            Self::Value(_) | Self::Nothing => Fit::Whole,
            Self::Counted(_, unit) => Fit::Counted(unit),
            Self::Misfit => Fit::Misfit,
        }
    }

    fn of(value: Option<T>) -> Self {
        value.map_or(Self::Misfit, Self::Value)
    }
}

/// Appends a string or dynamic value. A string with unpaired surrogates is a misfit; U+FFFD replaces each of them.
fn append_text(builder: &mut StringViewBuilder, ty: Type, json: Option<&str>, nested: bool) -> Fit {
    if ty == Type::String {
        let text = json.map_or(Cow::Borrowed(""), dynamic::to_text);
        builder.append_value(&text);
        let is_cut = matches!(text, Cow::Owned(_)) && json.is_some_and(|json| has_half_pair(&text, json));
        return if is_cut { Fit::Misfit } else { Fit::Whole };
    }
    let (value, fit) = json.map_or((None, Fit::Whole), |json| read_dynamic(json, nested));
    builder.append_option(value);
    fit
}

/// True if unpaired surrogates were replaced in `text`: it has more replacement characters than the JSON.
fn has_half_pair(text: &str, json: &str) -> bool {
    let count = |text: &str, part: &str| text.matches(part).count();
    let replaced = count(text, "\u{fffd}");
    replaced > 0 && replaced > count(json, "\u{fffd}") + count(&json.to_ascii_lowercase(), "\\ufffd")
}

/// Returns the text of a scalar: the contents of a string, or the literal itself.
fn scalar_text(json: &str) -> Cow<'_, str> {
    if json.starts_with('"') { dynamic::unescape(json) } else { Cow::Borrowed(json) }
}

fn read_bool(json: &str) -> ConvertedValue<bool> {
    let text = scalar_text(json);
    match text.trim() {
        "" => ConvertedValue::Nothing,
        "1" => ConvertedValue::Value(true),
        "0" => ConvertedValue::Value(false),
        word if word.eq_ignore_ascii_case("true") => ConvertedValue::Value(true),
        word if word.eq_ignore_ascii_case("false") => ConvertedValue::Value(false),
        _ => ConvertedValue::Misfit,
    }
}

/// Reads a long, or a datetime as ticks.
fn read_integer(json: &str, ty: Type) -> ConvertedValue<i64> {
    let text = scalar_text(json);
    match text.trim() {
        "" => ConvertedValue::Nothing,
        text if ty == Type::Datetime => {
            let parsed = if json.starts_with('"') { parse_export_time(text) } else { None };
            match parsed {
                Some(ticks) => ConvertedValue::Value(ticks),
                None => parse_counted_time(text)
                    .map_or(ConvertedValue::Misfit, |(ticks, unit)| ConvertedValue::Counted(ticks, unit)),
            }
        }
        text => ConvertedValue::of(text.parse().ok().or_else(|| whole(text))),
    }
}

/// Reads an integer that is written with a decimal point or an exponent; None for fractions and large numbers.
fn whole(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53: exact")]
    let integer = number as i64;
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(integer)
}

fn read_real(json: &str) -> ConvertedValue<f64> {
    let text = scalar_text(json);
    match text.trim() {
        "" => ConvertedValue::Nothing,
        "NaN" => ConvertedValue::Value(f64::NAN),
        "Infinity" | "inf" => ConvertedValue::Value(f64::INFINITY),
        "-Infinity" | "-inf" => ConvertedValue::Value(f64::NEG_INFINITY),
        text if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) => {
            ConvertedValue::of(text.parse().ok())
        }
        _ => ConvertedValue::Misfit,
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnWriter, Fit};
    use crate::types::{Type, Value, dynamic};

    /// Returns the value that the column gets for one JSON value, and how it fitted.
    fn read(ty: Type, json: &str) -> (Value, Fit) {
        let mut writer = ColumnWriter::new(ty);
        let fits = writer.append(Some(json));
        (writer.finish().value(0), fits)
    }

    #[test]
    fn values_take_the_type_of_the_column() {
        let cases = [
            (Type::Long, "12", Value::Long(12)),
            (Type::Long, "\"12\"", Value::Long(12)),
            (Type::Long, "1.2e1", Value::Long(12)),
            (Type::Long, "\"\"", Value::Null(Type::Long)),
            (Type::Bool, "\"True\"", Value::Bool(true)),
            (Type::Bool, "1", Value::Bool(true)),
            (Type::Bool, "null", Value::Null(Type::Bool)),
            (Type::Real, "\"1.5\"", Value::Real(1.5)),
            (Type::String, "50126", Value::string("50126")),
            (Type::String, "[ {\"a\" : 1} ]", Value::string("[{\"a\":1}]")),
            (Type::String, "null", Value::string("")),
            (Type::Dynamic, "\"{\\\"a\\\":1}\"", Value::dynamic("{\"a\":1}")),
            (Type::Dynamic, "\"\"", Value::Null(Type::Dynamic)),
            (Type::Dynamic, "5", Value::dynamic("5")),
            (Type::Datetime, "\"0001-01-02\"", Value::Datetime(864_000_000_000)),
        ];
        for (ty, json, value) in cases {
            assert_eq!(read(ty, json), (value, Fit::Whole), "{ty} {json}");
        }
        for (ty, json) in [(Type::Long, "1.5"), (Type::Bool, "\"yes\""), (Type::Datetime, "5"), (Type::Real, "{}")] {
            assert_eq!(read(ty, json), (Value::Null(ty), Fit::Misfit), "{ty} {json}");
        }
    }

    #[test]
    fn strings_in_dynamic_columns_are_json_or_reported() {
        let quoted = |text: &str| {
            let mut json = String::new();
            dynamic::quote(text, &mut json);
            json
        };
        let read = |text: &str, nested: bool| {
            let mut writer = ColumnWriter::new(Type::Dynamic).of_nested(nested);
            let fit = writer.append(Some(&quoted(text)));
            (writer.finish().value(0), fit)
        };
        let bag = Value::dynamic("{\"a\":null}");
        assert_eq!(read("{'a': None}", false), (bag.clone(), Fit::Python));
        assert_eq!(read("{a}", false), (Value::dynamic("\"{a}\""), Fit::NotJson));
        assert_eq!(read("a", false), (Value::dynamic("\"a\""), Fit::Whole));
        assert_eq!(read("a", true), (Value::dynamic("\"a\""), Fit::NotJson));
        assert_eq!(read("None", true), (Value::Null(Type::Dynamic), Fit::Whole));
        assert_eq!(read(&quoted("{\"a\":null}"), true), (bag, Fit::Whole));
    }

    #[test]
    fn a_column_of_one_text_is_a_constant() {
        let mut writer = ColumnWriter::new(Type::String);
        writer.append_constant("a");
        writer.append_constant("a");
        let column = writer.finish();
        assert_eq!((column.as_constant(), column.rows()), (Some(&Value::string("a")), 2));
        writer.append_constant("a");
        writer.append_constant("b");
        writer.append(Some("\"c\""));
        let column = writer.finish();
        assert_eq!([0, 1, 2].map(|row| column.value(row)), ["a", "b", "c"].map(Value::string));
        let mut writer = ColumnWriter::new(Type::Long);
        writer.append_constant("");
        writer.append(Some("1"));
        assert_eq!(writer.finish().value(1), Value::Long(1));
    }
}
