//! Column pruning: scans read only the columns that are used, and of dynamic columns only the paths that are used.
//!
//! The rule goes from the root of the plan down, with the columns and paths that are needed from each node. For each
//! node it returns the pruned node, and the positions of these columns and paths in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Result, Span};
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::EvalContext;
use crate::plan::{
    AggregateExpr, Join, JoinColumn, JoinKey, LogicalPlan, Parse, ParseOutput, PerRow, PerRowOutput, RecordColumn,
    RowColumns, Scan, Sequence, Series, Side, SortKey, TableCall, Unnest, UnnestItem, UnnestOutput, Window, WindowCall,
    per_row,
};
use crate::scan::ScanColumn;
use crate::types::dynamic::Path;
use crate::types::{Field, Schema, Type};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    let schema = plan.schema().clone();
    let needed: Needed = (0..schema.len()).map(|column| ColumnOrPath { column, path: None }).collect();
    let (plan, positions) = prune(plan, &needed)?;
    Ok(restore(plan, &positions, &schema))
}

/// A column, or a path into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ColumnOrPath {
    column: usize,
    path: Option<Path>,
}

type Needed = BTreeSet<ColumnOrPath>;
/// For each needed column or path, its position in the output of the pruned node.
type Positions = BTreeMap<ColumnOrPath, usize>;

/// Adds the columns and paths that `expr` reads to `needed`.
fn need(expr: &Expr, needed: &mut Needed) {
    match leaf(expr) {
        Some(leaf) => {
            needed.insert(leaf);
        }
        None => expr_visit::children(expr).into_iter().for_each(|child| need(child, needed)),
    }
}

fn leaf(expr: &Expr) -> Option<ColumnOrPath> {
    match &expr.kind {
        ExprKind::Column(column) => Some(ColumnOrPath { column: *column, path: None }),
        ExprKind::Path { input, path } => {
            input.as_column().map(|column| ColumnOrPath { column, path: Some(path.clone()) })
        }
        _ => None,
    }
}

/// Rewrites `expr`, so that it reads the columns of the pruned input.
fn rewrite(expr: Expr, positions: &Positions) -> Expr {
    if let Some(leaf) = leaf(&expr)
        && let Some(position) = positions.get(&leaf)
    {
        return Expr::column(*position, expr.ty, expr.span);
    }
    // A path that was not pushed down is taken from the whole column.
    let rewritten =
        expr_visit::map_children(expr, &mut |child| Ok::<_, std::convert::Infallible>(rewrite(child, positions)));
    match rewritten {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}

fn prune(plan: LogicalPlan, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    Ok(match plan {
        LogicalPlan::Scan(scan) => prune_scan(scan, needed),
        LogicalPlan::Project { input, expressions, schema } => prune_project(*input, expressions, &schema, needed)?,
        LogicalPlan::Filter { input, predicate } => {
            let mut below = needed.clone();
            need(&predicate, &mut below);
            let (input, positions) = prune(*input, &below)?;
            (input.filter(rewrite(predicate, &positions)), positions)
        }
        LogicalPlan::Sort { input, keys } => {
            let (input, keys, positions) = prune_keys(*input, keys, needed)?;
            (LogicalPlan::Sort { input, keys }, positions)
        }
        LogicalPlan::Top { input, keys, count } => {
            let (input, keys, positions) = prune_keys(*input, keys, needed)?;
            (LogicalPlan::Top { input, keys, count }, positions)
        }
        LogicalPlan::Limit { input, count } => {
            let (input, positions) = prune(*input, needed)?;
            (LogicalPlan::Limit { input: Box::new(input), count }, positions)
        }
        LogicalPlan::Aggregate { input, keys, aggregates, schema } => {
            let plan = prune_aggregate(*input, keys, aggregates, schema)?;
            let positions = whole_columns(needed);
            (plan, positions)
        }
        LogicalPlan::Union { inputs, schema } => prune_union(inputs, &schema, needed)?,
        LogicalPlan::Unnest(unnest) => prune_unnest(unnest, needed)?,
        LogicalPlan::Parse(parse) => prune_parse(parse, needed)?,
        LogicalPlan::Join(join) => prune_join(join, needed)?,
        LogicalPlan::TableCall(call) => prune_table_call(call, needed)?,
        LogicalPlan::Series(series) => {
            let schema = series.input.schema().clone();
            let all: Needed = (0..schema.len()).map(|column| ColumnOrPath { column, path: None }).collect();
            let (input, positions) = prune(*series.input, &all)?;
            let input = Box::new(restore(input, &positions, &schema));
            (LogicalPlan::Series(Series { input, ..series }), whole_columns(needed))
        }
        LogicalPlan::Window(window) => prune_window(window, needed)?,
        LogicalPlan::Sequence(sequence) => prune_sequence(sequence, needed)?,
        LogicalPlan::PerRow(per_row) => prune_per_row(per_row, needed)?,
        LogicalPlan::Rows(rows) => prune_rows(rows, needed),
    })
}

/// Returns the positions for a node that cannot be pruned: all columns stay where they are, and paths are extracted
/// above.
fn whole_columns(needed: &Needed) -> Positions {
    needed.iter().map(|leaf| (ColumnOrPath { column: leaf.column, path: None }, leaf.column)).collect()
}

fn prune_scan(scan: Scan, needed: &Needed) -> (LogicalPlan, Positions) {
    let mut columns = Vec::new();
    let mut fields = Vec::new();
    let mut positions = Positions::new();
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
        positions.insert(leaf.clone(), columns.len());
        columns.push(column);
        fields.push(field);
    }
    (LogicalPlan::Scan(Scan { columns, schema: Schema::new(fields), ..scan }), positions)
}

