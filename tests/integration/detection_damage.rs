//! Damage of the data is told by the commands about detection rules, and ends them with 5 if `--strict` is given.

use crate::command::{coldcase_at, folder};

const RULE: &str = "\
id: a
name: Emergency
kind: Scheduled
severity: High
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
query: SigninLogs | where UserPrincipalName startswith 'bg-' | project TimeGenerated, UserPrincipalName, Id, AppDisplayName
";

/// A file with damage, and what is said about it.
const DAMAGE: [(&str, &str, &str); 4] = [
    ("torn.json", "{\"TimeGenerated\":\"2026-03-02T10:00:00Z\",\"Type\":\"Signin\n", "1 record was not read"),
    ("noise.json", "no export\n", "not read: neither JSON nor CSV"),
    (
        "page.json",
        r#"{"value":[{"TimeGenerated":"2026-03-02T10:00:00Z","Type":"SigninLogs","Id":"9"}],"nextLink":"https://contoso.com"}"#,
        "names a next page",
    ),
    (
        "time.json",
        "{\"TimeGenerated\":\"yesterday\",\"Type\":\"SigninLogs\",\"Id\":\"9\",\"UserPrincipalName\":\"bg-9\"}\n",
        "TimeGenerated cannot be read",
    ),
];

#[test]
fn damage_is_told_by_every_command() {
    let row = |id: u32, user: &str, app: &str| {
        format!(
            "{{\"TimeGenerated\":\"2026-03-02T0{id}:30:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"ResultType\":\"0\",\
             \"AppDisplayName\":\"{app}\",\"UserPrincipalName\":\"{user}\"}}\n"
        )
    };
    let rows = row(1, "bg-1@contoso.com", "Portal")
        + &row(3, "bg-1@contoso.com", "Portal")
        + &row(5, "bg-1@contoso.com", "Mail");
    let labels = "AppDisplayName,Label\nPortal,FalsePositive\nMail,TruePositive\n";
    let commands: [&[&str]; 5] = [
        &["hunt", "rule.yaml", "data"],
        &["backtest", "rule.yaml", "data"],
        &["check", "rule.yaml", "--data", "data"],
        &["rule", "tune", "rule.yaml", "data", "--labels", "labels.csv"],
        &["SigninLogs | count", "data", "--dedup", "Id"],
    ];
    for (name, text, said) in DAMAGE {
        let files =
            [("rule.yaml", RULE), ("labels.csv", labels), ("data/a.jsonl", &rows), (&format!("data/{name}"), text)];
        let folder = folder(&files);
        for command in commands {
            // These do not read the time of every row.
            if name == "time.json" && !["hunt", "backtest", "rule"].contains(&command[0]) {
                continue;
            }
            let output = coldcase_at(folder.path(), command, b"");
            assert!(output.code == 0 && output.stderr.contains(said), "{name}: {command:?}: {output:?}");
            let strict = coldcase_at(folder.path(), &[command, &["--strict"]].concat(), b"");
            assert!(strict.code == 5 && strict.stderr.contains(said), "{name}: {command:?}: {strict:?}");
        }
    }
}
