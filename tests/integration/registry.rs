//! Every entry of the registries has a unique name, a summary, described parameters and examples.

use std::collections::HashSet;
use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::functions::signature::{arity, expand};
use coldcase::functions::{
    Example, Param, aggregate_functions, is_callable, known, operator, plugin, scalar_functions, special_forms,
};
use coldcase::output::FORMATS;
use coldcase::scan::MemoryCatalog;
use coldcase::syntax::{OPERATORS, parse};
use coldcase::types::{Value, datetime};

/// The checked facts of an entry.
struct Entry {
    kind: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
    params: Vec<&'static [Param]>,
    examples: usize,
}

fn scalars() -> Vec<Entry> {
    let entry = |function: &'static coldcase::functions::ScalarFunction| Entry {
        kind: "function",
        name: function.name,
        aliases: function.aliases,
        summary: function.summary,
        params: function.overloads.iter().map(|overload| overload.params).collect(),
        examples: function.examples.len(),
    };
    scalar_functions().map(entry).collect()
}

fn aggregates() -> Vec<Entry> {
    let entry = |function: &'static coldcase::functions::AggregateFunction| Entry {
        kind: "aggregate",
        name: function.name,
        aliases: function.aliases,
        summary: function.summary,
        params: vec![function.params],
        examples: function.examples.len(),
    };
    aggregate_functions().map(entry).collect()
}

fn forms() -> Vec<Entry> {
    let entry = |form: &'static coldcase::functions::SpecialForm| Entry {
        kind: "special form",
        name: form.name,
        aliases: form.aliases,
        summary: form.summary,
        params: vec![form.params],
        examples: form.examples.len(),
    };
    special_forms().map(entry).collect()
}

/// Everything that a query can call.
fn callables() -> Vec<Entry> {
    [scalars(), aggregates(), forms()].into_iter().flatten().collect()
}

fn plugins() -> Vec<Entry> {
    let entry = |plugin: &'static coldcase::functions::Plugin| Entry {
        kind: "plugin",
        name: plugin.name,
        aliases: &[],
        summary: plugin.summary,
        params: vec![plugin.params],
        examples: plugin.examples.len(),
    };
    plugin::plugins().map(entry).collect()
}

fn operators() -> Vec<Entry> {
    let entry = |operator: &'static coldcase::syntax::OperatorInfo| Entry {
        kind: "operator",
        name: operator.keyword,
        aliases: operator.aliases,
        summary: operator.summary,
        params: Vec::new(),
        examples: operator.examples.len(),
    };
    OPERATORS.iter().map(entry).collect()
}

