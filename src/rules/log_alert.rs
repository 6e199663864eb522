//! Reads log search alert rules of Azure Monitor: `scheduledQueryRules` of API versions from 2020-05-01 on. Those of
//! 2018-04-16 have other fields, which `log_alert_2018` reads.

use super::alert_rule::{
    AlertCondition, AlertDimension, AlertGrouping, AlertMeasure, AlertOverrides, AlertSchedule, AlertStatePolicy,
    ColumnPurpose, FailingPeriods, NamedColumn, ThresholdOperator, TimeAggregation, WindowClock,
};
use super::duration::{DAY, HOUR, MINUTE, iso_duration};
use super::fields::{Fields, Read, wrong};
use super::{AlertRule, RuleKind, RuleText, log_alert_2018};

/// The time between the end of a window and its evaluation. The service documents none; about two and a half minutes
/// were observed.
const ASSUMED_DELAY: i64 = 5 * MINUTE / 2;
/// The maximum length of the properties of a rule in bytes.
pub const MAX_PROPERTIES: u32 = 64 << 10;
/// No query reads more than the last two days.
const MAX_LOOKBACK: i64 = 2 * DAY;
/// The maximum number of failing periods.
const MAX_PERIODS: u32 = 6;

/// The lengths that the service accepts, in minutes.
pub(super) const WINDOWS: &[i64] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1_440, 2_880];
pub(super) const FREQUENCIES: &[i64] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 720, 1_440];
const MUTINGS: &[i64] = &[1, 5, 15, 30, 60, 360, 720, 1_440];

pub(super) const OPERATORS: &[(&str, ThresholdOperator)] = &[
    ("GreaterThan", ThresholdOperator::GreaterThan),
    ("GreaterThanOrEqual", ThresholdOperator::GreaterThanOrEqual),
    ("LessThan", ThresholdOperator::LessThan),
    ("LessThanOrEqual", ThresholdOperator::LessThanOrEqual),
    ("Equals", ThresholdOperator::Equal),
    ("Equal", ThresholdOperator::Equal),
];
const AGGREGATIONS: &[(&str, TimeAggregation)] = &[
    ("Count", TimeAggregation::Count),
    ("Average", TimeAggregation::Average),
    ("Minimum", TimeAggregation::Minimum),
    ("Maximum", TimeAggregation::Maximum),
    ("Total", TimeAggregation::Total),
];

/// Reads the rule whose resource has the fields `resource`, and `properties` in it.
pub(super) fn read(rule: RuleText, resource: Fields<'_>, properties: Fields<'_>) -> Read<AlertRule> {
    refuse_other_kinds(resource)?;
    let span = properties.span();
    if span.end - span.start > MAX_PROPERTIES {
        return wrong(span, format!("the properties of the rule are larger than {} KB", MAX_PROPERTIES >> 10));
    }
    match properties.mapping("schedule")? {
        Some(schedule) => log_alert_2018::read(rule, properties, schedule),
        None => read_current(rule, properties),
    }
}

/// Refuses kinds of rules that run no scheduled query.
fn refuse_other_kinds(resource: Fields<'_>) -> Read<()> {
    match resource.text("kind")? {
        Some(kind) if !kind.eq_ignore_ascii_case("LogAlert") => {
            wrong(resource.span_of("kind"), format!("rules of kind `{kind}` are not supported, only LogAlert"))
        }
        _ => Ok(()),
    }
}

impl AlertRule {
    /// Returns the shortest lookback of at least `ticks` that the service allows; `ticks` if all are shorter.
    #[must_use]
    pub fn allowed_lookback(&self, ticks: i64) -> i64 {
        let windows = if self.kind == RuleKind::LogAlert { WINDOWS } else { &[] };
        let mut allowed = windows.iter().map(|minutes| minutes * MINUTE);
        allowed.find(|window| *window >= ticks).unwrap_or(ticks)
    }
}

fn read_current(rule: RuleText, properties: Fields<'_>) -> Read<AlertRule> {
    let (frequency, window) =
        (length(properties, "evaluationFrequency", FREQUENCIES)?, length(properties, "windowSize", WINDOWS)?);
    let criterion = criterion(properties)?;
    let condition = condition(criterion, window)?;
    let lookback = lookback(properties, window, condition.periods)?;
    let state = state(properties, frequency)?;
    let muting = muting(properties, frequency, state)?;
    let actions = properties.mapping("actions")?;
    let action_groups = actions.map(|actions| actions.written_texts("actionGroups")).transpose()?.unwrap_or_default();
    let custom_properties =
        actions.map(|actions| actions.written_pairs("customProperties")).transpose()?.unwrap_or_default();
    let severity = severity(properties)?;
    Ok(AlertRule {
        schedule: AlertSchedule { frequency, lookback, clock: WindowClock::Generated, delay: ASSUMED_DELAY },
        condition,
        state,
        muting,
        action_groups,
        custom_properties,
        scopes: properties.written_texts("scopes")?,
        resource_types: properties.written_texts("targetResourceTypes")?,
        columns: columns(criterion)?,
        is_enabled: properties.flag("enabled")?.unwrap_or(true),
        ..plain(rule, severity, properties)?
    })
}

