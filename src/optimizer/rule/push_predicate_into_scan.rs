//! Moves filters into scans. A scan gets the exact filter of rows, and predicates that follow from it and let sources
//! skip rows.

use super::push_down_filter::conjuncts;
use crate::diagnostic::Result;
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, Scan, ScanFilter, visit};
use crate::scan::{Comparison, Predicate, ScanColumn};
use crate::types::{Type, Value};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Filter { input, predicate } if predicate.is_repeatable() => match *input {
                LogicalPlan::Scan(scan) if scan.filter.is_none() && scan.limit.is_none() => {
                    LogicalPlan::Scan(with_filter(scan, predicate))
                }
                other => other.filter(predicate),
            },
            other => other,
        })
    })
}

fn with_filter(mut scan: Scan, predicate: Expr) -> Scan {
    let used = expr_visit::columns(&predicate);
    let columns: Vec<ScanColumn> = used.iter().map(|index| scan.columns[*index].clone()).collect();
    let replacements: Vec<Expr> = (0..scan.schema.len())
        .map(|index| {
            let position = used.iter().position(|column| *column == index).unwrap_or_default();
            Expr::column(position, scan.schema.field(index).ty, predicate.span)
        })
        .collect();
    scan.prune = conjuncts(predicate.clone()).iter().filter_map(|part| implied(part, &scan)).collect();
    let predicate = expr_visit::substitute(predicate, &replacements);
    scan.filter = Some(ScanFilter { columns, predicate });
    scan
}

/// Returns a predicate for sources that is true for every row for which `expr` is true; None if there is none.
fn implied(expr: &Expr, scan: &Scan) -> Option<Predicate> {
    let (name, arguments) = expr.as_call()?;
    match (name, arguments) {
        ("and", parts) => {
            let known: Vec<Predicate> = parts.iter().filter_map(|part| implied(part, scan)).collect();
            (!known.is_empty()).then_some(Predicate::All(known))
        }
        ("or", parts) => {
            let possible = parts.iter().filter(|part| part.as_literal() != Some(&Value::Bool(false)));
            let known = possible.map(|part| implied(part, scan)).collect::<Option<Vec<_>>>()?;
            (!known.is_empty()).then(|| any(known))
        }
        ("==" | "<" | "<=" | ">" | ">=", [left, right]) => match (column(left, scan), right.as_literal()) {
            (Some(column), Some(value)) => compare(name, column, value),
            _ => match (left.as_literal(), column(right, scan)) {
                (Some(value), Some(column)) => compare(flipped(name), column, value),
                _ => None,
            },
        },
        ("between", [value, low, high]) => {
            let column = column(value, scan)?;
            let low = compare(">=", column, low.as_literal()?);
            let high = match (low.as_ref(), high.as_literal()?) {
                // A timespan above a datetime counts from the lower bound.
                (Some(Predicate::Compare { value: Value::Datetime(from), .. }), Value::Timespan(span)) => {
                    compare("<=", column, &Value::Datetime(from.checked_add(*span)?))
                }
                (_, high) => compare("<=", column, high),
            };
            let known: Vec<Predicate> = low.into_iter().chain(high).collect();
            (!known.is_empty()).then_some(Predicate::All(known))
        }
        ("in" | "in~", [value, list @ ..]) => one_of(column(value, scan)?, list, name == "in"),
        ("=~", [left, right]) => {
            let values = vec![string_literal(right)?];
            Some(Predicate::OneOf { column: column(left, scan)?.index, values, case_sensitive: false })
        }
        ("has" | "contains" | "startswith" | "endswith" | "hasprefix" | "hassuffix", [left, right]) => {
            contains(left, right, false, scan)
        }
        (
            "has_cs" | "contains_cs" | "startswith_cs" | "endswith_cs" | "hasprefix_cs" | "hassuffix_cs",
            [left, right],
        ) => contains(left, right, true, scan),
        _ => None,
    }
}

/// A column of a table, by position, with its type.
#[derive(Clone, Copy)]
struct TypedColumn {
    index: usize,
    ty: Type,
}

/// Returns the table column that an expression is; None for a path or any other expression.
fn column(expr: &Expr, scan: &Scan) -> Option<TypedColumn> {
    match scan.columns.get(expr.as_column()?)? {
        ScanColumn::Column(index) => Some(TypedColumn { index: *index, ty: expr.ty }),
        ScanColumn::Path { .. } => None,
    }
}

fn flipped(symbol: &str) -> &str {
    match symbol {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

fn compare(symbol: &str, column: TypedColumn, value: &Value) -> Option<Predicate> {
    let value = as_type(value, column.ty)?;
    let comparison = match symbol {
        "==" => Comparison::Equal,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    };
    Some(Predicate::Compare { column: column.index, comparison, value })
}

/// Converts `value` to the type of the column with which it is compared; None if the comparison would have another
/// meaning.
fn as_type(value: &Value, ty: Type) -> Option<Value> {
    match (value, ty) {
        (Value::Null(_), _) | (_, Type::Dynamic) => None,
        (value, ty) if value.ty() == ty => Some(value.clone()),
        // A string column is compared with the number as a string.
        (Value::Long(_) | Value::Int(_), Type::String) => Some(Value::string(value.to_text())),
        (Value::Int(number), Type::Long) => Some(Value::Long(i64::from(*number))),
        (Value::Long(number), Type::Int) => i32::try_from(*number).ok().map(Value::Int),
        _ => None,
    }
}

fn one_of(column: TypedColumn, list: &[Expr], case_sensitive: bool) -> Option<Predicate> {
    let values: Vec<Value> = list.iter().map(|item| as_type(item.as_literal()?, column.ty)).collect::<Option<_>>()?;
    (!values.is_empty()).then_some(Predicate::OneOf { column: column.index, values, case_sensitive })
}

fn string_literal(expr: &Expr) -> Option<Value> {
    expr.as_literal().filter(|value| value.ty() == Type::String).cloned()
}

fn contains(left: &Expr, right: &Expr, case_sensitive: bool, scan: &Scan) -> Option<Predicate> {
    let column = match &left.kind {
        // A dynamic value is searched as its JSON text.
        ExprKind::Cast(input) if left.ty == Type::String && input.ty == Type::Dynamic => column(input, scan)?,
        _ => column(left, scan)?,
    };
    let Value::String(needle) = string_literal(right)? else { return None };
    (column.ty.is_text() && !needle.is_empty()).then(|| Predicate::Contains {
        column: column.index,
        needle: needle.to_string(),
        case_sensitive,
    })
}

/// Joins predicates with `or`; comparisons of one column with `==` become a list of values.
fn any(parts: Vec<Predicate>) -> Predicate {
    let mut merged: Option<(usize, Vec<Value>)> = None;
    for part in &parts {
        let (column, values) = match part {
            Predicate::Compare { column, comparison: Comparison::Equal, value } => (*column, vec![value.clone()]),
            Predicate::OneOf { column, values, case_sensitive: true } => (*column, values.clone()),
            _ => return Predicate::Any(parts),
        };
        match &mut merged {
            None => merged = Some((column, values)),
            Some((same, all)) if *same == column => all.extend(values),
            Some(_) => return Predicate::Any(parts),
        }
    }
    match merged {
        Some((column, values)) => Predicate::OneOf { column, values, case_sensitive: true },
        None => Predicate::Any(parts),
    }
}
