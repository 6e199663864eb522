//! `coldcase hunt`: rules of every form run once, their rows are one timeline, and a rule that cannot run ends no other.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::command::{Output, coldcase, coldcase_at, lines};

const ROWS: &str = "\
{\"TimeGenerated\":\"2026-03-01T10:00:00Z\",\"UserPrincipalName\":\"bg\",\"IPAddress\":\"203.0.113.7\",\"ResultType\":\"1\"}
{\"TimeGenerated\":\"2026-03-02T10:00:00Z\",\"UserPrincipalName\":\"=cmd\",\"IPAddress\":\"203.0.113.8\",\"ResultType\":\"2\"}
{\"TimeGenerated\":\"2026-03-03T10:00:00Z\",\"UserPrincipalName\":\"bg\\u001b[2J\",\"IPAddress\":\"\",\"ResultType\":\"3\"}
";

const RULE: &str = "\
id: rule-1
name: Emergency account
kind: Scheduled
severity: High
queryFrequency: 5m
queryPeriod: 5m
triggerOperator: gt
triggerThreshold: 0
tactics: [InitialAccess]
relevantTechniques: [T1078]
query: T | where UserPrincipalName == 'bg'
entityMappings:
  - entityType: Account
    fieldMappings: [{ identifier: Name, columnName: UserPrincipalName }]
  - entityType: IP
    fieldMappings: [{ identifier: Address, columnName: IPAddress }]
";

const HUNTING: &str = "\
id: hunting-1
name: New addresses
tactics:
  - Discovery
query: |
  T
  | where TimeGenerated between (datetime({{StartTimeISO}}) .. datetime({{EndTimeISO}}))
  | project When = TimeGenerated, IPAddress
";

/// A folder with rows, and with files of rules.
fn folder(rules: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    fs::write(folder.path().join("rows.jsonl"), ROWS).expect("written");
    for (name, text) in rules {
        fs::write(folder.path().join("rules").join(name), text).expect("written");
    }
    folder
}

fn hunt(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["hunt", "rules", "-t", "T=rows.jsonl"], args].concat(), b"")
}

