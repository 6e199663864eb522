//! `coldcase backtest --resume`: of which alerts somebody is notified, and how they are delivered.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::command::{Output, coldcase_at, folder, lines};

/// A log search alert rule that fires for each of [`USES`].
fn rule(name: &str, properties: &Json) -> String {
    let mut all = json!({
        "severity": 1, "evaluationFrequency": "PT5M", "windowSize": "PT5M", "autoMitigate": false,
        "criteria": {"allOf": [{"query": "SigninLogs", "timeAggregation": "Count", "operator": "GreaterThan",
            "threshold": 0}]},
    });
    for (key, value) in properties.as_object().expect("an object") {
        all[key] = value.clone();
    }
    json!({"type": "Microsoft.Insights/scheduledQueryRules", "name": name, "properties": all}).to_string()
}

const USES: &str = "\
{\"TimeGenerated\":\"2026-03-01T10:01:00Z\",\"UserPrincipalName\":\"bg1@contoso.com\"}
{\"TimeGenerated\":\"2026-03-01T10:08:00Z\",\"UserPrincipalName\":\"bg1@contoso.com\"}
{\"TimeGenerated\":\"2026-03-01T10:43:00Z\",\"UserPrincipalName\":\"bg2@contoso.com\"}
";

fn notify(folder: &Path, to: &str, more: &[&str]) -> Output {
    let args = ["backtest", "rule.json", "uses.jsonl", "--resume", "s", "--to", to, "--as", "common-alert"];
    coldcase_at(folder, &[&args[..], more].concat(), b"")
}

/// The times at which the alerts were made, as `10:05`.
fn times(alerts: &[Json]) -> Vec<String> {
    let time = |alert: &Json| alert["data"]["essentials"]["firedDateTime"].as_str().expect("a time")[11..16].to_owned();
    alerts.iter().map(time).collect()
}

/// The files of a spool folder, in the order of their names.
fn spooled(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn nobody_is_notified_of_muted_alerts() {
    let muted = rule("Use", &json!({"muteActionsDuration": "PT30M"}));
    let folder = folder(&[("rule.json", &muted), ("uses.jsonl", USES)]);
    let output = notify(folder.path(), "2026-03-01T12:00:00Z", &[]);
    assert_eq!((output.code, times(&lines(&output)).len()), (0, 2), "{}", output.stderr);
    let told = "`Use`: not written, because the actions of the rule were muted: 1 alert";
    assert!(output.stderr.contains(told), "{}", output.stderr);
    // A report has all of them.
    let all = coldcase_at(folder.path(), &["backtest", "rule.json", "uses.jsonl", "--as", "common-alert"], b"");
    assert_eq!(lines(&all).len(), 3, "{}", all.stderr);
}

#[test]
fn nobody_is_notified_by_a_disabled_rule() {
    let rule = |is_enabled: bool| rule("Use", &json!({"enabled": is_enabled, "autoMitigate": true}));
    let folder = folder(&[("rule.json", &rule(false)), ("uses.jsonl", USES)]);
    let output = notify(folder.path(), "2026-03-01T10:30:00Z", &[]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
    let told = "the rule `Use` is disabled; its alerts are not written";
    assert!(output.stderr.contains(told), "{}", output.stderr);
    // A resource whose condition is false is not deployed.
    let undeployed = rule(true).replacen('{', "{\"condition\": false, ", 1);
    fs::write(folder.path().join("other.json"), undeployed).expect("written");
    let args = ["backtest", "other.json", "uses.jsonl", "--resume", "o", "--to", "2026-03-02", "--as", "common-alert"];
    let output = coldcase_at(folder.path(), &args, b"");
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
    // Once it is enabled, it goes on with the runs that follow, and no alert of before is still firing.
    fs::write(folder.path().join("rule.json"), rule(true)).expect("written");
    let output = notify(folder.path(), "2026-03-01T12:00:00Z", &[]);
    assert_eq!(times(&lines(&output)).len(), 1, "{}", output.stderr);
    assert!(times(&lines(&output))[0].as_str() > "10:43", "{}", output.stdout);
}

#[test]
fn alerts_wait_in_the_spool() {
    let folder = folder(&[("rule.json", &rule("../Use $(id)", &json!({}))), ("uses.jsonl", USES)]);
    let spool = folder.path().join("spool");
    let output = notify(folder.path(), "2026-03-01T12:00:00Z", &["--spool", "spool"]);
    assert!(output.code == 2 && output.stderr.contains("--spool spool: there is no such folder"), "{}", output.stderr);
    fs::create_dir(&spool).expect("a folder");
    let args = ["backtest", "rule.json", ".", "--resume", "s", "--to", "2026-03-02", "--as", "common-alert"];
    let output = coldcase_at(folder.path(), &[&args[..], &["--spool", "spool"]].concat(), b"");
    assert!(output.code == 2 && output.stderr.contains("which is searched for records"), "{}", output.stderr);
    let mut waiting = Vec::new();
    for (to, count) in [("10:30", 2), ("11:30", 3), ("12:00", 3)] {
        let output = notify(folder.path(), &format!("2026-03-01T{to}:00Z"), &["--spool", "spool"]);
        assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
        let files = spooled(&spool);
        assert!(files.len() == count && files.starts_with(&waiting), "{files:?}");
        waiting = files;
    }
    let alerts: Vec<Json> = waiting
        .iter()
        .map(|file| serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("an alert"))
        .collect();
    let times = times(&alerts);
    assert!(times.is_sorted() && times.len() == 3, "{times:?}");
    for file in &waiting {
        let name = file.file_name().expect("a name").to_str().expect("text").to_owned();
        let is_number = |char: char| char.is_ascii_hexdigit() || char == '-';
        assert!(name.strip_suffix(".json").is_some_and(|name| name.chars().all(is_number)), "{name}");
    }
    // A state that is begun anew replaces nothing that waits.
    fs::remove_file(folder.path().join("s")).expect("removed");
    fs::write(folder.path().join("uses.jsonl"), USES.replace("bg1", "bg3")).expect("written");
    notify(folder.path(), "2026-03-01T12:00:00Z", &["--spool", "spool"]);
    assert!(waiting.iter().all(|file| spooled(&spool).contains(file)));
    assert!(spooled(&spool).len() > waiting.len());
}

/// The script of docs/notify.md delivers what waits, however often the receiver fails before.
#[cfg(unix)]
#[test]
fn alerts_are_delivered_once_the_receiver_answers() {
    use std::os::unix::fs::PermissionsExt;
    let guide = include_str!("../../docs/notify.md");
    let script = guide.split("```sh\n#!/bin/sh").nth(1).and_then(|rest| rest.split("```").next()).expect("the script");
    // A receiver in place of curl: it takes what it can store, but for the second alert while the file `broken` is there.
    let receiver = "#!/bin/sh
for last in \"$@\"; do case $last in @*) alert=${last#@} ;; esac; done
case $alert in *-000001-*) [ ! -e broken ] || exit 22 ;; esac
cat \"$alert\" >>taken.jsonl
";
    let folder = folder(&[
        ("rule.json", &rule("Use", &json!({}))),
        ("uses.jsonl", USES),
        ("deliver.sh", &format!("#!/bin/sh{script}")),
        ("bin/curl", receiver),
        ("broken", ""),
        ("spool/none", ""),
    ]);
    for file in ["deliver.sh", "bin/curl"] {
        fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let deliver = || {
        let script = folder.path().join("deliver.sh");
        let status = std::process::Command::new(script).env("PATH", &path).current_dir("/").status();
        status.expect("a shell").code()
    };
    let taken = || fs::read_to_string(folder.path().join("taken.jsonl")).unwrap_or_default().lines().count();
    assert_eq!((deliver(), taken()), (Some(0), 0), "nothing waits");
    let output = notify(folder.path(), "2026-03-01T12:00:00Z", &["--spool", "spool"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!((deliver(), taken()), (Some(1), 2), "one is not taken, and keeps no other from being sent");
    assert_eq!((deliver(), taken()), (Some(1), 2));
    fs::remove_file(folder.path().join("broken")).expect("removed");
    assert_eq!((deliver(), taken()), (Some(0), 3));
    assert_eq!((deliver(), taken()), (Some(0), 3), "none is sent twice");
}
