//! Groups strings by templates. A template is the terms that all strings of a group have at the same positions.
//!
//! A string joins the most similar earlier group whose strings have the same separators and share at least the needed
//! number of terms with it. The terms that differ become wildcards. Only terms that occur in several strings are used
//! in the search.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashMap;

use super::terms::{DividedString, TermSeparators};
use crate::diagnostic::{Error, Result};

/// Maximum number of earlier groups with which a string is compared.
const MAX_CANDIDATES: usize = 256;
/// Maximum number of terms in all strings together.
const MAX_TERMS: usize = 20_000_000;

/// An index that groups strings; each distinct string is added once.
#[derive(Debug)]
pub struct TemplateIndex<'v> {
    separators: &'v TermSeparators,
    /// The fraction of the terms that the strings of a group must share, from 0 to 1.
    threshold: f64,
    /// Which terms occur in several strings, at the same position and with the same separators. The key is a hash of
    /// these three; the value is true if several strings have it.
    shared: HashMap<u64, bool>,
    templates: Vec<StringTemplate<'v>>,
    /// For each key of `shared` with the value true, the groups whose template has that term at that position.
    groups: HashMap<u64, BTreeSet<usize>>,
    terms: usize,
}

/// The terms that the strings of a group have in common.
#[derive(Debug)]
pub struct StringTemplate<'v> {
    /// The first string of the group.
    pub representative: &'v str,
    separators: Vec<&'v str>,
    /// The term at each position; None where the strings differ.
    terms: Vec<Option<&'v str>>,
}

impl<'v> TemplateIndex<'v> {
    /// Returns an index without strings.
    pub fn new(separators: &'v TermSeparators, threshold: f64) -> Self {
        Self { separators, threshold, shared: HashMap::new(), templates: Vec::new(), groups: HashMap::new(), terms: 0 }
    }

    /// Counts the terms of a string. All strings must be counted before the first one is added. An error if there are
    /// too many terms.
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

    /// Adds a string to the most similar group, or to a new one; returns the number of the group.
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

    /// Returns the template of a group.
    pub fn template(&self, group: usize) -> &StringTemplate<'v> {
        &self.templates[group]
    }

    /// Returns the pattern of a group.
    pub fn pattern(&self, group: usize) -> String {
        let template = &self.templates[group];
        self.separators.pattern(&template.terms, &template.separators)
    }

    /// Returns how many of `terms` terms a string must share with a group; at least one.
    #[expect(clippy::cast_precision_loss, reason = "the number of terms is limited")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of terms")]
    fn needed(&self, terms: usize) -> usize {
        /// Tolerance for rounding errors: `0.7 * 10` can be a little more than 7.
        const ROUNDING: f64 = 1e-9;
        ((self.threshold * terms as f64 - ROUNDING).ceil() as usize).max(1)
    }

    /// Returns the group that shares the most terms with a string, the earliest of several; None if no group shares
    /// `needed` terms.
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

    /// Adds a string to a group: the terms of the template that differ from those of the string become wildcards.
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
    /// Returns the number of terms that the template shares with a string; 0 if the string has other separators.
    fn equal_terms(&self, divided: &DividedString<'_>) -> usize {
        if self.separators != divided.separators {
            return 0;
        }
        self.terms.iter().zip(&divided.terms).filter(|(term, own)| **term == Some(**own)).count()
    }
}

/// Returns a hash for each term of a string, made of the term, its position and the separators of the string.
fn keys(divided: &DividedString<'_>) -> Vec<u64> {
    let shape = shape(&divided.separators);
    divided.terms.iter().enumerate().map(|(at, term)| key(shape, at, term)).collect()
}

/// Returns a hash of the separators of a string.
fn shape(separators: &[&str]) -> u64 {
    FixedState::default().hash_one(separators)
}

fn key(shape: u64, position: usize, term: &str) -> u64 {
    FixedState::default().hash_one((shape, position, term))
}
