//! Every message code: a query that causes it, the position it points at, and its text.
//!
//! `testdata/diagnostics/*.kql` contains queries, separated by empty lines. Below a line, `//` with `^` under some of
//! its words shows the message that points there. `UPDATE=1` records the messages of the engine.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::diagnostic::{CODES, Code, Diagnostic, Error};
use coldcase::engine::{Engine, Settings};
use coldcase::source::file_catalog::{FileCatalog, FileCatalogBuilder};
use coldcase::types::datetime;

use crate::diff::line_diff;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn engine() -> Engine {
    let mut files = FileCatalogBuilder::default();
    files.add(root().join("testdata/signinlogs")).expect("the sample is there");
    let catalog: FileCatalog = files.build();
    Engine::new(Arc::new(catalog), Settings::new(datetime::UNIX_EPOCH))
}

/// All messages about a query: before it runs or, if it runs, then.
fn messages(engine: &Engine, query: &str) -> Vec<Diagnostic> {
    let prepared = match engine.prepare(query) {
        Ok(prepared) => prepared,
        Err(Error::Query(list)) => return list,
        Err(other) => panic!("{query}: {other}"),
    };
    let mut messages = prepared.warnings.clone();
    match engine.query(query) {
        Ok(_) => {}
        Err(Error::Query(list)) => messages.extend(list),
        Err(other) => panic!("{query}: {other}"),
    }
    messages
}

/// The query with a comment below each line that a message points into.
fn annotated(query: &str, messages: &[Diagnostic]) -> String {
    let mut text = String::new();
    let mut start = 0;
    for line in query.split_inclusive('\n') {
        let end = start + line.len();
        let line = line.trim_end_matches('\n');
        text.push_str(line);
        text.push('\n');
        let last = end == query.len();
        let inside = |at: usize| (start..end).contains(&at) || last && at >= end;
        for message in messages.iter().filter(|message| inside(message.span.start as usize)) {
            let column = |at: u32| query[start..(at as usize).clamp(start, start + line.len())].chars().count();
            let (from, to) = (column(message.span.start), column(message.span.end));
            assert!(from >= 2, "indent the query by two blanks, so that a comment can point at its start:\n{query}");
            let (indent, carets) = (" ".repeat(from - 2), "^".repeat((to - from).max(1)));
            writeln!(text, "//{indent}{carets} {}: {}", message.code.info().id, message.message).expect("a string");
            for help in &message.help {
                writeln!(text, "//{indent}help: {help}").expect("a string");
            }
        }
        start = end;
    }
    text
}

/// The queries of a file, without the comments that record messages.
fn queries(text: &str) -> Vec<String> {
    let query = |block: &str| {
        let lines: Vec<&str> = block.lines().filter(|line| !line.starts_with("//")).collect();
        lines.join("\n")
    };
    text.split("\n\n").map(query).filter(|query| !query.is_empty()).collect()
}

fn files() -> Vec<PathBuf> {
    let folder = root().join("testdata/diagnostics");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("testdata/diagnostics is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kql"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_message_points_at_its_position() {
    let engine = engine();
    let mut complaints = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).expect("it can be read");
        let blocks = queries(&text).into_iter().map(|query| annotated(&query, &messages(&engine, &query)));
        let said = blocks.collect::<Vec<_>>().join("\n");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &said).expect("it can be written");
        } else if said != text {
            complaints.push(format!("{}\n{}", path.display(), line_diff(&text, &said)));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n\n"));
}

#[test]
fn every_code_has_a_query_that_causes_it() {
    let engine = engine();
    let mut missing = Vec::new();
    for info in CODES.iter().filter(|info| !elsewhere(info.code)) {
        let path = root().join(format!("testdata/diagnostics/{}.kql", info.id));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let queries = queries(&text);
        let yields = |query: &String| messages(&engine, query).iter().any(|message| message.code == info.code);
        if queries.is_empty() || !queries.iter().all(yields) {
            missing.push(format!("{} does not yield {}", path.display(), info.id));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// Codes whose query would be too long for a file, which have their own tests, and codes that nothing causes yet.
fn elsewhere(code: Code) -> bool {
    matches!(code, Code::TextTooLong | Code::TooDeep | Code::ColumnWithoutSource | Code::NothingToRead)
}

#[test]
fn the_examples_of_codes_cause_them() {
    let engine = engine();
    let examples = CODES.iter().filter(|info| !info.example.is_empty() && !elsewhere(info.code));
    let wrong = examples.filter(|info| messages(&engine, info.example).iter().all(|message| message.code != info.code));
    let wrong: Vec<String> = wrong.map(|info| format!("{}: {}", info.id, info.example)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn too_deep_and_too_long_queries() {
    let engine = engine();
    let deep = format!("print {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(messages(&engine, &deep)[0].code, Code::TooDeep);
    let long = format!("print '{}'", "x".repeat(coldcase::syntax::MAX_TEXT));
    assert_eq!(messages(&engine, &long)[0].code, Code::TextTooLong);
}
