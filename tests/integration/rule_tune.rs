//! `coldcase rule tune`: conditions, labels, and what is refused.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase, coldcase_at};

const RULE: &str = "\
id: a
name: Failures
kind: Scheduled
severity: Low
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
query: |
  T
  | where Result != 0 // failed
  | project TimeGenerated, User, App, Address, Result, Number
";

const ROWS: &[&str] = &[
    r#""User": "scanner", "App": "Portal", "Address": "203.0.113.1", "Result": 1"#,
    r#""User": "scanner", "App": "Portal", "Address": "203.0.113.2", "Result": 1"#,
    r#""User": "scanner", "App": "Mail", "Address": "203.0.113.1", "Result": 2, "Number": 7"#,
    r#""User": "ann", "App": "Portal", "Address": "198.51.100.1", "Result": 1"#,
    r#""User": "ann", "App": "a\"b\\c | count //\u202e", "Address": "198.51.100.1", "Result": 1"#,
    r#""User": "bob", "App": "Portal", "Address": "198.51.100.2", "Result": 0"#,
];

/// A folder with the rule, rows and labels.
fn folder(name: &str, labels: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let row =
        |(minute, row): (usize, &&str)| format!("{{\"TimeGenerated\": \"2026-03-01T10:0{minute}:00Z\", {row}}}\n");
    let rows: String = ROWS.iter().enumerate().map(row).collect();
    for (name, text) in [("rule.yaml", RULE), ("t.jsonl", &rows), (name, labels)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn tune(folder: &Path, labels: &str, more: &[&str]) -> Output {
    let args = ["rule", "tune", "rule.yaml", "-t", "T=t.jsonl", "--labels", labels];
    coldcase_at(folder, &[&args[..], more].concat(), b"")
}

#[test]
fn conditions_remove_false_positives_and_no_true_positive() {
    let cases = [
        (
            "TimeGenerated,Label\n2026-03-01T10:00:00Z,fp\n2026-03-01T10:01:00Z,fp\n2026-03-01T10:02:00Z,tp\n",
            "| where not(User == \"scanner\" and App == \"Portal\")\n",
        ),
        ("User,Label\nscanner,FalsePositive\nann,TruePositive\n", "| where not(User == \"scanner\")\n"),
        (
            "User,App,Label,Comment\nscanner,Mail,false positive,known\nscanner,Portal,tp,\n",
            "| where not(App == \"Mail\")\n",
        ),
        (
            "TimeGenerated,Label\n2026-03-01T10:02:00Z,fp\n2026-03-01T10:04:00Z,fp\n2026-03-01T10:03:00Z,tp\n",
            "| where not(App == \"Mail\")\n| where not(App == \"a\\\"b\\\\c | count //\\u202e\")\n",
        ),
        // The other integers are null.
        ("Number,Label\n7,fp\n,tp\n", "| where not(App == \"Mail\")\n"),
    ];
    for (labels, condition) in cases {
        let folder = folder("labels.csv", labels);
        let output = tune(folder.path(), "labels.csv", &[]);
        assert_eq!((output.code, output.stdout.as_str()), (0, condition), "{labels}\n{}", output.stderr);
        assert!(output.stderr.contains("removed true positives: 0 of"), "{}", output.stderr);
        // The rule with the condition has the rows that it should have.
        let query = RULE.split_once("query: |\n").expect("a query").1.replace("  |", "|");
        let output = coldcase_at(folder.path(), &[&format!("{query}{condition}"), "-t", "T=t.jsonl"], b"");
        assert_eq!(output.code, 0, "{}", output.stderr);
    }
    let folder = folder("labels.csv", "Number,Label\n7,fp\n,tp\n");
    let output = tune(folder.path(), "labels.csv", &["--columns", "Number"]);
    assert_eq!(output.stdout, "| where not(tostring(Number) == \"7\")\n", "{}", output.stderr);
}

#[test]
fn rows_without_a_label_are_told() {
    let folder = folder("labels.jsonl", "{\"TimeGenerated\": \"2026-03-01T10:00:00.0000000Z\", \"Label\": \"fp\"}\n");
    let output = tune(folder.path(), "labels.jsonl", &["--columns", "User"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "| where not(User == \"scanner\")\n"));
    assert!(output.stderr.contains("also removes 2 rows"), "{}", output.stderr);
}

#[test]
fn true_positives_are_never_lost() {
    let labels = "TimeGenerated,Label\n2026-03-01T10:00:00Z,fp\n2026-03-01T10:01:00Z,tp\n";
    let folder = folder("labels.csv", labels);
    let output = tune(folder.path(), "labels.csv", &["--columns", "User,App"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    assert!(output.stderr.contains("the false positive in line 2 of labels.csv"), "{}", output.stderr);
    assert_eq!(tune(folder.path(), "labels.csv", &["--columns", "User,Address"]).code, 0);
    // A condition after `take` would let other rows in.
    let rule = RULE.replace("| project", "| take 2 | project") + "  | as R; R | take 1\n";
    fs::write(folder.path().join("rule.yaml"), rule).expect("written");
    assert_ne!(tune(folder.path(), "labels.csv", &[]).code, 0);
}

#[test]
fn labels_that_are_wrong_are_reported_with_their_line() {
    let cases = [
        ("User,Label\nscanner,maybe\n", 5, "line 2: `Label` is `maybe`"),
        ("User\nscanner\n", 5, "line 2: `Label` is ``"),
        ("Label\nfp\n", 5, "line 2: no columns besides the label"),
        ("Usr,Label\nscanner,fp\n", 5, "line 2: the query returns no column `Usr`"),
        ("User,Label\nscanner,fp\nnobody,fp\n", 5, "line 3: the query returns no row"),
        ("User,Label\nbob,fp\n", 5, "line 2: the query returns no row"),
        ("User,Label\nscanner,fp\nscanner,tp\n", 5, "line 3: a row with these values has the other label"),
        ("User,Label\nscanner,tp\n", 2, "no row is labelled as a false positive"),
        ("User,Label\nscanner\n", 5, "line 2: not CSV"),
    ];
    for (labels, code, message) in cases {
        let folder = folder("labels.csv", labels);
        let output = tune(folder.path(), "labels.csv", &[]);
        assert_eq!((output.code, output.stdout.as_str()), (code, ""), "{labels}\n{}", output.stderr);
        assert!(output.stderr.contains(message), "{message}\n{}", output.stderr);
    }
    let folder = folder("labels.jsonl", "[1]\n");
    assert!(tune(folder.path(), "labels.jsonl", &[]).stderr.contains("line 1: not a JSON object"));
    assert_eq!(coldcase(&["rule", "tune", "rules/emergency-account-success.yaml"]).code, 2);
}
