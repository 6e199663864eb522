//! The text of warnings about detection rules, and about the accounts that they protect.

use std::fmt;

fn counted(count: usize, noun: &str) -> String {
    super::counted(count as u64, noun)
}

/// A warning about a detection rule or its results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleWarning {
    /// A backtest that made another number of alerts than expected.
    OtherAlerts {
        /// The number of alerts that it made.
        found: usize,
        /// The number of alerts that were expected.
        expected: usize,
    },
    /// A rule that made another number of alerts than expected.
    Unexpected {
        /// The name of the rule.
        rule: String,
        /// The number of alerts that it made.
        found: usize,
        /// A description of what was expected.
        expected: String,
    },
    /// A rule, or a file of rules, that a hunt cannot read.
    NotRead {
        /// The position of the rule in its file, or the name of the file.
        position: String,
        /// The reason why it cannot be read.
        reason: String,
    },
    /// A rule that did not run in a hunt.
    NotRun {
        /// The position of the rule in its file.
        position: String,
        /// The name of the rule.
        rule: String,
        /// The reason why it did not run.
        reason: String,
    },
    /// A rule whose query may mean something else than its author intended.
    QueryDoubtful {
        /// The position of the rule in its file.
        position: String,
        /// The name of the rule.
        rule: String,
        /// A description of what is doubtful.
        text: String,
    },
    /// A rule that missed events although it should miss none.
    EventsMissed {
        /// The name of the rule.
        rule: String,
        /// The number of missed events; None if it is not known.
        missed: Option<usize>,
    },
    /// Conditions that remove rows without a label.
    UnlabelledRemoved {
        /// The rule.
        rule: String,
        /// The number of rows.
        rows: usize,
    },
    /// A difference between a rule and its conversion to another format.
    Loss {
        /// The name of the rule.
        rule: String,
        /// The difference, as a sentence.
        loss: String,
    },
    /// A rule that cannot be tested, because the tables that it reads have no rows.
    NotTested(String),
    /// A rule that is tested in a range that the user gives, although its tables have no rows.
    NoRows(String),
    /// A rule that is tested in a range that the data do not cover.
    RangeBeyondData {
        /// The name of the rule.
        rule: String,
        /// The start and end of the range of the runs, and those of the range of the rows.
        ranges: [[String; 2]; 2],
    },
    /// Alerts about absence whose windows reach beyond the time range of the data.
    AlertsBeyondData {
        /// The name of the rule.
        rule: String,
        /// The number of alerts.
        alerts: usize,
    },
    /// Runs of a rule that make more alerts than its service allows.
    TooManyAlerts {
        /// The name of the rule.
        rule: String,
        /// The number of alerts of the run that makes the most.
        alerts: usize,
        /// The number that the service allows.
        limit: usize,
    },
    /// A column that the alerts of a rule should show, and that the result of its query lacks.
    ColumnMissing {
        /// The position in the file of the rule.
        place: String,
        /// The name of the column.
        column: String,
        /// A question about a column with a similar name; "" if there is none.
        hint: String,
    },
}

