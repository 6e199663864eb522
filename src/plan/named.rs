//! The columns that the conditions and computations of a query use, by name, and the paths in them.

use std::collections::BTreeSet;

use super::{LogicalPlan, Scan, visit};
use crate::expr::{self, Expr, ExprKind};
use crate::functions::scalar::json_path;
use crate::scan::{NamedColumns, ScanColumn};
use crate::types::{Value, dynamic};

/// Functions that are transparent for paths: a path into their result is a path into their argument.
const PARSERS: [&str; 2] = ["parse_json", "tostring"];

/// Returns the names of the columns by which rows are filtered, sorted, grouped or joined, or from which something is
/// computed. Columns that are only passed on, as all columns are by `*`, do not count.
#[must_use]
pub fn named_columns(plan: &LogicalPlan) -> NamedColumns {
    let mut named = NamedColumns::default();
    add(plan, &mut named.columns);
    add_paths(plan, &mut named.paths);
    named
}

/// Adds the paths that the query looks up in columns of tables, which are dynamic columns or strings that it parses.
fn add_paths(plan: &LogicalPlan, paths: &mut BTreeSet<(String, dynamic::Path)>) {
    let inputs = visit::inputs(plan);
    let mut add = |expr: &Expr, column: &dyn Fn(usize) -> Option<(String, dynamic::Path)>| {
        expr::visit::walk(expr, &mut |part| {
            let found = path_of(part, column).filter(|(_, path)| !path.steps.is_empty());
            paths.extend(found);
        });
    };
    match (plan, &inputs[..]) {
        (LogicalPlan::Scan(scan), _) => {
            let filter = scan.filter.iter();
            filter.for_each(|filter| add(&filter.predicate, &|index| source(scan, &filter.columns, index)));
        }
        (_, [input]) => {
            visit::expressions(plan).into_iter().for_each(|expr| add(expr, &|index| column_of(input, index)));
        }
        _ => {}
    }
    inputs.into_iter().for_each(|input| add_paths(input, paths));
}

/// Returns the table column and the path in it that an expression reads; None if it reads anything else. `column`
/// returns them for a column of the input.
fn path_of(expr: &Expr, column: &dyn Fn(usize) -> Option<(String, dynamic::Path)>) -> Option<(String, dynamic::Path)> {
    let (input, steps) = match &expr.kind {
        ExprKind::Column(index) => return column(*index),
        ExprKind::Path { input, path } => (&**input, path.steps.clone()),
        ExprKind::Cast(input) => (&**input, Vec::new()),
        ExprKind::Call { function, arguments, .. } => match (function.name, &arguments[..]) {
            (name, [input, ..]) if PARSERS.contains(&name) => (input, Vec::new()),
            ("extract_json", [path, input, ..]) => {
                (input, path.as_literal().and_then(Value::as_str).and_then(json_path::parse)?)
            }
            _ => return None,
        },
        ExprKind::Literal(_) | ExprKind::Shared { .. } | ExprKind::Reference(_) => return None,
    };
    let (name, mut path) = path_of(input, column)?;
    path.steps.extend(steps);
    Some((name, path))
}

/// Returns the table column, and the path in it, that the column at `index` of a plan's rows contains; None if it is
/// anything else.
fn column_of(plan: &LogicalPlan, index: usize) -> Option<(String, dynamic::Path)> {
    match plan {
        LogicalPlan::Scan(scan) => source(scan, &scan.columns, index),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. }
        | LogicalPlan::Top { input, .. } => column_of(input, index),
        LogicalPlan::Project { input, expressions, .. } => {
            path_of(expressions.get(index)?, &|index| column_of(input, index))
        }
        _ => None,
    }
}

fn source(scan: &Scan, columns: &[ScanColumn], index: usize) -> Option<(String, dynamic::Path)> {
    let (column, path) = match columns.get(index)? {
        ScanColumn::Column(column) => (*column, dynamic::Path::default()),
        ScanColumn::Path { column, path, .. } => (*column, path.clone()),
    };
    Some((scan.table.schema().fields().get(column)?.name.clone(), path))
}

fn add(plan: &LogicalPlan, names: &mut BTreeSet<String>) {
    let inputs = visit::inputs(plan);
    let mut name = |expr: &Expr, input: &LogicalPlan| {
        let columns = expr::visit::columns(expr).into_iter();
        names.extend(columns.filter_map(|column| input.schema().fields().get(column)).map(|field| field.name.clone()));
    };
    match (plan, &inputs[..]) {
        // Each half of a key refers to its own side.
        (LogicalPlan::Join(join), _) => {
            for key in &join.keys {
                name(&key.left, &join.left);
                name(&key.right, &join.right);
            }
        }
        (LogicalPlan::Aggregate { keys, aggregates, .. }, [input]) => {
            let computed = aggregates.iter().flat_map(|aggregate| &aggregate.arguments);
            keys.iter().chain(computed.filter(|argument| !is_passed_on(argument))).for_each(|expr| name(expr, input));
        }
        (LogicalPlan::Project { expressions, .. }, [input]) => {
            expressions.iter().filter(|expr| !is_passed_on(expr)).for_each(|expr| name(expr, input));
        }
        (_, [input]) => visit::expressions(plan).into_iter().for_each(|expr| name(expr, input)),
        // A scan knows the columns of its own filter.
        _ => {}
    }
    inputs.into_iter().for_each(|input| add(input, names));
}

fn is_passed_on(expr: &Expr) -> bool {
    expr.as_column().is_some()
}
