//! Binds `ingestion_time()`: finds the column that has the time at which a record was ingested.
//!
//! The service stores this time with the record, but exports lack it unless the query that exported them included it.
//! So the function reads a column: the one that the user names, or else `_IngestionTime`, or else `_TimeReceived`,
//! the slightly earlier time at which the cloud received the record. The column is traced from the table to the call.
//! If an operator removed it on the way, or if the rows are no records any more, the call is an error.
//!
//! In the query of an alert rule, the function returns the time of arrival that is assumed for the row, by which runs
//! see it: a row without a value in that column arrives at its own time, or some time after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::entra::{INGESTED, RECEIVED};
use crate::expr::Expr;
use crate::plan::{LogicalPlan, PerRowOutput, Scan, UnnestOutput};
use crate::scan::TableProvider;
use crate::types::{Schema, Type, Value};

/// The name of a column that is computed by `ingestion_time()` and that the query does not name.
pub(super) const COLUMN_NAME: &str = "$IngestionTime";

/// Returns the table with additional columns at its end: those of `names` that its records have and it lacks.
pub fn with_arrival_columns<'n>(
    table: Arc<dyn TableProvider>,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Arc<dyn TableProvider>, Error> {
    let is_missing = |name: &&str| table.schema().index_of(name).is_none();
    let names: BTreeSet<String> = names.into_iter().filter(is_missing).map(str::to_owned).collect();
    Ok(if names.is_empty() { None } else { table.with_columns(&names, false)? }.unwrap_or(table))
}

/// When the rows of a table arrive in the runs of a rule.
#[derive(Clone, Debug)]
pub struct TableArrival {
    /// The column that has the time of arrival; None if the time of a row decides.
    pub column: Option<String>,
    /// The column that has the time of a row. It decides for rows without a value in `column`.
    pub time: String,
    /// The number of ticks from the time of a row to its arrival.
    pub delay: i64,
}

/// Returns when the rows of a table of the catalog arrive; None if the table has no time.
pub type ArrivalModel<'a> = dyn Fn(&str, &Arc<dyn TableProvider>) -> Result<Option<TableArrival>> + 'a;

/// Where the ingestion time is in the rows of a plan, and the tables about which the user is warned.
///
/// The ingestion time is null if there are no columns.
#[derive(Default)]
struct Ingestion {
    /// The position of the column that has the ingestion time.
    column: Option<usize>,
    /// The position of the column that decides for rows without a value in `column`.
    fallback: Option<usize>,
    /// The number of ticks from the time in `fallback` to the ingestion.
    delay: i64,
    /// The tables for which the time of reception is used instead.
    received: Vec<String>,
    /// The tables that have no such column.
    without: Vec<String>,
}

/// Why the ingestion time is not known.
enum Untraced {
    /// The reason, as part of a message.
    Because(String),
    /// Another error.
    Fatal(Error),
}

