//! Tests messages and limits with whole queries.

use super::parse;

/// Parses every query in the files of `COLDCASE_CORPUS`: paths of JSON Lines files with a `query` in each record,
/// separated by `:`. Queries that neither parse nor are refused as unsupported are listed.
#[test]
fn corpora() {
    let Ok(files) = std::env::var("COLDCASE_CORPUS") else { return };
    for file in files.split(':') {
        let text = std::fs::read_to_string(file).expect("a readable file");
        let (mut good, mut refused, mut bad) = (0, 0, 0);
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let query = value["query"].as_str().expect("a query");
            let parsed = parse(query);
            let worst = parsed.diagnostics.iter().find(|d| d.code.info().id.starts_with("KQL1"));
            match worst {
                _ if parsed.diagnostics.is_empty() => good += 1,
                None => refused += 1,
                Some(d) => {
                    bad += 1;
                    let start = d.span.start as usize;
                    let before = query[..start].rfind('\n').map_or(0, |at| at + 1);
                    println!("{}: {d}\n    {:.150}", value["id"], &query[before..]);
                }
            }
        }
        println!("{file}: {good} parse, {refused} refused, {bad} bad");
    }
}

/// Returns the codes of the messages about `text`.
fn codes(text: &str) -> Vec<&'static str> {
    parse(text).diagnostics.iter().map(|diagnostic| diagnostic.code.info().id).collect()
}

/// Runs `check` with a stack as large as that of the first thread of a program. Code that is not optimised needs more
/// stack than a test thread has.
fn with_stack(check: fn()) {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(check).expect("a thread");
    thread.join().expect("no panic");
}

