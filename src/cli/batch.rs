//! `coldcase batch`: many queries in one process, JSON Lines in and out.
//!
//! For each line `{"id", "query"}`, writes `{"id", "columns", "rows"}` or `{"id", "error", "code"}`.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::args::BatchArgs;
use super::digest::OutputDigest;
use super::manifest::{self, merged};
use super::session::QueryText;
use super::sources::SourceOptions;
use super::{Outcome, destination, overwrite, session, stdout, terminal};
use crate::diagnostic::{Code, Error, Result};
use crate::engine::{Flow, Prepared};
use crate::output;
use crate::syntax::decode_text;
use crate::temporary::PendingFile;

pub(super) fn run(args: &BatchArgs) -> Result<Outcome> {
    let is_piped = args.queries == Path::new("-");
    let call = SourceOptions { stdin_taken: is_piped.then_some("the queries"), ..args.source.call(&args.paths) };
    let mut session = session::of_text(QueryText::none("batch"), &args.source, &args.inputs, &call)?;
    session.result.clone_from(&args.result.result);
    let input = queries(&args.queries)?;
    let outputs = [("-O", args.output_file.as_deref()), ("--manifest", args.manifest.as_deref())];
    overwrite::refuse(&session, &outputs)?;
    let (output, pending) = open(args.output_file.as_deref())?;
    let digest = OutputDigest::default();
    let mut output = digest.watch(output);
    let mut entries = Vec::new();
    let mut batch = BatchOutcome::default();
    let written = |error| Error::io(args.output_file.clone().unwrap_or_else(|| "stdout".into()), error);
    for (number, line) in input.lines().enumerate() {
        let line = line.map_err(|error| Error::io(&args.queries, error))?;
        if line.trim().is_empty() {
            continue;
        }
        let request = request(&line, number + 1, &args.queries)?;
        let (id, query) = (&request["id"], request["query"].as_str().unwrap_or(""));
        match answer(&session, query, &mut batch) {
            Ok((table, entry)) => {
                entries.push((id.clone(), entry));
                writeln!(output, "{{\"id\":{id},{table}}}")
            }
            Err(error @ Error::Cancelled) => return Err(error),
            Err(error) => {
                batch.failed = true;
                if is_nothing_to_read(&error) && session.catalog.is_empty() {
                    batch.forgotten.get_or_insert_with(|| session.reporter.error_text(&error));
                }
                let error = json!({"error": session.reporter.error_text(&error), "code": error.exit_code()});
                entries.push((id.clone(), merged(json!({"query": query}), error.clone())));
                writeln!(output, "{}", merged(json!({"id": id}), error))
            }
        }
        // Flushed after each line, so that a reader of the pipe gets each result at once.
        .and_then(|()| output.flush())
        .map_err(written)?;
    }
    drop(output);
    session.report_unread();
    session.finish()?;
    if let Some((pending, path)) = pending.zip(args.output_file.as_deref()) {
        destination::publish(pending, path)?;
    }
    if let Some(path) = &args.manifest {
        let answers: Vec<Json> = entries.into_iter().map(|(id, entry)| merged(json!({"id": id}), entry)).collect();
        let written = manifest::output(args.output_file.as_deref(), Some(&digest));
        manifest::write(path, &session, merged(json!({"answers": answers}), written))?;
    }
    // No query about a table could be answered: that is a mistake in the call, not in one of them.
    if let Some(forgotten) = batch.forgotten {
        return Err(Error::Usage(forgotten));
    }
    Ok(match (session.strict && batch.damage, batch.failed) {
        (true, _) => Outcome::Damaged,
        (false, true) => Outcome::Negative,
        (false, false) => Outcome::Success,
    })
}

/// Opens the file of queries; `-` is stdin.
fn queries(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |error| Error::io(path, error);
    let input: Box<dyn BufRead> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(std::fs::File::open(path).map_err(failed)?)),
    };
    decoded(input).map_err(failed)
}

