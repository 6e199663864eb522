//! `coldcase breakglass`.

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase};

const ACCOUNTS: [&str; 4] = ["--account", "BG-admin-01@contoso.com", "--account", "bg-admin-02@contoso.com"];

fn review(more: &[&str]) -> Output {
    let args = ["breakglass", "testdata/signinlogs", "--now", "2026-03-05", "-o", "jsonl"];
    coldcase(&[&args[..], more].concat())
}

fn lines(output: &Output) -> Vec<Json> {
    output.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
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
