//! A value is the same in every export shape, or the difference is reported.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase, root};

const SHAPES: &str = "testdata/shapes";

/// What warnings about columns that an export does not have end with.
const NO_EVIDENCE: &str = "so it is empty here: finding no rows is not evidence of absence";

/// Runs coldcase and expects an exit code.
fn run(args: &[&str], code: i32) -> Output {
    let output = coldcase(args);
    assert_eq!(output.code, code, "{args:?}: {output:?}");
    output
}

/// Writes a file in a folder, and returns its path.
fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// A file of `testdata/shapes` as text.
fn sample(path: &str) -> String {
    fs::read_to_string(root().join(SHAPES).join(path)).expect("readable")
}

const PORTAL_CSV: &str = "portal-csv/InteractiveSignIns_2026-03-02_2026-03-03.csv";

/// Graph writes "guest", the table "Guest": a query, a search and an archive have the spelling of the table.
#[test]
fn user_types_have_the_spelling_of_the_table_in_every_shape() {
    let guests = "SigninLogs | where UserType == 'Guest' | project UserType, Id";
    let expected = run(&[guests, "testdata/signinlogs"], 0).stdout;
    assert!(expected.contains("\"Guest\""), "{expected}");
    for shape in ["graph-beta", "graph-ndjson", "graph-ps51-appended", "portal-json", "portal-csv", "la-data-export"] {
        assert_eq!(run(&[guests, &format!("{SHAPES}/{shape}")], 0).stdout, expected, "{shape}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive.parquet").display().to_string();
    run(&["convert", &format!("{SHAPES}/graph-beta"), "-O", &archive], 0);
    assert_eq!(run(&[guests, &archive], 0).stdout, expected);
    // The condition is also searched in the bytes of records: in lines, where each may be skipped by itself.
    let lines = "SigninLogs | where UserType in ('Guest', 'Robot') | count";
    assert_eq!(run(&[lines, &format!("{SHAPES}/graph-ndjson")], 0).stdout, "{\"Count\":1}\n");
    let others =
        "SigninLogs | where UserType startswith_cs 'Mem' or UserType =~ 'GUEST' | summarize count() by UserType";
    let counts = run(&[others, &format!("{SHAPES}/graph-ndjson")], 0).stdout;
    assert!(counts.contains("{\"UserType\":\"Guest\",\"count_\":1}") && counts.lines().count() == 2, "{counts}");
}

/// Other values that shapes spell in their own way.
#[test]
fn closed_sets_of_values_have_one_spelling() {
    let folder = tempfile::tempdir().expect("a folder");
    let graph = r#"{"id":"1","createdDateTime":"2026-03-02T09:05:11Z","isInteractive":true,"status":{"errorCode":0},
        "userAgent":"x","riskState":"ATRISK","conditionalAccessStatus":"Success","userType":"administrator"}"#;
    let graph = write(folder.path(), "graph.json", graph);
    let query = "SigninLogs | where RiskState == 'atRisk' and ConditionalAccessStatus == 'success' | project UserType";
    assert_eq!(run(&[query, &graph], 0).stdout, "{\"UserType\":\"administrator\"}\n");
    let level = "SigninLogs | where Level == '4' | count";
    assert_eq!(run(&[level, &format!("{SHAPES}/diag-variants")], 0).stdout, "{\"Count\":10}\n");
    let version = "SigninLogs | where OperationVersion == '1.0' | count";
    assert_eq!(run(&[version, &format!("{SHAPES}/la-portal-csv-resaved")], 0).stdout, "{\"Count\":10}\n");
    // What cannot be mapped is told.
    let signature = "SigninLogs | where ResultSignature == 'SUCCESS' | count";
    let output = run(&[signature, &format!("{SHAPES}/diag-storage-legacy")], 0);
    assert!(output.stderr.contains("warning: ResultSignature is \"None\" in older records"), "{output:?}");
    assert!(!run(&[signature, "testdata/signinlogs"], 0).stderr.contains("ResultSignature"));
    let policies = "SigninLogs | mv-expand P = ConditionalAccessPolicies | where P.conditionsSatisfied == 3 | count";
    let output = run(&[policies, &format!("{SHAPES}/graph-beta")], 0);
    assert!(output.stderr.contains("are bit masks in the table"), "{output:?}");
}

