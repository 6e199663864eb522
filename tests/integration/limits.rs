//! Decompression bombs: `--max-decompressed` stops them, whatever the compression.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::command::coldcase;

/// The decompressed size of the bombs: a sign-in, then padding.
const BYTES: usize = 8 << 20;

const ROW: &str = "{\"TimeGenerated\":\"2026-03-02T09:01:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n";

fn text() -> Vec<u8> {
    let mut text = ROW.as_bytes().to_vec();
    text.resize(BYTES, b'\n');
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        writer.write_all(bytes).expect("packed");
    }
    writer.finish().expect("packed").into_inner()
}

/// Encodes an Avro long.
pub fn long(number: usize) -> Vec<u8> {
    let mut rest = number << 1;
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

/// Encodes an Avro string.
pub fn text_of(bytes: &[u8]) -> Vec<u8> {
    [long(bytes.len()), bytes.to_vec()].concat()
}

/// An Event Hub capture of these messages.
pub fn avro(bodies: &[&[u8]]) -> Vec<u8> {
    let schema = br#"{"type":"record","name":"EventData","fields":[{"name":"Body","type":"bytes"}]}"#;
    container(schema, &bodies.iter().map(|body| text_of(body)).collect::<Vec<_>>())
}

/// An Avro container of these records, one block each, compressed with deflate.
pub fn container(schema: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let header = [text_of(b"avro.codec"), text_of(b"deflate"), text_of(b"avro.schema"), text_of(schema)].concat();
    let mut file = [b"Obj\x01".to_vec(), long(2), header, long(0), vec![7; 16]].concat();
    for record in records {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(record).expect("packed");
        file.extend([long(1), text_of(&encoder.finish().expect("packed")), vec![7; 16]].concat());
    }
    file
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let text = text();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(&text).expect("packed");
    vec![
        ("bomb.json.gz", gzip(&text)),
        ("bomb.json.zst", zstd::encode_all(&text[..], 3).expect("packed")),
        ("bomb.json.bz2", bzip2.finish().expect("packed")),
        ("bomb.zip", zip(&[("a.json", ROW.as_bytes()), ("b.json", &text)])),
        ("bomb.avro", avro(&[&text])),
        ("twice.json.gz", gzip(&gzip(&text))),
        ("inside.zip", zip(&[("a.json.gz", &gzip(&text))])),
    ]
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("written");
    path.display().to_string()
}

#[test]
fn every_kind_of_bomb_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in bombs() {
        assert!(bytes.len() < BYTES / 100, "{name} is no bomb: {} bytes", bytes.len());
        let path = write(folder.path(), name, &bytes);
        let stopped = coldcase(&["SigninLogs | count", &path, "--max-decompressed", "1M"]);
        assert_eq!((stopped.code, stopped.stdout.as_str()), (6, ""), "{name}: {stopped:?}");
        for part in [name, "1048576 bytes", "--max-decompressed"] {
            assert!(stopped.stderr.contains(part), "{name}: {part} in {stopped:?}");
        }
        let read = coldcase(&["SigninLogs | count", &path, "--max-decompressed", "32M"]);
        let rows = if name == "bomb.zip" { 2 } else { 1 };
        assert_eq!((read.code, read.stdout), (0, format!("{{\"Count\":{rows}}}\n")), "{name}: {}", read.stderr);
        // Without the flag, a lot is allowed, and never less than a gigabyte.
        assert_eq!(coldcase(&["SigninLogs | count", &path]).code, 0, "{name}");
    }
}

#[test]
fn every_reading_command_has_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let bomb = write(folder.path(), "bomb.json.gz", &gzip(&text()));
    let archive = folder.path().join("archive").display().to_string();
    let converted = coldcase(&["convert", &bomb, "-O", &archive, "--max-decompressed", "1M"]);
    assert!(converted.code == 6 && converted.stderr.contains("--max-decompressed"), "{converted:?}");
    assert!(!Path::new(&archive).exists());
    // sniff continues after a file that is a bomb.
    let sniffed = coldcase(&["sniff", &bomb, "--max-decompressed", "1M"]);
    assert!(
        sniffed.code == 0 && sniffed.stdout.contains("it decompresses to more than the limit of 1048576 bytes"),
        "{sniffed:?}"
    );
    let queries = write(folder.path(), "queries.jsonl", b"{\"id\":1,\"query\":\"SigninLogs | count\"}\n");
    let answered = coldcase(&["batch", &queries, &bomb, "--max-decompressed", "1M"]);
    assert!(answered.stdout.contains("\"code\":6"), "{answered:?}");
    assert_eq!(coldcase(&["print 1", "--max-decompressed", "much"]).code, 2);
}

