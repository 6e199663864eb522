//! Generates whole archives, and reads them back with independent code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;

use super::columns::SynthRow;
use super::generator::Generator;
use super::signin::SignIn;
use super::signin_columns::{interactive, non_interactive};
use super::world::World;
use super::{
    BREAK_GLASS, GeneratedTable, IncidentKind, RowSource, Shape, SynthCompression, SynthOptions, SynthSummary, generate,
};
use crate::diagnostic::Error;
use crate::engine::{Engine, Settings};
use crate::exec::Flow;
use crate::source::file_catalog::FileCatalogBuilder;
use crate::types::{Batch, Value};

fn options(rows: u64, shape: Shape, out: &Path) -> SynthOptions {
    SynthOptions {
        table: GeneratedTable::SigninLogs,
        rows,
        seed: 7,
        days: 2,
        shape,
        compression: SynthCompression::None,
        inject: Vec::new(),
        out: out.to_owned(),
        threads: 2,
    }
}

/// Returns the bytes of every file in a folder, by relative path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(path, fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn make(options: &SynthOptions) -> (SynthSummary, BTreeMap<String, Vec<u8>>) {
    let summary = generate(options).unwrap();
    let files = files(&options.out);
    assert_eq!(summary.files, files.len() as u64);
    assert_eq!(summary.bytes, files.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    (summary, files)
}

fn lines(files: &BTreeMap<String, Vec<u8>>) -> Vec<Json> {
    let lines = files.values().flat_map(|bytes| std::str::from_utf8(bytes).unwrap().lines());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_same_bytes_with_one_thread_and_with_four() {
    for shape in [Shape::LaExport, Shape::Diagnostic, Shape::Parquet] {
        let (one, four) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = make(&SynthOptions { threads: 1, ..options(600, shape, one.path()) });
        let second = make(&SynthOptions { threads: 4, ..options(600, shape, four.path()) });
        assert!(first == second, "{shape:?}");
        let other = tempfile::tempdir().unwrap();
        let third = make(&SynthOptions { seed: 8, ..options(600, shape, other.path()) });
        assert!(first.1 != third.1, "{shape:?}: another seed, other bytes");
    }
}

/// Returns the columns of SigninLogs, in the order of data export.
fn column_names() -> Vec<&'static str> {
    let names: Vec<&str> = interactive().columns.iter().map(|column| column.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b));
    assert_eq!(names.len(), 83 + 20);
    names
}

#[test]
fn flat_rows_have_every_column_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (summary, files) = make(&options(2000, Shape::LaExport, folder.path()));
    let (rows, columns) = (lines(&files), column_names());
    assert_eq!((summary.rows, rows.len()), (2000, 2000));
    for row in &rows {
        let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(keys.iter().eq(columns.iter()));
        assert!(row["ConditionalAccessPolicies"].is_array() && row["Status"].is_object());
        let details: Json = serde_json::from_str(row["AuthenticationDetails"].as_str().unwrap()).unwrap();
        assert!(details.is_array());
        let path = format!("/h={}/m=", &row["_TimeReceived"].as_str().unwrap()[11..13]);
        assert!(files.keys().any(|file| file.contains(&path)));
    }
    let mean = summary.bytes / summary.rows;
    assert!((8000..13_000).contains(&mean), "{mean} bytes a row");
}

#[test]
fn records_of_diagnostic_settings_hold_what_flat_rows_hold() {
    let (flat, enveloped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, flat_files) = make(&options(2000, Shape::LaExport, flat.path()));
    let (summary, files) = make(&options(2000, Shape::Diagnostic, enveloped.path()));
    assert!(files.values().all(|bytes| bytes.ends_with(b"}}\r\n")));
    let mean = summary.bytes / summary.rows;
    assert!((8000..13_000).contains(&mean), "{mean} bytes a record");
    let (rows, records) = (lines(&flat_files), lines(&files));
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(&records) {
        let properties = &record["properties"];
        assert_eq!(row["Id"], properties["id"]);
        assert_eq!(row["TimeGenerated"], record["time"]);
        assert_eq!(row["ResultType"], record["resultType"]);
        assert_eq!(row["ResultType"], properties["status"]["errorCode"].to_string());
        assert_eq!(row["LocationDetails"], properties["location"]);
        assert_eq!(row["ResourceIdentity"], properties["resourceId"]);
        assert_eq!(row["AuthenticationDetails"], properties["authenticationDetails"].to_string());
        assert_eq!(row["ResultType"] == "0", record.get("resultDescription").is_none());
    }
}