impl From<Error> for Untraced {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// The ingestion time, or the reason why it is not known.
type IngestionResult = Result<Ingestion, Untraced>;

fn because<T>(reason: impl Into<String>) -> Result<T, Untraced> {
    Err(Untraced::Because(reason.into()))
}

impl Binder<'_> {
    /// Binds `ingestion_time()` over rows of `schema`.
    pub(super) fn ingestion_time(&mut self, schema: &Schema, span: Span) -> Bind<Expr> {
        let Some(input) = self.inputs.last().filter(|input| input.schema() == schema) else {
            let message = "`ingestion_time()` is supported only in operators applied to a table";
            return self.error(Code::UnsupportedSyntax, span, message);
        };
        let found = match self.find_ingestion(input) {
            Ok(found) => found,
            Err(Untraced::Fatal(error)) => return Err(Failed::Fatal(error)),
            Err(Untraced::Because(why)) => {
                let message = format!("the ingestion time is not known here: {why}");
                let help = "add it directly after the table: | extend Ingested = ingestion_time()";
                return Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)));
            }
        };
        for table in &found.received {
            let message = format!("the ingestion time of {table} is taken from {RECEIVED}, which is slightly earlier");
            self.warn_ingestion(table, message, span);
        }
        for table in &found.without {
            let message = format!(
                "{table} has no ingestion time, so it is null there: finding no rows is not evidence of absence"
            );
            self.warn_ingestion(table, message, span);
        }
        self.ingestion_expr(&found, span)
    }

    fn ingestion_expr(&mut self, found: &Ingestion, span: Span) -> Bind<Expr> {
        let column = |index| Expr::column(index, Type::Datetime, span);
        let fallback = match found.fallback.map(column) {
            Some(time) if found.delay != 0 => {
                let delay = Expr::literal(Value::Timespan(found.delay), span);
                Some(self.operator_call("+", span, vec![time, delay], span)?)
            }
            fallback => fallback,
        };
        Ok(match (found.column.map(column), fallback) {
            (Some(column), Some(fallback)) => self.call_by_name("coalesce", vec![column, fallback], span)?,
            (column, fallback) => {
                column.or(fallback).unwrap_or_else(|| Expr::literal(Value::null(Type::Datetime), span))
            }
        })
    }

    fn warn_ingestion(&mut self, table: &str, message: String, span: Span) {
        let help = format!("name its column in the catalog file: [tables.{table}] ingestion-column = \"...\"");
        self.warn(Diagnostic::new(Code::IngestionTime, span, message).help(help));
    }

    fn find_ingestion(&self, plan: &LogicalPlan) -> IngestionResult {
        match plan {
            LogicalPlan::Scan(scan) => self.ingestion_of(scan),
            LogicalPlan::Filter { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. }
            | LogicalPlan::Top { input, .. } => self.find_ingestion(input),
            LogicalPlan::Project { input, expressions, .. } => {
                passed_on(self.find_ingestion(input)?, |at| expressions.iter().position(|e| e.as_column() == Some(at)))
            }
            LogicalPlan::Unnest(unnest) => passed_on(self.find_ingestion(&unnest.input)?, |at| {
                unnest.output.iter().position(|column| *column == UnnestOutput::Input(at))
            }),
            LogicalPlan::Parse(parse) => passed_on(self.find_ingestion(&parse.input)?, |at| {
                parse.output.iter().position(|column| column.as_input() == Some(at))
            }),
            LogicalPlan::Window(window) => self.find_ingestion(&window.input),
            LogicalPlan::Sequence(sequence) => self.find_ingestion(&sequence.input),
            LogicalPlan::PerRow(per_row) => passed_on(self.find_ingestion(&per_row.input)?, |at| {
                per_row.output.iter().position(|column| *column == PerRowOutput::Input(at))
            }),
            LogicalPlan::Rows(_) => because("it is lost inside a subquery of `mv-apply` or `partition`"),
            LogicalPlan::Union { inputs, .. } => self.ingestion_of_all(inputs),
            LogicalPlan::Join(join) => match join.kind.only() {
                Some(side) => passed_on(self.find_ingestion(join.input(side))?, |at| {
                    join.output.iter().position(|output| output.column == at)
                }),
                None => because("after a join, rows come from two tables"),
            },
            LogicalPlan::TableCall(call) => {
                passed_on(self.find_ingestion(&call.input)?, |at| call.kept.iter().position(|column| *column == at))
            }
            LogicalPlan::Aggregate { .. } | LogicalPlan::Series(_) => {
                because("the rows are no longer records of a table")
            }
        }
    }

    fn ingestion_of(&self, scan: &Scan) -> IngestionResult {
        if let Some(arrival_of) = self.environment.arrivals {
            return self.assumed_ingestion(scan, arrival_of);
        }
        // Rows that do not come from files were never ingested.
        if scan.table.with_provenance().is_none() {
            return Ok(Ingestion::default());
        }
        let mut found = Ingestion::default();
        if let Some(name) = self.environment.ingestion_columns.get(&scan.name) {
            found.column = self.ingestion_column(scan, name)?;
            return match found.column {
                Some(_) => Ok(found),
                None => because(format!(
                    "{} has no datetime column {name}, which the catalog file names as its ingestion column",
                    scan.name
                )),
            };
        }
        found.column = self.ingestion_column(scan, INGESTED)?;
        if found.column.is_none() {
            found.column = self.ingestion_column(scan, RECEIVED)?;
            let said = if found.column.is_some() { &mut found.received } else { &mut found.without };
            said.push(scan.name.clone());
        }
        Ok(found)
    }

    /// Returns the time at which the rows of a table arrive in the runs of a rule.
    fn assumed_ingestion(&self, scan: &Scan, arrival_of: &ArrivalModel<'_>) -> IngestionResult {
        // Rows that do not come from the catalog were never ingested.
        let Some(table) = self.environment.catalog.table(&scan.name)? else { return Ok(Ingestion::default()) };
        let Some(TableArrival { column, time, delay }) = arrival_of(&scan.name, &table)? else {
            return because(format!("the rows of {} have no time", scan.name));
        };
        let is_shown = |name: &str| datetime_column(table.schema(), name).is_some();
        let find = |name: &str| match datetime_column(&scan.schema, name).filter(|_| is_shown(name)) {
            Some(index) => Ok(index),
            None => self.bind_again_with(scan, name),
        };
        let column = column.map(|name| find(&name)).transpose()?;
        Ok(Ingestion { column, fallback: Some(find(&time)?), delay, ..Ingestion::default() })
    }

    /// Returns the position of a datetime column of a table; None if it has none of that name. If only its records have
    /// the column, the query is bound again with it.
    fn ingestion_column(&self, scan: &Scan, name: &str) -> Result<Option<usize>, Untraced> {
        let Some(table) = self.environment.catalog.table(&scan.name)? else { return Ok(None) };
        let is_hidden = table.schema().index_of(name).is_none();
        if is_hidden && datetime_column(with_arrival_columns(table, [name])?.schema(), name).is_some() {
            return self.bind_again_with(scan, name);
        }
        Ok(datetime_column(&scan.schema, name))
    }

    /// Binds the query again with a column that only the records of a table have.
    fn bind_again_with<T>(&self, scan: &Scan, name: &str) -> Result<T, Untraced> {
        self.miss(name);
        because(format!("{name} is a column that only the records of {} have", scan.name))
    }

    /// Combines the inputs of a union. Every input has all columns of the union; one that it lacks itself is null.
    fn ingestion_of_all(&self, inputs: &[LogicalPlan]) -> IngestionResult {
        let found = inputs.iter().map(|input| self.find_ingestion(input)).collect::<Result<Vec<_>, _>>()?;
        let mut all = Ingestion {
            column: found.iter().find_map(|one| one.column),
            fallback: found.iter().find_map(|one| one.fallback),
            delay: found.iter().find(|one| one.fallback.is_some()).map_or(0, |one| one.delay),
            ..Ingestion::default()
        };
        for (input, one) in inputs.iter().zip(found) {
            let fits = |own: Option<usize>, at: Option<usize>| {
                own == at || at.is_some_and(|at| own.is_none() && is_null(input, at))
            };
            if !fits(one.column, all.column) || !fits(one.fallback, all.fallback) {
                return because("the tables of the union hold it in different columns");
            }
            if one.fallback.is_some() && one.delay != all.delay {
                return because("the rows of the tables of the union do not arrive equally late");
            }
            all.received.extend(one.received);
            all.without.extend(one.without);
        }
        Ok(all)
    }
}

/// Returns the position of the datetime column of this name; None if there is none.
#[must_use]
pub fn datetime_column(schema: &Schema, name: &str) -> Option<usize> {
    schema.index_of(name).filter(|&index| schema.field(index).ty == Type::Datetime)
}

fn is_null(plan: &LogicalPlan, column: usize) -> bool {
    match plan {
        LogicalPlan::Project { expressions, .. } => expressions[column].as_literal().is_some_and(Value::is_null),
        _ => false,
    }
}

/// Traces the columns through an operator that moves columns. `position` returns the new position, None for a removed
/// column.
fn passed_on(found: Ingestion, position: impl Fn(usize) -> Option<usize>) -> IngestionResult {
    let moved = |column: Option<usize>| match column.map(&position) {
        Some(None) => because("its column was removed by an earlier operator"),
        at => Ok(at.flatten()),
    };
    Ok(Ingestion { column: moved(found.column)?, fallback: moved(found.fallback)?, ..found })
}
