//! The life of an alert: from one evaluation to the next, whether it fires, lasts or is resolved, and whether its actions
//! are muted.
//!
//! Source: the pages on alerts of Azure Monitor; the names of states are those of its preview API.

use super::AlertStatePolicy;

/// The state after an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// The condition is false, and there is no alert.
    NoAlert,
    /// A new alert was made.
    Fired,
    /// The condition is still true; the alert lasts.
    Firing,
    /// The condition is false, but not yet for long enough.
    Resolving,
    /// The alert is resolved by this evaluation.
    Resolved,
}

impl AlertState {
    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAlert => "NoAlert",
            Self::Fired => "Fired",
            Self::Firing => "Firing",
            Self::Resolving => "Resolving",
            Self::Resolved => "Resolved",
        }
    }
}

/// The alerts of one combination of dimension values, over time.
#[derive(Clone, Copy, Debug)]
pub struct AlertLifecycle {
    policy: AlertStatePolicy,
    muting: Option<i64>,
    memory: AlertMemory,
}

/// What an evaluation must know of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertMemory {
    /// True while an alert is not resolved.
    pub is_firing: bool,
    /// The number of evaluations in a row whose condition was false since the alert fired.
    pub calm: u32,
    /// The end of the time in which actions are muted.
    pub muted_until: Option<i64>,
}

/// What an evaluation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertTransition {
    /// The state.
    pub state: AlertState,
    /// True if an alert was made whose actions are muted.
    pub is_muted: bool,
}

impl AlertLifecycle {
    /// No alert yet.
    #[must_use]
    pub fn new(policy: AlertStatePolicy, muting: Option<i64>) -> Self {
        Self::resumed(policy, muting, AlertMemory::default())
    }

    /// The alerts after the evaluations that `memory` is about.
    #[must_use]
    pub fn resumed(policy: AlertStatePolicy, muting: Option<i64>, memory: AlertMemory) -> Self {
        Self { policy, muting, memory }
    }

    /// What later evaluations must know.
    #[must_use]
    pub fn memory(&self) -> AlertMemory {
        self.memory
    }

    /// True while an evaluation may change the state although its condition is false.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.memory.is_firing
    }

    /// Takes the result of the evaluation at `time`.
    pub fn step(&mut self, time: i64, condition: bool) -> AlertTransition {
        let state = match (self.policy, self.memory.is_firing, condition) {
            (AlertStatePolicy::Stateless, _, true) => AlertState::Fired,
            (AlertStatePolicy::Stateless, _, false) | (_, false, false) => AlertState::NoAlert,
            (AlertStatePolicy::Stateful { .. }, false, true) => {
                self.memory.is_firing = true;
                AlertState::Fired
            }
            (AlertStatePolicy::Stateful { .. }, true, true) => AlertState::Firing,
            (AlertStatePolicy::Stateful { resolve_after }, true, false) => {
                self.memory.calm = self.memory.calm.saturating_add(1);
                self.memory.is_firing = self.memory.calm < resolve_after;
                if self.memory.is_firing { AlertState::Resolving } else { AlertState::Resolved }
            }
        };
        if condition || !self.memory.is_firing {
            self.memory.calm = 0;
        }
        AlertTransition { state, is_muted: state == AlertState::Fired && self.is_muted(time) }
    }

    /// True if the actions of an alert that fires at `time` are muted. Otherwise, they mute those that follow.
    fn is_muted(&mut self, time: i64) -> bool {
        let Some(muting) = self.muting else { return false };
        let is_muted = self.memory.muted_until.is_some_and(|until| time < until);
        if !is_muted {
            self.memory.muted_until = Some(time.saturating_add(muting));
        }
        is_muted
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertLifecycle, AlertState};
    use crate::rules::AlertStatePolicy;

    /// The states after evaluations one minute apart, as letters: `-` no alert, `F` fired, `f` firing, `r` resolving, `R`
    /// resolved; `M` fired and muted.
    fn states(policy: AlertStatePolicy, muting: Option<i64>, conditions: &str) -> String {
        let mut lifecycle = AlertLifecycle::new(policy, muting);
        let step = |(minute, condition): (usize, char)| {
            let transition = lifecycle.step(i64::try_from(minute).expect("few"), condition == '1');
            match transition.state {
                AlertState::NoAlert => '-',
                AlertState::Fired if transition.is_muted => 'M',
                AlertState::Fired => 'F',
                AlertState::Firing => 'f',
                AlertState::Resolving => 'r',
                AlertState::Resolved => 'R',
            }
        };
        conditions.chars().enumerate().map(step).collect()
    }

    #[test]
    fn alerts_change_as_documented() {
        let stateful = |resolve_after| AlertStatePolicy::Stateful { resolve_after };
        for (policy, muting, conditions, expected) in [
            (AlertStatePolicy::Stateless, None, "0110", "-FF-"),
            (AlertStatePolicy::Stateless, Some(2), "1111101", "FMFMF-F"),
            (AlertStatePolicy::Stateless, Some(3), "1001011", "F--F-MF"),
            (stateful(1), None, "010110", "-FRFfR"),
            (stateful(2), None, "1010011", "FrfrRFf"),
            (stateful(3), None, "1001000010", "FrrfrrR-Fr"),
            (stateful(3), None, "10011000", "FrrffrrR"),
            (stateful(u32::MAX), None, "100001", "Frrrrf"),
        ] {
            assert_eq!(states(policy, muting, conditions), expected, "{policy:?} {muting:?} {conditions}");
        }
    }
}
