//! `docs/support.md`: every name of Microsoft's reference, and whether it is supported.
//!
//! The names are those of `testdata/reference.tsv`. What is supported is never written down: registries decide, and
//! queries for what has no registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use coldcase::diagnostic::{Error, Family};
use coldcase::engine::{Engine, Settings};
use coldcase::functions::differences::{DIFFERENCES, difference};
use coldcase::functions::known::{is_kql_function, refusal};
use coldcase::functions::plugin::{self, plugins};
use coldcase::functions::{aggregate_function, aggregate_functions, operator, scalar_function};
use coldcase::functions::{scalar_functions, special_form, special_forms};
use coldcase::scan::{MemoryCatalog, MemoryTable, SchemaCatalog};
use coldcase::syntax::{OPERATOR_NOTES, OPERATORS};
use coldcase::types::{Field, Schema, Type};

use super::{NOTE, check};
use crate::command::root;

/// The chapters of the page: the kind of the names in the file, a title, and what the chapter is about.
const CHAPTERS: &[(&str, &str)] = &[
    ("statement", "Statements"),
    ("tabular operator", "Operators after `|`, and sources"),
    ("join kind", "Kinds of join"),
    ("render kind", "Kinds of render"),
    ("scalar operator", "Operators in expressions"),
    ("scalar function", "Scalar functions"),
    ("window function", "Window functions"),
    ("special function", "Functions that return tables, or read them"),
    ("aggregate", "Aggregates"),
    ("plugin", "Plugins"),
    ("graph function", "Functions of graphs"),
    ("Azure Monitor function", "Functions of Azure Monitor and Microsoft Sentinel"),
    ("undocumented operator", "Operators that Kusto has, and the reference does not list"),
    ("undocumented function", "Functions that Kusto has, and the reference does not list"),
    ("undocumented plugin", "Plugins that Kusto has, and the reference does not list"),
];

/// Queries for names without a registry: supported if they can be planned.
const QUERIES: &[(&str, &str, &str)] = &[
    ("Azure Monitor function", "adx", "adx('https://contoso.kusto.windows.net/d').T"),
    ("Azure Monitor function", "app", "app('a').T"),
    ("Azure Monitor function", "arg", "arg('').T"),
    ("Azure Monitor function", "resource", "resource('r').T"),
    ("Azure Monitor function", "workspace", "workspace('w').T"),
    ("special function", "cluster", "cluster('c').database('d').T"),
    ("special function", "database", "database('d').T"),
    ("statement", "alias", "alias database d = cluster('c').database('d'); print 1"),
    ("statement", "let", "let a = 1; print a"),
    ("statement", "pattern", "declare pattern p = (a:string) { ('x') = { print 1 }; }; p('x')"),
    ("statement", "query parameters", "declare query_parameters(a:long = 1); print a"),
    ("statement", "restrict", "restrict access to (T); T"),
    ("statement", "set", "set notruncation; print 1"),
    ("tabular operator", "datatable", "datatable(a:long) [1]"),
    ("tabular operator", "externaldata", "externaldata(a:long) ['testdata/x.csv'] with (format='csv')"),
    ("tabular operator", "find", "find in (T) where a == 1"),
    ("tabular operator", "inline external table", "inline_external_table (a:long) kind=storage dataformat=csv ('x')"),
    ("tabular operator", "macro-expand", "macro-expand entity_group [cluster('c').database('d')] as X (X.T)"),
    ("tabular operator", "print", "print 1"),
    ("tabular operator", "range", "range a from 1 to 2 step 1"),
];

/// Names of other databases that the engine of the test maps to a table, as `--alias` does.
const ALIASES: &[&str] = &[
    "adx('https://contoso.kusto.windows.net/d').T",
    "app('a').T",
    "arg('').T",
    "cluster('c').database('d').T",
    "database('d').T",
    "resource('r').T",
    "workspace('w').T",
];

/// Why some names are not supported, or what their support needs.
const NOTES: &[(&str, &str)] = &[
    ("adx", "Name the table with `--alias`."),
    ("app", "Name the table with `--alias`."),
    ("arg", "Name the table with `--alias`."),
    ("cluster", "Name the table with `--alias`."),
    ("database", "Name the table with `--alias`."),
    ("resource", "Name the table with `--alias`."),
    ("workspace", "Name the table with `--alias`."),
    ("_GetWatchlist", "Give the file of the watchlist with `--watchlist`."),
    ("alias", "Name tables of other databases with `--alias`."),
    ("externaldata", "Local files, or files that `--externaldata` names for a URL."),
    ("render", "The chart is drawn by clients; the rows do not change."),
];

/// The names of the reference, by kind.
fn names() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("testdata/reference.tsv")).expect("testdata/reference.tsv");
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let (kind, name) = line.split_once('\t').expect(line);
        assert!(names.entry(kind.to_owned()).or_default().insert(name.to_owned()), "{line} stands twice");
    }
    let mut sorted: Vec<&str> = text.lines().collect();
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(text.lines()), "testdata/reference.tsv is not sorted");
    names
}

/// An engine over one table, which also has the names of [`ALIASES`].
fn engine() -> Engine {
    let table = MemoryTable::new(Schema::new([Field::new("a", Type::Long)]), Vec::new());
    let mut settings = Settings::new(0);
    settings.aliases = ALIASES.iter().map(|name| ((*name).to_owned(), "T".to_owned())).collect();
    // External data needs no file here.
    let catalog = SchemaCatalog::new(Arc::new(MemoryCatalog::default().with("T", Arc::new(table))));
    Engine::new(Arc::new(catalog), settings)
}

