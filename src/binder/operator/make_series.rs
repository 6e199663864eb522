//! Binds `make-series`, an aggregation by the keys and the bin of the axis, whose results become arrays.
//!
//! Source: the reference's page on the make-series operator. Rows outside the bounds are removed before rows are
//! grouped, so a group has a series only if it has rows inside. A value without a bin, such as null, is outside.

use super::summarize::{Output, assemble};
use crate::binder::expr::Aggregates;
use crate::binder::naming::{CallNames, Names, name_of, spelled};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::functions;
use crate::plan::series::MAX_ELEMENTS;
use crate::plan::{Axis, AxisScale, LogicalPlan, Series};
use crate::syntax::ast::{self, AxisBounds, MakeSeriesItem, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value, cast};

impl Binder<'_> {
    pub(super) fn make_series(&mut self, input: LogicalPlan, operator: &ast::MakeSeries) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let nonempty = self.series_parameters(&operator.parameters);
        let axis = self.series_axis(&operator.axis.value, &operator.bounds, &schema);
        let written = || {
            let items = operator.items.iter().map(|item| &item.assignment);
            items.chain(&operator.by).chain(std::iter::once(&operator.axis))
        };
        let items = operator.items.iter().flat_map(|item| &item.assignment.names);
        let columns = operator.by.iter().chain(std::iter::once(&operator.axis)).flat_map(spelled);
        self.spelled_once(items.chain(columns))?;
        let mut names = Names::default().past_written(written()).past_input(&schema);
        let mut keys = self.keys(&operator.by, &schema, &mut names, name_of)?;
        let key_columns = keys.values.iter().filter_map(Expr::as_column).collect();
        let mut aggregates = Aggregates { keys: keys.values.len() + 1, key_columns, ..Aggregates::default() };
        let items = self.all(&operator.items, |binder, item| binder.series_item(item, &schema, &mut aggregates));
        let (nonempty, items) = (nonempty?, items?);
        let BoundAxis { axis, bin, inside } = axis?;
        let key_count = keys.values.len();
        keys.fields.push(Field::new("$bin", bin.ty));
        keys.values.push(bin);
        let (outputs, defaults): (Vec<_>, Vec<_>) = items.into_iter().flatten().unzip();
        let binned = assemble(input.filter(inside), keys, aggregates.found, outputs, &mut names);
        let axis_name = match operator.axis.names.first() {
            Some(name) => names.unique(&name.text),
            None => names.unique_or_numbered(name_of(&operator.axis.value, &CallNames::new()).as_deref()),
        };
        let (keys, rest) = binned.schema().fields().split_at(key_count);
        let values = rest.iter().skip(1).map(|field| field.name.clone());
        let arrays = values.chain([axis_name]).map(|name| Field::new(name, Type::Dynamic));
        let schema = Schema::new(keys.iter().cloned().chain(arrays));
        Ok(LogicalPlan::Series(Series { input: Box::new(binned), keys: key_count, axis, defaults, nonempty, schema }))
    }

    /// Returns true for `kind=nonempty`. Hints have no effect.
    fn series_parameters(&mut self, parameters: &[ast::Parameter]) -> Bind<bool> {
        let kinds = self.all(parameters, |binder, parameter| {
            let value = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.as_str(),
                ParsedExprKind::Literal(Value::String(text)) => text,
                _ => "",
            };
            match (parameter.name.text.as_str(), value) {
                ("kind", "nonempty") => Ok(true),
                ("kind", _) => {
                    let message = "the only kind of make-series is `nonempty`";
                    binder.error(Code::InvalidValue, parameter.value.span, message)
                }
                _ => Ok(false),
            }
        })?;
        Ok(kinds.contains(&true))
    }

    /// Binds the columns of an aggregate. Returns for each the element of bins without rows, too.
    fn series_item(
        &mut self,
        item: &MakeSeriesItem,
        schema: &Schema,
        aggregates: &mut Aggregates,
    ) -> Bind<Vec<(Output, Value)>> {
        let before = aggregates.found.len();
        let outputs = self.aggregate_outputs(&item.assignment, schema, aggregates)?;
        let default = item.default.as_ref().map(|default| self.constant(default)).transpose()?;
        let is_constant = outputs.iter().all(|output| output.expr.as_literal().is_some());
        if aggregates.found.len() == before && !is_constant {
            let message = "an expression of make-series contains no aggregate";
            let help = "make-series returns one value per bin; take_any(...) returns the value of one of its rows";
            let diagnostic = Diagnostic::new(Code::NotAllowedHere, item.assignment.value.span, message);
            return Err(self.report(diagnostic.help(help)));
        }
        self.all(outputs, |binder, output| match default_element(default.as_ref(), output.expr.ty) {
            Some(default) => Ok((output, default)),
            None => {
                let message = format!("bins without rows have no element: this aggregate is a {}", output.expr.ty);
                let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, item.assignment.value.span, message);
                Err(binder.report(diagnostic.help("write the element after the aggregate, as in `default = \"\"`")))
            }
        })
    }
}