#[test]
fn nesting_is_bounded() {
    with_stack(|| {
        for (open, close) in
            [("(", ")"), ("not(", ")"), ("-(", ")"), ("f(T | where ", ")"), ("dynamic([", "])"), ("a[", "]")]
        {
            let depth = if open.contains('[') && open.len() > 2 { 50 } else { 99 };
            let text = |depth: usize| format!("print {}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(codes(&text(depth)), [] as [&str; 0], "{open}");
            assert_eq!(codes(&text(5_000)), ["KQL1005"], "{open}");
            assert_eq!(codes(&text(5_000)[..5_000]), ["KQL1005"], "{open}");
        }
    });
}

#[test]
fn chains_are_bounded_or_balanced() {
    assert_eq!(codes(&format!("T | where a{}", " and b or c".repeat(50_000))), [] as [&str; 0]);
    for link in [" + b", ".b", "[0]", " == 1", "-"] {
        assert!(matches!(codes(&format!("T | where a{}", link.repeat(5_000))).as_slice(), ["KQL1005" | "KQL1001"]));
    }
    assert_eq!(codes(&format!("T{}", " | count".repeat(1_000))), [] as [&str; 0]);
    assert_eq!(codes(&format!("print 1{}", ", 1 + 1".repeat(1_000))), [] as [&str; 0]);
    assert_eq!(codes(&format!("union T{}", ", (print x = 1)".repeat(1_000))), [] as [&str; 0]);
    assert_eq!(codes(&format!("T{}", " | count".repeat(5_000))), ["KQL1005"]);
    assert_eq!(codes(&"-".repeat(50_000)), ["KQL1001"]);
    assert_eq!(codes(&"a".repeat(super::MAX_TEXT + 1)), ["KQL1008"]);
}

/// Returns each message about `text`, after the words to which it refers.
fn messages(text: &str) -> Vec<String> {
    parse(text).diagnostics.iter().map(|d| format!("{}: {}", d.span.text(text), d.message)).collect()
}

#[test]
fn messages_point_at_the_words() {
    let cases = [
        ("T | project a, | take 5", "|: expected a column, found `|`"),
        ("T take 5", "take: expected `|`, `;` or the end of the query, found `take`"),
        ("T | where | take 5", "|: expected a condition, found `|`"),
        ("T | where a = 1", "=: `=` assigns a name; use `==` to compare"),
        ("T | where a == 1 == 2", "==: `==` cannot follow another comparison"),
        ("T | wehre a == 1", "wehre: `wehre` is not an operator"),
        ("T | where (a == 1", "(: `(` is not closed by `)`"),
        ("T | where a == 1)", "): `)` has no opening bracket"),
        ("T | where a[1)", "): expected `]`, found `)`"),
        ("print “a”", "“: `“` is not a character that KQL uses"),
        ("print 'abc", "'abc: this string has no closing quote"),
        ("print datetime(2024-13-45)", "datetime(2024-13-45): `2024-13-45` is not a valid datetime literal"),
        ("T | summarize count() by", ": expected a column, found the end of the query"),
        ("T | make-graph a --> b", "make-graph: `make-graph` is not supported yet"),
        ("let f = (x) { x }; print f(1)", "): expected `:`, found `)`"),
        ("let f = (x:long) { x | }; print f(1)", "}: expected an operator such as `where`, found `}`"),
        ("let f = () { set a; 1 }; print f()", "set: expected a value or a table, found `set`"),
        (".show tables", ".show: the management command `.show` is not supported yet"),
        ("print 1;; print 2", ";: expected a statement or the end of the query, found `;`"),
        ("datetime() | take 1", "datetime(): operators apply to tables, but this is a value"),
        ("print dynamic([bool(true)])", "bool(true): `bool(true)` is not valid inside dynamic(...)"),
        ("print '\\d'", "\\d: `\\d` is not an escape sequence"),
        ("T | mv-expand a, kind = b", "kind: the parameter `kind` goes before the columns"),
        ("print f(T | take 1, 2)", ",: expected an operator, `|` or `)`, found `,`"),
        ("let x = 1;", ": the text contains no query"),
        ("", ": the text contains no query"),
    ];
    for (text, expected) in cases {
        let found = messages(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{text}");
    }
}

#[test]
fn one_run_reports_every_mistake() {
    let text = "let a = ; T | where | take 5 | wehre x | join (U | project a,, b | make-graph c) on d | sort a";
    let found = messages(text);
    let expected = [
        ";: expected a value or a table, found `;`",
        "|: expected a condition, found `|`",
        "wehre: `wehre` is not an operator",
        ",: expected a column, found `,`",
        "make-graph: `make-graph` is not supported yet",
        "a: expected `by`, found `a`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn trees_are_printed_and_read_back() {
    let texts = super::OPERATORS.iter().flat_map(|info| info.examples.iter().copied()).chain([
        "print -1, 9 - -9223372036854775808, 1.5e300, real(nan), real(-inf), real(-0.0), 2h, timespan(-1.02:03:04.5)",
        "print int(-5), long(null), decimal(1.50), datetime(2024-02-29 01:02:03.1234567), guid(0a0b0c0d000000000000000000000001)",
        "print 'a' \"b\" @'c\\d', h'x', ```y\n'```, dynamic({'k': [1, -2.50, 'it\\'s', null, true, 1d, datetime(2024-01-01)]})",
        "print (a + b) * c, a + b * c, a and b or not(c), a has 'x' == true, -a.b[0].['c d'] between (1 .. 2)",
        "print x in~ ('a', 'b'), y !in (T | project a), z has_all ('p'), f(n = 1, *), toscalar(T | count)",
        "let t = datatable(a:long, ['b c']:string) [1, 'x', 2, 'y']; set q = 1; declare query_parameters(p:long = -5); t",
    ]);
    for text in texts {
        let first = parse(text);
        assert_eq!(first.diagnostics, [], "{text}");
        let printed = super::print(&first.query);
        let second = parse(&printed);
        assert_eq!(second.diagnostics, [], "{printed}");
        assert_eq!(super::print(&second.query), printed);
        assert_eq!(without_spans(&second.query), without_spans(&first.query), "{printed}");
    }
}

/// Returns the tree as a string, without positions.
fn without_spans(query: &super::ast::Query) -> String {
    let text = format!("{query:?}");
    let mut parts = text.split("Span { start: ");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |all, part| all + part.split_once('}').map_or("", |(_, rest)| rest))
}
