//! `grammar/*.ebnf` and the parser describe the same language; grammar/README.md explains how this is checked.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use coldcase::diagnostic::{Code, Diagnostic};
use coldcase::syntax::ast::{BinaryOperator, MembershipOperator};
use coldcase::syntax::{OPERATORS, Token, TokenKind, is_reserved, parse, tokens};
use coldcase::types::Type;

use crate::earley::Recogniser;
use crate::ebnf::{Grammar, Node, Production};
use crate::generate::{Generator, Random};

/// Classes of tokens that `kql.ebnf` uses.
const CLASSES: &[&str] = &[
    "GLUED_LONG",
    "GLUED_STAR",
    "GLUED_WORD",
    "ITEM_WORD",
    "LONG",
    "NAME",
    "RAW_GUID",
    "REAL",
    "SERIES_WORD",
    "STRING",
    "TIMESPAN",
    "TRUTH",
    "TYPE",
    "TYPED",
    "WORD",
];

/// The number of mutants of each query.
const MUTANTS: usize = 16;

/// The maximum number of mutants, and of generated sentences.
const MOST: usize = 4000;

/// Random numbers, the same in every run unless `COLDCASE_SEED` is set.
fn random() -> Random {
    Random(std::env::var("COLDCASE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_240_229))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn syntax() -> Grammar {
    Grammar::read(&read("grammar/kql.ebnf"))
}

fn lexical() -> Grammar {
    Grammar::read(&read("grammar/lexical.ebnf"))
}

// ── 1. Well-formed ──

#[test]
fn the_grammars_are_well_formed() {
    check_form(&syntax(), &["query"], CLASSES);
    let lexical = lexical();
    let is_token = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let starts: Vec<&str> = lexical.productions.iter().map(|p| p.name.as_str()).filter(|name| is_token(name)).collect();
    check_form(&lexical, &starts, &[]);
}

fn check_form(grammar: &Grammar, starts: &[&str], classes: &[&str]) {
    let productions = grammar.by_name();
    assert_eq!(productions.len(), grammar.productions.len(), "a production is defined twice");
    let mut reached: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = starts.to_vec();
    while let Some(name) = open.pop() {
        let Some(production) = productions.get(name) else {
            assert!(classes.contains(&name), "{name} is not defined");
            continue;
        };
        if reached.insert(name) {
            production.body.walk(&mut |node| {
                if let Node::Name(name) = node {
                    open.push(name);
                }
            });
        }
    }
    let unreached: Vec<&str> = productions.keys().copied().filter(|name| !reached.contains(name)).collect();
    assert_eq!(unreached, [] as [&str; 0], "not reachable from {starts:?}");
}

// ── 2. Names ──

/// The source of the parsers, without refused syntax, comments and the strings of the operator table.
fn parser_source() -> String {
    let mut files = Vec::new();
    collect(&root().join("src/syntax/parser"), "rs", &mut files);
    let texts = files.iter().filter(|path| !path.ends_with("unsupported.rs")).map(read);
    let is_code = |line: &&str| {
        let line = line.trim_start();
        !["//", "summary:", "rule:", "examples:"].iter().any(|start| line.starts_with(start))
    };
    texts.map(|text| text.lines().filter(is_code).collect::<Vec<_>>().join("\n")).collect()
}

#[test]
fn every_production_is_a_function_of_the_parser() {
    let source = parser_source();
    for production in &syntax().productions {
        let name = &production.name;
        let is_level = name.strip_suffix("_level").is_some_and(|level| {
            let variant = format!("    {}{},", level[..1].to_uppercase(), &level[1..]);
            source.contains(&variant)
        });
        let is_function = [format!("fn {name}("), format!("fn {name}<")].iter().any(|text| source.contains(text));
        assert!(is_level || is_function, "no parser is called {name}");
    }
}

#[test]
fn every_operator_names_its_production() {
    let grammar = syntax();
    let productions = grammar.by_name();
    for info in OPERATORS {
        let production = productions.get(info.rule).unwrap_or_else(|| panic!("{}: no production", info.rule));
        let words = quoted_words(production);
        for word in std::iter::once(&info.keyword).chain(info.aliases) {
            assert!(words.contains(*word), "{} does not have `{word}`", info.rule);
        }
    }
    let listed = quoted_names(productions["operator"]);
    assert_eq!(listed, OPERATORS.iter().map(|info| info.rule.to_owned()).collect::<BTreeSet<_>>());
}

fn quoted_words(production: &Production) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    production.body.walk(&mut |node| {
        if let Node::Quoted(text) = node {
            words.insert(text.clone());
        }
    });
    words
}

fn quoted_names(production: &Production) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    production.body.walk(&mut |node| {
        if let Node::Name(text) = node {
            names.insert(text.clone());
        }
    });
    names
}

