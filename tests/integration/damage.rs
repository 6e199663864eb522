//! Files that were cut off or changed: never a panic, the rows that are whole keep their values, and what is missing is
//! told. A few places of each file are tried; with `DAMAGE=all` it is every 97th byte.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coldcase::source::{Catalog, FileCatalogBuilder, ScanColumn, ScanReport, ScanRequest};

/// What is compared of a sign-in.
const COLUMNS: [&str; 8] =
    ["Id", "UserPrincipalName", "ResultType", "ResultDescription", "IPAddress", "AppDisplayName", "UserId", "Location"];

/// Every so many bytes.
const STEP: usize = 97;

/// Places of each file that are tried in every run.
const FEW: usize = 12;

/// Files whose bytes are packed: one changed bit may change any text before the checksum tells.
const PACKED: [&str; 6] = ["gz", "zst", "zip", "avro", "parquet", "bz2"];

/// Of these, files without checksums: nobody can tell that a value was changed.
const UNCHECKED: [&str; 3] = ["parquet", "zst", "avro"];

/// What a scan found.
struct Found {
    rows: Vec<Vec<String>>,
    /// True where the scan said that something is wrong or strange.
    told: bool,
}

/// Reads the sign-ins of a folder; None where the scan itself refused.
fn read(folder: &Path) -> Option<Found> {
    let mut builder = FileCatalogBuilder::default();
    builder.add(folder).ok()?;
    let table = builder.build().table("SigninLogs").ok()??;
    let column = |name: &&str| ScanColumn::Column(table.schema().index_of(name).expect("a column"));
    let report = Arc::new(ScanReport::default());
    let request = ScanRequest {
        columns: COLUMNS.iter().map(column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 8_192,
        report: Arc::clone(&report),
    };
    let mut rows = Vec::new();
    for partition in table.scan(&request).ok()? {
        for batch in partition.read().ok()? {
            let batch = batch.ok()?;
            let row = |row: usize| batch.columns().iter().map(|column| column.value(row).to_text()).collect();
            rows.extend((0..batch.rows()).map(row));
        }
    }
    let told = !report.problems().is_empty() || !report.notices().is_empty() || !report.warnings().is_empty();
    Some(Found { rows, told })
}

/// The rows that `found` has and `whole` has not.
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

/// The files below the samples, but not those that a log or another file is needed for.
fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/shapes");
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
    let paths = entries.map(walkdir::DirEntry::into_path).filter(|path| path.is_file());
    let is_data = |path: &PathBuf| !path.ends_with("README.md") && !path.ends_with("sign-ins.json");
    paths.filter(|path| is_data(path) && !path.components().any(|part| part.as_os_str() == "_delta_log")).collect()
}

/// Tries one damaged copy; the complaint, if there is one.
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
    // A changed header changes every row, and is told.
    if strange.len() > usize::from(!cut) && (cut || !found.told) {
        return Some(format!("{} strange rows: {strange:?}", strange.len()));
    }
    let ends_at_line = [&b"\n"[..], b"\r", b"\n\0"].iter().any(|end| bytes.ends_with(end));
    let missing = found.rows.len() < whole.rows.len();
    (cut && missing && !found.told && !ends_at_line).then(|| "rows are missing and not a word".to_owned())
}

#[test]
fn damage_is_told_and_stays_where_it_is() {
    let all = std::env::var("DAMAGE").is_ok_and(|value| value == "all");
    let mut complaints = Vec::new();
    for path in samples() {
        let bytes = fs::read(&path).expect("a sample");
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join(path.file_name().expect("a name"));
        fs::write(&copy, &bytes).expect("a copy");
        let Some(whole) = read(folder.path()) else { continue };
        let step = if all { STEP } else { STEP.max(bytes.len() / FEW) };
        for (index, at) in (0..bytes.len()).step_by(step).enumerate() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (index % 8);
            for (damaged, cut) in [(&bytes[..at], true), (&flipped[..], false)] {
                if let Some(complaint) = try_damage(&copy, damaged, &whole, cut) {
                    let how = if cut { "cut at" } else { "changed at" };
                    complaints.push(format!("{} {how} {at}: {complaint}", path.display()));
                }
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(60)].join("\n")
    );
}
