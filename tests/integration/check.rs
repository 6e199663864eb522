//! `coldcase check`.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::command::{Output, coldcase, coldcase_at, coldcase_with};

/// A folder with the given files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    folder
}

fn check(folder: &Path, args: &[&str]) -> Output {
    coldcase_at(folder, &[&["check"], args].concat(), b"")
}

fn lines(output: &Output) -> Vec<Json> {
    output.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn rules_of_the_project_are_valid() {
    let output = coldcase(&["check", "--schema", "testdata/rules"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let expected = "testdata/rules/emergency.json:14: Emergency account signs in\n    TimeGenerated: datetime\n    \
                    UserPrincipalName: string\n    IPAddress: string\n";
    assert!(output.stdout.replace('\\', "/").starts_with(expected), "{}", output.stdout);
    assert!(output.stdout.ends_with("    IPAddress: string\n    Users: long\n    First: datetime\n"));
    assert!(output.stderr.contains("3 queries: 3 valid"), "{}", output.stderr);
    assert_eq!(coldcase(&["check", "-q", "testdata/rules"]).stderr, "");
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
        ("a.yaml", "id: a\nid: b\n", 5),
        ("a.yaml", "a: 1\n", 5),
        ("a.json", "{", 5),
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
    assert_eq!(codes, [0, 4, 5, 3]);
    let output = check(folder.path(), &["."]);
    assert!(output.stderr.contains("4 queries: 1 wrong, 1 unreadable, 1 not supported, 1 valid"), "{}", output.stderr);
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
    assert_eq!(verdicts, ["wrong", "unsupported", "unreadable"]);
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
