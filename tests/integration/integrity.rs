//! Parquet and archives: damaged pages, rows of other tables, checksums, and results stored among the evidence.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, DictionaryArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use coldcase::parquet::ParquetFile;
use coldcase::parquet::checksums::ChecksumResult;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{Output, coldcase, coldcase_at};

/// Makes a Parquet result look like a file of another program.
pub fn unmark(path: &str) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file")).expect("Parquet");
    let schema = Arc::clone(reader.schema());
    let notes = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let notes = notes.into_iter().filter(|note| note.key == "kql.schema").collect();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(notes)).build();
    let batches: Vec<RecordBatch> = reader.build().expect("rows").map(|batch| batch.expect("rows")).collect();
    let mut writer =
        ArrowWriter::try_new(File::create(path).expect("a file"), schema, Some(properties)).expect("begun");
    batches.iter().for_each(|batch| writer.write(batch).expect("written"));
    writer.close().expect("written");
}

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

    /// Writes a Parquet file with these columns.
    fn parquet(&self, name: &str, properties: WriterProperties, columns: &[(&str, ArrayRef)]) -> String {
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, Arc::clone(array))));
        let batch = batch.expect("a batch");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("begun");
        writer.write(&batch).expect("written");
        writer.close().expect("written");
        self.write(name, bytes)
    }

    /// Sign-ins with these values of `Type`, without statistics.
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

/// The CSV result without its header.
fn rows(output: &Output) -> Vec<&str> {
    output.stdout.lines().skip(1).collect()
}

/// Runs `query` over `file`, as CSV; `--strict` must give the exit code.
fn strict(query: &str, file: &str, code: i32) -> Output {
    let output = coldcase(&[query, file, "-o", "csv", "--strict"]);
    assert_eq!(output.code, code, "{query} {file}: {output:?}");
    output
}

#[test]
fn rows_of_other_tables_in_parquet_are_reported_if_the_table_is_missing() {
    let folder = Folder::new();
    let audit = folder.typed("audit.parquet", &[Some("AuditLogs"), Some("AuditLogs")]);
    let output = strict("SigninLogs | count", &audit, 5);
    assert_eq!(rows(&output), ["0"]);
    assert!(output.stderr.contains("contain no SigninLogs records (only AuditLogs)"), "{output:?}");
    let unknown = folder.typed("unknown.parquet", &[Some("Contoso_CL")]);
    let output = strict("SigninLogs | count", &unknown, 5);
    assert!(output.stderr.contains("contain no SigninLogs records (only Contoso_CL)"), "{output:?}");
    // Rows outside the time range belong to the table all the same.
    let mixed = folder.typed("mixed.parquet", &[Some("AuditLogs"), Some("SigninLogs"), Some("Contoso_CL")]);
    let output = strict("SigninLogs | project Id", &mixed, 0);
    assert_eq!(rows(&output), ["id1"]);
    assert!(
        output.stderr.contains("records of \"Contoso_CL\" belong to other tables, not to SigninLogs"),
        "{output:?}"
    );
    let output = coldcase(&["SigninLogs | where Id == 'none' | count", &mixed, "-o", "csv"]);
    assert!(rows(&output) == ["0"] && !output.stderr.contains("no SigninLogs records"), "{output:?}");
}

