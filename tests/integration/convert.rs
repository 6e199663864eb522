//! Archives written by `convert`: the same rows as the original, sorted, complete or absent.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::engine::{Engine, QueryResult, Settings};
use coldcase::entra::known_tables;
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::types::datetime;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::command::{Output, coldcase, root};

/// The result of `query` over files: bound to `table`, or searched for known tables.
fn query(text: &str, table: Option<&str>, path: &Path) -> QueryResult {
    let mut builder = FileCatalogBuilder::default();
    match table {
        Some(table) => builder.bind(table, path).expect("files"),
        None => builder.add(path).expect("files"),
    }
    let mut settings = Settings::new(0);
    settings.threads = 2;
    Engine::new(Arc::new(builder.build()), settings).query(text).expect("an answer")
}

/// Every row with all of its values.
fn rows(result: &QueryResult) -> Vec<String> {
    let row = |batch: &coldcase::types::Batch, row| {
        format!("{:?}", batch.columns().iter().map(|c| c.value(row)).collect::<Vec<_>>())
    };
    result
        .batches
        .iter()
        .flat_map(|batch| (0..batch.rows()).map(|index| row(batch, index)).collect::<Vec<_>>())
        .collect()
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

fn convert(from: &Path, to: &Path, more: &[&str]) -> Output {
    let (from, to) = (from.display().to_string(), to.display().to_string());
    let mut args = vec!["convert", &from, "-O", &to];
    args.extend(more);
    coldcase(&args)
}

fn converted(from: &Path, to: &Path, more: &[&str]) {
    let output = convert(from, to, more);
    assert_eq!(output.code, 0, "{}: {output:?}", from.display());
}

/// Every file in a folder with its bytes, sorted by path.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
    // The list of the files grows with an archive.
    let is_data = |entry: &walkdir::DirEntry| entry.file_name() != ".coldcase-files";
    let files = entries.filter(|entry| entry.file_type().is_file() && is_data(entry));
    let read = |entry: walkdir::DirEntry| {
        (entry.path().strip_prefix(folder).expect("below").to_owned(), fs::read(entry.path()).expect("readable"))
    };
    files.map(read).collect()
}

/// Generates synthetic sign-ins in a new folder.
fn synthetic(folder: &Path, shape: &str, rows: &str) -> PathBuf {
    let path = folder.join(format!("synthetic-{shape}"));
    let out = path.display().to_string();
    let made = coldcase(&["synth", "signinlogs", "--rows", rows, "--days", "40", "--shape", shape, "--out", &out]);
    assert_eq!(made.code, 0, "{made:?}");
    path
}

#[test]
fn archives_of_all_shapes_have_the_rows_of_their_originals() {
    let folder = tempfile::tempdir().expect("a folder");
    let shapes =
        fs::read_dir(root().join("testdata/shapes")).expect("shapes").map(|entry| entry.expect("entry").path());
    let mut compared = 0;
    for shape in shapes.filter(|path| path.is_dir()) {
        let archive = folder.path().join(shape.file_name().expect("a name"));
        let output = convert(&shape, &archive, &[]);
        if output.code != 0 {
            assert_eq!(output.code, 5, "{output:?}");
            assert!(!archive.exists(), "{output:?}");
            continue;
        }
        // The shapes have no records of tables that are read by name.
        for table in known_tables().filter(|table| !table.by_name) {
            let original = query(table.name, None, &shape);
            let copy = query(table.name, None, &archive);
            assert_eq!(original.schema, copy.schema);
            assert_eq!(sorted(rows(&original)), sorted(rows(&copy)), "{} of {}", table.name, shape.display());
            compared += rows(&copy).len();
            // Sorted by time, stable with respect to the original.
            let by_time = format!("{} | sort by TimeGenerated asc nulls last", table.name);
            if table.schema.index_of("TimeGenerated").is_some() {
                assert_eq!(rows(&query(&by_time, None, &shape)), rows(&copy), "{}", shape.display());
            }
        }
    }
    assert!(compared > 150, "{compared} rows were compared");
}

