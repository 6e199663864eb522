//! Compares the groups of random strings with those that a search through all earlier groups finds.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::templates::TemplateIndex;
use super::terms::TermSeparators;

/// Returns the group of each string, with its pattern, found by comparing each string with every earlier group.
fn expected(strings: &[String], separators: &TermSeparators, threshold: f64) -> Vec<(usize, String)> {
    struct Group<'s> {
        separators: Vec<&'s str>,
        terms: Vec<Option<&'s str>>,
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut group_of = Vec::new();
    for string in strings {
        let divided = separators.divide(string);
        let equal = |group: &Group<'_>| {
            let pairs = group.terms.iter().zip(&divided.terms);
            if group.separators == divided.separators { pairs.filter(|(a, b)| **a == Some(**b)).count() } else { 0 }
        };
        let mut best: Option<(usize, usize)> = None;
        for (at, group) in groups.iter().enumerate() {
            let shared = equal(group);
            let enough = shared >= 1 && shared as f64 >= threshold * divided.terms.len() as f64 - 1e-9;
            if enough && best.is_none_or(|(most, _)| shared > most) {
                best = Some((shared, at));
            }
        }
        let group = best.map_or(groups.len(), |(_, group)| group);
        if group == groups.len() {
            let terms = divided.terms.iter().copied().map(Some).collect();
            groups.push(Group { separators: divided.separators.clone(), terms });
        }
        for (term, own) in groups[group].terms.iter_mut().zip(&divided.terms) {
            *term = term.filter(|term| term == own);
        }
        group_of.push(group);
    }
    let pattern = |group: usize| separators.pattern(&groups[group].terms, &groups[group].separators);
    group_of.into_iter().map(|group| (group, pattern(group))).collect()
}

fn string(rng: &mut impl Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.random_range(0..6) {
        text.push_str(["a", "b", "c", "7", "é", "long"].choose(rng).expect("a term"));
        text.push_str([" ", " ", "-", ": ", "x"].choose(rng).expect("a separator"));
    }
    text
}

#[test]
fn the_index_finds_the_groups_that_a_search_through_all_finds() {
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut strings: Vec<String> = (0..rng.random_range(1..80)).map(|_| string(&mut rng)).collect();
        strings.sort_unstable();
        strings.dedup();
        let separators = match seed % 2 {
            0 => TermSeparators::NonAlphanumeric,
            _ => TermSeparators::Listed(vec![' ', 'x']),
        };
        let threshold = f64::from(rng.random_range(0..11)) / 10.0;
        let mut index = TemplateIndex::new(&separators, threshold);
        strings.iter().for_each(|text| index.count(text).expect("few terms"));
        let groups: Vec<usize> = strings.iter().map(|text| index.add(text)).collect();
        let actual: Vec<(usize, String)> = groups.into_iter().map(|group| (group, index.pattern(group))).collect();
        assert_eq!(actual, expected(&strings, &separators, threshold), "seed {seed}: {threshold} {strings:?}");
    }
}

#[test]
fn a_pattern_matches_the_strings_of_its_group() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let strings: Vec<String> = (0..500).map(|_| string(&mut rng)).collect();
    let separators = TermSeparators::Listed(vec![' ', 'x']);
    let mut index = TemplateIndex::new(&separators, 0.3);
    strings.iter().for_each(|text| index.count(text).expect("few terms"));
    let groups: Vec<usize> = strings.iter().map(|text| index.add(text)).collect();
    for (text, group) in strings.iter().zip(groups) {
        let parts: Vec<String> = index.pattern(group).split('*').map(regex::escape).collect();
        let pattern = regex::Regex::new(&format!("^{}$", parts.join(".*"))).expect("a pattern");
        assert!(pattern.is_match(text), "{text:?} in {:?}", index.pattern(group));
    }
}
