//! Memory and time are bounded for any values, records and plans.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{Output, coldcase, root};

/// Records of a file, and bytes of the longest value of each.
const RECORDS: usize = 10;
const LONG: usize = 1_000_000;

/// Sign-ins with a unique value of a megabyte each, and a long list.
fn sign_ins(folder: &Path) -> PathBuf {
    let mut text = String::new();
    for row in 0..RECORDS {
        let (day, result) = (1 + row % 28, if row % 2 == 0 { "0" } else { "50126" });
        let long = format!("value {row} ").repeat(LONG / 8);
        let list = (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let _ = writeln!(
            text,
            "{{\"TenantId\":\"t\",\"Type\":\"SigninLogs\",\"TimeGenerated\":\"2026-03-{day:02}T09:00:00Z\",\
             \"CreatedDateTime\":\"2026-03-{day:02}T09:00:00Z\",\"Id\":\"id{row:03}\",\
             \"UserPrincipalName\":\"user{}@contoso.com\",\"ResultType\":\"{result}\",\"ResultDescription\":\"{long}\",\
             \"IPAddress\":\"203.0.113.{}\",\"AppDisplayName\":\"portal\",\"LocationDetails\":{{\"city\":\"Bern\"}},\
             \"ConditionalAccessPolicies\":[{list}]}}",
            row % 5,
            row % 3
        );
    }
    let path = folder.join("signins.jsonl");
    fs::write(&path, text).expect("written");
    path
}

/// A Parquet file in which many rows refer to one long dictionary value.
fn dictionary_bomb(folder: &Path, length: usize, rows: usize) -> PathBuf {
    let codes = Int32Array::from(vec![0; rows]);
    let values = StringArray::from(vec!["x".repeat(length)]);
    let column: ArrayRef = Arc::new(DictionaryArray::new(codes, Arc::new(values)));
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..i32::try_from(rows).expect("few")));
    let batch = RecordBatch::try_from_iter([("Id", ids), ("Text", column)]).expect("a batch");
    let path = folder.join("bomb.parquet");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_page_size_limit(64 << 20)
        .build();
    let file = fs::File::create(&path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("begun");
    writer.write(&batch).expect("written");
    writer.close().expect("whole");
    path
}

/// Kilobytes of address space, most of which the debug build, its stacks and its allocator reserve.
const ADDRESS_SPACE: usize = 2_500_000;

/// Runs the program with little memory and address space; the exit code must be 0 or 6.
#[cfg(unix)]
fn bounded(args: &[&str]) -> Output {
    let script = format!("ulimit -v {ADDRESS_SPACE}; exec \"$@\"");
    let output = std::process::Command::new("sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_coldcase")])
        .args(args)
        .args(["--max-memory", "16M", "--threads", "2"])
        .env("NO_COLOR", "1")
        .env("XDG_CONFIG_HOME", root().join("target/no-settings"))
        .current_dir(root())
        .output()
        .expect("the program ends");
    let code = output.status.code().unwrap_or(-1);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(code == 0 || (code == 6 && stderr.contains("max-memory")), "{args:?}: {code}: {stderr}");
    Output { code, stdout: String::from_utf8_lossy(&output.stdout).into_owned(), stderr }
}

#[cfg(not(unix))]
fn bounded(args: &[&str]) -> Output {
    coldcase(&[args, &["--max-memory", "16M", "--threads", "2"]].concat())
}

/// Requires the same rows with little memory as with much, or exit code 6.
fn check(query: &str, sources: &[&str]) -> i32 {
    let args = [&[query], sources, &["-o", "csv"]].concat();
    let little = bounded(&args);
    if little.code == 0 {
        let much = coldcase(&args);
        assert!(much.code == 0 && much.stdout == little.stdout, "{query}: other rows with little memory");
    }
    little.code
}

