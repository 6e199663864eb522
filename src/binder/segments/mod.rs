//! Binds subqueries that run once for each segment of rows, as a single plan over the rows of all segments.
//!
//! The rows of a segment have the same number, and are next to each other. Every node of the plan keeps the number as
//! its last column, and uses it as a key. So a group or a rank belongs to one segment, and rows of different segments
//! are never combined.

mod join;

use std::sync::Arc;

use super::{Bind, Binder};
use crate::diagnostic::Span;
use crate::expr::{Expr, visit};
use crate::functions::per_segment::PerSegment;
use crate::plan::{
    AggregateExpr, Join, JoinColumn, JoinKey, JoinKind, LogicalPlan, Parse, ParseOutput, PerRow, PerRowOutput,
    Sequence, Series, Side, SortKey, TableCall, Unnest, UnnestOutput, Window, WindowCall, WindowFunction, per_row,
};
use crate::scan::MemoryTable;
use crate::types::{Field, Schema, Type};

/// What the plans of a subquery share.
pub(super) struct Segments<'s> {
    /// The rows of all segments, with their numbers.
    pub rows: &'s LogicalPlan,
}

impl Binder<'_> {
    /// Returns the plan with the number of the segment as an additional last column. The rows of the plan must come
    /// from the leaf [`LogicalPlan::Rows`].
    pub(super) fn segmented(&mut self, plan: LogicalPlan, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let width = plan.schema().len();
        let number = number(width);
        Ok(match plan {
            LogicalPlan::Rows(rows) => LogicalPlan::Rows(rows.numbered()),
            LogicalPlan::Filter { input, predicate } => self.segmented(*input, segments)?.filter(predicate),
            LogicalPlan::Project { input, mut expressions, schema } => {
                expressions.push(self::number(input.schema().len()));
                let input = Box::new(self.segmented(*input, segments)?);
                LogicalPlan::Project { input, expressions, schema: numbered(&schema) }
            }
            LogicalPlan::Sort { input, keys } => {
                let input = Box::new(self.segmented(*input, segments)?);
                LogicalPlan::Sort { input, keys: within_segments(keys, number) }
            }
            LogicalPlan::Limit { input, count } => first_rows(self.segmented(*input, segments)?, count),
            LogicalPlan::Top { input, keys, count } => {
                let input = Box::new(self.segmented(*input, segments)?);
                first_rows(LogicalPlan::Sort { input, keys: within_segments(keys, number) }, count)
            }
            LogicalPlan::Unnest(unnest) => {
                let mut output = unnest.output;
                output.push(UnnestOutput::Input(unnest.input.schema().len()));
                let input = Box::new(self.segmented(*unnest.input, segments)?);
                LogicalPlan::Unnest(Unnest { input, output, schema: numbered(&unnest.schema), ..unnest })
            }
            LogicalPlan::Window(window) => {
                let outer = self::number(window.input.schema().len());
                let input = self.segmented(*window.input, segments)?;
                // A `partition` inside this subquery has segments of its own.
                let segment = window.segment.into_iter().chain([outer.clone()]).collect();
                number_last(LogicalPlan::Window(Window::new(input, window.calls, segment)), &outer)
            }
            LogicalPlan::Sequence(sequence) => self.segmented_sequence(sequence, segments)?,
            LogicalPlan::PerRow(per_row) => {
                let mut output = per_row.output;
                output.push(PerRowOutput::Input(per_row.input.schema().len()));
                let input = Box::new(self.segmented(*per_row.input, segments)?);
                LogicalPlan::PerRow(PerRow { input, output, schema: numbered(&per_row.schema), ..per_row })
            }
            LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
                self.segmented_aggregate(*input, keys, aggregates, segments)?
            }
            LogicalPlan::Join(join) => self.segmented_join(join, segments)?,
            LogicalPlan::Parse(parse) => {
                let mut output = parse.output;
                output.push(ParseOutput::Input(parse.input.schema().len()));
                let input = Box::new(self.segmented(*parse.input, segments)?);
                LogicalPlan::Parse(Parse { input, output, schema: numbered(&parse.schema), ..parse })
            }
            LogicalPlan::TableCall(call) if call.function.is_row_wise() => self.segmented_table_call(call, segments)?,
            LogicalPlan::TableCall(call) => self.table_call_by_segment(call, segments)?,
            LogicalPlan::Series(series) => self.segmented_series(series, segments)?,
            LogicalPlan::Union { inputs, schema } => self.segmented_union(inputs, &schema, segments)?,
            // Rows that are the same for all segments, such as those of `getschema`.
            table @ LogicalPlan::Scan(_) => join::in_order_of_segments(join::for_each_segment(table, segments)),
        })
    }

    /// Groups by the number of the segment and the keys. Without keys, a segment without rows gets a result, too.
    fn segmented_aggregate(
        &mut self,
        input: LogicalPlan,
        keys: Vec<Expr>,
        aggregates: Vec<AggregateExpr>,
        segments: &Segments<'_>,
    ) -> Bind<LogicalPlan> {
        let (may_be_empty, schema) = (keys.is_empty() && may_lose_segments(&input), input.schema().clone());
        let segment = number(schema.len());
        let input = Box::new(self.segmented(input, segments)?);
        let over_nothing = if may_be_empty { self.over_nothing(&schema, &aggregates)? } else { Vec::new() };
        let all_keys: Vec<Expr> = std::iter::once(segment.clone()).chain(keys).collect();
        let fields = aggregates.iter().flat_map(|aggregate| aggregate.fields.iter().cloned());
        let key_fields = all_keys.iter().enumerate().map(|(at, key)| Field::new(format!("key{at}"), key.ty));
        let schema = Schema::new(key_fields.chain(fields));
        let groups = LogicalPlan::Aggregate { input, keys: all_keys, aggregates, schema };
        let groups = number_last(groups, &number(0));
        if !may_be_empty {
            return Ok(groups);
        }
        Ok(with_missing(groups, over_nothing, segments))
    }

    /// Adds the number of the segment to the keys of the series.
    fn segmented_series(&mut self, series: Series, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let width = series.input.schema().len();
        let over_nothing = match series.nonempty {
            true => {
                let input = Box::new(nothing(series.input.schema()));
                self.first_row(&LogicalPlan::Series(Series { input, ..series.clone() }))?
            }
            false => Vec::new(),
        };
        let input = self.segmented(*series.input, segments)?;
        let column = |index: usize| {
            let field = input.schema().field(index);
            (field.name.clone(), Expr::column(index, field.ty, Span::default()))
        };
        let columns: Vec<(String, Expr)> = std::iter::once(width).chain(0..width).map(column).collect();
        let input = Box::new(input.project(columns));
        let schema = Schema::new([per_row::row_number()].into_iter().chain(series.schema.fields().iter().cloned()));
        let (keys, nonempty) = (series.keys + 1, false);
        let groups = number_last(LogicalPlan::Series(Series { input, keys, nonempty, schema, ..series }), &number(0));
        Ok(if over_nothing.is_empty() { groups } else { with_missing(groups, over_nothing, segments) })
    }

    /// Computes the results of the aggregates over no rows.
    fn over_nothing(&mut self, schema: &Schema, aggregates: &[AggregateExpr]) -> Bind<Vec<Expr>> {
        let fields = aggregates.iter().flat_map(|aggregate| aggregate.fields.iter().cloned());
        let plan = LogicalPlan::Aggregate {
            input: Box::new(nothing(schema)),
            keys: Vec::new(),
            aggregates: aggregates.to_vec(),
            schema: Schema::new(fields),
        };
        self.first_row(&plan)
    }

    /// Computes a plan, and returns the values of its first row as literals; none if it has no rows.
    fn first_row(&mut self, plan: &LogicalPlan) -> Bind<Vec<Expr>> {
        let rows = self.evaluate(plan)?;
        let row = rows.iter().find(|batch| batch.rows() > 0);
        let columns = row.map_or(&[] as &[_], |batch| batch.columns());
        Ok(columns.iter().map(|column| Expr::literal(column.value(0), Span::default())).collect())
    }

    /// Binds a `scan` over segments. The number of the segment is the last column of the input, and the state of the
    /// steps comes after it.
    fn segmented_sequence(&mut self, sequence: Sequence, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let at = sequence.input.schema().len();
        let columns = sequence.step_schema();
        let moved = |(index, field): (usize, &Field)| {
            Expr::column(if index < at { index } else { index + 1 }, field.ty, Span::default())
        };
        let columns: Vec<Expr> = columns.fields().iter().enumerate().map(moved).collect();
        let (inputs, own) = sequence.schema.fields().split_at(at);
        let schema = Schema::new(inputs.iter().cloned().chain([per_row::row_number()]).chain(own.iter().cloned()));
        let sequence = sequence.map_expressions(&mut |expr| Ok(visit::substitute(expr, &columns)))?;
        let input = Box::new(self.segmented(*sequence.input, segments)?);
        let segment = sequence.segment.into_iter().chain([number(at)]).collect();
        Ok(number_last(LogicalPlan::Sequence(Sequence { input, segment, schema, ..sequence }), &number(at)))
    }

    /// Binds a table function that must see all rows of a segment together.
    fn table_call_by_segment(&mut self, call: TableCall, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let mut arguments = call.arguments;
        arguments.push(number(call.input.schema().len()));
        let input = Box::new(self.segmented(*call.input, segments)?);
        let function = Arc::new(PerSegment { function: call.function, number: per_row::row_number() });
        let schema = numbered(&call.schema);
        Ok(LogicalPlan::TableCall(TableCall { input, function, arguments, schema, ..call }))
    }

    /// Binds a table function that adds columns to each row.
    fn segmented_table_call(&mut self, call: TableCall, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let number_at = call.kept.len();
        let mut kept = call.kept;
        kept.push(call.input.schema().len());
        let input = Box::new(self.segmented(*call.input, segments)?);
        let (own, added) = call.schema.fields().split_at(number_at);
        let schema = Schema::new(own.iter().cloned().chain([per_row::row_number()]).chain(added.iter().cloned()));
        Ok(number_last(LogicalPlan::TableCall(TableCall { input, kept, schema, ..call }), &number(number_at)))
    }
}