#[test]
fn queries_return_the_same_over_original_and_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let original = root().join("testdata/signinlogs");
    let archive = folder.path().join("archive");
    converted(&original, &archive, &[]);
    for text in [
        "SigninLogs | where ResultType == 0 | project Id, UserPrincipalName | sort by Id asc",
        "SigninLogs | where UserPrincipalName == 'bg-admin-01@contoso.com' or IPAddress == '203.0.113.7' | count",
        "SigninLogs | where Id == '00000000-0000-0000-0000-000000000000' | count",
        "SigninLogs | summarize count() by City = tostring(LocationDetails.city), DeviceDetail.browser has 'Edge' | sort by City asc",
        "SigninLogs | mv-expand p = ConditionalAccessPolicies | summarize count() by tostring(p.result) | sort by count_ asc",
        "SigninLogs | where isempty(AADTenantId) or isnull(MfaDetail) | count",
        "SigninLogs | where TimeGenerated between (datetime(2026-03-02) .. datetime(2026-03-03)) | count",
        "SigninLogs | project TimeGenerated, CreatedDateTime, t = gettype(DeviceDetail), Type | sort by TimeGenerated asc, CreatedDateTime asc",
    ] {
        assert_eq!(rows(&query(text, None, &original)), rows(&query(text, None, &archive)), "{text}");
    }
    let bound = query("SigninLogs | count", Some("SigninLogs"), &archive);
    assert_eq!(rows(&bound), rows(&query("SigninLogs | count", None, &original)));
}

#[test]
fn footers_describe_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    converted(&root().join("testdata/signinlogs"), &archive, &["--partition-by", "none"]);
    let path = archive.join("SigninLogs/SigninLogs-00000.parquet");
    let reader = SerializedFileReader::new(fs::File::open(path).expect("a file")).expect("Parquet");
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().expect("notes");
    let note = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(note("coldcase.table").as_deref(), Some("SigninLogs"));
    assert_eq!(note("coldcase.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(note("coldcase.shape").as_deref(), Some("diagnostic-settings records"));
    let time = note("coldcase.time").expect("a time range");
    let (first, last) = time.split_once('/').expect("a range");
    assert!(datetime::parse(first).expect("a time") < datetime::parse(last).expect("a time"));
    assert!(note("kql.schema").expect("columns").contains("{\"name\":\"DeviceDetail\",\"type\":\"dynamic\"}"));
    let group = metadata.row_group(0);
    assert_eq!(group.sorting_columns().map(Vec::len), Some(1));
    for column in ["UserPrincipalName", "UserId", "IPAddress", "CorrelationId", "AppId", "Id"] {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column).expect("a column");
        assert!(chunk.bloom_filter_offset().is_some(), "{column} has a bloom filter");
        assert!(
            chunk.offset_index_offset().is_some() && chunk.column_index_offset().is_some(),
            "{column} has an index"
        );
    }
}

#[test]
fn memory_limits_do_not_affect_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = synthetic(folder.path(), "diagnostic", "9000");
    let (large, small) = (folder.path().join("large"), folder.path().join("small"));
    converted(&source, &large, &[]);
    let temporary = folder.path().join("temporary");
    let temp = temporary.display().to_string();
    fs::create_dir(&temporary).expect("a folder");
    converted(&source, &small, &["--max-memory", "16M", "--temp-dir", &temp, "--threads", "1"]);
    assert!(files(&large) == files(&small), "the files depend on memory or threads");
    assert_eq!(fs::read_dir(&temporary).expect("a folder").count(), 0, "temporary files are left");
    let original = query("SigninLogs | sort by TimeGenerated asc nulls last", None, &source);
    assert!(rows(&original) == rows(&query("SigninLogs", None, &small)), "other rows or another order");
}

#[test]
fn periods_have_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = synthetic(folder.path(), "parquet", "200");
    let whole = rows(&query("SigninLogs | sort by TimeGenerated asc nulls last", None, &source));
    for (period, start) in [
        ("day", "startofday(TimeGenerated)"),
        ("month", "startofmonth(TimeGenerated)"),
        ("hour", "bin(TimeGenerated, 1h)"),
    ] {
        let archive = folder.path().join(period);
        converted(&source, &archive, &["--partition-by", period]);
        let periods = rows(&query(&format!("SigninLogs | distinct {start}"), None, &source)).len();
        assert_eq!(files(&archive).len(), periods, "a file a {period}");
        assert!(
            files(&archive).iter().all(|(path, _)| path.starts_with("SigninLogs")
                && path.display().to_string().contains(&format!("{period}=20")))
        );
        assert_eq!(rows(&query("SigninLogs", None, &archive)), whole);
    }
}

