//! Rules of each kind, in each style of string.

use super::{DetectionRule, RuleFormat, RuleKind, read};
use crate::diagnostic::Span;

fn rules(text: &str, format: RuleFormat) -> Vec<DetectionRule> {
    read(text, format).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

fn reason(text: &str, format: RuleFormat) -> (String, u32) {
    let error = read(text, format).expect_err(text);
    (error.reason, error.span.start)
}

/// A YAML file whose query is written as given.
fn yaml(query: &str) -> String {
    format!("id: a\nname: Löschungen\nquery: {query}\nseverity: High\n")
}

#[test]
fn positions_lead_to_the_file_in_every_style() {
    let written = [
        "|\n  SigninLogs\n    | where A == \"ü\"\n\n  | count",
        "|-\n    SigninLogs // é\n    | where A == 'it''s'\n    | count\n",
        "|2\n    SigninLogs\n    | count",
        ">\n  SigninLogs\n  | where A == 1\n\n  | count",
        ">-\n\n\n  SigninLogs\n     | where  A == 1\n  | count\n",
        "SigninLogs | where A == 'it''s' | count",
        "SigninLogs\n  | where A == 1\n\n  | count",
        "'SigninLogs | where A == ''ü''\n  | count'",
        "\"SigninLogs\\n| where A == \\\"\\u00fc\\x41\\\"\\n\\\n   | count\"",
        "\"SigninLogs\n  | where A == 1 \\\n   and B == '\\\\d'\n\n  | count\"",
        "&q |\n  SigninLogs\n  | count\nother: *q",
        "|\n  \"SigninLogs\" // a string first\n  | count",
        "!!str \"SigninLogs | count\"",
    ];
    for written in written {
        for file in [yaml(written), yaml(written).replace('\n', "\r\n")] {
            let rules = rules(&file, RuleFormat::Yaml);
            let query = &rules[0].queries[0];
            let positions = query.positions.as_ref().unwrap_or_else(|| panic!("no positions: {file}"));
            for word in ["SigninLogs", "where", "count", "ü"] {
                let Some(at) = query.text.find(word) else { continue };
                let span = positions.span(Span::new(at, at + word.len()));
                let shown = span.text(&file);
                assert!(shown == word || shown == "\\u00fc", "{shown:?} instead of {word}\n{file}");
            }
            let end = positions.span(Span::new(query.text.trim_end().len(), query.text.trim_end().len()));
            assert!(file[..end.start as usize].trim_end().ends_with("count"), "{file}");
            assert_eq!(query.key.text(&file), "query");
        }
    }
}

#[test]
fn positions_lead_to_the_file_in_json() {
    let text = r#"{"id":"a","name":"b","query":"Signin\u004cogs\n\t| where A == \"\ud83d\ude00\\d\/\" | count"}"#;
    let rules = rules(text, RuleFormat::Json);
    let query = &rules[0].queries[0];
    assert_eq!(query.text, "SigninLogs\n\t| where A == \"😀\\d/\" | count");
    let positions = query.positions.as_ref().expect("positions");
    let written = |word: &str| {
        let at = query.text.find(word).expect(word);
        positions.span(Span::new(at, at + word.len())).text(text)
    };
    for (word, shown) in [
        ("SigninLogs", r"Signin\u004cogs"),
        ("where", "where"),
        ("😀", r"\ud83d\ude00"),
        ("\\d/", r"\\d\/"),
        ("\n\t|", r"\n\t|"),
        ("count", "count"),
    ] {
        assert_eq!(written(word), shown);
    }
}

#[test]
fn each_kind_of_rule_is_recognised() {
    let sentinel = |kind: &str| format!("id: a\nname: b\nkind: {kind}\nseverity: Low\nquery: T\n");
    let resource = |kind: &str, properties: &str| {
        format!(
            r#"{{"resources": [{{"type": "{kind}", "name": "n", "kind": "Scheduled", "properties": {properties}}}]}}"#
        )
    };
    let cases = [
        (sentinel("Scheduled"), RuleFormat::Yaml, RuleKind::Scheduled, &["T"][..]),
        (sentinel("NRT"), RuleFormat::Yaml, RuleKind::NearRealTime, &["T"]),
        (sentinel("Fusion").replace("query: T", "x: 1"), RuleFormat::Yaml, RuleKind::WithoutQuery, &[]),
        (sentinel("Scheduled").replace("query: T", "query: 1"), RuleFormat::Yaml, RuleKind::Scheduled, &[]),
        ("id: a\nname: b\nquery: T\n".to_owned(), RuleFormat::Yaml, RuleKind::Hunting, &["T"]),
        (
            resource("Microsoft.SecurityInsights/alertRules", r#"{"displayName": "b", "query": "T"}"#),
            RuleFormat::Json,
            RuleKind::Scheduled,
            &["T"],
        ),
        (
            resource(
                "microsoft.insights/scheduledqueryrules",
                r#"{"criteria": {"allOf": [{"query": "T"}, {"query": "U"}]}}"#,
            ),
            RuleFormat::Json,
            RuleKind::LogAlert,
            &["T", "U"],
        ),
        (
            resource("Microsoft.Insights/scheduledQueryRules", r#"{"source": {"query": "T", "dataSourceId": "d"}}"#),
            RuleFormat::Json,
            RuleKind::LogAlert,
            &["T"],
        ),
        (
            resource(
                "Microsoft.OperationalInsights/workspaces/savedSearches",
                r#"{"displayName": "b", "query": "[[T]"}"#,
            ),
            RuleFormat::Json,
            RuleKind::SavedSearch,
            &["[T]"],
        ),
        (
            r#"{"resources": {"x": {"type": "Microsoft.Resources/deployments", "properties": {"template": {"resources":
                [{"type": "Microsoft.SecurityInsights/alertRules", "kind": "NRT", "properties": {"query": "T"}}]}}}}}"#
                .to_owned(),
            RuleFormat::Json,
            RuleKind::NearRealTime,
            &["T"],
        ),
        (
            r#"{"value": [{"id": "1", "kind": "Scheduled", "properties": {"displayName": "b", "query": "T"}}]}"#
                .to_owned(),
            RuleFormat::Json,
            RuleKind::Scheduled,
            &["T"],
        ),
        (
            r#"{"value": [{"id": "7", "displayName": "b", "queryCondition": {"queryText": "T"}}]}"#.to_owned(),
            RuleFormat::Json,
            RuleKind::CustomDetection,
            &["T"],
        ),
    ];
    for (text, format, kind, queries) in cases {
        let rules = rules(&text, format);
        assert_eq!(rules.len(), 1, "{text}");
        assert_eq!(rules[0].kind, kind, "{text}");
        assert_eq!(rules[0].queries.iter().map(|query| query.text.as_str()).collect::<Vec<_>>(), queries, "{text}");
    }
    let rule =
        &rules(r#"[{"id": "7", "displayName": "b", "queryCondition": {"queryText": "T"}}]"#, RuleFormat::Json)[0];
    assert_eq!((rule.id.as_deref(), rule.name.as_deref()), (Some("7"), Some("b")));
    for text in ["{}", "[]", "1", r#"{"query": "T"}"#, r#"{"name": "n", "version": "1"}"#] {
        assert_eq!(rules(text, RuleFormat::Json), [], "{text}");
        assert_eq!(rules(text, RuleFormat::Yaml), [], "{text}");
    }
    assert_eq!(rules("", RuleFormat::Yaml), []);
    assert_eq!(rules("# only a comment\n", RuleFormat::Yaml), []);
}

