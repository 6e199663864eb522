//! What holds where a flag is not given: the environment, then the catalog file, then the defaults.

mod backtest;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use self::backtest::Backtest;
use super::memory::Memory;
use super::sources::table_name;
use crate::diagnostic::{Error, Result};
use crate::source::folders::Links;
use crate::source::remote::{Access, is_url};
use crate::source::{DateOrder, Limits};

/// The catalog file with what the environment says instead.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Configuration {
    /// Values of flags.
    #[serde(default)]
    pub defaults: Defaults,
    /// Tables by name.
    #[serde(default)]
    pub tables: BTreeMap<String, Table>,
    /// Watchlists by alias.
    #[serde(default)]
    pub watchlists: BTreeMap<String, Watchlist>,
    /// Files of functions.
    #[serde(default)]
    pub functions: Functions,
    /// How rules are replayed; checked, and read by no command yet.
    #[serde(default, rename = "backtest")]
    _backtest: Backtest,
}

/// Files of functions that queries may call.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Functions {
    /// Files, folders, globs; relative to the folder of the catalog file.
    pub paths: Vec<PathBuf>,
}

/// Values of flags.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Defaults {
    pub output: Option<String>,
    pub excel_safe: Option<bool>,
    pub threads: Option<u16>,
    /// Seconds that a server may say nothing.
    pub remote_timeout: Option<u16>,
    pub follow_links: Option<bool>,
    pub time_column: Option<String>,
    pub dedup: Option<String>,
    pub provenance: Option<bool>,
    pub strict: Option<bool>,
    pub max_decompressed: Option<Size>,
    pub max_memory: Option<Memory>,
}

/// A number of bytes: as such, or a text as flags have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        super::args::size(text).map(Self)
    }
}

impl TryFrom<toml::Value> for Size {
    type Error = String;

    fn try_from(value: toml::Value) -> std::result::Result<Self, String> {
        value.as_str().map_or(value.to_string(), str::to_owned).parse()
    }
}

/// The order of dates in numbers: `dmy` or `mdy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Dates(pub DateOrder);

impl TryFrom<String> for Dates {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map(Self)
    }
}

/// A table in files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    /// Files, folders, globs; relative to the folder of the catalog file.
    pub paths: Vec<PathBuf>,
    /// How records are laid out: `auto`, told by themselves.
    #[serde(default, rename = "shape")]
    _shape: Shape,
    /// The column that --from, --to and --last look at.
    pub time_column: Option<String>,
    /// The column that `ingestion_time()` answers.
    pub ingestion_column: Option<String>,
    /// The order of dates in numbers.
    pub dates: Option<Dates>,
}

/// A watchlist in a file; its path is relative to the folder of the catalog file.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    rename_all_fields = "kebab-case",
    expecting = "a path is needed, or path and search-key"
)]
pub(super) enum Watchlist {
    /// One without a search key.
    File(PathBuf),
    /// One with a search key.
    Keyed {
        /// The file.
        path: PathBuf,
        /// The column that has the search keys.
        search_key: Option<String>,
    },
}

impl Watchlist {
    /// The file, and the column that has the search keys.
    pub fn parts(&self) -> (&Path, Option<&str>) {
        match self {
            Self::File(path) => (path, None),
            Self::Keyed { path, search_key } => (path, search_key.as_deref()),
        }
    }

    fn path_mut(&mut self) -> &mut PathBuf {
        match self {
            Self::File(path) | Self::Keyed { path, .. } => path,
        }
    }
}

/// How the records of a table are laid out.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shape {
    /// As each record says.
    #[default]
    Auto,
}

