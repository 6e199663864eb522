//! The plan as an indented tree.

use std::fmt::Write;

use super::{AggregateExpr, LogicalPlan, Scan, SortKey, Unnest, visit};
use crate::source::{Predicate, ScanColumn};
use crate::types::Schema;

/// One line a node, inputs below and indented.
#[must_use]
pub fn explain(plan: &LogicalPlan) -> String {
    let mut text = String::new();
    write_node(plan, 0, &mut text);
    text
}

fn write_node(plan: &LogicalPlan, depth: usize, text: &mut String) {
    let _ = writeln!(text, "{:indent$}{}", "", line(plan), indent = depth * 2);
    for input in visit::inputs(plan) {
        write_node(input, depth + 1, text);
    }
}

fn line(plan: &LogicalPlan) -> String {
    let empty = Schema::new([]);
    let input = visit::inputs(plan).first().map_or(&empty, |input| input.schema());
    match plan {
        LogicalPlan::Scan(scan) => scan_line(scan),
        LogicalPlan::Filter { predicate, .. } => format!("Filter {}", predicate.show(input)),
        LogicalPlan::Project { expressions, schema, .. } => {
            let column = |(expr, name): (&crate::expr::Expr, &str)| {
                let shown = expr.show(input).to_string();
                if shown == name { shown } else { format!("{name} = {shown}") }
            };
            format!("Project {}", list(expressions.iter().zip(schema.names()).map(column)))
        }
        LogicalPlan::Aggregate { keys, aggregates, schema, .. } => {
            let key = |(expr, name): (&crate::expr::Expr, &str)| {
                let shown = expr.show(input).to_string();
                if shown == name { shown } else { format!("{name} = {shown}") }
            };
            let keys = list(keys.iter().zip(schema.names()).map(key));
            let aggregates = list(aggregates.iter().map(|aggregate| aggregate_text(aggregate, input)));
            if keys.is_empty() {
                format!("Aggregate {aggregates}")
            } else {
                format!("Aggregate {aggregates} by {keys}")
            }
        }
        LogicalPlan::Sort { keys, .. } => format!("Sort {}", sort_text(keys, input)),
        LogicalPlan::Limit { count, .. } => format!("Limit {count}"),
        LogicalPlan::Top { keys, count, .. } => format!("Top {count} by {}", sort_text(keys, input)),
        LogicalPlan::Union { inputs, .. } => format!("Union of {}", inputs.len()),
        LogicalPlan::Unnest(unnest) => unnest_line(unnest, input),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn aggregate_text(aggregate: &AggregateExpr, input: &Schema) -> String {
    let names = list(aggregate.fields.iter().map(|field| field.name.clone()));
    let arguments = list(aggregate.arguments.iter().map(|argument| argument.show(input).to_string()));
    format!("{names} = {}({arguments})", aggregate.function.name)
}

fn sort_text(keys: &[SortKey], input: &Schema) -> String {
    list(keys.iter().map(|key| {
        let order = if key.descending { "desc" } else { "asc" };
        let nulls = if key.nulls_first { "first" } else { "last" };
        format!("{} {order} nulls {nulls}", key.expr.show(input))
    }))
}

fn unnest_line(unnest: &Unnest, input: &Schema) -> String {
    let items = list(unnest.items.iter().map(|item| format!("{} to {}", item.expr.show(input), item.ty)));
    match unnest.limit {
        Some(limit) => format!("Unnest {items} limit {limit}"),
        None => format!("Unnest {items}"),
    }
}

fn scan_line(scan: &Scan) -> String {
    let table = scan.table.schema();
    let column = |column: &ScanColumn| match column {
        ScanColumn::Column(index) => table.field(*index).name.clone(),
        ScanColumn::Path { column, path } => format!("{}{path}", table.field(*column).name),
    };
    let mut text = format!("Scan {} [{}]", scan.name, list(scan.columns.iter().map(column)));
    if let Some(filter) = &scan.filter {
        let types = filter.columns.iter().map(|read| crate::types::Field::new(column(read), read.ty(table)));
        let _ = write!(text, " where {}", filter.predicate.show(&Schema::new(types)));
    }
    if !scan.prune.is_empty() {
        let _ = write!(text, " skip unless {}", list(scan.prune.iter().map(|prune| predicate_text(prune, table))));
    }
    if let Some(limit) = scan.limit {
        let _ = write!(text, " limit {limit}");
    }
    let _ = write!(text, " from {}", scan.table.describe());
    text
}

fn predicate_text(predicate: &Predicate, table: &Schema) -> String {
    use crate::source::Comparison;
    let name = |column: &usize| table.field(*column).name.clone();
    let join = |list: &[Predicate], word: &str| {
        let parts: Vec<String> = list.iter().map(|part| predicate_text(part, table)).collect();
        format!("({})", parts.join(word))
    };
    match predicate {
        Predicate::Compare { column, comparison, value } => {
            let symbol = match comparison {
                Comparison::Equal => "==",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
            };
            format!("{} {symbol} {:?}", name(column), value.to_text())
        }
        Predicate::OneOf { column, values, case_sensitive } => {
            let word = if *case_sensitive { "in" } else { "in~" };
            format!("{} {word} ({})", name(column), list(values.iter().map(|value| format!("{:?}", value.to_text()))))
        }
        Predicate::Contains { column, needle, case_sensitive } => {
            let word = if *case_sensitive { "contains_cs" } else { "contains" };
            format!("{} {word} {needle:?}", name(column))
        }
        Predicate::All(list) => join(list, " and "),
        Predicate::Any(list) => join(list, " or "),
    }
}
