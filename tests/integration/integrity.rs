//! Parquet and archives: damaged pages, rows of other tables, checksums, answers that lie among the evidence.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use coldcase::source::parquet::ParquetFile;
use coldcase::source::parquet::checksums::Verdict;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

/// An archive of a thousand sign-ins in one file, which has dictionaries, bloom filters and page indexes.
fn archive(folder: &Folder) -> String {
    let record = |n: usize| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:{:02}:{:02}Z\",\"Type\":\"SigninLogs\",\"Id\":\"id{n}\",\
             \"UserPrincipalName\":\"user{}@contoso.com\",\"IPAddress\":\"203.0.113.{}\",\"ResultType\":\"{}\",\
             \"AutonomousSystemNumber\":\"{}\",\"DeviceDetail\":{{\"deviceId\":\"{n}\"}}}}\n",
            n / 60 % 60,
            n % 60,
            n % 37,
            n % 250,
            if n.is_multiple_of(3) { 50126 } else { 0 },
            n % 5,
        )
    };
    let input = folder.write("input.json", (0..1_000).map(record).collect::<String>());
    let archive = folder.path("archive.parquet");
    assert_eq!(coldcase(&["convert", &input, "-O", &archive]).code, 0);
    archive
}

/// The file with one bit of it turned.
fn flipped(bytes: &[u8], random: &mut ChaCha8Rng) -> (usize, Vec<u8>) {
    let at = random.random_range(0..bytes.len());
    let mut damaged = bytes.to_vec();
    damaged[at] ^= 1 << random.random_range(0..8);
    (at, damaged)
}

/// One bit that is turned anywhere in an archive is found, every time; `FLIPS` sets how many are tried.
#[test]
fn verify_finds_every_bit_that_was_turned() {
    let folder = Folder::new();
    let path = archive(&folder);
    let bytes = fs::read(&path).expect("readable");
    assert_eq!(ParquetFile::open(&path, "a").expect("a file").verify().expect("read"), Verdict::Intact);
    let flips = std::env::var("FLIPS").ok().and_then(|flips| flips.parse().ok()).unwrap_or(500);
    let mut random = ChaCha8Rng::seed_from_u64(55);
    for _ in 0..flips {
        let (at, damaged) = flipped(&bytes, &mut random);
        fs::write(&path, damaged).expect("written");
        let verdict = ParquetFile::open(&path, "a").map(|file| file.verify().expect("read"));
        assert!(!matches!(verdict, Ok(Verdict::Intact)), "byte {at} of {}", bytes.len());
    }
}

/// A query never gives other values in silence, whichever bit was turned, and prints no panic.
#[test]
fn queries_over_a_damaged_archive_are_right_or_say_so() {
    let folder = Folder::new();
    let path = archive(&folder);
    let bytes = fs::read(&path).expect("readable");
    let query = "SigninLogs | where IPAddress == '203.0.113.7' or ResultType == '50126' \
                 | summarize count(), hash_sha256(strcat_array(make_list(strcat(Id, UserPrincipalName, DeviceDetail.deviceId, \
                 TimeGenerated, AutonomousSystemNumber)), ','))";
    let args = |path: &str| coldcase(&[query, path, "-o", "csv", "--strict"]);
    let sound = args(&path);
    assert_eq!(sound.code, 0, "{sound:?}");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut told = 0;
    for _ in 0..150 {
        let (at, damaged) = flipped(&bytes, &mut random);
        fs::write(&path, damaged).expect("written");
        let output = args(&path);
        assert!(output.code == 5 || (output.code == 0 && output.stdout == sound.stdout), "byte {at}: {output:?}");
        assert!(!output.stderr.contains("panicked"), "byte {at}: {output:?}");
        told += usize::from(output.code == 5);
    }
    assert!(told > 20, "{told}");
}

#[test]
fn verify_says_which_files_and_row_groups_are_damaged() {
    let folder = Folder::new();
    let path = archive(&folder);
    let verify = |code: i32| {
        let output = coldcase(&["verify", &path, "-o", "csv"]);
        assert_eq!(output.code, code, "{output:?}");
        output
    };
    let row = verify(0).stdout;
    assert!(row.contains(",SigninLogs,1,1000,") && row.contains(",intact,"), "{row}");
    let bytes = fs::read(&path).expect("readable");
    let mut damaged = bytes.clone();
    damaged[200] ^= 1;
    fs::write(&path, &damaged).expect("written");
    let output = verify(5);
    assert!(output.stdout.contains(",damaged,row group 0"), "{output:?}");
    assert!(output.stderr.contains("error: 1 of 1 files could not be verified"), "{output:?}");
    let end = bytes.len() - 30;
    let mut damaged = bytes.clone();
    damaged[end] ^= 1;
    fs::write(&path, &damaged).expect("written");
    assert!(verify(5).stdout.contains(",damaged,"));
    let query = coldcase(&["SigninLogs | count", &path]);
    assert!(query.code == 5 && query.stderr.contains("archive.parquet"), "{query:?}");
    fs::write(&path, &bytes[..bytes.len() - 9]).expect("written");
    verify(5);
    let other = folder.typed("other.parquet", &[Some("SigninLogs")]);
    let output = coldcase(&["verify", &other, "-o", "csv"]);
    assert!(output.code == 5 && output.stdout.contains(",no checksums,"), "{output:?}");
    let json = folder.write("x.json", "{}");
    assert_eq!(coldcase(&["verify", &json]).code, 2);
    // Answers carry checksums, too.
    let answer = folder.path("answer.parquet");
    assert_eq!(coldcase(&["range n from 1 to 9 step 1", "-O", &answer]).code, 0);
    assert_eq!(coldcase(&["verify", &answer]).code, 0);
}

/// A column that is damaged costs only the queries that read it.
#[test]
fn other_columns_of_a_damaged_file_are_read() {
    let folder = Folder::new();
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|n| format!("id{n}"))));
    let agents: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|n| format!("Mozilla {n}"))));
    let types: ArrayRef = Arc::new(StringArray::from(vec!["SigninLogs"; 300]));
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2026-03-02T09:00:00Z"; 300]));
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let columns = [("TimeGenerated", times), ("Type", types), ("Id", ids), ("UserAgent", agents)];
    let file = folder.parquet("rows.parquet", properties, &columns);
    let mut bytes = fs::read(&file).expect("readable");
    let at = memchr::memmem::find(&bytes, b"Mozilla 7").expect("the column");
    bytes[at - 40..at + 40].fill(0xff);
    fs::write(&file, &bytes).expect("written");
    assert_eq!(rows(&strict("SigninLogs | summarize dcount(Id), count()", &file, 0)), ["300,300"]);
    assert_eq!(rows(&strict("SigninLogs | where Id == 'id299' | project Id", &file, 0)), ["id299"]);
    let output = strict("SigninLogs | summarize count() by strlen(UserAgent) > 0", &file, 5);
    assert!(output.stderr.contains("300 records were not read"), "{output:?}");
}
