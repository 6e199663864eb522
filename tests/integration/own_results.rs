//! What the program wrote is not evidence: found in a searched folder, it is skipped, or named if it has no marker.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase};

/// A folder with sign-ins in `case/signins.jsonl` and a query in `rules/a.kql`.
struct Case(tempfile::TempDir);

impl Case {
    fn new(count: usize, user_agent: &str) -> Self {
        let case = Self(tempfile::tempdir().expect("a folder"));
        for folder in ["case", "rules"] {
            fs::create_dir(case.0.path().join(folder)).expect("a folder");
        }
        let signin = |id: usize| {
            format!(
                "{{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"{id}\",\"ResultType\":\"0\",\
                 \"UserPrincipalName\":\"user{id}@contoso.com\",\"UserAgent\":\"{user_agent}\"}}\n"
            )
        };
        case.write("case/signins.jsonl", &(0..count).map(signin).collect::<String>());
        case.write("rules/a.kql", "SigninLogs | where ResultType == 0");
        case
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn count(&self) -> Output {
        coldcase(&["SigninLogs | count", &self.path("case"), "-o", "csv", "--strict"])
    }
}

#[test]
fn results_of_commands_are_skipped_in_folders() {
    let case = Case::new(3, "");
    let signins = case.path("case/signins.jsonl");
    let rules = case.path("rules");
    let results: [(&str, &[&str]); 9] = [
        ("timeline.csv", &["hunt", &rules, &signins]),
        ("timeline.jsonl", &["hunt", &rules, &signins]),
        ("timeline.json", &["hunt", &rules, &signins]),
        ("report.html", &["hunt", &rules, &signins]),
        ("timesketch.jsonl", &["hunt", &rules, &signins, "-o", "timesketch"]),
        ("sniffed.csv", &["sniff", &signins]),
        ("summary.jsonl", &["sniff", "--summary", &signins]),
        ("tables.tsv", &["tables", &signins]),
        ("rows.csv", &["SigninLogs", &signins, "--provenance"]),
    ];
    for (name, arguments) in results {
        let path = case.path(&format!("case/{name}"));
        let written = coldcase(&[arguments, &["-O", &path]].concat());
        assert_eq!(written.code, 0, "{written:?}");
        let counted = case.count();
        assert_eq!((counted.code, counted.stdout.as_str()), (0, "Count\r\n3\r\n"), "{name}: {counted:?}");
        let note = "note: skipped because coldcase wrote it: ";
        assert!(counted.stderr.contains(&format!("{note}{path}")), "{name}: {counted:?}");
        fs::remove_file(Path::new(&path)).expect("removed");
    }
}

/// Large files are read in parts, of which only the first begins like a file of rejects.
#[test]
fn large_files_of_rejects_are_skipped() {
    let case = Case::new(3, "");
    let inner = "{\\\"TimeGenerated\\\":\\\"2026-03-02T09:00:00Z\\\",\\\"Type\\\":\\\"SigninLogs\\\"}";
    let signin = "{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"x\"}\n";
    let reject = format!(
        "{{\"program\":\"coldcase\",\"file\":\"a.json\",\"reason\":\"x\",\"raw\":\"{inner}{}\"}}\n",
        " ".repeat(90_000)
    );
    case.write("case/rejects.jsonl", &(reject.repeat(100) + signin));
    let counted = case.count();
    assert_eq!((counted.code, counted.stdout.as_str()), (0, "Count\r\n3\r\n"), "{counted:?}");
    assert_eq!(counted.stderr.matches("skipped because coldcase wrote it").count(), 1, "{counted:?}");
}

#[test]
fn results_without_a_marker_beside_large_evidence_are_named() {
    let case = Case::new(3_000, &"x".repeat(400));
    let [signins, result] = ["case/signins.jsonl", "case/result.csv"].map(|name| case.path(name));
    let query = "SigninLogs | take 7 | project TimeGenerated, UserPrincipalName, ResultType";
    assert_eq!(coldcase(&[query, &signins, "-O", &result]).code, 0);
    let counted = case.count();
    assert_eq!((counted.code, counted.stdout.as_str()), (0, "Count\r\n3007\r\n"), "{counted:?}");
    let note = format!("note: {result} has 7 rows of SigninLogs without an Id, so it is unknown whether other files");
    assert!(counted.stderr.contains(&note), "{counted:?}");
    // Beside an archive, too.
    let archive = case.path("case/archive");
    assert_eq!(coldcase(&["convert", &signins, "-O", &archive]).code, 0);
    fs::remove_file(&signins).expect("removed");
    // Small inputs are compared completely.
    let counted = case.count();
    assert!(counted.stderr.contains("has no Ids, and each of its records"), "{counted:?}");
    // A file alone is no copy.
    fs::remove_dir_all(&archive).expect("removed");
    assert!(!case.count().stderr.contains("without an Id"));
}
