//! Where rows come from: `--provenance`, and `--rejects` for unreadable records.

use std::fs;
use std::io::Read;

use crate::command::{coldcase, root};

const SHAPES: &str = "testdata/shapes";

fn rows(args: &[&str]) -> Vec<serde_json::Value> {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{output:?}");
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The file and byte offset of every row lead to the record with its Id.
#[test]
fn byte_offsets_lead_to_the_record() {
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

/// Multi-line values among lines, in a file read by several threads: they are located too, wherever the file is split.
#[test]
fn multi_line_values_are_located() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mixed.json");
    let padding = "x".repeat(3_000);
    let record = |id: usize, between: &str| {
        let members =
            ["\"TimeGenerated\": \"2026-03-02T09:00:00Z\"", "\"Type\": \"SigninLogs\""].join(&format!(",{between}"));
        let end = between.replace("  ", "");
        format!("{{{between}\"Id\": \"{id}\",{between}{members},{between}\"Identity\": \"{padding}\"{end}}}")
    };
    let mut text = String::new();
    let mut count = 0;
    while text.len() < 18 << 20 {
        count += 1;
        // A long array spans the position where the file is split first, short ones are elsewhere.
        let array = if (7 << 20..9 << 20).contains(&text.len()) { 900 } else { 3 };
        text += &match count % 5 {
            0 => record(count, "\n  ") + "\n",
            1 => {
                let elements: Vec<String> = (0..array)
                    .map(|_| {
                        count += 1;
                        record(count, "\r\n  ")
                    })
                    .collect();
                format!("[\n{}\n]\n", elements.join(",\n"))
            }
            _ => record(count, "") + "\n",
        };
    }
    fs::write(&path, &text).expect("written");
    let path = path.to_str().expect("UTF-8");
    let output = coldcase(&["SigninLogs | project Id, _SourceLine, _SourceByte", path, "--provenance"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let (mut byte, mut line, mut found) = (0, 1, 0);
    for row in output.stdout.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).expect("JSON")) {
        let next = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
        line += text[byte..next].matches('\n').count();
        byte = next;
        let record = text[byte..byte + 40].replace(char::is_whitespace, "");
        assert!(record.starts_with(&format!("{{\"Id\":{},", row["Id"])), "{row}: {record}");
        assert_eq!(row["_SourceLine"], line, "{row}");
        found += 1;
    }
    assert_eq!(found, text.matches("\"Id\"").count());
    // A filter skips lines without parsing them.
    for id in [1, 2, count / 2, count - 1] {
        let wanted = format!("{{\"Count\":{}}}\n", text.matches(&format!("\"Id\": \"{id}\"")).count());
        assert_eq!(coldcase(&[&format!("SigninLogs | where Id == '{id}' | count"), path]).stdout, wanted, "{id}");
    }
}

/// The same for compressed files and UTF-16: lines and bytes refer to the decompressed text in UTF-8.
#[test]
fn offsets_in_compressed_files_are_those_of_the_text() {
    let unpacked = |path: &str| {
        let bytes = fs::read(root().join(path)).expect("readable");
        let mut text = Vec::new();
        match bytes[..] {
            [0xff, 0xfe, ..] => {
                let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                text = String::from_utf16(&units).expect("UTF-16").into_bytes();
            }
            _ => {
                flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("gzip");
            }
        }
        text
    };
    for shape in ["mg-ps51-utf16", "azuread-preview-utf16", "compressed-gzip-multimember", "adx-export-json"] {
        let query = "SigninLogs | project Id, _SourceFile, _SourceLine, _SourceByte";
        let rows = rows(&[query, &format!("{SHAPES}/{shape}"), "--provenance"]);
        assert_eq!(rows.len(), 10, "{shape}");
        for row in rows {
            let text = unpacked(row["_SourceFile"].as_str().expect("a file"));
            let byte = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
            let record = String::from_utf8_lossy(&text[byte..]);
            let id = row["Id"].as_str().expect("an id");
            assert!(record.starts_with('{') && record[..12_000.min(record.len())].contains(id), "{shape}: {row}");
            let line = text[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(row["_SourceLine"], line, "{shape}: {row}");
        }
    }
}

/// Lines and bytes of CSV are those at which a row begins, including line ends inside quotes.
#[test]
fn csv_rows_are_located() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("odd.csv");
    let text = "\u{feff}Id,TimeGenerated,Identity,Type\r\n\r\n1,2026-03-02,\"a\nb\n\",SigninLogs\r\nbroken\r\n\
                2,2026-03-02,\"Zoë, \"\"x\"\"\",SigninLogs\n3,2026-03-02,,SigninLogs";
    fs::write(&file, text).expect("written");
    let samples = ["la-portal-csv", "portal-csv", "adx-export-csv", "adx-export-csv-noheader", "la-portal-csv-resaved"];
    let paths = samples.map(|shape| format!("{SHAPES}/{shape}")).into_iter().chain([file.display().to_string()]);
    for path in paths {
        let query = "SigninLogs | project Id, _SourceFile, _SourceLine, _SourceByte";
        let rows = rows(&[query, &path, "--provenance"]);
        assert_eq!(rows.len(), if path.ends_with("odd.csv") { 3 } else { 10 }, "{path}");
        for row in rows {
            let text = fs::read(root().join(row["_SourceFile"].as_str().expect("a file"))).expect("readable");
            let byte = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
            assert!(byte == 0 || text[byte - 1] == b'\n', "{path}: {row}");
            let record = String::from_utf8_lossy(&text[byte..]);
            let next = record.find("\n2026-").unwrap_or(record.len());
            assert!(record[..next].contains(row["Id"].as_str().expect("an id")), "{path}: {row}: {record}");
            let line = text[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(row["_SourceLine"], line, "{path}: {row}");
        }
    }
}

/// Records of a capture are located by the number of their message and the byte in its body.
#[test]
fn capture_records_are_located() {
    let record =
        |id: u32| format!("{{\"TimeGenerated\":\"2026-03-02T09:01:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\"}}");
    let bodies = [
        record(1),
        format!("{{\"records\": [\n  {},\n  {}]}}", record(2), record(3)),
        "no record".to_owned(),
        format!("{}\n{}", record(4), record(5)),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("capture.avro").display().to_string();
    let bytes: Vec<&[u8]> = bodies.iter().map(|body| body.as_bytes()).collect();
    fs::write(&file, crate::limits::avro(&bytes)).expect("written");
    let query = "SigninLogs | project Id, _SourceLine, _SourceByte";
    let found = rows(&[query, &file, "--provenance"]);
    assert_eq!(found.len(), 5);
    for row in found {
        let message = usize::try_from(row["_SourceLine"].as_u64().expect("a message")).expect("small");
        let byte = usize::try_from(row["_SourceByte"].as_u64().expect("a byte")).expect("small");
        let id = row["Id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
        assert!(bodies[message - 1][byte..].starts_with(&record(id)), "{row}");
    }
    let output = coldcase(&["SigninLogs | count", &file]);
    assert!(output.stderr.contains("byte 0 of message 3"), "{output:?}");
    let sample = rows(&[query, &format!("{SHAPES}/eventhub-capture-avro"), "--provenance"]);
    assert!(sample.iter().all(|row| row["_SourceLine"].is_u64() && row["_SourceByte"].is_u64()), "{sample:?}");
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
    // A filter does not change the numbers.
    let wanted = &numbered[7];
    let query = format!("SigninLogs | where Id == '{}' | project _SourceLine", wanted["Id"].as_str().expect("an id"));
    assert_eq!(rows(&[&query, &path, "--provenance"])[0]["_SourceLine"], wanted["_SourceLine"]);
    let query = "SigninLogs | where _SourceLine == 2 | count";
    assert_eq!(rows(&[query, &path, "--provenance"])[0]["Count"], 2);
}

/// Big files are read in parts: lines are counted across all parts.
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

#[test]
fn searches_ignore_provenance_columns() {
    let folder = format!("{SHAPES}/la-data-export");
    let found = |query: &str| rows(&[query, &folder, "--provenance"]).len();
    assert_eq!(found("SigninLogs | where _SourceFile has 'shapes'"), 10);
    assert_eq!(found("SigninLogs | search 'shapes'"), 0);
    assert_eq!(found("SigninLogs | search _SourceFile:'shapes'"), 10);
}
