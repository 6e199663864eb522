//! Names of tables -> files.
//!
//! A name is bound to files by the user, or it is a known table whose records are picked from all files. Any other name
//! is that of files, without their endings, or one that records give as their table: columns are then inferred. Files are
//! listed once, when the catalog is made; what they hold is looked at only when a query names them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::column_file::ColumnFile;
use super::file_table::FileTable;
use super::look::look_through;
use crate::diagnostic::{Error, Result};
use crate::entra::numeric_dates::DateOrder;
use crate::entra::{KnownTable, known_table, known_tables, restored_from};
use crate::scan::catalog::STDIN;
use crate::scan::{Catalog, TableProvider};
use crate::source::listing::expand;
use crate::source::text::{Inference, Rows};
use crate::storage::file_id::unique_files;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::listing::{DiscoveryNote, Listing};
use crate::storage::remote::Access;
use crate::storage::zip_archive;
use crate::types::{Field, Schema, Type};

/// Files as they were named, and as they are read: archives are looked into when a table is first wanted.
struct Listed {
    named: Listing,
    expanded: OnceLock<Expanded>,
}

struct Expanded {
    files: Arc<[DataFile]>,
    notes: Arc<[DiscoveryNote]>,
}

impl Listed {
    fn new(named: Listing) -> Self {
        Self { named: unique_files(named), expanded: OnceLock::new() }
    }

    /// True if no file was named, and no table without files.
    fn is_empty(&self) -> bool {
        self.named.files.is_empty() && self.named.notes.is_empty()
    }

    fn expanded(&self, limits: ReadLimits) -> Result<&Expanded> {
        if let Some(expanded) = self.expanded.get() {
            return Ok(expanded);
        }
        let Listing { files, mut notes, .. } = zip_archive::expand(&self.named.files, limits)?;
        notes.extend(self.named.notes.iter().cloned());
        Ok(self.expanded.get_or_init(|| Expanded { files: files.into(), notes: notes.into() }))
    }
}

/// Tables in files.
pub struct FileCatalog {
    /// Files that were named without a table.
    files: Listed,
    bindings: BTreeMap<String, Listed>,
    texts: BTreeSet<String>,
    tables: Mutex<BTreeMap<String, Arc<FileTable>>>,
    limits: ReadLimits,
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

/// What a [`FileCatalog`] is made of.
#[derive(Clone, Debug, Default)]
pub struct FileCatalogBuilder {
    files: Listing,
    bindings: BTreeMap<String, Listing>,
    /// Tables whose columns are all texts.
    texts: BTreeSet<String>,
    limits: ReadLimits,
    access: Arc<Access>,
    date_order: Option<DateOrder>,
}

impl FileCatalogBuilder {
    /// Adds the files that `pattern` names (a file, a folder or a glob, by path or URL): any known table is looked for in them.
    ///
    /// # Errors
    /// The path does not exist or cannot be read, nothing matches, or the folder holds no file.
    pub fn add(&mut self, pattern: impl Into<OsString>) -> Result<()> {
        self.files.extend(expand(&pattern.into(), &self.access)?.with_date_order(self.date_order));
        Ok(())
    }

    /// Adds files that were found already: any known table is looked for in them.
    pub fn add_listing(&mut self, files: Listing) {
        self.files.extend(files.with_date_order(self.date_order));
    }

    /// Adds the files that `pattern` names as rows of the table `name`; several patterns of one name add up.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn bind(&mut self, name: impl Into<String>, pattern: impl Into<OsString>) -> Result<()> {
        let files = expand(&pattern.into(), &self.access)?;
        self.bind_listing(name, files);
        Ok(())
    }

    /// Adds files that were found already as rows of the table `name`.
    pub fn bind_listing(&mut self, name: impl Into<String>, files: Listing) {
        self.bindings.entry(name.into()).or_default().extend(files.with_date_order(self.date_order));
    }

