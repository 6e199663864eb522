//! `explain --analyze`: the counts of operators and scans are exact; times are masked.

use crate::command::coldcase;

const SIGNINS: &str = "testdata/signinlogs";

/// The output for a query, with every time as `T` and the last line without its memory.
fn analyzed(arguments: &[&str]) -> Vec<String> {
    let output = coldcase(&[&["explain", "--analyze", "--threads", "2"], arguments].concat());
    assert_eq!(output.code, 0, "{output:?}");
    output.stdout.lines().map(masked).collect()
}

fn masked(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let word = |index: usize| match words.get(index + 1) {
        Some(unit) if unit.trim_end_matches(',') == "ms" => "T",
        _ => words[index],
    };
    let line = (0..words.len()).map(word).collect::<Vec<_>>().join(" ");
    line.split("; ").filter(|part| !part.starts_with("peak memory ")).collect::<Vec<_>>().join("; ")
}

/// Three days of a thousand sign-ins each: one file per day.
fn archive(folder: &std::path::Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let (json, archive) = (path("json"), path("archive"));
    let made = coldcase(&["synth", "signinlogs", "--rows", "3000", "--days", "3", "--out", &json, "-q"]);
    assert_eq!(made.code, 0, "{made:?}");
    let converted = coldcase(&["convert", &json, "-O", &archive, "--partition-by", "day", "-q"]);
    assert_eq!(converted.code, 0, "{converted:?}");
    archive
}

#[test]
fn every_operator_reports_its_metrics() {
    let query =
        "SigninLogs | where ResultType != 0 | summarize Failures = count() by UserPrincipalName | sort by Failures";
    let expected = "\
Sort Failures desc nulls last
  = 5 rows in 1 batch, T ms busy
  Aggregate Failures = count() by UserPrincipalName
    = 5 rows in 1 batch, T ms busy
    Scan SigninLogs [UserPrincipalName] where (ResultType != 0) from 7 files (44592 bytes)
      = 6 rows in 1 batch, T ms busy
      = read 7 of 7 files, 44592 bytes, 10 rows
rows: 5; planned in T ms, run in T ms, 2 threads
busy: time in the operator itself, summed over threads";
    assert_eq!(analyzed(&[query, SIGNINS]).join("\n"), expected);
}

#[test]
fn joins_limits_and_tables_in_memory() {
    let query = "SigninLogs | where Id has 'ffff' | count | join kind=rightouter (range Count from 0 to 2 step 1) on Count \
                 | take 2 | extend Twice = Count * 2";
    let expected = "\
Project Count, Count1, Twice = (Count * 2)
  = 2 rows in 1 batch, T ms busy
  Limit 2
    = 2 rows in 1 batch, T ms busy
    Join rightouter on Count == Count, left side in memory
      = 3 rows in 1 batch, T ms busy
      Aggregate Count = count()
        = 1 row in 1 batch, T ms busy
        Scan SigninLogs [] where (Id has \"ffff\") skip unless Id contains \"ffff\" from 7 files (44592 bytes)
          = 0 rows in 0 batches, T ms busy
          = read 7 of 7 files, 44592 bytes, 7 rows; left out 3 records unparsed
      Scan range [Count] from range (3 rows)
        = 3 rows in 1 batch, T ms busy
rows: 2; planned in T ms, run in T ms, 2 threads
busy: time in the operator itself, summed over threads";
    assert_eq!(analyzed(&[query, SIGNINS]).join("\n"), expected);
}

#[test]
fn skipped_parquet_row_groups_and_pages_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path());
    let scan =
        |query: &str| analyzed(&[query, &archive]).into_iter().find(|line| line.contains("= read")).expect("a scan");
    let of_day = "SigninLogs | where TimeGenerated between (datetime(2026-03-03) .. datetime(2026-03-03T12:00))";
    for (query, expected) in [
        ("SigninLogs | count".to_owned(), "read 3 of 3 files, 0 bytes, 3000 rows, 3 row groups"),
        (format!("{of_day} | count"), "; left out 2 files by statistics, 2 of them by time alone"),
        (
            "SigninLogs | where Id == 'zzzz' | count".to_owned(),
            "read 0 of 3 files, 0 bytes, 0 rows; left out 3 files by statistics",
        ),
        ("AuditLogs | count".to_owned(), "read 0 of 3 files, 0 bytes, 0 rows; left out 3 files of other tables"),
        (
            "SigninLogs | where UserPrincipalName == 'nobody@contoso.com' | count".to_owned(),
            "read 3 of 3 files, 0 bytes, 0 rows; left out 3 row groups by statistics and contents",
        ),
    ] {
        assert!(scan(&query).ends_with(expected), "{query}: {}", scan(&query));
    }
}

#[test]
fn errors_are_reported_as_without_analyze() {
    let run = |query: &str| coldcase(&["explain", "--analyze", query, SIGNINS]);
    assert_eq!(run("SigninLogs | where NoSuchColumn == 1").code, 3);
    assert_eq!(coldcase(&["explain", "--analyze", "--bound", "print 1"]).code, 2);
    let damaged = "testdata/shapes/diag-dups-truncated";
    let output = coldcase(&["explain", "--analyze", "SigninLogs | count", damaged, "--strict"]);
    assert!(output.code == 5 && output.stderr.contains("not read") && output.stdout.contains("Scan"), "{output:?}");
}
