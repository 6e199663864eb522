//! What files contain and what a result is based on: `sniff`, `fields`, `--rejects`, `--manifest`.

use std::fs;

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase, coldcase_with, root};

const SHAPES: &str = "testdata/shapes";

fn run(args: &[&str]) -> Output {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{args:?}: {output:?}");
    output
}

fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_file_is_described() {
    let rows = lines(&run(&["sniff", &format!("{SHAPES}/diag-dups-truncated")]).stdout);
    assert_eq!(rows.len(), 1);
    let expected = json!({
        "Table": "SigninLogs", "Shape": "diagnostic-settings records", "Rows": 4, "Repeated": 1,
        "FirstTimeGenerated": "2026-03-02T09:07:10.7654321Z", "LastTimeGenerated": "2026-03-02T09:14:09.5000000Z",
        "FirstCreatedDateTime": "2026-03-02T09:03:47.7654321Z", "LastCreatedDateTime": "2026-03-02T09:05:11.0000000Z",
        "Format": "JSON Lines", "Encoding": "UTF-8", "Compression": "none", "Bytes": 18559,
    });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(rows[0][key], *value, "{key}");
    }
    let problems = rows[0]["Problems"].as_str().expect("a text");
    assert!(problems.contains("1 record was not read") && problems.contains("line 5"), "{problems}");
}

#[test]
fn every_table_and_every_file_has_a_row() {
    let rows = lines(&run(&["sniff", &format!("{SHAPES}/graph-beta-mixed")]).stdout);
    let found: Vec<_> = rows.iter().map(|row| (row["Table"].as_str().unwrap_or(""), row["Rows"].as_i64())).collect();
    assert_eq!(found, [("AADNonInteractiveUserSignInLogs", Some(2)), ("SigninLogs", Some(10))]);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("a.bin", b"\x00\x01\x02 no log at all");
    write("b.parquet", b"PAR1 broken PAR1");
    write("c.json", b"");
    write("d.json", b"\xef\xbb\xbf{\"_TimeReceived\":\"2026-03-02T09:07:43Z\",\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"x\"}\n");
    write("e.json", b"{\"name\":\"x\",\"size\":1}\n{\"name\":\"y\",\"size\":2}\n");
    let rows = lines(&run(&["sniff", folder.path().to_str().expect("UTF-8")]).stdout);
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("Rows"), [0, 0, 0, 1, 2].map(Json::from));
    assert_eq!(column("IngestionColumn"), ["", "", "", "_TimeReceived", ""].map(Json::from));
    assert_eq!(rows[3]["Encoding"], "UTF-8 with BOM");
    assert_eq!(rows[4]["Shape"], "JSON objects");
    for row in &rows[..3] {
        assert_ne!(row["Problems"], "", "{row}");
    }
    assert_eq!(coldcase(&["sniff"]).code, 2);
    assert_eq!(coldcase(&["sniff", "no/such/file"]).code, 5);
    let piped = coldcase_with(&["sniff", "-"], "{\"a\":1}\n");
    assert_eq!(lines(&piped.stdout)[0]["File"], "stdin", "{piped:?}");
}

#[test]
fn the_dictionary_of_fields() {
    let rows = lines(&run(&["fields", "SigninLogs"]).stdout);
    let row = rows.iter().find(|row| row["Column"] == "LocationDetails").expect("a column");
    assert_eq!(
        (&row["Type"], &row["Diagnostic"], &row["Graph"]),
        (&"dynamic".into(), &"properties.location".into(), &"location".into())
    );
    let text = run(&["fields", "SigninLogs", "--explain", "resulttype"]).stdout;
    assert!(text.contains("`resultType`, or if that is empty `properties.status.errorCode`"), "{text}");
    assert!(run(&["fields", "SigninLogs", "--explain", "callerIpAddress"]).stdout.starts_with("SigninLogs.IPAddress"));
    assert_eq!(run(&["fields", "SignInLogs"]).stdout, run(&["fields", "SigninLogs"]).stdout);
    let output = coldcase(&["fields", "SigninLog"]);
    assert!(output.code == 2 && output.stderr.contains("did you mean `SigninLogs`?"), "{output:?}");
    assert_eq!(coldcase(&["fields", "SigninLogs", "--explain", "NoSuchThing"]).code, 2);
}

