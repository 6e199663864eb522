//! The node of `scan`: sequences of steps through the rows.

use super::LogicalPlan;
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::types::{Field, Schema, Type, Value};

/// Follows sequences of steps through the rows, in their order, and returns the records that match.
///
/// The expressions of the steps are over the columns of the input, then one column for each of [`Self::state`].
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The input.
    pub input: Box<LogicalPlan>,
    /// The default values of the declared columns.
    pub defaults: Vec<Value>,
    /// The values of earlier records that the steps read.
    pub state: Vec<StateColumn>,
    /// The steps, at least one.
    pub steps: Vec<SequenceStep>,
    /// True if the last output column is the number of the sequence.
    pub has_match_id: bool,
    /// All sequences end whenever this value changes from one row to the next.
    pub segment: Option<Expr>,
    /// The input columns, the declared columns, and the number of the sequence.
    pub schema: Schema,
}

/// A value of the last record that matched a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateColumn {
    /// The position of the step.
    pub step: usize,
    /// The column of the record.
    pub column: RecordColumn,
}

/// A column of a record that matched a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordColumn {
    /// A column of the input.
    Input(usize),
    /// A declared column.
    Declared(usize),
}

/// A step.
#[derive(Clone, Debug)]
pub struct SequenceStep {
    /// Its name in the query.
    pub name: String,
    /// A bool.
    pub condition: Expr,
    /// The values of declared columns; the others have their defaults.
    pub assignments: Vec<StepAssignment>,
    /// The records of the step that are returned.
    pub output: StepOutput,
}

impl SequenceStep {
    /// The condition, then the assigned values.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        std::iter::once(&self.condition).chain(self.assignments.iter().map(|assignment| &assignment.value))
    }
}

/// The value that a step gives a declared column.
#[derive(Clone, Debug)]
pub struct StepAssignment {
    /// The position of the declared column.
    pub declared: usize,
    /// A value of its type.
    pub value: Expr,
}

/// Which of the records of a step are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutput {
    /// Every one.
    All,
    /// The last one of each series, once the series ends.
    Last,
    /// None.
    None,
}

impl Sequence {
    /// The columns that the expressions of the steps are over.
    #[must_use]
    pub fn step_schema(&self) -> Schema {
        let input = self.input.schema();
        let own = self.state.iter().map(|state| {
            let field = self.record_field(state.column);
            Field::new(format!("{}.{}", self.steps[state.step].name, field.name), field.ty)
        });
        Schema::new(input.fields().iter().cloned().chain(own))
    }

    /// The column of a record.
    fn record_field(&self, column: RecordColumn) -> &Field {
        match column {
            RecordColumn::Input(column) => self.input.schema().field(column),
            RecordColumn::Declared(declared) => self.schema.field(self.input.schema().len() + declared),
        }
    }

    /// The value of each column of the state before a record matches its step.
    #[must_use]
    pub fn empty_state(&self) -> Vec<Value> {
        let value = |state: &StateColumn| match state.column {
            RecordColumn::Input(column) => Value::null(self.input.schema().field(column).ty),
            RecordColumn::Declared(declared) => self.defaults[declared].clone(),
        };
        self.state.iter().map(value).collect()
    }

    /// The types of the output columns.
    pub(super) fn types(&self) -> impl Iterator<Item = Type> {
        let input = self.input.schema().fields().iter().map(|field| field.ty);
        input.chain(self.defaults.iter().map(Value::ty)).chain(self.has_match_id.then_some(Type::Long))
    }

    /// The expressions of the node, over [`Self::step_schema`].
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.steps.iter().flat_map(SequenceStep::expressions).chain(&self.segment)
    }

    /// Replaces each of its expressions by the result of `replace`.
    pub fn map_expressions(self, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Self> {
        let mut step = |step: SequenceStep| {
            let condition = replace(step.condition)?;
            let assignment =
                |assignment: StepAssignment| Ok(StepAssignment { value: replace(assignment.value)?, ..assignment });
            let assignments = step.assignments.into_iter().map(assignment).collect::<Result<_>>()?;
            Ok(SequenceStep { condition, assignments, ..step })
        };
        let steps = self.steps.into_iter().map(&mut step).collect::<Result<_>>()?;
        let segment = self.segment.map(replace).transpose()?;
        Ok(Self { steps, segment, ..self })
    }
}
