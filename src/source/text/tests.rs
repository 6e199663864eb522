//! Reads the same ten sign-ins in every export shape through the catalog.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::scan::{Catalog, ScanColumn, ScanReport, ScanRequest, TableProvider};
use crate::source::file_catalog::{FileCatalog, FileCatalogBuilder};
use crate::types::{Batch, Column, Value, datetime};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

fn catalog(path: &str) -> FileCatalog {
    let mut builder = catalog_builder();
    builder.add(testdata(path)).expect("files");
    builder.build()
}

fn table(catalog: &FileCatalog, name: &str) -> Arc<dyn TableProvider> {
    catalog.table(name).expect("readable").expect("known")
}

/// Creates a builder of catalogs whose files are read with small limits.
fn catalog_builder() -> FileCatalogBuilder {
    let mut builder = FileCatalogBuilder::default();
    builder.limit(crate::storage::limits::ReadLimits::SMALL);
    builder
}

/// Returns a request for whole columns.
fn request(table: &dyn TableProvider, columns: &[&str]) -> ScanRequest {
    let index = |name: &&str| ScanColumn::Column(table.schema().index_of(name).unwrap_or_else(|| panic!("{name}")));
    ScanRequest {
        columns: columns.iter().map(index).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 8_192,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::SMALL,
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    }
}

