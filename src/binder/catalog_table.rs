//! Binds tables of the catalog as a query sees them: with provenance columns if requested, restricted to the time
//! range of the run, and without duplicate deliveries.

use std::sync::Arc;

use super::ingestion::with_arrival_columns;
use super::operator::project::identity;
use super::scope::Binding;
use super::{ArrivalRange, Bind, Binder, Environment, Failed, TimeRange};
use crate::diagnostic::{Code, Diagnostic, Error, Span, suggest};
use crate::entra::{INGESTED, RECEIVED};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::scan::{Note, Provenance, TableProvider, Warning, Wildcard};
use crate::syntax::{self, ast};
use crate::types::{Batch, Type, Value, dynamic};

/// The column whose time decides which delivery of a record is the latest.
const DELIVERED: &str = "TimeGenerated";

impl Binder<'_> {
    /// Binds the table of the catalog with this name; None if there is none.
    pub(super) fn catalog_table(&mut self, name: &ast::Name) -> Bind<Option<LogicalPlan>> {
        match self.environment.catalog.table(&name.text)? {
            Some(table) => self.cut_table(name, table).map(Some),
            None => Ok(None),
        }
    }

    /// Binds the table of the catalog with this name, which `wildcard` matched; None if there is none.
    pub(super) fn matched_table(&mut self, name: &ast::Name, wildcard: &Arc<Wildcard>) -> Bind<Option<LogicalPlan>> {
        let Some(table) = self.environment.catalog.table(&name.text)? else { return Ok(None) };
        let table = table.matched_by_wildcard(wildcard).unwrap_or(table);
        self.cut_table(name, table).map(Some)
    }

    fn cut_table(&mut self, name: &ast::Name, table: Arc<dyn TableProvider>) -> Bind<LogicalPlan> {
        let Environment { provenance, dedup, .. } = *self.environment;
        let own = table.schema().len();
        let table = match self.environment.arrival_range {
            Some(ArrivalRange { column: Some(column), .. }) => with_arrival_columns(table, [column.as_str()])?,
            Some(_) => {
                let named = self.environment.ingestion_columns.get(&name.text).map(String::as_str);
                with_arrival_columns(table, named.into_iter().chain([INGESTED]))?
            }
            None => table,
        };
        if let Some(column) = dedup.filter(|column| table.schema().index_of(column).is_none()) {
            if let Some(near) = suggest(column, table.schema().names()) {
                let text = format!("--dedup {column}: {} has no such column: did you mean {near}?", name.text);
                return Err(Error::Usage(text).into());
            }
            let (table, column) = (name.text.clone(), column.to_owned());
            self.environment.report.warn(Warning::NoDedupColumn { table, column });
        }
        let dedup = dedup.filter(|column| table.schema().index_of(column).is_some());
        let table = match table.with_provenance().filter(|_| provenance || dedup.is_some()) {
            Some(with_provenance) => with_provenance,
            None => table,
        };
        let plan = LogicalPlan::scan(&name.text, Arc::clone(&table));
        let plan = self.cut_to_time_range(plan, name)?;
        let plan = self.cut_to_arrivals(plan, name)?;
        let mut plan = self.cut_to_scope(plan, name)?;
        if let Some(column) = dedup {
            plan = self.last_deliveries(name, plan, column)?;
        }
        Ok(without_internal_columns(plan, own, provenance))
    }

    fn cut_to_time_range(&mut self, plan: LogicalPlan, name: &ast::Name) -> Bind<LogicalPlan> {
        let Some(range) = self.environment.time_range else { return Ok(plan) };
        let column = self.environment.time_columns.get(&name.text).unwrap_or(&range.column);
        self.cut(plan, &TimeRange { column: column.clone(), ..range.clone() }, name.span)
    }

    /// Restricts the rows of a table to those that arrived in the range of the run, if it has one.
    fn cut_to_arrivals(&mut self, plan: LogicalPlan, name: &ast::Name) -> Bind<LogicalPlan> {
        let Environment { arrival_range, ingestion_columns, time_range, time_columns, .. } = *self.environment;
        let Some(ArrivalRange { column, from, through }) = arrival_range else { return Ok(plan) };
        let datetime =
            |name: &str| plan.schema().index_of(name).filter(|index| plan.schema().field(*index).ty == Type::Datetime);
        let named = ingestion_columns.get(&name.text).map(String::as_str);
        let recorded = named.into_iter().chain([INGESTED, RECEIVED]).find_map(datetime);
        let arrival = match column {
            None => recorded,
            Some(column) => match datetime(column) {
                Some(index) => Some(index),
                None => return self.error(Code::UnknownColumn, name.span, format!("no datetime column `{column}`")),
            },
        };
        let time = time_columns.get(&name.text).or(time_range.map(|range| &range.column));
        let time = time.and_then(|name| datetime(name));
        // Rows without a time of arrival arrive at their time.
        let columns = arrival.into_iter().chain(time);
        let columns: Vec<Expr> = columns.map(|index| Expr::column(index, Type::Datetime, name.span)).collect();
        let arrived = match columns.len() {
            0 => return Ok(plan),
            1 => columns[0].clone(),
            _ => self.call_by_name("coalesce", columns, name.span)?,
        };
        let mut cut = plan;
        for (symbol, bound) in [(">=", *from), ("<=", *through)] {
            let bound = Expr::literal(Value::Datetime(bound), name.span);
            cut = cut.filter(self.operator_call(symbol, name.span, vec![arrived.clone(), bound], name.span)?);
        }
        Ok(cut)
    }

    /// Restricts the rows of a table to a time range; reports a table that lacks the time column.
    pub(super) fn cut(&mut self, plan: LogicalPlan, range: &TimeRange, span: Span) -> Bind<LogicalPlan> {
        let column = &range.column;
        let found = plan.schema().index_of(column).filter(|&i| plan.schema().field(i).ty == Type::Datetime);
        let Some(index) = found else {
            let message = format!("the time range cannot be applied: this table has no datetime column `{column}`");
            let help = "name its time column with --time-column";
            return Err(self.report(Diagnostic::new(Code::UnknownColumn, span, message).help(help)));
        };
        let mut cut = plan;
        for (symbol, bound) in [(">=", range.from), ("<", range.to), ("<=", range.through)] {
            if let Some(ticks) = bound {
                let column = Expr::column(index, Type::Datetime, span);
                let bound = Expr::literal(Value::Datetime(ticks), span);
                cut = cut.filter(self.operator_call(symbol, span, vec![column, bound], span)?);
            }
        }
        Ok(cut)
    }

    /// Keeps the latest delivery of each record: of the rows with the same string in `column`, the first one with the
    /// greatest `TimeGenerated`. Rows in which the string is empty are all kept. The duplicate keys are computed
    /// while binding, so that the result is an ordinary filter.
    fn last_deliveries(&mut self, name: &ast::Name, plan: LogicalPlan, column: &str) -> Bind<LogicalPlan> {
        let schema = plan.schema().clone();
        let [Some(key), Some(position)] = [column, Provenance::Position.name()].map(|name| schema.index_of(name))
        else {
            let reason = format!("cannot drop duplicate rows of {}: they do not come from files", name.text);
            return Err(Error::Usage(reason).into());
        };
        if schema.field(key).ty != Type::String {
            let ty = schema.field(key).ty;
            return Err(Error::Usage(format!(
                "cannot drop duplicate rows: the column {column} of {} has type {ty}, but must be a string",
                name.text
            ))
            .into());
        }
        let repeated = match self.repeated.get(&name.text) {
            Some(known) => known.clone(),
            None => {
                let found = self.repeated_keys(name, &plan, column)?;
                self.repeated.insert(name.text.clone(), found.clone());
                found
            }
        };
        let Some([keys, kept]) = repeated else { return Ok(plan) };
        let span = name.span;
        let list = |json| Expr::literal(Value::Dynamic(json), span);
        let is_single = vec![Expr::column(key, Type::String, span), list(keys)];
        let is_kept = vec![Expr::column(position, Type::Long, span), list(kept)];
        let is_single = self.operator_call("!in", span, is_single, span)?;
        let is_kept = self.operator_call("in", span, is_kept, span)?;
        Ok(plan.filter(self.operator_call("or", span, vec![is_single, is_kept], span)?))
    }

    /// Returns the duplicate keys and the positions of the rows to keep, as JSON arrays; None if every key is unique.
    /// Reports the number of dropped rows as a note.
    fn repeated_keys(&mut self, name: &ast::Name, plan: &LogicalPlan, column: &str) -> Bind<Option<[Arc<str>; 2]>> {
        let (column, position) = (column.replace('\\', "\\\\").replace('\'', "\\'"), Provenance::Position.name());
        let kept = match plan.schema().index_of(DELIVERED) {
            Some(_) => format!("(Delivered, Kept) = arg_max({DELIVERED}, {position})"),
            None => format!("Kept = min({position})"),
        };
        let text = format!(
            "T | where isnotempty(['{column}']) | summarize Copies = count(), {kept} by Key = ['{column}'] \
             | where Copies > 1 | project Key, Kept, Copies"
        );
        let mut inner = Binder::new(self.environment);
        inner.context = self.context.clone();
        let defined = inner.scope.define("T", Binding::Table(plan.clone(), None), Span::default());
        debug_assert!(defined.is_ok(), "the scope is empty");
        let bound = inner.query(&syntax::parse(&text).into_result()?);
        let bound = bound.map_err(|failed| match failed {
            Failed::Reported => Error::internal(format!("an internal query is wrong: {text}")).into(),
            fatal @ Failed::Fatal(_) => fatal,
        })?;
        let report = self.environment.report;
        let [bound] = bound.as_slice() else { return Err(Error::internal("an internal query has one result").into()) };
        let found = Repeated::of(&report.without_notes(|| self.evaluate(&bound.plan))?);
        if found.records == 0 {
            return Ok(None);
        }
        let Repeated { records, rows, keys, kept } = found;
        report.note(Note::DuplicatesDropped { table: name.text.clone(), column, records, rows });
        Ok(Some([format!("[{keys}]").into(), format!("[{kept}]").into()]))
    }
}