#[test]
fn the_words_of_the_grammar_are_those_of_the_parser() {
    let spelled = BinaryOperator::SPELLINGS.iter().map(|(text, _)| *text);
    let spelled = spelled.chain(MembershipOperator::SPELLINGS.iter().map(|(text, _)| *text));
    let mut tested: BTreeSet<String> = spelled.flat_map(str::split_whitespace).map(str::to_owned).collect();
    // String literals of the parser that are not words of the grammar: type names in messages, the function that
    // `datetime()` means, a boolean that is compared ignoring case.
    let others = ["long", "now", "real", "timespan", "true"];
    let source = parser_source();
    let unquoted: Vec<String> = source.lines().map(|line| line.replace("'\"'", "")).collect();
    let literals = unquoted.iter().flat_map(|line| line.split('"').skip(1).step_by(2));
    tested.extend(literals.filter(|text| is_one_word(text) && !others.contains(text)).map(str::to_owned));
    let grammar: BTreeSet<String> = syntax().productions.iter().flat_map(quoted_words).collect();
    assert_eq!(tested.difference(&grammar).collect::<Vec<_>>(), [""; 0], "tested by the parser, not in the grammar");
    assert_eq!(grammar.difference(&tested).collect::<Vec<_>>(), [""; 0], "in the grammar, not tested by the parser");
}

fn is_one_word(text: &str) -> bool {
    let tokens = tokens(text);
    let is_word = matches!(tokens[0].kind, TokenKind::Word | TokenKind::Symbol);
    tokens.len() == 2 && is_word && tokens[0].text == text && !text.starts_with(|c: char| c.is_ascii_uppercase())
}

// ── 3. Grammar -> parser ──

/// Sample texts for a class of tokens.
fn samples(class: &str) -> &'static [&'static str] {
    match class {
        "NAME" => &["a", "T", "Col_1", "kind", "count", "$left"],
        "ITEM_WORD" | "SERIES_WORD" => &["a", "to"],
        "WORD" => &["a", "b2", "by", "has", "first", "hint"],
        "STRING" => &["'s'", "\"it's\"", "@'a\\'", "```x```"],
        "LONG" => &["0", "42", "0xFF"],
        "REAL" => &["1.5", "2e3"],
        "TIMESPAN" => &["1d", "2.5h", "3ticks"],
        "TYPED" => &["datetime(2024-01-01)", "long(null)", "bool(true)", "real(nan)", "guid(null)"],
        "TRUTH" => &["true", "FALSE"],
        "RAW_GUID" => &["01234567-89ab-cdef-0123-456789abcdef"],
        "TYPE" => &["long", "string", "dynamic", "datetime"],
        "GLUED_STAR" => &["*"],
        "GLUED_WORD" => &["x", "by"],
        "GLUED_LONG" => &["1"],
        other => panic!("no sample for {other}"),
    }
}

#[test]
fn generated_sentences_parse() {
    let grammar = syntax();
    let generator = Generator::new(&grammar, samples);
    let mut random = random();
    let mut used = HashSet::from(["query"]);
    for round in 0..8 * MOST {
        if round > MOST && used.len() == grammar.productions.len() {
            break;
        }
        let text = generator.sentence("query", 8 + round % 24, &mut random, &mut used);
        if let Some(found) = mistakes(&text).first() {
            let before = &text[..found.span.start as usize];
            panic!("made from the grammar, but refused:\n{before}\n>>> {found}\n{}", &text[before.len()..]);
        }
    }
    let unused: Vec<&str> =
        grammar.productions.iter().map(|p| p.name.as_str()).filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, [""; 0], "no sentence has");
}

// ── 4. Parser <-> grammar ──

