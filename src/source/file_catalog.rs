//! Maps table names to files.
//!
//! The user binds a name to files, or the name is that of a known table, whose records are then selected from all
//! files. Known tables that are read only by name must occur in the files. Any other name is that of a file
//! without its extension, or a table that records name; its columns are inferred. Files are listed once, when the
//! catalog is built; their content is examined only when a query names a table.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::column_file::ColumnFile;
use super::file_table::{FileTable, SharedDates};
use super::sample::sample_files;
use super::table_membership::has_table_names;
use super::type_values::TypeValues;
use crate::diagnostic::{Error, Result};
use crate::entra::{KnownTable, known_table, known_table_names, known_tables, recognised_tables, restored_from};
use crate::scan::catalog::STDIN;
use crate::scan::{Catalog, TableProvider};
use crate::source::listing::expand;
use crate::source::text::{Inference, RecordSelection};
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::listing::{DiscoveryNote, Listing};
use crate::storage::remote::Access;
use crate::storage::text_settings::TextSettings;
use crate::storage::zip_archive;
use crate::types::{Field, Schema, Type};

/// Files as the user named them, and with the entries of archives, which are opened when a table is first needed.
struct ListedFiles {
    named: Listing,
    expanded: OnceLock<ExpandedFiles>,
}

struct ExpandedFiles {
    files: Arc<[DataFile]>,
    notes: Arc<[DiscoveryNote]>,
}

impl ExpandedFiles {
    /// Returns the files whose name up to the first dot is `name`.
    fn called(&self, name: &str) -> Arc<[DataFile]> {
        self.files.iter().filter(|file| file.stem() == name).cloned().collect()
    }

    /// Returns the Parquet files that are archives of the table `name`, whatever the files are called.
    fn archived_as(&self, name: &str, limits: ReadLimits) -> Arc<[DataFile]> {
        let is_archived = |file: &&DataFile| {
            let opened = file.is_parquet().then(|| ColumnFile::of(file, limits).ok()).flatten();
            opened.is_some_and(|opened| opened.archived_table() == Some(name))
        };
        self.files.iter().filter(is_archived).cloned().collect()
    }
}

impl ListedFiles {
    fn new(named: Listing) -> Self {
        Self { named: unique_files(named), expanded: OnceLock::new() }
    }

    /// True if the user named neither a file nor a folder.
    fn is_empty(&self) -> bool {
        self.named.files.is_empty() && self.named.notes.is_empty()
    }

    fn expanded(&self, limits: ReadLimits) -> Result<&ExpandedFiles> {
        if let Some(expanded) = self.expanded.get() {
            return Ok(expanded);
        }
        let Listing { files, mut notes, .. } = zip_archive::expand(&self.named.files, limits)?;
        notes.extend(self.named.notes.iter().cloned());
        Ok(self.expanded.get_or_init(|| ExpandedFiles { files: files.into(), notes: notes.into() }))
    }
}

/// A catalog of tables in files.
pub struct FileCatalog {
    /// Files that are not bound to a table.
    files: ListedFiles,
    bindings: BTreeMap<String, ListedFiles>,
    texts: BTreeSet<String>,
    tables: Mutex<BTreeMap<String, Arc<FileTable>>>,
    limits: ReadLimits,
    dates: Option<Arc<SharedDates>>,
}

impl fmt::Debug for FileCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.bindings.keys().collect();
        f.debug_struct("FileCatalog")
            .field("files", &self.files.named.files.len())
            .field("bindings", &names)
            .finish_non_exhaustive()
    }
}

/// Collects the files of a [`FileCatalog`].
#[derive(Clone, Debug, Default)]
pub struct FileCatalogBuilder {
    files: Listing,
    bindings: BTreeMap<String, Listing>,
    /// Names of bound tables whose columns are all read as strings.
    texts: BTreeSet<String>,
    limits: ReadLimits,
    access: Arc<Access>,
    text: TextSettings,
    dates: Option<Arc<SharedDates>>,
}

impl FileCatalogBuilder {
    /// Adds the files that `pattern` names (a file, a folder or a glob, by path or URL). All known tables are searched
    /// in them.
    ///
    /// # Errors
    /// The path does not exist or cannot be read, nothing matches, or the folder contains no file.
    pub fn add(&mut self, pattern: impl Into<OsString>) -> Result<()> {
        self.files.extend(expand(&pattern.into(), &self.access)?.with_text_settings(self.text));
        Ok(())
    }

