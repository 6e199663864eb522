//! `coldcase check`.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::command::{Output, coldcase, coldcase_at, coldcase_with, folder, lines};

fn check(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["check"], args].concat(), b"")
}

#[test]
fn rules_of_the_project_are_valid() {
    let output = coldcase(&["check", "--schema", "testdata/rules"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let expected = "testdata/rules/emergency.json:14: Emergency account signs in\n    TimeGenerated: datetime\n    \
                    UserPrincipalName: string\n    IPAddress: string\n";
    assert!(output.stdout.replace('\\', "/").starts_with(expected), "{}", output.stdout);
    assert!(output.stdout.ends_with("    IPAddress: string\n    Users: long\n    First: datetime\n"));
    assert!(output.stderr.contains("4 queries: 4 valid"), "{}", output.stderr);
    let quiet = coldcase(&["check", "-q", "testdata/rules"]);
    assert!(quiet.stderr.lines().all(|line| line.starts_with("warning: testdata/rules")), "{}", quiet.stderr);
}

#[test]
fn each_verdict_has_its_exit_code() {
    let cases = [
        ("a.kql", "SigninLogs | where ResultType != 0", 0),
        (
            "a.kql",
            "let t = toscalar(SigninLogs | summarize max(TimeGenerated)); AuditLogs | where TimeGenerated > t",
            0,
        ),
        ("a.kql", "search 'contoso'", 0),
        ("a.csl", "SigninLogs | where Usr == 1", 3),
        ("a.kusto", "SigninLog | count", 3),
        ("a.kql", "SigninLogs | wher x", 3),
        ("a.kql", "SigninLogs | where Day == '{{Day}}'", 3),
        ("a.kql", "SigninLogs | where TimeGenerated > todatetime('{{StartTimeISO}}')", 0),
        // A workspace may have more tables, functions and watchlists.
        ("a.kql", "DeviceProcessEvents | where FileName == 'x'", 4),
        ("a.kql", "_Im_Authentication() | count", 4),
        ("a.kql", "_GetWatchlist('VIPUsers') | project SearchKey", 4),
        ("a.kql", "workspace('w').SigninLogs | count", 4),
        ("a.kql", "SigninLogs | make-graph a --> b", 4),
        ("a.kql", "SigninLogs | evaluate bag_unpack(DeviceDetail) | project browser", 4),
        ("a.kql", "SigninLogs | evaluate bag_unpack(DeviceDetail) : (browser:string) | project browser", 0),
        ("a.kql", "DeviceProcessEvents | count | where x", 4),
        ("a.yaml", "id: a\nname: b\nquery: SigninLogs | count\n", 0),
        ("a.yml", "id: a\nname: b\nkind: Scheduled\nseverity: Low\n", 3),
        ("a.yaml", "id: a\nname: b\nkind: Fusion\nseverity: Low\n", 0),
        ("a.yaml", "id: a\nid: b\n", 3),
        ("a.yaml", "id: a\nname: b\nqueryFrequency: 5m\nquery: SigninLogs | count\n", 3),
        ("a.yaml", "a: 1\n", 3),
        ("a.json", "{", 3),
        ("a.json", r#"{"resources": [{"type": "x/alertRules", "properties": {"query": "[variables('q')]"}}]}"#, 4),
    ];
    for (name, text, code) in cases {
        let folder = folder(&[(name, text)]);
        let output = check(folder.path(), &[name]);
        assert_eq!(output.code, code, "{text}\n{}", output.stderr);
        assert_eq!(output.stdout, "");
    }
    assert_eq!(coldcase_with(&["check", "-"], "SigninLogs | count").code, 0);
    assert_eq!(coldcase_with(&["check", "-"], "SigninLogs | cont").code, 3);
    assert_eq!(coldcase(&["check"]).code, 2);
    assert_eq!(coldcase(&["check", "missing.kql"]).code, 5);
}

#[test]
fn the_worst_verdict_of_a_folder_decides() {
    let folder = folder(&[
        ("a/good.kql", "SigninLogs | count"),
        ("a/other.kql", "DeviceInfo | count"),
        ("b/other.yaml", "services:\n  web: 1\n"),
        ("b/broken.yaml", "a: [\n"),
        ("b/wrong.kql", "SigninLogs | where x"),
        ("b/README.md", "text"),
    ]);
    let codes: Vec<i32> = [&["a/good.kql"][..], &["a"], &["a", "b/broken.yaml"], &["."]]
        .iter()
        .map(|paths| check(folder.path(), paths).code)
        .collect();
    assert_eq!(codes, [0, 4, 3, 3]);
    let output = check(folder.path(), &["."]);
    assert!(output.stderr.contains("4 queries: 2 wrong, 1 not supported, 1 valid"), "{}", output.stderr);
    assert!(output.stderr.contains("other.yaml: skipped"), "{}", output.stderr);
}

#[test]
fn messages_point_into_the_file() {
    let block = "id: a\nname: Größe\nquery: |\n  SigninLogs\n  | where Größe == 1 and Usr == 2\n";
    let folded = "id: a\nname: b\nquery: >-\n  SigninLogs\n  | where\n    Usr == 2\n";
    let json = r#"{"id": "a", "name": "b", "query": "SigninLogs\n| where \"x\" == Usr"}"#;
    let folder = folder(&[("block.yaml", block), ("folded.yaml", folded), ("text.json", json)]);
    let cases = [("block.yaml", 5, 11, "Größe"), ("folded.yaml", 6, 5, "Usr"), ("text.json", 1, 65, "Usr")];
    for (name, line, column, text) in cases {
        let output = check(folder.path(), &["-o", "json", name]);
        assert_eq!(output.code, 3, "{}", output.stderr);
        let lines = lines(&output);
        let finding = &lines[0]["findings"][0];
        assert_eq!(finding["code"], "KQL2003");
        assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(line), Some(column)), "{finding}");
        assert_eq!(finding["text"], text);
        let shown = check(folder.path(), &[name]);
        assert!(shown.stderr.contains(&format!("{name}:{line}:{column}")), "{}", shown.stderr);
    }
}

#[test]
fn findings_are_written_in_each_format() {
    let rule = "id: a\nname: b\nquery: |\n  SigninLogs\n  | where Usr == 1\n";
    let folder = folder(&[("a b.yaml", rule), ("c.kql", "DeviceInfo | count"), ("d.yaml", "a: 1\na: 2\n")]);
    let output = check(folder.path(), &["-o", "json", "--schema", "."]);
    let all = lines(&output);
    let verdicts: Vec<&Json> = all.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, ["wrong", "unsupported", "wrong"]);
    assert_eq!((&all[0]["kind"], &all[0]["name"], &all[0]["line"]), (&"Hunting".into(), &"b".into(), &3.into()));

    let output = check(folder.path(), &["-o", "github", "."]);
    let github: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(output.code, 3);
    assert!(github[0].starts_with("::error file=./a b.yaml,line=5,endLine=5,col=11,endColumn=14,title=KQL2003::"));
    assert!(github[1].starts_with("::warning file=./c.kql,line=1,"), "{github:?}");
    assert!(github[2].starts_with("::error file=./d.yaml,line=2,endLine=2,col=1,"), "{github:?}");

    let output = check(folder.path(), &["-o", "sarif", "-O", "check.sarif", "."]);
    assert_eq!((output.code, output.stdout.as_str()), (3, ""));
    let text = fs::read_to_string(folder.path().join("check.sarif")).expect("written");
    let log: Json = serde_json::from_str(&text).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!((&log["version"], &run["tool"]["driver"]["name"]), (&"2.1.0".into(), &"coldcase".into()));
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("an index") as usize];
    assert_eq!(
        (&result["ruleId"], &rule["id"], &result["level"]),
        (&"KQL2003".into(), &"KQL2003".into(), &"error".into())
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(place["region"]["startLine"], 5);
    assert_eq!(run["results"].as_array().map(Vec::len), Some(3));
}

