//! Compares the reader with a slow reference implementation, in which `serde_json` parses every record and nothing is
//! skipped. For random records, whole and damaged, both must return the same rows and the same number of lost
//! records, with a filter and without.

mod filters;
mod oracle;
mod records;

use std::path::Path;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::filters::{ExactFilter, holds, predicate};
use self::oracle::reference;
use self::records::RecordGenerator;
use crate::entra::{KnownTable, known_table};
use crate::scan::{Predicate, RowFilter, ScanColumn, ScanReport, ScanRequest, TableProvider};
use crate::source::file_table::FileTable;
use crate::source::listing::expand;
use crate::source::text::RecordSelection;
use crate::storage::limits::ReadLimits;
use crate::types::{Type, Value, dynamic};

struct Scanned {
    rows: Vec<Vec<Value>>,
    lost: u64,
}

fn scan(
    path: &Path,
    rows: RecordSelection,
    columns: &[ScanColumn],
    predicate: Option<&Predicate>,
    prune: bool,
    batch: usize,
) -> Scanned {
    let files = expand(path.as_os_str(), &crate::storage::remote::Access::default()).expect("a file").files;
    let table = FileTable::new("T", files.into(), rows, ReadLimits::SMALL);
    let filter = predicate.map(|predicate| {
        let mut columns = predicate.columns();
        columns.sort_unstable();
        columns.dedup();
        let columns = columns.into_iter().map(ScanColumn::Column).collect();
        Arc::new(ExactFilter { columns, predicate: predicate.clone() }) as Arc<dyn RowFilter>
    });
    let request = ScanRequest {
        columns: columns.to_vec(),
        prune: predicate.filter(|_| prune).cloned().into_iter().collect(),
        filter,
        limit: None,
        batch_rows: batch,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::SMALL,
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    };
    let mut rows = Vec::new();
    for partition in table.scan(&request).expect("a scan") {
        for found in partition.read().expect("a partition") {
            let found = found.expect("a batch");
            assert!(found.rows() <= batch && found.rows() > 0, "{} rows", found.rows());
            let row = |row: usize| found.columns().iter().map(|column| column.value(row)).collect();
            rows.extend((0..found.rows()).map(row).collect::<Vec<Vec<Value>>>());
        }
    }
    let lost = request.report.problems().values().map(|file| file.lost).sum();
    Scanned { rows, lost }
}

fn wanted_columns(table: &KnownTable) -> Vec<ScanColumn> {
    let index = |name: &str| table.schema.index_of(name);
    let names = [
        "Id",
        "TimeGenerated",
        "CreatedDateTime",
        "UserPrincipalName",
        "AppDisplayName",
        "ResultType",
        "ResultDescription",
        "DurationMs",
        "Location",
        "Level",
        "IPAddress",
        "Type",
        "Category",
        "SourceSystem",
        "DeviceDetail",
        "LocationDetails",
        "ConditionalAccessPolicies",
        "Status",
        "IsInteractive",
        "_BilledSize",
        "UserAgent",
        "TenantId",
    ];
    let mut columns: Vec<ScanColumn> = names.iter().filter_map(|name| index(name)).map(ScanColumn::Column).collect();
    if let Some(column) = index("DeviceDetail").filter(|&column| table.schema.field(column).ty == Type::Dynamic) {
        let path = dynamic::Path::new(vec![dynamic::Step::Member("browser".to_owned())]);
        columns.push(ScanColumn::Path { column, path });
    }
    columns
}

fn assert_same(found: &[Vec<Value>], wanted: &[Vec<Value>], what: &str) {
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        for (column, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            assert_eq!(found, wanted, "{what}: row {index}, column {column}");
        }
    }
    assert_eq!(found.len(), wanted.len(), "{what}: rows");
}

#[test]
fn the_reader_agrees_with_the_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    for seed in 0..24 {
        let mut generator = RecordGenerator { random: ChaCha8Rng::seed_from_u64(seed) };
        let damaged = seed % 2 == 1;
        let records = generator.random.random_range(1..400);
        let file = generator.file(records, damaged);
        std::fs::write(&path, &file).expect("written");
        let name = generator.pick(&["SigninLogs", "AADNonInteractiveUserSignInLogs"]);
        let table = known_table(name).expect("known");
        let columns = wanted_columns(table);
        let batch = generator.random.random_range(1..60);
        let (rows, lost) = reference(&file, table, &columns);
        let found = scan(&path, RecordSelection::Table(table), &columns, None, false, batch);
        assert_same(&found.rows, &rows, &format!("seed {seed}"));
        assert_eq!(found.lost, lost, "seed {seed}: lost");
        let all: Vec<ScanColumn> = (0..table.schema.len()).map(ScanColumn::Column).collect();
        let tested = reference(&file, table, &all).0;
        let mut kept = 0;
        for round in 0..12 {
            let predicate = predicate(&mut generator, table, 0);
            let what = format!("seed {seed}, round {round}, {predicate:?}");
            let test = |row: &Vec<Value>| holds(&predicate, &row.iter().cloned().enumerate().collect());
            let wanted: Vec<_> =
                rows.iter().zip(&tested).filter(|(_, all)| test(all)).map(|(row, _)| row.clone()).collect();
            for prune in [false, true] {
                let found = scan(&path, RecordSelection::Table(table), &columns, Some(&predicate), prune, batch);
                assert_same(&found.rows, &wanted, &format!("{what}, prune {prune}"));
            }
            kept += wanted.len();
        }
        assert!(records < 50 || kept > 0, "seed {seed}: the filters keep nothing, so they test nothing");
    }
}