fn prune_project(
    input: LogicalPlan,
    expressions: Vec<Expr>,
    schema: &Schema,
    needed: &Needed,
) -> Result<(LogicalPlan, Positions)> {
    let mut kept: Vec<(ColumnOrPath, Expr, String)> = Vec::new();
    let mut below = Needed::new();
    for leaf in needed {
        let expr = &expressions[leaf.column];
        // A path into a column that is only passed on becomes a path into the input.
        let (expr, name) = match (&leaf.path, self::leaf(expr)) {
            (None, _) => (expr.clone(), schema.field(leaf.column).name.clone()),
            (Some(path), Some(_)) => {
                (expr.clone().path(path.clone(), expr.span), format!("{}{path}", schema.field(leaf.column).name))
            }
            (Some(_), None) => {
                let whole = ColumnOrPath { column: leaf.column, path: None };
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
    let (input, inner) = prune(input, &below)?;
    let mut positions = Positions::new();
    let mut columns = Vec::new();
    for (leaf, expr, name) in kept {
        positions.insert(leaf, columns.len());
        columns.push((name, rewrite(expr, &inner)));
    }
    Ok((input.project(columns), positions))
}

fn prune_keys(
    input: LogicalPlan,
    keys: Vec<SortKey>,
    needed: &Needed,
) -> Result<(Box<LogicalPlan>, Vec<SortKey>, Positions)> {
    let mut below = needed.clone();
    keys.iter().for_each(|key| need(&key.expr, &mut below));
    let (input, positions) = prune(input, &below)?;
    let keys = keys.into_iter().map(|key| SortKey { expr: rewrite(key.expr, &positions), ..key }).collect();
    Ok((Box::new(input), keys, positions))
}

fn prune_aggregate(
    input: LogicalPlan,
    keys: Vec<Expr>,
    aggregates: Vec<AggregateExpr>,
    schema: Schema,
) -> Result<LogicalPlan> {
    let mut below = Needed::new();
    keys.iter().for_each(|key| need(key, &mut below));
    aggregates.iter().flat_map(|aggregate| &aggregate.arguments).for_each(|argument| need(argument, &mut below));
    let (input, positions) = prune(input, &below)?;
    let keys = keys.into_iter().map(|key| rewrite(key, &positions)).collect();
    let aggregates = aggregates
        .into_iter()
        .map(|aggregate| AggregateExpr {
            arguments: aggregate.arguments.into_iter().map(|argument| rewrite(argument, &positions)).collect(),
            ..aggregate
        })
        .collect();
    Ok(LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, schema })
}

/// Prunes a union: each input returns exactly the needed columns and paths, in the same order.
fn prune_union(inputs: Vec<LogicalPlan>, schema: &Schema, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let positions: Positions = needed.iter().enumerate().map(|(position, leaf)| (leaf.clone(), position)).collect();
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
            let (input, inner) = prune(input, needed)?;
            let columns = needed.iter().zip(schema.fields()).map(|(leaf, field)| {
                (field.name.clone(), rewrite(column_or_path_expr(leaf, types[leaf.column]), &inner))
            });
            Ok(input.project(columns.collect::<Vec<_>>()))
        })
        .collect::<Result<_>>()?;
    Ok((LogicalPlan::Union { inputs, schema }, positions))
}

