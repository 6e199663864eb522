//! Files in other encodings, padded, joined, truncated or badly compressed: every complete record is read, and lost
//! data is reported.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase_at};

/// A sign-in record of this user.
fn record(id: &str, user: &str) -> String {
    format!(
        "{{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Id\":\"{id}\",\"UserPrincipalName\":\"{user}@contoso.com\",\
         \"Status\":{{\"errorCode\":0}},\"ResultType\":\"0\",\"Type\":\"SigninLogs\"}}"
    )
}

fn run(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, args, b"")
}

/// The count that `query` returns over the folder, and the messages.
fn count(folder: &Path, query: &str) -> (String, String) {
    let output = run(folder, &[query, ".", "-o", "csv"]);
    assert_eq!(output.code, 0, "{output:?}");
    (output.stdout.lines().nth(1).unwrap_or_default().to_owned(), output.stderr)
}

const ALL: &str = "SigninLogs | count";
const OF_PRIYA: &str = "SigninLogs | where UserPrincipalName == 'priya@contoso.com' | count";

/// A partial append: wherever the last record ends, the records before it are read and one is reported.
#[test]
fn a_last_record_truncated_at_any_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let [first, second, last] = ["1", "2", "3"].map(|id| record(id, "priya"));
    let layouts = [
        format!("{first}\n{second}"),
        format!("{first}\r\n{second}\r\n{second}"),
        format!("[{first},\n{second}"),
        format!("{{\"value\":[{first},{second}"),
    ];
    for (layout, before) in layouts.iter().enumerate() {
        let rows = if layout == 1 { "3" } else { "2" };
        // Every byte of the usual layout, and every seventh of the others.
        for cut in (1..last.len()).step_by(if layout == 0 { 1 } else { 7 }) {
            fs::write(&path, format!("{before}{}", &last[..cut])).expect("written");
            for query in [ALL, OF_PRIYA] {
                let (found, said) = count(folder.path(), query);
                assert_eq!(found, rows, "{query}, layout {layout}, cut at {cut}: {said}");
                assert!(said.contains("1 record was not read"), "{query}, layout {layout}, cut at {cut}: {said}");
            }
        }
    }
}