/// For each token, the terminals that it matches.
fn classes(recogniser: &Recogniser, tokens: &[Token<'_>]) -> Vec<HashSet<usize>> {
    let real = &tokens[..tokens.len() - 1];
    let mut known: HashMap<(&str, bool), HashSet<usize>> = HashMap::new();
    let mut class_of = |index: usize| {
        let token: Token<'_> = real[index];
        let is_glued = index > 0 && real[index - 1].span.end == token.span.start;
        let matching = || {
            let terminals = recogniser.terminals().iter().enumerate();
            terminals.filter(|(_, terminal)| is_terminal(terminal, token, is_glued)).map(|(number, _)| number).collect()
        };
        known.entry((token.text, is_glued)).or_insert_with(matching).clone()
    };
    (0..real.len()).map(&mut class_of).collect()
}

fn is_terminal(terminal: &Node, token: Token<'_>, is_glued: bool) -> bool {
    match terminal {
        Node::Quoted(text) => matches!(token.kind, TokenKind::Word | TokenKind::Symbol) && token.text == text,
        Node::Name(class) => is_of_class(class, token, is_glued),
        _ => false,
    }
}

fn is_of_class(class: &str, token: Token<'_>, is_glued: bool) -> bool {
    let is_truth = ["true", "True", "TRUE", "false", "False", "FALSE"].contains(&token.text);
    match class {
        "WORD" => token.is_plain_word(),
        "SERIES_WORD" => token.is_plain_word() && token.text != "kind",
        "ITEM_WORD" => token.is_plain_word() && !["bagexpansion", "kind", "with_itemindex"].contains(&token.text),
        "NAME" => token.kind == TokenKind::Word && !is_reserved(token.text),
        "TRUTH" => token.kind == TokenKind::Word && is_truth,
        "TYPE" => token.kind == TokenKind::Word && Type::from_name(token.text).is_some(),
        "STRING" => token.kind == TokenKind::String,
        "LONG" => token.kind == TokenKind::Long,
        "REAL" => token.kind == TokenKind::Real,
        "TIMESPAN" => token.kind == TokenKind::Timespan,
        "TYPED" => token.kind == TokenKind::Typed,
        "RAW_GUID" => token.kind == TokenKind::RawGuid,
        "GLUED_STAR" => is_glued && token.is_symbol("*"),
        "GLUED_WORD" => is_glued && token.is_plain_word(),
        "GLUED_LONG" => is_glued && token.kind == TokenKind::Long,
        other => panic!("no class {other}"),
    }
}

/// The parser's diagnostics about `text`. The content of literals is not part of the grammar.
fn mistakes(text: &str) -> Vec<Diagnostic> {
    let mut found = parse(text).diagnostics;
    found.retain(|diagnostic| diagnostic.code != Code::InvalidLiteral);
    found
}

/// Returns the verdict on `text`; panics if grammar and parser disagree.
fn compare(recogniser: &Recogniser, text: &str) -> bool {
    let tokens = tokens(text);
    let verdict = recogniser.recognise("query", &classes(recogniser, &tokens));
    let found = mistakes(text);
    // Malformed tokens are outside the grammar too.
    if found.iter().any(|diagnostic| matches!(diagnostic.code, Code::UnknownCharacter | Code::UnterminatedString)) {
        return false;
    }
    assert_eq!(
        verdict.accepted,
        found.is_empty(),
        "grammar (left) and parser (right) differ on\n{text}\nthe grammar stops at {:?}, the parser says {found:#?}",
        tokens[verdict.furthest].text,
    );
    verdict.accepted
}

/// Every example of the grammar and of the operators, and every query of `testdata/kql`, README and docs.
fn corpus() -> Vec<String> {
    let grammar = syntax();
    let examples = grammar.productions.iter().flat_map(|p| p.accepted.iter().chain(&p.rejected).cloned());
    let operators = OPERATORS.iter().flat_map(|info| info.examples.iter().map(|text| (*text).to_owned()));
    examples.chain(operators).chain(documents()).chain(test_cases()).collect()
}

/// The `kql` blocks of README and docs.
fn documents() -> Vec<String> {
    let mut files = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    collect(&root().join("docs"), "md", &mut files);
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.flat_map(|text| blocks(&text)).collect()
}

fn blocks(text: &str) -> Vec<String> {
    let parts = text.split("\n```kql\n").skip(1);
    parts.filter_map(|part| part.split_once("\n```")).map(|(block, _)| block.to_owned()).collect()
}

/// The queries of `testdata/kql`: the text between the `#` lines of a case and its `----`.
fn test_cases() -> Vec<String> {
    let mut files = Vec::new();
    collect(&root().join("testdata/kql"), "test", &mut files);
    files.iter().flat_map(|path| cases(&read(path))).collect()
}

fn cases(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut query, mut is_query) = (String::new(), false);
    for line in text.lines() {
        if line.starts_with("# ") || line == "#" {
            (query, is_query) = (String::new(), true);
        } else if line.trim_end() == "----" && is_query {
            found.push(std::mem::take(&mut query));
            is_query = false;
        } else if is_query {
            query.push_str(line);
            query.push('\n');
        }
    }
    found
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

#[test]
fn grammar_and_parser_agree_on_every_query() {
    let recogniser = Recogniser::new(&syntax());
    for text in corpus() {
        compare(&recogniser, &text);
    }
}

#[test]
fn grammar_and_parser_agree_on_mutants() {
    let recogniser = Recogniser::new(&syntax());
    let mut corpus = corpus();
    corpus.retain(|text| text.len() < 400);
    let mut random = random();
    let (mut accepted, mut all) = (0, 0);
    for round in 0..MUTANTS {
        for text in &corpus {
            if all < MOST {
                all += 1;
                accepted += usize::from(compare(&recogniser, &mutant(text, round, &corpus, &mut random)));
            }
        }
    }
    assert!(accepted * 20 > all && accepted * 20 < all * 19, "{accepted} of {all} mutants are queries: no good test");
}

/// `text` with a token removed, duplicated, swapped with the next, or replaced by one of another query.
fn mutant(text: &str, kind: usize, corpus: &[String], random: &mut Random) -> String {
    let mut words: Vec<&str> = tokens(text).iter().map(|token| token.text).filter(|text| !text.is_empty()).collect();
    if words.is_empty() {
        return String::new();
    }
    let count = words.len();
    let at = random.below(count);
    match kind % 4 {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[at]),
        2 => words.swap(at, (at + 1) % count),
        _ => {
            let other = tokens(random.choose::<String>(corpus));
            words[at] = random.choose::<Token<'_>>(&other).text;
        }
    }
    words.join(" ")
}

