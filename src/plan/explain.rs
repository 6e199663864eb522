//! Prints a plan as text, an indented tree.

use std::fmt::Write;

use super::{
    AggregateExpr, AxisScale, Join, LogicalPlan, NodeId, Parse, PlanNode, Scan, Sequence, Series, Side, SortKey,
    StepOutput, Unnest, Window, WindowCall, visit,
};
use crate::expr::Expr;
use crate::scan::{Predicate, ScanColumn};
use crate::types::{Schema, Type, Value};

/// Maximum number of consecutive input columns that are listed by name; a longer run is abbreviated.
const MAX_LISTED_COLUMNS: usize = 5;

/// Returns the plan as text with a line for each node; its inputs follow it and are indented.
#[must_use]
pub fn explain(plan: &LogicalPlan) -> String {
    explain_with(plan, &|_| Vec::new())
}

/// Like [`explain`], with additional lines below the line of each node: those that `details` returns.
#[must_use]
pub fn explain_with(plan: &LogicalPlan, details: &dyn Fn(NodeId) -> Vec<String>) -> String {
    let mut text = String::new();
    write_node(PlanNode::root(plan), details, 0, &mut text);
    text
}

fn write_node(node: PlanNode<'_>, details: &dyn Fn(NodeId) -> Vec<String>, depth: usize, text: &mut String) {
    // Not by a format width, which is limited to 16 bits: plans may be deeper.
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}{}", line(node.plan));
    for line in details(node.id) {
        let _ = writeln!(text, "{indent}  = {line}");
    }
    for input in node.inputs() {
        write_node(input, details, depth + 1, text);
    }
}