/// The records that were delivered more than once.
#[derive(Default)]
struct Repeated {
    records: u64,
    /// The number of rows that are dropped.
    rows: u64,
    /// The keys, as the elements of a JSON array, separated by commas. `kept` has the positions of the rows to keep.
    keys: String,
    kept: String,
}

impl Repeated {
    /// Reads batches whose columns are the keys, the positions to keep and the numbers of rows.
    fn of(batches: &[Batch]) -> Self {
        let mut found = Self::default();
        for batch in batches {
            for row in 0..batch.rows() {
                let [key, kept, copies] = [0, 1, 2].map(|column| batch.column(column));
                let comma = if found.records > 0 { "," } else { "" };
                found.keys.push_str(comma);
                dynamic::quote(key.text_at(row).unwrap_or_default(), &mut found.keys);
                found.kept.extend([comma, &*kept.i64_at(row).unwrap_or(-1).to_string()]);
                let copies = copies.i64_at(row).and_then(|copies| u64::try_from(copies).ok()).unwrap_or(1);
                found.rows = found.rows.saturating_add(copies.saturating_sub(1));
                found.records += 1;
            }
        }
        found
    }
}

/// Removes internal columns: keeps the `own` columns of the table, and the provenance columns if requested.
fn without_internal_columns(plan: LogicalPlan, own: usize, provenance: bool) -> LogicalPlan {
    let mut columns = identity(plan.schema());
    let all = columns.len();
    let internal = |name: &str| name == Provenance::Position.name();
    columns = columns
        .into_iter()
        .enumerate()
        .filter(|(index, (name, _))| *index < own || (provenance && !internal(name)))
        .map(|(_, column)| column)
        .collect();
    if columns.len() == all { plan } else { plan.project(columns) }
}
