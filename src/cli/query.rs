//! Runs queries: `coldcase [QUERY] [PATH...]`, `coldcase explain`, `coldcase schema`.

use std::path::Path;
use std::time::Instant;

use super::args::{ExplainArgs, OutputArgs, QueryArgs, QueryInputArgs, SchemaArgs};
use super::destination::Destination;
use super::digest::Digest;
use super::manifest::merged;
use super::session::{self, QueryText, Session};
use super::sources::table_name;
use super::{Outcome, analyze, documents, manifest, overwrite};
use crate::diagnostic::Result;
use crate::engine::{Flow, Prepared};
use crate::storage::counters::ScanCount;

pub(super) fn run(args: &QueryArgs) -> Result<Outcome> {
    let session = session::of_query(&args.file, &args.arguments, &args.source, &args.inputs)?;
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
    let digest = manifest.map(|_| Digest::default());
    let destination = Destination::with_default(output, session.format.as_deref())?
        .with_threads(threads)
        .with_excel_safe(session.excel_safe)
        .with_digest(digest.clone());
    let prepared = session.prepare_query(started)?;
    session.reporter.warnings(&prepared.warnings);
    session.report_unread();
    overwrite::refuse(session, &[("-O", output.output_file.as_deref()), ("--manifest", manifest)])?;
    let line = session.progress(&prepared, started);
    let mut writer = destination.open(prepared.schema(), Some(&line))?;
    let mut rows = 0;
    let outcome = prepared.run(&mut |batch| {
        rows += batch.rows() as u64;
        writer.batch(&batch)?;
        Ok(Flow::Continue(()))
    });
    line.end();
    session.reporter.report(prepared.report());
    session.finish()?;
    outcome.map_err(|error| session.reporter.query_error(error))?;
    writer.finish()?;
    if let Some(path) = manifest {
        let written = manifest::output(output.output_file.as_deref(), digest.as_ref());
        manifest::write(path, session, merged(manifest::answer(&session.text, &prepared, rows), written))?;
    }
    session.reporter.detail(|| summary(rows, &prepared, started));
    Ok(WrittenResult { rows, damaged: prepared.report().is_incomplete() })
}

fn summary(rows: u64, prepared: &Prepared, started: Instant) -> String {
    let temporary = match prepared.temporary_files() {
        0 => String::new(),
        files => format!("{files} temporary files, "),
    };
    let count = |count| prepared.report().counters.get(count);
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
    let session = session::of_query(&args.file, &args.arguments, &args.source, &args.inputs)?;
    let prepared = session.prepare_query(started)?;
    session.reporter.warnings(&prepared.warnings);
    session.report_unread();
    if args.analyze {
        return analyze::run(&session, &prepared, started);
    }
    session.reporter.report(prepared.report());
    session.finish()?;
    let text = if args.bound { prepared.explain_bound() } else { prepared.explain() };
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
