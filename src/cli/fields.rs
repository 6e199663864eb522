//! `coldcase fields`: the source field of each column of a table, by export shape.

use std::fmt::Write as _;

use super::args::FieldsArgs;
use super::sources::{InputSources, SourceOptions, table_name};
use super::{Outcome, documents, rows};
use crate::diagnostic::{Error, Result, suggest};
use crate::entra::{KnownTable, RowKind, known_table, known_table_names, result_codes};
use crate::types::{Type, Value};

pub(super) fn run(args: &FieldsArgs) -> Result<Outcome> {
    let name = table_name(&args.table).unwrap_or_else(|_| args.table.clone());
    let table = known_table(&name).ok_or_else(|| {
        let known: Vec<&str> = known_table_names().collect();
        let hint = suggest(&args.table, known.iter().copied())
            .map_or_else(|| format!("known tables: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
        Error::Usage(format!("the fields of the table `{}` are not known; {hint}", args.table))
    })?;
    match args.explain.as_deref() {
        Some(text) => match text.split_once('=') {
            Some((column, value)) => explain_value(table, column.trim(), value),
            None => explain(table, text),
        },
        None => list(table, args),
    }
}

fn list(table: &KnownTable, args: &FieldsArgs) -> Result<Outcome> {
    let kinds = RowKind::ALL.map(|kind| format!("{kind:?}"));
    let mut columns = vec![("Column", Type::String), ("Type", Type::String)];
    columns.extend(kinds.iter().map(|kind| (kind.as_str(), Type::String)));
    let row = |(index, field): (usize, &crate::types::Field)| {
        let places = RowKind::ALL.map(|kind| Value::string(table.mapping(index, kind).to_string()));
        [Value::string(field.name.as_str()), Value::string(field.ty.name())].into_iter().chain(places).collect()
    };
    let sources = InputSources::resolve(&SourceOptions::default())?;
    rows::write(
        &args.output,
        &sources.configuration.defaults,
        &columns,
        table.schema.fields().iter().enumerate().map(row),
    )?;
    Ok(Outcome::Success)
}

/// Describes a value of the column `column`: the result code of a sign-in.
fn explain_value(table: &KnownTable, column: &str, value: &str) -> Result<Outcome> {
    let is_sign_in = table.category.ends_with("SignInLogs") && table.schema.index_of(RESULT).is_some();
    if !is_sign_in || !column.eq_ignore_ascii_case(RESULT) {
        return Err(Error::Usage(format!(
            "the values of {}.{column} are not described; only those of {RESULT} are, in the tables of sign-ins",
            table.name
        )));
    }
    let value = value.trim().trim_matches(['\'', '"']);
    let unknown = "not in this program's list of codes, which is incomplete";
    let meaning = result_codes::meaning(value).unwrap_or(unknown);
    documents::print(format!("{}.{RESULT} {}: {meaning}\n", table.name, value.escape_debug()).as_bytes())
}

/// The column with the result codes of sign-ins.
const RESULT: &str = "ResultType";

/// Describes the column `name`, or the columns that are read from the source field `name`.
fn explain(table: &KnownTable, name: &str) -> Result<Outcome> {
    let named = |column: &&str| column.eq_ignore_ascii_case(name);
    let reads = |index: usize| {
        RowKind::ALL.iter().any(|&kind| {
            table
                .mapping(index, kind)
                .paths()
                .iter()
                .any(|path| path.join(".") == name || path.last().is_some_and(|key| *key == name))
        })
    };
    let mut found: Vec<usize> = table.schema.names().position(|column| named(&column)).into_iter().collect();
    if found.is_empty() {
        found = (0..table.schema.len()).filter(|&index| reads(index)).collect();
    }
    if found.is_empty() {
        let hint =
            suggest(name, table.schema.names()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(Error::Usage(format!("{} has no column and no source field `{name}`{hint}", table.name)));
    }
    let mut text = String::new();
    for index in found {
        let field = table.schema.field(index);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}.{}: {}", table.name, field.name, field.ty);
        for kind in RowKind::ALL {
            let _ = writeln!(text, "  {}: {}", kind.describe(), table.mapping(index, kind).explain());
        }
    }
    documents::print(text.as_bytes())
}
