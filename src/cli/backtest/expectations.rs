//! The file of `--expectations`: how many alerts each rule should make.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::super::query_files::TextFile;
use super::tables::RuleBacktest;
use crate::diagnostic::{Error, Result};

/// How many alerts a rule should make.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    exactly: Option<usize>,
    at_least: Option<usize>,
    at_most: Option<usize>,
}

impl Expectation {
    /// True if this number of alerts is as expected.
    pub fn is_met(&self, alerts: usize) -> bool {
        self.exactly.is_none_or(|number| alerts == number)
            && self.at_least.is_none_or(|number| alerts >= number)
            && self.at_most.is_none_or(|number| alerts <= number)
    }

    /// The expectation in words.
    pub fn text(&self) -> String {
        let parts = [("exactly", self.exactly), ("at least", self.at_least), ("at most", self.at_most)];
        let parts: Vec<String> =
            parts.iter().filter_map(|(words, number)| Some(format!("{words} {}", (*number)?))).collect();
        parts.join(", ")
    }
}

/// Expectations by the identifier or the name of a rule.
pub(super) struct Expectations {
    by_rule: BTreeMap<String, Expectation>,
}

impl Expectations {
    /// Reads a file in TOML, with a section for each rule.
    pub fn read(path: &Path) -> Result<Self> {
        let file = TextFile::read(path)?;
        let by_rule = toml::from_str(&file.text).map_err(|error| Error::Data {
            file: path.display().to_string(),
            place: None,
            reason: format!("not a file of expectations: {error}"),
        })?;
        Ok(Self { by_rule })
    }

    /// The expectation for a rule; None if there is none.
    pub fn of(&self, tested: &RuleBacktest) -> Option<&Expectation> {
        let by_id = tested.rule.id.as_ref().and_then(|id| self.by_rule.get(id));
        by_id.or_else(|| self.by_rule.get(&tested.rule.name))
    }

    /// The names that belong to no rule.
    pub fn without_rule(&self, tested: &[RuleBacktest]) -> Vec<String> {
        let is_known = |name: &String| {
            tested.iter().any(|tested| tested.rule.id.as_ref() == Some(name) || tested.rule.name == *name)
        };
        self.by_rule.keys().filter(|name| !is_known(name)).cloned().collect()
    }
}
