//! Groups strings by templates: the terms that all strings of a group have at the same positions.
//!
//! A string joins the most similar earlier group whose strings have the same separators and share with it at least the
//! needed number of terms; the other terms become wildcards. Only terms that several strings have are searched for.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashMap;

use super::terms::{DividedString, TermSeparators};
use crate::diagnostic::{Error, Result};

/// The number of earlier groups with which a string is compared.
const MAX_CANDIDATES: usize = 256;
/// The number of terms of all strings together.
const MAX_TERMS: usize = 20_000_000;

/// The strings that are grouped, each once.
#[derive(Debug)]
pub struct TemplateIndex<'v> {
    separators: &'v TermSeparators,
    /// The part of the terms that strings of a group must share.
    threshold: f64,
    /// For each term at a position of strings with the same separators, whether several strings have it.
    shared: HashMap<u64, bool>,
    templates: Vec<StringTemplate<'v>>,
    /// The groups that have a term at a position.
    groups: HashMap<u64, BTreeSet<usize>>,
    terms: usize,
}

/// The terms that the strings of a group have in common.
#[derive(Debug)]
pub struct StringTemplate<'v> {
    /// The first string.
    pub representative: &'v str,
    separators: Vec<&'v str>,
    /// None where the strings differ.
    terms: Vec<Option<&'v str>>,
}

impl<'v> TemplateIndex<'v> {
    /// Without strings.
    pub fn new(separators: &'v TermSeparators, threshold: f64) -> Self {
        Self { separators, threshold, shared: HashMap::new(), templates: Vec::new(), groups: HashMap::new(), terms: 0 }
    }

    /// Counts the terms of a string. All strings are counted before the first one is added.
    pub fn count(&mut self, text: &'v str) -> Result<()> {
        let divided = self.separators.divide(text);
        self.terms += divided.terms.len();
        if self.terms > MAX_TERMS {
            return Err(Error::Limit(format!(
                "`reduce`: the values have more than {MAX_TERMS} terms: filter the rows"
            )));
        }
        for key in keys(&divided) {
            self.shared.entry(key).and_modify(|shared| *shared = true).or_insert(false);
        }
        Ok(())
    }

    /// Adds a string; returns the number of its group.
    pub fn add(&mut self, text: &'v str) -> usize {
        let divided = self.separators.divide(text);
        let keys = keys(&divided);
        let is_shared = |at: &usize| self.shared.get(&keys[*at]) == Some(&true);
        let shared: Vec<usize> = (0..keys.len()).filter(is_shared).collect();
        let needed = self.needed(keys.len());
        if shared.len() >= needed
            && let Some(group) = self.most_similar(&divided, &keys, &shared, needed)
        {
            self.join(group, &divided, &keys);
            return group;
        }
        let group = self.templates.len();
        if shared.len() >= needed {
            shared.iter().for_each(|at| _ = self.groups.entry(keys[*at]).or_default().insert(group));
        }
        let terms = divided.terms.into_iter().map(Some).collect();
        self.templates.push(StringTemplate { representative: text, separators: divided.separators, terms });
        group
    }

    /// The template of a group.
    pub fn template(&self, group: usize) -> &StringTemplate<'v> {
        &self.templates[group]
    }

    /// The pattern of a group.
    pub fn pattern(&self, group: usize) -> String {
        let template = &self.templates[group];
        self.separators.pattern(&template.terms, &template.separators)
    }

    /// How many of `terms` a string must share with a group; at least one.
    #[expect(clippy::cast_precision_loss, reason = "the number of terms is limited")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of terms")]
    fn needed(&self, terms: usize) -> usize {
        /// Products such as `0.7 * 10` are a little too large.
        const ROUNDING: f64 = 1e-9;
        ((self.threshold * terms as f64 - ROUNDING).ceil() as usize).max(1)
    }

    /// The group that shares the most terms, the earliest of several; None if none shares as many as needed.
    fn most_similar(
        &self,
        divided: &DividedString<'v>,
        keys: &[u64],
        shared: &[usize],
        needed: usize,
    ) -> Option<usize> {
        let groups_at = |at: &usize| self.groups.get(&keys[*at]);
        let mut rarest = shared.to_vec();
        rarest.sort_by_key(|at| groups_at(at).map_or(0, BTreeSet::len));
        // A group with the needed terms has at least one of these.
        rarest.truncate(shared.len() + 1 - needed);
        let candidates: BTreeSet<usize> =
            rarest.iter().filter_map(groups_at).flatten().take(MAX_CANDIDATES).copied().collect();
        let equal = |group: usize| self.templates[group].equal_terms(divided);
        let best = candidates.into_iter().map(|group| (equal(group), std::cmp::Reverse(group))).max()?;
        (best.0 >= needed).then_some(best.1.0)
    }

    /// Makes wildcards of the terms in which a string differs from its group.
    fn join(&mut self, group: usize, divided: &DividedString<'v>, keys: &[u64]) {
        let old = self.templates[group].terms.clone();
        for (at, (term, own)) in old.into_iter().zip(&divided.terms).enumerate() {
            let Some(term) = term.filter(|term| term != own) else { continue };
            self.templates[group].terms[at] = None;
            let key = key(shape(&divided.separators), at, term);
            debug_assert_ne!(key, keys[at], "different terms have different hashes");
            if let Some(groups) = self.groups.get_mut(&key) {
                groups.remove(&group);
            }
        }
    }
}

impl StringTemplate<'_> {
    /// The number of terms that a string shares, 0 if it has other separators.
    fn equal_terms(&self, divided: &DividedString<'_>) -> usize {
        if self.separators != divided.separators {
            return 0;
        }
        self.terms.iter().zip(&divided.terms).filter(|(term, own)| **term == Some(**own)).count()
    }
}

/// A hash for each term, its position and the separators of its string.
fn keys(divided: &DividedString<'_>) -> Vec<u64> {
    let shape = shape(&divided.separators);
    divided.terms.iter().enumerate().map(|(at, term)| key(shape, at, term)).collect()
}

/// A hash of separators.
fn shape(separators: &[&str]) -> u64 {
    FixedState::default().hash_one(separators)
}

fn key(shape: u64, position: usize, term: &str) -> u64 {
    FixedState::default().hash_one((shape, position, term))
}