#[test]
fn long_values_stay_within_the_memory_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = sign_ins(folder.path());
    let archive = folder.path().join("archive");
    let (json, archive) = (json.to_str().expect("a name"), archive.to_str().expect("a name"));
    assert_eq!(bounded(&["convert", json, "-O", archive]).code, 0);
    let bench = fs::read_dir(root().join("testdata/bench")).expect("queries");
    for query in
        bench.map(|entry| entry.expect("a query").path()).filter(|path| path.extension() == Some("kql".as_ref()))
    {
        let query = fs::read_to_string(&query).expect("a query");
        assert_eq!(check(&query, &[archive]), 0, "{query}");
    }
    // Rows that do not fit in memory are spilled to temporary files.
    let queries = [
        "SigninLogs | sort by Id desc | project Id, strlen(ResultDescription), ResultDescription",
        "SigninLogs | sort by ResultDescription asc | project Id",
        "SigninLogs | top 3 by Id | project Id, ResultDescription",
        "SigninLogs | top 9 by Id | project Id, substring(ResultDescription, 0, 9)",
        "SigninLogs | mv-expand n = ConditionalAccessPolicies to typeof(long) | sort by n asc, Id asc \
         | project Id, n, strlen(ResultDescription)",
        "SigninLogs | distinct ResultDescription | summarize count(), sum(strlen(ResultDescription))",
        "SigninLogs | summarize dcount(ResultDescription), take_any(strlen(ResultDescription))",
        "SigninLogs | summarize arg_max(Id, ResultDescription) by IPAddress | project Id, strlen(ResultDescription) \
         | sort by Id asc",
        "SigninLogs | join kind=inner (SigninLogs | project Id, Other = ResultDescription) on Id \
         | where ResultDescription == Other | summarize count()",
        "SigninLogs | extend Twice = strcat(ResultDescription, ResultDescription) | summarize sum(strlen(Twice))",
        "SigninLogs | extend Many = strrep(ResultDescription, 20) | summarize sum(strlen(Many))",
        "union (SigninLogs | take 9), (SigninLogs | take 9) | summarize count(), sum(strlen(ResultDescription))",
    ];
    for query in queries {
        assert_eq!(check(query, &[archive]), 0, "{query}");
    }
    for query in ["SigninLogs | sort by Id desc", "SigninLogs | where ResultType == 0 | project Id, ResultDescription"]
    {
        assert_eq!(check(query, &[json]), 0, "{query}");
    }
}