/// Tests files that are larger than a partition, so that values cross the boundaries of partitions.
#[test]
fn values_over_several_lines_agree_with_the_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    let mut parts = 0;
    for seed in 200..248 {
        let mut generator = RecordGenerator { random: ChaCha8Rng::seed_from_u64(seed) };
        let records = generator.random.random_range(1..500);
        let file = generator.mixed_file(records, seed % 2 == 1);
        std::fs::write(&path, &file).expect("written");
        parts += usize::from(file.len() > 128 << 10);
        let table = known_table("SigninLogs").expect("known");
        let columns = wanted_columns(table);
        let (rows, lost) = reference(&file, table, &columns);
        let found = scan(&path, RecordSelection::Table(table), &columns, None, false, 30);
        assert_same(&found.rows, &rows, &format!("seed {seed}"));
        assert_eq!(found.lost, lost, "seed {seed}: lost");
        let all: Vec<ScanColumn> = (0..table.schema.len()).map(ScanColumn::Column).collect();
        let tested = reference(&file, table, &all).0;
        for round in 0..6 {
            let predicate = predicate(&mut generator, table, 0);
            let test = |row: &Vec<Value>| holds(&predicate, &row.iter().cloned().enumerate().collect());
            let wanted: Vec<_> =
                rows.iter().zip(&tested).filter(|(_, all)| test(all)).map(|(row, _)| row.clone()).collect();
            let found = scan(&path, RecordSelection::Table(table), &columns, Some(&predicate), true, 30);
            assert_same(&found.rows, &wanted, &format!("seed {seed}, round {round}, {predicate:?}"));
        }
    }
    assert!(parts > 10, "{parts} files of several parts");
}

/// Tests arrays that are longer than the longest record, among lines: their elements are records. A truncated array
/// ends at the first line that is a whole record and follows another one.
#[test]
fn long_arrays_among_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut generator = RecordGenerator { random: ChaCha8Rng::seed_from_u64(300) };
    let mut flat = || generator.flat().replace(" \r ", " ");
    let records: Vec<String> = (0..4_000).map(|_| flat()).collect();
    let (first, array, last) = (&records[..200], &records[200..3_800], &records[3_800..]);
    let table = known_table("SigninLogs").expect("known");
    let columns = wanted_columns(table);
    let rows = |records: &[String]| reference(records.join("\n").as_bytes(), table, &columns).0;
    let whole = format!("[\n {}\n]", array.join(",\n "));
    assert!(whole.len() > ReadLimits::SMALL.max_record_bytes, "{} bytes", whole.len());
    let wrapped = format!("{{ \"records\": [\n  {}\n]\n}}", array.join(",\n  "));
    let cut = whole.strip_suffix("}\n]").expect("an array");
    for (array, array_rows, lost) in
        [(&*whole, rows(array), 0), (&*wrapped, rows(array), 0), (cut, rows(&array[..array.len() - 1]), 1_u64)]
    {
        let file = [&first.join("\n"), array, &last.join("\n")].join("\n");
        let mut wanted = rows(first);
        wanted.extend(array_rows);
        wanted.extend(rows(last));
        let packed = zstd::encode_all(file.as_bytes(), 1).expect("packed");
        for bytes in [file.as_bytes(), &packed] {
            let path = folder.path().join("records.json");
            std::fs::write(&path, bytes).expect("written");
            let found = scan(&path, RecordSelection::Table(table), &columns, None, false, 1_000);
            assert_same(&found.rows, &wanted, &format!("{} bytes, {lost} lost", bytes.len()));
            assert_eq!(found.lost, lost);
        }
    }
}

#[test]
fn layouts_do_not_change_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    for seed in 100..110 {
        let mut generator = RecordGenerator { random: ChaCha8Rng::seed_from_u64(seed) };
        let records: Vec<String> = (0..100).map(|_| generator.record().replace(" \r ", " ")).collect();
        let table = known_table("SigninLogs").expect("known");
        let columns = wanted_columns(table);
        let wanted = reference(records.join("\n").as_bytes(), table, &columns).0;
        let layouts = [
            records.join("\n"),
            format!("[{}]", records.join(",\n ")),
            format!("{{\"records\" : [\n{}\n]}}", records.join(",")),
            format!("[{}][{}]", records[..50].join(","), records[50..].join(",")),
            format!("{{\"@odata.context\":\"x\",\"value\":[{}],\"@odata.nextLink\":\"y\"}}", records.join(" , ")),
            format!("{{\"records\":[{}]}}\n", records.join("]}\n{\"records\":[")),
            records.concat(),
        ];
        for (index, layout) in layouts.iter().enumerate() {
            std::fs::write(&path, layout).expect("written");
            let predicate = predicate(&mut generator, table, 0);
            let found = scan(&path, RecordSelection::Table(table), &columns, None, false, 30);
            assert_same(&found.rows, &wanted, &format!("seed {seed}, layout {index}"));
            let [plain, pruned] = [false, true]
                .map(|prune| scan(&path, RecordSelection::Table(table), &columns, Some(&predicate), prune, 30).rows);
            assert_same(&pruned, &plain, &format!("seed {seed}, layout {index}, {predicate:?}"));
        }
    }
}
