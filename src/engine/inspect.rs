//! Inspects a file: its rows and their times, by table and export shape, its duplicate records, and what could not be
//! read.
//!
//! Inspection runs a query over the file, so it reports exactly what any other query would read.

use std::sync::Arc;

use super::{Engine, Flow, Settings};
use crate::diagnostic::{Error, Result};
use crate::exec;
use crate::scan::{Catalog, ScanReport};
use crate::source::file_catalog::FileCatalogBuilder;
use crate::source::file_table::SharedDates;
use crate::source::text::table_of_path;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::types::{Batch, Schema, Type, Value};

/// The names of columns that may contain the time at which a record was ingested.
const INGESTION_COLUMNS: [&str; 4] = ["_TimeReceived", "_IngestionTime", "IngestionTime", "EnqueuedTimeUtc"];

/// The name of the table in the query; it is not part of any message.
const TABLE: &str = "T";

/// The result of inspecting a file.
#[derive(Debug)]
pub struct FileInspection<S = TableSummary> {
    /// The summaries, one for each table, export shape and (for [`DaySummary`]) day, sorted by these.
    pub summaries: Vec<S>,
    /// The reason why nothing of the file could be read; None if the file was read, perhaps with damage.
    pub unread: Option<String>,
    /// The report of the scan. Whether the pages of query-API responses are complete is known only when all files are
    /// read.
    pub report: Arc<ScanReport>,
}

impl<S> FileInspection<S> {
    fn unread(reason: String) -> Self {
        Self { summaries: Vec::new(), unread: Some(reason), report: Arc::default() }
    }
}

/// A summary of the rows of one table in one export shape.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSummary {
    /// The name of the table; "" if it is unknown.
    pub table: String,
    /// The name of the export shape.
    pub shape: String,
    /// The number of rows.
    pub rows: i64,
    /// The first and last `TimeGenerated`; null if there is none.
    pub generated: [Value; 2],
    /// The first and last `CreatedDateTime`; null if there is none.
    pub created: [Value; 2],
    /// The name of the column with the ingestion time; "" if there is none.
    pub ingestion: String,
    /// The number of rows whose `Id` occurs in an earlier row.
    pub duplicates: i64,
}

/// A summary of the rows of one table in one export shape on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct DaySummary {
    /// The name of the table; "" if it is unknown.
    pub table: String,
    /// The name of the export shape.
    pub shape: String,
    /// The number of rows.
    pub rows: i64,
    /// The first and last `TimeGenerated` in ticks; None for rows without one.
    pub times: Option<[i64; 2]>,
}

/// Runs `work`, which inspects one file, for each of `files` in parallel, and calls `consume` with the results in the
/// order of the files. The threads and the memory of `settings` are divided among the files that are inspected at once.
///
/// # Errors
/// The first error of `work` in that order, or of `consume`.
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

/// Files that are inspected together. As in a query, the dates in one file may show the order of day and month in
/// others.
#[derive(Clone, Debug)]
pub struct InspectedFiles {
    limits: ReadLimits,
    dates: Arc<SharedDates>,
}

impl InspectedFiles {
    /// Collects files that are inspected together. Each of them is read within `limits`.
    #[must_use]
    pub fn new(files: Vec<DataFile>, limits: ReadLimits) -> Self {
        Self { limits, dates: Arc::new(SharedDates::new(files, limits)) }
    }
}

/// Inspects all records of `file`, which is one of `files`.
///
/// # Errors
/// An error that the file did not cause: the run was stopped, or this program has a bug. That a file cannot be read is
/// no error, but damage.
pub fn inspect(file: &DataFile, files: &InspectedFiles, settings: &Settings) -> Result<FileInspection> {
    read(file, files, settings, &|schema| {
        let ingestion = INGESTION_COLUMNS.into_iter().find(|name| is(schema, name, Type::Datetime));
        let summarize = move |batch: &Batch, row: usize, file: &DataFile| {
            with_table_of_path(table_summary(batch, row, ingestion), file)
        };
        (query(schema, ingestion), summarize)
    })
}

/// Like [`inspect`], but with a summary for each day, sorted by day.
///
/// # Errors
/// The errors of [`inspect`].
pub fn inspect_days(
    file: &DataFile,
    files: &InspectedFiles,
    settings: &Settings,
) -> Result<FileInspection<DaySummary>> {
    read(file, files, settings, &|schema| (query_days(schema), day_summary))
}

