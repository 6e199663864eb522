//! `--resume`: goes on where the last backtest ended, and hands on each alert once.
//!
//! Writing an alert and remembering that it was written are two steps, so a run that is killed between them can lose the
//! alert or repeat it. Here, new alerts are stored together with the new state before the first of them is written
//! (the outbox), and after each one a line is appended to a journal beside the file. A run that finds alerts in the outbox
//! writes those that the journal does not count. So none is lost, and at most one is repeated: the one that was being
//! written. It has the same identifier then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::rule_files::FiledRule;
use super::super::{destination, digest, documents};
use super::tables::RuleBacktest;
use crate::backtest::{ContentHash, RuleState};
use crate::diagnostic::{Error, Result};
use crate::rules::AlertRule;
use crate::rules::alert_state::AlertMemory;

/// The version of the form of the file.
const VERSION: u32 = 1;

/// The file of `--resume`, which other runs cannot use meanwhile.
pub(super) struct StateFile {
    path: PathBuf,
    /// The folder in which each alert becomes a file; None for stdout.
    spool: Option<PathBuf>,
    stored: StoredStates,
    _lock: File,
}

/// What the file holds.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct StoredStates {
    version: u32,
    /// The number of times that alerts were put into the outbox.
    generation: u64,
    rules: BTreeMap<String, StoredRule>,
    /// Alerts that are not written yet, but for those that the journal counts.
    outbox: Vec<String>,
}

/// A [`RuleState`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRule {
    anchor: i64,
    last_run: i64,
    suppressed_until: Option<i64>,
    lifecycles: Vec<StoredAlert>,
    alerts: Vec<ContentHash>,
    rows: Vec<(ContentHash, i64)>,
}

/// The alerts of a combination of dimension values.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAlert {
    values: Vec<String>,
    is_firing: bool,
    calm: u32,
    muted_until: Option<i64>,
}

impl StateFile {
    /// Opens the file, or begins a new one, for these rules, which must have different identifiers.
    /// Alerts are handed on to `spool`, else to stdout.
    pub fn open(path: &Path, spool: Option<PathBuf>, rules: &[FiledRule]) -> Result<Self> {
        if let Some(folder) = spool.as_deref().filter(|folder| !folder.is_dir()) {
            return Err(Error::Usage(format!("--spool {}: there is no such folder", folder.display())));
        }
        let mut known = BTreeSet::new();
        if let Some(twice) = rules.iter().find(|rule| !known.insert(key(&rule.rule))) {
            let text =
                format!("--resume tells rules apart by their identifiers, and several have `{}`", key(&twice.rule));
            return Err(Error::Usage(text));
        }
        let lock = lock(&beside(path, "lock"))?;
        let stored = match fs::read(path) {
            Ok(bytes) => {
                let stored = serde_json::from_slice::<StoredStates>(&bytes).ok();
                stored.filter(|stored| stored.version == VERSION).ok_or_else(|| Error::Data {
                    file: path.display().to_string(),
                    place: None,
                    reason: "not a state of `backtest --resume` of this version; name another file".to_owned(),
                })?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                StoredStates { version: VERSION, ..StoredStates::default() }
            }
            Err(error) => return Err(Error::io(path, error)),
        };
        Ok(Self { path: path.to_owned(), spool, stored, _lock: lock })
    }

    /// The state of a rule; None if it did not run yet.
    pub fn state(&self, rule: &AlertRule) -> Option<RuleState> {
        let stored = self.stored.rules.get(key(rule))?;
        let memory = |alert: &StoredAlert| {
            let StoredAlert { is_firing, calm, muted_until, .. } = *alert;
            (alert.values.clone(), AlertMemory { is_firing, calm, muted_until })
        };
        Some(RuleState {
            anchor: stored.anchor,
            last_run: stored.last_run,
            suppressed_until: stored.suppressed_until,
            lifecycles: stored.lifecycles.iter().map(memory).collect(),
            alerts: stored.alerts.clone(),
            rows: stored.rows.clone(),
        })
    }