fn line(plan: &LogicalPlan) -> String {
    let empty = Schema::new([]);
    let input = visit::inputs(plan).first().map_or(&empty, |input| input.schema());
    match plan {
        LogicalPlan::Scan(scan) => scan_line(scan),
        LogicalPlan::Filter { predicate, .. } => format!("Filter {}", predicate.show(input)),
        LogicalPlan::Project { expressions, schema, .. } => {
            let passed_on = |index: usize| {
                expressions[index].as_column().filter(|column| input.field(*column).name == schema.field(index).name)
            };
            let text = |index: usize| named(&expressions[index], &schema.field(index).name, input);
            format!("Project {}", columns_text(schema.len(), input.len(), passed_on, text))
        }
        LogicalPlan::Aggregate { keys, aggregates, schema, .. } => {
            let key = |(expr, name): (&Expr, &str)| named(expr, name, input);
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
        LogicalPlan::Parse(parse) => parse_line(parse, input),
        LogicalPlan::Join(join) => join_line(join),
        LogicalPlan::TableCall(call) => {
            let arguments = list(call.arguments.iter().map(|argument| argument.show(input).to_string()));
            format!("Call {}({arguments})", call.function.name())
        }
        LogicalPlan::Series(series) => series_line(series, input),
        LogicalPlan::Window(window) => window_line(window, input),
        LogicalPlan::Sequence(sequence) => sequence_line(sequence, input),
        LogicalPlan::PerRow(_) => "PerRow".to_owned(),
        LogicalPlan::Rows(rows) => format!("Rows {}", list(rows.schema.names().map(str::to_owned))),
    }
}

fn window_line(window: &Window, input: &Schema) -> String {
    let call = |call: &WindowCall| {
        let arguments = list(call.expressions().map(|expr| expr.show(input).to_string()));
        format!("{}({arguments})", call.function.name())
    };
    let calls = list(window.calls.iter().map(call));
    format!("Window {calls}{}", within(&window.segment, input)).trim_end().to_owned()
}

/// Returns the numbers of the segments of a window or sequence.
fn within(segment: &[Expr], input: &Schema) -> String {
    match segment {
        [] => String::new(),
        numbers => format!(" within {}", list(numbers.iter().map(|number| number.show(input).to_string()))),
    }
}

fn sequence_line(sequence: &Sequence, input: &Schema) -> String {
    let over = sequence.step_schema();
    let declared = &sequence.schema.fields()[input.len()..];
    let steps = sequence.steps.iter().map(|step| {
        let output = match step.output {
            StepOutput::All => "",
            StepOutput::Last => " (last)",
            StepOutput::None => " (none)",
        };
        let values = step.assignments.iter();
        let values = list(values.map(|value| named(&value.value, &declared[value.declared].name, &over)));
        let values = if values.is_empty() { values } else { format!(" => {values}") };
        format!("{}{output}: {}{values}", step.name, step.condition.show(&over))
    });
    let steps = steps.collect::<Vec<_>>().join("; ");
    format!("Sequence {steps}{}", within(&sequence.segment, input))
}

/// Returns `expr`, or `name = expr` if the name differs.
fn named(expr: &Expr, name: &str, input: &Schema) -> String {
    let shown = expr.show(input).to_string();
    if shown == name { shown } else { format!("{name} = {shown}") }
}

/// Returns a list of `count` columns. `source` returns the position of an input column that is passed on unchanged. A
/// run of all input columns is printed as `*`, and a run of several as `first..last`.
fn columns_text(
    count: usize,
    input: usize,
    source: impl Fn(usize) -> Option<usize>,
    text: impl Fn(usize) -> String,
) -> String {
    let mut parts = Vec::new();
    let mut index = 0;
    while index < count {
        let first = source(index);
        let run =
            (index..count).take_while(|at| first.is_some() && source(*at) == first.map(|f| f + at - index)).count();
        if run == input && run > MAX_LISTED_COLUMNS {
            parts.push("*".to_owned());
        } else if run > MAX_LISTED_COLUMNS {
            parts.push(format!("{}..{}", text(index), text(index + run - 1)));
        } else {
            parts.extend((index..index + run.max(1)).map(&text));
        }
        index += run.max(1);
    }
    parts.join(", ")
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

fn parse_line(parse: &Parse, input: &Schema) -> String {
    let columns = parse.output.iter().zip(parse.schema.fields()).filter(|(output, _)| output.as_capture().is_some());
    let columns = list(columns.map(|(_, field)| format!("{}:{}", field.name, field.ty)));
    let rows = if parse.drops_unmatched { ", only rows that match" } else { "" };
    format!("Parse {} into {columns}{rows}", parse.source.show(input))
}

fn join_line(join: &Join) -> String {
    let keys = list(
        join.keys
            .iter()
            .map(|key| format!("{} == {}", key.left.show(join.left.schema()), key.right.show(join.right.schema()))),
    );
    let built = if join.build == Side::Left { "left" } else { "right" };
    let window = join.window.map_or(String::new(), |window| {
        let name = |output: usize| &join.schema.field(output).name;
        let [min, max] = [window.min, window.max].map(|ticks| Value::Timespan(ticks).to_text());
        format!(", {} - {} from {min} to {max}", name(window.to), name(window.from))
    });
    format!("Join {} on {keys}, {built} side in memory{window}", join.kind.name())
}

fn series_line(series: &Series, input: &Schema) -> String {
    let names: Vec<&str> = input.names().collect();
    let (keys, rest) = names.split_at(series.keys.min(names.len()));
    let values = rest.iter().skip(1).zip(&series.defaults);
    let values = list(values.map(|(name, default)| format!("{name} default {}", default.to_text())));
    let bound = |word: &str, bin: Option<i64>| {
        bin.map_or(String::new(), |bin| format!(" {word} {}", series.axis.start_of(bin).to_text()))
    };
    let step = match series.axis.scale {
        AxisScale::Real { step, .. } => Value::Real(step),
        AxisScale::Whole { step, .. } if series.axis.ty == Type::Long => Value::Long(step),
        AxisScale::Whole { step, .. } => Value::Timespan(step),
    };
    let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
    let (from, to) = (bound("from", series.axis.first), bound("to", series.axis.end));
    format!(
        "Series {values} on {}{from}{to} step {}{by}",
        list(rest.iter().take(1).map(ToString::to_string)),
        step.to_text()
    )
}

fn scan_line(scan: &Scan) -> String {
    let table = scan.table.schema();
    let column = |column: &ScanColumn| match column {
        ScanColumn::Column(index) => table.field(*index).name.clone(),
        ScanColumn::Path { column, path } => format!("{}{path}", table.field(*column).name),
    };
    let whole = |index: usize| match scan.columns[index] {
        ScanColumn::Column(column) => Some(column),
        ScanColumn::Path { .. } => None,
    };
    let columns = columns_text(scan.columns.len(), table.len(), whole, |index| column(&scan.columns[index]));
    let mut text = format!("Scan {} [{columns}]", scan.name);
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
    if let Some(left_out) = scan.table.describe_pruning(&scan.prune) {
        let _ = write!(text, ", {left_out}");
    }
    text
}

/// Returns the string that any of several columns must contain, and the number of columns; None if the predicate is
/// anything else.
fn common_needle(predicate: &Predicate) -> Option<(&str, usize)> {
    match predicate {
        Predicate::Contains { needle, .. } => Some((needle, 1)),
        Predicate::Any(list) => {
            let mut parts = list.iter().map(common_needle);
            let first = parts.next()??;
            parts.try_fold(first, |(needle, columns), part| {
                part.filter(|(other, _)| *other == needle).map(|(_, more)| (needle, columns + more))
            })
        }
        _ => None,
    }
}

fn predicate_text(predicate: &Predicate, table: &Schema) -> String {
    use crate::scan::Comparison;
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
        Predicate::Any(list) => match common_needle(predicate) {
            Some((needle, columns)) if columns > MAX_LISTED_COLUMNS => {
                format!("any of {columns} columns contains {needle:?}")
            }
            _ => join(list, " or "),
        },
    }
}
