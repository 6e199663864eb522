//! The tables of a session: those of flags and paths, those of the catalog file, stdin. Each is opened when a query
//! names it: `print 1` does not wait for a pipe, and a folder that is missing matters only to those who ask for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::args::SourceArgs;
use super::configuration::Configuration;
use super::progress::size;
use crate::diagnostic::{Error, Result};
use crate::source::files::DataFile;
use crate::source::remote::{Access, redacted};
use crate::source::{Catalog, FileCatalog, FileCatalogBuilder, FunctionLibrary, Limits, TableProvider, Watchlist};
use crate::syntax::Definition;

/// The tables that a call names, and those of its catalog file.
#[derive(Debug)]
pub(super) struct SessionCatalog {
    access: Arc<Access>,
    builder: FileCatalogBuilder,
    limits: Limits,
    stdin: bool,
    files: OnceLock<FileCatalog>,
    /// Bytes of stdin so far.
    spooled: AtomicU64,
    /// Tables of the catalog file that the call does not name itself.
    configured: BTreeMap<String, Vec<PathBuf>>,
    /// By alias, the files of watchlists and the columns of their search keys.
    watchlists: BTreeMap<String, (PathBuf, Option<String>)>,
    /// Stored functions.
    library: Arc<FunctionLibrary>,
    /// The stored functions that were called, with their files.
    called: Mutex<BTreeMap<String, DataFile>>,
    opened: Mutex<BTreeMap<String, Arc<FileCatalog>>>,
    /// The files, with the table that they are bound to.
    inputs: Mutex<Vec<(Option<String>, DataFile)>>,
}

impl SessionCatalog {
    /// The tables of a call. Where it names paths, tables of the catalog file do not count.
    pub fn new(source: &SourceArgs, paths: &[OsString], configuration: &Configuration) -> Result<Self> {
        let limits = configuration.defaults.limits(source.max_decompressed);
        let mut builder = FileCatalogBuilder::default();
        builder.limit(limits);
        let access = Arc::new(configuration.access(source.follow_links));
        builder.reach(Arc::clone(&access));
        let mut configured: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        if paths.is_empty() {
            let tables = configuration.tables.iter();
            configured = tables.map(|(name, table)| (name.clone(), table.paths.clone())).collect();
        }
        for (name, path) in bindings(&source.tables)? {
            configured.remove(name);
            builder.bind(name, path)?;
        }
        let mut stdin = paths.is_empty() && source.tables.is_empty() && !io::stdin().is_terminal();
        for path in paths {
            if path == "-" { stdin = true } else { builder.add(path.clone())? }
        }
        stdin &= source.query_file.as_deref() != Some(Path::new("-"));
        let listed = configuration.watchlists.iter().map(|(alias, list)| (alias.as_str(), list.parts()));
        let mut watchlists: BTreeMap<String, (PathBuf, Option<String>)> =
            listed.map(|(alias, (path, key))| (alias.to_owned(), (path.to_owned(), key.map(str::to_owned)))).collect();
        for (alias, key, path) in watchlist_bindings(&source.watchlists)? {
            watchlists.insert(alias.to_owned(), (path.into(), key.map(str::to_owned)));
        }
        let library = Arc::new(FunctionLibrary::new(configuration.functions.paths.clone(), Arc::clone(&access)));
        let inputs = builder.files().map(|(table, file)| (table.map(str::to_owned), file.clone())).collect();
        Ok(Self {
            access,
            builder,
            limits,
            stdin,
            files: OnceLock::new(),
            spooled: AtomicU64::new(0),
            configured,
            watchlists,
            library,
            called: Mutex::default(),
            opened: Mutex::default(),
            inputs: Mutex::new(inputs),
        })
    }

    /// Stored functions.
    pub fn library(&self) -> Arc<FunctionLibrary> {
        Arc::clone(&self.library)
    }

