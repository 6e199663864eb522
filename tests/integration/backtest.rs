//! `coldcase backtest`: rules over archives, ticks and delays, states, and rules that are refused.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase, coldcase_at, folder, lines};

fn backtest(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["backtest"], args].concat(), b"")
}

/// A scheduled rule over the table T that is on its own line for each field.
const RULE: &str = "\
id: a
name: Late
kind: Scheduled
severity: High
queryFrequency: 5m
queryPeriod: 5m
triggerOperator: gt
triggerThreshold: 0
query: T | where User == 'bg' | project TimeGenerated, User
";

/// Rows of T: the minute of 2026-03-01T10:00:00Z at which they happened, and how many minutes later they arrived.
fn rows(events: &[(u32, u32)]) -> String {
    let row = |(minute, delay): &(u32, u32)| {
        let time = |minute: u32| format!("2026-03-01T{:02}:{:02}:30Z", 10 + minute / 60, minute % 60);
        let (generated, arrived) = (time(*minute), time(minute + delay));
        format!("{{\"TimeGenerated\":\"{generated}\",\"_IngestionTime\":\"{arrived}\",\"User\":\"bg\"}}\n")
    };
    events.iter().map(row).collect()
}

#[test]
fn rules_of_the_project_find_the_emergency_accounts() {
    let output = coldcase(&["backtest", "rules", "testdata/signinlogs", "-o", "jsonl"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let alerts = lines(&output);
    let success: Vec<&Json> = alerts.iter().filter(|alert| alert["Rule"] == "Emergency account signed in").collect();
    let shown: Vec<(&str, &str)> = success
        .iter()
        .map(|alert| (alert["Severity"].as_str().unwrap(), alert["Detected"].as_str().unwrap()))
        .collect();
    let expected = [
        ("Sev0", "2026-03-02T09:12:30.0000000Z"),
        ("Sev0", "2026-03-02T13:37:30.0000000Z"),
        ("High", "2026-03-02T09:15:00.0000000Z"),
        ("High", "2026-03-02T13:40:00.0000000Z"),
    ];
    assert_eq!(shown, expected);
    let last = success[3];
    assert_eq!(last["Entities"][1], json!({"Type": "IP", "Address": "198.51.100.200"}));
    assert_eq!((&last["Rows"], &last["WindowEnd"]), (&1.into(), &"2026-03-02T13:35:00.0000000Z".into()));
    assert_eq!(last["Results"][0]["UserPrincipalName"], "bg-admin-02@contoso.com");
    assert_eq!(last["RuleFile"], "rules/emergency-account-success.yaml");
    assert_eq!(last["RuleId"], "1f6a3c52-0000-4000-8000-0000000000b1");
    for summary in [
        "Emergency account signed in (rules/emergency-account-success.yaml): 342 runs, 2 alerts; 2 events: 2 caught, 0 missed",
        "Sign-in of an emergency account failed (rules/emergency-account-failure.yaml): 342 runs, 2 alerts; 2 events: 2 caught, 0 missed",
        "Emergency account used (rules/emergency-account-any-use.yaml): 342 runs, 4 alerts; 4 events: 4 caught, 0 missed",
        // The second account was tested within the window.
        "Emergency account used outside the maintenance window (rules/emergency-account-outside-window.yaml): 342 runs, 3 alerts; 3 events: 3 caught, 0 missed",
        "Password of an emergency account not reset after use (rules/emergency-account-no-password-reset.yaml): 4 runs, 2 alerts",
    ] {
        assert!(output.stderr.contains(summary), "{summary}\n{}", output.stderr);
    }
    assert_eq!(coldcase(&["check", "rules"]).code, 0);
}

#[test]
fn events_are_caught_or_missed_for_a_reason() {
    let rule = |frequency: &str, period: &str, more: &str| {
        RULE.replace("Frequency: 5m", &format!("Frequency: {frequency}"))
            .replace("Period: 5m", &format!("Period: {period}"))
            + more
    };
    let events = rows(&[(1, 0), (3, 9), (4, 30), (8, 2), (20, 0)]);
    let cases = [
        // Ticks are multiples of five minutes; rows may arrive five minutes after the end of a window.
        (rule("5m", "5m", ""), "caught, missed delay, missed delay, caught, caught"),
        (rule("5m", "15m", ""), "caught, caught, missed delay, caught, caught"),
        (rule("5m", "30m", ""), "caught, caught, caught, caught, caught"),
        (
            rule("5m", "5m", "suppressionEnabled: true\nsuppressionDuration: 10m\n"),
            "caught, missed delay, missed delay, missed suppressed, caught",
        ),
        (
            rule("5m", "10m", "suppressionEnabled: true\nsuppressionDuration: 20m\n"),
            "caught, missed suppressed, missed delay, missed suppressed, caught",
        ),
        (
            rule("5m", "5m", "").replace("Threshold: 0", "Threshold: 1"),
            "missed condition, missed delay, missed delay, missed condition, missed condition",
        ),
        (
            rule("5m", "30m", "").replace("'bg'", "'bg' and TimeGenerated > ago(1m)"),
            "missed query, missed query, missed query, missed query, missed query",
        ),
    ];
    for (rule, expected) in cases {
        let folder = folder(&[("rule.yaml", &rule), ("t.jsonl", &events)]);
        let args = ["rule.yaml", "-t", "T=t.jsonl", "--report", "events", "--anchor", "2026-03-01"];
        let output = backtest(folder.path(), &args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let outcome =
            |event: &Json| format!("{} {}", event["Outcome"].as_str().unwrap(), event["Reason"].as_str().unwrap());
        let outcomes: Vec<String> = lines(&output).iter().map(|event| outcome(event).trim().to_owned()).collect();
        assert_eq!(outcomes.join(", "), expected, "{rule}\n{}", output.stderr);
        let missed = expected.contains("missed");
        let expecting = backtest(folder.path(), &[&args[..], &["--expect-no-miss"]].concat());
        assert_eq!(expecting.code, i32::from(missed), "{}", expecting.stderr);
    }
}

/// An event is missed by suppression if and only if a run that did not happen would have made an alert of it.
#[test]
fn suppression_is_the_reason_only_if_the_run_would_have_fired() {
    let rule = RULE.replace("Threshold: 0", "Threshold: 1").replace("Period: 5m", "Period: 10m")
        + "suppressionEnabled: true\nsuppressionDuration: 30m\n";
    // Two at once fire; then one alone does not, and two would; the last one is alone after the pause.
    let events = rows(&[(1, 0), (2, 0), (12, 0), (23, 0), (24, 0), (47, 0)]);
    let folder = folder(&[("rule.yaml", &rule), ("t.jsonl", &events)]);
    let args = ["rule.yaml", "-t", "T=t.jsonl", "--report", "events", "--anchor", "2026-03-01"];
    let output = backtest(folder.path(), &args);
    let reasons: Vec<String> =
        lines(&output).iter().map(|event| event["Reason"].as_str().expect("a reason").to_owned()).collect();
    assert_eq!(reasons, ["", "", "condition", "suppressed", "suppressed", "condition"], "{}", output.stderr);
}

#[test]
fn custom_detections_and_near_real_time_rules_see_rows_when_they_arrive() {
    let query = "T | where User == 'bg'";
    let near_real_time = format!("id: a\nname: Late\nkind: NRT\nseverity: Low\nquery: {query}\n");
    let detection = json!({
        "id": "a", "displayName": "Late", "status": "enabled",
        "queryCondition": {"queryText": query},
        "schedule": {"frequency": "PT1H"},
        "detectionAction": {"alertTemplate": {"title": "Late", "severity": "medium"}},
    });
    let events = rows(&[(1, 0), (3, 9), (4, 100)]);
    let detection = detection.to_string();
    let files = [("nrt.yaml", near_real_time.as_str()), ("detection.json", &detection), ("t.jsonl", &events)];
    let folder = folder(&files);
    for (name, detected) in [("nrt.yaml", "10:04, 10:15, 11:47"), ("detection.json", "11:00, 11:00, 12:00")] {
        let args = [name, "-t", "T=t.jsonl", "--report", "events", "--expect-no-miss"];
        let output = backtest(folder.path(), &args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let minutes: Vec<String> =
            lines(&output).iter().map(|event| event["Detected"].as_str().unwrap()[11..16].to_owned()).collect();
        assert_eq!(minutes.join(", "), detected, "{name}");
    }
}

#[test]
fn stateful_rules_fire_once_and_resolve() {
    let rule = |properties: Json| {
        let mut all = json!({
            "severity": 2, "evaluationFrequency": "PT5M", "windowSize": "PT5M",
            "criteria": {"allOf": [{"query": "T | project TimeGenerated, User, N = 2", "timeAggregation": "Count",
                "operator": "GreaterThan", "threshold": 0}]},
        });
        let merge = |all: &mut Json, more: &Json| {
            for (key, value) in more.as_object().unwrap() {
                all[key] = value.clone();
            }
        };
        merge(&mut all["criteria"]["allOf"][0], &properties["criterion"]);
        merge(&mut all, &properties["rule"]);
        json!({"type": "Microsoft.Insights/scheduledQueryRules", "name": "r", "properties": all}).to_string()
    };
    let events = rows(&[(1, 0), (6, 0), (21, 0), (41, 0)]);
    let stateless = json!({"autoMitigate": false});
    let measured = |aggregation: &str, threshold: f64| json!({"metricMeasureColumn": "N", "timeAggregation": aggregation, "threshold": threshold});
    let cases = [
        (
            json!({"rule": {}, "criterion": {}}),
            "Fired Firing Resolving Resolving Firing Resolving Resolving Resolved Fired",
            2,
        ),
        (json!({"rule": stateless, "criterion": {}}), "Fired Fired Fired Fired", 4),
        (
            json!({"rule": {"autoMitigate": false, "muteActionsDuration": "PT30M"}, "criterion": {}}),
            "Fired Fired Fired Fired",
            4,
        ),
        (
            json!({"rule": {"resolveConfiguration": {"autoResolved": true, "timeToResolve": "PT5M"}}, "criterion": {}}),
            "Fired Firing Resolved Fired Resolved Fired",
            3,
        ),
        (json!({"rule": stateless, "criterion": measured("Total", 1.5)}), "Fired Fired Fired Fired", 4),
        (json!({"rule": stateless, "criterion": measured("Maximum", 2.0)}), "", 0),
        (
            json!({"rule": stateless, "criterion": {"failingPeriods": {"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 2}}}),
            "Fired",
            1,
        ),
        (
            json!({"rule": stateless, "criterion": {"dimensions": [{"name": "User", "operator": "Include", "values": ["bg"]}]}}),
            "Fired Fired Fired Fired",
            4,
        ),
        (
            json!({"rule": stateless, "criterion": {"dimensions": [{"name": "User", "operator": "Exclude", "values": ["bg"]}]}}),
            "",
            0,
        ),
    ];
    for (properties, states, alerts) in cases {
        let text = rule(properties);
        let folder = folder(&[("rule.json", &text), ("t.jsonl", &events)]);
        let args = ["rule.json", "-t", "T=t.jsonl", "--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T10:46:00Z"];
        let output = backtest(folder.path(), &[&args[..], &["--report", "states"]].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        let found: Vec<Json> = lines(&output);
        let found: Vec<&str> = found.iter().map(|state| state["State"].as_str().unwrap()).collect();
        assert_eq!(found.join(" "), states, "{text}");
        let count = alerts.to_string();
        assert_eq!(backtest(folder.path(), &[&args[..], &["--expect-alerts", &count]].concat()).code, 0);
        assert_eq!(backtest(folder.path(), &[&args[..], &["--expect-alerts", "99"]].concat()).code, 1);
    }
}

#[test]
fn bad_rules_are_refused_with_their_position() {
    let yaml = |from: &str, to: &str| ("rule.yaml", RULE.replace(from, to));
    let alert = |criterion: &str, more: &str| {
        let text = format!(
            "{{\"type\": \"Microsoft.Insights/scheduledQueryRules\", \"name\": \"r\",\n\"kind\": \"LogAlert\", \"properties\": \
             {{\"severity\": 1, \"evaluationFrequency\": \"PT5M\",\n\"windowSize\": \"PT5M\",\n\"criteria\": {{\"allOf\": [{{\
             \"query\": \"T\", \"timeAggregation\": \"Count\", \"operator\": \"GreaterThan\",\n\"threshold\": 0{criterion}}}]}}{more}}}}}"
        );
        ("rule.json", text)
    };
    let cases = [
        (yaml("Frequency: 5m", "Frequency: 5x"), "5:17: `queryFrequency`: `5x` is not a duration"),
        (yaml("Frequency: 5m", "Frequency: 1m"), "5:17: `queryFrequency` must be from 5 minutes to 14 days"),
        (yaml("Frequency: 5m", "Frequency: 1h"), "5:17: `queryFrequency` must not exceed `queryPeriod`"),
        (yaml("Period: 5m", "Period: 2d"), "5:17: `queryFrequency` must be at least one hour"),
        (yaml("queryPeriod: 5m\n", ""), "1:1: the rule has no `queryPeriod`"),
        (yaml("Operator: gt", "Operator: ge"), "7:18: `triggerOperator`: unknown value `ge`; expected one of gt, lt"),
        (yaml("Threshold: 0", "Threshold: -1"), "8:19: `triggerThreshold`: `-1` is not a whole number from 0 to 10000"),
        (yaml("severity: High", "severity: Critical"), "4:11: `severity`: unknown value `Critical`"),
        (yaml("kind: Scheduled", "kind: Fusion"), "1:1: a rule of kind `Fusion` is no alert rule with a query"),
        (yaml("kind: Scheduled\n", ""), "1:1: the rule has no `kind`: expected Scheduled or NRT"),
        (yaml("query: T", "other: T"), "1:1: the rule has no query"),
        (yaml("id: a", "name: b"), "2:1: the key `name` occurs twice"),
        (
            yaml("id: a", "suppressionEnabled: true\nsuppressionDuration: 2d"),
            "2:22: `suppressionDuration` must be from 5",
        ),
        (yaml("id: a", "eventGroupingSettings: 5"), "1:24: `eventGroupingSettings` must have keys and values"),
        (yaml("id: a", "entityMappings: [1]"), "1:18: an element of `entityMappings` must have keys and values"),
        (yaml("User == 'bg'", "Usr == 'bg'"), "9:18"),
        (
            alert(", \"metricMeasureColumn\": \"\", \"criterionType\": \"DynamicThresholdCriterion\"", ""),
            "5:61: criteria of type `DynamicThresholdCriterion` cannot be evaluated offline",
        ),
        (
            alert(", \"failingPeriods\": {\"numberOfEvaluationPeriods\": 2, \"minFailingPeriodsToAlert\": 3}", ""),
            "5:96: `minFailingPeriodsToAlert`: `3` is not a whole number from 1 to 2",
        ),
        (
            alert("", ", \"muteActionsDuration\": \"PT5M\""),
            "5:43: `muteActionsDuration` cannot be combined with `autoMitigate`",
        ),
        (
            alert("", ", \"autoMitigate\": false, \"muteActionsDuration\": \"PT7M\""),
            "5:66: `muteActionsDuration` must be one of PT1M",
        ),
        (alert("", ", \"overrideQueryTimeRange\": \"P3D\""), "5:46: a rule reads at most two days"),
    ];
    for ((name, text), expected) in cases {
        let folder = folder(&[(name, &text), ("t.jsonl", &rows(&[(1, 0)]))]);
        let output = backtest(folder.path(), &[name, "-t", "T=t.jsonl"]);
        let code = if expected.contains("offline") { 4 } else { 3 };
        assert_eq!(output.code, code, "{text}\n{}", output.stderr);
        assert!(output.stderr.contains(&format!("{name}:{expected}")), "{expected}\n{text}\n{}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn rules_of_2018_are_read() {
    let rule = json!({
        "type": "Microsoft.Insights/scheduledQueryRules", "apiVersion": "2018-04-16", "name": "old",
        "properties": {
            "enabled": "true",
            "source": {"query": "T", "queryType": "ResultCount"},
            "schedule": {"frequencyInMinutes": 5, "timeWindowInMinutes": 10},
            "action": {"severity": "1", "throttlingInMin": 15,
                "trigger": {"thresholdOperator": "GreaterThan", "threshold": 0}},
        },
    });
    let folder = folder(&[("rule.json", &rule.to_string()), ("t.jsonl", &rows(&[(1, 0)]))]);
    let output = backtest(folder.path(), &["rule.json", "-t", "T=t.jsonl"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let muted: Vec<Json> = lines(&output).iter().map(|alert| alert["Muted"].clone()).collect();
    assert_eq!(muted, [false, true]);
}

#[test]
fn a_year_of_ticks_takes_one_scan() {
    let rule = RULE.replace("User == 'bg'", "User == 'bg' and TimeGenerated > ago(5m)");
    let folder = folder(&[("rule.yaml", &rule), ("t.jsonl", &rows(&[(1, 0), (50, 1)]))]);
    let args = ["rule.yaml", "-t", "T=t.jsonl", "--from", "2026-01-01", "--to", "2027-01-01", "--expect-alerts", "2"];
    let output = backtest(folder.path(), &args);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("Late: 105121 runs, 2 alerts; 2 events: 2 caught, 0 missed"), "{}", output.stderr);
}

#[test]
fn delays_and_anchors_are_assumed() {
    let events = rows(&[(1, 2), (8, 2), (21, 2), (40, 20)]);
    let rule = RULE.replace("Period: 5m", "Period: 15m");
    let folder = folder(&[
        ("rule.yaml", &rule),
        ("t.jsonl", &events),
        ("delays.txt", "# by table\nT = 14m\n"),
        ("coldcase.toml", "[backtest]\ningestion-delay = \"fixed:30m\"\ngrace = \"5m\"\n"),
        ("wrong.txt", "T: 14m\n"),
    ]);
    let run = |more: &[&str]| {
        let args = ["rule.yaml", "-t", "T=t.jsonl", "--anchor", "2026-03-01", "--report", "days"];
        backtest(folder.path(), &[&args[..], more].concat())
    };
    let cases: &[(&[&str], u64)] = &[
        (&[], 1),
        (&["--grace", "0"], 1),
        (&["--ingestion-delay", "fixed:2m"], 0),
        (&["--ingestion-delay", "fixed:0s"], 0),
        (&["--ingestion-delay", "fixed:20m"], 4),
        (&["--ingestion-delay", "p99"], 4),
        (&["--ingestion-delay", "column:_IngestionTime"], 1),
        (&["--ingestion-delay", "table:delays.txt"], 0),
        (&["--ingestion-delay", "table:delays.txt", "--grace", "0"], 3),
        (&["-c", "coldcase.toml"], 4),
        (&["-c", "coldcase.toml", "--ingestion-delay", "fixed:1m"], 0),
    ];
    for (more, missed) in cases {
        let output = run(more);
        assert_eq!(output.code, 0, "{more:?}\n{}", output.stderr);
        let days = lines(&output);
        let found: u64 = days.iter().map(|day| day["Missed"].as_u64().unwrap()).sum();
        assert_eq!(found, *missed, "{more:?}\n{}", output.stderr);
    }
    assert_eq!(run(&["--ingestion-delay", "table:wrong.txt"]).code, 5);
    assert_eq!(run(&["--ingestion-delay", "late"]).code, 2);
    let output = run(&["--ingestion-delay", "fixed:14m", "--grace", "3m", "--anchors", "10"]);
    assert!(output.stderr.contains("Late: with 10 anchors, "), "{}", output.stderr);
    assert!(output.stderr.contains("0 to 2 (median 0) missed events"), "{}", output.stderr);
    let expecting = run(&["--ingestion-delay", "fixed:14m", "--grace", "3m", "--anchors", "10", "--expect-no-miss"]);
    assert_eq!(expecting.code, 1, "the worst anchor decides: {}", expecting.stderr);
}

#[test]
fn expectations_of_many_rules_decide_the_exit_code() {
    let other = RULE.replace("id: a", "id: b").replace("name: Late", "name: Other");
    let folder = folder(&[("a.yaml", RULE), ("b.yaml", &other), ("t.jsonl", &rows(&[(1, 0), (20, 0)]))]);
    let cases = [
        ("[a]\nexactly = 2\n[Other]\nat_least = 1\nat_most = 2\n", "fail", 0),
        ("[a]\nexactly = 3\n[Other]\nat_least = 1\n", "warn", 1),
        ("[a]\nexactly = 2\n[b]\nat_most = 1\n", "warn", 1),
        ("[a]\nexactly = 2\n", "warn", 0),
        ("[a]\nexactly = 2\n", "ignore", 0),
        ("[a]\nexactly = 2\n", "fail", 1),
        ("[a]\nexactly = 2\n[c]\nexactly = 1\n", "warn", 2),
        ("[a]\nabout = 2\n", "warn", 5),
    ];
    for (text, unexpected, code) in cases {
        fs::write(folder.path().join("expected.toml"), text).expect("written");
        let args =
            ["a.yaml", "b.yaml", "-t", "T=t.jsonl", "--expectations", "expected.toml", "--unexpected", unexpected];
        let output = backtest(folder.path(), &args);
        assert_eq!(output.code, code, "{text}\n{}", output.stderr);
        let warns = output.stderr.contains("the rule `Other` makes 2 alerts; expected: none");
        assert_eq!(
            warns,
            !text.contains("b]") && !text.contains("Other") && code < 2 && unexpected != "ignore",
            "{text}"
        );
    }
}

#[test]
fn alerts_are_written_as_services_hand_them_on() {
    let rules = ["rules/emergency-account-success.yaml", "rules/emergency-account-success.json"];
    let written = |form: &str| {
        let output = coldcase(&["backtest", rules[0], rules[1], "testdata/signinlogs", "--as", form]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        lines(&output)
    };
    let common = written("common-alert");
    assert_eq!(common.len(), 4);
    let data = &common[3]["data"];
    assert_eq!(
        (&data["essentials"]["severity"], &data["essentials"]["monitorCondition"]),
        (&"Sev0".into(), &"Fired".into())
    );
    assert_eq!(data["alertContext"]["condition"]["windowEndTime"], "2026-03-02T13:35:00.0000000Z");
    assert_eq!(data["alertContext"]["condition"]["windowSize"], "PT5M");
    let security = written("security-alert");
    assert_eq!(
        (&security[0]["AlertSeverity"], &security[0]["StartTime"]),
        (&"High".into(), &"2026-03-02T09:07:43.5000000Z".into())
    );
    let entities: Json = serde_json::from_str(security[0]["Entities"].as_str().unwrap()).unwrap();
    assert_eq!(entities[1]["Address"], "203.0.113.77");
    let identifiers: std::collections::BTreeSet<&str> =
        security.iter().map(|alert| alert["SystemAlertId"].as_str().unwrap()).collect();
    assert_eq!(identifiers.len(), 4, "identifiers tell alerts apart");
    let preview = written("preview-json");
    let evaluations = &preview[1]["rulePreviewResults"][0]["evaluations"];
    assert_eq!((evaluations.as_array().unwrap().len(), &evaluations[0]["alertState"]), (2, &"Fired".into()));
}

/// A measure with a longer range of the query is that of the last window, not of the range.
#[test]
fn an_overridden_range_does_not_widen_the_window_of_the_measure() {
    let rule = "\
type: Microsoft.Insights/scheduledQueryRules
name: Many
properties:
  severity: 1
  evaluationFrequency: PT5M
  windowSize: PT5M
  overrideQueryTimeRange: PT1H
  criteria:
    allOf:
      - query: T | project TimeGenerated, Number
        timeAggregation: Total
        metricMeasureColumn: Number
        operator: GreaterThan
        threshold: 4
";
    let row = |minute: u32, number: u32| {
        format!("{{\"TimeGenerated\":\"2026-03-01T10:{minute:02}:00Z\",\"Number\":{number}}}\n")
    };
    let folder = folder(&[("rule.yaml", rule), ("t.jsonl", &(row(1, 5) + &row(31, 1)))]);
    let args = ["rule.yaml", "-t", "T=t.jsonl", "-o", "jsonl", "--grace", "0"];
    for more in [&[][..], &["--rescan"]] {
        let output = backtest(folder.path(), &[&args[..], more].concat());
        let alerts = lines(&output);
        assert_eq!(alerts.len(), 1, "{output:?}");
        assert_eq!(alerts[0]["Detected"], "2026-03-01T10:05:00.0000000Z", "{output:?}");
    }
}

/// Each row is younger than the frequency in the first run that sees it, so it is in one alert, however late it arrives.
#[test]
fn ingestion_time_in_rules_is_the_assumed_arrival() {
    let sources = [
        "T | where ingestion_time() > ago(5m)",
        "T | where ['ingestion_time']() > ago(5m)",
        "let Late = () { T | where ingestion_time() > ago(5m) }; Late",
        "T | extend Arrived = ingestion_time() | where Arrived > ago(5m)",
        "T | join kind=leftsemi (T | distinct User) on User | where ingestion_time() > ago(5m)",
        "T | join kind=inner (T | summarize Last = max(ingestion_time()) by User) on User | where Last > ago(5m)",
        "union (T | where User == 'bg'), (T | where User == 'x') | where ingestion_time() > ago(5m)",
        "T | where User in ((T | where ingestion_time() > ago(5m) | project User)) and ingestion_time() > ago(5m)",
    ];
    // The minutes of the runs that make an alert.
    let cases: &[(&[&str], &[u64])] = &[
        (&[], &[5, 20, 25]),
        (&["--ingestion-delay", "column:_IngestionTime"], &[5, 20, 25]),
        (&["--ingestion-delay", "fixed:2m"], &[5, 15, 25]),
        (&["--ingestion-delay", "fixed:40m"], &[]),
        (&["--ingestion-delay", "table:delays.txt"], &[5, 15, 25]),
        (&["--ingestion-delay", "p99"], &[10, 20, 30]),
    ];
    let folder = folder(&[("t.jsonl", &rows(&[(1, 1), (9, 8), (20, 4)])), ("delays.txt", "T = 3m\n")]);
    for source in sources {
        let rule = RULE.replace("query: T", &format!("query: {source}")).replace("Period: 5m", "Period: 30m");
        fs::write(folder.path().join("rule.yaml"), rule).expect("written");
        for (more, minutes) in cases {
            let args = [&["rule.yaml", "-t", "T=t.jsonl", "--grace", "0", "-o", "jsonl"], *more].concat();
            let are_in_memory = !source.contains("User in");
            // Without rows in memory, only a delay that is the same for all rows and tables is possible.
            if !are_in_memory && more.last().is_some_and(|more| ["p99", "table:delays.txt"].contains(more)) {
                assert_eq!(backtest(folder.path(), &args).code, 6, "{source} {more:?}");
                continue;
            }
            let output = backtest(folder.path(), &args);
            let runs: Vec<u64> = lines(&output).iter().map(minute_of_run).collect();
            assert_eq!((output.code, &runs[..]), (0, *minutes), "{source} {more:?}: {output:?}");
        }
        let args = ["rule.yaml", "-t", "T=t.jsonl", "--grace", "0", "-o", "jsonl", "--rescan"];
        let output = backtest(folder.path(), &args);
        assert_eq!(lines(&output).iter().map(minute_of_run).collect::<Vec<_>>(), [5, 20, 25], "{source}: {output:?}");
    }
}

fn minute_of_run(alert: &Json) -> u64 {
    alert["WindowEnd"].as_str().expect("a time")[14..16].parse().expect("a minute")
}

/// A damaged time of arrival is reported, and the other rows keep theirs.
#[test]
fn a_damaged_time_of_arrival_is_that_of_one_row() {
    let data = rows(&[(1, 1), (9, 8), (20, 4)]).replace("2026-03-01T10:17:30Z", "later");
    let known = data.replace("\"User\"", "\"Type\":\"SigninLogs\",\"User\"");
    let folder = folder(&[("t.jsonl", &data), ("known.jsonl", &known)]);
    for (table, paths) in [("T", &["-t", "T=t.jsonl"][..]), ("SigninLogs", &["known.jsonl"])] {
        let rule = RULE.replace("query: T", &format!("query: {table} | where ingestion_time() > ago(5m)"));
        fs::write(folder.path().join("rule.yaml"), rule.replace("Period: 5m", "Period: 30m")).expect("written");
        let output = backtest(folder.path(), &[&["rule.yaml"], paths, &["--grace", "0", "-o", "jsonl"]].concat());
        let runs: Vec<u64> = lines(&output).iter().map(minute_of_run).collect();
        assert_eq!((output.code, &runs[..]), (0, &[5, 10, 25][..]), "{output:?}");
        assert!(output.stderr.contains(&format!("no ingestion time in 1 row of {table}")), "{output:?}");
        assert!(output.stderr.contains("1 value of _IngestionTime cannot be read as a datetime"), "{output:?}");
    }
}

/// Rules that run by the time of arrival, too, and columns that only the records of a table have.
#[test]
fn rules_of_every_kind_know_how_late_rows_arrive() {
    let query =
        "SigninLogs | where ingestion_time() - TimeGenerated > 5m | project TimeGenerated, User = UserPrincipalName";
    let nrt = format!("id: a\nname: Late\nkind: NRT\nseverity: High\nquery: {query}\n");
    let detection = json!({"displayName": "Late", "queryCondition": {"queryText": query},
        "schedule": {"frequency": "PT1H", "lookback": "PT4H"},
        "detectionAction": {"alertTemplate": {"title": "Late", "severity": "low",
            "entityMappings": {"accounts": [{"nameColumn": "User"}]}}}});
    let row = |minute: u32, delay: u32| {
        let time = |minute: u32| format!("2026-03-01T10:{minute:02}:30Z");
        let times = format!("\"TimeGenerated\":\"{}\",\"_IngestionTime\":\"{}\"", time(minute), time(minute + delay));
        format!("{{\"Type\":\"SigninLogs\",{times},\"UserPrincipalName\":\"u{minute}\"}}\n")
    };
    let folder = folder(&[
        ("s.yaml", &RULE.replace("query: T", &format!("query: {query} #")).replace("Period: 5m", "Period: 30m")),
        ("n.yaml", &nrt),
        ("d.json", &detection.to_string()),
        ("t.jsonl", &(row(1, 1) + &row(9, 8) + &row(20, 4))),
    ]);
    for rule in ["s.yaml", "n.yaml", "d.json"] {
        let run = |more: &[&str]| {
            let range = ["--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T12:00:00Z"];
            let args = [&[rule, "t.jsonl", "--report", "alerts", "-o", "jsonl"], &range[..], more].concat();
            let output = backtest(folder.path(), &args);
            assert_eq!(output.code, 0, "{rule} {more:?} {output:?}");
            let users = |alert: &Json| {
                let rows = alert["Results"].as_array().expect("rows").clone();
                rows.iter().map(|row| row["User"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
            };
            let mut users: Vec<String> = lines(&output).iter().flat_map(users).collect();
            users.dedup();
            users
        };
        for more in [&[][..], &["--rescan"]] {
            assert_eq!(run(more), ["u9"], "{rule} {more:?}");
            assert_eq!(run(&[more, &["--ingestion-delay", "fixed:5m"]].concat()), [""; 0], "{rule} {more:?}");
            let late = run(&[more, &["--ingestion-delay", "fixed:6m"]].concat());
            assert_eq!(late.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{rule} {more:?}");
        }
    }
}

#[test]
fn rules_by_times_of_arrival_that_are_not_known_are_refused() {
    let nrt = "id: a\nname: Subquery\nkind: NRT\nseverity: High\nquery: T | where User in (T | project User)\n";
    let folder = folder(&[("nrt.yaml", nrt), ("t.jsonl", &rows(&[(0, 60)])), ("delays.txt", "T = 3m\nU = 4m\n")]);
    // A union would need to know from which table a row comes.
    let both = RULE.replace("query: T", "query: union T, U | where ingestion_time() > ago(5m)");
    fs::write(folder.path().join("both.yaml"), both).expect("written");
    let args = ["both.yaml", "-t", "T=t.jsonl", "-t", "U=t.jsonl", "--ingestion-delay"];
    let refused = backtest(folder.path(), &[&args[..], &["table:delays.txt"]].concat());
    assert!(refused.code == 4 && refused.stderr.contains("do not arrive equally late"), "{refused:?}");
    assert_eq!(backtest(folder.path(), &[&args[..], &["fixed:3m"]].concat()).code, 0);
    let refused = backtest(folder.path(), &["nrt.yaml", "-t", "T=t.jsonl"]);
    assert!(refused.code == 2 && refused.stderr.contains("--to"), "{refused:?}");
    let args = ["nrt.yaml", "-t", "T=t.jsonl", "--to", "2026-03-01T12:00:00Z", "-o", "jsonl"];
    assert_eq!(lines(&backtest(folder.path(), &args)).len(), 1);
}