/// Returns the element of bins without rows: the one that the query names, or else 0. It is converted to the type of the
/// aggregate if that does not change its value. Returns None if the query names none and the type has no 0.
fn default_element(default: Option<&Value>, ty: Type) -> Option<Value> {
    let is_number = |ty| matches!(ty, Type::Int | Type::Long | Type::Real | Type::Decimal);
    let zero = Value::Long(0);
    let element = match default {
        None if !is_number(ty) => return None,
        None => &zero,
        Some(default) => default,
    };
    if !is_number(ty) || !is_number(element.ty()) || element.is_null() {
        return Some(element.clone());
    }
    let converted = cast::cast(element, ty)
        .ok()
        .filter(|converted| cast::cast(converted, Type::Real).ok() == cast::cast(element, Type::Real).ok());
    Some(converted.unwrap_or_else(|| element.clone()))
}

/// The bound axis of a `make-series`.
struct BoundAxis {
    axis: Axis,
    /// Computes the start of the bin of a row.
    bin: Expr,
    /// A condition that is true for the rows in a bin of the axis.
    inside: Expr,
}

/// The bounds of an axis, as constants of the type of its bins.
struct ConstantBounds {
    from: Option<Value>,
    to: Option<Value>,
    step: Value,
    /// True for `in range(...)`: the end is included, and bins are multiples of the step.
    is_range: bool,
}