#[test]
fn expressions_of_templates_are_told_from_queries() {
    let text = r#"{"resources": [{"type": "Microsoft.SecurityInsights/alertRules",
        "properties": {"query": "[parameters('query')]"}}]}"#;
    assert!(rules(text, RuleFormat::Json)[0].queries[0].is_expression);
    let yaml = "id: a\nname: b\nquery: \"['T'] | where x in ('[')\"\n";
    assert!(!rules(yaml, RuleFormat::Yaml)[0].queries[0].is_expression);
}

#[test]
fn malformed_files_are_refused() {
    let cases = [
        ("a: 1\na: 2\n", RuleFormat::Yaml, "the key `a` occurs twice", 5),
        ("a: {b: 1, b: 2}\n", RuleFormat::Yaml, "the key `b` occurs twice", 10),
        ("a: 1\n---\na: 2\n", RuleFormat::Yaml, "more than one document", 5),
        ("a: &x [*x]\n", RuleFormat::Yaml, "the alias is inside the value that it refers to", 7),
        ("b: &b {q: T}\na:\n  <<: *b\n", RuleFormat::Yaml, "merge keys (`<<`) are not supported", 18),
        ("? [a]\n: b\n", RuleFormat::Yaml, "a key is not a string", 2),
        (r#"{"a": 1, "a": 2}"#, RuleFormat::Json, "the key `a` occurs twice", 9),
        (r#"{"a": 1,}"#, RuleFormat::Json, "not JSON: expected a string", 8),
        (r#"{"a": "\ud83d"}"#, RuleFormat::Json, "the string is not valid Unicode", 6),
        ("{} {}", RuleFormat::Json, "not JSON: more text after the record", 3),
    ];
    for (text, format, expected, at) in cases {
        assert_eq!(reason(text, format), (expected.to_owned(), at), "{text}");
    }
    for text in ["a: [1\n", "a: b: c\n", "a: \"\\q\"\n", "a: *missing\n", "a: 'x\n"] {
        assert!(reason(text, RuleFormat::Yaml).0.starts_with("not YAML: "), "{text}");
    }
}

#[test]
fn files_cannot_grow_without_end() {
    let ten = |name: usize| vec![format!("*a{name}"); 10].join(", ");
    let bomb: String = (1..12).map(|level| format!("a{level}: &a{level} [{}]\n", ten(level - 1))).collect();
    let bomb = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{bomb}");
    assert!(reason(&bomb, RuleFormat::Yaml).0.starts_with("more than 50000 values"));
    for depth in [100, 10_000] {
        assert!(read(&"[".repeat(depth), RuleFormat::Yaml).is_err());
        assert!(read(&"- ".repeat(depth), RuleFormat::Yaml).is_err());
        assert!(read(&format!("{}1{}", "[".repeat(2 * depth), "]".repeat(2 * depth)), RuleFormat::Json).is_err());
    }
    assert!(read(&" ".repeat(super::MAX_RULE_FILE + 1), RuleFormat::Yaml).is_err());
}

/// Checks that every token of `query` is found in `file`, where `decode` turns what is written into text.
fn check_positions(query: &str, file: &str, format: RuleFormat, decode: fn(&str) -> String) {
    let rules = rules(file, format);
    let read = &rules[0].queries[0];
    let positions = read.positions.as_ref().unwrap_or_else(|| panic!("no positions: {file}"));
    // Folding removes whitespace at the ends of lines.
    let without_spaces = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(without_spaces(&read.text), without_spaces(query));
    for token in crate::syntax::tokens(&read.text).into_iter().filter(|token| !token.text.contains('\n')) {
        assert_eq!(decode(positions.span(token.span).text(file)), token.text, "{file}");
    }
}

/// Every query of the files in `COLDCASE_CORPUS` (JSON Lines with a `query`, separated by `:`), in YAML and in JSON.
#[test]
fn queries_of_corpora_have_positions() {
    let Ok(files) = std::env::var("COLDCASE_CORPUS") else { return };
    for path in files.split(':') {
        let text = std::fs::read_to_string(path).expect("a readable file");
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            // Carriage returns are line ends of YAML.
            let query = value["query"].as_str().expect("a query").replace('\r', "");
            let indented: String = query.lines().map(|line| format!("    {line}\n")).collect();
            check_positions(&query, &yaml(&format!("|4\n{indented}")), RuleFormat::Yaml, str::to_owned);
            let quoted = serde_json::to_string(&query).expect("a string");
            let unquoted = |written: &str| serde_json::from_str(&format!("\"{written}\"")).expect("a part of a string");
            let json = format!("{{\"id\": 1, \"name\": 2, \"query\": {quoted}}}");
            check_positions(&query, &json, RuleFormat::Json, unquoted);
            check_positions(&query, &yaml(&quoted), RuleFormat::Yaml, unquoted);
            let folded = query.replace('\'', "''").replace('\n', "\n\n   ");
            let single = |written: &str| written.replace("''", "'");
            check_positions(&query, &yaml(&format!("'{folded}'")), RuleFormat::Yaml, single);
        }
    }
}