#[test]
fn parquet_holds_the_same_rows_in_order_of_arrival() {
    let (flat, columnar) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, flat_files) = make(&options(2000, Shape::LaExport, flat.path()));
    let (_, files) = make(&options(2000, Shape::Parquet, columnar.path()));
    let file = File::open(columnar.path().join(files.keys().next().unwrap())).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(4096).build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    let [batch] = batches.as_slice() else { panic!("one batch") };
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert!(names.iter().eq(column_names().iter()));
    let times = batch.column_by_name("_TimeReceived").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert!(times.values().is_sorted());
    let rows = lines(&flat_files);
    for name in ["Id", "UserPrincipalName", "AuthenticationDetails", "_ItemId"] {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        assert!(column.iter().map(Option::unwrap).eq(rows.iter().map(|row| row[name].as_str().unwrap())), "{name}");
    }
    let policies = batch.column_by_name("ConditionalAccessPolicies").unwrap().as_string::<i32>();
    for (json, row) in policies.iter().zip(&rows) {
        assert_eq!(serde_json::from_str::<Json>(json.unwrap()).unwrap(), row["ConditionalAccessPolicies"]);
    }
    assert_eq!(batch.column_by_name("IsRisky").unwrap().null_count(), 2000);
}

#[test]
fn compressed_files_hold_the_same_text() {
    let plain = tempfile::tempdir().unwrap();
    let (_, expected) = make(&options(500, Shape::Diagnostic, plain.path()));
    for (compression, suffix) in [(SynthCompression::Gzip, ".gz"), (SynthCompression::Zstd, ".zst")] {
        let folder = tempfile::tempdir().unwrap();
        let (_, files) = make(&SynthOptions { compression, ..options(500, Shape::Diagnostic, folder.path()) });
        assert_eq!(files.len(), expected.len());
        for (path, bytes) in files {
            let mut text = Vec::new();
            match compression {
                SynthCompression::Gzip => _ = flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap(),
                _ => text = zstd::decode_all(&bytes[..]).unwrap(),
            }
            assert!(text == expected[path.strip_suffix(suffix).unwrap()]);
        }
    }
}

