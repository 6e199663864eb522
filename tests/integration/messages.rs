//! Pins the words of errors and other messages that are made where they occur: `testdata/message_literals.txt` lists
//! every string literal of the source that reads like a sentence. `UPDATE=1 cargo test --test integration messages`
//! rewrites it, so that a change of words is a difference to read.
//!
//! The text of events is pinned by samples instead, in `testdata/messages.txt`; that of help by the documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::diff::line_diff;
use crate::words::{source, without_unit_tests};

const FILE: &str = "testdata/message_literals.txt";

/// Code whose literals are no messages: events, which samples pin, and tests.
const EXCLUDED: &[&str] = &["src/messages/", "src/source/text/reference/"];

/// What precedes literals that are no messages: reasons of lint attributes and of panics that cannot happen, and
/// examples, which are queries.
const NO_MESSAGE: &[&str] = &["reason =", ".expect(", "unreachable!(", "Example::new("];

/// A comment, a character, or a string literal, whose text is group 1 (with escapes) or group 2 or 3 (raw).
const TOKEN: &str = r##"(?s)//[^\n]*|'(?:\\.[^']*|[^'\\])'|\br#"(.*?)"#|\br"([^"]*)"|"((?:\\.|[^"\\])*)""##;

/// The string literals of Rust code that are messages, on one line each.
fn literals(code: &str) -> Vec<String> {
    let token = Regex::new(TOKEN).expect("valid");
    let line_continuation = Regex::new(r"\\\n\s*").expect("valid");
    let tokens = token.captures_iter(code).filter_map(|token| {
        let whole = token.get(0)?;
        let before = code[..whole.start()].trim_end();
        let text = (1..=3).find_map(|group| token.get(group))?.as_str();
        let is_message = !NO_MESSAGE.iter().any(|end| before.ends_with(end));
        let joined = line_continuation.replace_all(text, "").replace('\n', r"\n");
        (is_message && is_sentence(&joined)).then_some(joined)
    });
    tokens.collect()
}

/// True if a text has several words, one of them of three letters.
fn is_sentence(text: &str) -> bool {
    let has_word = text.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() >= 3);
    has_word && text.split_whitespace().count() > 1
}

/// The text of all generated documents.
fn documents() -> String {
    let files = walkdir::WalkDir::new("docs").into_iter().map(|entry| entry.expect("readable").into_path());
    files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).expect("documents are text")).collect()
}

#[test]
fn every_message_literal_is_pinned() {
    let documents = documents();
    let is_documented = |literal: &String| documents.contains(&literal.replace("\\\"", "\"").replace("\\\\", "\\"));
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in source() {
        let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
        // Generated data contains sentences, too.
        let is_data = file.starts_with("src/synth/") && !text.contains("Error::");
        if is_test || is_data || EXCLUDED.iter().any(|excluded| file.starts_with(excluded)) {
            continue;
        }
        let code = without_unit_tests(&text).join("\n");
        let room = file.split('/').take(2).collect::<Vec<_>>().join("/");
        let messages = literals(&code).into_iter().filter(|literal| !is_documented(literal));
        rooms.entry(room).or_default().extend(messages);
    }
    rooms.retain(|_, messages| !messages.is_empty());
    let list = |messages: &BTreeSet<String>| messages.iter().map(|message| format!("{message}\n")).collect::<String>();
    let chapters: Vec<String> =
        rooms.iter().map(|(room, messages)| format!("# {room}\n\n{}", list(messages))).collect();
    let now = chapters.join("\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &now).expect("testdata can be written");
    }
    let pinned = fs::read_to_string(&path).unwrap_or_default();
    let how = "if the new words are good, run `UPDATE=1 cargo test --test integration messages`";
    assert!(now == pinned, "{FILE} differs: {how}\n{}", line_diff(&pinned, &now));
}

#[test]
fn notes_and_warnings_are_made_in_one_place() {
    let mut found = Vec::new();
    for (file, text) in source().into_iter().filter(|(file, _)| file.starts_with("src/cli/")) {
        let code = without_unit_tests(&text).join("\n");
        let own =
            literals(&code).into_iter().filter(|text| text.starts_with("note: ") || text.starts_with("warning: "));
        found.extend(own.filter(|text| !text.ends_with(": {text}")).map(|text| format!("{file}: {text}")));
        let made = ["Message::Note(format!", "Message::Warning(format!"].iter().filter(|made| code.contains(**made));
        found.extend(made.map(|made| format!("{file}: {made}")));
    }
    found.retain(|line| !line.starts_with("src/cli/reporter.rs: "));
    assert!(found.is_empty(), "give these an event in src/messages/command.rs:\n{}", found.join("\n"));
}

#[test]
fn literals_are_found_in_code() {
    let code = r##"
        // "a comment is not code"
        const QUOTE: char = '"';
        fn text<'a>(name: &'a str) -> String { format!("no file {name} in \
            it") }
        #[expect(dead_code, reason = "a reason of a lint")]
        const RAW: &str = r#"a "raw" string"#;
        const SHORT: &str = "one";
    "##;
    assert_eq!(literals(code), ["no file {name} in it", "a \"raw\" string"]);
}
