//! Holds that files of different folders do not import each other in circles. A module with children is the front of
//! its folder: it imports them, and they import from it, so it is no part of a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

type Module = Vec<String>;

/// Each module file below `src` with its text outside tests.
fn modules() -> BTreeMap<Module, String> {
    let files = walkdir::WalkDir::new("src").into_iter().map(|entry| entry.expect("readable").into_path());
    let code = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    code.filter_map(|path| {
        let below = path.strip_prefix("src").expect("below src").with_extension("");
        let mut module: Module = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let text = fs::read_to_string(&path).expect("source is text");
        let is_test = module.iter().any(|part| part == "tests");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        (!is_test).then(|| (module, lines.collect::<Vec<_>>().join("\n")))
    })
    .collect()
}

/// The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inside = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[from..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(&format!("{}{}", prefix.trim(), part.trim()))).collect()
}

/// The module paths that a file imports, from the root of the crate.
fn imports(module: &Module, code: &str) -> Vec<Vec<String>> {
    let statements = code.split("use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let paths = statements.flat_map(|(tree, _)| expand(tree));
    let absolute = |path: String| {
        let path = path.split(" as ").next().unwrap_or_default().trim().to_owned();
        let mut parts = path.split("::").map(str::to_owned).collect::<Vec<_>>();
        let mut base = match parts.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => module.clone(),
            _ => return None,
        };
        let climbs = parts.iter().take_while(|part| *part == "super").count();
        base.truncate(base.len().saturating_sub(climbs));
        parts.drain(..climbs.max(1));
        base.extend(parts);
        Some(base)
    };
    paths.into_iter().filter_map(absolute).collect()
}

/// Each module without children, with the others that it imports.
fn graph() -> BTreeMap<Module, BTreeSet<Module>> {
    let modules = modules();
    let parents: BTreeSet<&[String]> =
        modules.keys().flat_map(|module| (0..module.len()).map(move |length| &module[..length])).collect();
    let module_of = |path: &[String]| {
        let known = (1..=path.len()).rev().map(|length| &path[..length]);
        known.into_iter().find(|path| modules.contains_key(*path)).map(<[String]>::to_vec)
    };
    let leaves = modules.iter().filter(|(module, _)| !parents.contains(module.as_slice()));
    leaves
        .map(|(module, code)| {
            let used = imports(module, code).into_iter().filter_map(|path| module_of(&path));
            let others = used.filter(|used| used != module && !parents.contains(used.as_slice()));
            (module.clone(), others.collect())
        })
        .collect()
}

/// True if imports lead from one module to the other.
fn leads_to(graph: &BTreeMap<Module, BTreeSet<Module>>, from: &Module, to: &Module) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn files_of_different_folders_do_not_import_each_other_in_circles() {
    let graph = graph();
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 400, "hardly any import was found");
    let mut circles = Vec::new();
    for (module, used) in &graph {
        for other in used.iter().filter(|other| other[..other.len() - 1] != module[..module.len() - 1]) {
            if leads_to(&graph, other, module) {
                circles.push(format!("{} -> {} -> ... -> {0}", module.join("/"), other.join("/")));
            }
        }
    }
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}
