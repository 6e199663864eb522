//! Carries columns of the tables through a plan to its result, so that each row of the result shows which record it
//! comes from.
//!
//! That is possible only if each row is made of a single record. If so, the conditions on the clock (`now()`, `ago()`)
//! can be dropped: the remaining rows are all those that a rule looks for, no matter when it runs.

use super::clock::uses_clock;
use crate::diagnostic::Span;
use crate::expr::{Expr, visit as expr_visit};
use crate::optimizer::{conjunction, conjuncts};
use crate::plan::{LogicalPlan, Parse, ParseOutput, TableCall, Unnest, UnnestOutput};
use crate::types::{Field, Schema};

/// A plan whose last output columns are carried from the tables.
pub(super) struct CarriedPlan {
    /// The plan.
    pub plan: LogicalPlan,
    /// For each output column, whether its values depend on the clock.
    clocked: Vec<bool>,
}

/// Carries columns of the tables through a plan to its last output columns.
pub(super) struct Carrier<'a> {
    /// Returns a scan with the carried columns added at the end; None if the table does not have them.
    pub source: &'a mut dyn FnMut(LogicalPlan) -> Option<LogicalPlan>,
    /// The carried columns.
    pub fields: &'a [Field],
    /// True if conditions that depend on the clock are dropped.
    pub drops_clock: bool,
}

