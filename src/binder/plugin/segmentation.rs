//! Binds the plugins autocluster, basket and diffpatterns.

use super::arguments::PluginCall;
use super::{all_columns, table_call};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Error};
use crate::functions::plugin::autocluster::AutoCluster;
use crate::functions::plugin::basket::Basket;
use crate::functions::plugin::diffpatterns::{DiffPatterns, SplitValue};
use crate::functions::plugin::segments::SegmentInput;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Schema, Type, Value, cast};

/// Maximum number of rows from which autocluster starts to search patterns.
const MAX_SEEDS: usize = 1_000;

impl Binder<'_> {
    pub(super) fn autocluster(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let size_weight = self.part(arguments.optional(0), 0.5, |part| (0.0..=1.0).contains(&part))?;
        let segments = self.segment_input(arguments.optional(1), &arguments.repeated, input.schema())?;
        let seeds = match Self::unless_default(arguments.optional(2)) {
            None => 25,
            Some(argument) => match self.row_count(argument)? {
                seeds @ 1..=MAX_SEEDS => seeds,
                _ => {
                    let message = format!("the number of seeds must be 1 to {MAX_SEEDS}");
                    return self.error(Code::InvalidValue, argument.span, message);
                }
            },
        };
        let columns = all_columns(input.schema());
        Ok(table_call(input, AutoCluster { size_weight, seeds, input: segments }, columns, Vec::new()))
    }

    pub(super) fn basket(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let threshold = self.part(arguments.optional(0), 0.05, is_threshold)?;
        let segments = self.segment_input(arguments.optional(1), &arguments.repeated, input.schema())?;
        let max_dimensions = match Self::unless_default(arguments.optional(2)) {
            Some(argument) => self.row_count(argument)?,
            None => 5,
        };
        let columns = all_columns(input.schema());
        Ok(table_call(input, Basket { threshold, max_dimensions, input: segments }, columns, Vec::new()))
    }

    pub(super) fn diffpatterns(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let split = self.plugin_column(arguments.required(0)?, input.schema())?;
        let values = [self.split_value(arguments.required(1)?)?, self.split_value(arguments.required(2)?)?];
        let segments = self.segment_input(arguments.optional(3), &arguments.repeated, input.schema())?;
        let function = DiffPatterns {
            split: split.as_column().unwrap_or_default(),
            values,
            threshold: self.part(arguments.optional(4), 0.05, is_threshold)?,
            max_dimensions: match Self::unless_default(arguments.optional(5)) {
                Some(argument) => self.row_count(argument)?,
                None => usize::MAX,
            },
            input: segments,
        };
        let columns = all_columns(input.schema());
        Ok(table_call(input, function, columns, Vec::new()))
    }

    fn split_value(&mut self, argument: &ast::ParsedExpr) -> Bind<SplitValue> {
        Ok(SplitValue { text: self.constant(argument)?.to_text(), span: argument.span })
    }

    /// Binds the weight column and the wildcards for the columns of `schema`.
    fn segment_input(
        &mut self,
        weight: Option<&ast::ParsedExpr>,
        wildcards: &[&ast::ParsedExpr],
        schema: &Schema,
    ) -> Bind<SegmentInput> {
        let weight = match Self::unless_default(weight) {
            Some(argument) => Some(self.plugin_column(argument, schema)?),
            None => None,
        };
        if let Some(weight) = weight.as_ref().filter(|weight| !matches!(weight.ty, Type::Int | Type::Long | Type::Real))
        {
            let message = format!("a weight must be a number, not a value of type {}", weight.ty);
            return self.error(Code::ArgumentType, weight.span, message);
        }
        let mut values: Vec<Value> = schema.fields().iter().map(|field| Value::null(field.ty)).collect();
        for argument in wildcards {
            let wildcard = self.constant(argument)?;
            if wildcard.as_str() != Some("~") {
                let of_type = values.iter_mut().filter(|other| other.ty() == wildcard.ty());
                of_type.for_each(|other| *other = wildcard.clone());
            }
        }
        let weight = weight.and_then(|weight| weight.as_column());
        Ok(SegmentInput { columns: schema.fields().to_vec(), weight, wildcards: values })
    }

    /// Returns a constant fraction for which `is_valid` is true; `default` if the argument was left out.
    fn part(&mut self, argument: Option<&ast::ParsedExpr>, default: f64, is_valid: fn(f64) -> bool) -> Bind<f64> {
        let Some(argument) = Self::unless_default(argument) else { return Ok(default) };
        match cast::cast(&self.constant(argument)?, Type::Real).map_err(Error::from)? {
            Value::Real(part) if is_valid(part) => Ok(part),
            _ => self.error(Code::InvalidValue, argument.span, "the argument must be a number between 0 and 1"),
        }
    }

    /// Returns the argument; None if it was left out or is `'~'`, which stands for the default.
    fn unless_default(argument: Option<&ast::ParsedExpr>) -> Option<&ast::ParsedExpr> {
        let is_default = |argument: &&ast::ParsedExpr| match &argument.kind {
            ParsedExprKind::Literal(value) => value.as_str() == Some("~"),
            _ => false,
        };
        argument.filter(|argument| !is_default(argument))
    }
}

fn is_threshold(part: f64) -> bool {
    part > 0.0 && part <= 1.0
}
