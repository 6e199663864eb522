//! Binds `set`, which sets options of the query. Options that change the rows of the query are applied or refused.
//! The others control how the service runs a query, and have no effect here.
//!
//! Source: the reference's pages on the set statement and on request properties.

use super::{Bind, Binder, TimeRange};
use crate::diagnostic::{Code, Diagnostic, Error};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Type, Value, cast};

/// Options that change the rows of a query and are not supported.
const UNSUPPORTED: &[&str] = &[
    "query_cursor_after_default",
    "query_cursor_before_or_at_default",
    "query_cursor_scoped_tables",
    "query_language",
    "query_results_apply_getschema",
];

/// The options that the query has set so far.
#[derive(Debug, Default)]
pub(super) struct QueryOptions {
    /// The options `query_bin_auto_size` and `query_bin_auto_at`.
    pub bin_auto: BinAuto,
    /// The option `query_datetimescope_column`. `from` and `to` are the options of that name, in ticks.
    column: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    /// The option `query_take_max_records`.
    max_records: Option<usize>,
    /// All options with their values and effects, in the order of the query.
    pub listed: Vec<QueryOption>,
}

/// An option, as `-v` and manifests show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOption {
    /// The name of the option.
    pub name: String,
    /// The value as the query writes it; "" if it gives none.
    pub value: String,
    /// True if the option can change the rows of the query.
    pub is_effective: bool,
}

/// The options of `bin_auto()`, if they are set.
#[derive(Debug, Default)]
pub(super) struct BinAuto {
    pub size: Option<Value>,
    pub at: Option<Value>,
}

impl Binder<'_> {
    pub(super) fn set_statement(&mut self, option: &ast::Name, value: Option<&ast::ParsedExpr>) -> Bind<()> {
        let is_effective = match option.text.as_str() {
            "query_now" => {
                self.context.now = self.datetime_option(option, value)?;
                true
            }
            "query_bin_auto_size" => {
                self.options.bin_auto.size = Some(self.option_value(option, value)?);
                true
            }
            "query_bin_auto_at" => {
                self.options.bin_auto.at = Some(self.option_value(option, value)?);
                true
            }
            "query_datetimescope_column" => {
                self.options.column = Some(self.column_option(option, value)?);
                true
            }
            "query_datetimescope_from" => {
                self.options.from = Some(self.datetime_option(option, value)?);
                true
            }
            "query_datetimescope_to" => {
                self.options.to = Some(self.datetime_option(option, value)?);
                true
            }
            "query_take_max_records" => {
                self.options.max_records = Some(self.count_option(option, value)?);
                true
            }
            name if UNSUPPORTED.contains(&name) => {
                let message = format!("`set {name}` changes what a query returns, and is not supported");
                return self.error(Code::UnsupportedStatement, option.span, message);
            }
            _ => self.check_literal(value).map(|()| false)?,
        };
        let value = value.map_or(String::new(), crate::syntax::print_expression);
        self.options.listed.push(QueryOption { name: option.text.clone(), value, is_effective });
        Ok(())
    }

    /// Reports a value that is neither a literal nor a name, as Kusto does.
    fn check_literal(&mut self, value: Option<&ast::ParsedExpr>) -> Bind<()> {
        match value {
            Some(value) if !matches!(value.kind, ParsedExprKind::Name(_) | ParsedExprKind::Literal(_)) => {
                self.error(Code::NotConstant, value.span, "the value of an option must be a literal")
            }
            _ => Ok(()),
        }
    }

    fn option_value(&mut self, option: &ast::Name, value: Option<&ast::ParsedExpr>) -> Bind<Value> {
        match value {
            Some(value) => self.constant(value),
            None => self.error(Code::InvalidValue, option.span, format!("`{}` must have a value", option.text)),
        }
    }

    fn datetime_option(&mut self, option: &ast::Name, value: Option<&ast::ParsedExpr>) -> Bind<i64> {
        let span = value.map_or(option.span, |value| value.span);
        let constant = self.option_value(option, value)?;
        match cast::cast(&constant, Type::Datetime).map_err(Error::from)? {
            Value::Datetime(ticks) => Ok(ticks),
            _ => self.error(Code::InvalidValue, span, format!("`{}` must be a datetime", option.text)),
        }
    }

    /// Returns the value of an option that must be a string, the name of a column.
    fn column_option(&mut self, option: &ast::Name, value: Option<&ast::ParsedExpr>) -> Bind<String> {
        let span = value.map_or(option.span, |value| value.span);
        match self.option_value(option, value)?.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => self.error(Code::InvalidValue, span, format!("`{}` must be a string", option.text)),
        }
    }

    fn count_option(&mut self, option: &ast::Name, value: Option<&ast::ParsedExpr>) -> Bind<usize> {
        let span = value.map_or(option.span, |value| value.span);
        let constant = self.option_value(option, value)?;
        match constant.as_i64().and_then(|count| usize::try_from(count).ok()) {
            Some(count) => Ok(count),
            None => self.error(Code::InvalidValue, span, format!("`{}` must be a number of records", option.text)),
        }
    }

    /// Restricts a table to the time range that the options set. The reference does not state what happens to tables
    /// that lack the column, or if no column is set, so both are refused.
    pub(super) fn cut_to_scope(&mut self, plan: LogicalPlan, name: &ast::Name) -> Bind<LogicalPlan> {
        let (from, through) = (self.options.from, self.options.to);
        if from.is_none() && through.is_none() {
            return Ok(plan);
        }
        let span = name.span;
        let Some(column) = self.options.column.clone() else {
            let message = "the time range that the query sets needs `query_datetimescope_column`";
            let help = "add: set query_datetimescope_column = 'TimeGenerated';";
            return Err(self.report(Diagnostic::new(Code::UnsupportedStatement, span, message).help(help)));
        };
        if !has_time(&plan, &column) {
            let message = format!(
                "the time range that the query sets cannot be applied: this table has no datetime column `{column}`"
            );
            return self.error(Code::UnsupportedStatement, span, message);
        }
        self.cut(plan, &TimeRange { column, from, to: None, through }, span)
    }

    /// Returns the plan, limited to its first rows if an option limits them.
    pub(super) fn limited(&self, plan: LogicalPlan) -> LogicalPlan {
        match self.options.max_records {
            Some(count) => LogicalPlan::Limit { input: Box::new(plan), count },
            None => plan,
        }
    }
}

/// True if the rows have a datetime column of this name.
fn has_time(plan: &LogicalPlan, column: &str) -> bool {
    plan.schema().index_of(column).is_some_and(|index| plan.schema().field(index).ty == Type::Datetime)
}
