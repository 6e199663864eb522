//! The generated documents in `docs/` are up to date: `UPDATE=1 cargo test` rewrites them.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use coldcase::diagnostic::{CODES, Code, Family};
use coldcase::functions::docs::{aggregate_markdown, plugin_markdown, scalar_markdown, special_markdown};
use coldcase::functions::plugin::plugins;
use coldcase::functions::{Category, aggregate_functions, operator, scalar_functions, special_forms};
use coldcase::output::FORMATS;
use coldcase::syntax::{OPERATOR_NOTES, OPERATORS};

use crate::diff::line_diff;

/// The first line of every page.
const NOTE: &str = "<!-- Written by `UPDATE=1 cargo test --test integration reference`; edits are lost. -->";

fn check(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("docs has a parent")).expect("docs can be made");
        fs::write(&path, page).expect("docs can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let how = "run `UPDATE=1 cargo test --test integration reference`";
    assert!(found == page, "docs/{name} is not up to date: {how}\n{}", line_diff(&found, page));
}

#[test]
fn functions() {
    let mut page = format!("{NOTE}\n\n# Functions\n\nEvery example runs in the tests.\n");
    let scalars = scalar_functions().map(|function| (function.category, function.name, scalar_markdown(function)));
    let special = special_forms().map(|form| (form.category, form.name, special_markdown(form)));
    write_chapters(&mut page, "", scalars.chain(special));
    page.push_str("\n# Aggregates\n\nAggregates are called in `summarize`. Their examples are whole queries.\n");
    let aggregates =
        aggregate_functions().map(|function| (function.category, function.name, aggregate_markdown(function)));
    write_chapters(&mut page, " aggregates", aggregates);
    page.push_str("\n# Plugins\n\nPlugins are called with `evaluate`. Their examples are whole queries.\n");
    for plugin in plugins() {
        write!(page, "\n{}", plugin_markdown(plugin)).expect("a string");
    }
    check("functions.md", &page);
}

/// Writes the functions of each category under a heading, sorted by name.
fn write_chapters(page: &mut String, kind: &str, functions: impl Iterator<Item = (Category, &'static str, String)>) {
    let mut chapters: BTreeMap<(Category, &str), String> = BTreeMap::new();
    functions.for_each(|(category, name, text)| _ = chapters.insert((category, name), text));
    let mut current = None;
    for ((category, _), text) in chapters {
        if current.replace(category) != Some(category) {
            write!(page, "\n## {}{kind}\n", category.title()).expect("a string");
        }
        write!(page, "\n{text}").expect("a string");
    }
}

#[test]
fn operators() {
    let mut page = format!("{NOTE}\n\n# Operators\n\n## After `|`\n");
    for operator in OPERATORS {
        write!(page, "\n### {}\n\n{}\n", operator.keyword, operator.summary).expect("a string");
        if !operator.aliases.is_empty() {
            let aliases: Vec<String> = operator.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            write!(page, "\nAlso written {}.\n", aliases.join(", ")).expect("a string");
        }
        write!(page, "\n```kusto\n{}\n```\n", operator.examples.join("\n")).expect("a string");
        for (_, note) in OPERATOR_NOTES.iter().filter(|(keyword, _)| *keyword == operator.keyword) {
            write!(page, "\n{note}\n").expect("a string");
        }
    }
    page.push_str("\n## In expressions\n\n| operator | meaning | example | result |\n| --- | --- | --- | --- |\n");
    for symbol in operator::FAMILIES.iter().copied().flatten() {
        let (query, answer) = symbol.examples.first().map_or(("", ""), |example| (example.query, example.answer));
        let row = [symbol.name, symbol.summary, query, answer].map(|text| text.replace('|', "\\|"));
        writeln!(page, "| `{}` | {} | `{}` | `{}` |", row[0], row[1], row[2], row[3]).expect("a string");
    }
    check("operators.md", &page);
}

#[test]
fn errors() {
    let mut page = format!("{NOTE}\n\n# Messages\n");
    let mut family = None;
    for info in CODES {
        if family != Some(info.code.family()) {
            family = Some(info.code.family());
            write!(page, "\n## {}\n", title(info.code)).expect("a string");
        }
        write!(page, "\n### {}: {}\n\n{}\n", info.id, info.title, info.meaning).expect("a string");
        if !info.example.is_empty() {
            write!(page, "\n```kusto\n{}\n```\n", info.example).expect("a string");
        }
    }
    check("errors.md", &page);
}

fn title(code: Code) -> &'static str {
    match code.family() {
        Family::Syntax => "The text is not KQL",
        Family::Meaning => "A name or a type does not fit",
        Family::Unsupported => "KQL, but not supported yet",
        Family::Runtime => "Found while running",
        Family::Warning => "Warnings",
    }
}

#[test]
fn formats() {
    let mut page =
        format!("{NOTE}\n\n# Output formats\n\n| `-o` | file extensions | description |\n| --- | --- | --- |\n");
    for format in FORMATS {
        let extensions: Vec<String> = format.extensions.iter().map(|extension| format!("`.{extension}`")).collect();
        writeln!(page, "| `{}` | {} | {} |", format.name, extensions.join(", "), format.summary).expect("a string");
    }
    check("formats.md", &page);
}