/// Fails with all complaints at once.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn names_are_unique_and_lower_case() {
    let mut complaints = Vec::new();
    for entries in [callables(), operators(), plugins()] {
        let mut names = HashSet::new();
        for entry in entries {
            for name in [entry.name].iter().chain(entry.aliases) {
                // An aggregate and a scalar function may share a name: where the call is tells them apart.
                let key = (*name, entry.kind == "aggregate");
                if !names.insert(key) {
                    complaints.push(format!("the {} {name} is listed twice", entry.kind));
                }
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
                let is_lower = !name.is_empty() && name.chars().all(allowed);
                // Functions of Microsoft Sentinel begin with an underscore and a capital.
                if !is_lower && !name.starts_with('_') {
                    complaints.push(format!("the {} {name:?} is not in lower case", entry.kind));
                }
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn summaries_are_one_sentence() {
    let entries = [callables(), operators(), plugins()].into_iter().flatten();
    let texts = entries.map(|entry| (entry.name, entry.summary));
    let formats = FORMATS.iter().map(|format| (format.name, format.summary));
    let sentence = |text: &str| {
        let starts = text.chars().next().is_some_and(|first| !first.is_lowercase());
        starts && text.ends_with('.') && !text.trim_end_matches('.').contains(". ")
    };
    assert_none(
        texts
            .chain(formats)
            .filter(|(_, text)| !sentence(text))
            .map(|(name, text)| format!("{name}: {text}"))
            .collect(),
    );
}

#[test]
fn every_parameter_is_named_and_described() {
    let mut complaints = Vec::new();
    for entry in callables().into_iter().chain(plugins()) {
        for params in &entry.params {
            complaints.extend(params.iter().filter_map(|param| complaint_about(entry.name, param)));
            complaints.extend(disorder(entry.name, params));
        }
    }
    assert_none(complaints);
}

fn complaint_about(function: &str, param: &Param) -> Option<String> {
    let about = param.about;
    let described = about.len() >= 3 && !about.ends_with('.') && about.trim() == about;
    let named = !param.name.is_empty() && param.name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (!described || !named).then(|| format!("{function}: parameter {:?}, {about:?}", param.name))
}

/// Reports a signature that rejects its own minimum number of arguments.
fn disorder(function: &str, params: &'static [Param]) -> Option<String> {
    let least = arity(params).least;
    expand(params, least).is_none().then(|| format!("{function}: its parameters are out of order"))
}

#[test]
fn everything_has_an_example() {
    let entries = [callables(), operators(), plugins()].into_iter().flatten();
    let without = entries.filter(|entry| entry.examples == 0);
    assert_none(without.map(|entry| format!("the {} {} has no example", entry.kind, entry.name)).collect());
}

#[test]
fn the_examples_of_operators_are_kql() {
    let mut complaints = Vec::new();
    for operator in OPERATORS {
        for example in operator.examples {
            let parsed = parse(example);
            complaints.extend(parsed.diagnostics.iter().map(|diagnostic| format!("{example}: {diagnostic}")));
            if ![operator.keyword].iter().chain(operator.aliases).any(|word| example.contains(word)) {
                complaints.push(format!("{example} does not show {}", operator.keyword));
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn the_examples_of_functions_show_them() {
    let functions = scalar_functions().map(|function| (function.name, function.aliases, function.examples));
    let aggregates = aggregate_functions().map(|function| (function.name, function.aliases, function.examples));
    let forms = special_forms().map(|form| (form.name, form.aliases, form.examples));
    let plugins = plugin::plugins().map(|plugin| (plugin.name, &[] as &[&str], plugin.examples));
    let missing = functions.chain(aggregates).chain(forms).chain(plugins).filter(|(name, aliases, examples)| {
        let shows = |example: &Example| [name].into_iter().chain(*aliases).any(|name| example.query.contains(name));
        !examples.iter().any(shows)
    });
    assert_none(missing.map(|(name, ..)| format!("no example of {name} calls it")).collect());
}

/// A function that the registry lacks must not be callable: the binder looks up names in the registry alone.
#[test]
fn everything_callable_is_in_the_registry() {
    let engine = Engine::new(Arc::new(MemoryCatalog::default()), Settings::new(datetime::UNIX_EPOCH));
    let mut complaints = Vec::new();
    // `external_table('T')` is a table, which the parser reads.
    for name in known::NAMES.iter().filter(|name| !is_callable(name) && **name != "external_table") {
        for query in [format!("print {name}('x')"), format!("range x from 1 to 1 step 1 | summarize {name}(x)")] {
            match engine.query(&query) {
                // Not supported, or a keyword that no call can begin with: `externaldata`.
                Err(error) if ["KQL3002", "KQL1"].iter().any(|code| error.to_string().starts_with(code)) => {}
                other => complaints.push(format!("{query}: {other:?}")),
            }
        }
    }
    let names =
        callables().into_iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
    complaints.extend(names.filter(|name| !known::is_kql_function(name)).map(|name| format!("{name} is not KQL")));
    assert_none(complaints);
}

/// The value of a query that returns one cell.
fn cell(engine: &Engine, query: &str) -> Result<Value, String> {
    let result = engine.query(query).map_err(|error| error.to_string())?;
    let rows: Vec<_> = result.batches.iter().filter(|batch| batch.rows() > 0).collect();
    match (rows.as_slice(), result.schema.len()) {
        ([batch], 1) if batch.rows() == 1 => Ok(batch.column(0).value(0)),
        _ => Err(format!("{query} does not return one cell")),
    }
}

#[test]
fn the_examples_of_symbols_run() {
    let engine = Engine::new(Arc::new(MemoryCatalog::default()), Settings::new(datetime::UNIX_EPOCH));
    let mut complaints = Vec::new();
    for symbol in operator::FAMILIES.iter().copied().flatten() {
        if symbol.examples.is_empty() || symbol.summary.is_empty() {
            complaints.push(format!("{} has no summary or no example", symbol.name));
        }
        for example in symbol.examples {
            let expected = cell(&engine, &format!("print {}", example.answer));
            match cell(&engine, &format!("print {}", example.query)) {
                Ok(value) if value.to_text() == example.answer || expected.as_ref() == Ok(&value) => {}
                other => complaints.push(format!("{} returns {other:?}, not {}", example.query, example.answer)),
            }
        }
    }
    assert_none(complaints);
}
