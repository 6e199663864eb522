//! Binds joins and unions inside subqueries that run once for each segment of rows.

use super::{Segments, number, numbered, numbers, reads_rows, within_segments};
use crate::binder::{Bind, Binder};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions;
use crate::plan::{Join, JoinColumn, JoinKey, JoinKind, LogicalPlan, Side, per_row};
use crate::syntax::ast;
use crate::types::{Field, Schema, Type, Value};

impl Binder<'_> {
    /// Returns a join of the rows with a table that is the same for all segments, or with other rows of the same
    /// segment.
    pub(super) fn segmented_join(&mut self, join: Join, segments: &Segments<'_>) -> Bind<LogicalPlan> {
        let keeps_left =
            matches!(join.kind, JoinKind::Inner | JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti);
        let (left_at, right_at) = (join.left.schema().len(), join.right.schema().len());
        let left = self.segmented(*join.left, segments)?;
        let (right, mut keys) = (*join.right, join.keys);
        let right = match join.kind {
            _ if reads_rows(&right) => self.segmented(right, segments)?,
            _ if keeps_left => right,
            JoinKind::InnerUnique | JoinKind::RightSemi => matching_rows(left.clone(), left_at, right, &keys),
            _ => for_each_segment(right, segments),
        };
        if right.schema().len() > right_at {
            keys.push(JoinKey { left: number(left_at), right: number(right_at) });
        }
        let (left_number, right_number) =
            (JoinColumn { side: Side::Left, column: left_at }, JoinColumn { side: Side::Right, column: right_at });
        let mut output = join.output;
        output.push(match join.kind {
            JoinKind::RightOuter | JoinKind::RightSemi | JoinKind::RightAnti => right_number,
            _ => left_number,
        });
        let mut schema = numbered(&join.schema);
        if join.kind == JoinKind::FullOuter {
            output.push(right_number);
            schema = numbered(&schema);
        }
        let (left, right) = (Box::new(left), Box::new(right));
        let mut joined = LogicalPlan::Join(Join { left, right, keys, output, schema, ..join });
        if join.kind == JoinKind::FullOuter {
            joined = self.with_one_number(joined)?;
        }
        // The rows come in the order of the probe side, which may be the other one.
        Ok(in_order_of_segments(joined))
    }

    /// Replaces the segment numbers of both sides, of which one may be null, by a single column.
    fn with_one_number(&mut self, joined: LogicalPlan) -> Bind<LogicalPlan> {
        let width = joined.schema().len() - 2;
        let name = ast::Name { text: "coalesce".to_owned(), span: Span::default() };
        let Some(function) = functions::scalar_function(&name.text) else { return Ok(joined) };
        let both = vec![number(width), number(width + 1)];
        let one = self.function_call(function, &name, both, Span::default())?;
        let fields = joined.schema().fields()[..width].to_vec();
        let column =
            |(index, field): (usize, &Field)| (field.name.clone(), Expr::column(index, field.ty, Span::default()));
        let columns: Vec<(String, Expr)> = fields.iter().enumerate().map(column).collect();
        Ok(joined.project(columns.into_iter().chain([(per_row::row_number().name, one)])))
    }

    /// Returns the rows of all inputs. An input that does not read the segments is repeated for each segment.
    pub(super) fn segmented_union(
        &mut self,
        inputs: Vec<LogicalPlan>,
        schema: &Schema,
        segments: &Segments<'_>,
    ) -> Bind<LogicalPlan> {
        let inputs = self.all(inputs, |binder, input| match reads_rows(&input) {
            true => binder.segmented(input, segments),
            false => Ok(for_each_segment(input, segments)),
        })?;
        Ok(in_order_of_segments(LogicalPlan::Union { inputs, schema: numbered(schema) }))
    }
}

/// Sorts rows by the number of their segment, the last column.
pub(super) fn in_order_of_segments(plan: LogicalPlan) -> LogicalPlan {
    let keys = within_segments(Vec::new(), number(plan.schema().len() - 1));
    LogicalPlan::Sort { input: Box::new(plan), keys }
}

/// Returns the rows of a table once for each segment, with the number of the segment.
pub(super) fn for_each_segment(table: LogicalPlan, segments: &Segments<'_>) -> LogicalPlan {
    let zero = || Expr::literal(Value::Long(0), Span::default());
    let keys = vec![JoinKey { left: zero(), right: zero() }];
    with_number(numbers(segments.rows.clone()), table, keys)
}

/// Returns the rows of a table that match a row of a segment, with the number of that segment. `keys` are the keys of
/// the join of the rows `left` with the table; the number is in the column `number_at` of `left`.
fn matching_rows(left: LogicalPlan, number_at: usize, table: LogicalPlan, keys: &[JoinKey]) -> LogicalPlan {
    let own = std::iter::once(number(number_at)).chain(keys.iter().map(|key| key.left.clone()));
    let own: Vec<Expr> = own.collect();
    let schema = Schema::new(own.iter().enumerate().map(|(at, key)| Field::new(format!("key{at}"), key.ty)));
    let distinct = LogicalPlan::Aggregate { input: Box::new(left), keys: own, aggregates: Vec::new(), schema };
    let key = |(at, key): (usize, &JoinKey)| JoinKey {
        left: Expr::column(at + 1, key.left.ty, key.left.span),
        right: key.right.clone(),
    };
    let keys = keys.iter().enumerate().map(key).collect();
    with_number(distinct, table, keys)
}

/// Returns the rows of `table`, each with the number of the rows of `numbers` that have equal keys, in the order of
/// the table. The number is the first column of `numbers`.
fn with_number(numbers: LogicalPlan, table: LogicalPlan, keys: Vec<JoinKey>) -> LogicalPlan {
    debug_assert_eq!(numbers.schema().field(0).ty, Type::Long);
    let columns = (0..table.schema().len()).map(|column| JoinColumn { side: Side::Right, column });
    let output = columns.chain([JoinColumn { side: Side::Left, column: 0 }]).collect();
    let schema = numbered(table.schema());
    let (left, right) = (Box::new(numbers), Box::new(table));
    let (kind, build, window) = (JoinKind::Inner, Side::Left, None);
    LogicalPlan::Join(Join { left, right, kind, keys, build, output, schema, window })
}