#[test]
fn existing_folders_are_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let source = root().join("testdata/signinlogs");
    fs::create_dir(&archive).expect("a folder");
    fs::write(archive.join("notes.txt"), "mine").expect("a file");
    let refused = convert(&source, &archive, &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--append"), "{refused:?}");
    assert_eq!(files(folder.path()).len(), 1, "nothing was written");
    fs::remove_file(archive.join("notes.txt")).expect("removed");
    converted(&source, &archive, &[]);
    let file = folder.path().join("one.parquet");
    converted(&source, &file, &[]);
    assert_eq!(convert(&source, &file, &[]).code, 2);
    assert_eq!(rows(&query("SigninLogs", None, &file)), rows(&query("SigninLogs", None, &archive)));
}

#[test]
fn a_killed_run_leaves_nothing_that_looks_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let source = root().join("testdata/signinlogs");
    let half = folder.path().join(".archive.coldcase-unfinished");
    fs::create_dir_all(half.join("archive/SigninLogs")).expect("folders");
    fs::create_dir_all(half.join("runs")).expect("folders");
    fs::write(half.join("lock"), "").expect("a file");
    fs::write(half.join("archive/SigninLogs/SigninLogs-00000.parquet"), "PAR1 and no end").expect("a file");
    fs::write(half.join("runs/run-000000.arrow"), "half of it").expect("a file");
    // Scans skip incomplete archives.
    let output = coldcase(&["SigninLogs | count", &folder.path().display().to_string()]);
    assert_eq!(output.code, 5, "{output:?}");
    let output = convert(&source, &archive, &[]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("remains"), "{output:?}");
    assert!(!half.exists());
    assert_eq!(rows(&query("SigninLogs | count", None, &archive)), ["[Long(10)]"]);
}

#[test]
fn concurrent_runs_with_one_destination_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let half = folder.path().join(".archive.coldcase-unfinished");
    fs::create_dir_all(&half).expect("a folder");
    let lock = fs::File::create(half.join("lock")).expect("a file");
    lock.lock().expect("a lock");
    let refused = convert(&root().join("testdata/signinlogs"), &folder.path().join("archive"), &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(half.join("lock").exists(), "the other run goes on");
}

#[test]
fn append_adds_what_is_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let source = root().join("testdata/signinlogs");
    converted(&source, &archive, &["--from", "2026-03-03"]);
    let first = files(&archive);
    let before = rows(&query("SigninLogs", None, &archive)).len();
    assert!((1..10).contains(&before), "{before} rows");
    let added = convert(&source, &archive, &["--append"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.stderr.contains(&format!("{before} rows were already in the archive")), "{added:?}");
    assert!(first.iter().all(|file| files(&archive).contains(file)), "what was there stays as it was");
    assert_eq!(sorted(rows(&query("SigninLogs", None, &archive))), sorted(rows(&query("SigninLogs", None, &source))));
    let all = files(&archive);
    let again = convert(&source, &archive, &["--append"]);
    assert!(again.code == 0 && again.stderr.contains("no new rows"), "{again:?}");
    assert!(all == files(&archive), "nothing was added");
    converted(&root().join("testdata/shapes/la-data-export-noninteractive"), &archive, &["--append"]);
    assert!(archive.join("AADNonInteractiveUserSignInLogs").is_dir(), "another table");
    assert_eq!(rows(&query("SigninLogs | count", None, &archive)), ["[Long(10)]"]);
}

#[test]
fn any_type_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("odd.parquet");
    let text = "print i = int(-1), l = 9223372036854775807, r = real(nan), b = true, s = '', n = dynamic(null), \
                d = datetime(2026-03-02T09:00:00.1234567Z), t = time(1.02:03:04.1234567), \
                g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), j = dynamic({'b': [1, null, 'x'], 'a': 1.50}), \
                m = decimal(0.1000000000000000000000000001)";
    let made = coldcase(&[text, "-O", &odd.display().to_string()]);
    assert_eq!(made.code, 0, "{made:?}");
    let archive = folder.path().join("archive");
    let bound = format!("Odd={}", odd.display());
    let output = coldcase(&["convert", "-t", &bound, "-O", &archive.display().to_string()]);
    assert_eq!(output.code, 0, "{output:?}");
    let printed = query(text, None, &odd);
    for path in [&odd, &archive] {
        let read = query("Odd", Some("Odd"), path);
        assert_eq!((&read.schema, rows(&read)), (&printed.schema, rows(&printed)), "{}", path.display());
    }
}

