//! Parquet and archives: damaged pages, rows of other tables, checksums, answers that lie among the evidence.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::command::{Output, coldcase};

/// A folder with files for one test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().expect("a folder")).expect("folders");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// A Parquet file with these columns.
    fn parquet(&self, name: &str, properties: WriterProperties, columns: &[(&str, ArrayRef)]) -> String {
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, Arc::clone(array))));
        let batch = batch.expect("a batch");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("begun");
        writer.write(&batch).expect("written");
        writer.close().expect("written");
        self.write(name, bytes)
    }

    /// Sign-ins whose `Type` has these values, without statistics.
    fn typed(&self, name: &str, types: &[Option<&str>]) -> String {
        let times: StringArray = types.iter().map(|_| Some("2026-03-02T09:00:00Z")).collect();
        let ids: StringArray = (0..types.len()).map(|id| Some(format!("id{id}"))).collect();
        let types: StringArray = types.iter().copied().collect();
        let properties = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None).build();
        let columns: [(&str, ArrayRef); 3] =
            [("TimeGenerated", Arc::new(times)), ("Type", Arc::new(types)), ("Id", Arc::new(ids))];
        self.parquet(name, properties, &columns)
    }
}

/// The answer in CSV without its header line.
fn rows(output: &Output) -> Vec<&str> {
    output.stdout.lines().skip(1).collect()
}

/// Runs `query` over `file`, as CSV; the exit code must be that of `--strict`.
fn strict(query: &str, file: &str, code: i32) -> Output {
    let output = coldcase(&[query, file, "-o", "csv", "--strict"]);
    assert_eq!(output.code, code, "{query} {file}: {output:?}");
    output
}

#[test]
fn rows_of_other_tables_in_parquet_are_said_when_the_table_is_missing() {
    let folder = Folder::new();
    let audit = folder.typed("audit.parquet", &[Some("AuditLogs"), Some("AuditLogs")]);
    let output = strict("SigninLogs | count", &audit, 5);
    assert_eq!(rows(&output), ["0"]);
    assert!(output.stderr.contains("contain no SigninLogs records (only AuditLogs)"), "{output:?}");
    let unknown = folder.typed("unknown.parquet", &[Some("Contoso_CL")]);
    let output = strict("SigninLogs | count", &unknown, 5);
    assert!(output.stderr.contains("contain no SigninLogs records (only Contoso_CL)"), "{output:?}");
    // The rows that a time range leaves out are of the table all the same.
    let mixed = folder.typed("mixed.parquet", &[Some("AuditLogs"), Some("SigninLogs"), Some("Contoso_CL")]);
    let output = strict("SigninLogs | project Id", &mixed, 0);
    assert_eq!(rows(&output), ["id1"]);
    assert!(output.stderr.contains("records of \"Contoso_CL\" are no part of SigninLogs"), "{output:?}");
    let output = coldcase(&["SigninLogs | where Id == 'none' | count", &mixed, "-o", "csv"]);
    assert!(rows(&output) == ["0"] && !output.stderr.contains("no SigninLogs records"), "{output:?}");
}

#[test]
fn data_names_tables_in_any_case_in_every_format() {
    let folder = Folder::new();
    let parquet = folder.typed("rows.parquet", &[Some("signinlogs"), Some("SigninLogs"), Some("SIGNINLOGS ")]);
    let row = |ty: &str, id: &str| format!("2026-03-02T09:00:00Z,{ty},{id}\n");
    let csv = folder.write(
        "rows.csv",
        format!(
            "TimeGenerated,Type,Id\n{}{}{}",
            row("signinlogs", "id0"),
            row("SigninLogs", "id1"),
            row("SIGNINLOGS ", "id2")
        ),
    );
    let record = |ty: &str, id: &str| {
        format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"{ty}\",\"Id\":\"{id}\"}}\n")
    };
    let json = folder
        .write("rows.json", record("signinlogs", "id0") + &record("SigninLogs", "id1") + &record("SIGNINLOGS ", "id2"));
    for file in [&parquet, &csv, &json] {
        assert_eq!(rows(&strict("SigninLogs | project Id", file, 0)), ["id0", "id1", "id2"], "{file}");
        assert_eq!(rows(&strict("SigninLogs | where Id == 'id2' | count", file, 0)), ["1"], "{file}");
    }
    let output = coldcase(&["signinlogs | count", &parquet]);
    assert!(output.code == 3 && output.stderr.contains("did you mean `SigninLogs`?"), "{output:?}");
}

