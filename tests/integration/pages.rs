//! `-o html`: pages of hunts, backtests and reviews, safe to open whatever the logs hold, and reproducible.

use std::fs;

use crate::command::{Output, coldcase, coldcase_at, root};

const CASES: [&[&str]; 3] = [
    &["hunt", "rules", "testdata/signinlogs"],
    &["backtest", "rules", "testdata/signinlogs", "--ingestion-delay", "fixed:20m"],
    &[
        "breakglass",
        "testdata/signinlogs",
        "--account",
        "bg-admin-01@contoso.com",
        "--account",
        "bg-admin-02@contoso.com",
    ],
];

fn page(args: &[&str]) -> Output {
    coldcase(&[args, &["-o", "html", "--now", "2026-03-05"]].concat())
}

/// The SHA-256 that a page shows for a file, or whatever follows its name.
fn shown_after<'a>(html: &'a str, file: &str) -> &'a str {
    html.split(file).nth(1).unwrap_or_else(|| panic!("{file} in {html}"))
}

#[test]
fn pages_show_the_result_and_how_to_get_it_again() {
    for (args, words) in CASES.into_iter().zip([
        &["Rows over time", "Timeline", "Queries", "UserPrincipalName"][..],
        &["Alerts over time", "Missed events", "delay", "Query"],
        &["Sign-ins over time", "bg-admin-02@contoso.com", "AppliedPolicies", "DaysWithoutData"],
    ]) {
        let output = page(args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let html = &output.stdout;
        for word in words {
            assert!(html.contains(word), "{word}: {html}");
        }
        for word in ["<svg ", "2026-03-05 00:00:00Z", env!("CARGO_PKG_VERSION"), "SHA-256", "-o html --now 2026-03-05"]
        {
            assert!(html.contains(word), "{word}: {html}");
        }
        assert!(html.contains("What limits this result") && html.contains("contain no AuditLogs records"), "{html}");
        for word in ["<script", "http:", "https:", "src=", "href=", " on"] {
            let body = html.split("</style>").nth(1).expect("a body");
            let tags = body.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
            assert!(!tags.into_iter().any(|tag| tag.contains(word)), "{word}: {html}");
        }
    }
}

#[test]
fn hashes_are_those_of_the_files() {
    let html = page(CASES[0]).stdout;
    let manifest = tempfile::tempdir().expect("a folder");
    let file = manifest.path().join("manifest.json");
    let file = file.to_str().expect("a path");
    let output = coldcase(&["SigninLogs | count", "testdata/signinlogs", "--manifest", file]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).expect("read")).expect("JSON");
    let inputs = manifest["inputs"].as_array().expect("inputs");
    assert!(!inputs.is_empty());
    for input in inputs {
        let (file, hash) = (input["file"].as_str().expect("a file"), input["sha256"].as_str().expect("a hash"));
        let shown = shown_after(&html, &format!("<td data-column=\"File\">{file}</td>"));
        assert!(shown.split("</tr>").next().is_some_and(|row| row.contains(hash)), "{file}: {hash}");
    }
    let rules = fs::read_dir(root().join("rules")).expect("a folder");
    for rule in rules.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")) {
        let is_rule = [".yaml", ".json"].iter().any(|end| rule.ends_with(end)) && !rule.contains(".test.");
        assert_eq!(html.contains(&format!("<td data-column=\"File\">rules/{rule}</td>")), is_rule, "{rule}");
    }
}

#[test]
fn logs_cannot_write_into_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let attack = "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>";
    let row = serde_json::json!({"TimeGenerated": "2026-03-01T10:00:00Z", "Type": "SigninLogs",
        "UserPrincipalName": "a@contoso.com", "IPAddress": attack, "ResultType": "0", "Location": attack,
        "AppDisplayName": attack});
    fs::write(folder.path().join("rows.jsonl"), format!("{row}\n")).expect("written");
    let rule = format!(
        "id: a\nname: '{attack}'\nkind: Scheduled\nseverity: High\nqueryFrequency: 5m\nqueryPeriod: 5m\ntriggerOperator: gt\n\
         triggerThreshold: 0\ndescription: '{attack}'\nquery: |\n  SigninLogs | extend X = '{attack}'\nentityMappings:\n  \
         - entityType: IP\n    fieldMappings: [{{ identifier: Address, columnName: IPAddress }}]\n"
    );
    fs::write(folder.path().join("rule.yaml"), rule).expect("written");
    let cases: [&[&str]; 3] = [
        &["hunt", "rule.yaml", "rows.jsonl", "-O", "page.html"],
        &["backtest", "rule.yaml", "rows.jsonl", "-O", "page.html"],
        &["breakglass", "rows.jsonl", "--account", "a@contoso.com", "-O", "page.html"],
    ];
    for args in cases {
        let output = coldcase_at(folder.path(), args, b"");
        assert_eq!(output.code, 0, "{}", output.stderr);
        let html = fs::read_to_string(folder.path().join("page.html")).expect("a page");
        assert!(html.contains("&lt;script&gt;alert(1)"), "{args:?}: {html}");
        assert!(!html.contains("<script") && !html.contains("<img"), "{args:?}: {html}");
    }
}

#[test]
fn options_without_effect_on_a_page_are_refused() {
    for args in CASES {
        let output = page(&[args, &["--excel-safe"]].concat());
        assert_eq!(output.code, 2, "{}", output.stderr);
    }
    let output = coldcase(&["SigninLogs | count", "testdata/signinlogs", "-o", "html"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
}
