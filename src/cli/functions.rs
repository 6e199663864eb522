//! `coldcase functions`: lists the registry of functions, or describes one.

use std::io::Write as _;

use super::args::FunctionsArgs;
use super::destination::Destination;
use super::{Outcome, documents};
use crate::diagnostic::{Error, Result, suggest};
use crate::functions::{self, docs, plugin};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type};

pub(super) fn run(args: &FunctionsArgs) -> Result<Outcome> {
    match &args.name {
        Some(name) => one(name),
        None => all(args),
    }
}

fn one(name: &str) -> Result<Outcome> {
    let mut pages = Vec::new();
    pages.extend(functions::special_form(name).map(docs::special_markdown));
    pages.extend(functions::scalar_function(name).map(docs::scalar_markdown));
    pages.extend(functions::aggregate_function(name).map(docs::aggregate_markdown));
    pages.extend(functions::plugin(name).map(docs::plugin_markdown));
    if pages.is_empty() {
        if let Some(reason) = refusal(name) {
            return Err(Error::Usage(reason));
        }
        let hint = match suggest(name, functions::callable_names().chain(plugin::plugins().map(|plugin| plugin.name))) {
            Some(near) => format!(": did you mean `{near}`?"),
            None => String::new(),
        };
        return Err(Error::Usage(format!("unknown function `{name}`{hint}")));
    }
    let mut text = Vec::new();
    writeln!(text, "{}", pages.join("\n").trim_end()).map_err(|error| Error::io("stdout", error))?;
    documents::print(&text)
}

/// Why a function or plugin of Kusto is not here.
fn refusal(name: &str) -> Option<String> {
    let function = || functions::known::is_kql_function(name).then(|| functions::known::refusal(name));
    let reason = plugin::refusal(name).or_else(function)?;
    Some(format!("`{name}` is part of KQL, but not supported: {reason}"))
}

/// The name, kind and summary of every function, sorted by name.
fn rows() -> Vec<[&'static str; 3]> {
    let scalar = functions::scalar_functions().map(|function| [function.name, "scalar", function.summary]);
    let aggregate = functions::aggregate_functions().map(|function| [function.name, "aggregate", function.summary]);
    let special = functions::special_forms().map(|form| [form.name, "special", form.summary]);
    let plugins = plugin::plugins().map(|plugin| [plugin.name, "plugin", plugin.summary]);
    let mut rows: Vec<_> = scalar.chain(aggregate).chain(special).chain(plugins).collect();
    rows.sort_unstable();
    rows
}

fn all(args: &FunctionsArgs) -> Result<Outcome> {
    let schema = Schema::new(["Name", "Kind", "Summary"].map(|name| Field::new(name, Type::String)));
    let mut builders = [(); 3].map(|()| ColumnBuilder::new(Type::String));
    let rows = rows();
    for row in &rows {
        builders.iter_mut().zip(row).for_each(|(builder, text)| builder.append_text(text));
    }
    let columns = builders.iter_mut().map(ColumnBuilder::finish).collect();
    let mut writer = Destination::new(&args.output)?.open(&schema, None)?;
    writer.batch(&Batch::new(columns, rows.len()))?;
    writer.finish()?;
    Ok(Outcome::Success)
}