/// Returns all batches of a table, in order.
fn read(table: &dyn TableProvider, request: &ScanRequest) -> Vec<Batch> {
    let partitions = table.scan(request).expect("a scan");
    partitions
        .iter()
        .flat_map(|partition| {
            partition.read().expect("a partition").map(|batch| batch.expect("a batch")).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the columns of a request as strings, row by row.
fn rows(table: &dyn TableProvider, request: &ScanRequest) -> Vec<Vec<String>> {
    let texts = |batch: &Batch| -> Vec<Vec<String>> {
        let row = |row: usize| batch.columns().iter().map(|column: &Column| column.value(row).to_text()).collect();
        (0..batch.rows()).map(row).collect()
    };
    read(table, request).iter().flat_map(texts).collect()
}

fn sign_ins() -> Vec<Json> {
    let text = std::fs::read_to_string(testdata("shapes/sign-ins.json")).expect("the list");
    serde_json::from_str(&text).expect("JSON")
}

/// Returns the value of a sign-in in the list of expected ones, which has only strings.
fn text<'a>(sign_in: &'a Json, key: &str) -> &'a str {
    sign_in[key].as_str().expect("a text")
}

const COLUMNS: [&str; 11] = [
    "Id",
    "UserPrincipalName",
    "AppDisplayName",
    "ResultType",
    "IPAddress",
    "Location",
    "CorrelationId",
    "LocationDetails",
    "DeviceDetail",
    "CreatedDateTime",
    "TimeGenerated",
];

/// Compares the ten sign-ins in the file at `path` with the expected ones.
fn check_ten(path: &str, publish_times: bool, whole_seconds: bool) {
    let catalog = catalog(path);
    let table = table(&catalog, "SigninLogs");
    let request = request(&*table, &COLUMNS);
    let mut found = rows(&*table, &request);
    let mut wanted: Vec<Vec<String>> = sign_ins()
        .iter()
        .map(|sign_in| {
            let city = text(sign_in, "City").to_owned();
            let browser = text(sign_in, "Browser").to_owned();
            let ticks = |key: &str| datetime::parse(text(sign_in, key)).expect("a time");
            let created = if whole_seconds {
                ticks("CreatedDateTime") / 10_000_000 * 10_000_000
            } else {
                ticks("CreatedDateTime")
            };
            let mut published = if publish_times { ticks("EnvelopeTime") } else { created };
            if path.ends_with("diag-variants") && text(sign_in, "n") == "S02" {
                // Its American time has no fraction.
                published = published / 10_000_000 * 10_000_000;
            }
            let mut row: Vec<String> = COLUMNS[..7].iter().map(|key| text(sign_in, key).to_owned()).collect();
            row.extend([city, browser, datetime::to_text(created), datetime::to_text(published)]);
            row
        })
        .collect();
    for row in &mut found {
        for (column, key) in [(7, "city"), (8, "browser")] {
            let json: Json = serde_json::from_str(&row[column]).unwrap_or(Json::Null);
            row[column] = json[key].as_str().unwrap_or("").to_owned();
        }
    }
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{path}");
    assert!(request.report.problems().is_empty(), "{path}: {:?}", request.report.problems());
    let told = ["DeviceDetail has no displayName", "LocationDetails has no geoCoordinates"];
    let expected = [
        &[
            "Microsoft Graph records carry no TimeGenerated",
            "objects of PowerShell cmdlets carry no TimeGenerated",
            "CSV rows of the Entra admin center carry no TimeGenerated",
            "not read: ",
            "search-job rows ",
        ],
        &told[..],
    ]
    .concat();
    let mut notices = crate::messages::notes(&request.report);
    notices.retain(|notice, _| !expected.iter().any(|expected| notice.starts_with(expected)));
    assert!(notices.is_empty(), "{path}: {notices:?}");
}

#[test]
fn shapes_with_publish_times() {
    for path in [
        "signinlogs",
        "shapes/diag-storage-legacy",
        "shapes/diag-variants",
        "shapes/eventhub",
        "shapes/eventhub-pretty",
        "shapes/la-data-export",
        "shapes/la-data-export-eventhub",
        "shapes/adx-export-json",
        "shapes/compressed-gzip-multimember",
        "shapes/compressed-zip",
        "shapes/eventhub-capture-avro",
        "shapes/adx-export-csv",
        "shapes/adx-export-csv-noheader",
        "shapes/az-cli",
        "shapes/la-api",
        "shapes/la-search-job",
        "shapes/kusto-v1",
        "shapes/kusto-v2",
    ] {
        check_ten(path, true, false);
    }
}

#[test]
fn shapes_of_graph() {
    for path in [
        "shapes/graph-v1",
        "shapes/graph-beta",
        "shapes/graph-beta-mixed",
        "shapes/graph-ndjson",
        "shapes/graph-ps51-appended",
        "shapes/portal-json",
        "shapes/portal-csv",
        "shapes/azuread-preview-utf16",
        "shapes/mg-ps51-utf16",
        "shapes/mg-ps7",
    ] {
        check_ten(path, false, true);
    }
}

#[test]
fn zstandard_frames() {
    let head = testdata("shapes/compressed-zstd-multiframe");
    assert!(head.exists());
    let catalog = catalog("shapes/compressed-zstd-multiframe");
    let table = table(&catalog, "SigninLogs");
    assert_eq!(rows(&*table, &request(&*table, &["Id"])).len(), 10);
}

#[test]
fn records_go_to_their_tables() {
    let catalog = catalog("shapes/diag-other-categories");
    let counts = [
        ("SigninLogs", 0),
        ("AADNonInteractiveUserSignInLogs", 2),
        ("AADServicePrincipalSignInLogs", 3),
        ("AADManagedIdentitySignInLogs", 2),
        ("AuditLogs", 2),
        ("AADRiskyUsers", 1),
        ("AADUserRiskEvents", 1),
    ];
    for (name, count) in counts {
        let table = table(&catalog, name);
        let request = request(&*table, &["TimeGenerated", "Type"]);
        let found = rows(&*table, &request);
        assert_eq!(found.len(), count, "{name}");
        assert!(found.iter().all(|row| !row[0].is_empty() && row[1] == name), "{name}: {found:?}");
        let damage = crate::messages::all_damage(&request.report.damage());
        assert_eq!(!damage.is_empty(), count == 0, "{name}: {damage:?}");
    }
    assert!(catalog.table("NoSuchTable").expect("readable").is_none());
}

#[test]
fn types_follow_the_table_not_the_record() {
    let catalog = catalog("shapes/diag-other-categories");
    let table = table(&catalog, "AADNonInteractiveUserSignInLogs");
    let batches = read(&*table, &request(&*table, &["DeviceDetail", "Status"]));
    let Value::String(device) = batches[0].column(0).value(0) else { panic!("a string") };
    assert!(device.starts_with('{') && !device.contains(": "), "{device}");
}

#[test]
fn a_blob_that_was_cut_off() {
    let catalog = catalog("shapes/diag-dups-truncated");
    let table = table(&catalog, "SigninLogs");
    let request = request(&*table, &["Id"]);
    assert_eq!(rows(&*table, &request).len(), 4);
    let problems = request.report.problems();
    let (file, damage) = problems.iter().next().expect("damage");
    assert!(file.ends_with("PT1H.json"), "{file}");
    assert_eq!((damage.lost, damage.examples.len()), (1, 1));
    assert!(damage.examples[0].0.starts_with("line 5, byte 17859"), "{:?}", damage.examples);
}

#[test]
fn what_is_not_read_is_reported() {
    for (path, words) in
        [("shapes/portal-csv", "details of authentications"), ("shapes/compressed-zip", "neither JSON nor CSV: ")]
    {
        let catalog = catalog(path);
        let table = table(&catalog, "SigninLogs");
        let request = request(&*table, &["Id"]);
        assert_eq!(rows(&*table, &request).len(), 10, "{path}");
        let emitted: Vec<String> = crate::messages::all_damage(&request.report.damage())
            .into_iter()
            .chain(crate::messages::notes(&request.report).into_keys())
            .collect();
        assert!(emitted.iter().any(|text| text.contains(words)), "{path}: {emitted:?}");
    }
}

#[test]
fn columns_without_a_source_are_reported() {
    let catalog = catalog("shapes/graph-v1");
    let table = table(&catalog, "SigninLogs");
    let request = request(&*table, &["Id", "UserAgent", "AADTenantId"]);
    let found = rows(&*table, &request);
    assert!(found.iter().all(|row| row[1].is_empty() && row[2].is_empty()));
    let warnings = crate::messages::warnings(&request.report);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("v1.0") && warning.contains("UserAgent")));
}

