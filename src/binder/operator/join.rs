//! Binds `join` and `lookup`, which combine rows of two tables whose key columns are equal.
//!
//! If the left table has a column of the same name, the column of the right table gets a number appended. The number
//! is chosen so that the name does not occur in either table.

use crate::binder::naming::Names;
use crate::binder::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::{self, Expr};
use crate::plan::{JOIN_KINDS, Join, JoinColumn, JoinKey, JoinKind, LogicalPlan, Side};
use crate::syntax::ast::{self, BinaryOperator, Parameter, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value};

/// The valid values of `hint.strategy`.
const STRATEGIES: &[&str] = &["auto", "broadcast", "centralized", "shuffle"];
/// The valid values of `hint.remote`.
const REMOTES: &[&str] = &["auto", "left", "local", "right"];

/// The valid values of `lookup kind=`.
const LOOKUP_KINDS: &[(&str, JoinKind)] = &[("leftouter", JoinKind::LeftOuter), ("inner", JoinKind::Inner)];

impl Binder<'_> {
    pub(super) fn join(
        &mut self,
        left: LogicalPlan,
        parameters: &[Parameter],
        right: &ast::Pipeline,
        on: &[ast::JoinCondition],
    ) -> Bind<LogicalPlan> {
        let kind = self.join_kind(parameters, JOIN_KINDS, JoinKind::InnerUnique);
        let right = self.pipeline(right)?;
        let keys = self.join_keys(on, left.schema(), right.schema());
        let (kind, keys) = (kind?, keys?);
        let build = kind.build().unwrap_or_else(|| smaller(&left, &right));
        Ok(joined(left, right, kind, keys, build, |_| true))
    }

    /// Binds `lookup`: a join without the right keys in its output, whose right table is taken as the smaller one.
    /// Source: the reference's page on the lookup operator.
    pub(super) fn lookup(
        &mut self,
        left: LogicalPlan,
        parameters: &[Parameter],
        right: &ast::Pipeline,
        on: &[ast::JoinCondition],
    ) -> Bind<LogicalPlan> {
        let kind = self.join_kind(parameters, LOOKUP_KINDS, JoinKind::LeftOuter);
        let right = self.pipeline(right)?;
        let (kind, keys) = (kind?, self.join_keys(on, left.schema(), right.schema())?);
        let key_columns: Vec<usize> = keys.iter().flat_map(|key| expr::visit::columns(&key.right)).collect();
        Ok(joined(left, right, kind, keys, Side::Right, |column| !key_columns.contains(&column)))
    }

    /// Returns the kind of the join. Hints are checked, but have no effect.
    fn join_kind(
        &mut self,
        parameters: &[Parameter],
        kinds: &[(&'static str, JoinKind)],
        default: JoinKind,
    ) -> Bind<JoinKind> {
        let mut written: Option<Span> = None;
        let mut kind = default;
        self.all(parameters, |binder, parameter| {
            let word = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.as_str(),
                ParsedExprKind::Literal(Value::String(text)) => text,
                _ => "",
            };
            let (name, value) = (parameter.name.text.as_str(), parameter.value.span);
            match name {
                "kind" => {
                    if let Some(earlier) = written.replace(parameter.name.span) {
                        let diagnostic = Diagnostic::new(Code::DuplicateName, parameter.name.span, "a second `kind`");
                        return Err(binder.report(diagnostic.label(earlier, "first used here")));
                    }
                    match kinds.iter().find(|(known, _)| *known == word) {
                        Some((_, found)) => kind = *found,
                        None => {
                            return Err(binder.unknown_word(value, word, "kind", kinds.iter().map(|(word, _)| *word)));
                        }
                    }
                }
                "hint.strategy" if !STRATEGIES.contains(&word) => {
                    return Err(binder.unknown_word(value, word, "strategy", STRATEGIES.iter().copied()));
                }
                "hint.remote" if !REMOTES.contains(&word) => {
                    return Err(binder.unknown_word(value, word, "place", REMOTES.iter().copied()));
                }
                _ if name.starts_with("hint.") => {}
                _ => {
                    let message = format!("`{name}` is not a parameter of this operator");
                    return binder.error(Code::InvalidValue, parameter.name.span, message);
                }
            }
            Ok(())
        })?;
        Ok(kind)
    }

    fn unknown_word<'w>(
        &mut self,
        span: Span,
        word: &str,
        what: &str,
        known: impl Iterator<Item = &'w str> + Clone,
    ) -> Failed {
        let words = known.clone().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let diagnostic = Diagnostic::new(Code::InvalidValue, span, format!("unknown {what}"));
        self.report(diagnostic.suggest(word, known).help(format!("expected one of {words}")))
    }

    fn join_keys(&mut self, on: &[ast::JoinCondition], left: &Schema, right: &Schema) -> Bind<Vec<JoinKey>> {
        let mut conditions = Vec::new();
        on.iter().for_each(|key| split(&key.condition, &mut conditions));
        self.all(conditions, |binder, condition| binder.join_key(condition, left, right))
    }

    fn join_key(&mut self, condition: &ast::ParsedExpr, left: &Schema, right: &Schema) -> Bind<JoinKey> {
        match &condition.kind {
            ParsedExprKind::Name(name) => {
                let columns = [Side::Left, Side::Right].map(|side| {
                    let schema = if side == Side::Left { left } else { right };
                    self.join_column(name, side, schema)
                });
                let [left, right] = columns;
                let (left, right) = (left?, right?);
                match left.ty == right.ty {
                    true => Ok(JoinKey { left, right }),
                    false => Err(self.different_types(left.ty, right.ty, condition.span)),
                }
            }
            ParsedExprKind::Binary { operator: BinaryOperator::Equal, left: first, right: second, .. } => {
                let (Some(first), Some(second)) = (qualified(first, Side::Left), qualified(second, Side::Right)) else {
                    return Err(self.wrong_condition(condition.span));
                };
                let columns = (self.join_column(first, Side::Left, left), self.join_column(second, Side::Right, right));
                self.same_type(columns.0?, columns.1?, condition.span)
            }
            _ => Err(self.wrong_condition(condition.span)),
        }
    }

    fn wrong_condition(&mut self, span: Span) -> Failed {
        let message = "a join condition must be the name of a common column, or `$left.a == $right.b`";
        let help = "move other conditions to a `where` after the join";
        self.report(Diagnostic::new(Code::NotAllowedHere, span, message).help(help))
    }

    fn join_column(&mut self, name: &ast::Name, side: Side, schema: &Schema) -> Bind<Expr> {
        let Some(index) = schema.index_of(&name.text) else {
            self.miss(&name.text);
            let message = format!("{} has no column `{}`", side.name(), name.text);
            let diagnostic = Diagnostic::new(Code::UnknownColumn, name.span, message);
            return Err(self.report(diagnostic.suggest(&name.text, schema.names())));
        };
        let ty = schema.field(index).ty;
        if ty == Type::Dynamic {
            let message = format!("`{}` is dynamic, so it cannot be a join key", name.text);
            let help = "convert it with tostring(...) in an `extend` before the join";
            return Err(self.report(Diagnostic::new(Code::DynamicNotAllowed, name.span, message).help(help)));
        }
        Ok(Expr::column(index, ty, name.span))
    }

    /// Returns the key of two columns that a condition compares. They must have one type, or one is an int and the
    /// other a long; these are compared as longs. Columns of the same name must have the same type. Source: the
    /// analyzer of the KQL language service.
    fn same_type(&mut self, left: Expr, right: Expr, span: Span) -> Bind<JoinKey> {
        match (left.ty, right.ty) {
            (a, b) if a == b => Ok(JoinKey { left, right }),
            (Type::Int | Type::Long, Type::Int | Type::Long) => {
                Ok(JoinKey { left: left.cast(Type::Long), right: right.cast(Type::Long) })
            }
            (a, b) => Err(self.different_types(a, b, span)),
        }
    }

    fn different_types(&mut self, left: Type, right: Type, span: Span) -> Failed {
        let message = format!("join keys have different types: {left} and {right}");
        let help = format!("convert one of them with to{left}(...) or to{right}(...) in an `extend` before the join");
        self.report(Diagnostic::new(Code::OperandTypes, span, message).help(help))
    }
}

