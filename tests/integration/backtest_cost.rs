//! `coldcase backtest --report rules`: totals, and the rows and bytes that runs read.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::command::{coldcase_at, folder, lines};

/// Rows at seconds after 2026-03-01T10:00:00Z that arrive the given seconds later.
fn rows(times: &[(i64, i64)]) -> String {
    let time =
        |seconds: i64| format!("2026-03-01T{:02}:{:02}:{:02}Z", 10 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    let row = |(number, (at, delay)): (usize, &(i64, i64))| {
        let row = json!({"TimeGenerated": time(*at), "_IngestionTime": time(at + delay), "N": number % 3});
        format!("{row}\n")
    };
    times.iter().enumerate().map(row).collect()
}

fn rule(period: &str, query: &str) -> String {
    format!(
        "id: a\nname: r\nkind: Scheduled\nseverity: High\nqueryFrequency: 5m\nqueryPeriod: {period}\ntriggerOperator: gt\n\
         triggerThreshold: 0\nquery: {query}\n"
    )
}

/// The totals of the rule `a.yaml`, from 10:00 until 10:30.
fn totals(folder: &Path, more: &[&str]) -> Json {
    let args =
        ["backtest", "a.yaml", "--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T10:30:00Z", "--report", "rules"];
    let output = coldcase_at(folder, &[&args[..], more].concat(), b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    lines(&output).remove(0)
}

#[test]
fn runs_read_all_rows_of_their_windows() {
    // Not on whole minutes, where windows meet.
    let times = [(30, 0), (90, 0), (91, 0), (400, 0), (700, 600), (1500, 0)];
    let data = rows(&times);
    let bytes = data.len() as f64;
    let folder = folder(&[("t.jsonl", &data), ("u.jsonl", &rows(&[(30, 0), (45, 0)]))]);
    let run = |rule: &str, more: &[&str]| {
        fs::write(folder.path().join("a.yaml"), rule).expect("written");
        totals(folder.path(), &[&["-t", "T=t.jsonl", "-t", "U=u.jsonl"], more].concat())
    };
    // Runs at 10:00, 10:05, ... 10:30 read 0, 3, 1, 1, 0, 0 and 1 rows, also those that the query does not look for.
    let query = "T | where N == 0";
    let found = run(&rule("5m", query), &[]);
    assert_eq!([&found["Runs"], &found["RowsRead"], &found["MaxRows"]], [7, 6, 3], "{found}");
    assert!((found["RowsPerRun"].as_f64().expect("a number") - 6.0 / 7.0).abs() < 1e-9, "{found}");
    assert!((found["BytesRead"].as_f64().expect("a number") - bytes).abs() <= 1.0, "{found}");
    assert!((found["MaxBytes"].as_f64().expect("a number") - bytes / 2.0).abs() <= 1.0, "{found}");
    assert_eq!([&found["Alerts"], &found["Events"], &found["Caught"], &found["Missed"]], [2, 2, 2, 0], "{found}");
    // A run of ten minutes reads each row twice, unless the range ends before.
    assert_eq!(run(&rule("10m", query), &[])["RowsRead"], 11);
    // Tables count once, and only if the query reads them; the result is the same if files are read at every run.
    for (query, read) in [
        ("T | join kind=inner (T | project N) on N", 6),
        ("T | where 'U' != 'V'", 6),
        ("union T, U", 8),
        ("union (T | where N == 9), U", 8),
    ] {
        assert_eq!(run(&rule("5m", query), &[])["RowsRead"], read, "{query}");
    }
    assert_eq!(run(&rule("5m", "T | where N in ((T | project N))"), &["--ingestion-delay", "fixed:0"])["RowsRead"], 6);
    // Suppressed runs read nothing: that of 10:05 makes an alert.
    let suppressed = rule("5m", query) + "suppressionEnabled: true\nsuppressionDuration: 15m\n";
    let found = run(&suppressed, &[]);
    assert_eq!([&found["Runs"], &found["Suppressed"], &found["RowsRead"]], [5, 2, 4], "{found}");
    // The windows of an NRT rule are about the time of arrival: a run a minute, each row once.
    let nrt = "id: a\nname: r\nkind: NRT\nseverity: High\nquery: T | where N == 0\n";
    let found = run(nrt, &[]);
    assert_eq!([&found["Runs"], &found["RowsRead"], &found["MaxRows"]], [31, 6, 2], "{found}");
}

#[test]
fn pages_show_what_a_run_reads() {
    let folder = folder(&[("a.yaml", &rule("5m", "T")), ("t.jsonl", &rows(&[(30, 0), (90, 0)]))]);
    let output = coldcase_at(folder.path(), &["backtest", "a.yaml", "-t", "T=t.jsonl", "-o", "html"], b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("What a run reads") && output.stdout.contains("Rows of a run (most)"));
}

/// The first and the last time of SigninLogs in a file: that of placeholders is one tick outside.
fn range(folder: &Path, file: &str) -> String {
    let query =
        "SigninLogs | take 1 | project S = datetime({{StartTimeISO}}) + 1tick, E = datetime({{EndTimeISO}}) - 1tick";
    let output = coldcase_at(folder, &["-q", "-o", "csv", query, file], b"");
    assert_eq!(output.code, 0, "{file}: {}", output.stderr);
    output.stdout.lines().nth(1).expect("a row").replace("2026-03-01T", "").replace(":00.0000000Z", "")
}

/// Statistics of Parquet files show the range of a table only if all rows are of that table and have that time.
#[test]
fn ranges_of_parquet_files_are_those_of_their_rows() {
    let folder = folder(&[]);
    let write = |name: &str, columns: &str, rows: &str| {
        let query = format!("datatable({columns})[{rows}]");
        let output = coldcase_at(folder.path(), &["-q", "-o", "parquet", "-O", name, &query], b"");
        assert_eq!(output.code, 0, "{}", output.stderr);
    };
    let at = |time: &str| format!("datetime(2026-03-01T{time})");
    let signin = |time: &str| format!("{}, 'SigninLogs'", at(time));
    let columns = "TimeGenerated:datetime, Type:string";
    write("one.parquet", columns, &[signin("11:00"), signin("10:00"), signin("12:30")].join(","));
    write(
        "mixed.parquet",
        columns,
        &[signin("11:00"), format!("{}, 'AuditLogs'", at("09:00")), signin("12:00")].join(","),
    );
    write("null.parquet", columns, &[signin("11:00"), "datetime(null), 'SigninLogs'".to_owned()].join(","));
    let original = "TimeGenerated:datetime, _OriginalTimeGenerated:datetime, Type:string";
    let copied = |time: &str, original: &str| format!("{}, {}, 'SigninLogs'", at(time), at(original));
    write("copies.parquet", original, &[copied("20:00", "08:00"), copied("20:00", "09:00")].join(","));
    for (file, expected) in
        [("one", "10:00,12:30"), ("mixed", "11:00,12:00"), ("null", "11:00,11:00"), ("copies", "08:00,09:00")]
    {
        assert_eq!(range(folder.path(), &format!("{file}.parquet")), expected, "{file}");
    }
    // The same from archives, in which rows of other tables are apart.
    let rows = |table: &str, minutes: &[u32]| {
        let row = |minute: &u32| json!({"TimeGenerated": format!("2026-03-01T10:{minute:02}:00Z"), "Type": table, "Id": minute});
        minutes.iter().map(|minute| format!("{}\n", row(minute))).collect::<String>()
    };
    fs::write(folder.path().join("t.jsonl"), rows("AuditLogs", &[1]) + &rows("SigninLogs", &[7, 3, 5]))
        .expect("written");
    let output = coldcase_at(folder.path(), &["convert", "t.jsonl", "-O", "archive"], b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(range(folder.path(), "archive"), "10:03,10:07");
}
