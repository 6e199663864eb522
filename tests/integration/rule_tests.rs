//! `coldcase test`: unit tests of rules, their formats, their mistakes, and `--update`.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase, coldcase_at};

const RULE: &str = "\
id: 3a6b1f3c-0000-4000-8000-000000000001
name: Spray
kind: Scheduled
severity: High
queryFrequency: 5m
queryPeriod: 10m
triggerOperator: gt
triggerThreshold: 0
query: |
  SigninLogs
  | where ResultType != 0
  | summarize Users = dcount(UserPrincipalName) by IPAddress
  | where Users > 1
entityMappings:
  - entityType: IP
    fieldMappings: [{ identifier: Address, columnName: IPAddress }]
";

const ROWS: &str = concat!(
    "    - { TimeGenerated: 2026-03-01T10:01:00Z, UserPrincipalName: a@contoso.com, IPAddress: 203.0.113.1, ",
    "ResultType: 50126 }\n",
    "    - { TimeGenerated: 2026-03-01T10:02:00Z, UserPrincipalName: b@contoso.com, IPAddress: 203.0.113.1, ",
    "ResultType: 50126 }\n",
);

/// A folder with the rule and a file of tests.
fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("spray.yaml"), RULE).expect("written");
    fs::write(folder.path().join("spray.test.yaml"), tests).expect("written");
    folder
}

fn test(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["test"], args].concat(), b"")
}

/// A file with one test, which expects this.
fn expecting(expected: &str) -> String {
    format!("rule: spray.yaml\nname: Two users\ngiven:\n  SigninLogs:\n{ROWS}expect: {expected}\n")
}