/// Calls `look` with every sign-in of an archive of 30 days.
fn each_row(rows: u64, seed: u64, mut look: impl FnMut(&SignIn<'_>)) {
    let world = World::new(seed);
    let options = SynthOptions { seed, days: 30, ..options(rows, Shape::Parquet, Path::new("")) };
    let generator = Generator::new(&world, &options).unwrap();
    for chunk in 0..generator.timeline().chunks() {
        generator.chunk(chunk).iter().for_each(&mut look);
    }
}

#[test]
fn break_glass_accounts_sign_in_once_in_a_hundred_thousand_rows() {
    let world = World::new(1);
    for (rows, visits) in [(700_000, 4), (7_000_000, 40), (70_000_000_000, 400_000)] {
        let options = SynthOptions { seed: 1, days: 30, ..options(rows, Shape::Parquet, Path::new("")) };
        let generator = Generator::new(&world, &options).unwrap();
        let people = generator.timeline().rows;
        // Four visits have seven rows.
        let in_all: usize =
            (0..20).map(|part| generator.visits(&(people * part / 20..people * (part + 1) / 20)).len()).sum();
        assert_eq!(in_all, visits);
    }
}

#[test]
fn break_glass_rows_of_a_seed_are_known() {
    let mut seen = Vec::new();
    each_row(100_000, 1, |row| {
        if row.attempt.user.break_glass {
            let name = BREAK_GLASS.iter().position(|name| *name == row.attempt.user.principal).unwrap();
            seen.push((name, row.outcome.code, row.id[..8].to_owned()));
        }
    });
    let expected = [(0, "50126", "c91f3996"), (0, "50074", "38fc8831"), (0, "0", "aff1dca9"), (1, "0", "b5f3c74d")];
    assert_eq!(seen, expected.map(|(name, code, id)| (name, code, id.to_owned())));
}

#[test]
fn small_archives_have_break_glass_accounts_too() {
    for rows in [16, 100, 1000, 5000] {
        let mut seen = Vec::new();
        each_row(rows, 3, |row| {
            if row.attempt.user.break_glass {
                seen.push(row.outcome.code);
            }
        });
        seen.sort_unstable();
        assert_eq!(seen, ["0", "0", "50074", "50126"], "{rows} rows");
    }
}

#[test]
fn rows_follow_each_other_and_are_published_late() {
    let (mut last, mut count, mut failed, mut late) = (0, 0, 0, 0);
    let mut attempts: BTreeMap<String, Vec<(i64, &str)>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    each_row(20_000, 5, |row| {
        let stored = row.stored();
        assert!(last <= stored.arrival && stored.published <= stored.arrival);
        let delay = (stored.published - row.created) as f64 / 1e6;
        assert!((28.0..=1200.0).contains(&delay), "{delay} s");
        (last, count, failed) = (stored.arrival, count + 1, failed + u64::from(!row.granted()));
        late += u64::from(stored.published < stored.arrival);
        attempts.entry(row.attempt.correlation.clone()).or_default().push((row.created, row.outcome.code));
        assert!(ids.insert(row.id.clone()));
    });
    assert_eq!(count, 20_000);
    assert!((3000..6500).contains(&failed), "{failed}");
    assert!((20..200).contains(&late), "{late} rows arrive hours after they were published");
    let retried = attempts.values().filter(|rows| rows.len() > 1).inspect(|rows| {
        let mut rows = (*rows).clone();
        rows.sort_unstable();
        assert!(rows.iter().rev().skip(1).all(|(_, code)| *code != "0"), "only the last step succeeds");
    });
    assert!(retried.count() > 800);
}

#[test]
fn arrays_of_policies_are_many_and_their_elements_are_few() {
    let (mut arrays, mut elements, mut sizes) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    each_row(20_000, 7, |row| {
        if row.policies == "[]" || arrays.contains(&row.policies) {
            return;
        }
        let parsed: Vec<Json> = serde_json::from_str(&row.policies).unwrap();
        sizes.push(parsed.len());
        elements.extend(parsed.iter().map(Json::to_string));
        arrays.insert(row.policies.clone());
    });
    assert!(arrays.len() > 2000, "{} arrays", arrays.len());
    assert!((100..200).contains(&elements.len()), "{} elements", elements.len());
    let range = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
    assert!(range.0 >= 25 && (33..=40).contains(&range.1), "{range:?} policies a row");
}

#[test]
fn columns_have_the_spread_of_a_tenant() {
    let mut distinct: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut by_user: BTreeMap<String, u64> = BTreeMap::new();
    let (mut six, mut guests, mut minutes) = (0, 0, BTreeSet::new());
    each_row(30_000, 7, |row| {
        let user = row.attempt.user;
        let values = [
            ("user", user.principal.as_str()),
            ("agent", row.agent()),
            ("address", &row.attempt.address),
            ("device", row.device_detail()),
            ("location", &row.attempt.world.locations[row.attempt.location]),
            ("result", row.outcome.code),
            ("app", row.app().name),
        ];
        for (name, value) in values {
            distinct.entry(name).or_default().insert(value.to_owned());
        }
        *by_user.entry(user.principal.clone()).or_default() += 1;
        six += u64::from(row.attempt.address.contains(':'));
        guests += u64::from(user.partner.is_some());
        if user.principal.starts_with("svc-monitor") {
            minutes.insert(row.stored().arrival / 60_000_000);
        }
    });
    let at_least = [
        ("user", 6000),
        ("agent", 400),
        ("address", 7000),
        ("device", 7000),
        ("location", 400),
        ("result", 22),
        ("app", 30),
    ];
    for (name, least) in at_least {
        assert!(distinct[name].len() >= least, "{name}: {}", distinct[name].len());
    }
    assert!((3000..10_000).contains(&six) && (1000..4000).contains(&guests), "{six} IPv6, {guests} by guests");
    // Rows are too few for one a minute: every sixth.
    assert_eq!(minutes.len(), 30 * 24 * 60 / 6);
    let busiest = by_user.iter().filter(|(name, _)| !name.starts_with("svc-")).map(|(_, rows)| *rows).max().unwrap();
    assert!((100..450).contains(&busiest), "{busiest} rows of the busiest user");
}

/// Returns the rows of a query over the files of a folder, or the reason why the query is refused.
fn answer(folder: &Path, query: &str) -> Result<Vec<Vec<Value>>, String> {
    let mut catalog = FileCatalogBuilder::default();
    catalog.add(folder).unwrap();
    let engine = Engine::new(Arc::new(catalog.build()), Settings::new(0));
    let result = engine.query(query).map_err(|error| error.to_string())?;
    let rows = |batch: &Batch| -> Vec<Vec<Value>> {
        (0..batch.rows()).map(|row| batch.columns().iter().map(|column| column.value(row)).collect()).collect()
    };
    Ok(result.batches.iter().flat_map(rows).collect())
}

#[test]
fn one_query_has_one_answer_over_all_shapes() {
    let folders = [Shape::LaExport, Shape::Diagnostic, Shape::Parquet].map(|shape| {
        let folder = tempfile::tempdir().unwrap();
        generate(&options(400, shape, folder.path())).unwrap();
        folder
    });
    let format = interactive();
    let everywhere: BTreeSet<&str> =
        format.envelope.iter().chain(format.properties).map(|(_, column)| *column).collect();
    assert!(everywhere.iter().all(|column| format.find(column).is_some()));
    let everywhere: Vec<&str> = everywhere.into_iter().collect();
    let mut queries = vec![format!("SigninLogs | project {}", everywhere.join(", "))];
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bench")).unwrap() {
        let path = entry.unwrap().path();
        let query = fs::read_to_string(&path).unwrap();
        // Diagnostic settings do not contain all columns.
        let all = path.ends_with("break_glass_all_columns.kql");
        queries.push(if all { query + "| project Id" } else { query });
    }
    let mut answered = 0;
    for query in queries {
        let [flat, enveloped, columnar] = folders.each_ref().map(|folder| answer(folder.path(), &query));
        assert!(flat == columnar, "{query}");
        assert!(flat == enveloped, "{query}");
        answered += usize::from(flat.is_ok_and(|rows| !rows.is_empty()));
    }
    assert!(answered >= 8, "{answered} queries were answered");
}

