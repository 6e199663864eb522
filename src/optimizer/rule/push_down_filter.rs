//! Predicate pushdown: moves filters below projections, sorts, unions, unnests, parses and joins, and below
//! aggregations if they read only keys.

use crate::diagnostic::{Result, Span};
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::EvalContext;
use crate::plan::{Join, JoinColumn, JoinKind, LogicalPlan, PerRow, PerRowOutput, Series, Side, TableCall, visit};
use crate::types::{Field, Schema, Type};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_down(plan, &mut |node| match node {
        LogicalPlan::Filter { input, predicate } => Ok(push(*input, conjuncts(predicate))),
        other => Ok(other),
    })
}

/// Splits a predicate into the conditions that it combines with `and`.
#[must_use]
pub fn conjuncts(predicate: Expr) -> Vec<Expr> {
    let mut parts = Vec::new();
    let mut rest = vec![predicate];
    while let Some(expr) = rest.pop() {
        match expr.kind {
            ExprKind::Call { function, arguments, .. } if function.name == "and" => {
                rest.extend(arguments.into_iter().rev());
            }
            _ => parts.push(expr),
        }
    }
    parts
}

/// Joins predicates with `and`; None if there are none.
#[must_use]
pub fn conjunction(mut parts: Vec<Expr>) -> Option<Expr> {
    // Joins neighbours until one is left, so that the tree is balanced.
    while parts.len() > 1 {
        let mut rest = parts.into_iter();
        let pairs = std::iter::from_fn(|| rest.next().map(|left| (left, rest.next())));
        parts = pairs
            .map(|(left, right)| match right {
                Some(right) => both(left, right),
                None => left,
            })
            .collect();
    }
    parts.pop()
}

fn both(left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr::operator("and", vec![left, right], span)
}

/// Maximum number of parts of a condition that is pushed down. A column that is used twice may double the size of the
/// condition at each projection.
const MAX_SIZE: usize = 1_000;
/// Maximum height of a condition that is pushed down, because evaluating it recurses as deep.
const MAX_HEIGHT: usize = 128;

/// True if `part` may be evaluated below the node that computes `columns`: all columns that it reads are among them and
/// repeatable, and it does not exceed the limits of size and height.
fn may_pass(part: &Expr, columns: &[Expr]) -> bool {
    let mut size = 0_usize;
    let mut height = 0_usize;
    let mut possible = true;
    expr_visit::walk(part, &mut |inner| match inner.as_column() {
        Some(column) => match columns.get(column) {
            Some(expr) => {
                size = size.saturating_add(expr_visit::size(expr));
                height = height.max(expr_visit::height(expr));
                possible &= expr.is_repeatable();
            }
            None => possible = false,
        },
        None => size += 1,
    });
    let is_low = height <= 1 || height + expr_visit::height(part) <= MAX_HEIGHT;
    possible && is_low && (size <= MAX_SIZE || size <= expr_visit::size(part))
}

