//! Stored functions: `[functions]` of the catalog file.

use std::fs;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::catalog::{CATALOG, archive, run_in};

/// Creates an archive whose catalog file lists the functions in `files`.
fn library(files: &[(&str, &str)]) -> TempDir {
    let folder = archive(&format!("{CATALOG}[functions]\npaths = ['functions/*.kql', 'more']\n"));
    for name in ["functions", "more"] {
        fs::create_dir_all(folder.path().join(name)).expect("folders");
    }
    fs::write(folder.path().join("more/none.kql"), "// nothing\n").expect("written");
    fs::write(folder.path().join("functions/none.kql"), "").expect("written");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

const BASIC: &str = "\u{feff}// Published as commands, without anything between them.
.create-or-alter function with (folder = \"Sign-ins\", docstring = 'Sign-ins since a minute.', skipvalidation = true)
Recent(minute:long = 0)
{
    let start = datetime(2026-03-02 09:00) + minute * 1m;
    SigninLogs
    | where TimeGenerated >= start
}

.create function ifnotexists Twice(n:long) { n * 2 }
.alter function with (view = 'true') Ids() { SigninLogs | distinct Id }
let Known = (T:(Id:string), low:long) { T | where toint(Id) >= low and Twice(low) > 0 };
let ['two words'] = view () { print Words = 2; }";

fn answer(folder: &TempDir, query: &str) -> String {
    let (status, answer, said) = run_in(folder.path(), &[query], &[]);
    assert_eq!(status, 0, "{query}: {said}");
    answer
}

/// The exit code and the messages.
fn failure(folder: &TempDir, query: &str) -> (i32, String) {
    let (status, answer, said) = run_in(folder.path(), &[query, "-q"], &[]);
    assert_eq!(answer, "", "{query}");
    (status, said)
}

#[test]
fn stored_functions_are_called() {
    let folder = library(&[
        ("functions/basic.kql", BASIC),
        ("more/calls.txt", "let Both = () { union (Recent | count), (Ids | count) };\nlet SigninLogs2 = () { Both };"),
    ]);
    for (query, wanted) in [
        ("Recent | count", "Count\n4\n"),
        ("Recent() | count", "Count\n4\n"),
        ("Recent(minute = 3) | count", "Count\n2\n"),
        ("print Twice(4), n = Twice(toscalar(Ids | count))", "print_0,n\n8,6\n"),
        ("SigninLogs | invoke Known(2) | count", "Count\n3\n"),
        ("['two words']", "Words\n2\n"),
        ("union withsource=Source I* | count", "Count\n3\n"),
        ("SigninLogs2", "Count\n4\n3\n"),
        ("SigninLogs | where Id in (Ids) | summarize count() by Twice(1)", "Column1,count_\n2,4\n"),
        ("SigninLogs | join kind=inner Ids on Id | count", "Count\n4\n"),
        // Definitions in the query take precedence, and stored functions do not see them.
        (
            "let Twice = (n:long) { n + 100 }; print Twice(1), toscalar(SigninLogs | invoke Known(2) | count)",
            "print_0,print_1\n101,3\n",
        ),
        ("let Ids = 5; print Ids", "print_0\n5\n"),
        ("let SigninLogs = print a = 1; Recent | count", "Count\n4\n"),
    ] {
        assert_eq!(answer(&folder, query), wanted, "{query}");
    }
    // From another working folder, and together with files on the command line.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("coldcase.toml").display().to_string();
    assert_eq!(run_in(elsewhere.path(), &["Recent | count", "-c", &file], &[]).1, "Count\n4\n");
    assert_eq!(run_in(folder.path(), &["Recent | count", "data/more", "-c", &file], &[]).1, "Count\n1\n");
    // Names are case-sensitive, and the most similar one is suggested.
    for (query, code) in [("recent | count", "KQL2001"), ("print twice(1)", "KQL2002")] {
        let (status, said) = failure(&folder, query);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains(code) && said.contains("did you mean"), "{said}");
    }
}

#[test]
fn a_function_takes_precedence_over_a_table_of_its_name() {
    let folder = library(&[("functions/t.kql", "let SigninLogs = () { print Mine = 1 };")]);
    assert_eq!(answer(&folder, "SigninLogs"), "Mine\n1\n");
    assert_eq!(answer(&folder, "let T = SigninLogs; T"), "Mine\n1\n");
    // A function with the name of a table cannot refer to that table.
    let folder = library(&[("functions/t.kql", "let SigninLogs = () { SigninLogs | take 1 };")]);
    let (status, said) = failure(&folder, "SigninLogs");
    assert_eq!(status, 3);
    assert!(said.contains("in a cycle: SigninLogs, SigninLogs"), "{said}");
}

#[test]
fn mistakes_point_into_the_file() {
    let folder = library(&[
        (
            "functions/a.kql",
            "let Fine = () { 1 };\n\n.create function Wrong(n:long)\n{\n    n + missing\n}\nlet Outer = (n:long) {\n  Wrong(n) };",
        ),
        (
            "functions/b.kql",
            "let Cut = () { SigninLogs | wehre 1 == 1 };\nlet Unsupported = () { SigninLogs | make-graph a --> b };\nlet After = () { 2 };",
        ),
    ]);
    let (status, said) = failure(&folder, "print a = 1\n| extend b = Outer(a)");
    assert_eq!(status, 3);
    let excerpt = "error[KQL2003]: unknown column `missing`
 --> functions/a.kql:5:9
  |
5 |     n + missing
  |         ^^^^^^^
...
8 |   Wrong(n) };
  |   -------- in this call
  |
 ::: query:2:14
  |
2 | | extend b = Outer(a)
  |              -------- in this call
";
    assert_eq!(said, excerpt);
    let (_, said, _) = {
        let (status, _, said) = run_in(folder.path(), &["print Outer(1)", "--error-format", "json", "-q"], &[]);
        (status, said, ())
    };
    let said: Json = serde_json::from_str(&said).expect("JSON");
    let place = (&said["file"], &said["line"], &said["column"], &said["text"]);
    assert_eq!(place, (&"functions/a.kql".into(), &5.into(), &9.into(), &"missing".into()));
    let line = serde_json::json!({"id": 1, "query": "print Outer(1)"}).to_string();
    fs::write(folder.path().join("queries.jsonl"), line).expect("written");
    let (_, answers, _) = run_in(folder.path(), &["batch", "queries.jsonl"], &[]);
    assert!(answers.contains("\"functions/a.kql:5:9: KQL2003: unknown column `missing`\""), "{answers}");
    // An unreadable function matters only to its callers; the rest of the file is available.
    assert_eq!(answer(&folder, "print Fine, After"), "print_0,print_1\n1,2\n");
    let (status, said) = failure(&folder, "Cut");
    assert_eq!(status, 3);
    assert!(said.contains("KQL1007") && said.contains("functions/b.kql:1:29"), "{said}");
    let (status, said) = failure(&folder, "Unsupported | count");
    assert_eq!(status, 4);
    assert!(said.contains("KQL3001") && said.contains("functions/b.kql:2:37") && said.contains("query:1:1"), "{said}");
}

