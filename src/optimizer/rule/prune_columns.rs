//! Reads only the columns that are used, and of dynamic columns only the paths that are taken.
//!
//! Goes from the root down with the set of what is needed of each node, and answers for each node the new position of
//! everything that was needed.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Result, Span};
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::EvalContext;
use crate::plan::{
    AggregateExpr, Join, JoinColumn, JoinKey, LogicalPlan, Scan, Side, SortKey, Unnest, UnnestItem, UnnestOutput,
};
use crate::scan::ScanColumn;
use crate::types::dynamic::Path;
use crate::types::{Field, Schema, Type};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    let schema = plan.schema().clone();
    let needed: Needed = (0..schema.len()).map(|column| Leaf { column, path: None }).collect();
    let (plan, places) = prune(plan, &needed);
    Ok(restore(plan, &places, &schema))
}

/// A column, or what a path finds in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leaf {
    column: usize,
    path: Option<Path>,
}

type Needed = BTreeSet<Leaf>;
/// Where each needed leaf stands in the pruned node.
type Places = BTreeMap<Leaf, usize>;

/// Adds what `expr` reads.
fn need(expr: &Expr, needed: &mut Needed) {
    match leaf(expr) {
        Some(leaf) => {
            needed.insert(leaf);
        }
        None => expr_visit::children(expr).into_iter().for_each(|child| need(child, needed)),
    }
}

fn leaf(expr: &Expr) -> Option<Leaf> {
    match &expr.kind {
        ExprKind::Column(column) => Some(Leaf { column: *column, path: None }),
        ExprKind::Path { input, path } => input.as_column().map(|column| Leaf { column, path: Some(path.clone()) }),
        _ => None,
    }
}

