//! Compares the functions with a plain parser, on hand-written and on random JSON.

use std::fmt::Write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;

use super::*;
use crate::json::validated_cache::ValidatedCache;
use crate::types::{Type, Value, guid};

#[test]
fn kinds() {
    for (json, name) in [
        ("[1]", "array"),
        (" {\"a\":1}", "dictionary"),
        ("null", "null"),
        ("1", "long"),
        ("-0", "long"),
        ("\"s\"", "string"),
        ("1.5", "double"),
        ("1e3", "double"),
        ("9223372036854775808", "double"),
        ("true", "bool"),
        ("false", "bool"),
        ("", "null"),
    ] {
        assert_eq!(kind(json).name(), name, "{json}");
    }
}

#[test]
fn members_and_elements() {
    let json = r#" { "a" : { "b" : [ 1 , "x,]}" , null ] } , "k\u0040" : "v" , "d":1, "d" : 2 } "#;
    assert_eq!(get_member(json, "a"), Some(r#"{ "b" : [ 1 , "x,]}" , null ] }"#));
    assert_eq!(get_member(json, "k@"), Some("\"v\""));
    assert_eq!(get_member(json, "k\\u0040"), None, "an escape is not the key");
    assert_eq!(get_member(json, "d"), Some("2"), "the last one counts");
    assert_eq!(get_member(json, "x"), None);
    let path = |steps: &[Step]| extract(json, &Path::new(steps.to_vec()));
    let (a, b) = (Step::Member("a".to_owned()), Step::Member("b".to_owned()));
    assert_eq!(path(&[a.clone(), b.clone(), Step::Index(1)]), Some("\"x,]}\""));
    assert_eq!(path(&[a.clone(), b.clone(), Step::Index(-1)]), Some("null"));
    assert_eq!(path(&[a.clone(), b.clone(), Step::Index(-4)]), None);
    assert_eq!(path(&[a.clone(), b.clone(), Step::Index(3)]), None);
    assert_eq!(path(&[a.clone(), Step::Index(0)]), None, "an index into a bag");
    assert_eq!(path(&[a, b.clone(), b]), None, "a key into an array");
    assert_eq!(get_index("[1,2]", i64::MIN), None);
    assert_eq!(get_index("[]", 0), None);
    assert_eq!(get_index("[]", -1), None);
    assert_eq!(get_member("{}", ""), None);
    assert_eq!(get_member("{\"\":7}", ""), Some("7"));
    let keys: Vec<_> = unique_entries(json).iter().map(|entry| (entry.key.text().into_owned(), entry.value)).collect();
    assert_eq!(keys[1..], [("k@".to_owned(), "\"v\""), ("d".to_owned(), "2")]);
}

#[test]
fn paths_to_the_last_of_equal_keys() {
    let json = r#"{"a":{"b":1,"c":[10,20,30]},"e":"x","a":{"b":2,"c":[40,50]}}"#;
    let member = |key: &str| Step::Member(key.to_owned());
    let paths = [
        Path::new(vec![member("a"), member("b")]),
        Path::new(vec![member("a"), member("c"), Step::Index(1)]),
        Path::new(vec![member("a"), member("c"), Step::Index(-2)]),
        Path::new(vec![member("a"), member("c"), Step::Index(2)]),
        Path::new(vec![member("e")]),
        Path::new(vec![member("a"), member("b")]),
        Path::default(),
        Path::new(vec![member("e"), member("x")]),
    ];
    let expected = [Some("2"), Some("50"), Some("40"), None, Some("\"x\""), Some("2"), Some(json), None];
    for (path, expected) in paths.iter().zip(expected) {
        assert_eq!(extract(json, path), expected, "{path}");
        assert_eq!(PathLookup::new(path).find(json), expected, "{path}");
    }
    assert_eq!(Path::new(vec![member("a"), Step::Index(-1), member("b c")]).to_string(), ".a[-1][\"b c\"]");
}

#[test]
fn text() {
    for (json, expected) in [
        ("\"x\"", "x"),
        ("1", "1"),
        ("true", "true"),
        ("null", ""),
        ("[ 1 , 2 ]", "[1,2]"),
        ("{'a':1}", "{'a':1}"),
        ("{ \"a\" : 1.50 }", "{\"a\":1.50}"),
        (r#"["a\/b", "q\"x", "\u00e9", "\u0001\n"]"#, r#"["a/b","q\"x","é","\u0001\n"]"#),
        (r#""\ud83d\ude00 \\ \t""#, "😀 \\ \t"),
        (r#""\ud83d x \ude00 \ud83d\u0041""#, "\u{fffd} x \u{fffd} \u{fffd}A"),
        (r#""\u12""#, "\u{fffd}12"),
        ("\"", ""),
        ("\"\\", ""),
        ("", ""),
    ] {
        assert_eq!(to_text(json), expected, "{json}");
    }
}

#[test]
fn equal_dynamics_are_equal_text() {
    for (a, b) in [
        (r#"{"b":1,"a":[1.50,"\u0041"]}"#, r#"{ "a" : [ 1.5 , "A" ] , "b" : 1 }"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ("1e3", "1000.0"),
        ("-0", "0"),
        (" [ ] ", "[]"),
        ("{}", "{ }"),
    ] {
        assert_eq!(canonical(a), canonical(b));
    }
    assert_ne!(canonical("1"), canonical("1.0"));
    assert_ne!(canonical("1"), canonical("\"1\""));
    let many = |n: usize| {
        let keys = (0..40).map(|i| format!("\"k{}\":{i}", (i * n) % 40));
        format!("{{{}}}", keys.collect::<Vec<_>>().join(","))
    };
    assert_eq!(unique_entries(&many(2)).len(), 20);
    assert_eq!(unique_entries(&many(2))[0].value, "20");
}

#[test]
fn what_a_dynamic_stores() {
    for (value, json) in [
        (Value::Null(Type::Long), "null"),
        (Value::Bool(true), "true"),
        (Value::Int(-3), "-3"),
        (Value::Real(1.0), "1.0"),
        (Value::Real(f64::NAN), "\"NaN\""),
        (Value::Datetime(0), "\"0001-01-01T00:00:00.0000000Z\""),
        (Value::Timespan(864_000_000_000), "\"1.00:00:00\""),
        (
            Value::Guid(guid::parse("ABCDEF00000000000000000000000001").unwrap()),
            "\"abcdef00-0000-0000-0000-000000000001\"",
        ),
        (Value::string("a\"b"), "\"a\\\"b\""),
        (Value::dynamic("[ 1 ]"), "[1]"),
    ] {
        let mut out = String::new();
        write_value(&value, &mut out);
        assert_eq!(out, json);
    }
    let mut array = ArrayWriter::new();
    array.push(&Value::Long(1));
    array.push_text("a");
    array.push_json("{}");
    assert_eq!(array.finish(), "[1,\"a\",{}]");
    let mut bag = BagWriter::new();
    bag.push("a", &Value::Long(1));
    bag.push_text("b\"", "c");
    assert_eq!(bag.finish(), "{\"a\":1,\"b\\\"\":\"c\"}");
    assert_eq!((ArrayWriter::new().finish().as_str(), BagWriter::new().finish().as_str()), ("[]", "{}"));
}

#[test]
fn depth_is_bounded_like_serde_json() {
    for depth in [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
        let json = "[".repeat(depth) + &"]".repeat(depth);
        let valid = validate(json.as_bytes());
        assert_eq!(valid.is_ok(), depth <= MAX_DEPTH);
        assert_eq!(valid.is_ok(), serde_json::from_str::<Json>(&json).is_ok());
        if let Err(error) = valid {
            assert_eq!(error, Invalid { offset: MAX_DEPTH, too_deep: true });
        }
        assert_eq!(elements(&json).count(), 1);
        assert_eq!(compact(&json), json);
        assert_eq!(canonical(&json), json);
    }
    assert!(validate("{\"a\":".repeat(300).as_bytes()).is_err());
}

#[test]
fn parse_json_of_a_text() {
    assert_eq!(from_text(""), "null");
    assert_eq!(from_text(" [1] "), " [1] ");
    assert_eq!(from_text("a \"b\""), "\"a \\\"b\\\"\"");
    assert_eq!(from_text("{'a':1}"), "\"{'a':1}\"");
}

/// Generates random JSON with whitespace and escapes, and with duplicate keys if `repeat` is true.
struct JsonGenerator {
    random: ChaCha8Rng,
    repeat: bool,
}

impl JsonGenerator {
    fn new(seed: u64, repeat: bool) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), repeat }
    }

    fn blank(&mut self, out: &mut String) {
        out.push_str(["", "", "", " ", "\n", "\t \r"][self.random.random_range(0..6)]);
    }

    fn string(&mut self, out: &mut String) {
        out.push('"');
        for _ in 0..self.random.random_range(0..5) {
            out.push_str(
                [
                    "a",
                    "b",
                    "\\u0061",
                    "\\\"",
                    "\\\\",
                    "é",
                    "\\/",
                    "\\n",
                    "]",
                    "}",
                    ",",
                    ":",
                    "[",
                    "{",
                    " ",
                    "\\ud83d\\ude00",
                    "\\u0000",
                    "😀",
                    "\u{7f}",
                    "\\b",
                ][self.random.random_range(0..20)],
            );
        }
        out.push('"');
    }

    fn value(&mut self, depth: usize, out: &mut String) {
        self.blank(out);
        match self.random.random_range(0..if depth == 0 { 4 } else { 7 }) {
            0 => out.push_str(["true", "false", "null"][self.random.random_range(0..3)]),
            1 => write!(out, "{}", self.random.random_range(-20_i64..20)).unwrap(),
            2 => out.push_str(
                ["0.5", "1e3", "-1.50E+2", "123456789012345678901234567890", "0", "-0.0"]
                    [self.random.random_range(0..6)],
            ),
            3 => self.string(out),
            4 => self.container(depth, '[', ']', out),
            _ => self.container(depth, '{', '}', out),
        }
        self.blank(out);
    }

    fn container(&mut self, depth: usize, open: char, close: char, out: &mut String) {
        out.push(open);
        self.blank(out);
        for index in 0..self.random.random_range(0..5) {
            if index > 0 {
                out.push(',');
            }
            if open == '{' {
                self.blank(out);
                match self.repeat {
                    true => {
                        out.push_str(["\"a\"", "\"\\u0061\"", "\"b\"", "\"\"", "\"é\""][self.random.random_range(0..5)])
                    }
                    false => write!(out, "\"k{index}\"").unwrap(),
                }
                self.blank(out);
                out.push(':');
            }
            self.value(depth - 1, out);
        }
        out.push(close);
    }

    fn document(&mut self) -> String {
        let mut out = String::new();
        self.value(4, &mut out);
        out
    }

    fn path(&mut self) -> Path {
        let steps = (0..self.random.random_range(0..4)).map(|_| match self.random.random_range(0..8) {
            0..3 => Step::Index(self.random.random_range(-3..4)),
            at => Step::Member(["a", "b", "", "é", "k0"][at - 3].to_owned()),
        });
        Path::new(steps.collect())
    }
}

/// Returns the value at `path` in JSON that `serde_json` parsed.
fn slow_extract<'a>(json: &'a Json, path: &Path) -> Option<&'a Json> {
    path.steps.iter().try_fold(json, |json, step| match step {
        Step::Member(key) => json.as_object()?.get(key),
        Step::Index(index) => {
            let array = json.as_array()?;
            let index = if *index < 0 { array.len() as i64 + index } else { *index };
            array.get(usize::try_from(index).ok()?)
        }
    })
}

fn read(json: &str) -> Json {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn keys_that_look_like_the_end_of_other_strings() {
    let cases = [
        (r#"{"a":":x",":":1}"#, ":", Some("1")),
        (r#"{"a":":x"}"#, ":", None),
        (r#"{"a":"x","b":",",",":2}"#, ",", Some("2")),
        (r#"{"a":"b","b":"a"}"#, "b", Some("\"a\"")),
        (r#"{"a":"b","c":1}"#, "b", None),
        (r#"{"a":{"b":1},"b":2}"#, "b", Some("2")),
        (r#"{"b":{"b":1}}"#, "b", Some(r#"{"b":1}"#)),
        (r#"{"a":"{","b":3}"#, "b", Some("3")),
        (r#"{"":"","a":""}"#, "", Some("\"\"")),
        (r#"["b"]"#, "b", None),
    ];
    for (json, key, expected) in cases {
        let path = Path::new(vec![Step::Member(key.to_owned())]);
        assert_eq!(extract(json, &path), expected, "{json}");
        assert_eq!(PathLookup::new(&path).find(json), expected, "{json}");
    }
}

#[test]
fn paths_agree_with_serde_json() {
    let mut generator = JsonGenerator::new(1, true);
    let mut found = 0;
    for _ in 0..3000 {
        let document = generator.document();
        assert_eq!(validate(document.as_bytes()), Ok(()), "{document}");
        let parsed = read(&document);
        for _ in 0..6 {
            let path = generator.path();
            let value = extract(&document, &path);
            assert_eq!(value, PathLookup::new(&path).find(&document), "{path} of {document}");
            assert_eq!(value.map(read).as_ref(), slow_extract(&parsed, &path), "{path} of {document}");
            found += usize::from(value.is_some() && !path.steps.is_empty());
        }
        let entries = unique_entries(&document);
        let slow = parsed.as_object().into_iter().flatten();
        assert_eq!(entries.len(), slow.clone().count(), "{document}");
        for (entry, (key, value)) in entries.iter().zip(slow) {
            assert_eq!((entry.key.text().as_ref(), &read(entry.value)), (key.as_str(), value));
        }
    }
    assert!(found > 300, "the paths lead somewhere: {found}");
}

#[test]
fn printing_agrees_with_serde_json() {
    let mut generator = JsonGenerator::new(2, false);
    for _ in 0..3000 {
        let document = generator.document();
        let parsed = read(&document);
        let printed = serde_json::to_string(&parsed).unwrap();
        // serde_json spells the exponents of numbers differently.
        if !document.contains("E+") && !document.contains("1e3") {
            assert_eq!(compact(&document), printed, "{document}");
        }
        assert_eq!(read(&compact(&document)), parsed);
        assert_eq!(compact(&compact(&document)), compact(&document));
        assert_eq!(canonical(&document), canonical(&compact(&document)));
        if let Json::String(text) = &parsed {
            assert_eq!(to_text(&document), text.as_str());
        }
    }
}

/// Tests damaged JSON: validation agrees with serde_json, and no function panics.
#[test]
fn damaged_text() {
    let mut generator = JsonGenerator::new(3, true);
    let (mut valid, mut invalid) = (0, 0);
    for _ in 0..20_000 {
        let mut text: Vec<char> = generator.document().chars().collect();
        for _ in 0..generator.random.random_range(1..4) {
            if text.is_empty() {
                break;
            }
            let at = generator.random.random_range(0..text.len());
            match generator.random.random_range(0..3) {
                0 => _ = text.remove(at),
                1 => text.truncate(at),
                _ => {
                    text[at] = ['"', '\\', '{', ']', ',', ':', '0', '-', 'u', '\u{1}', 'é', '.']
                        [generator.random.random_range(0..12)]
                }
            }
        }
        let text: String = text.into_iter().collect();
        let verdict = validate(text.as_bytes()).is_ok();
        // serde_json refuses unpaired surrogates, which the grammar allows.
        if !text.contains("\\ud") {
            assert_eq!(verdict, serde_json::from_str::<Json>(&text).is_ok(), "{text}");
        }
        if verdict {
            valid += 1
        } else {
            invalid += 1
        }
        let path = generator.path();
        let (value, looked_up) = (extract(&text, &path), PathLookup::new(&path).find(&text));
        assert!(!verdict || value == looked_up, "{path} of {text}");
        let _ = (
            to_text(&text),
            compact(&text),
            canonical(&text),
            kind(&text),
            unescape(&text),
            unique_entries(&text).len(),
        );
        assert!(validate(from_text(&text).as_bytes()).is_ok());
    }
    assert!(valid > 1000 && invalid > 1000, "{valid} {invalid}");
}

/// Arrays whose elements were seen before, intact and damaged: validation with the cache agrees with the one without.
#[test]
fn elements_seen_before() {
    let mut generator = JsonGenerator::new(4, true);
    let mut cache = ValidatedCache::default();
    let padding = "x".repeat(40);
    let elements: Vec<String> =
        (0..60).map(|_| format!("{{\"k\":\"{padding}\",\"v\":{}}}", generator.document())).collect();
    let (mut valid, mut invalid) = (0, 0);
    for _ in 0..5_000 {
        let count = generator.random.random_range(0..8);
        let chosen: Vec<&str> =
            (0..count).map(|_| elements[generator.random.random_range(0..elements.len())].as_str()).collect();
        let mut text = format!(" [{}] ", chosen.join([",", " , "][generator.random.random_range(0..2)]));
        if generator.random.random_range(0..2) == 0 {
            let at = (0..=generator.random.random_range(0..text.len())).rev().find(|&at| text.is_char_boundary(at));
            match generator.random.random_range(0..3) {
                0 => _ = text.remove(at.unwrap()),
                1 => text.truncate(at.unwrap()),
                _ => text.insert(at.unwrap(), ['"', '\\', '{', ']', ',', '0'][generator.random.random_range(0..6)]),
            }
        }
        let verdict = validate(text.as_bytes()).is_ok();
        assert_eq!(is_valid(&text, &mut cache), verdict, "{text}");
        if verdict { valid += 1 } else { invalid += 1 }
    }
    assert!(valid > 1000 && invalid > 1000, "{valid} {invalid}");
}

#[test]
fn not_utf8() {
    assert_eq!(validate(b"\"\xff\""), Err(Invalid { offset: 1, too_deep: false }));
    assert_eq!(validate(b""), Err(Invalid { offset: 0, too_deep: false }));
    assert_eq!(validate(b"1 2"), Err(Invalid { offset: 2, too_deep: false }));
}

#[test]
fn the_offset_of_an_error_is_the_first_wrong_byte() {
    for (text, offset) in [
        (r#"["a\x"]"#, 4),
        (r#"["a\u12g4"]"#, 7),
        (r#"["a\u1"#, 6),
        (r#"["\"#, 3),
        (r"[\u0041]", 1),
        ("[\"a\u{1}\"]", 3),
        ("[01]", 2),
        ("[1.]", 3),
        ("[tru]", 1),
        ("{\"a\" 1}", 5),
        ("{\"a\":1,}", 7),
        ("[1}", 2),
        ("[1", 2),
    ] {
        assert_eq!(validate(text.as_bytes()).map_err(|error| error.offset), Err(offset), "{text}");
    }
}
