//! What a file holds, by table and shape: rows, times, repeated records, and what could not be read.
//!
//! Found out by a query over the file, so that it says just what any other query would read.

use std::sync::Arc;

use super::{Engine, Flow, Prepared, Settings};
use crate::diagnostic::{Error, Result};
use crate::exec;
use crate::scan::{Catalog, Pages, ScanReport};
use crate::source::file_catalog::FileCatalogBuilder;
use crate::source::text::table_of_path;
use crate::storage::files::DataFile;
use crate::storage::limits::Limits;
use crate::types::{Batch, Schema, Type, Value};

/// Columns that hold the time at which a record arrived.
const INGESTION_COLUMNS: [&str; 4] = ["_TimeReceived", "_IngestionTime", "IngestionTime", "EnqueuedTimeUtc"];

/// The name of the file's rows in our query; it stands in no message.
const TABLE: &str = "T";

/// What a file holds.
#[derive(Debug)]
pub struct Profile<P = Part> {
    /// By table and shape, in order of these.
    pub parts: Vec<P>,
    /// What could not be read or is damaged.
    pub damage: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// Pages of answers, which only all files together can show to be complete.
    pub pages: Pages,
}

impl<P> Profile<P> {
    /// What could not be read, and what else there is to say.
    #[must_use]
    pub fn problems(&self) -> Vec<&str> {
        self.damage.iter().chain(&self.notes).map(String::as_str).collect()
    }

    fn unread(reason: String) -> Self {
        Self { parts: Vec::new(), damage: vec![reason], notes: Vec::new(), pages: Pages::default() }
    }
}

/// The rows of one table in one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The table; "" where it is none that is known.
    pub table: String,
    /// How the records are laid out.
    pub shape: String,
    /// How many rows.
    pub rows: i64,
    /// First and last `TimeGenerated`, null where there is none.
    pub generated: [Value; 2],
    /// First and last `CreatedDateTime`.
    pub created: [Value; 2],
    /// The column with the time of ingestion; "" where there is none.
    pub ingestion: String,
    /// Rows whose `Id` stands in an earlier row, too.
    pub repeated: i64,
}

/// The rows of one table in one shape on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayPart {
    /// The table; "" if it is none that is known.
    pub table: String,
    /// How the records are laid out.
    pub shape: String,
    /// How many rows.
    pub rows: i64,
    /// First and last `TimeGenerated` in ticks; None for the rows without one.
    pub times: Option<[i64; 2]>,
}

/// Does `work`, which profiles a file, on each of `files`, several at a time, and calls `consume` with the results in
/// the order of the files. The threads of `settings` are shared out among the files.
///
/// # Errors
/// The first error of `work`, in that order, or of `consume`.
pub fn for_each_file<F: Sync, T: Send>(
    files: &[F],
    settings: &Settings,
    work: &(dyn Fn(&F, &Settings) -> Result<T> + Sync),
    consume: &mut dyn FnMut(T) -> Result<()>,
) -> Result<()> {
    let threads = settings.threads.clamp(1, files.len().max(1));
    let max_memory = settings.max_memory / threads as u64;
    let each = Settings { threads: settings.threads.div_ceil(threads), max_memory, ..settings.clone() };
    exec::for_each(files, threads, &|file| work(file, &each), consume)
}

/// Reads the whole of `file`, which may cost what `limits` say.
///
/// # Errors
/// Only what has nothing to do with the file: the run was stopped, or a bug. A file that cannot be read is a problem.
pub fn profile(file: &DataFile, limits: Limits, settings: &Settings) -> Result<Profile> {
    read(file, limits, settings, &|schema| {
        let ingestion = INGESTION_COLUMNS.into_iter().find(|name| is(schema, name, Type::Datetime));
        let part = move |batch: &Batch, row: usize, file: &DataFile| by_path(part(batch, row, ingestion), file);
        (query(schema, ingestion), part)
    })
}

/// As [`profile`], with the rows of each day apart, in order of the days.
///
/// # Errors
/// As for [`profile`].
pub fn profile_days(file: &DataFile, limits: Limits, settings: &Settings) -> Result<Profile<DayPart>> {
    read(file, limits, settings, &|schema| (query_days(schema), day_part))
}

/// Runs the query over the file that `plan` makes for its columns, and collects what it makes of the rows.
fn read<P, F: Fn(&Batch, usize, &DataFile) -> P>(
    file: &DataFile,
    limits: Limits,
    settings: &Settings,
    plan: &dyn Fn(&Schema) -> (String, F),
) -> Result<Profile<P>> {
    match try_read(file, limits, settings, plan) {
        Err(error @ (Error::Data { .. } | Error::Io { .. } | Error::Limit(_))) => {
            Ok(Profile::unread(error.to_string()))
        }
        result => result,
    }
}

