//! `coldcase verify`: checks that archives are, byte for byte, as they were written.

use super::args::VerifyArgs;
use super::reporter::Message;
use super::sources::{InputSources, SourceOptions};
use super::{Outcome, reporter, rows, session, stop};
use crate::diagnostic::{Error, Result};
use crate::engine::Settings;
use crate::engine::inspect::for_each_file;
use crate::messages::CommandNote;
use crate::parquet::ParquetFile;
use crate::parquet::checksums::ChecksumResult;
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::listing::Listing;
use crate::types::{Type, Value};

const COLUMNS: [(&str, Type); 7] = [
    ("File", Type::String),
    ("Table", Type::String),
    ("RowGroups", Type::Long),
    ("Rows", Type::Long),
    ("Bytes", Type::Long),
    ("Status", Type::String),
    ("Damage", Type::String),
];

/// The result row of a file.
struct VerifiedFile {
    row: Vec<Value>,
    is_intact: bool,
}

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome> {
    let mut settings = Settings::new(0);
    settings.threads = session::threads(args.threads);
    settings.cancelled = stop::flag();
    let sources = InputSources::resolve(&SourceOptions { paths: &args.paths, ..SourceOptions::default() })?;
    sources.report();
    let mut listing = Listing::default();
    for source in sources.named {
        listing.extend(source.listing?);
    }
    let Listing { files, notes, .. } = unique_files(listing);
    notes.iter().for_each(|note| Message::Note(note.to_string()).print());
    let (archives, others): (Vec<_>, Vec<_>) = files.into_iter().partition(DataFile::is_parquet);
    let names: Vec<String> = others.iter().take(3).map(|file| file.name.clone()).collect();
    if !names.is_empty() {
        let more = others.len() > names.len();
        Message::from(CommandNote::NoChecksums { names, more }).print();
    }
    if archives.is_empty() {
        return Err(Error::Usage("no Parquet file to verify: give an archive".to_owned()));
    }
    let (mut table, mut failed) = (Vec::new(), 0);
    for_each_file(&archives, &settings, &|file, _| verify(file), &mut |verified: VerifiedFile| {
        failed += u64::from(!verified.is_intact);
        table.push(verified.row);
        Ok(())
    })?;
    let total = table.len();
    rows::write(&args.output, &sources.configuration.defaults, &COLUMNS, table)?;
    if failed == 0 {
        return Ok(Outcome::Success);
    }
    reporter::print_line(&format!(
        "error: {failed} of {total} files could not be verified; see the columns Status and Damage"
    ));
    Ok(Outcome::Damaged)
}

fn verify(file: &DataFile) -> Result<VerifiedFile> {
    let found = ParquetFile::of(file).and_then(|opened| {
        let verdict = opened.verify().map_err(|error| Error::io(&file.name, error))?;
        Ok((opened, verdict))
    });
    let null = || Value::null(Type::Long);
    let number = |number: u64| Value::Long(i64::try_from(number).unwrap_or(i64::MAX));
    let (table, groups, count, status, damage) = match found {
        Ok((opened, verdict)) => {
            let (status, damage) = match verdict {
                ChecksumResult::Intact => ("intact", String::new()),
                ChecksumResult::Damaged(parts) => ("damaged", parts.join("; ")),
                ChecksumResult::NoChecksums => {
                    ("no checksums", "written by another program, or by an older version of this one".to_owned())
                }
            };
            let table = opened.archived_table().unwrap_or_default().to_owned();
            (table, number(opened.row_groups() as u64), number(opened.rows()), status, damage)
        }
        Err(Error::Data { place, reason, .. }) => {
            let place = place.map_or(String::new(), |place| format!("{place}: "));
            (String::new(), null(), null(), "damaged", format!("{place}{reason}"))
        }
        Err(error @ Error::Io { .. }) => (String::new(), null(), null(), "unreadable", error.to_string()),
        Err(error) => return Err(error),
    };
    let bytes = number(file.bytes);
    let text = |text: &str| Value::string(text);
    let row = vec![text(&file.name), text(&table), groups, count, bytes, text(status), text(&damage)];
    Ok(VerifiedFile { row, is_intact: status == "intact" })
}
