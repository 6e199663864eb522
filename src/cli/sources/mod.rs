//! What a call reads, settled in one place before anything runs: which catalog file counts, which files each table is
//! bound to, and whether stdin is data.
//!
//! A source that is forgotten, misspelt or put beside the evidence by somebody else must never shape an answer unseen.
//! So every command asks here, a wrong call ends here, and what was settled is shown by `coldcase tables`, by `-v` and by
//! manifests.

mod bindings;
mod catalog;
mod catalog_file;
mod evidence;
mod names;
mod stdin;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

pub(super) use catalog::{Input, NamedSource, SessionCatalog};
pub(super) use names::table_name;
pub(super) use stdin::Stdin;

use self::bindings::bindings;
use self::catalog_file::CatalogFile;
use super::configuration::Configuration;
use super::talk::Message;
use crate::diagnostic::Result;
use crate::source::files::expand;
use crate::source::remark::Listing;
use crate::source::remote::{Access, redacted};

/// What the words of a call say about sources.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call<'a> {
    /// `-c FILE`.
    pub catalog: Option<&'a Path>,
    /// `--no-catalog`.
    pub no_catalog: bool,
    /// `-t NAME=PATH`.
    pub tables: &'a [String],
    /// Files, folders, globs, URLs, `-`.
    pub paths: &'a [OsString],
    /// `--follow-links`.
    pub follow_links: bool,
    /// What the call reads from stdin other than data: the query, or a batch of them.
    pub stdin_taken: Option<&'static str>,
}

/// Where a source is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `-t NAME=PATH`.
    Flag,
    /// A PATH.
    Argument,
}

impl Origin {
    /// How listings call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "-t",
            Self::Argument => "argument",
        }
    }
}

/// Files that a call names.
#[derive(Debug)]
pub(super) struct Source {
    /// The table that they are bound to; None if known tables are looked for in them.
    pub table: Option<String>,
    /// The path, glob or URL as written.
    pub pattern: OsString,
    /// Where it is named.
    pub origin: Origin,
    /// The files.
    pub listing: Result<Listing>,
}

impl Source {
    /// The path for people, without the secrets of URLs.
    pub fn shown(&self) -> String {
        redacted(&self.pattern.to_string_lossy())
    }
}

/// What a call reads.
#[derive(Debug)]
pub(super) struct InputSources {
    /// Settings of the catalog file that counts, and of the environment.
    pub configuration: Configuration,
    /// The catalog file that counts, and one that does not.
    pub catalog: CatalogFile,
    /// Files that the call names, `-` aside.
    pub named: Vec<Source>,
    /// Whether stdin is data.
    pub stdin: Stdin,
}

impl InputSources {
    /// Settles what `call` reads.
    ///
    /// # Errors
    /// A binding that is none or nearly names a known table, a catalog file that cannot be read, stdin that is named
    /// twice. Files that cannot be found are errors of their sources.
    pub fn settle(call: &Call<'_>) -> Result<Self> {
        let stdin = Stdin::of(call)?;
        let patterns = patterns(call)?;
        let mut places: Vec<PathBuf> = patterns.iter().flat_map(|(_, pattern, _)| evidence::places(pattern)).collect();
        places.extend(stdin.place());
        let mut catalog = CatalogFile::choose(call, &places);
        let mut configuration = Configuration::load(catalog.file.as_deref())?;
        let mut named = find(&patterns, &configuration.access(call.follow_links));
        if catalog.is_from_here() {
            let files = named.iter().filter_map(|source| source.listing.as_ref().ok()).flat_map(|found| &found.files);
            let again = CatalogFile::choose(call, &evidence::real_folders(files));
            if !again.is_from_here() {
                configuration = Configuration::load(again.file.as_deref())?;
                named = find(&patterns, &configuration.access(call.follow_links));
                catalog = again;
            }
        }
        Ok(Self { configuration, catalog, named, stdin })
    }

    /// True if tables of the catalog file count: the call names no PATH.
    pub fn catalog_tables_count(&self) -> bool {
        self.named.iter().all(|source| source.origin == Origin::Flag) && self.stdin != Stdin::Named
    }

    /// What there is to say before anything runs.
    pub fn messages(&self) -> Vec<Message> {
        self.catalog.messages()
    }

    /// Says it, for commands without flags about messages.
    pub fn say(&self) {
        self.messages().iter().for_each(Message::print);
    }
}

/// A table, a pattern and where both are named.
type Named = (Option<String>, OsString, Origin);

/// The files that these patterns name.
fn find(patterns: &[Named], access: &Access) -> Vec<Source> {
    let source = |(table, pattern, origin): &Named| Source {
        table: table.clone(),
        pattern: pattern.clone(),
        origin: *origin,
        listing: expand(pattern, access),
    };
    patterns.iter().map(source).collect()
}

/// The tables and patterns that a call names, `-` aside.
fn patterns(call: &Call<'_>) -> Result<Vec<Named>> {
    let bound = bindings(call.tables)?;
    let bound = bound.into_iter().map(|(name, path)| (Some(name), OsString::from(path), Origin::Flag));
    let paths = call.paths.iter().filter(|path| path.as_os_str() != OsStr::new(stdin::DASH));
    Ok(bound.chain(paths.map(|path| (None, path.clone(), Origin::Argument))).collect())
}
