//! The text of notes.

use super::counted;
use crate::entra::RowKind;
use crate::scan::events::{BoundOrigin, ColumnNote, Note, OverlapBasis, UnnamedRows};
use crate::types::datetime;

/// Returns the text of a note.
#[must_use]
pub fn note(event: &Note) -> String {
    match event {
        Note::Discovery(note) => note.to_string(),
        Note::EmptyFile(file) => format!("empty: {file}"),
        Note::NotAnExport { file, reason } => format!("not read: {reason}: {file}"),
        Note::OwnFile(file) => {
            format!("skipped because coldcase wrote it: {file}; name the file itself to read it as evidence")
        }
        Note::NoLastLineEnd(file) => format!(
            "{file}: the last line has no line end, but its last value is like those before it: nothing seems to be \
             missing"
        ),
        Note::EncodingOverridden { file, specified, found } => {
            format!("{file}: it is read as {found}, as its first bytes say, not as {specified}")
        }
        Note::Overlap { files, basis, table } => overlap(files, *basis, table),
        Note::DuplicatesDropped { table, column, records, rows } => {
            let occur = if *records == 1 { "occurs" } else { "occur" };
            let (values, rows) = (counted(*records, "value"), counted(*rows, "row"));
            format!(
                "{table}: {values} of {column} {occur} more than once; dropped {rows}, keeping the latest delivery of \
                 each record"
            )
        }
        Note::PlaceholderFilled { name, ticks, origin } => {
            format!("{{{{{name}}}}} is filled with {}: {}", datetime::to_text(*ticks), bound_origin(origin))
        }
        Note::Renamed { name, table } => {
            let rows = name.as_ref().map_or("rows of a restored table".to_owned(), |name| format!("rows of {name:?}"));
            format!("{rows} are read as {table}, to which they are bound")
        }
        Note::TableAssumed { rows, table } => {
            format!("{} that do not name their table are read as {table}", unnamed_rows(*rows))
        }
        Note::OtherTables { names, more, table } => {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
            let owner = match table {
                Some(table) => format!("other tables, not to {table}"),
                None => "tables that a query reads only if it names them".to_owned(),
            };
            format!("records of {}{more} belong to {owner}", names.join(", "))
        }
        Note::UnknownSignInKinds => {
            "sign-ins with unknown signInEventTypes: isInteractive tells their table, else the \
                                     name of the file, else SigninLogs is assumed"
                .to_owned()
        }
        Note::SearchJobRows => "search-job rows keep the TimeGenerated and table of the original rows".to_owned(),
        Note::Column(note) => column_note(note),
        Note::Archived(text) => text.clone(),
    }
}

/// Returns what a note says about a file, without the name of the file; None for notes that are not about a file.
pub(super) fn note_about_files(event: &Note) -> Option<String> {
    match event {
        Note::EmptyFile(_) => Some("empty".to_owned()),
        Note::NotAnExport { reason, .. } => Some(format!("not read: {reason}")),
        Note::OwnFile(_) => Some("skipped because coldcase wrote them".to_owned()),
        _ => None,
    }
}