impl Carrier<'_> {
    /// Returns the plan with the carried columns at the end. None if a row may be made of several records, or if other
    /// rows decide whether a row is in the result.
    pub fn carry(&mut self, plan: LogicalPlan) -> Option<CarriedPlan> {
        match plan {
            LogicalPlan::Scan(_) => {
                let plan = (self.source)(plan)?;
                let clocked = vec![false; plan.schema().len()];
                Some(CarriedPlan { plan, clocked })
            }
            LogicalPlan::Filter { input, predicate } => Some(self.filtered(*input, predicate)?),
            LogicalPlan::Sort { input, keys } => {
                let CarriedPlan { plan, clocked } = self.carry(*input)?;
                Some(CarriedPlan { plan: LogicalPlan::Sort { input: Box::new(plan), keys }, clocked })
            }
            LogicalPlan::Project { input, expressions, schema } => self.projected(*input, expressions, &schema),
            LogicalPlan::Union { inputs, schema } => self.united(inputs, &schema),
            LogicalPlan::Unnest(unnest) => self.unnested(unnest),
            LogicalPlan::Parse(parse) => self.parsed(parse),
            LogicalPlan::TableCall(call) if call.function.is_row_wise() => self.applied(call),
            _ => None,
        }
    }

    fn with_fields(&self, schema: &Schema) -> Schema {
        Schema::new(schema.fields().iter().chain(self.fields).cloned())
    }

    fn filtered(&mut self, input: LogicalPlan, predicate: Expr) -> Option<CarriedPlan> {
        let CarriedPlan { plan, clocked } = self.carry(input)?;
        let mut parts = conjuncts(predicate);
        if self.drops_clock {
            parts.retain(|part| !is_clocked(part, &clocked));
        }
        let plan = match conjunction(parts) {
            Some(predicate) => plan.filter(predicate),
            None => plan,
        };
        Some(CarriedPlan { plan, clocked })
    }

    /// Returns the positions and fields of the carried columns of `plan`, which are its last columns.
    fn carried<'p>(&self, plan: &'p LogicalPlan) -> impl Iterator<Item = (usize, &'p Field)> + use<'p> {
        let first = plan.schema().len() - self.fields.len();
        plan.schema().fields().iter().enumerate().skip(first)
    }

    fn projected(&mut self, input: LogicalPlan, mut expressions: Vec<Expr>, schema: &Schema) -> Option<CarriedPlan> {
        let input = self.carry(input)?;
        let mut clocked: Vec<bool> = expressions.iter().map(|expr| is_clocked(expr, &input.clocked)).collect();
        expressions
            .extend(self.carried(&input.plan).map(|(index, field)| Expr::column(index, field.ty, Span::default())));
        clocked.extend(self.fields.iter().map(|_| false));
        let schema = self.with_fields(schema);
        Some(CarriedPlan { plan: LogicalPlan::Project { input: Box::new(input.plan), expressions, schema }, clocked })
    }

    fn united(&mut self, inputs: Vec<LogicalPlan>, schema: &Schema) -> Option<CarriedPlan> {
        let carried = inputs.into_iter().map(|input| self.carry(input)).collect::<Option<Vec<_>>>()?;
        let schema = self.with_fields(schema);
        let any = |column: usize| carried.iter().any(|input| input.clocked[column]);
        let clocked = (0..schema.len()).map(any).collect();
        let inputs = carried.into_iter().map(|input| input.plan).collect();
        Some(CarriedPlan { plan: LogicalPlan::Union { inputs, schema }, clocked })
    }

    fn unnested(&mut self, unnest: Unnest) -> Option<CarriedPlan> {
        let input = self.carry(*unnest.input)?;
        let outputs = self.carried(&input.plan).map(|(index, _)| UnnestOutput::Input(index));
        let output: Vec<UnnestOutput> = unnest.output.iter().copied().chain(outputs).collect();
        let items: Vec<bool> = unnest.items.iter().map(|item| is_clocked(&item.expr, &input.clocked)).collect();
        let clocked = output.iter().map(|output| match output {
            UnnestOutput::Input(index) => input.clocked[*index],
            UnnestOutput::Item(index) => items[*index],
            UnnestOutput::Position => items.iter().any(|item| *item),
        });
        let clocked = clocked.collect();
        let schema = self.with_fields(&unnest.schema);
        let plan = LogicalPlan::Unnest(Unnest { input: Box::new(input.plan), output, schema, ..unnest });
        Some(CarriedPlan { plan, clocked })
    }

    fn parsed(&mut self, parse: Parse) -> Option<CarriedPlan> {
        let input = self.carry(*parse.input)?;
        let source = is_clocked(&parse.source, &input.clocked);
        let outputs = self.carried(&input.plan).map(|(index, _)| ParseOutput::Input(index));
        let output: Vec<ParseOutput> = parse.output.iter().copied().chain(outputs).collect();
        let clocked = output.iter().map(|output| output.as_input().map_or(source, |index| input.clocked[index]));
        let clocked = clocked.collect();
        let schema = self.with_fields(&parse.schema);
        let plan = LogicalPlan::Parse(Parse { input: Box::new(input.plan), output, schema, ..parse });
        Some(CarriedPlan { plan, clocked })
    }

    /// Carries columns through a table call. Its output has the columns of the function after the kept ones, so the
    /// carried columns are then moved to the end.
    fn applied(&mut self, call: TableCall) -> Option<CarriedPlan> {
        let input = self.carry(*call.input)?;
        let clocks = call.arguments.iter().any(|argument| is_clocked(argument, &input.clocked));
        let (own, made) = (call.kept.len(), call.schema.len() - call.kept.len());
        let kept: Vec<usize> =
            call.kept.iter().copied().chain(self.carried(&input.plan).map(|(index, _)| index)).collect();
        let fields = call.schema.fields();
        let schema = Schema::new(fields[..own].iter().chain(self.fields).chain(&fields[own..]).cloned());
        let carried = self.fields.len();
        let order = (0..own).chain(own + carried..own + carried + made).chain(own..own + carried);
        let columns: Vec<(String, Expr)> = order
            .map(|index| {
                let field = schema.field(index);
                (field.name.clone(), Expr::column(index, field.ty, Span::default()))
            })
            .collect();
        let of_input = call.kept.iter().map(|index| input.clocked[*index]);
        let clocked = of_input.chain(std::iter::repeat_n(clocks, made)).chain(self.fields.iter().map(|_| false));
        let clocked = clocked.collect();
        let plan = LogicalPlan::TableCall(TableCall { input: Box::new(input.plan), kept, schema, ..call });
        Some(CarriedPlan { plan: plan.project(columns), clocked })
    }
}

/// True if the value of `expr` depends on the clock, either directly or through a column whose values do.
fn is_clocked(expr: &Expr, clocked: &[bool]) -> bool {
    uses_clock(expr) || expr_visit::columns(expr).iter().any(|column| clocked[*column])
}
