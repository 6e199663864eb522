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

/// Many tools write no last line end: the values of the last column before prove that the last one is whole.
#[test]
fn a_csv_without_its_last_line_end_is_whole_if_its_rows_prove_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let row = |last: &str| format!("2026-03-02T09:07:43Z,1,priya@contoso.com,{last}");
    for (header, values) in [
        ("TimeGenerated,Id,UserPrincipalName,Type", &["SigninLogs", "SigninLogs"][..]),
        ("TimeGenerated,Id,UserPrincipalName,ResultType", &["0", "50126", "0"]),
        (
            "TimeGenerated,Id,UserPrincipalName,CorrelationId",
            &["a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002"],
        ),
        ("TimeGenerated,Id,UserPrincipalName,Identity", &["\"Lee, Priya\"", "\"Kim, Tim\""]),
        ("TimeGenerated,Id,UserPrincipalName,CreatedDateTime", &["2026-03-02T09:07:43Z", "2026-03-02T09:08:44Z"]),
    ] {
        let is_quoted = values[0].starts_with('"');
        for end in ["\n", "\r\n"] {
            let lines: Vec<String> =
                std::iter::once(header.to_owned()).chain(values.iter().map(|value| row(value))).collect();
            let text = lines.join(end);
            fs::write(&path, &text).expect("written");
            let arguments = ["SigninLogs | count", "-t", "SigninLogs=a.csv", "-o", "csv", "--strict"];
            let output = run(folder.path(), &arguments);
            let rows = values.len().to_string();
            assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some(&*rows)), "{output:?}\n{text}");
            assert!(
                is_quoted || output.stderr.contains("note: a.csv: the last line has no line end"),
                "{output:?}\n{text}"
            );
            // Cut anywhere in its last row, it is damaged.
            let last = text.len() - values[values.len() - 1].len();
            for cut in last - 20..text.len() {
                fs::write(&path, &text[..cut]).expect("written");
                let output = run(folder.path(), &arguments);
                let is_value = values.contains(&&text[last..cut.max(last)]);
                assert!(output.code == 5 || is_value, "{output:?}\n{}", &text[..cut]);
            }
        }
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

/// Writes `text` to `name` in the folder, in the encoding of a WHATWG label.
fn write_as(folder: &Path, name: &str, text: &str, label: &str) {
    let encoded = match label {
        "utf-16le" => encode(text, "le"),
        "utf-16be" => encode(text, "be"),
        label => encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding").encode(text).0.into_owned(),
    };
    fs::write(folder.join(name), encoded).expect("written");
}

/// A record of a person, and the same as a row of CSV.
fn of_person(id: &str, name: &str) -> (String, String) {
    let json = record(id, "priya").replace("\"0\"", &format!("\"0\",\"Identity\":\"{name}\""));
    (json, format!("2026-03-02T09:07:43Z,{id},{name},priya@contoso.com,0,SigninLogs"))
}

const CSV_HEADER: &str = "TimeGenerated,Id,Identity,UserPrincipalName,ResultType,Type";

