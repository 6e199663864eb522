//! Verifies that the columns in plans exist and that types agree. It runs after binding and after each optimizer rule.

use super::{
    Join, LogicalPlan, Parse, ParseOutput, PerRow, PerRowOutput, RecordColumn, Sequence, Series, Side, StepAssignment,
    TableCall, UnnestOutput, WindowCall, per_row, visit,
};
use crate::diagnostic::{Error, Result};
use crate::expr::{self, Expr};
use crate::types::{Schema, Type};

/// Verifies the whole plan. An error is an internal error: `after`, the step that made the plan, has a bug.
pub fn verify(plan: &LogicalPlan, after: &str) -> Result<()> {
    for input in visit::inputs(plan) {
        verify(input, after)?;
    }
    check(plan).map_err(|what| Error::internal(format!("after {after}: {what}")))
}

fn check(plan: &LogicalPlan) -> Result<(), String> {
    if let LogicalPlan::Scan(scan) = plan {
        let table = scan.table.schema();
        same_types(&scan.schema, scan.columns.iter().map(|column| column.ty(table)), "scan")?;
        if let Some(filter) = &scan.filter {
            let types: Vec<Type> = filter.columns.iter().map(|column| column.ty(table)).collect();
            columns_exist(&filter.predicate, &types)?;
            is_bool(&filter.predicate)?;
        }
        return Ok(());
    }
    if let LogicalPlan::Union { inputs, schema } = plan {
        return inputs.iter().try_for_each(|input| {
            same_types(schema, input.schema().fields().iter().map(|field| field.ty), "an input of union")
        });
    }
    if let LogicalPlan::Join(join) = plan {
        return check_join(join);
    }
    if let LogicalPlan::PerRow(per_row) = plan {
        return check_per_row(per_row);
    }
    if let LogicalPlan::Sequence(sequence) = plan {
        return check_sequence(sequence);
    }
    let input = visit::inputs(plan).first().map_or(Schema::new([]), |input| (*input).schema().clone());
    let types: Vec<Type> = input.fields().iter().map(|field| field.ty).collect();
    visit::expressions(plan).into_iter().try_for_each(|expr| columns_exist(expr, &types))?;
    check_outputs(plan, types)
}

/// Checks the output columns of a node whose input has columns of `types`; the error says what is wrong.
fn check_outputs(plan: &LogicalPlan, types: Vec<Type>) -> Result<(), String> {
    match plan {
        LogicalPlan::Filter { predicate, .. } => is_bool(predicate),
        LogicalPlan::Project { expressions, schema, .. } => {
            same_types(schema, expressions.iter().map(|expr| expr.ty), "project")
        }
        LogicalPlan::Aggregate { keys, aggregates, schema, .. } => {
            let fields = aggregates.iter().flat_map(|aggregate| aggregate.fields.iter().map(|field| field.ty));
            same_types(schema, keys.iter().map(|key| key.ty).chain(fields), "aggregate")
        }
        LogicalPlan::Unnest(unnest) => {
            let ty = |output: &UnnestOutput| match output {
                UnnestOutput::Input(index) => types.get(*index).copied(),
                UnnestOutput::Item(index) => unnest.items.get(*index).map(|item| item.ty),
                UnnestOutput::Position => Some(Type::Long),
            };
            let outputs: Option<Vec<Type>> = unnest.output.iter().map(ty).collect();
            same_types(
                &unnest.schema,
                outputs.ok_or("unnest refers to a column that does not exist")?.into_iter(),
                "unnest",
            )
        }
        LogicalPlan::TableCall(call) => check_table_call(call, &types),
        LogicalPlan::Parse(parse) => check_parse(parse, &types),
        LogicalPlan::Series(series) => check_series(series, &types),
        LogicalPlan::Window(window) => {
            same_types(&window.schema, types.into_iter().chain(window.calls.iter().map(WindowCall::ty)), "window")?;
            window.calls.iter().filter_map(|call| call.restart.as_ref()).try_for_each(is_bool)
        }
        _ => Ok(()),
    }
}

fn check_parse(parse: &Parse, types: &[Type]) -> Result<(), String> {
    if parse.source.ty != Type::String {
        return Err(format!("a parse of a {}", parse.source.ty));
    }
    let ty = |output: &ParseOutput| match output {
        ParseOutput::Input(index) => types.get(*index).copied(),
        ParseOutput::Capture(index) => parse.captures.get(*index).copied(),
    };
    let outputs: Option<Vec<Type>> = parse.output.iter().map(ty).collect();
    same_types(&parse.schema, outputs.ok_or("parse refers to a column that does not exist")?.into_iter(), "parse")
}

fn check_table_call(call: &TableCall, input: &[Type]) -> Result<(), String> {
    let kept: Option<Vec<Type>> = call.kept.iter().map(|column| input.get(*column).copied()).collect();
    let kept = kept.ok_or("a table call keeps a column that does not exist")?;
    let added = call.function.fields();
    same_types(&call.schema, kept.into_iter().chain(added.iter().map(|field| field.ty)), "a table call")
}