/// Layers are detected by their first bytes. Unusual combinations are refused with a message, and not read as something
/// else.
#[test]
fn unusual_layers() {
    let folder = tempfile::tempdir().expect("a folder");
    let parquet = fs::read("testdata/shapes/adx-export-parquet/export_1_7d1e5c0b9f2a4c3d8e6f1a2b3c4d5e6f.parquet");
    let parquet = parquet.expect("the sample");
    let row = ROW.as_bytes();
    let read = |name: &str, bytes: &[u8]| coldcase(&["SigninLogs | count", &write(folder.path(), name, bytes)]);
    for (name, bytes) in [
        ("gz-in-zip.bin", zip(&[("a", &gzip(row))])),
        ("gz-in-gz", gzip(&gzip(row))),
        ("zst-in-gz.json", gzip(&zstd::encode_all(row, 1).expect("packed"))),
        ("plain.gz", row.to_vec()),
    ] {
        assert_eq!(read(name, &bytes).stdout, "{\"Count\":1}\n", "{name}");
    }
    assert!(read("parquet-in.zip", &zip(&[("a.json", &parquet)])).stdout.starts_with("{\"Count\":"));
    for (name, bytes, words) in [
        ("parquet.gz", gzip(&parquet), "Parquet inside a compressed file: decompress it first"),
        ("zip-in.gz", gzip(&zip(&[("a.json", row)])), "an archive inside another file: extract it first"),
        ("zip-in.zip", zip(&[("a.zip", &zip(&[("a.json", row)]))]), "an archive inside another file"),
        ("deep.gz", gzip(&gzip(&gzip(&gzip(&gzip(row))))), "it has too many layers of compression"),
    ] {
        let refused = read(name, &bytes);
        assert!(refused.code == 5 && refused.stderr.contains(words), "{name}: {refused:?}");
    }
}

/// Files are detected by their first bytes, whatever their names; unreadable ones are refused with a message.
#[test]
fn file_types_are_detected_by_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = |path: &str| fs::read(Path::new("testdata/shapes").join(path)).expect("the sample");
    let parquet = sample("adx-export-parquet/export_1_7d1e5c0b9f2a4c3d8e6f1a2b3c4d5e6f.parquet");
    let row = ROW.as_bytes();
    let csv = "TimeGenerated,Id,Type\n2026-03-02T09:01:00Z,1,SigninLogs\n";
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(row).expect("packed");
    let kinds = [
        ("gzip", gzip(row), 1),
        ("zstd", zstd::encode_all(row, 1).expect("packed"), 1),
        (
            "zstd behind a skippable frame",
            [b"\x50\x2a\x4d\x18\x01\0\0\0x", &*zstd::encode_all(row, 1).expect("packed")].concat(),
            1,
        ),
        ("bzip2", bzip2.finish().expect("packed"), 1),
        ("zip", zip(&[("a", row), ("b.zip", csv.as_bytes()), ("c.csv", &gzip(row)), ("d.json", &parquet)]), 9),
        ("Avro", avro(&[row]), 1),
        ("Parquet", parquet, 6),
        ("CSV", csv.as_bytes().to_vec(), 1),
        ("JSON Lines", row.to_vec(), 1),
    ];
    let names = ["a.json", "a.jsonl", "a.csv", "a.parquet", "a.avro", "a.zip", "a.gz", "a.zst", "a.bz2", "a.log", "a"];
    for (kind, bytes, rows) in &kinds {
        for name in names {
            let read = coldcase(&["SigninLogs | count", &write(folder.path(), name, bytes)]);
            assert_eq!(
                (read.code, read.stdout),
                (0, format!("{{\"Count\":{rows}}}\n")),
                "{kind}, {name}: {}",
                read.stderr
            );
        }
    }
    let tar = [&[b'x'; 257][..], b"ustar\x0000", &[0; 248], row].concat();
    for (bytes, words) in [
        (&b"\xfd7zXZ\0"[..], "xz is not supported"),
        (b"7z\xbc\xaf\x27\x1c", "7z is not supported"),
        (b"Rar!\x1a\x07", "rar is not supported"),
        (b"\x04\x22\x4d\x18", "lz4 is not supported"),
        (b"\x1f\x9d\x90", "(.Z) are not supported"),
        (&tar, "a tar archive: unpack it first"),
        (&gzip(&tar), "a tar archive: unpack it first"),
        (b"PK\x03\x04 no archive", "this zip archive cannot be read"),
    ] {
        let refused = coldcase(&["SigninLogs | count", &write(folder.path(), "a.json", bytes)]);
        assert!(refused.code == 5 && refused.stderr.contains(words), "{words}: {refused:?}");
    }
}