    /// Adds the files that `pattern` names as rows of the table `name`, whose columns are texts whatever they look like.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn bind_texts(&mut self, name: impl Into<String>, pattern: impl Into<OsString>) -> Result<()> {
        let name = name.into();
        self.texts.insert(name.clone());
        self.bind(name, pattern)
    }

    /// Adds one file as rows of the table `name`.
    pub fn bind_file(&mut self, name: impl Into<String>, file: DataFile) {
        self.bindings.entry(name.into()).or_default().files.push(file);
    }

    /// True if files are bound to the table `name`.
    #[must_use]
    pub fn binds(&self, name: &str) -> bool {
        self.bindings.contains_key(name)
    }

    /// Every file, with the table that it is bound to; None where known tables are looked for in it.
    pub fn files(&self) -> impl Iterator<Item = (Option<&str>, &DataFile)> {
        let bound =
            self.bindings.iter().flat_map(|(name, files)| files.files.iter().map(|file| (Some(name.as_str()), file)));
        bound.chain(self.files.files.iter().map(|file| (None, file)))
    }

    /// Adds all that `other` has.
    pub fn append(&mut self, other: Self) {
        self.files.extend(other.files);
        self.texts.extend(other.texts);
        for (name, files) in other.bindings {
            self.bindings.entry(name).or_default().extend(files);
        }
    }

    /// Reads a stream to its end: it becomes the table `stdin`, and known tables are looked for in it too.
    ///
    /// # Errors
    /// The stream cannot be read, or its copy not be written.
    pub fn add_stdin(&mut self, stream: &mut dyn Read) -> Result<()> {
        let file = DataFile::stream(stream, STDIN)?.with_date_order(self.date_order);
        self.bindings.entry(STDIN.to_owned()).or_default().files.push(file.clone());
        self.files.files.push(file);
        Ok(())
    }

    /// Sets what remote files are reached with, for names that are added from here on.
    pub fn reach(&mut self, access: Arc<Access>) {
        self.access = access;
    }

    /// Sets which order dates in numbers have, for files that are added from here on; None where dates prove it.
    pub fn read_dates(&mut self, order: Option<DateOrder>) {
        self.date_order = order;
    }

    /// Sets what a file may cost.
    pub fn limit(&mut self, limits: ReadLimits) {
        self.limits = limits;
    }

    /// The catalog.
    #[must_use]
    pub fn build(self) -> FileCatalog {
        FileCatalog {
            files: Listed::new(self.files),
            bindings: self.bindings.into_iter().map(|(name, files)| (name, Listed::new(files))).collect(),
            texts: self.texts,
            tables: Mutex::default(),
            limits: self.limits,
        }
    }
}

impl FileCatalog {
    fn open(&self, name: &str) -> Result<Option<FileTable>> {
        let known = known_table(name);
        let listed = match (self.bindings.get(name), known) {
            (Some(files), _) => files,
            (None, Some(_)) if self.files.is_empty() => return Ok(None),
            (None, Some(_)) => &self.files,
            (None, None) => return self.open_unknown(name),
        };
        let listed = listed.expanded(self.limits)?;
        let rows = match (self.bindings.contains_key(name), known) {
            (true, Some(table)) => Rows::Bound(table),
            (false, Some(table)) => Rows::Of(table),
            (_, None) => look_into(Inference::new(), &listed.files, self.limits)?
                .map(|rows| as_restored(rows, name))
                .ok_or_else(|| nothing_found(name, &listed.files))?,
        };
        let rows = if self.texts.contains(name) { as_texts(rows, name, &listed.files)? } else { rows };
        let table = FileTable::new(name, Arc::clone(&listed.files), rows, self.limits);
        Ok(Some(table.with_notes(Arc::clone(&listed.notes))))
    }

