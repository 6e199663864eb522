//! Every kind of damage with every kind of query: each reports the damage, and a strict run fails with exit code 5.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::command::{Output, coldcase, coldcase_with};

/// The account to search for, whose record is intact in every file.
const SEARCHED: &str = "bg1@contoso.com";

/// A kind of damage.
struct Kind {
    name: &'static str,
    /// Writes one or more damaged files.
    write: fn(&Path),
    /// The word that every message about it contains.
    word: &'static str,
    /// The column whose values are damaged; None if records are missing, which affects every query.
    column: Option<&'static str>,
}

fn record(user: &str, more: &str) -> String {
    format!(
        "{{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"{user}\",\
         \"UserPrincipalName\":\"{user}\",\"ResultType\":\"0\"{more}}}"
    )
}

fn graph(user: &str) -> String {
    format!(
        "{{\"id\":\"{user}\",\"createdDateTime\":\"2026-03-02T09:05:11Z\",\"userPrincipalName\":\"{user}\",\
         \"ipAddress\":\"203.0.113.7\",\"clientAppUsed\":\"Browser\",\"isInteractive\":true,\"status\":{{\"errorCode\":0}}}}"
    )
}

/// Records of the searched account and of another one.
fn lines() -> String {
    format!("{}\n{}\n", record(SEARCHED, ""), record("other@contoso.com", ""))
}

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.join(name), bytes).expect("written");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn parquet(folder: &Path) -> Vec<u8> {
    let path = folder.join("whole.parquet");
    let rows = format!(
        "range n from 1 to 2000 step 1 | project TimeGenerated = datetime(2026-03-02) + n * 1s, Type = 'SigninLogs', \
         Id = tostring(n), UserPrincipalName = iff(n == 1, '{SEARCHED}', strcat(hash_md5(n), '@contoso.com')), ResultType = '0'"
    );
    assert_eq!(coldcase(&[&rows, "-O", path.to_str().expect("UTF-8")]).code, 0);
    let bytes = fs::read(&path).expect("readable");
    fs::remove_file(path).expect("removed");
    bytes
}

const KINDS: &[Kind] = &[
    Kind {
        name: "a record that is cut off in the middle of the file",
        write: |folder| {
            put(
                folder,
                "a.json",
                format!("{}\n{{\"TimeGenerated\":\"2026-03-0\n{}\n", record(SEARCHED, ""), record("c@contoso.com", "")),
            )
        },
        word: "was not read",
        column: None,
    },
    Kind {
        name: "the end of the file is missing",
        write: |folder| put(folder, "a.json", &lines()[..lines().len() - 20]),
        word: "was not read",
        column: None,
    },
    Kind {
        name: "a page of records is cut off",
        write: |folder| {
            put(folder, "a.json", format!("{{\"value\":[{},{}", graph(SEARCHED), &graph("other@contoso.com")[..60]))
        },
        word: "not read",
        column: None,
    },
    Kind {
        name: "padding of NUL bytes",
        write: |folder| {
            put(folder, "a.json", format!("{}{}{}\n", lines(), "\0".repeat(4096), record("c@contoso.com", "")))
        },
        word: "NUL bytes",
        column: None,
    },
    Kind {
        name: "a gzip file that is cut off",
        write: |folder| {
            let packed = gzip(lines().repeat(2000).as_bytes());
            put(folder, "a.json.gz", &packed[..packed.len() / 2]);
        },
        word: "not read",
        column: None,
    },
    Kind {
        name: "a file that is no data in any known format",
        write: |folder| {
            put(folder, "a.json", lines());
            put(folder, "b.json", "Access denied\n");
        },
        word: "not read",
        column: None,
    },
    Kind {
        name: "records of unrecognised shape",
        write: |folder| {
            put(folder, "a.json", lines());
            put(folder, "b.json", "{\"name\":\"x\",\"size\":1}\n{\"name\":\"y\",\"size\":2}\n");
        },
        word: "skipped 2 records of unrecognised shape",
        column: None,
    },
    Kind {
        name: "a hidden file",
        write: |folder| {
            put(folder, "a.json", lines());
            put(folder, ".b.json", lines());
        },
        word: "not read: hidden",
        column: None,
    },
    Kind {
        name: "the next page is missing",
        write: |folder| {
            let page = format!(
                "{{\"@odata.context\":\"https://graph.example/$metadata#auditLogs/signIns\",\
                 \"@odata.nextLink\":\"https://graph.example/auditLogs/signIns?$skiptoken=a\",\"value\":[{},{}]}}",
                graph(SEARCHED),
                graph("other@contoso.com")
            );
            put(folder, "a.json", page);
        },
        word: "nextLink",
        column: None,
    },
    Kind {
        name: "a page that is an error",
        write: |folder| {
            put(folder, "a.json", format!("{{\"value\":[{}]}}", graph(SEARCHED)));
            put(
                folder,
                "b.json",
                "{\"error\":{\"code\":\"UnknownError\",\"message\":\"Too Many Requests\",\"innerError\":{}}}",
            );
        },
        word: "UnknownError",
        column: None,
    },
    Kind {
        name: "a CSV file that is cut off in a row",
        write: |folder| {
            let text = format!(
                "TimeGenerated,Type,Id,UserPrincipalName,ResultType\n2026-03-02T09:07:43Z,SigninLogs,1,{SEARCHED},0\n2026-03-02T09:07:43Z,SigninLogs,2,\"oth"
            );
            put(folder, "a.csv", text);
        },
        word: "not read",
        column: None,
    },
    Kind {
        name: "a Parquet file that is cut off",
        write: |folder| {
            let bytes = parquet(folder);
            put(folder, "a.parquet", &bytes[..bytes.len() - 100]);
            put(folder, "b.json", lines());
        },
        word: "not read",
        column: None,
    },
    Kind {
        name: "a time that cannot be read",
        write: |folder| {
            let bad = record(SEARCHED, "").replace("2026-03-02T09:07:43Z", "yesterday");
            put(folder, "a.json", format!("{bad}\n{}\n", record("other@contoso.com", "")));
        },
        word: "cannot be read as a datetime",
        column: Some("TimeGenerated"),
    },
    Kind {
        name: "a string that is no JSON in a dynamic column",
        write: |folder| put(folder, "a.json", record(SEARCHED, ",\"DeviceDetail\":\"{browser: Firefox\"") + "\n"),
        word: "DeviceDetail",
        column: Some("DeviceDetail"),
    },
    Kind {
        name: "dates whose order of day and month nothing tells",
        write: |folder| {
            let text = format!(
                "TimeGenerated,Type,Id,UserPrincipalName,ResultType\n02/03/2026 09:07:43,SigninLogs,1,{SEARCHED},0\n"
            );
            put(folder, "a.csv", text);
        },
        word: "month",
        column: Some("TimeGenerated"),
    },
    Kind {
        name: "values that PowerShell cut off",
        write: |folder| {
            let cut = graph(SEARCHED).replace("\"status\"", "\"deviceDetail\":\"@{browser=Edge}\",\"status\"");
            put(folder, "a.json", format!("[{cut}]"));
        },
        word: "truncated by PowerShell",
        column: Some("DeviceDetail"),
    },
];