/// A specified encoding is used for every layout and compression, and by every command.
#[test]
fn text_is_read_in_the_specified_encoding() {
    for (label, name) in [
        ("windows-1252", "Jürgen – Müller €"),
        ("iso-8859-2", "Łukasz Żółć"),
        ("windows-1251", "Юрий Гагарин"),
        ("shift_jis", "表計算 佐藤ソ"),
        ("gb18030", "李雷 𠮷"),
        ("iso-2022-jp", "佐藤 はな"),
        ("utf-16le", "Łukasz 李雷"),
        ("utf-16be", "Łukasz 李雷"),
        ("utf-8", "Łukasz 李雷"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let [(first, first_row), (second, second_row)] = [of_person("1", name), of_person("2", "Break Glass")];
        let mut files: Vec<(&str, String)> =
            layouts(&first, &second).into_iter().map(|text| ("a.json", text)).collect();
        files.push(("a.csv", format!("{CSV_HEADER}\r\n{second_row}\r\n{first_row}\r\n")));
        let query = format!("SigninLogs | where Identity == '{name}' | count");
        for (file, text) in &files {
            write_as(folder.path(), file, text, label);
            for query in [&query, OF_PRIYA] {
                let output = run(folder.path(), &[query, ".", "-o", "csv", "--strict", "--encoding", label]);
                let rows = if query == OF_PRIYA { "2" } else { "1" };
                assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some(rows)), "{label} {text}: {output:?}");
            }
            let path = folder.path().join(file);
            let packed = fs::File::create(folder.path().join("a.gz")).expect("created");
            let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, &fs::read(&path).expect("read")).expect("packed");
            packed.finish().expect("packed");
            fs::remove_file(path).expect("removed");
            let output = run(folder.path(), &[&query, "a.gz", "-o", "csv", "--strict", "--encoding", label]);
            assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("1")), "{label} {text}: {output:?}");
            fs::remove_file(folder.path().join("a.gz")).expect("removed");
        }
        let (file, text) = files.pop().expect("files");
        write_as(folder.path(), file, &text, label);
        let sniffed = run(folder.path(), &["sniff", "a.csv", "-o", "jsonl", "--encoding", label]);
        let shown = encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding").name();
        let shown = shown.replace("UTF-16", "UTF-16 ");
        assert!(sniffed.stdout.contains(&format!("\"Encoding\":\"{shown}\",")), "{sniffed:?}");
        assert!(sniffed.stdout.contains("\"Rows\":2,") && sniffed.stdout.contains("\"Problems\":\"\""), "{sniffed:?}");
        let converted = run(folder.path(), &["convert", "a.csv", "-O", "archive", "--strict", "--encoding", label]);
        assert_eq!(converted.code, 0, "{converted:?}");
        let output = run(folder.path(), &[&query, "archive", "-o", "csv", "--strict"]);
        assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("1")), "{output:?}");
    }
}

/// `encoding` of the catalog file applies to its table, the option overrides it, and the manifest shows it.
#[test]
fn the_encoding_is_set_by_catalog_and_option() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("exports")).expect("a folder");
    write_as(&folder.path().join("exports"), "a.json", &of_person("1", "Łukasz").0, "iso-8859-2");
    let catalog = |label: &str| {
        let text = format!("[tables.SigninLogs]\npaths = [\"exports\"]\nencoding = \"{label}\"\n");
        fs::write(folder.path().join(format!("{label}.toml")), text).expect("written");
        format!("{label}.toml")
    };
    let (polish, western) = (catalog("iso-8859-2"), catalog("latin1"));
    let query = "SigninLogs | project Identity";
    let ask = |arguments: &[&str]| run(folder.path(), &[&[query, "--manifest", "m.json"], arguments].concat());
    let manifest = || fs::read_to_string(folder.path().join("m.json")).expect("a manifest");
    assert!(ask(&["-c", &polish]).stdout.contains("Łukasz"));
    assert!(manifest().contains("\"encoding\": \"ISO-8859-2\""), "{}", manifest());
    assert!(ask(&["-c", &western]).stdout.contains("£ukasz"));
    assert!(ask(&["-c", &western, "--encoding", "latin2"]).stdout.contains("Łukasz"));
    assert!(ask(&["exports", "--encoding", "latin2"]).stdout.contains("Łukasz"));
    assert!(!ask(&["exports"]).stdout.contains("Łukasz"));
    assert!(manifest().contains("\"encoding\": null"), "{}", manifest());
    for wrong in ["utf-7", "cp850", "replacement", ""] {
        let refused = ask(&["exports", "--encoding", wrong]);
        assert!(refused.code == 2 && refused.stderr.contains("shift_jis"), "{refused:?}");
        let refused = ask(&["-c", &catalog(wrong)]);
        assert!(refused.code == 2 && refused.stderr.contains("shift_jis"), "{refused:?}");
    }
}