/// Filters `plan` by the conditions `parts`, each of which is pushed down as far as possible.
fn push(plan: LogicalPlan, parts: Vec<Expr>) -> LogicalPlan {
    match plan {
        LogicalPlan::Filter { input, predicate } => {
            let mut all = conjuncts(predicate);
            all.extend(parts);
            push(*input, all)
        }
        LogicalPlan::Project { input, expressions, schema } => {
            let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| may_pass(part, &expressions));
            let through = through.into_iter().map(|part| expr_visit::substitute(part, &expressions)).collect();
            let input = Box::new(push(*input, through));
            keep(LogicalPlan::Project { input, expressions, schema }, stay)
        }
        LogicalPlan::Sort { input, keys } => LogicalPlan::Sort { input: Box::new(push(*input, parts)), keys },
        LogicalPlan::Union { inputs, schema } => {
            let inputs = inputs.into_iter().map(|input| push(input, parts.clone())).collect();
            LogicalPlan::Union { inputs, schema }
        }
        LogicalPlan::Aggregate { input, keys, aggregates, schema } if !keys.is_empty() => {
            let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| may_pass(part, &keys));
            let through = through.into_iter().map(|part| expr_visit::substitute(part, &keys)).collect();
            let input = Box::new(push(*input, through));
            keep(LogicalPlan::Aggregate { input, keys, aggregates, schema }, stay)
        }
        LogicalPlan::Unnest(mut unnest) => {
            let inputs: Vec<Option<usize>> = unnest.output.iter().map(|output| output.as_input()).collect();
            let (through, stay) = split_by_input(parts, &inputs, unnest.input.schema());
            unnest.input = Box::new(push(*unnest.input, through));
            keep(LogicalPlan::Unnest(unnest), stay)
        }
        LogicalPlan::Parse(mut parse) => {
            let inputs: Vec<Option<usize>> = parse.output.iter().map(|output| output.as_input()).collect();
            let (through, stay) = split_by_input(parts, &inputs, parse.input.schema());
            parse.input = Box::new(push(*parse.input, through));
            keep(LogicalPlan::Parse(parse), stay)
        }
        LogicalPlan::Join(join) => push_into_join(join, parts),
        LogicalPlan::TableCall(call) if call.function.is_row_wise() => push_below_table_call(call, parts),
        LogicalPlan::Series(series) => push_into_series(series, parts),
        LogicalPlan::PerRow(per_row) => push_below_per_row(per_row, parts),
        // A filter below a window or a sequence would change which rows they see.
        other @ (LogicalPlan::Window(_)
        | LogicalPlan::Sequence(_)
        | LogicalPlan::Scan(_)
        | LogicalPlan::Rows(_)
        | LogicalPlan::Aggregate { .. }
        | LogicalPlan::Limit { .. }
        | LogicalPlan::Top { .. }
        | LogicalPlan::TableCall(_)) => keep(other, parts),
    }
}

/// Splits the conditions above a node into those that read only columns of its input, rewritten for the input, and all
/// others. `inputs` has for each output column of the node the column of its input; None for a column that the node
/// computes.
fn split_by_input(parts: Vec<Expr>, inputs: &[Option<usize>], input: &Schema) -> (Vec<Expr>, Vec<Expr>) {
    let reads_input = |part: &Expr| expr_visit::columns(part).iter().all(|column| inputs[*column].is_some());
    let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(reads_input);
    let columns = inputs.iter().map(|index| match index {
        Some(index) => Expr::column(*index, input.field(*index).ty, Span::default()),
        // A column that the node makes is not read.
        None => Expr::column(0, Type::Dynamic, Span::default()),
    });
    let columns: Vec<Expr> = columns.collect();
    (through.into_iter().map(|part| expr_visit::substitute(part, &columns)).collect(), stay)
}

/// Moves conditions on columns of the input below a per-row node, which treats each row of the input separately.
fn push_below_per_row(per_row: PerRow, parts: Vec<Expr>) -> LogicalPlan {
    let is_input = |column: &usize| matches!(per_row.output[*column], PerRowOutput::Input(_));
    let through = |part: &Expr| part.is_repeatable() && expr_visit::columns(part).iter().all(is_input);
    let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(through);
    let source = |(output, field): (&PerRowOutput, &Field)| match output {
        PerRowOutput::Input(column) | PerRowOutput::Body(column) => Expr::column(*column, field.ty, Span::default()),
    };
    let sources: Vec<Expr> = per_row.output.iter().zip(per_row.schema.fields()).map(source).collect();
    let through = through.into_iter().map(|part| expr_visit::substitute(part, &sources)).collect();
    let input = Box::new(push(*per_row.input, through));
    keep(LogicalPlan::PerRow(PerRow { input, ..per_row }), stay)
}

/// Moves conditions on kept columns below a row-wise table function.
fn push_below_table_call(mut call: TableCall, parts: Vec<Expr>) -> LogicalPlan {
    let is_below =
        |part: &Expr| part.is_repeatable() && expr_visit::columns(part).iter().all(|column| *column < call.kept.len());
    let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_below);
    let schema = call.input.schema();
    let column = |column: &usize| Expr::column(*column, schema.field(*column).ty, Span::default());
    let inputs: Vec<Expr> = call.kept.iter().map(column).collect();
    let through = through.into_iter().map(|part| expr_visit::substitute(part, &inputs)).collect();
    call.input = Box::new(push(*call.input, through));
    keep(LogicalPlan::TableCall(call), stay)
}