/// `expr` over the pruned input.
fn rewrite(expr: Expr, places: &Places) -> Expr {
    if let Some(leaf) = leaf(&expr)
        && let Some(place) = places.get(&leaf)
    {
        return Expr::column(*place, expr.ty, expr.span);
    }
    // The whole column is there, and the path is taken from it.
    let rewritten =
        expr_visit::map_children(expr, &mut |child| Ok::<_, std::convert::Infallible>(rewrite(child, places)));
    match rewritten {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}

fn prune(plan: LogicalPlan, needed: &Needed) -> (LogicalPlan, Places) {
    match plan {
        LogicalPlan::Scan(scan) => prune_scan(scan, needed),
        LogicalPlan::Project { input, expressions, schema } => prune_project(*input, expressions, &schema, needed),
        LogicalPlan::Filter { input, predicate } => {
            let mut below = needed.clone();
            need(&predicate, &mut below);
            let (input, places) = prune(*input, &below);
            (input.filter(rewrite(predicate, &places)), places)
        }
        LogicalPlan::Sort { input, keys } => {
            let (input, keys, places) = prune_keys(*input, keys, needed);
            (LogicalPlan::Sort { input, keys }, places)
        }
        LogicalPlan::Top { input, keys, count } => {
            let (input, keys, places) = prune_keys(*input, keys, needed);
            (LogicalPlan::Top { input, keys, count }, places)
        }
        LogicalPlan::Limit { input, count } => {
            let (input, places) = prune(*input, needed);
            (LogicalPlan::Limit { input: Box::new(input), count }, places)
        }
        LogicalPlan::Aggregate { input, keys, aggregates, schema } => {
            let plan = prune_aggregate(*input, keys, aggregates, schema);
            let places = whole_columns(needed);
            (plan, places)
        }
        LogicalPlan::Union { inputs, schema } => prune_union(inputs, &schema, needed),
        LogicalPlan::Unnest(unnest) => prune_unnest(unnest, needed),
        LogicalPlan::Join(join) => prune_join(join, needed),
    }
}

/// The places of a node that keeps its columns as they were; paths are taken above it.
fn whole_columns(needed: &Needed) -> Places {
    needed.iter().map(|leaf| (Leaf { column: leaf.column, path: None }, leaf.column)).collect()
}

fn prune_scan(scan: Scan, needed: &Needed) -> (LogicalPlan, Places) {
    let mut columns = Vec::new();
    let mut fields = Vec::new();
    let mut places = Places::new();
    for leaf in needed {
        let field = scan.schema.field(leaf.column);
        let (column, field) = match (&scan.columns[leaf.column], &leaf.path) {
            (column, None) => (column.clone(), field.clone()),
            (ScanColumn::Column(column), Some(path)) => (
                ScanColumn::Path { column: *column, path: path.clone() },
                Field::new(format!("{}{path}", field.name), Type::Dynamic),
            ),
            (ScanColumn::Path { column, path: outer }, Some(path)) => {
                let mut whole = outer.clone();
                whole.steps.extend(path.steps.iter().cloned());
                (
                    ScanColumn::Path { column: *column, path: whole },
                    Field::new(format!("{}{path}", field.name), Type::Dynamic),
                )
            }
        };
        places.insert(leaf.clone(), columns.len());
        columns.push(column);
        fields.push(field);
    }
    (LogicalPlan::Scan(Scan { columns, schema: Schema::new(fields), ..scan }), places)
}

fn prune_project(
    input: LogicalPlan,
    expressions: Vec<Expr>,
    schema: &Schema,
    needed: &Needed,
) -> (LogicalPlan, Places) {
    let mut kept: Vec<(Leaf, Expr, String)> = Vec::new();
    let mut below = Needed::new();
    for leaf in needed {
        let expr = &expressions[leaf.column];
        // A path into a column that is only handed on becomes a path below.
        let (expr, name) = match (&leaf.path, self::leaf(expr)) {
            (None, _) => (expr.clone(), schema.field(leaf.column).name.clone()),
            (Some(path), Some(_)) => {
                (expr.clone().path(path.clone(), expr.span), format!("{}{path}", schema.field(leaf.column).name))
            }
            (Some(_), None) => {
                let whole = Leaf { column: leaf.column, path: None };
                if needed.contains(&whole) || kept.iter().any(|(other, ..)| *other == whole) {
                    continue;
                }
                need(expr, &mut below);
                kept.push((whole, expr.clone(), schema.field(leaf.column).name.clone()));
                continue;
            }
        };
        need(&expr, &mut below);
        kept.push((leaf.clone(), expr, name));
    }
    let (input, inner) = prune(input, &below);
    let mut places = Places::new();
    let mut columns = Vec::new();
    for (leaf, expr, name) in kept {
        places.insert(leaf, columns.len());
        columns.push((name, rewrite(expr, &inner)));
    }
    (input.project(columns), places)
}

fn prune_keys(input: LogicalPlan, keys: Vec<SortKey>, needed: &Needed) -> (Box<LogicalPlan>, Vec<SortKey>, Places) {
    let mut below = needed.clone();
    keys.iter().for_each(|key| need(&key.expr, &mut below));
    let (input, places) = prune(input, &below);
    let keys = keys.into_iter().map(|key| SortKey { expr: rewrite(key.expr, &places), ..key }).collect();
    (Box::new(input), keys, places)
}

fn prune_aggregate(input: LogicalPlan, keys: Vec<Expr>, aggregates: Vec<AggregateExpr>, schema: Schema) -> LogicalPlan {
    let mut below = Needed::new();
    keys.iter().for_each(|key| need(key, &mut below));
    aggregates.iter().flat_map(|aggregate| &aggregate.arguments).for_each(|argument| need(argument, &mut below));
    let (input, places) = prune(input, &below);
    let keys = keys.into_iter().map(|key| rewrite(key, &places)).collect();
    let aggregates = aggregates
        .into_iter()
        .map(|aggregate| AggregateExpr {
            arguments: aggregate.arguments.into_iter().map(|argument| rewrite(argument, &places)).collect(),
            ..aggregate
        })
        .collect();
    LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, schema }
}

/// Each input answers exactly the needed leaves, in one order.
fn prune_union(inputs: Vec<LogicalPlan>, schema: &Schema, needed: &Needed) -> (LogicalPlan, Places) {
    let places: Places = needed.iter().enumerate().map(|(place, leaf)| (leaf.clone(), place)).collect();
    let fields: Vec<Field> = needed
        .iter()
        .map(|leaf| match &leaf.path {
            None => schema.field(leaf.column).clone(),
            Some(path) => Field::new(format!("{}{path}", schema.field(leaf.column).name), Type::Dynamic),
        })
        .collect();
    let schema = Schema::new(fields);
    let inputs = inputs
        .into_iter()
        .map(|input| {
            let types: Vec<Type> = input.schema().fields().iter().map(|field| field.ty).collect();
            let (input, inner) = prune(input, needed);
            let columns = needed
                .iter()
                .zip(schema.fields())
                .map(|(leaf, field)| (field.name.clone(), rewrite(leaf_expr(leaf, types[leaf.column]), &inner)));
            input.project(columns.collect::<Vec<_>>())
        })
        .collect();
    (LogicalPlan::Union { inputs, schema }, places)
}

fn leaf_expr(leaf: &Leaf, ty: Type) -> Expr {
    let column = Expr::column(leaf.column, ty, Span::default());
    match &leaf.path {
        None => column,
        Some(path) => column.path(path.clone(), Span::default()),
    }
}