#[test]
fn wrong_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let right = options(10, Shape::Parquet, folder.path());
    let wrong = [
        SynthOptions { rows: 0, ..right.clone() },
        SynthOptions { days: 0, ..right.clone() },
        SynthOptions { days: 4000, ..right.clone() },
        SynthOptions { threads: 0, ..right.clone() },
        SynthOptions { compression: SynthCompression::Gzip, ..right.clone() },
        SynthOptions { inject: vec![IncidentKind::Spray], ..right.clone() },
        SynthOptions {
            inject: vec![IncidentKind::Spray],
            table: GeneratedTable::NonInteractive,
            rows: 10_000,
            ..right.clone()
        },
    ];
    for options in wrong {
        assert!(matches!(generate(&options), Err(Error::Usage(_))), "{options:?}");
    }
    generate(&right).unwrap();
    assert!(matches!(generate(&right), Err(Error::Usage(_))), "the folder is not empty any more");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(generate(&SynthOptions { out: file, ..right }), Err(Error::Usage(_))));
}

#[test]
fn every_table_is_the_same_with_one_thread_and_with_four() {
    use GeneratedTable::{AuditLogs, NonInteractive, RiskyUsers, ServicePrincipal, UserRiskEvents};
    for table in [NonInteractive, ServicePrincipal, AuditLogs, RiskyUsers, UserRiskEvents] {
        let (one, four) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = make(&SynthOptions { table, threads: 1, ..options(300, Shape::Diagnostic, one.path()) });
        let second = make(&SynthOptions { table, threads: 4, ..options(300, Shape::Diagnostic, four.path()) });
        assert!(first == second && first.0.rows == 300, "{table:?}");
    }
}