/// Moves conditions on keys below a series. They stay if removing all rows would make a series of defaults appear.
fn push_into_series(mut series: Series, parts: Vec<Expr>) -> LogicalPlan {
    let on_keys = |part: &Expr| {
        let columns = expr_visit::columns(part);
        !series.nonempty && part.is_repeatable() && columns.iter().all(|column| *column < series.keys)
    };
    let (through, stay): (Vec<_>, Vec<_>) = parts.into_iter().partition(on_keys);
    series.input = Box::new(push(*series.input, through));
    keep(LogicalPlan::Series(series), stay)
}

/// Moves conditions into the inputs of a join. A condition on the columns of one side moves to that side, unless the
/// join replaces these with nulls. A condition on keys moves to the other side, too. If only the first of several rows
/// with the same key is joined, conditions on other columns stay above: they could change which row is the first.
fn push_into_join(join: Join, parts: Vec<Expr>) -> LogicalPlan {
    let (mut left, mut right, mut stay) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match side_of(&part, &join) {
            Some(PushTarget { side, on_keys }) => {
                let (here, there) = if side == Side::Left { (&mut left, &mut right) } else { (&mut right, &mut left) };
                if on_keys {
                    there.push(over_other_keys(part.clone(), &join, side));
                }
                here.push(expr_visit::substitute(part, &input_columns(&join)));
            }
            None => stay.push(part),
        }
    }
    let (left, right) = (Box::new(push(*join.left, left)), Box::new(push(*join.right, right)));
    keep(LogicalPlan::Join(Join { left, right, ..join }), stay)
}

/// The side of a join to which a condition may move.
struct PushTarget {
    side: Side,
    /// True if the condition reads only keys, so that it may move to both sides.
    on_keys: bool,
}

/// Returns the side to which a condition may move; None if it must stay above the join.
fn side_of(part: &Expr, join: &Join) -> Option<PushTarget> {
    let columns = expr_visit::columns(part);
    let side = join.output[*columns.first()?].side;
    let on_keys = columns.iter().all(|column| other_key(join.output[*column], join).is_some());
    let first_only = join.kind == JoinKind::InnerUnique && side == Side::Left;
    let may_move = columns.iter().all(|column| join.output[*column].side == side)
        && part.is_repeatable()
        && !join.kind.pads(side.other())
        && (on_keys || !first_only);
    may_move.then_some(PushTarget { side, on_keys })
}

/// Returns the key of the other side that equals this column; None if there is none. A key of reals does not count,
/// because equal reals can be zeros of different signs.
fn other_key(output: JoinColumn, join: &Join) -> Option<&Expr> {
    let position = join.side_keys(output.side).position(|key| key.as_column() == Some(output.column))?;
    join.side_keys(output.side.other()).nth(position).filter(|key| key.ty != Type::Real)
}

/// Returns for each output column of a join the column of the input from which it comes.
fn input_columns(join: &Join) -> Vec<Expr> {
    let columns = join.output.iter().zip(join.schema.fields());
    columns.map(|(output, field)| Expr::column(output.column, field.ty, Span::default())).collect()
}

/// Rewrites a condition on the keys of `side`, so that it reads the keys of the other side.
fn over_other_keys(part: Expr, join: &Join, side: Side) -> Expr {
    let columns = join.output.iter().zip(input_columns(join));
    let columns: Vec<Expr> = columns
        .map(|(output, own)| if output.side == side { other_key(*output, join).cloned().unwrap_or(own) } else { own })
        .collect();
    expr_visit::substitute(part, &columns)
}

fn keep(plan: LogicalPlan, parts: Vec<Expr>) -> LogicalPlan {
    match conjunction(parts) {
        Some(predicate) => plan.filter(predicate),
        None => plan,
    }
}