impl Binder<'_> {
    fn series_axis(&mut self, value: &ast::ParsedExpr, bounds: &AxisBounds, schema: &Schema) -> Bind<BoundAxis> {
        let value = self.expr(value, schema)?;
        let ty = match value.ty {
            Type::Int | Type::Long => Type::Long,
            ty @ (Type::Real | Type::Datetime | Type::Timespan) => ty,
            Type::Decimal => {
                let message = "an axis of type decimal is not supported yet";
                let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, value.span, message);
                return Err(self.report(diagnostic.help("convert it with todouble(...)")));
            }
            ty => {
                let message = format!("the axis must be a number, a datetime or a timespan, not a value of type {ty}");
                return self.error(Code::ArgumentType, value.span, message);
            }
        };
        let (bounds, span) = self.axis_bounds(bounds, ty)?;
        let value = value.cast(ty);
        let axis = self.axis_of(&bounds, ty, span)?;
        let inside = self.inside(&value, &axis, bounds.to.filter(|_| !bounds.is_range), span)?;
        let mut arguments = vec![value, Expr::literal(bounds.step, span)];
        let function = match bounds.from.filter(|_| !bounds.is_range) {
            Some(from) => {
                arguments.push(Expr::literal(from, span));
                "bin_at"
            }
            None => "bin",
        };
        let bin = self.call_by_name(function, arguments, span)?;
        Ok(BoundAxis { axis, bin, inside })
    }

    /// Computes the constants of `bounds`. Returns the position of the step in the query, too.
    fn axis_bounds(&mut self, bounds: &AxisBounds, ty: Type) -> Bind<(ConstantBounds, Span)> {
        let (from, to, step, is_range) = match bounds {
            AxisBounds::FromTo { from, to, step } => (from.as_ref(), to.as_ref(), step, false),
            AxisBounds::InRange { start, stop, step } => (Some(start), Some(stop), step, true),
        };
        let step_type = if ty == Type::Datetime { Type::Timespan } else { ty };
        let bound = |binder: &mut Self, bound: Option<&ast::ParsedExpr>| {
            bound.map(|bound| binder.axis_constant(bound, ty)).transpose()
        };
        let (from, to) = (bound(self, from), bound(self, to));
        let step_value = self.axis_constant(step, step_type);
        Ok((ConstantBounds { from: from?, to: to?, step: step_value?, is_range }, step.span))
    }

    /// Returns a constant of type `ty`. A whole number is converted to a real or a long if needed.
    fn axis_constant(&mut self, expr: &ast::ParsedExpr, ty: Type) -> Bind<Value> {
        let value = self.constant(expr)?;
        let widens = matches!((value.ty(), ty), (Type::Int, Type::Long) | (Type::Int | Type::Long, Type::Real));
        let message = match value.ty() {
            _ if value.is_null() => "null is not a valid bound of an axis".to_owned(),
            own if own == ty => return Ok(value),
            _ if widens => return cast::cast(&value, ty).map_err(|_| Error::internal("a long is a real").into()),
            own => format!("a {ty} is required here, not a value of type {own}"),
        };
        self.error(Code::ArgumentType, expr.span, message)
    }

    /// Returns the axis with these bounds; reports a step that is not positive, and too many elements.
    fn axis_of(&mut self, bounds: &ConstantBounds, ty: Type, span: Span) -> Bind<Axis> {
        let zero = match ty {
            Type::Real => Value::Real(0.0),
            _ => Value::Long(0),
        };
        let origin = bounds.from.as_ref().filter(|_| !bounds.is_range).unwrap_or(&zero);
        let Some(scale) = AxisScale::new(origin, &bounds.step) else {
            return self.error(
                Code::InvalidValue,
                span,
                "the step must be greater than zero, and bounds must be finite",
            );
        };
        let end = |to: &Value| match bounds.is_range {
            true => scale.floor(to).map(|last| last.saturating_add(1)),
            false => scale.ceiling(to),
        };
        let first = bounds.from.as_ref().map(|from| scale.floor(from));
        let end = bounds.to.as_ref().map(end);
        if first == Some(None) || end == Some(None) {
            return self.error(Code::InvalidValue, span, "the step is too small for numbers of this size");
        }
        let (first, end) = (first.flatten(), end.flatten());
        let count = first.zip(end).map_or(0, |(first, end)| end.saturating_sub(first));
        if count > MAX_ELEMENTS {
            let message = format!("each series would have {count} elements; at most {MAX_ELEMENTS} are possible");
            let diagnostic = Diagnostic::new(Code::InvalidValue, span, message);
            return Err(self.report(diagnostic.help("use a larger step or a shorter range")));
        }
        Ok(Axis { ty, scale, first, end })
    }

    /// Returns a condition that is true for the values in a bin of `axis`. The axis may end at `to`, inside its last
    /// bin.
    fn inside(&mut self, value: &Expr, axis: &Axis, to: Option<Value>, span: Span) -> Bind<Expr> {
        let mut conditions = Vec::new();
        let mut compare = |binder: &mut Self, symbol: &str, bound: Value| {
            let operands = vec![value.clone(), Expr::literal(bound, span)];
            conditions.push(binder.operator_call(symbol, span, operands, span)?);
            Bind::Ok(())
        };
        if let Some(first) = axis.first {
            compare(self, ">=", axis.start_of(first))?;
        }
        if let Some(end) = to.or(axis.end.map(|end| axis.start_of(end))) {
            compare(self, "<", end)?;
        }
        if axis.ty == Type::Real {
            conditions.push(self.call_by_name("isfinite", vec![value.clone()], span)?);
        }
        if conditions.is_empty() {
            conditions.push(self.call_by_name("isnotnull", vec![value.clone()], span)?);
        }
        let both = |left, right| Expr::operator("and", vec![left, right], span);
        conditions.into_iter().reduce(both).ok_or_else(|| Error::internal("an axis has a condition").into())
    }

    /// Binds a call of the scalar function `name`, which the query itself does not name.
    pub(in crate::binder) fn call_by_name(&mut self, name: &str, arguments: Vec<Expr>, span: Span) -> Bind<Expr> {
        let name = ast::Name { text: name.to_owned(), span };
        match functions::scalar_function(&name.text) {
            Some(function) => self.function_call(function, &name, arguments, span),
            None => Err(self.unknown_function(&name)),
        }
    }
}
