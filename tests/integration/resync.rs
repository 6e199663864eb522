//! Records after a damaged one are read, in any layout, and the damaged one counts once.

use std::fs;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;

use crate::command::{Output, coldcase};

/// A record whose inner objects begin like records of other services, with brackets and quotes inside strings.
fn record(id: usize) -> String {
    format!(
        "{{\"time\":\"2026-03-02T09:00:00Z\",\"category\":\"SignInLogs\",\"properties\":{{\"id\":\"{id}\",\
         \"userAgent\":\"a \\\"b\\\" }},{{ ]}} [1]\",\"status\":{{\"errorCode\":0}},\
         \"appliedConditionalAccessPolicies\":[{{\"id\":\"p1\",\"result\":\"success\"}},{{\"id\":\"p2\"}}]}}}}"
    )
}

/// A row of a table, with an array in a cell.
fn row(id: usize) -> String {
    format!("[\"2026-03-02T09:00:00Z\",\"SigninLogs\",\"{id}\",[\"a\",\"b\"],\"x ],[ \\\"y\\\"\"]")
}

const COLUMNS: &str =
    r#"[{"name":"TimeGenerated"},{"name":"Type"},{"name":"Id"},{"name":"Status"},{"name":"AppDisplayName"}]"#;

/// Elements and their surroundings, in the layouts of exports.
fn layouts(records: usize) -> Vec<(&'static str, Vec<String>, &'static str, String)> {
    let all = |one: fn(usize) -> String| (0..records).map(one).collect::<Vec<_>>();
    let pretty = |id: usize| {
        let json: Json = serde_json::from_str(&record(id)).expect("JSON");
        serde_json::to_string_pretty(&json).expect("JSON")
    };
    let table = format!("{{\"tables\":[{{\"name\":\"PrimaryResult\",\"columns\":{COLUMNS},\"rows\":[");
    vec![
        (",", all(record), "]", "[".to_owned()),
        (",\n", all(record), "\n]\n", "[\n".to_owned()),
        (",\n", (0..records).map(pretty).collect(), "\n]\n", "[\n".to_owned()),
        (",", all(record), "]}", "{\"records\":[".to_owned()),
        (", ", all(record), "],\"@odata.nextLink\":\"x\"}\n", "{\"@odata.context\":\"x\",\"value\":[".to_owned()),
        (",", all(row), "]}]}", table),
    ]
}

fn run(args: &[&str]) -> Output {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{args:?}: {output:?}");
    output
}

fn ids(path: &str) -> (Vec<String>, String) {
    let output = run(&["SigninLogs | project Id", path, "-o", "csv"]);
    (output.stdout.lines().skip(1).map(str::to_owned).collect(), output.stderr)
}

/// One byte of a record is changed, missing or added: the others are read, and a missing record is reported once.
#[test]
fn a_damaged_record_loses_no_other() {
    const RECORDS: usize = 12;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json").display().to_string();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for round in 0..20 {
        for (layout, (between, mut elements, behind, before)) in layouts(RECORDS).into_iter().enumerate() {
            let index = rng.random_range(0..RECORDS);
            let element = &mut elements[index];
            let structural: Vec<usize> =
                element.char_indices().filter(|(_, c)| "{}[]\",:".contains(*c)).map(|(at, _)| at).collect();
            let at = structural[rng.random_range(usize::from(index == 0) * structural.len() / 2..structural.len())];
            match rng.random_range(0..3) {
                0 => drop(element.remove(at)),
                1 => element.replace_range(at..=at, "x"),
                _ => element.insert(at, ['"', '}', '{', ']'][rng.random_range(0..4)]),
            }
            let text = format!("{before}{}{behind}", elements.join(between));
            fs::write(&path, &text).expect("written");
            let (found, said) = ids(&path);
            let context = format!("round {round}, layout {layout}, record {index}: {said}\n{}", elements[index]);
            let others = (0..RECORDS).filter(|id| *id != index).map(|id| id.to_string());
            let missing: Vec<String> = others.filter(|id| !found.contains(id)).collect();
            assert!(missing.is_empty(), "{missing:?} are missing; {context}");
            assert!(found.len() <= RECORDS, "{found:?}; {context}");
            // If it is still valid JSON, it may be any record.
            if found.len() < RECORDS && serde_json::from_str::<Json>(&elements[index]).is_err() {
                assert!(said.contains(": 1 record was not read ("), "{context}");
            }
        }
    }
}

/// Rejects, manifest and sniff count what the query counts, even if a filter would skip the damage without parsing it.
#[test]
fn all_counts_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let broken = record(2).replace("\"status\":{", "\"status\":");
    let file = path("a.json");
    fs::write(&file, format!("[{},{},{broken},{},{}]", record(0), record(1), record(3), record(4))).expect("written");
    let (rejects, manifest) = (path("r.jsonl"), path("m.json"));
    let query = "SigninLogs | where Id == '4' | count";
    let output = run(&[query, &file, "--rejects", &rejects, "--manifest", &manifest, "-o", "csv"]);
    assert_eq!(output.stdout, "Count\r\n1\r\n");
    assert!(
        output.stderr.contains("1 record was not read (byte ") && output.stderr.contains("records resume at byte ")
    );
    let rejects = fs::read_to_string(rejects).expect("the rejects");
    assert_eq!(rejects.lines().count(), 1, "{rejects}");
    let reject: Json = serde_json::from_str(&rejects).expect("JSON");
    assert!(reject["raw"].as_str().is_some_and(|raw| raw.starts_with("{\"time\"") && raw.contains("\"id\":\"2\"")));
    let manifest: Json = serde_json::from_str(&fs::read_to_string(manifest).expect("the manifest")).expect("JSON");
    assert_eq!(manifest["notRead"][0]["records"], 1, "{manifest}");
    let sniffed: Json = serde_json::from_str(&run(&["sniff", &file]).stdout).expect("JSON");
    assert_eq!(sniffed["Rows"], 4);
    assert!(sniffed["Problems"].as_str().is_some_and(|text| text.starts_with("1 record was not read (")), "{sniffed}");
}