fn column_or_path_expr(leaf: &ColumnOrPath, ty: Type) -> Expr {
    let column = Expr::column(leaf.column, ty, Span::default());
    match &leaf.path {
        None => column,
        Some(path) => column.path(path.clone(), Span::default()),
    }
}

fn prune_unnest(unnest: Unnest, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let mut below = needed_of_input(&unnest.output, UnnestOutput::as_input, needed);
    unnest.items.iter().for_each(|item| need(&item.expr, &mut below));
    let (input, inner) = prune(*unnest.input, &below)?;
    let items = unnest.items.into_iter().map(|item| UnnestItem { expr: rewrite(item.expr, &inner), ..item }).collect();
    let pruned = PrunedInput { schema: input.schema(), positions: &inner };
    let (output, schema, positions) =
        pruned.outputs(&unnest.output, UnnestOutput::as_input, UnnestOutput::Input, &unnest.schema, needed);
    Ok((LogicalPlan::Unnest(Unnest { input: Box::new(input), items, output, schema, ..unnest }), positions))
}

/// Prunes a table call: the kept columns of the input are pruned, but not the columns of the function.
fn prune_table_call(call: TableCall, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let mut below = Needed::new();
    call.arguments.iter().for_each(|argument| need(argument, &mut below));
    let is_kept = |leaf: &&ColumnOrPath| leaf.column < call.kept.len();
    let source = |leaf: &ColumnOrPath| ColumnOrPath { column: call.kept[leaf.column], path: leaf.path.clone() };
    below.extend(needed.iter().filter(is_kept).map(source));
    let (input, inner) = prune(*call.input, &below)?;
    let arguments = call.arguments.into_iter().map(|argument| rewrite(argument, &inner)).collect();
    let (mut kept, mut fields, mut positions) = (Vec::new(), Vec::new(), Positions::new());
    for leaf in needed.iter().filter(|leaf| leaf.column < call.kept.len()) {
        let old = call.kept[leaf.column];
        let pushed = inner.get(&ColumnOrPath { column: old, path: leaf.path.clone() });
        let whole = || inner.get(&ColumnOrPath { column: old, path: None });
        let (leaf, position) = match pushed {
            Some(position) => (leaf.clone(), *position),
            None => (ColumnOrPath { column: leaf.column, path: None }, whole().copied().unwrap_or_default()),
        };
        if positions.contains_key(&leaf) {
            continue;
        }
        let name = match &leaf.path {
            Some(_) => input.schema().field(position).name.clone(),
            None => call.schema.field(leaf.column).name.clone(),
        };
        positions.insert(leaf, kept.len());
        kept.push(position);
        fields.push(Field::new(name, input.schema().field(position).ty));
    }
    for column in call.kept.len()..call.schema.len() {
        positions.insert(ColumnOrPath { column, path: None }, fields.len());
        fields.push(call.schema.field(column).clone());
    }
    let (input, schema) = (Box::new(input), Schema::new(fields));
    Ok((LogicalPlan::TableCall(TableCall { input, arguments, kept, schema, ..call }), positions))
}

/// Prunes a parse. If it keeps all rows and none of its columns is used, it is removed.
fn prune_parse(parse: Parse, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let mut below = needed_of_input(&parse.output, ParseOutput::as_input, needed);
    let is_used = needed.iter().any(|leaf| parse.output[leaf.column].as_capture().is_some());
    if !is_used && !parse.drops_unmatched {
        let (input, inner) = prune(*parse.input, &below)?;
        let column = |leaf: &ColumnOrPath| parse.output[leaf.column].as_input();
        let positions = needed.iter().filter_map(|leaf| position_in(&inner, column(leaf)?, leaf));
        return Ok((input, positions.collect()));
    }
    need(&parse.source, &mut below);
    let (input, inner) = prune(*parse.input, &below)?;
    let source = rewrite(parse.source, &inner);
    let pruned = PrunedInput { schema: input.schema(), positions: &inner };
    let (output, schema, positions) =
        pruned.outputs(&parse.output, ParseOutput::as_input, ParseOutput::Input, &parse.schema, needed);
    Ok((LogicalPlan::Parse(Parse { input: Box::new(input), source, output, schema, ..parse }), positions))
}