/// The labels of the admin center follow its language.
#[test]
fn labels_of_the_admin_center_become_values_or_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let renamed = sample(PORTAL_CSV).replace("Not Applied", "not applied").replace(",Failure,", ",Échec,");
    let path = write(folder.path(), "InteractiveSignIns_x.csv", renamed);
    let query = "SigninLogs | summarize count() by ConditionalAccessStatus | order by ConditionalAccessStatus asc";
    let output = run(&[query, &path, "-o", "csv", "--strict"], 5);
    assert!(output.stdout.contains("notApplied,") && output.stdout.contains("Échec,"), "{output:?}");
    assert!(output.stderr.contains("of ConditionalAccessStatus"), "{output:?}");
    assert!(output.stderr.contains("perhaps of another language of the admin center"), "{output:?}");
    let query = "SigninLogs | where ConditionalAccessStatus == 'notApplied' | count";
    assert_eq!(run(&[query, &path], 0).stdout, "{\"Count\":4}\n");
}

/// A path that an export has no source for is told as a whole column is.
#[test]
fn paths_without_a_source_are_reported() {
    let portal = format!("{SHAPES}/{PORTAL_CSV}");
    for (query, path) in [
        ("SigninLogs | where DeviceDetail.displayName == 'PC'", "DeviceDetail.displayName"),
        ("SigninLogs | extend n = tostring(DeviceDetail.displayName) | where n has 'PC'", "DeviceDetail.displayName"),
        (
            "SigninLogs | where toreal(LocationDetails.geoCoordinates.latitude) > 60",
            "LocationDetails.geoCoordinates.latitude",
        ),
    ] {
        let output = run(&[query, &portal], 0);
        let warning = format!("warning: {path} is not exported in CSV rows of the Entra admin center, {NO_EVIDENCE}");
        assert!(output.stderr.contains(&warning), "{query}: {output:?}");
    }
    let supplied = "SigninLogs | where DeviceDetail.browser has 'Firefox' and LocationDetails.city == 'Sofia'";
    assert!(!run(&[supplied, &portal], 0).stderr.contains("warning"));
    // So is a column or a path that this file alone lacks.
    let folder = tempfile::tempdir().expect("a folder");
    let older = sample(PORTAL_CSV).replace("User type", "X").replace("Browser,", "Y,");
    let older = write(folder.path(), "InteractiveSignIns_older.csv", older);
    for (query, column) in [
        ("SigninLogs | where UserType == 'Guest'", "UserType"),
        ("SigninLogs | where DeviceDetail.browser has 'curl'", "DeviceDetail.browser"),
    ] {
        let output = run(&[query, &older], 0);
        let warning = format!("{column} is no column of a CSV file of the Entra admin center, {NO_EVIDENCE}");
        assert!(output.stderr.contains(&warning), "{query}: {output:?}");
        assert!(!run(&[query, &portal], 0).stderr.contains(NO_EVIDENCE), "{query}");
    }
}

/// Downloads of the admin center say in their name whether sign-ins are interactive.
#[test]
fn names_of_downloads_tell_whether_sign_ins_are_interactive() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = sample(PORTAL_CSV);
    let query = "summarize count() by IsInteractive";
    let interactive = write(folder.path(), "InteractiveSignIns_1.csv", &text);
    let others = write(folder.path(), "NonInteractiveSignIns_1.csv", &text);
    let renamed = write(folder.path(), "signins.csv", &text);
    let count = |table: &str, path: &str, value: &str| {
        let output = run(&[&format!("{table} | {query}"), path], 0);
        assert_eq!(output.stdout, format!("{{\"IsInteractive\":{value},\"count_\":10}}\n"), "{path}");
        output.stderr.contains("warning: IsInteractive is not told")
    };
    assert!(!count("SigninLogs", &interactive, "true"));
    assert!(!count("AADNonInteractiveUserSignInLogs", &others, "false"));
    assert!(count("SigninLogs", &renamed, "null"), "the name tells nothing");
}
