//! Runs queries: `coldcase [QUERY] [PATH...]`, `coldcase explain`, `coldcase schema`.

use std::path::Path;
use std::time::Instant;

use super::args::{ExplainArgs, OutputArgs, QueryArgs, QueryInputArgs, SchemaArgs};
use super::destination::{Destination, OpenDestination, ResultWriter};
use super::digest::OutputDigest;
use super::manifest::merged;
use super::results::choose_one;
use super::session::{self, QueryText, Session};
use super::sources::table_name;
use super::{Outcome, analyze, documents, manifest, overwrite};
use crate::diagnostic::Result;
use crate::engine::{Flow, Prepared, QueryOption};
use crate::output::NamedResult;
use crate::storage::counters::ScanCount;

pub(super) fn run(args: &QueryArgs) -> Result<Outcome> {
    let mut session = session::of_query(&args.file, &args.arguments, &args.source, &args.inputs)?;
    session.result.clone_from(&args.result.result);
    let result = answer(&session, &args.output, args.manifest.as_deref())?;
    if session.strict && result.damaged {
        return Ok(Outcome::Damaged);
    }
    Ok(if args.exit_status && result.rows == 0 { Outcome::Negative } else { Outcome::Success })
}

/// A result that was written.
struct WrittenResult {
    rows: u64,
    damaged: bool,
}

/// Runs the query of the session and writes its rows as they are produced.
fn answer(session: &Session, output: &OutputArgs, manifest: Option<&Path>) -> Result<WrittenResult> {
    let started = Instant::now();
    let threads = session.engine.settings().threads;
    let digest = manifest.map(|_| OutputDigest::default());
    let destination = Destination::with_default(output, session.format.as_deref())?
        .with_threads(threads)
        .with_excel_safe(session.excel_safe)
        .with_digest(digest.clone());
    let results = session.prepare_query(started)?;
    if results.len() > 1 && !destination.holds_several() {
        return Err(choose_one(&results));
    }
    results.iter().for_each(|prepared| session.reporter.warnings(&prepared.warnings));
    report_options(session, &results[0]);
    session.report_unread();
    overwrite::refuse(session, &[("-O", output.output_file.as_deref()), ("--manifest", manifest)])?;
    let line = session.progress(&results[0], started);
    let opened = destination.open_results(Some(&line))?;
    let mut rows = Vec::new();
    let mut last = None;
    let outcome = run_each(&results, &opened, &mut rows, &mut last);
    line.end();
    let report = results[0].report();
    session.reporter.report(report);
    session.finish()?;
    outcome.map_err(|error| session.reporter.query_error(error))?;
    last.map_or(Ok(()), ResultWriter::finish)?;
    opened.publish()?;
    if let Some(path) = manifest {
        let written = manifest::output(output.output_file.as_deref(), digest.as_ref());
        manifest::write(path, session, merged(manifest::answer(&session.text, &results, &rows), written))?;
    }
    let all = rows.iter().sum();
    session.reporter.detail(|| summary(all, &results, started));
    Ok(WrittenResult { rows: all, damaged: report.is_incomplete() })
}

/// Tells with `-v` which options the query sets, and which of them have no effect.
fn report_options(session: &Session, prepared: &Prepared) {
    for QueryOption { name, value, is_effective } in &prepared.options {
        let value = if value.is_empty() { String::new() } else { format!(" = {value}") };
        let effect = if *is_effective { "" } else { " (no effect here)" };
        session.reporter.detail(|| format!("option: {name}{value}{effect}"));
    }
}

/// Runs the results one after the other and writes their rows as they are produced. Counts the rows of each in `rows`,
/// and leaves the writer of the last one in `last`, which is finished after the messages.
fn run_each(
    results: &[Prepared],
    opened: &OpenDestination,
    rows: &mut Vec<u64>,
    last: &mut Option<ResultWriter>,
) -> Result<()> {
    for (index, prepared) in results.iter().enumerate() {
        last.take().map_or(Ok(()), ResultWriter::finish)?;
        let (is_first, is_last) = (index == 0, index + 1 == results.len());
        let named = NamedResult { name: &prepared.name, is_first, is_last };
        let writer = last.insert(opened.start(prepared.schema(), (results.len() > 1).then_some(named)));
        let mut count = 0;
        prepared.run(&mut |batch| {
            count += batch.rows() as u64;
            writer.batch(&batch)?;
            Ok(Flow::Continue(()))
        })?;
        rows.push(count);
    }
    Ok(())
}

fn summary(rows: u64, results: &[Prepared], started: Instant) -> String {
    let temporary = match results.iter().map(Prepared::temporary_files).sum() {
        0 => String::new(),
        files => format!("{files} temporary files, "),
    };
    let count = |count| results.first().map_or(0, |prepared| prepared.report().counters.get(count));
    format!(
        "{rows} rows; read {} files, {} bytes, {} records; skipped {} lines, {} files and {} row groups that cannot \
         match; {temporary}{:.3} s",
        count(ScanCount::Files),
        count(ScanCount::Bytes),
        count(ScanCount::Rows),
        count(ScanCount::RecordsSkipped),
        count(ScanCount::FilesPruned),
        count(ScanCount::RowGroupsPruned),
        started.elapsed().as_secs_f64()
    )
}

pub(super) fn explain(args: &ExplainArgs) -> Result<Outcome> {
    let started = Instant::now();
    let mut session = session::of_query(&args.file, &args.arguments, &args.source, &args.inputs)?;
    session.result.clone_from(&args.result.result);
    let results = session.prepare_query(started)?;
    results.iter().for_each(|prepared| session.reporter.warnings(&prepared.warnings));
    session.report_unread();
    if args.analyze {
        return match results.as_slice() {
            [prepared] => analyze::run(&session, prepared, started),
            _ => Err(choose_one(&results)),
        };
    }
    session.reporter.report(results[0].report());
    session.finish()?;
    let plan = |prepared: &Prepared| if args.bound { prepared.explain_bound() } else { prepared.explain() };
    let text = match results.as_slice() {
        [prepared] => plan(prepared),
        _ => {
            let plans = results.iter().map(|prepared| format!("{}:\n{}", prepared.name, plan(prepared)));
            plans.collect::<Vec<_>>().concat()
        }
    };
    documents::print(text.as_bytes())
}

pub(super) fn schema(args: &SchemaArgs) -> Result<Outcome> {
    let name = table_name(&args.name).unwrap_or_else(|_| args.name.clone());
    let table = name.replace('\\', "\\\\").replace('\'', "\\'");
    let text = format!("['{table}'] | getschema | project Column = ColumnName, Type = ColumnType");
    let text = QueryText { text, origin: "schema" };
    let inputs = QueryInputArgs { provenance: args.provenance, ..QueryInputArgs::default() };
    let session = session::of_text(text, &args.source, &inputs, &args.source.call(&args.paths))?;
    answer(&session, &args.output, None)?;
    Ok(Outcome::Success)
}
