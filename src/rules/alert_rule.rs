//! Alert rules: one model for the rules of all services.
//!
//! Durations are in ticks of 100 ns, as everywhere in this program.

use std::fmt;

use super::breaches::BreachCount;
use super::{RuleFileError, RuleKind, RuleQuery};
use crate::diagnostic::Span;

/// A rule whose query a service runs again and again, and what happens with the results.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    /// The identifier, as written.
    pub id: Option<String>,
    /// The name for people.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The kind.
    pub kind: RuleKind,
    /// The severity, as its service writes it: `High`, or `Sev0`.
    pub severity: String,
    /// True if the service runs the rule.
    pub is_enabled: bool,
    /// The query.
    pub query: RuleQuery,
    /// When the query runs, and over which rows.
    pub schedule: AlertSchedule,
    /// When a result is an alert.
    pub condition: AlertCondition,
    /// How many alerts an evaluation makes.
    pub grouping: AlertGrouping,
    /// The time after an alert in which the query does not run.
    pub suppression: Option<i64>,
    /// The time after an alert in which others cause no actions.
    pub muting: Option<i64>,
    /// Whether an alert lasts until its condition is false for some time.
    pub state: AlertStatePolicy,
    /// The entities of an alert and their columns.
    pub entities: Vec<EntityMapping>,
    /// Names and columns of custom details.
    pub custom_details: Vec<(String, String)>,
    /// The tactics of MITRE ATT&CK.
    pub tactics: Vec<String>,
    /// The techniques of MITRE ATT&CK.
    pub techniques: Vec<String>,
    /// Who is notified.
    pub action_groups: Vec<String>,
    /// Names and values that notifications carry.
    pub custom_properties: Vec<(String, String)>,
    /// The resources whose logs the rule reads.
    pub scopes: Vec<String>,
    /// The types of the resources that alerts are about.
    pub resource_types: Vec<String>,
    /// What alerts take from their rows instead of from the rule.
    pub overrides: AlertOverrides,
    /// The columns that the rule expects in the result of its query.
    pub columns: Vec<NamedColumn>,
    /// True if the rule names no lookback, and its service documents only a range.
    pub assumes_lookback: bool,
    /// What its service requires of the rule when it is deployed, and it lacks.
    pub omissions: Vec<RuleFileError>,
    /// Where the rule begins in the file.
    pub span: Span,
}

/// What alerts take from their rows. `{{Column}}` in a format stands for the value of that column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertOverrides {
    /// The format of the name.
    pub name: Option<String>,
    /// The format of the description.
    pub description: Option<String>,
    /// The column of the severity.
    pub severity_column: Option<String>,
    /// The column of the tactics.
    pub tactics_column: Option<String>,
}

/// A column that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedColumn {
    /// The name.
    pub name: String,
    /// What the rule needs it for.
    pub purpose: ColumnPurpose,
    /// The position of the name in the file.
    pub span: Span,
}

/// What a rule needs a column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnPurpose {
    /// A dimension of the condition.
    Dimension,
    /// The measure of the condition.
    Measure,
    /// An entity of alerts.
    Entity,
    /// A custom detail of alerts.
    Detail,
    /// The name, description, severity or tactics of alerts.
    Override,
}

/// When a query runs, and over which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertSchedule {
    /// The time between two evaluations.
    pub frequency: i64,
    /// The length of the range of rows that an evaluation reads.
    pub lookback: i64,
    /// The time that the range of rows is about.
    pub clock: WindowClock,
    /// The time between the end of the range and the run: rows that arrive until then are seen.
    pub delay: i64,
}

/// The time by which a service selects rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowClock {
    /// `TimeGenerated`, the time of the event.
    Generated,
    /// `ingestion_time()`, when the row arrived.
    Ingested,
}

/// When a result is an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertCondition {
    /// What is compared.
    pub measure: AlertMeasure,
    /// The columns for whose combinations of values alerts are apart.
    pub dimensions: Vec<AlertDimension>,
    /// The comparison.
    pub operator: ThresholdOperator,
    /// The value to compare with.
    pub threshold: f64,
    /// The failing periods.
    pub periods: FailingPeriods,
}

