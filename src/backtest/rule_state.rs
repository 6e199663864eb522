//! What a rule must remember so that a later backtest goes on where an earlier one ended.

use crate::rules::alert_state::AlertMemory;

/// Tells rows or alerts apart.
pub type ContentHash = [u8; 16];

/// The state of a rule after a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleState {
    /// A time at which the rule runs.
    pub anchor: i64,
    /// The time of the last run.
    pub last_run: i64,
    /// The time until which the query does not run.
    pub suppressed_until: Option<i64>,
    /// The alerts that are not resolved or mute others, by the values of the dimensions.
    pub lifecycles: Vec<(Vec<String>, AlertMemory)>,
    /// The alerts of a custom detection that later rows join.
    pub alerts: Vec<ContentHash>,
    /// The rows in these alerts that later runs may see again, and the time of the last run that saw them.
    pub rows: Vec<(ContentHash, i64)>,
}
