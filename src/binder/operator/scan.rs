//! Binds `scan`, which matches sequences of rows with steps.
//!
//! Source: the reference's page on the scan operator. What the page does not specify is refused: `optional` steps, a
//! reference to a declared column without its step, a reference to a later step, and assignments that need a
//! conversion.

use std::collections::BTreeMap;

use crate::binder::{Bind, Binder, Failed, window};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::{LogicalPlan, RecordColumn, Sequence, SequenceStep, StateColumn, StepAssignment, StepOutput};
use crate::syntax::ast::visit::operands;
use crate::syntax::ast::{self, Name, ParsedExprKind, ScanOperator, ScanStep, ScanStepOutput};
use crate::types::{Field, Schema, Type, Value, cast};

/// The columns that have the values of references to steps, by the position of the reference in the query.
pub(in crate::binder) type StepColumns = BTreeMap<Span, (usize, Type)>;

/// The columns and steps to which the expressions of a `scan` can refer.
struct StepScope<'s> {
    input: &'s Schema,
    declared: &'s Schema,
    steps: &'s [ScanStep],
    /// The columns of the state to which the expressions bound so far refer.
    state: Vec<StateColumn>,
}

impl Binder<'_> {
    pub(super) fn scan(&mut self, input: LogicalPlan, scan: &ScanOperator, keyword: Span) -> Bind<LogicalPlan> {
        if !window::has_order(&input) {
            let message = "`scan` requires rows in a known order";
            let diagnostic = Diagnostic::new(Code::NotAllowedHere, keyword, message);
            let help = "sort the rows before it (| sort by ...), or keep the order they have (| serialize)";
            return Err(self.report(diagnostic.help(help)));
        }
        let match_id = self.match_id(&scan.parameters)?;
        let defaults = self.all(&scan.declared, |binder, column| {
            let Some(default) = &column.default else { return Ok(Value::null(column.ty)) };
            let value = binder.constant(default)?;
            let literal = binder.assignable(Expr::literal(value.clone(), default.span), column.ty)?;
            Ok(cast::cast(&value, literal.ty).unwrap_or(Value::Null(column.ty)))
        })?;
        self.check_names(input.schema(), scan, match_id)?;
        let schema = input.schema().clone();
        let declared = Schema::new(scan.declared.iter().map(|column| Field::new(column.name.text.as_str(), column.ty)));
        let mut scope = StepScope { input: &schema, declared: &declared, steps: &scan.steps, state: Vec::new() };
        let positions: Vec<usize> = (0..scan.steps.len()).collect();
        let steps = self.all(positions, |binder, step| binder.step(step, &mut scope))?;
        let state = scope.state;
        let own = match_id.map(|name| Field::new(name.text.as_str(), Type::Long));
        let output = Schema::new(schema.fields().iter().chain(declared.fields()).cloned().chain(own));
        Ok(LogicalPlan::Sequence(Sequence {
            input: Box::new(input),
            defaults,
            state,
            steps,
            has_match_id: match_id.is_some(),
            segment: Vec::new(),
            schema: output,
        }))
    }

    /// Returns the name of the column that `with_match_id` asks for.
    fn match_id<'p>(&mut self, parameters: &'p [ast::Parameter]) -> Bind<Option<&'p Name>> {
        let mut found = None;
        for parameter in parameters {
            match (parameter.name.text.as_str(), &parameter.value.kind) {
                ("with_match_id", ParsedExprKind::Name(name)) if found.is_none() => found = Some(name),
                ("with_match_id", ParsedExprKind::Name(_)) => {
                    return self.error(Code::DuplicateName, parameter.name.span, "`with_match_id` is given twice");
                }
                ("with_match_id", _) => {
                    return self.error(Code::InvalidValue, parameter.value.span, "the name of a column is required");
                }
                (name, _) => {
                    let message = format!("the parameter `{name}` is not supported here");
                    return self.error(Code::UnsupportedSyntax, parameter.name.span, message);
                }
            }
        }
        Ok(found)
    }

    /// Reports a new column that has the name of another column, and a step that has the name of another step.
    fn check_names(&mut self, input: &Schema, scan: &ScanOperator, match_id: Option<&Name>) -> Bind<()> {
        let columns = scan.declared.iter().map(|column| &column.name).chain(match_id);
        let mut names: Vec<&str> = input.names().collect();
        for name in columns {
            if names.contains(&name.text.as_str()) {
                let message = format!("`scan` would return two columns `{}`", name.text);
                let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, name.span, message);
                return Err(self.report(diagnostic.help("give the new column another name")));
            }
            names.push(&name.text);
        }
        for (position, step) in scan.steps.iter().enumerate() {
            if scan.steps[..position].iter().any(|other| other.name.text == step.name.text) {
                let message = format!("two steps are named `{}`", step.name.text);
                return self.error(Code::DuplicateName, step.name.span, message);
            }
        }
        Ok(())
    }

    fn step(&mut self, position: usize, scope: &mut StepScope<'_>) -> Bind<SequenceStep> {
        let step = &scope.steps[position];
        if let Some(span) = step.optional {
            let message = "optional steps are not supported: Microsoft does not document how they match";
            return self.error(Code::UnsupportedSyntax, span, message);
        }
        let condition = self.step_value(&step.condition, position, scope)?;
        if condition.ty != Type::Bool {
            let message = format!("the condition must be a bool, not a value of type {}", condition.ty);
            return self.error(Code::OperandTypes, condition.span, message);
        }
        let mut assignments: Vec<StepAssignment> = Vec::new();
        for assignment in &step.assignments {
            let [name] = assignment.names.as_slice() else { continue };
            let Some(declared) = scope.declared.index_of(&name.text) else {
                return Err(self.not_declared(name, scope));
            };
            if assignments.iter().any(|other| other.declared == declared) {
                let message = format!("the step assigns `{}` twice", name.text);
                return self.error(Code::UnsupportedSyntax, name.span, message);
            }
            let value = self.step_value(&assignment.value, position, scope)?;
            let value = self.assignable(value, scope.declared.field(declared).ty)?;
            assignments.push(StepAssignment { declared, value });
        }
        let output = match step.output {
            None | Some(ScanStepOutput::All) => StepOutput::All,
            Some(ScanStepOutput::Last) => StepOutput::Last,
            Some(ScanStepOutput::None) => StepOutput::None,
        };
        Ok(SequenceStep { name: step.name.text.clone(), condition, assignments, output })
    }

    fn not_declared(&mut self, name: &Name, scope: &StepScope<'_>) -> Failed {
        if scope.input.index_of(&name.text).is_some() {
            let message = format!("a step cannot assign `{}`, a column of the input", name.text);
            let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, name.span, message);
            return self.report(diagnostic.help("declare a column of another name, and assign that"));
        }
        self.unknown_column(name, scope.declared)
    }

    /// Binds an expression of the step at `position`.
    fn step_value(&mut self, expr: &ast::ParsedExpr, position: usize, scope: &mut StepScope<'_>) -> Bind<Expr> {
        self.find_step_columns(expr, position, scope)?;
        self.expr(expr, scope.input)
    }

    /// Assigns each reference to a step in `expr` a column after those of the input.
    fn find_step_columns(&mut self, expr: &ast::ParsedExpr, position: usize, scope: &mut StepScope<'_>) -> Bind<()> {
        if let ParsedExprKind::Member { base, name } = &expr.kind
            && let ParsedExprKind::Name(step) = &base.kind
            && let Some(found) = scope.steps.iter().position(|other| other.name.text == step.text)
        {
            self.check_step(step, found, position, scope)?;
            let (column, ty) = self.record_column(name, scope)?;
            let wanted = StateColumn { step: found, column };
            let at = scope.state.iter().position(|other| *other == wanted).unwrap_or(scope.state.len());
            if at == scope.state.len() {
                scope.state.push(wanted);
            }
            self.step_columns.insert(expr.span, (scope.input.len() + at, ty));
            return Ok(());
        }
        if let ParsedExprKind::Name(name) = &expr.kind
            && scope.declared.index_of(&name.text).is_some()
        {
            let message = format!("`{}` is a declared column, whose value here is not documented", name.text);
            let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, name.span, message);
            let own = &scope.steps[position].name.text;
            return Err(
                self.report(diagnostic.help(format!("name the step whose value is meant: {own}.{}", name.text)))
            );
        }
        operands(expr).into_iter().try_for_each(|operand| self.find_step_columns(operand, position, scope))
    }

    /// Reports a reference to a step whose state does not exist at the step at `position`.
    fn check_step(&mut self, step: &Name, found: usize, position: usize, scope: &StepScope<'_>) -> Bind<()> {
        if scope.input.index_of(&step.text).is_some() || scope.declared.index_of(&step.text).is_some() {
            let message = format!("`{}` is both a step and a column", step.text);
            return self.error(Code::UnsupportedSyntax, step.span, message);
        }
        if found > position {
            let message = format!("a step cannot refer to a later step such as `{}`", step.text);
            let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, step.span, message);
            return Err(self.report(diagnostic.help("the state of a step has the values of itself and earlier steps")));
        }
        Ok(())
    }

    fn record_column(&mut self, name: &Name, scope: &StepScope<'_>) -> Bind<(RecordColumn, Type)> {
        if let Some(column) = scope.input.index_of(&name.text) {
            return Ok((RecordColumn::Input(column), scope.input.field(column).ty));
        }
        match scope.declared.index_of(&name.text) {
            Some(column) => Ok((RecordColumn::Declared(column), scope.declared.field(column).ty)),
            None => {
                let all = scope.input.fields().iter().chain(scope.declared.fields()).cloned();
                Err(self.unknown_column(name, &Schema::new(all)))
            }
        }
    }

    /// Returns the column for a reference to a step; None for any other member access.
    pub(in crate::binder) fn step_column(&self, span: Span) -> Option<Expr> {
        self.step_columns.get(&span).map(|(column, ty)| Expr::column(*column, *ty, span))
    }

    /// Returns the value as one of a declared column of type `ty`. Only numbers are converted.
    fn assignable(&mut self, value: Expr, ty: Type) -> Bind<Expr> {
        let is_whole = |ty: Type| matches!(ty, Type::Int | Type::Long);
        let widens = is_whole(value.ty) && (is_whole(ty) || matches!(ty, Type::Real | Type::Decimal));
        if value.ty == ty || widens {
            return Ok(value.cast(ty));
        }
        let message = format!("a value of type {} for a declared column of type {ty}", value.ty);
        let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, value.span, message);
        Err(self.report(diagnostic.help(format!("convert it with to{ty}(...), or declare another type"))))
    }
}
