//! Binds the plugins rolling_percentile and sequence_detect.

use super::arguments::PluginCall;
use super::{fields_of, table_call};
use crate::binder::naming::Names;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error};
use crate::expr::Expr;
use crate::functions::plugin::rolling_percentile::RollingPercentile;
use crate::functions::plugin::sequence::SequenceDetect;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value, cast};

impl Binder<'_> {
    pub(super) fn rolling_percentile(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let schema = input.schema().clone();
        let value = self.plugin_column(arguments.required(0)?, &schema)?;
        if !matches!(value.ty, Type::Int | Type::Long | Type::Real) {
            let message = format!("`rolling_percentile` needs a column of numbers, not of type {}", value.ty);
            return self.error(Code::ArgumentType, value.span, message);
        }
        let percentile = self.constant(arguments.required(1)?)?;
        let rank = match cast::cast(&percentile, Type::Real).map_err(Error::from)? {
            Value::Real(rank) if (0.0..=100.0).contains(&rank) => rank,
            _ => {
                let message = "a percentile must be between 0 and 100";
                return self.error(Code::InvalidValue, arguments.required(1)?.span, message);
            }
        };
        let index = self.plugin_timeline(arguments.required(2)?, &schema)?;
        let bin_size = self.plugin_distance(arguments.required(3)?, index.ty)?;
        let bins = self.constant_number(arguments.required(4)?)?;
        if bins < 1 {
            return self.error(Code::InvalidValue, arguments.required(4)?.span, "a window needs at least one bin");
        }
        let dimensions = self.plugin_dimensions(&arguments.repeated, &schema)?;
        let name = |column: &Expr| column.as_column().map_or("", |index| schema.field(index).name.as_str());
        let result = format!("rolling_{bins}_percentile_{}_{}", name(&value), percentile.to_text().replace('.', "_"));
        let function = RollingPercentile {
            percentile: rank,
            bin_size,
            bins,
            index: Field::new(name(&index), index.ty),
            dimensions: fields_of(&dimensions, &schema),
            result: Field::new(result, value.ty),
        };
        Ok(table_call(input, function, [index, value].into_iter().chain(dimensions).collect(), Vec::new()))
    }

    /// Binds sequence_detect. Its conditions are the arguments before the first plain column that is not a bool.
    pub(super) fn sequence_detect(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let [time, step_window, span, rest @ ..] = call.call.arguments.as_slice() else {
            return Err(self.plugin_count(call));
        };
        let time = self.plugin_timeline(&time.value, &schema)?;
        let step_window = self.plugin_distance(&step_window.value, time.ty)?;
        let span = self.plugin_distance(&span.value, time.ty)?;
        let is_dimension = |argument: &ast::Argument| match &argument.value.kind {
            ParsedExprKind::Name(name) if argument.name.is_none() => {
                schema.index_of(&name.text).is_some_and(|index| schema.field(index).ty != Type::Bool)
            }
            _ => false,
        };
        let (steps, dimensions) = rest.split_at(rest.iter().position(is_dimension).unwrap_or(rest.len()));
        if steps.is_empty() {
            return Err(self.plugin_count(call));
        }
        let conditions = self.all(steps, |binder, step| binder.step_condition(&step.value, &schema))?;
        let dimensions: Vec<&ast::ParsedExpr> = dimensions.iter().map(|argument| &argument.value).collect();
        let dimensions = self.plugin_dimensions(&dimensions, &schema)?;
        let dimension_fields = fields_of(&dimensions, &schema);
        let timeline = time.as_column().map_or("", |index| schema.field(index).name.as_str());
        let mut names = Names::taken(dimension_fields.iter().map(|field| field.name.as_str()));
        let step_name = |step: &ast::Argument| {
            let event = step.name.as_ref().map_or("", |name| name.text.as_str());
            Field::new(names.unique(&format!("{event}_{timeline}")), time.ty)
        };
        let steps = steps.iter().map(step_name).collect();
        let duration_type = if time.ty == Type::Datetime { Type::Timespan } else { time.ty };
        let function = SequenceDetect {
            step_window,
            span,
            dimensions: dimension_fields,
            steps,
            duration: Field::new(names.unique("Duration"), duration_type),
        };
        let arguments = [time].into_iter().chain(conditions).chain(dimensions).collect();
        Ok(table_call(input, function, arguments, Vec::new()))
    }

    /// Binds a condition on a row.
    pub(super) fn step_condition(&mut self, argument: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        let condition = self.expr(argument, schema)?;
        match condition.ty {
            Type::Bool => Ok(condition),
            Type::Dynamic => Ok(condition.cast(Type::Bool)),
            ty => {
                let message = format!("the condition must be a bool, not a value of type {ty}");
                Err(self.report(Diagnostic::new(Code::ArgumentType, argument.span, message)))
            }
        }
    }
}