#[test]
fn names_like_that_of_the_table_are_damage_until_they_are_bound() {
    let folder = Folder::new();
    let types = [Some("SigninLogs"), Some("SigninLogs_CL"), Some("SigninLogs_CL")];
    let parquet = folder.typed("rows.parquet", &types);
    let record = |ty: &str, id: usize| {
        format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"{ty}\",\"Id\":\"id{id}\"}}\n")
    };
    let records = types.iter().enumerate().map(|(id, ty)| record(ty.expect("a name"), id)).collect::<String>();
    let json = folder.write("rows.json", records);
    for file in [&parquet, &json] {
        let output = strict("SigninLogs | project Id", file, 5);
        assert_eq!(rows(&output), ["id0"]);
        let message = "skipped 2 records of \"SigninLogs_CL\", which may be rows of SigninLogs: bind the files with -t";
        assert!(output.stderr.contains(message), "{output:?}");
        let output = coldcase(&["SigninLogs | count", "-t", &format!("SigninLogs={file}"), "-o", "csv", "--strict"]);
        assert!(output.code == 0 && rows(&output) == ["3"], "{output:?}");
        assert!(output.stderr.contains("rows of \"SigninLogs_CL\" are read as SigninLogs"), "{output:?}");
    }
}

#[test]
fn parquet_rows_that_name_no_table_are_not_dropped_in_silence() {
    let folder = Folder::new();
    // Nothing makes this file a log: it has no TimeGenerated.
    let types: StringArray = [Some("SigninLogs"), None, Some("")].into_iter().collect();
    let ids: StringArray = ["a", "b", "c"].into_iter().map(Some).collect();
    let columns: [(&str, ArrayRef); 2] = [("Type", Arc::new(types)), ("Id", Arc::new(ids))];
    let file = folder.parquet("rows.parquet", WriterProperties::default(), &columns);
    let output = strict("SigninLogs | project Id", &file, 5);
    assert_eq!(rows(&output), ["a"]);
    assert!(output.stderr.contains("skipped 2 records of unrecognised shape"), "{output:?}");
    let log = folder.typed("log.parquet", &[None, Some("AuditLogs")]);
    assert_eq!(rows(&strict("SigninLogs | project Id", &log, 0)), ["id0"]);
    assert_eq!(rows(&strict("AuditLogs | project Id", &log, 0)), ["id1"]);
}

#[test]
fn values_that_parquet_cannot_give_are_damage_of_their_file() {
    let folder = Folder::new();
    let types: ArrayRef = Arc::new(StringArray::from(vec!["SigninLogs"; 3]));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2026-03-02T09:00:00Z", "yesterday", ""]));
    let users: ArrayRef = Arc::new(BinaryArray::from(vec![&b"ann@contoso.com"[..], b"b\xe9n@contoso.com", b""]));
    let interactive: ArrayRef = Arc::new(StringArray::from(vec!["true", "perhaps", ""]));
    let intervals: ArrayRef =
        Arc::new(arrow::array::FixedSizeBinaryArray::try_from_iter([[1u8; 3]; 3].iter()).expect("three"));
    let file = folder.parquet(
        "rows.parquet",
        WriterProperties::default(),
        &[
            ("TimeGenerated", times),
            ("Type", types),
            ("Id", ids),
            ("UserPrincipalName", users),
            ("IsInteractive", interactive),
            ("Location", intervals),
        ],
    );
    let query = "SigninLogs | project Id, TimeGenerated, UserPrincipalName, IsInteractive";
    let output = strict(query, &file, 5);
    assert_eq!(rows(&output).len(), 3);
    for message in [
        "1 value of TimeGenerated cannot be read as a datetime",
        "1 value of IsInteractive cannot be read as bool",
        "1 value of UserPrincipalName is not valid UTF-8",
        "column Location cannot be read: its type FixedSizeBinary(3) has no counterpart in KQL",
    ] {
        assert!(output.stderr.contains(message), "{message}: {output:?}");
    }
    assert!(output.stderr.contains("rows.parquet"), "{output:?}");
}
