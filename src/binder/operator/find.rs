//! Binds `find`, which returns the rows of several tables that satisfy a condition, with the name of their table.
//!
//! Source: the reference's page on the find operator, and the analyzer for the order of the columns.

use super::columns::pick;
use super::search::all_fields;
use super::union::{Branch, unite};
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, Find, FindColumn, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value};

/// The column that has the name of the table of each row.
const SOURCE_COLUMN: &str = "source_";
/// The column that has a bag of all columns without an output column of their own.
const PACK_COLUMN: &str = "pack_";

impl Binder<'_> {
    pub(in crate::binder) fn find(&mut self, find: &Find, span: Span) -> Bind<LogicalPlan> {
        let source_column = self.find_source_column(find)?;
        let mut branches = self.tables_or_all("find", &find.tables, span)?;
        let fields = all_fields(&branches);
        let used = columns_of(&find.predicate, &fields);
        if !used.any {
            branches.retain(|branch| used.names.iter().any(|name| branch.plan.schema().index_of(name).is_some()));
        }
        if branches.is_empty() {
            used.names.iter().for_each(|name| self.miss(name));
            return self.error(Code::UnknownColumn, find.predicate.span, "no table has a column of this condition");
        }
        let outputs = match &find.columns {
            Some(columns) => self.find_columns(columns, &branches)?,
            None => smart_columns(&used.names, &branches),
        };
        let found = self.all(branches.into_iter().enumerate(), |binder, (position, branch)| {
            if branch.plan.schema().index_of(&source_column).is_some() {
                let message = format!("a table of this find already has a column `{source_column}`");
                return binder.error(Code::DuplicateColumn, span, message);
            }
            let plan = binder.searched(branch.plan, &fields, &find.predicate, false)?;
            let plan = binder.find_output(plan, &outputs, span)?;
            let branch = Branch { plan, ..branch };
            Ok(branch.labelled(&source_column, &format!("find_arg{position}"), span))
        })?;
        Ok(pack_last(unite(found, false)))
    }

    fn find_source_column(&mut self, find: &Find) -> Bind<String> {
        let mut column = SOURCE_COLUMN.to_owned();
        for parameter in &find.parameters {
            let word = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.clone(),
                ParsedExprKind::Literal(Value::String(text)) => text.to_string(),
                _ => String::new(),
            };
            match parameter.name.text.as_str() {
                "withsource" | "with_source" if !word.is_empty() => column = word,
                // There is no hot cache.
                "datascope" => {}
                name if name.starts_with("hint.") => {}
                name => {
                    let message = format!("unsupported value of the find parameter `{name}`");
                    return self.error(Code::InvalidValue, parameter.name.span.to(parameter.value.span), message);
                }
            }
        }
        Ok(column)
    }

    /// Binds the output columns of `project`.
    fn find_columns(&mut self, columns: &[FindColumn], branches: &[Branch]) -> Bind<FindOutput> {
        let mut output = FindOutput { columns: Vec::new(), pack: false };
        let schema = Schema::new(all_fields(branches));
        for column in columns {
            let FindColumn::Named(name, ty) = column else {
                output.pack = true;
                continue;
            };
            let mut types: Vec<Type> = branches.iter().filter_map(|branch| type_in(branch, &name.text)).collect();
            types.dedup();
            let ty = match (ty, types.as_slice()) {
                (_, []) => return Err(self.unknown_column(name, &schema)),
                (Some(ty), _) => *ty,
                (None, [only]) => *only,
                (None, [first, ..]) => {
                    let message = format!("`{}` has several types: {}", name.text, type_list(&types));
                    let help = format!("choose one of them, for example `{}:{first}`", name.text);
                    return Err(self.report(Diagnostic::new(Code::OperandTypes, name.span, message).help(help)));
                }
            };
            if output.columns.iter().any(|earlier| earlier.name == name.text) {
                return Err(self.duplicate_column(name));
            }
            output.columns.push(OutputColumn { name: name.text.clone(), ty: Some(ty) });
        }
        Ok(output)
    }

    /// Returns the rows of one table with the output columns.
    fn find_output(&mut self, plan: LogicalPlan, output: &FindOutput, span: Span) -> Bind<LogicalPlan> {
        let schema = plan.schema().clone();
        let column = |column: &OutputColumn| {
            let own = schema.index_of(&column.name).map(|index| Expr::column(index, schema.field(index).ty, span));
            let expr = match (own, column.ty) {
                (Some(own), Some(ty)) => own.cast(ty),
                (Some(own), None) => own,
                (None, ty) => Expr::literal(Value::null(ty?), span),
            };
            Some((column.name.clone(), expr))
        };
        let mut columns: Vec<(String, Expr)> = output.columns.iter().filter_map(column).collect();
        if output.pack {
            let is_packed = |name: &str| output.columns.iter().all(|column| column.name != name);
            let packed: Vec<usize> = (0..schema.len()).filter(|index| is_packed(&schema.field(*index).name)).collect();
            columns.push((PACK_COLUMN.to_owned(), self.bag_of(&packed, &schema, span)?));
        }
        Ok(plan.project(columns))
    }
}