/// Runs a query over a file. `plan` gets the columns of the file, and returns the query and a function that makes a
/// summary from a row of its result.
fn read<S, F: Fn(&Batch, usize, &DataFile) -> S>(
    file: &DataFile,
    files: &InspectedFiles,
    settings: &Settings,
    plan: &dyn Fn(&Schema) -> (String, F),
) -> Result<FileInspection<S>> {
    match try_read(file, files, settings, plan) {
        Err(error @ (Error::Data { .. } | Error::Io { .. } | Error::Limit(_))) => {
            let text = error.to_string();
            let reason = text.strip_prefix(&file.name).and_then(|text| text.strip_prefix(": ")).unwrap_or(&text);
            Ok(FileInspection::unread(reason.to_owned()))
        }
        result => result,
    }
}

fn try_read<S, F: Fn(&Batch, usize, &DataFile) -> S>(
    file: &DataFile,
    files: &InspectedFiles,
    settings: &Settings,
    plan: &dyn Fn(&Schema) -> (String, F),
) -> Result<FileInspection<S>> {
    let mut builder = FileCatalogBuilder::default();
    builder.limit(files.limits);
    builder.share_dates(Arc::clone(&files.dates));
    builder.bind_file(TABLE, file.clone());
    let catalog = Arc::new(builder.build());
    let table = match catalog.table(TABLE) {
        Ok(Some(table)) => table,
        Ok(None) => return Err(Error::internal("a table that was bound exists")),
        // No record identifies the table of the file.
        Err(Error::Data { place: None, .. }) => {
            return Ok(FileInspection::unread("no record that can be read".to_owned()));
        }
        Err(error) => return Err(error),
    };
    let (text, summarize) = plan(table.schema());
    let mut settings = Settings { provenance: true, ..settings.clone() };
    (settings.time_range, settings.dedup) = (None, None);
    let prepared = Engine::new(catalog, settings).prepare(&text)?;
    let mut summaries = Vec::new();
    prepared.run(&mut |batch| {
        summaries.extend((0..batch.rows()).map(|row| summarize(&batch, row, file)));
        Ok(Flow::Continue(()))
    })?;
    Ok(FileInspection { summaries, unread: None, report: Arc::clone(prepared.report()) })
}

fn is(schema: &Schema, column: &str, ty: Type) -> bool {
    schema.index_of(column).is_some_and(|index| schema.field(index).ty == ty)
}

/// Returns a query for the rows of the file, with their time and their table. For rows of a search job, these are the
/// time and table of the original row.
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

/// Returns the query of [`inspect`]. It groups by Id first, so that duplicate records are counted exactly.
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

/// Returns a condition that reads every column, so that the values that cannot be read are counted as damage.
fn any_value(schema: &Schema) -> String {
    let is_filled = |name: &str| format!("isnotempty(['{}'])", name.replace('\\', "\\\\").replace('\'', "\\'"));
    let columns: Vec<String> = schema.names().map(is_filled).collect();
    if columns.is_empty() { "true".to_owned() } else { columns.join(" or ") }
}

/// Returns the query of [`inspect_days`].
fn query_days(schema: &Schema) -> String {
    format!(
        "{} | summarize N = count(), A = min(_G), B = max(_G) by Table = strcat(_T, ''), Shape = _SourceShape, \
         Day = startofday(_G) | order by Table asc, Shape asc, Day asc",
        rows(schema)
    )
}

fn day_summary(batch: &Batch, row: usize, file: &DataFile) -> DaySummary {
    let text = |column: usize| batch.column(column).text_at(row).unwrap_or_default().to_owned();
    let ticks = |column: usize| batch.column(column).i64_at(row);
    let times = ticks(4).zip(ticks(5)).map(|(first, last)| [first, last]);
    let table = match table_of_path(&file.name).filter(|_| text(0).is_empty() && times.is_some()) {
        Some(table) => table.name.to_owned(),
        None => text(0),
    };
    DaySummary { table, shape: text(1), rows: ticks(3).unwrap_or(0), times }
}

/// Sets the table of rows that do not name one to the table that the path of the file names, if any.
fn with_table_of_path(summary: TableSummary, file: &DataFile) -> TableSummary {
    let table = table_of_path(&file.name).filter(|_| summary.table.is_empty() && !summary.generated[0].is_null());
    match table {
        Some(table) => TableSummary { table: table.name.to_owned(), ..summary },
        None => summary,
    }
}

fn table_summary(batch: &Batch, row: usize, ingestion: Option<&str>) -> TableSummary {
    let value = |column: usize| batch.column(column).value(row);
    let number = |column: usize| batch.column(column).i64_at(row).unwrap_or(0);
    let text = |column: usize| batch.column(column).text_at(row).unwrap_or_default().to_owned();
    TableSummary {
        table: text(0),
        shape: text(1),
        rows: number(2),
        generated: [value(3), value(4)],
        created: [value(5), value(6)],
        ingestion: ingestion.filter(|_| number(7) > 0).unwrap_or_default().to_owned(),
        duplicates: number(8),
    }
}