    /// Adds listed files. All known tables are searched in them.
    pub fn add_listing(&mut self, files: Listing) {
        self.files.extend(files.with_text_settings(self.text));
    }

    /// Adds the files that `pattern` names as rows of the table `name`; several patterns for one name are combined.
    ///
    /// # Errors
    /// The errors of [`Self::add`].
    pub fn bind(&mut self, name: impl Into<String>, pattern: impl Into<OsString>) -> Result<()> {
        let files = expand(&pattern.into(), &self.access)?;
        self.bind_listing(name, files);
        Ok(())
    }

    /// Adds listed files as rows of the table `name`.
    pub fn bind_listing(&mut self, name: impl Into<String>, files: Listing) {
        self.bindings.entry(name.into()).or_default().extend(files.with_text_settings(self.text));
    }

    /// Adds the files that `pattern` names as rows of the table `name`, whose columns are all strings.
    ///
    /// # Errors
    /// The errors of [`Self::add`].
    pub fn bind_texts(&mut self, name: impl Into<String>, pattern: impl Into<OsString>) -> Result<()> {
        let name = name.into();
        self.texts.insert(name.clone());
        self.bind(name, pattern)
    }

    /// Adds one file as rows of the table `name`.
    pub fn bind_file(&mut self, name: impl Into<String>, file: DataFile) {
        self.bindings.entry(name.into()).or_default().files.push(file);
    }

    /// True if the user bound files to the table `name`.
    #[must_use]
    pub fn binds(&self, name: &str) -> bool {
        self.bindings.contains_key(name)
    }

    /// Returns every file with the table that it is bound to, or with None if it is not bound and all known tables
    /// are searched in it.
    pub fn files(&self) -> impl Iterator<Item = (Option<&str>, &DataFile)> {
        let bound =
            self.bindings.iter().flat_map(|(name, files)| files.files.iter().map(|file| (Some(name.as_str()), file)));
        bound.chain(self.files.files.iter().map(|file| (None, file)))
    }

    /// Adds all files of `other`.
    pub fn append(&mut self, other: Self) {
        self.files.extend(other.files);
        self.texts.extend(other.texts);
        for (name, files) in other.bindings {
            self.bindings.entry(name).or_default().extend(files);
        }
    }

    /// Reads a stream to its end. It becomes the table `stdin`, and known tables are searched in it, too.
    ///
    /// # Errors
    /// The stream cannot be read, or its copy cannot be written.
    pub fn add_stdin(&mut self, stream: &mut dyn Read) -> Result<()> {
        let file = DataFile::stream(stream, STDIN)?.with_text_settings(self.text);
        self.bindings.entry(STDIN.to_owned()).or_default().files.push(file.clone());
        self.files.files.push(file);
        Ok(())
    }

    /// Sets how remote files are accessed; it applies to patterns that are added afterwards.
    pub fn reach(&mut self, access: Arc<Access>) {
        self.access = access;
    }

    /// Sets how text is decoded; it applies to files that are added afterwards.
    pub fn read_text(&mut self, text: TextSettings) {
        self.text = text;
    }

    /// Sets further files whose dates may prove the order of day and month in the files of known tables.
    pub fn share_dates(&mut self, dates: Arc<SharedDates>) {
        self.dates = Some(dates);
    }

    /// Sets the limits for reading each file.
    pub fn limit(&mut self, limits: ReadLimits) {
        self.limits = limits;
    }

    /// Builds the catalog of the files.
    #[must_use]
    pub fn build(self) -> FileCatalog {
        FileCatalog {
            files: ListedFiles::new(self.files),
            bindings: self.bindings.into_iter().map(|(name, files)| (name, ListedFiles::new(files))).collect(),
            texts: self.texts,
            tables: Mutex::default(),
            limits: self.limits,
            dates: self.dates,
        }
    }
}