#[test]
fn a_column_that_the_shape_lacks_is_a_warning() {
    let graph = format!("{SHAPES}/graph-v1");
    let output = run(&["SigninLogs | where UserAgent has 'curl'", &graph]);
    let warning = "warning: UserAgent is not exported in Microsoft Graph v1.0 records";
    assert!(output.stderr.contains(warning), "{output:?}");
    assert!(!run(&["SigninLogs | where Id has 'curl'", &graph]).stderr.contains("is not exported"));
}

#[test]
fn rejects_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let row = "{\"TimeGenerated\":\"2026-03-02T09:01:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n";
    let long = "x".repeat(10_000);
    fs::write(path("a.json"), format!("{row}damage\n{row}{{\"unknown\":1}}\n{{\"a\":\"{long}\n")).expect("written");
    fs::write(path("b.zip"), "PK\u{3}\u{4}").expect("written");
    let rejects = tempfile::tempdir().expect("a folder").path().with_extension("jsonl").display().to_string();
    // Without `--rejects`, the filter would skip damaged lines without parsing them.
    let query = "SigninLogs | where Id == 'none of them'";
    let folder_path = folder.path().display().to_string();
    run(&[query, &folder_path, "--rejects", &rejects, "--dedup", "Id"]);
    let kept = lines(&fs::read_to_string(&rejects).expect("the rejects"));
    let places: Vec<_> = kept.iter().map(|reject| reject["place"].as_str().unwrap_or("").to_owned()).collect();
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert!(places[0].starts_with("line 2,") && places[1].starts_with("line 4,"), "{places:?}");
    assert_eq!((&kept[0]["raw"], &kept[1]["raw"]), (&"damage".into(), &"{\"unknown\":1}".into()));
    assert_eq!((&kept[2]["bytes"], kept[2]["raw"].as_str().map(str::len)), (&10_006.into(), Some(4_096)));
    assert!(kept[3]["file"].as_str().is_some_and(|file| file.ends_with("b.zip")) && kept[3]["place"].is_null());
    fs::remove_file(rejects).expect("removed");
}

#[test]
fn a_manifest_lists_what_a_result_is_based_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let query = "SigninLogs | where ResultType != 0 | project Id";
    let input = format!("{SHAPES}/graph-beta");
    let args = |name: &str| {
        let manifest = path(name);
        run(&[query, &input, "--now", "2026-03-04", "--dedup", "Id", "--manifest", &manifest]);
        fs::read_to_string(manifest).expect("the manifest")
    };
    let (first, second) = (args("1.json"), args("2.json"));
    assert_eq!(first, second, "the same call has the same manifest");
    let manifest: Json = serde_json::from_str(&first).expect("JSON");
    assert_eq!((&manifest["query"], &manifest["now"]), (&query.into(), &"2026-03-04T00:00:00.0000000Z".into()));
    assert_eq!(
        (&manifest["version"], &manifest["settings"]["dedup"]),
        (&env!("CARGO_PKG_VERSION").into(), &"Id".into())
    );
    let inputs = manifest["inputs"].as_array().expect("inputs");
    assert_eq!(inputs.len(), fs::read_dir(root().join(&input)).expect("a folder").count());
    assert_eq!(inputs.iter().map(|input| input["contents"][0]["rows"].as_i64().unwrap_or(0)).sum::<i64>(), 10);
    // SHA-256 of "abc" (FIPS 180-2).
    fs::write(path("abc.json"), "abc").expect("written");
    let manifest_of = |query: &str| {
        run(&[query, &path("abc.json"), &input, "--manifest", &path("3.json")]);
        fs::read_to_string(path("3.json")).expect("the manifest")
    };
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(manifest_of("SigninLogs | count").contains(sha256));
    // The manifest does not list files that the query did not use.
    let manifest: Json = serde_json::from_str(&manifest_of("print 1")).expect("JSON");
    assert_eq!(manifest["inputs"], serde_json::json!([]));
    assert_eq!(manifest["inputsNotAskedFor"][0]["file"], path("abc.json"));
}