// ── 5. Coverage ──

#[test]
fn every_production_has_examples_that_hold() {
    let grammar = syntax();
    let recogniser = Recogniser::new(&grammar);
    for production in &grammar.productions {
        let name = &production.name;
        assert!(!production.accepted.is_empty() && !production.rejected.is_empty(), "{name} lacks examples");
        for text in &production.accepted {
            let verdict = recogniser.recognise("query", &classes(&recogniser, &tokens(text)));
            assert!(compare(&recogniser, text), "{name}: refused\n{text}\n{:?}", parse(text).diagnostics);
            assert!(verdict.used.contains(name), "{name}: does not occur in\n{text}");
        }
        for text in &production.rejected {
            assert!(!compare(&recogniser, text), "{name}: not refused\n{text}");
        }
    }
}

#[test]
fn every_production_occurs_in_the_test_cases() {
    let cases = test_cases();
    if cases.is_empty() {
        return;
    }
    let grammar = syntax();
    let recogniser = Recogniser::new(&grammar);
    let mut used = HashSet::new();
    for text in cases {
        used.extend(recogniser.recognise("query", &classes(&recogniser, &tokens(&text))).used);
    }
    let unused: Vec<&str> =
        grammar.productions.iter().map(|p| p.name.as_str()).filter(|name| !used.contains(*name)).collect();
    assert_eq!(unused, [""; 0], "no case of testdata/kql has");
}

// ── Tokens ──

/// The token class of the whole of `text` by the grammar: the first production that matches.
fn token_by_grammar<'a>(lexical: &'a Grammar, recogniser: &Recogniser, text: &str) -> Option<&'a str> {
    let is_char = |terminal: &Node, c: char| match terminal {
        Node::Quoted(text) => text.chars().eq([c]),
        Node::Special(description) => is_described(description, c),
        _ => false,
    };
    let classes: Vec<HashSet<usize>> = text
        .chars()
        .map(|c| {
            let terminals = recogniser.terminals().iter().enumerate();
            terminals.filter(|(_, terminal)| is_char(terminal, c)).map(|(number, _)| number).collect()
        })
        .collect();
    let is_token = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let mut names = lexical.productions.iter().map(|p| p.name.as_str()).filter(|name| is_token(name));
    names.find(|name| recogniser.recognise(name, &classes).accepted)
}

