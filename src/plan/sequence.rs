//! The node of `scan`: sequences of steps through the rows.

use super::LogicalPlan;
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::types::{Field, Schema, Type, Value};

/// Follows sequences of steps through the rows, in their order, and returns the records that match.
///
/// The columns of the expressions of the steps are those of the input, followed by a column for each of
/// [`Self::state`].
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The default values of the columns that the query declares.
    pub defaults: Vec<Value>,
    /// The values of earlier records that the steps read.
    pub state: Vec<StateColumn>,
    /// The steps, at least one.
    pub steps: Vec<SequenceStep>,
    /// True if the last output column is the number of the sequence.
    pub has_match_id: bool,
    /// Numbers that are the same for all rows of a segment: sequences end where one of them changes. Empty if there
    /// are no segments.
    pub segment: Vec<Expr>,
    /// The output columns: those of the input, the declared ones, and the number of the sequence if there is one.
    pub schema: Schema,
}

/// A value that is remembered: of the last record that matched a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateColumn {
    /// The position of the step that the record matched.
    pub step: usize,
    /// The column of the record from which the value comes.
    pub column: RecordColumn,
}

/// A column of a record that matched a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordColumn {
    /// The input column at this position.
    Input(usize),
    /// The declared column at this position.
    Declared(usize),
}

/// A step of a `scan`.
#[derive(Clone, Debug)]
pub struct SequenceStep {
    /// The name of the step in the query.
    pub name: String,
    /// The condition under which a record matches the step, a bool expression.
    pub condition: Expr,
    /// The values that the step assigns to declared columns; the others have their defaults.
    pub assignments: Vec<StepAssignment>,
    /// Which of the matching records are returned.
    pub output: StepOutput,
}

impl SequenceStep {
    /// Returns the condition, followed by the assigned values.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        std::iter::once(&self.condition).chain(self.assignments.iter().map(|assignment| &assignment.value))
    }
}

/// A value that a step assigns to a declared column.
#[derive(Clone, Debug)]
pub struct StepAssignment {
    /// The position of the declared column.
    pub declared: usize,
    /// The value, as an expression of the type of that column.
    pub value: Expr,
}

/// Which of the records of a step are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutput {
    /// All records.
    All,
    /// Only the last record of each series, when the series ends.
    Last,
    /// No records.
    None,
}

impl Sequence {
    /// Returns the columns to which the expressions of the steps refer.
    #[must_use]
    pub fn step_schema(&self) -> Schema {
        let input = self.input.schema();
        let own = self.state.iter().map(|state| {
            let field = self.record_field(state.column);
            Field::new(format!("{}.{}", self.steps[state.step].name, field.name), field.ty)
        });
        Schema::new(input.fields().iter().cloned().chain(own))
    }

    /// Returns the field of a column of a record.
    fn record_field(&self, column: RecordColumn) -> &Field {
        match column {
            RecordColumn::Input(column) => self.input.schema().field(column),
            RecordColumn::Declared(declared) => self.schema.field(self.input.schema().len() + declared),
        }
    }

    /// Returns the values of the state before any record matches its step: defaults for declared columns, nulls for
    /// others.
    #[must_use]
    pub fn empty_state(&self) -> Vec<Value> {
        let value = |state: &StateColumn| match state.column {
            RecordColumn::Input(column) => Value::null(self.input.schema().field(column).ty),
            RecordColumn::Declared(declared) => self.defaults[declared].clone(),
        };
        self.state.iter().map(value).collect()
    }

    /// Returns the types of the output columns.
    pub(super) fn types(&self) -> impl Iterator<Item = Type> {
        let input = self.input.schema().fields().iter().map(|field| field.ty);
        input.chain(self.defaults.iter().map(Value::ty)).chain(self.has_match_id.then_some(Type::Long))
    }

    /// Returns the expressions of the node, which refer to the columns of [`Self::step_schema`].
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.steps.iter().flat_map(SequenceStep::expressions).chain(&self.segment)
    }

    /// Replaces each expression of the node with the result of `replace`.
    pub fn map_expressions(self, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Self> {
        let mut step = |step: SequenceStep| {
            let condition = replace(step.condition)?;
            let assignment =
                |assignment: StepAssignment| Ok(StepAssignment { value: replace(assignment.value)?, ..assignment });
            let assignments = step.assignments.into_iter().map(assignment).collect::<Result<_>>()?;
            Ok(SequenceStep { condition, assignments, ..step })
        };
        let steps = self.steps.into_iter().map(&mut step).collect::<Result<_>>()?;
        let segment = self.segment.into_iter().map(replace).collect::<Result<_>>()?;
        Ok(Self { steps, segment, ..self })
    }
}