#[test]
fn any_time_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("odd.json");
    fs::write(
        &json,
        "{\"TimeGenerated\":\"9999-12-31T23:59:59.9999999Z\",\"Id\":\"a\",\"CreatedDateTime\":\"0001-01-01T00:00:00.0000001Z\",\"Type\":\"SigninLogs\"}\n\
         {\"TimeGenerated\":\"2026-03-02T09:00:00.1234567Z\",\"Id\":\"b\",\"CreatedDateTime\":\"2026-03-02T09:00:00.7654321Z\",\"Type\":\"SigninLogs\"}\n\
         {\"Id\":\"c\",\"UserPrincipalName\":\"x\",\"Type\":\"SigninLogs\",\"TimeGenerated\":null}\n",
    )
    .expect("a file");
    let archive = folder.path().join("archive");
    converted(&json, &archive, &[]);
    let names: Vec<String> = files(&archive).iter().map(|(path, _)| path.display().to_string()).collect();
    assert!(
        names.iter().any(|name| name.contains("month=unknown"))
            && names.iter().any(|name| name.contains("month=9999-12")),
        "{names:?}"
    );
    for text in [
        "SigninLogs | sort by Id asc",
        "SigninLogs | where CreatedDateTime < datetime(1900-01-01) | project Id, CreatedDateTime",
    ] {
        assert_eq!(rows(&query(text, None, &archive)), rows(&query(text, None, &json)), "{text}");
    }
}

#[test]
fn other_formats_and_bound_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = folder.path().join("rows.jsonl");
    let source = root().join("testdata/signinlogs");
    converted(&source, &lines, &[]);
    assert_eq!(fs::read_to_string(&lines).expect("text").lines().count(), 10);
    fs::write(folder.path().join("own.json"), "{\"a\":1,\"when\":\"2026-03-02\"}\n{\"a\":2,\"when\":\"2026-03-01\"}\n")
        .expect("a file");
    let own = format!("Own={}", folder.path().join("own.json").display());
    let archive = folder.path().join("own");
    let output = coldcase(&["convert", "-t", &own, "-O", &archive.display().to_string()]);
    assert_eq!(output.code, 0, "{output:?}");
    let original = folder.path().join("own.json");
    for text in ["Own | sort by a asc", "Own | getschema"] {
        assert_eq!(rows(&query(text, Some("Own"), &archive)), rows(&query(text, Some("Own"), &original)), "{text}");
    }
    assert_eq!(coldcase(&["convert", "testdata/signinlogs", "-O", "x", "--max-memory", "1K"]).code, 2);
    assert_eq!(coldcase(&["convert", "-O", "x"]).code, 2);
    assert!(!Path::new("x").exists());
}

#[test]
fn files_are_skipped_by_their_footers() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = synthetic(folder.path(), "parquet", "200");
    let archive = folder.path().join("archive");
    converted(&source, &archive, &["--partition-by", "day"]);
    let all = files(&archive).len();
    let first =
        rows(&query("SigninLogs | summarize min(TimeGenerated) | project bin(min_TimeGenerated, 1d)", None, &archive));
    let day = first[0].trim_start_matches("[Datetime(").trim_end_matches(")]").parse().expect("ticks");
    let text = format!("SigninLogs | where TimeGenerated < datetime({}) + 1d | project Id", datetime::to_text(day));
    let path = archive.display().to_string();
    let plan = coldcase(&["explain", &text, &path]).stdout;
    assert!(plan.contains(&format!("{} of {all} files skipped: TimeGenerated", all - 1)), "{plan}");
    let run = coldcase(&[&text, &path, "-v"]);
    assert!(run.stderr.contains(&format!("{} files and 0 row groups", all - 1)), "{run:?}");
    assert_eq!(run.stdout.lines().count(), query(&text, None, &source).batches.iter().map(|b| b.rows()).sum::<usize>());
    let whole = coldcase(&["explain", "SigninLogs | project Id", &path]).stdout;
    assert!(!whole.contains("left out"), "{whole}");
}