/// A rule that counts rows, without state.
pub(super) fn plain(rule: RuleText, severity: String, properties: Fields<'_>) -> Read<AlertRule> {
    Ok(AlertRule {
        schedule: AlertSchedule {
            frequency: MINUTE,
            lookback: MINUTE,
            clock: WindowClock::Generated,
            delay: ASSUMED_DELAY,
        },
        severity,
        is_enabled: true,
        condition: super::sentinel_alert::any_row(),
        grouping: AlertGrouping::SingleAlert,
        suppression: None,
        muting: None,
        state: AlertStatePolicy::Stateless,
        entities: Vec::new(),
        custom_details: Vec::new(),
        tactics: Vec::new(),
        techniques: Vec::new(),
        action_groups: Vec::new(),
        custom_properties: Vec::new(),
        scopes: Vec::new(),
        resource_types: Vec::new(),
        overrides: AlertOverrides::default(),
        columns: Vec::new(),
        assumes_lookback: false,
        omissions: Vec::new(),
        description: properties.text("description")?.map(str::to_owned),
        id: rule.id,
        name: rule.name,
        kind: rule.kind,
        query: rule.query,
        span: rule.span,
    })
}

pub(super) fn severity(fields: Fields<'_>) -> Read<String> {
    match fields.whole("severity", 0, 4)? {
        Some(number) => Ok(format!("Sev{number}")),
        None => wrong(fields.span(), "the rule has no `severity`"),
    }
}

/// A duration that is one of `allowed` minutes.
fn length(fields: Fields<'_>, name: &str, allowed: &[i64]) -> Read<i64> {
    let ticks = fields.required_duration(name)?;
    check_length(fields, name, ticks, allowed).map(|()| ticks)
}

fn check_length(fields: Fields<'_>, name: &str, ticks: i64, allowed: &[i64]) -> Read<()> {
    if allowed.iter().any(|minutes| minutes * MINUTE == ticks) {
        return Ok(());
    }
    let known: Vec<String> = allowed.iter().map(|minutes| iso_duration(minutes * MINUTE)).collect();
    wrong(fields.span_of(name), format!("`{name}` must be one of {}", known.join(", ")))
}

/// The only criterion of the rule.
fn criterion(properties: Fields<'_>) -> Read<Fields<'_>> {
    let Some(criteria) = properties.mapping("criteria")? else {
        return wrong(properties.span(), "the rule has no `criteria`");
    };
    let all = criteria.list("allOf")?;
    match all.as_slice() {
        [one] => Ok(*one),
        list => wrong(criteria.span(), format!("the rule has {} criteria; exactly one is supported", list.len())),
    }
}

fn condition(criterion: Fields<'_>, window: i64) -> Read<AlertCondition> {
    if let Some(kind) = criterion.text("criterionType")?
        && !kind.eq_ignore_ascii_case("StaticThresholdCriterion")
    {
        let reason = format!("criteria of type `{kind}` cannot be evaluated offline, only StaticThresholdCriterion");
        return wrong(criterion.span_of("criterionType"), reason);
    }
    let aggregation = criterion.required_choice("timeAggregation", AGGREGATIONS)?;
    let measure = match criterion.text("metricMeasureColumn")?.filter(|name| !name.is_empty()) {
        Some(name) => AlertMeasure::Column { name: name.to_owned(), aggregation },
        None if aggregation == TimeAggregation::Count => AlertMeasure::Rows,
        None => {
            let reason = "without `metricMeasureColumn`, `timeAggregation` must be Count";
            return wrong(criterion.span_of("timeAggregation"), reason);
        }
    };
    let Some(threshold) = criterion.number("threshold")? else {
        return wrong(criterion.span(), "the rule has no `threshold`");
    };
    Ok(AlertCondition {
        measure,
        dimensions: dimensions(criterion)?,
        operator: criterion.required_choice("operator", OPERATORS)?,
        threshold,
        periods: failing_periods(criterion, window)?,
    })
}

fn dimensions(criterion: Fields<'_>) -> Read<Vec<AlertDimension>> {
    let dimension = |fields: Fields<'_>| -> Read<AlertDimension> {
        let includes = fields.required_choice("operator", &[("Include", true), ("Exclude", false)])?;
        let values = fields.texts("values")?;
        if values.is_empty() {
            return wrong(fields.span_of("values"), "`values` of a dimension must not be empty; `*` stands for all");
        }
        if !includes && values.iter().any(|value| value == "*") {
            return wrong(fields.span_of("values"), "the dimension excludes every value, so the rule can never fire");
        }
        Ok(AlertDimension { name: fields.required("name")?.to_owned(), includes, values })
    };
    let mut dimensions: Vec<AlertDimension> =
        criterion.list("dimensions")?.into_iter().map(dimension).collect::<Read<_>>()?;
    if dimensions.len() > 6 {
        return wrong(criterion.span_of("dimensions"), "a rule has at most six dimensions");
    }
    // The resource of a row divides the rows as a dimension does.
    if let Some(name) = criterion.text("resourceIdColumn")?.filter(|name| !name.is_empty()) {
        dimensions.push(AlertDimension { name: name.to_owned(), includes: true, values: vec!["*".to_owned()] });
    }
    Ok(dimensions)
}