/// A pipe is read only once, however often the file is examined.
#[cfg(unix)]
#[test]
fn pipes_are_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [("a.json", ROW.as_bytes().to_vec()), ("b", zip(&[("a.json", ROW.as_bytes())]))] {
        let path = folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let pipe = path.clone();
        let writer = std::thread::spawn(move || fs::write(pipe, bytes).expect("written"));
        let read = coldcase(&["SigninLogs | count", &path.display().to_string()]);
        assert_eq!((read.code, read.stdout.as_str(), read.stderr.as_str()), (0, "{\"Count\":1}\n", ""), "{name}");
        writer.join().expect("read to its end");
    }
}

/// Sizes in a zip are not trusted, and no bytes are decompressed twice.
#[test]
fn zips_with_false_sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = text();
    // The entry claims to have 80 bytes.
    let mut small = zip(&[("a.json", &text)]);
    let size = u32::try_from(BYTES).expect("small").to_le_bytes();
    while let Some(at) = small.windows(4).position(|bytes| bytes == size) {
        small[at..at + 4].copy_from_slice(&80_u32.to_le_bytes());
    }
    let path = write(folder.path(), "small.zip", &small);
    let read = coldcase(&["SigninLogs | count", &path, "--strict"]);
    assert!(read.code == 5 && read.stderr.contains("it is longer than the archive says"), "{read:?}");
    // Two entries share the same bytes.
    let mut twice = zip(&[("a.json", ROW.as_bytes()), ("b.json", ROW.as_bytes())]);
    let headers: Vec<usize> = (0..twice.len()).filter(|&at| twice[at..].starts_with(b"PK\x01\x02")).collect();
    let offset = headers[1] + 42;
    twice[offset..offset + 4].copy_from_slice(&0_u32.to_le_bytes());
    let path = write(folder.path(), "twice.zip", &twice);
    let read = coldcase(&["SigninLogs | count", &path]);
    assert!(read.code == 5 && read.stderr.contains("its entries overlap"), "{read:?}");
}

#[test]
fn values_that_a_function_cannot_parse_are_null_and_reported() {
    let query = "range n from 1 to 6 step 1
        | extend xml = iff(n % 3 == 0, strcat(strrep('<a>', 200), n, strrep('</a>', 200)), '<b>1</b>')
        | extend agent = iff(n == 2, strrep(strrep('x', 200), 200), 'curl/8.5.0'), part = iff(n < 3, 'os', 'colour')
        | extend parsed = parse_xml(xml), browser = parse_user_agent(agent, 'browser'), other = parse_user_agent('x', part)
        | summarize countif(isnull(parsed)), countif(isnull(browser)), countif(isnull(other))";
    let run = coldcase(&[query, "-o", "csv"]);
    assert!(run.code == 0 && run.stdout.trim_end().ends_with("2,1,4"), "{run:?}");
    for text in [
        "parse_xml returned null for 2 distinct documents that are nested too deep",
        "parse_user_agent returned null for 1 user agent that is too long",
        "parse_user_agent returned null for 1 string that names no browser, operating system or device",
    ] {
        assert!(run.stderr.contains(text), "{}", run.stderr);
    }
    assert_eq!(coldcase(&[query, "--strict"]).code, 5);
    // While the query is bound, too.
    let constant = coldcase(&["print parse_xml(strcat(strrep('<a>', 200), strrep('</a>', 200)))", "--strict"]);
    assert!(constant.code == 5 && constant.stderr.contains("parse_xml returned null"), "{constant:?}");
}
