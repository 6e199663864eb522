//! Tests of key-value pairs in every syntax. Pairs without quotes are compared with those that splitting the string
//! gives.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn delimited(pairs: &str, key_value: &str, greedy: bool) -> KeyValueSyntax {
    KeyValueSyntax::Delimited { pairs: pairs.to_owned(), key_value: key_value.to_owned(), greedy }
}

fn found(keys: &[&str], syntax: KeyValueSyntax, quotes: Quotes, text: &str) -> Vec<Option<String>> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let pattern = KeyValuePattern { keys, syntax, quotes };
    let mut captures = vec![None; pattern.keys.len()];
    KeyValueMatcher::new(&pattern).unwrap().captures(text, &mut captures);
    captures.into_iter().map(|capture| capture.map(Cow::into_owned)).collect()
}

fn quotes(pairs: &[(char, char)]) -> Quotes {
    Quotes { pairs: pairs.to_vec(), escapes: vec!['\\'] }
}

#[test]
fn values_end_at_the_next_pair_delimiter_or_before_the_next_key() {
    let table = [
        ("a=1,b=2", false, [Some("1"), Some("2")]),
        (" b = 2 , a = 1 ", false, [Some("1"), Some("2")]),
        ("a=1,a=3,b=", false, [Some("1"), Some("")]),
        ("a=x=y,noise,b", false, [Some("x=y"), None]),
        ("noise,more noise,b=2", false, [None, Some("2")]),
        ("aa=1,b=2", false, [None, Some("2")]),
        (",,a=1,,", false, [Some("1"), None]),
        ("a=1,2,3,b=4,5", false, [Some("1"), Some("4")]),
        ("a=1,2,3,b=4,5", true, [Some("1,2,3"), Some("4,5")]),
        ("a=1=2,3,c=0,b=", true, [Some("1=2,3"), Some("")]),
        ("", false, [None, None]),
        ("=,=", false, [None, None]),
    ];
    for (text, greedy, expected) in table {
        let values = found(&["a", "b"], delimited(",", "=", greedy), Quotes::default(), text);
        assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn quotes_hide_delimiters() {
    let table = [
        (r#"a="x y" b=2"#, [Some("x y"), Some("2")]),
        (r#"a="x \"y\" z" b=2"#, [Some("x \"y\" z"), Some("2")]),
        (r#""a"=1 "b" =2"#, [Some("1"), Some("2")]),
        // A pair ends at the pair delimiter, even if that is whitespace before a value.
        ("a= 1 b=2", [Some(""), Some("2")]),
        (r#""c d"=1 noise b=2"#, [None, Some("2")]),
        (r#""noise a=3" a=1"#, [Some("1"), None]),
        (r#"a="x y b=2"#, [Some("\"x"), Some("2")]),
        ("a=(x (y) b=2", [Some("x (y"), Some("2")]),
        (r#"a="" b=(")"#, [Some(""), Some("\"")]),
        (r#"a="x"y b=2"#, [Some("x"), Some("2")]),
    ];
    for (text, expected) in table {
        let values = found(&["a", "b"], delimited(" ", "=", false), quotes(&[('"', '"'), ('(', ')')]), text);
        assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn without_delimiters_the_word_after_a_key_is_its_value() {
    let table = [
        ("x a:1; b -> 'two words'", [Some("1"), Some("two words")]),
        ("[a] b b=3", [Some("b"), Some("3")]),
        ("a", [None, None]),
        ("aa=1 'b'=é2", [None, Some("é2")]),
    ];
    for (text, expected) in table {
        let values = found(&["a", "b"], KeyValueSyntax::Words, quotes(&[('\'', '\'')]), text);
        assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn a_regular_expression_finds_key_and_value() {
    let regex = KeyValueSyntax::Regex(r"(\w+)\s*->\s*(\w*)".to_owned());
    let values = found(&["a", "b", "c"], regex, Quotes::default(), "b -> 1; a->; b->2");
    assert_eq!(values, [Some(String::new()), Some("1".to_owned()), None]);
}

/// Compares the pairs of strings without quotes with those that splitting the string gives.
#[test]
fn pairs_are_those_of_splitting() {
    const CHARACTERS: [char; 7] = ['a', 'b', 'é', ',', ';', '=', ' '];
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..20_000 {
        let length = random.random_range(0..16);
        let text: String = (0..length).map(|_| CHARACTERS[random.random_range(0..CHARACTERS.len())]).collect();
        let pairs = [",", ";,", "é"][random.random_range(0..3)];
        let pair_of =
            |part: &str| part.split_once('=').map(|(key, value)| [key, value].map(|text| text.trim().to_owned()));
        let split: Vec<[String; 2]> = text.split(pairs).filter_map(pair_of).collect();
        let value = |key: &str| split.iter().find(|pair| pair[0] == key).map(|pair| pair[1].clone());
        let values = found(&["a", "b", "ab"], delimited(pairs, "=", false), Quotes::default(), &text);
        assert_eq!(values, [value("a"), value("b"), value("ab")], "{text:?} by {pairs:?}");
    }
}
