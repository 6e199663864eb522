//! `coldcase fmt`.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase, coldcase_at, coldcase_with};

const UNFORMATTED: &str = "SigninLogs|where ResultType!=0 // failures\n|count";
const FORMATTED: &str = "SigninLogs\n| where ResultType != 0 // failures\n| count\n";

/// A folder with the given files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }
    folder
}

fn fmt(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["fmt"], args].concat(), b"")
}

#[test]
fn a_query_on_stdin_is_formatted() {
    for args in [&["fmt"][..], &["fmt", "-"]] {
        let output = coldcase_with(args, UNFORMATTED);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, FORMATTED, ""));
    }
    let output = coldcase_with(&["fmt", "--check"], UNFORMATTED);
    assert_eq!((output.code, output.stdout.as_str()), (1, "-\n"));
    assert_eq!(coldcase_with(&["fmt", "--check"], FORMATTED).code, 0);
    assert_eq!(coldcase_with(&["fmt", "--write"], UNFORMATTED).code, 2);
}

#[test]
fn files_are_checked_and_rewritten() {
    let folder = folder(&[
        ("a.kql", UNFORMATTED.as_bytes()),
        ("b.txt", UNFORMATTED.as_bytes()),
        ("sub/c.KUSTO", FORMATTED.as_bytes()),
        ("sub/d.csl", UNFORMATTED.as_bytes()),
        (".hidden/e.kql", UNFORMATTED.as_bytes()),
    ]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("readable");
    let shown = fmt(folder.path(), &["a.kql"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (0, FORMATTED));
    assert_eq!(fmt(folder.path(), &["."]).code, 2, "several files are not printed");
    let checked = fmt(folder.path(), &["--check", "."]);
    assert_eq!((checked.code, checked.stdout.replace('\\', "/").as_str()), (1, "./a.kql\n./sub/d.csl\n"));
    assert_eq!(read("a.kql"), UNFORMATTED);
    let written = fmt(folder.path(), &["--write", ".", "b.txt"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert!(written.stderr.contains("formatted") && !written.stderr.contains("c.KUSTO"), "{}", written.stderr);
    for name in ["a.kql", "b.txt", "sub/c.KUSTO", "sub/d.csl"] {
        assert_eq!(read(name), FORMATTED, "{name}");
    }
    assert_eq!(read(".hidden/e.kql"), UNFORMATTED);
    assert_eq!(fmt(folder.path(), &["--check", ".", "b.txt"]).code, 0);
    assert_eq!(fmt(folder.path(), &["--check", "missing.kql"]).code, 5);
    assert_eq!(fmt(folder.path(), &["--check", ".hidden/f"]).code, 5);
}

#[test]
fn files_keep_their_encoding_and_line_ends() {
    let utf16 = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let lines = |text: &str| text.replace('\n', "\r\n");
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    let cases = [
        (marked(UNFORMATTED), marked(FORMATTED)),
        (marked(&lines(UNFORMATTED)), marked(&lines(FORMATTED))),
        (lines(UNFORMATTED).into_bytes(), lines(FORMATTED).into_bytes()),
        (utf16(&lines(UNFORMATTED)), utf16(&lines(FORMATTED))),
    ];
    for (before, after) in cases {
        let folder = folder(&[("a.kql", &before)]);
        assert_eq!(fmt(folder.path(), &["--check", "a.kql"]).code, 1);
        assert_eq!(fmt(folder.path(), &["--write", "a.kql"]).code, 0);
        assert_eq!(fs::read(folder.path().join("a.kql")).expect("readable"), after);
        assert_eq!(fmt(folder.path(), &["--check", "a.kql"]).code, 0);
    }
}

#[test]
fn queries_that_do_not_parse_are_left_alone() {
    let folder = folder(&[
        ("a.kql", b"T | wher x"),
        ("b.kql", UNFORMATTED.as_bytes()),
        ("c.kql", b"T|make-graph a --> b"),
        ("d.kql", b"\xff"),
    ]);
    let output = fmt(folder.path(), &["--write", "a.kql", "b.kql", "c.kql"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(output.stderr.contains("a.kql:1:5") && output.stderr.contains("c.kql:1:3"), "{}", output.stderr);
    let read = |name: &str| fs::read(folder.path().join(name)).expect("readable");
    assert_eq!(read("a.kql"), b"T | wher x");
    assert_eq!(read("b.kql"), FORMATTED.as_bytes());
    assert_eq!(fmt(folder.path(), &["c.kql"]).code, 4);
    assert_eq!(fmt(folder.path(), &["d.kql"]).code, 5);
    assert_eq!(coldcase_with(&["fmt"], "T | wher x").code, 3);
}

#[test]
fn the_help_has_examples() {
    let help = coldcase(&["help", "fmt"]).stdout;
    assert!(help.contains("coldcase fmt --check"), "{help}");
}
