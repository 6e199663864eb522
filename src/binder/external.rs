//! Binds `externaldata`: rows of the files to which the user maps the addresses in the query.
//!
//! Source: the reference's pages on the operator and on ingestion formats. The columns of delimited text are found by
//! position, those of JSON, Avro and Parquet by name.

use super::external_mapping::default_mapping;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::plan::LogicalPlan;
use crate::scan::{ExternalFormat, ExternalSource, ExternalTarget, external};
use crate::storage::remote::redacted;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Schema, Value};

/// The properties of an `externaldata` operator.
#[derive(Default)]
struct ExternalProperties {
    format: Option<ExternalFormat>,
    skips_first: Option<Span>,
    mapping: Option<(String, Span)>,
}

impl Binder<'_> {
    pub(super) fn externaldata(&mut self, data: &ast::ExternalData) -> Bind<LogicalPlan> {
        let columns = self.declared_schema(&data.columns)?;
        let mut properties = ExternalProperties::default();
        self.all(&data.properties, |binder, property| binder.external_property(property, &mut properties))?;
        let mut inputs = self.all(&data.addresses, |binder, address| {
            let source = binder.external_source(address, &properties, columns.clone())?;
            binder.external_table(&source, address.span)
        })?;
        match inputs.len() {
            1 => Ok(inputs.remove(0)),
            _ => Ok(LogicalPlan::Union { inputs, schema: columns }),
        }
    }

    fn external_property(&mut self, property: &ast::Parameter, properties: &mut ExternalProperties) -> Bind<()> {
        let (name, span) = (&property.name, property.value.span);
        // A bare word is a string.
        let value = match &property.value.kind {
            ParsedExprKind::Name(word) => Value::string(word.text.as_str()),
            _ => self.constant(&property.value)?,
        };
        if name.text.eq_ignore_ascii_case("format") {
            let text = value.as_str().unwrap_or("");
            properties.format = Some(ExternalFormat::named(text).ok_or_else(|| self.unknown_format(text, span))?);
            return Ok(());
        }
        if name.text.eq_ignore_ascii_case("ignoreFirstRecord") {
            properties.skips_first = match value {
                Value::Bool(true) => Some(name.span),
                Value::String(text) if text.eq_ignore_ascii_case("true") => Some(name.span),
                Value::Bool(false) => None,
                Value::String(text) if text.eq_ignore_ascii_case("false") => None,
                _ => return self.error(Code::InvalidValue, span, "`ignoreFirstRecord` must be true or false"),
            };
            return Ok(());
        }
        if name.text.eq_ignore_ascii_case("ingestionMapping") {
            let text = value.as_str().unwrap_or_default();
            properties.mapping = Some((text.to_owned(), span));
            return Ok(());
        }
        let message = format!("the property `{}` of `externaldata` is not supported", name.text);
        let help = "supported are format, ignoreFirstRecord and ingestionMapping";
        Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, name.span, message).help(help)))
    }

    fn unknown_format(&mut self, name: &str, span: Span) -> Failed {
        let known = ExternalFormat::NAMES.iter().map(|(known, _)| *known);
        let help = format!("supported are {}", known.clone().collect::<Vec<_>>().join(", "));
        let message = format!("the format `{name}` of external data is not supported");
        self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).suggest(name, known).help(help))
    }

    fn external_source(
        &mut self,
        address: &ast::ParsedExpr,
        properties: &ExternalProperties,
        columns: Schema,
    ) -> Bind<ExternalSource> {
        let value = self.constant(address)?;
        let Some(text) = value.as_str() else {
            return self.error(Code::ArgumentType, address.span, "the address of external data must be a string");
        };
        let format = match properties.format {
            Some(format) => format,
            None => self.format_of_address(text, address.span)?,
        };
        if let Some(span) = properties.skips_first.filter(|_| !format.is_positional()) {
            let message = "`ignoreFirstRecord` is supported only for text formats whose columns have positions";
            return self.error(Code::UnsupportedSyntax, span, message);
        }
        let mapping = match &properties.mapping {
            Some((mapping, span)) => self.external_mapping(mapping, *span, format, &columns)?,
            None => default_mapping(format, &columns),
        };
        let is_literal = matches!(address.kind, ParsedExprKind::Literal(_));
        let skips_first = properties.skips_first.is_some();
        Ok(ExternalSource { address: text.to_owned(), is_literal, columns, mapping, format, skips_first })
    }

    /// Returns the format that the extension of an address names; CSV if it names none.
    fn format_of_address(&mut self, address: &str, span: Span) -> Bind<ExternalFormat> {
        let extension = ExternalFormat::extension(address);
        match ExternalFormat::named(extension) {
            Some(format) => Ok(format),
            None if ExternalFormat::UNSUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(extension)) => {
                Err(self.unknown_format(extension, span))
            }
            None => Ok(ExternalFormat::Delimited(b',')),
        }
    }

    fn external_table(&mut self, source: &ExternalSource, span: Span) -> Bind<LogicalPlan> {
        let shown = external::without_options(&source.address);
        match self.environment.catalog.external(source)? {
            ExternalTarget::Table(table) => {
                Ok(LogicalPlan::scan(format!("externaldata('{}')", redacted(shown)), table))
            }
            ExternalTarget::Unmapped(reason) => {
                let message = format!("no file is given for `{shown}`: {reason}");
                let help = format!(
                    "download it, and name the file with --externaldata \"{shown}=PATH\", or under \
                     [externaldata] in the catalog file"
                );
                Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)))
            }
        }
    }

    /// Returns the schema of declared columns; reports duplicate names.
    pub(super) fn declared_schema(&mut self, columns: &[ast::DatatableColumn]) -> Bind<Schema> {
        let mut names = super::naming::Names::default();
        for column in columns {
            if !names.claim(&column.name.text) {
                return Err(self.duplicate_column(&column.name));
            }
        }
        Ok(Schema::new(columns.iter().map(|column| crate::types::Field::new(&column.name.text, column.ty))))
    }
}