/// Encodes a string: "8" is UTF-8, "le" and "be" are UTF-16, with a byte order mark if "m" follows.
fn encode(text: &str, encoding: &str) -> Vec<u8> {
    let mark = if encoding.ends_with('m') { "\u{feff}" } else { "" };
    let text = format!("{mark}{text}");
    match encoding.trim_end_matches('m') {
        "8" => text.into_bytes(),
        "le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// The layouts of two records that tools write.
fn layouts(first: &str, second: &str) -> Vec<String> {
    let pretty = |record: &str| record.replace("{\"", "{\r\n  \"").replace(",\"", ",\r\n  \"").replace('}', "\r\n}");
    vec![
        format!("{first}\n{second}\n"),
        format!("{first}\r\n{second}"),
        format!("[{first},{second}]"),
        format!("[\r\n{},\r\n{}\r\n]\r\n", pretty(first), pretty(second)),
        format!("{}\r\n{}\r\n", pretty(first), pretty(second)),
        format!("{{\"value\":[{first},{second}]}}"),
    ]
}

/// Files to which tools with different encodings appended.
#[test]
fn every_order_of_encodings_is_read_completely() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let orders: [&[&str]; 12] = [
        &["lem", "8"],
        &["le", "8"],
        &["bem", "8"],
        &["lem", "8m"],
        &["8", "le"],
        &["8m", "lem"],
        &["8", "be"],
        &["8", "bem"],
        &["lem", "bem"],
        &["lem", "8", "le"],
        &["8", "le", "8"],
        &["8", "bem", "8m", "lem"],
    ];
    let record = |id: String, user: &str| record(&id, user).replace("\"0\"", "\"0\",\"Identity\":\"Jürgen – Müller\"");
    for order in orders {
        let pieces = order.len();
        for layout in 0..layouts("", "").len() {
            for next in [layout, (layout + 2) % layouts("", "").len()] {
                let piece = |(index, encoding): (usize, &&str)| {
                    let records = [record(format!("{index}a"), "priya"), record(format!("{index}b"), "jonas")];
                    let layout = if index % 2 == 0 { layout } else { next };
                    encode(&layouts(&records[0], &records[1])[layout], encoding)
                };
                let bytes: Vec<u8> = order.iter().enumerate().flat_map(piece).collect();
                fs::write(&path, bytes).expect("written");
                let context = format!("{order:?}, layouts {layout} and {next}");
                let query = "SigninLogs | where Identity == 'Jürgen – Müller' | count";
                for (query, rows) in [(ALL, 2 * pieces), (OF_PRIYA, pieces), (query, 2 * pieces)] {
                    let (found, said) = count(folder.path(), query);
                    assert_eq!(found, rows.to_string(), "{query}, {context}: {said}");
                    assert!(!said.contains("warning"), "{query}, {context}: {said}");
                }
            }
        }
    }
}

/// Larger than the sample used for detection: the change of encoding is found while reading.
#[test]
fn a_late_change_of_encoding_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    for (layout, (between, open, close)) in [("\n", "", "\n"), (",\n", "[", "]")].into_iter().enumerate() {
        let piece = |piece: usize, count: usize| {
            let records: Vec<String> = (0..count).map(|id| record(&format!("{piece}-{id}"), "priya")).collect();
            format!("{open}{}{close}", records.join(between))
        };
        for encoding in ["le", "lem", "be"] {
            let bytes =
                [encode(&piece(1, 3_000), "8"), encode(&piece(2, 5), encoding), encode(&piece(3, 5), "8")].concat();
            fs::write(&path, bytes).expect("written");
            for query in [ALL, OF_PRIYA] {
                let (found, said) = count(folder.path(), query);
                assert_eq!(found, "3010", "{query}, layout {layout}, {encoding}: {said}");
                assert!(!said.contains("warning"), "{query}, layout {layout}, {encoding}: {said}");
            }
        }
    }
}

/// A truncated part loses its last record, but no later part in another encoding.
#[test]
fn a_truncated_part_hides_no_other_encoding() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let [first, second] = ["1", "2"].map(|id| record(id, "priya"));
    for layout in [format!("{first}\n{second}"), format!("[{first},\n{second}")] {
        let cut = &layout[..layout.len() - 40];
        for order in [["8", "le"], ["8", "lem"], ["8", "be"], ["lem", "8"], ["lem", "8m"]] {
            let bytes = [
                encode(cut, order[0]),
                encode(&format!("[{},{}]", record("3", "priya"), record("4", "priya")), order[1]),
            ];
            fs::write(&path, bytes.concat()).expect("written");
            for query in [ALL, OF_PRIYA] {
                let (found, said) = count(folder.path(), query);
                assert_eq!(found, "3", "{query}, {order:?}, {layout}: {said}");
                assert!(said.contains("1 record was not read"), "{query}, {order:?}, {layout}: {said}");
            }
        }
    }
}