impl FileCatalog {
    fn open(&self, name: &str) -> Result<Option<FileTable>> {
        let known = known_table(name);
        let listed = match (self.bindings.get(name), known) {
            (Some(files), _) => files,
            (None, Some(_)) if self.files.is_empty() => return Ok(None),
            (None, Some(table)) if table.by_name => return self.open_by_name(table),
            (None, Some(_)) => &self.files,
            (None, None) => return self.open_unknown(name),
        };
        let listed = listed.expanded(self.limits)?;
        let rows = match (self.bindings.contains_key(name), known) {
            (true, Some(table)) => RecordSelection::BoundTable(table),
            (false, Some(table)) => RecordSelection::Table(table),
            (_, None) => infer_selection(Inference::new(), &listed.files, self.limits)?
                .map(|rows| as_restored(rows, name))
                .ok_or_else(|| nothing_found(name, &listed.files))?,
        };
        let rows = if self.texts.contains(name) { as_texts(rows, name, &listed.files)? } else { rows };
        Ok(Some(self.table_of(name, &listed.files, rows, listed)))
    }

    /// Opens a known table that is read only by name and is not bound. Its rows are those of the files with this
    /// name, or else the records that name the table. Returns None if none of the first records of the files name
    /// it: then the user must bind it.
    fn open_by_name(&self, table: &'static KnownTable) -> Result<Option<FileTable>> {
        let listed = self.files.expanded(self.limits)?;
        let called = listed.called(table.name);
        if !called.is_empty() {
            return Ok(Some(self.table_of(table.name, &called, RecordSelection::BoundTable(table), listed)));
        }
        let occurs = has_records_of(table, &listed.files, self.limits)?;
        Ok(occurs.then(|| self.table_of(table.name, &listed.files, RecordSelection::Table(table), listed)))
    }

    fn table_of(
        &self,
        name: &str,
        files: &Arc<[DataFile]>,
        rows: RecordSelection,
        listed: &ExpandedFiles,
    ) -> FileTable {
        let mut table = FileTable::new(name, Arc::clone(files), rows, self.limits);
        if let Some(dates) = &self.dates {
            table = table.with_shared_dates(dates);
        }
        table.with_notes(Arc::clone(&listed.notes))
    }

    /// Opens a table that is neither bound nor known. Its rows are those of the files with this name, or else the
    /// records that name the table. Returns None if there are none.
    fn open_unknown(&self, name: &str) -> Result<Option<FileTable>> {
        let listed = self.files.expanded(self.limits)?;
        let called = match listed.called(name) {
            none if none.is_empty() => listed.archived_as(name, self.limits),
            called => called,
        };
        let (files, inference) = match called.is_empty() {
            true => (Arc::clone(&listed.files), Inference::only(name)),
            false => (called, Inference::new()),
        };
        let rows = infer_selection(inference, &files, self.limits)?.map(|rows| as_restored(rows, name));
        let notes = &listed.notes;
        Ok(rows.map(|rows| FileTable::new(name, files, rows, self.limits).with_notes(Arc::clone(notes))))
    }
}

