//! Truncated or modified files: no panic, undamaged rows keep their values, and missing rows are reported. Files are
//! truncated, a bit is flipped, a line is replaced: at a few positions of each file, and with `DAMAGE=all` at every
//! 97th byte and in every line.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::scan::{Catalog, ScanReport};
use coldcase::source::file_catalog::FileCatalogBuilder;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{coldcase, root};
use crate::scan;

/// The compared columns of a sign-in.
const COLUMNS: [&str; 8] =
    ["Id", "UserPrincipalName", "ResultType", "ResultDescription", "IPAddress", "AppDisplayName", "UserId", "Location"];

/// The distance of positions with `DAMAGE=all`, in bytes.
const STEP: usize = 97;

/// The number of positions per file in every run.
const FEW: usize = 12;

/// Compressed formats: one flipped bit may change any value before the checksum shows it.
const PACKED: [&str; 6] = ["gz", "zst", "zip", "avro", "parquet", "bz2"];

/// Formats among these without checksums: a changed value cannot be detected.
const UNCHECKED: [&str; 3] = ["parquet", "zst", "avro"];

/// Replacements of a line, besides random bytes.
const REPLACEMENTS: [&[u8]; 11] = [
    b"0",
    b"null",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b"{\"a\":[1,{\"b\":\"c\"}]}",
    b"Error: the connection was reset",
    b"<html><body>503</body></html>",
];

/// The damage done to a copy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    /// The bytes from this offset are missing.
    Cut(usize),
    /// A bit of this byte is flipped.
    Flip(usize),
    /// The line that begins at this offset is replaced.
    Replace(usize),
}

/// The result of a scan.
struct Found {
    rows: Vec<Vec<String>>,
    /// True if the scan reported any problem.
    told: bool,
    /// The tables found: the name of a table may be damaged.
    tables: Vec<String>,
}

/// Reads the sign-ins of a folder; None if the scan fails.
fn read(folder: &Path) -> Option<Found> {
    let mut builder = FileCatalogBuilder::default();
    builder.add(folder).ok()?;
    let table = builder.build().table("SigninLogs").ok()??;
    let report = Arc::new(ScanReport::default());
    let rows = scan::read(&*table, &COLUMNS, &report).ok()?;
    let told = report.is_incomplete() || !report.notes().is_empty() || !report.warnings().is_empty();
    Some(Found { rows, told, tables: report.tables() })
}

/// The rows of `found` that are not in `whole`.
fn strange(found: &[Vec<String>], whole: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut left: Vec<&Vec<String>> = whole.iter().collect();
    let mut is_strange = |row: &&Vec<String>| match left.iter().position(|other| other == row) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    };
    found.iter().filter(|row| is_strange(row)).cloned().collect()
}

/// The sample files, except those that need a log or another file.
fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let folders = ["shapes", "signinlogs"].map(|folder| walkdir::WalkDir::new(root.join(folder)).sort_by_file_name());
    let entries = folders.into_iter().flatten().map(|entry| entry.expect("readable"));
    let paths = entries.map(walkdir::DirEntry::into_path).filter(|path| path.is_file());
    let is_data = |path: &PathBuf| !path.ends_with("README.md") && !path.ends_with("sign-ins.json");
    paths.filter(|path| is_data(path) && !path.components().any(|part| part.as_os_str() == "_delta_log")).collect()
}

/// The damage to try: with `all`, at regular distances and in every line, otherwise at a few positions.
fn damages(bytes: &[u8], all: bool) -> Vec<Damage> {
    let step = if all { STEP } else { STEP.max(bytes.len() / FEW) };
    let mut damages: Vec<Damage> =
        (0..bytes.len()).step_by(step).flat_map(|at| [Damage::Cut(at), Damage::Flip(at)]).collect();
    let starts: Vec<usize> = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1)).collect();
    let step = if all { 1 } else { (starts.len() / FEW).max(1) };
    damages.extend(starts.into_iter().step_by(step).filter(|at| *at < bytes.len()).map(Damage::Replace));
    damages
}

/// Returns the damaged bytes.
fn apply(bytes: &[u8], damage: Damage, rng: &mut ChaCha8Rng) -> Vec<u8> {
    match damage {
        Damage::Cut(at) => bytes[..at].to_vec(),
        Damage::Flip(at) => {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1 << rng.random_range(0..8);
            bytes
        }
        Damage::Replace(start) => {
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
            // Whitespace lines and commas between lines carry no data.
            let random: Vec<u8> = (0..rng.random_range(1..40)).map(|_| rng.random_range(b'!'..=0xff)).collect();
            let text = if rng.random_range(0..3) == 0 { &random } else { *REPLACEMENTS.choose(rng).expect("some") };
            [&bytes[..start], text, &bytes[end..]].concat()
        }
    }
}