/// Returns the column at `index`, which has the number of the segment.
fn number(index: usize) -> Expr {
    Expr::column(index, Type::Long, Span::default())
}

/// Returns the columns of `schema`, followed by the number of the segment.
fn numbered(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().cloned().chain([per_row::row_number()]))
}

/// Returns sort keys that order rows by segment, and inside each segment by `keys`.
fn within_segments(keys: Vec<SortKey>, number: Expr) -> Vec<SortKey> {
    let segment = SortKey { expr: number, descending: false, nulls_first: true };
    std::iter::once(segment).chain(keys).collect()
}

/// Returns the first `count` rows of each segment.
fn first_rows(plan: LogicalPlan, count: usize) -> LogicalPlan {
    let width = plan.schema().len();
    let schema = plan.schema().clone();
    let call = WindowCall {
        function: WindowFunction::RowNumber { start: 1 },
        term: None,
        restart: None,
        span: Span::default(),
    };
    let positions = LogicalPlan::Window(Window::new(plan, vec![call], vec![number(width - 1)]));
    let count = crate::types::Value::Long(i64::try_from(count).unwrap_or(i64::MAX));
    let operands = vec![number(width), Expr::literal(count, Span::default())];
    let first = positions.filter(Expr::operator("<=", operands, Span::default()));
    first.project(super::operator::project::identity(&schema))
}

