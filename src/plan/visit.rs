//! Visits the inputs and expressions of plan nodes, and rebuilds nodes from changed ones. No match here has a wildcard,
//! so that the compiler shows what to change when a kind of node is added.

use super::{
    AggregateExpr, Join, JoinKey, LogicalPlan, Parse, PerRow, Sequence, Series, SortKey, TableCall, Unnest, UnnestItem,
    Window,
};
use crate::diagnostic::Result;
use crate::expr::{Expr, visit as expr_visit};

/// Returns the inputs of a node, in order.
#[must_use]
pub fn inputs(plan: &LogicalPlan) -> Vec<&LogicalPlan> {
    match plan {
        LogicalPlan::Scan(_) | LogicalPlan::Rows(_) => Vec::new(),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Project { input, .. }
        | LogicalPlan::Aggregate { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. }
        | LogicalPlan::Top { input, .. } => vec![input],
        LogicalPlan::Unnest(unnest) => vec![&unnest.input],
        LogicalPlan::Parse(parse) => vec![&parse.input],
        LogicalPlan::Series(series) => vec![&series.input],
        LogicalPlan::Window(window) => vec![&window.input],
        LogicalPlan::Sequence(sequence) => vec![&sequence.input],
        LogicalPlan::PerRow(per_row) => vec![&per_row.input, &per_row.body],
        LogicalPlan::Union { inputs, .. } => inputs.iter().collect(),
        LogicalPlan::Join(join) => vec![&join.left, &join.right],
        LogicalPlan::TableCall(call) => vec![&call.input],
    }
}

/// Replaces each input of a node with the result of `replace`.
pub fn map_inputs(
    plan: LogicalPlan,
    replace: &mut impl FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let mut boxed = |input: Box<LogicalPlan>| replace(*input).map(Box::new);
    Ok(match plan {
        LogicalPlan::Scan(_) | LogicalPlan::Rows(_) => plan,
        LogicalPlan::Filter { input, predicate } => LogicalPlan::Filter { input: boxed(input)?, predicate },
        LogicalPlan::Project { input, expressions, schema } => {
            LogicalPlan::Project { input: boxed(input)?, expressions, schema }
        }
        LogicalPlan::Aggregate { input, keys, aggregates, schema } => {
            LogicalPlan::Aggregate { input: boxed(input)?, keys, aggregates, schema }
        }
        LogicalPlan::Sort { input, keys } => LogicalPlan::Sort { input: boxed(input)?, keys },
        LogicalPlan::Limit { input, count } => LogicalPlan::Limit { input: boxed(input)?, count },
        LogicalPlan::Top { input, keys, count } => LogicalPlan::Top { input: boxed(input)?, keys, count },
        LogicalPlan::Unnest(unnest) => LogicalPlan::Unnest(Unnest { input: boxed(unnest.input)?, ..unnest }),
        LogicalPlan::Parse(parse) => LogicalPlan::Parse(Parse { input: boxed(parse.input)?, ..parse }),
        LogicalPlan::Series(series) => LogicalPlan::Series(Series { input: boxed(series.input)?, ..series }),
        LogicalPlan::Window(window) => LogicalPlan::Window(Window { input: boxed(window.input)?, ..window }),
        LogicalPlan::Sequence(sequence) => {
            LogicalPlan::Sequence(Sequence { input: boxed(sequence.input)?, ..sequence })
        }
        LogicalPlan::PerRow(per_row) => {
            LogicalPlan::PerRow(PerRow { input: boxed(per_row.input)?, body: boxed(per_row.body)?, ..per_row })
        }
        LogicalPlan::Union { inputs, schema } => {
            LogicalPlan::Union { inputs: inputs.into_iter().map(replace).collect::<Result<_>>()?, schema }
        }
        LogicalPlan::Join(join) => {
            LogicalPlan::Join(Join { left: boxed(join.left)?, right: boxed(join.right)?, ..join })
        }
        LogicalPlan::TableCall(call) => LogicalPlan::TableCall(TableCall { input: boxed(call.input)?, ..call }),
    })
}

/// Returns the expressions of the node itself. They refer to the columns of its input, of the side of a join to which
/// they belong, or of [`Sequence::step_schema`]. The expressions of [`LogicalPlan::Rows`] refer to another node, and
/// are not returned.
#[must_use]
pub fn expressions(plan: &LogicalPlan) -> Vec<&Expr> {
    match plan {
        LogicalPlan::Scan(scan) => scan.filter.iter().map(|filter| &filter.predicate).collect(),
        LogicalPlan::Filter { predicate, .. } => vec![predicate],
        LogicalPlan::Project { expressions, .. } => expressions.iter().collect(),
        LogicalPlan::Aggregate { keys, aggregates, .. } => {
            keys.iter().chain(aggregates.iter().flat_map(|aggregate| &aggregate.arguments)).collect()
        }
        LogicalPlan::Sort { keys, .. } | LogicalPlan::Top { keys, .. } => keys.iter().map(|key| &key.expr).collect(),
        LogicalPlan::Limit { .. }
        | LogicalPlan::Union { .. }
        | LogicalPlan::Series(_)
        | LogicalPlan::PerRow(_)
        | LogicalPlan::Rows(_) => Vec::new(),
        LogicalPlan::Unnest(unnest) => unnest.items.iter().map(|item| &item.expr).collect(),
        LogicalPlan::Parse(parse) => vec![&parse.source],
        LogicalPlan::Window(window) => window.expressions().collect(),
        LogicalPlan::Sequence(sequence) => sequence.expressions().collect(),
        LogicalPlan::Join(join) => join.keys.iter().flat_map(|key| [&key.left, &key.right]).collect(),
        LogicalPlan::TableCall(call) => call.arguments.iter().collect(),
    }
}