#[test]
fn parquet_rows_belong_to_their_table() {
    for path in ["shapes/adx-export-parquet", "shapes/la-export-job"] {
        let catalog = catalog(path);
        let sign_ins = table(&catalog, "SigninLogs");
        assert_eq!(rows(&*sign_ins, &request(&*sign_ins, &["Id"])).len(), 10, "{path}");
        let others = table(&catalog, "AADNonInteractiveUserSignInLogs");
        assert!(rows(&*others, &request(&*others, &["Id"])).is_empty(), "{path}");
    }
}

#[test]
fn a_pipe_is_a_table() {
    let text = std::fs::read(testdata(
        "shapes/graph-beta-mixed/20260304091500-interactiveUser-nonInteractiveUser-SignInLogs.json",
    ));
    let mut builder = catalog_builder();
    builder.add_stdin(&mut &text.expect("the file")[..]).expect("a copy");
    let catalog = builder.build();
    let stdin = table(&catalog, "stdin");
    assert_eq!(rows(&*stdin, &request(&*stdin, &["UserPrincipalName"])).len(), 12);
    let sign_ins = table(&catalog, "SigninLogs");
    assert_eq!(rows(&*sign_ins, &request(&*sign_ins, &["UserPrincipalName"])).len(), 10);
}

#[test]
fn unknown_records_get_inferred_columns() {
    let mut builder = catalog_builder();
    builder.add_stdin(&mut &b"{\"a\":1,\"b\":\"x\"}\r\n{\"a\":2.5}\n{\"a\":3,\"c\":[1]}"[..]).expect("a copy");
    let catalog = builder.build();
    let stdin = table(&catalog, "stdin");
    assert_eq!(
        rows(&*stdin, &request(&*stdin, &["a", "b", "c"])),
        [["1.0", "x", ""], ["2.5", "", ""], ["3.0", "", "[1]"]]
    );
}

/// Reads `bytes` as the table `name`. Returns its rows as strings, and the request, whose report has the damage.
fn read_bytes(bytes: &[u8], name: &str, columns: &[&str]) -> (Vec<Vec<String>>, ScanRequest) {
    let mut builder = catalog_builder();
    builder.add_stdin(&mut &bytes[..]).expect("a copy");
    let catalog = builder.build();
    let table = table(&catalog, name);
    let request = request(&*table, columns);
    (rows(&*table, &request), request)
}

fn damage(request: &ScanRequest) -> Vec<(String, String)> {
    request.report.problems().into_values().flat_map(|problems| problems.examples).collect()
}