/// Returns the columns and paths that are needed from the input of a node that passes columns on. `as_input` returns
/// the input column of an output column.
fn needed_of_input<T: Copy>(output: &[T], as_input: fn(T) -> Option<usize>, needed: &Needed) -> Needed {
    let passed_on = |leaf: &ColumnOrPath| {
        as_input(output[leaf.column]).map(|column| ColumnOrPath { column, path: leaf.path.clone() })
    };
    needed.iter().filter_map(passed_on).collect()
}

/// Returns where the input has the needed `leaf`, which is its column `column`: at the path of `leaf`, or as a whole
/// column if the path was not pushed down. None if the input does not have it.
fn position_in(inner: &Positions, column: usize, leaf: &ColumnOrPath) -> Option<(ColumnOrPath, usize)> {
    match inner.get(&ColumnOrPath { column, path: leaf.path.clone() }) {
        Some(position) => Some((leaf.clone(), *position)),
        None => {
            let whole = ColumnOrPath { column: leaf.column, path: None };
            Some((whole, *inner.get(&ColumnOrPath { column, path: None })?))
        }
    }
}

/// The pruned input of a node that passes columns on and adds columns of its own.
struct PrunedInput<'a> {
    schema: &'a Schema,
    positions: &'a Positions,
}

impl PrunedInput<'_> {
    /// Returns the columns of `output` that stay, their schema, and the position of each. `schema` has the names of the
    /// columns.
    fn outputs<T: Copy>(
        &self,
        output: &[T],
        as_input: fn(T) -> Option<usize>,
        from_input: fn(usize) -> T,
        schema: &Schema,
        needed: &Needed,
    ) -> (Vec<T>, Schema, Positions) {
        let (mut kept, mut fields, mut positions) = (Vec::new(), Vec::new(), Positions::new());
        for leaf in needed {
            let old = output[leaf.column];
            let (leaf, new, field) = match as_input(old).and_then(|column| position_in(self.positions, column, leaf)) {
                Some((leaf, position)) if leaf.path.is_some() => {
                    (leaf, from_input(position), self.schema.field(position).clone())
                }
                Some((leaf, position)) => (leaf.clone(), from_input(position), schema.field(leaf.column).clone()),
                None => (ColumnOrPath { column: leaf.column, path: None }, old, schema.field(leaf.column).clone()),
            };
            if positions.contains_key(&leaf) {
                continue;
            }
            positions.insert(leaf, kept.len());
            kept.push(new);
            fields.push(field);
        }
        (kept, Schema::new(fields), positions)
    }
}

/// Prunes a window. Its output has the columns of the pruned input first, and then those of the calls that are needed.
fn prune_window(window: Window, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let inputs = window.input.schema().len();
    let (mut below, above): (Needed, Needed) = needed.iter().cloned().partition(|leaf| leaf.column < inputs);
    let kept: BTreeSet<usize> = above.iter().map(|leaf| leaf.column).collect();
    let calls: Vec<(usize, WindowCall)> = (inputs..).zip(window.calls).filter(|(at, _)| kept.contains(at)).collect();
    calls
        .iter()
        .flat_map(|(_, call)| call.expressions())
        .chain(&window.segment)
        .for_each(|expr| need(expr, &mut below));
    let (input, mut positions) = prune(*window.input, &below)?;
    let rewritten = |expr: Option<Expr>| expr.map(|expr| rewrite(expr, &positions));
    let segment = window.segment.into_iter().map(|number| rewrite(number, &positions)).collect();
    let columns: Vec<usize> = calls.iter().map(|(column, _)| *column).collect();
    let calls = calls.into_iter().map(|(_, call)| {
        let (term, restart) = (rewritten(call.term), rewritten(call.restart));
        WindowCall { term, restart, ..call }
    });
    let calls = calls.collect();
    let first = input.schema().len();
    let own = columns.into_iter().enumerate();
    positions.extend(own.map(|(position, column)| (ColumnOrPath { column, path: None }, first + position)));
    Ok((LogicalPlan::Window(Window::new(input, calls, segment)), positions))
}

