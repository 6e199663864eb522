//! Detection rules: reads the text of a rule file into a small model, and refuses what a service would reject. Nothing here
//! reads files, or knows more of KQL than its tokens.
//!
//! A file is first read into a tree of nodes with positions (`yaml`, `json`), which looks the same for both
//! formats. The rules are then recognised by their keys (`recognise`), so each kind of rule is described once.
//! Positions in a query lead back to the file ([`TextMap`]), whatever its style of string.

mod alert_rule;
pub mod alert_state;
mod breaches;
pub mod convert;
mod custom_detection;
mod duration;
mod fields;
mod given_rows;
mod hunt_rule;
mod json;
mod log_alert;
mod log_alert_2018;
mod node;
mod omissions;
mod recognise;
mod rule_test;
pub mod schedule;
mod sentinel_alert;
mod template;
mod template_expression;
mod text_map;
pub mod validate;
mod yaml;

use crate::diagnostic::Span;

pub use alert_rule::{
    AlertCondition, AlertDimension, AlertEntity, AlertGrouping, AlertMeasure, AlertOverrides, AlertRule, AlertSchedule,
    AlertStatePolicy, ColumnPurpose, EntityMapping, FailingPeriods, NamedColumn, ThresholdOperator, TimeAggregation,
    WindowClock,
};
pub use breaches::{AGGREGATED_VALUE, BreachCount};
pub use custom_detection::allows_lookback;
pub use duration::iso_duration;
pub use given_rows::{GivenRow, GivenTable, GivenValue, typed_value};
pub use hunt_rule::HuntRule;
pub use log_alert::MAX_PROPERTIES;
pub use rule_test::{
    DeclaredColumns, ExpectedAlerts, ExpectedEntities, ExpectedResult, ExpectedRows, RuleTest, read_tests,
};
pub use text_map::TextMap;

/// The maximum length of a rule file in bytes.
pub const MAX_RULE_FILE: usize = 16 << 20;

/// The format of a rule file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFormat {
    /// YAML, as in the Azure-Sentinel repository.
    Yaml,
    /// JSON: templates of Azure Resource Manager, and responses of the REST API and of Microsoft Graph.
    Json,
}

/// The service that runs a rule, and the kind of rule there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// A scheduled rule of Microsoft Sentinel.
    Scheduled,
    /// A near-real-time rule of Microsoft Sentinel.
    NearRealTime,
    /// A hunting query of Microsoft Sentinel.
    Hunting,
    /// A saved search of a Log Analytics workspace.
    SavedSearch,
    /// A log search alert rule of Azure Monitor.
    LogAlert,
    /// A custom detection of Microsoft Defender.
    CustomDetection,
    /// A rule of Microsoft Sentinel that has no query of its own, such as Fusion.
    WithoutQuery,
}

impl RuleKind {
    /// True for rules whose queries make alerts.
    #[must_use]
    pub fn is_alert(self) -> bool {
        matches!(self, Self::Scheduled | Self::NearRealTime | Self::LogAlert | Self::CustomDetection)
    }

    /// Returns the name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::NearRealTime => "NRT",
            Self::Hunting => "Hunting",
            Self::SavedSearch => "SavedSearch",
            Self::LogAlert => "LogAlert",
            Self::CustomDetection => "CustomDetection",
            Self::WithoutQuery => "WithoutQuery",
        }
    }
}

/// A rule of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectionRule {
    /// The identifier, as written.
    pub id: Option<String>,
    /// The name for people.
    pub name: Option<String>,
    /// The kind.
    pub kind: RuleKind,
    /// The queries: one, or one for each criterion of a log search alert rule. Empty if the rule lacks its query.
    pub queries: Vec<RuleQuery>,
    /// Where the rule begins in the file.
    pub span: Span,
}

/// The query of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleQuery {
    /// The text, without the escapes and the indentation of the file.
    pub text: String,
    /// The key before it.
    pub key: Span,
    /// The positions in the file; None if they cannot be determined.
    pub positions: Option<TextMap>,
    /// True if the text is an expression of a template, which only a deployment evaluates.
    pub is_expression: bool,
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFileError {
    /// The position.
    pub span: Span,
    /// The reason.
    pub reason: String,
}

impl RuleFileError {
    /// True if a service may accept the rule, and only this program does not support it.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.is_expression() || ["supported", "offline"].iter().any(|words| self.reason.contains(words))
    }

    /// True if a field of a template has a value that only a deployment knows.
    #[must_use]
    pub fn is_expression(&self) -> bool {
        self.reason.contains("only a deployment evaluates")
    }
}

/// Reads the rules of a file in their order; none if the file holds none.
///
/// # Errors
/// The text is not valid YAML or JSON, has a key twice, or exceeds a limit.
pub fn read(text: &str, format: RuleFormat) -> Result<Vec<DetectionRule>, RuleFileError> {
    let root = parse(text, format)?;
    Ok(recognise::rules(&root, text).into_iter().map(|found| found.rule).collect())
}

/// Reads the alert rules of a file in their order. An element is an error if a service would reject that rule, or if it
/// cannot be evaluated here; hunting queries and saved searches are no alert rules.
///
/// # Errors
/// As of [`read`].
pub fn read_alerts(text: &str, format: RuleFormat) -> Result<Vec<Result<AlertRule, RuleFileError>>, RuleFileError> {
    let root = parse(text, format)?;
    Ok(recognise::rules(&root, text).into_iter().map(recognise::FoundRule::alert_rule).collect())
}

/// Reads the queries of a file that can run over an archive, in their order. An element is an error if a rule lacks its
/// query or has one that cannot run, or if a field that describes its rows is wrong; rules without queries are skipped.
///
/// # Errors
/// As of [`read`].
pub fn read_hunts(text: &str, format: RuleFormat) -> Result<Vec<Result<HuntRule, RuleFileError>>, RuleFileError> {
    let root = parse(text, format)?;
    Ok(recognise::rules(&root, text).into_iter().flat_map(recognise::FoundRule::hunt_rules).collect())
}

fn parse(text: &str, format: RuleFormat) -> Result<node::Node, RuleFileError> {
    if text.len() > MAX_RULE_FILE {
        let reason = format!("larger than {} MiB", MAX_RULE_FILE >> 20);
        return Err(RuleFileError { span: Span::default(), reason });
    }
    let root = match format {
        RuleFormat::Yaml => yaml::read(text)?,
        RuleFormat::Json => json::read(text)?,
    };
    template::evaluate(root)
}

/// The names and the query of a rule.
struct RuleText {
    id: Option<String>,
    name: String,
    kind: RuleKind,
    query: RuleQuery,
    span: Span,
}

#[cfg(test)]
mod tests;