    /// A table that nobody named: the files of this name, else the records that name it.
    fn open_unknown(&self, name: &str) -> Result<Option<FileTable>> {
        let listed = self.files.expanded(self.limits)?;
        let called: Arc<[DataFile]> = listed.files.iter().filter(|file| file.stem() == name).cloned().collect();
        let (files, inference) = match called.is_empty() {
            true => (Arc::clone(&listed.files), Inference::only(name)),
            false => (called, Inference::new()),
        };
        let rows = look_into(inference, &files, self.limits)?.map(|rows| as_restored(rows, name));
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
        let known = known_tables().map(|table| table.name.to_owned());
        let mut names: Vec<_> = self.bindings.keys().cloned().chain(known).collect();
        names.sort();
        names.dedup();
        names
    }

    fn readable(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self.bindings.keys().cloned().collect();
        let mut files = self.files.named.files.len();
        // Records of stdin are rows of known tables, or of `stdin`, and count once.
        if names.iter().any(|name| name == STDIN) {
            let stdin = self.table(STDIN)?;
            let is_known = stdin.is_some_and(|table| known_tables().any(|known| known.schema == *table.schema()));
            match is_known {
                true => names.retain(|name| name != STDIN),
                false => files -= 1,
            }
        }
        if files > 0 || !self.files.named.notes.is_empty() {
            names.extend(known_tables().map(|table| table.name.to_owned()));
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
        reason: format!("no record was found from which the columns of {name} could be told"),
    }
}

/// The columns of a restored table: those of the table that it is a copy of, with their types, and what the records have
/// beyond them.
fn as_restored(rows: Rows, name: &str) -> Rows {
    let Some(table) = restored_from(name) else { return rows };
    let extended = |schema: &Schema| {
        let more = schema.fields().iter().filter(|field| table.schema.index_of(&field.name).is_none());
        Schema::new(table.schema.fields().iter().chain(more).cloned())
    };
    match rows {
        Rows::Any(schema) => Rows::Any(extended(&schema)),
        Rows::Named(name, schema) => Rows::Named(name, extended(&schema)),
        known => known,
    }
}

/// The same columns, each a text.
fn as_texts(rows: Rows, name: &str, files: &[DataFile]) -> Result<Rows> {
    match rows {
        Rows::Any(schema) => Ok(Rows::Any(Schema::new(schema.names().map(|name| Field::new(name, Type::String))))),
        Rows::Of(known) | Rows::Bound(known) | Rows::AllAs(known) => Err(Error::Data {
            file: files.first().map_or(name.to_owned(), |file| file.name.clone()),
            place: None,
            reason: format!("it holds records of {}, and is no list", known.name),
        }),
        Rows::Named(..) => Ok(rows),
    }
}

/// What the records of the files are, by the first of them; None where there are none that count.
fn look_into(mut inference: Inference, files: &[DataFile], limits: ReadLimits) -> Result<Option<Rows>> {
    let mut rows_of_columns = None;
    let takes_all = inference.takes_all();
    look_through(&mut inference, files, limits, &mut |file| {
        let next = Ok(ControlFlow::Continue(()));
        if !takes_all {
            return next;
        }
        match column_rows(file, limits) {
            Ok(None) => return next,
            // Others may tell.
            Err(Error::Data { .. }) if files.len() > 1 => return next,
            rows => rows_of_columns = rows?,
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(rows_of_columns.or_else(|| inference.finish()))
}

/// What the rows of a file of columns bound to a name of the user's are: those of a known table if its columns are. None
/// for an answer of this program that was found in a folder.
fn column_rows(file: &DataFile, limits: ReadLimits) -> Result<Option<Rows>> {
    let opened = ColumnFile::of(file, limits)?;
    if opened.is_answer() && file.found_in().is_some() {
        return Ok(None);
    }
    let schema = opened.columns();
    // An archive of ours has exactly the columns of its table, known or not.
    if opened.archived_table().is_some_and(|name| known_table(name).is_none()) {
        return Ok(Some(Rows::Any(schema)));
    }
    let same = |table: &&KnownTable| schema.names().all(|name| table.schema.index_of(name).is_some());
    let is_log = schema.index_of("TimeGenerated").is_some();
    let known = known_tables().find(same).filter(|_| is_log);
    Ok(Some(known.map_or(Rows::Any(schema.clone()), Rows::AllAs)))
}