impl Configuration {
    /// Reads a catalog file, if there is one, and the environment.
    ///
    /// # Errors
    /// A file that cannot be read or is no catalog, a variable without a fitting value.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut configuration = match file {
            Some(file) => Self::read(file)?,
            None => Self::default(),
        };
        configuration.defaults.environment()?;
        configuration.check()
    }

    fn check(self) -> Result<Self> {
        if self.defaults.threads == Some(0) {
            return Err(Error::Usage("threads: at least 1 is needed".to_owned()));
        }
        if self.defaults.remote_timeout == Some(0) {
            return Err(Error::Usage("remote-timeout: at least 1 second is needed".to_owned()));
        }
        Ok(self)
    }

    /// How files are reached: remote ones as the environment says, as the tools of their stores do; links that lead out of
    /// a folder only if that is asked for.
    pub fn access(&self, follow_links: bool) -> Access {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let patience = self.defaults.remote_timeout.map(|seconds| Duration::from_secs(seconds.into()));
        let follow_links = follow_links || self.defaults.follow_links == Some(true);
        let links = if follow_links { Links::Everywhere } else { Links::Inside };
        Access::new(std::env::vars_os().filter_map(text), patience).with_links(links)
    }

    fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        let wrong = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
        let sections: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        if let Some(unknown) = sections
            .keys()
            .find(|key| !matches!(key.as_str(), "defaults" | "tables" | "watchlists" | "functions" | "backtest"))
        {
            let known = "known are [defaults], [tables.NAME], [watchlists], [functions] and [backtest]";
            return Err(wrong(format!("the section [{unknown}] is not supported yet; {known}")));
        }
        let mut configuration: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for table in configuration.tables.values_mut() {
            table.paths.iter_mut().for_each(|path| *path = below(folder, path));
        }
        for watchlist in configuration.watchlists.values_mut() {
            let path = watchlist.path_mut();
            *path = below(folder, path);
        }
        configuration.functions.paths.iter_mut().for_each(|path| *path = below(folder, path));
        configuration.tables = named_tables(configuration.tables).map_err(wrong)?;
        Ok(configuration)
    }
}

/// The tables under the names that queries know: known tables in any case of letters. An error says which name is
/// nearly one of these, or names a table twice.
fn named_tables(tables: BTreeMap<String, Table>) -> Result<BTreeMap<String, Table>, String> {
    let mut named = BTreeMap::new();
    for (written, table) in tables {
        let name = table_name(&written).map_err(|near| {
            format!(
                "[tables.{written}]: did you mean {near}? A query over {near} would not read these files; a table of \
                 your own needs a name that is less like it"
            )
        })?;
        if named.insert(name.clone(), table).is_some() {
            return Err(format!("[tables.{written}]: the table {name} is there already"));
        }
    }
    Ok(named)
}

impl Defaults {
    /// What a file may cost, where the flag does not say it.
    pub fn limits(&self, flag: Option<u64>) -> Limits {
        Limits { max_unpacked: flag.or(self.max_decompressed.map(|size| size.0)) }
    }

    /// What the environment says counts more than what the file says.
    fn environment(&mut self) -> Result<()> {
        override_with("OUTPUT", &mut self.output)?;
        override_with("EXCEL_SAFE", &mut self.excel_safe)?;
        override_with("THREADS", &mut self.threads)?;
        override_with("REMOTE_TIMEOUT", &mut self.remote_timeout)?;
        override_with("FOLLOW_LINKS", &mut self.follow_links)?;
        override_with("TIME_COLUMN", &mut self.time_column)?;
        override_with("DEDUP", &mut self.dedup)?;
        override_with("PROVENANCE", &mut self.provenance)?;
        override_with("STRICT", &mut self.strict)?;
        override_with("MAX_DECOMPRESSED", &mut self.max_decompressed)?;
        override_with("MAX_MEMORY", &mut self.max_memory)
    }
}

fn override_with<T: FromStr>(name: &str, value: &mut Option<T>) -> Result<()> {
    let Some(text) = variable(name) else { return Ok(()) };
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    let parsed =
        parsed.ok_or_else(|| Error::Usage(format!("COLDCASE_{name}={}: not a value for it", text.display())))?;
    *value = Some(parsed);
    Ok(())
}

/// The variable `COLDCASE_name`; an empty one is none.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(format!("COLDCASE_{name}")).filter(|value| !value.is_empty())
}

/// A path of the catalog file, seen from the working folder; URLs are where they are.
fn below(folder: &Path, path: &Path) -> PathBuf {
    if path.to_str().is_some_and(is_url) { path.to_owned() } else { folder.join(path) }
}
