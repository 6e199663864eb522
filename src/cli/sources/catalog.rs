//! The tables of a session. Each is opened when a query names it, so `print 1` does not wait for a pipe, and a missing
//! folder of the catalog file is an error only for queries over its table.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::super::args::{QueryInputArgs, SourceArgs};
use super::super::progress::size;
use super::super::reporter::Message;
use super::configured::{BoundList, ConfiguredTable, bound_external, bound_watchlists, configured_tables};
use super::external::external_files;
use super::inputs::{Input, NamedSource};
use super::stdin::{CountingReader, DASH, Stdin};
use super::{CatalogFile, InputSources, Origin, stdin};
use crate::diagnostic::Result;
use crate::messages::{CommandNote, CommandWarning};
use crate::scan::catalog::STDIN;
use crate::scan::external::without_options;
use crate::scan::{Catalog, ExternalSource, ExternalTarget, FunctionLibrary, TableProvider, Watchlist};
use crate::source::external::external_table;
use crate::source::file_catalog::{FileCatalog, FileCatalogBuilder};
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;
use crate::storage::remote::{Access, redacted};
use crate::storage::text_settings::TextSettings;
use crate::syntax::Definition;

/// The tables given on the command line, and those of the catalog file.
#[derive(Debug)]
pub(in crate::cli) struct SessionCatalog {
    access: Arc<Access>,
    limits: ReadLimits,
    /// The catalog file that is used, and one that is not.
    pub file: CatalogFile,
    /// The sources that the command line and the catalog file give.
    pub named: Vec<NamedSource>,
    /// Files given on the command line, before stdin is copied.
    builder: FileCatalogBuilder,
    files: OnceLock<FileCatalog>,
    stdin: Stdin,
    /// The copy of stdin, if no files are given; None if it is empty.
    copied: OnceLock<Option<FileCatalog>>,
    /// Bytes of stdin copied so far.
    spooled: AtomicU64,
    /// Tables of the catalog file that the command line does not bind.
    configured: BTreeMap<String, ConfiguredTable>,
    /// How text is to be read, as far as the command line specifies it.
    text: TextSettings,
    /// Watchlists by alias.
    watchlists: BTreeMap<String, BoundList>,
    /// Files of `externaldata` by URL.
    external: BTreeMap<String, BoundList>,
    /// Stored functions.
    library: Arc<FunctionLibrary>,
    /// The stored functions that were called, with their files.
    called: Mutex<BTreeMap<String, DataFile>>,
    opened: Mutex<BTreeMap<String, Arc<FileCatalog>>>,
    inputs: Mutex<Vec<Input>>,
    requested: Mutex<RequestedTables>,
}

/// The tables that queries have named so far.
#[derive(Debug, Default)]
struct RequestedTables {
    /// Names of tables.
    tables: BTreeSet<String>,
    /// True once a table was found in files that are bound to none.
    unbound: bool,
}

impl SessionCatalog {
    /// Creates the catalog of `sources`, with the settings of `flags` and the files that `inputs` names.
    ///
    /// # Errors
    /// If files given on the command line do not exist, or a `--watchlist` or `--externaldata` is malformed.
    pub fn new(sources: InputSources, flags: &SourceArgs, inputs: &QueryInputArgs) -> Result<Self> {
        let uses_catalog_tables = sources.uses_catalog_tables();
        let InputSources { configuration, catalog: file, named, stdin } = sources;
        let limits = configuration.defaults.limits(flags.max_decompressed);
        let access = Arc::new(configuration.access(flags.follow_links));
        let mut builder = FileCatalogBuilder::default();
        builder.limit(limits);
        builder.read_text(flags.text.settings());
        let mut configured = BTreeMap::new();
        if uses_catalog_tables {
            configured = configured_tables(configuration.tables, flags.text.settings());
        }
        let mut list = Vec::new();
        for source in named {
            let (path, from) = (source.shown(), source.origin.name().to_owned());
            list.push(NamedSource { table: source.table.clone(), path, from });
            match source.table {
                Some(name) => {
                    configured.remove(&name);
                    builder.bind_listing(name, source.listing?);
                }
                None => builder.add_listing(source.listing?),
            }
        }
        if stdin == Stdin::Named {
            list.push(NamedSource { table: None, path: DASH.to_owned(), from: Origin::Argument.name().to_owned() });
        }
        let origin = file.file.as_ref().map_or(String::new(), |file| file.display().to_string());
        list.extend(configured_sources(&configured, &origin));
        let watchlists = bound_watchlists(&configuration.watchlists, &inputs.watchlists, flags.text.settings())?;
        let external = bound_external(&configuration.externaldata, &inputs.externaldata, flags.text.settings())?;
        list.extend(external_sources(&external, &origin));
        let library = Arc::new(FunctionLibrary::new(configuration.functions.paths, Arc::clone(&access)));
        let input = |(table, file): (Option<&str>, &DataFile)| Input {
            table: table.map(str::to_owned),
            file: file.clone(),
            is_declared: false,
        };
        let inputs = builder.files().map(input).collect();
        Ok(Self {
            access,
            limits,
            file,
            named: list,
            builder,
            files: OnceLock::new(),
            stdin,
            copied: OnceLock::new(),
            spooled: AtomicU64::new(0),
            configured,
            text: flags.text.settings(),
            watchlists,
            external,
            library,
            called: Mutex::default(),
            opened: Mutex::default(),
            inputs: Mutex::new(inputs),
            requested: Mutex::default(),
        })
    }

