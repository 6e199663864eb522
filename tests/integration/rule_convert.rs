//! `coldcase rule convert`: where rules are written, and what is said about them.

use std::fs;

use crate::command::{coldcase, coldcase_at, coldcase_with};

const RULE: &str = "rules/emergency-account-success.yaml";

#[test]
fn losses_are_warnings_or_end_the_run() {
    let args = ["rule", "convert", RULE, "--to", "scheduled-query-rule"];
    let output = coldcase(&args);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for loss in ["the list of tactics is dropped", "AadUserId (UserId) of the entity Account", "`version` is dropped"] {
        assert!(output.stderr.contains(loss), "{loss}\n{}", output.stderr);
    }
    assert!(output.stdout.contains("Microsoft.Insights/scheduledQueryRules"), "{}", output.stdout);
    let output = coldcase(&[&args[..], &["--lossless"]].concat());
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    let output = coldcase(&["rule", "convert", RULE, "--to", "sentinel-arm", "--lossless"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn a_pipe_leads_there_and_back() {
    let there = coldcase(&["rule", "convert", RULE, "--to", "sentinel-arm"]);
    let back = coldcase_with(&["rule", "convert", "-", "--to", "sentinel-yaml"], &there.stdout);
    assert_eq!(back.code, 0, "{}", back.stderr);
    let query = |text: &str| text.lines().skip_while(|line| *line != "query: |").take(5).collect::<Vec<_>>().join("\n");
    assert_eq!(query(&back.stdout).trim_end(), query(&fs::read_to_string(RULE).expect("a rule")).trim_end());
}

#[test]
fn folders_get_a_file_for_each_rule() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    let output = coldcase(&["rule", "convert", "rules", "--to", "detection-rule", "-O", &path]);
    // The rules are there twice, for two services, with the same names.
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("several rules have the name"), "{}", output.stderr);
    let rules =
        ["emergency-account-success.yaml", "emergency-account-failure.yaml"].map(|name| format!("rules/{name}"));
    let args = ["rule", "convert", &rules[0], &rules[1], "--to", "sentinel-yaml"];
    let output = coldcase(&args);
    assert_eq!(output.code, 2, "{}", output.stderr);
    let output = coldcase(&[&args[..], &["-O", &path]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    let written = fs::read_to_string(folder.path().join("emergency-account-signed-in.yaml")).expect("a rule");
    assert!(written.starts_with("id: 1f6a3c52-0000-4000-8000-0000000000b1\nname: Emergency account signed in\n"));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

#[test]
fn rules_that_are_wrong_are_reported_with_their_position() {
    let folder = tempfile::tempdir().expect("a folder");
    let rule = fs::read_to_string(RULE).expect("a rule");
    fs::write(folder.path().join("a.yaml"), rule.replace("queryPeriod: 5m", "queryPeriod: 7h")).expect("written");
    fs::write(folder.path().join("b.yaml"), rule.replace("severity: High", "severity: Huge")).expect("written");
    let output = coldcase_at(folder.path(), &["rule", "convert", ".", "--to", "scheduled-query-rule"], b"");
    assert_eq!((output.code, output.stdout.as_str()), (3, ""), "{}", output.stderr);
    for error in ["./a.yaml:1:1: the rule `Emergency account signed in` cannot be written", "./b.yaml:6:11: `severity`"]
    {
        assert!(output.stderr.contains(error), "{error}\n{}", output.stderr);
    }
}

#[test]
fn files_without_rules_in_a_folder_are_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(RULE, folder.path().join("rule.yaml")).expect("copied");
    fs::write(folder.path().join("package.json"), "{\"name\": \"web\", \"version\": \"1.0.0\"}").expect("written");
    fs::write(folder.path().join("hunt.yaml"), "id: a\nname: Hunt\nquery: SigninLogs | count\n").expect("written");
    let output =
        coldcase_at(folder.path(), &["rule", "convert", "rule.yaml", "package.json", "--to", "sentinel-arm"], b"");
    assert!(output.code == 3 && output.stderr.contains("package.json:1:1: no rule"), "{}", output.stderr);
    fs::remove_file(folder.path().join("hunt.yaml")).expect("removed");
    let output = coldcase_at(folder.path(), &["rule", "convert", ".", "--to", "sentinel-arm"], b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("package.json: skipped, because no rule"), "{}", output.stderr);
    fs::write(folder.path().join("hunt.yaml"), "id: a\nname: Hunt\nquery: SigninLogs | count\n").expect("written");
    fs::write(
        folder.path().join("s.jsonl"),
        "{\"TimeGenerated\":\"2026-03-02T10:00:00Z\",\"Category\":\"SignInLogs\"}\n",
    )
    .expect("written");
    let output = coldcase_at(folder.path(), &["backtest", ".", "s.jsonl"], b"");
    assert_eq!(output.code, 0, "{}", output.stderr);
    for note in ["package.json: skipped", "hunt.yaml: `Hunt` is skipped, because it is no alert rule"] {
        assert!(output.stderr.contains(note), "{note}\n{}", output.stderr);
    }
    let output = coldcase_at(folder.path(), &["backtest", "hunt.yaml", "s.jsonl"], b"");
    assert!(output.code == 3 && output.stderr.contains("is no alert rule with a query"), "{}", output.stderr);
}