/// Prunes a scan of sequences. Its output has the columns of the pruned input first, and then all columns of the steps.
fn prune_sequence(sequence: Sequence, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let inputs = sequence.input.schema().len();
    let whole = |column: usize| ColumnOrPath { column, path: None };
    let mut below: Needed = needed.iter().filter(|leaf| leaf.column < inputs).cloned().collect();
    sequence.expressions().for_each(|expr| need(expr, &mut below));
    // Columns after those of the input are values of earlier records.
    below.retain(|leaf| leaf.column < inputs);
    below.extend(sequence.state.iter().filter_map(|state| match state.column {
        RecordColumn::Input(column) => Some(whole(column)),
        RecordColumn::Declared(_) => None,
    }));
    let (input, positions) = prune(*sequence.input, &below)?;
    let first = input.schema().len();
    let sequence = Sequence { input: Box::new(input), ..sequence };
    let mut inside = positions.clone();
    inside.extend((0..sequence.state.len()).map(|state| (whole(inputs + state), first + state)));
    let mut sequence = sequence.map_expressions(&mut |expr| Ok(rewrite(expr, &inside)))?;
    for state in &mut sequence.state {
        if let RecordColumn::Input(column) = &mut state.column {
            *column = positions.get(&whole(*column)).copied().unwrap_or_default();
        }
    }
    let own = sequence.schema.fields()[inputs..].to_vec();
    let mut above = positions;
    above.extend((0..own.len()).map(|at| (whole(inputs + at), first + at)));
    let schema = Schema::new(sequence.input.schema().fields().iter().cloned().chain(own));
    Ok((LogicalPlan::Sequence(Sequence { schema, ..sequence }), above))
}

/// Prunes a per-row node. The body returns its needed columns and the number of the row; the input also returns the
/// columns that the body reads.
fn prune_per_row(per_row: PerRow, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    let PerRow { input, body, output, schema } = per_row;
    let body_schema = body.schema().clone();
    let whole = |column: usize| ColumnOrPath { column, path: None };
    let (mut below, mut inside) = (Needed::new(), Needed::from([whole(body_schema.len() - 1)]));
    for leaf in needed {
        match output[leaf.column] {
            PerRowOutput::Input(column) => below.insert(ColumnOrPath { column, path: leaf.path.clone() }),
            PerRowOutput::Body(column) => inside.insert(whole(column)),
        };
    }
    let (body, inner) = prune(*body, &inside)?;
    let columns = inside.iter().map(|leaf| {
        let field = body_schema.field(leaf.column);
        (field.name.clone(), rewrite(Expr::column(leaf.column, field.ty, Span::default()), &inner))
    });
    let body = body.project(columns.collect::<Vec<_>>());
    per_row::row_columns(&body, &mut |rows| rows.columns.iter().for_each(|column| need(column, &mut below)));
    let (input, outer) = prune(*input, &below)?;
    let over_pruned = |rows: RowColumns| {
        let columns = rows.columns.into_iter().map(|column| rewrite(column, &outer)).collect();
        RowColumns { columns, ..rows }
    };
    let body = per_row::map_row_columns(body, &over_pruned)?;
    let (mut sources, mut fields, mut positions) = (Vec::new(), Vec::new(), Positions::new());
    for leaf in needed {
        let field = schema.field(leaf.column);
        let (leaf, source, field) = match output[leaf.column] {
            PerRowOutput::Input(column) => match outer.get(&ColumnOrPath { column, path: leaf.path.clone() }) {
                Some(position) => {
                    (leaf.clone(), PerRowOutput::Input(*position), input.schema().field(*position).clone())
                }
                None => {
                    let position = outer.get(&whole(column)).copied().unwrap_or_default();
                    (whole(leaf.column), PerRowOutput::Input(position), field.clone())
                }
            },
            PerRowOutput::Body(column) => {
                let position = inside.iter().position(|kept| kept.column == column).unwrap_or_default();
                (whole(leaf.column), PerRowOutput::Body(position), field.clone())
            }
        };
        if positions.contains_key(&leaf) {
            continue;
        }
        positions.insert(leaf, sources.len());
        sources.push(source);
        fields.push(field);
    }
    let (input, body, schema) = (Box::new(input), Box::new(body), Schema::new(fields));
    Ok((LogicalPlan::PerRow(PerRow { input, body, output: sources, schema }), positions))
}