    /// Stored functions.
    pub fn library(&self) -> Arc<FunctionLibrary> {
        Arc::clone(&self.library)
    }

    /// The stored functions called so far, with their files.
    pub fn called(&self) -> BTreeMap<String, DataFile> {
        lock(&self.called).clone()
    }

    /// The limits for each file.
    pub fn limits(&self) -> ReadLimits {
        self.limits
    }

    /// The files given on the command line, and those of other tables opened so far.
    pub fn inputs(&self) -> Vec<Input> {
        lock(&self.inputs).clone()
    }

    /// The inputs that queries have read so far, and those that none has.
    pub fn inputs_by_use(&self) -> (Vec<Input>, Vec<Input>) {
        let requested = lock(&self.requested);
        let is_used = |input: &Input| match &input.table {
            Some(table) => requested.tables.contains(table),
            None => requested.unbound,
        };
        self.inputs().into_iter().partition(is_used)
    }

    /// Messages about sources on the command line that no query has read.
    pub fn unread(&self) -> Vec<Message> {
        let requested = lock(&self.requested);
        let unread = |source: &NamedSource| match &source.table {
            Some(table) if requested.tables.contains(table) => None,
            Some(table) => Some(CommandNote::TableNotRead { path: source.path.clone(), table: table.clone() }.into()),
            None if requested.unbound => None,
            None => Some(CommandWarning::NothingToLookFor(source.path.clone()).into()),
        };
        let mut messages: Vec<Message> =
            self.named.iter().filter(|source| source.is_on_command_line()).filter_map(unread).collect();
        let is_stdin_unread = self.stdin == Stdin::Unnamed && !self.named.is_empty() && self.copied.get().is_none();
        if is_stdin_unread && stdin::may_hold_data() {
            messages.push(CommandNote::StdinNotRead.into());
        }
        messages
    }

    /// True if neither the command line nor the catalog file gives a source, and stdin is empty.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && !matches!(self.copied.get(), Some(Some(_)))
    }

    /// The progress of copying stdin; None before or after.
    pub fn stdin_progress(&self) -> Option<String> {
        let bytes = self.spooled.load(Ordering::Relaxed);
        let is_copied = self.files.get().is_some() && self.stdin == Stdin::Named || self.copied.get().is_some();
        (bytes > 0 && !is_copied).then(|| format!("{} of stdin read", size(bytes)))
    }

    /// Adds files to the inputs.
    fn add_inputs<'a>(&self, files: impl Iterator<Item = (Option<&'a str>, &'a DataFile)>) {
        let input = |(table, file): (Option<&str>, &DataFile)| Input {
            table: table.map(str::to_owned),
            file: file.clone(),
            is_declared: false,
        };
        lock(&self.inputs).extend(files.map(input));
    }

    /// Copies stdin as the table `stdin`, in which known tables are looked for, too.
    fn copy_of_stdin(&self) -> Result<FileCatalogBuilder> {
        let mut copy = FileCatalogBuilder::default();
        copy.limit(self.limits);
        copy.read_text(self.text);
        copy.add_stdin(&mut CountingReader { input: io::stdin().lock(), bytes: &self.spooled })?;
        Ok(copy)
    }

    /// The tables in the files given on the command line, including `-`.
    fn files(&self) -> Result<&FileCatalog> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let mut builder = self.builder.clone();
        if self.stdin == Stdin::Named {
            let copy = self.copy_of_stdin()?;
            self.add_inputs(copy.files().filter(|(table, _)| table.is_some()));
            builder.append(copy);
        }
        Ok(self.files.get_or_init(|| builder.build()))
    }

    /// The tables in stdin if it is not given as `-`; None if it is empty.
    fn unnamed_stdin(&self) -> Result<Option<&FileCatalog>> {
        if let Some(copied) = self.copied.get() {
            return Ok(copied.as_ref());
        }
        let copy = self.copy_of_stdin()?;
        let has_data = self.spooled.load(Ordering::Relaxed) > 0;
        if has_data {
            self.add_inputs(copy.files().filter(|(table, _)| table.is_some()));
        }
        Ok(self.copied.get_or_init(|| has_data.then(|| copy.build())).as_ref())
    }

    /// The catalog of one table, which is opened when it is first named.
    fn opened(&self, name: &str, bind: impl FnOnce(&mut FileCatalogBuilder) -> Result<()>) -> Result<Arc<FileCatalog>> {
        let mut opened = lock(&self.opened);
        if let Some(catalog) = opened.get(name) {
            return Ok(Arc::clone(catalog));
        }
        let mut builder = FileCatalogBuilder::default();
        builder.limit(self.limits);
        builder.reach(Arc::clone(&self.access));
        bind(&mut builder)?;
        self.add_inputs(builder.files());
        let catalog = Arc::new(builder.build());
        opened.insert(name.to_owned(), Arc::clone(&catalog));
        Ok(catalog)
    }

    /// The table `name` in the files given on the command line.
    fn named_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let found = self.files()?.table(name)?;
        if found.is_some() && !self.builder.binds(name) {
            let mut requested = lock(&self.requested);
            requested.unbound = true;
            requested.tables.insert(STDIN.to_owned());
        }
        Ok(found)
    }

    /// The table `name` in stdin, if stdin is data for it.
    fn stdin_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let is_data = match self.stdin {
            Stdin::Unused | Stdin::Named => false,
            Stdin::Unnamed => true,
            Stdin::ByName => name == STDIN,
        };
        match is_data.then(|| self.unnamed_stdin()).transpose()?.flatten() {
            Some(stdin) => {
                lock(&self.requested).tables.insert(STDIN.to_owned());
                stdin.table(name)
            }
            None => Ok(None),
        }
    }
}