/// Returns the kilobytes that the program had in memory at most.
#[cfg(target_os = "linux")]
fn peak_memory(args: &[&str]) -> u64 {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_coldcase"))
        .args(args)
        .env("XDG_CONFIG_HOME", root().join("target/no-settings"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        peak = kilobytes.unwrap_or(peak);
        if let Some(status) = child.try_wait().expect("a status") {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(code, Some(0), "{args:?}");
    peak
}

/// Groups and both sides of a join: rows in files keep no text in memory, and no buffer of keys doubles.
#[cfg(target_os = "linux")]
#[test]
fn long_keys_take_about_the_memory_limit() {
    /// Kilobytes of the budget, and of the program with the records that its threads read.
    const MOST: u64 = (16 + 80) << 10;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signins.jsonl");
    let mut file = fs::File::create(&path).expect("created");
    for row in 0..70 {
        let long = format!("value {row} ").repeat(LONG / 9);
        let time = "2026-03-01T09:00:00Z";
        let record = format!(r#"{{"Type":"SigninLogs","TimeGenerated":"{time}","Id":"{row}","UserAgent":"{long}"}}"#);
        std::io::Write::write_all(&mut file, format!("{record}\n").as_bytes()).expect("written");
    }
    let file = path.to_str().expect("a name");
    for query in [
        "SigninLogs | distinct UserAgent | count",
        "SigninLogs | join kind=leftsemi (SigninLogs | project UserAgent) on UserAgent | count",
    ] {
        let peak = peak_memory(&[query, file, "--max-memory", "16M", "--threads", "2"]);
        assert!(peak < MOST, "{query}: {peak} KB");
    }
}

/// The text of a record is read at once: one that a thread has no memory for is refused, with what to do.
#[test]
fn records_longer_than_the_memory_of_a_thread_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signins.jsonl");
    let record = |row: usize, length: usize| {
        format!(
            "{{\"Type\":\"SigninLogs\",\"TimeGenerated\":\"2026-03-0{row}T09:00:00Z\",\"Id\":\"id{row}\",\
             \"ResultType\":\"0\",\"ResultDescription\":\"{}\"}}\n",
            "x".repeat(length)
        )
    };
    fs::write(&path, record(1, 9) + &record(2, 20 << 20) + &record(3, 9)).expect("written");
    let file = path.to_str().expect("a name");
    for query in ["SigninLogs | count", "SigninLogs", "SigninLogs | where Id == 'id3'"] {
        let refused = bounded(&[query, file]);
        assert!(refused.code == 6 && refused.stderr.contains("--max-memory leaves"), "{query}: {}", refused.stderr);
    }
    let roomy = coldcase(&["SigninLogs | summarize sum(strlen(ResultDescription))", file, "--max-memory", "1G"]);
    assert!(roomy.code == 0 && roomy.stdout.contains(&(18 + (20_usize << 20)).to_string()), "{}", roomy.stderr);
    // As a row of CSV, it is in memory as a row and as JSON.
    let rows = folder.path().join("signins.csv");
    let csv = |length: usize| {
        let long = "x".repeat(length);
        format!("Type,TimeGenerated,Id,ResultType,ResultDescription\nSigninLogs,2026-03-01T09:00:00Z,id1,0,{long}\n")
    };
    let rows_name = rows.to_str().expect("a name");
    fs::write(&rows, csv(20 << 20)).expect("written");
    let refused = bounded(&["SigninLogs | count", rows_name]);
    assert!(refused.code == 6 && refused.stderr.contains("--max-memory leaves"), "{}", refused.stderr);
    fs::write(&rows, csv(6 << 20)).expect("written");
    assert_eq!(check("SigninLogs | summarize count(), sum(strlen(ResultDescription))", &[rows_name]), 0);
    fs::write(&path, record(1, 9) + &record(2, 9 << 20)).expect("written");
    assert_eq!(check("SigninLogs | summarize count(), sum(strlen(ResultDescription))", &[file]), 0);
}

#[test]
fn too_large_values_of_aggregates_and_functions_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = sign_ins(folder.path());
    let refused = [
        ("SigninLogs | summarize make_list(ResultDescription)", "make_list"),
        ("SigninLogs | summarize make_set(ResultDescription)", "make_set"),
        ("SigninLogs | summarize make_bag(bag_pack(Id, ResultDescription))", "make_bag"),
        (
            "SigninLogs | where ResultType == toscalar(SigninLogs | summarize tostring(make_list(ResultDescription)))",
            "",
        ),
    ];
    for (query, function) in refused {
        let output = bounded(&[query, json.to_str().expect("a name")]);
        assert!(output.code == 6 && output.stderr.contains(function), "{query}: {}", output.stderr);
    }
    let long = coldcase(&["print strlen(strrep(strrep('0123456789', 1024), 1024)), strlen(strrep('x', 1024))"]);
    assert_eq!(long.code, 0, "{}", long.stderr);
    let too_long = coldcase(&["print strlen(strrep(strrep(strrep('0123456789', 1024), 1024), 1024))"]);
    assert!(too_long.code == 6 && too_long.stderr.contains("`strrep`"), "{}", too_long.stderr);
}

#[test]
fn dictionaries_of_long_values_are_never_expanded() {
    let folder = tempfile::tempdir().expect("a folder");
    let bomb = dictionary_bomb(folder.path(), 2 << 20, 3_000);
    let table = format!("T={}", bomb.to_str().expect("a name"));
    let queries = [
        "T | count",
        "T | summarize count(), sum(strlen(Text))",
        "T | where Id > 2995 | project Id, toupper(Text) | summarize sum(strlen(Column1))",
        "T | sort by Id desc | take 3 | project Id, strlen(Text)",
        "T | top 3 by Id | project Id, Text",
        "T | extend Both = strcat(Id, Text) | take 50 | summarize sum(strlen(Both))",
        "T | distinct Text | project strlen(Text)",
        "T | join kind=inner (T | project Id, Other = Text) on Id | summarize count()",
    ];
    for query in queries {
        let output = bounded(&[query, "-t", &table, "-o", "csv"]);
        assert_eq!(output.code, 0, "{query}: {}", output.stderr);
    }
    let refused = bounded(&["T | summarize make_list(Text)", "-t", &table]);
    assert!(refused.code == 6 && refused.stderr.contains("make_list"), "{}", refused.stderr);
    let file = folder.path().join("rows.parquet");
    let file = file.to_str().expect("a name");
    let written = bounded(&["T | take 100", "-t", &table, "-O", file]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let read = coldcase(&["T | summarize count(), sum(strlen(Text))", "-t", &format!("T={file}"), "-o", "csv"]);
    assert!(read.stdout.contains(&format!("100,{}", 100 * (2_usize << 20))), "{}{}", read.stdout, read.stderr);
}

/// Long strings that repeat in random order, with nulls: the same rows as Parquet, whose batches share a dictionary, and
/// as JSON Lines, which has none.
fn repeated_long_texts(folder: &Path) -> [PathBuf; 2] {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let entries: Vec<String> = ["[1,2]", "{\"a\":7}", "7", "Kim@contoso.com", "a b a", ""]
        .iter()
        .map(|text| if text.is_empty() { String::new() } else { format!("{}{text}", " ".repeat(66 << 10)) })
        .collect();
    let rows: Vec<Option<usize>> =
        (0..120).map(|_| random.random_bool(0.9).then(|| random.random_range(0..entries.len()))).collect();
    let texts: DictionaryArray<Int32Type> = rows.iter().map(|row| row.map(|at| entries[at].as_str())).collect();
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..120));
    let batch = RecordBatch::try_from_iter_with_nullable([("Id", ids, true), ("Text", Arc::new(texts), true)]);
    let batch = batch.expect("a batch");
    let (parquet, json) = (folder.join("texts.parquet"), folder.join("texts.jsonl"));
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(64 << 20).build();
    let file = fs::File::create(&parquet).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("begun");
    writer.write(&batch).expect("written");
    writer.close().expect("whole");
    let line = |(id, row): (usize, &Option<usize>)| match row {
        Some(at) => format!("{}\n", serde_json::json!({"Id": id, "Text": entries[*at]})),
        None => format!("{{\"Id\":{id}}}\n"),
    };
    fs::write(&json, rows.iter().enumerate().map(line).collect::<String>()).expect("written");
    [parquet, json]
}

#[test]
fn operations_on_shared_long_strings_give_what_each_row_gives() {
    let folder = tempfile::tempdir().expect("a folder");
    let [parquet, json] = repeated_long_texts(folder.path());
    let expressions = [
        "strlen(Text)",
        "toupper(trim(' ', Text))",
        "hash(trim_start(' +', Text))",
        "toint(Text)",
        "tostring(parse_json(trim(' ', Text)).a)",
        "todynamic(Text)",
        "isempty(Text)",
        "isnull(toint(Text))",
        "Text has 'contoso'",
        "Text matches regex '[a-z] [a-z]'",
        "strcat(trim(' ', Text), Id)",
        "countof(Text, 'a')",
        "iff(strlen(Text) > 9, 'long', Text)",
        "extract('([0-9])', 1, Text, typeof(int))",
        "replace_string(replace_string(Text, ' ', ''), 'a', 'bb')",
        "substring(tolower(Text), 67584)",
        "split(trim(' ', Text), ' ')",
    ];
    let projected = expressions.map(|expression| format!("T | project Id, R = {expression} | sort by Id asc"));
    let grouped = [
        "T | summarize count(), dcount(Id) by R = trim(' ', Text) | sort by R asc",
        "T | summarize dcount(Text), count_distinct(Text), dcount_hll(hll(Text))",
        "T | summarize dcount(Text) by Id % 3 | sort by Column1 asc",
        "T | summarize by Text | summarize sum(strlen(Text)), count()",
        "T | summarize s = make_set(Text) by Id % 7 | project Column1, array_length(s) | sort by Column1 asc",
        "T | join kind=inner (T | where Id < 5 | project Text) on Text | summarize count(), sum(Id)",
    ];
    for query in projected.iter().map(String::as_str).chain(grouped) {
        let run = |file: &Path, memory: &str| {
            let table = format!("T={}", file.to_str().expect("a name"));
            let output = coldcase(&[query, "-t", &table, "-o", "csv", "--max-memory", memory]);
            assert_eq!(output.code, 0, "{query}: {}", output.stderr);
            output.stdout
        };
        let expected = run(&json, "1G");
        assert_eq!(run(&parquet, "1G"), expected, "{query}");
        assert_eq!(run(&parquet, "64M"), expected, "{query}");
    }
}

#[test]
fn pipelines_of_hundreds_of_operators_run() {
    let extends = |count: usize| {
        (1..=count).fold("print a0=1".to_owned(), |text, n| text + &format!(" | extend a{n}=a{}+1", n - 1))
    };
    let start = Instant::now();
    let last = coldcase(&[&format!("{} | project a500", extends(500)), "-o", "csv"]);
    assert!(last.code == 0 && last.stdout.trim_end().ends_with("501"), "{}", last.stderr);
    let filters = format!("range x from 1 to 5 step 1{}", " | where x > 1 | take 4".repeat(300));
    let filtered = coldcase(&[&filters, "-o", "csv"]);
    assert!(filtered.code == 0 && filtered.stdout.lines().count() == 5, "{}", filtered.stderr);
    let counts = coldcase(&[&format!("print 1{}", " | count".repeat(500)), "-o", "csv"]);
    assert!(counts.code == 0 && counts.stdout.contains('1'), "{}", counts.stderr);
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    let refused = coldcase(&[&format!("print 1{}", " | count".repeat(5_000))]);
    assert!(refused.code == 3 && refused.stderr.contains("KQL1005"), "{}", refused.stderr);
}

#[test]
fn wide_and_deep_queries_do_not_crash() {
    let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>();
    let or = list(5_000, &|n| format!("x == {n}")).join(" or ");
    let values = list(50_000, &|n| n.to_string()).join(",");
    let tables = list(200, &|n| format!("(print x={n})")).join(",");
    let texts = list(1_000, &|_| "'a'".to_owned()).join(",");
    let queries = [
        (format!("range x from 1 to 9 step 1 | where {or} | count"), "9"),
        (format!("range x from 1 to 9 step 1 | where x in ({values}) | count"), "9"),
        (format!("union {tables} | count"), "200"),
        (format!("print strlen(strcat({texts}))"), "1000"),
    ];
    for (query, expected) in queries {
        let output = run_file(&query);
        assert!(output.code == 0 && output.stdout.contains(expected), "{:.60}: {}", query, output.stderr);
    }
    for (open, close) in [("(", ")"), ("not(", ")"), ("toscalar(print ", ")"), ("array_length(pack_array(", "))")] {
        let output = run_file(&format!("print {}1{}", open.repeat(2_000), close.repeat(2_000)));
        assert!(output.code == 3 && output.stderr.contains("KQL1005"), "{open}: {} {}", output.code, output.stderr);
    }
}

/// Runs a query that is too long for a command line.
fn run_file(query: &str) -> Output {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), query).expect("written");
    coldcase(&["-f", file.path().to_str().expect("a name"), "-o", "csv"])
}