#[test]
fn every_query_command_writes_manifests() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let input = format!("{SHAPES}/graph-beta-mixed");
    let read = |name: &str| -> Json {
        serde_json::from_str(&fs::read_to_string(path(name)).expect("the manifest")).expect("JSON")
    };
    run(&["convert", &input, "-O", &path("archive"), "--manifest", &path("1.json")]);
    let manifest = read("1.json");
    assert_eq!(manifest["inputs"][0]["contents"].as_array().map(Vec::len), Some(2), "{manifest}");
    let tables = manifest["archive"]["tables"].as_array().expect("tables");
    let rows: Vec<_> = tables.iter().map(|table| (table["table"].as_str(), table["rows"].as_u64())).collect();
    assert_eq!(rows, [(Some("SigninLogs"), Some(10)), (Some("AADNonInteractiveUserSignInLogs"), Some(2))]);
    for file in manifest["archive"]["files"].as_array().expect("files") {
        let bytes = fs::metadata(file["file"].as_str().expect("a path")).expect("the file is there").len();
        assert_eq!((file["bytes"].as_u64(), file["sha256"].as_str().map(str::len)), (Some(bytes), Some(64)));
    }
    run(&[
        "convert",
        &input,
        "-t",
        "T=testdata/signinlogs",
        "-O",
        &path("archive"),
        "--append",
        "--manifest",
        &path("2.json"),
    ]);
    assert_eq!(read("2.json")["archive"]["tables"][1]["rowsInTheArchiveAlready"], 10);
    let queries = "{\"id\":1,\"query\":\"SigninLogs | project Id\"}\n{\"id\":\"b\",\"query\":\"nope\"}\n";
    let answered = coldcase_with(&["batch", "-", &input, "--manifest", &path("3.json")], queries);
    assert_eq!(answered.code, 1, "{answered:?}");
    let manifest = read("3.json");
    let answers = &manifest["answers"];
    assert_eq!((&answers[0]["id"], &answers[0]["answer"]["rows"]), (&1.into(), &10.into()), "{manifest}");
    assert_eq!((&answers[1]["query"], &answers[1]["code"]), (&"nope".into(), &3.into()), "{manifest}");
    assert_eq!(manifest["inputs"][0]["sha256"].as_str().map(str::len), Some(64));
}

/// Files are examined in parallel; messages appear in file order.
#[test]
fn the_order_of_files_does_not_depend_on_threads() {
    let sniffed = |threads: &str| run(&["sniff", SHAPES, "--threads", threads]).stdout;
    let one = sniffed("1");
    assert!(one.lines().count() > 40, "{one}");
    assert_eq!(one, sniffed("7"));
}

/// The messages on stderr about a query over one file.
fn said_of(name: &str, bytes: &[u8], query: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("written");
    run(&[query, path.to_str().expect("UTF-8")]).stderr
}

#[test]
fn collectors_that_keep_only_successes_are_recognised_by_name() {
    let record = br#"{"createdDateTime":"2026-03-02T09:05:11Z","id":"1","status":{"errorCode":0}}"#;
    let said = |name: &str| said_of(name, record, "SigninLogs | where ResultType != 0 | count");
    let warning = "keeps only successes, so finding no failures is not evidence of absence";
    assert!(said("AADSigninLog_contoso_2026-03-02_09-00-00.json").contains(warning));
    assert!(!said("signins.json").contains(warning));
}