fn check_series(series: &Series, types: &[Type]) -> Result<(), String> {
    let (keys, values) = (series.keys, series.defaults.len());
    if types.len() != keys + 1 + values || types[keys] != series.axis.ty {
        return Err(format!("a series of {keys} keys and {values} values over {types:?}"));
    }
    let arrays = std::iter::repeat_n(Type::Dynamic, values + 1);
    same_types(&series.schema, types[..keys].iter().copied().chain(arrays), "series")
}

fn check_join(join: &Join) -> Result<(), String> {
    let types = |side| join.input(side).schema().fields().iter().map(|field| field.ty).collect::<Vec<Type>>();
    let (left, right) = (types(Side::Left), types(Side::Right));
    for key in &join.keys {
        columns_exist(&key.left, &left)?;
        columns_exist(&key.right, &right)?;
        if key.left.ty != key.right.ty {
            return Err(format!("a join on a {} and a {}", key.left.ty, key.right.ty));
        }
    }
    if join.kind.build().is_some_and(|side| side != join.build) {
        return Err(format!("a join of kind {} that builds the wrong side", join.kind.name()));
    }
    let ty = |output: &super::JoinColumn| {
        let misplaced = join.kind.only().is_some_and(|only| only != output.side);
        let types = if output.side == Side::Left { &left } else { &right };
        types.get(output.column).copied().filter(|_| !misplaced)
    };
    if let Some(window) = join.window {
        let is_time = |output: usize, side: Side| {
            join.output.get(output).is_some_and(|column| column.side == side && ty(column) == Some(Type::Datetime))
        };
        if !is_time(window.from, join.build.other()) || !is_time(window.to, join.build) {
            return Err("a join with a window of columns that are not a datetime of each side".to_owned());
        }
    }
    let outputs: Option<Vec<Type>> = join.output.iter().map(ty).collect();
    same_types(&join.schema, outputs.ok_or("a join refers to a column that does not exist")?.into_iter(), "join")
}

fn check_per_row(per_row: &PerRow) -> Result<(), String> {
    let types = |plan: &LogicalPlan| plan.schema().fields().iter().map(|field| field.ty).collect::<Vec<Type>>();
    let (input, body) = (types(&per_row.input), types(&per_row.body));
    let mut wrong = None;
    per_row::row_columns(&per_row.body, &mut |rows| {
        let columns = rows.columns.iter().try_for_each(|column| columns_exist(column, &input));
        let own = rows.columns.iter().map(|column| column.ty).chain(rows.is_numbered().then_some(Type::Long));
        wrong = wrong.take().or(columns.and_then(|()| same_types(&rows.schema, own, "rows")).err());
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if body.last() != Some(&Type::Long) {
        return Err("a body that does not return the number of the row".to_owned());
    }
    let ty = |output: &PerRowOutput| match output {
        PerRowOutput::Input(column) => input.get(*column).copied(),
        PerRowOutput::Body(column) => body.get(*column).copied(),
    };
    let outputs: Option<Vec<Type>> = per_row.output.iter().map(ty).collect();
    same_types(
        &per_row.schema,
        outputs.ok_or("a plan per row refers to a column that does not exist")?.into_iter(),
        "per row",
    )
}

fn check_sequence(sequence: &Sequence) -> Result<(), String> {
    let (inputs, declared, steps) = (sequence.input.schema().len(), sequence.defaults.len(), sequence.steps.len());
    let exists = |column: RecordColumn| match column {
        RecordColumn::Input(column) => column < inputs,
        RecordColumn::Declared(column) => column < declared,
    };
    if !sequence.state.iter().all(|state| state.step < steps && exists(state.column)) {
        return Err("a step reads a state that does not exist".to_owned());
    }
    same_types(&sequence.schema, sequence.types(), "sequence")?;
    let types: Vec<Type> = sequence.step_schema().fields().iter().map(|field| field.ty).collect();
    sequence.expressions().try_for_each(|expr| columns_exist(expr, &types))?;
    for step in &sequence.steps {
        is_bool(&step.condition)?;
        let fits = |assignment: &StepAssignment| {
            sequence.defaults.get(assignment.declared).is_some_and(|default| default.ty() == assignment.value.ty)
        };
        if !step.assignments.iter().all(fits) {
            return Err(format!("the step {} assigns a value of another type", step.name));
        }
    }
    Ok(())
}

fn columns_exist(expr: &Expr, types: &[Type]) -> Result<(), String> {
    let mut wrong = None;
    expr::visit::walk(expr, &mut |part| {
        if let Some(index) = part.as_column()
            && types.get(index) != Some(&part.ty)
        {
            wrong = Some(format!("column {index} of type {} over {types:?}", part.ty));
        }
    });
    if !expr::visit::is_closed(expr) {
        return Err("a shared value outside of the expression that shares it".to_owned());
    }
    wrong.map_or(Ok(()), Err)
}

fn is_bool(expr: &Expr) -> Result<(), String> {
    if expr.ty == Type::Bool { Ok(()) } else { Err(format!("a predicate of type {}", expr.ty)) }
}

fn same_types(schema: &Schema, types: impl Iterator<Item = Type>, node: &str) -> Result<(), String> {
    let types: Vec<Type> = types.collect();
    let expected: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    if types == expected { Ok(()) } else { Err(format!("{node} returns {types:?}, but its schema has {expected:?}")) }
}