/// The columns that the condition needs.
fn columns(criterion: Fields<'_>) -> Read<Vec<NamedColumn>> {
    let mut columns = Vec::new();
    for dimension in criterion.list("dimensions")? {
        columns.extend(dimension.column("name", ColumnPurpose::Dimension)?);
    }
    columns.extend(criterion.column("resourceIdColumn", ColumnPurpose::Dimension)?);
    columns.extend(criterion.column("metricMeasureColumn", ColumnPurpose::Measure)?);
    Ok(columns)
}

fn failing_periods(criterion: Fields<'_>, length: i64) -> Read<FailingPeriods> {
    let Some(fields) = criterion.mapping("failingPeriods")? else {
        return Ok(FailingPeriods { length, evaluated: 1, violations: 1 });
    };
    let evaluated = fields.whole("numberOfEvaluationPeriods", 1, MAX_PERIODS)?.unwrap_or(1);
    let violations = fields.whole("minFailingPeriodsToAlert", 1, evaluated)?.unwrap_or(1);
    Ok(FailingPeriods { length, evaluated, violations })
}

fn lookback(properties: Fields<'_>, window: i64, periods: FailingPeriods) -> Read<i64> {
    let own = match properties.text("overrideQueryTimeRange")? {
        None | Some("") => None,
        Some(_) => properties.duration("overrideQueryTimeRange")?,
    };
    let all = window * i64::from(periods.evaluated);
    let name = if own.is_some() { "overrideQueryTimeRange" } else { "windowSize" };
    match own.unwrap_or(all) {
        range if range > MAX_LOOKBACK => {
            wrong(properties.span_of(name), "a rule reads at most two days: `windowSize` times its periods is more")
        }
        range if range < all => {
            wrong(properties.span_of(name), "`overrideQueryTimeRange` is shorter than the periods that are evaluated")
        }
        range => Ok(range),
    }
}

/// The number of evaluations whose condition must be false before an alert is resolved.
///
/// Source: the table of the page on alerts of Azure Monitor. A frequency of 15 minutes is in two of its rows; the
/// longer time is used.
pub(super) fn state(properties: Fields<'_>, frequency: i64) -> Read<AlertStatePolicy> {
    if properties.flag("autoMitigate")? == Some(false) {
        return Ok(AlertStatePolicy::Stateless);
    }
    if let Some(resolve) = properties.mapping("resolveConfiguration")? {
        if resolve.flag("autoResolved")? == Some(false) {
            return Ok(AlertStatePolicy::Stateful { resolve_after: u32::MAX });
        }
        if let Some(time) = resolve.duration("timeToResolve")? {
            let evaluations = time.unsigned_abs().max(1).div_ceil(frequency.unsigned_abs());
            return Ok(AlertStatePolicy::Stateful { resolve_after: u32::try_from(evaluations).unwrap_or(u32::MAX) });
        }
    }
    let resolve_after = match frequency {
        MINUTE => 10,
        _ if frequency <= 15 * MINUTE => 3,
        _ if frequency < 11 * HOUR => 2,
        _ if frequency <= 12 * HOUR => 1,
        _ => {
            let reason = "a rule with a frequency above 12 hours cannot resolve alerts: set `autoMitigate` to false";
            return wrong(properties.span_of("evaluationFrequency"), reason);
        }
    };
    Ok(AlertStatePolicy::Stateful { resolve_after })
}

fn muting(properties: Fields<'_>, frequency: i64, state: AlertStatePolicy) -> Read<Option<i64>> {
    let name = "muteActionsDuration";
    let Some(ticks) = properties.duration(name)? else { return Ok(None) };
    check_length(properties, name, ticks, MUTINGS)?;
    if state != AlertStatePolicy::Stateless {
        let reason = "`muteActionsDuration` cannot be combined with `autoMitigate`, which is true unless it is set";
        return wrong(properties.span_of(name), reason);
    }
    match ticks >= frequency {
        true => Ok(Some(ticks)),
        false => wrong(properties.span_of(name), "`muteActionsDuration` must not be less than `evaluationFrequency`"),
    }
}