#[test]
fn recursive_functions_are_named() {
    let folder = library(&[
        ("functions/a.kql", "let A = (n:long) { B(n) };"),
        ("functions/b.kql", "let B = (n:long) { let C = (m:long) { A(m) }; C(n) };"),
    ]);
    let (status, said) = failure(&folder, "print A(1)");
    assert_eq!(status, 3);
    assert!(said.contains("in a cycle: A, B, C, A") && said.contains("functions/b.kql:1:39"), "{said}");
}

#[test]
fn files_without_functions_are_reported() {
    for (text, words) in [
        ("SigninLogs | take 1", "`SigninLogs` is not a function definition"),
        ("let n = 5;", "is not a function definition"),
        (".drop function F", "`.` is not a function definition"),
        ("let F = () { 1 }", ""),
        ("let F = () { 1 ", "is not closed"),
        ("let F = () { 1 }; let F = () { 2 };", "the function `F` is already defined"),
        ("let F = () { 'open };", "KQL100"),
        ("let strlen = (s:string) { 1 };", "the name of the KQL function `strlen`"),
        (".create function with (docstring) F() { 1 }", "expected"),
        (".create function 5() { 1 }", "expected a name"),
        (".create function F { 1 }", "is not a function definition"),
    ] {
        let folder = library(&[("functions/f.kql", text)]);
        let (status, _, said) = run_in(folder.path(), &["print F"], &[]);
        // A built-in name cannot name a function: the query then has another mistake.
        assert_eq!(status == 0, words.is_empty(), "{text}: {said}");
        assert!(said.contains(words) || text.contains("strlen"), "{text}: {said}");
        assert!(words.is_empty() || text.contains("strlen") || said.contains("functions/f.kql:1:"), "{text}: {said}");
        // Queries that call no stored function do not read them.
        assert_eq!(answer(&folder, "print strlen('ab')"), "print_0\n2\n", "{text}");
    }
    let folder = library(&[("functions/a.kql", "let strlen = (s:string) { 1 };\nlet F = () { 1 };")]);
    let (status, said) = failure(&folder, "print F");
    assert_eq!(status, 4);
    assert!(said.contains("the name of the KQL function `strlen`") && said.contains("functions/a.kql:1:5"), "{said}");
    let folder = library(&[("functions/a.kql", &format!("let F = () {{ 1 }};{}", " ".repeat(1 << 20)))]);
    let (status, said) = failure(&folder, "print F");
    assert_eq!(status, 5);
    assert!(said.contains("a.kql: a file with stored functions may have at most 1048576 bytes"), "{said}");
    let folder = library(&[]);
    fs::write(folder.path().join("functions/a.kql"), b"let F = () { '\xff' };").expect("written");
    assert!(failure(&folder, "print F").1.contains("a file with stored functions must be UTF-8"));
    let folder = archive(&format!("{CATALOG}[functions]\npaths = ['nowhere']\n"));
    assert_eq!(failure(&folder, "SigninLogs | count").0, 5);
}

