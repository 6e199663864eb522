//! Functions that call each other: stack and memory are bounded whatever they do.

use std::fmt::Write;
use std::sync::Arc;

use coldcase::diagnostic::Error;
use coldcase::engine::{Engine, Settings};
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::types::datetime;

/// The codes of the messages about a query.
fn codes(query: &str) -> Vec<&'static str> {
    let engine = Engine::new(Arc::new(FileCatalogBuilder::default().build()), Settings::new(datetime::UNIX_EPOCH));
    match engine.query(query) {
        Ok(_) => Vec::new(),
        Err(Error::Query(list)) => list.iter().map(|diagnostic| diagnostic.code.info().id).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// `count` functions, each of which calls the previous one between `before` and `after`.
fn chain(count: usize, first: &str, before: &str, after: &str) -> String {
    let mut text = format!("let f0 = {first};\n");
    for number in 1..=count {
        let call = format!("f{}(x)", number - 1);
        writeln!(text, "let f{number} = (x:long) {{ {before}{call}{after} }};").expect("a string");
    }
    text
}

/// Runs `check` with the stack size of a program's first thread; unoptimised code needs more than a test thread has.
fn with_stack(check: fn()) {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(check).expect("a thread");
    thread.join().expect("no panic");
}

#[test]
fn calls_are_bounded() {
    with_stack(|| {
        for (first, before, after) in [
            ("(x:long) { x }", "x + ", ""),
            ("(x:long) { x }", "-(-(", "))"),
            ("(x:long) { x }", "iff(x > 1, 1, ", ")"),
        ] {
            let query =
                |count: usize| format!("{}print x = 1 | extend y = f{count}(x)", chain(count, first, before, after));
            assert_eq!(codes(&query(30)), [] as [&str; 0], "{before}");
            assert_eq!(codes(&query(3_000)), ["KQL1005"], "{before}");
        }
        for (before, after) in [("", " | where x > 0"), ("toscalar(", ")"), ("union (print 1), (", ")")] {
            let query =
                |count: usize| format!("{}f{count}(1)", chain(count, "(x:long) { print a = x }", before, after));
            if !before.starts_with("toscalar") {
                assert_eq!(codes(&query(30)), [] as [&str; 0], "{before}");
            }
            assert_eq!(codes(&query(3_000)).first(), Some(&"KQL1005"), "{before}");
        }
    });
}

#[test]
fn deep_bodies_are_bounded() {
    with_stack(|| {
        for (open, close) in [("-(", ")"), ("not(", ")"), ("toscalar(", ")"), ("iff(true, ", ", 1)"), ("tolong(", ")")]
        {
            for height in [10, 40, 90] {
                for count in [5, 31] {
                    let functions = chain(count, "(x:long) { x }", &open.repeat(height), &close.repeat(height));
                    // The value for `toscalar` is the same for all rows.
                    let argument = if open == "toscalar(" { "1" } else { "x" };
                    let found = codes(&format!("{functions}print x = 1 | extend y = f{count}({argument})"));
                    assert!(
                        found.iter().all(|code| *code == "KQL1005" || open == "not("),
                        "{open} {height}: {found:?}"
                    );
                }
            }
        }
    });
}

#[test]
fn growing_arguments_are_bounded() {
    with_stack(|| {
        let high = format!("(x:long) {{ {}x{} }}", "abs(x + ".repeat(90), ")".repeat(90));
        let nested = format!("{}x{}", "f(".repeat(90), ")".repeat(90));
        assert_eq!(codes(&format!("let f = {high}; print x = 1 | extend y = {nested}")), ["KQL1005"]);
    });
}