fn column_note(event: &ColumnNote) -> String {
    let unknown = |name: &str, table: Option<&'static str>| {
        let table = table.unwrap_or("the table");
        let advice = if name.is_empty() { "a query cannot name it" } else { "name it in the query to read it" };
        format!("is not a column of {table}: {advice}")
    };
    match event {
        ColumnNote::SignInTime { kind, time } => {
            format!("{} carry no TimeGenerated; {time} (the time of the sign-in) is used", kind.describe())
        }
        ColumnNote::OtherTime { kind, time } => {
            format!("{} without TimeGenerated: {time} is used instead, if present", kind.describe())
        }
        ColumnNote::ValueDifference(text) => (*text).to_owned(),
        ColumnNote::UnknownKey { key, table } => format!("the key {key:?} of the records {}", unknown(key, *table)),
        ColumnNote::UnknownColumn { column, format, table } => {
            format!("the column {column:?} of {format} files {}", unknown(column, *table))
        }
        ColumnNote::ColumnAdded { table, column, ty } => {
            format!("{table} has no column {column}; it is read from the key of that name, as {ty}")
        }
        ColumnNote::PreviewRows => {
            "preview rows of a Splunk search are not read: the final results have them again".to_owned()
        }
        ColumnNote::EmptyCsvRows => "empty rows of a CSV file are not read".to_owned(),
        ColumnNote::UnnamedCsvColumns => "unnamed columns of a CSV file are not read".to_owned(),
        ColumnNote::UnknownCsvColumn(column) => format!("the CSV column {column:?} is unknown and not read"),
        ColumnNote::RepeatedCsvHeader(file) => format!("{file}: repeated header lines further down are skipped"),
        ColumnNote::OtherCsvHeader { file, line } => {
            format!("{file}: line {line} is a header with other columns: the rows after it are read with those columns")
        }
        ColumnNote::MissingErrorCodes => {
            "failed sign-ins in the CSV without an error code: their ResultType is empty".to_owned()
        }
        ColumnNote::DateOrderProven { column, order } => {
            format!("dates of {column} are read {order}, as other dates of the files prove")
        }
        ColumnNote::CountedTimes { column, unit } => format!("numbers in {column} are read as {unit}"),
        ColumnNote::PythonNotation(column) => format!("values of {column} in Python notation were read as JSON"),
    }
}

/// Returns the name of records of `kind`. `is_v1` is true if they are records of Microsoft Graph v1.0.
pub(super) fn shape(kind: RowKind, is_v1: bool) -> &'static str {
    if is_v1 { "Microsoft Graph v1.0 records" } else { kind.describe() }
}

fn unnamed_rows(rows: UnnamedRows) -> String {
    match rows {
        UnnamedRows::Records(kind) => kind.describe().to_owned(),
        UnnamedRows::Rows(format) => format!("{format} rows"),
        UnnamedRows::Files(format) => format!("{format} files"),
    }
}

fn bound_origin(origin: &BoundOrigin) -> String {
    match origin {
        BoundOrigin::Call => "the time range of the call, which this query applies itself".to_owned(),
        BoundOrigin::FirstTime(column) => format!("just before the earliest {column} in the data"),
        BoundOrigin::LastTime(column) => format!("just after the last {column} of the data"),
    }
}

/// Returns the text of a note about two files that contain, or may contain, the same records.
fn overlap([first, second]: &[String; 2], basis: OverlapBasis, table: &str) -> String {
    match basis {
        OverlapBasis::TimesAndAccounts => format!(
            "{second} has no Ids, and each of its records has the time and account of a record of another file, such as \
             {first}: if it is a copy or the result of an earlier query, every copy counts as a row of {table}; move it \
             elsewhere to count each record once"
        ),
        OverlapBasis::NoIds { rows } => format!(
            "{second} has {} of {table} without an Id, so it is unknown whether other files, such as {first}, contain \
             the same records: if it is a copy or the result of an earlier query, move it elsewhere to count each record \
             once",
            counted(rows, "row")
        ),
        basis => format!(
            "{first} and {second} hold a record with the same Id ({}): every copy counts as a row of {table}; to count \
             each record once, add --dedup Id",
            overlap_basis(basis)
        ),
    }
}

fn overlap_basis(basis: OverlapBasis) -> String {
    match basis {
        OverlapBasis::AllRecords => "all records were compared".to_owned(),
        OverlapBasis::TimesAndAccounts => "the times and accounts of all records were compared".to_owned(),
        OverlapBasis::NoIds { rows } => format!("{} without an Id were not compared", counted(rows, "row")),
        OverlapBasis::FirstRecords => "the first records of the files were compared".to_owned(),
        OverlapBasis::Ids { repeated, compared, is_sample } => {
            let of = if is_sample { "a sample of" } else { "the" };
            format!("{repeated} of {of} {compared} Ids read occur in more than one file")
        }
    }
}
