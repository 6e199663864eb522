//! The file of `--expectations`: how many alerts each rule should make.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::query_files::TextFile;
use super::super::rule_files::FiledRule;
use super::tables::RuleBacktest;
use crate::diagnostic::{Error, Result};

/// How many alerts a rule should make.
#[derive(Clone, Debug, Default)]
pub(super) struct Expectation {
    exactly: Option<usize>,
    at_least: Option<usize>,
    at_most: Option<usize>,
}

impl Expectation {
    /// Reads a section; the error is the reason why it is wrong.
    fn of(section: &toml::Table) -> std::result::Result<Self, String> {
        let mut expectation = Self::default();
        for (key, value) in section {
            let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
            let field = match key.as_str() {
                "exactly" => &mut expectation.exactly,
                "at_least" => &mut expectation.at_least,
                "at_most" => &mut expectation.at_most,
                _ => return Err(format!("unknown key `{key}`; expected exactly, at_least or at_most")),
            };
            *field = Some(number.ok_or_else(|| format!("`{key}` must be a number of alerts, not {value}"))?);
        }
        match section.is_empty() {
            true => Err("the section expects nothing; give exactly, at_least or at_most".to_owned()),
            false => Ok(expectation),
        }
    }

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
    /// Reads a file in TOML, with a section for each rule, and checks that each belongs to one of `rules`.
    pub fn read(path: &Path, rules: &[FiledRule]) -> Result<Self> {
        let file = TextFile::read(path)?;
        let wrong = |reason: String| Error::Data { file: path.display().to_string(), place: None, reason };
        let sections: BTreeMap<String, toml::Table> =
            toml::from_str(&file.text).map_err(|error| wrong(format!("not a file of expectations: {error}")))?;
        let mut by_rule = BTreeMap::new();
        for (name, section) in sections {
            let is_rule = |rule: &FiledRule| rule.rule.id.as_ref() == Some(&name) || rule.rule.name == name;
            if !rules.iter().any(is_rule) {
                let text = format!("--expectations: no rule has the identifier or name `{name}`");
                return Err(Error::Usage(text));
            }
            let expectation = Expectation::of(&section).map_err(|reason| wrong(format!("[{name}]: {reason}")))?;
            by_rule.insert(name, expectation);
        }
        Ok(Self { by_rule })
    }

    /// The expectation for a rule; None if there is none.
    pub fn of(&self, tested: &RuleBacktest) -> Option<&Expectation> {
        let by_id = tested.rule.id.as_ref().and_then(|id| self.by_rule.get(id));
        by_id.or_else(|| self.by_rule.get(&tested.rule.name))
    }
}