#[test]
fn a_run_that_is_killed_can_be_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = synthetic(folder.path(), "la-export", "800");
    let archive = folder.path().join("archive");
    let (from, to) = (source.display().to_string(), archive.display().to_string());
    for milliseconds in [1, 40, 400] {
        let mut child = std::process::Command::new(crate::command::program())
            .args(["convert", &from, "-O", &to, "-q"])
            .spawn()
            .expect("the program starts");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("an end");
        if archive.exists() {
            assert_eq!(rows(&query("SigninLogs | count", None, &archive)), ["[Long(800)]"], "not whole");
            fs::remove_dir_all(&archive).expect("removed");
        }
    }
    converted(&source, &archive, &[]);
    assert_eq!(rows(&query("SigninLogs | count", None, &archive)), ["[Long(800)]"]);
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn strict_writes_nothing_if_records_are_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let damaged = root().join("testdata/shapes/diag-dups-truncated");
    assert_eq!(convert(&damaged, &archive, &["--strict"]).code, 5);
    assert!(files(folder.path()).is_empty());
    let output = convert(&damaged, &archive, &["--dedup", "Id"]);
    assert!(output.code == 0 && output.stderr.contains("not read"), "{output:?}");
    let counts = rows(&query("SigninLogs | summarize count(), dcount(Id)", None, &archive));
    let (count, distinct) = counts[0].split_once(", ").expect("two numbers");
    assert_eq!(count.trim_start_matches('['), distinct.trim_end_matches(']'), "one row a record");
}

/// Records that have more than the columns of their table, in each of several shapes.
fn beyond_the_table() -> PathBuf {
    root().join("testdata/field/columns-beyond-the-table/input")
}

#[test]
fn keys_beyond_the_table_are_columns_of_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let (archive, again) = (folder.path().join("archive"), folder.path().join("again"));
    let output = convert(&beyond_the_table(), &archive, &["--strict"]);
    assert!(output.code == 0 && output.stderr.contains("the archive has columns for them: \"NewThing\""), "{output:?}");
    assert!(!output.stderr.contains("name it in the query"), "{output:?}");
    converted(&archive, &again, &["--strict"]);
    let text = "SigninLogs | sort by Id asc | project Id, Project_CF, Score_CF, tostring(Tags_CF.a), NewThing.level";
    let expected = query(text, None, &beyond_the_table());
    assert!(rows(&expected).iter().any(|row| row.contains("alpha")), "{expected:?}");
    for path in [&archive, &again] {
        let answer = query(text, None, path);
        assert_eq!(answer.schema, expected.schema, "{}", path.display());
        assert_eq!(rows(&answer), rows(&expected), "{}", path.display());
        let count = query("SigninLogs | getschema | count", None, path);
        assert_eq!(rows(&count), rows(&query("SigninLogs | getschema | count", None, &beyond_the_table())));
    }
    let lines = folder.path().join("all.jsonl");
    converted(&beyond_the_table(), &lines, &[]);
    assert!(fs::read_to_string(lines).expect("written").contains("\"Project_CF\":\"alpha\""));
}

#[test]
fn appended_records_bring_their_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let (archive, more) = (folder.path().join("archive"), folder.path().join("more.jsonl"));
    converted(&beyond_the_table(), &archive, &[]);
    let records = concat!(
        "{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\",\"ResultType\":\"0\",\"Risk_CF\":7}\n",
        "{\"TimeGenerated\":\"2026-03-09T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"9\",\"ResultType\":\"0\",\"Risk_CF\":9}\n",
    );
    fs::write(&more, records).expect("written");
    let output = convert(&more, &archive, &["--append"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(
        output.stderr.contains("1 row of SigninLogs") && output.stderr.contains("1 row was already in the archive")
    );
    let answer = query("SigninLogs | where Risk_CF > 0 or Project_CF == 'gamma' | project Id, Risk_CF", None, &archive);
    assert_eq!(sorted(rows(&answer)).len(), 2, "{answer:?}");
}

#[test]
fn keys_missing_from_an_archive_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("many.jsonl");
    let keys: String = (0..400).map(|key| format!(",\"K{key:03}_CF\":{key}")).collect();
    let record =
        "{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\",\"ResultType\":\"0\"";
    fs::write(&source, format!("{record}{keys}}}\n")).expect("written");
    let output = convert(&source, &folder.path().join("strict"), &["--strict"]);
    assert_eq!(output.code, 5, "{output:?}");
    let output = convert(&source, &folder.path().join("archive"), &[]);
    assert!(
        output.stderr.contains("their values are not in it") && output.stderr.contains("\"K250_CF\""),
        "{output:?}"
    );
    let kept = query("SigninLogs | project K000_CF, K249_CF", None, &folder.path().join("archive"));
    assert_eq!(rows(&kept).len(), 1);
}