/// Returns the plan with the column `number` moved to the end.
fn number_last(plan: LogicalPlan, number: &Expr) -> LogicalPlan {
    let (fields, moved) = (plan.schema().fields().to_vec(), number.as_column().unwrap_or_default());
    let others = fields.iter().enumerate().filter(|(index, _)| *index != moved);
    let column = |(index, field): (usize, &Field)| (field.name.clone(), Expr::column(index, field.ty, Span::default()));
    let mut columns: Vec<(String, Expr)> = others.map(column).collect();
    columns.push((per_row::row_number().name, number.clone()));
    plan.project(columns)
}

/// Returns a table without rows that has the columns of `schema`.
fn nothing(schema: &Schema) -> LogicalPlan {
    LogicalPlan::scan("nothing", Arc::new(MemoryTable::new(schema.clone(), Vec::new())))
}

/// Returns `groups`, and a row with the values `over_nothing` for each segment that has no group.
fn with_missing(groups: LogicalPlan, over_nothing: Vec<Expr>, segments: &Segments<'_>) -> LogicalPlan {
    let missing = without(numbers(segments.rows.clone()), groups.clone());
    let columns = over_nothing.into_iter().chain([number(0)]).zip(groups.schema().fields());
    let missing = missing.project(columns.map(|(expr, field)| (field.name.clone(), expr)).collect::<Vec<_>>());
    let schema = groups.schema().clone();
    LogicalPlan::Union { inputs: vec![groups, missing], schema }
}