fn is_described(description: &str, c: char) -> bool {
    let is_line_break = matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}');
    match description {
        "hex" => c.is_ascii_hexdigit(),
        "digit" => c.is_ascii_digit(),
        "letter" => c.is_alphabetic(),
        "not line break" => !is_line_break,
        "not ' or line break" => c != '\'' && !is_line_break,
        "not \" or line break" => c != '"' && !is_line_break,
        "not ' \\ or line break" => c != '\'' && c != '\\' && !is_line_break,
        "not \" \\ or line break" => c != '"' && c != '\\' && !is_line_break,
        "not ( ) or line break" => c != '(' && c != ')' && !is_line_break,
        "not `" => c != '`',
        "not ~" => c != '~',
        other => panic!("no such character: {other}"),
    }
}

/// The token class of the whole of `text` by the lexer.
fn token_by_lexer(text: &str) -> Option<&'static str> {
    let tokens = tokens(text);
    let name = match tokens[0].kind {
        TokenKind::Word => "WORD",
        TokenKind::String => "STRING",
        TokenKind::Long => "LONG",
        TokenKind::Real => "REAL",
        TokenKind::Timespan => "TIMESPAN",
        TokenKind::Typed => "TYPED",
        TokenKind::RawGuid => "RAW_GUID",
        TokenKind::Symbol => "SYMBOL",
        TokenKind::Directive => "DIRECTIVE",
        TokenKind::End => return None,
    };
    (tokens[0].text == text).then_some(name)
}

/// `lexical` with multi-character words as sequences of characters.
fn over_characters(lexical: &Grammar) -> Grammar {
    let productions = lexical.productions.iter().map(|production| Production {
        name: production.name.clone(),
        body: spell(&production.body),
        accepted: Vec::new(),
        rejected: Vec::new(),
    });
    Grammar { productions: productions.collect() }
}

fn spell(node: &Node) -> Node {
    let all = |nodes: &[Node]| nodes.iter().map(spell).collect();
    match node {
        Node::Sequence(nodes) => Node::Sequence(all(nodes)),
        Node::Choice(nodes) => Node::Choice(all(nodes)),
        Node::Optional(inner) => Node::Optional(Box::new(spell(inner))),
        Node::Repeat(inner) => Node::Repeat(Box::new(spell(inner))),
        Node::Quoted(text) => Node::Sequence(text.chars().map(|c| Node::Quoted(c.to_string())).collect()),
        other => other.clone(),
    }
}

#[test]
fn grammar_and_lexer_agree_on_tokens_and_mutants() {
    let lexical = lexical();
    let recogniser = Recogniser::new(&over_characters(&lexical));
    let mut random = random();
    let examples: Vec<&String> =
        lexical.productions.iter().flat_map(|p| p.accepted.iter().chain(&p.rejected)).collect();
    let letters: Vec<char> = examples.iter().flat_map(|text| text.chars()).chain("\n–ä".chars()).collect();
    for text in &examples {
        for round in 0..40 {
            let mut text: Vec<char> = text.chars().collect();
            let at = random.below(text.len());
            match round % 4 {
                _ if round == 0 => {}
                1 => drop(text.remove(at)),
                2 => text.insert(at, *random.choose(&letters)),
                3 => text[at] = *random.choose(&letters),
                _ => text.truncate(at + 1),
            }
            let text: String = text.into_iter().collect();
            assert_eq!(token_by_grammar(&lexical, &recogniser, &text), token_by_lexer(&text), "{text}");
        }
    }
}

#[test]
fn examples_of_tokens_hold() {
    let lexical = lexical();
    let recogniser = Recogniser::new(&over_characters(&lexical));
    for production in lexical.productions.iter().filter(|production| production.name.starts_with(char::is_uppercase)) {
        let name = production.name.as_str();
        assert!(!production.accepted.is_empty() && !production.rejected.is_empty(), "{name} lacks examples");
        for text in &production.accepted {
            assert_eq!(token_by_grammar(&lexical, &recogniser, text), Some(name), "{text}");
        }
        for text in &production.rejected {
            assert_ne!(token_by_grammar(&lexical, &recogniser, text), Some(name), "{text}");
        }
    }
}
