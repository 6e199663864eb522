//! Binds `ingestionMapping`, which states from which part of a record each column of external data is read.
//!
//! Source: the reference's page on data mappings. A column that the mapping does not name is null.

use super::{Bind, Binder};
use crate::diagnostic::{Code, Span};
use crate::functions::scalar::json_path;
use crate::scan::{ExternalColumn, ExternalFormat};
use crate::types::dynamic::{self, Kind, Path, Step};
use crate::types::{Field, Schema};

impl Binder<'_> {
    /// Returns the source of each of `columns` according to the mapping in `text`.
    pub(super) fn external_mapping(
        &mut self,
        text: &str,
        span: Span,
        format: ExternalFormat,
        columns: &Schema,
    ) -> Bind<Vec<ExternalColumn>> {
        if format == ExternalFormat::Parquet {
            return self.error(Code::UnsupportedSyntax, span, "`ingestionMapping` is not supported for Parquet");
        }
        if dynamic::validate(text.as_bytes()).is_err() || dynamic::kind(text) != Kind::Array {
            return self.error(Code::InvalidValue, span, "`ingestionMapping` must be a JSON array");
        }
        let mut mapping = vec![ExternalColumn::Missing; columns.len()];
        for element in dynamic::elements(text) {
            let entry = MappingEntry::of(element);
            let Some(index) = entry.text(&["column", "name"]).and_then(|name| columns.index_of(&name)) else {
                let message = format!("`ingestionMapping` names a column that is not declared: {element}");
                return self.error(Code::InvalidValue, span, message);
            };
            if entry.text(&["transform"]).is_some_and(|transform| !transform.eq_ignore_ascii_case("none")) {
                return self.error(Code::UnsupportedSyntax, span, "transformations of a mapping are not supported");
            }
            mapping[index] = match entry.source(format) {
                Some(source) => source,
                None => {
                    let message = format!("`ingestionMapping` does not say what this column is read from: {element}");
                    return self.error(Code::InvalidValue, span, message);
                }
            };
        }
        Ok(mapping)
    }
}

/// Returns the mapping that applies without `ingestionMapping`: by position or by name, depending on the format.
pub(super) fn default_mapping(format: ExternalFormat, columns: &Schema) -> Vec<ExternalColumn> {
    let column = |(index, field): (usize, &Field)| match format.is_positional() {
        true => ExternalColumn::Cell(index),
        false => ExternalColumn::Path(Path::new(vec![Step::Member(field.name.clone())])),
    };
    columns.fields().iter().enumerate().map(column).collect()
}

/// The properties of one column, by their names in lower case. Older mappings have them in the entry of the column
/// itself.
struct MappingEntry<'a>(Vec<(String, &'a str)>);

impl<'a> MappingEntry<'a> {
    fn of(element: &'a str) -> Self {
        let entries = |bag: &'a str| {
            dynamic::unique_entries(bag).into_iter().map(|entry| (entry.key.text().to_lowercase(), entry.value))
        };
        let mut all: Vec<(String, &str)> = entries(element).collect();
        if let Some((_, properties)) = all.iter().find(|(key, _)| key == "properties") {
            all.extend(entries(properties).collect::<Vec<_>>());
        }
        Self(all)
    }

    /// Returns the value of the first property that has one of these names, without quotes.
    fn text(&self, names: &[&str]) -> Option<String> {
        let (_, json) = self.0.iter().find(|(key, json)| names.contains(&key.as_str()) && *json != "null")?;
        Some(dynamic::to_text(json).into_owned())
    }

    /// Returns the source of the column; None if the entry has none for this format.
    fn source(&self, format: ExternalFormat) -> Option<ExternalColumn> {
        if let Some(constant) = self.text(&["constvalue", "constantvalue"]) {
            return Some(ExternalColumn::Constant(constant));
        }
        if format.is_positional() {
            return self.text(&["ordinal"])?.parse().ok().map(ExternalColumn::Cell);
        }
        if let Some(field) = self.text(&["field"]) {
            return Some(ExternalColumn::Path(Path::new(vec![Step::Member(field)])));
        }
        let path = self.text(&["path"])?;
        match path.starts_with('$') {
            true => json_path::parse(&path).map(|steps| ExternalColumn::Path(Path::new(steps))),
            // Anything else is a constant.
            false => Some(ExternalColumn::Constant(path)),
        }
    }
}
