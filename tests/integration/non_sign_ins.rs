//! Objects beside sign-ins that are not sign-ins: they are not read as sign-ins, and their files are reported.

use std::fs;

use crate::command::coldcase;

/// Pages of Graph whose objects have `createdDateTime`, like sign-ins.
const NON_SIGN_INS: [(&str, &str); 9] = [
    ("users", r#""displayName":"Ann","userPrincipalName":"ann@contoso.com","accountEnabled":true"#),
    ("policies", r#""displayName":"CA001","modifiedDateTime":null,"state":"enabled","conditions":{}"#),
    ("groups", r#""displayName":"G","mailEnabled":false,"securityEnabled":true"#),
    ("applications", r#""appId":"a","displayName":"App","signInAudience":"AzureADMyOrg""#),
    ("servicePrincipals", r#""appId":"a","appDisplayName":"App","servicePrincipalType":"Application""#),
    ("appRoleAssignments", r#""principalDisplayName":"Ann","resourceDisplayName":"App","resourceId":"r""#),
    ("alerts", r#""status":"newAlert","severity":"high","title":"x""#),
    ("incidents", r#""status":"active","displayName":"x","severity":"low""#),
    ("devices", r#""displayName":"D","deviceId":"d","operatingSystem":"Windows""#),
];

/// Objects with `createdDateTime` that are sign-ins: exports omit keys, and fill others with null.
const SIGN_INS: [&str; 9] = [
    r#""status":{"errorCode":0}"#,
    r#""status":"@{errorCode=0}""#,
    r#""status":null,"ipAddress":null"#,
    r#""userPrincipalName":"ann@contoso.com","appDisplayName":"App""#,
    r#""userPrincipalName":"ann@contoso.com","appId":"a""#,
    r#""isInteractive":true"#,
    r#""signInEventTypes":["interactiveUser"]"#,
    r#""conditionalAccessStatus":null"#,
    r#""clientAppUsed":"Browser""#,
];

fn object(id: &str, members: &str) -> String {
    format!(r#"{{"id":"{id}","createdDateTime":"2026-03-02T09:00:00Z",{members}}}"#)
}

#[test]
fn other_graph_objects_are_not_sign_ins() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
    for (name, members) in NON_SIGN_INS {
        let page = [object("1", members), object("2", members)].join(",");
        write(&format!("{name}.json"), format!(r#"{{"@odata.context":"x#{name}","value":[{page}]}}"#));
    }
    let sign_ins: Vec<String> =
        SIGN_INS.iter().enumerate().map(|(index, members)| object(&format!("s{index}"), members)).collect();
    write("z-signIns.json", format!(r#"{{"value":[{}]}}"#, sign_ins.join(",")));
    let path = folder.path().to_str().expect("UTF-8");
    let output = coldcase(&["SigninLogs | summarize count(), countif(Id startswith 's')", path, "-o", "csv"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "count_,countif_\r\n9,9\r\n"), "{output:?}");
    let note = output.stderr.lines().find(|line| line.contains("of unrecognised shape")).expect("a warning");
    for words in ["alerts.json 2, ", "appRoleAssignments.json 2, ", "applications.json 2, 6 more files 12"] {
        assert!(note.contains(words), "{note}");
    }
}

#[test]
fn files_of_unknown_records_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("other.jsonl", "{\"a\":1}\n{\"a\":2}\n");
    write("signins.jsonl", &object("s", SIGN_INS[0]));
    let output = coldcase(&["SigninLogs | count", folder.path().to_str().expect("UTF-8")]);
    let note =
        output.stderr.lines().find(|line| line.starts_with("warning: skipped 2 records of unrecognised shape: "));
    assert!(note.is_some_and(|note| note.ends_with("other.jsonl")), "{output:?}");
}

/// Records that name an unknown table form a table of their own; a known one may be meant all the same.
#[test]
fn unknown_table_names_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let row = |ty: &str| format!("{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"{ty}\",\"Id\":\"{ty}\"}}\n");
    let file = path("rows.json");
    fs::write(&file, row("SigninLogs") + &row("signinlogs") + &row("Heartbeat")).expect("written");
    let output = coldcase(&["SigninLogs | project Id", &file, "-o", "csv"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "Id\r\nSigninLogs\r\nsigninlogs\r\n"), "{output:?}");
    assert!(output.stderr.contains("records of \"Heartbeat\" belong to other tables, not to SigninLogs"), "{output:?}");
    let output = coldcase(&["convert", &file, "-O", &path("archive"), "--strict"]);
    assert_eq!(output.code, 5, "{output:?}");
    let output = coldcase(&["convert", &file, "-O", &path("archive")]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("records of \"Heartbeat\" were not converted"), "{output:?}");
    // Diagnostic settings always name a category.
    let nameless = path("nameless.json");
    let record = "{\"time\":\"2026-03-02T09:00:00Z\",\"category\":\"\",\"properties\":{\"id\":\"1\"}}\n";
    fs::write(&nameless, record.to_owned() + &record.replace("\"\"", "\"SignInLogs\"")).expect("written");
    let output = coldcase(&["SigninLogs | count", &nameless, "-o", "csv"]);
    assert!(output.stdout == "Count\r\n1\r\n" && output.stderr.contains("of unrecognised shape"), "{output:?}");
    // Graph lists kinds of sign-ins, some of which it does not know yet.
    let graph = path("graph.json");
    fs::write(&graph, object("1", r#""signInEventTypes":["unknownFutureValue","nonInteractiveUser"]"#))
        .expect("written");
    let output = coldcase(&["AADNonInteractiveUserSignInLogs | count", &graph, "-o", "csv"]);
    assert_eq!(output.stdout, "Count\r\n1\r\n", "{output:?}");
}

/// Parquet files of unknown tables among others.
#[test]
fn unknown_parquet_files_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let row = "print TimeGenerated = datetime(2026-03-02), Type = 'SigninLogs', Id = '1'";
    for (name, query) in [("known.parquet", row), ("other.parquet", "print a = 1")] {
        assert_eq!(coldcase(&[query, "-O", &path(name)]).code, 0);
        crate::integrity::unmark(&path(name));
    }
    let folder = path("");
    let output = coldcase(&["SigninLogs | count", &folder, "-o", "csv"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "Count\r\n1\r\n"), "{output:?}");
    assert!(output.stderr.contains("unrecognised shape: ") && output.stderr.contains("other.parquet"), "{output:?}");
    assert_eq!(coldcase(&["SigninLogs | count", &folder, "--strict"]).code, 5);
}

/// A column that a shape lacks is reported even if all columns are read and the condition follows later.
#[test]
fn a_column_without_a_source_is_reported_if_all_columns_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("graph.json");
    let context = "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns";
    let page = object("1", r#""status":{"errorCode":0},"isInteractive":true"#);
    fs::write(&file, format!(r#"{{"@odata.context":"{context}","value":[{page}]}}"#)).expect("written");
    let file = file.to_str().expect("UTF-8");
    for (query, told) in [
        ("SigninLogs | summarize arg_max(TimeGenerated, *) by Id | where UserAgent has 'x'", true),
        ("SigninLogs | take 1 | where UserAgent has 'x'", true),
        ("SigninLogs | top 1 by TimeGenerated | extend Agent = strlen(UserAgent)", true),
        ("SigninLogs | project-away TenantId", false),
        ("SigninLogs | summarize arg_max(TimeGenerated, *) by Id", false),
    ] {
        let output = coldcase(&[query, file, "-o", "csv"]);
        assert_eq!(output.code, 0, "{output:?}");
        assert_eq!(output.stderr.contains("UserAgent is not exported in"), told, "{query}: {output:?}");
    }
}

/// A partial Log Analytics response is reported; with `--strict`, it is damage.
#[test]
fn partial_responses_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answer.json");
    let columns = r#"[{"name":"TimeGenerated"},{"name":"Type"},{"name":"Id"}]"#;
    let rows = r#"[["2026-03-02T09:00:00Z","SigninLogs","1"]]"#;
    let answer =
        |error: &str| format!(r#"{{"tables":[{{"name":"PrimaryResult","columns":{columns},"rows":{rows}}}]{error}}}"#);
    let path = file.to_str().expect("UTF-8");
    for (error, code) in [("", 0), (r#","error":{"code":"PartialError","message":"x"}"#, 5)] {
        fs::write(&file, answer(error)).expect("written");
        let output = coldcase(&["SigninLogs | count", path, "-o", "csv", "--strict"]);
        assert_eq!((output.code, output.stdout.as_str()), (code, "Count\r\n1\r\n"), "{output:?}");
        assert_eq!(output.stderr.contains("rows are missing"), code == 5, "{output:?}");
    }
}