impl Catalog for FileCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(name) {
            return Ok(Some(Arc::clone(table) as _));
        }
        let Some(table) = self.open(name)?.map(Arc::new) else { return Ok(None) };
        tables.insert(name.to_owned(), Arc::clone(&table));
        Ok(Some(table))
    }

    fn names(&self) -> Vec<String> {
        let known = known_table_names().map(str::to_owned);
        let mut names: Vec<_> = self.bindings.keys().cloned().chain(known).collect();
        names.sort();
        names.dedup();
        names
    }

    fn readable(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self.bindings.keys().cloned().collect();
        let mut files = self.files.named.files.len();
        // Records of stdin are rows of known tables or of the table `stdin`, and are listed once.
        if names.iter().any(|name| name == STDIN) {
            let stdin = self.table(STDIN)?;
            let is_known = stdin.is_some_and(|table| known_tables().any(|known| known.schema == *table.schema()));
            match is_known {
                true => names.retain(|name| name != STDIN),
                false => files -= 1,
            }
        }
        if files > 0 || !self.files.named.notes.is_empty() {
            names.extend(recognised_tables().map(|table| table.name.to_owned()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

fn nothing_found(name: &str, files: &[DataFile]) -> Error {
    Error::Data {
        file: files.first().map_or(name.to_owned(), |file| file.name.clone()),
        place: None,
        reason: format!("no record was found from which the columns of {name} could be inferred"),
    }
}

/// Gives a table that was restored from another one its columns: those of the original table with their types,
/// then the other columns of the records. Other tables stay as they are.
fn as_restored(rows: RecordSelection, name: &str) -> RecordSelection {
    let Some(table) = restored_from(name) else { return rows };
    let extended = |schema: &Schema| {
        let more = schema.fields().iter().filter(|field| table.schema.index_of(&field.name).is_none());
        Schema::new(table.schema.fields().iter().chain(more).cloned())
    };
    match rows {
        RecordSelection::AnyObjects(schema) => RecordSelection::AnyObjects(extended(&schema)),
        RecordSelection::NamedTable(name, schema) => RecordSelection::NamedTable(name, extended(&schema)),
        known => known,
    }
}

/// Makes all columns strings. An error for the records of a known table, whose types are fixed.
fn as_texts(rows: RecordSelection, name: &str, files: &[DataFile]) -> Result<RecordSelection> {
    match rows {
        RecordSelection::AnyObjects(schema) => {
            Ok(RecordSelection::AnyObjects(Schema::new(schema.names().map(|name| Field::new(name, Type::String)))))
        }
        RecordSelection::Table(known) | RecordSelection::BoundTable(known) | RecordSelection::AllKnownAs(known) => {
            Err(Error::Data {
                file: files.first().map_or(name.to_owned(), |file| file.name.clone()),
                place: None,
                reason: format!("it contains records of {}, so it is not a list", known.name),
            })
        }
        RecordSelection::NamedTable(..) => Ok(rows),
    }
}

/// Infers from the first records of the files which records are selected; None if no record is usable.
fn infer_selection(
    mut inference: Inference,
    files: &[DataFile],
    limits: ReadLimits,
) -> Result<Option<RecordSelection>> {
    let mut rows_of_columns = None;
    let takes_all = inference.takes_all();
    sample_files(&mut inference, files, limits, &mut |file, opened| {
        let next = Ok(ControlFlow::Continue(()));
        if !takes_all {
            return next;
        }
        match opened.and_then(|opened| column_rows(file, &opened)) {
            Ok(None) => return next,
            // Other files may be readable.
            Err(Error::Data { .. }) if files.len() > 1 => return next,
            rows => rows_of_columns = rows?,
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(rows_of_columns.or_else(|| inference.finish()))
}

/// True if one of the first records of the text files is a row of `table`, or a columnar file has rows of it.
fn has_records_of(table: &KnownTable, files: &[DataFile], limits: ReadLimits) -> Result<bool> {
    let mut inference = Inference::only(table.name);
    let mut is_column_row = false;
    sample_files(&mut inference, files, limits, &mut |_, opened| {
        let found = opened.and_then(|opened| names_table(&opened, table.name));
        is_column_row = match found {
            // Other files may be readable.
            Err(Error::Data { .. }) if files.len() > 1 => false,
            found => found?,
        };
        Ok(if is_column_row { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(is_column_row || inference.finish().is_some())
}

/// True if the file is an archive of the table `name`, or its rows name it.
fn names_table(file: &ColumnFile, name: &str) -> Result<bool> {
    if let Some(archived) = file.archived_table() {
        return Ok(archived == name);
    }
    Ok(has_table_names(file)
        && TypeValues::of(file)?.rows.keys().any(|value| value.trim_ascii().eq_ignore_ascii_case(name)))
}

/// Determines how the rows of a columnar file are read that is bound to a name: as rows of a known table if the
/// file has all of its columns. Returns None for a query result of this program that was found in a folder.
fn column_rows(file: &DataFile, opened: &ColumnFile) -> Result<Option<RecordSelection>> {
    if opened.is_answer() && file.found_in().is_some() {
        return Ok(None);
    }
    let schema = opened.columns();
    // An archive written by `convert` has exactly the columns of its table, known or not.
    if opened.archived_table().is_some_and(|name| known_table(name).is_none()) {
        return Ok(Some(RecordSelection::AnyObjects(schema)));
    }
    let same = |table: &&KnownTable| schema.names().all(|name| table.schema.index_of(name).is_some());
    let is_log = schema.index_of("TimeGenerated").is_some();
    // The columns of a table that is read by name are too common to identify it.
    let known = recognised_tables().find(same).filter(|_| is_log);
    Ok(Some(known.map_or(RecordSelection::AnyObjects(schema.clone()), RecordSelection::AllKnownAs)))
}
