//! Rules of every format in every other one.

use std::fs;
use std::path::Path;

use super::{ConvertedRule, RuleTarget, convert, joined, yaml_writer};
use crate::rules::{AlertRule, RuleFormat, RuleKind, TextMap, read_alerts};

/// The rule files of the project.
fn files() -> Vec<(String, RuleFormat, String)> {
    let mut files = Vec::new();
    for folder in ["rules", "testdata/rules"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            let format = match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => RuleFormat::Json,
                Some("yaml") if !name.ends_with(".test.yaml") => RuleFormat::Yaml,
                _ => continue,
            };
            files.push((name, format, fs::read_to_string(path).expect("text")));
        }
    }
    assert!(files.len() > 10, "{}", files.len());
    files
}

fn rules(text: &str, format: RuleFormat) -> Vec<AlertRule> {
    let rules = read_alerts(text, format).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    rules.into_iter().map(|rule| rule.unwrap_or_else(|error| panic!("{error:?}\n{text}"))).collect()
}

/// The rule without its positions, with the identifier that all formats have.
fn without_positions(mut rule: AlertRule) -> AlertRule {
    rule.span = crate::diagnostic::Span::default();
    rule.query.key = rule.span;
    rule.query.positions = None::<TextMap>;
    // Where a rule is deployed is not part of it.
    rule.scopes.clear();
    rule.omissions.clear();
    rule.columns.iter_mut().for_each(|column| column.span = rule.span);
    rule.id = rule.id.map(|id| super::identifier(&id).to_owned());
    rule
}

fn own_target(rule: &AlertRule, format: RuleFormat) -> RuleTarget {
    match (rule.kind, format) {
        (RuleKind::LogAlert, _) => RuleTarget::LogAlert,
        (RuleKind::CustomDetection, _) => RuleTarget::CustomDetection,
        (_, RuleFormat::Yaml) => RuleTarget::SentinelYaml,
        (_, RuleFormat::Json) => RuleTarget::SentinelArm,
    }
}

#[test]
fn every_rule_is_the_same_in_its_own_format() {
    let mut kinds = Vec::new();
    for (name, format, text) in files() {
        for (index, rule) in rules(&text, format).into_iter().enumerate() {
            let target = own_target(&rule, format);
            kinds.push(target);
            // A file may have rules of several services, of which only some have an equal in this format.
            let Ok(converted) = convert(&text, format, target) else { continue };
            let again = rules(&converted[index].text, target.format()).remove(0);
            assert_eq!(without_positions(again), without_positions(rule), "{name}\n{}", converted[index].text);
            assert_eq!(converted[index].losses, Vec::<String>::new(), "{name}");
            let twice = convert(&converted[index].text, target.format(), target).expect("converted");
            assert_eq!(twice[0].text, converted[index].text, "{name}");
        }
    }
    assert!(RuleTarget::ALL.iter().all(|target| kinds.contains(target)), "{kinds:?}");
}