#[test]
fn one_row_is_an_archive() {
    for shape in [Shape::LaExport, Shape::Diagnostic, Shape::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(make(&options(1, shape, folder.path())).0.rows, 1);
    }
}

/// Returns the rows of a query over the files of a folder, and all events that the scans report.
fn answer_and_events(folder: &Path, query: &str) -> (Vec<Vec<Value>>, Vec<String>) {
    let mut catalog = FileCatalogBuilder::default();
    catalog.add(folder).unwrap();
    let engine = Engine::new(Arc::new(catalog.build()), Settings::new(0));
    let report = engine.report();
    let mut rows = Vec::new();
    let mut consume = |batch: Batch| {
        let row = |row| batch.columns().iter().map(|column| column.value(row)).collect::<Vec<_>>();
        rows.extend((0..batch.rows()).map(row));
        Ok(Flow::Continue(()))
    };
    engine.prepare_with(query, Arc::clone(&report)).unwrap().run(&mut consume).unwrap();
    let warnings = report.warnings().into_iter().map(|warning| format!("{warning:?}"));
    let events: Vec<String> = warnings.chain(report.notes().into_keys().map(|note| format!("{note:?}"))).collect();
    assert!(!report.is_incomplete());
    (rows, events)
}

#[test]
fn every_table_is_read_back_from_every_shape_without_warnings() {
    for (table, name) in [
        (GeneratedTable::SigninLogs, "SigninLogs"),
        (GeneratedTable::NonInteractive, "AADNonInteractiveUserSignInLogs"),
        (GeneratedTable::ServicePrincipal, "AADServicePrincipalSignInLogs"),
        (GeneratedTable::AuditLogs, "AuditLogs"),
        (GeneratedTable::RiskyUsers, "AADRiskyUsers"),
        (GeneratedTable::UserRiskEvents, "AADUserRiskEvents"),
    ] {
        let known = crate::entra::known_table(name).unwrap();
        // Shapes differ in what the workspace adds, and in columns that diagnostic settings do not have.
        let shared = known.schema.names().filter(|column| !column.starts_with('_') && *column != "TenantId");
        let is_supplied = |column: &&str| {
            let index = known.schema.index_of(column).unwrap();
            !known.is_unsupplied(index, crate::entra::RowKind::Diagnostic)
        };
        // Queries that name ResultSignature get a note about its spellings, whatever the files hold.
        let columns: Vec<&str> = shared.filter(is_supplied).filter(|column| *column != "ResultSignature").collect();
        let query = format!("{name} | project {}", columns.join(", "));
        let results = [Shape::LaExport, Shape::Diagnostic, Shape::Parquet].map(|shape| {
            let folder = tempfile::tempdir().unwrap();
            generate(&SynthOptions { table, ..options(150, shape, folder.path()) }).unwrap();
            let (rows, events) = answer_and_events(folder.path(), &query);
            assert_eq!((rows.len(), events), (150, Vec::new()), "{name} {shape:?}");
            rows
        });
        let [flat, enveloped, columnar] = results;
        for (index, column) in columns.iter().enumerate() {
            let of = |rows: &[Vec<Value>]| rows.iter().map(|row| row[index].clone()).collect::<Vec<_>>();
            assert_eq!(of(&flat), of(&columnar), "{name} {column}");
            assert_eq!(of(&flat), of(&enveloped), "{name} {column}");
        }
    }
}

