//! `--manifest FILE`: what an answer rests on, so that it can be repeated and shown to others.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::session::Session;
use crate::diagnostic::{Error, Result};
use crate::engine::profile::{Part, profile};
use crate::engine::{Prepared, Settings};
use crate::source::Limits;
use crate::source::files::DataFile;
use crate::types::{Value, datetime};

/// Writes the manifest of an answer of `rows` rows; it has its name only when it is whole.
pub(super) fn write(path: &Path, session: &Session, prepared: &Prepared, rows: u64) -> Result<()> {
    let settings = session.engine.settings();
    let inputs = session.catalog.inputs();
    let inputs = inputs
        .iter()
        .map(|(table, file)| input(table.as_deref(), file, session.catalog.limits(), settings))
        .collect::<Result<Vec<_>>>()?;
    let report = prepared.report();
    let damage = report.problems().into_iter().map(|(file, damage)| json!({"file": file, "records": damage.lost}));
    let notices = report.notices().into_iter().map(|(text, times)| json!({"text": text, "times": times}));
    let columns = prepared.schema().fields().iter().map(|field| json!({"name": field.name, "type": field.ty.name()}));
    let manifest = json!({
        "program": "coldcase",
        "version": env!("CARGO_PKG_VERSION"),
        "query": session.text,
        "now": datetime::to_text(settings.now),
        "settings": settings_json(settings),
        "inputs": inputs,
        "answer": {"rows": rows, "columns": columns.collect::<Vec<_>>()},
        "notRead": damage.collect::<Vec<_>>(),
        "warnings": report.warnings(),
        "notices": notices.collect::<Vec<_>>(),
    });
    let failed = |error: io::Error| Error::io(path, error);
    let mut file = NamedTempFile::new_in(super::target::folder(path)).map_err(failed)?;
    writeln!(file, "{manifest:#}").map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn settings_json(settings: &Settings) -> Json {
    let time = |ticks: Option<i64>| ticks.map(datetime::to_text);
    let range = settings.time_range.as_ref();
    json!({
        "from": range.and_then(|range| time(range.from)),
        "to": range.and_then(|range| time(range.to)),
        "timeColumn": range.map(|range| range.column.as_str()),
        "timeColumns": settings.time_columns,
        "parameters": settings.parameters,
        "provenance": settings.provenance,
        "dedup": settings.dedup,
    })
}

/// A file: what it is byte by byte, and what was found in it.
fn input(table: Option<&str>, file: &DataFile, limits: Limits, settings: &Settings) -> Result<Json> {
    let profile = profile(file, limits, settings)?;
    Ok(json!({
        "file": file.name,
        "table": table,
        "bytes": file.bytes,
        "sha256": sha256(file)?,
        "contents": profile.parts.iter().map(contents).collect::<Vec<_>>(),
        "problems": profile.problems,
    }))
}

fn contents(part: &Part) -> Json {
    let time = |value: &Value| match value {
        Value::Datetime(ticks) => Some(datetime::to_text(*ticks)),
        _ => None,
    };
    json!({
        "table": part.table,
        "shape": part.shape,
        "rows": part.rows,
        "firstTimeGenerated": time(&part.generated[0]),
        "lastTimeGenerated": time(&part.generated[1]),
        "firstCreatedDateTime": time(&part.created[0]),
        "lastCreatedDateTime": time(&part.created[1]),
    })
}

fn sha256(file: &DataFile) -> Result<String> {
    let failed = |error| Error::io(&file.path, error);
    let mut input = File::open(&file.path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match input.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
