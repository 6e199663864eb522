//! The packages that the project may use: allowed licences and sources for every dependency of every platform and
//! feature.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value as Json;

use crate::command::root;

/// The list under a section and key of `deny.toml`.
fn allowed(section: &str, key: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let rules: toml::Table = text.parse().expect("TOML");
    let list = rules[section][key].as_array().expect("a list");
    list.iter().map(|item| item.as_str().expect("a string").to_owned()).collect()
}

/// Every package of Cargo.lock, as described by `cargo metadata`.
fn packages() -> Vec<Json> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["metadata", "--format-version", "1", "--locked", "--all-features"];
    let output = Command::new(cargo).args(args).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("a list").clone()
}

/// True if a licence expression can be satisfied with the allowed licences: one of those joined by `OR` (or `/`), all
/// of those joined by `AND`, which binds more tightly.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    let halves = |word: &str| {
        let mut depth = 0_i32;
        let at = expression.char_indices().position(|(at, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0 && expression[at..].starts_with(word)
        })?;
        Some((expression[..at].to_owned(), expression[at + word.len()..].to_owned()))
    };
    if let Some((left, right)) = halves(" OR ") {
        return is_met(&left, allowed) || is_met(&right, allowed);
    }
    if let Some((left, right)) = halves(" AND ") {
        return is_met(&left, allowed) && is_met(&right, allowed);
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => is_met(inside, allowed),
        None => allowed.contains(expression),
    }
}

#[test]
fn licence_expressions_are_understood() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR MIT) AND Unicode-3.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let licences = allowed("licenses", "allow");
    let mut wrong = BTreeMap::new();
    let packages = packages();
    // The registry that Cargo uses by default.
    let arrow = packages.iter().find(|package| package["name"] == "arrow").expect("a dependency");
    let registry = arrow["source"].as_str().expect("a source").to_owned();
    assert!(registry.starts_with("registry+"), "{registry}");
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in packages {
        let name = format!("{} {}", package["name"], package["version"]);
        let licence = package["license"].as_str().unwrap_or("no licence");
        if !is_met(licence, &licences) {
            wrong.insert(name.clone(), licence.to_owned());
        }
        // The project itself has no source.
        let source = package["source"].as_str();
        let is_known = source.is_none_or(|source| source == registry);
        if !is_known || (source.is_none() && package["name"] != "coldcase") {
            wrong.insert(name, format!("source {source:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
