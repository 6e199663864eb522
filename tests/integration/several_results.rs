//! Queries that return several results: formats that hold them all, and `--result` for the others.

use std::fs;

use serde_json::Value as Json;

use crate::catalog::{CATALOG, archive, run_in};

const QUERY: &str = "SigninLogs | fork (count) Ids = (distinct Id | sort by Id asc | take 2)";

fn run(args: &[&str]) -> (i32, String, String) {
    let folder = archive(CATALOG);
    run_in(folder.path(), args, &[])
}

fn answer(args: &[&str]) -> String {
    let (status, answer, said) = run(args);
    assert_eq!(status, 0, "{args:?}: {said}");
    answer
}

#[test]
fn some_formats_hold_all_results() {
    let table = "GenericResult\n\nCount\n─────\n    4\n\n1 row\n\nIds\n\nId\n──\n1\n2\n\n2 rows\n";
    assert_eq!(answer(&[QUERY, "-o", "table"]), table);
    let markdown = "### GenericResult\n\n| Count |\n| ---: |\n| 4 |\n\n### Ids\n\n| Id |\n| --- |\n| 1 |\n| 2 |\n";
    assert_eq!(answer(&[QUERY, "-o", "md"]), markdown);
    let lines = "GenericResult\n\nrow 1\nCount: 4\n\nIds\n\nrow 1\nId: 1\n\nrow 2\nId: 2\n";
    assert_eq!(answer(&[QUERY, "-o", "line"]), lines);
    let response: Json = serde_json::from_str(&answer(&[QUERY, "-o", "la-api"])).expect("JSON");
    let tables = response["tables"].as_array().expect("tables");
    assert_eq!(tables.len(), 2);
    assert_eq!((&tables[0]["name"], &tables[0]["rows"]), (&"GenericResult".into(), &serde_json::json!([[4]])));
    assert_eq!((&tables[1]["name"], &tables[1]["rows"]), (&"Ids".into(), &serde_json::json!([["1"], ["2"]])));
    let none = answer(&["print 1 | take 0; print 2 | take 0", "-o", "la-api"]);
    let none: Json = serde_json::from_str(&none).expect("JSON");
    assert_eq!(none["tables"][1]["rows"], serde_json::json!([]));
}

#[test]
fn other_formats_need_a_choice() {
    for format in ["csv", "jsonl", "json", "tsv"] {
        let (status, rows, said) = run(&[QUERY, "-o", format]);
        assert_eq!((status, rows.as_str()), (2, ""), "{format}: {said}");
        assert!(said.contains("2 results (1 GenericResult, 2 Ids)") && said.contains("--result"), "{said}");
    }
    assert_eq!(answer(&[QUERY, "--result", "1"]), "Count\n4\n");
    assert_eq!(answer(&[QUERY, "--result", "Ids"]), "Id\n1\n2\n");
    assert_eq!(answer(&["print a = 1; print b = 2", "--result", "PrimaryResult1"]), "b\n2\n");
    assert_eq!(answer(&["print a = 1", "--result", "1"]), "a\n1\n");
    for choice in ["3", "0", "ids", "-1"] {
        let (status, _, said) = run(&[QUERY, &format!("--result={choice}")]);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("2 results (1 GenericResult, 2 Ids)"), "{said}");
    }
    let folder = archive(CATALOG);
    let (status, _, said) = run_in(folder.path(), &[QUERY, "-O", "both.parquet"], &[]);
    assert_eq!(status, 2, "{said}");
    assert!(!folder.path().join("both.parquet").exists());
    let (status, _, said) = run_in(folder.path(), &[QUERY, "-O", "both.md"], &[]);
    assert_eq!(status, 0, "{said}");
    assert!(fs::read_to_string(folder.path().join("both.md")).expect("written").ends_with("| 1 |\n| 2 |\n"));
}

#[test]
fn an_error_in_a_later_result_leaves_no_file() {
    let folder = archive(CATALOG);
    let query = "print a = 1; print b = assert(tolong(rand(1)) > 5, 'stop')";
    let (status, _, said) = run_in(folder.path(), &[query, "-O", "both.md"], &[]);
    assert_ne!(status, 0, "{said}");
    assert!(!folder.path().join("both.md").exists());
}

#[test]
fn batches_and_manifests_have_every_result() {
    let folder = archive(CATALOG);
    let queries = format!("{{\"id\":1,\"query\":\"{QUERY}\"}}\n{{\"id\":2,\"query\":\"print 1\"}}\n");
    fs::write(folder.path().join("queries.jsonl"), queries).expect("written");
    let (status, lines, said) = run_in(folder.path(), &["batch", "queries.jsonl", "--manifest", "m.json"], &[]);
    assert_eq!(status, 0, "{said}");
    let first: Json = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["rows"], serde_json::json!([[4]]));
    assert_eq!(first["otherResults"][0]["name"], "Ids");
    assert_eq!(first["otherResults"][0]["rows"], serde_json::json!([["1"], ["2"]]));
    assert!(lines.lines().nth(1).is_some_and(|line| !line.contains("otherResults")));
    let manifest = |name: &str| -> Json {
        let text = fs::read_to_string(folder.path().join(name)).expect("a manifest");
        serde_json::from_str(&text).expect("JSON")
    };
    assert_eq!(manifest("m.json")["answers"][0]["results"][1]["rows"], 2);
    assert_eq!(manifest("m.json")["answers"][1]["answer"]["rows"], 1);
    let (status, _, said) = run_in(folder.path(), &[QUERY, "-o", "md", "--manifest", "m2.json"], &[]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(manifest("m2.json")["results"][0]["name"], "GenericResult");
    // Each message is given once, although each result reads the files.
    fs::write(folder.path().join("data/1.json"), "{\"Type\":\"SigninLogs\",\n{\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n")
        .expect("written");
    let (_, _, said) = run_in(folder.path(), &[QUERY, "-o", "md"], &[]);
    assert_eq!(said.matches("1 record was not read").count(), 1, "{said}");
}

#[test]
fn options_of_the_query_are_shown() {
    let folder = archive(CATALOG);
    let query = "set query_take_max_records = 2; set servertimeout = 1m; SigninLogs | project Id";
    let (status, rows, said) = run_in(folder.path(), &[query, "-v", "--manifest", "m.json"], &[]);
    assert_eq!((status, rows.lines().count()), (0, 3), "{said}");
    assert!(said.contains("option: query_take_max_records = 2\n"), "{said}");
    assert!(said.contains("option: servertimeout = 1m (no effect here)"), "{said}");
    let text = fs::read_to_string(folder.path().join("m.json")).expect("a manifest");
    let manifest: Json = serde_json::from_str(&text).expect("JSON");
    assert_eq!(manifest["options"], serde_json::json!([{"name": "query_take_max_records", "value": "2"}]));
}

#[test]
fn plans_of_every_result_are_explained() {
    let plans = answer(&["explain", QUERY]);
    assert!(plans.starts_with("GenericResult:\n") && plans.contains("\nIds:\n"), "{plans}");
    assert_eq!(run(&["explain", "--analyze", QUERY]).0, 2);
    assert_eq!(run(&["check", "x.kql", "--result", "1"]).0, 2);
    let (status, one, _) = run(&["explain", "--analyze", QUERY, "--result", "Ids"]);
    assert!(status == 0 && !one.contains("Ids:"), "{one}");
}