    /// Stores the states of rules and their new alerts, and writes these.
    pub fn hand_on(&mut self, tested: &[RuleBacktest], alerts: &str) -> Result<()> {
        for RuleBacktest { rule, backtest, .. } in tested {
            if let Some(state) = &backtest.state {
                let state = if rule.is_enabled { stored(state) } else { self.passed_by(rule, state) };
                self.stored.rules.insert(key(rule).to_owned(), state);
            }
        }
        self.stored.generation += 1;
        self.stored.outbox = alerts.lines().map(str::to_owned).collect();
        self.store()?;
        self.write_outbox()
    }

    /// Writes the alerts that an earlier run could not write.
    pub fn write_outbox(&mut self) -> Result<()> {
        if self.stored.outbox.is_empty() {
            return Ok(());
        }
        let path = beside(&self.path, "journal");
        let line = format!("{}\n", self.stored.generation);
        let written = journaled(&path, &line)?;
        let failed = |error| Error::io(&path, error);
        let mut journal = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // What was cut off while it was written belongs to no line.
        journal.write_all(b"\n").map_err(failed)?;
        for (number, alert) in self.stored.outbox.iter().enumerate().skip(written) {
            self.write_alert(number, format!("{alert}\n").as_bytes())?;
            journal.write_all(line.as_bytes()).and_then(|()| journal.sync_data()).map_err(failed)?;
        }
        self.stored.outbox.clear();
        self.store()?;
        fs::remove_file(&path).map_err(failed)
    }

    /// Writes an alert to stdout or into the spool. Its hash in the name keeps an alert that waits there, after the state
    /// was lost and begun anew, from being replaced by another one.
    fn write_alert(&self, number: usize, alert: &[u8]) -> Result<()> {
        let Some(folder) = &self.spool else { return documents::print(alert).map(drop) };
        let (_, hash) = digest::sha256(&mut &*alert, |error| Error::io(folder, error))?;
        let name = format!("{:010}-{number:06}-{}.json", self.stored.generation, &hash[..16]);
        destination::write_file(&folder.join(name), |out| out.write_all(alert))
    }

    /// The state of a disabled rule: the times of its runs pass, but they see nothing.
    fn passed_by(&self, rule: &AlertRule, state: &RuleState) -> StoredRule {
        let earlier = self.stored.rules.get(key(rule));
        StoredRule {
            anchor: state.anchor,
            last_run: state.last_run,
            suppressed_until: None,
            lifecycles: Vec::new(),
            alerts: earlier.map_or(Vec::new(), |earlier| earlier.alerts.clone()),
            rows: earlier.map_or(Vec::new(), |earlier| earlier.rows.clone()),
        }
    }

    fn store(&self) -> Result<()> {
        let bytes = serde_json::to_vec(&self.stored).map_err(|error| Error::internal(error.to_string()))?;
        destination::write_file(&self.path, |out| out.write_all(&bytes))
    }
}

/// The identifier of a rule, else its name.
fn key(rule: &AlertRule) -> &str {
    rule.id.as_ref().unwrap_or(&rule.name)
}

fn stored(state: &RuleState) -> StoredRule {
    let alert = |(values, memory): &(Vec<String>, AlertMemory)| {
        let AlertMemory { is_firing, calm, muted_until } = *memory;
        StoredAlert { values: values.clone(), is_firing, calm, muted_until }
    };
    StoredRule {
        anchor: state.anchor,
        last_run: state.last_run,
        suppressed_until: state.suppressed_until,
        lifecycles: state.lifecycles.iter().map(alert).collect(),
        alerts: state.alerts.clone(),
        rows: state.rows.clone(),
    }
}

/// The file of this name beside the state.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Keeps other runs from using the state.
fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| Error::io(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Error::Usage(format!("{}: another run uses this state; wait until it ends", path.display())))
        }
        Err(fs::TryLockError::Error(error)) => Err(Error::io(path, error)),
    }
}

/// The number of lines of the journal that are equal to `line`.
fn journaled(path: &Path, line: &str) -> Result<usize> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.split_inclusive('\n').filter(|written| *written == line).count()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::io(path, error)),
    }
}
