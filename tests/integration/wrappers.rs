//! Records inside wrappers, missing pages, and responses that report themselves as partial.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command::{Output, coldcase};

/// Files in a folder.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }
}

/// A record of Microsoft Graph.
fn record(id: usize) -> String {
    format!(
        concat!(
            r#"{{"id":"id-{0}","createdDateTime":"2026-03-04T08:15:00Z","userPrincipalName":"ana{0}@contoso.com","#,
            r#""appDisplayName":"Portal","ipAddress":"203.0.113.7","status":{{"errorCode":50126}},"#,
            r#""isInteractive":true,"signInEventTypes":["interactiveUser"]}}"#
        ),
        id
    )
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

fn ask(query: &str, args: &[&str]) -> Output {
    let mut all = vec![query];
    all.extend(args);
    all.extend(["-o", "jsonl"]);
    coldcase(&all)
}

fn rows(output: &Output) -> Vec<serde_json::Value> {
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The byte offset of each row is that of the record, or of the string that contains it.
#[test]
fn byte_offsets_lead_into_wrappers() {
    let files = Files::new();
    let strings: Vec<String> = (4..6).map(|id| quoted(&record(id))).collect();
    let text = [
        record(0),
        format!("{{\"event\":{}}}", record(1)),
        format!("{{\"a\":[{{\"b\":{}}},{{\"b\":{}}}]}}", record(2), record(3)),
        format!("{{\"list\":[{}]}}", strings.join(",")),
        record(6),
    ]
    .map(|line| line + "\n")
    .concat();
    let path = files.write("mixed.jsonl", &text);
    let output = ask("SigninLogs | project Id, _SourceLine, _SourceByte", &[&path, "--provenance", "--strict"]);
    assert_eq!(output.code, 0, "{output:?}");
    let rows = rows(&output);
    assert_eq!(rows.len(), 7, "{output:?}");
    for (id, row) in rows.iter().enumerate() {
        assert_eq!(row["Id"], format!("id-{id}"), "in order");
        let byte = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
        let begins = if (4..6).contains(&id) { quoted(&record(id)) } else { record(id) };
        assert!(text[byte..].starts_with(&begins), "{row}");
        assert_eq!(row["_SourceLine"], text[..byte].matches('\n').count() + 1, "{row}");
    }
}

/// Rows from one string have different positions, and so do equal records of one array.
#[test]
fn every_record_inside_a_value_is_a_row() {
    let files = Files::new();
    let line = |ids: &[usize]| {
        let records: Vec<String> = ids.iter().map(|&id| record(id)).collect();
        format!("{{\"message\":{}}}\n", quoted(&format!("[{}]", records.join(","))))
    };
    let path = files.write("lines.jsonl", line(&[1, 2, 3]) + &line(&[3, 4, 4]));
    let count = |args: &[&str]| ask("SigninLogs | count", &[&[path.as_str()], args].concat()).stdout;
    assert_eq!(count(&[]), "{\"Count\":6}\n");
    assert_eq!(count(&["--dedup", "Id"]), "{\"Count\":4}\n");
    let archive = files.path("archive");
    assert_eq!(coldcase(&["convert", &path, "-O", &archive]).code, 0);
    assert_eq!(ask("SigninLogs | count", &[&archive]).stdout, "{\"Count\":6}\n");
}

/// A search skips only what cannot match, however a string inside a string hides the searched value.
#[test]
fn searches_look_into_strings() {
    let files = Files::new();
    let hide = |text: &str, from: &str, to: &str| text.replace(from, to);
    let inner = hide(&record(1), "ana1@", "an\\u0061\\u0031\\u0040");
    let texts = [
        format!("{{\"message\":{}}}", quoted(&inner)),
        format!("{{\"message\":{}}}", hide(&quoted(&record(1)), "ana1@", "ana\\u0031@")),
        format!("{{\"message\":{}}}", hide(&quoted(&inner), "\\\\u0040", "\\u005cu0040")),
        format!("{{\"message\":{}}}", hide(&quoted(&inner), "\\\\u0040", "\\\\\\u00750040")),
        quoted(&quoted(&inner)),
    ];
    for text in texts {
        // A record that identifies the file's table comes first.
        let path = files.write("hidden.jsonl", format!("{}\n{text}\n{}\n", record(2), record(3)));
        for query in ["UserPrincipalName == 'ana1@contoso.com'", "UserPrincipalName has 'ana1'"] {
            let output = ask(&format!("SigninLogs | where {query} | project Id"), &[&path]);
            assert_eq!(output.stdout, "{\"Id\":\"id-1\"}\n", "{text}: {output:?}");
        }
    }
}

/// The time for wrappers is proportional to their bytes, and their depth is bounded.
#[test]
fn wrappers_are_bounded() {
    let files = Files::new();
    let deep = format!("{}{}{}", "{\"a\":".repeat(100), record(1), "}".repeat(100));
    let mut nested = record(1);
    for _ in 0..14 {
        nested = quoted(&nested);
    }
    let keys: String = (0..20_000).map(|n| format!(",\"status.{n}\":{n}")).collect();
    let wide = record(1).replacen("\"status\":{\"errorCode\":50126}", &format!("\"x\":1{keys}"), 1);
    let brackets = quoted(&"[{\"a\":".repeat(50_000));
    let text = format!("{}\n{deep}\n{nested}\n{wide}\n{{\"a\":{brackets},\"b\":{brackets}}}\n", record(2));
    let path = files.write("bounds.jsonl", text);
    let start = Instant::now();
    let output = ask("SigninLogs | count", &[&path, "--strict"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!((output.code, output.stdout.as_str()), (5, "{\"Count\":1}\n"), "{output:?}");
    assert!(output.stderr.contains("of unrecognised shape"), "{output:?}");
    assert!(output.stderr.contains("too many flattened keys"), "{output:?}");
}

/// Pages of several requests in one folder: each request needs its own last page.
#[test]
fn each_request_needs_its_last_page() {
    let files = Files::new();
    let page = |id: usize, filter: Option<&str>| {
        let link = filter.map_or(String::new(), |filter| {
            format!("\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter={filter}&$skiptoken=x\",")
        });
        format!(
            "{{\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns\",{link}\"value\":[{}]}}",
            record(id)
        )
    };
    files.write("monday-1.json", page(1, Some("day%20eq%201")));
    files.write("monday-2.json", page(2, None));
    files.write("tuesday-1.json", page(3, Some("day%20eq%202")));
    let folder = files.path("");
    let output = ask("SigninLogs | count", &[&folder, "--strict"]);
    assert_eq!((output.code, output.stdout.as_str()), (5, "{\"Count\":3}\n"), "{output:?}");
    assert!(output.stderr.contains("names a next page (@odata.nextLink"), "{output:?}");
    files.write("tuesday-2.json", page(4, None));
    let output = ask("SigninLogs | count", &[&folder, "--strict"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "{\"Count\":4}\n"), "{output:?}");
    // Missing pages of other records do not matter.
    let output = ask("AuditLogs | count", &[&folder]);
    assert!(!output.stderr.contains("next page"), "{output:?}");
}

/// Damage is in the manifest and among the rejects, too.
#[test]
fn partial_responses_are_recorded_with_the_result() {
    let files = Files::new();
    let error = r#"{"error":{"code":"serviceUnavailable","message":"x"}}"#;
    let path = files.write("pages.jsonl", format!("{{\"value\":[{}]}}\n{error}\n", record(1)));
    let (rejects, manifest) = (files.path("rejects.jsonl"), files.path("manifest.json"));
    let output = ask("SigninLogs | count", &[&path, "--rejects", &rejects, "--manifest", &manifest]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "{\"Count\":1}\n"), "{output:?}");
    for text in
        [output.stderr.clone(), fs::read_to_string(rejects).expect("kept"), fs::read_to_string(manifest).expect("kept")]
    {
        assert!(text.contains("error response of Microsoft Graph or Azure (serviceUnavailable)"), "{text}");
    }
    // Also if a search skips the line.
    let output = ask("SigninLogs | where UserPrincipalName == 'ana1@contoso.com' | count", &[&path]);
    assert!(output.stderr.contains("(serviceUnavailable): rows are missing"), "{output:?}");
}

/// `sniff` reports for each file what it says about itself, and for all files together which chains of pages are
/// incomplete.
#[test]
fn sniff_reports_incomplete_requests() {
    let files = Files::new();
    let context = "\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns\"";
    let next = "\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=x\"";
    let folder = |name: &str| fs::create_dir(files.path(name)).expect("a folder");
    folder("open");
    folder("whole");
    for name in ["open/1.json", "open/2.json", "whole/1.json"] {
        files.write(name, format!("{{{context},{next},\"value\":[{}]}}", record(1)));
    }
    files.write("whole/2.json", format!("{{{context},\"value\":[{}]}}", record(2)));
    files.write("failed.json", r#"{"error":{"code":"UnknownError","message":"x"}}"#);
    let output = coldcase(&["sniff", &files.path(""), "-o", "jsonl"]);
    let problems: Vec<(String, String)> = rows(&output)
        .iter()
        .map(|row| {
            (row["File"].as_str().expect("a file").to_owned(), row["Problems"].as_str().expect("text").to_owned())
        })
        .collect();
    let of = |name: &str| &problems.iter().find(|(file, _)| file.ends_with(name)).expect("a row").1;
    assert!(of("open/2.json").contains("rows are missing (auditLogs/signIns)"), "{problems:?}");
    for name in ["open/1.json", "whole/1.json", "whole/2.json"] {
        assert!(!of(name).contains("rows are missing"), "{problems:?}");
    }
    assert!(of("failed.json").contains("(UnknownError): rows are missing"), "{problems:?}");
}
