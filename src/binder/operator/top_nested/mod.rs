//! Binds `top-nested`: the first values by an aggregate, and for each of them the first values of the next level.
//!
//! Each level is computed while binding, because its groups are few, and decide which rows the next level reads. The
//! rows of a subquery are not known then ([`deferred`]).
//!
//! Source: the reference's page on the operator. At levels without `others`, the row for the remaining values has
//! nulls.

mod deferred;

use std::collections::HashMap;
use std::sync::Arc;

use crate::binder::expr::Aggregates;
use crate::binder::naming::Names;
use crate::binder::operator::as_name::is_repeatable;
use crate::binder::operator::join::joined;
use crate::binder::operator::project::identity;
use crate::binder::segments::reads_rows;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::functions::signature::implicit_cost;
use crate::plan::{JoinKey, JoinKind, LogicalPlan, Side, SortKey};
use crate::scan::MemoryTable;
use crate::syntax::ast::{self, SortOrder, TopNestedLevel};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value, cast, dynamic};

/// Maximum number of levels.
const MAX_LEVELS: usize = 32;

/// A level that was bound.
struct NestedLevel<'a> {
    key: Expr,
    key_name: String,
    value_name: String,
    count: Option<usize>,
    others: Option<Value>,
    by: &'a ast::ParsedExpr,
    descending: bool,
}

/// The groups of a level. A path has one value for each level above.
#[derive(Default)]
struct NestedGroups {
    /// For each path, the first values of this level, each with its aggregate.
    first: HashMap<String, Vec<(Value, Value)>>,
    /// For each path, the aggregates of the remaining rows: that of this level, then those of the deeper levels.
    rest: HashMap<String, Vec<Value>>,
    /// The type of the aggregate.
    ty: Option<Type>,
}