#[test]
fn rules_of_the_project_pass_their_tests() {
    let output = coldcase(&["test", "rules"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.ends_with("43 tests: 43 passed, 0 failed\n"), "{}", output.stdout);
    // Files of tests are no rules.
    assert_eq!(coldcase(&["check", "rules"]).code, 0);
}

#[test]
fn expectations_are_compared_with_all_alerts() {
    // Two windows of ten minutes hold both rows.
    let cases = [
        ("{ alerts: 2, rows: 2 }", ""),
        ("{ alerts: 1 }", "alerts: expected 1, found 2"),
        ("{ rows: 3 }", "rows: expected 3, found 2"),
        ("{ entities: { IP: [203.0.113.1] } }", ""),
        ("{ entities: { IP: 203.0.113.2 } }", "entities of type IP: expected 203.0.113.2, found 203.0.113.1"),
        ("{ entities: { Account: [a] } }", "entities of type Account: expected a, found none"),
        ("{ rows: [{ Users: 2 }, { IPAddress: 203.0.113.1, Users: 2 }] }", ""),
        ("{ rows: [{ Users: 2 }] }", "rows: expected 1, found 2"),
        ("{ rows: [{ Users: 3 }, { Users: 2 }] }", "rows: no row of the alerts has {Users: 3}"),
        ("{ rows: [{ Nothing: null, Users: 2 }, { Users: '2' }] }", ""),
    ];
    for (expected, failure) in cases {
        let folder = folder(&expecting(expected));
        let output = test(folder.path(), &["--format", "json"]);
        assert_eq!(output.code, i32::from(!failure.is_empty()), "{expected}\n{}{}", output.stdout, output.stderr);
        let object: Json = serde_json::from_str(&output.stdout).expect("an object");
        let failures = if failure.is_empty() { json!([]) } else { json!([failure]) };
        assert_eq!((&object["failures"], &object["line"]), (&failures, &1.into()), "{expected}");
    }
}

#[test]
fn fixtures_make_alerts_or_none() {
    let together = ROWS.replace("    - ", "      - ");
    let tests = format!(
        "rule: spray.yaml\ntrue_positive:\n  -\n{together}true_negative:\n{}  - {{ ResultType: 0 }}\n",
        ROWS.replace("    - ", "  - ")
    );
    let output = test(folder(&tests).path(), &["."]);
    assert!(output.stdout.ends_with("4 tests: 4 passed, 0 failed\n"), "{}{}", output.stdout, output.stderr);
    let wrong =
        tests.replace("true_positive", "x").replace("true_negative", "true_positive").replace("x:", "true_negative:");
    let output = test(folder(&wrong).path(), &["."]);
    assert_eq!(output.code, 1);
    for line in ["line 4: 2 alerts, where none was expected", "line 7: no alert, where one was expected"] {
        assert!(output.stdout.contains(line), "{line}\n{}", output.stdout);
    }
}

#[test]
fn runs_are_at_the_time_of_the_test() {
    let cases = [
        // The window of ten minutes begins at 10:01:30, and ends at 10:11:30.
        (format!("now: 2026-03-01T10:11:30Z\n{}", expecting("{ alerts: 0 }")), 0),
        (format!("now: 2026-03-01T10:10:30Z\n{}", expecting("{ alerts: 1 }")), 0),
        ("rule: spray.yaml\ngiven: { SigninLogs: [] }\nexpect: { alerts: 0 }\n".to_owned(), 0),
    ];
    for (tests, code) in cases {
        let output = test(folder(&tests).path(), &[]);
        assert_eq!(output.code, code, "{tests}\n{}{}", output.stdout, output.stderr);
    }
}

#[test]
fn results_are_written_for_other_programs() {
    let passing = "rule: spray.yaml\nname: 'a <b> & #1'\ntrue_negative: [{ ResultType: 0 }]\n";
    let folder = folder(&format!("{passing}---\n{}", expecting("{ alerts: 1 }")));
    let junit = test(folder.path(), &["--format", "junit"]);
    assert_eq!(junit.code, 1);
    for line in [
        "<testsuites name=\"coldcase\" tests=\"2\" failures=\"1\">",
        "<testcase classname=\"spray.yaml\" name=\"a &lt;b&gt; &amp; #1: true negative 1\" file=\"./spray.test.yaml\"",
        "<failure message=\"alerts: expected 1, found 2\">alerts: expected 1, found 2</failure>",
    ] {
        assert!(junit.stdout.contains(line), "{line}\n{}", junit.stdout);
    }
    roxmltree::Document::parse(&junit.stdout).expect("XML");
    let tap = test(folder.path(), &["--format", "tap"]);
    let expected = concat!(
        "TAP version 14\n1..2\nok 1 - a <b> & \\#1: true negative 1\nnot ok 2 - Two users\n  ---\n  ",
        "{\"file\":\"./spray.test.yaml\",\"line\":5,\"rule\":\"spray.yaml\",",
        "\"failures\":[\"alerts: expected 1, found 2\"]}\n  ...\n",
    );
    assert_eq!(tap.stdout, expected);
}

#[test]
fn mistakes_are_reported_with_their_position() {
    let row = |row: &str| format!("rule: spray.yaml\ntrue_positive:\n  - {row}\n");
    let cases = [
        (row("{ UserPrincipalNam: a }"), "3:25: SigninLogs has no column `UserPrincipalNam`"),
        (row("{ CreatedDateTime: yesterday }"), "3:24: CreatedDateTime: `yesterday` is not a datetime"),
        (row("1"), "3:5: a row must have names and values of columns"),
        (row("{ ResultType: 0, ResultType: 1 }"), "3:22: the key `ResultType` occurs twice"),
        ("rule: other.yaml\ntrue_positive: [{}]\n".to_owned(), "1:7: ./other.yaml: there is no such file"),
        ("rule: spray.yaml\nselect: x\ntrue_positive: [{}]\n".to_owned(), "2:9: spray.yaml: it has no such rule"),
        ("rule: spray.yaml\nexpects: 1\n".to_owned(), "2:1: unknown key `expects`; expected one of name, rule"),
        ("rule: spray.yaml\n".to_owned(), "1:1: the test expects nothing"),
        ("name: x\ntrue_positive: [{}]\n".to_owned(), "1:1: the test has no `rule`"),
        ("rule: spray.yaml\ngiven: { T: [] }\nexpect: { rows: 1 }\n".to_owned(), "the table T is not known"),
        ("rule: spray.yaml\ngiven: {}\n".to_owned(), "2:8: the test has `given`, but no `expect`"),
        (expecting("{ alerts: -1 }"), "7:19: `alerts`: `-1` is not a whole number"),
        (expecting("{}"), "7:9: `expect` expects nothing"),
        ("".to_owned(), "1:1: no test is in it"),
        (
            format!("{}    - {{ ResultType: 1 }}\nexpect: {{ rows: 1 }}\n", expecting("").replace("expect: \n", "")),
            "7:7: the row has no TimeGenerated",
        ),
        ("a: [\n".to_owned(), "not YAML"),
    ];
    for (tests, message) in cases {
        let folder = folder(&tests);
        let output = test(folder.path(), &[]);
        assert_eq!(output.code, 3, "{tests}\n{}{}", output.stdout, output.stderr);
        assert!(output.stderr.contains(message), "{message}\n{}", output.stderr);
        assert!(output.stderr.contains("error: ./spray.test.yaml:"), "{}", output.stderr);
    }
    // A wrong rule is reported once, with its own position, and a query that cannot run fails its tests.
    let broken = folder("rule: spray.yaml\ntrue_positive: [{}, {}]\n");
    fs::write(broken.path().join("spray.yaml"), RULE.replace("queryPeriod: 10m", "queryPeriod: 1m")).expect("written");
    let output = test(broken.path(), &[]);
    assert_eq!((output.code, output.stderr.matches("spray.yaml:6:14").count()), (3, 1), "{}", output.stderr);
    fs::write(broken.path().join("spray.yaml"), RULE.replace("IPAddress\n", "IPAdress\n")).expect("written");
    let output = test(broken.path(), &["--format", "json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stdout.contains("the query cannot run"), "{}", output.stdout);
}

#[test]
fn tables_that_are_not_known_are_declared() {
    let tests = "rule: own.yaml\ncolumns: { Own_CL: { TimeGenerated: datetime, Amount: long } }\n\
                 true_positive: [{ Amount: 5 }]\ntrue_negative: [{ Amount: 1 }]\n";
    let folder = folder(tests);
    let rule = RULE.replace("SigninLogs", "Own_CL").replace("| where ResultType != 0\n", "| where Amount > 3\n");
    let rule = rule.replace("  | summarize Users = dcount(UserPrincipalName) by IPAddress\n  | where Users > 1\n", "");
    fs::write(folder.path().join("own.yaml"), rule).expect("written");
    let output = test(folder.path(), &[]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

#[test]
fn updates_show_the_difference_and_keep_the_rest() {
    let before = expecting("{ alerts: 1, rows: 7, entities: { IP: [203.0.113.9] } } # two runs")
        + "---\ntrue_positive: [{ ResultType: 0 }]\n---\ngiven:\n  SigninLogs:\n"
        + ROWS
        + "expect:\n  alerts: 2\n  entities:\n    IP:\n      - x\n      # all of them\n    Account: []\n";
    let folder = folder(&before);
    let output = test(folder.path(), &["--update"]);
    // The second test cannot be updated.
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("- expect: { alerts: 1, rows: 7,"), "{}", output.stderr);
    assert!(output.stderr.contains("+ expect: { alerts: 2, rows: 7,"), "{}", output.stderr);
    let after = before
        .replace(
            "{ alerts: 1, rows: 7, entities: { IP: [203.0.113.9] } }",
            "{ alerts: 2, rows: 2, entities: { IP: [\"203.0.113.1\"] } }",
        )
        .replace("- x\n", "[\"203.0.113.1\"]\n");
    assert_eq!(fs::read_to_string(folder.path().join("spray.test.yaml")).expect("read"), after);
    let output = test(folder.path(), &[]);
    assert_eq!((output.code, output.stdout.matches("FAIL").count()), (1, 1), "{}", output.stdout);
}

/// The lines from `rule: break-glass.yaml` to `end`, without their indentation.
fn example(text: &str, end: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with("rule: break-glass.yaml"));
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with(end)).collect();
    let indent = lines[0].len() - lines[0].trim_start().len();
    lines.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect()
}

#[test]
fn the_examples_of_readme_and_help_pass() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README");
    let help = coldcase(&["test", "--help"]);
    let rule = RULE.replace("queryPeriod: 10m", "queryPeriod: 5m").replace("entityType: IP", "entityType: Account");
    let query = rule.find("  | where ResultType").expect("a query")..rule.find("entityMappings").expect("entities");
    let mut rule =
        rule.replace("identifier: Address, columnName: IPAddress", "identifier: Name, columnName: UserPrincipalName");
    rule.replace_range(query, "  | where UserPrincipalName startswith 'bg-'\n");
    for tests in [example(&readme, "```"), example(&help.stdout, "Further keys")] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("break-glass.yaml"), &rule).expect("written");
        fs::write(folder.path().join("break-glass.test.yaml"), &tests).expect("written");
        let output = coldcase_at(folder.path(), &["test", "."], b"");
        assert!(output.code == 0 && output.stdout.contains("3 passed"), "{tests}{output:?}");
    }
}