    /// The stored functions that were called so far, with their files.
    pub fn called(&self) -> BTreeMap<String, DataFile> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a file may cost.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The files of the call, and those of other tables that were opened so far.
    pub fn inputs(&self) -> Vec<(Option<String>, DataFile)> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note<'a>(&self, files: impl Iterator<Item = (Option<&'a str>, &'a DataFile)>) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.extend(files.map(|(table, file)| (table.map(str::to_owned), file.clone())));
    }

    /// How far stdin was read that is being copied.
    pub fn spooling(&self) -> Option<String> {
        let bytes = self.spooled.load(Ordering::Relaxed);
        (bytes > 0 && self.files.get().is_none()).then(|| format!("{} of stdin read", size(bytes)))
    }

    fn files(&self) -> Result<&FileCatalog> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let mut builder = self.builder.clone();
        if self.stdin {
            let mut stdin = FileCatalogBuilder::default();
            stdin.add_stdin(&mut Spooled { input: io::stdin().lock(), bytes: &self.spooled })?;
            self.note(stdin.files().filter(|(table, _)| table.is_some()));
            builder.append(stdin);
        }
        Ok(self.files.get_or_init(|| builder.build()))
    }

    /// The catalog of one table that is opened when it is first named.
    fn opened(&self, name: &str, bind: impl FnOnce(&mut FileCatalogBuilder) -> Result<()>) -> Result<Arc<FileCatalog>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(catalog) = opened.get(name) {
            return Ok(Arc::clone(catalog));
        }
        let mut builder = FileCatalogBuilder::default();
        builder.limit(self.limits);
        builder.reach(Arc::clone(&self.access));
        bind(&mut builder)?;
        self.note(builder.files());
        let catalog = Arc::new(builder.build());
        opened.insert(name.to_owned(), Arc::clone(&catalog));
        Ok(catalog)
    }
}

/// Counts the bytes that are read.
struct Spooled<'a, R> {
    input: R,
    bytes: &'a AtomicU64,
}

impl<R: Read> Read for Spooled<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Catalog for SessionCatalog {
    fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.configured.get(name) {
            Some(paths) => {
                let bind =
                    |builder: &mut FileCatalogBuilder| paths.iter().try_for_each(|path| builder.bind(name, path));
                self.opened(name, bind)?.table(name)
            }
            None => self.files()?.table(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.files().map(Catalog::names).unwrap_or_default();
        names.extend(self.configured.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    fn watchlist(&self, alias: &str) -> Result<Option<Watchlist>> {
        let Some((path, search_key)) = self.watchlists.get(alias) else { return Ok(None) };
        // No table has this name.
        let name = format!("_GetWatchlist('{alias}')");
        let table = self.opened(&name, |builder| builder.bind_texts(&name, path))?.table(&name)?;
        Ok(table.map(|table| Watchlist { table, search_key: search_key.clone() }))
    }

    fn watchlists(&self) -> Vec<String> {
        self.watchlists.keys().cloned().collect()
    }

    fn function(&self, name: &str) -> Result<Option<Definition>> {
        let Some(found) = self.library.function(name)? else { return Ok(None) };
        if let Some(of) = self.library.file_of(&found) {
            let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
            called.insert(name.to_owned(), of.file.clone());
        }
        Ok(Some(found.definition))
    }

    fn functions(&self) -> Result<Vec<Definition>> {
        Ok(self.library.functions()?.map(|function| function.definition.clone()).collect())
    }
}

/// Aliases, columns of search keys and paths of `--watchlist ALIAS[COLUMN]=PATH`.
fn watchlist_bindings(texts: &[String]) -> Result<Vec<(&str, Option<&str>, &str)>> {
    fn binding(text: &str) -> Option<(&str, Option<&str>, &str)> {
        let (alias, key, path) = match text.split_once('[').filter(|(alias, _)| !alias.contains('=')) {
            Some((alias, rest)) => {
                let (key, path) = rest.split_once("]=")?;
                (alias, Some(key), path)
            }
            None => {
                let (alias, path) = text.split_once('=')?;
                (alias, None, path)
            }
        };
        (!alias.is_empty() && key != Some("") && !path.is_empty()).then_some((alias, key, path))
    }
    let wrong = |text: &String| Error::Usage(format!("--watchlist {text}: write ALIAS=PATH or ALIAS[COLUMN]=PATH"));
    texts.iter().map(|text| binding(text).ok_or_else(|| wrong(text))).collect()
}

/// Names and paths of `-t NAME=PATH`.
pub(super) fn bindings(texts: &[String]) -> Result<Vec<(&str, &str)>> {
    fn binding(text: &str) -> Result<(&str, &str)> {
        let (name, path) = text
            .split_once('=')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| Error::Usage(format!("-t {}: write NAME=PATH", redacted(text))))?;
        if path == "-" {
            return Err(Error::Usage("stdin is the table `stdin`; name it so in the query".to_owned()));
        }
        Ok((name, path))
    }
    texts.iter().map(|text| binding(text)).collect()
}