/// The output columns of a `find`, without the column of the table name.
struct FindOutput {
    columns: Vec<OutputColumn>,
    /// True if the other columns of a table are packed into a bag.
    pack: bool,
}

/// An output column of a `find`.
struct OutputColumn {
    name: String,
    /// The type to which the column is cast. If None, the column keeps the type that it has in each table, and each
    /// must have it.
    ty: Option<Type>,
}

/// Returns the output columns of `project-smart`: those that the condition names, and those that all tables have.
fn smart_columns(used: &[String], branches: &[Branch]) -> FindOutput {
    let everywhere = |name: &str| branches.iter().all(|branch| branch.plan.schema().index_of(name).is_some());
    let all = all_fields(branches);
    let (shown, rest): (Vec<Field>, Vec<Field>) =
        all.into_iter().partition(|field| used.contains(&field.name) || everywhere(&field.name));
    let columns = shown.into_iter().map(|field| OutputColumn { name: field.name, ty: None }).collect();
    FindOutput { columns, pack: !rest.is_empty() }
}

/// The columns to which a condition refers.
#[derive(Default)]
struct UsedColumns {
    names: Vec<String>,
    /// True if the condition may refer to any column, because it searches all columns or names none.
    any: bool,
}

/// Returns the columns among `fields` that `predicate` names.
fn columns_of(predicate: &ast::ParsedExpr, fields: &[Field]) -> UsedColumns {
    let mut used = UsedColumns::default();
    add_columns(predicate, true, fields, &mut used);
    used.any |= used.names.is_empty();
    used
}

/// Adds the columns that `expr` names. With `is_condition`, a string on its own is a term that is searched for in all
/// columns.
fn add_columns(expr: &ast::ParsedExpr, is_condition: bool, fields: &[Field], used: &mut UsedColumns) {
    let mut add = |part: &ast::ParsedExpr, is_condition| add_columns(part, is_condition, fields, used);
    match &expr.kind {
        ParsedExprKind::Star => used.any = true,
        ParsedExprKind::Literal(Value::String(_)) if is_condition => used.any = true,
        ParsedExprKind::Literal(_) | ParsedExprKind::Pipeline(_) => {}
        ParsedExprKind::Name(name) => {
            let is_column = fields.iter().any(|field| field.name == name.text);
            if is_column && !used.names.contains(&name.text) {
                used.names.push(name.text.clone());
            }
            used.any |= is_condition && !is_column;
        }
        ParsedExprKind::Parenthesised(inner) => add(inner, is_condition),
        ParsedExprKind::Binary { operator, left, right, .. } => {
            let joins = matches!(operator, ast::BinaryOperator::And | ast::BinaryOperator::Or);
            [left, right].into_iter().for_each(|part| add(part, is_condition && joins));
        }
        ParsedExprKind::Unary { operand, .. } => add(operand, false),
        ParsedExprKind::Membership { left, list, .. } => {
            std::iter::once(&**left).chain(list).for_each(|part| add(part, false));
        }
        ParsedExprKind::Between { operand, low, high, .. } => {
            [operand, low, high].into_iter().for_each(|part| add(part, false));
        }
        ParsedExprKind::Call { arguments, .. } => arguments.iter().for_each(|argument| add(&argument.value, false)),
        ParsedExprKind::Member { base, .. } => add(base, false),
        ParsedExprKind::Index { base, index } => [base, index].into_iter().for_each(|part| add(part, false)),
    }
}

fn type_in(branch: &Branch, name: &str) -> Option<Type> {
    let schema = branch.plan.schema();
    schema.index_of(name).map(|index| schema.field(index).ty)
}

fn type_list(types: &[Type]) -> String {
    types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ")
}

/// Moves the bag to the end, after columns that only later tables have.
fn pack_last(plan: LogicalPlan) -> LogicalPlan {
    let schema = plan.schema().clone();
    match schema.index_of(PACK_COLUMN) {
        Some(pack) if pack + 1 < schema.len() => {
            let others = (0..schema.len()).filter(|index| *index != pack);
            pick(plan, &others.chain([pack]).collect::<Vec<_>>())
        }
        _ => plan,
    }
}