/// The files of tables of the catalog file `catalog`.
fn configured_sources<'a>(
    configured: &'a BTreeMap<String, ConfiguredTable>,
    catalog: &'a str,
) -> impl Iterator<Item = NamedSource> + 'a {
    let paths = configured.iter().flat_map(|(name, table)| table.paths.iter().map(move |path| (name, path)));
    paths.map(move |(name, path)| NamedSource {
        table: Some(name.clone()),
        path: redacted(&path.to_string_lossy()),
        from: catalog.to_owned(),
    })
}

/// The mapped files of external data; `catalog` is the name of the catalog file.
fn external_sources<'a>(
    external: &'a BTreeMap<String, BoundList>,
    catalog: &'a str,
) -> impl Iterator<Item = NamedSource> + 'a {
    external.iter().map(move |(url, bound)| NamedSource {
        table: Some(external_name(url)),
        path: redacted(&bound.path.to_string_lossy()),
        from: if bound.is_flag { Origin::External.name() } else { catalog }.to_owned(),
    })
}

/// The name of the external data at a URL in messages and manifests; no table has this name.
pub(in crate::cli) fn external_name(url: &str) -> String {
    format!("externaldata('{}')", without_options(url))
}

/// Locks a mutex. A poisoned one is used, too: its value is valid after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Catalog for SessionCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        lock(&self.requested).tables.insert(name.to_owned());
        if let Some(table) = self.configured.get(name) {
            let bind = |builder: &mut FileCatalogBuilder| {
                builder.read_text(table.text);
                table.paths.iter().try_for_each(|path| builder.bind(name, path))
            };
            return self.opened(name, bind)?.table(name);
        }
        match self.named_table(name)? {
            Some(table) => Ok(Some(table)),
            None => self.stdin_table(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.files.get().map_or_else(|| self.builder.clone().build().names(), Catalog::names);
        names.extend(self.configured.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    fn readable(&self) -> Result<Vec<String>> {
        let mut names = self.files()?.readable()?;
        names.extend(self.configured.keys().cloned());
        if names.is_empty() && self.stdin == Stdin::Unnamed {
            names = self.unnamed_stdin()?.map_or(Ok(Vec::new()), Catalog::readable)?;
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Watchlist>> {
        let Some(BoundList { path, search_key, text, .. }) = self.watchlists.get(alias) else { return Ok(None) };
        // No table has this name.
        let name = format!("_GetWatchlist('{alias}')");
        lock(&self.requested).tables.insert(name.clone());
        let bind = |builder: &mut FileCatalogBuilder| {
            builder.read_text(*text);
            builder.bind_texts(&name, path)
        };
        let table = self.opened(&name, bind)?.table(&name)?;
        Ok(table.map(|table| Watchlist { table, search_key: search_key.clone() }))
    }

    fn watchlists(&self) -> Vec<String> {
        self.watchlists.keys().cloned().collect()
    }

    fn external(&self, source: &ExternalSource) -> Result<ExternalTarget> {
        let files = match external_files(source, &self.external, self.text, &self.access)? {
            Ok(files) => files,
            Err(reason) => return Ok(ExternalTarget::Unmapped(reason)),
        };
        let name = external_name(&source.address);
        if lock(&self.requested).tables.insert(name.clone()) {
            let input = |file: &DataFile| Input { table: Some(name.clone()), file: file.clone(), is_declared: true };
            lock(&self.inputs).extend(files.files.iter().map(input));
        }
        external_table(source, name, files, self.limits).map(ExternalTarget::Table)
    }

    fn function(&self, name: &str) -> Result<Option<Definition>> {
        let Some(found) = self.library.function(name)? else { return Ok(None) };
        if let Some(of) = self.library.file_of(&found) {
            lock(&self.called).insert(name.to_owned(), of.file.clone());
        }
        Ok(Some(found.definition))
    }

    fn functions(&self) -> Result<Vec<Definition>> {
        Ok(self.library.functions()?.map(|function| function.definition.clone()).collect())
    }
}
