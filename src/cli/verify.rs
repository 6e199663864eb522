//! `coldcase verify`: checks that archives are, byte for byte and file for file, as they were written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args::VerifyArgs;
use super::reporter::Message;
use super::sources::{InputSources, SourceOptions};
use super::{Outcome, digest, reporter, rows, session, stop};
use crate::diagnostic::{Error, Result};
use crate::engine::Settings;
use crate::engine::inspect::for_each_file;
use crate::messages::CommandNote;
use crate::parquet::ParquetFile;
use crate::parquet::checksums::ChecksumResult;
use crate::storage::archive_files::{ExpectedFile, ListedArchive, archived};
use crate::storage::archive_list::ArchiveList;
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::listing::{DiscoveryNote, Listing};
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
    /// True for a file of an archive that has no list of its files.
    lacks_list: bool,
}

/// What the lists of the archives say about their files.
struct ArchiveLists {
    /// The folders of the archives.
    folders: Vec<PathBuf>,
    /// The listed files by their absolute paths.
    expected: BTreeMap<PathBuf, ExpectedFile>,
    /// The folders of the archives whose lists are damaged, and the reasons.
    damaged: Vec<(PathBuf, String)>,
}

impl ArchiveLists {
    fn new(archives: Vec<ListedArchive>, notes: &[DiscoveryNote]) -> Self {
        let folders = archives.iter().map(|archive| archive.folder.clone()).collect();
        let files = archives.into_iter().flat_map(|archive| archive.files);
        let damaged = |note: &DiscoveryNote| match note {
            DiscoveryNote::UnreadableList { archive, error } => Some((archive.clone(), error.clone())),
            _ => None,
        };
        let damaged = notes.iter().filter_map(damaged).collect();
        Self { folders, expected: files.map(|file| (file.path.clone(), file)).collect(), damaged }
    }

    /// True if the file is in the folder of an archive whose list was read.
    fn covers(&self, file: &DataFile) -> bool {
        archived(file).is_some_and(|path| self.folders.iter().any(|folder| path.starts_with(folder)))
    }

    /// True if the file is in the folder of an archive that has a list, which may be damaged.
    fn has_list(&self, file: &DataFile) -> bool {
        let is_damaged = |path: PathBuf| self.damaged.iter().any(|(folder, _)| path.starts_with(folder));
        self.covers(file) || archived(file).is_some_and(is_damaged)
    }

    /// The rows of the lists that are damaged.
    fn damaged_lists(&self) -> Vec<Vec<Value>> {
        let null = || Value::null(Type::Long);
        let row = |(folder, reason): &(PathBuf, String)| {
            let name = Value::string(ArchiveList::path(folder).display().to_string());
            let (status, reason) = (Value::string("damaged"), Value::string(reason.as_str()));
            vec![name, Value::string(""), null(), null(), null(), status, reason]
        };
        self.damaged.iter().map(row).collect()
    }

    /// Returns the status of an intact file that the list contradicts, and why.
    fn contradict(&self, file: &DataFile) -> Result<Option<(&'static str, String)>> {
        let Some(expected) = archived(file).and_then(|path| self.expected.get(&path)) else {
            let reason = "the list of its archive does not name it: another program added it, or an earlier version";
            return Ok(self.covers(file).then(|| ("not listed", reason.to_owned())));
        };
        let (_, sha256) = digest::sha256(&mut *file.open_stored()?, |error| Error::io(&file.name, error))?;
        let reason = "its SHA-256 is not the one in the list of its archive: it was replaced or changed";
        Ok((sha256 != expected.sha256).then(|| ("damaged", reason.to_owned())))
    }