#[test]
fn tables_lists_functions() {
    let folder = library(&[
        ("functions/basic.kql", BASIC),
        ("functions/wrong.kql", "let Cut = () { T | wehre 1 == 1 };"),
        ("more/other.kql", "T | count"),
    ]);
    let (status, stdout, _) = run_in(folder.path(), &["tables", "-o", "json"], &[]);
    assert_eq!(status, 0);
    let rows: Json = serde_json::from_str(&stdout).expect("JSON");
    let of = |name: &str| rows.as_array().expect("rows").iter().find(|row| row["Table"] == name).cloned();
    let recent = of("Recent()").expect("it is there");
    assert_eq!((&recent["Pattern"], &recent["From"]), (&"functions/basic.kql".into(), &"coldcase.toml".into()));
    assert_eq!((&recent["Files"], &recent["Problem"]), (&1.into(), &"".into()));
    let problem = |name: &str| of(name).expect("it is there")["Problem"].as_str().unwrap_or("").to_owned();
    assert!(problem("Cut()").starts_with("functions/wrong.kql:1:20: KQL1007"), "{}", problem("Cut()"));
    assert!(problem("[functions]").starts_with("more/other.kql:1:1: KQL1001"), "{}", problem("[functions]"));
}

#[test]
fn manifests_name_the_functions_that_were_called() {
    let folder = library(&[("functions/basic.kql", BASIC), ("more/x.kql", "let Other = () { 1 };")]);
    let (status, _, said) =
        run_in(folder.path(), &["SigninLogs | invoke Known(2) | count", "--manifest", "m.json"], &[]);
    assert_eq!(status, 0, "{said}");
    let manifest = fs::read_to_string(folder.path().join("m.json")).expect("written");
    let manifest: Json = serde_json::from_str(&manifest).expect("JSON");
    let functions = manifest["functions"].as_array().expect("a list");
    let names: Vec<&str> = functions.iter().filter_map(|function| function["function"].as_str()).collect();
    assert_eq!(names, ["Known", "Twice"]);
    assert_eq!(functions[0]["bytes"], BASIC.len());
    assert_eq!(functions[0]["sha256"].as_str().map(str::len), Some(64));
}