/// Returns the numbers of all segments of `rows`, each once.
fn numbers(rows: LogicalPlan) -> LogicalPlan {
    let key = number(rows.schema().len() - 1);
    let schema = Schema::new([per_row::row_number()]);
    LogicalPlan::Aggregate { input: Box::new(rows), keys: vec![key], aggregates: Vec::new(), schema }
}

/// Returns the rows of `numbers` whose number does not occur in the last column of `groups`.
fn without(numbers: LogicalPlan, groups: LogicalPlan) -> LogicalPlan {
    let right = number(groups.schema().len() - 1);
    let schema = numbers.schema().clone();
    LogicalPlan::Join(Join {
        left: Box::new(numbers),
        right: Box::new(groups),
        kind: JoinKind::LeftAnti,
        keys: vec![JoinKey { left: number(0), right }],
        build: Side::Right,
        output: vec![JoinColumn { side: Side::Left, column: 0 }],
        schema,
        window: None,
    })
}

/// True if the plan reads the rows of the segments.
pub(super) fn reads_rows(plan: &LogicalPlan) -> bool {
    let mut found = false;
    per_row::row_columns(plan, &mut |_| found = true);
    found
}

/// True if a segment that has rows in the leaf may have no rows in `plan`.
fn may_lose_segments(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Rows(_) => false,
        LogicalPlan::Unnest(unnest) => !matches!(*unnest.input, LogicalPlan::Rows(_)),
        LogicalPlan::Project { input, .. } | LogicalPlan::Sort { input, .. } => may_lose_segments(input),
        LogicalPlan::Aggregate { input, keys, .. } => !keys.is_empty() && may_lose_segments(input),
        LogicalPlan::Window(window) => may_lose_segments(&window.input),
        LogicalPlan::Parse(parse) => parse.drops_unmatched || may_lose_segments(&parse.input),
        LogicalPlan::Limit { input, count } | LogicalPlan::Top { input, count, .. } => {
            *count == 0 || may_lose_segments(input)
        }
        LogicalPlan::Filter { .. }
        | LogicalPlan::Join(_)
        | LogicalPlan::PerRow(_)
        | LogicalPlan::Sequence(_)
        | LogicalPlan::TableCall(_)
        | LogicalPlan::Series(_)
        | LogicalPlan::Union { .. }
        | LogicalPlan::Scan(_) => true,
    }
}