#[test]
fn rules_return_from_every_format_but_for_named_losses() {
    let mut count = 0;
    for (name, format, text) in files() {
        for target in RuleTarget::ALL {
            let Ok(converted) = convert(&text, format, target) else { continue };
            for (rule, ConvertedRule { text, losses, .. }) in rules(&text, format).iter().zip(&converted) {
                let there = rules(text, target.format()).remove(0);
                assert_eq!(there.query.text, rule.query.text, "{name}");
                let own = own_target(rule, format);
                let Ok(back) = convert(text, target.format(), own) else { continue };
                let again = rules(&back[0].text, own.format()).remove(0);
                assert_eq!(again.query.text, rule.query.text, "{name}");
                if losses.is_empty() && back[0].losses.is_empty() {
                    assert_eq!(without_positions(again), without_positions(rule.clone()), "{name}\n{text}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count}");
}

/// A rule of Sentinel with these lines after the usual ones.
fn scheduled(more: &str) -> String {
    format!(
        "id: 3a6b1f3c-0000-4000-8000-000000000001\nname: Spray\nkind: Scheduled\nseverity: High\nquery: T | count\n\
         queryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\n{more}"
    )
}

#[test]
fn losses_are_named() {
    let grouped = "eventGroupingSettings: { aggregationKind: AlertPerResult }\n";
    let cases: &[(&str, RuleTarget, &[&str])] = &[
        ("version: 1.0.0\n", RuleTarget::SentinelArm, &[]),
        ("status: Available\ntags: [a]\n", RuleTarget::SentinelArm, &["`status` is dropped", "`tags` is dropped"]),
        ("novel: 1\n", RuleTarget::SentinelYaml, &["`novel` is dropped"]),
        ("enabled: false\n", RuleTarget::SentinelYaml, &["the rule is disabled, but the new one is enabled"]),
        (
            grouped,
            RuleTarget::CustomDetection,
            &[
                "rows are selected by their time of arrival instead of TimeGenerated",
                "alerts with equal entities, details and texts become one",
                "the service requires an entity: the rule has neither `entityMappings` nor `impactedAssets`",
            ],
        ),
        (
            "version: 1.0.0\ntactics: [InitialAccess]\nrelevantTechniques: [T1078]\ncustomDetails: { A: B }\n",
            RuleTarget::LogAlert,
            &[
                "the list of tactics is dropped",
                "the list of techniques is dropped",
                "the list of custom details is dropped",
                "`version` is dropped",
            ],
        ),
        (
            "suppressionEnabled: true\nsuppressionDuration: 1h\nincidentConfiguration: { createIncident: true }\n",
            RuleTarget::LogAlert,
            &["the suppression is dropped", "`incidentConfiguration` is dropped"],
        ),
        (
            "alertDetailsOverride: { alertDisplayNameFormat: 'Use {{A}}', alertSeverityColumnName: S, \
             alertDynamicProperties: [] }\n",
            RuleTarget::LogAlert,
            &[
                "the name that alerts have instead of that of the rule is dropped",
                "the severity that alerts have instead of that of the rule is dropped",
                "`alertDetailsOverride.alertDynamicProperties` is dropped",
            ],
        ),
        (
            "eventGroupingSettings: { aggregationKind: AlertPerResult }\nentityMappings:\n  - entityType: Account\n    \
             fieldMappings: [{ identifier: FullName, columnName: U }, { identifier: Sid, columnName: S }]\n",
            RuleTarget::CustomDetection,
            &[
                "rows are selected by their time of arrival instead of TimeGenerated",
                "alerts with equal entities, details and texts become one",
                "the identifier FullName (U) of the entity Account is dropped",
            ],
        ),
    ];
    for (more, target, expected) in cases {
        let text = scheduled(more);
        let converted = convert(&text, RuleFormat::Yaml, *target).unwrap_or_else(|error| panic!("{more}{error:?}"));
        assert_eq!(converted[0].losses, *expected, "{more}");
    }
}

/// A log search alert rule with other properties, and the losses of its conversion.
fn losses_of(properties: &str, target: RuleTarget) -> Vec<String> {
    let text = format!("{{\"type\": \"Microsoft.Insights/scheduledQueryRules\", \"name\": \"r\", {properties}}}");
    convert(&text, RuleFormat::Json, target).unwrap_or_else(|error| panic!("{properties}{error:?}")).remove(0).losses
}

#[test]
fn ranges_beyond_the_periods_that_count_are_told() {
    let rule = |window: &str, range: &str, periods: u32| {
        format!(
            "\"properties\": {{\"severity\": 1, \"evaluationFrequency\": \"PT5M\", \"windowSize\": \"{window}\", \
             \"overrideQueryTimeRange\": \"{range}\", \"autoMitigate\": false, \"criteria\": {{\"allOf\": [{{\"query\": \"T\", \
             \"timeAggregation\": \"Count\", \"operator\": \"GreaterThan\", \"threshold\": 0, \"failingPeriods\": \
             {{\"numberOfEvaluationPeriods\": {periods}, \"minFailingPeriodsToAlert\": {periods}}}}}]}}}}"
        )
    };
    let told = |window: &str, range: &str, periods: u32, target: RuleTarget| {
        let losses = losses_of(&rule(window, range, periods), target);
        losses.into_iter().find(|loss| loss.contains(" count, not only those"))
    };
    let expected = "all rows of the last PT30M count, not only those of the last PT5M";
    assert_eq!(told("PT5M", "PT30M", 1, RuleTarget::SentinelYaml).as_deref(), Some(expected));
    assert_eq!(told("PT5M", "PT30M", 1, RuleTarget::SentinelArm).as_deref(), Some(expected));
    let expected = "all rows of the last PT1H count, not only those of the last PT10M";
    assert_eq!(told("PT5M", "PT1H", 2, RuleTarget::SentinelYaml).as_deref(), Some(expected));
    assert_eq!(told("PT5M", "PT30M", 1, RuleTarget::LogAlert), None);
    assert_eq!(told("PT5M", "PT5M", 1, RuleTarget::SentinelYaml), None);
    assert_eq!(told("PT5M", "", 1, RuleTarget::SentinelYaml), None);
}

#[test]
fn keys_of_rules_of_2018_are_not_dropped_in_silence() {
    let properties = "\"properties\": {\"enabled\": \"true\", \"source\": {\"query\": \"T\", \"queryType\": \"ResultCount\"}, \
        \"schedule\": {\"frequencyInMinutes\": 5, \"timeWindowInMinutes\": 5}, \"action\": {\"severity\": \"1\", \
        \"aznsAction\": {\"actionGroup\": [\"/g\"], \"emailSubject\": \"Use\"}, \"novel\": 1, \
        \"trigger\": {\"thresholdOperator\": \"GreaterThan\", \"threshold\": 0}}}";
    let losses = losses_of(properties, RuleTarget::LogAlert);
    assert_eq!(losses, ["`action.novel` is dropped", "`action.aznsAction.emailSubject` is dropped"]);
}

#[test]
fn alerts_keep_their_own_names() {
    let more = "eventGroupingSettings: { aggregationKind: AlertPerResult }\nalertDetailsOverride:\n  \
        alertDisplayNameFormat: Use of {{A}}\n  alertDescriptionFormat: At {{B}}\n";
    let detection = convert(&scheduled(more), RuleFormat::Yaml, RuleTarget::CustomDetection).expect("converted");
    assert!(!detection[0].losses.iter().any(|loss| loss.contains("instead of that of the rule")), "{detection:?}");
    assert!(detection[0].text.contains("\"title\": \"Use of {{A}}\""), "{}", detection[0].text);
    for target in [RuleTarget::SentinelYaml, RuleTarget::SentinelArm] {
        let back = convert(&detection[0].text, RuleFormat::Json, target).expect("converted");
        let rule = &rules(&back[0].text, target.format())[0];
        assert_eq!(rule.overrides.name.as_deref(), Some("Use of {{A}}"), "{}", back[0].text);
        assert_eq!(rule.overrides.description.as_deref(), Some("At {{B}}"), "{}", back[0].text);
        assert!(back[0].losses.contains(&"alerts with equal entities, details and texts stay apart".to_owned()));
    }
    let plain = convert(&scheduled(""), RuleFormat::Yaml, RuleTarget::CustomDetection).expect("converted");
    let back = convert(&plain[0].text, RuleFormat::Json, RuleTarget::SentinelYaml).expect("converted");
    assert!(!back[0].text.contains("alertDetailsOverride"), "{}", back[0].text);
}

/// Tags of a resource are not those of a rule in YAML.
#[test]
fn keys_of_one_service_are_not_written_for_another() {
    let properties = "\"tags\": {}, \"properties\": {\"severity\": 1, \"evaluationFrequency\": \"PT5M\", \
        \"windowSize\": \"PT5M\", \"autoMitigate\": false, \"criteria\": {\"allOf\": [{\"query\": \"T\", \
        \"timeAggregation\": \"Count\", \"operator\": \"GreaterThan\", \"threshold\": 0}]}}";
    let text = format!("{{\"type\": \"Microsoft.Insights/scheduledQueryRules\", \"name\": \"r\", {properties}}}");
    let converted = convert(&text, RuleFormat::Json, RuleTarget::SentinelYaml).expect("converted");
    assert!(!converted[0].text.contains("tags"), "{}", converted[0].text);
    assert!(converted[0].losses.contains(&"`tags` is dropped".to_owned()), "{:?}", converted[0].losses);
}

#[test]
fn rules_that_the_new_service_rejects_are_refused() {
    let cases = [
        (
            scheduled("").replace("queryPeriod: 1h", "queryPeriod: 7h"),
            RuleTarget::LogAlert,
            "`windowSize` must be one of",
        ),
        (scheduled("").replace("gt", "ne"), RuleTarget::LogAlert, "`operator`: unknown value `NotEqual`"),
        (
            scheduled("").replace("gt", "lt").replace("Threshold: 0", "Threshold: 1"),
            RuleTarget::CustomDetection,
            "its condition is fulfilled without rows",
        ),
        (scheduled("").replace("Scheduled", "Fusion"), RuleTarget::LogAlert, "is no alert rule with a query"),
        ("a: 1\n".to_owned(), RuleTarget::LogAlert, "no rule is recognised in it"),
    ];
    for (text, target, reason) in cases {
        let error = convert(&text, RuleFormat::Yaml, target).expect_err(&text);
        assert!(error.reason.contains(reason), "{error:?}");
    }
}

/// Queries whose characters are hard to write.
#[test]
fn queries_are_the_same_byte_for_byte() {
    let queries = [
        "T",
        "T\n",
        "T\n\n\n",
        "\n\n  T\n| count",
        "  T\n    | where A == \"x\" // é 😀\n\n| count  \n",
        "T\r\n| count\r\n",
        "T | where A == '\\u0001\u{1}\u{7f}\u{85}\u{2028}'",
        "\tT\n\t| count",
        "[T] | count",
        "['T'] | where x in ('a')]",
        "# T: - x\n'",
        "T | where a == \"\"\"\"",
        "yes",
        "1.0",
        "- a: b",
        "T\n \n  \n",
        " ",
        "T |\u{feff} count\n| x",
    ];
    for query in queries {
        let node = super::map([("query", super::string(query))]);
        let text = yaml_writer::text(&node);
        let read = crate::rules::yaml::read(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert_eq!(read.get(&["query"]).and_then(|node| node.text()), Some(query), "{text}");
        let source = scheduled("").replace("query: T | count\n", &text);
        for target in RuleTarget::ALL {
            let Ok(converted) = convert(&source, RuleFormat::Yaml, target) else { panic!("{target:?} {query:?}") };
            assert_eq!(rules(&converted[0].text, target.format())[0].query.text, query, "{target:?}");
        }
    }
}

#[test]
fn several_rules_are_one_document() {
    let text = format!("{{\"value\": [{0}, {0}]}}", {
        let one = convert(&scheduled(""), RuleFormat::Yaml, RuleTarget::CustomDetection).expect("converted");
        one[0].text.clone()
    });
    for target in [RuleTarget::SentinelArm, RuleTarget::LogAlert, RuleTarget::CustomDetection] {
        let converted = convert(&text, RuleFormat::Json, target).expect("converted");
        assert_eq!(rules(&joined(&converted, target), target.format()).len(), 2);
    }
}
