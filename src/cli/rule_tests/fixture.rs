//! The tables and times of a test: its rows as tables in memory, and the runs that see them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::backtest::Assumptions;
use crate::diagnostic::{Result, Span};
use crate::entra::known_table;
use crate::entra::{INGESTED, RECEIVED};
use crate::rules::schedule::WindowEdges;
use crate::rules::{AlertRule, GivenRow, RuleFileError, RuleTest, WindowClock};
use crate::scan::{Catalog, CatalogOverlay, MemoryTable, TableProvider};
use crate::syntax::tokens;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

/// The column of the time.
const TIME: &str = "TimeGenerated";
/// 2026-01-01T12:00:00Z, the time of the run if neither the test nor its rows have times.
const DEFAULT_NOW: i64 = 639_028_656_000_000_000;
/// How long before the end of the window rows without time lie.
const MINUTE: i64 = 600_000_000;

type Fixture<T> = std::result::Result<T, RuleFileError>;

/// Everything that a test needs to run.
pub(super) struct TestRun {
    /// The tables.
    pub catalog: Arc<TestCatalog>,
    /// When the rule runs.
    pub assumptions: Assumptions,
    /// The time at which the query is prepared.
    pub now: i64,
}

/// The rows of a test in front of a catalog without rows.
#[derive(Debug)]
pub(super) struct TestCatalog {
    below: Arc<dyn Catalog>,
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl CatalogOverlay for TestCatalog {
    fn below(&self) -> &dyn Catalog {
        self.below.as_ref()
    }

    fn overlaid(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.tables.get(name) {
            Some(table) => Ok(Some(Arc::clone(table))),
            None => self.below.table(name),
        }
    }
}

/// Prepares a test of `rule`, whose tables have the columns of `below`.
///
/// # Errors
/// A table, a column or a value is wrong, or rows have no time.
pub(super) fn prepared(test: &RuleTest, rule: &AlertRule, below: &Arc<dyn Catalog>) -> Fixture<TestRun> {
    let times = RunTimes::of(test, rule)?;
    let fixtures = FixtureTables { test, rule, below, missing_time: times.missing };
    let declared = test.columns.iter().map(|declared| (declared.table.clone(), Vec::new()));
    let mut rows: BTreeMap<String, Vec<&GivenRow>> = declared.collect();
    for given in &test.given {
        let name = given.name.clone().map_or_else(|| fixtures.only_table(given.span), Ok)?;
        rows.entry(name).or_default().extend(&given.rows);
    }
    let mut tables = BTreeMap::new();
    for (name, rows) in rows {
        let span = rows.first().map_or(test.span, |row| row.span);
        let table = fixtures.table(&name, &rows, span)?;
        tables.insert(name, Arc::new(table) as Arc<dyn TableProvider>);
    }
    let catalog = Arc::new(TestCatalog { below: Arc::clone(below), tables });
    let mut assumptions = Assumptions::new(rule);
    (assumptions.from, assumptions.to, assumptions.anchor) = (Some(times.from), Some(times.to), times.anchor);
    Ok(TestRun { catalog, assumptions, now: times.to })
}

/// When a rule runs in a test.
struct RunTimes {
    from: i64,
    to: i64,
    anchor: Option<i64>,
    /// The time of rows that have none.
    missing: i64,
}

impl RunTimes {
    fn of(test: &RuleTest, rule: &AlertRule) -> Fixture<Self> {
        let rows = || test.given.iter().flat_map(|table| &table.rows);
        let of_column = |row: &GivenRow, name: &str| {
            row.fields.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_type(Type::Datetime))
        };
        let time = |row: &GivenRow, name: &str| match of_column(row, name) {
            Some(Ok(Value::Datetime(ticks))) => Some(ticks),
            _ => None,
        };
        let without_time = rows().find(|row| time(row, TIME).is_none());
        let is_timed = rows().any(|row| time(row, TIME).is_some());
        match (test.now, without_time) {
            (Some(now), _) => Ok(Self::single(now, rule)),
            (None, _) if !is_timed => Ok(Self::single(DEFAULT_NOW, rule)),
            (None, Some(row)) => {
                let reason = format!("the row has no {TIME}: give one to every row, or give the test a `now`");
                Err(RuleFileError { span: row.span, reason })
            }
            (None, None) => {
                let times = || rows().filter_map(|row| time(row, TIME));
                let all = || rows().flat_map(|row| [TIME, INGESTED, RECEIVED].map(|name| time(row, name))).flatten();
                let (from, last) = (times().min().unwrap_or(DEFAULT_NOW), all().max().unwrap_or(DEFAULT_NOW));
                let schedule = rule.schedule;
                let more = [schedule.lookback, schedule.delay, schedule.frequency, 1];
                let to = more.into_iter().fold(last, i64::saturating_add);
                Ok(Self { from, to, anchor: None, missing: from })
            }
        }
    }