/// What a condition compares with the threshold.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertMeasure {
    /// The number of rows.
    Rows,
    /// An aggregate of a column.
    Column {
        /// The name of the column.
        name: String,
        /// The aggregate.
        aggregation: TimeAggregation,
    },
    /// The number of rows whose `AggregatedValue` violates a threshold.
    Breaches(BreachCount),
}

/// How a log search alert rule aggregates its measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the service say it")]
pub enum TimeAggregation {
    Count,
    Average,
    Minimum,
    Maximum,
    Total,
}

/// A column whose values divide the rows of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertDimension {
    /// The name of the column.
    pub name: String,
    /// True if only `values` count, false if all others do.
    pub includes: bool,
    /// The values; `*` stands for all.
    pub values: Vec<String>,
}

impl AlertDimension {
    /// True if rows with this value count.
    #[must_use]
    pub fn admits(&self, value: &str) -> bool {
        let is_listed = self.values.iter().any(|listed| listed == "*" || listed == value);
        is_listed == self.includes
    }
}

/// How a value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the services say it")]
pub enum ThresholdOperator {
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Equal,
    NotEqual,
}

impl ThresholdOperator {
    /// True if `value` fulfils the condition.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "the services compare exactly")]
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThan => value > threshold,
            Self::GreaterThanOrEqual => value >= threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqual => value <= threshold,
            Self::Equal => value == threshold,
            Self::NotEqual => value != threshold,
        }
    }

    /// The name, as Azure writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GreaterThan => "GreaterThan",
            Self::GreaterThanOrEqual => "GreaterThanOrEqual",
            Self::LessThan => "LessThan",
            Self::LessThanOrEqual => "LessThanOrEqual",
            Self::Equal => "Equal",
            Self::NotEqual => "NotEqual",
        }
    }
}

/// The number of periods that are compared, and how many of them must violate the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailingPeriods {
    /// The length of a period.
    pub length: i64,
    /// The number of periods, at least 1.
    pub evaluated: u32,
    /// The number that must violate the threshold, at least 1 and at most `evaluated`.
    pub violations: u32,
}

/// How many alerts an evaluation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertGrouping {
    /// One for all rows.
    SingleAlert,
    /// One for each row, up to `limit`. Of more rows, the last alert of a rule of Microsoft Sentinel stands for all, and
    /// that of a custom detection for those that have none.
    AlertPerResult {
        /// The maximum number of alerts of an evaluation.
        limit: usize,
    },
}

/// Whether an alert lasts until its condition is false for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStatePolicy {
    /// Every evaluation whose condition is true makes a new alert.
    Stateless,
    /// An alert is made once, and the next one only after it is resolved.
    Stateful {
        /// The number of evaluations in a row whose condition must be false.
        resolve_after: u32,
    },
}

/// The columns of an entity of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityMapping {
    /// The type, such as `Account`.
    pub entity: String,
    /// Identifiers, such as `AadUserId`, and their columns.
    pub fields: Vec<(String, String)>,
}

impl EntityMapping {
    /// The entity of a row whose columns have the strings that `value` returns; None if all of them are empty.
    pub fn entity_of(&self, value: impl Fn(&str) -> Option<String>) -> Option<AlertEntity> {
        let field = |(identifier, column): &(String, String)| {
            value(column).filter(|text| !text.is_empty()).map(|text| (identifier.clone(), text))
        };
        let fields: Vec<(String, String)> = self.fields.iter().filter_map(field).collect();
        (!fields.is_empty()).then(|| AlertEntity { entity: self.entity.clone(), fields })
    }
}

/// An entity of an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertEntity {
    /// The type, such as `Account`.
    pub entity: String,
    /// The identifiers and their values.
    pub fields: Vec<(String, String)>,
}

impl fmt::Display for AlertEntity {
    /// `Account Name=bg@contoso.com, AadUserId=...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        write!(f, "{} {}", self.entity, fields.join(", "))
    }
}