fn try_read<P, F: Fn(&Batch, usize, &DataFile) -> P>(
    file: &DataFile,
    limits: Limits,
    settings: &Settings,
    plan: &dyn Fn(&Schema) -> (String, F),
) -> Result<Profile<P>> {
    let mut builder = FileCatalogBuilder::default();
    builder.limit(limits);
    builder.bind_file(TABLE, file.clone());
    let catalog = Arc::new(builder.build());
    let table = match catalog.table(TABLE) {
        Ok(Some(table)) => table,
        Ok(None) => return Err(Error::internal("a table that was bound exists")),
        // No record tells what the file holds.
        Err(Error::Data { place: None, .. }) => return Ok(Profile::unread("no record that can be read".to_owned())),
        Err(error) => return Err(error),
    };
    let (text, part) = plan(table.schema());
    let mut settings = Settings { provenance: true, ..settings.clone() };
    (settings.time_range, settings.dedup) = (None, None);
    let prepared = Engine::new(catalog, settings).prepare(&text)?;
    let mut parts = Vec::new();
    prepared.run(&mut |batch| {
        parts.extend((0..batch.rows()).map(|row| part(&batch, row, file)));
        Ok(Flow::Continue(()))
    })?;
    let (damage, notes) = problems(&prepared);
    Ok(Profile { parts, damage, notes, pages: prepared.report().pages() })
}

fn is(schema: &Schema, column: &str, ty: Type) -> bool {
    schema.index_of(column).is_some_and(|index| schema.field(index).ty == ty)
}

/// The rows with their time and table; those that a search job copied have those of the rows that it found.
fn rows(schema: &Schema) -> String {
    let [original_time, time] = ["_OriginalTimeGenerated", "TimeGenerated"].map(|column| time_of(schema, column));
    let [original_type, ty] = ["_OriginalType", "Type"].map(|column| text_of(schema, column));
    format!("{TABLE} | extend _G = coalesce({original_time}, {time}), _T = coalesce({original_type}, {ty})")
}

fn time_of<'a>(schema: &Schema, column: &'a str) -> &'a str {
    if is(schema, column, Type::Datetime) { column } else { "datetime(null)" }
}

fn text_of<'a>(schema: &Schema, column: &'a str) -> &'a str {
    if is(schema, column, Type::String) { column } else { "''" }
}

/// Groups by Id first, so that repeated ones are counted exactly.
fn query(schema: &Schema, ingestion: Option<&str>) -> String {
    let (rows, created, id) = (rows(schema), time_of(schema, "CreatedDateTime"), text_of(schema, "Id"));
    let ingested = ingestion.map_or("false".to_owned(), |column| format!("isnotnull({column})"));
    let any_value = any_value(schema);
    format!(
        "{rows} | summarize N = count(), A = min(_G), B = max(_G), C = min({created}), D = max({created}), \
         I = countif({ingested}), _V = countif({any_value}) by Table = strcat(_T, ''), Shape = _SourceShape, \
         Key = strcat({id}, '') \
         | summarize N = sum(N), A = min(A), B = max(B), C = min(C), D = max(D), I = sum(I), \
         R = sumif(N - 1, isnotempty(Key)) by Table, Shape | order by Table asc, Shape asc"
    )
}

/// A condition that reads every column, so that values that cannot be read are counted.
fn any_value(schema: &Schema) -> String {
    let is_filled = |name: &str| format!("isnotempty(['{}'])", name.replace('\\', "\\\\").replace('\'', "\\'"));
    let columns: Vec<String> = schema.names().map(is_filled).collect();
    if columns.is_empty() { "true".to_owned() } else { columns.join(" or ") }
}

/// As [`query`], by day instead of by Id.
fn query_days(schema: &Schema) -> String {
    format!(
        "{} | summarize N = count(), A = min(_G), B = max(_G) by Table = strcat(_T, ''), Shape = _SourceShape, \
         Day = startofday(_G) | order by Table asc, Shape asc, Day asc",
        rows(schema)
    )
}

fn day_part(batch: &Batch, row: usize, file: &DataFile) -> DayPart {
    let text = |column: usize| batch.column(column).text_at(row).unwrap_or_default().to_owned();
    let ticks = |column: usize| batch.column(column).i64_at(row);
    let times = ticks(4).zip(ticks(5)).map(|(first, last)| [first, last]);
    let table = match table_of_path(&file.name).filter(|_| text(0).is_empty() && times.is_some()) {
        Some(table) => table.name.to_owned(),
        None => text(0),
    };
    DayPart { table, shape: text(1), rows: ticks(3).unwrap_or(0), times }
}

/// Rows of a log that do not say of which table they are, are of the one that the path names, if it does.
fn by_path(part: Part, file: &DataFile) -> Part {
    let table = table_of_path(&file.name).filter(|_| part.table.is_empty() && !part.generated[0].is_null());
    match table {
        Some(table) => Part { table: table.name.to_owned(), ..part },
        None => part,
    }
}

fn part(batch: &Batch, row: usize, ingestion: Option<&str>) -> Part {
    let value = |column: usize| batch.column(column).value(row);
    let number = |column: usize| batch.column(column).i64_at(row).unwrap_or(0);
    let text = |column: usize| batch.column(column).text_at(row).unwrap_or_default().to_owned();
    Part {
        table: text(0),
        shape: text(1),
        rows: number(2),
        generated: [value(3), value(4)],
        created: [value(5), value(6)],
        ingestion: ingestion.filter(|_| number(7) > 0).unwrap_or_default().to_owned(),
        repeated: number(8),
    }
}

/// Damage, and notes.
fn problems(prepared: &Prepared) -> (Vec<String>, Vec<String>) {
    let report: &ScanReport = prepared.report();
    let lost = report.problems().into_values().map(|damage| damage.to_string());
    let notices = report.notices().into_iter().map(|(text, count)| match count {
        1 => text,
        _ => format!("{text} ({count} times)"),
    });
    // Warnings are about the columns that our query names.
    (lost.chain(report.damage().without_missing_pages().messages()).collect(), notices.collect())
}