/// If a record cannot be told from an object inside one, the rest is not read, and that is reported.
#[test]
fn ambiguous_data_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json").display().to_string();
    let node = |id: &str, inside: &str| format!("{{\"id\":\"{id}\",\"name\":\"n\",\"sub\":[{inside}]}}");
    let tree = |id: &str| node(id, &[node("in", ""), node("in", "")].join(","));
    let broken = tree("3").replace("\"id\":\"3\"", "\"id\":3\"");
    fs::write(&path, format!("[{},{},{broken},{}]", tree("1"), tree("2"), tree("4"))).expect("written");
    let output = run(&["T | project id", "-t", &format!("T={path}"), "-o", "csv"]);
    assert_eq!(output.stdout, "id\r\n1\r\n2\r\n");
    assert!(
        output.stderr.contains("1 record was not read") && output.stderr.contains("the rest is not read"),
        "{output:?}"
    );
}

/// The start of a file is missing: complete records are read.
#[test]
fn the_tail_of_an_array_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json").display().to_string();
    for between in [",", ",\n"] {
        let text = format!("[{}]", (0..9).map(record).collect::<Vec<_>>().join(between));
        for cut in [2, 30, record(0).len() - 2] {
            fs::write(&path, &text[cut..]).expect("written");
            let (found, said) = ids(&path);
            assert_eq!(found.len(), 8, "{cut}: {said}");
            assert!(said.contains("1 record was not read (byte "), "{said}");
        }
    }
    // Nothing in it is complete.
    fs::write(&path, "S\",\"a\":\"b\",\"c\":\"d\",\"e\":1},{\"b\":1}]").expect("written");
    assert_eq!(coldcase(&["SigninLogs | count", &path]).code, 5);
}

/// Records with the keys of wrappers are records, and wrappers with other keys are wrappers.
#[test]
fn wrappers_are_distinguished_from_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json").display().to_string();
    let keyed = |member: &str| record(1).replacen('{', &format!("{{{member},"), 1);
    let around = |members: &str| format!("{{{members}[{},{}]}}", record(1), record(2));
    let cases: [(String, usize); 12] = [
        (keyed("\"value\":[]"), 1),
        (keyed("\"records\":[{\"x\":1}]"), 1),
        (keyed("\"tables\":[]"), 1),
        (keyed("\"Tables\":[{\"x\":1}]"), 1),
        (keyed("\"FrameType\":\"DataTable\""), 1),
        (keyed("\"FrameType\":\"DataTable\",\"Rows\":[[1]]"), 1),
        (around("\"source\":\"hub\",\"records\":"), 2),
        (around("\"Count\":2,\"value\":"), 2),
        (around("\"TimeGenerated\":\"2026-03-02T00:00:00Z\",\"records\":"), 2),
        (around("\"meta\":{\"a\":[1]},\"records\":"), 2),
        (around("\"value\":[],\"records\":"), 2),
        ("{\"value\":[],\"@odata.nextLink\":\"x\"}".to_owned(), 0),
    ];
    for (text, rows) in cases {
        // On one line, as an element of an array, and over several lines.
        let spread: Json = serde_json::from_str(&text).expect("JSON");
        let spread = serde_json::to_string_pretty(&spread).expect("JSON");
        for layout in
            [format!("{}\n{text}\n", record(0)), format!("[{},{text}]", record(0)), format!("{spread}\n{}", record(0))]
        {
            fs::write(&path, &layout).expect("written");
            let (found, said) = ids(&path);
            assert_eq!(found.len(), rows + 1, "{layout}: {said}");
            assert!(!said.contains("not read"), "{layout}: {said}");
        }
    }
}

/// Line records of another shape are read after a damaged one, although no earlier record has that shape.
#[test]
fn lines_of_another_shape_are_read_after_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mixed.json");
    let graph = |id: usize| {
        format!(
            "{{\"id\":\"{id}\",\"createdDateTime\":\"2026-03-02T09:00:00Z\",\"status\":{{\"errorCode\":0}},\"isInteractive\":true}}"
        )
    };
    // More lines than the detection of line records examines.
    let damaged = record(1).replacen("\"id\"", "\"i\n[\nd", 1);
    fs::write(&file, [damaged, graph(2), record(3), graph(4)].join("\n")).expect("written");
    let (ids, said) = ids(file.to_str().expect("UTF-8"));
    assert_eq!(ids, ["2", "3", "4"], "{said}");
    assert!(said.contains("1 record was not read"), "{said}");
}
