//! `--dedup`: exports deliver records at least once.

use std::fs;

use crate::command::{Output, coldcase};

const TWICE: &str = "testdata/shapes/diag-dups-truncated";

fn run(args: &[&str]) -> Output {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{args:?}: {output:?}");
    output
}

#[test]
fn the_last_delivery_is_kept() {
    let query = "SigninLogs | project Id, TimeGenerated";
    assert_eq!(run(&[query, TWICE, "-o", "csv"]).stdout.lines().count(), 5);
    let output = run(&[query, TWICE, "-o", "csv", "--dedup", "Id"]);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{output:?}");
    assert!(lines.contains(&"33806d3f-3b15-521b-be19-8a521e2f6c00,2026-03-02T09:14:09.5000000Z"), "{output:?}");
    assert!(output.stderr.contains("1 value of Id occurs more than once; dropped 1 row"), "{output:?}");
    // The damaged record at the end of the file is read twice and counted once.
    assert!(output.stderr.contains("1 record was not read"), "{output:?}");
}

#[test]
fn conditions_apply_to_the_last_delivery() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |minute: u32, id: &str, state: &str| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:0{minute}:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"RiskState\":\"{state}\"}}\n"
        )
    };
    let first = [row(1, "a", "none"), row(2, "a", "atRisk"), row(3, "b", "atRisk"), row(4, "", "x"), row(5, "", "x")];
    // The same delivery in a second file: the first one is kept.
    let second = [row(1, "a", "none"), row(3, "b", "atRisk"), row(4, "c", "none")];
    fs::write(folder.path().join("1.json"), first.concat()).expect("written");
    fs::write(folder.path().join("2.json"), second.concat()).expect("written");
    let path = folder.path().display().to_string();
    let answer = |query: &str, more: &[&str]| {
        let output = run(&[&[query, path.as_str(), "-o", "csv", "--dedup", "Id"], more].concat());
        output.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(answer("SigninLogs | project Id, RiskState", &[]), ["a,atRisk", "b,atRisk", ",x", ",x", "c,none"]);
    assert_eq!(answer("SigninLogs | where RiskState == 'none' | project Id", &[]), ["c"]);
    let query = "SigninLogs | where Id == 'b' | project _SourceLine, has_suffix = _SourceFile endswith '1.json'";
    assert_eq!(answer(query, &["--provenance"]), ["3,true"]);
    // The time range is applied first: later deliveries are not known.
    assert_eq!(answer("SigninLogs | where Id == 'a' | project RiskState", &["--to", "2026-03-02T09:02:00Z"]), ["none"]);
    assert_eq!(answer("union SigninLogs, (SigninLogs | where Id == 'c') | count", &[]), ["6"]);
    for threads in ["1", "3"] {
        assert_eq!(answer("SigninLogs | count", &["--threads", threads]), ["5"]);
    }
}

#[test]
fn tables_without_the_column_are_unchanged() {
    let args = ["SigninLogs | count", TWICE, "--dedup", "NoSuchColumn", "-o", "csv"];
    let output = run(&args);
    assert_eq!(output.stdout.replace("\r\n", "\n"), "Count\n4\n");
    assert!(output.stderr.contains("warning: SigninLogs has no column NoSuchColumn"), "{output:?}");
    assert_eq!(coldcase(&["SigninLogs | count", TWICE, "--dedup", "TimeGenerated"]).code, 2);
    // A misspelt column is refused: every copy would count.
    for wrong in ["id", "Idd", "CorelationId"] {
        let output = coldcase(&["SigninLogs | count", TWICE, "--dedup", wrong]);
        assert!(output.code == 2 && output.stdout.is_empty(), "{wrong}: {output:?}");
        assert!(output.stderr.contains("did you mean"), "{wrong}: {output:?}");
    }
}
