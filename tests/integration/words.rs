//! Holds the language of the code: words that the glossary refuses, and names that mean one thing.

use std::collections::BTreeMap;
use std::fs;

/// Types with two definitions, of which one is compiled.
const CONDITIONAL_TYPES: &[&str] = &[
    // With and without the feature `remote`.
    "Connections",
    "RemoteFile",
    // On Unix and elsewhere.
    "FileKey",
    "FolderKey",
];

/// Files with names that Kusto gives, such as those of units.
const NAMES_OF_KUSTO: &[&str] = &["src/functions/scalar/unit/"];

/// The path and the text of each file of the source.
pub fn source() -> Vec<(String, String)> {
    let files = walkdir::WalkDir::new("src").sort_by_file_name().into_iter();
    let paths = files.map(|entry| entry.expect("readable").into_path());
    let code = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    code.map(|path| {
        let name = path.to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(&path).expect("source is text"))
    })
    .collect()
}

/// The words in backticks in the last column of the tables of the glossary.
fn refused_words() -> Vec<String> {
    let glossary = fs::read_to_string("docs/glossary.md").expect("the glossary is text");
    let rows = glossary.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next().map(str::to_owned));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_lowercase).collect::<Vec<_>>()).collect()
}

/// The words of a line: of identifiers, too, so that `StringMask` and `string_mask` are `string mask`.
fn words(line: &str) -> String {
    let mut words = String::from(" ");
    let mut before_was_lower = false;
    for c in line.chars() {
        if c.is_uppercase() && before_was_lower {
            words.push(' ');
        }
        before_was_lower = c.is_lowercase();
        words.extend(if c.is_alphanumeric() { c.to_lowercase().next() } else { Some(' ') });
    }
    words.push(' ');
    words
}

#[test]
fn words_that_the_glossary_refuses_are_not_used() {
    let refused = refused_words();
    assert!(refused.len() > 10, "the glossary refuses hardly any word: {refused:?}");
    let mut found = Vec::new();
    for (file, text) in source() {
        if NAMES_OF_KUSTO.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let words = words(line);
            let used = refused.iter().filter(|word| words.contains(&format!(" {word} ")));
            found.extend(used.map(|word| format!("{file}:{}: `{word}`: {}", index + 1, line.trim())));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The name of the type that a line defines; None for associated types, which are indented.
fn defined_type(line: &str) -> Option<&str> {
    let item = line.trim_start();
    let item = match item.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ")?.1,
        None => item.strip_prefix("pub ").unwrap_or(item),
    };
    let is_indented = line.starts_with(' ');
    let (keyword, name) = item.split_once(' ')?;
    let is_type = matches!(keyword, "struct" | "enum" | "trait" | "union") || (keyword == "type" && !is_indented);
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| is_type && !name.is_empty())
}

/// The lines of a file outside of its module of unit tests.
pub fn without_unit_tests(text: &str) -> Vec<&str> {
    let mut lines = text.lines();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line == "mod tests {" {
            lines.by_ref().find(|line| *line == "}");
        } else {
            kept.push(line);
        }
    }
    kept
}

#[test]
fn types_have_unique_names() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in source() {
        if file.ends_with("/tests.rs") || file.contains("/tests/") {
            continue;
        }
        for name in without_unit_tests(&text).into_iter().filter_map(defined_type) {
            places.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(places.len() > 1000, "only {} types were found", places.len());
    let conditional = |name: &String| CONDITIONAL_TYPES.contains(&name.as_str());
    let several = places.iter().filter(|(name, files)| files.len() != if conditional(name) { 2 } else { 1 });
    let several: Vec<String> = several.map(|(name, files)| format!("{name}: {files:?}")).collect();
    assert!(several.is_empty(), "\n{}", several.join("\n"));
}