/// What the first bytes say overrides the option, with a note; text that the option misreads is damage.
#[test]
fn bytes_that_contradict_the_specified_encoding_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let text = format!("{}\n", of_person("1", "Łukasz").0);
    let query = "SigninLogs | where Identity == 'Łukasz' | count";
    let ask = |label: &str| run(folder.path(), &[query, ".", "-o", "csv", "--strict", "--encoding", label]);
    for (encoding, found) in [("8m", "UTF-8"), ("lem", "UTF-16 LE"), ("bem", "UTF-16 BE"), ("le", "UTF-16 LE")] {
        fs::write(&path, encode(&text, encoding)).expect("written");
        let output = ask("shift_jis");
        assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("1")), "{encoding}: {output:?}");
        let note = format!("a.json: it is read as {found}, as its first bytes say, not as Shift_JIS");
        assert_eq!(output.stderr.matches(&note).count(), 1, "{encoding}: {output:?}");
        let same = if found == "UTF-8" { "utf-8" } else { &found.replace(' ', "") };
        let output = ask(same);
        assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("1")), "{encoding}: {output:?}");
        assert!(!output.stderr.contains("first bytes"), "{encoding}: {output:?}");
    }
    // A part in UTF-16 in the middle.
    let pieces = [("iso-8859-2", "Łukasz"), ("utf-16le", "Łukasz"), ("iso-8859-2", "Łukasz")];
    let piece = |(label, name): (&str, &str)| {
        write_as(folder.path(), "a.json", &format!("{}\n", of_person(label, name).0), label);
        fs::read(&path).expect("read")
    };
    let bytes = pieces.map(piece).concat();
    fs::write(&path, bytes).expect("written");
    let output = ask("iso-8859-2");
    assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("3")), "{output:?}");
    // UTF-8 without a mark is read as specified, and a character that the encoding does not have is replaced.
    fs::write(&path, &text).expect("written");
    let output = ask("windows-1252");
    assert_eq!((output.code, output.stdout.lines().nth(1)), (5, Some("0")), "{output:?}");
    assert!(output.stderr.contains("1 file is read as windows-1252, as specified, but valid UTF-8"), "{output:?}");
    let cut = [
        &b"{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Identity\":\"\x83\"}\n"[..],
        text.as_bytes(),
    ]
    .concat();
    fs::write(&path, cut.iter().filter(|byte| byte.is_ascii() || **byte == 0x83).copied().collect::<Vec<u8>>())
        .expect("written");
    let arguments = ["SigninLogs | count", ".", "-o", "csv", "--encoding", "sjis", "--rejects", "r.jsonl"];
    let output = run(folder.path(), &[&arguments[..], &["--strict"]].concat());
    assert_eq!((output.code, output.stdout.lines().nth(1)), (5, Some("2")), "{output:?}");
    assert!(output.stderr.contains("1 character is not valid in Shift_JIS, as specified, and replaced"), "{output:?}");
    let rejects = fs::read_to_string(folder.path().join("r.jsonl")).expect("rejects");
    assert!(rejects.contains("Shift_JIS") && rejects.contains("a.json"), "{rejects}");
}

/// Positions are those in the text after decoding, as for UTF-16.
#[test]
fn positions_in_a_specified_encoding_count_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let people: Vec<(String, String)> = (0..4).map(|id| of_person(&id.to_string(), "表ソ")).collect();
    let json: Vec<&str> = people.iter().map(|(json, _)| json.as_str()).collect();
    let cut = json[3].len() - 20;
    write_as(folder.path(), "a.json", &format!("{}\n{}\n{}\n{}", json[0], json[1], json[2], &json[3][..cut]), "sjis");
    let query = "SigninLogs | project Id, _SourceLine, _SourceByte";
    let output = run(folder.path(), &[query, "a.json", "-o", "csv", "--provenance", "--encoding", "sjis"]);
    let before = json[0].len() + json[1].len() + 2;
    assert!(output.stdout.contains(&format!("2,3,{before}")), "{output:?}");
    assert!(output.stderr.contains(&format!("line 4, byte {}", before + json[2].len() + 1)), "{output:?}");
    let rows: Vec<&str> = people.iter().map(|(_, row)| row.as_str()).collect();
    write_as(folder.path(), "a.csv", &format!("{CSV_HEADER}\n{}\n", rows.join("\n")), "sjis");
    let output = run(folder.path(), &[query, "a.csv", "-o", "csv", "--provenance", "--encoding", "sjis"]);
    assert!(output.stdout.contains("2,4,"), "{output:?}");
}