#[test]
fn a_record_can_be_too_long() {
    let long = format!("{{\"TimeGenerated\":\"{}\"}}", "x".repeat(3 << 20));
    let short =
        |id: u32| format!("{{\"TimeGenerated\":\"2026-03-02T00:00:00Z\",\"Id\":\"{id}\",\"Type\":\"SigninLogs\"}}");
    let lines = format!("{}\n{long}\n{}\n", short(1), short(2));
    let (rows, request) = read_bytes(lines.as_bytes(), "SigninLogs", &["Id"]);
    assert_eq!(rows, [["1"], ["2"]]);
    assert_eq!(
        damage(&request),
        [(format!("byte {}", short(1).len() + 1), "a record longer than 1 MiB is not read".into())]
    );
    let array = format!("[{},{long},{}]", short(1), short(2));
    let (rows, request) = read_bytes(array.as_bytes(), "SigninLogs", &["Id"]);
    assert_eq!(rows, [["1"]]);
    assert!(damage(&request)[0].1.ends_with("nor is the rest of the file"), "{:?}", damage(&request));
}

#[test]
fn a_packed_file_that_was_cut_off() {
    for path in ["compressed-gzip-multimember/PT1H.json.gz", "compressed-zstd-multiframe/signins.ndjson.zst"] {
        let whole = std::fs::read(testdata("shapes").join(path)).expect("the file");
        let (rows, request) = read_bytes(&whole[..whole.len() - 700], "SigninLogs", &["Id"]);
        assert!(!rows.is_empty() && rows.len() < 10, "{path}: {} rows", rows.len());
        let damage = damage(&request);
        assert!(
            damage
                .iter()
                .any(|(_, reason)| reason.starts_with("cannot be decompressed") && reason.ends_with("is not read")),
            "{path}: {damage:?}"
        );
    }
}

#[test]
fn keys_without_a_column_are_reported_once() {
    let line =
        "{\"TimeGenerated\":\"2026-03-02T00:00:00Z\",\"Id\":\"\\ud800!\",\"Brand_New\":1,\"IsRisky\":\"maybe\"}\n";
    let (rows, request) = read_bytes(line.repeat(3).as_bytes(), "SigninLogs", &["Id", "IsRisky"]);
    assert_eq!(rows, [["\u{fffd}!", ""]; 3]);
    let notices: Vec<_> = crate::messages::notes(&request.report).into_iter().collect();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices.iter().any(|(text, count)| text.contains("\"Brand_New\"") && *count == 1), "{notices:?}");
    let damage = crate::messages::all_damage(&request.report.damage());
    assert!(damage.len() == 2 && damage[0].starts_with("3 values of IsRisky cannot be read"), "{damage:?}");
    assert!(damage[1].starts_with("3 values of Id have an unpaired surrogate"), "{damage:?}");
    assert!(notices.iter().any(|(text, _)| text.contains("do not name their table")), "{notices:?}");
}

#[test]
fn records_without_a_table_are_of_the_one_they_are_bound_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.json");
    std::fs::write(
        &path,
        "{\"TimeGenerated\":\"2026-03-02T00:00:00Z\"}\n{\"TimeGenerated\":\"x\",\"Type\":\"Other\"}\n",
    )
    .expect("written");
    let mut builder = catalog_builder();
    builder.bind("AADNonInteractiveUserSignInLogs", &path).expect("files");
    builder.add(&path).expect("files");
    let catalog = builder.build();
    for (name, count) in [("AADNonInteractiveUserSignInLogs", 1), ("SigninLogs", 1), ("AuditLogs", 0)] {
        let table = table(&catalog, name);
        assert_eq!(rows(&*table, &request(&*table, &["Type"])).len(), count, "{name}");
    }
}

#[test]
fn no_more_rows_than_wanted() {
    let catalog = catalog("signinlogs");
    let table = table(&catalog, "SigninLogs");
    let request = ScanRequest { limit: Some(2), batch_rows: 1, ..request(&*table, &["Id"]) };
    assert_eq!(rows(&*table, &request).len(), 2);
}

