//! `docs/` is written from the registries and is up to date: `UPDATE=1 cargo test` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use coldcase::diagnostic::{CODES, Code, Family};
use coldcase::functions::docs::{aggregate_markdown, scalar_markdown};
use coldcase::functions::{Category, ScalarFunction, aggregate_functions, operator, scalar_functions};
use coldcase::output::FORMATS;
use coldcase::syntax::OPERATORS;

/// Stands at the top of every page.
const NOTE: &str = "<!-- Written by `UPDATE=1 cargo test --test integration reference`; edits are lost. -->";

fn check(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("docs has a parent")).expect("docs can be made");
        fs::write(&path, page).expect("docs can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(page.lines()).position(|(found, wanted)| found != wanted);
    assert!(
        found == page,
        "docs/{name} is not up to date (line {}): run `UPDATE=1 cargo test --test integration reference`",
        differs.map_or(found.lines().count().min(page.lines().count()), |line| line) + 1
    );
}

#[test]
fn functions() {
    let mut page = format!("{NOTE}\n\n# Functions\n\nEvery example runs in the tests.\n");
    let mut chapters: BTreeMap<Category, Vec<&ScalarFunction>> = BTreeMap::new();
    scalar_functions().for_each(|function| chapters.entry(function.category).or_default().push(function));
    for (category, mut functions) in chapters {
        functions.sort_by_key(|function| function.name);
        write!(page, "\n## {category:?}\n").expect("a string");
        for function in functions {
            write!(page, "\n{}", scalar_markdown(function)).expect("a string");
        }
    }
    let mut aggregates: Vec<_> = aggregate_functions().collect();
    aggregates.sort_by_key(|function| function.name);
    page.push_str("\n## Aggregates\n\nThey stand in `summarize`. Their examples are whole queries.\n");
    for function in aggregates {
        write!(page, "\n{}", aggregate_markdown(function)).expect("a string");
    }
    check("functions.md", &page);
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
    }
    page.push_str(
        "\n## In expressions\n\n| operator | what it answers | example | answer |\n| --- | --- | --- | --- |\n",
    );
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
        format!("{NOTE}\n\n# Formats of answers\n\n| `-o` | file extensions | what it is |\n| --- | --- | --- |\n");
    for format in FORMATS {
        let extensions: Vec<String> = format.extensions.iter().map(|extension| format!("`.{extension}`")).collect();
        writeln!(page, "| `{}` | {} | {} |", format.name, extensions.join(", "), format.summary).expect("a string");
    }
    check("formats.md", &page);
}