impl Binder<'_> {
    pub(super) fn top_nested(
        &mut self,
        input: LogicalPlan,
        levels: &[TopNestedLevel],
        keyword: Span,
    ) -> Bind<LogicalPlan> {
        if levels.len() > MAX_LEVELS {
            return self.error(Code::TooDeep, keyword, format!("more than {MAX_LEVELS} levels of top-nested"));
        }
        let is_deferred = reads_rows(&input) && is_repeatable(&input);
        if !is_deferred {
            self.known_while_binding(&input, "top-nested", keyword)?;
        }
        let input = if is_deferred { input } else { self.repeatable(input, "top-nested")? };
        let schema = input.schema().clone();
        let written = || levels.iter().flat_map(|level| [&level.of, &level.by]);
        let mut names = Names::default().past_written(written());
        let levels = self.all(levels, |binder, level| binder.nested_level(level, &schema, &mut names))?;
        let keys = levels.iter().enumerate().map(|(index, level)| (format!("$level{index}"), level.key.clone()));
        let mut rows = input.project(identity(&schema).into_iter().chain(keys));
        if is_deferred {
            let plan = self.deferred_nested(&rows, &levels)?;
            self.reuse_table(&plan, keyword)?;
            return Ok(plan);
        }
        let mut groups = Vec::new();
        for depth in 0..levels.len() {
            let (found, next) = self.nested_groups(rows, &levels, depth)?;
            groups.push(found);
            rows = next;
        }
        let mut output = Vec::new();
        add_rows(&levels, &groups, &mut Vec::new(), &mut Vec::new(), &mut output);
        Ok(table_of(&levels, &groups, &output))
    }

    fn nested_level<'a>(
        &mut self,
        level: &'a TopNestedLevel,
        schema: &Schema,
        names: &mut Names,
    ) -> Bind<NestedLevel<'a>> {
        let key = self.expr(&level.of.value, schema)?;
        self.not_dynamic(&key, "grouped")?;
        let written = |item: &ast::Assignment| item.names.first().map(|name| name.text.clone());
        let key_name = written(&level.of).or_else(|| self.name_over(&level.of.value, schema));
        let key_name = names.unique_or_numbered(key_name.as_deref());
        let value_name = written(&level.by).unwrap_or_else(|| format!("aggregated_{key_name}"));
        let value_name = names.unique(&value_name);
        let count = match &level.count {
            Some(count) => Some(self.row_count(count)?),
            None => None,
        };
        let others = match &level.others {
            Some(others) => Some(self.others_value(others, key.ty)?),
            None => None,
        };
        let descending = level.order != Some(SortOrder::Ascending);
        Ok(NestedLevel { key, key_name, value_name, count, others, by: &level.by.value, descending })
    }

    /// Returns the constant after `with others =`; reports one whose type does not fit the values of the level.
    fn others_value(&mut self, others: &ast::ParsedExpr, ty: Type) -> Bind<Value> {
        let value = self.constant(others)?;
        let are_numbers = value.ty().is_numeric() && ty.is_numeric();
        let fits = value.ty() == ty || value.is_null() || are_numbers || implicit_cost(value.ty(), ty).is_some();
        if !fits {
            let message = format!("the others have the type {} and the values of this level the type {ty}", value.ty());
            let help = format!("convert one of them, for example with to{}(...)", value.ty());
            return Err(self.report(Diagnostic::new(Code::ArgumentType, others.span, message).help(help)));
        }
        Ok(cast::cast(&value, ty).map_err(Error::from)?)
    }

    /// Computes the groups of the level at `depth`. Returns a plan of the rows in the first groups, too. `rows` end
    /// with the keys of all levels.
    fn nested_groups(
        &mut self,
        rows: LogicalPlan,
        levels: &[NestedLevel<'_>],
        depth: usize,
    ) -> Bind<(NestedGroups, LogicalPlan)> {
        let level = &levels[depth];
        let plan = self.nested_values(&rows, levels, depth + 1, &[depth])?;
        let value = Expr::column(depth + 1, plan.schema().field(depth + 1).ty, level.by.span);
        let (ty, descending) = (value.ty, level.descending);
        self.not_dynamic(&value, "sorted by")?;
        let keys = vec![SortKey { expr: value, descending, nulls_first: !descending }];
        let sorted = self.evaluate(&LogicalPlan::Sort { input: Box::new(plan), keys })?;
        let mut groups = NestedGroups { ty: Some(ty), ..NestedGroups::default() };
        let types = levels[..=depth].iter().map(|level| level.key.ty);
        let mut first: Vec<ColumnBuilder> = types.map(ColumnBuilder::new).collect();
        let mut count = 0;
        for (batch, row) in sorted.iter().flat_map(|batch| (0..batch.rows()).map(move |row| (batch, row))) {
            let path: Vec<Value> = (0..=depth).map(|column| batch.column(column).value(row)).collect();
            let siblings = groups.first.entry(path_key(&path[..depth])).or_default();
            if level.count.is_none_or(|count| siblings.len() < count) {
                siblings.push((path[depth].clone(), batch.column(depth + 1).value(row)));
                first.iter_mut().zip(&path).for_each(|(builder, value)| builder.append(value));
                count += 1;
            }
        }
        let fields = levels[..=depth].iter().map(|level| Field::new(&level.key_name, level.key.ty));
        let columns = first.iter_mut().map(ColumnBuilder::finish).collect();
        let table = MemoryTable::new(Schema::new(fields), vec![Batch::new(columns, count)]);
        let first = LogicalPlan::scan("top-nested", Arc::new(table));
        if level.others.is_some() {
            let rest = joined_groups(rows.clone(), first.clone(), JoinKind::LeftAnti, levels.len(), depth);
            groups.rest = self.nested_rest(&rest, levels, depth)?;
        }
        Ok((groups, joined_groups(rows, first, JoinKind::LeftSemi, levels.len(), depth)))
    }

    /// Computes the aggregates of the rows that are in none of the first groups, by their path.
    fn nested_rest(
        &mut self,
        rest: &LogicalPlan,
        levels: &[NestedLevel<'_>],
        depth: usize,
    ) -> Bind<HashMap<String, Vec<Value>>> {
        let wanted: Vec<usize> = (depth..levels.len()).filter(|index| levels[*index].others.is_some()).collect();
        let plan = self.nested_values(rest, levels, depth, &wanted)?;
        let mut found = HashMap::new();
        for batch in self.evaluate(&plan)? {
            for row in 0..batch.rows() {
                let path: Vec<Value> = (0..depth).map(|column| batch.column(column).value(row)).collect();
                let values = (0..wanted.len()).map(|index| batch.column(depth + index).value(row));
                found.insert(path_key(&path), values.collect());
            }
        }
        Ok(found)
    }

    /// Returns the first `keys` keys of the levels, and the aggregates of the levels `values`, grouped by these keys;
    /// no rows if there are no rows.
    fn nested_values(
        &mut self,
        rows: &LogicalPlan,
        levels: &[NestedLevel<'_>],
        keys: usize,
        values: &[usize],
    ) -> Bind<LogicalPlan> {
        let schema = rows.schema().clone();
        let first = schema.len() - levels.len();
        let key = |index: usize| Expr::column(first + index, levels[index].key.ty, levels[index].key.span);
        // Without keys, there would be a group even if there are no rows.
        let constant = (keys == 0).then(|| Expr::literal(Value::Long(0), Span::default()));
        let mut aggregates = Aggregates { keys: keys.max(1), ..Aggregates::default() };
        let mut columns: Vec<(String, Expr)> = (0..keys)
            .map(|index| (format!("$key{index}"), Expr::column(index, levels[index].key.ty, levels[index].key.span)))
            .collect();
        for index in values {
            let before = aggregates.found.len();
            let value = self.aggregate_expr(levels[*index].by, &schema, &mut aggregates)?;
            if aggregates.found.len() == before {
                let message = "an aggregate is required after `by`";
                return self.error(Code::NotAllowedHere, levels[*index].by.span, message);
            }
            columns.push((format!("$value{index}"), value));
        }
        let keys: Vec<Expr> = constant.into_iter().chain((0..keys).map(key)).collect();
        let key_fields = keys.iter().enumerate().map(|(index, key)| Field::new(format!("$key{index}"), key.ty));
        let fields = key_fields.chain(aggregates.found.iter().flat_map(|aggregate| aggregate.fields.clone()));
        let (schema, aggregates) = (Schema::new(fields), aggregates.found);
        Ok(LogicalPlan::Aggregate { input: Box::new(rows.clone()), keys, aggregates, schema }.project(columns))
    }
}

/// Joins rows with groups, by the keys of the levels down to `depth`.
fn joined_groups(rows: LogicalPlan, groups: LogicalPlan, kind: JoinKind, levels: usize, depth: usize) -> LogicalPlan {
    let first = rows.schema().len() - levels;
    let key = |index: usize| {
        let ty = groups.schema().field(index).ty;
        let column = |column| Expr::column(column, ty, Span::default());
        JoinKey { left: column(first + index), right: column(index) }
    };
    let keys = (0..=depth).map(key).collect();
    joined(rows, groups, kind, keys, Side::Right, |_| true)
}

fn path_key(path: &[Value]) -> String {
    let mut key = String::new();
    for value in path {
        dynamic::write_value(value, &mut key);
        key.push(',');
    }
    key
}

/// Appends the output rows for the groups below `path`. `row` has the cells of the levels above.
fn add_rows(
    levels: &[NestedLevel<'_>],
    groups: &[NestedGroups],
    path: &mut Vec<Value>,
    row: &mut Vec<Value>,
    output: &mut Vec<Vec<Value>>,
) {
    let depth = path.len();
    let Some(found) = groups.get(depth) else { return output.push(row.clone()) };
    let key = path_key(path);
    for (value, aggregate) in found.first.get(&key).into_iter().flatten() {
        path.push(value.clone());
        row.extend([value.clone(), aggregate.clone()]);
        add_rows(levels, groups, path, row, output);
        row.truncate(2 * depth);
        path.pop();
    }
    if let Some(rest) = found.rest.get(&key) {
        let mut aggregates = rest.iter();
        let mut cells = row.clone();
        for (level, found) in levels.iter().zip(groups).skip(depth) {
            let value_type = found.ty.unwrap_or(Type::Dynamic);
            cells.extend(match &level.others {
                Some(others) => [others.clone(), aggregates.next().cloned().unwrap_or_else(|| Value::null(value_type))],
                None => [Value::null(level.key.ty), Value::null(value_type)],
            });
        }
        output.push(cells);
    }
}

fn table_of(levels: &[NestedLevel<'_>], groups: &[NestedGroups], rows: &[Vec<Value>]) -> LogicalPlan {
    let pair = |(level, found): (&NestedLevel<'_>, &NestedGroups)| {
        let value_type = found.ty.unwrap_or(Type::Dynamic);
        [Field::new(&level.key_name, level.key.ty), Field::new(&level.value_name, value_type)]
    };
    let schema = Schema::new(levels.iter().zip(groups).flat_map(pair));
    let column = |(index, field): (usize, &Field)| {
        let mut builder = ColumnBuilder::new(field.ty);
        rows.iter().for_each(|row| builder.append(&row[index]));
        builder.finish()
    };
    let columns = schema.fields().iter().enumerate().map(column).collect();
    let batch = Batch::new(columns, rows.len());
    LogicalPlan::scan("top-nested", Arc::new(MemoryTable::new(schema, vec![batch])))
}
