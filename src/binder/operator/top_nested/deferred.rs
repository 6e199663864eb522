//! `top-nested` as a plan, for rows that are not known while binding: those of a subquery of `mv-apply` or `partition`.
//!
//! The groups of each level are ranked inside the group of the level above, and the first are kept. A table of first
//! groups has three columns for each level: the value, its aggregate, and the position of the group among all groups
//! that are kept. The positions order the result; the row for the remaining values has none, and comes last.

use super::NestedLevel;
use crate::binder::operator::join::joined;
use crate::binder::operator::project::identity;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::plan::{
    Join, JoinColumn, JoinKey, JoinKind, LogicalPlan, Side, SortKey, Window, WindowCall, WindowFunction,
};
use crate::types::{Field, Schema, Type, Value};

/// The number of columns that a table of first groups has for each level.
const WIDTH: usize = 3;

/// A `top-nested` over rows that are not known while binding.
struct DeferredNested<'a> {
    /// The rows, which end with the keys of all levels.
    rows: &'a LogicalPlan,
    levels: &'a [NestedLevel<'a>],
    /// The type of the aggregate of each level.
    types: Vec<Type>,
}

impl Binder<'_> {
    /// Returns a plan of the output rows. `rows` end with the keys of all levels.
    pub(super) fn deferred_nested(&mut self, rows: &LogicalPlan, levels: &[NestedLevel<'_>]) -> Bind<LogicalPlan> {
        let groups = self.all(0..levels.len(), |binder, depth| {
            let groups = binder.nested_values(rows, levels, depth + 1, &[depth])?;
            let value = Expr::column(depth + 1, groups.schema().field(depth + 1).ty, levels[depth].by.span);
            binder.not_dynamic(&value, "sorted by")?;
            Ok(groups)
        })?;
        let types = groups.iter().zip(1..).map(|(plan, value)| plan.schema().field(value).ty).collect();
        let nested = DeferredNested { rows, levels, types };
        let (mut first, mut rest): (Option<LogicalPlan>, _) = (None, Vec::new());
        for (depth, groups) in groups.into_iter().enumerate() {
            let above = first.take();
            let own = nested.first_groups(groups, above.as_ref(), depth);
            if levels[depth].others.is_some() {
                rest.push(self.rest_rows(&nested, above.as_ref(), &own)?);
            }
            first = Some(own);
        }
        let inputs: Vec<LogicalPlan> = first.into_iter().chain(rest).collect();
        Ok(nested.in_order(LogicalPlan::Union { schema: nested.schema(), inputs }))
    }

    /// Returns the rows for the values of a level that are not among its first groups, one for each group of the level
    /// above. `above` and `first` are the first groups of the level above, if there is one, and of this level.
    fn rest_rows(
        &mut self,
        nested: &DeferredNested<'_>,
        above: Option<&LogicalPlan>,
        first: &LogicalPlan,
    ) -> Bind<LogicalPlan> {
        let levels = nested.levels;
        let depth = first.schema().len() / WIDTH - 1;
        let inside = match above {
            None => nested.rows.clone(),
            Some(above) => nested.matched(nested.rows.clone(), above, JoinKind::LeftSemi),
        };
        let rest = nested.matched(inside, first, JoinKind::LeftAnti);
        let wanted: Vec<usize> = (depth..levels.len()).filter(|index| levels[*index].others.is_some()).collect();
        let values = self.nested_values(&rest, levels, depth, &wanted)?;
        let values = match above {
            None => values,
            Some(above) => beside(above, values),
        };
        let mut cells = identity(values.schema()).into_iter().map(|(_, cell)| cell);
        let mut columns: Vec<Expr> = cells.by_ref().take(WIDTH * depth).collect();
        let null = |ty| Expr::literal(Value::null(ty), Span::default());
        for (level, ty) in levels.iter().zip(&nested.types).skip(depth) {
            let others = level.others.as_ref().map(|others| Expr::literal(others.clone(), Span::default()));
            let aggregate = if others.is_some() { cells.next() } else { None };
            columns.push(others.unwrap_or_else(|| null(level.key.ty)));
            columns.push(aggregate.unwrap_or_else(|| null(*ty)));
            columns.push(null(Type::Long));
        }
        let names = nested.schema().names().map(str::to_owned).collect::<Vec<_>>();
        Ok(values.project(names.into_iter().zip(columns)))
    }
}

