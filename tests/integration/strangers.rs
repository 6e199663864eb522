//! Objects that lie beside sign-ins and are none: they are not read as sign-ins, and the files they are in are named.

use std::fs;

use crate::command::coldcase;

/// Pages of Graph whose objects have `createdDateTime`, as sign-ins do.
const STRANGERS: [(&str, &str); 9] = [
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

/// What makes a sign-in of an object with `createdDateTime`; exports leave keys out, and fill others with null.
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
fn other_objects_of_graph_are_no_sign_ins() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
    for (name, members) in STRANGERS {
        let page = [object("1", members), object("2", members)].join(",");
        write(&format!("{name}.json"), format!(r#"{{"@odata.context":"x#{name}","value":[{page}]}}"#));
    }
    let sign_ins: Vec<String> =
        SIGN_INS.iter().enumerate().map(|(index, members)| object(&format!("s{index}"), members)).collect();
    write("z-signIns.json", format!(r#"{{"value":[{}]}}"#, sign_ins.join(",")));
    let path = folder.path().to_str().expect("UTF-8");
    let output = coldcase(&["SigninLogs | summarize count(), countif(Id startswith 's')", path, "-o", "csv"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "count_,countif_\r\n9,9\r\n"), "{output:?}");
    let note = output.stderr.lines().find(|line| line.contains("of no known shape")).expect("a note");
    for words in ["alerts.json 2, ", "appRoleAssignments.json 2, ", "applications.json 2, 6 more files 12 (18 times)"] {
        assert!(note.contains(words), "{note}");
    }
}

#[test]
fn a_file_of_unknown_records_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("other.jsonl", "{\"a\":1}\n{\"a\":2}\n");
    write("signins.jsonl", &object("s", SIGN_INS[0]));
    let output = coldcase(&["SigninLogs | count", folder.path().to_str().expect("UTF-8")]);
    let note = output.stderr.lines().find(|line| line.starts_with("note: records of no known shape: not read: "));
    assert!(note.is_some_and(|note| note.ends_with("other.jsonl (2 times)")), "{output:?}");
}
