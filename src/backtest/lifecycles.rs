//! The states of alerts, by combination of dimension values.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_COMBINATIONS;
use crate::diagnostic::{Error, Result};
use crate::rules::alert_state::{AlertLifecycle, AlertMemory, AlertState, AlertTransition};
use crate::rules::{AlertRule, AlertStatePolicy};

/// The values of the dimensions, in their order.
type Combination = Vec<String>;

/// The alerts of a rule that outlast a run.
pub(super) struct Lifecycles {
    policy: AlertStatePolicy,
    muting: Option<i64>,
    by_values: BTreeMap<Combination, AlertLifecycle>,
    /// The combinations whose alerts are not resolved.
    firing: BTreeSet<Combination>,
}

impl Lifecycles {
    pub fn new(rule: &AlertRule) -> Self {
        let (by_values, firing) = Default::default();
        Self { policy: rule.state, muting: rule.muting, by_values, firing }
    }

    /// Goes on after the runs that `memories` are about.
    pub fn resume(&mut self, memories: &[(Combination, AlertMemory)]) {
        for (values, memory) in memories {
            self.by_values.insert(values.clone(), AlertLifecycle::resumed(self.policy, self.muting, *memory));
            if memory.is_firing {
                self.firing.insert(values.clone());
            }
        }
    }

    /// What later runs must know.
    pub fn memories(&self) -> Vec<(Combination, AlertMemory)> {
        self.by_values.iter().map(|(values, lifecycle)| (values.clone(), lifecycle.memory())).collect()
    }

    /// True if no run depends on those before.
    fn is_stateless(&self) -> bool {
        self.policy == AlertStatePolicy::Stateless && self.muting.is_none()
    }

    /// Takes the result of the run at `time` for a combination.
    pub fn step(&mut self, values: &Combination, time: i64, is_met: bool) -> Result<AlertTransition> {
        let mut fresh = AlertLifecycle::new(self.policy, self.muting);
        if self.is_stateless() {
            return Ok(fresh.step(time, is_met));
        }
        if !self.by_values.contains_key(values) {
            // Nothing changes while the condition is false.
            if !is_met {
                return Ok(fresh.step(time, is_met));
            }
            if self.by_values.len() >= MAX_COMBINATIONS {
                return Err(Error::Limit(format!("more than {MAX_COMBINATIONS} combinations of dimension values")));
            }
        }
        let lifecycle = self.by_values.entry(values.clone()).or_insert(fresh);
        let transition = lifecycle.step(time, is_met);
        if lifecycle.is_firing() {
            self.firing.insert(values.clone());
        } else {
            self.firing.remove(values);
            if self.muting.is_none() {
                self.by_values.remove(values);
            }
        }
        Ok(transition)
    }

    /// True if no alert lasts, so that a run whose condition is false changes nothing.
    pub fn are_calm(&self) -> bool {
        self.firing.is_empty()
    }

    /// The condition of combinations that are not in `tested` is false at `time`. Returns those whose state changes.
    pub fn calm_others(&mut self, tested: &BTreeSet<Combination>, time: i64) -> Result<Vec<(Combination, AlertState)>> {
        let others: Vec<Combination> = self.firing.difference(tested).cloned().collect();
        let calmed = others.into_iter().map(|values| {
            let state = self.step(&values, time, false)?.state;
            Ok((values, state))
        });
        calmed.collect()
    }
}
