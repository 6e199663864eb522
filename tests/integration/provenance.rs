//! Where rows come from: `--provenance`, and `--rejects` for what is no row.

use std::fs;

use crate::command::{coldcase, root};

const SHAPES: &str = "testdata/shapes";

fn rows(args: &[&str]) -> Vec<serde_json::Value> {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{output:?}");
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Every row's file and byte lead to the record with its Id.
#[test]
fn bytes_lead_to_the_record() {
    for shape in ["diag-storage-legacy", "la-data-export", "graph-beta", "eventhub", "graph-ndjson", "portal-json"] {
        let query = "SigninLogs | project Id, _SourceFile, _SourceLine, _SourceByte, _SourceShape";
        let rows = rows(&[query, &format!("{SHAPES}/{shape}"), "--provenance"]);
        assert_eq!(rows.len(), 10, "{shape}");
        for row in rows {
            let text = fs::read(root().join(row["_SourceFile"].as_str().expect("a file"))).expect("readable");
            let byte = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
            let record = &text[byte..];
            let id = row["Id"].as_str().expect("an id").as_bytes();
            let at = record.windows(id.len()).position(|part| part == id).expect("the record has the id");
            assert_eq!(record[0], b'{', "{shape}: {row}");
            assert!(at < 12_000, "{shape}: {row}: the id is {at} bytes behind the start");
            let line = text[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(row["_SourceLine"], line, "{shape}: {row}");
            assert_ne!(row["_SourceShape"], "", "{shape}");
        }
    }
}

#[test]
fn lines_of_parquet_are_rows() {
    let path = format!("{SHAPES}/adx-export-parquet");
    let numbered = rows(&["SigninLogs | project Id, _SourceFile, _SourceLine, _SourceByte", &path, "--provenance"]);
    assert_eq!(numbered.len(), 10);
    let mut last = (String::new(), 0);
    for row in &numbered {
        let (file, line) = (row["_SourceFile"].as_str().expect("a file"), row["_SourceLine"].as_u64().expect("a row"));
        let expected = if last.0 == file { last.1 + 1 } else { 1 };
        assert_eq!(line, expected, "{row}");
        assert!(row["_SourceByte"].is_null());
        last = (file.to_owned(), line);
    }
    // A filter leaves the numbers as they are.
    let wanted = &numbered[7];
    let query = format!("SigninLogs | where Id == '{}' | project _SourceLine", wanted["Id"].as_str().expect("an id"));
    assert_eq!(rows(&[&query, &path, "--provenance"])[0]["_SourceLine"], wanted["_SourceLine"]);
    let query = "SigninLogs | where _SourceLine == 2 | count";
    assert_eq!(rows(&[query, &path, "--provenance"])[0]["Count"], 2);
}

/// Big files are read in parts: lines are counted over all of them.
#[test]
fn lines_of_big_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("big.jsonl");
    let padding = "x".repeat(400);
    let line = |n: u32| format!("{{\"n\":{n},\"p\":\"{padding}\"}}\n");
    fs::write(&file, (1..=50_000).map(line).collect::<String>()).expect("written");
    let table = format!("T={}", file.display());
    let wrong = rows(&["T | where _SourceLine != n | count", "-t", &table, "--provenance"]);
    assert_eq!(wrong[0]["Count"], 0);
}

#[test]
fn the_columns_are_there_only_on_request() {
    let path = format!("{SHAPES}/graph-beta");
    assert_eq!(coldcase(&["SigninLogs | project _SourceFile", &path]).code, 3);
    let columns = |args: &[&str]| rows(&[&["SigninLogs | getschema | summarize make_list(ColumnName)"], args].concat());
    assert!(!columns(&[&path])[0].to_string().contains("_Source"));
    let with = columns(&[&path, "--provenance"])[0].to_string();
    assert!(with.contains("\"_SourceFile\",\"_SourceLine\",\"_SourceByte\",\"_SourceShape\"]"), "{with}");
    assert!(!with.contains("_SourcePosition"));
}
