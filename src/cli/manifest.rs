//! `--manifest FILE`: everything that a result is based on, so that it can be reproduced and presented as evidence.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::destination::write_file;
use super::digest::{self, OutputDigest};
use super::inspection;
use super::session::Session;
use super::sources::{Input, NamedSource};
use crate::diagnostic::{Error, Result};
use crate::engine::inspect::{InspectedFiles, TableSummary, for_each_file, inspect};
use crate::engine::{Prepared, Settings};
use crate::messages::{self, CommandWarning};
use crate::scan::ScanReport;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::remote::redacted;
use crate::types::{Value, datetime};

/// The files of each table.
type FilesByTable = BTreeMap<Option<String>, InspectedFiles>;

/// Writes a manifest of the inputs and the settings, with the members of the object `results`.
pub(super) fn write(path: &Path, session: &Session, results: Json) -> Result<()> {
    let settings = session.engine.settings();
    let (used, unread) = session.catalog.inputs_by_use();
    let common = json!({
        "program": "coldcase",
        "version": env!("CARGO_PKG_VERSION"),
        "now": datetime::to_text(settings.now),
        "settings": settings_json(settings),
        "catalog": session.catalog.file.file.as_deref().map(written).transpose()?,
        "catalogNotUsed": session.catalog.file.unused,
        "sources": session.catalog.named.iter().map(source).collect::<Vec<_>>(),
        "inputs": inputs(session, &used)?,
        "inputsNotAskedFor": unread.iter().map(|input| json!({"file": input.file.name, "table": input.table}))
            .collect::<Vec<_>>(),
        "functions": functions(session)?,
    });
    let manifest = merged(common, results);
    write_file(path, |file| writeln!(file, "{manifest:#}"))
}

/// The entry of a query: its text, the columns and number of rows of its results, and the messages of its scans.
pub(super) fn answer(query: &str, results: &[Prepared], rows: &[u64]) -> Json {
    // Records of queries are kept and handed on: the secrets of URLs are not.
    let query = redacted(query);
    let entry = |(prepared, rows): (&Prepared, &u64)| {
        let columns = prepared.schema().fields().iter();
        let columns = columns.map(|field| json!({"name": field.name, "type": field.ty.name()}));
        json!({"rows": rows, "columns": columns.collect::<Vec<_>>()})
    };
    let mut entries: Vec<Json> = results.iter().zip(rows).map(entry).collect();
    let answer = match results {
        [_] => json!({"query": query, "answer": entries.pop()}),
        _ => {
            let named = results.iter().zip(entries);
            let named = named.map(|(prepared, entry)| merged(json!({"name": prepared.name}), entry));
            json!({"query": query, "results": named.collect::<Vec<_>>()})
        }
    };
    let Some(first) = results.first() else { return answer };
    let options = first.options.iter().filter(|option| option.is_effective);
    let options: Vec<Json> = options.map(|option| json!({"name": option.name, "value": option.value})).collect();
    merged(merged(answer, json!({"options": options})), scan_messages(first.report()))
}

/// The entry of the bytes that were written to a file or to stdout.
pub(super) fn output(file: Option<&Path>, digest: Option<&OutputDigest>) -> Json {
    let (bytes, sha256) = digest.map(OutputDigest::finish).unzip();
    let file = file.map_or_else(|| "stdout".to_owned(), |file| file.display().to_string());
    json!({"output": {"file": file, "bytes": bytes, "sha256": sha256}})
}

/// Returns `object` with the members of `other` added.
pub(super) fn merged(mut object: Json, other: Json) -> Json {
    if let (Some(object), Json::Object(other)) = (object.as_object_mut(), other) {
        object.extend(other);
    }
    object
}

/// The unread records, and the other messages of scans.
pub(super) fn scan_messages(report: &ScanReport) -> Json {
    let damage = report.problems().into_iter().map(|(file, damage)| json!({"file": file, "records": damage.lost}));
    let refused = report.refused().into_iter().map(|(file, reason)| json!({"file": file, "reason": reason}));
    let notices = messages::notes(report).into_iter().map(|(text, times)| json!({"text": text, "times": times}));
    let log = report.damage();
    let kinds = log
        .kinds()
        .map(|(damage, files)| json!({"text": messages::damage(damage, files.values().sum()), "files": files}));
    json!({
        "notRead": damage.chain(refused).collect::<Vec<_>>(),
        "damage": kinds.collect::<Vec<_>>(),
        "warnings": messages::warnings(report),
        "notices": notices.collect::<Vec<_>>(),
    })
}

/// The entry of a local file: path, size and SHA-256.
pub(super) fn written(path: &Path) -> Result<Json> {
    let file = DataFile::new(path)?;
    let (bytes, sha256) = hashed(&file)?;
    Ok(json!({"file": file.name, "bytes": bytes, "sha256": sha256}))
}