#[test]
fn values_truncated_by_powershell_are_reported() {
    let object = r#"{"Id":"1","CreatedDateTime":"\/Date(1772442311000)\/","Status":{"ErrorCode":0},
        "Location":{"City":"Sofia","GeoCoordinates":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphGeoCoordinates"},
        "AppliedConditionalAccessPolicies":["System.Collections.Hashtable","@{displayName=CA001; result=success}"],
        "AuthenticationDetails":[{"AuthenticationStepDateTime":"\/Date(1772442311000)\/"}]}"#;
    let text = format!("[{object},{object}]");
    let said = |query: &str| said_of("signins.json", text.as_bytes(), &format!("SigninLogs | {query}"));
    let warning = |column: &str| format!("warning: 2 values of {column} were truncated by PowerShell");
    let policies = said("mv-expand ConditionalAccessPolicies | project tostring(ConditionalAccessPolicies.result)");
    assert!(policies.contains(&warning("ConditionalAccessPolicies")), "{policies}");
    let latitude = said("where LocationDetails.geoCoordinates.latitude > 0 | project LocationDetails");
    assert!(latitude.contains(&warning("LocationDetails")), "{latitude}");
    // Complete values are not reported.
    let city = said("where LocationDetails.city == 'Sofia' | project Id, tostring(LocationDetails.city)");
    assert!(!city.contains("truncated by PowerShell"), "{city}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), &text).expect("written");
    // Times inside objects have the spelling of Microsoft Graph, and are found as such.
    let query = "SigninLogs | where AuthenticationDetails has '2026-03-02T09' | project AuthenticationDetails";
    let rows = lines(&run(&[query, file.path().to_str().expect("UTF-8")]).stdout);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["AuthenticationDetails"], r#"[{"authenticationStepDateTime":"2026-03-02T09:05:11Z"}]"#);
}

#[test]
fn sign_ins_without_a_result_are_counted() {
    let text = "{\"createdDateTime\":\"2026-03-02T09:05:11Z\",\"id\":\"1\",\"status\":\"@{errorCode=50126}\"}\n\
                {\"TimeGenerated\":\"2026-03-02T09:05:11Z\",\"Type\":\"SigninLogs\",\"Id\":\"2\"}\n\
                {\"TimeGenerated\":\"2026-03-02T09:05:11Z\",\"Type\":\"SigninLogs\",\"Id\":\"3\",\"ResultType\":\"0\"}\n";
    let said = |query: &str| said_of("signins.json", text.as_bytes(), query);
    let note = "warning: 2 sign-ins without ResultType: success or failure is unknown";
    let failures = said("SigninLogs | where ResultType != 0 | project Id, ResultType");
    assert!(failures.contains(note), "{failures}");
    assert!(!said("SigninLogs | project Id").contains("ResultType"));
}

/// Files with exactly the maximum number of records of a service, in any format.
#[test]
fn service_limits_are_reported_for_json_too() {
    let row = "{\"TimeGenerated\":\"2026-03-02T09:01:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}";
    let query = "SigninLogs | where UserPrincipalName == 'nobody@contoso.com'";
    let full = "exactly 30000 rows, the maximum that the Log Analytics portal shows: there may have been more";
    let of = |rows: usize, between: &str| [vec![row; rows].join(between)].concat();
    assert!(said_of("a.json", of(30_000, "\n").as_bytes(), query).contains(full));
    assert!(!said_of("a.json", of(29_999, "\n").as_bytes(), query).contains("exactly"));
    assert!(said_of("a.json", format!("[{}]", of(30_000, ",")).as_bytes(), query).contains(full));
    let packed = zstd::encode_all(of(30_000, "\n").as_bytes(), 1).expect("packed");
    assert!(said_of("a.json.zst", &packed, query).contains(full));
    // Files of this shape have no limit.
    let record = "{\"time\":\"2026-03-02T09:01:00Z\",\"category\":\"SignInLogs\",\"properties\":{\"id\":\"1\"}}\n";
    assert!(!said_of("a.json", record.repeat(30_000).as_bytes(), query).contains("exactly"));
}

#[test]
fn an_uncovered_time_range_is_reported() {
    let said = |path: &str, condition: &str, more: &[&str]| {
        let (query, path) = (format!("SigninLogs | where {condition} | project Id"), format!("{SHAPES}/{path}"));
        run(&[&[query.as_str(), path.as_str(), "--now", "2026-03-05"], more].concat()).stderr
    };
    for shape in ["graph-beta", "adx-export-parquet"] {
        let note = said(shape, "TimeGenerated between (datetime(2026-01-01) .. datetime(2026-04-01))", &[]);
        let parts = [
            "the query asks for SigninLogs by TimeGenerated from 2026-01-01",
            "to 2026-04-01",
            "cover only 2026-03-02T06:5",
        ];
        for part in parts {
            assert!(note.contains(part), "{shape}: {part}: {note}");
        }
        // No data at all in the range: the most misleading case.
        assert!(said(shape, "TimeGenerated > ago(1d)", &[]).contains("to 2026-03-03T11:11"), "{shape}");
        assert!(
            said(shape, "true", &["--to", "2026-02-01"]).contains("SigninLogs by TimeGenerated to 2026-02-01"),
            "{shape}"
        );
        let inside = "TimeGenerated between (datetime(2026-03-02T08:00:00Z) .. datetime(2026-03-03T11:00:00Z))";
        assert!(!said(shape, inside, &[]).contains("the query asks for"), "{shape}");
        assert!(!said(shape, "true", &[]).contains("the query asks for"), "{shape}");
    }
    // Records without the name are skipped, except for the first and the last ones.
    let nobody = "UserPrincipalName == 'nobody@contoso.com' and TimeGenerated > datetime(2026-01-01)";
    for shape in ["graph-beta", "diag-variants", "la-data-export", "compressed-gzip-multimember"] {
        let warning = said(shape, &format!("{nobody} and TimeGenerated < datetime(2026-04-01)"), &[]);
        assert!(warning.contains("warning: the query asks for SigninLogs by TimeGenerated"), "{shape}: {warning}");
        assert!(warning.contains("cover only 2026-03-02T06:5") && warning.contains("to 2026-03-03T11:11"), "{warning}");
    }
    let row = |second: u32| {
        let time = format!("2026-03-02T09:{:02}:{:02}Z", second / 60, second % 60);
        format!("{{\"TimeGenerated\":\"{time}\",\"Type\":\"SigninLogs\",\"UserPrincipalName\":\"a@contoso.com\"}}")
    };
    let lines: Vec<String> = (0..3_600).map(row).collect();
    let query = format!("SigninLogs | where {nobody}");
    for text in [lines.join("\n"), lines.join("\r\n") + "\n\n", format!("[{}]", lines.join(",\n"))] {
        let warning = said_of("a.json", text.as_bytes(), &query);
        let times =
            "cover only 2026-03-02T09:00:00.0000000Z to 2026-03-02T09:59:59.0000000Z, by their first and last records";
        assert!(warning.contains(times), "{warning}");
    }
    // If reading stopped early, the rest is unknown.
    let query = "SigninLogs | where TimeGenerated > datetime(2026-01-01) | take 1";
    assert!(!run(&[query, &format!("{SHAPES}/graph-beta")]).stderr.contains("the query asks for"));
}

#[test]
fn a_column_that_a_parquet_file_lacks_is_a_warning() {
    let path = format!("{SHAPES}/adf-parquet-struct");
    let output = run(&["SigninLogs | where _TimeReceived > datetime(2026-01-01) | count", &path]);
    assert!(output.stderr.contains("_TimeReceived is missing from some Parquet files"), "{output:?}");
}

/// The files of the first case prove the order for one another, those of the second contradict themselves or prove
/// nothing: `sniff`, its summary and manifests say what a query says.
#[test]
fn the_order_of_dates_is_judged_as_by_a_query() {
    let header = "TimeGenerated [UTC],UserPrincipalName,ResultType";
    let other = "TimeGenerated [UTC],UserPrincipalName,ResultType,Location";
    let file = |header: &str, times: &[&str]| -> String {
        let more = if header == other { ",DE" } else { "" };
        let rows: String = times.iter().map(|time| format!("{time},priya@contoso.com,0{more}\n")).collect();
        format!("{header}\n{rows}")
    };
    let cases: [&[(&str, String)]; 3] = [
        &[
            ("day02.csv", file(header, &["02/03/2026 09:07:43", "03/03/2026 10:07:43"])),
            ("day13.csv", file(header, &["13/03/2026 22:07:43"])),
            ("day01.zip", file(header, &["01/03/2026 09:07:43", "04/03/2026 10:07:43"])),
        ],
        &[
            ("american.csv", file(header, &["02/13/2026 09:07:43"])),
            ("same.csv", file(header, &["02/03/2026 09:07:43"])),
            ("nothing.csv", file(other, &["02/03/2026 09:07:43"])),
        ],
        &[
            ("both.csv", file(header, &["13/02/2026 09:07:43", "02/13/2026 09:07:43", "02/03/2026 09:07:43"])),
            ("one.csv", file(header, &["05/04/2026 09:07:43"])),
        ],
    ];
    for files in cases {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            if name.ends_with(".zip") {
                let mut zip = zip::ZipWriter::new(fs::File::create(&path).expect("created"));
                zip.start_file("day01.csv", zip::write::SimpleFileOptions::default()).expect("begun");
                std::io::Write::write_all(&mut zip, text.as_bytes()).expect("packed");
                zip.finish().expect("packed");
            } else {
                fs::write(&path, text).expect("written");
            }
        }
        let path = folder.path().to_str().expect("UTF-8");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let manifest = elsewhere.path().join("manifest.json");
        let manifest = manifest.to_str().expect("UTF-8");
        let query = "SigninLogs | summarize A = min(TimeGenerated), B = max(TimeGenerated), N = count() by _SourceFile";
        let asked = run(&[query, path, "--provenance", "--manifest", manifest, "-o", "jsonl"]);
        let sniffed = lines(&run(&["sniff", path, "-o", "jsonl"]).stdout);
        let inputs: Json = serde_json::from_str(&fs::read_to_string(manifest).expect("written")).expect("JSON");
        assert_eq!(sniffed.len(), files.len());
        for row in lines(&asked.stdout) {
            let name = row["_SourceFile"].as_str().expect("a name");
            let file = name.split('[').next().expect("a name").split(".zip").next().expect("a name");
            let of_file = |own: &Json| own.as_str().is_some_and(|own| own.starts_with(file));
            let own = sniffed.iter().find(|own| of_file(&own["File"])).expect("sniffed");
            assert_eq!([&own["FirstTimeGenerated"], &own["LastTimeGenerated"]], [&row["A"], &row["B"]], "{name}");
            let input = inputs["inputs"].as_array().expect("inputs").iter().find(|own| of_file(&own["file"]));
            let contents = &input.expect("an input")["contents"][0];
            assert_eq!([&contents["firstTimeGenerated"], &contents["lastTimeGenerated"]], [&row["A"], &row["B"]]);
            for words in
                ["may have the day or the month first", "both day-first and month-first", "were read day first"]
            {
                let asked = asked.stderr.lines().any(|line| line.contains(words) && line.contains(file));
                let problems = own["Problems"].as_str().expect("a text");
                assert_eq!(problems.contains(words) && problems.contains(file), asked, "{name} {words}: {problems}");
            }
        }
        let summary = run(&["sniff", "--summary", path, "-o", "jsonl"]);
        let days = run(&["SigninLogs | summarize N = count() by D = startofday(TimeGenerated) | order by D asc", path]);
        let days = lines(&days.stdout)
            .iter()
            .map(|row| (row["D"].as_str().map(|day| day[..10].to_owned()), row["N"].as_i64()))
            .collect::<Vec<_>>();
        let summed = lines(&summary.stdout);
        let summed = summed.iter().map(|row| (row["Day"].as_str().map(str::to_owned), row["Rows"].as_i64()));
        assert_eq!(summed.collect::<Vec<_>>(), days, "{summary:?}");
    }
}