/// A file larger than a partition.
#[test]
fn a_large_file_in_a_specified_encoding_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> = (1..=60_000).map(|id| of_person(&id.to_string(), "Łukasz Żółć").0).collect();
    write_as(folder.path(), "a.json", &lines.join("\n"), "iso-8859-2");
    assert!(fs::metadata(folder.path().join("a.json")).expect("a file").len() > 8 << 20);
    let query = "SigninLogs | where Identity has 'Żółć' | summarize count_distinct(Id)";
    let output = run(folder.path(), &[query, ".", "-o", "csv", "--encoding", "latin2", "--strict"]);
    assert_eq!((output.code, output.stdout.lines().nth(1)), (0, Some("60000")), "{output:?}");
}

/// Files larger than a partition, in which UTF-16 begins and ends anywhere.
#[test]
fn large_files_in_several_encodings_are_read_completely() {
    let folder = tempfile::tempdir().expect("a folder");
    let records = |piece: usize, count: usize| -> Vec<(String, String)> {
        (0..count).map(|id| of_person(&format!("{piece}-{id}"), "Jürgen 上海")).collect()
    };
    let lines = |piece: usize, count: usize| -> String {
        records(piece, count).iter().map(|(json, _)| format!("{json}\n")).collect()
    };
    let array = |piece: usize, count: usize| -> String {
        let records: Vec<String> = records(piece, count).into_iter().map(|(json, _)| json).collect();
        format!("[{}]", records.join(",\n"))
    };
    let rows = |piece: usize, count: usize| -> String {
        let rows: String = records(piece, count).iter().map(|(_, row)| format!("{row}\n")).collect();
        format!("{CSV_HEADER}\n{rows}")
    };
    let query = "SigninLogs | summarize count(), countif(Identity == 'Jürgen 上海'), count_distinct(Id)";
    // The encoding and the number of records of each piece; the first two are larger than a partition in most.
    let orders: [&[(&str, usize)]; 5] = [
        &[("8", 50_000), ("le", 9)],
        &[("8", 25_000), ("lem", 3_000), ("8", 30_000)],
        &[("8", 20_000), ("bem", 50_000), ("8", 1_000), ("le", 100)],
        &[("lem", 30_000), ("8", 50_000), ("bem", 2)],
        &[("8m", 50_000), ("be", 9), ("lem", 9), ("8", 9)],
    ];
    let of_lines = orders.into_iter().map(|order| ("a.json", &lines as &dyn Fn(usize, usize) -> String, order));
    for (name, text, order) in of_lines.chain([("a.json", &array as _, orders[1]), ("a.csv", &rows as _, orders[1])]) {
        let total: usize = order.iter().map(|(_, count)| count).sum();
        let piece = |(piece, (encoding, count)): (usize, &(&str, usize))| encode(&text(piece, *count), encoding);
        fs::write(folder.path().join(name), order.iter().enumerate().flat_map(piece).collect::<Vec<_>>())
            .expect("written");
        let output = run(folder.path(), &[query, name, "-o", "csv", "--strict"]);
        assert_eq!(output.code, 0, "{order:?} {name}: {output:?}");
        let expected = format!("{total},{total},{total}");
        assert_eq!(output.stdout.lines().nth(1), Some(&*expected), "{order:?} {name}: {output:?}");
    }
}