/// The entry of a source, as the command line or the catalog file gives it.
fn source(named: &NamedSource) -> Json {
    json!({"table": named.table, "path": named.path, "from": named.from})
}

/// The entries of input files. A file that is bound to several tables has several entries.
fn inputs(session: &Session, inputs: &[Input]) -> Result<Vec<Json>> {
    let groups = files_by_table(inputs, session.catalog.limits());
    let look = |input: &Input, settings: &Settings| input_json(input, &groups, settings);
    let mut found = Vec::new();
    for_each_file(inputs, session.engine.settings(), &look, &mut |input| {
        found.push(input);
        Ok(())
    })?;
    for changed in found.iter().filter(|input| input["changed"] == true).filter_map(|input| input["file"].as_str()) {
        session.reporter.warn(CommandWarning::InputChanged(changed.to_owned()));
    }
    Ok(found)
}

/// The files of each table, which a query reads together; without a table, those in which all known tables are
/// searched.
fn files_by_table(inputs: &[Input], limits: ReadLimits) -> FilesByTable {
    let mut files: BTreeMap<Option<String>, Vec<DataFile>> = BTreeMap::new();
    for input in inputs {
        files.entry(input.table.clone()).or_default().push(input.file.clone());
    }
    files.into_iter().map(|(table, files)| (table, InspectedFiles::new(files, limits))).collect()
}

/// The entries of the stored functions that were called, with the SHA-256 of their files.
fn functions(session: &Session) -> Result<Vec<Json>> {
    let function = |(name, file): (String, DataFile)| {
        let (bytes, sha256) = hashed(&file)?;
        Ok(json!({"function": name, "file": file.name, "bytes": bytes, "sha256": sha256}))
    };
    session.catalog.called().into_iter().map(function).collect()
}

fn settings_json(settings: &Settings) -> Json {
    let time = |ticks: Option<i64>| ticks.map(datetime::to_text);
    let range = settings.time_range.as_ref();
    json!({
        "from": range.and_then(|range| time(range.from)),
        "to": range.and_then(|range| time(range.to.or(range.through))),
        "timeColumn": range.map(|range| range.column.as_str()),
        "timeColumns": settings.time_columns,
        "ingestionColumns": settings.ingestion_columns,
        "aliases": settings.aliases,
        "parameters": settings.parameters,
        "provenance": settings.provenance,
        "dedup": settings.dedup,
    })
}

/// The entry of an input file: size, SHA-256 and contents. The file is read again for it: if the file changed since it
/// was listed, the hash may not be that of the bytes that the answer rests on, and the entry says so.
fn input_json(Input { table, file, is_declared }: &Input, groups: &FilesByTable, settings: &Settings) -> Result<Json> {
    let group = groups.get(table).ok_or_else(|| Error::internal("every input belongs to the files of its table"))?;
    let inspection = if *is_declared { None } else { Some(inspect(file, group, settings)?) };
    // A refused file may be missing.
    let hash = file.refused().is_none().then(|| hashed(file)).transpose()?;
    let sha256 = hash.as_ref().map(|(_, sha256)| sha256);
    // An entry of an archive has the hash of the archive.
    let (bytes, has_other_size) = match &hash {
        Some((bytes, _)) if file.is_plain() => (*bytes, *bytes != file.bytes),
        _ => (file.bytes, false),
    };
    let entry = json!({
        "file": file.name,
        "table": table,
        "bytes": bytes,
        "sha256": sha256,
        "dateOrder": file.text_settings().date_order.map(|order| order.to_string()),
        "encoding": file.text_settings().encoding.map(|encoding| encoding.to_string()),
        "contents": inspection.as_ref().map(|found| found.summaries.iter().map(contents).collect::<Vec<_>>()),
        "problems": inspection.as_ref().map(inspection::problems),
    });
    let has_changed = has_other_size || file.has_changed();
    Ok(if has_changed { merged(entry, json!({"changed": true})) } else { entry })
}

fn contents(part: &TableSummary) -> Json {
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

/// Returns the number of bytes of a file and their SHA-256 in hexadecimal.
pub(super) fn hashed(file: &DataFile) -> Result<(u64, String)> {
    digest::sha256(&mut *file.open_stored()?, |error| Error::io(&file.name, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_that_its_file_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let record = "{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n";
        std::fs::write(&path, record).expect("written");
        let input = Input { table: None, file: DataFile::new(&path).expect("a file"), is_declared: false };
        let groups = files_by_table(std::slice::from_ref(&input), ReadLimits::default());
        let entry = || input_json(&input, &groups, &Settings::new(0)).expect("an entry");
        let listed = entry();
        assert_eq!((&listed["bytes"], &listed["changed"]), (&json!(record.len()), &Json::Null));
        std::fs::write(&path, record.repeat(2)).expect("written");
        let changed = entry();
        assert_eq!((&changed["bytes"], &changed["changed"]), (&json!(2 * record.len()), &json!(true)));
        assert_ne!(changed["sha256"], listed["sha256"]);
    }
}