/// Tries one damaged copy; returns the failure, if any.
fn try_damage(copy: &Path, bytes: &[u8], whole: &Found, cut: bool) -> Option<String> {
    fs::write(copy, bytes).expect("a file");
    let folder = copy.parent().expect("a folder");
    let found = match catch_unwind(AssertUnwindSafe(|| read(folder))) {
        Ok(Some(found)) => found,
        Ok(None) => return None,
        Err(_) => return Some("a panic".to_owned()),
    };
    let ends_with = |endings: &[&str]| copy.extension().is_some_and(|ending| endings.iter().any(|e| ending == *e));
    let strange = strange(&found.rows, &whole.rows);
    if ends_with(&PACKED) && !cut {
        let silent = !strange.is_empty() && !found.told && !ends_with(&UNCHECKED);
        return silent.then(|| format!("changed rows and not a word: {strange:?}"));
    }
    // A changed header changes every row, and is reported.
    if strange.len() > usize::from(!cut) && (cut || !found.told) {
        return Some(format!("{} strange rows: {strange:?}", strange.len()));
    }
    let ends_at_line = [&b"\n"[..], b"\r", b"\n\0"].iter().any(|end| bytes.ends_with(end));
    let missing = found.rows.len() < whole.rows.len();
    let told = found.told || found.tables != whole.tables;
    (missing && !told && !(cut && ends_at_line)).then(|| "rows are missing and not a word".to_owned())
}

#[test]
fn damage_is_reported_and_stays_local() {
    let all = std::env::var("DAMAGE").is_ok_and(|value| value == "all");
    let mut complaints = Vec::new();
    let (mut files, mut tried) = (0, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(97);
    for path in samples() {
        let bytes = fs::read(&path).expect("a sample");
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join(path.file_name().expect("a name"));
        fs::write(&copy, &bytes).expect("a copy");
        let Some(whole) = read(folder.path()) else { continue };
        files += 1;
        for damage in damages(&bytes, all) {
            tried += 1;
            let damaged = apply(&bytes, damage, &mut rng);
            let is_cut = matches!(damage, Damage::Cut(_));
            if let Some(complaint) = try_damage(&copy, &damaged, &whole, is_cut) {
                complaints.push(format!("{} {damage:?}: {complaint}", path.display()));
            }
        }
    }
    eprintln!("{tried} damaged copies of {files} files, {} complaints", complaints.len());
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(60)].join("\n")
    );
}

/// A damaged first line is reported, and the other rows are read.
#[test]
fn a_damaged_first_line_does_not_hide_the_others() {
    let record = br#"{ "TimeGenerated": "2026-03-02T06:59:48Z", "Type": "SigninLogs", "Id": "a, b, c" }"#;
    for first in ["T", "a,b,c,d", "\u{7b0}", "\0", "\"a,b,", "503 Service Unavailable, try, again"] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("PT1H.json"), [first.as_bytes(), b"\n", record].concat()).expect("a file");
        let found = read(folder.path()).unwrap_or_else(|| panic!("{first:?} refused"));
        assert_eq!((found.rows.len(), found.told), (1, true), "{first:?}");
    }
}

/// A byte that makes a cell invalid text damages only this cell.
#[test]
fn a_nul_byte_does_not_hide_the_rows_of_a_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "TimeGenerated,Id,Type\n2026-03-02T06:59:48Z,a\0b,SigninLogs\n2026-03-02T06:59:49Z,c,SigninLogs\n";
    fs::write(folder.path().join("query_data.csv"), text).expect("a file");
    let found = read(folder.path()).expect("rows");
    let ids: Vec<&str> = found.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, ["a\0b", "c"]);
}

/// One byte of the minimum in the footer is increased: minimum and maximum are inconsistent, and must not prune
/// anything.
#[test]
fn inconsistent_statistics_prune_nothing() {
    let tenant = b"b7a9f3c1-0e52-4d68-9c7f-5a1d3e8b2f46";
    let name = "export_1_7d1e5c0b9f2a4c3d8e6f1a2b3c4d5e6f.parquet";
    let original = fs::read(root().join("testdata/shapes/adx-export-parquet").join(name)).expect("a sample");
    let end = original.len() - 8;
    let footer = end - u32::from_le_bytes(original[end..end + 4].try_into().expect("four bytes")) as usize;
    let places: Vec<usize> = (footer..end).filter(|at| original[*at..].starts_with(tenant)).collect();
    assert!(places.len() >= 2, "{places:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name).display().to_string();
    let query = format!("SigninLogs | where TenantId == '{}' | count", str::from_utf8(tenant).expect("text"));
    for place in places {
        let mut changed = original.clone();
        changed[place + 16] = b'z';
        fs::write(&path, changed).expect("written");
        let output = coldcase(&[&query, &path, "-o", "csv"]);
        assert_eq!((output.code, output.stdout.as_str()), (0, "Count\r\n6\r\n"), "{place}: {}", output.stderr);
    }
}
