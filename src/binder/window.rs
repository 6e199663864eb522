//! Binds calls of window functions. Each call becomes a column of a node below the operator that contains it.

use super::function::Call;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Result, Span};
use crate::expr::Expr;
use crate::functions::signature::expand;
use crate::functions::special::{Expansion, WindowForm};
use crate::functions::{self, SpecialForm};
use crate::plan::{LogicalPlan, Window, WindowCall, WindowFunction, visit};
use crate::syntax::ast::{self, ParsedExprKind, visit::operands};
use crate::types::{Schema, Type, Value, cast};

/// Maximum offset of `prev` and `next`, because that many rows are kept in memory.
const MAX_OFFSET: i64 = 1_000_000;

/// A call of a window function in the syntax tree.
struct WrittenCall<'e> {
    form: &'static SpecialForm,
    window: WindowForm,
    call: Call<'e>,
    /// How deep other such calls are nested in its arguments; 0 if there are none.
    level: usize,
}

impl Binder<'_> {
    /// Appends columns to `input`: one for each call of a window function in `expressions`, and one for each
    /// `toscalar` of rows of a subquery. `schema` is the schema of `input` without these columns. When such a call is
    /// bound later, it becomes a reference to its column.
    pub(super) fn windowed<'e>(
        &mut self,
        input: LogicalPlan,
        expressions: impl IntoIterator<Item = &'e ast::ParsedExpr>,
    ) -> Bind<LogicalPlan> {
        let expressions: Vec<&ast::ParsedExpr> = expressions.into_iter().collect();
        let mut calls = Vec::new();
        for expression in &expressions {
            self.find_calls(expression, &mut calls)?;
        }
        let Some(first) = calls.first() else { return self.with_row_scalars(input, &expressions) };
        if !has_order(&input) {
            let message = format!("`{}` requires rows in a known order", first.form.name);
            let diagnostic = Diagnostic::new(Code::NotAllowedHere, first.call.name.span, message);
            let help = "sort the rows before it (| sort by ...), or keep the order they have (| serialize)";
            return Err(self.report(diagnostic.help(help)));
        }
        let schema = input.schema().clone();
        let levels = calls.iter().map(|call| call.level).max().unwrap_or(0);
        let mut plan = input;
        for level in 0..=levels {
            let bound = self.all(calls.iter().filter(|call| call.level == level), |binder, call| {
                let bound = binder.window_call(call, &schema)?;
                Ok((call.call.span, bound))
            })?;
            let first = plan.schema().len();
            let columns = bound.iter().enumerate().map(|(at, (span, call))| (*span, (first + at, call.ty())));
            self.windows.extend(columns.collect::<Vec<_>>());
            plan =
                LogicalPlan::Window(Window::new(plan, bound.into_iter().map(|(_, call)| call).collect(), Vec::new()));
        }
        self.with_row_scalars(plan, &expressions)
    }

    /// Appends the calls of window functions in `expression` to `calls`. Returns how deep they are nested.
    fn find_calls<'e>(&mut self, expression: &'e ast::ParsedExpr, calls: &mut Vec<WrittenCall<'e>>) -> Bind<usize> {
        let mut level = 0;
        for operand in operands(expression) {
            level = level.max(self.find_calls(operand, calls)?);
        }
        let ParsedExprKind::Call { function: name, arguments } = &expression.kind else { return Ok(level) };
        let Some(form) = functions::special_form(&name.text) else { return Ok(level) };
        let Expansion::Window(window) = form.expansion else { return Ok(level) };
        if self.user_function(name)?.is_some() {
            return Ok(level);
        }
        let call = Call { name, arguments, span: expression.span };
        calls.push(WrittenCall { form, window, call, level });
        Ok(level + 1)
    }

    /// Returns the column for a call, which [`Binder::windowed`] made; reports a call in a position without such a
    /// column.
    pub(super) fn window_column(&mut self, call: &Call<'_>) -> Bind<Expr> {
        if let Some((column, ty)) = self.windows.get(&call.span) {
            return Ok(Expr::column(*column, *ty, call.span));
        }
        let message = format!("`{}` is not supported here", call.name.text);
        let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, call.name.span, message);
        Err(self.report(diagnostic.help(format!("make it a column first: | extend a = {}(...)", call.name.text))))
    }

    fn window_call(&mut self, written: &WrittenCall<'_>, schema: &Schema) -> Bind<WindowCall> {
        let (call, span) = (&written.call, written.call.span);
        self.check_count(written.form, call)?;
        if let Some(named) = call.arguments.iter().find_map(|argument| argument.name.as_ref()) {
            return self.error(Code::UnsupportedSyntax, named.span, "named arguments are not supported here yet");
        }
        let (term, function) = match written.window {
            WindowForm::Prev => self.neighbor(call, schema, -1)?,
            WindowForm::Next => self.neighbor(call, schema, 1)?,
            WindowForm::RowNumber => {
                let start = call.arguments.first().map_or(Ok(1), |start| self.constant_number(&start.value))?;
                (None, WindowFunction::RowNumber { start })
            }
            WindowForm::RowCumsum => (Some(self.typed_argument(written, 0, schema)?), WindowFunction::CumulativeSum),
            WindowForm::RowRankDense => (Some(self.ranked(written, schema)?), WindowFunction::RankDense),
            WindowForm::RowRankMin => (Some(self.ranked(written, schema)?), WindowFunction::RankMin),
            WindowForm::RowWindowSession => {
                let time = self.typed_argument(written, 0, schema)?;
                let max_from_first = self.constant_timespan(&call.arguments[1].value)?;
                let max_between = self.constant_timespan(&call.arguments[2].value)?;
                (Some(time), WindowFunction::Session { max_from_first, max_between })
            }
        };
        let restart = match written.form.params.iter().position(|param| param.name == "restart") {
            Some(at) if at < call.arguments.len() => Some(self.typed_argument(written, at, schema)?),
            _ => None,
        };
        Ok(WindowCall { function, term, restart, span })
    }

    /// Binds the argument at `at`, cast to the type of its parameter.
    fn typed_argument(&mut self, written: &WrittenCall<'_>, at: usize, schema: &Schema) -> Bind<Expr> {
        let bound = self.expr(&written.call.arguments[at].value, schema)?;
        let params = expand(written.form.params, written.call.arguments.len()).unwrap_or_default();
        let target = params.get(at).and_then(|param| param.accepts.cast_target(bound.ty));
        match (target, params.get(at)) {
            (Some(ty), _) => Ok(bound.cast(ty)),
            (None, param) => {
                let parameter = param.map_or("", |param| param.name);
                let message = format!("`{}` does not accept type {} for `{parameter}`", written.form.name, bound.ty);
                let diagnostic = Diagnostic::new(Code::ArgumentType, bound.span, message);
                let signature = functions::docs::special_signature(written.form);
                Err(self.report(diagnostic.help(format!("the signature is {signature}"))))
            }
        }
    }

    fn ranked(&mut self, written: &WrittenCall<'_>, schema: &Schema) -> Bind<Expr> {
        let term = self.typed_argument(written, 0, schema)?;
        self.not_dynamic(&term, "ranked")?;
        Ok(term)
    }

    /// Binds `prev(column, offset, default)` if `direction` is -1, or `next(...)` if it is 1.
    fn neighbor(&mut self, call: &Call<'_>, schema: &Schema, direction: i64) -> Bind<(Option<Expr>, WindowFunction)> {
        let column = &call.arguments[0].value;
        if !matches!(&column.kind, ParsedExprKind::Name(name) if schema.index_of(&name.text).is_some()) {
            let message = format!("the first argument of `{}` must be a column", call.name.text);
            let diagnostic = Diagnostic::new(Code::ArgumentType, column.span, message);
            return Err(self.report(diagnostic.help("make it a column first: | extend a = ...")));
        }
        let term = self.expr(column, schema)?;
        let rows = match call.arguments.get(1) {
            Some(offset) => self.offset(&offset.value)?,
            None => 1,
        };
        let default = match call.arguments.get(2) {
            Some(default) => {
                let value = self.constant(&default.value)?;
                cast::cast(&value, term.ty).map_err(|error| Failed::Fatal(error.into()))?
            }
            None => Value::null(term.ty),
        };
        Ok((Some(term), WindowFunction::Neighbor { offset: direction * rows, default }))
    }

    fn offset(&mut self, offset: &ast::ParsedExpr) -> Bind<i64> {
        let rows = self.constant_number(offset)?;
        if (0..=MAX_OFFSET).contains(&rows) {
            return Ok(rows);
        }
        let message = format!("the offset must be between 0 and {MAX_OFFSET}");
        self.error(Code::InvalidValue, offset.span, message)
    }

    fn constant_timespan(&mut self, expr: &ast::ParsedExpr) -> Bind<i64> {
        match self.constant(expr)? {
            Value::Timespan(ticks) => Ok(ticks),
            other => {
                let message = format!("a timespan is required here, not a value of type {}", other.ty());
                self.error(Code::ArgumentType, expr.span, message)
            }
        }
    }
}