/// True if `query` can be planned, false if it is not supported.
fn can_be_planned(query: &str) -> bool {
    match engine().prepare(query) {
        Ok(_) => true,
        Err(Error::Query(list)) => {
            let is_missing = list.iter().all(|diagnostic| diagnostic.code.family() == Family::Unsupported);
            assert!(is_missing, "{query}: {list:?}");
            false
        }
        Err(error) => panic!("{query}: {error}"),
    }
}

fn is_supported(kind: &str, name: &str) -> bool {
    if let Some((_, _, query)) = QUERIES.iter().find(|row| (row.0, row.1) == (kind, name)) {
        return can_be_planned(query);
    }
    let table = "datatable(a:long) [1]";
    match kind {
        "tabular operator" | "undocumented operator" => {
            OPERATORS.iter().any(|row| row.keyword == name || row.aliases.contains(&name))
        }
        "join kind" => can_be_planned(&format!("{table} | join kind={name} ({table}) on a")),
        "render kind" => can_be_planned(&format!("{table} | render {name}")),
        "scalar operator" => operators().any(|row| row == name),
        "aggregate" => aggregate_function(name).is_some(),
        "graph function" => scalar_function(name).is_some() || special_form(name).is_some(),
        "plugin" | "undocumented plugin" => plugin::plugin(name).is_some(),
        _ => scalar_function(name).is_some() || special_form(name).is_some() || aggregate_function(name).is_some(),
    }
}

/// The spellings of all operators in expressions.
fn operators() -> impl Iterator<Item = &'static str> {
    operator::FAMILIES
        .iter()
        .copied()
        .flatten()
        .flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()))
}

fn note(kind: &str, name: &str, is_supported: bool) -> String {
    let is_function = kind.contains("function") || kind.contains("plugin") || kind == "aggregate";
    let difference = difference(name).filter(|_| is_function && is_supported);
    let operator = OPERATOR_NOTES.iter().find(|(keyword, _)| *keyword == name).filter(|_| kind == "tabular operator");
    let own = NOTES.iter().find(|(known, _)| *known == name);
    let notes = [difference, operator.map(|row| row.1), own.map(|row| row.1)];
    let mut notes: Vec<String> = notes.into_iter().flatten().map(str::to_owned).collect();
    if !is_supported && is_function {
        let of_plugin = plugin::refusal(name).filter(|_| kind.contains("plugin"));
        let reason = of_plugin.unwrap_or_else(|| refusal(name));
        notes.push(format!("Not supported: {reason}."));
    }
    notes.join(" ")
}

/// The page, and its first table: the number of supported names of each kind.
#[test]
fn support() {
    let names = names();
    let mut chapters = String::new();
    let mut page = format!(
        "{NOTE}\n\n# What is supported\n\nEvery name of Microsoft's [reference](https://learn.microsoft.com/kusto/query/) \
         of KQL, as of November 2026. What is not supported is refused with exit code 4, never computed approximately; \
         `coldcase check` says so without data. Notes say where a result may differ from that of Kusto.\n\n\
         | | supported | of |\n| --- | --- | --- |\n"
    );
    for (kind, title) in CHAPTERS {
        let rows = names.get(*kind).unwrap_or_else(|| panic!("no name of the kind {kind}"));
        write!(chapters, "\n## {title}\n\n| name | supported | notes |\n| --- | --- | --- |\n").expect("a string");
        let mut count = 0;
        for name in rows {
            let is_supported = is_supported(kind, name);
            count += usize::from(is_supported);
            let answer = if is_supported { "yes" } else { "no" };
            writeln!(chapters, "| `{name}` | {answer} | {} |", note(kind, name, is_supported)).expect("a string");
        }
        writeln!(page, "| {title} | {count} | {} |", rows.len()).expect("a string");
    }
    assert_eq!(names.len(), CHAPTERS.len(), "a kind of name has no chapter");
    check("support.md", &(page + &chapters));
}

/// Every row of a registry is a name of the list, and every function of the list is known to the binder.
#[test]
fn registries_and_the_list_of_names_agree() {
    let names = names();
    let listed: BTreeSet<&str> = names.values().flatten().map(String::as_str).collect();
    let functions = scalar_functions().map(|row| row.name).chain(aggregate_functions().map(|row| row.name));
    let functions = functions.chain(special_forms().map(|row| row.name)).chain(plugins().map(|row| row.name));
    let rows = functions.chain(OPERATORS.iter().map(|row| row.keyword));
    let missing: Vec<&str> = rows.filter(|name| !listed.contains(name)).collect();
    assert_eq!(missing, [] as [&str; 0], "testdata/reference.tsv lacks names that are supported");
    let functions = ["scalar function", "window function", "aggregate", "special function", "graph function"];
    let unknown = functions.iter().flat_map(|kind| &names[*kind]).filter(|name| !is_kql_function(name));
    assert_eq!(unknown.collect::<Vec<_>>(), [] as [&str; 0], "functions that queries would call unknown");
}

/// Notes are about names that exist.
#[test]
fn notes_are_about_supported_names() {
    let names = names();
    let listed: BTreeSet<&str> = names.values().flatten().map(String::as_str).collect();
    let with_differences = DIFFERENCES.iter().flat_map(|(names, _)| *names).copied();
    for name in with_differences.clone().chain(NOTES.iter().map(|(name, _)| *name)) {
        assert!(listed.contains(name), "{name} is not in testdata/reference.tsv");
    }
    for name in with_differences {
        let exists = scalar_function(name).is_some()
            || aggregate_function(name).is_some()
            || special_form(name).is_some()
            || plugin::plugin(name).is_some();
        assert!(exists, "{name} has a difference and is not supported");
    }
}