/// A problem with emergency accounts, or a check of them that is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountWarning {
    /// There are fewer than two accounts.
    FewAccounts,
    /// An account that was given by its name and by its object ID.
    GivenTwice {
        /// The name.
        account: String,
        /// The object IDs, as a list in JSON.
        aliases: String,
    },
    /// An account has no successful sign-in.
    NotTested(String),
    /// Policies of Conditional Access were applied to an account.
    PolicyApplied {
        /// The name of the account.
        account: String,
        /// The names of the policies.
        policies: String,
    },
    /// An account whose password was not reset after it was used.
    NotReset {
        /// The name of the account.
        account: String,
        /// The time of the last successful sign-in.
        used: String,
    },
    /// There are no sign-ins for these days, which are written as a list.
    DaysWithoutData(String),
    /// The files have no records of these tables with sign-ins.
    TablesMissing(Vec<String>),
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlabelledRemoved { rule, rows: 1 } => {
                write!(f, "the condition also removes 1 row of the rule `{rule}` that has no label: look at it first")
            }
            Self::UnlabelledRemoved { rule, rows } => {
                write!(
                    f,
                    "the condition also removes {rows} rows of the rule `{rule}` that have no label: look at them first"
                )
            }
            Self::Loss { rule, loss } => write!(f, "the rule `{rule}`: {loss}"),
            Self::OtherAlerts { found, expected } => {
                write!(f, "{}, where {expected} were expected", counted(*found, "alert"))
            }
            Self::Unexpected { rule, found, expected } => {
                write!(f, "the rule `{rule}` makes {}; expected: {expected}", counted(*found, "alert"))
            }
            Self::EventsMissed { rule, missed: Some(missed) } => {
                write!(f, "the rule `{rule}` missed {}", counted(*missed, "event"))
            }
            Self::NotTested(rule) => {
                write!(f, "the rule `{rule}` is not tested: the files hold no rows of the tables that it reads")
            }
            Self::NoRows(rule) => write!(
                f,
                "the files hold no rows of the tables that the rule `{rule}` reads: neither its alerts nor its silence \
                 prove anything"
            ),
            Self::RangeBeyondData { rule, ranges: [[from, to], [first, last]] } => write!(
                f,
                "the rule `{rule}` is tested from {from} to {to}, but the files cover only {first} to {last}: its silence \
                 outside that range proves nothing"
            ),
            Self::AlertsBeyondData { rule, alerts } => write!(
                f,
                "the rule `{rule}` is about absence, and the windows of {} reach beyond the data (see the column \
                 BeyondData): rows may exist that the files lack",
                counted(*alerts, "alert")
            ),
            Self::TooManyAlerts { rule, alerts, limit } => write!(
                f,
                "the rule `{rule}` makes up to {alerts} alerts in a run, but its service at most {limit}: it would lack some \
                 of them"
            ),
            Self::ColumnMissing { place, column, hint } => {
                write!(f, "{place}: the query returns no column `{column}`, so alerts lack it{hint}")
            }
            Self::NotRead { position, reason } => write!(f, "{position}: not part of the hunt: {reason}"),
            Self::NotRun { position, rule, reason } => {
                write!(f, "{position}: the rule `{rule}` did not run, so its rows are missing: {reason}")
            }
            Self::QueryDoubtful { position, rule, text } => write!(f, "{position}: the rule `{rule}`: {text}"),
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
            Self::GivenTwice { account, aliases } => {
                write!(f, "{account} was also given as {aliases}: it is one account")
            }
            Self::NotTested(account) => {
                write!(f, "{account} has no successful sign-in in these files: test emergency accounts regularly")
            }
            Self::PolicyApplied { account, policies } => write!(
                f,
                "policies of Conditional Access were applied to {account}, although emergency accounts should be \
                 excluded: {policies}"
            ),
            Self::NotReset { account, used } => write!(
                f,
                "{account} signed in at {used}, and its password was not reset afterwards: reset it after each use"
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

/// What a backtest says about a rule without warning of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleNote {
    /// Rows for which a backtest assumes the time of arrival.
    ArrivalAssumed {
        /// The name of the rule.
        rule: String,
        /// The name of the table.
        table: String,
        /// The number of rows.
        rows: usize,
    },
    /// A rule that its service would not run.
    Disabled(String),
    /// A rule that its service would not run, in a backtest that notifies.
    HandsOnNothing(String),
    /// Alerts of which a service notifies nobody.
    MutedAlerts {
        /// The name of the rule.
        rule: String,
        /// The number of alerts.
        alerts: usize,
    },
    /// A rule of which it is not known which events it missed.
    MissesUnknown {
        /// The name of the rule.
        rule: String,
        /// The reason why this is not known.
        reason: &'static str,
    },
    /// A rule about absence, whose alerts no event causes.
    AboutAbsence(String),
    /// A custom detection that has no lookback, so that a lookback is assumed.
    LookbackAssumed {
        /// The name of the rule.
        rule: String,
        /// The lookback that is assumed.
        lookback: String,
    },
    /// A rule that has a lookback, or whose frequency has one, so that `--lookback` does not change it.
    LookbackFixed {
        /// The name of the rule.
        rule: String,
        /// The lookback of the rule.
        lookback: String,
    },
    /// Events that a rule misses because they arrive too late, and the lookbacks that would catch them.
    LateEvents {
        /// The name of the rule.
        rule: String,
        /// The number of missed events.
        events: usize,
        /// The lookback that catches 99 of 100 events.
        most: String,
        /// The lookback that catches all events.
        all: String,
    },
}

impl fmt::Display for RuleNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArrivalAssumed { rule, table, rows } => write!(
                f,
                "`{rule}`: no ingestion time in {} of {table}, which count as arriving at their time; assume a delay with \
                 --ingestion-delay",
                counted(*rows, "row")
            ),
            Self::Disabled(rule) => write!(f, "the rule `{rule}` is disabled; it is tested as if it were enabled"),
            Self::HandsOnNothing(rule) => {
                write!(f, "the rule `{rule}` is disabled; its alerts are not written")
            }
            Self::MutedAlerts { rule, alerts } => write!(
                f,
                "`{rule}`: not written, because the actions of the rule were muted: {}",
                counted(*alerts, "alert")
            ),
            Self::MissesUnknown { rule, reason } => {
                write!(f, "`{rule}`: which events are missed is not known, because {reason}")
            }
            Self::AboutAbsence(rule) => {
                write!(f, "the rule `{rule}` is about absence, so it catches and misses no events")
            }
            Self::LookbackAssumed { rule, lookback } => write!(
                f,
                "the custom detection `{rule}` names no lookback; {lookback} is assumed, change it with --lookback"
            ),
            Self::LookbackFixed { rule, lookback } => {
                write!(f, "--lookback does not change the rule `{rule}`, whose lookback of {lookback} is given")
            }
            Self::LateEvents { rule, events, most, all } => {
                let events = counted(*events, "event");
                write!(
                    f,
                    "`{rule}` misses {events} by delay: whatever the anchor, a lookback of {most} catches 99 of 100 events, \
                     and {all} all"
                )
            }
        }
    }
}