#[test]
fn findings_cannot_forge_workflow_commands() {
    let folder = folder(&[("a.kql", "SigninLogs | where ['x\\n::error::forged\\u001b[2J%0A'] == 1")]);
    let output = check(folder.path(), &["-o", "github", "a.kql"]);
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout);
}

#[test]
fn names_of_the_catalog_and_the_command_line_are_known() {
    let folder = folder(&[
        (
            "q/a.kql",
            "workspace('w').SigninLogs | join kind=inner (Devices | extend Id = tostring(Id) | where Model has 'x') on $left.AppId == $right.Id",
        ),
        ("q/b.kql", "_GetWatchlist('VIP') | project Name"),
        ("devices.csv", "Id,Model\n1,x\n"),
        ("vip.csv", "Name\nann\n"),
    ]);
    let args = [
        "q",
        "--alias",
        "workspace('w').SigninLogs=SigninLogs",
        "-t",
        "Devices=devices.csv",
        "--watchlist",
        "VIP=vip.csv",
    ];
    let output = check(folder.path(), &args);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(check(folder.path(), &["q"]).code, 4);
}

#[test]
fn queries_with_several_results_and_external_data_are_valid() {
    let query = "let L = externaldata(ip:string)['https://contoso.com/a.csv'] with (format='csv');\n\
                 SigninLogs | where IPAddress in (L) | fork (count) (take 1); print 1\n";
    let folder = folder(&[("a.kql", query)]);
    let output = check(folder.path(), &["a.kql"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

/// A scheduled rule of Microsoft Sentinel with this query, and with `changes` to its lines.
fn scheduled(query: &str, changes: &[(&str, &str)]) -> String {
    let rule = format!(
        "id: a\nname: b\nkind: Scheduled\nseverity: Low\nqueryFrequency: 5m\nqueryPeriod: 30m\ntriggerOperator: gt\n\
         triggerThreshold: 0\nquery: {}\n",
        Json::from(query)
    );
    changes.iter().fold(rule, |rule, (old, new)| rule.replace(old, new))
}

/// A log search alert rule with this query and these further properties.
fn log_alert(query: &str, more: &str) -> String {
    format!(
        "{{\"type\": \"Microsoft.Insights/scheduledQueryRules\", \"name\": \"b\", \"location\": \"westeurope\", \
         \"properties\": {{\"enabled\": true, \"scopes\": [\"/w\"], \"severity\": 1, \
         \"evaluationFrequency\": \"PT5M\", \"windowSize\": \"PT30M\", {more} \"criteria\": {{\"allOf\": [{{\"query\": {}, \
         \"timeAggregation\": \"Count\", \"operator\": \"GreaterThan\", \"threshold\": 0}}]}}}}}}",
        Json::from(query)
    )
}

/// The codes and messages of the findings about a file.
fn findings(name: &str, text: &str, args: &[&str]) -> (i32, Vec<(String, String)>) {
    let folder = folder(&[(name, text)]);
    let path = folder.path().join(name).display().to_string();
    let output = coldcase(&[&["check", "-o", "json", &path], args].concat());
    let all = lines(&output);
    let findings = all.iter().flat_map(|line| line["findings"].as_array().expect("findings").clone());
    let text = |finding: &Json, key: &str| finding[key].as_str().unwrap_or("").to_owned();
    (output.code, findings.map(|finding| (text(&finding, "code"), text(&finding, "message"))).collect())
}

#[test]
fn rules_that_their_service_rejects_are_wrong() {
    let fine = "AuditLogs | project TimeGenerated, OperationName";
    let cases = [
        (scheduled(fine, &[]), 0, ""),
        (
            scheduled(fine, &[("Frequency: 5m", "Frequency: 1m")]),
            3,
            "`queryFrequency` must be from 5 minutes to 14 days",
        ),
        (scheduled(fine, &[("Frequency: 5m", "Frequency: 1h")]), 3, "`queryFrequency` must not exceed `queryPeriod`"),
        (
            scheduled(fine, &[("Period: 30m", "Period: 2d")]),
            3,
            "at least one hour if `queryPeriod` is two days or more",
        ),
        (scheduled(fine, &[("Period: 30m", "Period: half")]), 3, "`half` is not a duration"),
        (scheduled(fine, &[("Low", "Critical")]), 3, "unknown value `Critical`"),
        (scheduled(fine, &[("Threshold: 0", "Threshold: 10001")]), 3, "not a whole number from 0 to 10000"),
        (scheduled(fine, &[("triggerOperator: gt\n", "")]), 3, "the rule has no `triggerOperator`"),
    ];
    for (text, code, message) in cases {
        let (found, findings) = findings("a.yaml", &text, &[]);
        assert_eq!(found, code, "{text}\n{findings:?}");
        let expected = if message.is_empty() { vec![] } else { vec!["rule-rejected"] };
        assert_eq!(findings.iter().map(|(kind, _)| kind).collect::<Vec<_>>(), expected, "{text}");
        assert!(findings.iter().all(|(_, text)| text.contains(message)), "{findings:?}");
    }
    let cases = [
        ("", 0, ""),
        ("\"muteActionsDuration\": \"PT5M\",", 3, "cannot be combined with `autoMitigate`"),
        ("\"overrideQueryTimeRange\": \"P3D\",", 3, "at most two days"),
        ("\"autoMitigate\": \"[parameters('x')]\",", 3, "is neither true nor false"),
    ];
    for (more, code, message) in cases {
        let (found, findings) = findings("a.json", &log_alert(fine, more), &[]);
        assert_eq!(found, code, "{more}\n{findings:?}");
        assert!(findings.iter().all(|(kind, text)| kind == "rule-rejected" && text.contains(message)), "{findings:?}");
    }
    for (query, message) in [
        ("SigninLogs | evaluate bag_unpack(DeviceDetail) : (browser: string)", "do not support `bag_unpack`"),
        ("let t = 1h; AuditLogs | where TimeGenerated > ago(t)", "needs a literal"),
    ] {
        let (code, findings) = findings("a.json", &log_alert(query, ""), &[]);
        assert!(code == 3 && findings.iter().any(|(_, text)| text.contains(message)), "{findings:?}");
    }
    let dimension = "\"dimensions\": [{\"name\": \"Usr\", \"operator\": \"Include\", \"values\": [\"*\"]}], \"query\"";
    let (code, findings_of_dimension) =
        findings("a.json", &log_alert("SigninLogs", "").replace("\"query\"", dimension), &[]);
    assert!(code == 3 && findings_of_dimension[0].1.contains("no column `Usr`"), "{findings_of_dimension:?}");
    // What only this program lacks is no mistake of the rule.
    let dynamic =
        log_alert(fine, "").replace("\"query\"", "\"criterionType\": \"DynamicThresholdCriterion\", \"query\"");
    assert_eq!(findings("a.json", &dynamic, &[]).0, 4);
}

#[test]
fn queries_that_are_too_long_for_their_service_are_not_parsed() {
    let query = format!("AuditLogs | where Nothing == '{}'", "x".repeat(70_000));
    let (code, found) = findings("a.json", &log_alert(&query, ""), &[]);
    assert_eq!((code, found.len()), (3, 1), "{found:?}");
    assert_eq!(found[0].0, "rule-rejected", "{found:?}");
}

/// Azure Monitor has only some lengths of windows.
#[test]
fn windows_that_are_advised_are_allowed() {
    let rule = log_alert("AuditLogs", "").replace("PT30M", "PT5M");
    let (_, found) = findings("a.json", &rule, &[]);
    assert!(found.iter().any(|(_, text)| text.contains("`windowSize` of at least PT15M is safe")), "{found:?}");
}

#[test]
fn templates_of_solutions_are_read() {
    let rule = "{\"type\": \"Microsoft.SecurityInsights/AlertRuleTemplates\", \"name\": \"a\", \"kind\": \"Scheduled\", \
        \"properties\": {\"displayName\": \"b\", \"severity\": \"Low\", \"query\": \"AuditLogs | where x == 1\", \
        \"queryFrequency\": \"PT5M\", \"queryPeriod\": \"PT30M\", \"triggerOperator\": \"GreaterThan\", \
        \"triggerThreshold\": 0}}";
    let package = format!(
        "{{\"resources\": [{{\"type\": \"Microsoft.OperationalInsights/workspaces/providers/contentTemplates\", \
         \"properties\": {{\"mainTemplate\": {{\"resources\": [{rule}]}}}}}}]}}"
    );
    let (code, found) = findings("a.json", &package, &[]);
    assert!(code == 3 && found.len() == 1 && found[0].0 == "KQL2003", "{found:?}");
}

#[test]
fn fields_that_a_deployment_needs_are_missed() {
    let incomplete = |text: &str| {
        let (code, findings) = findings("a.json", text, &[]);
        assert_eq!(code, 0, "{findings:?}");
        let incomplete = findings.into_iter().filter(|(kind, _)| kind == "rule-incomplete").map(|(_, text)| text);
        incomplete.collect::<Vec<_>>()
    };
    let whole = log_alert("AuditLogs", "");
    assert!(incomplete(&whole).is_empty());
    for (part, name) in [
        ("\"location\": \"westeurope\",", "location"),
        ("\"enabled\": true,", "enabled"),
        ("\"scopes\": [\"/w\"],", "scopes"),
    ] {
        let expected = format!("the rule has no `{name}`, which the service requires");
        assert_eq!(incomplete(&whole.replace(part, "")), [expected]);
    }
    let detection = |template: &str| {
        format!(
            "{{\"displayName\": \"b\", \"queryCondition\": {{\"queryText\": \"AuditLogs\"}}, \"schedule\": {{\"frequency\": \
             \"PT1H\"}}, \"detectionAction\": {{\"alertTemplate\": {{\"severity\": \"low\", {template}}}}}}}"
        )
    };
    let account = "\"entityMappings\": {\"accounts\": [{\"nameColumn\": \"Identity\"}]}";
    assert!(incomplete(&detection(&format!("\"title\": \"b\", {account}"))).is_empty());
    assert_eq!(incomplete(&detection(account)), ["the rule has no `title`, which the service requires"]);
    let expected = "the service requires an entity: the rule has neither `entityMappings` nor `impactedAssets`";
    assert_eq!(incomplete(&detection("\"title\": \"b\", \"impactedAssets\": []")), [expected]);
    let columns = "{{Identity}} {{Category}} {{Result}}";
    assert!(incomplete(&detection(&format!("\"title\": \"{columns}\", {account}"))).is_empty());
    let (code, found) = findings("a.json", &detection(&format!("\"title\": \"{columns} {{{{Id}}}}\", {account}")), &[]);
    assert!(code == 3 && found[0].1.contains("a `title` mentions at most 3 columns"), "{found:?}");
}

#[test]
fn rules_get_advice() {
    let both = "union SigninLogs, AADNonInteractiveUserSignInLogs | project TimeGenerated, UserPrincipalName";
    let cases: &[(String, &[&str])] = &[
        (scheduled(both, &[]), &[]),
        (scheduled(both, &[("Period: 30m", "Period: 5m")]), &["rule-late-rows"]),
        (scheduled(both, &[("Scheduled", "NRT")]), &[]),
        (scheduled(both, &[("query:", "suppressionEnabled: true\nsuppressionDuration: 30m\nquery:")]), &[]),
        (scheduled(both, &[("query:", "suppressionEnabled: true\nsuppressionDuration: 31m\nquery:")]), &["rule-gap"]),
        (scheduled(both, &[("query:", "suppressionEnabled: false\nsuppressionDuration: 5h\nquery:")]), &[]),
        (scheduled("SigninLogs | project TimeGenerated", &[]), &["rule-sibling-table"]),
        (scheduled("AuditLogs | project OperationName", &[]), &["rule-without-time"]),
        (scheduled("AuditLogs | project-away TimeGenerated", &[]), &["rule-without-time"]),
        (scheduled("AuditLogs | summarize count() by OperationName", &[]), &[]),
        (scheduled(both, &[("query:", "customDetails: { Who: UserPrincipalNam }\nquery:")]), &["rule-missing-column"]),
        (scheduled("AuditLogs | where TimeGenerated > ago(14d)", &[]), &["rule-short-lookback"]),
        (scheduled("AuditLogs | where TimeGenerated between (ago(2d) .. ago(1d))", &[]), &["rule-short-lookback"]),
        (scheduled("let t = 1h; AuditLogs | where TimeGenerated >= ago(t)", &[]), &["rule-short-lookback"]),
        (scheduled("let t = 30m; AuditLogs | where TimeGenerated >= ago(t) and ActivityDateTime > ago(9d)", &[]), &[]),
        (scheduled("AuditLogs | where TimeGenerated < ago(1h)", &[]), &[]),
        (scheduled("AuditLogs | count", &[]), &["rule-always-fires"]),
        (scheduled("AuditLogs | count", &[("Threshold: 0", "Threshold: 1")]), &["rule-never-fires"]),
        (scheduled("AuditLogs | take 10", &[("Threshold: 0", "Threshold: 10")]), &["rule-never-fires"]),
        (scheduled("AuditLogs", &[("Operator: gt", "Operator: lt")]), &["rule-never-fires"]),
        (scheduled(&format!("{both} | where UserPrincipalName == 'a@contoso.com'"), &[]), &["rule-case-sensitive"]),
        (scheduled(&format!("{both} | where UserPrincipalName in ('a', 'b')"), &[]), &["rule-case-sensitive"]),
        (scheduled(&format!("{both} | where 'a' == UserPrincipalName"), &[]), &["rule-case-sensitive"]),
        (scheduled(&format!("{both} | extend U = UserPrincipalName | where U != 'a'"), &[]), &["rule-case-sensitive"]),
        (scheduled(&format!("{both} | extend U = tolower(UserPrincipalName) | where U != 'a'"), &[]), &[]),
        (
            scheduled(&format!("let u = dynamic(['a', 'b']); {both} | where UserPrincipalName in (u)"), &[]),
            &["rule-case-sensitive"],
        ),
        (scheduled(&format!("let u = dynamic(['a']); {both} | where UserPrincipalName in~ (u)"), &[]), &[]),
        (scheduled(&format!("{both} | where UserPrincipalName =~ 'a' or tolower(UserPrincipalName) == 'b'"), &[]), &[]),
    ];
    for (text, expected) in cases {
        let (code, findings) = findings("a.yaml", text, &[]);
        assert_eq!(findings.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), *expected, "{text}");
        assert_eq!(code, 0, "advice is a warning");
    }
    let gap = log_alert("AuditLogs", "").replace("PT30M", "PT1M");
    assert_eq!(findings("a.json", &gap, &[]).1[0].0, "rule-gap");
    // A query without a rule gets no advice.
    assert_eq!(findings("a.kql", "SigninLogs | where UserPrincipalName == 'a'", &[]).1, []);
}

#[test]
fn rules_that_cannot_fire_on_data_are_found_with_the_reason() {
    let data = ["--data", "testdata/signinlogs"];
    let start = "union SigninLogs, AADNonInteractiveUserSignInLogs | where TimeGenerated > datetime(2020-01-01)";
    let of = |query: &str| {
        let (_, findings) = findings("a.yaml", &scheduled(query, &[]), &data);
        let found = findings.into_iter().filter(|(kind, _)| kind == "rule-cannot-fire");
        found
            .map(|(_, message)| message.trim_start_matches("the rule cannot fire on these data: ").to_owned())
            .collect()
    };
    let cases: &[(&str, Option<&str>)] = &[
        ("| where ResultType == 0", None),
        ("| where ResultType == 0 and ResultType == 50126", Some("the conditions are never true together, for all ")),
        ("| where ResultType == 0 and UserPrincipalName == 'x'", Some("`UserPrincipalName == 'x'` is false for all ")),
        (
            "| where ResultType == 0 | where UserPrincipalName == 'x'",
            Some("`UserPrincipalName == 'x'` is false for all "),
        ),
        ("| where FederatedCredentialId == 'x'", Some("the column FederatedCredentialId is empty in all ")),
        // An aggregate of a window may be what that of the archive is not, and a condition may hold at another time.
        ("| summarize n = count() by UserPrincipalName | where n > 100000", None),
        ("| where TimeGenerated > ago(1h) and UserPrincipalName == 'x'", None),
        ("| where UserPrincipalName == 'x' | count", None),
        (
            "| where UserPrincipalName == 'x' | summarize count() by ResultType",
            Some("`UserPrincipalName == 'x'` is false"),
        ),
    ];
    for (rest, expected) in cases {
        let found: Vec<String> = of(&format!("{start} {rest}"));
        assert_eq!(found.len(), usize::from(expected.is_some()), "{rest}: {found:?}");
        assert!(found.iter().all(|text| text.starts_with(expected.unwrap_or(""))), "{rest}: {found:?}");
    }
    assert_eq!(of("AuditLogs | where Result == 'success'"), ["they have no rows of AuditLogs"]);
    let absence = scheduled("AuditLogs", &[("Operator: gt", "Operator: eq")]);
    assert_eq!(findings("a.yaml", &absence, &data).1, []);
    let later = [&data[..], &["--from", "2027-01-01"]].concat();
    let text = scheduled("SigninLogs | where ResultType == 0", &[]);
    assert_eq!(
        findings("a.yaml", &text, &later).1[1].1,
        "the rule cannot fire on these data: they have no rows of SigninLogs"
    );
}

#[test]
fn known_findings_are_hidden() {
    let wrong = scheduled("SigninLogs | where Usr == 1", &[]);
    let advised = scheduled("SigninLogs | where UserPrincipalName == 'a'", &[]);
    let folder = folder(&[("wrong.yaml", &wrong), ("advised.yaml", &advised)]);
    let output = check(folder.path(), &[".", "--write-baseline", "known.json"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let known = fs::read_to_string(folder.path().join("known.json")).expect("a baseline");
    assert_eq!(known.lines().count(), 5, "{known}");
    let args = [".", "--baseline", "known.json", "-o", "json"];
    let output = check(folder.path(), &args);
    assert_eq!((output.code, output.stdout.matches("\"findings\":[]").count()), (0, 2), "{}", output.stdout);
    // Findings move with their lines; new ones are shown.
    fs::write(folder.path().join("wrong.yaml"), format!("# a comment\n{wrong}")).expect("written");
    assert_eq!(check(folder.path(), &args).code, 0);
    fs::write(folder.path().join("wrong.yaml"), wrong.replace("Usr", "Usr2")).expect("written");
    let output = check(folder.path(), &args);
    assert_eq!(output.code, 3);
    assert_eq!(lines(&output).iter().map(|line| line["findings"].as_array().unwrap().len()).sum::<usize>(), 1);
    fs::write(folder.path().join("known.json"), "{}").expect("written");
    assert_eq!(check(folder.path(), &args).code, 5);
}