#[test]
fn non_interactive_sign_ins_have_the_columns_of_their_table() {
    let format = non_interactive();
    let table = crate::entra::known_table(format.name).unwrap();
    for column in &format.columns {
        assert!(table.schema.index_of(column.name).is_some(), "{}", column.name);
    }
    let missing: Vec<&str> = table.schema.names().filter(|name| format.find(name).is_none()).collect();
    assert_eq!(missing, ["AuthenticatorAppLocation", "ClientSessionId", "FederatedCredentialId"]);
}

/// Generates an archive with all kinds of incidents. Returns its folder, and the findings beside it.
fn injected(shape: Shape, rows: u64) -> (tempfile::TempDir, Json) {
    let folder = tempfile::tempdir().unwrap();
    let inject = vec![IncidentKind::BreakGlass, IncidentKind::Spray, IncidentKind::ImpossibleTravel];
    let options = SynthOptions { inject, days: 7, ..options(rows, shape, &folder.path().join("demo")) };
    assert_eq!(generate(&options).unwrap().rows, rows);
    let findings = fs::read(folder.path().join("demo.findings.json")).unwrap();
    (folder, serde_json::from_slice(&findings).unwrap())
}

/// Returns the ids of the rows of all findings of a kind.
fn expected_ids(findings: &Json, kind: &str) -> BTreeSet<String> {
    let of_kind = findings["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == kind);
    let rows = of_kind.flat_map(|finding| finding["rows"].as_array().unwrap());
    rows.map(|row| row["Id"].as_str().unwrap().to_owned()).collect()
}

fn ids(folder: &Path, query: &str) -> BTreeSet<String> {
    let rows = answer(folder, query).unwrap();
    rows.into_iter()
        .map(|row| if let Value::String(id) = &row[0] { id.to_string() } else { panic!("{row:?}") })
        .collect()
}

#[test]
fn queries_find_exactly_the_injected_incidents() {
    let (folder, findings) = injected(Shape::Parquet, 20_000);
    let archive = folder.path().join("demo");
    let break_glass = "SigninLogs | where UserPrincipalName startswith 'bg-admin-' | project Id";
    assert_eq!(ids(&archive, break_glass), expected_ids(&findings, "breakglass"));
    let spray = "
        let Sources = SigninLogs
            | where ResultType in ('50126', '50053') and not(IPAddress startswith '198.51.100.')
            | summarize People = dcount(UserPrincipalName) by IPAddress, Hour = bin(TimeGenerated, 1h)
            | where People >= 5;
        SigninLogs | extend Hour = bin(TimeGenerated, 1h) | join kind=leftsemi Sources on IPAddress, Hour | project Id";
    let sprayed = expected_ids(&findings, "spray");
    assert!(sprayed.len() > 3 * 42, "{}", sprayed.len());
    assert_eq!(ids(&archive, spray), sprayed);
    let travel = "
        let Pairs = SigninLogs
            | where ResultType == '0'
            | sort by UserPrincipalName asc, CreatedDateTime asc
            | where prev(UserPrincipalName) == UserPrincipalName and prev(Location) != Location
                and CreatedDateTime - prev(CreatedDateTime) < 1h;
        SigninLogs | where UserPrincipalName in ((Pairs | distinct UserPrincipalName)) | project Id";
    let travelled = expected_ids(&findings, "impossible-travel");
    assert_eq!(travelled.len(), 9);
    assert_eq!(ids(&archive, travel), travelled);
}

#[test]
fn findings_are_the_same_in_every_shape() {
    let [(_flat, first), (_enveloped, second)] = [injected(Shape::LaExport, 3000), injected(Shape::Diagnostic, 3000)];
    assert_eq!(first, second);
    let kinds: BTreeSet<&str> =
        first["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 3);
    let times: Vec<&str> =
        first["findings"].as_array().unwrap().iter().map(|finding| finding["from"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
}