/// The kinds of queries: name, query, and whether it reads the values of all columns.
const QUERIES: &[(&str, &str, bool)] = &[
    ("search", "SigninLogs | where UserPrincipalName == 'bg1@contoso.com'", true),
    ("count", "SigninLogs | count", false),
    ("all columns", "SigninLogs", true),
    ("aggregate", "SigninLogs | summarize count() by UserPrincipalName", false),
];

/// Adds a failure if a run did not report the damage or ended with another exit code.
fn check_told(failures: &mut Vec<String>, kind: &Kind, query: &str, output: &Output, strict: bool) {
    let warning = output.stderr.lines().any(|line| line.starts_with("warning: ") && line.contains(kind.word));
    let is_told = warning || output.stderr.starts_with("error: ");
    if !is_told || output.code != if strict { 5 } else { 0 } {
        failures.push(format!("{}, {query}: exit {}, stderr: {}", kind.name, output.code, output.stderr));
    }
}

#[test]
fn every_kind_of_query_reports_every_kind_of_damage() {
    let mut failures = Vec::new();
    for kind in KINDS {
        check_kind(&mut failures, kind);
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

fn check_kind(failures: &mut Vec<String>, kind: &Kind) {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    (kind.write)(folder.path());
    let path = folder.path().to_str().expect("UTF-8");
    for &(name, query, reads_all) in QUERIES {
        if kind.column.is_some() && !reads_all {
            continue;
        }
        check_told(failures, kind, name, &coldcase(&[query, path]), false);
        check_told(failures, kind, &format!("strict {name}"), &coldcase(&[query, path, "--strict"]), true);
        let request = serde_json::json!({"id": 1, "query": query}).to_string();
        check_told(failures, kind, &format!("batch of {name}"), &coldcase_with(&["batch", "-", path], &request), false);
    }
    let mut expect = |what: &str, text: &str, words: &[&str]| {
        if !words.iter().any(|word| text.contains(word)) {
            failures.push(format!("{}, {what}: {text}", kind.name));
        }
    };
    let sniffed = coldcase(&["sniff", path]);
    let problems = format!("{}{}", sniffed.stdout, sniffed.stderr);
    expect("sniff", &problems, &[kind.word, "no record that can be read", "footer: ", "JSON objects"]);
    let place = |name: &str| other.path().join(name).to_str().expect("UTF-8").to_owned();
    let archive = place("archive");
    let converted = coldcase(&["convert", path, "-O", &archive]);
    expect("convert", &converted.stderr, &[kind.word]);
    // Damage found by the conversion is reported again when the archive is read.
    expect("archive", &coldcase(&["SigninLogs", &archive]).stderr, &[kind.word]);
    coldcase(&["SigninLogs", path, "--rejects", &place("rejects.jsonl")]);
    expect("rejects", &fs::read_to_string(place("rejects.jsonl")).expect("rejects"), &["\"reason\""]);
    coldcase(&["SigninLogs", path, "--manifest", &place("manifest.json")]);
    expect(
        "manifest",
        &fs::read_to_string(place("manifest.json")).expect("a manifest"),
        &[kind.word, "\"notRead\": [\n    {"],
    );
}