/// Splits a condition at its outermost `and`s, and appends the parts to `parts`.
fn split<'e>(condition: &'e ast::ParsedExpr, parts: &mut Vec<&'e ast::ParsedExpr>) {
    match &condition.kind {
        ParsedExprKind::Parenthesised(inner) => split(inner, parts),
        ParsedExprKind::Binary { operator: BinaryOperator::And, left, right, .. } => {
            split(left, parts);
            split(right, parts);
        }
        _ => parts.push(condition),
    }
}

/// Returns the column after `$left.` or `$right.`; None if the expression is not a column of this side.
fn qualified(expr: &ast::ParsedExpr, side: Side) -> Option<&ast::Name> {
    match &expr.kind {
        ParsedExprKind::Parenthesised(inner) => qualified(inner, side),
        ParsedExprKind::Member { base, name } => match &base.kind {
            ParsedExprKind::Name(base) if base.text == side.name() => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Joins two tables. `keep` is true for the positions of the right columns that are in the output.
pub(super) fn joined(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinKind,
    keys: Vec<JoinKey>,
    build: Side,
    keep: impl Fn(usize) -> bool,
) -> LogicalPlan {
    let kept = |(column, _): &(usize, &Field)| keep(*column);
    let right_columns = || right.schema().fields().iter().enumerate().filter(kept);
    let mut names = Names::taken(left.schema().names()).past(right_columns().map(|(_, field)| field.name.as_str()));
    let mut columns = Vec::new();
    if kind.only() != Some(Side::Right) {
        let own = left.schema().fields().iter().cloned().enumerate();
        columns.extend(own.map(|(column, field)| (JoinColumn { side: Side::Left, column }, field)));
    }
    if kind.only() != Some(Side::Left) {
        columns.extend(right_columns().map(|(column, field)| {
            let name = if kind.only().is_some() { field.name.clone() } else { names.unique(&field.name) };
            (JoinColumn { side: Side::Right, column }, Field::new(name, field.ty))
        }));
    }
    let (output, fields): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let (left, right, schema) = (Box::new(left), Box::new(right), Schema::new(fields));
    LogicalPlan::Join(Join { left, right, kind, keys, build, output, schema, window: None })
}

/// Maximum number of nodes of a condition that is moved below a join.
const MAX_MOVED: usize = 1_000;

/// Filters `plan`. Of left rows with equal keys, `innerunique` keeps one that satisfies the conditions after the
/// join. So conditions on left columns only are tested before that row is chosen.
/// Source: the reference's page on the innerunique join, which promises this.
pub(super) fn filtered(plan: LogicalPlan, predicate: Expr) -> LogicalPlan {
    match predicate.kind {
        expr::ExprKind::Call { function, arguments, .. } if function.name == "and" && is_unique(&plan) => {
            arguments.into_iter().fold(plan, filtered)
        }
        kind => {
            let predicate = Expr { kind, ..predicate };
            let columns = expr::visit::columns(&predicate);
            if !columns.is_empty() && predicate.is_repeatable() && reaches_left(&plan, &columns, MAX_MOVED) {
                below_join(plan, predicate)
            } else {
                plan.filter(predicate)
            }
        }
    }
}

fn is_unique(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Filter { input, .. } | LogicalPlan::Project { input, .. } | LogicalPlan::Sort { input, .. } => {
            is_unique(input)
        }
        LogicalPlan::Join(join) => join.kind == JoinKind::InnerUnique,
        _ => false,
    }
}

/// True if the columns come from the left side of an `innerunique` join, directly or through expressions of limited
/// size.
fn reaches_left(plan: &LogicalPlan, columns: &[usize], parts: usize) -> bool {
    match plan {
        LogicalPlan::Filter { input, .. } | LogicalPlan::Sort { input, .. } => reaches_left(input, columns, parts),
        LogicalPlan::Project { input, expressions, .. } => {
            let used = || columns.iter().map(|column| &expressions[*column]);
            let mut below: Vec<usize> = used().flat_map(expr::visit::columns).collect();
            below.sort_unstable();
            below.dedup();
            let size: usize = used().map(expr::visit::size).sum();
            size <= parts && used().all(Expr::is_repeatable) && reaches_left(input, &below, parts - size)
        }
        LogicalPlan::Join(join) => {
            let is_left = |column: &usize| join.output[*column].side == Side::Left;
            join.kind == JoinKind::InnerUnique && columns.iter().all(is_left)
        }
        _ => false,
    }
}

/// Moves the condition below the join that [`reaches_left`] found.
fn below_join(plan: LogicalPlan, predicate: Expr) -> LogicalPlan {
    match plan {
        LogicalPlan::Filter { input, predicate: own } => below_join(*input, predicate).filter(own),
        LogicalPlan::Sort { input, keys } => LogicalPlan::Sort { input: Box::new(below_join(*input, predicate)), keys },
        LogicalPlan::Project { input, expressions, schema } => {
            let predicate = expr::visit::substitute(predicate, &expressions);
            LogicalPlan::Project { input: Box::new(below_join(*input, predicate)), expressions, schema }
        }
        LogicalPlan::Join(join) => {
            let own = join.output.iter().zip(join.schema.fields());
            let own: Vec<Expr> =
                own.map(|(output, field)| Expr::column(output.column, field.ty, predicate.span)).collect();
            let predicate = expr::visit::substitute(predicate, &own);
            LogicalPlan::Join(Join { left: Box::new(join.left.filter(predicate)), ..join })
        }
        other => other.filter(predicate),
    }
}

/// Returns the side that looks smaller, judged by its operators; the right side if they look equal. The decision
/// depends only on the query and not on the files, because the order of the result depends on it.
fn smaller(left: &LogicalPlan, right: &LogicalPlan) -> Side {
    if magnitude(left) < magnitude(right) { Side::Left } else { Side::Right }
}

/// Estimates the size of the result of a plan: 0 for a few rows, 1 for one row for each group, 2 for the rows of
/// files.
fn magnitude(plan: &LogicalPlan) -> u8 {
    match plan {
        LogicalPlan::Scan(scan) => {
            if scan.table.is_in_memory() {
                0
            } else {
                2
            }
        }
        LogicalPlan::Limit { .. } | LogicalPlan::Top { .. } => 0,
        LogicalPlan::Aggregate { keys, .. } if keys.is_empty() => 0,
        LogicalPlan::Aggregate { input, .. } => magnitude(input).min(1),
        LogicalPlan::Series(series) => magnitude(&series.input).min(1),
        LogicalPlan::Filter { input, .. } | LogicalPlan::Project { input, .. } | LogicalPlan::Sort { input, .. } => {
            magnitude(input)
        }
        LogicalPlan::Unnest(unnest) => magnitude(&unnest.input),
        LogicalPlan::TableCall(call) => magnitude(&call.input),
        LogicalPlan::Parse(parse) => magnitude(&parse.input),
        LogicalPlan::Window(window) => magnitude(&window.input),
        LogicalPlan::Sequence(sequence) => magnitude(&sequence.input),
        LogicalPlan::PerRow(per_row) => magnitude(&per_row.input),
        LogicalPlan::Rows(_) => 1,
        LogicalPlan::Union { inputs, .. } => inputs.iter().map(magnitude).max().unwrap_or(0),
        LogicalPlan::Join(join) => match join.kind.only() {
            Some(side) => magnitude(join.input(side)),
            None => magnitude(&join.left).max(magnitude(&join.right)),
        },
    }
}
