//! Tests of formatted queries.

use super::format;

/// Returns `text` formatted, and checks that formatting it again changes nothing.
fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let twice = format(&once).unwrap_or_else(|error| panic!("{once}\n{error}"));
    assert_eq!(once, twice);
    once
}

/// Tests the formatted text of each query in `cases.txt`.
#[test]
fn queries_have_one_form() {
    let cases = include_str!("cases.txt");
    for case in cases.split("\n====\n") {
        let (query, expected) = case.split_once("\n----\n").expect("a query and its formatted text");
        assert_eq!(formatted(query).trim_end(), expected.trim_end(), "{query}");
    }
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    assert_eq!(formatted("T|take 1"), "T\n| take 1\n");
    assert_eq!(formatted("// a\r\nT|take 1"), "// a\r\nT\r\n| take 1\r\n");
    assert_eq!(formatted("print ```a\nb```,\r\n 1"), "print ```a\nb```, 1\n");
    assert_eq!(formatted("print a =\r\n```b\r\nc```"), "print a = ```b\r\nc```\r\n");
}

#[test]
fn a_comment_anywhere_survives() {
    let query = "let f = ( a : long , t : ( b : long ) ) { t | where b in ( 1 , 2 ) and b > a } ; f ( 1 , T ) \
                 | join kind = inner ( U | count ) on b | summarize n = count ( ) , m = max ( [ 'x' ] ) by b , - c \
                 | extend d = dynamic ( { \"k\" : [ 1 , 2 ] } ) . k [ 0 ] | sort by b asc nulls last | top 2 by d \
                 | make-series s = sum ( n ) default = 0 on t from 1 to 9 step 2 by b | mv-apply s on ( top 1 by s )";
    let gaps: Vec<usize> = query.match_indices(' ').map(|(at, _)| at).collect();
    for at in gaps {
        for comment in [" // one\n ", "\n// two\n\n// three\n "] {
            let text = format!("{}{comment}{}", &query[..at], &query[at..]);
            let count = |text: &str| text.matches("//").count();
            assert_eq!(count(&formatted(&text)), count(&text), "{text}");
        }
    }
}

#[test]
fn long_and_deep_queries_are_formatted() {
    // Unoptimised code needs more stack than a test thread has; that of the program's first thread suffices.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(format_long_and_deep_queries);
    thread.expect("a thread").join().expect("no panic");
}

fn format_long_and_deep_queries() {
    let list: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let long = formatted(&format!("T | where a in ({})", list.join(",")));
    assert!(long.lines().all(|line| line.len() <= 100));
    formatted(&format!("T | where a{}", " and b or c".repeat(4_000)));
    formatted(&format!("print {}1{}", "f(".repeat(99), ")".repeat(99)));
    formatted(&format!("T{}", " | count".repeat(500)));
}

#[test]
fn wrong_queries_are_refused() {
    for text in ["T | wher a", "T | where (a", "print 'a", "", "// nothing"] {
        assert!(matches!(format(text), Err(crate::diagnostic::Error::Query(_))), "{text}");
    }
}

/// Formats every query that parses in the files of `COLDCASE_CORPUS`: paths of JSON Lines files with a `query` in
/// each record, separated by `:`.
#[test]
fn corpora_are_formatted() {
    let Ok(files) = std::env::var("COLDCASE_CORPUS") else { return };
    for file in files.split(':') {
        let text = std::fs::read_to_string(file).expect("a readable file");
        let mut count = 0;
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let query = value["query"].as_str().expect("a query");
            if crate::syntax::parse(query).diagnostics.is_empty() {
                formatted(query);
                count += 1;
            }
        }
        assert!(count > 0, "{file} has no query");
        println!("{file}: {count} queries");
    }
}