impl DeferredNested<'_> {
    /// Returns the columns of the first groups of the last level.
    fn schema(&self) -> Schema {
        let fields = |(depth, (level, ty)): (usize, (&NestedLevel<'_>, &Type))| {
            let named = |name: &str, ty: Type| Field::new(format!("${name}{depth}"), ty);
            [named("key", level.key.ty), named("value", *ty), named("position", Type::Long)]
        };
        Schema::new(self.levels.iter().zip(&self.types).enumerate().flat_map(fields))
    }

    /// Returns the first groups of a level, inside the groups `above`. `groups` are all groups of the level.
    fn first_groups(&self, groups: LogicalPlan, above: Option<&LogicalPlan>, depth: usize) -> LogicalPlan {
        let level = &self.levels[depth];
        let groups = match above {
            None => groups,
            Some(above) => beside(above, groups),
        };
        let outer: Vec<Expr> = depth.checked_sub(1).map(position).into_iter().collect();
        let value = Expr::column(WIDTH * depth + 1, self.types[depth], level.by.span);
        let by_value = SortKey { expr: value, descending: level.descending, nulls_first: !level.descending };
        let keys = outer.iter().cloned().map(ascending).chain([by_value]).collect();
        let sorted = LogicalPlan::Sort { input: Box::new(groups), keys };
        let names = self.schema().names().take(WIDTH * (depth + 1)).map(str::to_owned).collect::<Vec<_>>();
        let first = match level.count {
            None => sorted,
            Some(count) => {
                let rank = Expr::column(sorted.schema().len(), Type::Long, Span::default());
                let count = Expr::literal(Value::Long(i64::try_from(count).unwrap_or(i64::MAX)), Span::default());
                row_numbers(sorted, outer).filter(Expr::operator("<=", vec![rank, count], Span::default()))
            }
        };
        let kept = identity(first.schema()).into_iter().map(|(_, column)| column).take(WIDTH * depth + 2);
        let first = first.project(names.iter().cloned().zip(kept));
        let numbered = row_numbers(first, Vec::new());
        let columns = identity(numbered.schema()).into_iter().map(|(_, column)| column);
        let columns: Vec<_> = names.into_iter().zip(columns).collect();
        numbered.project(columns)
    }

    /// Returns the rows that are in one of the groups, or in none.
    fn matched(&self, rows: LogicalPlan, groups: &LogicalPlan, kind: JoinKind) -> LogicalPlan {
        let first = rows.schema().len() - self.levels.len();
        let key = |level: usize| {
            let column = |column| Expr::column(column, self.levels[level].key.ty, Span::default());
            JoinKey { left: column(first + level), right: column(WIDTH * level) }
        };
        let keys = (0..groups.schema().len() / WIDTH).map(key).collect();
        joined(rows, groups.clone(), kind, keys, Side::Right, |_| true)
    }

    /// Returns the output columns of rows that have the columns of [`Self::schema`], sorted by the positions.
    fn in_order(&self, rows: LogicalPlan) -> LogicalPlan {
        let keys = (0..self.levels.len()).map(|level| ascending(position(level))).collect();
        let sorted = LogicalPlan::Sort { input: Box::new(rows), keys };
        let columns = self.levels.iter().zip(&self.types).enumerate().flat_map(|(depth, (level, ty))| {
            let column = |column, ty| Expr::column(WIDTH * depth + column, ty, Span::default());
            [(level.key_name.clone(), column(0, level.key.ty)), (level.value_name.clone(), column(1, *ty))]
        });
        sorted.project(columns.collect::<Vec<_>>())
    }
}

/// Returns the column of the position of the groups of a level.
fn position(level: usize) -> Expr {
    Expr::column(WIDTH * level + 2, Type::Long, Span::default())
}

/// Returns a sort key; rows without the value come last.
fn ascending(expr: Expr) -> SortKey {
    SortKey { expr, descending: false, nulls_first: false }
}

/// Returns the columns of `above`, the first groups of some levels, followed by those of `table` after its keys. The
/// keys of `table` are its first columns, one for each of these levels.
fn beside(above: &LogicalPlan, table: LogicalPlan) -> LogicalPlan {
    let levels = above.schema().len() / WIDTH;
    let key = |level: usize| {
        let column = |column| Expr::column(column, table.schema().field(level).ty, Span::default());
        JoinKey { left: column(level), right: column(WIDTH * level) }
    };
    let keys = (0..levels).map(key).collect();
    let outer = (0..above.schema().len()).map(|column| JoinColumn { side: Side::Right, column });
    let own = (levels..table.schema().len()).map(|column| JoinColumn { side: Side::Left, column });
    let output = outer.chain(own).collect();
    let fields = above.schema().fields().iter().chain(&table.schema().fields()[levels..]).cloned();
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let (left, right, kind, build) = (Box::new(table), Box::new(above.clone()), JoinKind::Inner, Side::Right);
    LogicalPlan::Join(Join { left, right, kind, keys, build, output, schema, window: None })
}

/// Adds the number of each row, from 1 in each segment.
fn row_numbers(rows: LogicalPlan, segment: Vec<Expr>) -> LogicalPlan {
    let function = WindowFunction::RowNumber { start: 1 };
    let call = WindowCall { function, term: None, restart: None, span: Span::default() };
    LogicalPlan::Window(Window::new(rows, vec![call], segment))
}
