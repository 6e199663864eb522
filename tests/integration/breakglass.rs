//! `coldcase breakglass`.

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase, coldcase_at, lines};

const ACCOUNTS: [&str; 4] = ["--account", "BG-admin-01@contoso.com", "--account", "bg-admin-02@contoso.com"];

fn review(more: &[&str]) -> Output {
    let args = ["breakglass", "testdata/signinlogs", "--now", "2026-03-05", "-o", "jsonl"];
    coldcase(&[&args[..], more].concat())
}

#[test]
fn each_account_has_a_row() {
    let window = ["--maintenance", "2026-03-02T13:00:00Z/2026-03-02T14:00:00Z"];
    let output = review(&[&ACCOUNTS[..], &window].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    let rows = lines(&output);
    assert_eq!(rows.len(), 2);
    let [first, second] = [&rows[0], &rows[1]];
    assert_eq!(
        (&first["Account"], &first["Successes"], &first["Failures"]),
        (&"bg-admin-01@contoso.com".into(), &1.into(), &2.into())
    );
    assert_eq!((&first["OutsideMaintenance"], &second["OutsideMaintenance"]), (&3.into(), &0.into()));
    assert_eq!((&first["DaysSinceSuccess"], &second["Places"]), (&3.into(), &json!(["IE"])));
    assert_eq!(first["AppliedPolicies"], json!(["CA001 - Require MFA for all users"]));
    assert_eq!(second["PasswordReset"], Json::Null);
    for warning in [
        "Conditional Access were applied to bg-admin-01@contoso.com",
        "contain no AADServicePrincipalSignInLogs",
        "contain no AuditLogs records",
        "contain no AADNonInteractiveUserSignInLogs records",
    ] {
        assert!(output.stderr.contains(warning), "{warning}\n{}", output.stderr);
    }
}

#[test]
fn what_a_review_lacks_is_said() {
    let output = review(&["--account", "bg-3@contoso.com"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!((&lines(&output)[0]["Successes"], &lines(&output)[0]["OutsideMaintenance"]), (&0.into(), &Json::Null));
    assert!(output.stderr.contains("fewer than two emergency accounts"), "{}", output.stderr);
    assert!(output.stderr.contains("bg-3@contoso.com has no successful sign-in"), "{}", output.stderr);
    // A name is data, whatever its characters.
    assert_eq!(review(&["--account", "x\"] | take 0 //\\"]).code, 0);
    assert_eq!(review(&[]).code, 2);
    assert_eq!(review(&["--account", "a", "--maintenance", "2026-03-02"]).code, 2);
    assert_eq!(review(&["--account", "a", "--maintenance", "2026-03-02/2026-03-01"]).code, 2);
}

/// A sign-in of an account at an hour and minute of a day of March, with other fields.
fn sign_in(account: &str, day: u32, time: &str, more: &Json) -> String {
    let mut record = json!({"TimeGenerated": format!("2026-03-{day:02}T{time}:00Z"), "Category": "SignInLogs",
        "UserPrincipalName": account, "UserId": format!("id-of-{account}"), "AppDisplayName": "Portal",
        "ConditionalAccessStatus": "success", "ResultType": "0"});
    for (key, value) in more.as_object().expect("an object") {
        record[key] = value.clone();
    }
    format!("{record}\n")
}

fn review_of(files: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let common = ["breakglass", ".", "--now", "2026-03-20", "-o", "jsonl"];
    let output = crate::command::coldcase_at(folder.path(), &[&common[..], args].concat(), b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    output
}

#[test]
fn a_review_tells_what_logs_tell() {
    let reset = |time: &str| {
        let target = json!([{"userPrincipalName": "bg1@contoso.com"}]);
        json!({"TimeGenerated": format!("2026-03-02T{time}:00Z"), "OperationName": "Reset user password", "Result": "success",
            "Category": "UserManagement", "TargetResources": target, "AADTenantId": "t", "ActivityDisplayName": "Reset"})
        .to_string()
    };
    let unknown = json!({"ResultType": null});
    let sign_ins = [
        sign_in("bg1@contoso.com", 2, "12:59", &json!({})),
        sign_in("bg2@contoso.com", 2, "13:01", &json!({"ResultType": "53003"})),
        sign_in("bg2@contoso.com", 5, "10:00", &unknown),
        sign_in("bg3@contoso.com", 2, "18:00", &json!({})),
    ];
    let accounts =
        ["--account", "bg1@contoso.com", "--account", "ID-of-bg2@contoso.com", "--account", "bg3@contoso.com"];
    let (sign_ins, early, late) = (sign_ins.concat(), reset("09:00"), reset("19:00"));
    let run = |reset: &str, more: &[&str]| {
        review_of(&[("sign-ins.jsonl", &sign_ins), ("audit.jsonl", reset)], &[&accounts[..], more].concat())
    };
    let output = run(&early, &["-t", "AuditLogs=audit.jsonl", "-t", "SigninLogs=sign-ins.jsonl"]);
    let rows = lines(&output);
    let warning =
        "bg1@contoso.com signed in at 2026-03-02T12:59:00.0000000Z, and its password was not reset afterwards";
    assert!(output.stderr.contains(warning), "{}", output.stderr);
    assert_eq!(
        rows.iter().map(|row| row["ResetAfterUse"].clone()).collect::<Vec<_>>(),
        [json!(false), json!(false), Json::Null]
    );
    let second = &rows[2];
    assert_eq!(
        (&second["Account"], &second["Failures"], &second["UnknownResults"]),
        (&"id-of-bg2@contoso.com".into(), &1.into(), &1.into())
    );
    assert_eq!(rows[0]["UsedWith"], json!(["id-of-bg2@contoso.com"]));
    assert_eq!(rows[1]["UsedWith"], json!([]));
    assert_eq!(rows[0]["DaysWithoutData"], json!(["2026-03-03", "2026-03-04"]));
    let tables = ["-t", "AuditLogs=audit.jsonl", "-t", "SigninLogs=sign-ins.jsonl"];
    let output = run(&late, &[&tables[..], &["--from", "2026-03-01", "--to", "2026-03-08"]].concat());
    assert!(!output.stderr.contains("bg1@contoso.com signed in at"), "{}", output.stderr);
    let days = ["2026-03-01", "2026-03-03", "2026-03-04", "2026-03-06", "2026-03-07"];
    assert_eq!(lines(&output)[0]["DaysWithoutData"], json!(days));
}

#[test]
fn days_of_non_interactive_sign_ins_are_days_with_data() {
    let record = |day| sign_in("bg1@contoso.com", day, "10:00", &json!({"Category": "NonInteractiveUserSignInLogs"}));
    let data = record(1) + &record(4);
    let args = [
        "-t",
        "AADNonInteractiveUserSignInLogs=n.jsonl",
        "--account",
        "bg1@contoso.com",
        "--account",
        "bg2@contoso.com",
    ];
    let rows = lines(&review_of(&[("n.jsonl", &data)], &args));
    assert_eq!(rows[0]["DaysWithoutData"], json!(["2026-03-02", "2026-03-03"]));
    assert_eq!((&rows[0]["ResetAfterUse"], &rows[1]["Places"]), (&Json::Null, &json!([])));
    for (args, reason) in [
        (&["--account", " "][..], "must not be empty"),
        (&["--account", "a", "--maintenance", "2026-03-02/2026-03-01"], "FROM must be before TO"),
    ] {
        let output = review(args);
        assert!(output.code == 2 && output.stderr.contains(reason), "{}", output.stderr);
    }
}

#[test]
fn an_account_that_is_given_twice_is_one() {
    let files = [("s.jsonl", &*(sign_in("bg1@contoso.com", 2, "10:00", &json!({})) + "\n"))];
    let args = ["--account", "bg1@contoso.com", "--account", "ID-of-bg1@contoso.com"];
    let output = review_of(&files, &args);
    let rows = lines(&output);
    assert_eq!((output.code, rows.len()), (0, 1), "{}", output.stderr);
    assert_eq!((&rows[0]["Account"], &rows[0]["Successes"]), (&"bg1@contoso.com".into(), &1.into()));
    assert_eq!(rows[0]["AlsoGivenAs"], json!(["id-of-bg1@contoso.com"]));
    for warning in ["it is one account", "fewer than two emergency accounts"] {
        assert!(output.stderr.contains(warning), "{warning}\n{}", output.stderr);
    }
    assert!(!output.stderr.contains("has no successful sign-in"), "{}", output.stderr);
    // A sign-in under an earlier name is one of the account.
    let renamed = json!({"UserId": "id-of-bg1@contoso.com"});
    let earlier = files[0].1.to_owned() + &sign_in("old@contoso.com", 1, "09:00", &renamed) + "\n";
    let rows = lines(&review_of(&[("s.jsonl", &*earlier)], &args));
    assert_eq!((rows.len(), &rows[0]["Successes"]), (1, &2.into()));
    // Two accounts stay two.
    let args = ["--account", "bg1@contoso.com", "--account", "id-of-bg2@contoso.com"];
    assert_eq!(lines(&review_of(&files, &args)).len(), 2);
}

#[test]
fn a_review_needs_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = coldcase_at(folder.path(), &["breakglass", "--account", "a@contoso.com"], b"");
    assert!(output.code == 2 && output.stderr.starts_with("error: no data: give files"), "{}", output.stderr);
}