    /// The rows of the listed files that do not exist.
    fn missing(&self, found: &[DataFile]) -> Vec<Vec<Value>> {
        let mut missing: BTreeMap<&PathBuf, &ExpectedFile> = self.expected.iter().collect();
        found.iter().filter_map(archived).for_each(|path| _ = missing.remove(&path));
        let null = || Value::null(Type::Long);
        let row = |file: &ExpectedFile| {
            let reason = Value::string("the list of its archive names it");
            let (name, bytes) = (Value::string(file.name.as_str()), i64::try_from(file.bytes).unwrap_or(i64::MAX));
            vec![name, Value::string(""), null(), null(), Value::Long(bytes), Value::string("missing"), reason]
        };
        missing.into_values().filter(|file| !file.path.exists()).map(row).collect()
    }
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
    let Listing { files, notes, archives: lists, .. } = unique_files(listing);
    report(&notes);
    let listed = ArchiveLists::new(lists, &notes);
    let (archives, others): (Vec<_>, Vec<_>) = files.into_iter().partition(DataFile::is_parquet);
    let names: Vec<String> = others.iter().take(3).map(|file| file.name.clone()).collect();
    if !names.is_empty() {
        let more = others.len() > names.len();
        Message::from(CommandNote::NoChecksums { names, more }).print();
    }
    if archives.is_empty() {
        return Err(Error::Usage("no Parquet file to verify: give an archive".to_owned()));
    }
    let (mut table, mut failed, mut without_list) = (Vec::new(), 0, 0);
    for_each_file(&archives, &settings, &|file, _| verify(file, &listed), &mut |verified: VerifiedFile| {
        failed += usize::from(!verified.is_intact);
        without_list += usize::from(verified.lacks_list);
        table.push(verified.row);
        Ok(())
    })?;
    for without_file in [listed.missing(&archives), listed.damaged_lists()] {
        failed += without_file.len();
        table.extend(without_file);
    }
    if without_list > 0 {
        Message::from(CommandNote::NoFileList(without_list)).print();
    }
    let total = table.len();
    rows::write(&args.output, &sources.configuration.defaults, &COLUMNS, table)?;
    if failed > 0 {
        reporter::print_line(&format!(
            "error: {failed} of {total} files could not be verified; see the columns Status and Damage"
        ));
        return Ok(Outcome::Damaged);
    }
    // The warnings name these files.
    if notes.iter().any(DiscoveryNote::is_damage) { Ok(Outcome::Damaged) } else { Ok(Outcome::Success) }
}

/// Prints the notes of the listing.
fn report(notes: &[DiscoveryNote]) {
    for note in notes {
        match note.is_damage() {
            true => Message::Warning(note.to_string()).print(),
            false => Message::Note(note.to_string()).print(),
        }
    }
}

fn verify(file: &DataFile, listed: &ArchiveLists) -> Result<VerifiedFile> {
    let refused = |reason: &str| Error::Data { file: file.name.clone(), place: None, reason: reason.to_owned() };
    let opened = file.refused().map_or_else(|| ParquetFile::of(file), |reason| Err(refused(reason)));
    let found = opened.and_then(|opened| {
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
            let status = if file.refused().is_some() { "not read" } else { "damaged" };
            (String::new(), null(), null(), status, format!("{place}{reason}"))
        }
        Err(error @ Error::Io { .. }) => (String::new(), null(), null(), "unreadable", error.to_string()),
        Err(error) => return Err(error),
    };
    let contradiction = match status {
        "intact" | "no checksums" => listed.contradict(file),
        _ => Ok(None),
    };
    let (status, damage) = match contradiction {
        Err(error @ Error::Io { .. }) => ("unreadable", error.to_string()),
        found => found?.unwrap_or((status, damage)),
    };
    let lacks_list = !table.is_empty() && file.found_in().is_some() && !listed.has_list(file);
    let bytes = number(file.bytes);
    let text = |text: &str| Value::string(text);
    let row = vec![text(&file.name), text(&table), groups, count, bytes, text(status), text(&damage)];
    Ok(VerifiedFile { row, is_intact: status == "intact", lacks_list })
}