#[test]
fn table_names_in_data_ignore_case_in_every_format() {
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
fn similar_table_names_are_damage_until_they_are_bound() {
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
fn parquet_rows_without_a_table_are_not_dropped_silently() {
    let folder = Folder::new();
    // Nothing identifies this file as a log: it has no TimeGenerated.
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
fn unreadable_parquet_values_are_damage() {
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

/// An archive of a thousand sign-ins in one file, with dictionaries, bloom filters and page indexes.
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

/// The file with one flipped bit.
fn flipped(bytes: &[u8], random: &mut ChaCha8Rng) -> (usize, Vec<u8>) {
    let at = random.random_range(0..bytes.len());
    let mut damaged = bytes.to_vec();
    damaged[at] ^= 1 << random.random_range(0..8);
    (at, damaged)
}

/// Any flipped bit in an archive is found; `FLIPS` sets how many are tried.
#[test]
fn verify_finds_every_flipped_bit() {
    let folder = Folder::new();
    let path = archive(&folder);
    let bytes = fs::read(&path).expect("readable");
    assert_eq!(ParquetFile::open(&path, "a").expect("a file").verify().expect("read"), ChecksumResult::Intact);
    let flips = std::env::var("FLIPS").ok().and_then(|flips| flips.parse().ok()).unwrap_or(500);
    let mut random = ChaCha8Rng::seed_from_u64(55);
    for _ in 0..flips {
        let (at, damaged) = flipped(&bytes, &mut random);
        fs::write(&path, damaged).expect("written");
        let verdict = ParquetFile::open(&path, "a").map(|file| file.verify().expect("read"));
        assert!(!matches!(verdict, Ok(ChecksumResult::Intact)), "byte {at} of {}", bytes.len());
    }
}

/// A query never silently returns other values, whichever bit is flipped, and prints no panic.
#[test]
fn queries_over_a_damaged_archive_are_right_or_report_it() {
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
fn verify_names_damaged_files_and_row_groups() {
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
    // Results carry checksums, too.
    let answer = folder.path("answer.parquet");
    assert_eq!(coldcase(&["range n from 1 to 9 step 1", "-O", &answer]).code, 0);
    assert_eq!(coldcase(&["verify", &answer]).code, 0);
}

/// A damaged column affects only the queries that read it.
#[test]
fn undamaged_columns_of_a_damaged_file_are_read() {
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

/// A row with a value of every type, and a row of nulls.
const EVERY_TYPE: &str = "datatable(b:bool, i:int, l:long, r:real, d:decimal, s:string, g:guid, t:datetime, n:timespan, y:dynamic) \
    [true, -7, 9007199254740993, 0.1, decimal(12345678901234.5678), 'Zoë \\'quoted\\'', \
    guid(74be27de-1e4e-49d9-b579-fe0b331d3642), datetime(2026-03-02T09:00:00.1234567Z), timespan(1.02:03:04.5678901), \
    dynamic({'a':[1,null,'x']}), bool(null), int(null), long(null), real(null), decimal(null), '', guid(null), \
    datetime(null), timespan(null), dynamic(null)]";

#[test]
fn arrow_results_are_read_back_with_every_type() {
    let folder = Folder::new();
    let file = folder.path("answer.arrow");
    assert_eq!(coldcase(&[EVERY_TYPE, "-o", "arrow", "-O", &file]).code, 0);
    let expected = coldcase(&[EVERY_TYPE, "-o", "jsonl"]).stdout;
    let bound = format!("T={file}");
    let found = coldcase(&["T", "-t", &bound, "-o", "jsonl", "--strict"]);
    assert!(found.code == 0 && found.stdout == expected, "{found:?}\n{expected}");
    let schema = "| getschema | project ColumnName, ColumnType";
    let types = coldcase(&[&format!("T {schema}"), "-t", &bound, "-o", "csv"]).stdout;
    assert_eq!(types, coldcase(&[&format!("{EVERY_TYPE} {schema}"), "-o", "csv"]).stdout);
    let bytes = fs::read(&file).expect("readable");
    let piped = coldcase_at(folder.0.path(), &["stdin | where l > 5 | project s, y.a[2]", "-o", "csv"], &bytes);
    assert_eq!(rows(&piped), ["Zoë 'quoted',x"], "{piped:?}");
    let places = coldcase(&["T | project l, _SourceLine, _SourceShape", "-t", &bound, "--provenance", "-o", "csv"]);
    assert_eq!(rows(&places), ["9007199254740993,1,Arrow rows", ",2,Arrow rows"], "{places:?}");
}

/// Sign-ins as other programs write them: with dictionaries, several batches, and compressed.
fn arrow_batch(first: usize) -> RecordBatch {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values((first..first + 100).map(|n| format!("id{n}"))));
    let types: ArrayRef = Arc::new((0..100).map(|_| Some("SigninLogs")).collect::<DictionaryArray<Int32Type>>());
    let times: ArrayRef =
        Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![1_772_442_000_000_000; 100]).with_timezone("UTC"));
    RecordBatch::try_from_iter([("TimeGenerated", times), ("Type", types), ("Id", ids)]).expect("a batch")
}

#[test]
fn arrow_files_and_streams_of_other_programs_are_sign_ins() {
    let folder = Folder::new();
    let (one, two) = (arrow_batch(0), arrow_batch(100));
    let mut names = Vec::new();
    for compression in [None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)] {
        let options = || IpcWriteOptions::default().try_with_compression(compression).expect("supported");
        let mut file = FileWriter::try_new_with_options(Vec::new(), &one.schema(), options()).expect("begun");
        [&one, &two].into_iter().for_each(|batch| file.write(batch).expect("written"));
        file.finish().expect("written");
        let mut stream = StreamWriter::try_new_with_options(Vec::new(), &one.schema(), options()).expect("begun");
        [&one, &two].into_iter().for_each(|batch| stream.write(batch).expect("written"));
        stream.finish().expect("written");
        names.push(folder.write(&format!("{compression:?}.arrow"), file.into_inner().expect("bytes")));
        names.push(folder.write(&format!("{compression:?}.arrows"), stream.into_inner().expect("bytes")));
    }
    for name in &names {
        let counts = "SigninLogs | summarize count(), dcount(Id), min(TimeGenerated), countif(Id has 'id150')";
        assert_eq!(rows(&strict(counts, name, 0)), ["200,200,2026-03-02T09:00:00.0000000Z,1"], "{name}");
        assert_eq!(rows(&strict("SigninLogs | where Id == 'id150' | project Id", name, 0)), ["id150"]);
        assert_eq!(rows(&strict("SigninLogs | take 3 | count", name, 0)), ["3"]);
    }
    let all = coldcase(&["SigninLogs | count", &folder.path(""), "-o", "csv", "--strict"]);
    assert!(all.code == 0 && rows(&all) == ["1200"], "{all:?}");
    let kinds = coldcase(&["sniff", &names[0], "-o", "csv"]);
    assert!(kinds.stdout.contains(",SigninLogs,") && kinds.stdout.contains(",Arrow,"), "{kinds:?}");
}

#[test]
fn damaged_arrow_files_are_reported_without_panics() {
    let folder = Folder::new();
    let mut stream = StreamWriter::try_new(Vec::new(), &arrow_batch(0).schema()).expect("begun");
    (0..3).for_each(|n| stream.write(&arrow_batch(100 * n)).expect("written"));
    stream.finish().expect("written");
    let bytes = stream.into_inner().expect("bytes");
    let query = |bytes: &[u8]| {
        let file = folder.write("rows.arrows", bytes);
        let output = coldcase(&["SigninLogs | count", &file, "-o", "csv", "--strict"]);
        assert!([0, 3, 5, 6].contains(&output.code) && !output.stderr.contains("panicked"), "{output:?}");
        output
    };
    assert_eq!((query(&bytes).code, rows(&query(&bytes))[0]), (0, "300"));
    // Without the end mark, rows may be missing.
    let cut = query(&bytes[..bytes.len() - 8]);
    assert!(cut.code == 5 && rows(&cut) == ["300"] && cut.stderr.contains("it is truncated"), "{cut:?}");
    for at in (8..bytes.len() - 8).step_by(bytes.len() / 20) {
        assert_eq!(query(&bytes[..at]).code, 5, "cut at {at}");
    }
    let mut random = ChaCha8Rng::seed_from_u64(26);
    (0..60).for_each(|_| _ = query(&flipped(&bytes, &mut random).1));
    let old = folder.write("old.feather", b"FEA1 and more than eight bytes");
    let output = coldcase(&["SigninLogs | count", &old]);
    assert!(output.code == 5 && output.stderr.contains("Feather version 1"), "{output:?}");
}

/// Results of the program are not evidence, unless they are named.
#[test]
fn results_in_a_searched_folder_are_skipped() {
    let folder = Folder::new();
    let record = "{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"a\"}\n";
    folder.write("case/evidence.json", record.to_owned() + "{\"TimeGenerated\":\n");
    let case = folder.path("case");
    let path = |name: &str| folder.path(&format!("case/{name}"));
    let (manifest, rejects) = (path("run.json"), path("rejects.jsonl"));
    let noted = ["--manifest", &manifest, "--rejects", &rejects];
    for (name, more) in [("answer.parquet", &noted[..]), ("answer.arrow", &[])] {
        let output = coldcase(&[&["SigninLogs", &case, "-O", &path(name)], more].concat());
        assert!(output.code == 0 && !output.stderr.contains("evidence; write it elsewhere"), "{output:?}");
    }
    assert!(fs::read_to_string(&rejects).expect("written").contains("\"raw\""));
    let output = coldcase(&["SigninLogs | count", &case, "-o", "csv"]);
    assert_eq!(rows(&output), ["1"], "{output:?}");
    for name in ["answer.parquet", "answer.arrow", "run.json", "rejects.jsonl"] {
        let note = format!("note: skipped because coldcase wrote it: {}", path(name));
        assert!(output.stderr.contains(&note), "{note}: {output:?}");
    }
    assert!(!output.stderr.contains("unrecognised shape"), "{output:?}");
    for name in ["answer.parquet", "answer.arrow"] {
        assert_eq!(rows(&strict("SigninLogs | count", &path(name), 0)), ["1"], "named itself");
    }
    let glob = coldcase(&["SigninLogs | count", &folder.path("case/*.arrow"), "-o", "csv", "--strict"]);
    assert!(glob.code == 5 && rows(&glob) == ["0"], "{glob:?}");
    // A text file cannot be recognised as a result without a manifest.
    let output = coldcase(&["SigninLogs", &case, "-O", &path("answer.csv")]);
    assert!(
        output.code == 0 && output.stderr.contains("the next run over that folder would read it as evidence"),
        "{output:?}"
    );
    let outside = coldcase(&["SigninLogs", &case, "-O", &folder.path("answer.csv")]);
    assert!(outside.code == 0 && !outside.stderr.contains("write it elsewhere"), "{outside:?}");
    let count = |paths: &str| coldcase(&["SigninLogs | count", paths, "-o", "csv"]);
    assert_eq!(rows(&count(&case)), ["2"]);
    fs::remove_file(path("answer.csv")).expect("removed");
    // A converted whole table is evidence, like its original.
    let archive = folder.path("archive/signins.arrow");
    fs::create_dir(folder.path("archive")).expect("a folder");
    assert_eq!(coldcase(&["convert", &path("evidence.json"), "-O", &archive]).code, 0);
    assert_eq!(rows(&strict("SigninLogs | count", &folder.path("archive"), 0)), ["1"]);
}

/// A manifest in a folder identifies a result there by its bytes, under any name. Otherwise files without Ids are
/// compared by times and accounts.
#[test]
fn text_results_are_recognised_by_their_manifest_or_noted() {
    let folder = Folder::new();
    let record = |id: u32| {
        format!(
            "{{\"createdDateTime\":\"2026-03-02T09:0{id}:00Z\",\"id\":\"{id}\",\"isInteractive\":true,\
             \"userPrincipalName\":\"Priya{id}@contoso.com\",\"status\":{{\"errorCode\":0}}}}\n"
        )
    };
    let query = "SigninLogs | project TimeGenerated, UserPrincipalName, ResultType";
    let count = |case: &str, rows_: &str| {
        let output = coldcase(&["SigninLogs | count", case, "-o", "csv", "--strict"]);
        assert_eq!((output.code, rows(&output)), (0, vec![rows_]), "{output:?}");
        output.stderr
    };
    for format in ["csv", "jsonl", "json"] {
        folder.write(&format!("{format}/evidence.json"), record(1) + &record(2));
        let case = folder.path(format);
        let result = folder.path(&format!("{format}/result.{format}"));
        let manifest = folder.path(&format!("{format}/run.json"));
        let written = coldcase(&[query, &case, "-O", &result, "--manifest", &manifest]);
        assert!(written.code == 0 && !written.stderr.contains("write it elsewhere"), "{written:?}");
        let said = count(&case, "2");
        assert!(said.contains("skipped because coldcase wrote it, as") && said.contains("result."), "{said}");
        let moved = folder.path(&format!("{format}/a.{format}"));
        fs::rename(&result, &moved).expect("renamed");
        assert!(count(&case, "2").contains("skipped because coldcase wrote it, as"));
        assert_eq!(rows(&strict("SigninLogs | count", &moved, 0)), ["2"], "named itself");
        fs::remove_file(&manifest).expect("removed");
        let said = count(&case, "4");
        assert!(said.contains("has no Ids, and each of its records has the time and account of a record"), "{said}");
        let mut text = fs::read_to_string(&moved).expect("text");
        text = text.replace("Priya2", "Priya3");
        fs::write(&moved, text).expect("written");
        let said = count(&case, "4");
        assert!(!said.contains("has no Ids"), "{said}");
    }
}
