//! The text of warnings about detection rules and the accounts that they protect.

use std::fmt;

/// What is not as expected of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleWarning {
    /// A backtest that made another number of alerts than expected.
    OtherAlerts {
        /// The number of alerts.
        found: usize,
        /// The expected number.
        expected: usize,
    },
    /// A rule that made another number of alerts than expected.
    Unexpected {
        /// The rule.
        rule: String,
        /// The number of alerts.
        found: usize,
        /// What was expected.
        expected: String,
    },
    /// A rule that missed events, although none were expected.
    EventsMissed {
        /// The rule.
        rule: String,
        /// The number of events; None if it is not known.
        missed: Option<usize>,
    },
}

/// What is wrong with emergency accounts, or cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountWarning {
    /// Fewer than two accounts.
    FewAccounts,
    /// An account without a successful sign-in.
    NotTested(String),
    /// An account to which policies of Conditional Access were applied.
    PolicyApplied {
        /// The account.
        account: String,
        /// The policies.
        policies: String,
    },
    /// Days for which there are no sign-ins, as a list.
    DaysWithoutData(String),
    /// Tables with sign-ins that the files do not contain.
    TablesMissing(Vec<String>),
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherAlerts { found, expected } => write!(f, "{found} alerts, where {expected} were expected"),
            Self::Unexpected { rule, found, expected } => {
                write!(f, "the rule `{rule}` makes {found} alerts; expected: {expected}")
            }
            Self::EventsMissed { rule, missed: Some(missed) } => write!(f, "the rule `{rule}` missed {missed} events"),
            Self::EventsMissed { rule, missed: None } => {
                write!(f, "it is not known whether the rule `{rule}` missed events")
            }
        }
    }
}

impl fmt::Display for AccountWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewAccounts => {
                f.write_str("fewer than two emergency accounts: if one of them fails, nobody can sign in")
            }
            Self::NotTested(account) => {
                write!(f, "{account} has no successful sign-in in these files: test emergency accounts regularly")
            }
            Self::PolicyApplied { account, policies } => write!(
                f,
                "policies of Conditional Access were applied to {account}, although emergency accounts should be \
                 excluded: {policies}"
            ),
            Self::DaysWithoutData(days) => {
                write!(f, "the files have no sign-ins at all on these days, so silence proves nothing: {days}")
            }
            Self::TablesMissing(tables) => write!(
                f,
                "the files contain no {}: sign-ins of applications are not part of this review",
                tables.join(" and no ")
            ),
        }
    }
}