fn prune_unnest(unnest: Unnest, needed: &Needed) -> (LogicalPlan, Places) {
    let mut below = Needed::new();
    unnest.items.iter().for_each(|item| need(&item.expr, &mut below));
    for leaf in needed {
        if let UnnestOutput::Input(column) = unnest.output[leaf.column] {
            below.insert(Leaf { column, path: leaf.path.clone() });
        }
    }
    let (input, inner) = prune(*unnest.input, &below);
    let items = unnest.items.into_iter().map(|item| UnnestItem { expr: rewrite(item.expr, &inner), ..item }).collect();
    let (mut output, mut fields, mut places) = (Vec::new(), Vec::new(), Places::new());
    for leaf in needed {
        let old = unnest.output[leaf.column];
        let pushed = match old {
            UnnestOutput::Input(column) => inner.get(&Leaf { column, path: leaf.path.clone() }).copied(),
            _ => None,
        };
        let (leaf, new, field) = match (old, pushed) {
            (UnnestOutput::Input(_), Some(place)) => {
                (leaf.clone(), UnnestOutput::Input(place), input.schema().field(place).clone())
            }
            (UnnestOutput::Input(column), None) => {
                let place = inner.get(&Leaf { column, path: None }).copied().unwrap_or_default();
                let whole = Leaf { column: leaf.column, path: None };
                (whole, UnnestOutput::Input(place), unnest.schema.field(leaf.column).clone())
            }
            (other, _) => (Leaf { column: leaf.column, path: None }, other, unnest.schema.field(leaf.column).clone()),
        };
        if places.contains_key(&leaf) {
            continue;
        }
        places.insert(leaf, output.len());
        output.push(new);
        fields.push(field);
    }
    let schema = Schema::new(fields);
    (LogicalPlan::Unnest(Unnest { input: Box::new(input), items, output, schema, ..unnest }), places)
}

/// Paths into columns of either side are taken before rows are matched: a row of nulls has nothing at any path.
fn prune_join(join: Join, needed: &Needed) -> (LogicalPlan, Places) {
    let Join { left, right, kind, keys, build, output, schema } = join;
    let below = |side: Side| {
        let mut below = Needed::new();
        keys.iter().for_each(|key| need(if side == Side::Left { &key.left } else { &key.right }, &mut below));
        let here = needed.iter().filter(|leaf| output[leaf.column].side == side);
        below.extend(here.map(|leaf| Leaf { column: output[leaf.column].column, path: leaf.path.clone() }));
        below
    };
    let (needed_left, needed_right) = (below(Side::Left), below(Side::Right));
    let (left, left_places) = prune(*left, &needed_left);
    let (right, right_places) = prune(*right, &needed_right);
    let (mut columns, mut fields, mut places) = (Vec::new(), Vec::new(), Places::new());
    for leaf in needed {
        let old = output[leaf.column];
        let (input, inner) = if old.side == Side::Left { (&left, &left_places) } else { (&right, &right_places) };
        let pushed = inner.get(&Leaf { column: old.column, path: leaf.path.clone() });
        let whole = || inner.get(&Leaf { column: old.column, path: None });
        let (leaf, place) = match pushed {
            Some(place) => (leaf.clone(), *place),
            None => (Leaf { column: leaf.column, path: None }, whole().copied().unwrap_or_default()),
        };
        if places.contains_key(&leaf) {
            continue;
        }
        let name = match &leaf.path {
            Some(_) => input.schema().field(place).name.clone(),
            None => schema.field(leaf.column).name.clone(),
        };
        places.insert(leaf, columns.len());
        columns.push(JoinColumn { side: old.side, column: place });
        fields.push(Field::new(name, input.schema().field(place).ty));
    }
    let keys = keys
        .into_iter()
        .map(|key| JoinKey { left: rewrite(key.left, &left_places), right: rewrite(key.right, &right_places) })
        .collect();
    let (left, right, schema) = (Box::new(left), Box::new(right), Schema::new(fields));
    (LogicalPlan::Join(Join { left, right, kind, keys, build, output: columns, schema }), places)
}

/// The pruned plan with the columns of `schema`, in its order.
fn restore(plan: LogicalPlan, places: &Places, schema: &Schema) -> LogicalPlan {
    if plan.schema() == schema {
        return plan;
    }
    let columns =
        schema.fields().iter().enumerate().map(|(column, field)| {
            (field.name.clone(), rewrite(Expr::column(column, field.ty, Span::default()), places))
        });
    plan.project(columns.collect::<Vec<_>>())
}