    /// One run, at `now`.
    fn single(now: i64, rule: &AlertRule) -> Self {
        let window = rule.schedule.window(now, WindowEdges::Inclusive);
        let [_, end] = match rule.schedule.clock {
            WindowClock::Generated => window.generated,
            WindowClock::Ingested => window.arrived,
        };
        let missing = end.saturating_sub(MINUTE.min(rule.schedule.lookback / 2));
        Self { from: now, to: now.saturating_add(1), anchor: Some(now), missing }
    }
}

/// Makes tables of the rows of a test.
struct FixtureTables<'a> {
    test: &'a RuleTest,
    rule: &'a AlertRule,
    below: &'a Arc<dyn Catalog>,
    missing_time: i64,
}

impl FixtureTables<'_> {
    /// The name of the table that the query reads, if it reads exactly one.
    fn only_table(&self, span: Span) -> Fixture<String> {
        let names = self.below.names();
        let is_table = |word: &&str| {
            known_table(word).is_some()
                || names.iter().any(|name| name == word)
                || self.test.columns.iter().any(|declared| declared.table == **word)
        };
        let text = &self.rule.query.text;
        let tables: BTreeSet<&str> = tokens(text).iter().map(|token| token.text).filter(is_table).collect();
        match tables.iter().collect::<Vec<_>>().as_slice() {
            [one] => Ok((**one).to_owned()),
            several => {
                let several: Vec<&str> = several.iter().map(|name| **name).collect();
                let reads = if several.is_empty() { "no known table".to_owned() } else { several.join(", ") };
                let reason = format!("the query reads {reads}: say with `table` which table the rows are of");
                Err(RuleFileError { span, reason })
            }
        }
    }

    fn table(&self, name: &str, rows: &[&GivenRow], span: Span) -> Fixture<MemoryTable> {
        let schema = self.schema(name, rows, span)?;
        let mut builders: Vec<ColumnBuilder> =
            schema.fields().iter().map(|field| ColumnBuilder::new(field.ty)).collect();
        for row in rows {
            for (field, builder) in schema.fields().iter().zip(&mut builders) {
                builder.append(&self.value(row, field)?);
            }
            let unknown = row.fields.iter().find(|(column, _)| schema.index_of(column).is_none());
            if let Some((column, value)) = unknown {
                let reason = format!(
                    "{name} has no column `{column}`: correct it, or declare its type with `columns: {{ {name}: \
                     {{ {column}: string }} }}`"
                );
                return Err(RuleFileError { span: value.span(), reason });
            }
        }
        let batch = Batch::new(builders.iter_mut().map(ColumnBuilder::finish).collect(), rows.len());
        Ok(MemoryTable::new(schema, vec![batch]))
    }

    fn value(&self, row: &GivenRow, field: &Field) -> Fixture<Value> {
        match row.fields.iter().find(|(column, _)| *column == field.name) {
            Some((column, value)) => {
                let wrong = |reason| RuleFileError { span: value.span(), reason: format!("{column}: {reason}") };
                value.as_type(field.ty).map_err(wrong)
            }
            None if field.name == TIME && field.ty == Type::Datetime => Ok(Value::Datetime(self.missing_time)),
            None => Ok(Value::null(field.ty)),
        }
    }

    /// The known columns, those that the test declares, and the time of arrival if a row has it.
    fn schema(&self, name: &str, rows: &[&GivenRow], span: Span) -> Fixture<Schema> {
        let wrong = |reason: String| RuleFileError { span, reason };
        let known = self.below.table(name).map_err(|error| wrong(error.to_string()))?;
        let declared = self.test.columns.iter().find(|declared| declared.table == name);
        if known.is_none() && declared.is_none() {
            let reason = format!("the table {name} is not known: give its columns with `columns: {{ {name}: ... }}`");
            return Err(wrong(reason));
        }
        let mut fields: Vec<Field> = known.map(|table| table.schema().fields().to_vec()).unwrap_or_default();
        let mut add = |column: &str, ty: Type| match fields.iter_mut().find(|field| field.name == column) {
            Some(field) => field.ty = ty,
            None => fields.push(Field::new(column, ty)),
        };
        for (column, ty) in declared.iter().flat_map(|declared| &declared.columns) {
            add(column, *ty);
        }
        for column in [INGESTED, RECEIVED] {
            if rows.iter().any(|row| row.fields.iter().any(|(name, _)| name == column)) {
                add(column, Type::Datetime);
            }
        }
        Ok(Schema::new(fields))
    }
}