/// Windows-1252 is decoded in JSON and CSV, reported, and found by a search for the name.
#[test]
fn windows_1252_is_read_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect::<Vec<u8>>();
    let named = |id: &str, name: &str| record(id, "priya").replace("\"0\"", &format!("\"0\",\"Identity\":\"{name}\""));
    let (müller, plain) = (named("1", "Jürgen Müller"), named("2", "Break Glass"));
    let csv = "TimeGenerated,Identity,UserPrincipalName,ResultType,Type\r\n\
               2026-03-02T09:07:43Z,Jürgen Müller,priya@contoso.com,0,SigninLogs\r\n\
               2026-03-02T09:08:43Z,Break Glass,priya@contoso.com,0,SigninLogs\r\n";
    let files = [
        ("a.json", format!("{plain}\n{müller}\n")),
        ("a.json", format!("[{müller},{plain}]")),
        ("a.json", format!("{{\"value\":[{plain},{müller}]}}")),
        ("a.csv", csv.to_owned()),
        ("a.csv", csv.replace("Jürgen Müller", "\"Jürgen \"\"Müller\"")),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, latin(&text)).expect("written");
        for (query, rows) in [
            (ALL, "2"),
            (OF_PRIYA, "2"),
            ("SigninLogs | where Identity startswith 'Jürgen' | count", "1"),
            ("SigninLogs | where Identity contains 'MÜLLER' | count", "1"),
            ("SigninLogs | where Identity has 'Müller' | count", "1"),
        ] {
            let (found, said) = count(folder.path(), query);
            assert_eq!(found, rows, "{query}: {said}\n{text}");
            assert!(said.contains("warning: 1 record is not valid UTF-8"), "{query}: {said}\n{text}");
        }
        let strict = run(folder.path(), &[ALL, ".", "--strict"]);
        assert_eq!(strict.code, 5, "{strict:?}");
        let query = "SigninLogs | where Identity contains 'rgen' | project Identity, _SourceByte";
        let rows = run(folder.path(), &[query, ".", "-o", "csv", "--provenance"]);
        // All characters before the name are one byte long.
        let before = &text[..text.find("Jürgen").unwrap_or(0)];
        let byte = before.rfind("{\"Time").unwrap_or(0);
        assert!(rows.stdout.contains(&format!("Müller,{byte}")) || name == "a.csv", "{byte}: {rows:?}");
        fs::remove_file(&path).expect("removed");
    }
}

/// NUL bytes around records lose none of them, and are damage.
#[test]
fn nul_bytes_lose_no_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let nul = "\0".repeat(512);
    let [a, b] = ["1", "2"].map(|id| record(id, "priya"));
    for text in [
        format!("{a}\n{nul}{b}\n"),
        format!("{a}\n{nul}\n{b}\n"),
        format!("{a}{nul}{b}\n"),
        format!("{a}\n{b}{nul}\n"),
        format!("{a}\n{b}\n{nul}"),
        format!("{nul}{a}\n{b}\n"),
        format!("[{a},{nul}{b}]"),
        format!("[{a}{nul},{b}]\n"),
        format!("[{a},{b}]{nul}"),
        format!("{nul}[{a},{b}]"),
        format!("{{\"value\":[{a},{b}]}}{nul}"),
    ] {
        fs::write(&path, &text).expect("written");
        for query in [ALL, OF_PRIYA] {
            let (found, said) = count(folder.path(), query);
            let shown = text.replace(&nul, "<NUL>");
            assert_eq!(found, "2", "{query}: {said}\n{shown}");
            assert!(said.contains("1 run of NUL bytes") && !said.contains("not read"), "{query}: {said}\n{shown}");
        }
    }
    let csv =
        "TimeGenerated,Id,UserPrincipalName,ResultType,Type\n2026-03-02T09:07:43Z,1,priya@contoso.com,0,SigninLogs\n";
    fs::remove_file(&path).expect("removed");
    let path = folder.path().join("a.csv");
    let row = csv.lines().nth(1).expect("a row");
    for text in [format!("{csv}{nul}"), format!("{csv}{nul}{row}\n")] {
        fs::write(&path, &text).expect("written");
        let (found, said) = count(folder.path(), OF_PRIYA);
        assert_eq!(found, text.matches("priya").count().to_string(), "{said}");
        assert!(said.contains("1 run of NUL bytes") && !said.contains("not read"), "{said}");
    }
}

/// Files without any readable record are not called empty, and fail the run like other unreadable files.
#[test]
fn files_without_a_readable_record_are_not_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let header = "TimeGenerated,Identity,UserPrincipalName,ResultType,Type\n";
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 40]].concat();
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xff; 40]].concat();
    let files: [(&str, Vec<u8>); 5] = [
        ("a.csv", format!("{header}2026-03-02T09:07:43Z,Glass, Break,priya@contoso.com,0,SigninLogs\n").into_bytes()),
        ("a.json", b"{\"TimeGenerated\":\"2026-03-02T09:07\n{\"TimeGenerated\":x}\n{\"TimeGenerated\":1,}\n".to_vec()),
        ("a.json", record("1", "priya").as_bytes()[..80].to_vec()),
        ("a.json.gz", gzip),
        ("a.json.zst", zstd),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).expect("written");
        let context = String::from_utf8_lossy(&bytes);
        for query in [ALL, OF_PRIYA] {
            let output = run(folder.path(), &[query, "."]);
            assert_eq!(output.code, 5, "{query}: {output:?}\n{context}");
            assert!(!output.stderr.contains("empty"), "{output:?}\n{context}");
        }
        let sniffed = run(folder.path(), &["sniff", ".", "-o", "jsonl"]);
        assert!(!sniffed.stdout.contains("\"empty\"") && sniffed.stdout.contains("read\""), "{sniffed:?}\n{context}");
        fs::remove_file(&path).expect("removed");
    }
}

