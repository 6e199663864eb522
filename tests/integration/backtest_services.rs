//! `coldcase backtest`: what single services do: bins, joined alerts, absence, rules that they reject, templates, payloads.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase_at, folder, lines};

fn backtest(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["backtest"], args].concat(), b"")
}

/// The minutes and seconds of a column of alerts.
fn times(output: &Output, column: &str) -> Vec<String> {
    assert!(output.code < 2, "{}", output.stderr);
    lines(output).iter().map(|alert| alert[column].as_str().expect(column)[11..16].to_owned()).collect()
}

/// Rows of the table T at minutes after 2026-03-01T10:00:00Z.
fn rows(minutes: &[u32]) -> String {
    let row = |minute: &u32| {
        let time = format!("2026-03-01T{:02}:{:02}:00Z", 10 + minute / 60, minute % 60);
        format!("{{\"TimeGenerated\":\"{time}\",\"User\":\"bg\",\"Number\":{minute}}}\n")
    };
    minutes.iter().map(row).collect()
}

const SCHEDULED: &str = "\
id: a
name: Late
kind: Scheduled
severity: High
queryFrequency: 5m
queryPeriod: 5m
triggerOperator: gt
triggerThreshold: 0
query: T | where User == 'bg'
";

/// A log search alert rule with other properties, and other fields of its criterion.
fn log_alert(properties: &Json, criterion: &Json) -> Json {
    let mut all = json!({
        "severity": 2, "evaluationFrequency": "PT5M", "windowSize": "PT5M", "autoMitigate": false,
        "criteria": {"allOf": [{"query": "T", "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 0}]},
    });
    let merge = |all: &mut Json, more: &Json| {
        for (key, value) in more.as_object().expect("an object") {
            all[key] = value.clone();
        }
    };
    merge(&mut all["criteria"]["allOf"][0], criterion);
    merge(&mut all, properties);
    json!({"type": "Microsoft.Insights/scheduledQueryRules", "name": "r", "properties": all})
}

fn detection(schedule: &Json, query: &str) -> String {
    let template = json!({"title": "Use by {{User}}", "severity": "high", "customDetails": {"Who": "User"},
        "entityMappings": {"accounts": [{"nameColumn": "User"}]}});
    let rule = json!({"id": "7", "displayName": "Use", "queryCondition": {"queryText": query}, "schedule": schedule,
        "detectionAction": {"alertTemplate": template}});
    rule.to_string()
}

#[test]
fn bins_of_log_alerts_meet_at_the_end_of_the_window() {
    let binned = |periods: u32, aggregation: &str| {
        json!({"query": "T | summarize N = count() by bin(TimeGenerated, 5m)", "timeAggregation": aggregation,
            "metricMeasureColumn": "N", "operator": "GreaterThanOrEqual", "threshold": 2,
            "failingPeriods": {"numberOfEvaluationPeriods": periods, "minFailingPeriodsToAlert": periods}})
    };
    let ten = json!({"windowSize": "PT10M", "evaluationFrequency": "PT10M"});
    let raw = json!({"failingPeriods": {"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 2}});
    // The rule, the minutes of the rows, options, and the ends of the windows of the alerts.
    type Case<'a> = (Json, &'a [u32], &'a [&'a str], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            log_alert(&json!({}), &binned(2, "Total")),
            &[1, 3, 4, 6, 9, 11],
            &["--anchor", "2026-03-01T00:02:00Z"],
            &["10:12"],
        ),
        (log_alert(&ten, &binned(1, "Maximum")), &[3, 6], &["--anchor", "2026-03-01T00:02:00Z"], &["10:12"]),
        (log_alert(&ten, &binned(1, "Maximum")), &[3, 6], &["--anchor", "2026-03-01T00:00:00Z"], &[]),
        // Numbers are binned as they are.
        (
            log_alert(&json!({}), &json!({"query": "T | where bin(Number, 5) == 5"})),
            &[3, 6],
            &["--anchor", "2026-03-01T00:02:00Z"],
            &["10:07"],
        ),
        // A period that excludes its first moment has the row at its end.
        (log_alert(&json!({}), &raw), &[5, 8], &[], &[]),
        (log_alert(&json!({}), &raw), &[5, 8], &["--window", "half-open"], &["10:10"]),
        (log_alert(&json!({}), &binned(2, "Total")), &[4, 5, 9, 10], &["--window", "half-open"], &["10:10"]),
    ];
    for (rule, minutes, args, expected) in cases {
        let folder = folder(&[("rule.json", &rule.to_string()), ("t.jsonl", &rows(minutes))]);
        for more in [&[][..], &["--rescan"]] {
            let args = [&["rule.json", "-t", "T=t.jsonl"], *args, more].concat();
            assert_eq!(times(&backtest(folder.path(), &args), "WindowEnd"), *expected, "{rule} {args:?}");
        }
    }
}

#[test]
fn equal_alerts_of_a_custom_detection_are_one() {
    let hourly = detection(&json!({"frequency": "PT1H"}), "T | project TimeGenerated, User");
    let other = "{\"TimeGenerated\":\"2026-03-01T15:05:00Z\",\"User\":\"other\"}\n";
    let folder = folder(&[("cd.json", &hourly), ("t.jsonl", &(rows(&[1, 320]) + other))]);
    let output = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl"]);
    let alerts = lines(&output);
    let shown: Vec<(&str, u64)> = alerts
        .iter()
        .map(|alert| (alert["Details"]["Who"].as_str().unwrap(), alert["Rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(shown, [("bg", 2), ("other", 1)], "{}", output.stderr);
    let states = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl", "--report", "states"]);
    let states: Vec<Json> = lines(&states).into_iter().map(|state| state["State"].clone()).collect();
    assert_eq!(states.iter().filter(|state| **state == "Fired").count(), 2, "{states:?}");
    let events = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl", "--report", "events", "--expect-no-miss"]);
    let counts: Vec<u64> = lines(&events).iter().map(|event| event["Alerts"].as_u64().unwrap()).collect();
    assert_eq!((events.code, counts), (0, vec![1, 1, 1]), "{}", events.stderr);
    let security = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl", "--as", "security-alert"]);
    let first = &lines(&security)[0];
    assert_eq!((&first["AlertName"], &first["EndTime"]), (&"Use by bg".into(), &"2026-03-01T15:20:00.0000000Z".into()));
    assert!(first["Entities"].as_str().unwrap().contains("\"Type\":\"Account\""), "{first}");
}

#[test]
fn lookbacks_that_a_detection_does_not_name_are_assumed() {
    let folder = folder(&[
        ("cd.json", &detection(&json!({"frequency": "PT30M"}), "T | project TimeGenerated, User")),
        ("t.jsonl", &rows(&[1])),
    ]);
    let output = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("names no lookback; 2.00:00:00 is assumed"), "{}", output.stderr);
    let output = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl", "--lookback", "1h"]);
    assert!(!output.stderr.contains("is assumed"), "{}", output.stderr);
    for (query, reason) in [
        ("T | project User", "must return TimeGenerated or Timestamp"),
        ("T | union T", "reads one table, without `union`"),
        ("T // all", "must not have comments"),
    ] {
        let rule = detection(&json!({"frequency": "PT0S"}), query);
        fs::write(folder.path().join("cd.json"), rule).expect("written");
        let output = backtest(folder.path(), &["cd.json", "-t", "T=t.jsonl"]);
        assert!(output.code == 3 && output.stderr.contains(reason), "{query}: {}", output.stderr);
    }
}

#[test]
fn rules_about_absence_run_while_there_are_data() {
    let absence = SCHEDULED.replace("Period: 5m", "Period: 1h").replace("Operator: gt", "Operator: eq");
    let few =
        SCHEDULED.replace("Period: 5m", "Period: 30m").replace("gt", "lt").replace("Threshold: 0", "Threshold: 3");
    let inside = absence.replace("'bg'", "'bg' | count | where Count == 0").replace("Operator: eq", "Operator: gt");
    let data = rows(&[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    let folder =
        folder(&[("absence.yaml", &absence), ("few.yaml", &few), ("inside.yaml", &inside), ("t.jsonl", &data)]);
    for rule in ["absence.yaml", "few.yaml", "inside.yaml"] {
        for more in [&[][..], &["--rescan"]] {
            let args = [&[rule, "-t", "T=t.jsonl", "--expect-alerts", "0", "--expect-no-miss"], more].concat();
            let output = backtest(folder.path(), &args);
            assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{rule} {more:?} {}", output.stderr);
            assert!(output.stderr.contains("is about absence"), "{}", output.stderr);
        }
    }
    let output = backtest(folder.path(), &["absence.yaml", "-t", "T=t.jsonl", "--to", "2026-03-01T12:50:00Z"]);
    let alerts = lines(&output);
    assert!(!alerts.is_empty() && alerts.iter().all(|alert| alert["BeyondData"] == true), "{output:?}");
    assert!(output.stderr.contains("reach beyond the data"), "{}", output.stderr);
    let outside = ["absence.yaml", "-t", "T=t.jsonl", "--from", "2027-01-01", "--to", "2027-01-01T01:00:00Z"];
    let output = backtest(folder.path(), &outside);
    assert!(output.stderr.contains("but the files cover only 2026-03-01"), "{}", output.stderr);
    let output = backtest(folder.path(), &["absence.yaml", "-t", "T=t.jsonl", "--from", "2027-01-01"]);
    assert!(output.code == 2 && output.stderr.contains("the files have rows from 2026-03-01"), "{}", output.stderr);
}

#[test]
fn rows_that_a_dimension_excludes_are_no_events() {
    let dimension = json!({"query": "T | project TimeGenerated, User", "dimensions": [{"name": "User", "operator": "Include", "values": ["other"]}]});
    let folder = folder(&[("rule.json", &log_alert(&json!({}), &dimension).to_string()), ("t.jsonl", &rows(&[1, 2]))]);
    let args = ["rule.json", "-t", "T=t.jsonl", "--report", "events", "--expect-no-miss"];
    let output = backtest(folder.path(), &args);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
}

#[test]
fn a_rule_that_cannot_run_keeps_no_other_from_its_result() {
    let named = |query: &str| SCHEDULED.replace("T | where User == 'bg'", query);
    let measured = json!({"query": "SigninLogs", "metricMeasureColumn": "userId", "timeAggregation": "Total"});
    let sign_in = json!({"TimeGenerated": "2026-03-01T10:01:00Z", "UserPrincipalName": "a@contoso.com", "UserId": "1",
        "Category": "SignInLogs", "AppDisplayName": "x", "ResultType": "0", "OperationName": "Sign-in activity"});
    let folder = folder(&[
        ("rules/a.yaml", &named("SigninLogs")),
        ("rules/b.yaml", &named("Nowhere")),
        ("rules/c.json", &log_alert(&json!({}), &measured).to_string()),
        ("rules/d.yaml", &named("AuditLogs")),
        ("rules/e.yaml", &named("SigninLogs").replace("Frequency: 5m", "Frequency: 5 minutes")),
        ("only/d.yaml", &named("AuditLogs")),
        ("data/sign-ins.jsonl", &format!("{sign_in}\n")),
    ]);
    let output = backtest(folder.path(), &["rules", "data"]);
    assert_eq!((output.code, lines(&output).len()), (3, 1), "{}", output.stderr);
    for expected in [
        "unknown table `Nowhere`",
        "rules/c.json:1:",
        "rules/e.yaml:5:17: `queryFrequency`: `5 minutes` is not a duration",
        "returns no column `userId`, which the condition of the rule needs: did you mean `UserId`?",
        "the rule `Late` is not tested: the files hold no rows of the tables that it reads",
    ] {
        assert!(output.stderr.contains(expected), "{expected}: {}", output.stderr);
    }
    let output = backtest(folder.path(), &["only", "data"]);
    assert_eq!((output.code, output.stdout.as_str()), (5, ""), "{}", output.stderr);
    let output = backtest(folder.path(), &["rules/a.yaml"]);
    assert!(output.code == 2 && output.stderr.contains("no data: give a file"), "{}", output.stderr);
}

#[test]
fn rules_that_their_service_rejects_are_refused() {
    let sentinel = |from: &str, to: &str| ("r.yaml", SCHEDULED.replace(from, to));
    let entity = |entity: &str| {
        format!(
            "entityMappings:\n- entityType: {entity}\n  fieldMappings:\n  - {{identifier: Name, columnName: User}}\nid: a"
        )
    };
    let alert = |properties: &Json, criterion: &Json| ("r.json", log_alert(properties, criterion).to_string());
    let minute = json!({"evaluationFrequency": "PT1M"});
    let query = |text: &str| json!({"query": text});
    let long = format!("T | where User != '{}'", "x".repeat(10_000));
    let old = |minutes: u32| {
        let rule = json!({"type": "x/scheduledQueryRules", "name": "r", "properties": {"enabled": "true",
            "source": {"query": "T"}, "schedule": {"frequencyInMinutes": minutes, "timeWindowInMinutes": 10},
            "action": {"severity": "1", "trigger": {"thresholdOperator": "GreaterThan", "threshold": 0}}}});
        ("r.json", rule.to_string())
    };
    let cases = [
        (sentinel("T | where User == 'bg'", "search *"), "rejects rules with `search *`"),
        (sentinel("T | where", "union withsource=X * | where"), "rejects rules with `union *`"),
        (sentinel("T | where User == 'bg'", &long), "Microsoft Sentinel allows 10000"),
        (sentinel("name: Late\n", ""), "the rule has no `name`"),
        (sentinel("kind: Scheduled\n", ""), "the rule has no `kind`"),
        (sentinel("Frequency: 5m", "Frequency: 5 minutes"), "`5 minutes` is not a duration"),
        (sentinel("Period: 5m", "Period: 1.5h"), "`1.5h` is not a duration"),
        (sentinel("id: a", &entity("Foo")), "unknown value `Foo`"),
        (sentinel("id: a", "customDetails: {TwentyOneCharactersXX: User}"), "more than 20 characters"),
        (alert(&json!({"windowSize": "5m"}), &json!({})), "`5m` is not a duration of ISO 8601"),
        (alert(&minute, &query("union T, T")), "every minute must not use `union`"),
        (alert(&minute, &query("T | take 5")), "every minute must not use `take`"),
        (alert(&minute, &query("T | where ingestion_time() > ago(1m)")), "must not use `ingestion_time`"),
        (alert(&json!({}), &query("T | evaluate bag_unpack(X)")), "do not support `bag_unpack`"),
        (alert(&json!({}), &query("T | extend AggregatedValue = 1")), "`AggregatedValue` is reserved"),
        (alert(&json!({}), &query("let x = 1h; T | where TimeGenerated > ago(x)")), "`ago` in a log search alert rule"),
        (
            alert(&json!({}), &json!({"dimensions": [{"name": "User", "operator": "Include", "values": []}]})),
            "must not be empty",
        ),
        (
            alert(&json!({}), &json!({"dimensions": [{"name": "User", "operator": "Exclude", "values": ["*"]}]})),
            "can never fire",
        ),
        (alert(&json!({"description": "x".repeat(70_000)}), &json!({})), "larger than 64 KB"),
        (old(7), "`frequencyInMinutes` must be one of"),
        (old(2_880), "`frequencyInMinutes` must be one of"),
    ];
    for ((name, text), expected) in cases {
        let folder = folder(&[(name, &text), ("t.jsonl", &rows(&[1]))]);
        let output = backtest(folder.path(), &[name, "-t", "T=t.jsonl"]);
        assert!(output.code == 3 && output.stderr.contains(expected), "{expected}\n{text:.500}\n{}", output.stderr);
        assert!(output.stderr.contains(&format!("error: {name}:")), "{}", output.stderr);
    }
    let kept = [
        sentinel("T | where User == 'bg'", "T | where User == 'search *' or User has 'union *'"),
        sentinel("T | where User == 'bg'", "union T, (T | take 1)"),
        sentinel("id: a", &entity("account")),
        alert(&json!({}), &query("T | where TimeGenerated > ago(1h) and TimeGenerated > ago(time(2h)) | take 7")),
        alert(&minute, &query("T | extend take = 1 | where take > 0")),
        old(10),
    ];
    for (name, text) in kept {
        let folder = folder(&[(name, &text), ("t.jsonl", &rows(&[1]))]);
        let output = backtest(folder.path(), &[name, "-t", "T=t.jsonl"]);
        assert_eq!(output.code, 0, "{text}\n{}", output.stderr);
    }
    let (name, text) = sentinel("id: a", &entity("Account").replace("columnName: User", "columnName: Usr"));
    let folder = folder(&[(name, &text), ("t.jsonl", &rows(&[1]))]);
    let output = backtest(folder.path(), &[name, "-t", "T=t.jsonl"]);
    assert!(output.code == 0 && output.stderr.contains("r.yaml:4:36: the query returns no column `Usr`"), "{output:?}");
    assert!(output.stderr.contains("did you mean `User`?"), "{}", output.stderr);
}

#[test]
fn templates_with_literal_values_are_evaluated() {
    let template = |resource: &Json, parameters: &Json, variables: &Json| {
        json!({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "parameters": parameters, "variables": variables, "resources": [resource]})
    };
    let parameters = json!({"f": {"type": "string", "defaultValue": "PT5M"}, "s": {"defaultValue": 1},
        "e": {"defaultValue": true}, "q": {"defaultValue": "T | where User == 'bg'"}, "none": {"type": "string"},
        "groups": {"defaultValue": ["/groups/soc"]}});
    let variables = json!({"w": "[concat('PT', '5', 'M')]", "settings": {"t": 0}, "name": "[toUpper('late')]"});
    let evaluated = json!({"evaluationFrequency": "[parameters('f')]", "windowSize": "[variables('w')]",
        "severity": "[parameters('s')]", "enabled": "[parameters('e')]", "displayName": "[format('{0}!', variables('name'))]",
        "actions": {"actionGroups": "[parameters('groups')]"}});
    let rule = log_alert(&evaluated, &json!({"query": "[parameters('q')]", "threshold": "[variables('settings').t]"}));
    let inner = |scope: &str| {
        let inner = json!({"parameters": {"q": {"type": "string"}, "f": {"defaultValue": "PT5M"}, "s": {"defaultValue": 3},
            "e": {"defaultValue": true}, "groups": {"defaultValue": []}}, "variables": variables, "resources": {"a": rule}});
        json!({"type": "Microsoft.Resources/deployments", "properties": {"template": inner,
            "expressionEvaluationOptions": {"scope": scope}, "parameters": {"q": {"value": "[parameters('q')]"}}}})
    };
    for (resource, severity) in [(&rule, "Sev1"), (&inner("inner"), "Sev3"), (&inner("outer"), "Sev1")] {
        let text = template(resource, &parameters, &variables).to_string();
        let folder = folder(&[("arm.json", &text), ("t.jsonl", &rows(&[1]))]);
        let output = backtest(folder.path(), &["arm.json", "-t", "T=t.jsonl"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let alerts = lines(&output);
        assert_eq!((alerts.len(), &alerts[0]["Severity"], &alerts[0]["Rule"]), (1, &severity.into(), &"LATE!".into()));
    }
    let unknown = log_alert(&json!({"evaluationFrequency": "[parameters('none')]"}), &json!({}));
    let wrong = log_alert(&json!({}), &json!({"query": "[parameters('bad')]"}));
    let bad = json!({"none": {"type": "string"}, "bad": {"defaultValue": "T | where Usr == 1"}});
    let bomb: serde_json::Map<String, Json> = (1..40)
        .map(|level| (format!("v{level}"), format!("[concat(variables('v{0}'), variables('v{0}'))]", level - 1).into()))
        .chain([("v0".to_owned(), "x".into())])
        .collect();
    let exploding = log_alert(&json!({}), &json!({"query": "[variables('v39')]"}));
    let long = "x".repeat(200_000);
    let many = json!({"long": long, "list": vec!["x"; 20_000], "format": "{0}".repeat(50_000)});
    let joined = log_alert(&json!({}), &json!({"query": "[join(variables('list'), variables('long'))]"}));
    let formatted = log_alert(&json!({}), &json!({"query": "[format(variables('format'), variables('long'))]"}));
    let circle = json!({"a": "[variables('b')]", "b": "[variables('a')]"});
    let circular = log_alert(&json!({}), &json!({"query": "[variables('a')]"}));
    for (resource, variables, expected) in [
        (&unknown, &json!({}), "`evaluationFrequency` is an expression of the template"),
        (&wrong, &json!({}), "Usr"),
        (&exploding, &Json::Object(bomb), "MiB"),
        (&joined, &many, "MiB"),
        (&formatted, &many, "MiB"),
        (&circular, &circle, "is an expression of the template"),
    ] {
        let folder =
            folder(&[("arm.json", &template(resource, &bad, variables).to_string()), ("t.jsonl", &rows(&[1]))]);
        let output = backtest(folder.path(), &["arm.json", "-t", "T=t.jsonl"]);
        assert!(output.code == 3 && output.stderr.contains(expected), "{expected}: {}", output.stderr);
    }
}

#[test]
fn unknown_values_of_templates_never_become_text() {
    let parameters = json!({"place": {"defaultValue": "[resourceGroup().location]"}, "secret": {"defaultValue": "bg"},
        "list": {"defaultValue": ["bg", "[newGuid()]"]}, "known": {"defaultValue": ["bg", "[[x]"]}});
    let variables = json!({"joined": "[join(parameters('list'), ',')]", "sum": "[add(2, 3)]", "q": "T | where User == 'bg'",
        "object": {"known": "T | where User == 'bg'", "unknown": "[reference('x').y]"}});
    let rule = |properties: &Json, query: &str| log_alert(properties, &json!({"query": query}));
    let template = |resource: &Json| {
        json!({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "parameters": parameters, "variables": variables, "resources": [resource]})
    };
    let run = |resource: &Json, command: &[&str]| {
        let folder = folder(&[("arm.json", &template(resource).to_string()), ("t.jsonl", &rows(&[1]))]);
        let rest = if command[0] == "rule" { ["--to", "sentinel-yaml"] } else { ["-t", "T=t.jsonl"] };
        coldcase_at(folder.path(), &[command, &["arm.json"], &rest].concat(), b"")
    };
    let period = json!({"evaluationFrequency": "[concat('PT', variables('sum'), 'M')]"});
    let inner = json!({"parameters": {"secret": {"defaultValue": "bg"}}, "resources":
        [rule(&json!({}), "[concat('T | where User == \"', parameters('secret'), '\"')]")]});
    let secret = json!({"type": "Microsoft.Resources/deployments", "properties": {"template": inner,
        "expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"secret": {"reference": {"secretName": "s"}}}}});
    let nested = format!("[{}parameters('place'){}]", "concat(".repeat(20), ", '')".repeat(20));
    for unknown in [
        &rule(&json!({}), "[concat('T | where User == \"', parameters('place'), '\"')]"),
        &rule(&json!({}), "[format('T | where User in (\"{0}\")', variables('joined'))]"),
        &rule(&json!({}), "[concat('T | where User == \"', variables('object').unknown, '\"')]"),
        &rule(&json!({}), "[variables('object').unknown]"),
        &rule(&json!({}), "[toUpper(variables('sum'))]"),
        &rule(&json!({}), "[if(true(), 'T', 'T')]"),
        &rule(&json!({}), &nested),
        &rule(&period, "T"),
        &secret,
    ] {
        for command in [&["backtest"][..], &["rule", "convert"]] {
            let output = run(unknown, command);
            assert!(output.code == 3 && output.stdout.is_empty(), "{unknown}: {output:?}");
            let says = ["is an expression of the template", "which only a deployment evaluates"];
            assert!(says.iter().any(|reason| output.stderr.contains(reason)), "{unknown}: {}", output.stderr);
        }
    }
    for known in [
        &rule(&json!({}), "[variables('object').known]"),
        &rule(&json!({}), "[format('T | where User in (\"{0}\")', join(parameters('known'), '\",\"'))]"),
        // An escaped bracket.
        &rule(&json!({}), "[['T'] | where User == 'bg' | extend First = dynamic([1])[0]"),
    ] {
        let output = run(known, &["backtest"]);
        assert!(output.code == 0 && lines(&output).len() == 1, "{known}: {output:?}");
    }
}

#[test]
fn payloads_have_what_the_services_send() {
    let properties = json!({"scopes": ["/subscriptions/1/workspaces/law"], "targetResourceTypes": ["a/workspaces"],
        "actions": {"actionGroups": ["/groups/soc"], "customProperties": {"team": "soc"}}});
    let periods = json!({"failingPeriods": {"numberOfEvaluationPeriods": 3, "minFailingPeriodsToAlert": 1}});
    let alert = log_alert(&properties, &periods).to_string();
    let overridden = SCHEDULED.to_owned()
        + "eventGroupingSettings: {aggregationKind: AlertPerResult}\nalertDetailsOverride:\n  alertDisplayNameFormat: '{{User}} at {{Number}}'\n  \
           alertSeverityColumnName: Grade\n";
    let overridden = overridden.replace("== 'bg'", "== 'bg' | extend Grade = 'Low', Number = Number");
    let folder = folder(&[("a.json", &alert), ("s.yaml", &overridden), ("t.jsonl", &rows(&[1, 2]))]);
    let written = |rule: &str, form: &str| {
        let output = backtest(folder.path(), &[rule, "-t", "T=t.jsonl", "--anchor", "2026-03-01", "--as", form]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        lines(&output)
    };
    let common = written("a.json", "common-alert");
    let (data, own) = (&common[1]["data"], &common[1]["coldcase"]);
    let condition = &data["alertContext"]["condition"];
    assert_eq!(condition["windowSize"], "PT5M");
    assert_eq!(condition["allOf"][0]["metricValue"], 2.0, "the value of the period that violates");
    assert_eq!(condition["allOf"][0]["targetResourceTypes"], json!(["a/workspaces"]));
    assert_eq!(data["customProperties"], json!({"team": "soc"}));
    assert_eq!(data["alertContext"]["properties"], json!({"team": "soc"}));
    assert_eq!(data["essentials"]["alertTargetIDs"], json!(["/subscriptions/1/workspaces/law"]));
    assert_eq!(data["essentials"]["configurationItems"], json!(["law"]));
    assert_eq!(own["actionGroups"], json!(["/groups/soc"]));
    let preview = written("a.json", "preview-json");
    let periods = &preview[0]["rulePreviewResults"][0]["evaluations"][1]["evaluatedPeriods"];
    let values: Vec<&Json> = periods.as_array().unwrap().iter().map(|period| &period["metricValue"]).collect();
    assert_eq!(values, [&json!(0.0), &json!(2.0), &json!(0.0)]);
    assert_eq!((&periods[1]["highThreshold"], &periods[1]["thresholdMet"]), (&json!(0.0), &json!(true)));
    let security = written("s.yaml", "security-alert");
    assert_eq!((&security[0]["AlertName"], &security[0]["AlertSeverity"]), (&"bg at 1".into(), &"Low".into()));
    let extended: Json = serde_json::from_str(security[0]["ExtendedProperties"].as_str().unwrap()).unwrap();
    assert_eq!(extended["Search Query Results Overall Count"], "2");
    assert_eq!(extended["Event Grouping"], "AlertPerResult");
    assert_eq!(extended["Data Sources"], "[\"T\"]");
    assert!(extended["OriginalQuery"].as_str().unwrap().starts_with("T | where"));
    for key in ["Correlation Id", "ProcessedBySentinel", "Alert generation status", "Query End Time UTC"] {
        assert!(extended[key].is_string(), "{key}");
    }
}

#[test]
fn messages_count_and_name_what_they_are_about() {
    let suppressed = SCHEDULED.to_owned() + "suppressionEnabled: true\nsuppressionDuration: 1h\n";
    let folder = folder(&[
        ("a.yaml", &suppressed),
        ("t.jsonl", &rows(&[1])),
        ("delays.txt", "t = 5m\n"),
        ("empty.toml", "[a]\n"),
        ("text.toml", "[a]\nexactly = \"2\"\n"),
    ]);
    let run = |more: &[&str]| backtest(folder.path(), &[&["a.yaml", "-t", "T=t.jsonl"], more].concat());
    let output = run(&["--to", "2026-03-01T10:15:00Z"]);
    assert!(output.stderr.contains("Late: 1 run and 2 suppressed, 1 alert; 1 event: 1 caught"), "{}", output.stderr);
    assert!(output.stderr.contains("no ingestion time in 1 row of T"), "{}", output.stderr);
    let output = run(&["--ingestion-delay", "table:delays.txt"]);
    assert!(output.code == 5 && output.stderr.contains("t is not a known table; did you mean T?"), "{}", output.stderr);
    for (file, reason) in
        [("empty.toml", "the section expects nothing"), ("text.toml", "`exactly` must be a number of alerts")]
    {
        let output = run(&["--expectations", file]);
        assert!(output.code == 5 && output.stderr.contains(reason) && output.stdout.is_empty(), "{}", output.stderr);
    }
}

/// The identifiers of the alerts that runs with one state write.
fn handed_on(folder: &Path, rules: &[&str], to: &str) -> Vec<String> {
    let args = [rules, &["t.jsonl", "--to", to, "--resume", "alerts.state", "--as", "common-alert"]].concat();
    let output = backtest(folder, &args);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let id = |alert: &Json| alert["data"]["essentials"]["alertId"].as_str().expect("an identifier").to_owned();
    lines(&output).iter().map(id).collect()
}

#[test]
fn runs_that_go_on_hand_on_what_one_run_does() {
    let stateful = json!({"autoMitigate": true});
    let named =
        SCHEDULED.replace("query: T", "query: SigninLogs").replace("== 'bg'", "== 'bg' | project TimeGenerated, User");
    let suppressed = named.clone() + "suppressionEnabled: true\nsuppressionDuration: 30m\n";
    let rules = ["a.yaml", "b.yaml", "c.json", "d.json"];
    let query = "SigninLogs | where User == 'bg' | project TimeGenerated, User";
    let folder = folder(&[
        ("a.yaml", &named),
        ("b.yaml", &suppressed.replace("id: a", "id: b")),
        ("c.json", &log_alert(&stateful, &json!({"query": query})).to_string()),
        ("d.json", &detection(&json!({"frequency": "PT1H"}), query)),
        ("t.jsonl", &rows(&[1, 3, 8, 13, 41, 90])),
    ]);
    let whole = handed_on(folder.path(), &rules, "2026-03-01T13:00:00Z");
    assert!(whole.len() > 8, "{whole:?}");
    assert!(handed_on(folder.path(), &rules, "2026-03-01T13:00:00Z").is_empty(), "nothing is new");
    fs::remove_file(folder.path().join("alerts.state")).expect("removed");
    let mut parts = Vec::new();
    for minute in (0..180).step_by(7) {
        let to = format!("2026-03-01T{:02}:{:02}:30Z", 10 + minute / 60, minute % 60);
        parts.extend(handed_on(folder.path(), &rules, &to));
    }
    parts.extend(handed_on(folder.path(), &rules, "2026-03-01T13:00:00Z"));
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(parts), sorted(whole));
    for args in [&["--resume", "alerts.state"][..], &["--resume", "alerts.state", "--to", "now"]] {
        assert_eq!(backtest(folder.path(), &[&["a.yaml", "t.jsonl"], args].concat()).code, 2);
    }
    fs::write(folder.path().join("alerts.state"), "{}").expect("written");
    let args = ["a.yaml", "t.jsonl", "--to", "now", "--resume", "alerts.state", "--as", "common-alert"];
    let output = backtest(folder.path(), &args);
    assert!(output.code == 5 && output.stderr.contains("not a state of"), "{}", output.stderr);
}

/// The number of runs that are killed; `MOMENTS=100` kills more.
fn kills() -> u64 {
    std::env::var("MOMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Starts a run that goes on with the state `s`, and kills it after `wait`, if that is given, or after it wrote `lines`.
/// Returns the whole lines that it wrote, and whether it was still running when it was killed.
fn killed_run(folder: &Path, lines: usize, wait: Option<Duration>) -> (Vec<String>, bool) {
    let args = ["backtest", "a.yaml", "t.jsonl", "--to", "2026-03-02", "--resume", "s", "--as", "security-alert"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_coldcase"))
        .args(args)
        .arg("--no-catalog")
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut written = Vec::new();
    let mut read = |most: usize| {
        for _ in 0..most {
            let mut line = String::new();
            out.read_line(&mut line).expect("a line");
            // A line without its end was cut off.
            if !line.ends_with('\n') {
                break;
            }
            written.push(line);
        }
    };
    match wait {
        Some(wait) => std::thread::sleep(wait),
        None => read(lines),
    }
    let is_running = child.try_wait().expect("a state").is_none();
    child.kill().expect("killed");
    child.wait().expect("ended");
    read(usize::MAX);
    (written, is_running)
}

#[test]
fn killed_runs_lose_no_alert_and_repeat_at_most_the_last() {
    let rule = SCHEDULED.replace("query: T | where User == 'bg'", "query: SigninLogs | project TimeGenerated, User")
        + "eventGroupingSettings: {aggregationKind: AlertPerResult}\n";
    // None of them on the edges of two windows.
    let minutes: Vec<u32> = (0..500).filter(|minute| minute % 5 > 0).collect();
    let folder = folder(&[("a.yaml", &rule), ("t.jsonl", &rows(&minutes))]);
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut known, mut running, mut repeated) = (BTreeSet::new(), 0, 0);
    for kill in 0..=kills() {
        let is_last = kill == kills();
        let wait = (random.random_bool(0.5) && !is_last).then(|| Duration::from_millis(random.random_range(0..150)));
        let lines = if is_last { usize::MAX } else { random.random_range(1..4) };
        let (written, was_running) = killed_run(folder.path(), lines, wait);
        running += u64::from(was_running);
        for (number, line) in written.into_iter().enumerate() {
            let is_new = known.insert(line);
            assert!(is_new || number == 0, "only the alert that was being written may be repeated");
            repeated += u64::from(!is_new);
        }
    }
    assert_eq!(known.len(), 400, "every alert was written");
    let ids: BTreeSet<String> = known.iter().map(|line| alert_id(line)).collect();
    assert_eq!(ids.len(), 400, "every alert has an identifier of its own, which it keeps when it is repeated");
    println!("{} kills, {running} of running processes; {repeated} alerts repeated", kills());
    assert!(!folder.path().join("s.journal").exists());
}

/// The identifier of an alert in the form of SecurityAlert.
fn alert_id(line: &str) -> String {
    let alert: Json = serde_json::from_str(line).expect("an object");
    alert["SystemAlertId"].as_str().expect("an identifier").to_owned()
}

#[test]
fn rules_by_arrival_wait_for_late_exports() {
    let nrt = "id: n\nname: n\nkind: NRT\nseverity: Low\nquery: SigninLogs | project TimeGenerated, User\n";
    let query = "SigninLogs | project TimeGenerated, User";
    let detection = detection(&json!({"frequency": "PT1H"}), query);
    let exported = |minutes: &[u32]| rows(minutes);
    let folder = folder(&[("n.yaml", nrt), ("d.json", &detection), ("t.jsonl", &exported(&[1]))]);
    let run = |rule: &str, more: &[&str]| {
        let args =
            [&[rule, "t.jsonl", "--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T13:00:00Z"], more].concat();
        let output = backtest(folder.path(), &args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        lines(&output)
    };
    let times = |alerts: &[Json]| -> Vec<[String; 2]> {
        let time = |alert: &Json, column: &str| alert[column].as_str().expect("a time")[11..16].to_owned();
        alerts.iter().map(|alert| ["WindowEnd", "Detected"].map(|column| time(alert, column))).collect()
    };
    // The same window, and a later run.
    assert_eq!(times(&run("n.yaml", &[])), [["10:01", "10:03"]]);
    assert_eq!(times(&run("n.yaml", &["--grace", "20m"])), [["10:01", "10:21"]]);
    assert_eq!(times(&run("d.json", &[])), [["11:00", "11:00"]]);
    assert_eq!(times(&run("d.json", &["--grace", "20m"])), [["10:40", "11:00"]]);
    // A row of 10:05 is exported after a run at 10:10.
    for (grace, alerts) in [("2m", 1), ("15m", 2)] {
        let _ = fs::remove_file(folder.path().join("alerts.state"));
        let mut count = 0;
        for (minutes, to) in [(&[1][..], "2026-03-01T10:10:00Z"), (&[1, 5], "2026-03-01T10:40:00Z")] {
            fs::write(folder.path().join("t.jsonl"), exported(minutes)).expect("written");
            count += handed_on(folder.path(), &["n.yaml", "--grace", grace], to).len();
        }
        assert_eq!(count, alerts, "--grace {grace}");
    }
    let args = ["n.yaml", "t.jsonl", "--to", "now", "--resume", "s", "--as", "preview-json"];
    let output = backtest(folder.path(), &args);
    assert!(output.code == 2 && output.stderr.contains("preview-json"), "{}", output.stderr);
}

/// A rule of 2018 that counts breaches.
fn measured(query: &str, metric: &Json) -> String {
    let rule = json!({
        "type": "Microsoft.Insights/scheduledQueryRules", "apiVersion": "2018-04-16", "name": "old",
        "properties": {
            "enabled": "true",
            "source": {"query": query, "queryType": "ResultCount"},
            "schedule": {"frequencyInMinutes": 30, "timeWindowInMinutes": 30},
            "action": {"severity": "1", "trigger": {"thresholdOperator": "GreaterThan", "threshold": 1,
                "metricTrigger": metric}},
        },
    });
    serde_json::to_string_pretty(&rule).expect("JSON")
}

#[test]
fn metric_measurements_count_breaches() {
    let query = "T | summarize AggregatedValue = count() by bin(TimeGenerated, 5m), User";
    let metric = |kind: &str, operator: &str, threshold: u32| json!({"metricTriggerType": kind, "thresholdOperator": operator, "threshold": threshold, "metricColumn": "User"});
    // Bins with two rows end at 10:05, 10:10, 10:20 and 10:25; the next window has three of them in a row.
    let minutes = [1, 2, 6, 7, 12, 16, 17, 21, 22, 31, 32, 36, 37, 41, 42];
    let cases = [
        (metric("Total", "GreaterThan", 3), &["10:30"][..], &[4.0][..]),
        (metric("Total", "GreaterThan", 2), &["10:30", "11:00"], &[4.0, 3.0]),
        (metric("Consecutive", "GreaterThan", 1), &["10:30", "11:00"], &[2.0, 3.0]),
        (metric("Consecutive", "GreaterThan", 2), &["11:00"], &[3.0]),
        (metric("Consecutive", "Equal", 2), &["10:30"], &[2.0]),
    ];
    for (metric, ends, values) in cases {
        let folder = folder(&[("r.json", &measured(query, &metric)), ("t.jsonl", &rows(&minutes))]);
        let output = backtest(folder.path(), &["r.json", "-t", "T=t.jsonl"]);
        assert_eq!(times(&output, "WindowEnd"), ends, "{metric}\n{}", output.stderr);
        let found: Vec<f64> = lines(&output).iter().map(|alert| alert["Value"].as_f64().expect("a number")).collect();
        assert_eq!(found, values, "{metric}");
        assert!(lines(&output).iter().all(|alert| alert["Dimensions"]["User"] == "bg"), "{}", output.stdout);
    }
    let refused = [
        (
            query.replace("5m", "5m * 1"),
            metric("Consecutive", "Equal", 2),
            4,
            "r.json:21:",
            "the bins of the query have",
        ),
        (query.replace("by bin", "by T = bin"), metric("Often", "Equal", 2), 3, "r.json:21:", "unknown value `Often`"),
        (
            query.replace("AggregatedValue", "Value"),
            metric("Total", "Equal", 2),
            3,
            "r.json:",
            "no column `AggregatedValue`",
        ),
        (
            query.to_owned(),
            json!({"metricTriggerType": "Total", "thresholdOperator": "Equal"}),
            3,
            "r.json:",
            "no `threshold`",
        ),
    ];
    for (query, metric, code, place, reason) in refused {
        let folder = folder(&[("r.json", &measured(&query, &metric)), ("t.jsonl", &rows(&minutes))]);
        let output = backtest(folder.path(), &["r.json", "-t", "T=t.jsonl"]);
        assert!(output.code == code && output.stderr.contains(reason), "{}", output.stderr);
        assert!(output.stderr.contains(place), "{}", output.stderr);
    }
}

#[test]
fn late_events_are_missed_by_scheduled_rules_and_caught_by_custom_detections() {
    let scheduled = SCHEDULED.replace("5m", "1h").replace("query: T", "query: SigninLogs")
        + "entityMappings:\n- entityType: Account\n  fieldMappings:\n  - {identifier: FullName, columnName: User}\n";
    let row = |minute: u32, delay: u32| {
        let time = |minute: u32| format!("2026-03-01T{:02}:{:02}:00Z", 10 + minute / 60, minute % 60);
        let row = json!({"Type": "SigninLogs", "TimeGenerated": time(minute), "_IngestionTime": time(minute + delay),
            "User": "bg", "Number": minute});
        format!("{row}\n")
    };
    // In time; at the end of a window, within and after the five minutes that a scheduled rule waits; hours late.
    let data: String = [(10, 2), (58, 6), (118, 20), (150, 600)].map(|(minute, delay)| row(minute, delay)).concat();
    let folder = folder(&[("r.yaml", &scheduled), ("t.jsonl", &data)]);
    let convert = ["rule", "convert", "r.yaml", "--to", "detection-rule", "-O", "r.json"];
    let output = coldcase_at(folder.path(), &convert, b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    let outcomes = |rule: &str| -> Vec<String> {
        let output = backtest(folder.path(), &[rule, "t.jsonl", "--report", "events", "--anchor", "2026-03-01"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let text = |event: &Json| {
            format!("{} {}", event["Outcome"].as_str().expect("text"), event["Reason"].as_str().expect("text"))
        };
        lines(&output).iter().map(|event| text(event).trim().to_owned()).collect()
    };
    assert_eq!(outcomes("r.yaml"), ["caught", "caught", "missed delay", "missed delay"]);
    let run = |lookback: &str| {
        fs::write(folder.path().join("l.yaml"), scheduled.replace("Period: 1h", lookback)).expect("written");
        backtest(folder.path(), &["l.yaml", "t.jsonl", "--anchors", "120", "--expect-no-miss"])
    };
    let output = run("Period: 1h");
    let expected =
        "`Late` misses 2 events by delay: whatever the anchor, a lookback of 10:55:00 catches 99 of 100 events";
    assert!(output.code == 1 && output.stderr.contains(expected), "{}", output.stderr);
    assert_eq!(run("Period: 655m").code, 0);
    assert_eq!(run("Period: 654m").code, 1);
    assert_eq!(outcomes("r.json"), ["caught"; 4]);
}

#[test]
fn the_last_alert_of_many_rows_stands_for_all() {
    let per_result = "eventGroupingSettings: {aggregationKind: AlertPerResult}\n";
    let nrt = format!("id: n\nname: n\nkind: NRT\nseverity: Low\nquery: T | where User == 'bg'\n{per_result}");
    let cases = [(SCHEDULED.to_owned() + per_result, 150), (nrt, 30)];
    for (rule, limit) in cases {
        for more in [0, 1, 50] {
            let count = limit + more;
            let folder = folder(&[("r.yaml", &rule), ("t.jsonl", &rows(&vec![2; count]))]);
            let output = backtest(folder.path(), &["r.yaml", "-t", "T=t.jsonl"]);
            let mut found: Vec<u64> =
                lines(&output).iter().map(|alert| alert["Rows"].as_u64().expect("a number")).collect();
            let last = found.pop().expect("alerts");
            assert_eq!((found.len(), last), (limit - 1, if more > 0 { count as u64 } else { 1 }), "{count}");
            assert!(found.iter().all(|rows| *rows == 1));
        }
    }
}

#[test]
fn subqueries_of_rules_have_the_clock_of_runs() {
    let rule = SCHEDULED.replace(
        "query: T | where User == 'bg'",
        "query: SigninLogs | where User in ((SigninLogs | where TimeGenerated between (ago(2h) .. now()) | project User))",
    );
    let folder = folder(&[("r.yaml", &rule), ("t.jsonl", &rows(&[1, 8]))]);
    let output = backtest(folder.path(), &["r.yaml", "t.jsonl", "--expect-alerts", "2"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let ranges = output.stderr.lines().filter(|line| line.contains("the query asks for"));
    assert!(ranges.clone().all(|line| line.contains("to 2026-03-01T")), "{}", output.stderr);
}

#[test]
fn runs_with_more_alerts_than_the_service_makes_are_warned_of() {
    let row =
        |number: usize| format!("{}\n", json!({"TimeGenerated": "2026-03-01T10:01:00Z", "User": format!("u{number}")}));
    let by_user = json!({"query": "T | project TimeGenerated, User",
        "dimensions": [{"name": "User", "operator": "Include", "values": ["*"]}]});
    for (is_stateful, users, is_limited) in [(true, 300, false), (true, 301, true), (false, 301, false)] {
        let rule = log_alert(&json!({"autoMitigate": is_stateful}), &by_user);
        let data: String = (0..users).map(row).collect();
        let folder = folder(&[("r.json", &rule.to_string()), ("t.jsonl", &data)]);
        let output = backtest(folder.path(), &["r.json", "-t", "T=t.jsonl"]);
        assert_eq!(lines(&output).len(), users, "{}", output.stderr);
        assert_eq!(output.stderr.contains("its service at most 300"), is_limited, "{}", output.stderr);
    }
}

#[test]
fn a_lookback_that_changes_nothing_is_said() {
    let query = "T | project TimeGenerated, User";
    let folder = folder(&[
        ("hourly.json", &detection(&json!({"frequency": "PT1H"}), query)),
        ("half.json", &detection(&json!({"frequency": "PT30M"}), query)),
        ("scheduled.yaml", SCHEDULED),
        ("t.jsonl", &rows(&[1])),
    ]);
    let run = |rule: &str, lookback: &str| backtest(folder.path(), &[rule, "-t", "T=t.jsonl", "--lookback", lookback]);
    for (rule, lookback) in [("hourly.json", "04:00:00"), ("scheduled.yaml", "00:05:00")] {
        let output = run(rule, "2h");
        let note = format!("whose lookback of {lookback} is given");
        assert!(output.code == 0 && output.stderr.contains(&note), "{rule}: {}", output.stderr);
    }
    let output = run("half.json", "2h");
    assert!(output.code == 0 && !output.stderr.contains("--lookback does not"), "{}", output.stderr);
    for lookback in ["10m", "31d"] {
        let output = run("half.json", lookback);
        assert!(output.code == 2 && output.stderr.contains("00:30:00, to 30 days"), "{}", output.stderr);
    }
}
