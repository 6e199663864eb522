//! Binds `ingestion_time()`: finds the column that has the time at which a record was ingested.
//!
//! The service stores this time with the record, but exports lack it unless the query that exported them included it.
//! So the function reads a column: the one that the user names, or else `_IngestionTime`, or else `_TimeReceived`,
//! the slightly earlier time at which the cloud received the record. The column is traced from the table to the call.
//! If an operator removed it on the way, or if the rows are no records any more, the call is an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::plan::{LogicalPlan, PerRowOutput, Scan, UnnestOutput};
use crate::scan::TableProvider;
use crate::types::{Schema, Type, Value};

/// The name of a column that is computed by `ingestion_time()` and that the query does not name.
pub(super) const COLUMN_NAME: &str = "$IngestionTime";

/// The column that has the result of `ingestion_time()` at the time of the export, if the export included it.
pub const INGESTED: &str = "_IngestionTime";

/// The column that has the time at which the cloud received the record.
pub const RECEIVED: &str = "_TimeReceived";

/// Returns the table with additional columns at its end: those of `names` that its records have and it lacks.
pub fn with_arrival_columns<'n>(
    table: Arc<dyn TableProvider>,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Arc<dyn TableProvider>, Error> {
    let is_missing = |name: &&str| table.schema().index_of(name).is_none();
    let names: BTreeSet<String> = names.into_iter().filter(is_missing).map(str::to_owned).collect();
    Ok(if names.is_empty() { None } else { table.with_columns(&names, false)? }.unwrap_or(table))
}

/// Where the ingestion time is in the rows of a plan, and the tables about which the user is warned.
#[derive(Default)]
struct Ingestion {
    /// The position of the column; None if the time is null.
    column: Option<usize>,
    /// The tables for which the time of reception is used instead.
    received: Vec<String>,
    /// The tables that have no such column.
    without: Vec<String>,
}

/// The ingestion time, or the reason why it is not known.
type IngestionResult = Result<Ingestion, String>;

impl Binder<'_> {
    /// Binds `ingestion_time()` over rows of `schema`.
    pub(super) fn ingestion_time(&mut self, schema: &Schema, span: Span) -> Bind<Expr> {
        if self.environment.rule_run.is_some() {
            // The call would read a column, although the rows of a run arrive at assumed times.
            let message = "`ingestion_time()` in the query of a rule is not supported by backtests: it would not follow \
                           the assumed times of arrival";
            let help = "compare the column, such as _IngestionTime, or _TimeReceived";
            return Err(self.report(Diagnostic::new(Code::UnsupportedFunction, span, message).help(help)));
        }
        let Some(input) = self.inputs.last().filter(|input| input.schema() == schema) else {
            let message = "`ingestion_time()` is supported only in operators applied to a table";
            return self.error(Code::UnsupportedSyntax, span, message);
        };
        let found = self.find_ingestion(input).map_err(|why| {
            let message = format!("the ingestion time is not known here: {why}");
            let help = "add it directly after the table: | extend Ingested = ingestion_time()";
            self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help))
        })?;
        for table in found.received {
            let message = format!("the ingestion time of {table} is taken from {RECEIVED}, which is slightly earlier");
            self.warn_ingestion(&table, message, span);
        }
        for table in found.without {
            let message = format!(
                "{table} has no ingestion time, so it is null there: finding no rows is not evidence of absence"
            );
            self.warn_ingestion(&table, message, span);
        }
        Ok(match found.column {
            Some(index) => Expr::column(index, Type::Datetime, span),
            None => Expr::literal(Value::null(Type::Datetime), span),
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
            LogicalPlan::Rows(_) => Err("it is lost inside a subquery of `mv-apply` or `partition`".to_owned()),
            LogicalPlan::Union { inputs, .. } => self.ingestion_of_all(inputs),
            LogicalPlan::Join(join) => match join.kind.only() {
                Some(side) => passed_on(self.find_ingestion(join.input(side))?, |at| {
                    join.output.iter().position(|output| output.column == at)
                }),
                None => Err("after a join, rows come from two tables".to_owned()),
            },
            LogicalPlan::TableCall(call) => {
                passed_on(self.find_ingestion(&call.input)?, |at| call.kept.iter().position(|column| *column == at))
            }
            LogicalPlan::Aggregate { .. } | LogicalPlan::Series(_) => {
                Err("the rows are no longer records of a table".to_owned())
            }
        }
    }

    fn ingestion_of(&self, scan: &Scan) -> IngestionResult {
        // Rows that do not come from files were never ingested.
        if scan.table.with_provenance().is_none() {
            return Ok(Ingestion::default());
        }
        let place =
            |name: &str| scan.schema.index_of(name).filter(|&index| scan.schema.field(index).ty == Type::Datetime);
        let mut found = Ingestion::default();
        if let Some(name) = self.environment.ingestion_columns.get(&scan.name) {
            found.column = place(name);
            let missing = || {
                format!(
                    "{} has no datetime column {name}, which the catalog file names as its ingestion column",
                    scan.name
                )
            };
            return if found.column.is_some() { Ok(found) } else { Err(missing()) };
        }
        found.column = place(INGESTED);
        if found.column.is_none() {
            found.column = place(RECEIVED);
            let said = if found.column.is_some() { &mut found.received } else { &mut found.without };
            said.push(scan.name.clone());
        }
        Ok(found)
    }

    /// Combines the inputs of a union. Every input has all columns of the union; one that it lacks itself is null.
    fn ingestion_of_all(&self, inputs: &[LogicalPlan]) -> IngestionResult {
        let mut all = Ingestion::default();
        let found = inputs.iter().map(|input| self.find_ingestion(input)).collect::<Result<Vec<_>, _>>()?;
        all.column = found.iter().find_map(|one| one.column);
        for (input, one) in inputs.iter().zip(found) {
            let fits =
                one.column == all.column || all.column.is_some_and(|at| one.column.is_none() && is_null(input, at));
            if !fits {
                return Err("the tables of the union hold it in different columns".to_owned());
            }
            all.received.extend(one.received);
            all.without.extend(one.without);
        }
        Ok(all)
    }
}

fn is_null(plan: &LogicalPlan, column: usize) -> bool {
    match plan {
        LogicalPlan::Project { expressions, .. } => expressions[column].as_literal().is_some_and(Value::is_null),
        _ => false,
    }
}

/// Traces the column through an operator that moves columns. `place` returns the new position, None for a removed
/// column.
fn passed_on(found: Ingestion, place: impl Fn(usize) -> Option<usize>) -> IngestionResult {
    match found.column.map(place) {
        Some(None) => Err("its column was removed by an earlier operator".to_owned()),
        at => Ok(Ingestion { column: at.flatten(), ..found }),
    }
}