/// The columns that have the results of calls, by the position of the call in the query.
pub(super) type WindowColumns = std::collections::BTreeMap<Span, (usize, Type)>;

/// True if the query determines the order of the rows.
///
/// Source: the reference's page on window functions, for `sort`, `top`, `serialize` and the operators that keep the
/// order. Rows that the query itself lists (`range`, `datatable`, `print`) have an order, too.
pub(super) fn has_order(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort { .. } | LogicalPlan::Top { .. } | LogicalPlan::Window(_) | LogicalPlan::Rows(_) => true,
        LogicalPlan::Filter { input, .. } | LogicalPlan::Project { input, .. } | LogicalPlan::Limit { input, .. } => {
            has_order(input)
        }
        LogicalPlan::Unnest(unnest) => has_order(&unnest.input),
        LogicalPlan::Sequence(sequence) => has_order(&sequence.input),
        LogicalPlan::PerRow(per_row) => has_order(&per_row.input),
        LogicalPlan::Parse(parse) => has_order(&parse.input),
        LogicalPlan::TableCall(call) => call.function.is_row_wise() && has_order(&call.input),
        LogicalPlan::Scan(scan) => scan.table.is_in_memory(),
        LogicalPlan::Aggregate { .. } | LogicalPlan::Union { .. } | LogicalPlan::Join(_) | LogicalPlan::Series(_) => {
            false
        }
    }
}

/// Removes the nodes that only state that the rows have an order.
pub(super) fn without_marks(plan: LogicalPlan) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| match node {
        LogicalPlan::Window(window) if window.calls.is_empty() => Ok(*window.input),
        other => Ok(other),
    })
}

/// Returns the plan for `serialize`: its rows keep the order that they have.
pub(super) fn ordered(plan: LogicalPlan) -> LogicalPlan {
    if has_order(&plan) { plan } else { LogicalPlan::Window(Window::new(plan, Vec::new(), Vec::new())) }
}
