//! Binds plugins that count active users.

use super::arguments::PluginCall;
use super::{fields_of, table_call};
use crate::binder::scope::Binding;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Error};
use crate::functions::plugin::PluginKind;
use crate::functions::plugin::activity::{Activity, ActivityKind, ActivityWindow};
use crate::functions::plugin::dcount_intersect::DcountIntersect;
use crate::functions::plugin::funnel_completion::FunnelCompletion;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::datetime::Period;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value, cast, dynamic};

/// Maximum number of sets that are intersected.
const MAX_SETS: usize = 16;

/// The arguments between the timeline and the dimensions, which are constants.
struct Constants<'c> {
    values: &'c [ast::Argument],
    timeline: Type,
}

impl Constants<'_> {
    fn at(&self, index: usize) -> &ast::ParsedExpr {
        &self.values[index].value
    }
}

impl Binder<'_> {
    pub(super) fn activity(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let [id, time, rest @ ..] = call.call.arguments.as_slice() else { return Err(self.plugin_count(call)) };
        let user = &id.value;
        let id = self.plugin_column(user, &schema)?;
        let time = self.plugin_timeline(&time.value, &schema)?;
        let is_dimension = |argument: &ast::Argument| match &argument.value.kind {
            ParsedExprKind::Name(name) => schema.index_of(&name.text).is_some(),
            _ => false,
        };
        let (rest, lookback) = match rest {
            [others @ .., last] if call.plugin.kind == PluginKind::NewActivityMetrics && self.is_table(&last.value) => {
                (others, Some(&last.value))
            }
            _ => (rest, None),
        };
        let known = self.known_users(lookback, user, id.ty)?;
        let (constants, dimensions) = rest.split_at(rest.iter().position(is_dimension).unwrap_or(rest.len()));
        let dimensions: Vec<&ast::ParsedExpr> = dimensions.iter().map(|argument| &argument.value).collect();
        let dimensions = self.plugin_dimensions(&dimensions, &schema)?;
        let constants = Constants { values: constants, timeline: time.ty };
        let (from, to, first) = self.activity_range(call, &constants)?;
        let kind = self.activity_kind(call, &constants, first)?;
        // Sessions are counted in the bins of `bin()`, everything else in windows that begin with the range.
        let origin = if first == 0 || call.plugin.kind == PluginKind::SessionCount { 0 } else { from };
        let function = Activity {
            name: call.plugin.name,
            kind,
            from,
            to,
            origin,
            timeline: Field::new(name_of(&time, &schema), time.ty),
            dimensions: fields_of(&dimensions, &schema),
            known,
        };
        Ok(table_call(input, function, [id, time].into_iter().chain(dimensions).collect(), Vec::new()))
    }

    /// Binds dcount_intersect. The output keeps all columns of the input, as in the analyzer.
    pub(super) fn dcount_intersect(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let sets: Vec<&ast::ParsedExpr> = [arguments.required(0)?].into_iter().chain(arguments.repeated).collect();
        if sets.len() > MAX_SETS {
            return self.error(Code::ArgumentCount, sets[MAX_SETS].span, "at most 16 sets can be intersected");
        }
        let schema = input.schema().clone();
        let columns = self.all(&sets, |binder, set| match binder.plugin_column(set, &schema)? {
            column if column.ty == Type::Dynamic => Ok(column),
            column => {
                let message = format!("`dcount_intersect` needs results of hll(), not values of type {}", column.ty);
                binder.error(Code::ArgumentType, set.span, message)
            }
        })?;
        let kept = (0..schema.len()).collect();
        Ok(table_call(input, DcountIntersect { sets: columns.len(), span: call.span }, columns, kept))
    }

    pub(super) fn funnel_completion(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let schema = input.schema().clone();
        let user = self.plugin_column(arguments.required(0)?, &schema)?;
        let time = self.plugin_timeline(arguments.required(1)?, &schema)?;
        let state = self.plugin_column(arguments.required(5)?, &schema)?;
        if state.ty != Type::String {
            let message = format!("states of type {} are not supported yet; use tostring() before", state.ty);
            return self.error(Code::UnsupportedSyntax, state.span, message);
        }
        let function = FunnelCompletion {
            from: self.plugin_moment(arguments.required(2)?, time.ty)?,
            to: self.plugin_moment(arguments.required(3)?, time.ty)?,
            step: self.plugin_distance(arguments.required(4)?, time.ty)?,
            states: self.plugin_texts(arguments.optional(6))?,
            periods: self.plugin_distances(arguments.required(7)?, time.ty)?,
            timeline: Field::new(name_of(&time, &schema), time.ty),
            state: Field::new(name_of(&state, &schema), state.ty),
            period_type: if time.ty == Type::Datetime { Type::Timespan } else { time.ty },
        };
        Ok(table_call(input, function, vec![user, time, state], Vec::new()))
    }

    /// Returns a constant array of distances on a timeline, or a single distance.
    fn plugin_distances(&mut self, argument: &ast::ParsedExpr, timeline: Type) -> Bind<Vec<i64>> {
        let ty = if matches!(timeline, Type::Datetime | Type::Timespan) { Type::Timespan } else { Type::Long };
        let value = self.constant(argument)?;
        let Value::Dynamic(json) = &value else { return Ok(vec![self.plugin_distance(argument, timeline)?]) };
        let elements: Vec<&str> = dynamic::elements(json).collect();
        self.all(&elements, |binder, element| match cast::cast(&Value::dynamic(*element), ty).map_err(Error::from)? {
            Value::Timespan(distance) | Value::Long(distance) if distance > 0 => Ok(distance),
            _ => binder.error(Code::InvalidValue, argument.span, format!("the argument must be an array of {ty}s")),
        })
    }

    /// True for an argument that is a table: in parentheses, or a name that stands for a table.
    fn is_table(&self, argument: &ast::ParsedExpr) -> bool {
        match &argument.kind {
            ParsedExprKind::Pipeline(_) => true,
            ParsedExprKind::Parenthesised(inner) => self.is_table(inner),
            ParsedExprKind::Name(name) => matches!(self.scope.get(&name.text), Some(Binding::Table(..))),
            _ => false,
        }
    }

    /// Computes the distinct users of a lookback table, in its column that is named like `user`; no users if there is
    /// no table.
    fn known_users(&mut self, lookback: Option<&ast::ParsedExpr>, user: &ast::ParsedExpr, ty: Type) -> Bind<Batch> {
        let Some(lookback) = lookback else { return Ok(Batch::new(vec![ColumnBuilder::new(ty).finish()], 0)) };
        let table = self.table_argument(lookback)?;
        let id = self.plugin_column(user, table.schema())?;
        if id.ty != ty {
            let message =
                format!("the users of the lookback table have the type {}, and the others the type {ty}", id.ty);
            return self.error(Code::ArgumentType, lookback.span, message);
        }
        let schema = Schema::new([Field::new("user", ty)]);
        let distinct =
            LogicalPlan::Aggregate { input: Box::new(table), keys: vec![id], aggregates: Vec::new(), schema };
        Ok(Batch::concat(&[ty], &self.evaluate(&distinct)?)?)
    }

    /// Returns the first time, the last time, and the number of arguments that state them.
    fn activity_range(&mut self, call: &PluginCall<'_>, constants: &Constants<'_>) -> Bind<(i64, i64, usize)> {
        let given = constants.values.len();
        let (least, most) = match call.plugin.kind {
            PluginKind::ActiveUsersCount => (6, 6),
            PluginKind::ActivityEngagement => (2, 4),
            PluginKind::ActivityMetrics => (1, 3),
            PluginKind::NewActivityMetrics => (3, 4),
            PluginKind::ActivityCountsMetrics => (3, 3),
            _ => (4, 4),
        };
        let may_omit = matches!(call.plugin.kind, PluginKind::ActivityEngagement | PluginKind::ActivityMetrics);
        match (may_omit && given == least, given == most || !may_omit && given == least) {
            (true, _) => Ok((i64::MIN, i64::MAX, 0)),
            (false, true) => {
                let from = self.plugin_moment(constants.at(0), constants.timeline)?;
                let to = self.plugin_moment(constants.at(1), constants.timeline)?;
                Ok((from, to, 2))
            }
            (false, false) => Err(self.plugin_count(call)),
        }
    }

    fn activity_kind(&mut self, call: &PluginCall<'_>, constants: &Constants<'_>, first: usize) -> Bind<ActivityKind> {
        let timeline = constants.timeline;
        let mut length = |index: usize| self.plugin_distance(constants.at(first + index), timeline);
        Ok(match call.plugin.kind {
            PluginKind::ActiveUsersCount => {
                let (lookback, period, bin) = (length(0)?, length(1)?, length(3)?);
                let active_periods = self.constant_number(constants.at(first + 2))?;
                ActivityKind::ActiveUsers { lookback, period, active_periods, bin }
            }
            PluginKind::ActivityEngagement => ActivityKind::Engagement { inner: length(0)?, outer: length(1)? },
            PluginKind::ActivityMetrics => {
                ActivityKind::Metrics { window: self.plugin_window(constants.at(first), timeline)? }
            }
            PluginKind::NewActivityMetrics => {
                let window = self.plugin_window(constants.at(first), timeline)?;
                let cohort = match constants.values.get(first + 1) {
                    Some(cohort) => Some(self.plugin_moment(&cohort.value, constants.timeline)?),
                    None => None,
                };
                ActivityKind::NewMetrics { window, cohort }
            }
            PluginKind::SessionCount => ActivityKind::Sessions { bin: length(0)?, lookback: length(1)? },
            PluginKind::SlidingWindowCounts => ActivityKind::SlidingWindow {
                lookback: length(0)?,
                bin: self.plugin_window(constants.at(first + 1), timeline)?,
            },
            _ => ActivityKind::CountsMetrics { window: ActivityWindow::Fixed(length(0)?) },
        })
    }

    /// Returns a constant distance on the timeline, or a period of the calendar that is given by its name.
    fn plugin_window(&mut self, argument: &ast::ParsedExpr, timeline: Type) -> Bind<ActivityWindow> {
        let value = self.constant(argument)?;
        let period = match value.as_str() {
            None => return Ok(ActivityWindow::Fixed(self.plugin_distance(argument, timeline)?)),
            Some("week") => Period::Week,
            Some("month") => Period::Month,
            Some("year") => Period::Year,
            Some(_) => {
                let message = "the window must be a timespan or a number, or `week`, `month` or `year`";
                return self.error(Code::InvalidValue, argument.span, message);
            }
        };
        if timeline != Type::Datetime {
            let message = format!("windows of the calendar need a timeline of datetimes, not of type {timeline}");
            return self.error(Code::ArgumentType, argument.span, message);
        }
        Ok(ActivityWindow::Calendar(period))
    }

    /// Returns a constant point on the timeline, which must have its type.
    fn plugin_moment(&mut self, argument: &ast::ParsedExpr, timeline: Type) -> Bind<i64> {
        match (self.constant(argument)?, timeline) {
            (Value::Datetime(time), Type::Datetime) | (Value::Timespan(time), Type::Timespan) => Ok(time),
            (value, Type::Long | Type::Int) if value.as_i64().is_some() => Ok(value.as_i64().unwrap_or_default()),
            (value, _) => {
                let message =
                    format!("the argument must be a constant {timeline} like the timeline, not a {}", value.ty());
                self.error(Code::ArgumentType, argument.span, message)
            }
        }
    }
}

fn name_of(column: &crate::expr::Expr, schema: &Schema) -> String {
    column.as_column().map_or_else(String::new, |index| schema.field(index).name.clone())
}