/// Parses one line of the file of queries.
fn request(line: &str, number: usize, file: &Path) -> Result<Json> {
    serde_json::from_str(line).map_err(|error| Error::Data {
        file: file.display().to_string(),
        place: Some(format!("line {number}")),
        reason: format!("not JSON: {error}"),
    })
}

/// Converts the queries to UTF-8 without a byte order mark: Windows tools also write UTF-16.
fn decoded(mut input: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    match input.fill_buf()? {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes)?;
            let text = decode_text(bytes).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
            Ok(Box::new(io::Cursor::new(text.into_bytes())))
        }
        [0xef, 0xbb, 0xbf, ..] => {
            input.consume(3);
            Ok(input)
        }
        _ => Ok(input),
    }
}

fn is_nothing_to_read(error: &Error) -> bool {
    matches!(error, Error::Query(list) if list.iter().all(|diagnostic| diagnostic.code == Code::NothingToRead))
}

/// Opens stdout, or a temporary file that is renamed at the end.
fn open(file: Option<&Path>) -> Result<(Box<dyn Write>, Option<PendingFile>)> {
    let Some(path) = file else {
        stdout::check()?;
        return Ok((Box::new(BufWriter::new(terminal::stdout())), None));
    };
    let (pending, out) = destination::pending(path)?;
    Ok((Box::new(out), Some(pending)))
}

/// The state of the queries of the batch so far.
#[derive(Default)]
struct BatchOutcome {
    /// The error of the first query without a source, if none is given.
    forgotten: Option<String>,
    /// Messages that were printed already.
    emitted: BTreeSet<String>,
    /// True once data could not be read.
    damage: bool,
    /// True once a query failed.
    failed: bool,
}

/// Runs a query. Returns the members `columns` and `rows` of its result in the Log Analytics format, and its entry in
/// the manifest. Of several results, the first one is followed by the member `otherResults`.
fn answer(session: &session::Session, query: &str, batch: &mut BatchOutcome) -> Result<(String, Json)> {
    let started = Instant::now();
    let results = session.prepare_results(&session.engine, query, started)?;
    let line = session.progress(&results[0], started);
    let (mut tables, mut rows) = (Vec::new(), Vec::new());
    let outcome = results.iter().try_for_each(|prepared| -> Result<()> {
        let (table, count) = run_result(prepared)?;
        tables.push(table);
        rows.push(count);
        Ok(())
    });
    line.end();
    session.reporter.report_new(results[0].report(), &mut batch.emitted);
    batch.damage |= results[0].report().is_incomplete();
    outcome?;
    let entry = manifest::answer(query, &results, &rows);
    let mut text = tables.remove(0);
    let others = results[1..].iter().zip(&tables);
    let others: Vec<String> =
        others.map(|(result, table)| format!("{{\"name\":{},{table}}}", json!(result.name))).collect();
    if !others.is_empty() {
        text = format!("\"name\":{},{text},\"otherResults\":[{}]", json!(results[0].name), others.join(","));
    }
    Ok((text, entry))
}

/// Runs a result. Returns its members `columns` and `rows`, and the number of rows.
fn run_result(prepared: &Prepared) -> Result<(String, u64)> {
    let bytes = Shared::default();
    let format = output::format("la-api").ok_or_else(|| Error::internal("the format la-api is missing"))?;
    let mut writer = (format.writer)(Box::new(bytes.clone()), &output::OutputOptions::default());
    writer.begin(prepared.schema())?;
    let mut rows = 0;
    prepared.run(&mut |batch| {
        rows += batch.rows() as u64;
        writer.batch(&batch).map(|()| Flow::Continue(()))
    })?;
    writer.finish()?;
    drop(writer);
    let text = bytes.text();
    let table = text.find("\"columns\":").and_then(|start| Some(&text[start..text.rfind("}]}")?]));
    // The format has a line end after each row; JSON strings contain none.
    let table =
        table.map(|table| table.replace('\n', "")).ok_or_else(|| Error::internal("the result has no columns"))?;
    Ok((table, rows))
}

/// A buffer that a writer fills and its owner reads.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