#[test]
fn tables_nobody_knows_have_the_columns_of_their_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("1.json", "{\"Type\":\"HeartbeatLogs\",\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"DurationMs\":7}\n");
    write(
        "2.json",
        "{\"time\":\"2026-03-02T09:00:00Z\",\"category\":\"NetworkAccessTrafficLogs\",\"properties\":{\"a\":1}}\n\
         {\"Type\":\"HeartbeatLogs\",\"TimeGenerated\":\"2026-03-02T10:00:00Z\",\"UserId\":\"u\"}\n",
    );
    write("hosts.csv", "Host;Ports;Seen;Note\r\nadmin-01;22;2026-03-02T09:00:00Z;007\r\nadmin-02;;;\"a;b\"\r\n");
    let mut builder = catalog_builder();
    builder.add(folder.path()).expect("files");
    let catalog = builder.build();
    let show = |name: &str| {
        let table = table(&catalog, name);
        let columns: Vec<String> =
            table.schema().fields().iter().map(|field| format!("{}:{}", field.name, field.ty)).collect();
        let names: Vec<&str> = table.schema().names().collect();
        (columns.join(" "), rows(&*table, &request(&*table, &names)))
    };
    let (columns, found) = show("HeartbeatLogs");
    assert_eq!(columns, "Type:string TimeGenerated:datetime DurationMs:long UserId:string");
    assert_eq!((found.len(), found[0][2].as_str(), found[1][3].as_str()), (2, "7", "u"));
    let (columns, found) = show("NetworkAccessTrafficLogs");
    assert_eq!(columns, "time:datetime category:string properties:dynamic");
    assert_eq!(found[0][2], "{\"a\":1}");
    let (columns, found) = show("hosts");
    assert_eq!(columns, "Host:string Ports:long Seen:datetime Note:string");
    assert_eq!(found[1], ["admin-02", "", "", "a;b"]);
    assert!(catalog.table("Nothing").expect("readable").is_none());
}

/// Tests lines, pretty-printed objects, arrays and wrappers in one file, in any order, with truncated lines among
/// them.
#[test]
fn values_over_several_lines_stand_among_lines() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..200 {
        let mut text = format!("{}\n", record_with(0, 0));
        let (mut ids, mut lost) = (vec![0], 0);
        while text.len() < 40_000 {
            let id = ids.len() as u64;
            let record = |id: u64, random: &mut dyn FnMut(u64) -> u64| record_with(id, random(3_000));
            let pretty = |json: &str| {
                let value: Json = serde_json::from_str(json).expect("JSON");
                format!("{value:#}")
            };
            let first = record(id, &mut random);
            let second = record(id + 1, &mut random);
            let (unit, count) = match random(8) {
                0 => (pretty(&first), 1),
                1 => (pretty(&format!("[{first},{second}]")), 2),
                2 => (format!("[\n{first},\n{second}\n]"), 2),
                3 => (format!("{{\"records\": [\n  {first},\n  {second}\n]}}"), 2),
                4 => (format!("{{\"records\":[{first},{second}]}}"), 2),
                5 if text.ends_with('\n') => (format!("{},", first.trim_end_matches('}')), 0),
                _ => (first, 1),
            };
            lost += usize::from(count == 0);
            ids.extend(id..id + count);
            text.push_str(&unit);
            // After a whole value, another may begin on the same line.
            text.push_str(match random(8) {
                0 | 1 => "\r\n",
                2 if count > 0 => "",
                _ => "\n",
            });
        }
        text.push_str(&record_with(99_999, 0));
        ids.push(99_999);
        let (found, request) = read_bytes(text.as_bytes(), "SigninLogs", &["Id"]);
        let expected: Vec<Vec<String>> = ids.iter().map(|id| vec![id.to_string()]).collect();
        assert_eq!(found, expected, "{text}");
        let counted: u64 = request.report.problems().into_values().map(|problems| problems.lost).sum();
        assert_eq!(counted, lost as u64, "{text}");
    }
}

fn record_with(id: u64, padding: u64) -> String {
    let padding = "x".repeat(usize::try_from(padding).expect("small"));
    format!(
        "{{\"TimeGenerated\":\"2026-03-02T00:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"Identity\":\"{padding}\",\
         \"Status\":{{\"errorCode\":0}}}}"
    )
}