/// A conversion has no query that could name the keys that it leaves out: no message advises that, now or later.
#[test]
fn keys_that_are_left_out_come_without_advice_for_queries() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = |keys: &str| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\",\"ResultType\":\"0\"{keys}}}\n"
        )
    };
    let many: String = (0..400).map(|key| format!(",\"K{key:03}_CF\":{key}")).collect();
    let names = || (0..400).map(|key| format!(",K{key:03}_CF")).collect::<String>();
    let header = "TimeGenerated,Type,Id,ResultType,UserPrincipalName";
    let row = "2026-03-02T09:07:43Z,SigninLogs,1,0,priya@contoso.com";
    for (name, text) in [
        ("many.jsonl", record(&many)),
        ("unnamed.jsonl", record(",\"\":\"x\"")),
        ("both.jsonl", record(&format!(",\"\":\"x\"{many}"))),
        ("many.csv", format!("{header}{}\n{row}{}\n", names(), ",1".repeat(400))),
    ] {
        let (source, archive) = (folder.path().join(name), folder.path().join(format!("{name}-archive")));
        fs::write(&source, text).expect("written");
        let output = convert(&source, &archive, &[]);
        assert_eq!(output.code, 0, "{name}: {output:?}");
        assert!(output.stderr.contains("their values are not in it"), "{name}: {output:?}");
        assert!(!output.stderr.contains("query"), "{name}: {output:?}");
        let asked = coldcase(&["SigninLogs | count", archive.to_str().expect("UTF-8")]);
        assert!(asked.stderr.contains("their values are not in it"), "{name}: {asked:?}");
        let mut archived = asked.stderr.lines().filter(|line| line.contains("when the archive was made"));
        assert!(archived.all(|line| !line.contains("name it")), "{name}: {asked:?}");
        let asked = coldcase(&["SigninLogs | count", source.to_str().expect("UTF-8")]);
        let expected =
            if name == "unnamed.jsonl" { "a query cannot name it" } else { "name it in the query to read it" };
        assert!(asked.stderr.contains(expected), "{name}: {asked:?}");
    }
}

/// Strict queries over an archive of damaged files end as those over the files, and manifests list the damage.
#[test]
fn archives_of_damaged_files_are_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let record =
        "{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\",\"ResultType\":\"0\"}\n";
    let dates = "TimeGenerated,Type,Id,ResultType\n02/03/2026 09:07,SigninLogs,1,0\n";
    for (name, text, words) in [
        ("cut.jsonl", format!("{record}{}", &record[..40]), "1 record was not read"),
        ("dates.csv", dates.to_owned(), "may have the day or the month first"),
        ("warned.csv", dates.replace("02/03/2026 09:07", "2026-03-02T09:07:43Z"), ""),
    ] {
        fs::write(path(name), text).expect("written");
        let (archive, again) = (path(&format!("{name}-archive")), path(&format!("{name}-again")));
        for (source, target) in [(&path(name), &archive), (&archive, &again)] {
            let strict = convert(source, &path("refused"), &["--strict"]);
            let output = convert(source, target, &[]);
            assert_eq!((strict.code, output.code), (if words.is_empty() { 0 } else { 5 }, 0), "{name}: {strict:?}");
            let _ = fs::remove_dir_all(path("refused"));
        }
        for place in [path(name), archive, again] {
            let (place, manifest) = (place.display().to_string(), path("m.json").display().to_string());
            let query = "SigninLogs | where IPAddress == '' | project TimeGenerated";
            let output = coldcase(&[query, &place, "--strict", "--manifest", &manifest]);
            assert_eq!(output.code, if words.is_empty() { 0 } else { 5 }, "{place}: {output:?}");
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(manifest).expect("a manifest")).expect("JSON");
            let found = manifest["notRead"].to_string() + &manifest["damage"].to_string();
            let listed = found.contains(words) || found.contains("\"records\":1");
            assert!(listed != words.is_empty() || found == "[][]", "{place}: {found}");
            assert!(manifest["inputs"][0]["problems"].to_string().contains(words), "{place}: {manifest}");
        }
    }
}
