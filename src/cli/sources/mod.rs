//! The input of a command, resolved in one place before anything runs: which catalog file is used, which files each
//! table is read from, and whether stdin is data.
//!
//! A source that is forgotten, misspelt, or planted beside the evidence must never influence a result unnoticed. So
//! every command resolves its sources here, usage errors end here, and `coldcase tables`, `-v` and manifests show the
//! outcome.

mod bindings;
mod catalog;
mod catalog_file;
mod configured;
mod external;
mod inputs;
mod locations;
mod names;
mod own_results;
mod stdin;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

pub(super) use catalog::{SessionCatalog, external_name};
pub(super) use inputs::{Input, NamedSource};
pub(super) use names::table_name;
pub(super) use own_results::is_marked;
pub(super) use stdin::Stdin;

use self::bindings::bindings;
use self::catalog_file::CatalogFile;
use super::configuration::Configuration;
use super::reporter::Message;
use crate::diagnostic::Result;
use crate::source::listing::expand;
use crate::storage::listing::Listing;
use crate::storage::remote::{Access, redacted};

/// The arguments of a command that concern its sources.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SourceOptions<'a> {
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
    /// The content of stdin if it is not data, for messages: "the query" or "the queries".
    pub stdin_taken: Option<&'static str>,
}

/// How a source is given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `-t NAME=PATH`.
    Flag,
    /// A PATH.
    Argument,
    /// `--externaldata URL=PATH`.
    External,
}

impl Origin {
    /// The name in listings and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "-t",
            Self::Argument => "argument",
            Self::External => "--externaldata",
        }
    }
}

/// Files given on the command line.
#[derive(Debug)]
pub(super) struct InputSource {
    /// The table that the files are bound to; None if known tables are looked for in them.
    pub table: Option<String>,
    /// The path, glob or URL as given.
    pub pattern: OsString,
    /// How the source is given.
    pub origin: Origin,
    /// The files.
    pub listing: Result<Listing>,
}

impl InputSource {
    /// The path for messages, without secrets in URLs.
    pub fn shown(&self) -> String {
        redacted(&self.pattern.to_string_lossy())
    }
}

/// The resolved sources of a command.
#[derive(Debug)]
pub(super) struct InputSources {
    /// The settings of the catalog file and the environment.
    pub configuration: Configuration,
    /// The catalog file that is used, and one that is not.
    pub catalog: CatalogFile,
    /// The files given on the command line, except `-`.
    pub named: Vec<InputSource>,
    /// How stdin is used.
    pub stdin: Stdin,
}

impl InputSources {
    /// Resolves the sources of `call`.
    ///
    /// # Errors
    /// If a binding is malformed or nearly names a known table, the catalog file cannot be read, or stdin is used
    /// twice. Missing files are errors in [`InputSource::listing`].
    pub fn resolve(call: &SourceOptions<'_>) -> Result<Self> {
        let stdin = Stdin::of(call)?;
        let patterns = patterns(call)?;
        let mut paths: Vec<PathBuf> =
            patterns.iter().flat_map(|(_, pattern, _)| locations::of_pattern(pattern)).collect();
        paths.extend(stdin.redirected_from());
        let mut catalog = CatalogFile::choose(call, &paths);
        let mut configuration = Configuration::load(catalog.file.as_deref())?;
        let mut named = list(&patterns, &configuration.access(call.follow_links));
        if catalog.is_from_working_folder() {
            // Links below the given folders may lead to files beside the catalog file.
            let files = named.iter().filter_map(|source| source.listing.as_ref().ok()).flat_map(|found| &found.files);
            let rechecked = CatalogFile::choose(call, &locations::real_folders(files));
            if !rechecked.is_from_working_folder() {
                configuration = Configuration::load(rechecked.file.as_deref())?;
                named = list(&patterns, &configuration.access(call.follow_links));
                catalog = rechecked;
            }
        }
        Ok(Self { configuration, catalog, named, stdin })
    }

    /// True if the tables of the catalog file are used, because no PATH is given.
    pub fn uses_catalog_tables(&self) -> bool {
        self.named.iter().all(|source| source.origin == Origin::Flag) && self.stdin != Stdin::Named
    }

    /// Messages to print before anything runs.
    pub fn messages(&self) -> Vec<Message> {
        self.catalog.messages()
    }

    /// Prints the messages, for commands without options for messages.
    pub fn report(&self) {
        self.messages().iter().for_each(Message::print);
    }
}

/// A table, a pattern and how both are given.
type GivenPattern = (Option<String>, OsString, Origin);

/// Lists the files that match the patterns.
fn list(patterns: &[GivenPattern], access: &Access) -> Vec<InputSource> {
    let source = |(table, pattern, origin): &GivenPattern| InputSource {
        table: table.clone(),
        pattern: pattern.clone(),
        origin: *origin,
        listing: expand(pattern, access).map(own_results::without_results),
    };
    patterns.iter().map(source).collect()
}

/// The tables and patterns given on the command line, except `-`.
fn patterns(call: &SourceOptions<'_>) -> Result<Vec<GivenPattern>> {
    let bound = bindings(call.tables)?;
    let bound = bound.into_iter().map(|(name, path)| (Some(name), OsString::from(path), Origin::Flag));
    let paths = call.paths.iter().filter(|path| path.as_os_str() != OsStr::new(stdin::DASH));
    Ok(bound.chain(paths.map(|path| (None, path.clone(), Origin::Argument))).collect())
}