/// Tests the separators that occur between records when files and streams are concatenated.
#[test]
fn records_that_share_a_line_are_all_read() {
    let [first, second, third] = [1, 2, 3].map(|id| record_with(id, 5));
    let bom = "\u{feff}";
    for text in [
        format!("{first}{second}{third}"),
        format!("{first}\r{second}\r{third}\r"),
        format!("\u{1e}{first}\n\u{1e}{second}\n\u{1e}{third}\n"),
        format!("{bom}{first}\r\n{bom}{second}\r\n{bom}{third}"),
        format!("{first}\n{second}{third}\n"),
        format!("{first}\n{second} , {third},\n"),
        format!("{first},\n{second},\n{third}\n"),
        format!("{bom}[{first}]{bom}[{second},{third}]"),
        format!("{{\"v\\u0061lue\":[{first},{second}]}}{third}"),
    ] {
        let (found, request) = read_bytes(text.as_bytes(), "SigninLogs", &["Id"]);
        assert_eq!(found, [["1"], ["2"], ["3"]], "{text}");
        assert_eq!(damage(&request), [], "{text}");
    }
    // A record that another text follows is damaged: whether its end is the right one is not known.
    let (found, request) = read_bytes(format!("{first}\n{second}x\n{third}\n").as_bytes(), "SigninLogs", &["Id"]);
    assert_eq!((found, damage(&request).len()), (vec![vec!["1".to_owned()], vec!["3".to_owned()]], 1));
}

/// Tests that records in every part of a file are read once, whatever their encodings and wherever the file is
/// divided.
#[test]
fn parts_of_any_size_read_every_encoding() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signins.json");
    let record = |id: String| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"Identity\":\"上海 Ċ ü\"}}"
        )
    };
    let encode = |text: &str, encoding: &str| -> Vec<u8> {
        match encoding {
            "8" => text.as_bytes().to_vec(),
            "le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    };
    let orders: [&[&str]; 6] = [
        &["8", "le"],
        &["8", "be", "8"],
        &["8", "le", "8", "be", "8"],
        &["8", "le", "be"],
        &["8", "le[", "8"],
        &["8", "be[", "8["],
    ];
    for order in orders {
        let mut bytes = Vec::new();
        let mut ids = Vec::new();
        for (piece, encoding) in order.iter().enumerate() {
            let count = if piece == 0 { 600 } else { 40 + 90 * piece };
            let own: Vec<String> = (0..count).map(|index| format!("{piece}-{index}")).collect();
            let records: Vec<String> = own.iter().cloned().map(record).collect();
            let text = match encoding.strip_suffix('[') {
                Some(_) => format!("[{}]\n", records.join(",\n")),
                None => records.join("\n") + "\n",
            };
            bytes.extend(encode(&text, encoding.trim_end_matches('[')));
            ids.extend(own);
        }
        std::fs::write(&path, &bytes).expect("written");
        let mut builder = FileCatalogBuilder::default();
        builder.add(&path).expect("a file");
        let catalog = builder.build();
        let table = table(&catalog, "SigninLogs");
        let located = table.with_provenance().expect("positions");
        let sizes = (9_000..bytes.len()).step_by(bytes.len() / 24).chain([bytes.len()]);
        let mut positions = None;
        for text_bytes in sizes.collect::<Vec<_>>().into_iter().rev() {
            let sizes = crate::scan::ScanSizes { text_bytes: text_bytes as u64, ..crate::scan::ScanSizes::SMALL };
            let own = ScanRequest { sizes, ..request(&*table, &["Id", "Identity"]) };
            let context = format!("{order:?} in parts of {text_bytes}");
            let found = rows(&*table, &own);
            assert_eq!(
                found.iter().map(|row| &row[0]).collect::<Vec<_>>(),
                ids.iter().collect::<Vec<_>>(),
                "{context}"
            );
            assert!(found.iter().all(|row| row[1] == "上海 Ċ ü"), "{context}");
            assert!(own.report.problems().is_empty() && own.report.damage().is_empty(), "{context}");
            let places = ScanRequest { sizes, ..request(&*located, &["_SourceLine", "_SourceByte"]) };
            let places = rows(&*located, &places);
            assert_eq!(positions.get_or_insert_with(|| places.clone()), &places, "{context}");
        }
    }
}