/// Prunes the rows that a body begins with: only needed columns and paths stay, and the number of the row.
fn prune_rows(rows: RowColumns, needed: &Needed) -> (LogicalPlan, Positions) {
    let number = rows.columns.len();
    let (mut columns, mut fields, mut positions) = (Vec::new(), Vec::new(), Positions::new());
    for leaf in needed.iter().filter(|leaf| leaf.column < number) {
        let (column, field) = (rows.columns[leaf.column].clone(), rows.schema.field(leaf.column).clone());
        let (column, field) = match &leaf.path {
            None => (column, field),
            Some(path) => {
                let span = column.span;
                (column.path(path.clone(), span), Field::new(format!("{}{path}", field.name), Type::Dynamic))
            }
        };
        positions.insert(leaf.clone(), columns.len());
        columns.push(column);
        fields.push(field);
    }
    let is_numbered = rows.is_numbered();
    let pruned = RowColumns { columns, schema: Schema::new(fields) };
    if is_numbered {
        positions.insert(ColumnOrPath { column: number, path: None }, pruned.columns.len());
    }
    (LogicalPlan::Rows(if is_numbered { pruned.numbered() } else { pruned }), positions)
}

/// Prunes a join. Paths are extracted below it, which is correct for a row of nulls, too: it is null at every path.
fn prune_join(join: Join, needed: &Needed) -> Result<(LogicalPlan, Positions)> {
    // The windows of joins are found last.
    let Join { left, right, kind, keys, build, output, schema, window: _ } = join;
    let below = |side: Side| {
        let mut below = Needed::new();
        keys.iter().for_each(|key| need(if side == Side::Left { &key.left } else { &key.right }, &mut below));
        let here = needed.iter().filter(|leaf| output[leaf.column].side == side);
        below.extend(here.map(|leaf| ColumnOrPath { column: output[leaf.column].column, path: leaf.path.clone() }));
        below
    };
    let (needed_left, needed_right) = (below(Side::Left), below(Side::Right));
    let (left, left_positions) = prune(*left, &needed_left)?;
    let (right, right_positions) = prune(*right, &needed_right)?;
    let (mut columns, mut fields, mut positions) = (Vec::new(), Vec::new(), Positions::new());
    for leaf in needed {
        let old = output[leaf.column];
        let (input, inner) = if old.side == Side::Left { (&left, &left_positions) } else { (&right, &right_positions) };
        let pushed = inner.get(&ColumnOrPath { column: old.column, path: leaf.path.clone() });
        let whole = || inner.get(&ColumnOrPath { column: old.column, path: None });
        let (leaf, position) = match pushed {
            Some(position) => (leaf.clone(), *position),
            None => (ColumnOrPath { column: leaf.column, path: None }, whole().copied().unwrap_or_default()),
        };
        if positions.contains_key(&leaf) {
            continue;
        }
        let name = match &leaf.path {
            Some(_) => input.schema().field(position).name.clone(),
            None => schema.field(leaf.column).name.clone(),
        };
        positions.insert(leaf, columns.len());
        columns.push(JoinColumn { side: old.side, column: position });
        fields.push(Field::new(name, input.schema().field(position).ty));
    }
    let keys = keys
        .into_iter()
        .map(|key| JoinKey { left: rewrite(key.left, &left_positions), right: rewrite(key.right, &right_positions) })
        .collect();
    let (left, right, schema) = (Box::new(left), Box::new(right), Schema::new(fields));
    let join = Join { left, right, kind, keys, build, output: columns, schema, window: None };
    Ok((LogicalPlan::Join(join), positions))
}

/// Adds a projection that restores the columns of `schema`, unless the pruned plan has exactly these columns.
fn restore(plan: LogicalPlan, positions: &Positions, schema: &Schema) -> LogicalPlan {
    if plan.schema() == schema {
        return plan;
    }
    let columns = schema.fields().iter().enumerate().map(|(column, field)| {
        (field.name.clone(), rewrite(Expr::column(column, field.ty, Span::default()), positions))
    });
    plan.project(columns.collect::<Vec<_>>())
}