#[test]
fn rules_of_every_form_are_one_timeline() {
    let saved = json!({"type": "Microsoft.OperationalInsights/workspaces/savedSearches", "name": "saved", "properties": {
        "displayName": "Saved", "query": "T | where ResultType == 3 | project TimeGenerated, ResultType",
        "tags": [{"name": "tactics", "value": "Execution, Impact"}, {"name": "techniques", "value": "T1059"}]}});
    let alert = json!({"type": "Microsoft.Insights/scheduledQueryRules", "name": "log", "properties": {
        "displayName": "Log alert", "severity": 1,
        "criteria": {"allOf": [{"query": "T | where ResultType == 1"}, {"query": "T | count"}]}}});
    let detection = json!({"id": "7", "displayName": "Detection", "queryCondition": {"queryText": "T | where ResultType == 2"},
        "detectionAction": {"alertTemplate": {"severity": "low", "category": "Persistence",
        "entityMappings": {"accounts": [{"nameColumn": "UserPrincipalName"}]}}}});
    let template = json!({"resources": [saved, alert]}).to_string();
    let folder = folder(&[
        ("a.yaml", RULE),
        ("b.yml", HUNTING),
        ("c.json", &template),
        ("d.json", &detection.to_string()),
        ("e.kql", "T | summarize Rows = count()"),
        ("readme.yaml", "title: no rule\n"),
    ]);
    let output = hunt(folder.path(), &["-o", "jsonl"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let rows = lines(&output);
    let shown: Vec<(Option<&str>, &str)> =
        rows.iter().map(|row| (row["Time"].as_str(), row["Rule"].as_str().expect("a name"))).collect();
    let [first, second, third] = [1, 2, 3].map(|day| format!("2026-03-0{day}T10:00:00.0000000Z"));
    let expected = [
        (Some(&*first), "Emergency account"),
        (Some(&*first), "New addresses"),
        (Some(&*first), "Log alert (query 1)"),
        (Some(&*second), "New addresses"),
        (Some(&*second), "Detection"),
        (Some(&*third), "New addresses"),
        (Some(&*third), "Saved"),
        (None, "Log alert (query 2)"),
        (None, "e"),
    ];
    assert_eq!(shown, expected);
    let rule = &rows[0];
    assert_eq!(
        (&rule["Severity"], &rule["RuleId"], &rule["RuleFile"]),
        (&"High".into(), &"rule-1".into(), &"rules/a.yaml".into())
    );
    assert_eq!((&rule["Tactics"], &rule["Techniques"]), (&json!(["InitialAccess"]), &json!(["T1078"])));
    let entities = json!([{"Type": "Account", "Name": "bg"}, {"Type": "IP", "Address": "203.0.113.7"}]);
    assert_eq!((&rule["Entities"], &rule["Result"]["ResultType"]), (&entities, &"1".into()));
    assert_eq!((&rows[1]["TimeColumn"], &rows[2]["Severity"]), (&"When".into(), &"Sev1".into()));
    assert_eq!(rows[4]["Entities"], json!([{"Type": "accounts", "name": "=cmd"}]));
    assert_eq!((&rows[6]["Tactics"], &rows[6]["Techniques"]), (&json!(["Execution", "Impact"]), &json!(["T1059"])));
    for text in [
        "{{StartTimeISO}} is filled with 2026-03-01T09:59:59.9999999Z",
        "readme.yaml: skipped",
        "7 rules: 7 found 9 rows",
    ] {
        assert!(output.stderr.contains(text), "{text}\n{}", output.stderr);
    }
}

#[test]
fn a_rule_that_cannot_run_ends_no_other() {
    let unknown = RULE.replace("T | where", "Nowhere | where").replace("Emergency account", "Unknown table");
    let folder = folder(&[
        ("a.yaml", &unknown),
        ("b.yaml", RULE),
        ("c.yaml", &HUNTING.replace("{{EndTimeISO}}", "{{Tenant}}")),
        ("d.yaml", "name: [\n"),
        ("e.json", "{\"name\": \"x\", \"kind\": \"Scheduled\", \"severity\": \"High\"}"),
    ]);
    let output = hunt(folder.path(), &["-o", "jsonl"]);
    assert_eq!((output.code, lines(&output).len()), (1, 1), "{}", output.stderr);
    for text in [
        "rules/a.yaml:11:8: the rule `Unknown table` did not run, so its rows are missing",
        "`Nowhere`",
        "{{Tenant}}",
        "rules/d.yaml:1:7: not part of the hunt",
        "rules/e.json:1:1: not part of the hunt: the rule has no query",
        "5 rules: 1 found 1 row, 4 did not run",
    ] {
        assert!(output.stderr.contains(text), "{text}\n{}", output.stderr);
    }
    // If no rule runs, that is an error.
    fs::remove_file(folder.path().join("rules/b.yaml")).expect("removed");
    let output = hunt(folder.path(), &["-o", "jsonl"]);
    assert_eq!((output.code, &*output.stdout), (3, ""), "{}", output.stderr);
}

#[test]
fn the_time_range_counts_for_all_rules() {
    let folder = folder(&[("a.yaml", RULE), ("b.yaml", HUNTING)]);
    let output = hunt(folder.path(), &["-o", "jsonl", "--from", "2026-03-02", "--to", "2026-03-03"]);
    let rows = lines(&output);
    assert_eq!((output.code, rows.len()), (0, 1), "{}", output.stderr);
    assert_eq!(rows[0]["Result"]["IPAddress"], "203.0.113.8");
}

#[test]
fn events_of_timesketch_have_what_it_requires() {
    let rule = RULE.replace("| where UserPrincipalName == 'bg'", "| where ResultType != 1 | project TimeGenerated, UserPrincipalName, IPAddress, ResultType | extend message = 'm', Tags = dynamic(['a'])");
    let folder = folder(&[("a.yaml", &rule), ("b.kql", "T | count")]);
    let output = hunt(folder.path(), &["-o", "timesketch", "--now", "2026-04-01"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let events = lines(&output);
    assert_eq!(events.len(), 3);
    let first = &events[0];
    assert_eq!(
        (&first["datetime"], &first["timestamp_desc"]),
        (&"2026-03-02T10:00:00.000000+00:00".into(), &"TimeGenerated".into())
    );
    assert_eq!(first["message"], "Emergency account [High]: Account Name==cmd; IP Address=203.0.113.8");
    assert_eq!(
        (&first["result_message"], &first["Tags"], &first["ResultType"]),
        (&"m".into(), &"[\"a\"]".into(), &"2".into())
    );
    assert_eq!((&first["rule"], &first["tactics"]), (&"Emergency account".into(), &"InitialAccess".into()));
    assert_eq!(
        (&events[2]["datetime"], &events[2]["timestamp_desc"]),
        (&"2026-04-01T00:00:00.000000+00:00".into(), &"Time of the hunt (the row has no time)".into())
    );
    assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout);
}

#[test]
fn results_are_safe_to_open_and_to_show() {
    let folder = folder(&[
        ("a.kql", "T | project TimeGenerated, UserPrincipalName"),
        ("=b.kql", "T | project TimeGenerated, UserPrincipalName"),
    ]);
    for format in ["table", "jsonl", "csv", "timesketch", "line", "md"] {
        let output = hunt(folder.path(), &["-o", format]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(!output.stdout.contains('\u{1b}'), "{format}: {}", output.stdout);
    }
    let output = hunt(folder.path(), &["-o", "csv", "--excel-safe"]);
    assert!(output.stdout.contains(",'=b,"), "{}", output.stdout);
    let output = hunt(folder.path(), &["-o", "timesketch", "--excel-safe"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
}

#[test]
fn rules_of_the_project_find_the_emergency_accounts() {
    let output = coldcase(&["hunt", "rules", "testdata/signinlogs", "-o", "jsonl"]);
    assert_eq!((output.code, lines(&output).len()), (0, 26), "{}", output.stderr);
}

/// The rows of each rule when it runs by itself.
fn rows_alone(folder: &Path, rules: &[&str], args: &[&str]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for rule in rules {
        let rule = format!("rules/{rule}");
        let output = coldcase_at(folder, &[&["hunt", &rule, "-t", "T=rows.jsonl", "-o", "jsonl"], args].concat(), b"");
        assert_eq!(output.code, 0, "{}", output.stderr);
        rows.extend(output.stdout.lines().map(str::to_owned));
    }
    rows.sort();
    rows
}

const QUERIES: &[(&str, &str)] = &[
    ("a.kql", "T | where UserPrincipalName startswith 'bg'"),
    ("b.kql", "T | where ResultType == 2 | project TimeGenerated, IPAddress"),
    ("c.kql", "T | summarize count() by bin(TimeGenerated, 2d), ResultType"),
    ("d.kql", "T | join kind=inner (T | where ResultType != 1) on UserPrincipalName"),
    ("e.kql", "T | where tostring(LocationDetails.city) == 'Cork' | project City = LocationDetails.city, ResultType"),
    ("f.kql", "T | extend Own = column_ifexists('Own', 'none') | summarize make_set(Own), count()"),
    (
        "g.kql",
        "T | where ResultType in (T | where IPAddress has '203.0.113.8' | project ResultType) | top 1 by TimeGenerated",
    ),
    ("h.kql", "T | where rand() >= 0 | count"),
    ("i.kql", "T | take 2 | count"),
];

#[test]
fn rules_that_share_a_scan_find_what_they_find_alone() {
    let folder = folder(QUERIES);
    let names: Vec<&str> = QUERIES.iter().map(|(name, _)| *name).collect();
    for args in [&[][..], &["--from", "2026-03-02"], &["--threads", "1"], &["--dedup", "ResultType"], &["--provenance"]]
    {
        let output = hunt(folder.path(), &[&["-o", "jsonl"], args].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        let mut rows: Vec<&str> = output.stdout.lines().collect();
        rows.sort_unstable();
        assert_eq!(rows, rows_alone(folder.path(), &names, args), "{args:?}");
    }
}

#[test]
fn a_shared_scan_reports_the_times_that_each_rule_lacks() {
    let later = "T | where TimeGenerated > datetime(2026-03-03) and TimeGenerated < datetime(2026-03-09) | count";
    let folder = folder(&[("a.kql", "T | where ResultType == 7"), ("b.kql", later)]);
    let output = hunt(folder.path(), &["-o", "jsonl"]);
    let covered = "these files cover only 2026-03-01T10:00:00.0000000Z to 2026-03-03T10:00:00.0000000Z";
    assert!(output.stderr.contains(covered), "{}", output.stderr);
    assert_eq!(output.stderr.matches("the query asks for").count(), 1, "{}", output.stderr);
}

#[test]
fn rules_whose_rows_do_not_fit_in_memory_run_one_after_the_other() {
    let queries = [
        ("a.kql", "T | where IPAddress has '203' | summarize arg_max(TimeGenerated, *) by ResultType"),
        ("b.kql", "T | summarize max(strlen(IPAddress)), count()"),
        ("c.kql", "T | top 2 by IPAddress asc | project TimeGenerated, ResultType"),
    ];
    let folder = folder(&queries);
    let row = |number: usize| {
        let text = format!("203.0.113.7 {number:07}").repeat(25);
        let time = format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
        let result = number % 3;
        format!(
            "{{\"TimeGenerated\":\"{time}\",\"Type\":\"SigninLogs\",\"IPAddress\":\"{text}\",\"ResultType\":\"{result}\"}}\n"
        )
    };
    fs::write(folder.path().join("rows.jsonl"), (0..60_000).map(row).collect::<String>()).expect("written");
    let names: Vec<&str> = queries.iter().map(|(name, _)| *name).collect();
    let output = hunt(folder.path(), &["-o", "jsonl", "-v", "--max-memory", "32M"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("rows that several rules need do not fit in memory"), "{}", output.stderr);
    let mut rows: Vec<&str> = output.stdout.lines().collect();
    rows.sort_unstable();
    assert_eq!(rows, rows_alone(folder.path(), &names, &[]));
}

#[test]
fn manifests_list_rules_inputs_and_the_result() {
    let folder = folder(&[
        ("a.yaml", RULE),
        ("b.kql", "T | count"),
        ("wrong.kql", "T | where Nothing == 1"),
        ("c.yaml", "id: x"),
    ]);
    let sha256 = |text: &[u8]| {
        use sha2::Digest;
        sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    for (format, file) in
        [("csv", None), ("timesketch", Some("out.jsonl")), ("timesketch", None), ("html", Some("out.html"))]
    {
        let args =
            [&["-o", format, "--manifest", "m.json"][..], &file.map_or(vec![], |file| vec!["-O", file])].concat();
        let output = hunt(folder.path(), &args);
        assert_eq!(output.code, 1, "{}", output.stderr);
        let text = fs::read_to_string(folder.path().join("m.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let [first, second, third] = manifest["answers"].as_array().expect("a list").as_slice() else {
            panic!("{text}")
        };
        let query = "T | where UserPrincipalName == 'bg'";
        assert_eq!([&first["rule"], &first["id"], &first["query"]], ["Emergency account", "rule-1", query]);
        assert_eq!([&first["rows"], &second["rows"]], [1, 1]);
        assert!(third["error"].to_string().contains("wrong.kql:1:11: "), "{text}");
        assert_eq!(manifest["rules"].as_array().map(Vec::len), Some(3), "{text}");
        assert_eq!(manifest["rules"][0]["sha256"], sha256(RULE.as_bytes()));
        assert_eq!(manifest["inputs"][0]["sha256"], sha256(ROWS.as_bytes()));
        let written = file.map_or_else(
            || output.stdout.clone().into_bytes(),
            |file| fs::read(folder.path().join(file)).expect("written"),
        );
        assert_eq!(manifest["output"]["sha256"], sha256(&written), "{format} {file:?}");
        assert_eq!(manifest["output"]["bytes"], written.len());
    }
}
