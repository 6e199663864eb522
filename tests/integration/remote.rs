//! Archives on servers: the same rows as on disk, few bytes, and clear errors. The servers are on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase, coldcase_in, root};
use crate::object_server::{ObjectServer, files_below};

/// The secret key of the tests, which no message may contain.
const SECRET: &str = "c2VjcmV0LWtleQ==";

/// A query whose result does not depend on where files are.
const ROWS: &str = "SigninLogs | project TimeGenerated, Id, UserPrincipalName, ResultType, LocationDetails \
                    | sort by TimeGenerated asc, Id asc";

/// Runs the program with the environment variables of the S3 and Azure tools; other settings do not count.
fn ask(server: &ObjectServer, args: &[&str]) -> Output {
    let url = format!("http://{}", server.address);
    let environment = [
        ("AWS_ENDPOINT", url.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AZURE_STORAGE_ENDPOINT", url.as_str()),
        ("AZURE_ALLOW_HTTP", "true"),
        ("AZURE_STORAGE_ACCOUNT", "account"),
        ("AZURE_STORAGE_KEY", SECRET),
        ("GOOGLE_BASE_URL", url.as_str()),
        ("GOOGLE_ALLOW_HTTP", "true"),
        ("GOOGLE_SKIP_SIGNATURE", "true"),
        ("COLDCASE_REMOTE_TIMEOUT", "1"),
        ("NO_PROXY", "*"),
    ];
    let output = coldcase_in(root(), args, &environment);
    assert!(!(output.stdout.clone() + &output.stderr).contains(SECRET), "a secret was printed: {output:?}");
    output
}

/// The result; the query must succeed.
fn answer(server: &ObjectServer, args: &[&str]) -> String {
    let output = ask(server, args);
    assert_eq!(output.code, 0, "{args:?}: {}", output.stderr);
    output.stdout
}

fn local(args: &[&str]) -> String {
    let output = coldcase(args);
    assert_eq!(output.code, 0, "{args:?}: {}", output.stderr);
    output.stdout
}

fn shapes() -> ObjectServer {
    ObjectServer::start(files_below(&root().join("testdata/shapes")))
}

/// One file of synthetic sign-ins: JSON Lines, or Parquet.
fn synthetic(shape: &str, rows: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").display().to_string();
    local(&["synth", "signinlogs", "--shape", shape, "--rows", rows, "--out", &out, "-q"]);
    files_below(Path::new(&out)).into_values().collect::<Vec<_>>().concat()
}

fn one(name: &str, bytes: Vec<u8>) -> ObjectServer {
    ObjectServer::start(BTreeMap::from([(name.to_owned(), bytes)]))
}

#[test]
fn remote_folders_return_what_local_folders_do() {
    let server = shapes();
    let expected = local(&[ROWS, "testdata/shapes"]);
    assert!(expected.lines().count() > 100);
    for url in ["s3://bucket/", "s3a://bucket", "az://container/", "abfss://container/", "gs://bucket/"] {
        assert!(answer(&server, &[ROWS, url]) == expected, "{url}");
    }
    let folder = local(&[ROWS, "testdata/shapes/delta"]);
    let url = format!("http://{}/dav/delta/", server.address);
    for url in ["s3://bucket/delta", "az://container/delta/", url.as_str()] {
        assert_eq!(answer(&server, &[ROWS, url]), folder, "{url}");
    }
}

#[test]
fn every_file_can_be_read_by_url() {
    let server = shapes();
    let mut formats = 0;
    for name in files_below(&root().join("testdata/shapes")).keys().filter(|name| !name.contains("_delta_log")) {
        let path = format!("testdata/shapes/{name}");
        let here = coldcase(&[ROWS, &path]);
        let url = format!("http://{}/web/{}?sig=a%2Fb", server.address, name.replace('%', "%25").replace(' ', "%20"));
        let there = ask(&server, &[ROWS, &url]);
        assert_eq!((there.code, &there.stdout), (here.code, &here.stdout), "{name}: {}", there.stderr);
        assert!(!there.stderr.contains("a%2Fb"), "{}", there.stderr);
        formats += usize::from(there.code == 0 && there.stdout.lines().count() > 1);
    }
    assert!(formats > 20, "{formats}");
}

#[test]
fn globs_tables_and_catalogs_take_urls() {
    let server = shapes();
    let count = "SigninLogs | summarize count() by _SourceFile | sort by _SourceFile asc";
    let there = answer(&server, &[count, "s3://bucket/compressed-*/**/*.{gz,zst}", "--provenance", "-o", "csv"]);
    let here = local(&[count, "testdata/shapes/compressed-*/**/*.{gz,zst}", "--provenance", "-o", "csv"]);
    assert!(here.lines().count() > 2, "{here}");
    assert_eq!(there, here.replace("testdata/shapes", "s3://bucket"));

    let there = answer(&server, &["T | count", "-t", "T=az://container/graph-ndjson", "-o", "csv"]);
    assert_eq!(there, local(&["T | count", "-t", "T=testdata/shapes/graph-ndjson", "-o", "csv"]));

    let folder = tempfile::tempdir().expect("a folder");
    let catalog = folder.path().join("coldcase.toml").display().to_string();
    fs::write(&catalog, "[tables.T]\npaths = ['s3://bucket/graph-ndjson/']\n").expect("written");
    assert_eq!(answer(&server, &["T | count", "-c", &catalog, "-o", "csv"]), there);
    let tables = answer(&server, &["tables", "-c", &catalog, "-o", "csv"]);
    assert!(tables.contains("T,s3://bucket/graph-ndjson/,"), "{tables}");

    let url = format!("http://{}/dav/graph-n*/*", server.address);
    assert_eq!(answer(&server, &["T | count", "-t", &format!("T={url}"), "-o", "csv"]), there);
}

#[test]
fn only_the_footer_and_needed_columns_of_parquet_are_fetched() {
    let bytes = synthetic("parquet", "12000");
    let size = bytes.len() as u64;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signins.parquet");
    fs::write(&path, &bytes).expect("written");
    let server = one("signins.parquet", bytes);
    let url = format!("http://{}/web/signins.parquet", server.address);
    let query = "SigninLogs | summarize count() by ResultType, Location | sort by ResultType asc, Location asc";
    for url in ["s3://bucket/signins.parquet", "az://container/signins.parquet", &url] {
        server.answers();
        assert_eq!(answer(&server, &[query, url]), local(&[query, &path.display().to_string()]));
        let answers = server.answers();
        let fetched: u64 = answers.iter().map(|answer| answer.bytes).sum();
        assert!(fetched < size / 10, "{url}: {fetched} of {size} bytes: {answers:?}");
        assert!(answers.len() < 30, "{url}: {} requests", answers.len());
    }
    let everything = "SigninLogs | sort by TimeGenerated asc, Id asc";
    assert!(answer(&server, &[everything, &url]) == local(&[everything, &path.display().to_string()]));
    let fetched = server.bytes();
    assert!(fetched < size * 5 / 4, "{fetched} of {size} bytes");
}

#[test]
fn json_is_streamed_and_no_more_than_needed() {
    let bytes = synthetic("diagnostic", "4500");
    let size = bytes.len() as u64;
    assert!(size > 32 << 20, "{size}");
    let server = one("signins.json", bytes);
    for url in ["s3://bucket/signins.json".to_owned(), format!("http://{}/web/signins.json", server.address)] {
        server.answers();
        let taken = answer(&server, &["SigninLogs | take 5", &url, "--threads", "2"]);
        assert_eq!(taken.lines().count(), 5);
        let fetched = server.bytes();
        assert!(fetched < size / 3, "{fetched} of {size} bytes");
        assert_eq!(answer(&server, &["SigninLogs | count", &url]).trim(), "{\"Count\":4500}");
        let fetched = server.bytes();
        assert!((size..size * 5 / 4).contains(&fetched), "{fetched} of {size} bytes");
    }
}

#[test]
fn small_files_are_fetched_once_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").display().to_string();
    local(&["synth", "signinlogs", "--rows", "1500", "--days", "2", "--out", &out, "-q"]);
    let files = files_below(Path::new(&out));
    let (count, size) = (files.len(), files.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    assert!(count > 100, "{count}");
    let server = ObjectServer::start(files);
    assert_eq!(answer(&server, &["SigninLogs | count", "az://container/"]).trim(), "{\"Count\":1500}");
    let mut answers = server.answers();
    answers.retain(|answer| !answer.request.contains("comp=list"));
    assert_eq!((answers.len(), answers.iter().map(|answer| answer.bytes).sum::<u64>()), (count, size));
    assert_eq!(answer(&server, &["SigninLogs | take 3", "az://container/", "--threads", "1"]).lines().count(), 3);
    assert!(server.bytes() < size / 2);
}

#[test]
fn failures_of_servers_are_errors_with_their_reasons() {
    let server = one("a/signins.json", synthetic("diagnostic", "1000"));
    let web = |place: &str| format!("http://{}/{place}/a/signins.json?sig=hidden", server.address);
    let cases = [
        (
            "s3://denied/a/signins.json".to_owned(),
            "set are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION; not set are",
        ),
        ("s3://denied/a/".to_owned(), "denies access (403: AccessDenied: Access [31m Denied); set are"),
        ("az://denied/a/signins.json".to_owned(), "AZURE_STORAGE_SAS_TOKEN"),
        (web("denied"), "the URL may lack a signature"),
        ("s3://bucket/nothing.json".to_owned(), "no file of this name"),
        ("s3://bucket/*.json".to_owned(), "no file matches the pattern"),
        (web("web").replace("signins", "nothing"), "no such file (404)"),
        ("s3://cut/a/signins.json".to_owned(), "cut off"),
        (web("cut"), "cut off"),
        ("az://stall/a/signins.json".to_owned(), "in time"),
        (web("stall"), "in time"),
        (web("moving"), "changed while it was read"),
        (web("broken"), "500"),
        ("http://127.0.0.1:1/a.json".to_owned(), "no connection to the server"),
        ("s3://bucket/../a".to_owned(), "not a valid name of a file"),
    ];
    std::thread::scope(|scope| {
        for (url, reason) in &cases {
            let server = &server;
            scope.spawn(move || {
                let output = ask(server, &["SigninLogs | count", url]);
                let name = url.split('?').next().expect("a name");
                assert_eq!(output.code, 5, "{url}: {}", output.stderr);
                assert!(output.stderr.contains(reason) && output.stderr.contains(name), "{url}: {}", output.stderr);
                assert!(!output.stderr.contains("hidden") && output.stdout.is_empty(), "{url}: {output:?}");
            });
        }
    });
}

#[test]
fn interrupted_transfers_are_retried() {
    let server = one("signins.json", synthetic("diagnostic", "1000"));
    let url = format!("http://{}/flaky/signins.json", server.address);
    assert_eq!(answer(&server, &["SigninLogs | count", &url]).trim(), "{\"Count\":1000}");
    assert!(server.answers().len() > 2);
}

#[test]
fn files_of_servers_without_range_requests_are_copied() {
    let server = shapes();
    for name in ["graph-ndjson", "adx-export-parquet"] {
        let folder = root().join("testdata/shapes").join(name);
        let file = files_below(&folder).into_keys().next().expect("a file");
        let url = format!("http://{}/whole/{name}/{file}", server.address);
        assert_eq!(answer(&server, &[ROWS, &url]), local(&[ROWS, &folder.join(file).display().to_string()]));
    }
}

#[test]
fn signatures_are_not_written_to_files() {
    let server = one("signins.json", synthetic("diagnostic", "100"));
    let url = format!("http://{}/web/signins.json?sv=1&sig=hidden", server.address);
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("manifest.json").display().to_string();
    let query = "SigninLogs | take 1 | project _SourceFile";
    let rows = answer(&server, &[query, &url, "--provenance", "--manifest", &manifest, "-v"]);
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    for text in [&rows, &manifest, &answer(&server, &["tables", &url]), &answer(&server, &["sniff", &url])] {
        assert!(text.contains("/web/signins.json?[redacted]") && !text.contains("hidden"), "{text}");
    }
    let bytes = synthetic("diagnostic", "100");
    assert!(manifest.contains(&format!("\"bytes\": {}", bytes.len())), "{manifest}");
}

/// Redirects are followed on the same host only, and no server learns the address that led to it.
#[test]
fn redirects_stay_on_the_host() {
    let server = one("signins.json", synthetic("diagnostic", "100"));
    let other = one("signins.json", synthetic("diagnostic", "100"));
    let near = format!("http://{}/near/signins.json?sig=hidden", server.address);
    assert_eq!(answer(&server, &["SigninLogs | count", &near]).trim(), "{\"Count\":100}");
    assert!(server.answers().iter().all(|answer| answer.referer.is_none()));
    let far = format!("http://{}/far/{}/signins.json?sig=hidden", server.address, other.address);
    let output = ask(&server, &["SigninLogs | count", &far]);
    assert!(output.code == 5 && output.stderr.contains("redirects to another address"), "{output:?}");
    assert!(!output.stderr.contains("hidden"), "{output:?}");
    assert_eq!(other.answers(), []);
}

/// Servers echo requests; no message contains any of it.
#[test]
fn echoed_requests_reveal_no_secret() {
    let server = one("signins.json", synthetic("diagnostic", "10"));
    let address = &server.address;
    for url in [
        format!("http://{address}/echo/signins.json?sv=2026-01-01&sig=hidden%2Bhidden%3D"),
        format!("http://hidden@{address}/echo/signins.json"),
        format!("http://someone:hidden@{address}/echo/signins.json"),
        format!("http://{address}/echo/?token=hidden"),
        "az://echo/signins.json".to_owned(),
    ] {
        for args in [
            vec!["SigninLogs | count", &url],
            vec!["tables", &url],
            vec!["sniff", &url],
            vec!["convert", &url, "-O", "x"],
        ] {
            let output = ask(&server, &args);
            assert!(!(output.stdout.clone() + &output.stderr).contains("hidden"), "{args:?}: {output:?}");
        }
    }
}

#[test]
fn archives_on_servers_are_converted() {
    let server = shapes();
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive").display().to_string();
    answer(&server, &["convert", "s3://bucket/la-data-export/", "-O", &archive]);
    let query = "SigninLogs | project Id, TimeGenerated | sort by TimeGenerated asc, Id asc";
    assert_eq!(local(&[query, &archive]), local(&[query, "testdata/shapes/la-data-export"]));
}