/// Replaces each expression of the node itself with the result of `replace`.
pub fn map_expressions(plan: LogicalPlan, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<LogicalPlan> {
    Ok(match plan {
        LogicalPlan::Scan(mut scan) => {
            if let Some(mut filter) = scan.filter.take() {
                filter.predicate = replace(filter.predicate)?;
                scan.filter = Some(filter);
            }
            LogicalPlan::Scan(scan)
        }
        LogicalPlan::Filter { input, predicate } => LogicalPlan::Filter { input, predicate: replace(predicate)? },
        LogicalPlan::Project { input, expressions, schema } => {
            LogicalPlan::Project { input, expressions: map_all(expressions, replace)?, schema }
        }
        LogicalPlan::Aggregate { input, keys, aggregates, schema } => {
            let keys = map_all(keys, replace)?;
            let mut aggregate = |aggregate: AggregateExpr| {
                Ok(AggregateExpr { arguments: map_all(aggregate.arguments, replace)?, ..aggregate })
            };
            let aggregates = aggregates.into_iter().map(&mut aggregate).collect::<Result<_>>()?;
            LogicalPlan::Aggregate { input, keys, aggregates, schema }
        }
        LogicalPlan::Sort { input, keys } => LogicalPlan::Sort { input, keys: map_keys(keys, replace)? },
        LogicalPlan::Top { input, keys, count } => LogicalPlan::Top { input, keys: map_keys(keys, replace)?, count },
        LogicalPlan::Limit { .. }
        | LogicalPlan::Union { .. }
        | LogicalPlan::Series(_)
        | LogicalPlan::PerRow(_)
        | LogicalPlan::Rows(_) => plan,
        LogicalPlan::Unnest(mut unnest) => {
            let mut item = |item: UnnestItem| Ok(UnnestItem { expr: replace(item.expr)?, ..item });
            unnest.items = unnest.items.into_iter().map(&mut item).collect::<Result<_>>()?;
            LogicalPlan::Unnest(unnest)
        }
        LogicalPlan::Parse(parse) => LogicalPlan::Parse(Parse { source: replace(parse.source)?, ..parse }),
        LogicalPlan::Window(window) => LogicalPlan::Window(window.map_expressions(replace)?),
        LogicalPlan::Sequence(sequence) => LogicalPlan::Sequence(sequence.map_expressions(replace)?),
        LogicalPlan::Join(mut join) => {
            let mut both = |key: JoinKey| Ok(JoinKey { left: replace(key.left)?, right: replace(key.right)? });
            join.keys = join.keys.into_iter().map(&mut both).collect::<Result<_>>()?;
            LogicalPlan::Join(join)
        }
        LogicalPlan::TableCall(call) => {
            LogicalPlan::TableCall(TableCall { arguments: map_all(call.arguments, replace)?, ..call })
        }
    })
}

fn map_all(expressions: Vec<Expr>, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Vec<Expr>> {
    expressions.into_iter().map(replace).collect()
}

fn map_keys(keys: Vec<SortKey>, replace: &mut impl FnMut(Expr) -> Result<Expr>) -> Result<Vec<SortKey>> {
    keys.into_iter().map(|key| Ok(SortKey { expr: replace(key.expr)?, ..key })).collect()
}

/// Returns the size of a plan, which is the number of its nodes and of the parts of their expressions, and its depth,
/// which is the number of nodes on its longest path.
#[must_use]
pub fn extent(plan: &LogicalPlan) -> (usize, usize) {
    let own = 1 + expressions(plan).into_iter().map(expr_visit::size).sum::<usize>();
    inputs(plan)
        .into_iter()
        .map(extent)
        .fold((own, 1), |(size, depth), (below, way)| (size + below, depth.max(way + 1)))
}

/// Replaces every node with the result of `rule`, inputs before the nodes that have them.
pub fn transform_up(
    plan: LogicalPlan,
    rule: &mut impl FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let plan = map_inputs(plan, &mut |input| transform_up(input, rule))?;
    rule(plan)
}

/// Replaces every node with the result of `rule`, nodes before their inputs.
pub fn transform_down(
    plan: LogicalPlan,
    rule: &mut impl FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let plan = rule(plan)?;
    map_inputs(plan, &mut |input| transform_down(input, rule))
}