/// A CSV file that ends in its header or without a line end may lack rows.
#[test]
fn a_csv_without_its_last_line_end_may_be_truncated() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let header = "TimeGenerated,Identity,UserPrincipalName,ResultType,Type";
    let row = "2026-03-02T09:07:43Z,Priya,priya@contoso.com,0,SigninLo";
    for text in [header.to_owned(), "TimeGenerated,Identity,UserPrin".to_owned(), format!("{header}\n{row}")] {
        fs::write(&path, &text).expect("written");
        let output = run(folder.path(), &[ALL, ".", "--strict"]);
        assert_eq!(output.code, 5, "{output:?}\n{text}");
        assert!(output.stderr.contains("truncated") && !output.stderr.contains("empty"), "{output:?}\n{text}");
    }
}

/// Duplicate keys and unpaired surrogates are damage of the values that are read.
#[test]
fn duplicate_keys_and_unpaired_surrogates_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let [first, second] = ["1", "2"].map(|id| record(id, "priya"));
    let twice = first.replace("\"Type\"", "\"ResultType\":\"50126\",\"Type\"");
    let half = first.replace("\"Type\"", "\"Identity\":\"a\\ud83d b\",\"Type\"");
    for text in [format!("{twice}\n{second}\n"), format!("[{second},{twice}]")] {
        fs::write(&path, text).expect("written");
        let output = run(folder.path(), &["SigninLogs | where ResultType == '50126' | project Id", ".", "-o", "csv"]);
        assert!(output.stdout.contains('1') && output.stderr.contains("a duplicate key"), "{output:?}");
        let strict = run(folder.path(), &["SigninLogs | project ResultType", ".", "--strict"]);
        assert!(strict.code == 5 && strict.stderr.contains("1 record has a duplicate key"), "{strict:?}");
    }
    fs::write(&path, format!("{second}\n{half}\n")).expect("written");
    let output = run(folder.path(), &["SigninLogs | project Identity", ".", "-o", "csv"]);
    assert!(output.stderr.contains("1 value of Identity has an unpaired surrogate"), "{output:?}");
    let (_, said) = count(folder.path(), ALL);
    assert!(!said.contains("surrogate"), "{said}");
}

/// Compressed files with wrong lengths are damaged files; too much decompressed data ends the run.
#[test]
fn a_wrong_length_damages_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("b.json"), record("2", "priya") + "\n").expect("written");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("x.json", zip::write::SimpleFileOptions::default()).expect("begun");
    std::io::Write::write_all(&mut zip, (record("1", "priya") + "\n").as_bytes()).expect("packed");
    let mut bytes = zip.finish().expect("packed").into_inner();
    let entry = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("the directory");
    bytes[entry + 24..entry + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
    fs::write(folder.path().join("a.zip"), bytes).expect("written");
    let (found, said) = count(folder.path(), ALL);
    assert!(found == "2" && said.contains("shorter than the archive says"), "{found}: {said}");
}

/// A workbook is refused with a reason, although its entries are text.
#[test]
fn a_workbook_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["[Content_Types].xml", "xl/worksheets/sheet1.xml"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut zip, b"<?xml version=\"1.0\"?><x/>").expect("packed");
    }
    fs::write(folder.path().join("signins.xlsx"), zip.finish().expect("packed").into_inner()).expect("written");
    let output = run(folder.path(), &[ALL, "."]);
    assert!(output.code == 5 && output.stderr.contains("save the sheet as CSV"), "{output:?}");
}
