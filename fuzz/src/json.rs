//! JSON as the program reads it, and as `serde_json` does.

use coldcase::types::dynamic;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lines::is_json;
use super::scan;

/// Accepts a text where `serde_json` does, and takes it apart as `serde_json` does.
///
/// # Panics
/// Where the two differ.
pub fn check(bytes: &[u8]) {
    let theirs = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let ours = dynamic::validate(bytes);
    assert_eq!(ours.is_ok(), theirs.is_some(), "validate: {ours:?}");
    // What is not UTF-8 is read as Windows-1252, and NUL bytes are passed over.
    if bytes.contains(&b'\n') || bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        return;
    }
    check_record(bytes, theirs.is_some());
    // A half of a surrogate pair is JSON, but no text.
    if let Some(value) = theirs.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok()) {
        check_value(theirs.map_or("", RawValue::get), &value);
    }
}

/// The scanner of records, by way of a file with the text in a record.
fn check_record(bytes: &[u8], is_value: bool) {
    let before = br#"{"TimeGenerated":"2026-03-02T06:59:48Z","Type":"SigninLogs","Id":"first"}"#;
    let line = [br#"{"TimeGenerated":"2026-03-02T06:59:48Z","Type":"SigninLogs","Id":"here","Status":"#, bytes, b"}"];
    let file = [before, &b"\n"[..], &line.concat(), b"\n", before, b"\n"].concat();
    let catalog = scan::catalog(&scan::write("input.json", &file)).expect("a file");
    let found = scan::ask(&catalog, "SigninLogs | project Id, Status", scan::PLAIN).expect("rows");
    let here = found.rows.iter().filter(|row| row[0] == "here").count();
    // `1,"a":2` is no value, but makes a record; `1,"Id":"b"` makes another one.
    let whole = is_json(&line.concat());
    // Records that share a line are all read.
    if !whole && is_sequence(&line.concat()) {
        return;
    }
    assert_eq!(found.lost == 0, whole, "lost {}", found.lost);
    assert!(here == usize::from(whole) || (whole && !is_value), "read {here} times: {found:?}");
    assert!(whole || !is_value || too_deep(bytes), "a value, but no record: {found:?}");
    let around = found.rows.iter().filter(|row| row[0] == "first").count();
    assert!(around >= 2, "the records around it: {found:?}");
}

/// True for values behind each other, with or without commas.
fn is_sequence(line: &[u8]) -> bool {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        if !matches!(values.next(), Some(Ok(_))) {
            return false;
        }
        rest = rest[values.byte_offset()..].trim_ascii();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii();
    }
    true
}

/// True where one level more is too many.
fn too_deep(bytes: &[u8]) -> bool {
    let bytes = [b"[", bytes, b"]"].concat();
    dynamic::validate(&bytes).is_err_and(|invalid| invalid.too_deep)
}

fn check_value(json: &str, value: &Value) {
    let compact = dynamic::compact(json);
    assert_eq!(serde_json::from_str::<Value>(&compact).ok().as_ref(), Some(value), "compact: {compact}");
    let canonical = dynamic::canonical(json);
    assert_eq!(dynamic::canonical(&canonical), canonical, "canonical");
    match value {
        Value::String(text) => {
            assert_eq!(dynamic::to_text(json), *text, "text");
            let mut quoted = String::new();
            dynamic::quote(text, &mut quoted);
            assert_eq!(serde_json::from_str::<Value>(&quoted).ok().as_ref(), Some(value), "quoted: {quoted}");
        }
        Value::Array(values) => {
            let elements: Vec<&str> = dynamic::elements(json).collect();
            assert_eq!(elements.len(), values.len(), "elements");
            elements.iter().zip(values).for_each(|(json, value)| check_value(json, value));
        }
        Value::Object(members) => {
            let entries = dynamic::unique_entries(json);
            assert_eq!(entries.len(), members.len(), "keys");
            for entry in entries {
                let key = entry.key.text();
                let value = members.get(&*key).unwrap_or_else(|| panic!("the key {key:?}"));
                check_value(entry.value, value);
                assert_eq!(dynamic::get_member(json, &key), Some(entry.value), "the member {key:?}");
            }
        }
        _ => {}
    }
}
